"""The losses, each as a class and, as in Keras, as a function of one value per sample."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from labkit._common import Array, expect
from labkit.activations import sigmoid
from labkit.losses.loss import Loss

EPSILON = 1e-7  # as in Keras, probabilities are clipped to [EPSILON, 1 - EPSILON]


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


@dataclass(eq=False)
class CosineSimilarity(Loss):
    """Minus the cosine of the angle between targets and predictions, as vectors of outputs.

    -1 where both point in one direction, 1 where they point in opposite ones, and 0 where one of
    them is zero.

    Args:
        reduction: See `Loss`.
    """

    def compare(self, t: Array, y: Array) -> tuple[Array, Array]:
        """See `Loss.compare`."""
        t, _ = _unit(t)
        unit, length = _unit(y)
        cosine = np.vecdot(t, unit)
        # The part of the target's direction that is at right angles to the prediction.
        across = t - unit * cosine[..., None] * (length > EPSILON)
        return -cosine, -across / length


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


def _unit(x: Array) -> tuple[Array, Array]:
    """Return vectors of length one, and their lengths, `(batch, ..., 1)`; at least EPSILON."""
    length = np.maximum(np.sqrt(np.vecdot(x, x))[..., None], EPSILON)
    return x / length, length


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return `MeanSquaredError` of each sample, `(batch, ...)`.

    Args:
        y_true: Targets, see `MeanSquaredError`.
        y_pred: Predictions, `(batch, ..., outputs)`.

    Raises:
        TypeError: Something is not an array of numbers.
        ValueError: Shapes do not fit.
    """
    return _each(MeanSquaredError, y_true, y_pred)


def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return `MeanAbsoluteError` of each sample, `(batch, ...)`.

    Args:
        y_true: Targets, see `MeanAbsoluteError`.
        y_pred: Predictions, `(batch, ..., outputs)`.

    Raises:
        TypeError: Something is not an array of numbers.
        ValueError: Shapes do not fit.
    """
    return _each(MeanAbsoluteError, y_true, y_pred)


def huber(y_true: ArrayLike, y_pred: ArrayLike, delta: float = 1.0) -> Array:
    """Return `Huber` of each sample, `(batch, ...)`.

    Args:
        y_true: Targets, see `Huber`.
        y_pred: Predictions, `(batch, ..., outputs)`.
        delta: See `Huber`.

    Raises:
        TypeError: Something is not an array of numbers.
        ValueError: Shapes do not fit.
    """
    return _each(Huber, y_true, y_pred, delta=delta)


def hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return `Hinge` of each sample, `(batch, ...)`.

    Args:
        y_true: Targets, see `Hinge`.
        y_pred: Predictions, `(batch, ..., outputs)`.

    Raises:
        TypeError: Something is not an array of numbers.
        ValueError: Shapes do not fit, or a target is impossible.
    """
    return _each(Hinge, y_true, y_pred)


def kl_divergence(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return `KLDivergence` of each sample, `(batch, ...)`.

    Args:
        y_true: Targets, see `KLDivergence`.
        y_pred: Predictions, `(batch, ..., outputs)`.

    Raises:
        TypeError: Something is not an array of numbers.
        ValueError: Shapes do not fit.
    """
    return _each(KLDivergence, y_true, y_pred)


def cosine_similarity(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return `CosineSimilarity` of each sample, `(batch, ...)`.

    Args:
        y_true: Targets, see `CosineSimilarity`.
        y_pred: Predictions, `(batch, ..., outputs)`.

    Raises:
        TypeError: Something is not an array of numbers.
        ValueError: Shapes do not fit.
    """
    return _each(CosineSimilarity, y_true, y_pred)


def binary_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Array:
    """Return `BinaryCrossentropy` of each sample, `(batch, ...)`.

    Args:
        y_true: Targets, see `BinaryCrossentropy`.
        y_pred: Predictions, `(batch, ..., outputs)`.
        from_logits: See `BinaryCrossentropy`.
        label_smoothing: See `BinaryCrossentropy`.

    Raises:
        TypeError: Something is not an array of numbers.
        ValueError: Shapes do not fit, or a target is impossible.
    """
    return _each(
        BinaryCrossentropy, y_true, y_pred, from_logits=from_logits, label_smoothing=label_smoothing
    )


def binary_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    **kwargs: Any,
) -> Array:
    """Return `BinaryFocalCrossentropy` of each sample, `(batch, ...)`.

    Args:
        y_true: Targets, see `BinaryFocalCrossentropy`.
        y_pred: Predictions, `(batch, ..., outputs)`.
        apply_class_balancing: See `BinaryFocalCrossentropy`.
        alpha: See `BinaryFocalCrossentropy`.
        gamma: See `BinaryFocalCrossentropy`.
        **kwargs: `from_logits` and `label_smoothing`, see there.

    Raises:
        TypeError: Something is not an array of numbers.
        ValueError: Shapes do not fit, or a target is impossible.
    """
    kwargs |= {"apply_class_balancing": apply_class_balancing, "alpha": alpha, "gamma": gamma}
    return _each(BinaryFocalCrossentropy, y_true, y_pred, **kwargs)


def categorical_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Array:
    """Return `CategoricalCrossentropy` of each sample, `(batch, ...)`.

    Args:
        y_true: Targets, see `CategoricalCrossentropy`.
        y_pred: Predictions, `(batch, ..., outputs)`.
        from_logits: See `CategoricalCrossentropy`.
        label_smoothing: See `CategoricalCrossentropy`.

    Raises:
        TypeError: Something is not an array of numbers.
        ValueError: Shapes do not fit, or a target is impossible.
    """
    return _each(
        CategoricalCrossentropy,
        y_true,
        y_pred,
        from_logits=from_logits,
        label_smoothing=label_smoothing,
    )


def sparse_categorical_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False
) -> Array:
    """Return `SparseCategoricalCrossentropy` of each sample, `(batch, ...)`.

    Args:
        y_true: Targets, see `SparseCategoricalCrossentropy`.
        y_pred: Predictions, `(batch, ..., outputs)`.
        from_logits: See `SparseCategoricalCrossentropy`.

    Raises:
        TypeError: Something is not an array of numbers.
        ValueError: Shapes do not fit, or a target is impossible.
    """
    return _each(SparseCategoricalCrossentropy, y_true, y_pred, from_logits=from_logits)


def _each(kind: type[Loss], y_true: ArrayLike, y_pred: ArrayLike, **options: Any) -> Array:
    """Return a loss of each sample."""
    return np.asarray(kind(reduction=None, **options)(y_true, y_pred))
