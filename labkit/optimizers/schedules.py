"""Learning rates that change with the number of training steps."""

import math
from bisect import bisect_left
from collections.abc import Sequence

__all__ = [
    "CosineDecay",
    "ExponentialDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
]


class LearningRateSchedule:
    """Base of all schedules: a function from the number of steps to a learning rate."""

    def __call__(self, step: int) -> float:
        """Return the learning rate after ``step`` steps."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(step).")


class ExponentialDecay(LearningRateSchedule):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: After so many steps the rate has shrunk by ``decay_rate``.
        decay_rate: The factor.
        staircase: Whether to shrink in jumps, each ``decay_steps``, instead of steadily.
        name: Not used in the computation.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        _check_positive("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: int) -> float:
        """Return the learning rate after ``step`` steps."""
        periods = step // self.decay_steps if self.staircase else step / self.decay_steps
        return float(self.initial_learning_rate * self.decay_rate**periods)


class PiecewiseConstantDecay(LearningRateSchedule):
    """``values[0]`` up to and including step ``boundaries[0]``, then ``values[1]`` and so on.

    Args:
        boundaries: Steps, strictly increasing.
        values: Learning rates, one more than boundaries.
        name: Not used in the computation.

    Raises:
        ValueError: If the lengths do not fit or the boundaries do not increase.
    """

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ) -> None:
        if len(values) != len(boundaries) + 1:
            raise ValueError(
                "values must hold one more number than boundaries. "
                f"Received: {len(values)} values, {len(boundaries)} boundaries."
            )
        if any(a >= b for a, b in zip(boundaries, boundaries[1:], strict=False)):
            raise ValueError(f"boundaries must increase. Received: {list(boundaries)}")
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: int) -> float:
        """Return the learning rate after ``step`` steps."""
        return float(self.values[bisect_left(self.boundaries, step)])


class CosineDecay(LearningRateSchedule):
    """Half a cosine from the initial rate down to ``alpha`` times it, after a linear warm-up.

    Loshchilov and Hutter 2016, https://arxiv.org/abs/1608.03983.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Length of the decay, which begins when the warm-up has ended.
        alpha: The last rate, as a share of the highest.
        name: Not used in the computation.
        warmup_target: The rate when the warm-up ends; ``None`` for no warm-up.
        warmup_steps: Length of the warm-up.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        _check_positive("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: int) -> float:
        """Return the learning rate after ``step`` steps."""
        start = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return start + (self.warmup_target - start) * step / self.warmup_steps
            start, step = self.warmup_target, step - self.warmup_steps
        done = min(step / self.decay_steps, 1)
        cosine = (1 + math.cos(math.pi * done)) / 2
        return start * ((1 - self.alpha) * cosine + self.alpha)


def _check_positive(name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{name} must be positive. Received: {value}")
