"""Shares of answers that are right: yes or no, one class of several, one of the best few."""

from typing import Any

import numpy as np

from labkit._common import Array, expect
from labkit.losses.loss import Weight
from labkit.metrics.reduction_metrics import Average, totals


class BinaryAccuracy(Average):
    """Share of yes/no answers that are right: `(y_pred > threshold) == y_true`.

    Args:
        threshold: A prediction above it means yes.
        **kwargs: `name`, as in `Metric`.

    Raises:
        ValueError: The threshold is not between 0 and 1.
    """

    def __init__(self, *, threshold: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        expect(0 < threshold < 1, "threshold must be between 0 and 1", threshold)
        self.threshold = threshold

    def add(self, y_true: Array, y_pred: Array, sample_weight: Weight) -> Any:
        """See `Metric.add`."""
        return totals((y_pred > self.threshold) == y_true, sample_weight)


class CategoricalAccuracy(Average):
    """Share of samples whose highest score is at the class of the one-hot target.

    Args:
        name: Shown in logs.
    """

    def add(self, y_true: Array, y_pred: Array, sample_weight: Weight) -> Any:
        """See `Metric.add`."""
        return totals(y_true.argmax(axis=-1) == y_pred.argmax(axis=-1), sample_weight)


class SparseCategoricalAccuracy(CategoricalAccuracy):
    """Share of samples whose highest score is at the target, an integer label.

    Args:
        name: Shown in logs.
    """

    sparse = True


class Accuracy(CategoricalAccuracy):
    """What `"accuracy"` means in Keras's `compile`, by the shapes of a batch."""

    sparse = None

    def add(self, y_true: Array, y_pred: Array, sample_weight: Weight) -> Any:
        """See `Metric.add`."""
        kind = BinaryAccuracy if y_pred.shape[-1] == 1 else CategoricalAccuracy
        return kind().add(y_true, y_pred, sample_weight)


class TopKCategoricalAccuracy(Average):
    """Share of samples whose one-hot target is among the `k` highest scores.

    Args:
        k: How many of the highest scores count.
        **kwargs: `name`, as in `Metric`.
    """

    def __init__(self, k: int = 5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.k = k

    def add(self, y_true: Array, y_pred: Array, sample_weight: Weight) -> Any:
        """See `Metric.add`."""
        score = np.take_along_axis(y_pred, y_true.argmax(axis=-1, keepdims=True), axis=-1)
        return totals((y_pred > score).sum(axis=-1) < self.k, sample_weight)


class SparseTopKCategoricalAccuracy(TopKCategoricalAccuracy):
    """Share of samples whose integer label is among the `k` highest scores.

    Args:
        k: How many of the highest scores count.
        **kwargs: `name`, as in `Metric`.
    """

    sparse = True
