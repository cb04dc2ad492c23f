"""Threads: one for NumPy's matrix products, two for the halves of a batch.

NumPy's library for matrix products, OpenBLAS, has a thread for each core, and lets them wait for
each other by spinning: beside one other busy program, training became ten times slower. So labkit
computes with one such thread, if threadpoolctl is installed to say so, and gives a second core what
it parts itself: halves of a batch whose samples do not depend on each other. The halves are the
same on each machine and are added in the same order, so no digit depends on the number of cores, or
on which half is ready first.
"""

import contextlib
import contextvars
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from types import TracebackType
from typing import Any

LEAST = 2**21  # multiplications in a batch, below which a second thread costs more than it saves


class _OneBlasThread(contextlib.ContextDecorator):
    """A context in which matrix products use one thread; it may be entered again inside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if self._depth == 0 and (controller := _controller()) is not None:
                self._limit = controller.limit(limits=1, user_api="blas")
            self._depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth == 0 and self._limit is not None:
                self._limit.restore_original_limits()
                self._limit = None


one_blas_thread = _OneBlasThread()


def in_halves(work: Callable[[slice], Any], samples: int, multiplications: int) -> list[Any]:
    """Do some work on a batch, in halves side by side if that saves time.

    Args:
        work: Called with the rows of a half; what it writes lies in these rows alone.
        samples: The number of rows.
        multiplications: How much work there is in all.

    Returns:
        What `work` returned, in the order of the rows.
    """
    if samples < 2 or multiplications < LEAST:
        return [work(slice(0, samples))]
    first, second = slice(0, samples // 2), slice(samples // 2, samples)
    if _cores() < 2:
        return [work(first), work(second)]
    other = _helper().submit(contextvars.copy_context().run, work, second)
    try:
        result = work(first)
    finally:
        other.exception()  # which waits for it
    return [result, other.result()]


@cache
def _controller() -> Any:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()


@cache
def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _helper() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "labkit")


if hasattr(os, "register_at_fork"):  # a child has no thread of its parent
    os.register_at_fork(after_in_child=_helper.cache_clear)
