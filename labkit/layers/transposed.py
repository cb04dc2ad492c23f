"""Layers that make images larger: they give back the pixels that a stride or pooling took."""

from typing import Any

import numpy as np

from labkit import activations
from labkit._common import Array, Shape, expect
from labkit.activations import Identifier
from labkit.layers._windows import Windows, middle
from labkit.layers.core import Activated, KernelLayer, column_sums
from labkit.layers.layer import Layer, sizes


class Conv2DTranspose(Activated, KernelLayer):
    """What a convolution's `backward` does with a gradient, done forward with an image.

    Each pixel adds the kernel, weighted by its channels, to a window of the output, and
    windows are as far apart as the strides, so that the image grows by these (Zeiler et al. 2010,
    https://doi.org/10.1109/CVPR.2010.5539957).

    `x` is `(batch, height, width, channels)`, `kernel` is
    `(kernel_height, kernel_width, filters, channels)`, `bias` is `(filters,)`, and the output
    is `(batch, new_height, new_width, filters)`.

    Args:
        filters: Number of output channels.
        kernel_size: Height and width of the window, or one number for both.
        strides: Steps from one window to the next, or one number for both axes.
        padding: `"valid"`: the output holds all windows; `"same"`: it is `strides` times as
            large as the image, and what lies around it is cut off.
        activation: A name, a function, or `None` for none.
        **kwargs: `use_bias`, `kernel_initializer`, `bias_initializer`,
            `kernel_regularizer`, `bias_regularizer`, and those of `Layer`.

    Raises:
        ValueError: A size that is not a positive integer, or an unknown padding.
    """

    expects = "(batch, height, width, channels)"

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        strides: int | tuple[int, int] = (1, 1),
        padding: str = "valid",
        *,
        activation: Identifier = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        (self.filters,) = sizes(self, "filters", filters)
        self.kernel_size = sizes(self, "kernel_size", kernel_size, 2)
        self.strides = sizes(self, "strides", strides, 2)
        self.windows = Windows(self, self.kernel_size, self.strides, padding)  # of the output
        self.activation = activations.get(activation)

    def build(self, input_shape: Shape) -> None:
        """Make `kernel` and `bias`."""
        shape = (*self.kernel_size, self.filters, self.fix_features(input_shape))
        self.kernel = self.add_weight(shape, name="kernel")
        self.bias = self.add_bias((self.filters,))

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `activation(sum of the kernels of all pixels + bias)`."""
        shape: Any = self.compute_output_shape(x.shape)
        padded = np.zeros_like(self.windows.pad(np.empty(shape, x.dtype)))
        for view, tap in zip(self.windows.places(padded), self._taps(self.kernel), strict=True):
            view += x @ tap.T
        z = middle(padded, shape)
        if self.bias is not None:
            z += self.bias
        y = self.activate(z)
        self.saved = x, z, y
        return y

    def backward(self, dy: Array) -> Array | None:
        """Return the gradient with respect to `x`, which is a convolution."""
        x, z, y = self.saved
        dz = self.activation_gradient(dy, z, y)
        if self.bias is not None:
            self.gradients["bias"][...] = column_sums(dz.reshape(-1, self.filters))
        rows: Array = x.reshape(-1, x.shape[-1])
        dx: Array = np.zeros_like(x)
        taps = zip(self._taps(self.kernel), self._taps(self.gradients["kernel"]), strict=True)
        places = self.windows.places(self.windows.pad(dz))
        for view, (tap, dtap) in zip(places, taps, strict=True):
            np.matmul(view.reshape(len(rows), -1).T, rows, out=dtap)
            dx += view @ tap
        return dx

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, new_height, new_width, filters)`."""
        larger = 0 if self.windows.padding == "same" else 1
        axes = zip(input_shape[1:3], self.kernel_size, self.strides, strict=True)
        new = (n and n * stride + larger * max(size - stride, 0) for n, size, stride in axes)
        return input_shape[0], *new, self.filters

    def _taps(self, kernel: Array) -> Array:
        """Return a view of a kernel, `(places in a window, filters, channels)`."""
        return kernel.reshape(-1, *kernel.shape[2:])


class UpSampling2D(Layer):
    """Images made larger, without weights.

    `(batch, height, width, channels)` becomes
    `(batch, height * rows, width * columns, channels)`.

    Args:
        size: How many times as high and as wide, or one number for both.
        interpolation: `"nearest"` repeats each pixel, `"bilinear"` draws straight lines between
            the pixels' centers.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: A size that is not a positive integer, or an unknown interpolation.
    """

    expects = "(batch, height, width, channels)"

    def __init__(
        self,
        size: int | tuple[int, int] = (2, 2),
        *,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.size = sizes(self, "size", size, 2)
        known = ("nearest", "bilinear")
        expect(interpolation in known, f"interpolation must be one of {known}", interpolation)
        self.interpolation = interpolation

    def call(self, x: Array, training: bool = False) -> Array:
        """Return the larger images: a product with a matrix of weights along either axis."""
        rows, columns = (self._weights_along(axis, x) for axis in (1, 2))
        self.saved = rows, columns
        y: Array = rows @ (columns @ x).reshape(*x.shape[:2], -1)
        return y.reshape(len(x), len(rows), len(columns), -1)

    def backward(self, dy: Array) -> Array:
        """Return the gradient with respect to `x`: the products with the matrices turned."""
        rows, columns = self.saved
        shrunk: Array = rows.T @ dy.reshape(len(dy), len(rows), -1)  # (batch, height, …)
        return np.asarray(columns.T @ shrunk.reshape(*shrunk.shape[:2], len(columns), -1))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, height * rows, width * columns, channels)`."""
        axes = zip(input_shape[1:3], self.size, strict=True)
        return input_shape[0], *(n and n * size for n, size in axes), input_shape[3]

    def _weights_along(self, axis: int, x: Array) -> Array:
        """Return the weight of each old pixel in each new one, `(new, old)`."""
        old, times = x.shape[axis], self.size[axis - 1]
        new = np.arange(old * times)
        if self.interpolation == "nearest":
            repeated: Array = np.eye(old, dtype=x.dtype)[new // times]
            return repeated
        # Where a new pixel's center lies among the old ones, which start at 0.
        places = np.clip((new + 0.5) / times - 0.5, 0, old - 1)
        weights = np.maximum(0, 1 - abs(places[:, None] - np.arange(old)))
        return weights.astype(x.dtype)
