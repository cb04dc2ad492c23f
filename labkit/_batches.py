"""Batches for training: from arrays, or from a generator, one in memory at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from labkit._common import expect, numbers, rng

Batch = tuple[Any, ...]  # x, y, sample_weight; the last two may be None


@dataclass
class Batches:
    """One epoch's batches `(x, y, sample_weight)` for each iteration.

    Args:
        x: Array `(samples, ...)`, also an `np.memmap`, or an iterable of `x`, `(x, y)` or
            `(x, y, sample_weight)` batches.
        y: Targets, `(samples, ...)`.
        sample_weight: Weights, `(samples, ...)`.
        batch_size: Rows per batch; 32 by default.
        shuffle: Whether arrays get a new order at each iteration.
        steps: Number of batches; `None` for all, and then known only for arrays.

    Raises:
        TypeError: Something is not an array of numbers.
        ValueError: The lengths differ, there are no samples, or arguments exclude each other.
    """

    x: Any
    y: Any = None
    sample_weight: Any = None
    batch_size: int | None = None
    shuffle: bool = False
    steps: int | None = None

    def __post_init__(self) -> None:
        sizes = [size for size in (self.batch_size, self.steps) if size is not None]
        expect(min(sizes, default=1) >= 1, "batch_size and steps must be positive", sizes)
        if is_array(self.x):
            self.x, self.y, self.sample_weight = checked(self.x, self.y, self.sample_weight)
            self.batch_size = self.batch_size or 32
            whole = -(-len(self.x) // self.batch_size)  # rounded up
            self.steps = min(self.steps or whole, whole)
        else:
            alone = self.y is self.sample_weight is self.batch_size is None
            expect(alone, "With batches, pass no y, sample_weight or batch_size", type(self.x))

    def __iter__(self) -> Iterator[Batch]:
        batches = self._gathered() if is_array(self.x) else self._generated()
        count = 0
        for batch in islice(batches, self.steps):
            yield batch
            count += 1
        expect(count >= (self.steps or 1), f"Batches in an epoch: {self.steps or 1}", count)

    def _gathered(self) -> Iterator[Batch]:
        arrays, size = (self.x, self.y, self.sample_weight), self.batch_size or 32
        order = rng.permutation(len(self.x)) if self.shuffle else None
        for start in range(0, len(self.x), size):
            rows = slice(start, start + size)
            yield _rows(arrays, rows if order is None else order[rows])

    def _generated(self) -> Iterator[Batch]:
        for batch in self.x:
            parts = batch if isinstance(batch, tuple | list) else (batch,)
            expect(len(parts) <= 3, "A batch is (x, y, sample_weight)", f"{len(parts)} parts")
            yield checked(*parts)


def is_array(x: Any) -> bool:
    """Return whether `x` holds all samples, rather than yielding batches."""
    return not isinstance(x, Iterable) or isinstance(x, list) or hasattr(x, "__array__")


def checked(x: Any, y: Any = None, sample_weight: Any = None) -> Batch:
    """Return arrays of numbers, with one row for each sample."""
    given = {"x": x, "y": y, "sample_weight": sample_weight}
    arrays = {name: numbers(name, a) for name, a in given.items() if name == "x" or a is not None}
    rows = {name: array.shape[:1] for name, array in arrays.items()}
    fits = rows["x"] not in ((), (0,)) and len(set(rows.values())) == 1
    expect(fits, "The arrays need the same number of rows, one or more", rows)
    return arrays["x"], arrays.get("y"), arrays.get("sample_weight")


def split(batch: Batch, share: float) -> tuple[Batch, Batch]:
    """Split off the last `share` of the samples for validation."""
    length = len(batch[0]) if hasattr(batch[0], "__len__") else 0
    at = int(length * (1 - share))
    expect(0 < at < length, "validation_split must leave samples on both sides", (share, length))
    return _rows(batch, slice(at)), _rows(batch, slice(at, None))


def weighted_by_class(batch: Batch, class_weight: dict[int, float]) -> Batch:
    """Return the batch with the weight of each sample's class, given as an integer or one-hot."""
    x, y, weight = batch
    expect(y is not None, "class_weight needs targets", y)
    expect(weight is None, "Pass class_weight or sample_weight", "both")
    labels = y.argmax(axis=-1) if y.ndim > 1 and y.shape[-1] > 1 else y.ravel()
    return x, y, np.array([class_weight.get(int(label), 1.0) for label in labels])


def refuse_nan(**arrays: Any) -> None:
    """Raise an error that names an array with NaN or infinite values."""
    for name, array in arrays.items():
        finite = array is None or np.isfinite(array).all()
        expect(finite, f"{name} must be finite", "NaN or infinite values")


def _rows(batch: Batch, rows: Any) -> Batch:
    return tuple(None if array is None else array[rows] for array in batch)
