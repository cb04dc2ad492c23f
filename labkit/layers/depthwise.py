"""Convolutions that keep the channels apart, and the product that mixes them again.

A full convolution looks at all channels of a window at once. Here each channel has small
kernels of its own, which needs far fewer weights, and `SeparableConv2D` lets a convolution
with windows of one pixel combine the results (Chollet 2017, https://arxiv.org/abs/1610.02357).
"""

from typing import Any, ClassVar

import numpy as np

from labkit import activations
from labkit._common import Array, Shape, expect
from labkit.activations import Identifier
from labkit.layers._windows import Windows, middle
from labkit.layers.core import Activated, KernelLayer, column_sums
from labkit.layers.layer import sizes


class _Depthwise(Activated, KernelLayer):
    """Base of both layers: a kernel for each channel, applied to every window."""

    expects = "(batch, height, width, channels)"

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        strides: int | tuple[int, int] = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        *,
        dilation_rate: int | tuple[int, int] = (1, 1),
        activation: Identifier = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kernel_size = sizes(self, "kernel_size", kernel_size, 2)
        self.strides = hops = sizes(self, "strides", strides, 2)
        self.dilation_rate = dilation = sizes(self, "dilation_rate", dilation_rate, 2)
        wanted = f"{type(self).__name__} expects strides or dilation_rate to be 1"
        expect(max(hops) == 1 or max(dilation) == 1, wanted, (hops, dilation))
        self.windows = Windows(self, self.kernel_size, hops, padding, dilation)
        (self.depth_multiplier,) = sizes(self, "depth_multiplier", depth_multiplier)
        self.activation = activations.get(activation)

    def _add_kernel(self, input_shape: Shape) -> int:
        """Make `depthwise_kernel`; return how many channels it yields."""
        channels = self.fix_features(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = self.add_weight(shape, name="depthwise_kernel")
        return channels * self.depth_multiplier

    def _filter(self, x: Array) -> tuple[Array, Array]:
        """Return the padded `x`, and the filtered `(batch, ..., channels, multiplier)`."""
        padded = self.windows.pad(x)
        places = zip(self.windows.places(padded), self._taps(self.kernel), strict=True)
        z: Any = sum(view[..., None] * tap for view, tap in places)
        return padded, z

    def _backward_filter(self, dz: Array, padded: Array, shape: tuple[int, ...]) -> Array | None:
        """Fill the gradient of the kernel; return that with respect to `x`."""
        dkernel = self._taps(self.gradients["depthwise_kernel"])
        for view, dtap in zip(self.windows.places(padded), dkernel, strict=True):
            np.einsum("bhwc,bhwcm->cm", view, dz, out=dtap)
        if not self.needs_input_gradient:
            return None
        dpadded = np.zeros_like(padded)
        for view, tap in zip(self.windows.places(dpadded), self._taps(self.kernel), strict=True):
            view += (dz * tap).sum(-1)
        return middle(dpadded, shape)

    def _taps(self, kernel: Array) -> Array:
        """Return a view of a kernel, `(places in a window, channels, multiplier)`."""
        return kernel.reshape(-1, *kernel.shape[2:])


class DepthwiseConv2D(_Depthwise):
    """A convolution of each channel for itself.

    `x` is `(batch, height, width, channels)`, the kernel is
    `(kernel_height, kernel_width, channels, depth_multiplier)`, `bias` has one number for each
    output channel, and the output is
    `(batch, new_height, new_width, channels * depth_multiplier)`.

    Args:
        kernel_size: Height and width of the window, or one number for both.
        strides: Steps from one window to the next, or one number for both axes.
        padding: `"valid"`: windows inside the image; `"same"`: as many windows as pixels
            (with a stride: `ceil(size / stride)`), with zeros around the image.
        depth_multiplier: Number of output channels for each input channel.
        dilation_rate: Steps from one tap of a window to the next, or one number for both axes.
        activation: A name, a function, or `None` for none.
        **kwargs: `use_bias`, `depthwise_initializer`, `bias_initializer`,
            `depthwise_regularizer`, `bias_regularizer`, and those of `Layer`.

    Raises:
        ValueError: A size that is not a positive integer, an unknown padding, or both strides and
            dilation.
    """

    first_values: ClassVar = {"depthwise": "glorot_uniform", "bias": "zeros"}

    def build(self, input_shape: Shape) -> None:
        """Make the kernel and `bias`."""
        self.bias = self.add_bias((self._add_kernel(input_shape),))

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `activation(each channel filtered + bias)`."""
        padded, z = self._filter(x)
        z = z.reshape(*z.shape[:-2], -1)  # (batch, new_height, new_width, outputs)
        if self.bias is not None:
            z += self.bias
        y = self.activate(z)
        self.saved = x.shape, padded, z, y
        return y

    def backward(self, dy: Array) -> Array | None:
        """Return the gradient with respect to `x`."""
        shape, padded, z, y = self.saved
        dz = self.activation_gradient(dy, z, y)
        if self.bias is not None:
            self.gradients["bias"][...] = column_sums(dz.reshape(-1, dz.shape[-1]))
        parts = dz.reshape(*dz.shape[:-1], -1, self.depth_multiplier)
        return self._backward_filter(parts, padded, shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, new_height, new_width, channels * depth_multiplier)`."""
        channels = (input_shape[-1] or 0) * self.depth_multiplier
        return input_shape[0], *self.windows.counts(input_shape), channels


class SeparableConv2D(_Depthwise):
    """A convolution of each channel for itself, and then of all channels at each pixel.

    `x` is `(batch, height, width, channels)`. The first kernel is
    `(kernel_height, kernel_width, channels, depth_multiplier)`, the second
    `(1, 1, channels * depth_multiplier, filters)`, `bias` is `(filters,)`, and the output is
    `(batch, new_height, new_width, filters)`.

    Args:
        filters: Number of output channels.
        kernel_size: Height and width of the window, or one number for both.
        strides: Steps from one window to the next, or one number for both axes.
        padding: `"valid"`: windows inside the image; `"same"`: as many windows as pixels
            (with a stride: `ceil(size / stride)`), with zeros around the image.
        dilation_rate: Steps from one tap of a window to the next, or one number for both axes.
        depth_multiplier: Number of channels between the kernels for each input channel.
        activation: A name, a function, or `None` for none.
        **kwargs: `use_bias`, `depthwise_initializer`, `pointwise_initializer`,
            `bias_initializer`, `depthwise_regularizer`, `pointwise_regularizer`,
            `bias_regularizer`, and those of `Layer`.

    Raises:
        ValueError: A size that is not a positive integer, an unknown padding, or both strides and
            dilation.
    """

    first_values: ClassVar = {**DepthwiseConv2D.first_values, "pointwise": "glorot_uniform"}

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        strides: int | tuple[int, int] = (1, 1),
        padding: str = "valid",
        *,
        dilation_rate: int | tuple[int, int] = (1, 1),
        depth_multiplier: int = 1,
        **kwargs: Any,
    ) -> None:
        kwargs["dilation_rate"] = dilation_rate
        super().__init__(kernel_size, strides, padding, depth_multiplier, **kwargs)
        (self.filters,) = sizes(self, "filters", filters)

    def build(self, input_shape: Shape) -> None:
        """Make both kernels and `bias`."""
        shape = (1, 1, self._add_kernel(input_shape), self.filters)
        self.pointwise_kernel = self.add_weight(shape, name="pointwise_kernel")
        self.bias = self.add_bias((self.filters,))

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `activation(filtered channels @ pointwise kernel + bias)`."""
        padded, filtered = self._filter(x)
        between = filtered.reshape(*filtered.shape[:-2], -1)
        z = between @ self.pointwise_kernel[0, 0]  # (batch, new_height, new_width, filters)
        if self.bias is not None:
            z += self.bias
        y = self.activate(z)
        self.saved = x.shape, padded, between, z, y
        return y

    def backward(self, dy: Array) -> Array | None:
        """Return the gradient with respect to `x`."""
        shape, padded, between, z, y = self.saved
        dz = self.activation_gradient(dy, z, y)
        rows = dz.reshape(-1, self.filters)
        if self.bias is not None:
            self.gradients["bias"][...] = column_sums(rows)
        dpointwise = between.reshape(len(rows), -1).T @ rows
        self.gradients["pointwise_kernel"][...] = dpointwise
        dbetween = dz @ self.pointwise_kernel[0, 0].T
        parts = dbetween.reshape(*dz.shape[:-1], -1, self.depth_multiplier)
        return self._backward_filter(parts, padded, shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, new_height, new_width, filters)`."""
        return input_shape[0], *self.windows.counts(input_shape), self.filters
