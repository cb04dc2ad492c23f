"""Functions of arrays that also take tensors, each with its derivatives beside it.

On arrays they compute at once, as NumPy does. In the `call` of a layer or model without a
`backward` of its own, and in a loss that is a function, they are written down, so that the
gradients can be computed. On an `Input` they become part of a model's graph.

Each is decorated with one rule for each argument, `lambda dy, y, x: ...`: the loss's gradient
with respect to the argument, given that with respect to the output `y`. What was broadcast is
summed up afterwards.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit import activations
from labkit._common import Array
from labkit._graph import differentiable
from labkit._missing import left_out

__all__ = ["abs", "absolute", "add", "cast", "clip", "concatenate", "cos", "divide", "equal", "exp"]
__all__ += ["expand_dims", "get_item", "greater", "greater_equal", "less", "less_equal", "log"]
__all__ += [
    "log1p",
    "logical_and",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "multiply",
]
__all__ += ["negative", "ones_like", "power", "relu", "reshape", "shape", "sigmoid", "sin"]
__all__ += ["softmax", "sqrt", "square", "squeeze", "stack", "stop_gradient", "subtract", "sum"]
__all__ += ["swapaxes", "take", "tanh", "transpose", "var", "where", "zeros_like"]

Axis = int | Sequence[int] | None


# Arithmetic.


@differentiable(lambda dy, y, a, b: dy, lambda dy, y, a, b: dy)
def add(x1: Any, x2: Any) -> Any:
    """Return `x1 + x2`."""
    return np.add(x1, x2)


@differentiable(lambda dy, y, a, b: dy, lambda dy, y, a, b: -dy)
def subtract(x1: Any, x2: Any) -> Any:
    """Return `x1 - x2`."""
    return np.subtract(x1, x2)


@differentiable(lambda dy, y, a, b: dy * b, lambda dy, y, a, b: dy * a)
def multiply(x1: Any, x2: Any) -> Any:
    """Return `x1 * x2`, number by number."""
    return np.multiply(x1, x2)


@differentiable(lambda dy, y, a, b: dy / b, lambda dy, y, a, b: -dy * y / b)
def divide(x1: Any, x2: Any) -> Any:
    """Return `x1 / x2`, number by number."""
    return np.divide(x1, x2)


@differentiable(
    lambda dy, y, a, b: (
        dy * b * np.power(a, np.where(b == 0, 1.0, np.subtract(b, 1.0)).astype(y.dtype))
    ),
    lambda dy, y, a, b: dy * y * np.log(np.where(np.asarray(a) > 0, a, 1)),
)
def power(x1: Any, x2: Any) -> Any:
    """Return `x1` to the power of `x2`, number by number."""
    return np.power(x1, x2)


@differentiable(lambda dy, y, x: -dy)
def negative(x: Any) -> Any:
    """Return `-x`."""
    return np.negative(x)


@differentiable(lambda dy, y, x: dy * np.sign(x))
def absolute(x: Any) -> Any:
    """Return the size of each number, without its sign."""
    return np.abs(x)


abs = absolute


def _matmul_slopes(dy: Array, a: Any, b: Any) -> tuple[Array, Array]:
    """Return the gradients of `a @ b`, of which vectors count as a row and as a column."""
    a, b = np.asarray(a), np.asarray(b)
    rows, columns = (a[None] if a.ndim == 1 else a), (b[:, None] if b.ndim == 1 else b)
    dy = dy[..., None] if b.ndim == 1 else dy
    dy = np.expand_dims(dy, -2) if a.ndim == 1 else dy
    da, db = dy @ columns.swapaxes(-1, -2), rows.swapaxes(-1, -2) @ dy
    return da[..., 0, :] if a.ndim == 1 else da, db[..., 0] if b.ndim == 1 else db


@differentiable(
    lambda dy, y, a, b: _matmul_slopes(dy, a, b)[0], lambda dy, y, a, b: _matmul_slopes(dy, a, b)[1]
)
def matmul(x1: Any, x2: Any) -> Any:
    """Return the matrix product `x1 @ x2`."""
    return np.matmul(x1, x2)


# Functions of each number.


@differentiable(lambda dy, y, x: dy * y)
def exp(x: Any) -> Any:
    """Return `e` to the power of each number."""
    return np.exp(x)


@differentiable(lambda dy, y, x: dy / x)
def log(x: Any) -> Any:
    """Return the natural logarithm of each number."""
    return np.log(x)


@differentiable(lambda dy, y, x: dy / (1 + x))
def log1p(x: Any) -> Any:
    """Return `log(1 + x)`, also where `x` is tiny."""
    return np.log1p(x)


@differentiable(lambda dy, y, x: dy / (2 * y))
def sqrt(x: Any) -> Any:
    """Return the square root of each number."""
    return np.sqrt(x)


@differentiable(lambda dy, y, x: dy * 2 * x)
def square(x: Any) -> Any:
    """Return the square of each number."""
    return np.square(x)


@differentiable(lambda dy, y, x: dy * np.cos(x))
def sin(x: Any) -> Any:
    """Return the sine of each number, an angle in radians."""
    return np.sin(x)


@differentiable(lambda dy, y, x: -dy * np.sin(x))
def cos(x: Any) -> Any:
    """Return the cosine of each number, an angle in radians."""
    return np.cos(x)


@differentiable(lambda dy, y, x: dy * (1 - y * y))
def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent of each number."""
    return np.tanh(x)


