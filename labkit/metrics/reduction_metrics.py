"""Weighted means: of plain values, and of what a function says about each sample."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from labkit._common import Array, expect, numbers
from labkit.losses.loss import Weight, spread
from labkit.metrics.metric import Metric


class Average(Metric):
    """Base of the metrics that are weighted means: `totals` gives what they add."""

    direction = 1
    supports_masking = True

    def score(self, sums: Array) -> float:
        """See `Metric.score`."""
        return float(sums[0] / sums[1]) if sums[1] else 0.0


class Mean(Average):
    """Weighted mean of plain values, such as losses.

    Args:
        name: Shown in logs.
    """

    direction = -1  # as losses

    # As in Keras, plain values have no targets.
    def update_state(self, values: ArrayLike, sample_weight: Weight = None) -> None:  # type: ignore[override]
        """Add values, `(batch, ...)`, with one weight for each sample or value."""
        self.sums = self.sums + totals(numbers("values", values), sample_weight)


class MeanMetricWrapper(Average):
    """Mean of what a function returns; `compile` makes one of each function among its metrics.

    Args:
        fn: `fn(y_true, y_pred)` returns a value for each sample, `(batch, ...)`. Targets `(batch,)`
            are passed as `(batch, 1)` where predictions have this shape.
        name: Shown in logs; `None` means the function's name.
        **kwargs: Further arguments of the function.
    """

    direction = 0

    def __init__(
        self, fn: Callable[..., ArrayLike], name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name or getattr(fn, "__name__", type(fn).__name__))
        self.fn, self.options = fn, kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Weight = None) -> None:
        """See `Metric.update_state`."""
        t, p = numbers("y_true", y_true), numbers("y_pred", y_pred)
        t = t[:, None] if (*t.shape, 1) == p.shape else t
        values = numbers(f"What {self.name} returns", self.fn(t, p, **self.options))
        self.sums = self.sums + totals(values, sample_weight)


def totals(values: Array, sample_weight: Weight) -> Array:
    """Return the weighted sum of values and that of weights; each sample counts once."""
    v = np.array(values, "float64", ndmin=1)
    expect(v.size, "A mean needs values", f"shape={v.shape}")
    w = spread(sample_weight, v)
    return np.array([np.vdot(w, v), w.sum()]) * (len(v) / v.size)
