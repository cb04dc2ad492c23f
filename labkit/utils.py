"""Small helpers of training: seeds, one-hot targets, the progress bar."""

import random
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from labkit import _random

__all__ = ["Progbar", "set_random_seed", "to_categorical"]


def set_random_seed(seed: int) -> None:
    """Make what follows repeatable: seeds `random`, `numpy.random` and labkit's own stream.

    The streams differ from Keras's: the same seed gives other weights there.

    Args:
        seed: From 0 to 2³² - 1.

    Raises:
        ValueError: The seed is no such integer.
    """
    if not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be an integer from 0 to 2**32 - 1. Received: {seed!r}")
    seed = int(seed)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # for a script's own use of the global stream
    _random.restart(seed)


def to_categorical(x: ArrayLike, num_classes: int | None = None) -> np.ndarray[Any, Any]:
    """Return one-hot rows for integer labels.

    Args:
        x: Labels from 0, `(...)` or `(..., 1)`.
        num_classes: Number of classes; by default the highest label plus one.

    Returns:
        Zeros and ones, `(..., num_classes)`, float64 as in Keras.

    Raises:
        ValueError: A label is not an integer from 0 to `num_classes - 1`.
    """
    labels = np.asarray(x)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    known = labels.dtype.kind in "iufb" and labels.size and np.isfinite(labels).all()
    integers = labels.astype(np.int64) if known else None
    if integers is None or not np.array_equal(integers, labels):
        raise ValueError(
            f"to_categorical expects integer labels. Received: {labels.size} values, "
            f"dtype={labels.dtype}"
        )
    classes = int(integers.max()) + 1 if num_classes is None else num_classes
    if integers.min() < 0 or integers.max() >= classes:
        raise ValueError(
            f"to_categorical expects labels from 0 to {classes - 1}. "
            f"Received labels from {integers.min()} to {integers.max()}."
        )
    return np.eye(classes)[integers]


class Progbar:
    """A line that shows how far a loop is, and its results so far.

    Args:
        target: Number of steps; `None` if unknown.
        width: Of the bar, in characters.
        verbose: 0: silent. 1 or `"auto"`: a bar that moves (without a terminal: as 2). 2: one
            line at the end.
        interval: Least time between two drawings, in seconds.
        unit_name: What a step is called.

    Raises:
        ValueError: `verbose` is none of these.
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: str | int = 1,
        interval: float = 0.05,
        *,
        unit_name: str = "step",
    ) -> None:
        self.target = target
        self.width = width
        moves = sys.stdout.isatty() or "ipykernel" in sys.modules
        if verbose not in ("auto", 0, 1, 2):
            raise ValueError(f"verbose must be 'auto', 0, 1 or 2. Received: {verbose!r}")
        level = 1 if verbose == "auto" else int(verbose)
        self.verbose = level if moves else min(level * 2, 2)
        self.interval = interval
        self.unit_name = unit_name
        self._start = time.perf_counter()
        self._drawn = 0.0
        self._length = 0

    def update(
        self, current: int, values: Mapping[str, Any] | None = None, finalize: bool | None = None
    ) -> None:
        """Show that `current` steps are done.

        Args:
            current: Number of steps done.
            values: Results so far, by name.
            finalize: Whether to end the line; by default, when the target is reached.
        """
        now = time.perf_counter()
        finalize = current == self.target if finalize is None else finalize
        waits = self.verbose == 2 or now - self._drawn < self.interval
        if self.verbose == 0 or (waits and not finalize):
            return
        self._drawn, total = now, self.target or (current if finalize else "?")
        line = f"{current}/{total} "
        if self.verbose == 1 and self.target:
            done = min(self.width, self.width * current // self.target)
            line += "━" * done + " " * (self.width - done) + " "
        each = (now - self._start) / max(current, 1)
        line += f"{_duration(now - self._start)} {_duration(each)}/{self.unit_name}"
        shown = {name: v for name, v in (values or {}).items() if np.ndim(v) == 0}
        line += "".join(f" - {name}: {value:.4g}" for name, value in shown.items())
        if self.verbose == 1:
            line = "\r" + line.ljust(self._length)  # rubs out what a longer line has left
            self._length = len(line) - 1
        print(line, end="\n" if finalize else "", flush=True)


def _duration(seconds: float) -> str:
    for limit, factor, unit in ((1e-3, 1e6, "us"), (1, 1e3, "ms")):
        if seconds < limit:
            return f"{seconds * factor:.0f}{unit}"
    return f"{seconds:.0f}s"