@differentiable(lambda dy, y, x: dy * y * (1 - y))
def sigmoid(x: Any) -> Any:
    r"""Return $1 / (1 + e^{-x})$."""
    return activations.sigmoid(x)


@differentiable(lambda dy, y, x: dy * (y > 0))
def relu(x: Any) -> Any:
    """Return each number where it is positive, else 0."""
    return np.maximum(x, 0)


@differentiable(lambda dy, y, x, axis=-1: y * (dy - (dy * y).sum(axis, keepdims=True)))
def softmax(x: Any, axis: int = -1) -> Any:
    """Return `exp(x)`, scaled so that it sums to one along `axis`."""
    return activations.softmax(x, axis)


@differentiable(lambda dy, y, x, x_min, x_max: dy * ((x >= x_min) & (x <= x_max)))
def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """Return each number of `x`, or `x_min` or `x_max` where it lies beyond."""
    return np.clip(x, x_min, x_max)


@differentiable(
    lambda dy, y, a, b: dy * np.greater_equal(a, b), lambda dy, y, a, b: dy * np.less(a, b)
)
def maximum(x1: Any, x2: Any) -> Any:
    """Return the larger of `x1` and `x2` at each place; of equal ones, the first counts."""
    return np.maximum(x1, x2)


@differentiable(
    lambda dy, y, a, b: dy * np.less_equal(a, b), lambda dy, y, a, b: dy * np.greater(a, b)
)
def minimum(x1: Any, x2: Any) -> Any:
    """Return the smaller of `x1` and `x2` at each place; of equal ones, the first counts."""
    return np.minimum(x1, x2)


@differentiable(
    None, lambda dy, y, c, a, b: np.where(c, dy, 0), lambda dy, y, c, a, b: np.where(c, 0, dy)
)
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """Return `x1` where the `condition` holds, else `x2`; without both, where it holds."""
    return np.where(condition) if x1 is None else np.where(condition, x1, x2)


@differentiable(lambda dy, y, x, dtype: dy)
def cast(x: Any, dtype: Any) -> Any:
    """Return the numbers of `x` in another `dtype`."""
    return np.asarray(x).astype(dtype)


# Sums along axes.


@differentiable(lambda dy, y, x, axis=None, keepdims=False: _spread(dy, x, axis, keepdims))
def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the sum of `x` along `axis`, or of all; with `keepdims`, as axes of size 1."""
    return np.sum(x, _axes(axis), keepdims=keepdims)


@differentiable(
    lambda dy, y, x, axis=None, keepdims=False: _spread(dy, x, axis, keepdims) / (x.size / y.size)
)
def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the mean of `x` along `axis`, or of all; with `keepdims`, as axes of size 1."""
    return np.mean(x, _axes(axis), keepdims=keepdims)


