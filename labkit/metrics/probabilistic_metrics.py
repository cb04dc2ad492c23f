"""How improbable a model finds the true answers: the losses of classifiers, as metrics."""

from typing import Any

from labkit import losses
from labkit._common import Array
from labkit.losses.loss import Weight
from labkit.metrics.reduction_metrics import Average, totals
from labkit.metrics.regression_metrics import MeanLoss


class BinaryCrossentropy(MeanLoss):
    """Mean of `labkit.losses.BinaryCrossentropy`.

    Args:
        name: Shown in logs.
        **kwargs: `from_logits` and `label_smoothing`, as in the loss.
    """

    kind = losses.BinaryCrossentropy


class CategoricalCrossentropy(MeanLoss):
    """Mean of `labkit.losses.CategoricalCrossentropy`.

    Args:
        name: Shown in logs.
        **kwargs: `from_logits` and `label_smoothing`, as in the loss.
    """

    kind = losses.CategoricalCrossentropy


class SparseCategoricalCrossentropy(MeanLoss):
    """Mean of `labkit.losses.SparseCategoricalCrossentropy`.

    Args:
        name: Shown in logs.
        **kwargs: `from_logits`, as in the loss.
    """

    kind = losses.SparseCategoricalCrossentropy


class KLDivergence(MeanLoss):
    """Mean of `labkit.losses.KLDivergence`.

    Args:
        name: Shown in logs.
    """

    kind = losses.KLDivergence


class Crossentropy(Average):
    """What `"crossentropy"` means in Keras's `compile`, by the shapes of a batch."""

    direction = -1
    sparse = None

    def add(self, y_true: Array, y_pred: Array, sample_weight: Weight) -> Any:
        """See `Metric.add`."""
        binary = y_pred.shape[-1] == 1
        function = losses.binary_crossentropy if binary else losses.categorical_crossentropy
        return totals(function(y_true, y_pred), sample_weight)
