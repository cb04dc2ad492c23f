"""Batches for training: from arrays, or from a generator, one in memory at a time."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from labkit import _random

Array = np.ndarray[Any, Any]
Batch = tuple[Array, Array | None, Array | None]


def as_array(name: str, values: Any) -> Array:
    """Return ``values`` as an array; an `np.memmap` stays on disk."""
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    if array.ndim == 0 or array.dtype.kind not in "fiub":
        raise TypeError(
            f"{name} must be an array of numbers with one row per sample. "
            f"Received: shape={array.shape}, dtype={array.dtype}"
        )
    return array


class Batches:
    """An epoch's batches ``(x, y, sample_weight)`` each time that it is iterated.

    Args:
        x: Array ``(samples, ...)``, or an iterable of ``(x, y)`` or
            ``(x, y, sample_weight)`` batches.
        y: Targets, ``(samples, ...)``; must be ``None`` with an iterable.
        sample_weight: Weights, ``(samples, ...)``; must be ``None`` with an iterable.
        batch_size: Rows per batch; 32 by default. Must be ``None`` with an iterable.
        shuffle: Whether arrays get a new order at each iteration.
        steps: How many batches an epoch has; ``None`` for all.
        class_weight: Weight of each integer label, multiplied into ``sample_weight``.

    Raises:
        TypeError: If something is not an array of numbers.
        ValueError: If lengths differ, or nothing is there.
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
        self.steps = steps
        self.class_weight = class_weight
        self.source: Iterator[Any] | None = None
        self.iterable: Iterable[Any] | None = None
        if (
            isinstance(x, Iterable)
            and not hasattr(x, "__array__")
            and not isinstance(x, list)
        ):
            if y is not None or sample_weight is not None or batch_size is not None:
                raise ValueError(
                    "A generator yields (x, y) or (x, y, sample_weight) batches itself: "
                    "do not pass y, sample_weight or batch_size with it."
                )
            self.iterable = x
            return
        arrays = [("x", x), ("y", y), ("sample_weight", sample_weight)]
        self.arrays = [None if a is None else as_array(name, a) for name, a in arrays]
        lengths = {
            name: len(a)
            for (name, _), a in zip(arrays, self.arrays, strict=True)
            if a is not None
        }
        self.samples = lengths["x"]
        if len(set(lengths.values())) > 1 or not self.samples:
            raise ValueError(
                f"Arrays must have the same number of rows, one or more. Received: {lengths}"
            )
        self.batch_size = 32 if batch_size is None else batch_size
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be positive. Received: {batch_size}")
        self.shuffle = shuffle
        all_steps = -(-self.samples // self.batch_size)
        self.steps = all_steps if steps is None else min(steps, all_steps)

    def __iter__(self) -> Iterator[Batch]:
        for batch in self._generated() if self.iterable is not None else self._gathered():
            yield self._weigh(batch)

    def _gathered(self) -> Iterator[Batch]:
        order = _random.generator().permutation(self.samples) if self.shuffle else None
        for step in range(self.steps or 0):
            rows = slice(step * self.batch_size, (step + 1) * self.batch_size)
            index = rows if order is None else order[rows]
            x, y, weight = (None if a is None else a[index] for a in self.arrays)
            assert x is not None
            yield x, y, weight

    def _generated(self) -> Iterator[Batch]:
        assert self.iterable is not None
        # A plain generator goes on where the last epoch ended; other iterables begin anew.
        if self.source is None or self.iterable is not self.source:
            self.source = iter(self.iterable)
        count = 0
        while self.steps is None or count < self.steps:
            batch = next(self.source, None)
            if batch is None:
                break
            count += 1
            parts = batch if isinstance(batch, tuple) else (batch,)
            if not 1 <= len(parts) <= 3:
                raise ValueError(
                    "A generator must yield (x, y) or (x, y, sample_weight). "
                    f"Received a tuple of {len(parts)}."
                )
            parts = (*parts, None, None)
            x, y, weight = (None if a is None else np.asarray(a) for a in parts[:3])
            assert x is not None
            yield x, y, weight
        if not count or (self.steps is not None and count < self.steps):
            raise ValueError(
                f"The generator ended after {count} batches"
                + (f" of {self.steps}." if self.steps else ".")
                + " Pass one that yields enough for all epochs, or an object whose "
                "__iter__ begins anew."
            )

    def _weigh(self, batch: Batch) -> Batch:
        x, y, weight = batch
        if self.class_weight is None:
            return batch
        if y is None:
            raise ValueError("class_weight needs targets.")
        labels = y.argmax(axis=-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y))
        each = np.array([self.class_weight.get(int(label), 1.0) for label in labels])
        return x, y, each if weight is None else each * weight.reshape(len(y))
