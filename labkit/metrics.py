"""Metrics: what one wants to know of a model, gathered batch by batch.

A metric is not differentiated, so it may count. Each keeps a small state: `update_state`
adds a batch, `result` tells the outcome so far, `reset_state` begins anew. Sums are kept in
float64. Shapes are those of `labkit.losses`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from labkit._typing import Array
from labkit.losses import (
    EPSILON,
    aligned,
    match_ranks,
    mean,
    numbers,
    sparse_labels,
    to_float,
    weighted,
)

__all__ = [
    "AUC",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "ConfusionMatrix",
    "Mean",
    "MeanAbsoluteError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "Metric",
    "Precision",
    "R2Score",
    "Recall",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "get",
]

Function = Callable[..., Any]


class Metric:
    """Base of all metrics. A subclass writes `update_state`, `result` and `reset_state`.

    Args:
        name: Shown in logs.

    Attributes:
        direction: `"up"` if more is better, `"down"` if less is; callbacks ask for it.
    """

    direction: str | None = None

    def __init__(self, *, name: str | None = None) -> None:
        self.name = name or type(self).__name__.lower()
        self.reset_state()

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch.

        Args:
            y_true: Targets, `(batch, ..., outputs)`; integer labels are `(batch, ...)`.
            y_pred: Predictions, `(batch, ..., outputs)`.
            sample_weight: One weight per sample, `(batch,)`, or value, `(batch, ...)`.

        Raises:
            TypeError: Something is not an array of numbers.
            ValueError: Shapes do not fit, or a target is impossible.
        """
        raise NotImplementedError(f"{type(self).__name__} needs update_state().")

    def result(self) -> Any:
        """Return the metric of all that has been added: a float, or an array."""
        raise NotImplementedError(f"{type(self).__name__} needs result().")

    def reset_state(self) -> None:
        """Forget everything that has been added."""
        raise NotImplementedError(f"{type(self).__name__} needs reset_state().")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch, as `update_state` does, and return the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()


