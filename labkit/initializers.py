"""First values of weights, drawn so that signals neither vanish nor explode.

Random initializers draw from the one stream that `labkit.utils.set_random_seed` restarts.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from labkit import config
from labkit._common import Array, expect, named, rng
from labkit._missing import left_out

__all__ = ["Constant", "Initializer", "Ones", "Orthogonal", "Zeros", "get"]
__all__ += ["RandomNormal", "RandomUniform", "TruncatedNormal"]
__all__ += ["GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform"]

if not TYPE_CHECKING:
    __getattr__ = left_out(__name__)


# Standard deviation of a standard normal number that is drawn again outside ±2:
# sqrt(1 - 2·2·φ(2) / (2·Φ(2) - 1)).
TRUNCATED_STDDEV = 0.8796256610342398


class Initializer:
    """A recipe for a new array: call it with a shape. A subclass defines `draw`."""

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> Array:
        """Return a new array of that shape; `dtype=None` means `config.floatx()`.

        Raises:
            ValueError: The shape is not a tuple of integers, or one of them is negative.
        """
        sizes = shape if isinstance(shape, tuple | list) else (None,)
        fits = all(isinstance(size, int | np.integer) and size >= 0 for size in sizes)
        expect(fits, "An initializer expects a tuple of integers >= 0", f"{shape=}")
        return np.full(shape, self.draw(tuple(shape)), dtype or config.floatx())

    def draw(self, shape: tuple[int, ...]) -> Array | float:
        """Return the values in any float type (or one value for all)."""
        raise NotImplementedError


@dataclass
class Constant(Initializer):
    """The same value everywhere."""

    value: float = 0.0

    def draw(self, shape: tuple[int, ...]) -> float:
        """Return the value."""
        return self.value


class Zeros(Constant):
    """Zeros: for biases."""

    def __init__(self) -> None:
        super().__init__(0.0)


class Ones(Constant):
    """Ones: for scales."""

    def __init__(self) -> None:
        super().__init__(1.0)


@dataclass
class RandomNormal(Initializer):
    """Normal numbers with a `mean` and a standard deviation `stddev`.

    Raises:
        ValueError: `stddev` is negative.
    """

    mean: float = 0.0
    stddev: float = 0.05

    def __post_init__(self) -> None:
        expect(self.stddev >= 0, "stddev must be >= 0", self.stddev)

    def draw(self, shape: tuple[int, ...]) -> Array:
        """Return the numbers in float64."""
        return rng.normal(self.mean, self.stddev, shape)


class TruncatedNormal(RandomNormal):
    """Normal numbers, redrawn where they are over two standard deviations from the mean."""

    def draw(self, shape: tuple[int, ...]) -> Array:
        """Return the numbers in float64."""
        normal = rng.normal
        values = normal(size=shape)
        while (far := np.abs(values) > 2).any():
            values[far] = normal(size=np.count_nonzero(far))
        return self.mean + self.stddev * values


@dataclass
class RandomUniform(Initializer):
    """Numbers from `minval` to `maxval`, each value equally likely.

    Raises:
        ValueError: `minval` is above `maxval`.
    """

    minval: float = -0.05
    maxval: float = 0.05

    def __post_init__(self) -> None:
        expect(self.minval <= self.maxval, "minval must not be above maxval", self)

    def draw(self, shape: tuple[int, ...]) -> Array:
        """Return the numbers in float64."""
        return rng.uniform(self.minval, self.maxval, shape)


class _VarianceScaling(Initializer):
    """Numbers of variance `scale / fan`, so that a sum over a unit's inputs keeps its size.

    The fan is the number of inputs of a unit, or its mean with the number of outputs. The
    subclasses choose by their attributes.
    """

    scale, mode, distribution = 1.0, "fan_in", "truncated_normal"

    def draw(self, shape: tuple[int, ...]) -> Array:
        """Return the numbers in float64."""
        # A kernel's shape is (height, width, inputs, outputs), or just (inputs, outputs).
        *window, inputs, outputs = shape if len(shape) > 1 else (shape or (1,)) * 2
        fan = inputs if self.mode == "fan_in" else (inputs + outputs) / 2
        stddev = math.sqrt(self.scale / max(1, math.prod(window) * fan))
        if self.distribution == "uniform":
            limit = math.sqrt(3) * stddev  # the variance of numbers from -a to a is a² / 3
            return RandomUniform(-limit, limit).draw(shape)
        return TruncatedNormal(0.0, stddev / TRUNCATED_STDDEV).draw(shape)


class GlorotUniform(_VarianceScaling):
    """Variance `2 / (inputs + outputs)`, uniform (Glorot and Bengio, 2010)."""

    mode, distribution = "fan_avg", "uniform"


class GlorotNormal(_VarianceScaling):
    """Variance `2 / (inputs + outputs)`, truncated normal (Glorot and Bengio, 2010)."""

    mode = "fan_avg"


class HeUniform(_VarianceScaling):
    """Variance `2 / inputs`, uniform: for ReLU, which halves it (He et al., 2015)."""

    scale, distribution = 2.0, "uniform"


class HeNormal(_VarianceScaling):
    """Variance `2 / inputs`, truncated normal: for ReLU (He et al., 2015)."""

    scale = 2.0


class LecunUniform(_VarianceScaling):
    """Variance `1 / inputs`, uniform (LeCun et al., 1998)."""

    distribution = "uniform"


class LecunNormal(_VarianceScaling):
    """Variance `1 / inputs`, truncated normal (LeCun et al., 1998)."""


@dataclass
class Orthogonal(Initializer):
    """A random matrix with orthonormal rows or columns, whichever are fewer.

    It rotates a signal without changing its length (Saxe et al., 2014). More than two axes
    are folded into (everything but the last, last).

    Args:
        gain: Factor on the matrix.
    """

    gain: float = 1.0

    def draw(self, shape: tuple[int, ...]) -> Array:
        """Return the matrix in float64.

        Raises:
            ValueError: Fewer than two axes.
        """
        expect(len(shape) >= 2, "Orthogonal expects two axes or more", f"{shape=}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = max(rows, columns), min(rows, columns)
        q, r = np.linalg.qr(rng.normal(size=tall))
        q *= np.sign(np.diag(r))  # makes every rotation equally likely (Mezzadri, 2007)
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


def get(identifier: str | Initializer) -> Initializer:
    """Return the initializer that a name stands for (`"he_normal"`), or itself.

    Raises:
        ValueError: Unknown name, or not an initializer.
    """
    kinds: list[type[Initializer]] = [Zeros, Ones, Constant, RandomUniform, RandomNormal]
    kinds += [TruncatedNormal, GlorotUniform, GlorotNormal, HeUniform, HeNormal]
    kinds += [LecunUniform, LecunNormal, Orthogonal]
    return named(identifier, Initializer, kinds, uniform=RandomUniform)
