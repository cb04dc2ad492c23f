"""Convolutions: one small set of weights, applied to every window of the input.

(As everywhere in deep learning it is the cross-correlation: the kernel is not flipped.)
The windows are copied side by side into a matrix, so that all of them meet the kernel in
one matrix product. The matrix is made for some samples at a time: it stays in the
processor's cache, and memory does not grow with the batch.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from labkit import activations
from labkit._typing import Array, Shape
from labkit.activations import vjp
from labkit.initializers import Initializer
from labkit.layers._windows import Windows, pad, per_axis
from labkit.layers.core import known, positive
from labkit.layers.layer import Layer
from labkit.regularizers import Regularizer

__all__ = ["Conv1D", "Conv2D", "ZeroPadding2D"]

_COLUMNS = 2**21  # numbers in the window matrix


class _Conv(Layer):
    """A convolution over any number of axes."""

    rank: int

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, ...],
        strides: int | tuple[int, ...] = 1,
        padding: str = "valid",
        *,
        activation: str | activations.Activation | None = None,
        use_bias: bool = True,
        kernel_initializer: str | Initializer = "glorot_uniform",
        bias_initializer: str | Initializer = "zeros",
        kernel_regularizer: str | Regularizer | None = None,
        bias_regularizer: str | Regularizer | None = None,
        activity_regularizer: str | Regularizer | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        kind = type(self).__name__
        self.filters = positive(kind, filters=filters)
        self.kernel_size = per_axis(kind, "kernel_size", kernel_size, self.rank)
        self.strides = per_axis(kind, "strides", strides, self.rank)
        self.windows = Windows(kind, self.kernel_size, self.strides, padding)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self._buffer = np.empty(0)

    def build(self, input_shape: Shape) -> None:
        """Make `kernel` and `bias`."""
        channels = self._features = known(type(self).__name__, input_shape, -1)
        self.kernel = self.add_weight(
            (*self.kernel_size, channels, self.filters),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.filters,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                name="bias",
            )

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `activation(convolution of x with kernel + bias)`."""
        kernel = self.kernel.reshape(-1, self.filters)  # (window * channels, filters)
        z = np.empty((len(x), *self.windows.counts(x.shape), self.filters), x.dtype)
        padded = self.windows.pad(x)
        for part, columns in self._columns(padded):
            np.matmul(columns, kernel, out=z[part].reshape(-1, self.filters))
        if self.use_bias:
            z += self.bias
        y = self.activation(z)
        self.saved = x.shape, padded, z, y
        return y

    def backward(self, dy: Array) -> Array | None:
        """Return the gradient with respect to `x`."""
        shape, padded, z, y = self.saved
        dz = vjp[self.activation](dy, z, y)
        if self.use_bias:
            dz.reshape(-1, self.filters).sum(0, out=self.gradients["bias"])
        kernel = self.kernel.reshape(-1, self.filters)
        dkernel = self.gradients["kernel"].reshape(-1, self.filters)
        dkernel[...] = 0
        dpadded = np.zeros_like(padded) if self.needs_input_gradient else None
        for part, columns in self._columns(padded):
            rows = dz[part].reshape(-1, self.filters)  # (windows, filters)
            dkernel += columns.T @ rows
            if dpadded is not None:
                np.matmul(rows, kernel.T, out=columns)  # now the gradient of the columns
                shares = columns.reshape(*dz[part].shape[:-1], -1, padded.shape[-1])
                for place, view in enumerate(self.windows.places(dpadded[part])):
                    view += shares[..., place, :]
        return None if dpadded is None else self.windows.crop(dpadded, shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, windows..., filters)`."""
        return input_shape[0], *self.windows.counts(input_shape), self.filters

    def _columns(self, padded: Array) -> Iterator[tuple[slice, Array]]:
        """Yield some samples at a time: which, and `(their windows, window * channels)`."""
        axes = range(1, self.rank + 1)
        every = (slice(None), *(slice(None, None, stride) for stride in self.strides))
        windows = sliding_window_view(padded, self.kernel_size, tuple(axes))[every]
        windows = np.moveaxis(windows, self.rank + 1, -1)  # (..., window..., channels)
        samples = min(len(padded), max(1, _COLUMNS // math.prod(windows.shape[1:])))
        shape = (samples, *windows.shape[1:])
        if self._buffer.shape != shape or self._buffer.dtype != padded.dtype:
            self._buffer = np.empty(shape, padded.dtype)
        for start in range(0, len(padded), samples):
            part = slice(start, start + samples)
            view = windows[part]
            columns = self._buffer[: len(view)]
            columns[...] = view
            yield part, columns.reshape(math.prod(view.shape[: -self.rank - 1]), -1)


class Conv1D(_Conv):
    """A convolution over the steps of signals.

    `x` is `(batch, steps, channels)`, `kernel` is `(size, channels, filters)`, `bias` is
    `(filters,)`, and the output is `(batch, new_steps, filters)`.

    Args:
        filters: Number of output channels.
        kernel_size: Size of the window.
        strides: Steps from one window to the next.
        padding: `"valid"`: windows inside the input; `"same"`: as many windows as steps
            (with a stride: `ceil(steps / stride)`), with zeros around the input.
        activation: A name, a function, or `None` for none.
        use_bias: Whether to add `bias`.
        kernel_initializer: First values of `kernel`.
        bias_initializer: First values of `bias`.
        kernel_regularizer: Penalty on `kernel`.
        bias_regularizer: Penalty on `bias`.
        activity_regularizer: Penalty on the output.
        **kwargs: `trainable`, `dtype`, `name`, as in `Layer`.

    Raises:
        ValueError: A size that is not a positive integer, or an unknown padding.
    """

    rank = 1
    expects = "(batch, steps, channels)"


class Conv2D(_Conv):
    """A convolution over the rows and columns of images.

    `x` is `(batch, height, width, channels)`, `kernel` is
    `(kernel_height, kernel_width, channels, filters)`, `bias` is `(filters,)`, and the
    output is `(batch, new_height, new_width, filters)`.

    Args:
        filters: Number of output channels.
        kernel_size: Height and width of the window, or one number for both.
        strides: Steps from one window to the next, or one number for both axes.
        padding: `"valid"`: windows inside the image; `"same"`: as many windows as pixels
            (with a stride: `ceil(size / stride)`), with zeros around the image.
        activation: A name, a function, or `None` for none.
        use_bias: Whether to add `bias`.
        kernel_initializer: First values of `kernel`.
        bias_initializer: First values of `bias`.
        kernel_regularizer: Penalty on `kernel`.
        bias_regularizer: Penalty on `bias`.
        activity_regularizer: Penalty on the output.
        **kwargs: `trainable`, `dtype`, `name`, as in `Layer`.

    Raises:
        ValueError: A size that is not a positive integer, or an unknown padding.
    """

    rank = 2
    expects = "(batch, height, width, channels)"


class ZeroPadding2D(Layer):
    """Zeros around images: `(batch, height, width, channels)` with larger height and width.

    Args:
        padding: Rows and columns on each side: one number, `(height, width)`, or
            `((top, bottom), (left, right))`.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: Another form, or a negative number.
    """

    expects = "(batch, height, width, channels)"

    def __init__(
        self,
        padding: int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] = (1, 1),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        try:
            pairs = np.broadcast_to(np.array(padding).T, (2, 2)).T
        except ValueError:
            pairs = np.array([[-1]])
        if pairs.dtype.kind not in "iu" or pairs.min() < 0:
            raise ValueError(
                "ZeroPadding2D expects integers >= 0: one, (height, width) or "
                f"((top, bottom), (left, right)). Received: padding={padding!r}"
            )
        (top, bottom), (left, right) = pairs.tolist()
        self.padding = [(top, bottom), (left, right)]

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `x` with zeros around it."""
        self.saved = x.shape
        return pad(x, self.padding)

    def backward(self, dy: Array) -> Array:
        """Return the inner part of `dy`."""
        (top, _), (left, _) = self.padding
        _, height, width, _ = self.saved
        return dy[:, top : top + height, left : left + width]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, top + height + bottom, left + width + right, channels)`."""
        batch, *sizes, channels = input_shape
        padded = (
            None if size is None else size + sum(extra)
            for size, extra in zip(sizes, self.padding, strict=True)
        )
        return batch, *padded, channels
