"""The layers that most networks are made of."""

import math
from typing import Any, ClassVar

import numpy as np

from labkit import activations
from labkit._common import Array, Shape, Sizes, expect, rng
from labkit._graph import Node
from labkit._tensor import KerasTensor
from labkit.activations import Identifier, vjp
from labkit.layers.layer import Layer, sizes


class InputLayer(Layer):
    """Where a model's input enters: what `Input` makes its tensor with.

    Args:
        shape: Without the batch axis; `None` stands for an axis of any size.
        **kwargs: `dtype` and `name`, as in `Layer`.

    Raises:
        ValueError: `shape` is not a tuple, or a size is not positive.
    """

    def __init__(self, shape: Shape | list[int | None] | None = None, **kwargs: Any) -> None:
        dtype = kwargs.pop("dtype", None)
        super().__init__(**kwargs)
        sizes = shape if isinstance(shape, tuple | list) else (0,)
        fits = all(size is None or (isinstance(size, int) and size >= 1) for size in sizes)
        expect(fits, "Input expects a shape such as (64,)", shape)
        self.built = True
        tensor = KerasTensor((None, *sizes), dtype or self.dtype, self.name)
        self._node = Node(self, (), {}, tensor)

    @property
    def output(self) -> KerasTensor:
        """The tensor of the input."""
        return self._node.outputs  # type: ignore[no-any-return]

    def call(self, x: Array) -> Array:  # type: ignore[override]  # the same in training
        """Return `x`."""
        return x

    def backward(self, dy: Array) -> Array:
        """Return `dy`."""
        return dy


def Input(  # noqa: N802  # Keras's name
    shape: Shape | list[int | None] | None = None,
    *,
    dtype: str | None = None,
    name: str | None = None,
) -> KerasTensor:
    """Return the tensor with which a model begins.

    Args:
        shape: Without the batch axis, such as `(64,)` for vectors or `(28, 28, 1)` for images;
            `None` stands for an axis of any size.
        dtype: Its type of numbers, such as `"int32"` for the indices of an `Embedding`; `None`
            means `config.floatx()`.
        name: Name of the input; `None` means a numbered one.

    Raises:
        ValueError: `shape` is not a tuple, or a size is not positive.
    """
    return InputLayer(shape, dtype=dtype, name=name).output


class Activated(Layer):
    """Base of the layers that end in an activation.

    Behind a softmax or sigmoid, a cross-entropy is computed from what the activation is applied
    to, the logits: its gradient there is exact and never divided by zero. So these layers keep
    the logits, and take the loss's gradient with respect to them.
    """

    activation: Any

    def activate(self, z: Array) -> Array:
        """Return `activation(z)`."""
        if self.activation in (activations.softmax, activations.sigmoid):
            self._logits = self.activation, z
        return np.asarray(self.activation(z))

    def activation_gradient(self, dy: Array, z: Array, y: Array) -> Array:
        """Return the gradient with respect to `z`, for `y = activation(z)`."""
        if self._dlogits is None:
            return vjp[self.activation](dy, z, y)
        return self._dlogits + vjp[self.activation](dy, z, y) if dy.any() else self._dlogits


