"""Metrics: what one wants to know of a model, gathered batch by batch.

A metric is not differentiated, so it may count. Each keeps a small state: `update_state`
adds a batch, `result` tells the outcome so far, `reset_state` begins anew. Sums are kept
in float64. Shapes are those of `labkit.losses`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from labkit.layers.layer import Array, auto_name
from labkit.losses import match_ranks, to_float, weighted

__all__ = [
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "Mean",
    "MeanAbsoluteError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "Metric",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "get",
]

Function = Callable[[Array, Array], ArrayLike]


class Metric:
    """Base of all metrics. A subclass writes the three methods below.

    Args:
        dtype: Accepted for Keras's sake; sums are float64.
        name: Shown in logs.
    """

    def __init__(self, dtype: str | None = None, name: str | None = None) -> None:
        self.dtype = dtype
        self.name = name or auto_name(type(self).__name__)
        self.reset_state()

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch."""
        raise NotImplementedError(f"{type(self).__name__} must define update_state().")

    def result(self) -> Any:
        """Return the metric of all that has been added: a float, or an array."""
        raise NotImplementedError(f"{type(self).__name__} must define result().")

    def reset_state(self) -> None:
        """Forget everything that has been added."""
        raise NotImplementedError(f"{type(self).__name__} must define reset_state().")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch and return the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()


