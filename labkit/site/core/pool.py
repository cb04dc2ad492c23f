"""Runs jobs side by side in one event loop; `schedule` says which, and when."""

import asyncio
import os
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import thumbnails, versions
from .book import State
from .cache import Cache, CacheError
from .run import Failure, Run, RunFailedError
from .tutorial import Tutorial

MEMORY = 1 << 30  # bytes that one tutorial may need which does not say what it needs


@dataclass(eq=False)
class Job:
    """A tutorial that has to run, as it was when that was found.

    Attributes:
        tutorial: The tutorial.
        cache: Where its result goes.
        started: When it started, in seconds of time.monotonic.
        seconds: How long it took.
        failure: Why it has no result.
        record: What a run that failed depends on.
        task: What runs it.
    """

    tutorial: Tutorial
    cache: Cache
    started: float = 0.0
    seconds: float = 0.0
    failure: Failure | None = None
    record: dict[str, Any] | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def memory(self) -> int:
        """Bytes that it may need."""
        return self.tutorial.needs.memory or MEMORY

    @property
    def state(self) -> State:
        """Whether it runs (or will), or how it ended."""
        if self.failure:
            return "failed"
        return "done" if self.seconds else "running"


class Pool:
    """Jobs that wait and jobs that run, in one event loop.

    Args:
        jobs: How many run at a time.
        timeout: Seconds that one may take.
        on_start: Called when one starts.
        on_done: Called when one has run or failed, not when it was cancelled.
    """

    def __init__(
        self,
        jobs: int,
        timeout: float,
        on_start: Callable[[Job], None],
        on_done: Callable[[Job], None],
    ) -> None:
        self.jobs = jobs
        self.timeout = timeout
        self.on_start = on_start
        self.on_done = on_done
        self.waiting: list[Job] = []
        self.running: list[Job] = []

    async def run(self, tick: Callable[[], None] | None = None) -> None:
        """Run what waits, and return when nothing is left or this is cancelled.

        Args:
            tick: Called several times a second.
        """
        with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
            try:
                while self.fill(Path(folder)):
                    tasks = [job.task for job in self.running if job.task]
                    done, _ = await asyncio.wait(
                        tasks, timeout=0.1, return_when=asyncio.FIRST_COMPLETED
                    )
                    for task in done:
                        task.result()  # raises what should not have happened
                    if tick:
                        tick()
            finally:
                await self.stop(list(self.running))

    def fill(self, folder: Path) -> bool:
        """Start what there is room for; say whether anything runs."""
        while self.waiting and self.has_room(self.waiting[0]):
            job = self.waiting.pop(0)
            self.running.append(job)
            job.started = time.monotonic()
            job.task = asyncio.create_task(self._run(job, folder))
            self.on_start(job)
        return bool(self.running)

    def has_room(self, job: Job) -> bool:
        """Say whether a job may start; the one that is next always may when nothing runs."""
        memory = sum(other.memory for other in self.running) + job.memory
        fits = len(self.running) < self.jobs and memory <= machine_memory()
        return fits or not self.running

    async def stop(self, jobs: Sequence[Job]) -> None:
        """End some jobs and their kernels."""
        tasks = [job.task for job in jobs if job.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.running = [job for job in self.running if job not in jobs]  # some may not have begun

    async def _run(self, job: Job, folder: Path) -> None:
        unknown = job.cache.unknown(job.tutorial)  # before it runs: later edits count
        try:
            await self._keep(job, folder)
        except RunFailedError as error:
            job.failure = Failure(job.tutorial, str(error), error.traceback)
            job.record = job.cache.record(job.tutorial, error.report or unknown)
        except CacheError as error:
            job.failure = Failure(job.tutorial, f"{job.tutorial.place}: its run is lost. {error}")
        except Exception as error:  # whatever it is, no page may wait forever
            message = f"{job.tutorial.place}: {error!r}"
            job.failure = Failure(job.tutorial, message, traceback.format_exc())
        self.running.remove(job)
        job.seconds = time.monotonic() - job.started
        self.on_done(job)

    async def _keep(self, job: Job, folder: Path) -> None:
        tutorial, cache = job.tutorial, job.cache
        with tempfile.TemporaryDirectory(dir=folder, prefix="") as own:
            run = Run(tutorial, Path(own))
            report = await run.execute(self.timeout)
        run.notebook.metadata["labkit"] = {
            "name": tutorial.name,
            "seconds": round(time.monotonic() - job.started, 2),
            "versions": versions.shown(report),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "thumbnail": thumbnails.made(run.notebook),
        }
        cache.store(tutorial, run.notebook, report)


def machine_memory() -> int:
    """Return the bytes of memory that this machine has."""
    import psutil  # not needed where every tutorial is cached

    return int(psutil.virtual_memory().total)


def default_jobs() -> int:
    """Return how many tutorials this machine can run at a time."""
    # Those that this process may use, where the system can say so.
    limited = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if limited else os.cpu_count() or 1
    return max(1, min(cores, machine_memory() // MEMORY))
