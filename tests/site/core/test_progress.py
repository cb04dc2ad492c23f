"""Saying how far a run is."""

import io
import re
import time
from contextlib import closing
from typing import Any

import pytest

from labkit.site.core.pool import Job
from labkit.site.core.progress import Progress
from labkit.site.core.run import Failure
from labkit.site.core.schedule import RunError, run


def jobs(repository: Any, *names: str) -> list[Job]:
    """Return jobs that have not started."""
    for name in names:
        repository.tutorial(name, "pass")
    found = repository.find()
    return [Job(found[name], repository.cache) for name in names]


def test_progress_in_a_file(repository: Any) -> None:
    """Away from a terminal there is a line at the start and one for each tutorial."""
    repository.tutorial("bad", "1 / 0")
    repository.tutorial("good", "pass")
    stream = io.StringIO()
    with pytest.raises(RunError):
        run(list(repository.find().values()), repository.cache, progress=stream, jobs=1)
    lines = re.sub(r"[\d.]+ s$", "# s", stream.getvalue(), flags=re.M).splitlines()
    assert lines == [
        "Running 2 tutorials, 1 at a time: bad, good",
        "[1/2] bad failed in # s",
        "[2/2] good ran in # s",
    ]


def test_progress_on_a_terminal(repository: Any, terminal: Any) -> None:
    """On a terminal a line says what runs, and gives way to what has ended."""
    frog, newt = jobs(repository, "frog", "newt")
    with closing(Progress(terminal, [frog, newt], 2)) as progress:
        assert "\rRunning 2 tutorials, 2 at a time: frog, newt\n" in terminal.getvalue()
        frog.started = newt.started = time.monotonic()
        progress.start(frog)
        progress.start(newt)
        frog.seconds = 0.5
        progress.finish(frog)
        assert "[0/2] running frog 0 s, newt 0 s" in terminal.getvalue()
        assert "[1/2] frog ran in 0.5 s\n" in terminal.getvalue()
        assert terminal.getvalue().rstrip().endswith("[1/2] running newt 0 s")
        newt.failure = Failure(newt.tutorial, "it broke")
        progress.finish(newt)
    assert "[2/2] newt failed in 0.0 s\n" in terminal.getvalue()


def test_many_tutorials(repository: Any) -> None:
    """The first line names a few, and how many there are."""
    stream = io.StringIO()
    Progress(stream, jobs(repository, *"abcdefghij"), 2)
    assert stream.getvalue() == ("Running 10 tutorials, 2 at a time: a, b, c, d, e, f, 4 more\n")


def test_quiet(repository: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a stream nothing is written."""
    (job,) = jobs(repository, "frog")
    with closing(Progress(None, [job], 1)) as progress:
        progress.start(job)
        progress.show()
        progress.finish(job)
    assert capsys.readouterr() == ("", "")
