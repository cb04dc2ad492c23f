"""Convolutions: one small set of weights, applied to every window of the input.

(As everywhere in deep learning it is the cross-correlation: the kernel is not flipped.)
The windows are copied side by side into a matrix, so that all of them meet the kernel in
one matrix product. Processors like products with many columns, and the kernel has only as
many as there are filters. So a window is made wider, to yield some neighbors of a row at
once. It is multiplied by a wide kernel, which repeats the kernel. With 3 taps, a stride of 1
and 3 repeats:

    window       x0 x1 x2 x3 x4
    wide kernel  k0 k1 k2           gives z0
                    k0 k1 k2        gives z1
                       k0 k1 k2     gives z2

Multiplying the zeros is wasted work, but neighbors share a window, and less is copied.

With a dilation, the taps of a window lie apart. Along the last axis they then share no window
with their neighbors, and each tap is a window of width 1.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from labkit import activations
from labkit._common import Array, Shape, Sizes, expect
from labkit.activations import Identifier
from labkit.layers._windows import Windows, middle
from labkit.layers.core import Activated, KernelLayer
from labkit.layers.layer import sizes

# A wide kernel has at most so many columns (with more, its zeros cost more than they save),
# and meets at least so many wide windows (with fewer, there is little to save).
_COLUMNS, _ROWS = 100, 1000
_NUMBERS = 2**19  # in the matrix of windows: 2 MB, as large as a processor's own cache


class _Conv(Activated, KernelLayer):
    """A convolution over any number of axes, `rank`."""

    rank: int

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, ...],
        strides: int | tuple[int, ...] = 1,
        padding: str = "valid",
        *,
        dilation_rate: int | tuple[int, ...] = 1,
        activation: Identifier = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        (self.filters,) = sizes(self, "filters", filters)
        self.kernel_size = sizes(self, "kernel_size", kernel_size, self.rank)
        self.strides = sizes(self, "strides", strides, self.rank)
        self.dilation_rate = sizes(self, "dilation_rate", dilation_rate, self.rank)
        one = max(self.strides) == 1 or max(self.dilation_rate) == 1
        wanted = f"{type(self).__name__} expects strides or dilation_rate to be 1"
        expect(one, wanted, (self.strides, self.dilation_rate))
        self.windows = Windows(self, self.kernel_size, self.strides, padding, self.dilation_rate)
        self.activation = activations.get(activation)
        self._buffer = np.empty(0)
        self._buffered: Array | None = None  # the input whose windows the buffer holds

    def build(self, input_shape: Shape) -> None:
        """Make `kernel` and `bias`."""
        channels = self.fix_features(input_shape)
        self.kernel = self.add_weight((*self.kernel_size, channels, self.filters), name="kernel")
        self.bias = self.add_bias((self.filters,))

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `activation(convolution of x with kernel + bias)`."""
        counts = self.windows.counts(x.shape)
        wide = self._widened(self._repeats(len(x), counts))
        repeats = wide.shape[-2]
        padded = np.ascontiguousarray(self.windows.pad(x))
        z = np.empty((len(x), *counts, self.filters), x.dtype)
        rows = z.reshape(-1, repeats * self.filters)  # (wide windows, repeats * filters)
        matrix = wide.reshape(-1, rows.shape[1])  # (numbers, repeats * filters)
        if self.bias is not None:  # the weight of one more number in each window, 1
            matrix = np.vstack([matrix, np.tile(self.bias, repeats)])
        for part, columns in self._columns(self._views(padded, wide, counts)):
            np.matmul(columns, matrix, out=rows[part])
        self._buffered = padded
        y = self.activate(z)
        self.saved = x.shape, padded, wide, z, y
        return y

    def backward(self, dy: Array) -> Array | None:
        """Return the gradient with respect to `x`.

        Each place (i, j) of the kernel adds its share: for images and strides s, t,
        `dx[s r + i, t c + j] += dz[r, c] @ kernel[i, j].T`. As many columns j as there are
        from a wide window to the next lie side by side in `dx`, too, and are added at once.
        """
        shape, padded, wide, z, y = self.saved
        *size, channels, repeats, filters = wide.shape
        rows = self.activation_gradient(dy, z, y).reshape(-1, repeats * filters)
        again = self._buffered is padded
        parts = self._columns(self._views(padded, wide, z.shape[1:-1]), again)
        dmatrix: Any = sum(columns.T @ rows[part] for part, columns in parts)
        dwide = dmatrix[: wide.size // rows.shape[1]].reshape(wide.shape)
        self.gradients["kernel"][...] = sum(self._repeated(dwide))
        if self.bias is not None:
            dmatrix[-1].reshape(repeats, -1).sum(0, out=self.gradients["bias"])
        if not self.needs_input_gradient:
            return None
        dx = np.zeros_like(padded)
        views, hop = self._views(dx, wide, z.shape[1:-1]), repeats * self.strides[-1] * channels
        kernels = wide.reshape(*size[:-1], -1, rows.shape[1])
        for *line, start in np.ndindex(*size[:-1], -(-kernels.shape[-2] // hop)):
            place = (*line, slice(start * hop, (start + 1) * hop))
            share = views[(..., *place)]
            share += (rows @ kernels[place].T).reshape(share.shape)
        return middle(dx, shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, windows..., filters)`."""
        return input_shape[0], *self.windows.counts(input_shape), self.filters

    def _repeats(self, samples: int, counts: Sizes) -> int:
        """Return how many neighbors share a wide window."""
        if self.dilation_rate[-1] > 1:
            return 1
        most = min(_COLUMNS // self.filters, samples * math.prod(counts) // _ROWS, counts[-1])
        return max((n for n in range(2, most + 1) if counts[-1] % n == 0), default=1)

    def _widened(self, repeats: int) -> Array:
        """Return the wide kernel, `(rows..., width, channels, repeats, filters)`.

        With a dilation along the last axis its taps count as rows, and the width is 1.
        """
        if self.dilation_rate[-1] > 1:
            return self.kernel[..., None, :, None, :]
        *rows, width, channels, filters = self.kernel.shape
        width += (repeats - 1) * self.strides[-1]
        wide = np.zeros((*rows, width, channels, repeats, filters), self.kernel.dtype)
        for view in self._repeated(wide):
            view[...] = self.kernel
        return wide

    def _repeated(self, wide: Array) -> Iterator[Array]:
        """Yield a view of each place where the kernel stands in the wide kernel."""
        if self.dilation_rate[-1] > 1:
            yield wide[..., 0, :, 0, :]
            return
        for i in range(wide.shape[-2]):
            start = i * self.strides[-1]
            yield wide[..., start : start + self.kernel_size[-1], :, i, :]

    def _views(self, x: Array, wide: Array, counts: Sizes) -> Array:
        """Return a view of all wide windows, `(batch, windows..., rows..., width * channels)`."""
        *rows, width, channels, repeats, _ = wide.shape
        windows = (*counts[:-1], counts[-1] // repeats)
        steps = (*self.strides[:-1], repeats * self.strides[-1])
        hops = [step * size for step, size in zip(steps, x.strides[1:-1], strict=True)]
        rows_apart = zip(self.dilation_rate, x.strides[1:-1], strict=True)
        lines = [hop * size for hop, size in rows_apart][: len(rows)]
        strides = (x.strides[0], *hops, *lines, x.itemsize)
        return np.ndarray((len(x), *windows, *rows, width * channels), x.dtype, x, 0, strides)

    def _columns(self, views: Array, again: bool = False) -> Iterator[tuple[slice, Array]]:
        """Yield some wide windows at a time: which, and `(windows, numbers in a window)`."""
        numbers = math.prod(views.shape[1 + self.rank :])
        each = math.prod(views.shape[1 : 1 + self.rank])
        samples = max(1, _NUMBERS // (numbers * each))
        for start in range(0, len(views), samples):
            part = views[start : start + samples]
            shape = (*part.shape[: 1 + self.rank], numbers + (self.bias is not None))
            if self._buffer.size < math.prod(shape) or self._buffer.dtype != part.dtype:
                self._buffer = np.empty(math.prod(shape), part.dtype)
            columns = self._buffer[: math.prod(shape)].reshape(shape)
            if not again or samples < len(views):  # else it still holds all windows
                columns[..., :numbers].reshape(part.shape)[...] = part  # splits the last axis
                columns[..., numbers:] = 1  # for the bias
            yield slice(start * each, (start + samples) * each), columns.reshape(-1, shape[-1])


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
        dilation_rate: Steps from one tap of a window to the next.
        activation: A name, a function, or `None` for none.
        **kwargs: `use_bias`, `kernel_initializer`, `bias_initializer`,
            `kernel_regularizer`, `bias_regularizer`, and those of `Layer`.

    Raises:
        ValueError: A size that is not a positive integer, an unknown padding, or both strides and
            dilation.
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
        dilation_rate: Steps from one tap of a window to the next, or one number for both axes.
        **kwargs: `activation`, `use_bias`, `kernel_initializer`, `bias_initializer`,
            `kernel_regularizer`, `bias_regularizer`, and those of `Layer`.

    Raises:
        ValueError: A size that is not a positive integer, an unknown padding, or both strides and
            dilation.
    """

    rank = 2
    expects = "(batch, height, width, channels)"
