"""One thread for NumPy's matrix products while labkit computes.

NumPy's library for matrix products, OpenBLAS, has a thread for each core, and lets them wait for
each other by spinning: beside one other busy program, training became ten times slower. One thread
is about as fast on a quiet machine, and its sums have the same order on each machine. It is
threadpoolctl, which scikit-learn brings, that sets the number; without it, all stays as it is.
"""

import contextlib
import threading
from functools import cache
from types import TracebackType
from typing import Any


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


@cache
def _controller() -> Any:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()
