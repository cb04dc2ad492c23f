"""Loss functions: one number that says how wrong a model is, and its slope.

A loss compares predictions with targets. Keras computes only the value and lets its
backend differentiate; here each loss also carries the derivative, so that a reader can
hold the two next to each other. Values, clipping and reductions follow Keras on TensorFlow.

Shapes: `y_true` and `y_pred` are `(batch, ..., outputs)`, and a loss yields one value for
each `(batch, ...)`. As in Keras, `(n,)` against `(n, 1)` means the same `n` samples and is
aligned; any other difference in shape is an error, never a broadcast.
"""

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from labkit import config
from labkit._typing import Array
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

EPSILON = 1e-7  # as in Keras, probabilities are clipped to [EPSILON, 1 - EPSILON]
REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Loss:
    """Base of all losses. A subclass writes `call`, and `derivative` to train with it.

    Args:
        name: Shown in messages.
        reduction: `"sum_over_batch_size"` (or `"mean"`) divides the sum by the number of
            values, `"mean_with_sample_weight"` by the sum of the weights, `"sum"` only
            sums, and `"none"` or `None` returns one value per sample.

    Raises:
        ValueError: The reduction is unknown.
    """

    logits_of: ClassVar[str | None] = None
    """The activation whose input this loss prefers to its output, as in TensorFlow."""
    name: Any
    reduction: str | None

    def __init__(self, name: str | None = None, reduction: str | None = REDUCTIONS[0]) -> None:
        self.name, self.reduction = name or type(self).__name__, reduction
        self.__post_init__()

    def __post_init__(self) -> None:
        if self.reduction not in REDUCTIONS:
            raise ValueError(f"reduction must be one of {REDUCTIONS}. Received: {self.reduction!r}")

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return one loss per sample, `(batch, ...)`, for `(batch, ..., outputs)`."""
        raise NotImplementedError(f"{type(self).__name__} needs call(y_true, y_pred).")

    def derivative(self, y_true: Array, y_pred: Array) -> Array:
        """Return the derivative of each value of `call` by its own row of `y_pred`."""
        raise NotImplementedError(
            f"To train with it, {type(self).__name__} needs derivative(y_true, y_pred)."
        )

    def prepare(self, y_true: ArrayLike, y_pred: Array) -> tuple[Array, Array]:
        """Return targets and predictions in the form that `call` expects.

        Raises:
            TypeError: The targets are not numbers.
            ValueError: They do not fit the predictions.
        """
        return aligned(self.name, to_float("y_true", y_true, y_pred.dtype), y_pred)

    def __call__(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Any:
        """Return the reduced loss: a float, or an array if `reduction` is `None`.

        Args:
            y_true: Targets, `(batch, ..., outputs)`; integer labels are `(batch, ...)`.
            y_pred: Predictions, `(batch, ..., outputs)`.
            sample_weight: One weight per value, `(batch, ...)`.

        Raises:
            TypeError: Something is not an array of numbers.
            ValueError: Shapes do not fit, or a target is impossible.
        """
        return self.value_and_gradient(y_true, y_pred, sample_weight, gradient=False)[0]

    def gradient(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Array:
        """Return the derivative of the reduced loss by `y_pred`, in its shape.

        With `reduction=None` it is the derivative of the sum, as TensorFlow's tape has it.
        """
        return np.asarray(self.value_and_gradient(y_true, y_pred, sample_weight)[1])

    def value_and_gradient(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
        gradient: bool = True,
    ) -> tuple[Any, Array | None]:
        """Return the reduced loss, see `__call__`, and its gradient if it is wanted."""
        p = to_float("y_pred", y_pred)
        shape = p.shape
        if p.size == 0:
            raise ValueError(f"{self.name} needs samples. Received: y_pred.shape={shape}")
        t, p = self.prepare(y_true, p)
        values = self.call(t, p)
        row_shape = values.shape
        values, weight = weighted(values, sample_weight)
        if weight is not None:
            values = values * weight
        scale = 1.0
        if self.reduction not in ("sum", "none", None):
            total = float(values.size)
            if self.reduction == "mean_with_sample_weight" and weight is not None:
                total = float(weight.sum())
            scale = 1 / total if total else 0.0  # as Keras: no weight, no loss
        reduced = values if self.reduction in ("none", None) else float(values.sum()) * scale
        if not gradient:
            return reduced, None
        slope = self.derivative(t, p) * scale
        if weight is not None:
            slope *= np.broadcast_to(weight, values.shape).reshape(row_shape)[..., None]
        return reduced, slope.reshape(shape)


@dataclass(eq=False)
class MeanSquaredError(Loss):
    """Mean of squared errors: `mean((y_pred - y_true)²)` over the outputs."""

    reduction: str | None = "sum_over_batch_size"
    name: str = "mean_squared_error"

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss.call`."""
        return mean(np.square(y_pred - y_true))

    def derivative(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss.derivative`."""
        return np.asarray((y_pred - y_true) * (2 / y_pred.shape[-1]))


@dataclass(eq=False)
class MeanAbsoluteError(Loss):
    """Mean of absolute errors: `mean(|y_pred - y_true|)` over the outputs."""

    reduction: str | None = "sum_over_batch_size"
    name: str = "mean_absolute_error"

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss.call`."""
        return mean(np.abs(y_pred - y_true))

    def derivative(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss.derivative`."""
        return np.asarray(np.sign(y_pred - y_true) / y_pred.shape[-1])


@dataclass(eq=False)
class Huber(Loss):
    """Squared for small errors, absolute for large ones: mean over the outputs.

    `e²/2` where `|e| <= delta`, else `delta |e| - delta²/2`, for `e = y_pred - y_true`
    (Huber 1964, https://doi.org/10.1214/aoms/1177703732).

    Args:
        delta: Where the loss turns from squared to absolute.
        reduction: See `Loss`.
        name: Shown in messages.
    """

    delta: float = 1.0
    reduction: str | None = "sum_over_batch_size"
    name: str = "huber_loss"

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss.call`."""
        e = np.abs(y_pred - y_true)
        near = np.minimum(e, self.delta)
        return mean(near * (e - near / 2))

    def derivative(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss.derivative`."""
        e = np.clip(y_pred - y_true, -self.delta, self.delta)
        return np.asarray(e / y_pred.shape[-1])


@dataclass(eq=False)
class BinaryCrossentropy(Loss):
    """`-t log p - (1 - t) log(1 - p)` for yes/no targets: mean over the outputs.

    Args:
        from_logits: Whether `y_pred` is `z`, with `p = sigmoid(z)`, rather than `p`.
        label_smoothing: Moves the targets towards 1/2 by this share.
        reduction: See `Loss`.
        name: Shown in messages.
    """

    logits_of: ClassVar[str | None] = "sigmoid"
    from_logits: bool = False
    label_smoothing: float = 0.0
    _: KW_ONLY
    reduction: str | None = "sum_over_batch_size"
    name: str = "binary_crossentropy"

    def prepare(self, y_true: ArrayLike, y_pred: Array) -> tuple[Array, Array]:
        """See `Loss.prepare`."""
        t, p = super().prepare(y_true, y_pred)
        _check_range(self.name, t, 1)
        return t, p

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss.call`."""
        t, z = _smooth(y_true, self.label_smoothing, 2), y_pred
        if self.from_logits:  # log(1 + e^z) - t z, without overflow
            return mean(np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z))))
        p, _ = _clip(y_pred)
        return mean(-(t * np.log(p) + (1 - t) * np.log(1 - p)))

    def derivative(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss.derivative`."""
        t = _smooth(y_true, self.label_smoothing, 2)
        if self.from_logits:
            return np.asarray((sigmoid(y_pred) - t) / t.shape[-1])
        p, inside = _clip(y_pred)
        return np.asarray((p - t) / (p * (1 - p)) * inside / t.shape[-1])


@dataclass(eq=False)
class CategoricalCrossentropy(Loss):
    """`-sum(t log p)` over the classes, for one-hot targets or other probabilities.

    Args:
        from_logits: Whether `y_pred` is `z`, with `p = softmax(z)`, rather than `p`.
        label_smoothing: Moves the targets towards `1 / classes` by this share.
        reduction: See `Loss`.
        name: Shown in messages.
    """

    logits_of: ClassVar[str | None] = "softmax"
    from_logits: bool = False
    label_smoothing: float = 0.0
    _: KW_ONLY
    reduction: str | None = "sum_over_batch_size"
    name: str = "categorical_crossentropy"

    def prepare(self, y_true: ArrayLike, y_pred: Array) -> tuple[Array, Array]:
        """See `Loss.prepare`."""
        t, p = super().prepare(y_true, y_pred)
        _check_range(self.name, t, 1)
        return t, p

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss.call`."""
        t = _smooth(y_true, self.label_smoothing, y_true.shape[-1])
        if self.from_logits:
            log_p = _log_softmax(y_pred)
        else:
            log_p = np.log(_clip(y_pred / y_pred.sum(axis=-1, keepdims=True))[0])
        return np.asarray(-(t * log_p).sum(axis=-1))

    def derivative(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss.derivative`."""
        t = _smooth(y_true, self.label_smoothing, y_true.shape[-1])
        if self.from_logits:
            return np.asarray(softmax(y_pred) - t)  # the targets of a sample sum to one
        total = y_pred.sum(axis=-1, keepdims=True)
        q, inside = _clip(y_pred / total)
        dq = -t / q * inside
        # q = y / sum(y), so dy = (dq - sum(dq q)) / sum(y)
        return np.asarray((dq - (dq * y_pred / total).sum(axis=-1, keepdims=True)) / total)


@dataclass(eq=False)
class SparseCategoricalCrossentropy(Loss):
    """`-log p[label]` for integer labels, `(batch, ...)` or `(batch, ..., 1)`.

    Args:
        from_logits: Whether `y_pred` is `z`, with `p = softmax(z)`, rather than `p`.
        reduction: See `Loss`.
        name: Shown in messages.
    """

    logits_of: ClassVar[str | None] = "softmax"
    from_logits: bool = False
    _: KW_ONLY
    reduction: str | None = "sum_over_batch_size"
    name: str = "sparse_categorical_crossentropy"

    def prepare(self, y_true: ArrayLike, y_pred: Array) -> tuple[Array, Array]:
        """Return integer labels, `(batch, ...)`, and the predictions."""
        labels = sparse_labels(self.name, y_true, y_pred)
        _check_range(self.name, labels, y_pred.shape[-1] - 1)
        if labels.dtype.kind == "f" and np.any(labels != np.floor(labels)):
            raise ValueError(f"{self.name} expects integer labels. Received fractions.")
        return labels.astype(np.intp), y_pred

    def _rows(self, y_true: Array, y_pred: Array) -> tuple[Array, Any]:
        """Return logits, `(samples, classes)`, and the index of each sample's label."""
        # As in Keras: the logarithms of probabilities are logits, and so renormalised.
        z = y_pred if self.from_logits else np.log(_clip(y_pred)[0])
        z = z.reshape(-1, z.shape[-1])
        return z, (np.arange(len(z)), y_true.ravel())

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss.call`."""
        z, label = self._rows(y_true, y_pred)
        return np.asarray(-_log_softmax(z)[label].reshape(y_true.shape))

    def derivative(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss.derivative`."""
        z, label = self._rows(y_true, y_pred)
        slope = softmax(z)
        slope[label] -= 1
        slope = slope.reshape(y_pred.shape)
        if not self.from_logits:  # z = log p
            p, inside = _clip(y_pred)
            slope *= inside / p
        return slope


@dataclass(eq=False)
class KLDivergence(Loss):
    """`sum(t log(t / p))` over the outputs, both clipped to `[1e-7, 1]`.

    Kullback and Leibler 1951, https://doi.org/10.1214/aoms/1177729694.
    """

    reduction: str | None = "sum_over_batch_size"
    name: str = "kl_divergence"

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss.call`."""
        t, p = _clip(y_true, 1)[0], _clip(y_pred, 1)[0]
        return np.asarray((t * np.log(t / p)).sum(axis=-1))

    def derivative(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss.derivative`."""
        p, inside = _clip(y_pred, 1)
        return np.asarray(-_clip(y_true, 1)[0] / p * inside)


@dataclass(eq=False)
class Hinge(Loss):
    """`mean(max(1 - t p, 0))` for targets -1 and 1; targets 0 and 1 are converted."""

    reduction: str | None = "sum_over_batch_size"
    name: str = "hinge"

    def prepare(self, y_true: ArrayLike, y_pred: Array) -> tuple[Array, Array]:
        """See `Loss.prepare`."""
        t, p = super().prepare(y_true, y_pred)
        if not (np.isin(t, (-1, 1)).all() or np.isin(t, (0, 1)).all()):
            raise ValueError(f"{self.name} expects targets -1 and 1, or 0 and 1.")
        return (t if (t < 0).any() else 2 * t - 1), p

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss.call`."""
        return mean(np.maximum(1 - y_true * y_pred, 0))

    def derivative(self, y_true: Array, y_pred: Array) -> Array:
        """See `Loss.derivative`."""
        return np.asarray(-y_true * (1 - y_true * y_pred >= 0) / y_true.shape[-1])


def get(identifier: str | Loss) -> Loss:
    """Return the loss of this name (`"mse"`, `"MeanSquaredError"`), or the loss itself.

    Raises:
        ValueError: There is no such loss.
    """
    if isinstance(identifier, Loss):
        return identifier
    kinds: dict[Any, Any] = {name: globals()[name] for name in __all__[:-1] if name != "Loss"}
    kinds |= {kind.name: kind for kind in kinds.values()}
    kinds |= {"mse": MeanSquaredError, "mae": MeanAbsoluteError, "huber": Huber}
    kinds["kld"] = KLDivergence
    if identifier not in kinds:
        raise ValueError(f"Unknown loss {identifier!r}. Known: {', '.join(kinds)}.")
    return kinds[identifier]()  # type: ignore[no-any-return]  # a table of losses


# Shapes and numbers, shared with the metrics.


def numbers(name: str, values: ArrayLike) -> Array:
    """Return an array of numbers."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be numbers. Received: dtype={array.dtype}")
    return array


def to_float(name: str, values: ArrayLike, dtype: Any = None) -> Array:
    """Return numbers as an array of floats: as they are, or of the default type."""
    array = numbers(name, values)
    if dtype is None:
        dtype = array.dtype if array.dtype in (np.float32, np.float64) else config.floatx()
    return array.astype(dtype, copy=False)


def match_ranks(a: Array, b: Array) -> tuple[Array, Array]:
    """Give two arrays of `n` values each, `(n,)` and `(n, 1)`, one shape."""
    if a.ndim == b.ndim + 1 and a.shape[-1] == 1:
        return (a, b[:, None]) if b.ndim == 1 else (a[..., 0], b)
    if b.ndim == a.ndim + 1 and b.shape[-1] == 1:
        return (a[:, None], b) if a.ndim == 1 else (a, b[..., 0])
    return a, b


def aligned(name: str, t: Array, p: Array) -> tuple[Array, Array]:
    """Return targets and predictions of one shape."""
    pair = match_ranks(t, p)
    if pair[0].shape != pair[1].shape:
        raise ValueError(
            f"{name} expects y_true and y_pred of one shape. "
            f"Received: y_true.shape={t.shape}, y_pred.shape={p.shape}"
        )
    return pair


def weighted(values: Array, sample_weight: ArrayLike | None) -> tuple[Array, Array | None]:
    """Align values with their weights: one for each, or 1 long on trailing axes."""
    if sample_weight is None:
        return values, None
    weight = to_float("sample_weight", sample_weight, values.dtype)
    aligned, weight = match_ranks(values, weight)
    same_rank = weight.ndim == aligned.ndim and weight.shape[:1] == aligned.shape[:1]
    sizes = zip(weight.shape, aligned.shape, strict=False)
    if weight.ndim and not (same_rank and all(w in (1, v) for w, v in sizes)):
        raise ValueError(
            "sample_weight must hold one weight per value. "
            f"Received: sample_weight.shape={weight.shape}, values.shape={values.shape}"
        )
    return aligned, weight


def sparse_labels(name: str, y_true: ArrayLike, y_pred: Array) -> Array:
    """Return labels, `(batch, ...)`, for scores `(batch, ..., classes)`."""
    given = numbers("y_true", y_true)
    labels = given[..., 0] if given.ndim == y_pred.ndim else given
    if labels.shape != y_pred.shape[:-1] or labels.size != given.size:
        raise ValueError(
            f"{name} expects one integer label per row of y_pred. Received: "
            f"y_true.shape={given.shape}, y_pred.shape={y_pred.shape}"
        )
    return labels


def mean(values: Array) -> Array:
    """Return the mean over the last axis, faster than `values.mean(axis=-1)`."""
    return np.asarray(np.add.reduce(values, axis=-1) / values.shape[-1])


def _log_softmax(z: Array) -> Array:
    z = z - z.max(axis=-1, keepdims=True)
    return np.asarray(z - np.log(np.exp(z).sum(axis=-1, keepdims=True)))


def _clip(p: Array, high: float = 1 - EPSILON) -> tuple[Array, Any]:
    """Return clipped probabilities, and where a gradient passes through the clip."""
    return np.clip(p, EPSILON, high), (p >= EPSILON) & (p <= high)


def _smooth(t: Array, share: float, classes: int) -> Array:
    return t * (1 - share) + share / classes if share else t


def _check_range(name: str, y_true: Array, high: int) -> None:
    low, top = y_true.min(), y_true.max()
    if not (low >= 0 and top <= high):  # NaN fails, too
        raise ValueError(
            f"{name} expects targets from 0 to {high}. Received values from {low} to {top}."
        )
