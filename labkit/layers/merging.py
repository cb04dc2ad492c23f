"""Layers that make one array of several: `Concatenate()([a, b])`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from labkit._common import Array, Shape, expect
from labkit.layers.layer import Layer


class _Merge(Layer):
    """Base of the layers with a list of inputs; a subclass defines `merge` and `shares`."""

    least, most = 2, 100_000  # how many inputs there may be

    def call(self, inputs: Sequence[Array]) -> Array:  # type: ignore[override]
        """Return one array for a list of arrays, `(batch, ...)` each."""
        several = isinstance(inputs, list | tuple)
        shapes = [np.shape(x) for x in inputs] if several else []
        fits = several and self.least <= len(inputs) <= self.most
        wanted = f"{type(self).__name__} expects a list of {self.least} arrays"
        wanted += "" if self.least == self.most else " or more"
        expect(
            fits and len({s[:1] for s in shapes}) == 1,
            f"{wanted} of one batch size",
            shapes or type(inputs),
        )
        self.compute_output_shape(shapes)
        y = self.merge(*inputs)
        self.saved = inputs, y
        return y

    def backward(self, dy: Array) -> list[Array]:
        """Return the gradient with respect to each of the inputs."""
        inputs, y = self.saved
        shares = zip(inputs, self.shares(dy, y, *inputs), strict=True)
        return [_unspread(share, x.shape) for x, share in shares]

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """Return the output's shape for a list of shapes, `(batch or None, ...)` each."""
        shape: list[int | None] = []
        for places in zip(*map(reversed, input_shape), strict=False):
            known = sorted({n for n in places if n not in (1, None)})
            wanted = f"{type(self).__name__} expects arrays of one shape, or with axes of size 1"
            expect(len(known) < 2, wanted, input_shape)
            shape.append(known[0] if known else None if None in places else 1)
        ranks = {len(s) for s in input_shape}
        expect(len(ranks) == 1, f"{type(self).__name__} expects as many axes each", input_shape)
        return tuple(reversed(shape))

    def compute_mask(self, inputs: Sequence[Array], previous_mask: Any = None) -> Any:
        """Return which steps count: those that count in one of the inputs, if all have a mask."""
        return _either(previous_mask or [None])

    def merge(self, *inputs: Array) -> Array:
        """Return one array."""
        raise NotImplementedError

    def shares(self, dy: Array, y: Array, *inputs: Array) -> Sequence[Array]:
        """Return the gradient with respect to each input, before axes of size 1 are summed."""
        raise NotImplementedError


def _either(masks: Any) -> Any:
    """Return where one of the masks is true; `None` if one is missing."""
    return None if any(mask is None for mask in masks) else np.logical_or.reduce(masks)


class Add(_Merge):
    """The sum of arrays of one shape: `Add()([a, b])`; axes of size 1 are repeated."""

    def merge(self, *inputs: Array) -> Array:
        """See `_Merge.merge`."""
        return np.asarray(sum(inputs))

    def shares(self, dy: Array, y: Array, *inputs: Array) -> Sequence[Array]:
        """Return `dy` for each."""
        return [dy] * len(inputs)


class Multiply(_Merge):
    """The product of arrays of one shape, number by number; axes of size 1 are repeated."""

    def merge(self, *inputs: Array) -> Array:
        """See `_Merge.merge`."""
        y = inputs[0]
        for x in inputs[1:]:
            y = y * x
        return y

    def call(self, inputs: Sequence[Array], mask: Any = None) -> Array:
        """Return the product; as in Keras, steps that an input's mask leaves out count as 1.

        Where all inputs have a mask, a step that none of them counts is 0.
        """
        masks = [None if part is None else part[..., None] for part in mask or [None] * len(inputs)]
        used: Any = inputs
        if mask is not None:
            pairs = zip(inputs, masks, strict=True)
            used = [x if part is None else np.where(part, x, x.dtype.type(1)) for x, part in pairs]
        y = super().call(used)
        shown = _either(masks)
        self.saved = *self.saved, masks, shown
        return y if shown is None else y * shown

    def backward(self, dy: Array) -> list[Array]:
        """Return the gradient with respect to each of the inputs."""
        *self.saved, masks, shown = self.saved
        shares = super().backward(dy if shown is None else dy * shown)
        pairs = zip(shares, masks, strict=True)
        return [share if part is None else share * part for share, part in pairs]

    def shares(self, dy: Array, y: Array, *inputs: Array) -> Sequence[Array]:
        """Return `dy` times all other inputs."""
        others = [[*inputs[:i], *inputs[i + 1 :]] for i in range(len(inputs))]
        return [self.merge(dy, *rest) for rest in others]


class Subtract(_Merge):
    """The first of two arrays less the second."""

    most = 2

    def merge(self, *inputs: Array) -> Array:
        """See `_Merge.merge`."""
        return inputs[0] - inputs[1]

    def shares(self, dy: Array, y: Array, *inputs: Array) -> Sequence[Array]:
        """Return `dy` and `-dy`."""
        return dy, -dy


class Average(_Merge):
    """The mean of arrays of one shape, number by number; axes of size 1 are repeated."""

    def merge(self, *inputs: Array) -> Array:
        """See `_Merge.merge`."""
        total: Any = sum(inputs)
        return np.asarray(total / len(inputs))

    def shares(self, dy: Array, y: Array, *inputs: Array) -> Sequence[Array]:
        """Return an equal share of `dy` for each."""
        return [dy / len(inputs)] * len(inputs)


