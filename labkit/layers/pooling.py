"""Pooling: windows of an image become single numbers, so that position matters less."""

import functools
import math
from typing import Any

import numpy as np

from labkit._common import Array, Shape
from labkit.layers._windows import Windows, middle
from labkit.layers.layer import Layer, sizes


class _Pooling2D(Layer):
    """Base of both kinds of pooling.

    Args:
        pool_size: Height and width of the window, or one number for both.
        strides: Steps from one window to the next; `None` means `pool_size`.
        padding: `"valid"`: windows inside the image; `"same"`: `ceil(size / stride)`
            windows, some of which reach over the edge.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: A size that is not a positive integer, or an unknown padding.
    """

    expects = "(batch, height, width, channels)"

    def __init__(
        self,
        pool_size: int | tuple[int, int] = (2, 2),
        strides: int | tuple[int, int] | None = None,
        padding: str = "valid",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        size = sizes(self, "pool_size", pool_size, 2)
        self.windows = Windows(self, size, sizes(self, "strides", strides or size, 2), padding)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, windows down, windows across, channels)`."""
        return input_shape[0], *self.windows.counts(input_shape), input_shape[-1]


class MaxPooling2D(_Pooling2D):
    """The largest number of each window, in each channel.

    `(batch, height, width, channels)` becomes `(batch, new_height, new_width, channels)`.

    Args:
        pool_size: Height and width of the window, or one number for both.
        strides: Steps from one window to the next; `None` means `pool_size`.
        padding: `"valid"`: windows inside the image; `"same"`: `ceil(size / stride)`
            windows, some of which reach over the edge.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: A size that is not a positive integer, or an unknown padding.
    """

    def call(self, x: Array, training: bool = False) -> Array:
        """Return the largest number of each window."""
        padded = self.windows.pad(x, -np.inf)
        y = np.ascontiguousarray(functools.reduce(np.maximum, self.windows.places(padded)))
        self.saved = x.shape, padded, y
        return y

    def backward(self, dy: Array) -> Array:
        """Return `dy` at the place of each largest number (the first of equal ones)."""
        shape, padded, y = self.saved
        tiled = self.windows.apart and y.size * math.prod(self.windows.size) == padded.size
        dpadded = np.empty_like(padded) if tiled else np.zeros_like(padded)
        free = np.ones(y.shape, bool)  # windows whose largest number is not found yet
        pairs = [*zip(*map(self.windows.places, (padded, dpadded)), strict=True)]
        for number, (view, target) in enumerate(pairs, 1):
            found = free & (view == y) if number < len(pairs) else free  # the last: the rest
            free = free ^ found
            if self.windows.apart:  # each number lies in one window
                np.multiply(dy, found, out=target)
            else:
                target += dy * found
        return middle(dpadded, shape)


class AveragePooling2D(_Pooling2D):
    """The mean of each window, in each channel; padding does not count.

    `(batch, height, width, channels)` becomes `(batch, new_height, new_width, channels)`.

    Args:
        pool_size: Height and width of the window, or one number for both.
        strides: Steps from one window to the next; `None` means `pool_size`.
        padding: `"valid"`: windows inside the image; `"same"`: `ceil(size / stride)`
            windows, some of which reach over the edge.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: A size that is not a positive integer, or an unknown padding.
    """

    def call(self, x: Array, training: bool = False) -> Array:
        """Return the mean of each window."""
        padded = self.windows.pad(x)
        inside = self.windows.pad(np.ones_like(x[:1, :, :, :1]))
        pixels: Any = sum(self.windows.places(inside))  # in each window
        self.saved = x.shape, padded.shape, pixels
        return np.asarray(sum(self.windows.places(padded)) / pixels)

    def backward(self, dy: Array) -> Array:
        """Return an equal share of `dy` at each pixel of a window."""
        shape, padded_shape, pixels = self.saved
        dpadded = np.zeros(padded_shape, dy.dtype)
        for view in self.windows.places(dpadded):
            view += dy / pixels
        return middle(dpadded, shape)


class _GlobalAveragePooling(Layer):
    def call(self, x: Array, training: bool = False) -> Array:
        """Return the mean of each channel, `(batch, channels)`."""
        self.saved = x.shape
        return np.asarray(x.mean(axis=tuple(range(1, x.ndim - 1))))

    def backward(self, dy: Array) -> Array:
        """Return an equal share of `dy` at each place."""
        batch, *sizes, channels = self.saved
        share = (dy / math.prod(sizes)).reshape(batch, *[1] * len(sizes), channels)
        return np.broadcast_to(share, self.saved).copy()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, channels)`."""
        return input_shape[0], input_shape[-1]


class GlobalAveragePooling1D(_GlobalAveragePooling):
    """The mean of each channel: `(batch, steps, channels)` becomes `(batch, channels)`."""

    expects = "(batch, steps, channels)"


class GlobalAveragePooling2D(_GlobalAveragePooling):
    """The mean of each channel: `(batch, height, width, channels)` to `(batch, channels)`."""

    expects = "(batch, height, width, channels)"
