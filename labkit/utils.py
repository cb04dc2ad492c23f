"""Small helpers for training: seeds, data in the form that models take, the progress bar."""

import random
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from labkit._common import Array, expect, numbers, rng
from labkit._missing import left_out

__all__ = ["Progbar", "pad_sequences", "set_random_seed", "to_categorical"]

if not TYPE_CHECKING:
    __getattr__ = left_out(__name__)


def set_random_seed(seed: int) -> None:
    """Make what follows repeatable: seeds `random`, `numpy.random` and labkit's own stream.

    The streams differ from Keras's: the same seed gives other weights there.

    Args:
        seed: From 0 to 2³² - 1.

    Raises:
        ValueError: The seed is not such an integer.
    """
    whole = isinstance(seed, int | np.integer)
    expect(whole and 0 <= seed < 2**32, "seed is an integer from 0 to 2**32 - 1", repr(seed))
    random.seed(int(seed))
    np.random.seed(seed)  # noqa: NPY002  # for a script's own use of the global stream
    rng.bit_generator.state = np.random.default_rng(seed).bit_generator.state


def to_categorical(x: ArrayLike, num_classes: int | None = None) -> Array:
    """Turn integer labels into one-hot rows.

    Args:
        x: Labels from 0 to `num_classes - 1`, `(samples, ...)`; a last axis of size 1 is dropped.
        num_classes: Length of a row; `None` means the largest label plus one.

    Returns:
        `(samples, ..., num_classes)`, in float64: 1 at each label, 0 elsewhere.

    Raises:
        TypeError: `x` holds something other than numbers.
        ValueError: A label is not a whole number, or does not fit.
    """
    labels = numbers("x", x)
    labels = labels[..., 0] if labels.ndim > 1 and labels.shape[-1] == 1 else labels
    expect(labels.size, "to_categorical needs labels", f"{labels.shape=}")
    low, high = labels.min(), labels.max()
    classes = int(high) + 1 if num_classes is None else num_classes
    fits = 0 <= low <= high < classes and not (labels % 1).any()
    came = f"values from {low} to {high}"
    expect(fits, f"to_categorical expects whole numbers from 0 to {classes - 1}", came)
    return np.eye(classes)[labels.astype(np.intp)]


def pad_sequences(
    sequences: Sequence[ArrayLike],
    maxlen: int | None = None,
    dtype: DTypeLike = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: float = 0.0,
) -> NDArray[Any]:
    """Make sequences equally long, so that they fit into one array.

    Args:
        sequences: Lists or arrays, `(steps, ...)` each, of any number of steps.
        maxlen: Number of steps afterwards; `None` means that of the longest.
        dtype: Of the result.
        padding: Where a shorter one is filled up: `"pre"` at its start, `"post"` at its end.
        truncating: Where a longer one loses steps: `"pre"` at its start, `"post"` at its end.
        value: What fills it up.

    Returns:
        `(samples, maxlen, ...)`.

    Raises:
        ValueError: Something is not a sequence, their steps differ in shape, or `padding` or
            `truncating` is unknown.
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        expect(side in ("pre", "post"), f"{name} is 'pre' or 'post'", repr(side))
    arrays = [np.asarray(sequence, dtype) for sequence in sequences]
    shapes = {array.shape[1:] for array in arrays if array.size} or {()}
    fits = arrays and all(array.ndim for array in arrays) and len(shapes) == 1
    wanted = "pad_sequences expects a list of sequences whose steps have one shape"
    expect(fits, wanted, [array.shape for array in arrays])
    length = max(map(len, arrays)) if maxlen is None else maxlen
    expect(length >= 1, "maxlen must be positive", length)
    padded = np.full((len(arrays), length, *shapes.pop()), value, dtype)
    for row, array in zip(padded, arrays, strict=True):
        if array.size:
            kept = array[-length:] if truncating == "pre" else array[:length]
            row[slice(-len(kept), None) if padding == "pre" else slice(len(kept))] = kept
    return padded


class Progbar:
    """A line that shows how far a loop has come, and its results so far.

    Args:
        target: Number of steps; `None` if unknown.
        verbose: 0: silent. 1 or `"auto"`: a moving bar (without a terminal: as 2). 2: one
            line at the end.

    Raises:
        ValueError: `verbose` is none of these.
    """

    def __init__(self, target: int | None, *, verbose: str | int = 1) -> None:
        expect(verbose in ("auto", 0, 1, 2), "verbose is 'auto', 0, 1 or 2", repr(verbose))
        moves = sys.stdout.isatty() or "ipykernel" in sys.modules
        self.target = target
        self.verbose = 2 if verbose in ("auto", 1) and not moves else verbose
        self._start = time.perf_counter()
        self._drawn, self._length = 0.0, 0

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
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
        if self.verbose != 2 and self.target:
            line += f"{'━' * (20 * current // self.target):20} "
        seconds = now - self._start
        line += f"{seconds:.0f}s {1000 * seconds / max(current, 1):.1f}ms/step"
        for name, value in (values or {}).items():
            line += f" - {name}: {value:.4g}" if np.ndim(value) == 0 else ""
        # Spaces erase the rest of a longer line.
        print(line.ljust(self._length), end="\n" if finalize else "\r", flush=True)
        self._length = len(line)