class Concatenate(_Merge):
    """Arrays one behind the other along an axis; all other axes have one size.

    Args:
        axis: The axis; not that of the batch.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: The axis is 0.
    """

    least = 1

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        expect(axis != 0, "Concatenate expects another axis than the batch's", f"{axis=}")
        self.axis = axis

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """Return the shape with the sum of the sizes along the axis."""
        ranks = {len(shape) for shape in input_shape}
        fits = len(ranks) == 1 and -min(ranks) < self.axis < min(ranks)
        rests = []
        for shape in input_shape if fits else ():
            rest = list(shape)
            rest[self.axis] = 0
            rests.append(rest)
        alike = all(
            len({n for n in places if n is not None}) < 2 for places in zip(*rests, strict=True)
        )
        wanted = f"Concatenate expects arrays that differ along axis {self.axis} alone"
        expect(fits and alike, wanted, input_shape)
        sizes = [shape[self.axis] for shape in input_shape]
        joined = [
            next((n for n in places if n is not None), None) for places in zip(*rests, strict=True)
        ]
        joined[self.axis] = None if None in sizes else sum(n for n in sizes if n)
        return tuple(joined)

    def compute_mask(self, inputs: Sequence[Array], previous_mask: Any = None) -> Any:
        """Return which steps count: all of an input without a mask, and side by side either's."""
        if previous_mask is None:
            return None
        pairs = zip(inputs, previous_mask, strict=True)
        places = [
            np.ones(x.shape, bool)
            if mask is None
            else np.broadcast_to(mask if mask.ndim == x.ndim else mask[..., None], x.shape)
            for x, mask in pairs
        ]
        return np.any(np.concatenate(places, self.axis), axis=-1)

    def merge(self, *inputs: Array) -> Array:
        """See `_Merge.merge`."""
        return np.concatenate(inputs, self.axis)

    def shares(self, dy: Array, y: Array, *inputs: Array) -> Sequence[Array]:
        """Return the part of `dy` that belongs to each."""
        ends = np.cumsum([x.shape[self.axis] for x in inputs])
        return np.split(dy, ends[:-1], self.axis)


class Dot(_Merge):
    """Products of two arrays, summed along an axis of each, sample by sample.

    For `(batch, n)` twice and `axes=1` it is `(batch, 1)`; for `(batch, m, n)` and `(batch, k, n)`
    and `axes=2`, `(batch, m, k)`.

    Args:
        axes: The axis, or one for each array; not that of the batch.
        normalize: Whether the vectors along the axes are scaled to length 1 first, which makes the
            products cosines.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: An axis is 0, or there are more than two.
    """

    most = 2

    def __init__(self, axes: int | tuple[int, int], normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        both = tuple(axes) if isinstance(axes, tuple | list) else (axes, axes)
        fits = len(both) == 2 and all(isinstance(axis, int) and axis != 0 for axis in both)
        expect(fits, "Dot expects one or two axes, none of them the batch's", axes)
        self.axes, self.normalize = both, normalize

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """Return the shape without the two axes, and the batch once."""
        rests, sizes = [], []
        for shape, axis in zip(input_shape, self.axes, strict=True):
            wanted = f"Dot expects arrays with the axes {self.axes}"
            expect(-len(shape) < axis < len(shape), wanted, input_shape)
            rest = list(shape)
            sizes.append(rest.pop(axis))
            rests.append(rest[1:])
        known = {size for size in sizes if size is not None}
        expect(
            len(known) < 2, f"Dot expects as many numbers along the axes {self.axes}", input_shape
        )
        return input_shape[0][0], *(rests[0] + rests[1] or [1])

    def merge(self, *inputs: Array) -> Array:
        """See `_Merge.merge`."""
        a, b = (rows for rows, _ in self._rows(inputs))
        y: Array = a @ b.swapaxes(1, 2)
        return y.reshape(self.compute_output_shape([x.shape for x in inputs]))  # type: ignore[arg-type]

    def shares(self, dy: Array, y: Array, *inputs: Array) -> Sequence[Array]:
        """Return the products of `dy` with the other array."""
        (a, a_length), (b, b_length) = self._rows(inputs)
        slopes = dy.reshape(len(dy), a.shape[1], b.shape[1])
        found = []
        for x, axis, rows, length, share in (
            (inputs[0], self.axes[0], a, a_length, slopes @ b),
            (inputs[1], self.axes[1], b, b_length, slopes.swapaxes(1, 2) @ a),
        ):
            if self.normalize:  # what changes the length alone has no effect
                share = (share - rows * np.vecdot(share, rows)[..., None]) / length
            moved = np.moveaxis(x, axis, -1).shape
            found.append(np.moveaxis(share.reshape(moved), -1, axis))
        return found

    def _rows(self, inputs: Sequence[Array]) -> Any:
        """Return each array as `(batch, vectors, numbers)`, and the lengths of its vectors."""
        found = []
        for x, axis in zip(inputs, self.axes, strict=True):
            rows = np.moveaxis(x, axis, -1).reshape(len(x), -1, x.shape[axis])
            length = np.ones((*rows.shape[:2], 1), x.dtype)
            if self.normalize:
                length = np.maximum(np.sqrt(np.vecdot(rows, rows))[..., None], 1e-7)
            found.append((rows / length, length))
        return found


def _unspread(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient over the axes along which an array of that shape was repeated."""
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and gradient.shape[i] != 1)
    return np.asarray(gradient.sum(axes, keepdims=True)) if axes else gradient
