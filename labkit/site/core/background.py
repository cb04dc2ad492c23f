"""Runs tutorials behind a site that is being read already.

Each tutorial runs in a thread of its own, so that an edit restarts that one and no other.
"""

import threading
from collections import ChainMap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

from .book import Book, Colab, State, places
from .cache import Cache, CacheError
from .execute import Executed, RunCancelledError, RunError, default_jobs, run
from .tutorial import Tutorial, TutorialError


@dataclass
class _Job:
    tutorial: Tutorial
    key: dict[str, Any]
    cancel: threading.Event = field(default_factory=threading.Event)
    message: str = ""  # why it failed
    finished: bool = False


class Background:
    """Keeps the results of a set of tutorials up to date.

    Args:
        cache: The cache's folder.
        jobs: How many tutorials run at a time; by default what the machine can carry.
        on_change: Called in a thread of its own whenever a tutorial has run or failed.
        say: Told in a line what happens.
        delay: Seconds between a call of `start` and the first kernel.
    """

    def __init__(
        self,
        cache: Path,
        *,
        on_change: Callable[[], None],
        say: Callable[[str], None],
        jobs: int | None = None,
        delay: float = 0.5,
    ) -> None:
        self._cache = cache
        self._on_change = on_change
        self._say = say
        self._delay = delay
        self._slots = threading.Semaphore(jobs or default_jobs())
        self._tutorials: Sequence[Tutorial] = ()
        self._view = Cache(cache)  # as the last book saw it
        self._jobs: dict[str, _Job] = {}
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._lock = threading.Lock()  # held while it is decided what runs

    def book(self, tutorials: Sequence[Tutorial], colab: Colab | None = None) -> Book:
        """Return what is there of the tutorials' results, without waiting for the rest."""
        with self._lock:
            return self._book(tutorials, colab or Colab())

    def start(self) -> None:
        """Run what has no valid result; stop what runs in a version that is out of date.

        Returns at once, and waits a little: the reader's page comes before the kernels, which
        take all cores.
        """
        timer = threading.Timer(self._delay, self._start)
        timer.daemon = True
        timer.start()

    def close(self) -> None:
        """Stop every run and wait until its kernel has ended."""
        with self._lock:
            self._closed = True
            for job in self._jobs.values():
                job.cancel.set()
        for thread in self._threads:
            thread.join()

    def _book(self, tutorials: Sequence[Tutorial], colab: Colab) -> Book:
        cache = self._view = Cache(self._cache)
        self._tutorials = tutorials
        done: list[Tutorial] = []
        waiting: dict[str, NotebookNode] = {}
        states: dict[str, State] = {}
        messages: dict[str, str] = {}
        for tutorial in tutorials:
            if not cache.reason(tutorial):
                done.append(tutorial)
                continue
            name = tutorial.name
            try:
                waiting[name] = tutorial.notebook
                messages[name] = self._failure(tutorial, cache)
            except TutorialError as error:
                heading = new_markdown_cell(f"# {name}")  # type: ignore[no-untyped-call]  # nbformat
                waiting[name] = new_notebook(cells=[heading])  # type: ignore[no-untyped-call]
                messages[name] = str(error)
            states[name] = "failed" if messages[name] else "running"
        # Executed has no keys to delete or set, and ChainMap does neither.
        notebooks = ChainMap(waiting, Executed(done, cache))  # type: ignore[arg-type]
        return Book(notebooks, states, messages, colab, places(tutorials))

    def _start(self) -> None:
        with self._lock:
            if self._closed:
                return
            cache = self._view
            wanted = {tutorial.name for tutorial in self._tutorials}
            for name in self._jobs.keys() - wanted:
                self._jobs.pop(name).cancel.set()
            for tutorial in self._tutorials:
                try:
                    if cache.reason(tutorial):
                        self._start_one(tutorial, cache.key(tutorial))
                except TutorialError:
                    continue  # its page says so

    def _start_one(self, tutorial: Tutorial, key: dict[str, Any]) -> None:
        job = self._jobs.get(tutorial.name)
        if job is not None:
            if job.key == key and (job.message or not job.finished):
                return  # it has failed like this, or it runs
            job.cancel.set()
        job = self._jobs[tutorial.name] = _Job(tutorial, key)
        thread = threading.Thread(target=self._run, args=(job,), daemon=True)
        self._threads = [*(t for t in self._threads if t.is_alive()), thread]
        thread.start()

    def _failure(self, tutorial: Tutorial, cache: Cache) -> str:
        """Return why a tutorial has failed as it stands; nothing if it runs or will run."""
        job = self._jobs.get(tutorial.name)
        if job is None or not job.message or job.key != cache.key(tutorial):
            return ""
        return job.message

    def _run(self, job: _Job) -> None:
        with self._slots:
            if job.cancel.is_set():
                return
            self._say(f"Running {job.tutorial.place}")
            try:
                run([job.tutorial], Cache(self._cache), jobs=1, cancel=job.cancel)
            except RunCancelledError:
                return
            except RunError as error:
                job.message = "\n\n".join(map(str, error.failures))
            except CacheError as error:
                job.message = str(error)
            except Exception as error:  # whatever it is, the page must not wait forever
                job.message = f"{job.tutorial.place}: {error!r}"
            job.finished = True
            left = sum(not job.finished for job in list(self._jobs.values()))
            self._say(
                job.message
                or f"{job.tutorial.place} has run; "
                + (f"{left} still to go" if left else "all tutorials are up to date")
            )
        if not self._closed:
            self._on_change()