class Mean(Metric):
    """Weighted mean of plain values, such as losses.

    Args:
        name: Shown in logs.
    """

    def __init__(self, name: str = "mean") -> None:
        super().__init__(name=name)

    def update_state(  # type: ignore[override]  # as in Keras: plain values have no targets
        self, values: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add values, `(batch, ...)`, with one weight for each sample or value."""
        samples = to_float("values", values, "float64")
        weight: Array | None = None
        if sample_weight is not None:
            weight = to_float("sample_weight", sample_weight, "float64")
            samples, weight = match_ranks(samples, weight)
            if samples.ndim > weight.ndim > 0:
                samples = samples.mean(axis=tuple(range(weight.ndim, samples.ndim)))
            samples, weight = weighted(samples, weight)
        # A sample counts once, however many values it has.
        each = samples.shape[0] / samples.size if samples.ndim else 1.0
        if weight is None:
            self.total += float(samples.sum()) * each
            self.count += samples.size * each
        else:
            self.total += float((samples * weight).sum()) * each
            self.count += float(weight.sum()) * samples.size / weight.size * each

    def result(self) -> float:
        """Return the mean, or 0 if nothing has been added."""
        return self.total / self.count if self.count else 0.0

    def reset_state(self) -> None:
        """Forget everything that has been added."""
        self.total = 0.0
        self.count = 0.0


class MeanMetricWrapper(Mean):
    """Mean of any function that gives each sample a value.

    Args:
        fn: Called as `fn(y_true, y_pred, **kwargs)`; returns `(batch, ...)`.
        name: Shown in logs; the function's name by default.
        **kwargs: Passed to `fn`.
    """

    def __init__(self, fn: Function, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name or fn.__name__)
        self.fn = fn
        self.kwargs = kwargs

    def update_state(  # type: ignore[override]  # it has targets again
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch; see `Metric.update_state`."""
        t, p = numbers("y_true", y_true), to_float("y_pred", y_pred)
        if p.size == 0:
            raise ValueError(f"{self.name} needs samples. Received: y_pred.shape={p.shape}")
        super().update_state(self.fn(t, p, **self.kwargs), sample_weight)


class _Share(MeanMetricWrapper):
    direction = "up"


class BinaryAccuracy(_Share):
    """Share of yes/no answers that are right: `(y_pred > threshold) == y_true`.

    Args:
        name: Shown in logs.
        threshold: A prediction above it means yes.
    """

    def __init__(self, name: str = "binary_accuracy", *, threshold: float = 0.5) -> None:
        super().__init__(_binary_accuracy, name, threshold=threshold)


class CategoricalAccuracy(_Share):
    """Share of samples whose highest score is at the class of the one-hot target.

    Args:
        name: Shown in logs.
    """

    def __init__(self, name: str = "categorical_accuracy") -> None:
        super().__init__(_categorical_accuracy, name)


class SparseCategoricalAccuracy(_Share):
    """Share of samples whose highest score is at the target, an integer label.

    Args:
        name: Shown in logs.
    """

    def __init__(self, name: str = "sparse_categorical_accuracy") -> None:
        super().__init__(_sparse_categorical_accuracy, name)


class TopKCategoricalAccuracy(_Share):
    """Share of samples whose one-hot target is among the `k` highest scores.

    Args:
        k: How many of the highest scores count.
        name: Shown in logs.
    """

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy") -> None:
        super().__init__(_top_k_categorical_accuracy, name, k=k)


class SparseTopKCategoricalAccuracy(_Share):
    """Share of samples whose integer label is among the `k` highest scores.

    Args:
        k: How many of the highest scores count.
        name: Shown in logs.
    """

    def __init__(self, k: int = 5, name: str = "sparse_top_k_categorical_accuracy") -> None:
        super().__init__(_sparse_top_k_categorical_accuracy, name, k=k)


class MeanAbsoluteError(MeanMetricWrapper):
    """Mean of `|y_pred - y_true|`.

    Args:
        name: Shown in logs.
    """

    direction = "down"

    def __init__(self, name: str = "mean_absolute_error") -> None:
        super().__init__(lambda t, p: mean(np.abs(np.subtract(*aligned(name, t, p)))), name)


class MeanSquaredError(MeanMetricWrapper):
    """Mean of `(y_pred - y_true)²`.

    Args:
        name: Shown in logs.
    """

    direction = "down"

    def __init__(self, name: str = "mean_squared_error") -> None:
        super().__init__(lambda t, p: mean(np.square(np.subtract(*aligned(name, t, p)))), name)


class R2Score(Metric):
    """`1 - sum((y_true - y_pred)²) / sum((y_true - mean(y_true))²)` of each output.

    Args:
        class_aggregation: `"uniform_average"`: the mean over the outputs.
            `None`: an array, `(outputs,)`.
        name: Shown in logs.

    Raises:
        ValueError: The aggregation is unknown.
    """

    direction = "up"
    _sums: Array

    def __init__(
        self, class_aggregation: str | None = "uniform_average", *, name: str = "r2_score"
    ) -> None:
        if class_aggregation not in ("uniform_average", None):
            raise ValueError(
                "class_aggregation must be 'uniform_average' or None. "
                f"Received: {class_aggregation!r}"
            )
        super().__init__(name=name)
        self.class_aggregation = class_aggregation

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch; targets and predictions are `(batch, outputs)`."""
        t, p = to_float("y_true", y_true, "float64"), to_float("y_pred", y_pred)
        t, p = aligned(self.name, t, p)
        if t.ndim != 2:
            raise ValueError(f"R2Score expects (batch, outputs). Received: {t.shape}")
        w = _spread(sample_weight, t)
        self._sums = self._sums + [(w * v).sum(axis=0) for v in (t**0, t, t * t, (t - p) ** 2)]

    def result(self) -> Any:
        """Return the score: a float, or `(outputs,)` without aggregation."""
        count, total, squares, errors = self._sums
        variation = squares - total * _ratio(total, count)
        scores = np.where(variation > 0, 1 - _ratio(errors, variation), 0)
        return scores if self.class_aggregation is None else float(scores.mean())

    def reset_state(self) -> None:
        """Forget everything that has been added."""
        self._sums = np.zeros((4, 1))  # of weights, targets, squares, squared errors


class _Thresholded(Metric):
    """Counts the right and the wrong yeses at each of some thresholds."""

    direction = "up"

    def __init__(self, thresholds: ArrayLike, name: str | None) -> None:
        self.thresholds = np.sort(np.atleast_1d(np.asarray(thresholds, dtype="float64")))
        super().__init__(name=name)

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch of targets 0 and 1; see `Metric.update_state`."""
        t, p = to_float("y_true", y_true), to_float("y_pred", y_pred)
        t, p = aligned(self.name, t, p)
        if not np.isin(t, (0, 1)).all():
            raise ValueError(f"{self.name} expects targets 0 and 1.")
        w = _spread(sample_weight, t).ravel()
        yes = t.ravel() == 1
        # How many thresholds are below p, compared in p's own precision.
        above = np.searchsorted(self.thresholds.astype(p.dtype), p.ravel())
        for counts, chosen in ((self.true_positives, yes), (self.false_positives, ~yes)):
            bins = np.bincount(above[chosen], w[chosen], minlength=len(counts) + 1)
            counts += bins[::-1].cumsum()[::-1][1:]
        self.total += w[~yes].sum(), w[yes].sum()

    def reset_state(self) -> None:
        """Forget everything that has been added."""
        self.true_positives, self.false_positives = np.zeros((2, len(self.thresholds)))
        self.total = np.zeros(2)  # weight of the targets 0 and 1


class Precision(_Thresholded):
    """Share of the yeses that are right.

    Args:
        thresholds: A prediction above it means yes; 0.5 by default. With a list, the result
            is an array.
        name: Shown in logs.
    """

    def __init__(self, thresholds: ArrayLike | None = None, *, name: str = "precision") -> None:
        super().__init__(0.5 if thresholds is None else thresholds, name)
        self.single = np.ndim(0.5 if thresholds is None else thresholds) == 0

    def result(self) -> Any:
        """Return the precision at each threshold, 0 where nothing was called yes."""
        values = _ratio(self.true_positives, self.true_positives + self.false_positives)
        return float(values[0]) if self.single else values


class Recall(Precision):
    """Share of the targets 1 that were called yes.

    Args:
        thresholds: A prediction above it means yes; 0.5 by default. With a list, the result
            is an array.
        name: Shown in logs.
    """

    def __init__(self, thresholds: ArrayLike | None = None, *, name: str = "recall") -> None:
        super().__init__(thresholds, name=name)

    def result(self) -> Any:
        """Return the recall at each threshold, 0 where there was nothing to find."""
        values = _ratio(self.true_positives, self.total[1])
        return float(values[0]) if self.single else values


class AUC(_Thresholded):
    """Area under the ROC or the precision-recall curve, drawn through some points.

    The precision-recall curve is interpolated as in Davis and Goadrich 2006, section 4
    (https://doi.org/10.1145/1143844.1143874).

    Args:
        num_thresholds: Number of points, evenly spaced.
        curve: `"ROC"` or `"PR"`.
        name: Shown in logs.

    Raises:
        ValueError: The curve is unknown, or there are fewer than two points.
    """

    def __init__(self, num_thresholds: int = 200, curve: str = "ROC", *, name: str = "auc") -> None:
        if num_thresholds < 2 or curve not in ("ROC", "PR"):
            raise ValueError(
                "AUC expects num_thresholds >= 2, and curve 'ROC' or 'PR'. "
                f"Received: num_thresholds={num_thresholds}, curve={curve!r}"
            )
        thresholds = np.linspace(0, 1, num_thresholds)
        thresholds[[0, -1]] = -EPSILON, 1 + EPSILON
        super().__init__(thresholds, name)
        self.curve = curve

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch of targets 0 and 1, and predictions from 0 to 1."""
        p = to_float("y_pred", y_pred)
        if not np.all((p >= 0) & (p <= 1)):
            raise ValueError(f"{self.name} expects predictions from 0 to 1, such as a sigmoid's.")
        super().update_state(y_true, p, sample_weight)

    def result(self) -> float:
        """Return the area."""
        tp, fp = self.true_positives, self.false_positives
        if self.curve == "ROC":
            x, y = _ratio(fp, self.total[0]), _ratio(tp, self.total[1])
            return float(((x[:-1] - x[1:]) * (y[:-1] + y[1:]) / 2).sum())
        p = tp + fp
        dtp, dp = tp[:-1] - tp[1:], p[:-1] - p[1:]
        # Between two thresholds tp = slope p + start, and the area is
        # the integral of tp / p dtp = slope (dtp + start log(p_left / p_right)).
        slope = _ratio(dtp, dp)
        start = tp[1:] - slope * p[1:]
        log = np.log(np.where(p[1:] > 0, _ratio(p[:-1], p[1:]), 1))
        return float(_ratio(slope * (dtp + start * log), self.total[1]).sum())


class ConfusionMatrix(Metric):
    """How often each class was taken for each class (labkit only; see scikit-learn's).

    Args:
        num_classes: Number of classes.
        name: Shown in logs.
    """

    def __init__(self, num_classes: int, name: str = "confusion_matrix") -> None:
        self.num_classes = num_classes
        super().__init__(name=name)

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch of integer labels, `(batch,)`, and scores, `(batch, classes)`."""
        p = to_float("y_pred", y_pred)
        labels = sparse_labels(self.name, y_true, p)
        guesses = p.argmax(axis=-1)
        classes = np.arange(self.num_classes)
        if not (np.isin(labels, classes).all() and p.shape[-1] == self.num_classes):
            raise ValueError(
                f"{self.name} expects labels from 0 to {self.num_classes - 1}, and as many "
                f"scores as classes. Received: y_pred.shape={p.shape}"
            )
        _, weight = weighted(labels.astype("float64"), sample_weight)
        where = labels.astype(np.intp).ravel(), guesses.ravel()
        np.add.at(self.matrix, where, 1.0 if weight is None else weight.ravel())

    def result(self) -> Array:
        """Return the weight of each pair, `(true class, predicted class)`."""
        return self.matrix.copy()

    def reset_state(self) -> None:
        """Forget everything that has been added."""
        self.matrix = np.zeros((self.num_classes, self.num_classes))


def get(identifier: str | Metric | Function) -> Metric:
    """Return the metric of this name (`"mae"`) or function, or the metric itself.

    `"accuracy"` is the binary, categorical or sparse one, by the shapes of each batch.

    Raises:
        ValueError: There is no such metric.
    """
    if isinstance(identifier, Metric):
        return identifier
    if callable(identifier):
        return MeanMetricWrapper(identifier)
    kinds: tuple[Callable[[], Metric], ...] = (
        *(BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy),
        *(TopKCategoricalAccuracy, SparseTopKCategoricalAccuracy),
        *(MeanAbsoluteError, MeanSquaredError),
    )
    known = {metric.name: metric for metric in (kind() for kind in kinds)}
    known |= {"mae": MeanAbsoluteError("mae"), "mse": MeanSquaredError("mse")}
    known |= {name: _Share(_accuracy, name) for name in ("accuracy", "acc")}
    if identifier not in known:
        raise ValueError(f"Unknown metric {identifier!r}. Known: {', '.join(known)}.")
    return known[identifier]


def _spread(sample_weight: ArrayLike | None, values: Array) -> Array:
    """Return a weight for each value, given one for each value or sample."""
    weight = np.asarray(1.0 if sample_weight is None else sample_weight)
    if 0 < weight.ndim < values.ndim:
        weight = weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))
    _, checked = weighted(values.astype("float64"), weight)
    return np.broadcast_to(np.asarray(checked), values.shape)


