"""Learning rates that change with the number of training steps."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["CosineDecay", "ExponentialDecay", "LearningRateSchedule", "PiecewiseConstantDecay"]


class LearningRateSchedule:
    """Base of all schedules: a function from the number of steps to a learning rate."""

    def __call__(self, step: float) -> float:
        """Return the learning rate after `step` steps."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(step).")


@dataclass
class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: After so many steps the rate has been multiplied by `decay_rate`.
        decay_rate: The factor.
        staircase: Whether to go down in jumps, one each `decay_steps`.

    Raises:
        ValueError: `decay_steps` is not positive.
    """

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool = False

    def __post_init__(self) -> None:
        _check_positive(decay_steps=self.decay_steps)

    def __call__(self, step: float) -> float:
        """Return the learning rate after `step` steps."""
        periods = step // self.decay_steps if self.staircase else step / self.decay_steps
        return float(self.initial_learning_rate * self.decay_rate**periods)


@dataclass
class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[0]` up to and including step `boundaries[0]`, then `values[1]` and so on.

    Args:
        boundaries: Steps, strictly increasing.
        values: Learning rates, one more than boundaries.

    Raises:
        ValueError: If the lengths do not fit or the boundaries do not increase.
    """

    boundaries: Sequence[float]
    values: Sequence[float]

    def __post_init__(self) -> None:
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                "values must hold one more number than boundaries. "
                f"Received: {len(self.values)} values, {len(self.boundaries)} boundaries."
            )
        if any(a >= b for a, b in pairwise(self.boundaries)):
            raise ValueError(f"boundaries must increase. Received: {list(self.boundaries)}")

    def __call__(self, step: float) -> float:
        """Return the learning rate after `step` steps."""
        return float(self.values[bisect_left(self.boundaries, step)])


@dataclass
class CosineDecay(LearningRateSchedule):
    """Half a cosine down to `alpha` times the first rate, after a linear warm-up.

    Loshchilov and Hutter 2016, https://arxiv.org/abs/1608.03983.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Length of the decay, which begins when the warm-up has ended.
        alpha: The last rate, as a share of the highest.
        name: Not used; in this place because Keras has it here.
        warmup_target: The rate when the warm-up ends; `None` for no warm-up.
        warmup_steps: Length of the warm-up.

    Raises:
        ValueError: A number of steps is not positive.
    """

    initial_learning_rate: float
    decay_steps: float
    alpha: float = 0.0
    name: str = "CosineDecay"
    warmup_target: float | None = None
    warmup_steps: float = 0

    def __post_init__(self) -> None:
        _check_positive(decay_steps=self.decay_steps)
        if self.warmup_target is not None:
            _check_positive(warmup_steps=self.warmup_steps)

    def __call__(self, step: float) -> float:
        """Return the learning rate after `step` steps."""
        start = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return start + (self.warmup_target - start) * step / self.warmup_steps
            start, step = self.warmup_target, step - self.warmup_steps
        done = min(step / self.decay_steps, 1)
        cosine = (1 + math.cos(math.pi * done)) / 2
        return start * ((1 - self.alpha) * cosine + self.alpha)


def _check_positive(**values: float) -> None:
    for name, value in values.items():
        if not value > 0:
            raise ValueError(f"{name} must be positive. Received: {value}")
