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
    number = bool(labels.size) and labels.dtype.kind in "iufb" and np.isfinite(labels).all()
    if not number or (labels % 1 != 0).any():
        received = f"{labels.size} values, dtype={labels.dtype}"
        raise ValueError(f"to_categorical expects integer labels. Received: {received}")
    low, high = int(labels.min()), int(labels.max())
    classes = high + 1 if num_classes is None else num_classes
    if low < 0 or high >= classes:
        wanted = f"to_categorical expects labels from 0 to {classes - 1}"
        raise ValueError(f"{wanted}. Received labels from {low} to {high}.")
    one_hot: np.ndarray = np.eye(classes)[labels.astype(int)]
    return one_hot


class Progbar:
    """A line that shows how far a loop is, and its results so far.

    Args:
        target: Number of steps; `None` if unknown.
        verbose: 0: silent. 1 or `"auto"`: a bar that moves (without a terminal: as 2). 2: one
            line at the end.

    Raises:
        ValueError: `verbose` is none of these.
    """

    def __init__(self, target: int | None, verbose: str | int = 1) -> None:
        if verbose not in ("auto", 0, 1, 2):
            raise ValueError(f"verbose must be 'auto', 0, 1 or 2. Received: {verbose!r}")
        moves = sys.stdout.isatty() or "ipykernel" in sys.modules
        self.target = target
        self.verbose = 2 if verbose in ("auto", 1) and not moves else verbose
        self._start = time.perf_counter()
        self._drawn, self._length = 0.0, 0

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
        waits = self.verbose == 2 or now - self._drawn < 0.05
        if self.verbose == 0 or (waits and not finalize):
            return
        self._drawn = now
        line = f"{current}/{self.target or (current if finalize else '?')} "
        if self.verbose == 1 and self.target:
            line += f"{'━' * (20 * current // self.target):20} "
        seconds = now - self._start
        line += f"{seconds:.0f}s {1000 * seconds / max(current, 1):.1f}ms/step"
        for name, value in (values or {}).items():
            line += f" - {name}: {value:.4g}" if np.ndim(value) == 0 else ""
        if self.verbose != 2:
            line = "\r" + line.ljust(self._length)  # rubs out what a longer line has left
            self._length = len(line) - 1
        print(line, end="\n" if finalize else "", flush=True)
