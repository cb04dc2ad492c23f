"""The layers that most networks are made of: Dense, and those that only reshape or add."""

import math
from typing import Any

import numpy as np

from labkit import activations
from labkit._typing import Array, Shape
from labkit.activations import vjp
from labkit.initializers import Initializer
from labkit.layers.layer import Layer
from labkit.regularizers import Regularizer

__all__ = ["Activation", "Add", "Dense", "Flatten", "Input", "Reshape"]


class Input(Layer):
    """The shape of a model's input, without the batch axis.

    Args:
        shape: Such as `(64,)` for vectors or `(28, 28, 1)` for images; `None` stands for
            an axis of any size.
        batch_size: Size of the batch axis; `None` means any.
        dtype: As in `Layer`.
        name: As in `Layer`.

    Raises:
        ValueError: No shape, or a size that is not positive.
    """

    def __init__(
        self,
        shape: Shape | list[int | None] | None = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(dtype=dtype, name=name)
        if shape is None or isinstance(shape, int):
            raise ValueError(
                f"Input expects a tuple such as (64,). Received: shape={shape}"
            )
        self.shape: Shape = (batch_size, *shape)
        if any(size is not None and size < 1 for size in self.shape):
            raise ValueError(f"Input expects sizes >= 1. Received: shape={shape}")
        self.build(self.shape)

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `x`."""
        return x

    def backward(self, dy: Array) -> Array:
        """Return `dy`."""
        return dy

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the input's shape."""
        return self.shape


class Dense(Layer):
    r"""Every output sees every input: $y = f(x W + b)$.

    `x` is `(batch, ..., inputs)`, `kernel` $W$ is `(inputs, units)`, `bias` $b$ is
    `(units,)`, and `y` is `(batch, ..., units)`.

    Args:
        units: Number of outputs.
        activation: $f$: a name, a function, or `None` for none.
        use_bias: Whether to add `bias`.
        kernel_initializer: First values of `kernel`.
        bias_initializer: First values of `bias`.
        kernel_regularizer: Penalty on `kernel`.
        bias_regularizer: Penalty on `bias`.
        activity_regularizer: Penalty on the output.
        **kwargs: `trainable`, `dtype`, `name`, as in `Layer`.

    Raises:
        ValueError: `units` is not a positive integer.
    """

    expects = "(batch, inputs, ...)"

    def __init__(
        self,
        units: int,
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
        self.units = positive("Dense", units=units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer, self.bias_initializer = (
            kernel_initializer,
            bias_initializer,
        )
        self.kernel_regularizer, self.bias_regularizer = (
            kernel_regularizer,
            bias_regularizer,
        )

    def build(self, input_shape: Shape) -> None:
        """Make `kernel` and `bias`."""
        inputs = self._features = known("Dense", input_shape, -1)
        self.kernel = self.add_weight(
            (inputs, self.units),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                name="bias",
            )

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `activation(x @ kernel + bias)`."""
        z = x @ self.kernel  # (..., units)
        if self.use_bias:
            z += self.bias
        y = self.activation(z)
        self.saved = x, z, y
        return y

    def backward(self, dy: Array) -> Array | None:
        """Return the gradient with respect to `x`, `(batch, ..., inputs)`."""
        x, z, y = self.saved
        dz = vjp[self.activation](dy, z, y)  # (..., units)
        rows = dz.reshape(-1, self.units)
        np.matmul(x.reshape(len(rows), -1).T, rows, out=self.gradients["kernel"])
        if self.use_bias:
            rows.sum(0, out=self.gradients["bias"])
        return dz @ self.kernel.T if self.needs_input_gradient else None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, ..., units)`."""
        return (*input_shape[:-1], self.units)


class Activation(Layer):
    """An activation function as a layer of its own.

    Args:
        activation: A name, a function, or `None` for none.
        **kwargs: As in `Layer`.
    """

    def __init__(
        self, activation: str | activations.Activation | None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `activation(x)`."""
        y = self.activation(x)
        self.saved = x, y
        return y

    def backward(self, dy: Array) -> Array:
        """Return the gradient with respect to `x`."""
        x, y = self.saved
        return vjp[self.activation](dy, x, y)


class Reshape(Layer):
    """The same numbers in another shape.

    Args:
        target_shape: Shape of one sample; one size may be -1, for what remains.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: The numbers do not fit the shape.
    """

    def __init__(self, target_shape: tuple[int, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)
        if sum(size == -1 for size in self.target_shape) > 1 or min(target_shape) < -1:
            raise ValueError(
                "Reshape expects sizes >= 0, one of which may be -1. "
                f"Received: target_shape={target_shape}"
            )

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `x` as `(batch, *target_shape)`."""
        self.saved = x.shape
        self.compute_output_shape(x.shape)
        return x.reshape(len(x), *self.target_shape)

    def backward(self, dy: Array) -> Array:
        """Return `dy` in the input's shape."""
        return dy.reshape(self.saved)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, *target_shape)`."""
        sample = [size for size in input_shape[1:] if size is not None]
        if len(sample) < len(input_shape) - 1:
            return input_shape[0], *(
                None if size == -1 else size for size in self.target_shape
            )
        numbers = math.prod(sample)
        known_size = math.prod(size for size in self.target_shape if size != -1)
        rest, left_over = divmod(numbers, known_size)
        if left_over or (rest != 1 and -1 not in self.target_shape):
            raise ValueError(
                f"Reshape cannot turn {numbers} numbers into target_shape="
                f"{self.target_shape}. Received: x.shape={input_shape}"
            )
        return input_shape[0], *(rest if size == -1 else size for size in self.target_shape)


class Flatten(Layer):
    """All numbers of a sample in one row: `(batch, features)`.

    Args:
        **kwargs: As in `Layer`.
    """

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `x` as `(batch, features)`."""
        self.saved = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy: Array) -> Array:
        """Return `dy` in the input's shape."""
        return dy.reshape(self.saved)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, features)`."""
        sample = [size for size in input_shape[1:] if size is not None]
        complete = len(sample) == len(input_shape) - 1
        return input_shape[0], math.prod(sample) if complete else None


class Add(Layer):
    """The sum of several arrays of one shape: `Add()([a, b])`.

    Args:
        **kwargs: As in `Layer`.
    """

    def call(self, x: Array, training: bool = False) -> Array:
        """Return the sum over the first axis of `x`, `(arrays, batch, ...)`."""
        self.saved = len(x)
        total: Array = x.sum(0)
        return total

    def backward(self, dy: Array) -> Array:
        """Return `dy` once for each array: `(arrays, batch, ...)`."""
        return np.stack([dy] * self.saved)

    def _check_input(self, x: Any) -> Array:
        shapes = [np.shape(array) for array in x]
        if not isinstance(x, list | tuple) or len(x) < 2 or len(set(shapes)) > 1:
            raise ValueError(
                f"Add expects a list of two arrays or more of one shape. Received: {shapes}"
            )
        return super()._check_input(np.stack(x))


def positive(layer: str, **sizes: int) -> int:
    """Return the last of the sizes, after a check that all are positive integers."""
    for name, size in sizes.items():
        if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1:
            raise ValueError(
                f"{layer} expects {name} to be an integer >= 1. Received: {size!r}"
            )
    return int(size)


def known(layer: str, shape: Shape, axis: int) -> int:
    """Return the size of an axis, which may not be `None`."""
    size = shape[axis]
    if size is None:
        raise ValueError(
            f"{layer} needs to know the size of axis {axis} to make its weights. "
            f"Received: input_shape={shape}"
        )
    return size
