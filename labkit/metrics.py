"""Metrics: what you want to know about a model, gathered batch by batch.

A metric is not differentiated, so it may count. Each keeps a small state, sums in float64:
`update_state` adds a batch, `result` returns the value so far, `reset_state` starts over.
Shapes, and what becomes of integer labels, are those of `labkit.losses`.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from labkit._common import Array, expect, named, numbers, snake_case
from labkit.losses import Weight, pair, spread

__all__ = ["AUC", "BinaryAccuracy", "CategoricalAccuracy", "ConfusionMatrix", "Mean", "Metric"]
__all__ += ["MeanAbsoluteError", "Precision", "R2Score", "Recall", "SparseCategoricalAccuracy"]
__all__ += ["SparseTopKCategoricalAccuracy", "TopKCategoricalAccuracy", "get"]


class Metric:
    """Base of all metrics: sums over all samples, and a score that follows from the sums.

    A subclass defines `add`, and `score` unless the sums are the result; or, as in Keras,
    `update_state`, `result` and `reset_state`.

    Args:
        name: Shown in logs; `None` means the class's name, as in `"top_k_categorical_accuracy"`.

    Attributes:
        direction: 1 if higher is better, -1 if lower is, 0 if unknown; for callbacks.
        sparse: Whether targets are integer labels, which become one-hot rows; `None` if
            their shape tells.
        sums: What `add` has returned so far, summed; 0 at the beginning.
    """

    direction = 0
    sparse: bool | None = False
    sums: Any = 0.0

    def __init__(self, *, name: str | None = None) -> None:
        self.name = name or snake_case(type(self).__name__)

    def add(self, y_true: Array, y_pred: Array, sample_weight: Weight) -> Any:
        """Return what a batch of samples, `(batch, ..., outputs)`, adds to the sums."""
        raise NotImplementedError(f"{type(self).__name__} needs add() or update_state().")

    def score(self, sums: Array) -> Any:
        """Return the metric, a float or an array, of these sums."""
        return sums.copy()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Weight = None) -> None:
        """Add a batch.

        Args:
            y_true: Targets, `(batch, ..., outputs)`; integer labels are `(batch, ...)`.
            y_pred: Predictions, `(batch, ..., outputs)`.
            sample_weight: One weight per sample, `(batch,)`, or value, `(batch, ...)`.

        Raises:
            TypeError: Something is not an array of numbers.
            ValueError: Shapes do not fit, or a target is impossible.
        """
        t, p = pair(self.name, y_true, y_pred, self.sparse)
        self.sums = self.sums + self.add(t, p, sample_weight)

    def result(self) -> Any:
        """Return the metric of all that has been added, a float or an array; 0 before that."""
        return self.score(self.sums) if np.ndim(self.sums) else 0.0

    def reset_state(self) -> None:
        """Forget everything that has been added."""
        self.sums = 0.0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch, as `update_state` does, and return the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()


class _Average(Metric):
    """Base of the metrics that are weighted means: `_totals` gives what they add."""

    direction = 1

    def score(self, sums: Array) -> float:
        """See `Metric.score`."""
        return float(sums[0] / sums[1]) if sums[1] else 0.0


class Mean(_Average):
    """Weighted mean of plain values, such as losses.

    Args:
        name: Shown in logs.
    """

    direction = -1  # as losses

    # As in Keras, plain values have no targets.
    def update_state(self, values: ArrayLike, sample_weight: Weight = None) -> None:  # type: ignore[override]
        """Add values, `(batch, ...)`, with one weight for each sample or value."""
        self.sums = self.sums + _totals(numbers("values", values), sample_weight)


class BinaryAccuracy(_Average):
    """Share of yes/no answers that are right: `(y_pred > threshold) == y_true`.

    Args:
        threshold: A prediction above it means yes.
        **kwargs: `name`, as in `Metric`.
    """

    def __init__(self, *, threshold: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.threshold = threshold

    def add(self, y_true: Array, y_pred: Array, sample_weight: Weight) -> Any:
        """See `Metric.add`."""
        return _totals((y_pred > self.threshold) == y_true, sample_weight)


class CategoricalAccuracy(_Average):
    """Share of samples whose highest score is at the class of the one-hot target.

    Args:
        name: Shown in logs.
    """

    def add(self, y_true: Array, y_pred: Array, sample_weight: Weight) -> Any:
        """See `Metric.add`."""
        return _totals(y_true.argmax(axis=-1) == y_pred.argmax(axis=-1), sample_weight)


class SparseCategoricalAccuracy(CategoricalAccuracy):
    """Share of samples whose highest score is at the target, an integer label.

    Args:
        name: Shown in logs.
    """

    sparse = True


class _Accuracy(CategoricalAccuracy):
    """What `"accuracy"` means in Keras's `compile`, by the shapes of a batch."""

    sparse = None

    def add(self, y_true: Array, y_pred: Array, sample_weight: Weight) -> Any:
        """See `Metric.add`."""
        kind = BinaryAccuracy if y_pred.shape[-1] == 1 else CategoricalAccuracy
        return kind().add(y_true, y_pred, sample_weight)


