"""Layers one after the other, and a shortcut around them."""

from collections.abc import Iterable
from typing import Any

from labkit._common import Array, Shape, expect
from labkit.layers import _calls
from labkit.layers.layer import Layer


class Chain(Layer):
    """Layers, each working on the output of the one before.

    Args:
        layers: The layers.
        **kwargs: As in `Layer`.
    """

    def __init__(self, layers: Iterable[Layer], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layers = list(layers)

    def build(self, input_shape: Shape) -> None:
        """Make the weights of all layers."""
        for layer in self.layers:
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def call(self, x: Array, training: bool = False) -> Array:
        """Return the last layer's output."""
        for layer in self.layers:
            x = layer(x)
        return x

    def backward(self, dy: Array) -> Array | None:
        """Fill the gradients of all layers; return the gradient of the input."""
        gradient: Any = dy
        start = 0
        if not self.needs_input_gradient:  # nor a gradient before the first layer that is trained
            found = (i for i, layer in enumerate(self.layers) if not _calls.is_fixed(layer))
            start = next(found, 0)
        for layer in reversed(self.layers[start + 1 :]):
            gradient = _of_input(layer.backward(gradient))
        first = self.layers[start]
        first.needs_input_gradient = self.needs_input_gradient
        try:
            gradient = _of_input(first.backward(gradient))
        finally:
            first.needs_input_gradient = True
        return gradient  # type: ignore[no-any-return]  # None only of the first layer

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the last layer's output."""
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape


def _of_input(gradients: Any) -> Any:
    """Return the gradient of a layer's input, of which one with a mask returns a tuple."""
    return gradients[0] if isinstance(gradients, tuple) else gradients


class Residual(Chain):
    """A shortcut around a chain of layers: `x + chain(x)` (He et al., 2016).

    labkit's own name: in Keras, `keras.layers.Add()([x, chain(x)])` in a functional model.

    Args:
        layers: The chain; its output must have the input's shape.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: The shapes differ.
    """

    def build(self, input_shape: Shape) -> None:
        """Build the chain."""
        super().build(input_shape)
        shape = self.compute_output_shape(input_shape)
        wanted = f"Residual expects layers that keep the shape {input_shape[1:]}"
        expect(shape[1:] == input_shape[1:], wanted, shape[1:])

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `x + chain(x)`."""
        return x + super().call(x)

    def backward(self, dy: Array) -> Array | None:
        """Return the gradient with respect to `x`, through the chain and around it."""
        dx = super().backward(dy)
        return None if dx is None else dy + dx
