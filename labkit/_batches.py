"""Batches for training: from arrays, or from a generator, one in memory at a time."""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from labkit._common import expect, numbers, rng
from labkit._tree import flatten, is_structure, map_structure, pack

Batch = tuple[Any, ...]  # x, y, sample_weight; the last two may be None
Several = tuple[bool | None, bool | None]  # whether x, and y, are several arrays; None: by its type


@dataclass
class Batches:
    """One epoch's batches `(x, y, sample_weight)` for each iteration.

    Args:
        x: Array `(samples, ...)`, also an `np.memmap`, or a list, tuple or dict of such arrays;
            or an iterable of `x`, `(x, y)` or `(x, y, sample_weight)` batches.
        y: Targets, `(samples, ...)`, likewise.
        sample_weight: Weights, `(samples, ...)`, likewise.
        batch_size: Rows per batch; 32 by default.
        shuffle: Whether arrays get a new order each time they are gone through.
        steps: Number of batches, after which the next epoch goes on; `None` for all, and then
            known only for arrays.
        several: Whether the model takes, and returns, several arrays.

    Raises:
        TypeError: Something is not an array of numbers, or a number not whole.
        ValueError: The lengths differ, there are no samples, or arguments exclude each other.
    """

    x: Any
    y: Any = None
    sample_weight: Any = None
    batch_size: int | None = None
    shuffle: bool = False
    steps: int | None = None
    several: Several = (None, None)

    def __post_init__(self) -> None:
        for name, size in (("batch_size", self.batch_size), ("steps", self.steps)):
            if size is not None:
                whole(name, size)
        self._limit = self.steps
        self._going: Iterator[Batch] | None = None  # through arrays, from epoch to epoch
        if is_array(self.x):
            arrays = checked(self.x, self.y, self.sample_weight, several=self.several)
            self.x, self.y, self.sample_weight = arrays
            self.batch_size = self.batch_size or 32
            self._length = len(flatten(self.x)[0])
            in_all = -(-self._length // self.batch_size)  # rounded up
            self.steps = min(self.steps or in_all, in_all)
        else:
            alone = self.y is self.sample_weight is self.batch_size is None
            expect(alone, "With batches, pass no y, sample_weight or batch_size", type(self.x))
            self._length = 0

    def __iter__(self) -> Iterator[Batch]:
        if self._going is None or self._limit is None:
            self._going = self._gathered() if self._length else self._generated()
        count = 0
        while self._limit is None or count < self._limit:
            batch = next(self._going, None) if self._going else None
            if batch is None:
                self._going = None
                break
            yield batch
            count += 1
            if self._going is None:
                break
        if self._length and self._limit is not None and count < self._limit:
            warnings.warn(
                f"The data ended after {count} of {self._limit} batches of an epoch.", stacklevel=3
            )
        least = 1 if self._length else self._limit or 1
        expect(count >= least, f"Batches in an epoch: {least}", count)

    def _gathered(self) -> Iterator[Batch]:
        arrays, size = (self.x, self.y, self.sample_weight), self.batch_size or 32
        order = rng.permutation(self._length) if self.shuffle else None
        for start in range(0, self._length, size):
            rows = slice(start, start + size)
            if start + size >= self._length:
                self._going = None  # the next epoch begins anew
            yield _rows(arrays, rows if order is None else order[rows])

    def _generated(self) -> Iterator[Batch]:
        for batch in self.x:
            parts = batch if isinstance(batch, tuple | list) else (batch,)
            expect(len(parts) <= 3, "A batch is (x, y, sample_weight)", f"{len(parts)} parts")
            x, y, weight = (*parts, None, None)[:3]
            yield checked(x, y, weight, self.several)


def whole(name: str, number: Any, least: int = 1) -> None:
    """Refuse what is no whole number, or too small."""
    if not isinstance(number, int | np.integer) or isinstance(number, bool):
        raise TypeError(f"{name} must be a whole number. Received: {number!r}")
    expect(number >= least, f"{name} must be {least} or more", number)


def is_array(x: Any) -> bool:
    """Return whether `x` holds all samples, rather than yielding batches."""
    holds = isinstance(x, list | dict) or hasattr(x, "__array__")
    return holds or not isinstance(x, Iterable) or is_structure(x)


def checked(
    x: Any, y: Any = None, sample_weight: Any = None, several: Several = (None, None)
) -> Batch:
    """Return arrays of numbers, with one row for each sample."""
    x, y = _arrays("x", x, several[0]), _arrays("y", y, several[1])
    weight = _arrays("sample_weight", sample_weight, several[1])
    named = {"x": x, "y": y, "sample_weight": weight}
    rows = {
        name: {array.shape[:1] for array in flatten(part) if array is not None}
        for name, part in named.items()
        if part is not None
    }
    found = set().union(*rows.values())
    fits = len(found) == 1 and found not in ({()}, {(0,)})
    told = {name: shapes.pop() if len(shapes) == 1 else shapes for name, shapes in rows.items()}
    expect(fits, "The arrays need the same number of rows, one or more", told)
    return x, y, weight


def split(batch: Batch, share: float) -> tuple[Batch, Batch]:
    """Split off the last `share` of the samples for validation."""
    first = flatten(batch[0])[0] if is_structure(batch[0]) else batch[0]
    length = len(first) if hasattr(first, "__len__") else 0
    at = int(length * (1 - share))
    expect(0 < at < length, "validation_split must leave samples on both sides", (share, length))
    return _rows(batch, slice(at)), _rows(batch, slice(at, None))


def weighted_by_class(batch: Batch, class_weight: dict[int, float]) -> Batch:
    """Return the batch with the weight of each sample's class, given as an integer or one-hot."""
    x, y, weight = batch
    expect(y is not None, "class_weight needs targets", y)
    expect(weight is None, "Pass class_weight or sample_weight", "both")
    expect(hasattr(y, "shape"), "class_weight needs a model with one output", f"{len(y)} targets")
    labels = y.argmax(axis=-1) if y.ndim > 1 and y.shape[-1] > 1 else y.ravel()
    return x, y, np.array([class_weight.get(int(label), 1.0) for label in labels])


def refuse_nan(**arrays: Any) -> None:
    """Raise an error that names an array with NaN or infinite values."""
    for name, part in arrays.items():
        finite = all(array is None or np.isfinite(array).all() for array in flatten(part))
        expect(finite, f"{name} must be finite", "NaN or infinite values")


def _arrays(name: str, given: Any, several: bool | None) -> Any:
    """Return an array of numbers, or the same structure of such arrays."""
    if given is None and name != "x":
        return None
    if several is False and isinstance(given, list | tuple) and len(given) == 1:
        given = given[0] if is_structure(given) else given
    if is_structure(given) and (several is not False or isinstance(given, dict)):
        return pack(given, [_numbers_or_none(name, array) for array in flatten(given)])
    return numbers(name, given)


def _numbers_or_none(name: str, array: Any) -> Any:
    return None if array is None else numbers(name, array)


def _rows(batch: Batch, rows: Any) -> Batch:
    def part(array: Any) -> Any:
        return None if array is None else array[rows]

    return tuple(
        map_structure(part, arrays) if is_structure(arrays) else part(arrays) for arrays in batch
    )
