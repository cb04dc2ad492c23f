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
from numpy.lib.stride_tricks import as_strided

from labkit import activations
from labkit._typing import Array, Shape
from labkit.activations import vjp
from labkit.layers._windows import Windows, pad
from labkit.layers.core import KernelLayer, column_sums
from labkit.layers.layer import Layer, sizes

_NUMBERS = 2**19  # in the matrix of windows: 2 MB, as large as a processor's own cache


class _Conv(KernelLayer):
    """A convolution over any number of axes, `rank`."""

    rank: int

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, ...],
        strides: int | tuple[int, ...] = 1,
        padding: str = "valid",
        *,
        activation: str | activations.Activation | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        kind = type(self).__name__
        (self.filters,) = sizes(kind, "filters", filters, 1)
        self.kernel_size = sizes(kind, "kernel_size", kernel_size, self.rank)
        self.strides = sizes(kind, "strides", strides, self.rank)
        self.windows = Windows(kind, self.kernel_size, self.strides, padding)
        self.activation = activations.get(activation)
        self._buffer = np.empty(0)
        self._lowered: Array | None = None  # whose windows all lie in the buffer

    def build(self, input_shape: Shape) -> None:
        """Make `kernel` and `bias`."""
        channels = self.fix_features(input_shape)
        self.kernel = self.add_kernel((*self.kernel_size, channels, self.filters))
        self.bias = self.add_bias((self.filters,))

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `activation(convolution of x with kernel + bias)`."""
        kernel = self.kernel.reshape(-1, self.filters)  # (window * channels, filters)
        z = np.empty((len(x), *self.windows.counts(x.shape), self.filters), x.dtype)
        padded = self.windows.pad(x)
        for part, columns in self._columns(padded, self.kernel_size, self.strides):
            np.matmul(columns, kernel, out=z[part].reshape(-1, self.filters))
        if self.bias is not None:
            z.reshape(len(z), -1)[...] += np.tile(self.bias, z[0, ..., 0].size)
        y = self.activation(z)
        self.saved = x.shape, padded, z, y
        return y

    def backward(self, dy: Array) -> Array | None:
        """Return the gradient with respect to `x`."""
        shape, padded, z, y = self.saved
        dz = vjp[self.activation](dy, z, y)
        if self.bias is not None:
            self.gradients["bias"][...] = column_sums(dz.reshape(-1, self.filters))
        dkernel = self.gradients["kernel"].reshape(-1, self.filters)
        dkernel[...] = 0
        for part, columns in self._columns(padded, self.kernel_size, self.strides, again=True):
            dkernel += columns.T @ dz[part].reshape(-1, self.filters)
        if not self.needs_input_gradient:
            return None
        return self.windows.crop(self._backward_input(dz, padded.shape), shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, windows..., filters)`."""
        return input_shape[0], *self.windows.counts(input_shape), self.filters

    def _backward_input(self, dz: Array, shape: tuple[int, ...]) -> Array:
        """Return the gradient with respect to the padded input.

        For an image and strides s, t: `dx[s r + i, t c + j] += dz[r, c] @ kernel[i, j].T`.
        Along the last axis that is a convolution of `dz` (its columns t apart, with zeros
        between and around) with the turned kernel, one matrix product for all rows i of the
        kernel; then each row is added where it lay.
        """
        (*rows, width), (*steps, stride) = self.kernel_size, self.strides
        ones = (1,) * len(rows)
        spread = np.zeros((*dz.shape[:-2], shape[-2] + width - 1, self.filters), dz.dtype)
        spread[..., width - 1 :: stride, :][..., : dz.shape[-2], :] = dz
        turned = self.kernel.reshape(-1, width, shape[-1], self.filters)[:, ::-1]
        turned = turned.transpose(1, 3, 0, 2).reshape(width * self.filters, -1)
        lines = Windows("", (*rows, 1), (*steps, 1), "valid")
        dx = np.zeros(shape, dz.dtype)
        for part, columns in self._columns(spread, (*ones, width), (*ones, 1)):
            shares = (columns @ turned).reshape(*spread[part].shape[:-2], shape[-2], -1)
            channels = shares.reshape(*shares.shape[:-1], -1, shape[-1])
            for row, view in enumerate(lines.places(dx[part])):
                view += channels[..., row, :]
        self._lowered = None  # lets go of `spread`
        return dx

    def _columns(
        self, x: Array, window: tuple[int, ...], strides: tuple[int, ...], again: bool = False
    ) -> Iterator[tuple[slice, Array]]:
        """Yield some samples at a time: which, and `(their windows, window * channels)`."""
        windows = _windows(x, window, strides)
        split = x.ndim - 1  # axes before the window's own
        order = [*range(windows.ndim)]
        # Long runs of numbers are copied faster. Where a row of windows is longer than a row
        # in a window, the matrix is made on its side.
        upright = windows.shape[split - 1] > 2 * window[-1] * x.shape[-1]
        if upright:
            order = order[split:] + order[:split]
        width = math.prod(windows.shape[split:])
        samples = max(1, _NUMBERS // math.prod(windows.shape[1:]))
        for start in range(0, len(x), samples):
            part = slice(start, start + samples)
            view = windows[part].transpose(order)
            if self._buffer.size < view.size or self._buffer.dtype != x.dtype:
                self._buffer = np.empty(view.size, x.dtype)
            columns = self._buffer[: view.size].reshape(view.shape)
            if not (again and self._lowered is x):
                columns[...] = view
            self._lowered = x if samples >= len(x) else None
            yield part, columns.reshape(width, -1).T if upright else columns.reshape(-1, width)


def _windows(x: Array, size: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    """Return a view of all windows: `(batch, windows..., size..., channels)`."""
    axes = zip(x.shape[1:-1], size, strides, strict=True)
    counts = [(n - length) // stride + 1 for n, length, stride in axes]
    hops = [step * stride for step, stride in zip(x.strides[1:-1], strides, strict=True)]
    shape = (len(x), *counts, *size, x.shape[-1])
    return as_strided(x, shape, (x.strides[0], *hops, *x.strides[1:]), writeable=False)


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
        **kwargs: `use_bias`, `kernel_initializer`, `bias_initializer`,
            `kernel_regularizer`, `bias_regularizer`, and those of `Layer`.

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
        **kwargs: `activation`, `use_bias`, `kernel_initializer`, `bias_initializer`,
            `kernel_regularizer`, `bias_regularizer`, and those of `Layer`.

    Raises:
        ValueError: A size that is not a positive integer, or an unknown padding.
    """

    rank = 2
    expects = "(batch, height, width, channels)"

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        strides: int | tuple[int, int] = (1, 1),
        padding: str = "valid",
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, kernel_size, strides, padding, **kwargs)


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

    def __init__(self, padding: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        sides = np.array(padding, object)
        if sides.shape in ((), (2,)):
            sides = np.broadcast_to(sides.reshape(-1, 1), (2, 2))
        whole = all(isinstance(n, int) and n >= 0 for n in sides.flat)
        if sides.shape != (2, 2) or not whole:
            raise ValueError(
                "ZeroPadding2D expects integers >= 0: one, (height, width) or "
                f"((top, bottom), (left, right)). Received: padding={padding!r}"
            )
        self.padding = [(before, after) for before, after in sides.tolist()]

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
        axes = zip(input_shape[1:3], self.padding, strict=True)
        padded = (None if size is None else size + sum(extra) for size, extra in axes)
        return input_shape[0], *padded, input_shape[3]