@differentiable(
    lambda dy, y, x, axis=None, keepdims=False: (
        _spread(dy, x, axis, keepdims)
        * (2 / (x.size / y.size))
        * (x - x.mean(_axes(axis), keepdims=True))
    )
)
def var(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the variance of `x` along `axis`, or of all; with `keepdims`, as axes of size 1."""
    return np.var(x, _axes(axis), keepdims=keepdims)


@differentiable(lambda dy, y, x, axis=None, keepdims=False: _to_extreme(dy, y, x, axis, keepdims))
def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the largest of `x` along `axis`, or of all; with `keepdims`, as axes of size 1."""
    return np.max(x, _axes(axis), keepdims=keepdims)


@differentiable(lambda dy, y, x, axis=None, keepdims=False: _to_extreme(dy, y, x, axis, keepdims))
def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the smallest of `x` along `axis`, or of all; with `keepdims`, as axes of size 1."""
    return np.min(x, _axes(axis), keepdims=keepdims)


# Shapes.


@differentiable(lambda dy, y, x, newshape: dy.reshape(np.shape(x)))
def reshape(x: Any, newshape: Any) -> Any:
    """Return the numbers of `x` in the shape `newshape`, in which one size may be -1."""
    return np.reshape(x, newshape)


@differentiable(
    lambda dy, y, x, axes=None: np.transpose(dy, None if axes is None else np.argsort(axes))
)
def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """Return `x` with its `axes` in another order; `None` means the reverse."""
    return np.transpose(x, axes)


@differentiable(lambda dy, y, x, axis1, axis2: np.swapaxes(dy, axis1, axis2))
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Return `x` with `axis1` and `axis2` exchanged."""
    return np.swapaxes(x, axis1, axis2)


@differentiable(lambda dy, y, x, axis: dy.reshape(np.shape(x)))
def expand_dims(x: Any, axis: Any) -> Any:
    """Return `x` with a new `axis` of size 1."""
    return np.expand_dims(x, axis)


@differentiable(lambda dy, y, x, axis=None: dy.reshape(np.shape(x)))
def squeeze(x: Any, axis: Any = None) -> Any:
    """Return `x` without an `axis` of size 1, or without all of them."""
    return np.squeeze(x, axis)


@differentiable(lambda dy, y, xs, axis=0: _parts(dy, xs, axis))
def concatenate(xs: Any, axis: int = 0) -> Any:
    """Return the arrays `xs` joined along an `axis`."""
    return np.concatenate(xs, axis)


@differentiable(lambda dy, y, xs, axis=0: [*np.moveaxis(dy, axis, 0)])
def stack(x: Any, axis: int = 0) -> Any:
    """Return the arrays `x` joined along a new `axis`."""
    return np.stack(x, axis)


@differentiable(lambda dy, y, x, indices, axis=None: _scattered(dy, x, indices, axis))
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Return the entries of `x` at some `indices` along an `axis`, or of the flat array."""
    return np.take(x, np.asarray(indices).astype(np.intp), axis)


@differentiable(lambda dy, y, x, key: _at(dy, x, key))
def get_item(x: Any, key: Any) -> Any:
    """Return `x[key]`."""
    return np.asarray(x)[key]


@differentiable(None)
def stop_gradient(variable: Any) -> Any:
    """Return the numbers, as constants for the way back."""
    return np.asarray(variable)


# Comparisons, and arrays like another one: without derivatives.


@differentiable(None, None)
def equal(x1: Any, x2: Any) -> Any:
    """Return whether `x1 == x2`, at each place."""
    return np.equal(x1, x2)


@differentiable(None, None)
def greater(x1: Any, x2: Any) -> Any:
    """Return whether `x1 > x2`, at each place."""
    return np.greater(x1, x2)


@differentiable(None, None)
def greater_equal(x1: Any, x2: Any) -> Any:
    """Return whether `x1 >= x2`, at each place."""
    return np.greater_equal(x1, x2)


@differentiable(None, None)
def less(x1: Any, x2: Any) -> Any:
    """Return whether `x1 < x2`, at each place."""
    return np.less(x1, x2)


@differentiable(None, None)
def less_equal(x1: Any, x2: Any) -> Any:
    """Return whether `x1 <= x2`, at each place."""
    return np.less_equal(x1, x2)


@differentiable(None, None)
def logical_and(x1: Any, x2: Any) -> Any:
    """Return whether both `x1` and `x2` hold, at each place."""
    return np.logical_and(x1, x2)


@differentiable(None)
def ones_like(x: Any, dtype: Any = None) -> Any:
    """Return ones in the shape of `x`, of its type or of `dtype`."""
    return np.ones_like(x, dtype)


@differentiable(None)
def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Return zeros in the shape of `x`, of its type or of `dtype`."""
    return np.zeros_like(x, dtype)


def shape(x: Any) -> tuple[Any, ...]:
    """Return the sizes along the axes; of an `Input`, `None` stands for any."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


# What the rules share.


def _axes(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def _spread(dy: Array, x: Array, axis: Any, keepdims: bool) -> Array:
    """Return the gradient of a sum for each number that was summed up."""
    if axis is not None and not keepdims:
        dy = np.expand_dims(dy, _axes(axis))
    return np.asarray(np.broadcast_to(dy, np.shape(x)))


def _to_extreme(dy: Array, y: Array, x: Array, axis: Any, keepdims: bool) -> Array:
    """Return the gradient of a maximum or minimum, shared by the numbers that reach it."""
    reached = x == _spread(y, x, axis, keepdims)
    share = reached / reached.sum(_axes(axis), keepdims=True)
    return np.asarray(_spread(dy, x, axis, keepdims) * share, dy.dtype)


def _parts(dy: Array, xs: Any, axis: int) -> list[Array]:
    return np.split(dy, np.cumsum([np.shape(x)[axis] for x in xs][:-1]), axis)


def _at(dy: Array, x: Array, key: Any) -> Array:
    """Return zeros with the gradient added at the places that were read."""
    dx = np.zeros_like(x)
    np.add.at(dx, key, dy)
    return dx


def _scattered(dy: Array, x: Array, indices: Any, axis: int | None) -> Array:
    indices = np.asarray(indices).astype(np.intp)
    if axis is None:
        return _at(dy, np.ravel(x), indices).reshape(np.shape(x))
    return _at(dy, x, (slice(None),) * (axis % np.ndim(x)) + (indices,))


if not TYPE_CHECKING:
    __getattr__ = left_out(__name__)
