"""Loss functions: one number that says how wrong a model is, and its slope.

A loss compares predictions with targets. Keras computes only the value and lets its
backend differentiate; here `compare` returns the value and, next to it, the derivative, so
that a reader can hold one against the other. Values, clipping and reductions follow Keras
on TensorFlow.

Shapes: `y_true` and `y_pred` are `(batch, ..., outputs)`, and a loss yields one value for
each `(batch, ...)`. As in Keras, `(n,)` against `(n, 1)` means the same `n` samples and is
aligned; any other difference in shape is an error, never a broadcast. Integer labels become
one-hot rows on entry, and from there on a sparse loss is the same as its dense counterpart.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from labkit._common import Array, expect, named, numbers
from labkit.activations import floats, sigmoid

__all__ = ["BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy", "Hinge"]
__all__ += ["Huber", "KLDivergence", "Loss", "MeanAbsoluteError", "MeanSquaredError"]
__all__ += ["SparseCategoricalCrossentropy", "get"]

EPSILON = 1e-7  # as in Keras, probabilities are clipped to [EPSILON, 1 - EPSILON]
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
        weight = spread(sample_weight, values)  # (batch, ...)
        if self.reduction == "sum_over_batch_size":
            weight = weight / values.size
        values = values * weight
        value = values if self.reduction in ("none", None) else float(values.sum())
        return value, (slopes * weight[..., None]).reshape(np.shape(y_pred))


class MeanSquaredError(Loss):
    """Mean of squared errors: `mean((y_pred - y_true)²)` over the outputs."""

    def compare(self, t: Array, y: Array) -> tuple[Array, Array]:
        """See `Loss.compare`."""
        e = y - t
        return _means(e**2, 2 * e)


class MeanAbsoluteError(Loss):
    """Mean of absolute errors: `mean(|y_pred - y_true|)` over the outputs."""

    def compare(self, t: Array, y: Array) -> tuple[Array, Array]:
        """See `Loss.compare`."""
        e = y - t
        return _means(abs(e), np.sign(e))


@dataclass(eq=False)
class Huber(Loss):
    """Squared for small errors, absolute for large ones: mean over the outputs.

    `e²/2` where `|e| <= delta`, else `delta |e| - delta²/2`, for `e = y_pred - y_true`
    (Huber 1964, https://doi.org/10.1214/aoms/1177703732).

    Args:
        delta: Where the loss turns from squared to absolute.
        reduction: See `Loss`.
    """

    delta: float = 1.0

    def compare(self, t: Array, y: Array) -> tuple[Array, Array]:
        """See `Loss.compare`."""
        e = y - t
        near = np.clip(e, -self.delta, self.delta)
        return _means(near * (e - near / 2), near)


class Hinge(Loss):
    """`mean(max(1 - t p, 0))` for targets -1 and 1; targets 0 and 1 are converted."""

    def prepare(self, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[Array, Array]:
        """See `Loss.prepare`."""
        t, p = super().prepare(y_true, y_pred)
        signs, bits = np.isin(t, (-1, 1)).all(), np.isin(t, (0, 1)).all()
        expect(signs or bits, "Hinge expects targets -1 and 1, or 0 and 1", np.unique(t))
        return np.where(t == 0, -1, t), p

    def compare(self, t: Array, y: Array) -> tuple[Array, Array]:
        """See `Loss.compare`."""
        gap = 1 - t * y
        return _means(np.maximum(gap, 0), -t * (gap >= 0))


class KLDivergence(Loss):
    """`sum(t log(t / p))` over the outputs, both clipped to `[1e-7, 1]`.

    Kullback and Leibler 1951, https://doi.org/10.1214/aoms/1177729694.
    """

    def compare(self, t: Array, y: Array) -> tuple[Array, Array]:
        """See `Loss.compare`."""
        t, p = np.clip(t, EPSILON, 1), np.clip(y, EPSILON, 1)
        return np.vecdot(t, np.log(t / p)), -t / p * (p == y)


class _Crossentropy(Loss):
    """Base of the losses whose targets are probabilities; smoothing makes them more equal."""

    label_smoothing: float  # a field of each subclass, which has its own order of arguments

    def prepare(self, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[Array, Array]:
        """See `Loss.prepare`."""
        t, p = super().prepare(y_true, y_pred)
        low, high = t.min(), t.max()
        fits = 0 <= low <= high <= 1  # NaN fails, too
        expect(fits, "A cross-entropy expects targets from 0 to 1", f"values from {low} to {high}")
        classes = 2 if self.logits_of == "sigmoid" else t.shape[-1]
        return t + self.label_smoothing * (1 / classes - t), p


@dataclass(eq=False)
class BinaryCrossentropy(_Crossentropy):
    """`-t log p - (1 - t) log(1 - p)` for yes/no targets: mean over the outputs.

    Args:
        from_logits: Whether `y_pred` is `z`, with `p = sigmoid(z)`, rather than `p`.
        label_smoothing: Moves the targets towards 1/2 by this share.
        reduction: See `Loss`.
    """

    logits_of = "sigmoid"
    from_logits: bool = False
    label_smoothing: float = 0.0

    def compare(self, t: Array, y: Array) -> tuple[Array, Array]:
        """See `Loss.compare`."""
        return _means(*_binary(t, y, self.from_logits))


@dataclass(eq=False)
class BinaryFocalCrossentropy(_Crossentropy):
    """Binary cross-entropy times `q**gamma`, where `q` is the probability of the wrong answer.

    Examples that are answered well hardly count (Lin et al. 2017,
    https://arxiv.org/abs/1708.02002).

    Args:
        apply_class_balancing: Whether to multiply by `alpha` where the target is 1, and by
            `1 - alpha` where it is 0.
        alpha: The weight of the class 1.
        gamma: How little the easy examples count; at 0 it is the binary cross-entropy.
        from_logits: See `BinaryCrossentropy`.
        label_smoothing: See `BinaryCrossentropy`.
        reduction: See `Loss`.
    """

    logits_of = "sigmoid"
    apply_class_balancing: bool = False
    alpha: float = 0.25
    gamma: float = 2.0
    from_logits: bool = False
    label_smoothing: float = 0.0

    def compare(self, t: Array, y: Array) -> tuple[Array, Array]:
        """See `Loss.compare`."""
        values, slopes = _binary(t, y, self.from_logits)
        p = sigmoid(y) if self.from_logits else y
        q = t + p - 2 * t * p
        dq = (1 - 2 * t) * (p * (1 - p) if self.from_logits else 1)
        focus = q**self.gamma
        dfocus = self.gamma * q ** (self.gamma - 1) * dq if self.gamma else 0
        weight = t * self.alpha + (1 - t) * (1 - self.alpha) if self.apply_class_balancing else 1
        return _means(weight * focus * values, weight * (focus * slopes + values * dfocus))


@dataclass(eq=False)
class CategoricalCrossentropy(_Crossentropy):
    """`-sum(t log p)` over the classes, for one-hot targets or other probabilities.

    Args:
        from_logits: Whether `y_pred` is `z`, with `p = softmax(z)`, rather than `p`.
        label_smoothing: Moves the targets towards `1 / classes` by this share.
        reduction: See `Loss`.
    """

    logits_of = "softmax"
    from_logits: bool = False
    label_smoothing: float = 0.0

    def compare(self, t: Array, y: Array) -> tuple[Array, Array]:
        """See `Loss.compare`."""
        if self.from_logits:
            return _after_softmax(t, y)
        total = y.sum(axis=-1, keepdims=True)
        q = y / total
        p = np.clip(q, EPSILON, 1 - EPSILON)
        dq = -t / p * (p == q)  # no slope where q is clipped
        return -np.vecdot(t, np.log(p)), (dq - np.vecdot(dq, q)[..., None]) / total


@dataclass(eq=False)
class SparseCategoricalCrossentropy(Loss):
    """`-log p[label]` for integer labels, `(batch, ...)` or `(batch, ..., 1)`.

    Args:
        from_logits: Whether `y_pred` is `z`, with `p = softmax(z)`, rather than `p`.
        reduction: See `Loss`.
    """

    logits_of = "softmax"
    sparse = True
    from_logits: bool = False

    def compare(self, t: Array, y: Array) -> tuple[Array, Array]:
        """See `Loss.compare`."""
        if self.from_logits:
            return _after_softmax(t, y)
        # As in Keras, the logarithms of probabilities are taken for logits, which normalises them.
        p = np.clip(y, EPSILON, 1 - EPSILON)
        values, slopes = _after_softmax(t, np.log(p))
        return values, slopes / p * (p == y)


def get(identifier: str | Loss) -> Loss:
    """Return a new loss of this name (`"mse"`), or the loss itself.

    Raises:
        ValueError: There is no such loss.
    """
    kinds: list[type[Loss]] = [MeanSquaredError, MeanAbsoluteError, Huber, Hinge, KLDivergence]
    kinds += [BinaryCrossentropy, BinaryFocalCrossentropy]
    kinds += [CategoricalCrossentropy, SparseCategoricalCrossentropy]
    aliases = {"mse": MeanSquaredError, "mae": MeanAbsoluteError, "kld": KLDivergence}
    return named(identifier, Loss, kinds, **aliases)


def _means(values: Array, slopes: Array) -> tuple[Array, Array]:
    """Return the mean of values over the outputs, and its slopes, given those of the values."""
    outputs = values.shape[-1]
    return np.add.reduce(values, axis=-1) / outputs, slopes / outputs


def _binary(t: Array, y: Array, from_logits: bool) -> tuple[Array, Array]:
    """Return the binary cross-entropy of each output, and its slopes."""
    if from_logits:  # log(1 + e^y) - t y, where nothing can overflow
        values = np.maximum(y, 0) - t * y + np.log1p(np.exp(-abs(y)))
        return values, sigmoid(y) - t
    p = np.clip(y, EPSILON, 1 - EPSILON)
    slopes = (p - t) / (p * (1 - p)) * (p == y)
    return -t * np.log(p) - (1 - t) * np.log(1 - p), slopes


def _after_softmax(t: Array, z: Array) -> tuple[Array, Array]:
    """Return `-sum(t log p)` for `p = softmax(z)`, and its slopes by `z`."""
    z = z - z.max(axis=-1, keepdims=True)
    e = np.exp(z)
    total = e.sum(axis=-1, keepdims=True)
    return -np.vecdot(t, z - np.log(total)), e / total - t  # where the targets sum to one


# Shapes and numbers, shared with the metrics.


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
