"""First values of weights, drawn so that signals neither vanish nor explode.

Random initializers take a `seed`: with one they draw from a stream of their own, the same
at each call; with `None` from the stream that `labkit.utils.set_random_seed` restarts.
"""

import math
import re
from typing import Literal, get_args

import numpy as np

from labkit import _random, config
from labkit._typing import Array

__all__ = ["Constant", "Initializer", "Ones", "Orthogonal", "Zeros", "get"]
__all__ += ["RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling"]
__all__ += ["GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform"]

Mode = Literal["fan_in", "fan_out", "fan_avg"]
Distribution = Literal["truncated_normal", "untruncated_normal", "uniform"]


class Initializer:
    """A recipe for a new array: call it with a shape."""

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> Array:
        """Return a new array of that shape; `dtype=None` means `config.floatx()`."""
        if any(size < 0 for size in shape):
            raise ValueError(f"A shape has sizes >= 0. Received: shape={shape}")
        values = np.empty(shape, dtype or config.floatx())
        values[...] = self.draw(tuple(shape))
        return values

    def draw(self, shape: tuple[int, ...]) -> Array | float:
        """Return the values in any float type (or one value for all)."""
        raise NotImplementedError


class Constant(Initializer):
    """The same value everywhere."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

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


class RandomNormal(Initializer):
    """Normal numbers with a `mean` and a standard deviation `stddev`; `seed` as above.

    Raises:
        ValueError: `stddev` is negative.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        if not stddev >= 0:
            raise ValueError(f"stddev must be >= 0. Received: stddev={stddev}")
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def draw(self, shape: tuple[int, ...]) -> Array:
        """Return the numbers in float64."""
        return _random.generator(self.seed).normal(self.mean, self.stddev, shape)


class TruncatedNormal(RandomNormal):
    """Normal numbers, drawn again where they lie over two standard deviations away."""

    def draw(self, shape: tuple[int, ...]) -> Array:
        """Return the numbers in float64."""
        random = _random.generator(self.seed)
        values = random.normal(size=shape)
        while (far := np.abs(values) > 2).any():
            values[far] = random.normal(size=np.count_nonzero(far))
        return self.mean + self.stddev * values


class RandomUniform(Initializer):
    """Numbers from `minval` to `maxval`, each value equally likely; `seed` as above.

    Raises:
        ValueError: `minval` exceeds `maxval`.
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None
    ) -> None:
        if not minval <= maxval:
            raise ValueError(f"minval must be <= maxval. Received: {minval}, {maxval}")
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def draw(self, shape: tuple[int, ...]) -> Array:
        """Return the numbers in float64."""
        return _random.generator(self.seed).uniform(self.minval, self.maxval, shape)


class VarianceScaling(Initializer):
    """Numbers whose variance is `scale / n`, with n the inputs or outputs of one unit.

    Args:
        scale: Variance times n.
        mode: n is the inputs (`"fan_in"`), the outputs (`"fan_out"`) or their mean
            (`"fan_avg"`).
        distribution: `"truncated_normal"`, `"untruncated_normal"` or `"uniform"`.
        seed: As above.

    Raises:
        ValueError: A scale that is not positive, an unknown mode or distribution.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: Mode = "fan_in",
        distribution: Distribution = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        if not scale > 0:
            raise ValueError(f"scale must be > 0. Received: scale={scale}")
        for value, known in ((mode, get_args(Mode)), (distribution, get_args(Distribution))):
            if value not in known:
                raise ValueError(f"Expected one of {known}. Received: {value!r}")
        self.scale, self.mode, self.distribution, self.seed = (scale, mode, distribution, seed)

    def draw(self, shape: tuple[int, ...]) -> Array:
        """Return the numbers in float64."""
        window = math.prod(shape[:-2])  # of a kernel (height, width, inputs, outputs)
        fan_in, fan_out = (window * n for n in shape[-2:]) if len(shape) > 1 else shape * 2
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        stddev = math.sqrt(self.scale / max(1.0, n[self.mode]))
        if self.distribution == "uniform":
            limit = math.sqrt(3) * stddev  # the variance of numbers from -a to a is a² / 3
            return RandomUniform(-limit, limit, self.seed).draw(shape)
        if self.distribution == "untruncated_normal":
            return RandomNormal(0.0, stddev, self.seed).draw(shape)
        return TruncatedNormal(0.0, stddev / _TRUNCATED_STDDEV, self.seed).draw(shape)


class GlorotUniform(VarianceScaling):
    """Variance `2 / (inputs + outputs)`, uniform (Glorot and Bengio, 2010)."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed)


class GlorotNormal(VarianceScaling):
    """Variance `2 / (inputs + outputs)`, truncated normal (Glorot and Bengio, 2010)."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed)


class HeUniform(VarianceScaling):
    """Variance `2 / inputs`, uniform: for ReLU, which halves it (He et al., 2015)."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed)


class HeNormal(VarianceScaling):
    """Variance `2 / inputs`, truncated normal: for ReLU (He et al., 2015)."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed)


class LecunUniform(VarianceScaling):
    """Variance `1 / inputs`, uniform (LeCun et al., 1998)."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed)


class LecunNormal(VarianceScaling):
    """Variance `1 / inputs`, truncated normal (LeCun et al., 1998)."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed)


class Orthogonal(Initializer):
    """A random matrix with orthonormal rows or columns, whichever are fewer.

    It turns a signal without changing its length (Saxe et al., 2014). More than two axes
    are folded into (everything but the last, last).

    Args:
        gain: Factor on the matrix.
        seed: As above.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain, self.seed = gain, seed

    def draw(self, shape: tuple[int, ...]) -> Array:
        """Return the matrix in float64.

        Raises:
            ValueError: Fewer than two axes.
        """
        if len(shape) < 2:
            raise ValueError(f"Orthogonal expects two axes or more. Received: shape={shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = max(rows, columns), min(rows, columns)
        q, r = np.linalg.qr(_random.generator(self.seed).normal(size=tall))
        q *= np.sign(np.diag(r))  # makes every rotation equally likely (Mezzadri, 2007)
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


# Standard deviation of a standard normal number that is drawn again outside ±2:
# the variance is 1 - 2·2·φ(2) / (2·Φ(2) - 1).
_TRUNCATED_STDDEV = math.sqrt(
    1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2))
)


def get(identifier: str | Initializer) -> Initializer:
    """Return the initializer that a name stands for (`"he_normal"`), or itself.

    Raises:
        ValueError: Unknown name, or not an initializer.
    """
    if isinstance(identifier, Initializer):
        return identifier
    if identifier not in _BY_NAME:
        known = sorted(_BY_NAME)
        raise ValueError(f"Expected an Initializer or one of {known}. Received: {identifier!r}")
    return _BY_NAME[identifier]()


_CLASSES = [globals()[name] for name in __all__ if name not in ("Initializer", "get")]
_BY_NAME: dict[str, type[Initializer]] = {
    re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower(): cls for cls in _CLASSES
} | {"uniform": RandomUniform}
