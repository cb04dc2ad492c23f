"""Runs tutorials side by side, as many as the machine can carry: for a build, or behind a site.

`run` returns when every tutorial has run or failed; one report then names each failure.
`Scheduler` does the same in a thread while the site is read: an edit restarts the tutorial
that was edited and no other. Both fill one kind of pool. Only a run that succeeded is kept.
"""

import asyncio
import contextlib
import logging
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

from .book import State
from .cache import Cache
from .pool import Job, Pool, default_jobs
from .progress import Progress
from .run import TIMEOUT, Failure
from .tutorial import Tutorial, TutorialError

DELAY = 0.5  # seconds from a site's first page to the first kernel
PACKAGES = ("nbclient", "ipykernel", "jupyter_client", "psutil", "tqdm")  # that running needs


class RunError(Exception):
    """Some tutorials failed, after all have run.

    Attributes:
        failures: One for each tutorial that failed.
    """

    def __init__(self, failures: Sequence[Failure], total: int) -> None:
        self.failures = list(failures)
        super().__init__(
            "\n\n".join([f"{len(failures)} of {total} tutorials failed.", *map(str, failures)])
        )


class Executed(Mapping[str, NotebookNode]):
    """Notebooks by name, each read from the cache when it is asked for.

    Args:
        tutorials: All, in the book's order.
        cache: Where the results are of those that have run.
        waiting: The notebooks of those that have not.
    """

    def __init__(
        self,
        tutorials: Sequence[Tutorial],
        cache: Cache,
        waiting: Mapping[str, NotebookNode] | None = None,
    ) -> None:
        self._tutorials = {tutorial.name: tutorial for tutorial in tutorials}
        self._cache = cache
        self._waiting = waiting or {}

    def __getitem__(self, name: str) -> NotebookNode:
        if name in self._waiting:
            return self._waiting[name]
        tutorial = self._tutorials[name]
        notebook = self._cache.lookup(tutorial)
        if notebook is None:
            raise TutorialError(
                f"{tutorial.place}: the cached run is out of date: {self._cache.reason(tutorial)}. "
                "Something changed while the site was built; build it again."
            )
        return notebook

    def path(self, name: str) -> Path | None:
        """Return the file of an executed notebook; None where the tutorial has not run."""
        return None if name in self._waiting else self._cache.path(self._tutorials[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._tutorials)

    def __len__(self) -> int:
        return len(self._tutorials)


def run(
    tutorials: Sequence[Tutorial],
    cache: Cache,
    *,
    jobs: int | None = None,
    timeout: float = TIMEOUT,
    progress: TextIO | None = None,
) -> Executed:
    """Run the tutorials that the cache does not hold.

    May be called from any thread. The kernels end when this function does, whichever way it
    ends, and within a second or so when its process is killed.

    Args:
        tutorials: What to run.
        cache: Where results are kept.
        jobs: How many run at a time, as far as there is memory for them; by default as many
            as there are cores.
        timeout: Seconds that one tutorial may take which does not say itself what it needs.
        progress: Where to say how far it is: a line for each tutorial, and on a terminal a
            bar that tells what runs.

    Returns:
        The executed notebooks by name, read from the cache on demand.

    Raises:
        RunError: At least one tutorial failed; all others have run and are kept.
        CacheError: The cache's folder cannot be written; nothing has run.
        ModuleNotFoundError: What runs kernels is not installed; nothing has run.
    """
    due, failures = [], []
    for tutorial in tutorials:
        try:
            if cache.reason(tutorial):
                _ = tutorial.notebook  # what is wrong with it is told before anything runs
                due.append(Job(tutorial, cache))
        except TutorialError as error:
            failures.append(Failure(tutorial, str(error)))
    if due:
        check(cache)
        # What took longest the last time starts first: nothing long is left for last.
        due.sort(key=lambda job: -(cache.seconds(job.tutorial) or float("inf")))
        jobs = min(jobs or default_jobs(), len(due))
        with contextlib.closing(Progress(progress, due, jobs)) as line:
            pool = Pool(jobs, timeout, line.start, line.finish)
            pool.waiting = list(due)
            asyncio.run(pool.run(line.show))
        failures += [job.failure for job in due if job.failure]
    if failures:
        raise RunError(failures, len(tutorials))
    return Executed(tutorials, cache)


def check(cache: Cache) -> None:
    """Make sure that runs can start and their results be kept.

    Raises:
        CacheError: The cache's folder cannot be written.
        ModuleNotFoundError: What runs kernels is not installed.
    """
    cache.prepare()
    for package in PACKAGES:
        if find_spec(package) is None:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)


