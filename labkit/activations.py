"""Activation functions, and one table with the derivative rule of each.

A rule `vjp[f](dy, z, y)` turns the loss's gradient with respect to the output `y = f(z)`
into the gradient with respect to the input `z`. (VJP: vector-Jacobian product.) It may use
`z`, `y` or both, whichever makes it short.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from labkit import config
from labkit._typing import Array

__all__ = ["elu", "gelu", "leaky_relu", "linear", "relu", "sigmoid", "silu", "softmax", "softplus"]
__all__ += ["get", "tanh", "vjp"]

Activation = Callable[[Array], Array]
Rule = Callable[[Array, Array, Array], Array]


def _of_numbers(function: Callable[..., Array]) -> Callable[..., Array]:
    """Return the function with its input made an array of floats, or refused."""

    @functools.wraps(function)
    def wrapper(x: Any, *args: Any, **kwargs: Any) -> Array:
        x = np.asarray(x)
        if x.dtype.kind not in "biuf":
            raise TypeError(f"{function.__name__} expects numbers. Received: x.dtype={x.dtype}")
        return function(x if x.dtype.kind == "f" else x.astype(config.floatx()), *args, **kwargs)

    return wrapper


@_of_numbers
def linear(x: Array) -> Array:
    """Return `x` itself."""
    return x


@_of_numbers
def relu(x: Array) -> Array:
    """Return `x` where it is positive, else 0."""
    return np.maximum(x, 0)


@_of_numbers
def leaky_relu(x: Array, negative_slope: float = 0.2) -> Array:
    """Return `x` where it is positive, else `negative_slope * x`."""
    return np.where(x > 0, x, negative_slope * x)


@_of_numbers
def elu(x: Array, alpha: float = 1.0) -> Array:
    r"""Return `x` where it is positive, else $\alpha (e^x - 1)$."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


@_of_numbers
def sigmoid(x: Array) -> Array:
    r"""Return $1 / (1 + e^{-x})$, which is $e^x / (1 + e^x)$: neither power may overflow."""
    y: Array = np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))
    return y


@_of_numbers
def tanh(x: Array) -> Array:
    """Return the hyperbolic tangent."""
    return np.tanh(x)


@_of_numbers
def softplus(x: Array) -> Array:
    r"""Return $\ln(1 + e^x)$, a smooth relu."""
    return np.logaddexp(x, 0)


@_of_numbers
def silu(x: Array) -> Array:
    r"""Return $x \, \sigma(x)$ (Elfwing et al., 2017; also called swish)."""
    return x * sigmoid(x)


@_of_numbers
def gelu(x: Array, approximate: bool = False) -> Array:
    r"""Return $x \, \Phi(x)$, with the normal distribution function $\Phi$.

    Hendrycks and Gimpel (2016) give it, and the approximation

    $$
    \Phi(x) \approx (1 + \tanh(\sqrt{2/\pi} \, (x + 0.044715 x^3))) / 2 .
    $$

    Args:
        x: Any shape.
        approximate: Whether to use the approximation.
    """
    if not approximate:
        return x * _normal_cdf(x)
    inner = (2 / math.pi) ** 0.5 * (x + 0.044715 * x**3)
    y: Array = x * (0.5 + 0.5 * np.tanh(inner))
    return y


@_of_numbers
def softmax(x: Array, axis: int = -1) -> Array:
    """Return `exp(x)`, scaled so that it sums to one along `axis`."""
    y: Array = np.exp(x - x.max(axis, keepdims=True))  # the shift avoids overflow
    y /= y.sum(axis, keepdims=True)
    return y


class _Rules(dict[Activation, Rule]):
    """A table that says what to do when a rule is missing."""

    def __missing__(self, function: Activation) -> Rule:
        name = getattr(function, "__name__", repr(function))
        raise KeyError(
            f"No derivative rule for the activation {name}. "
            f"Add one: activations.vjp[{name}] = lambda dy, z, y: dy * ..."
        )


vjp: dict[Activation, Rule] = _Rules(
    {
        linear: lambda dy, z, y: dy,
        relu: lambda dy, z, y: dy * (y > 0),
        leaky_relu: lambda dy, z, y: np.where(z > 0, dy, 0.2 * dy),
        elu: lambda dy, z, y: np.where(z > 0, dy, dy * (y + 1)),
        sigmoid: lambda dy, z, y: dy * y * (1 - y),
        tanh: lambda dy, z, y: dy * (1 - y * y),
        softplus: lambda dy, z, y: dy * sigmoid(z),
        silu: lambda dy, z, y: dy * (y + sigmoid(z) * (1 - y)),
        gelu: lambda dy, z, y: dy * (_normal_cdf(z) + z * _normal_pdf(z)),
        softmax: lambda dy, z, y: y * (dy - (dy * y).sum(-1, keepdims=True)),
    }
)

_BY_NAME = {function.__name__: function for function in vjp}


def get(identifier: str | Activation | None) -> Activation:
    """Return the function that a name, a function or `None` (for `linear`) stands for.

    Raises:
        ValueError: Unknown name, or not callable.
    """
    if callable(identifier):
        return identifier
    if identifier is not None and identifier not in _BY_NAME:
        known = sorted(_BY_NAME)
        raise ValueError(f"Expected a function or one of {known}. Received: {identifier!r}")
    return _BY_NAME[identifier or "linear"]


def _normal_pdf(x: Array) -> Array:
    density: Array = (2 * math.pi) ** -0.5 * np.exp(-0.5 * x * x)
    return density


def _normal_cdf(x: Array) -> Array:
    """Return the normal distribution function, to the last digits of the dtype of `x`.

    For x < 0 it is `erfc(z) / 2` with `z = |x| / sqrt(2)`, and erfc has the smooth form
    `t exp(P(t) - z²)`, `t = 2 / (2 + z)`, with a polynomial P that is fitted below
    (Press et al., Numerical Recipes, 3rd edition, section 6.2.2).
    """
    z = 0.5**0.5 * np.abs(x)
    t = 2 / (2 + np.minimum(z, 6))  # from 1 to 1/4; beyond, the last digit does not change
    u, p = (t - 0.625) / 0.375, np.zeros_like(x)  # u: from 1 to -1
    for coefficient in _COEFFICIENTS:
        p *= u
        p += coefficient
    tail: Array = 0.5 * t * np.exp(p - z * z)
    return np.where(x < 0, tail, 1 - tail)


def _log_of_scaled_erfc(u: Array) -> Array:
    t: Array = 0.625 + 0.375 * u
    scaled = [math.erfc(z) * math.exp(z * z) for z in (2 / t - 2).tolist()]
    return np.asarray(np.log(scaled) - np.log(t))


_FIT = np.polynomial.Chebyshev.interpolate(_log_of_scaled_erfc, 20)
_COEFFICIENTS = _FIT.convert(kind=np.polynomial.Polynomial).coef[::-1].tolist()
