"""Attention: each step of a sequence looks at others and takes what it needs."""

from typing import Any

import numpy as np

from labkit._common import Array, Shape, expect
from labkit._tensor import KerasTensor
from labkit.activations import softmax, vjp
from labkit.layers.core import Dropout, KernelLayer
from labkit.layers.layer import sizes


class MultiHeadAttention(KernelLayer):
    r"""Attention with several heads (Vaswani et al., 2017).

    In each head every step of `query` has a query, and every step of `key` and `value` has a key
    and a value, each `x @ kernel + bias`. A step's result is the mean of all values, weighted by
    $\text{softmax}(q k^\top / \sqrt{d})$, where $d$ is `key_dim`; one more product joins the
    heads. `query` is `(batch, steps, features)`, `value` and `key` are `(batch, sources, …)`,
    and the output is `(batch, steps, features)`.

    Self-attention is `attention(x, x)`. Unlike in Keras, `attention(x)` means the same, so that
    the layer can stand in a `Sequential`; and so that it can hide later steps there, the layer
    takes `use_causal_mask` as well as its call, which alone takes it in Keras.

    Args:
        num_heads: Number of heads.
        key_dim: Length of each query and key.
        value_dim: Length of each value; `None` means `key_dim`.
        dropout: Share of the weights that training zeroes, as `Dropout` does.
        output_shape: Size, or sizes, of the last axes of the output; `None` means the query's
            features.
        use_causal_mask: Whether a step sees only itself and the steps before it.
        **kwargs: `use_bias`, `kernel_initializer`, `bias_initializer`,
            `kernel_regularizer`, `bias_regularizer`, and those of `Layer`.

    Raises:
        ValueError: A size that is not a positive integer, or a share that is none.
    """

    expects = "(batch, steps, features)"
    supports_masking = True

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        *,
        output_shape: int | tuple[int, ...] | None = None,
        use_causal_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        (self.num_heads,) = sizes(self, "num_heads", num_heads)
        (self.key_dim,) = sizes(self, "key_dim", key_dim)
        (self.value_dim,) = sizes(self, "value_dim", key_dim if value_dim is None else value_dim)
        self.dropout_layer, self.use_causal_mask = (
            Dropout(dropout, dtype=self.dtype),
            use_causal_mask,
        )
        last = () if output_shape is None else tuple(np.atleast_1d(output_shape).tolist())
        self.last = sizes(self, "output_shape", last, len(last)) if last else ()

    def build(
        self, query_shape: Shape, value_shape: Shape | None = None, key_shape: Shape | None = None
    ) -> None:
        """Make a kernel and a bias for queries, keys, values and the output."""
        value_shape = query_shape if value_shape is None else value_shape
        key_shape = value_shape if key_shape is None else key_shape
        heads, features = self.num_heads, (self.fix_features(query_shape),)
        self._add_part("query", features, (heads, self.key_dim))
        self._add_part("key", key_shape[-1:], (heads, self.key_dim))
        self._add_part("value", value_shape[-1:], (heads, self.value_dim))
        self._add_part("output", (heads, self.value_dim), self.last or features)

    def call(  # type: ignore[override]  # noqa: PLR0913  # Keras's arguments
        self,
        query: Array,
        value: Array | None = None,
        key: Array | None = None,
        query_mask: Array | None = None,
        value_mask: Array | None = None,
        key_mask: Array | None = None,
        attention_mask: Array | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """Return the output of each step.

        Args:
            query: `(batch, steps, features)`.
            value: `(batch, sources, features of values)`; `None` means `query`.
            key: `(batch, sources, features of keys)`; `None` means `value`.
            query_mask: `(batch, steps)`; a step where it is false sees all sources alike. Like the
                other two it is the mask of its input, if there is one.
            value_mask: `(batch, sources)`; a source where it is false is not seen. Without a
                `value`, `None` means `query_mask`.
            key_mask: As `value_mask`.
            attention_mask: `(batch, steps, sources)`, or `(batch, heads, steps, sources)`: which
                step sees which source.
            return_attention_scores: Whether to return the weights as well,
                `(batch, heads, steps, sources)`.
            use_causal_mask: Whether a step sees only itself and the steps before it.
        """
        given = value is not None, key is not None
        value_mask = query_mask if value is None and value_mask is None else value_mask
        value = query if value is None else value
        key = value if key is None else key
        parts = (self._project(x, part, 1) for x, part in ((query, "query"), (key, "key")))
        q, k = (part.swapaxes(1, 2) for part in parts)  # (batch, heads, steps, length)
        v = self._project(value, "value", 1).swapaxes(1, 2)
        scores = q @ k.swapaxes(-1, -2) * self.key_dim**-0.5  # (batch, heads, steps, sources)
        seen = _mask(query_mask, value_mask, key_mask, attention_mask)
        if use_causal_mask or self.use_causal_mask:
            earlier = np.tri(*scores.shape[-2:]) > 0
            seen = earlier if seen is None else seen & earlier
        if seen is not None:  # so low that the weight is 0, unless no source is seen
            scores = np.where(seen, scores, np.finfo(scores.dtype).min / 2)
        weights = softmax(scores)
        kept = self.dropout_layer(weights)
        keep = 1.0 if self.dropout_layer.saved is None else self.dropout_layer.saved
        gathered = (kept @ v).swapaxes(1, 2)  # (batch, steps, heads, length)
        self.saved = given, (query, value, key), (q, k, v), seen, weights, keep, gathered
        y = self._project(gathered, "output", 2)
        return (y, weights) if return_attention_scores else y

    def backward(self, dy: Any) -> Any:
        """Return the gradients with respect to query, value and key, or with respect to the query.

        Args:
            dy: The gradient with respect to the output; with the weights returned, a pair.
        """
        given, (query, value, key), (q, k, v), seen, weights, keep, gathered = self.saved
        dy, dweights = dy if isinstance(dy, tuple | list) else (dy, 0)
        dgathered = self._backward_project(dy, gathered, "output", 2).swapaxes(1, 2)
        dv = (weights * keep).swapaxes(-1, -2) @ dgathered
        dweights = dweights + (dgathered @ v.swapaxes(-1, -2)) * keep
        dscores = vjp[softmax](dweights, weights, weights)
        dscores *= self.key_dim**-0.5
        if seen is not None:
            dscores = dscores * seen
        dquery = self._backward_project((dscores @ k).swapaxes(1, 2), query, "query", 1)
        dk = dscores.swapaxes(-1, -2) @ q
        dkey = self._backward_project(dk.swapaxes(1, 2), key, "key", 1)
        dvalue = self._backward_project(dv.swapaxes(1, 2), value, "value", 1)
        if given == (False, False):
            return dquery + dkey + dvalue
        return (dquery, dvalue, dkey) if given[1] else (dquery, dvalue + dkey)

    def compute_output_shape(
        self,
        query_shape: Shape,
        value_shape: Shape | None = None,
        key_shape: Shape | None = None,
    ) -> Shape:
        """Return `(batch, steps, features)`, or `(batch, steps, *output_shape)`."""
        return *query_shape[:-1], *(self.last or query_shape[-1:])

    def symbolic_outputs(self, args: Any, kwargs: Any) -> Any:
        """See `Layer.symbolic_outputs`; the weights are a tensor, too, if they are asked for."""
        y = super().symbolic_outputs(args, kwargs)
        if not kwargs.get("return_attention_scores"):
            return y
        query, value = (*args, None)[:2]
        sources = (query if value is None else value).shape[1]
        shape = query.shape[0], self.num_heads, query.shape[1], sources
        return y, KerasTensor(shape, self.dtype)

    def _add_part(self, part: str, inputs: Any, outputs: Any) -> None:
        """Make the kernel and the bias of one product."""
        expect(None not in inputs, f"{self.name} needs known last axes", (part, inputs))
        shapes = {"kernel": (*inputs, *outputs), "bias": outputs}
        for kind in ("kernel", "bias") if self.use_bias else ("kernel",):
            first, penalty = self._options[kind]
            name = f"{part}_{kind}"
            setattr(self, name, self.add_weight(shapes[kind], first, None, True, penalty, name))

    def _project(self, x: Array, part: str, axes: int) -> Array:
        """Return `x @ kernel + bias` of one part, over so many axes."""
        y: Array = np.tensordot(x, getattr(self, f"{part}_kernel"), axes)
        return y + getattr(self, f"{part}_bias") if self.use_bias else y

    def _backward_project(self, dy: Array, x: Array, part: str, axes: int) -> Array:
        """Fill the gradients of one part; return that with respect to its `x`."""
        kernel = getattr(self, f"{part}_kernel")
        self.gradients[f"{part}_kernel"][...] = np.tensordot(x, dy, ((0, 1), (0, 1)))
        if self.use_bias:
            dy.sum((0, 1), out=self.gradients[f"{part}_bias"])
        return np.asarray(np.tensordot(dy, kernel, (range(2, dy.ndim), range(axes, kernel.ndim))))


def _mask(query: Any, value: Any, key: Any, attention: Any) -> Any:
    """Return which step sees which source, `(batch, 1 or heads, steps, sources)`; `None`: all."""
    seen = None if query is None else np.asarray(query, bool)[:, None, :, None]
    for mask in (value, key):
        if mask is not None:
            sources = np.asarray(mask, bool)[:, None, None, :]
            seen = sources if seen is None else seen & sources
    if attention is not None:
        pairs = np.asarray(attention, bool)
        pairs = pairs[:, None] if pairs.ndim == 3 else pairs
        seen = pairs if seen is None else seen & pairs
    return seen
