"""How far predicted numbers are from the true ones."""

from typing import Any, ClassVar

import numpy as np

from labkit import losses
from labkit._common import Array, expect
from labkit.losses.loss import Weight, spread
from labkit.metrics.metric import Metric, ratio
from labkit.metrics.reduction_metrics import Average, totals


class MeanLoss(Average):
    """Base of the metrics that are the mean of a loss; a subclass names the loss.

    Args:
        name: Shown in logs.
        **kwargs: Arguments of the loss.
    """

    direction = -1
    kind: ClassVar[type[losses.Loss]]

    def __init__(self, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name)
        self.loss = self.kind(**kwargs)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Weight = None) -> None:
        """See `Metric.update_state`."""
        values = self.loss.call(*self.loss.prepare(y_true, y_pred))
        self.sums = self.sums + totals(values, sample_weight)


class MeanSquaredError(MeanLoss):
    """Mean of `(y_pred - y_true)²`.

    Args:
        name: Shown in logs.
    """

    kind = losses.MeanSquaredError


class RootMeanSquaredError(Average):
    """Root of the mean of `(y_pred - y_true)²`, in the unit of the targets.

    As in Keras, it counts all steps of a sequence, also those that a mask leaves out.

    Args:
        name: Shown in logs.
    """

    direction = -1
    supports_masking = False

    def add(self, y_true: Array, y_pred: Array, sample_weight: Weight) -> Any:
        """See `Metric.add`."""
        return totals((y_pred - y_true) ** 2, sample_weight)

    def score(self, sums: Array) -> float:
        """See `Metric.score`."""
        return float(np.sqrt(super().score(sums)))


class MeanAbsoluteError(MeanLoss):
    """Mean of `|y_pred - y_true|`.

    Args:
        name: Shown in logs.
    """

    kind = losses.MeanAbsoluteError


class CosineSimilarity(Average):
    """Mean cosine of the angle between targets and predictions: 1 where the directions agree.

    Args:
        name: Shown in logs.
    """

    def add(self, y_true: Array, y_pred: Array, sample_weight: Weight) -> Any:
        """See `Metric.add`."""
        return totals(-losses.cosine_similarity(y_true, y_pred), sample_weight)


class R2Score(Metric):
    """`1 - sum((y_true - y_pred)²) / sum((y_true - mean(y_true))²)`: mean over the outputs.

    Args:
        name: Shown in logs.
    """

    direction = 1

    def add(self, y_true: Array, y_pred: Array, sample_weight: Weight) -> Any:
        """Return sums of weights, targets, squares and squared errors, `(4, outputs)`."""
        expect(y_true.ndim == 2, "R2Score expects (batch, outputs)", y_true.shape)
        t = y_true.astype("float64")
        w = spread(sample_weight, t)
        return np.stack([w, w * t, w * t * t, w * (t - y_pred) ** 2]).sum(axis=1)

    def score(self, sums: Array) -> float:
        """Return the score; an output whose targets do not vary scores 0."""
        count, total, squares, errors = sums
        variation = squares - total * ratio(total, count)
        return float(np.where(variation > 0, 1 - ratio(errors, variation), 0).mean())
