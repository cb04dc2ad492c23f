"""What all models have in common: layers with names, a summary, and weight files."""

import os
from typing import Any

from labkit._common import expect
from labkit.layers import Layer
from labkit.models import summary_utils
from labkit.models.trainer import Trainer


class Model(Trainer, Layer):
    """Layers that are trained together.

    There are two ways to make one, beside `Sequential`. `Model(inputs, outputs)` is the graph of
    layers that leads from some tensors to others:

    ```python
    inputs = keras.Input((64,))
    hidden = keras.layers.Dense(32, activation="relu")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(hidden))
    ```

    And a subclass makes its layers in `__init__`, and calls them in its `call`; it needs no
    `backward`, as long as `call` keeps to layers, arithmetic and `labkit.ops`. If its `call` does
    not take `training`, the layers inside know all the same that they are being trained; in Keras
    they do not, and their Dropout and BatchNormalization do nothing in training.

    Args:
        *args: `inputs` and `outputs`: a tensor, or a list, tuple or dict of tensors, each.
        **kwargs: `inputs` and `outputs`; `trainable` and `name`, as in `Layer`.

    Attributes:
        layers: The layers.
        optimizer: As given to `compile`, as is `loss`.
        metrics: The mean loss, then the metrics given to `compile`.
        stop_training: A callback sets it to stop training.

    Raises:
        TypeError: An input or output is not a tensor.
        ValueError: The outputs need other inputs, or two layers have one name.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> "Model":
        """Make a functional model of inputs and outputs."""
        if cls is Model and (args or "inputs" in kwargs or "outputs" in kwargs):
            from labkit.models.functional import Functional  # which is a Model itself

            return super().__new__(Functional)
        return super().__new__(cls)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._layers: list[Layer] | None = None

    @property
    def layers(self) -> list[Layer]:
        """The layers; those of a subclass are what its attributes hold."""
        if self._layers is not None:
            return self._layers
        held = [*self.flatten_layers()][1:]
        inner = {id(part) for layer in held for part in [*layer.flatten_layers()][1:]}
        return [layer for layer in held if id(layer) not in inner]

    @layers.setter
    def layers(self, layers: list[Layer]) -> None:
        self._layers = layers

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name or its place.

        Raises:
            ValueError: There is no such layer, or neither or both are given.
        """
        layers = self.layers
        expect((name is None) != (index is None), "Give a name or an index", (name, index))
        if index is not None:
            expect(-len(layers) <= index < len(layers), f"There are {len(layers)} layers", index)
            return layers[index]
        names = [layer.name for layer in layers]
        expect(name in names, f"{self.name} has the layers {names}", repr(name))
        return layers[names.index(name or "")]

    def summary(self) -> None:
        """Print the layers, the shapes of their outputs, how many weights they have.

        Of a graph, also what each layer is called on.
        """
        summary_utils.print_summary(self)

    def save_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Save all weights; a file of that name is replaced, but only by a complete one.

        Args:
            filepath: Ends in `.npz`, or in `.weights.h5` for a file that Keras reads, too
                (needs the extra `labkit[weights]`).

        Raises:
            ValueError: The model is not built, or the name has another ending.
        """
        from labkit import _weights  # here, as its imports take long

        _weights.save(self, filepath)

    def load_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Load all weights; if that fails, the model stays as it was.

        Args:
            filepath: A file that `save_weights` wrote, here or (`.weights.h5`) in Keras.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The model is not built, the file is damaged, or it holds other
                layers or shapes.
        """
        from labkit import _weights

        _weights.load(self, filepath)
