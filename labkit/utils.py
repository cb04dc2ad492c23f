"""Small helpers for training: seeds and the progress bar."""

import random
import sys
import time
from typing import Any

import numpy as np

from labkit._common import expect, rng

__all__ = ["Progbar", "set_random_seed"]


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
