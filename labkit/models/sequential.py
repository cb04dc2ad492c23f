"""Sequential: a chain of layers."""

from collections.abc import Iterable
from typing import Any

from labkit._common import Array, Shape, expect, numbers
from labkit._tensor import KerasTensor
from labkit.layers import Input, InputLayer, Layer
from labkit.layers.chain import Chain
from labkit.models.model import Model


class Sequential(Chain, Model):
    """A chain of layers, each working on the output of the one before.

    Args:
        layers: The layers; with an `Input` first the model is built at once.
        **kwargs: `trainable` and `name`, as in `Layer`.

    Attributes:
        layers: The layers, without the `Input`.
        inputs: The tensor with which the chain begins, in a list; `None` before it is built.
        outputs: The tensor with which it ends, likewise.
        optimizer: As given to `compile`, as is `loss`.
        metrics: The mean loss, then the metrics given to `compile`.
        stop_training: A callback sets it to stop training.

    Raises:
        TypeError: Something in `layers` is not a layer.
        ValueError: An `Input` is not the first, two layers have one name, or the layers' shapes
            do not fit.
    """

    def __init__(self, layers: Iterable[Layer | KerasTensor] | None = None, **kwargs: Any) -> None:
        super().__init__((), **kwargs)
        self.inputs: list[KerasTensor] | None = None
        self.outputs: list[KerasTensor] | None = None
        self._any_size = False  # built by a batch, whose sizes need not be those of the next
        for layer in layers or ():
            self.add(layer)

    def add(self, layer: Layer | KerasTensor) -> None:
        """Append a layer.

        Raises:
            TypeError: It is not a layer.
            ValueError: It is an `Input`, and not the first, or a layer with its name is there.
        """
        source: Any = layer
        if isinstance(layer, KerasTensor):
            source = layer.node and layer.node.operation
        if not isinstance(source, InputLayer if isinstance(layer, KerasTensor) else Layer):
            raise TypeError(f"Sequential.add expects a layer. Received: {layer!r}")
        if isinstance(source, InputLayer):
            fits = not (self.layers or self.inputs)
            expect(fits, "An Input can only be the first layer", source.name)
            self.inputs, self.outputs = [source.output], [source.output]
            return
        twins = [
            known for known in self.layers if known.name == source.name and known is not source
        ]
        wanted = f"Each layer of {self.name} needs a name of its own"
        expect(not twins, wanted, f"a second layer named {source.name!r}")
        if not (self.layers or self.inputs) and (start := _start(source)) is not None:
            self.inputs = self.outputs = [start]
        self.layers.append(source)
        if self.outputs is not None:
            self._extend(source)

    def pop(self) -> Layer:
        """Remove the last layer, and return it.

        Raises:
            ValueError: There is none.
        """
        expect(self.layers, f"{self.name} has layers to remove", "no layer")
        if self.built and self.outputs is not None:
            self.outputs = [self.outputs[0].node.args[0]]
        return self.layers.pop()

    def build(self, input_shape: Shape) -> None:
        """Make the weights of all layers, for inputs `(batch or None, ...)`."""
        expect(self.layers, f"{self.name} needs a layer", "none")
        self._any_size = input_shape[0] is not None
        self.inputs = self.outputs = [Input(tuple(input_shape[1:]))]
        for layer in self.layers:
            self._extend(layer)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the last layer's output."""
        if not self.built:
            self.build((None, *input_shape[1:]))
        return super().compute_output_shape(input_shape)

    def _extend(self, layer: Layer) -> None:
        """Go one layer on in the graph."""
        outputs = self.outputs or []
        self.outputs = [layer(outputs[0])]
        self.built = True

    def _checked(self, x: Any) -> Array:
        """Return `x` with the rank of the model's input, as Keras does."""
        expect(self.layers, f"{self.name} needs a layer", "none")
        array = numbers("x", x)
        return with_rank(self, array, self.inputs[0].shape if self.inputs else None, self._any_size)

    def _check_shape(self, shape: Shape) -> None:
        """Leave the check to the layers."""


def with_rank(model: Model, x: Array, shape: Shape | None, any_size: bool = False) -> Array:
    """Return an array with the rank of a model's input, as Keras does.

    Args:
        model: The model.
        x: The array.
        shape: That of the input, or `None` if it is not known.
        any_size: Whether only the rank counts.

    Raises:
        ValueError: It does not fit, or has no rows.
    """
    shape = x.shape if shape is None else shape
    if x.ndim == len(shape) - 1 and shape[-1:] == (1,):
        x = x[..., None]
    elif x.ndim == len(shape) + 1 and x.shape[-1] == 1:
        x = x[..., 0]
    sizes = () if any_size else zip(x.shape[1:], shape[1:], strict=False)
    if x.ndim != len(shape) or any(n not in (None, size) for size, n in sizes):
        raise ValueError(f"{model.name} expects {shape}. Received: x.shape={x.shape}")
    return x


def _start(layer: Layer) -> KerasTensor | None:
    """Return a tensor to begin with, if the first layer knows its input."""
    if layer.input_shape is not None:
        return Input(layer.input_shape)
    tensors: list[KerasTensor] = getattr(layer, "inputs", None) or []
    return Input(tensors[0].shape[1:], dtype=tensors[0].dtype) if len(tensors) == 1 else None