class KernelLayer(Layer):
    """Base of the layers with kernels and biases.

    Args:
        use_bias: Whether to add a bias.
        **kwargs: `kernel_initializer`, `bias_initializer`, `kernel_regularizer`,
            `bias_regularizer`, and those of `Layer`.
    """

    first_values: ClassVar = {"kernel": "glorot_uniform", "bias": "zeros"}

    def __init__(self, *, use_bias: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.use_bias = use_bias

    def add_bias(self, shape: Sizes) -> Array | None:
        """Return a new bias, or `None` where the layer uses none."""
        return self.add_weight(shape, name="bias") if self.use_bias else None


class Dense(Activated, KernelLayer):
    r"""Every output sees every input: $y = f(x W + b)$.

    `x` is `(batch, ..., inputs)`, `kernel` $W$ is `(inputs, units)`, `bias` $b$ is
    `(units,)`, and `y` is `(batch, ..., units)`.

    Args:
        units: Number of outputs.
        activation: $f$: a name, a function, or `None` for none.
        **kwargs: `use_bias`, `kernel_initializer`, `bias_initializer`,
            `kernel_regularizer`, `bias_regularizer`, and those of `Layer`.

    Raises:
        ValueError: `units` is not a positive integer.
    """

    expects = "(batch, inputs, ...)"

    supports_masking = True

    def __init__(self, units: int, activation: Identifier = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        (self.units,) = sizes(self, "units", units)
        self.activation = activations.get(activation)

    def build(self, input_shape: Shape) -> None:
        """Make `kernel` and `bias`."""
        self.kernel = self.add_weight((self.fix_features(input_shape), self.units), name="kernel")
        self.bias = self.add_bias((self.units,))

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `activation(x @ kernel + bias)`."""
        z = x @ self.kernel  # (..., units)
        if self.bias is not None:
            z += self.bias
        y = self.activate(z)
        self.saved = x, z, y
        return y

    def backward(self, dy: Array) -> Array | None:
        """Return the gradient with respect to `x`, `(batch, ..., inputs)`."""
        x, z, y = self.saved
        dz = self.activation_gradient(dy, z, y)  # (..., units)
        rows = dz.reshape(-1, self.units)
        np.matmul(x.reshape(len(rows), -1).T, rows, out=self.gradients["kernel"])
        if self.bias is not None:
            self.gradients["bias"][...] = column_sums(rows)
        return dz @ self.kernel.T if self.needs_input_gradient else None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, ..., units)`."""
        return (*input_shape[:-1], self.units)


class Activation(Activated):
    """An activation function as a layer of its own.

    Args:
        activation: A name, a function, or `None` for none.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: The name is unknown.
    """

    supports_masking = True

    def __init__(self, activation: Identifier, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `activation(x)`."""
        y = self.activate(x)
        self.saved = x, y
        return y

    def backward(self, dy: Array) -> Array:
        """Return the gradient with respect to `x`."""
        x, y = self.saved
        return self.activation_gradient(dy, x, y)


class Reshape(Layer):
    """The same numbers in another shape.

    Args:
        target_shape: Shape of one sample; one size may be -1, to be inferred.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: More than one -1, or numbers that do not fit the shape.
    """

    def __init__(self, target_shape: tuple[int, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        sizes = target_shape if isinstance(target_shape, tuple | list) else [0]
        fits = all(isinstance(n, int | np.integer) and (n == -1 or n >= 1) for n in sizes)
        wanted = "Reshape expects a tuple of sizes, of which one may be -1"
        expect(fits and sizes.count(-1) < 2, wanted, repr(target_shape))
        self.target_shape = tuple(sizes)

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `x` as `(batch, *target_shape)`."""
        self.saved = x.shape
        return x.reshape(self.compute_output_shape(x.shape))  # type: ignore[arg-type]  # no None

    def backward(self, dy: Array) -> Array:
        """Return `dy` in the input's shape."""
        return dy.reshape(self.saved)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, *target_shape)`."""
        batch, *numbers = input_shape
        if None in numbers:
            return batch, *(None if size == -1 else size for size in self.target_shape)
        known = math.prod(size for size in self.target_shape if size != -1)
        rest, over = divmod(math.prod(numbers), known)  # type: ignore[arg-type]  # no None
        wanted = f"Reshape cannot turn {known * rest + over} numbers into {self.target_shape}"
        fits = not over and (rest == 1 or -1 in self.target_shape)
        expect(fits, wanted, f"x.shape={input_shape}")
        return batch, *(rest if size == -1 else size for size in self.target_shape)


class Flatten(Reshape):
    """All numbers of a sample in one row: `(batch, features)`.

    Args:
        **kwargs: As in `Layer`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__((-1,), **kwargs)


class Dropout(Layer):
    """In training, zeroes each number with some probability and scales up the others.

    The scale `1 / (1 - rate)` keeps the expected sum; otherwise the layer does nothing
    (Srivastava et al., 2014).

    Args:
        rate: Probability of a zero, from 0 to 1.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: `rate` is outside [0, 1].
    """

    supports_masking = True

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        fits = isinstance(rate, int | float | np.number) and 0 <= rate <= 1
        expect(fits, "Dropout expects 0 <= rate <= 1", f"rate={rate!r}")
        self.rate = rate

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `x` with numbers zeroed, or `x` itself outside training."""
        self.saved = None
        if not training or self.rate == 0:
            return x
        keep = rng.random(x.shape, np.float32) >= self.rate
        self.saved = keep.astype(x.dtype) / max(1 - self.rate, 1e-9)  # of rate 1 none is kept
        return np.asarray(x * self.saved)

    def backward(self, dy: Array) -> Array:
        """Return `dy`, with the same numbers zeroed and scaled."""
        return dy if self.saved is None else dy * self.saved


class Embedding(Layer):
    """Row `i` of a table for each integer `i`.

    `x` is `(batch, ...)` with integers from 0 to `input_dim - 1`, `embeddings` is
    `(input_dim, output_dim)`, and the output is `(batch, ..., output_dim)`.

    Args:
        input_dim: Number of rows: the size of the vocabulary.
        output_dim: Length of each row.
        mask_zero: Whether the index 0 fills up short sequences, and the layers behind skip it.
        **kwargs: `embeddings_initializer`, `embeddings_regularizer`, and those of `Layer`.

    Raises:
        ValueError: A size that is not a positive integer.
    """

    first_values: ClassVar = {"embeddings": "uniform"}
    keeps_integers = True  # a large index is no float32

    def __init__(
        self, input_dim: int, output_dim: int, *, mask_zero: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.mask_zero = mask_zero
        (self.input_dim,) = sizes(self, "input_dim", input_dim)
        (self.output_dim,) = sizes(self, "output_dim", output_dim)

    def build(self, input_shape: Shape) -> None:
        """Make `embeddings`."""
        self.embeddings = self.add_weight((self.input_dim, self.output_dim), name="embeddings")

    def call(self, x: Array, training: bool = False) -> Array:
        """Return the rows of `embeddings` at the indices `x`."""
        inside = x.min() >= 0 and x.max() < self.input_dim  # false for NaN, too
        wanted = f"Embedding expects integers from 0 to {self.input_dim - 1}"
        expect(inside and not (x % 1).any(), wanted, f"x from {x.min():g} to {x.max():g}")
        self.saved = rows = x.astype(np.intp)
        return self.embeddings[rows]

    def backward(self, dy: Array) -> None:
        """Fill the gradient: each row sums the gradients of the places that used it."""
        self.gradients["embeddings"][...] = 0
        np.add.at(self.gradients["embeddings"], self.saved, dy)

    def compute_mask(self, inputs: Array, mask: Any = None) -> Any:
        """Return which indices are not 0, if 0 fills up."""
        return np.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, ..., output_dim)`."""
        return *input_shape, self.output_dim


def column_sums(rows: Array) -> Array:
    """Return `rows.sum(0)`, as a matrix product: faster where columns are few."""
    return np.ones(len(rows), rows.dtype) @ rows
