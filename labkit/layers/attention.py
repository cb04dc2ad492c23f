"""Self-attention: each step of a sequence looks at the others and takes what it needs."""

from typing import Any

import numpy as np

from labkit._typing import Array, Shape
from labkit.activations import softmax, vjp
from labkit.initializers import Initializer
from labkit.layers.core import known, positive
from labkit.layers.layer import Layer

__all__ = ["MultiHeadAttention", "Residual"]


class MultiHeadAttention(Layer):
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
        use_bias: Whether to add biases.
        kernel_initializer: First values of the kernels.
        bias_initializer: First values of the biases.
        use_causal_mask: Whether a step sees only itself and the steps before it.
        **kwargs: As in `Layer`.

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
        use_bias: bool = True,
        kernel_initializer: str | Initializer = "glorot_uniform",
        bias_initializer: str | Initializer = "zeros",
        use_causal_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        kind = "MultiHeadAttention"
        self.num_heads = positive(kind, num_heads=num_heads)
        self.key_dim = positive(kind, key_dim=key_dim)
        self.value_dim = positive(kind, value_dim=value_dim or key_dim)
        self.use_bias, self.use_causal_mask = use_bias, use_causal_mask
        self.kernel_initializer, self.bias_initializer = (
            kernel_initializer,
            bias_initializer,
        )

    def build(self, input_shape: Shape) -> None:
        """Make a kernel and a bias for queries, keys, values and the output."""
        features = self._features = known("MultiHeadAttention", input_shape, -1)
        lengths = {"query": self.key_dim, "key": self.key_dim, "value": self.value_dim}
        for name, length in lengths.items():
            self._add(name, (features, self.num_heads, length))
        self._add("output", (self.num_heads, self.value_dim, features))

    def call(self, x: Array, training: bool = False) -> Array:
        """Return what each step has gathered."""
        q, k, v = (self._split(x, name) for name in ("query", "key", "value"))
        scores = q @ k.swapaxes(-1, -2) * self.key_dim**-0.5  # (batch, heads, steps, steps)
        if self.use_causal_mask:
            scores[..., np.triu(np.ones(scores.shape[-2:], bool), 1)] = -np.inf
        weights = softmax(scores)
        heads = (weights @ v).swapaxes(1, 2).reshape(*x.shape[:2], -1)
        self.saved = x, q, k, v, weights, heads
        y: Array = heads @ self._matrix("output")
        if self.use_bias:
            y += self._weights["output_bias"]
        return y

    def backward(self, dy: Array) -> Array | None:
        """Return the gradient with respect to `x`."""
        x, q, k, v, weights, heads = self.saved
        dheads = self._fill("output", heads, dy)
        dheads = dheads.reshape(*x.shape[:2], self.num_heads, -1).swapaxes(1, 2)
        dv = weights.swapaxes(-1, -2) @ dheads
        dscores = vjp[softmax](dheads @ v.swapaxes(-1, -2), weights, weights)
        dscores *= self.key_dim**-0.5
        dq, dk = dscores @ k, dscores.swapaxes(-1, -2) @ q
        dx = np.zeros_like(x)
        for name, gradient in {"query": dq, "key": dk, "value": dv}.items():
            dx += self._fill(name, x, gradient.swapaxes(1, 2).reshape(*x.shape[:2], -1))
        return dx

    def _add(self, name: str, shape: tuple[int, int, int]) -> None:
        bias_shape = shape[-1:] if name == "output" else shape[1:]
        self.add_weight(shape, self.kernel_initializer, name=f"{name}_kernel")
        if self.use_bias:
            self.add_weight(bias_shape, self.bias_initializer, name=f"{name}_bias")

    def _matrix(self, name: str) -> Array:
        """Return a kernel with the heads side by side."""
        kernel = self._weights[f"{name}_kernel"]
        return kernel.reshape(
            (-1, kernel.shape[-1]) if name == "output" else (len(kernel), -1)
        )

    def _split(self, x: Array, name: str) -> Array:
        """Return the queries, keys or values: `(batch, heads, steps, length)`."""
        rows = x @ self._matrix(name)
        if self.use_bias:
            rows += self._weights[f"{name}_bias"].ravel()
        return rows.reshape(*x.shape[:2], self.num_heads, -1).swapaxes(1, 2)

    def _fill(self, name: str, x: Array, dy: Array) -> Array:
        """Fill the gradients of one dense part; return that with respect to its input."""
        rows = dy.reshape(-1, dy.shape[-1])
        kernel = self.gradients[f"{name}_kernel"]
        kernel[...] = (x.reshape(len(rows), -1).T @ rows).reshape(kernel.shape)
        if self.use_bias:
            bias = self.gradients[f"{name}_bias"]
            bias[...] = rows.sum(0).reshape(bias.shape)
        dx: Array = dy @ self._matrix(name).T
        return dx


class Residual(Layer):
    """A shortcut around a chain of layers: `x + chain(x)` (He et al., 2016).

    labkit's own name: in Keras, `keras.layers.Add()([x, chain(x)])` in a functional model.

    Args:
        layers: The chain; its output must have the input's shape.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: The shapes differ.
    """

    def __init__(self, layers: list[Layer], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layers = list(layers)

    def build(self, input_shape: Shape) -> None:
        """Build the chain."""
        shape = input_shape
        for layer in self.layers:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        if shape[1:] != input_shape[1:]:
            raise ValueError(
                f"Residual expects its layers to keep the shape {input_shape[1:]}. "
                f"Received: {shape[1:]}"
            )

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `x + chain(x)`."""
        y = x
        for layer in self.layers:
            y = layer(y, training)
        return x + y

    def backward(self, dy: Array) -> Array:
        """Return the gradient with respect to `x`, by both ways."""
        dx: Any = dy
        for layer in reversed(self.layers):
            dx = layer.backward(dx)
        total: Array = dy + dx
        return total
