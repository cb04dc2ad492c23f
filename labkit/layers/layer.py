"""The base of all layers: weights, gradients, and what all calls have in common.

A layer of your own subclasses `Layer` and defines up to four methods: `build` makes the
weights, `call` goes forward and keeps in `self.saved` what `backward` needs, `backward`
goes back, and `compute_output_shape` gives the shape without running. A `call` that does
the same in training and out of it may leave out `training`.
"""

import functools
import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

import numpy as np

from labkit import config, initializers, regularizers
from labkit._common import Array, Shape, Sizes, expect, numbers, snake_case
from labkit.initializers import Initializer
from labkit.regularizers import Regularizer

_names: Counter[str] = Counter()


def numbered(name: str, taken: Counter[str]) -> str:
    """Return a name that is still free: `"conv2d"`, then `"conv2d_1"`, and so on."""
    taken[name] += 1
    return name if taken[name] == 1 else f"{name}_{taken[name] - 1}"


class Layer:
    """A transformation of arrays, often with weights.

    Args:
        activity_regularizer: Penalty on the output, added to the loss; it is divided by
            the number of samples.
        trainable: Whether training changes the weights.
        dtype: `"float32"` or `"float64"`; `None` means `config.floatx()`.
        name: `None` means one made from the class's name.
        **kwargs: For each weight in `first_values`, `NAME_initializer` and
            `NAME_regularizer`.

    Raises:
        TypeError: An argument that the layer does not have.
        ValueError: Another dtype, or an unknown initializer or regularizer.

    Attributes:
        saved: What `call` keeps for `backward`.
        gradients: By the weight's name, the loss's gradient from the last `backward`.
        needs_input_gradient: `False` on a model's first layer, whose `backward` then
            returns `None` and saves the work.
    """

    first_values: ClassVar[dict[str, str]] = {}
    """The default initializer of each weight for which a reader may choose another."""

    expects = "(batch, ...)"
    """The axes of an input, for the check in `__call__`; `...` stands for any number."""

    _takes_training = True

    def __init__(
        self,
        *,
        activity_regularizer: str | Regularizer | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        kinds = (None, "float32", "float64")
        expect(dtype in kinds, f"dtype must be one of {kinds}", repr(dtype))
        self._options: dict[str, tuple[Initializer, Regularizer | None]] = {}
        for weight, default in self.first_values.items():
            first = initializers.get(kwargs.pop(f"{weight}_initializer", default))
            penalty = regularizers.get(kwargs.pop(f"{weight}_regularizer", None))
            self._options[weight] = first, penalty
        if kwargs:
            raise TypeError(f"{type(self).__name__} has no argument {', '.join(sorted(kwargs))}.")
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.trainable = trainable
        self.dtype = dtype or config.floatx()
        self.name = name or numbered(snake_case(type(self).__name__), _names)
        self.built = False
        self.needs_input_gradient = True
        self.saved: Any = None
        self.gradients: dict[str, Array] = {}
        self._weights: dict[str, Array] = {}
        self._regularizers: dict[str, Regularizer] = {}
        self._features: int | None = None
        self._output: Array | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Wrap `build` and `backward`, as `__call__` wraps `call`."""
        super().__init_subclass__(**kwargs)
        cls._takes_training = "training" in inspect.signature(cls.call).parameters
        for name, wrap in (("build", _built_once), ("backward", _with_penalties)):
            if name in vars(cls):
                setattr(cls, name, wrap(vars(cls)[name]))

    # What a subclass defines.

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of that shape, `(batch or None, ...)`."""
        self.built = True

    def call(self, x: Array, training: bool = False) -> Array:
        """Return the output for `x`, and keep in `self.saved` what `backward` needs."""
        raise NotImplementedError(f"{type(self).__name__} needs a call(x, training).")

    def backward(self, dy: Array) -> Array | None:
        """Fill `self.gradients` and return the gradient with respect to the input.

        Args:
            dy: The loss's gradient with respect to the output of the last call.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a backward(dy).")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the output's shape for an input's, `(batch or None, ...)`."""
        return input_shape

    # What a subclass inherits.

    def __call__(self, x: Any, training: bool = False) -> Array:
        """Check `x`, build at first use, and call.

        Raises:
            ValueError: `x` has the wrong number of axes, no samples, or another size than before.
            TypeError: `x` does not hold numbers.
        """
        x = self._checked(x)
        self.build(x.shape)
        self._output = self.call(x, training) if self._takes_training else self.call(x)
        return self._output

    def add_weight(
        self,
        shape: tuple[int, ...] | None = None,
        initializer: str | Initializer | None = None,
        dtype: str | None = None,
        trainable: bool = True,
        regularizer: str | Regularizer | None = None,
        name: str | None = None,
    ) -> Array:
        """Return a new weight that the layer keeps, and make room for its gradient.

        Args:
            shape: Its shape; `None` means a single number.
            initializer: Its first values; `None` means those that the layer was given as
                `NAME_initializer`, else `"glorot_uniform"`.
            dtype: `None` means the layer's.
            trainable: `False` for numbers that training does not learn by gradients.
            regularizer: Penalty on it, added to the loss; `None` likewise.
            name: Its key in `self.gradients`; `None` means `"weight_0"`, …

        Raises:
            ValueError: The layer has a weight of that name.
        """
        name = name or f"weight_{len(self._weights)}"
        expect(name not in self._weights, f"{self.name} needs a new name for a weight", repr(name))
        # As in Keras, recurrent_kernel's options are recurrent_initializer and _regularizer.
        option = name if name in self._options else name.removesuffix("_kernel")
        first, penalty = self._options.get(option, ("glorot_uniform", None))
        first = initializers.get(initializer or first)
        weight = self._weights[name] = first(shape or (), dtype or self.dtype)
        if trainable:
            self.gradients[name] = np.zeros_like(weight)
        if penalty := regularizers.get(regularizer) or penalty:
            self._regularizers[name] = penalty
        ordered = sorted(self._weights, key=lambda name: name not in self.gradients)
        self._weights = {name: self._weights[name] for name in ordered}  # trainable ones first
        return weight

    def fix_features(self, input_shape: Shape) -> int:
        """Return the size of the last axis, which each input must have from now on.

        Raises:
            ValueError: It is not known.
        """
        expect(input_shape[-1], f"{self.name} needs a known last axis", input_shape)
        self._features = input_shape[-1] or 0
        return self._features

    def bind(self, name: str, weight: Array, gradient: Array | None = None) -> None:
        """Move a weight and its gradient into other arrays, such as views of one vector."""
        old = self._weights[name]
        weight[...] = old
        self._weights[name] = weight
        if gradient is not None:
            gradient[...] = self.gradients[name]
            self.gradients[name] = gradient
        for attribute, value in vars(self).items():
            if value is old:
                setattr(self, attribute, weight)

    def flatten_layers(self) -> "Iterator[Layer]":
        """Yield this layer and, in order, all layers that it holds as attributes."""
        yield self
        for value in vars(self).values():
            for layer in value if isinstance(value, list | tuple) else [value]:
                if isinstance(layer, Layer):
                    yield from layer.flatten_layers()

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights, here and in all layers that it holds."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = value
        for layer in list(self.flatten_layers())[1:]:
            layer.trainable = value

    @property
    def weights(self) -> list[Array]:
        """All weights: of each layer the trainable ones, then the others."""
        return [w for layer in self.flatten_layers() for w in layer._weights.values()]

    @property
    def trainable_weights(self) -> list[Array]:
        """The weights that training changes."""
        layers = [layer for layer in self.flatten_layers() if layer.trainable]
        return [layer._weights[name] for layer in layers for name in layer.gradients]

    @property
    def losses(self) -> list[float]:
        """The penalties on the weights, and on the last output per sample."""
        penalties = []
        for layer in self.flatten_layers():
            penalties += [p(layer._weights[name]) for name, p in layer._regularizers.items()]
            if layer.activity_regularizer is not None and layer._output is not None:
                penalties.append(layer.activity_regularizer(layer._output) / len(layer._output))
        return penalties

    def get_weights(self) -> list[Array]:
        """Return copies of all weights."""
        return [weight.copy() for weight in self.weights]

    def set_weights(self, weights: list[Array]) -> None:
        """Copy values into all weights; if one does not fit, nothing changes.

        Raises:
            ValueError: The number of arrays or a shape differs.
        """
        arrays = [np.asarray(weight) for weight in weights]
        expected = [weight.shape for weight in self.weights]
        received = [array.shape for array in arrays]
        hint = "" if self.built else " (not built: call it on an array first)"
        expect(expected == received, f"{self.name}{hint} expects {expected}", received)
        for weight, array in zip(self.weights, arrays, strict=True):
            weight[...] = array

    def count_params(self) -> int:
        """Return how many numbers all weights hold together.

        Raises:
            ValueError: The layer is not built yet.
        """
        expect(self.built, f"{self.name} is not built yet: call it on an array first", "no shape")
        return sum(weight.size for weight in self.weights)

    def _checked(self, x: Any) -> Array:
        """Return `x` in the layer's dtype if it is what the layer expects."""
        x = numbers(f"{self.name}: x", x)
        axes = self.expects.strip("()").split(", ")
        fits = x.ndim >= len(axes) - 1 if axes[-1] == "..." else x.ndim == len(axes)
        if not fits or x.size == 0 or self._features not in (None, x.shape[-1]):
            size = f" with {self._features} of the last" if self._features else ""
            wanted = f"{type(self).__name__} expects {self.expects}{size}"
            raise ValueError(f"{wanted}. Received: x.shape={x.shape}")
        return np.asarray(x, self.dtype)


def sizes(layer: Layer, name: str, value: Any, axes: int = 1, least: int = 1) -> Sizes:
    """Return one integer for each axis, given a tuple or one integer for all.

    Raises:
        ValueError: There are too few or too many, or they are not integers or too small.
    """
    values = tuple(value) if isinstance(value, tuple | list) else (value,) * axes
    whole = all(isinstance(size, int | np.integer) and size >= least for size in values)
    wanted = "an integer" if axes == 1 else f"{axes} integers (or one)"
    wanted = f"{type(layer).__name__} expects {name} to be {wanted} >= {least}"
    expect(whole and len(values) == axes, wanted, repr(value))
    return values


def _built_once(build: Callable[..., None]) -> Callable[..., None]:
    """Return `build` so that only its first call does anything."""

    @functools.wraps(build)
    def wrapper(self: Layer, input_shape: Shape) -> None:
        if not self.built:
            build(self, tuple(input_shape))
            self.built = True

    return wrapper


def _with_penalties(backward: Callable[..., Array | None]) -> Callable[..., Array | None]:
    """Return `backward` with a check of `dy`, and the penalties' gradients added."""

    @functools.wraps(backward)
    def wrapper(self: Layer, dy: Array) -> Array | None:
        if type(self).backward is not wrapper:
            return backward(self, dy)  # called by a subclass's backward, which adds them
        if self._output is None:
            raise RuntimeError(f"Call {self.name} on an array before its backward.")
        dy = np.asarray(dy, self.dtype)
        if dy.shape != self._output.shape:
            wanted = f"{self.name}.backward expects the output's shape {self._output.shape}"
            raise ValueError(f"{wanted}. Received: dy.shape={dy.shape}")
        if self.activity_regularizer is not None:
            dy = dy + self.activity_regularizer.gradient(self._output) / len(dy)
        dx = backward(self, dy)
        for name, regularizer in self._regularizers.items():
            self.gradients[name] += regularizer.gradient(self._weights[name])
        return dx

    return wrapper


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
            x = layer(x, training)
        return x

    def backward(self, dy: Array) -> Array | None:
        """Fill the gradients of all layers; return the gradient of the input."""
        self.layers[0].needs_input_gradient = self.needs_input_gradient
        gradient: Any = dy
        for layer in reversed(self.layers):
            gradient = layer.backward(gradient)
        return gradient  # type: ignore[no-any-return]  # None only of the first layer

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the last layer's output."""
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape


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
        return x + super().call(x, training)

    def backward(self, dy: Array) -> Array | None:
        """Return the gradient with respect to `x`, through the chain and around it."""
        dx = super().backward(dy)
        return None if dx is None else dy + dx
