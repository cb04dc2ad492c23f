"""Loss functions: one number that says how wrong a model is, and its slope.

A loss compares predictions with targets. Values, clipping and reductions follow Keras on
TensorFlow. Each loss also has a function of its name, which returns one value per sample.

Shapes: `y_true` and `y_pred` are `(batch, ..., outputs)`, and a loss yields one value for
each `(batch, ...)`. As in Keras, `(n,)` against `(n, 1)` means the same `n` samples and is
aligned; any other difference in shape is an error, never a broadcast. Integer labels become
one-hot rows on entry, and from there on a sparse loss is the same as its dense counterpart.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from labkit._common import expect, named
from labkit._missing import left_out
from labkit.losses import losses
from labkit.losses.loss import Loss
from labkit.losses.losses import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CosineSimilarity,
    Hinge,
    Huber,
    KLDivergence,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    mean_absolute_error,
    mean_squared_error,
    sparse_categorical_crossentropy,
)

__all__ = ["BinaryCrossentropy", "CategoricalCrossentropy", "CosineSimilarity", "Hinge", "Huber"]
__all__ += ["KLDivergence", "Loss", "MeanAbsoluteError", "MeanSquaredError"]
__all__ += ["SparseCategoricalCrossentropy", "binary_crossentropy", "categorical_crossentropy"]
__all__ += ["cosine_similarity", "get", "hinge", "huber", "kl_divergence", "mean_absolute_error"]
__all__ += ["mean_squared_error", "sparse_categorical_crossentropy"]
__all__ += ["BinaryFocalCrossentropy", "binary_focal_crossentropy"]

if not TYPE_CHECKING:
    __getattr__ = left_out(__name__)


def get(identifier: str | Loss | Callable[..., Any]) -> Loss:
    """Return a new loss of this name (`"mse"`) or function, or the loss itself.

    Raises:
        ValueError: There is no such loss. A function of your own is none, since labkit cannot
            differentiate it: subclass `Loss`.
    """
    kinds: list[type[Loss]] = [MeanSquaredError, MeanAbsoluteError, Huber, Hinge, KLDivergence]
    kinds += [BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy]
    kinds += [BinaryFocalCrossentropy, CosineSimilarity]
    aliases = {"mse": MeanSquaredError, "mae": MeanAbsoluteError, "kld": KLDivergence}
    aliases |= {"bce": BinaryCrossentropy}
    if callable(identifier) and not isinstance(identifier, Loss):
        name = str(getattr(identifier, "__name__", identifier))
        wanted = "labkit cannot differentiate a function: subclass losses.Loss, with compare(t, y)"
        expect(identifier is getattr(losses, name, None), wanted, name)
        return get(name)
    return named(identifier, Loss, kinds, **aliases)