class TopKCategoricalAccuracy(_Average):
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
        return _totals((y_pred > score).sum(axis=-1) < self.k, sample_weight)


class SparseTopKCategoricalAccuracy(TopKCategoricalAccuracy):
    """Share of samples whose integer label is among the `k` highest scores.

    Args:
        k: How many of the highest scores count.
        **kwargs: `name`, as in `Metric`.
    """

    sparse = True


class MeanAbsoluteError(_Average):
    """Mean of `|y_pred - y_true|`.

    Args:
        name: Shown in logs.
    """

    direction = -1

    def add(self, y_true: Array, y_pred: Array, sample_weight: Weight) -> Any:
        """See `Metric.add`."""
        return _totals(abs(y_pred - y_true), sample_weight)


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
        variation = squares - total * _ratio(total, count)
        return float(np.where(variation > 0, 1 - _ratio(errors, variation), 0).mean())


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
    """

    def __init__(self, thresholds: ArrayLike | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        thresholds = 0.5 if thresholds is None else thresholds
        self.edges = np.unique(np.asarray(thresholds, "float64"))
        self.columns = 1 + np.searchsorted(self.edges, thresholds)

    def score(self, sums: Array) -> Any:
        """See `Metric.score`."""
        wrong, right = sums[:, self.columns]
        return _ratio(right, right + wrong)


class Recall(Precision):
    """Share of the positive targets that were predicted; 0 if there are none.

    Args:
        thresholds: See `Precision`.
        **kwargs: `name`, as in `Metric`.
    """

    def score(self, sums: Array) -> Any:
        """See `Metric.score`."""
        return _ratio(sums[1, self.columns], sums[1, 0])


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
        false, true = _ratio(sums, sums[:, :1])[:, ::-1]  # rates, as the threshold falls
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


def get(identifier: str | Metric) -> Metric:
    """Return a new metric of this name (`"mae"`), or the metric itself.

    `"accuracy"` is the binary, categorical or sparse one, by the shapes of each batch.

    Raises:
        ValueError: There is no such metric.
    """
    kinds: list[type[Metric]] = [BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy]
    kinds += [TopKCategoricalAccuracy, SparseTopKCategoricalAccuracy, MeanAbsoluteError, R2Score]
    aliases = {"mae": MeanAbsoluteError, "accuracy": _Accuracy, "acc": _Accuracy}
    metric = named(identifier, Metric, [*kinds, Precision, Recall, AUC], **aliases)
    if isinstance(identifier, str):
        metric.name = identifier
    return metric


def _totals(values: Array, sample_weight: Weight) -> Array:
    """Return the weighted sum of values and that of weights; each sample counts once."""
    v = np.array(values, "float64", ndmin=1)
    expect(v.size, "A mean needs values", f"shape={v.shape}")
    w = spread(sample_weight, v)
    return np.array([np.vdot(w, v), w.sum()]) * (len(v) / v.size)


def _ratio(a: Any, b: Any) -> Any:
    """Return `a / b`, and 0 where `b` is 0."""
    return np.where(b == 0, 0, a / np.where(b == 0, 1, b))[()]