def _accuracy(y_true: Array, y_pred: Array) -> Array:
    """Return the accuracy that such targets and predictions call for, as Keras's `compile`."""
    if y_pred.shape[-1] == 1:
        return _binary_accuracy(y_true, y_pred)
    if y_true.ndim < y_pred.ndim or y_true.shape[-1] == 1:
        return _sparse_categorical_accuracy(y_true, y_pred)
    return _categorical_accuracy(y_true, y_pred)


def _binary_accuracy(y_true: Array, y_pred: Array, threshold: float = 0.5) -> Array:
    t, p = aligned("A metric", y_true, y_pred)
    return mean((p > threshold) == t)


def _categorical_accuracy(y_true: Array, y_pred: Array) -> Array:
    t, p = aligned("A metric", y_true, y_pred)
    return np.asarray(t.argmax(axis=-1) == p.argmax(axis=-1))


def _sparse_categorical_accuracy(y_true: Array, y_pred: Array) -> Array:
    labels = sparse_labels("sparse_categorical_accuracy", y_true, y_pred)
    return np.asarray(labels == y_pred.argmax(axis=-1))


def _top_k_categorical_accuracy(y_true: Array, y_pred: Array, k: int) -> Array:
    t, p = aligned("A metric", y_true, y_pred)
    return _sparse_top_k_categorical_accuracy(t.argmax(axis=-1), p, k)


def _sparse_top_k_categorical_accuracy(y_true: Array, y_pred: Array, k: int) -> Array:
    labels = sparse_labels("sparse_top_k_categorical_accuracy", y_true, y_pred)
    score = np.take_along_axis(y_pred, labels[..., None].astype(np.intp), axis=-1)
    return np.asarray((y_pred > score).sum(axis=-1) < k)


def _ratio(a: Array, b: Any) -> Array:
    """Return `a / b`, and 0 where `b` is 0."""
    return np.asarray(np.where(b == 0, 0, a / np.where(b == 0, 1, b)))