class Mean(Metric):
    """Weighted mean of plain values, such as a loss.

    Args:
        name: Shown in logs.
        dtype: See `Metric`.
    """

    total: float
    count: float

    def __init__(self, name: str = "mean", dtype: str | None = None) -> None:
        super().__init__(dtype, name)

    def update_state(  # type: ignore[override]  # Keras's signature: values have no targets
        self, values: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add values of any shape, with one weight for each or for each first axis."""
        array = np.asarray(values, dtype="float64")
        weight: Array | None = None
        if sample_weight is not None:
            weight = np.asarray(sample_weight, dtype="float64")
            array, weight = match_ranks(array, weight)
            if array.ndim > weight.ndim > 0:
                array = array.mean(axis=tuple(range(weight.ndim, array.ndim)))
            array, weight = weighted(array, weight)
        if weight is None:
            self.total += float(array.sum())
            self.count += array.size
        else:
            self.total += float((array * weight).sum())
            self.count += float(np.broadcast_to(weight, array.shape).sum())

    def result(self) -> float:
        """Return the mean, or 0 if nothing has been added."""
        return self.total / self.count if self.count else 0.0

    def reset_state(self) -> None:
        """See `Metric`."""
        self.total = self.count = 0.0


class MeanMetricWrapper(Mean):
    """Mean of any function ``fn(y_true, y_pred)`` that returns one value per sample.

    Args:
        fn: The function.
        name: Shown in logs; by default the function's name.
        dtype: See `Metric`.
    """

    def __init__(
        self, fn: Function, name: str | None = None, dtype: str | None = None
    ) -> None:
        super().__init__(name or fn.__name__, dtype)
        self.fn = fn

    def update_state(  # type: ignore[override]  # a wrapped function has targets again
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch."""
        p = to_float(y_pred)
        super().update_state(self.fn(to_float(y_true, "float64"), p), sample_weight)


def _aligned(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    t, p = match_ranks(y_true, y_pred)
    if t.shape != p.shape:
        raise ValueError(
            "A metric expects y_true and y_pred of one shape. "
            f"Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}"
        )
    return t, p


def _labels(y_true: Array, y_pred: Array) -> Array:
    """Return integer labels with one axis less than the scores ``(batch, ..., classes)``."""
    labels = y_true[..., 0] if y_true.ndim == y_pred.ndim else y_true
    if labels.shape != y_pred.shape[:-1] or labels.size != y_true.size:
        raise ValueError(
            "A sparse metric expects one integer label per row of y_pred. "
            f"Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}"
        )
    return labels


class BinaryAccuracy(MeanMetricWrapper):
    """Share of yes/no answers that are right: ``(y_pred > threshold) == y_true``.

    Args:
        name: Shown in logs.
        dtype: See `Metric`.
        threshold: Above it a prediction means yes.
    """

    def __init__(
        self,
        name: str = "binary_accuracy",
        dtype: str | None = None,
        threshold: float = 0.5,
    ) -> None:
        super().__init__(self._right, name, dtype)
        self.threshold = threshold

    def _right(self, y_true: Array, y_pred: Array) -> Array:
        t, p = _aligned(y_true, y_pred)
        return np.asarray(((p > self.threshold) == t).mean(axis=-1))


class CategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose highest score is at the class of the one-hot target."""

    def __init__(
        self, name: str = "categorical_accuracy", dtype: str | None = None
    ) -> None:
        super().__init__(self._right, name, dtype)

    @staticmethod
    def _right(y_true: Array, y_pred: Array) -> Array:
        t, p = _aligned(y_true, y_pred)
        return np.asarray(t.argmax(axis=-1) == p.argmax(axis=-1))


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose highest score is at the target, an integer label."""

    def __init__(
        self, name: str = "sparse_categorical_accuracy", dtype: str | None = None
    ) -> None:
        super().__init__(self._right, name, dtype)

    @staticmethod
    def _right(y_true: Array, y_pred: Array) -> Array:
        return np.asarray(_labels(y_true, y_pred) == y_pred.argmax(axis=-1))


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose integer label is among the ``k`` highest scores.

    Args:
        k: How many of the highest scores count.
        name: Shown in logs.
        dtype: See `Metric`.
    """

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(self._right, name, dtype)
        self.k = k

    def _right(self, y_true: Array, y_pred: Array) -> Array:
        labels = _labels(y_true, y_pred).astype(np.intp)[..., None]
        score = np.take_along_axis(y_pred, labels, axis=-1)
        return np.asarray((y_pred > score).sum(axis=-1) < self.k)


class TopKCategoricalAccuracy(SparseTopKCategoricalAccuracy):
    """Share of samples whose one-hot class is among the ``k`` highest scores.

    Args:
        k: How many of the highest scores count.
        name: Shown in logs.
        dtype: See `Metric`.
    """

    def __init__(
        self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: str | None = None
    ) -> None:
        super().__init__(k, name, dtype)

    def _right(self, y_true: Array, y_pred: Array) -> Array:
        t, p = _aligned(y_true, y_pred)
        return super()._right(t.argmax(axis=-1), p)


class MeanAbsoluteError(MeanMetricWrapper):
    """Mean of ``|y_pred - y_true|``."""

    def __init__(self, name: str = "mean_absolute_error", dtype: str | None = None) -> None:
        super().__init__(self._error, name, dtype)

    @staticmethod
    def _error(y_true: Array, y_pred: Array) -> Array:
        t, p = _aligned(y_true, y_pred)
        return np.asarray(np.abs(p - t).mean(axis=-1))


class MeanSquaredError(MeanMetricWrapper):
    """Mean of ``(y_pred - y_true)²``."""

    def __init__(self, name: str = "mean_squared_error", dtype: str | None = None) -> None:
        super().__init__(self._error, name, dtype)

    @staticmethod
    def _error(y_true: Array, y_pred: Array) -> Array:
        t, p = _aligned(y_true, y_pred)
        return np.asarray(np.square(p - t).mean(axis=-1))


METRICS: dict[str, Callable[[], Metric]] = {
    "binary_accuracy": BinaryAccuracy,
    "categorical_accuracy": CategoricalAccuracy,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy,
    "top_k_categorical_accuracy": TopKCategoricalAccuracy,
    "sparse_top_k_categorical_accuracy": SparseTopKCategoricalAccuracy,
    "mse": MeanSquaredError,
    "mean_squared_error": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mean_absolute_error": MeanAbsoluteError,
}


def get(identifier: str | Metric | Function) -> Metric:
    """Return the metric of this name (``"mae"``), of this function, or the metric itself.

    Raises:
        ValueError: If there is no such metric.
    """
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, str) and identifier in METRICS:
        metric = METRICS[identifier]()
        metric.name = identifier
        return metric
    if isinstance(identifier, str) or not callable(identifier):
        raise ValueError(
            f"Unknown metric {identifier!r}. Known: accuracy, {', '.join(METRICS)}."
        )
    return MeanMetricWrapper(identifier)


def accuracy_for(y_true: Array, y_pred: Array) -> Metric:
    """Return what ``"accuracy"`` means for such targets and predictions, as Keras does."""
    if y_pred.shape[-1] == 1:
        return BinaryAccuracy("accuracy")
    if y_true.ndim < y_pred.ndim or y_true.shape[-1] == 1:
        return SparseCategoricalAccuracy("accuracy")
    return CategoricalAccuracy("accuracy")
