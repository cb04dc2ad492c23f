"""The base of all losses: shapes, weights and the reduction to one number.

Keras computes only the value and lets its backend differentiate; here `compare` returns the
value and, next to it, the derivative, so that a reader can hold one against the other.
`pair` and `spread`, which bring targets, predictions and weights into shape, also serve the
metrics.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from labkit import config
from labkit._common import Array, expect, numbers
from labkit.activations import floats

Weight = ArrayLike | None


@dataclass(eq=False, kw_only=True)
class Loss:
    """Base of all losses. A subclass defines `compare`.

    Args:
        reduction: `"sum_over_batch_size"` divides the sum by the number of values, `"sum"`
            only sums, and `"none"` or `None` returns one value per sample.

    Raises:
        ValueError: The reduction is unknown.
    """

    logits_of: ClassVar[str | None] = None
    """The activation whose input this loss prefers to its output, as in TensorFlow."""
    sparse: ClassVar[bool] = False
    """Whether targets are integer labels, which become one-hot rows."""
    reduction: str | None = "sum_over_batch_size"

    def __post_init__(self) -> None:
        known = ("sum_over_batch_size", "sum", "none", None)
        expect(self.reduction in known, f"reduction must be one of {known}", repr(self.reduction))

    def compare(self, t: Array, y: Array) -> tuple[Array, Array]:
        """Return a loss for each sample, and its slopes.

        Args:
            t: Targets, `(batch, ..., outputs)`, as `prepare` returned them.
            y: Predictions, `(batch, ..., outputs)`.

        Returns:
            The values, `(batch, ...)`, and the derivative of each value by its own row of
            `y`, `(batch, ..., outputs)`.
        """
        raise NotImplementedError(f"{type(self).__name__} needs compare(t, y).")

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return a loss for each sample, as `compare` does, without slopes."""
        return self.compare(y_true, y_pred)[0]

    def prepare(self, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[Array, Array]:
        """Return targets and predictions in the form that `compare` expects.

        Raises:
            TypeError: Something is not an array of numbers.
            ValueError: Shapes do not fit, or a target is impossible.
        """
        return pair(type(self).__name__, y_true, y_pred, self.sparse)

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: Weight = None) -> Any:
        """Return the reduced loss: a float, or an array if `reduction` is `None`.

        Args:
            y_true: Targets, `(batch, ..., outputs)`; integer labels are `(batch, ...)`.
            y_pred: Predictions, `(batch, ..., outputs)`.
            sample_weight: One weight per sample, `(batch,)`, or value, `(batch, ...)`.

        Raises:
            TypeError: Something is not an array of numbers.
            ValueError: Shapes do not fit, or a target is impossible.
        """
        return self.value_and_gradient(y_true, y_pred, sample_weight)[0]

    def gradient(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: Weight = None) -> Array:
        """Return the derivative of the reduced loss by `y_pred`, in its shape.

        With `reduction=None` it is the derivative of the sum, as TensorFlow's tape has it.

        Raises:
            TypeError: Targets or predictions are not numbers.
            ValueError: Shapes, targets or weights do not fit the loss.
        """
        return self.value_and_gradient(y_true, y_pred, sample_weight)[1]

    def value_and_gradient(
        self, y_true: Any, y_pred: Any, sample_weight: Weight = None
    ) -> tuple[Any, Array]:
        """Return the reduced loss, see `__call__`, and its gradient.

        Raises:
            TypeError: Targets or predictions are not numbers.
            ValueError: Shapes, targets or weights do not fit the loss.
        """
        values, slopes = self.compare(*self.prepare(y_true, y_pred))
        if values.ndim == 0 < np.ndim(0 if sample_weight is None else sample_weight):
            # As in Keras, a vector is one row of outputs, and its loss counts once per weight.
            values = np.broadcast_to(values, slopes.shape)
            slopes = np.broadcast_to(slopes, (len(slopes), len(slopes)))
        weight = spread(sample_weight, values)  # (batch, ...)
        if self.reduction == "sum_over_batch_size":
            weight = weight / values.size
        slopes = slopes * weight[..., None]
        slopes = slopes.sum(0) if slopes.size > np.size(y_pred) else slopes
        values = values * weight
        value = values if self.reduction in ("none", None) else float(values.sum())
        return value, slopes.reshape(np.shape(y_pred))


def pair(name: str, y_true: Any, y_pred: Any, sparse: bool | None) -> tuple[Array, Array]:
    """Return targets and predictions as floats of one shape, `(batch, ..., outputs)`.

    Args:
        name: The caller's name, for messages.
        y_true: Targets.
        y_pred: Predictions.
        sparse: Whether the targets are integer labels, of which one-hot rows are made; `None`
            to decide by their shape.
    """
    t, p = numbers("y_true", y_true), floats(y_pred, "y_pred")
    if p.dtype == np.float16:  # in which squares and sums overflow; Keras's losses convert, too
        p = p.astype(config.floatx())
    shapes = f"y_true.shape={t.shape}, y_pred.shape={p.shape}"
    expect(t.size and p.size and p.ndim, f"{name} needs samples", shapes)
    classes, one_a_row = p.shape[-1], t.shape in (p.shape[:-1], (*p.shape[:-1], 1))
    if one_a_row and classes > 1 if sparse is None else sparse:
        low, high = t.min(), t.max()
        fits = one_a_row and 0 <= low <= high < classes  # NaN fails, too
        fits = fits and (t.dtype.kind != "f" or not np.any(t % 1))
        wanted = f"{name} expects one integer label per row of y_pred, from 0 to {classes - 1}"
        expect(fits, wanted, f"{shapes}, values from {low} to {high}")
        labels, t = t.ravel().astype(np.intp), np.zeros(p.shape, p.dtype)
        t.reshape(-1, classes)[np.arange(labels.size), labels] = 1
    short, long = sorted((t.shape, p.shape), key=len)
    expect(long in (short, (*short, 1)), f"{name} expects y_true and y_pred of one shape", shapes)
    shape = short if len(short) > 1 else long
    return t.reshape(shape).astype(p.dtype, copy=False), p.reshape(shape)


def spread(sample_weight: Weight, values: Array) -> Array:
    """Return the weight of each value, `(batch, ...)`, given one for each value or sample."""
    ones = np.ones(values.shape, values.dtype)
    if sample_weight is None:
        return ones
    weight = numbers("sample_weight", sample_weight).astype(values.dtype)
    shape = weight.shape[:-1] if weight.ndim > 1 and weight.shape[-1] == 1 else weight.shape
    shapes = f"sample_weight.shape={weight.shape}, values.shape={values.shape}"
    fits = shape == values.shape[: len(shape)]
    expect(fits, "sample_weight must hold one weight per value or sample", shapes)
    return ones * weight.reshape(shape + (1,) * (values.ndim - len(shape)))
