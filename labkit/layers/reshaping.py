"""Zeros around images, and images without their border.

Networks pad by hand where the place of the zeros matters: with a stride of two, rows and columns
before an image shift all windows by one pixel, those behind it do not. The two layers undo each
other, forward and backward.
"""

from typing import Any

import numpy as np

from labkit._common import Array, Shape, expect
from labkit.layers.layer import Layer

Border = int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]]
Sides = tuple[tuple[int, int], tuple[int, int]]


class ZeroPadding2D(Layer):
    """Zeros around images: `(batch, height, width, channels)` with larger height and width.

    Args:
        padding: One number for all sides; two for the rows above and below and for the columns left
            and right; or two pairs, `((above, below), (left, right))`.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: `padding` has another form, or a negative number.
    """

    expects = "(batch, height, width, channels)"

    def __init__(self, padding: Border = (1, 1), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = _sides(self, "padding", padding)

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `x` with zeros around it."""
        return np.pad(x, [(0, 0), *self.padding, (0, 0)])

    def backward(self, dy: Array) -> Array:
        """Return the inner part of `dy`."""
        return _inner(dy, self.padding)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, height + above + below, width + left + right, channels)`."""
        return _resized(input_shape, self.padding, 1)


class Cropping2D(Layer):
    """Images without their border: as `(batch, height, width, channels)`, but smaller.

    Args:
        cropping: What is cut off: one number for all sides; two for the rows above and below and
            for the columns left and right; or two pairs, `((above, below), (left, right))`.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: `cropping` has another form or a negative number, or it leaves nothing.
    """

    expects = "(batch, height, width, channels)"

    def __init__(self, cropping: Border = ((0, 0), (0, 0)), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping = _sides(self, "cropping", cropping)

    def call(self, x: Array, training: bool = False) -> Array:
        """Return the inner part of `x`."""
        self.compute_output_shape(x.shape)  # refuses what leaves nothing
        return _inner(x, self.cropping)

    def backward(self, dy: Array) -> Array:
        """Return `dy` with zeros where the border was."""
        return np.pad(dy, [(0, 0), *self.cropping, (0, 0)])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, height - above - below, width - left - right, channels)`.

        Raises:
            ValueError: Nothing is left.
        """
        shape = _resized(input_shape, self.cropping, -1)
        left = all(size is None or size > 0 for size in shape[1:3])
        expect(left, f"Cropping2D expects images larger than {self.cropping}", input_shape)
        return shape


def _sides(layer: Layer, name: str, value: Border) -> Sides:
    """Return `((above, below), (left, right))`, given any of the forms."""
    axes: Any = value if isinstance(value, tuple | list) else (value, value)
    pairs = [tuple(n) if isinstance(n, tuple | list) else (n, n) for n in axes]
    ends = [end for pair in pairs for end in pair]
    whole = all(isinstance(end, int | np.integer) and end >= 0 for end in ends)
    wanted = f"{type(layer).__name__} expects {name} to be one integer >= 0, two, or two pairs"
    expect(whole and [len(pair) for pair in pairs] == [2, 2], wanted, repr(value))
    rows, columns = pairs
    return rows, columns


def _inner(x: Array, sides: Sides) -> Array:
    (above, below), (left, right) = sides
    return x[:, above : x.shape[1] - below, left : x.shape[2] - right]


def _resized(shape: Shape, sides: Sides, sign: int) -> Shape:
    axes = zip(shape[1:3], sides, strict=True)
    return shape[0], *(None if n is None else n + sign * sum(pair) for n, pair in axes), shape[3]
