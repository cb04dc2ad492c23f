"""Loss functions: one number that says how wrong a model is, and its slope.

A loss compares predictions with targets. Keras computes only the value and lets its
backend differentiate; here each loss also carries the derivative, so that a reader can
hold the two next to each other. Values, clipping and reductions follow Keras on TensorFlow.

Shapes: ``y_true`` and ``y_pred`` are ``(batch, ..., outputs)``, and a loss yields one value
for each ``(batch, ...)``. As in Keras, ``(n,)`` against ``(n, 1)`` means the same ``n``
samples and is aligned; any other difference in shape is an error, never a broadcast.
"""

import copy
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from labkit.activations import sigmoid, softmax

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Hinge",
    "Huber",
    "KLDivergence",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "get",
]

Array = np.ndarray[Any, Any]
EPSILON = (
    1e-7  # Keras's backend.epsilon(): probabilities are clipped to [EPSILON, 1 - EPSILON]
)
REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


def to_float(values: ArrayLike, dtype: str | None = None) -> Array:
    """Return ``values`` as a floating-point array: float32 unless it is float64 already."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"Expected numbers. Received: dtype={array.dtype}")
    if dtype is None:
        dtype = "float64" if array.dtype == np.float64 else "float32"
    return array.astype(dtype, copy=False)


def match_ranks(a: Array, b: Array) -> tuple[Array, Array]:
    """Give two arrays of ``n`` values each, shaped ``(n,)`` and ``(n, 1)``, one shape."""
    if a.ndim == b.ndim + 1 and a.shape[-1] == 1:
        return (a, b[:, None]) if b.ndim == 1 else (a[..., 0], b)
    if b.ndim == a.ndim + 1 and b.shape[-1] == 1:
        return (a[:, None], b) if a.ndim == 1 else (a, b[..., 0])
    return a, b


def weighted(values: Array, sample_weight: ArrayLike | None) -> tuple[Array, Array | None]:
    """Align the values of a loss or metric with their sample weights."""
    if sample_weight is None:
        return values, None
    weight = np.asarray(sample_weight, dtype=values.dtype)
    aligned, weight = match_ranks(values, weight)
    fits = weight.ndim in (0, aligned.ndim) and all(
        w in (1, v) for w, v in zip(weight.shape, aligned.shape, strict=False)
    )
    if not fits or (weight.ndim and weight.shape[0] != aligned.shape[0]):
        raise ValueError(
            "sample_weight must hold one weight per value. "
            f"Received: sample_weight.shape={weight.shape}, values.shape={values.shape}"
        )
    return aligned, weight


def _clip(p: Array, high: float = 1 - EPSILON) -> tuple[Array, Array]:
    """Return the clipped probabilities, and where a gradient passes through the clip."""
    return p.clip(EPSILON, high), (p >= EPSILON) & (p <= high)


class Loss:
    """Base of all losses. A subclass writes `call` and `derivative`.

    Args:
        name: Shown in logs.
        reduction: ``"sum_over_batch_size"`` (or ``"mean"``) divides the sum by the number
            of values, ``"mean_with_sample_weight"`` by the sum of the weights, ``"sum"``
            only sums, and ``"none"`` or ``None`` returns one value per sample.
        dtype: Of the computation; by default float64 for float64 predictions, else float32.

    Raises:
        ValueError: If the reduction is unknown.
    """

    logits_of: ClassVar[str | None] = None
    """The activation whose input this loss prefers to its output, as Keras on TensorFlow."""

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: str | None = None,
    ) -> None:
        if reduction not in REDUCTIONS:
            raise ValueError(
                f"reduction must be one of {REDUCTIONS}. Received: {reduction!r}"
            )
        self.name = name or type(self).__name__
        self.reduction = reduction
        self.dtype = dtype

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return one loss per sample: ``(batch, ..., outputs)`` to ``(batch, ...)``."""
        raise NotImplementedError(
            f"{type(self).__name__} must define call(y_true, y_pred)."
        )

    def derivative(self, y_true: Array, y_pred: Array) -> Array:
        """Return the derivative of each value of `call` by its own row of ``y_pred``."""
        raise NotImplementedError(
            f"{type(self).__name__} must define derivative() to train with it."
        )

    def check(self, y_true: Array, y_pred: Array) -> None:
        """Raise a `ValueError` if targets do not fit predictions."""
        if y_true.shape != y_pred.shape:
            raise ValueError(
                f"{self.name} expects y_true and y_pred of one shape. "
                f"Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}"
            )

    def __call__(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Any:
        """Return the reduced loss: a float, or an array if ``reduction`` is ``None``.

        Args:
            y_true: Targets, ``(batch, ..., outputs)``; for integer labels ``(batch, ...)``.
            y_pred: Predictions, ``(batch, ..., outputs)``.
            sample_weight: One weight per value, ``(batch, ...)``.

        Raises:
            ValueError: If shapes do not fit, or a target is impossible.
        """
        return self.value_and_gradient(y_true, y_pred, sample_weight, gradient=False)[0]

    def gradient(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Array:
        """Return the derivative of the reduced loss by ``y_pred``, in its shape.

        With ``reduction=None`` it is the derivative of the sum, as in TensorFlow.
        """
        gradient: Array = self.value_and_gradient(y_true, y_pred, sample_weight)[1]
        return gradient

    def value_and_gradient(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
        gradient: bool = True,
    ) -> tuple[Any, Any]:
        """Return the reduced loss and, if wanted, its gradient; see `__call__`."""
        p = to_float(y_pred, self.dtype)
        shape = p.shape
        if p.size == 0:
            raise ValueError(f"{self.name} needs samples. Received: y_pred.shape={shape}")
        t, p = match_ranks(to_float(y_true, p.dtype.name), p)
        self.check(t, p)
        values = self.call(t, p)
        value_shape = values.shape
        values, weight = weighted(values, sample_weight)
        if weight is not None:
            values = values * weight
        scale = 1.0
        if self.reduction not in ("sum", "none", None):
            scale = 1 / values.size
            if self.reduction == "mean_with_sample_weight" and weight is not None:
                total = float(np.sum(weight))
                scale = 1 / total if total else 0.0
        reduced = (
            values if self.reduction in ("none", None) else float(values.sum()) * scale
        )
        if not gradient:
            return reduced, None
        slope = self.derivative(t, p)
        slope *= scale
        if weight is not None:
            slope *= np.broadcast_to(weight, values.shape).reshape(value_shape)[..., None]
        return reduced, slope.reshape(shape)

    def with_logits(self) -> Self:
        """Return this loss for the inputs of its `logits_of` activation."""
        loss = copy.copy(self)
        vars(loss)["from_logits"] = True
        return loss


class MeanSquaredError(Loss):
    """Mean of squared errors: ``mean((y_pred - y_true)²)`` over the outputs."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss`."""
        return np.square(y_pred - y_true).mean(axis=-1)

    def derivative(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss`."""
        return (y_pred - y_true) * (2 / y_pred.shape[-1])


class MeanAbsoluteError(Loss):
    """Mean of absolute errors: ``mean(|y_pred - y_true|)`` over the outputs."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss`."""
        return np.abs(y_pred - y_true).mean(axis=-1)

    def derivative(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss`."""
        return np.sign(y_pred - y_true) / y_pred.shape[-1]


class Huber(Loss):
    """Squared near zero, absolute beyond ``delta``: mean over the outputs.

    ``e²/2`` where ``|e| <= delta``, else ``delta |e| - delta²/2``, with
    ``e = y_pred - y_true`` (Huber 1964, https://doi.org/10.1214/aoms/1177703732).

    Args:
        delta: Where the loss turns from squared to absolute.
        reduction: See `Loss`.
        name: Shown in logs.
        dtype: See `Loss`.
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.delta = delta

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss`."""
        e = np.abs(y_pred - y_true)
        near = np.minimum(e, self.delta)
        return (near * (e - near / 2)).mean(axis=-1)

    def derivative(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss`."""
        return (y_pred - y_true).clip(-self.delta, self.delta) / y_pred.shape[-1]


class BinaryCrossentropy(Loss):
    """``-t log p - (1 - t) log(1 - p)`` of yes/no targets, mean over the outputs.

    Args:
        from_logits: Whether ``y_pred`` is ``z`` with ``p = sigmoid(z)``, not ``p`` itself.
        label_smoothing: Moves the targets towards 1/2 by this share.
        axis: Must be -1, the only axis that labkit has for outputs.
        reduction: See `Loss`.
        name: Shown in logs.
        dtype: See `Loss`.
    """

    logits_of = "sigmoid"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing

    def check(self, y_true: Array, y_pred: Array) -> None:
        """See `Loss`."""
        super().check(y_true, y_pred)
        _check_range(self.name, y_true, 1)

    def _smooth(self, t: Array) -> Array:
        s = self.label_smoothing
        return t * (1 - s) + s / 2 if s else t

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss`."""
        t, z = self._smooth(y_true), y_pred
        if self.from_logits:  # log(1 + e^z) - t z, without overflow
            values = np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))
        else:
            p, _ = _clip(y_pred)
            values = -(t * np.log(p) + (1 - t) * np.log(1 - p))
        return values.mean(axis=-1)

    def derivative(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss`."""
        t = self._smooth(y_true)
        if self.from_logits:
            slope = sigmoid(y_pred) - t
        else:
            p, inside = _clip(y_pred)
            slope = (p - t) / (p * (1 - p)) * inside
        return slope / y_pred.shape[-1]


class CategoricalCrossentropy(Loss):
    """``-sum(t log p)`` over the classes, for one-hot (or any probability) targets.

    Args:
        from_logits: Whether ``y_pred`` is ``z`` with ``p = softmax(z)``, not ``p`` itself.
        label_smoothing: Moves the targets towards ``1 / classes`` by this share.
        reduction: See `Loss`.
        name: Shown in logs.
        dtype: See `Loss`.
    """

    logits_of = "softmax"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing

    def check(self, y_true: Array, y_pred: Array) -> None:
        """See `Loss`."""
        super().check(y_true, y_pred)
        _check_range(self.name, y_true, 1)

    def _smooth(self, t: Array) -> Array:
        s = self.label_smoothing
        return t * (1 - s) + s / t.shape[-1] if s else t

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss`."""
        t = self._smooth(y_true)
        if self.from_logits:
            z = y_pred - y_pred.max(axis=-1, keepdims=True)
            log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
        else:
            log_p = np.log(_clip(y_pred / y_pred.sum(axis=-1, keepdims=True))[0])
        return -(t * log_p).sum(axis=-1)

    def derivative(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss`."""
        t = self._smooth(y_true)
        if self.from_logits:
            return softmax(y_pred) * t.sum(axis=-1, keepdims=True) - t
        total = y_pred.sum(axis=-1, keepdims=True)
        q, inside = _clip(y_pred / total)
        dq = -t / q * inside
        return (dq - (dq * y_pred / total).sum(axis=-1, keepdims=True)) / total


class SparseCategoricalCrossentropy(Loss):
    """``-log p[label]`` for integer labels, ``(batch, ...)`` or ``(batch, ..., 1)``.

    Args:
        from_logits: Whether ``y_pred`` is ``z`` with ``p = softmax(z)``, not ``p`` itself.
        reduction: See `Loss`.
        name: Shown in logs.
        dtype: See `Loss`.
    """

    logits_of = "softmax"

    def __init__(
        self,
        from_logits: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str = "sparse_categorical_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits

    def check(self, y_true: Array, y_pred: Array) -> None:
        """See `Loss`."""
        classes = y_pred.shape[-1]
        labels = y_true[..., 0] if y_true.ndim == y_pred.ndim else y_true
        if labels.shape != y_pred.shape[:-1] or y_true.size != labels.size:
            raise ValueError(
                f"{self.name} expects one integer label per row of y_pred. Received: "
                f"y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}"
            )
        _check_range(self.name, y_true, classes - 1)
        if np.any(labels != np.floor(labels)):
            raise ValueError(f"{self.name} expects integer labels. Received fractions.")

    def _logits(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        labels = y_true.reshape(y_pred.shape[:-1]).astype(np.intp)
        # Keras renormalises plain probabilities by using their logarithms as logits.
        return labels[..., None], y_pred if self.from_logits else np.log(_clip(y_pred)[0])

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss`."""
        labels, z = self._logits(y_true, y_pred)
        z = z - z.max(axis=-1, keepdims=True)
        log_total = np.log(np.exp(z).sum(axis=-1))
        values: Array = log_total - np.take_along_axis(z, labels, axis=-1)[..., 0]
        return values

    def derivative(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss`."""
        labels, z = self._logits(y_true, y_pred)
        slope = softmax(z)
        np.put_along_axis(
            slope, labels, np.take_along_axis(slope, labels, axis=-1) - 1, axis=-1
        )
        if not self.from_logits:  # z = log p
            p, inside = _clip(y_pred)
            slope *= inside / p
        return slope


class KLDivergence(Loss):
    """``sum(t log(t / p))`` over the outputs, both clipped to ``[1e-7, 1]``.

    Kullback and Leibler 1951, https://doi.org/10.1214/aoms/1177729694.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "kl_divergence",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss`."""
        t, p = _clip(y_true, 1)[0], _clip(y_pred, 1)[0]
        return (t * np.log(t / p)).sum(axis=-1)

    def derivative(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss`."""
        p, inside = _clip(y_pred, 1)
        return -_clip(y_true, 1)[0] / p * inside


class Hinge(Loss):
    """``mean(max(1 - t p, 0))`` for targets -1 and 1; targets 0 and 1 are converted."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "hinge",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def check(self, y_true: Array, y_pred: Array) -> None:
        """See `Loss`."""
        super().check(y_true, y_pred)
        if not np.isin(y_true, (-1, 0, 1)).all():
            raise ValueError(f"{self.name} expects targets -1 and 1 (or 0 and 1).")

    @staticmethod
    def _signs(t: Array) -> Array:
        return 2 * t - 1 if np.isin(t, (0, 1)).all() else t

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss`."""
        return np.maximum(1 - self._signs(y_true) * y_pred, 0).mean(axis=-1)

    def derivative(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss`."""
        t = self._signs(y_true)
        return -t * (1 - t * y_pred >= 0) / y_pred.shape[-1]


def _check_range(name: str, y_true: Array, high: int) -> None:
    low, top = y_true.min(), y_true.max()
    if not (low >= 0 and top <= high):  # written so that NaN fails, too
        raise ValueError(
            f"{name} expects targets from 0 to {high}. Received values from {low} to {top}."
        )


ALIASES: dict[str, Callable[[], Loss]] = {
    "mse": MeanSquaredError,
    "mean_squared_error": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mean_absolute_error": MeanAbsoluteError,
    "huber": Huber,
    "binary_crossentropy": BinaryCrossentropy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "kld": KLDivergence,
    "kl_divergence": KLDivergence,
    "hinge": Hinge,
}


def get(identifier: str | Loss) -> Loss:
    """Return the loss with this name (``"mse"``, ``"MeanSquaredError"``), or the loss itself.

    Raises:
        ValueError: If there is no such loss.
    """
    if isinstance(identifier, Loss):
        return identifier
    factory = ALIASES.get(identifier) if isinstance(identifier, str) else None
    if factory is None and identifier in __all__[:-1]:
        factory = globals()[identifier]
    if factory is None:
        raise ValueError(
            f"Unknown loss {identifier!r}. Known: {', '.join(sorted(ALIASES))}."
        )
    return factory()
