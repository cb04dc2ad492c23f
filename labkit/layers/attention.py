"""Self-attention: each step of a sequence looks at the others and takes what it needs."""

from typing import Any

import numpy as np

from labkit._common import Array, Shape
from labkit.activations import softmax, vjp
from labkit.layers.core import KernelLayer
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
        key_dim: Length of each query, key and value.
        use_causal_mask: Whether a step sees only itself and the steps before it.
        **kwargs: `use_bias`, `kernel_initializer`, `bias_initializer`,
            `kernel_regularizer`, `bias_regularizer`, and those of `Layer`.

    Raises:
        ValueError: A size that is not a positive integer.
    """

    expects = "(batch, steps, features)"

    def __init__(
        self, num_heads: int, key_dim: int, *, use_causal_mask: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        (self.num_heads,) = sizes(self, "num_heads", num_heads)
        (self.key_dim,) = sizes(self, "key_dim", key_dim)
        self.use_causal_mask = use_causal_mask

    def build(self, input_shape: Shape) -> None:
        """Make a kernel and a bias for queries, keys, values and the output."""
        features, head = (self.fix_features(input_shape),), (self.num_heads, self.key_dim)
        for part in ("query", "key", "value", "output"):
            inputs, outputs = (head, features) if part == "output" else (features, head)
            shapes = {"kernel": (*inputs, *outputs), "bias": outputs}
            for kind in ("kernel", "bias") if self.use_bias else ("kernel",):
                first, penalty = self._options[kind]
                self.add_weight(shapes[kind], first, regularizer=penalty, name=f"{part}_{kind}")

    def call(self, x: Array, training: bool = False) -> Array:
        """Return the output of each step."""
        parts = (self._project(x, part, 1) for part in ("query", "key", "value"))
        q, k, v = (part.swapaxes(1, 2) for part in parts)  # (batch, heads, steps, length)
        scores = q @ k.swapaxes(-1, -2) * self.key_dim**-0.5  # (batch, heads, steps, steps)
        if self.use_causal_mask:
            scores[..., np.triu(np.ones(scores.shape[-2:], bool), 1)] = -np.inf
        weights = softmax(scores)
        gathered = (weights @ v).swapaxes(1, 2)  # (batch, steps, heads, length)
        self.saved = x, q, k, v, weights, gathered
        return self._project(gathered, "output", 2)

    def backward(self, dy: Array) -> Array | None:
        """Return the gradient with respect to `x`."""
        x, q, k, v, weights, gathered = self.saved
        dgathered = self._backward_project(dy, gathered, "output").swapaxes(1, 2)
        dv = weights.swapaxes(-1, -2) @ dgathered
        dscores = vjp[softmax](dgathered @ v.swapaxes(-1, -2), weights, weights)
        dscores *= self.key_dim**-0.5
        parts = {"query": dscores @ k, "key": dscores.swapaxes(-1, -2) @ q, "value": dv}
        dx = [self._backward_project(d.swapaxes(1, 2), x, part) for part, d in parts.items()]
        return dx[0] + dx[1] + dx[2]

    def _project(self, x: Array, part: str, axes: int) -> Array:
        """Return `x @ kernel + bias` of one part, over so many axes."""
        y: Array = np.tensordot(x, self._weights[f"{part}_kernel"], axes)
        return y + self._weights[f"{part}_bias"] if self.use_bias else y

    def _backward_project(self, dy: Array, x: Array, part: str) -> Array:
        """Fill the gradients of one part; return that with respect to its `x`."""
        kernel, outputs = self._weights[f"{part}_kernel"], dy.ndim - 2
        self.gradients[f"{part}_kernel"][...] = np.tensordot(x, dy, ((0, 1), (0, 1)))
        if self.use_bias:
            dy.sum((0, 1), out=self.gradients[f"{part}_bias"])
        back = (range(2, dy.ndim), range(kernel.ndim - outputs, kernel.ndim))
        return np.asarray(np.tensordot(dy, kernel, back))
