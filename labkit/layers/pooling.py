"""Pooling: windows of an image or a signal become single numbers: position matters less."""

import functools
import math
from typing import Any

import numpy as np

from labkit._common import Array, Shape
from labkit.layers._windows import Windows, middle
from labkit.layers.layer import Layer, sizes


class _Pooling(Layer):
    """Base of both kinds of pooling, over any number of axes, `rank`.

    Args:
        pool_size: Size of the window along each axis, or one number for all.
        strides: Steps from one window to the next; `None` means `pool_size`.
        padding: `"valid"`: windows inside the input; `"same"`: `ceil(size / stride)`
            windows, some of which reach over the edge.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: A size that is not a positive integer, or an unknown padding.
    """

    rank: int

    def __init__(
        self,
        pool_size: int | tuple[int, ...] = 2,
        strides: int | tuple[int, ...] | None = None,
        padding: str = "valid",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pool_size = sizes(self, "pool_size", pool_size, self.rank)
        hops = self.pool_size if strides is None else strides
        self.strides = sizes(self, "strides", hops, self.rank)
        self.windows = Windows(self, self.pool_size, self.strides, padding)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, windows along each axis..., channels)`."""
        return input_shape[0], *self.windows.counts(input_shape), input_shape[-1]


class _MaxPooling(_Pooling):
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


class MaxPooling1D(_MaxPooling):
    """The largest number of each window, in each channel.

    `(batch, steps, channels)` becomes `(batch, new_steps, channels)`.

    Args:
        pool_size: Number of steps in a window.
        strides: Steps from one window to the next; `None` means `pool_size`.
        padding: `"valid"`: windows inside the signal; `"same"`: `ceil(steps / stride)`
            windows, some of which reach over the edge.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: A size that is not a positive integer, or an unknown padding.
    """

    rank = 1
    expects = "(batch, steps, channels)"


class MaxPooling2D(_MaxPooling):
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

    rank = 2
    expects = "(batch, height, width, channels)"


class _AveragePooling(_Pooling):
    def call(self, x: Array, training: bool = False) -> Array:
        """Return the mean of each window."""
        padded = self.windows.pad(x)
        inside = self.windows.pad(np.ones_like(x[:1, ..., :1]))
        numbers: Any = sum(self.windows.places(inside))  # in each window
        self.saved = x.shape, padded.shape, numbers
        return np.asarray(sum(self.windows.places(padded)) / numbers)

    def backward(self, dy: Array) -> Array:
        """Return an equal share of `dy` at each place of a window."""
        shape, padded_shape, numbers = self.saved
        dpadded = np.zeros(padded_shape, dy.dtype)
        for view in self.windows.places(dpadded):
            view += dy / numbers
        return middle(dpadded, shape)


class AveragePooling1D(_AveragePooling):
    """The mean of each window, in each channel; padding does not count.

    `(batch, steps, channels)` becomes `(batch, new_steps, channels)`.

    Args:
        pool_size: Number of steps in a window.
        strides: Steps from one window to the next; `None` means `pool_size`.
        padding: `"valid"`: windows inside the signal; `"same"`: `ceil(steps / stride)`
            windows, some of which reach over the edge.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: A size that is not a positive integer, or an unknown padding.
    """

    rank = 1
    expects = "(batch, steps, channels)"


class AveragePooling2D(_AveragePooling):
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

    rank = 2
    expects = "(batch, height, width, channels)"


class _GlobalPooling(Layer):
    """Base of the pooling over all places.

    Args:
        keepdims: Whether the axes of the places stay, with size 1.
        **kwargs: As in `Layer`.
    """

    def __init__(self, *, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.keepdims = keepdims

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, channels)`, or `(batch, 1..., channels)`."""
        ones = (1,) * (len(input_shape) - 2) if self.keepdims else ()
        return input_shape[0], *ones, input_shape[-1]

    def _places(self, x: Array) -> tuple[int, ...]:
        """Return the axes between batch and channels."""
        return tuple(range(1, x.ndim - 1))


class _GlobalAveragePooling(_GlobalPooling):
    def call(self, x: Array, mask: Array | None = None) -> Array:  # type: ignore[override]
        """Return the mean of each channel, of the places where `mask` is true."""
        places = self._places(x)
        shares = np.ones(x.shape[:-1], x.dtype) if mask is None else mask.astype(x.dtype)
        shares = (shares / shares.sum(places, keepdims=True))[..., None]  # (batch, ..., 1)
        self.saved = x.shape, shares, mask is not None
        return np.asarray((x * shares).sum(places, keepdims=self.keepdims))

    def backward(self, dy: Array) -> Any:
        """Return an equal share of `dy` at each place that counted; of a mask, `None`."""
        shape, shares, masked = self.saved
        dx: Array = dy.reshape(len(dy), *[1] * (len(shape) - 2), -1) * shares
        return (dx, None) if masked else dx


class GlobalAveragePooling1D(_GlobalAveragePooling):
    """The mean of each channel: `(batch, steps, channels)` becomes `(batch, channels)`.

    With a mask, `(batch, steps)`, only the steps where it is true count.

    Args:
        keepdims: Whether the axis of the steps stays, with size 1.
        **kwargs: As in `Layer`.
    """

    expects = "(batch, steps, channels)"


class GlobalAveragePooling2D(_GlobalAveragePooling):
    """The mean of each channel: `(batch, height, width, channels)` to `(batch, channels)`.

    Args:
        keepdims: Whether the axes of height and width stay, with size 1.
        **kwargs: As in `Layer`.
    """

    expects = "(batch, height, width, channels)"


class _GlobalMaxPooling(_GlobalPooling):
    def call(self, x: Array, training: bool = False) -> Array:
        """Return the largest number of each channel."""
        y: Array = x.max(self._places(x), keepdims=True)
        self.saved = x, y
        return y if self.keepdims else y.reshape(len(x), -1)

    def backward(self, dy: Array) -> Array:
        """Return `dy` at the largest numbers; as in TensorFlow, equal ones share it."""
        x, y = self.saved
        largest = x == y
        return np.asarray(
            largest * (dy.reshape(y.shape) / largest.sum(self._places(x), keepdims=True)), dy.dtype
        )


class GlobalMaxPooling1D(_GlobalMaxPooling):
    """The largest of each channel: `(batch, steps, channels)` becomes `(batch, channels)`.

    Args:
        keepdims: Whether the axis of the steps stays, with size 1.
        **kwargs: As in `Layer`.
    """

    expects = "(batch, steps, channels)"


class GlobalMaxPooling2D(_GlobalMaxPooling):
    """The largest of each channel: `(batch, height, width, channels)` to `(batch, channels)`.

    Args:
        keepdims: Whether the axes of height and width stay, with size 1.
        **kwargs: As in `Layer`.
    """

    expects = "(batch, height, width, channels)"