class Scheduler:
    """Keeps the results of a set of tutorials up to date behind a site that is being read.

    Attributes:
        states: The state of each tutorial that is not done, at the last call of `update`.
        messages: Why tutorials have failed.
        notebooks: The notebook of each tutorial, executed where it is done.

    Args:
        cache: The cache's folder.
        on_change: Called in another thread whenever a tutorial has run or failed.
        log: Told what starts and ends.
        jobs: How many tutorials run at a time; by default what the machine can carry.
    """

    def __init__(
        self,
        cache: Path,
        *,
        on_change: Callable[[], None],
        log: logging.Logger | logging.LoggerAdapter[Any],
        jobs: int | None = None,
    ) -> None:
        self._folder = cache
        self._on_change = on_change
        self._log = log
        self._pool = Pool(jobs or default_jobs(), TIMEOUT, self._started, self._ended)
        self._jobs: dict[str, Job] = {}
        self._preferred = ""
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closing = False
        self.states: dict[str, State] = {}
        self.messages: dict[str, str] = {}
        self.notebooks = Executed((), Cache(cache))

    def update(self, tutorials: Sequence[Tutorial]) -> None:
        """Queue what has no valid result, in the order given; stop what is out of date.

        Returns at once. Nothing runs before `start`: the reader's page comes before the
        kernels, which take all cores.
        """
        cache = Cache(self._folder)
        jobs: dict[str, Job] = {}
        waiting: dict[str, NotebookNode] = {}
        told, self.states, self.messages = self.messages, {}, {}
        for tutorial in tutorials:
            name = tutorial.name
            job = self._jobs.get(name)
            state = job.state if job else "done"  # before the cache is asked: a run may end
            try:
                if not cache.reason(tutorial):
                    continue
                waiting[name] = tutorial.notebook
            except TutorialError as error:
                heading = new_markdown_cell(f"# {name}")  # type: ignore[no-untyped-call]  # nbformat
                waiting[name] = new_notebook(cells=[heading])  # type: ignore[no-untyped-call]
                self.states[name], self.messages[name] = "failed", str(error)
                if told.get(name) != str(error):
                    self._log.error(str(error))
                continue
            if job is None or state == "done" or self._is_outdated(job, tutorial, cache):
                job = Job(tutorial, cache)
            jobs[name] = job
            self.states[name] = "failed" if job.failure else "running"
            if job.failure:
                self.messages[name] = str(job.failure)
        self.notebooks = Executed(tutorials, cache, waiting)
        self._jobs = jobs
        self._tell()

    def prefer(self, name: str) -> None:
        """Let a tutorial run next, because its page is open."""
        self._preferred = name
        self._tell()

    def start(self) -> None:
        """Let what is queued run, now and from now on."""
        if self._thread is None:
            self._thread = threading.Thread(target=asyncio.run, args=(self._work(),), daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop every run and wait until its kernel has ended."""
        self._closing = True
        self._tell()
        if self._thread is not None:
            self._thread.join()

    def _tell(self) -> None:
        """Let the thread look at what has changed."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has been closed
                self._loop.call_soon_threadsafe(self._wake.set)

    async def _work(self) -> None:
        self._loop = asyncio.get_running_loop()
        await asyncio.sleep(DELAY)
        with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
            while not self._closing:
                self._wake.clear()
                wanted = list(self._jobs.values())
                outdated = [job for job in self._pool.running if job not in wanted]
                await self._pool.stop(outdated)
                new = [job for job in wanted if job.task is None]
                self._pool.waiting = sorted(new, key=self._is_late)
                self._pool.fill(Path(folder))
                await self._wake.wait()
            await self._pool.stop(list(self._pool.running))

    def _is_outdated(self, job: Job, tutorial: Tutorial, cache: Cache) -> bool:
        """Say whether a job that runs or has failed would now give something else."""
        read = job.record is not None and not cache.holds(tutorial, job.record)
        return read or job.tutorial.code != tutorial.code

    def _is_late(self, job: Job) -> bool:
        return job.tutorial.name != self._preferred

    def _started(self, job: Job) -> None:
        self._log.info(f"Running {job.tutorial.place}")

    def _ended(self, job: Job) -> None:
        if job.failure:
            self._log.error(str(job.failure))
        else:
            left = sum(other.state == "running" for other in self._jobs.values())
            rest = f"{left} still to go" if left else "all tutorials are up to date"
            self._log.info(f"{job.tutorial.place} has run; {rest}")
        self._wake.set()
        self._on_change()
