"""Activation functions, and one table with the derivative rule of each.

A rule `vjp[f](dy, z, y)` turns the loss's gradient with respect to the output `y = f(z)`
into the gradient with respect to the input `z`. (VJP: vector-Jacobian product.) It may use
`z`, `y` or both, whichever makes it short. If `f` has settings, the rule takes them as well.

Like the functions of `labkit.ops`, all of them also take tensors.
"""

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from labkit import config
from labkit._common import Array, expect, numbers
from labkit._graph import Function
from labkit._missing import left_out
from labkit._tensor import KerasTensor

__all__ = ["elu", "gelu", "leaky_relu", "linear", "log_softmax", "relu", "relu6", "selu", "sigmoid"]
__all__ += ["get", "silu", "softmax", "softplus", "swish", "tanh", "vjp"]

if not TYPE_CHECKING:
    __getattr__ = left_out(__name__)

# With these two numbers of selu, outputs of mean 0 and variance 1 stay so from layer to layer.
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772

Activation = Callable[..., Array]
Identifier = str | Activation | None  # what `get` takes
Rule = Callable[..., Array]


def _traceable(function: Callable[..., Array]) -> Callable[..., Array]:
    """Let a function of an array also take a tensor, which it is differentiated by."""

    def slope(dy: Array, y: Array, x: Array, *settings: Any, **named: Any) -> Array:
        return vjp[traceable](dy, x, y, *settings, **named)

    operation = Function(function, (slope,))

    @functools.wraps(function)
    def traceable(x: Any, *settings: Any, **named: Any) -> Array:
        if isinstance(x, KerasTensor):
            return operation(x, *settings, **named)  # type: ignore[no-any-return]  # a tensor
        return function(x, *settings, **named)

    return traceable


@_traceable
def linear(x: ArrayLike) -> Array:
    """Return `x` itself.

    Raises:
        TypeError: `x` holds something other than numbers.
    """
    return floats(x)


@_traceable
def relu(
    x: ArrayLike,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Array:
    """Return `x` where it is positive, else 0; or, with options, a variant of that.

    Args:
        x: Any shape.
        negative_slope: `negative_slope * (x - threshold)` is returned below the threshold.
        max_value: Largest value to return.
        threshold: Where the function turns from one slope to the other.

    Raises:
        TypeError: `x` holds something other than numbers.
    """
    x = floats(x)
    y = np.where(x > threshold, x, 0) if threshold else np.maximum(x, 0)
    if max_value is not None:
        y = np.clip(y, 0, max_value)
    return y + negative_slope * np.minimum(x - threshold, 0) if negative_slope else y


@_traceable
def relu6(x: ArrayLike) -> Array:
    """Return `x` between 0 and 6, and the nearer of these two outside.

    Raises:
        TypeError: `x` holds something other than numbers.
    """
    return np.clip(floats(x), 0, 6)


@_traceable
def leaky_relu(x: ArrayLike, negative_slope: float = 0.2) -> Array:
    """Return `x` where it is positive, else `negative_slope * x`.

    Raises:
        TypeError: `x` holds something other than numbers.
    """
    x = floats(x)
    return np.where(x > 0, x, negative_slope * x)


@_traceable
def elu(x: ArrayLike, alpha: float = 1.0) -> Array:
    r"""Return `x` where it is positive, else $\alpha (e^x - 1)$.

    Raises:
        TypeError: `x` holds something other than numbers.
    """
    x = floats(x)
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


@_traceable
def selu(x: ArrayLike) -> Array:
    r"""Return $\lambda x$ where `x` is positive, else $\lambda \alpha (e^x - 1)$.

    Klambauer et al. 2017, https://arxiv.org/abs/1706.02515, which derives both numbers.

    Raises:
        TypeError: `x` holds something other than numbers.
    """
    return _SELU_SCALE * elu(x, _SELU_ALPHA)


@_traceable
def sigmoid(x: ArrayLike) -> Array:
    r"""Return $1 / (1 + e^{-x})$, which is $e^x / (1 + e^x)$: neither power may overflow.

    Raises:
        TypeError: `x` holds something other than numbers.
    """
    x = floats(x)
    return np.asarray(np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x))))


@_traceable
def tanh(x: ArrayLike) -> Array:
    """Return the hyperbolic tangent.

    Raises:
        TypeError: `x` holds something other than numbers.
    """
    return np.tanh(floats(x))


@_traceable
def softplus(x: ArrayLike) -> Array:
    r"""Return $\ln(1 + e^x)$, a smooth relu.

    Raises:
        TypeError: `x` holds something other than numbers.
    """
    return np.logaddexp(floats(x), 0)


@_traceable
def silu(x: ArrayLike) -> Array:
    r"""Return $x \, \sigma(x)$ (Elfwing et al., 2017; also called swish).

    Raises:
        TypeError: `x` holds something other than numbers.
    """
    return floats(x) * sigmoid(x)


swish = silu


@_traceable
def gelu(x: ArrayLike) -> Array:
    r"""Return $x \, \Phi(x)$, with the normal distribution function $\Phi$.

    Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415.

    Raises:
        TypeError: `x` holds something other than numbers.
    """
    x = floats(x)
    return x * _normal_cdf(x)


