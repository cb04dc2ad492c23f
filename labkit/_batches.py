"""Batches for training: from arrays, or from a generator, one in memory at a time."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from labkit import _random

Array = np.ndarray[Any, Any]
Batch = tuple[Array, Array | None, Array | None]


class Batches:
    """The batches `(x, y, sample_weight)` of an epoch, each time that it is iterated.

    Args:
        x: Array `(samples, ...)`, also an `np.memmap`, or an iterable of `x`, `(x, y)` or
            `(x, y, sample_weight)` batches.
        y: Targets, `(samples, ...)`.
        sample_weight: Weights, `(samples, ...)`.
        batch_size: Rows per batch; 32 by default.
        shuffle: Whether arrays get a new order at each iteration.
        steps: How many batches to give at most; `None` for all.
        class_weight: Weight of each integer label, instead of `sample_weight`.

    Attributes:
        samples: Number of rows, or `None` if it is not known.
        steps: Number of batches, or `None` if it is not known.

    Raises:
        TypeError: Something is not an array of numbers.
        ValueError: The lengths differ, there is nothing, or arguments exclude each other.
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        batch_size: int | None = None,
        shuffle: bool = False,
        steps: int | None = None,
        class_weight: dict[int, float] | None = None,
    ) -> None:
        if class_weight and sample_weight is not None:
            raise ValueError("Pass class_weight or sample_weight, not both.")
        if any(number is not None and number < 1 for number in (batch_size, steps)):
            raise ValueError(f"Not positive: batch_size={batch_size} or steps={steps}.")
        self.class_weight, self.shuffle, self.steps = class_weight, shuffle, steps
        self.samples: int | None = None
        self._source: Iterable[Any] | None = None
        if isinstance(x, Iterable) and not isinstance(x, list) and not hasattr(x, "__array__"):
            if not (y is None and sample_weight is None and batch_size is None):
                raise ValueError(
                    "An iterable yields whole batches (x, y) or (x, y, sample_weight): "
                    "pass no y, sample_weight or batch_size with it."
                )
            self._source = x
            return
        given = {"x": x, "y": y, "sample_weight": sample_weight}
        self._arrays = [None if a is None else _array(name, a) for name, a in given.items()]
        lengths = {
            name: len(a) for name, a in zip(given, self._arrays, strict=True) if a is not None
        }
        self.samples, self._size = lengths["x"], batch_size or 32
        if self.samples == 0 or len(set(lengths.values())) > 1:
            raise ValueError(
                f"The arrays need the same number of rows, one or more. Received: {lengths}"
            )
        self.steps = min(steps or self.samples, -(-self.samples // self._size))

    def __iter__(self) -> Iterator[Batch]:
        for x, y, weight in self._gathered() if self._source is None else self._generated():
            yield x, y, self._by_class(y) if self.class_weight else weight

    def _gathered(self) -> Iterator[Batch]:
        samples = self.samples or 0
        order = _random.generator().permutation(samples) if self.shuffle else None
        for start in range(0, samples, self._size)[: self.steps]:
            rows = slice(start, start + self._size)
            x, y, w = (
                None if a is None else a[rows] if order is None else a.take(order[rows], axis=0)
                for a in self._arrays
            )
            yield np.asarray(x), y, w

    def _generated(self) -> Iterator[Batch]:
        # A generator goes on where it was; an iterable such as a tf.data.Dataset begins anew.
        rest, count = iter(self._source or ()), 0
        while count != self.steps and (batch := next(rest, None)) is not None:
            parts = batch if isinstance(batch, tuple | list) else (batch,)
            arrays = [None if a is None else _array("A batch", a) for a in parts]
            x, y, w = (*arrays, None, None)[:3]
            if x is None or len(parts) > 3:
                raise ValueError(f"A batch is (x, y, sample_weight). Received: {len(parts)} parts")
            count += 1
            yield x, y, w
        if count == 0 or (self.steps is not None and count < self.steps):
            raise ValueError(
                f"The data ended after {count} of {self.steps or 'at least 1'} batches of "
                "an epoch. Pass a generator that yields enough for all epochs, or an "
                "iterable that can begin anew."
            )

    def _by_class(self, y: Array | None) -> Array:
        if y is None:
            raise ValueError("class_weight needs targets.")
        one_hot = y.ndim > 1 and y.shape[-1] > 1
        labels = y.argmax(axis=-1) if one_hot else y.reshape(len(y))
        weights = self.class_weight or {}
        return np.array([weights.get(int(label), 1.0) for label in labels])


def split(arrays: Sequence[Any], share: float) -> tuple[Sequence[Any], Any]:
    """Cut the last `share` of the samples off, for validation."""
    length = len(arrays[0]) if hasattr(arrays[0], "__len__") else 0
    at = int(length * (1 - share))
    if not 0 < at < length:
        raise ValueError(
            "validation_split must leave samples on both sides of arrays. "
            f"Received: validation_split={share} for {length} samples"
        )
    cut = [(None, None) if a is None else (a[:at], a[at:]) for a in arrays]
    return [a for a, _ in cut], tuple(b for _, b in cut)


def refuse_nan(**arrays: Any) -> None:
    """Raise an error that names the array that is not finite, if one is not."""
    for name, array in arrays.items():
        if array is not None and not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite. Received NaN or infinite values.")


def _array(name: str, values: Any) -> Array:
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    if array.ndim == 0 or array.dtype.kind not in "fiub":
        raise TypeError(
            f"{name} must be an array of numbers with one row per sample. "
            f"Received: shape={array.shape}, dtype={array.dtype}"
        )
    return array
