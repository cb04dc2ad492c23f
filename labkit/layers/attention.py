"""Self-attention: each step of a sequence looks at the others and takes what it needs."""

from typing import Any

import numpy as np

from labkit._typing import Array, Shape
from labkit.activations import softmax, vjp
from labkit.layers.core import KernelLayer, column_sums
from labkit.layers.layer import sizes


class MultiHeadAttention(KernelLayer):
    r"""Self-attention with several heads (Vaswani et al., 2017).

    In each head every step has a query, a key and a value, `x @ kernel + bias`. A step's
    result is the mean of all values, weighted by $\text{softmax}(q k^\top / \sqrt{d})$,
    where $d$ is `key_dim`; one more product joins the heads. `x` and the output are
    `(batch, steps, features)`.

    `attention(x)` here is `attention(x, x, use_causal_mask=...)` in Keras.

    Args:
        num_heads: Number of heads.
        key_dim: Length of each query and key.
        value_dim: Length of each value; `None` means `key_dim`.
        use_causal_mask: Whether a step sees only itself and the steps before it.
        **kwargs: `use_bias`, `kernel_initializer`, `bias_initializer`,
            `kernel_regularizer`, `bias_regularizer`, and those of `Layer`.

    Raises:
        ValueError: A size that is not a positive integer.
    """

    expects = "(batch, steps, features)"

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        *,
        use_causal_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        kind = "MultiHeadAttention"
        (self.num_heads,) = sizes(kind, "num_heads", num_heads, 1)
        (self.key_dim,) = sizes(kind, "key_dim", key_dim, 1)
        (self.value_dim,) = sizes(kind, "value_dim", key_dim if value_dim is None else value_dim, 1)
        self.use_causal_mask = use_causal_mask

    def build(self, input_shape: Shape) -> None:
        """Make a kernel and a bias for queries, keys, values and the output."""
        features = self.fix_features(input_shape)
        lengths = {"query": self.key_dim, "key": self.key_dim, "value": self.value_dim}
        for part, length in lengths.items():
            self.add_kernel((features, self.num_heads, length), f"{part}_kernel")
            self.add_bias((self.num_heads, length), f"{part}_bias")
        self.add_kernel((self.num_heads, self.value_dim, features), "output_kernel")
        self.add_bias((features,), "output_bias")

    def call(self, x: Array, training: bool = False) -> Array:
        """Return what each step has gathered."""
        q, k, v = (self._to_heads(self._dense(x, part)) for part in ("query", "key", "value"))
        scores = q @ k.swapaxes(-1, -2) * self.key_dim**-0.5  # (batch, heads, steps, steps)
        if self.use_causal_mask:
            scores[..., np.triu(np.ones(scores.shape[-2:], bool), 1)] = -np.inf
        weights = softmax(scores)
        gathered = self._from_heads(weights @ v)
        self.saved = x, q, k, v, weights, gathered
        return self._dense(gathered, "output")

    def backward(self, dy: Array) -> Array | None:
        """Return the gradient with respect to `x`."""
        x, q, k, v, weights, gathered = self.saved
        dgathered = self._to_heads(self._backward_dense(dy, gathered, "output"))
        dv = weights.swapaxes(-1, -2) @ dgathered
        dscores = vjp[softmax](dgathered @ v.swapaxes(-1, -2), weights, weights)
        dscores *= self.key_dim**-0.5
        dq, dk = dscores @ k, dscores.swapaxes(-1, -2) @ q
        parts = {"query": dq, "key": dk, "value": dv}
        dx = [self._backward_dense(self._from_heads(d), x, part) for part, d in parts.items()]
        return dx[0] + dx[1] + dx[2]

    def _to_heads(self, rows: Array) -> Array:
        """Return `(batch, heads, steps, length)` for `(batch, steps, heads * length)`."""
        return rows.reshape(*rows.shape[:2], self.num_heads, -1).swapaxes(1, 2)

    def _from_heads(self, heads: Array) -> Array:
        """Return `(batch, steps, heads * length)` for `(batch, heads, steps, length)`."""
        return heads.swapaxes(1, 2).reshape(len(heads), heads.shape[2], -1)

    def _dense(self, x: Array, part: str) -> Array:
        """Return `x @ kernel + bias` of one part, with the heads side by side."""
        y: Array = x @ self._weights[f"{part}_kernel"].reshape(x.shape[-1], -1)
        return y + self._weights[f"{part}_bias"].ravel() if self.use_bias else y

    def _backward_dense(self, dy: Array, x: Array, part: str) -> Array:
        """Fill the gradients of one part; return that with respect to its `x`."""
        rows = dy.reshape(-1, dy.shape[-1])
        kernel = self._weights[f"{part}_kernel"].reshape(x.shape[-1], -1)
        dkernel = x.reshape(len(rows), -1).T @ rows
        self.gradients[f"{part}_kernel"].reshape(kernel.shape)[...] = dkernel
        if self.use_bias:
            self.gradients[f"{part}_bias"].reshape(-1)[...] = column_sums(rows)
        dx: Array = dy @ kernel.T
        return dx
