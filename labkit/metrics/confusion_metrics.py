"""Counts of right and wrong answers, and the rates that follow from them."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from labkit._common import Array, expect
from labkit.losses.loss import Weight, spread
from labkit.metrics.metric import Metric, ratio


class _Thresholded(Metric):
    """Base of the metrics that count predictions above each of some rising thresholds."""

    direction = 1
    edges: Array

    def add(self, y_true: Array, y_pred: Array, sample_weight: Weight) -> Any:
        """Return the weight of the targets 0 and 1, `(2, 1 + thresholds)`.

        The first column holds all of them, the others those above each threshold.
        """
        fits = np.isin(y_true, (0, 1)).all() and np.all((y_pred >= 0) & (y_pred <= 1))
        wanted = f"{type(self).__name__} expects targets 0 and 1, and predictions from 0 to 1"
        expect(fits, wanted, (y_true, y_pred))
        # How many thresholds are below a prediction, compared in its own precision.
        below = np.searchsorted(self.edges.astype(y_pred.dtype), y_pred)
        table = np.zeros((2, len(self.edges) + 1))
        np.add.at(table, (y_true.astype(int), below), spread(sample_weight, y_true))
        return table[:, ::-1].cumsum(axis=1)[:, ::-1]


class Precision(_Thresholded):
    """Share of the positive predictions that are right; 0 if there are none.

    Args:
        thresholds: A prediction above it means yes; 0.5 by default. With a list, the result
            is an array.
        **kwargs: `name`, as in `Metric`.

    Raises:
        ValueError: A threshold is not from 0 to 1.
    """

    def __init__(self, thresholds: ArrayLike | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        thresholds = 0.5 if thresholds is None else thresholds
        inside = np.all((np.asarray(thresholds) >= 0) & (np.asarray(thresholds) <= 1))
        expect(inside, "thresholds must be from 0 to 1", thresholds)
        self.edges = np.unique(np.asarray(thresholds, "float64"))
        self.columns = 1 + np.searchsorted(self.edges, thresholds)

    def score(self, sums: Array) -> Any:
        """See `Metric.score`."""
        wrong, right = sums[:, self.columns]
        return ratio(right, right + wrong)


class Recall(Precision):
    """Share of the positive targets that were predicted; 0 if there are none.

    Args:
        thresholds: See `Precision`.
        **kwargs: `name`, as in `Metric`.
    """

    def score(self, sums: Array) -> Any:
        """See `Metric.score`."""
        return ratio(sums[1, self.columns], sums[1, 0])


class AUC(_Thresholded):
    """Area under the ROC curve, drawn through some points.

    Args:
        num_thresholds: Number of points, at evenly spaced thresholds.
        **kwargs: `name`, as in `Metric`.

    Raises:
        ValueError: There are fewer than two points.
    """

    def __init__(self, num_thresholds: int = 200, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        expect(num_thresholds >= 2, "AUC expects num_thresholds >= 2", num_thresholds)
        # As in Keras, the first threshold is just below 0, where all is above it.
        self.edges = np.linspace(0, 1, num_thresholds)[1:]

    def score(self, sums: Array) -> float:
        """See `Metric.score`."""
        false, true = ratio(sums, sums[:, :1])[:, ::-1]  # rates, as the threshold falls
        return float(np.trapezoid(true, false))


class ConfusionMatrix(Metric):
    """How often each class was predicted as each class (labkit only; see scikit-learn's).

    Args:
        num_classes: Number of classes.
        **kwargs: `name`, as in `Metric`.
    """

    sparse = True

    def __init__(self, num_classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_classes = num_classes

    def add(self, y_true: Array, y_pred: Array, sample_weight: Weight) -> Any:
        """Return the weight of each pair, `(true class, predicted class)`."""
        wanted = f"ConfusionMatrix expects as many scores as classes, {self.num_classes}"
        expect(y_pred.shape[-1] == self.num_classes, wanted, f"{y_pred.shape=}")
        guesses = np.eye(self.num_classes)[y_pred.argmax(axis=-1).ravel()]
        return (y_true * spread(sample_weight, y_true)).reshape(guesses.shape).T @ guesses
