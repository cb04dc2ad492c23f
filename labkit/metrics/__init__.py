"""Metrics: what you want to know about a model, gathered batch by batch.

A metric is not differentiated, so it may count. Each keeps a small state, sums in float64:
`update_state` adds a batch, `result` returns the value so far, `reset_state` starts over.
Shapes, and what becomes of integer labels, are those of `labkit.losses`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from labkit._common import named
from labkit._missing import left_out
from labkit.metrics.accuracy_metrics import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from labkit.metrics.confusion_metrics import AUC, ConfusionMatrix, Precision, Recall
from labkit.metrics.metric import Metric
from labkit.metrics.probabilistic_metrics import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Crossentropy,
    KLDivergence,
    SparseCategoricalCrossentropy,
)
from labkit.metrics.reduction_metrics import Mean, MeanMetricWrapper
from labkit.metrics.regression_metrics import (
    CosineSimilarity,
    MeanAbsoluteError,
    MeanSquaredError,
    R2Score,
    RootMeanSquaredError,
)

__all__ = ["AUC", "BinaryAccuracy", "BinaryCrossentropy", "CategoricalAccuracy"]
__all__ += ["CategoricalCrossentropy", "ConfusionMatrix", "CosineSimilarity", "KLDivergence"]
__all__ += ["Mean", "MeanAbsoluteError", "MeanMetricWrapper", "MeanSquaredError", "Metric"]
__all__ += ["Precision", "R2Score", "Recall", "RootMeanSquaredError", "SparseCategoricalAccuracy"]
__all__ += ["SparseCategoricalCrossentropy", "SparseTopKCategoricalAccuracy"]
__all__ += ["TopKCategoricalAccuracy", "get"]

if not TYPE_CHECKING:
    __getattr__ = left_out(__name__)


def get(identifier: str | Metric | Callable[..., Any]) -> Metric:
    """Return a new metric of this name (`"mae"`) or function, or the metric itself.

    `"accuracy"` is the binary, categorical or sparse one, by the shapes of each batch, and so
    is `"crossentropy"`. A function becomes a `MeanMetricWrapper`.

    Raises:
        ValueError: There is no such metric.
    """
    if callable(identifier) and not isinstance(identifier, Metric):
        return MeanMetricWrapper(identifier)
    kinds: list[type[Metric]] = [BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy]
    kinds += [TopKCategoricalAccuracy, SparseTopKCategoricalAccuracy, Precision, Recall, AUC]
    kinds += [MeanSquaredError, RootMeanSquaredError, MeanAbsoluteError, CosineSimilarity, R2Score]
    kinds += [BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy]
    kinds += [KLDivergence]
    aliases: dict[str, type[Metric]] = {"mse": MeanSquaredError, "mae": MeanAbsoluteError}
    aliases |= {"bce": BinaryCrossentropy, "accuracy": Accuracy, "acc": Accuracy}
    aliases |= {"crossentropy": Crossentropy, "ce": Crossentropy}
    metric = named(identifier, Metric, kinds, **aliases)
    if isinstance(identifier, str):
        metric.name = identifier
    return metric
