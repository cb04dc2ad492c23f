"""Says how far a run is: a line when it begins and for each tutorial, and a bar on a terminal."""

import time
from collections.abc import Sequence
from typing import TextIO

from tqdm import tqdm

from .pool import Job

NAMES = 6  # tutorials that are told by name


class Progress:
    """The progress of one call of `run`.

    Args:
        stream: Where to write; None for nowhere.
        jobs: What will run.
        side_by_side: How many at a time.
    """

    def __init__(self, stream: TextIO | None, jobs: Sequence[Job], side_by_side: int) -> None:
        self._stream = stream
        self._running: list[Job] = []
        self._done = 0
        self._total = len(jobs)
        self._bar = tqdm(
            total=self._total,
            file=stream,
            disable=None if stream else True,  # None: only a terminal has a bar
            leave=False,
            bar_format="[{n_fmt}/{total_fmt}] running {desc}",
        )
        names = [job.tutorial.name for job in jobs]
        more = [f"{len(names) - NAMES} more"] if len(names) > NAMES else []
        many = (
            f"{len(names)} tutorials, {side_by_side} at a time" if len(names) > 1 else "1 tutorial"
        )
        self._say(f"Running {many}: {', '.join(names[:NAMES] + more)}")

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()

    def start(self, job: Job) -> None:
        """Note that a tutorial has started."""
        self._running.append(job)
        self.show()

    def finish(self, job: Job) -> None:
        """Note that a tutorial has ended."""
        self._running.remove(job)
        self._done += 1
        self._bar.update()
        word = "failed" if job.failure else "ran"
        count = f"[{self._done}/{self._total}]"
        self._say(f"{count} {job.tutorial.name} {word} in {job.seconds:.1f} s")
        self.show()

    def show(self) -> None:
        """Show on a terminal what runs now."""
        now = time.monotonic()
        texts = [f"{job.tutorial.name} {now - job.started:.0f} s" for job in self._running]
        self._bar.set_description_str(", ".join(texts))

    def _say(self, text: str) -> None:
        if self._stream is not None:
            self._bar.write(text, file=self._stream)
