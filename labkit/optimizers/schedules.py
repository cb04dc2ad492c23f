"""Learning rates that change with the number of training steps."""

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from labkit._common import expect
from labkit._missing import left_out

__all__ = ["CosineDecay", "ExponentialDecay", "LearningRateSchedule", "PiecewiseConstantDecay"]

if not TYPE_CHECKING:
    __getattr__ = left_out(__name__)


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
    """Half a cosine, from the first rate down to `alpha` times that, perhaps after a warm-up.

    Loshchilov and Hutter 2016, https://arxiv.org/abs/1608.03983. The warm-up is a straight line
    from the first rate to a higher one, where the cosine begins: large steps at once may lead
    far astray (Goyal et al. 2017, https://arxiv.org/abs/1706.02677, section 2.2).

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Length of the decay; afterwards the rate is constant.
        alpha: The last rate, as a share of the one where the decay begins.
        warmup_target: The rate at the end of the warm-up; `None` for no warm-up.
        warmup_steps: Length of the warm-up, which comes before the decay.

    Raises:
        ValueError: `decay_steps` is not positive, or one of the two arguments of the warm-up is
            missing.
    """

    alpha: float = 0.0
    _: KW_ONLY
    warmup_target: float | None = None
    warmup_steps: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        both = (self.warmup_target is not None) == (self.warmup_steps > 0)
        expect(both, "A warm-up needs warmup_target and a positive warmup_steps", self)

    def __call__(self, step: float) -> float:
        """Return the learning rate after `step` steps."""
        first, highest = self.initial_learning_rate, self.warmup_target
        if highest is None:
            highest = first
        elif step < self.warmup_steps:
            return first + (highest - first) * step / self.warmup_steps
        share = min((step - self.warmup_steps) / self.decay_steps, 1)
        cosine = (1 + math.cos(math.pi * share)) / 2
        return highest * ((1 - self.alpha) * cosine + self.alpha)


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
