"""First values of weights, drawn so that signals neither vanish nor explode."""

import math
from typing import Literal

import numpy as np

from labkit import _random, config
from labkit._typing import Array

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "get",
]

Shape = tuple[int, ...]


class Initializer:
    """A recipe for a new array: call it with a shape."""

    def __call__(self, shape: Shape, dtype: str | None = None) -> Array:
        """Return a new array of that shape; `dtype=None` means `config.floatx()`."""
        shape = tuple(shape)
        if any(size < 0 for size in shape):
            raise ValueError(f"A shape has sizes >= 0. Received: shape={shape}")
        values = np.empty(shape, dtype or config.floatx())
        values[...] = self.draw(shape)
        return values

    def draw(self, shape: Shape) -> Array | float:
        """Return the values in any float type (or one value for all)."""
        raise NotImplementedError


class Constant(Initializer):
    """The same value everywhere."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def draw(self, shape: Shape) -> float:
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
    """Independent normal numbers.

    Args:
        mean: Their mean.
        stddev: Their standard deviation.
        seed: A stream of its own, the same at each call; `None` means the shared stream.
    """

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None
    ) -> None:
        self.mean, self.stddev, self.seed = mean, _non_negative("stddev", stddev), seed

    def draw(self, shape: Shape) -> Array:
        """Return the numbers in float64."""
        return _random.generator(self.seed).normal(self.mean, self.stddev, shape)


class TruncatedNormal(RandomNormal):
    """Normal numbers, drawn again where they lie over two standard deviations away."""

    def draw(self, shape: Shape) -> Array:
        """Return the numbers in float64."""
        return self.mean + self.stddev * _truncated_normal(
            _random.generator(self.seed), shape
        )


class RandomUniform(Initializer):
    """Independent numbers, each value between two bounds equally likely.

    Args:
        minval: Lower bound.
        maxval: Upper bound.
        seed: A stream of its own, the same at each call; `None` means the shared stream.
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None
    ) -> None:
        if not minval <= maxval:
            raise ValueError(
                f"minval must not exceed maxval. Received: minval={minval}, maxval={maxval}"
            )
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def draw(self, shape: Shape) -> Array:
        """Return the numbers in float64."""
        return _random.generator(self.seed).uniform(self.minval, self.maxval, shape)


class VarianceScaling(Initializer):
    """Numbers whose variance is `scale / n`, with n the inputs or outputs of one unit.

    Args:
        scale: Variance times n.
        mode: n is the inputs (`"fan_in"`), the outputs (`"fan_out"`) or their mean
            (`"fan_avg"`).
        distribution: `"truncated_normal"`, `"untruncated_normal"` or `"uniform"`.
        seed: A stream of its own, the same at each call; `None` means the shared stream.

    Raises:
        ValueError: A scale that is not positive, an unknown mode or distribution.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in",
        distribution: Literal[
            "truncated_normal", "untruncated_normal", "uniform"
        ] = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        if not scale > 0:
            raise ValueError(f"scale must be > 0. Received: scale={scale}")
        for name, value, known in (
            ("mode", mode, ("fan_in", "fan_out", "fan_avg")),
            (
                "distribution",
                distribution,
                ("truncated_normal", "untruncated_normal", "uniform"),
            ),
        ):
            if value not in known:
                raise ValueError(f"{name} must be one of {known}. Received: {value!r}")
        self.scale, self.mode, self.distribution, self.seed = (
            scale,
            mode,
            distribution,
            seed,
        )

    def draw(self, shape: Shape) -> Array:
        """Return the numbers in float64."""
        fan_in, fan_out = _fans(shape)
        fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        variance = self.scale / max(1.0, fans[self.mode])
        random = _random.generator(self.seed)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)  # a uniform number on ±limit varies by limit²/3
            return random.uniform(-limit, limit, shape)
        if self.distribution == "untruncated_normal":
            return random.normal(0, math.sqrt(variance), shape)
        return math.sqrt(variance) / _TRUNCATED_STDDEV * _truncated_normal(random, shape)


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
        seed: A stream of its own, the same at each call; `None` means the shared stream.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain, self.seed = gain, seed

    def draw(self, shape: Shape) -> Array:
        """Return the matrix in float64.

        Raises:
            ValueError: Fewer than two axes.
        """
        if len(shape) < 2:
            raise ValueError(
                f"Orthogonal expects two axes or more. Received: shape={shape}"
            )
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

_BY_NAME: dict[str, type[Initializer]] = {
    "constant": Constant,
    "glorot_normal": GlorotNormal,
    "glorot_uniform": GlorotUniform,
    "he_normal": HeNormal,
    "he_uniform": HeUniform,
    "lecun_normal": LecunNormal,
    "lecun_uniform": LecunUniform,
    "ones": Ones,
    "orthogonal": Orthogonal,
    "random_normal": RandomNormal,
    "random_uniform": RandomUniform,
    "truncated_normal": TruncatedNormal,
    "uniform": RandomUniform,
    "variance_scaling": VarianceScaling,
    "zeros": Zeros,
}


def get(identifier: str | Initializer) -> Initializer:
    """Return the initializer that a name stands for, or the initializer itself.

    Raises:
        ValueError: Unknown name, or not an initializer.
    """
    if isinstance(identifier, Initializer):
        return identifier
    if isinstance(identifier, str) and identifier in _BY_NAME:
        return _BY_NAME[identifier]()
    raise ValueError(
        f"Unknown initializer: {identifier!r}. Expected one of {sorted(_BY_NAME)} "
        "or an Initializer."
    )


def _fans(shape: Shape) -> tuple[float, float]:
    """Return how many inputs one output sums, and how many outputs one input feeds."""
    if len(shape) < 2:
        size = float(math.prod(shape))
        return size, size
    window = math.prod(shape[:-2])  # of a convolution kernel: (height, width, in, out)
    return float(window * shape[-2]), float(window * shape[-1])


def _truncated_normal(random: np.random.Generator, shape: Shape) -> Array:
    values = random.normal(size=shape)
    while (far := np.abs(values) > 2).any():
        values[far] = random.normal(size=int(far.sum()))
    return values


def _non_negative(name: str, value: float) -> float:
    if not value >= 0:
        raise ValueError(f"{name} must be >= 0. Received: {name}={value}")
    return value