@_traceable
def softmax(x: ArrayLike, axis: int = -1) -> Array:
    """Return `exp(x)`, scaled so that it sums to one along `axis`.

    Raises:
        TypeError: `x` holds something other than numbers.
    """
    x = floats(x)
    y: Array = np.exp(x - x.max(axis, keepdims=True))  # the shift avoids overflow
    y /= y.sum(axis, keepdims=True)
    return y


@_traceable
def log_softmax(x: ArrayLike, axis: int = -1) -> Array:
    """Return the logarithm of `softmax(x, axis)`, which stays finite where that rounds to 0.

    Raises:
        TypeError: `x` holds something other than numbers.
    """
    x = floats(x)
    x = x - x.max(axis, keepdims=True)  # avoids overflow
    return np.asarray(x - np.log(np.exp(x).sum(axis, keepdims=True)))


class _Rules(dict[Activation, Rule]):
    """A table that says what to do when a rule is missing."""

    def __missing__(self, function: Activation) -> Rule:
        raise KeyError(f"No derivative rule for {function}: add one to the table activations.vjp.")


def _relu_slope(
    dy: Array,
    z: Array,
    y: Array,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Array:
    if negative_slope == threshold == 0 and max_value is None:
        return dy * (y > 0)
    dz = dy * ((z > threshold) & (z < (np.inf if max_value is None else max_value)))
    return np.asarray(dz + negative_slope * dy * (z <= threshold) if negative_slope else dz)


def _leaky_slope(dy: Array, z: Array, y: Array, negative_slope: float = 0.2) -> Array:
    return np.where(z > 0, dy, negative_slope * dy)


def _elu_slope(dy: Array, z: Array, y: Array, alpha: float = 1.0) -> Array:
    return np.where(z > 0, dy, dy * (y + alpha))


def _softmax_slope(dy: Array, z: Array, y: Array, axis: int = -1) -> Array:
    return np.asarray(y * (dy - (dy * y).sum(axis, keepdims=True)))


def _log_softmax_slope(dy: Array, z: Array, y: Array, axis: int = -1) -> Array:
    return np.asarray(dy - np.exp(y) * dy.sum(axis, keepdims=True))


vjp: dict[Activation, Rule] = _Rules()
vjp |= {
    linear: lambda dy, z, y: dy,
    relu: _relu_slope,
    relu6: lambda dy, z, y: dy * ((y > 0) & (y < 6)),
    leaky_relu: _leaky_slope,
    elu: _elu_slope,
    selu: lambda dy, z, y: dy * np.where(z > 0, _SELU_SCALE, y + _SELU_SCALE * _SELU_ALPHA),
    sigmoid: lambda dy, z, y: dy * y * (1 - y),
    tanh: lambda dy, z, y: dy * (1 - y * y),
    softplus: lambda dy, z, y: dy * sigmoid(z),
    silu: lambda dy, z, y: dy * (y + sigmoid(z) * (1 - y)),
    gelu: lambda dy, z, y: dy * (_normal_cdf(z) + z * np.exp(-z * z / 2) / (2 * math.pi) ** 0.5),
    softmax: _softmax_slope,
    log_softmax: _log_softmax_slope,
}

_BY_NAME = {None: linear, "swish": silu} | {function.__name__: function for function in vjp}


def get(identifier: Identifier) -> Activation:
    """Return the function that a name, a function or `None` (for `linear`) stands for.

    Raises:
        ValueError: Unknown name, or not callable.
    """
    if callable(identifier):
        return identifier
    wanted = f"An activation is a function or one of {[*_BY_NAME]}"
    expect(identifier in [*_BY_NAME], wanted, repr(identifier))
    return _BY_NAME[identifier]


def floats(x: ArrayLike, name: str = "An activation's input") -> Array:
    """Return `x` as an array of floats; an array of floats is returned as it is."""
    array = numbers(name, x)
    return array if array.dtype.kind == "f" else array.astype(config.floatx())


def _normal_cdf(x: Array) -> Array:
    r"""Return the normal distribution function, to the last digits of the dtype of `x`.

    For $x = -\sqrt2 z < 0$ it is half of the complementary error function,

    $$
    \operatorname{erfc}(z) = \frac{2z}{\pi} e^{-z^2} \int_0^\infty \frac{e^{-t^2}}{t^2 + z^2} dt .
    $$

    The midpoint rule with steps of $h = 1/2$ gives the integral, except for the poles at
    $t = \pm iz$, which add $2 / (1 + e^{2 \pi z / h})$ to erfc, and for a relative error near
    $e^{-\pi^2 / h^2} < 10^{-17}$ (Hunter and Regan 1972, Mathematics of Computation 26).
    """
    z = 0.5**0.5 * np.abs(x)
    z2, middles = z * z, np.arange(0.25, 6, 0.5).tolist()
    integral = sum(0.5 * math.exp(-t * t) / (t * t + z2) for t in middles)
    poles = 1 / (1 + np.exp(4 * math.pi * np.minimum(z, 6)))
    tail: Array = z / math.pi * np.exp(-z2) * integral + poles
    return np.where(x < 0, tail, 1 - tail)
