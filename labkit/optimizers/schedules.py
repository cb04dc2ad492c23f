"""Learning rates that change with the number of training steps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from labkit._common import expect

__all__ = ["CosineDecay", "ExponentialDecay", "LearningRateSchedule", "PiecewiseConstantDecay"]


class LearningRateSchedule:
    """Base of all schedules: a function from the number of steps to a learning rate."""

    def __call__(self, step: float) -> float:
        """Return the learning rate after `step` steps."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(step).")


@dataclass
class _Decay(LearningRateSchedule):
    initial_learning_rate: float
    decay_steps: float

    def __post_init__(self) -> None:
        expect(self.decay_steps > 0, "decay_steps must be positive", self.decay_steps)


@dataclass
class ExponentialDecay(_Decay):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Number of steps in which the rate is multiplied by `decay_rate` once.
        decay_rate: The factor.

    Raises:
        ValueError: `decay_steps` is not positive.
    """

    decay_rate: float

    def __call__(self, step: float) -> float:
        """Return the learning rate after `step` steps."""
        return float(self.initial_learning_rate * self.decay_rate ** (step / self.decay_steps))


@dataclass
class CosineDecay(_Decay):
    """Half a cosine, from the first rate down to `alpha` times that.

    Loshchilov and Hutter 2016, https://arxiv.org/abs/1608.03983.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Length of the decay; afterwards the rate is constant.
        alpha: The last rate, as a share of the first.

    Raises:
        ValueError: `decay_steps` is not positive.
    """

    alpha: float = 0.0

    def __call__(self, step: float) -> float:
        """Return the learning rate after `step` steps."""
        cosine = (1 + math.cos(math.pi * min(step / self.decay_steps, 1))) / 2
        return self.initial_learning_rate * ((1 - self.alpha) * cosine + self.alpha)


@dataclass
class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[0]` up to and including step `boundaries[0]`, then `values[1]` and so on.

    Args:
        boundaries: Steps, strictly increasing.
        values: Learning rates, one more than boundaries.

    Raises:
        ValueError: The lengths do not fit, or the boundaries do not increase.
    """

    boundaries: Sequence[float]
    values: Sequence[float]

    def __post_init__(self) -> None:
        steps = list(self.boundaries)
        expect(steps == sorted(set(steps)), "boundaries must increase", steps)
        expect(len(self.values) == len(steps) + 1, "values are one more than boundaries", self)

    def __call__(self, step: float) -> float:
        """Return the learning rate after `step` steps."""
        return float(self.values[sum(step > boundary for boundary in self.boundaries)])
