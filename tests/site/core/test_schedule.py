"""Running tutorials side by side, for a build and behind a site, in real kernels."""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labkit.site.core import pool
from labkit.site.core.pool import default_jobs
from labkit.site.core.schedule import Scheduler
from labkit.site.core.tutorial import find

pytestmark = pytest.mark.slow


def test_side_by_side(repository: Any, tmp_path: Path) -> None:
    """Tutorials run at the same time: two that wait for each other both end."""
    for name, other in (("frog", "newt"), ("newt", "frog")):
        repository.tutorial(
            name,
            "import time\nfrom pathlib import Path\n\n"
            f"Path({str(tmp_path / name)!r}).touch()\n"
            f"while not Path({str(tmp_path / other)!r}).exists():\n    time.sleep(0.05)",
        )
    assert repository.run(jobs=2, timeout=60) == ["frog", "newt"]


def test_memory(repository: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that together need more memory than there is run one after the other."""
    monkeypatch.setattr(pool, "machine_memory", lambda: 3 * 10**9)
    for name, other in (("frog", "newt"), ("newt", "frog")):
        repository.write(
            f"tutorials/{name}.py",
            "# ---\n# labkit: {memory: 2 GB}\n# ---\n# %%\n"
            f"import time\nfrom pathlib import Path\n\nmine = Path({str(tmp_path / name)!r})\n"
            f"mine.touch()\nassert not Path({str(tmp_path / other)!r}).exists()\n"
            "time.sleep(0.5)\nmine.unlink()\n",
        )
    assert repository.run(jobs=2) == ["frog", "newt"]


def test_more_memory_than_there_is(repository: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tutorial that says it needs more than the machine has runs alone, as well as it can."""
    monkeypatch.setattr(pool, "machine_memory", lambda: 10**9)
    repository.write("tutorials/big.py", "# ---\n# labkit: {memory: 2 GB}\n# ---\n# %%\n1\n")
    repository.tutorial("small", "1")
    assert repository.run(jobs=2) == ["big", "small"]


def test_longest_first(repository: Any) -> None:
    """What is new or took longest the last time starts first."""
    for name, seconds in (("a_short", 0), ("b_long", 1)):
        repository.tutorial(name, f"import time\ntime.sleep({seconds})")
    repository.run()
    for name, seconds in (("a_short", 0.01), ("b_long", 0.01), ("c_new", 0)):
        repository.tutorial(name, f"import time\ntime.sleep({seconds})")
    assert repository.order(jobs=1) == ["c_new", "b_long", "a_short"]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_interrupt(
    repository: Any,
    tmp_path: Path,
    wait_for: Callable[..., None],
    is_alive: Callable[[int], bool],
    sent: signal.Signals,
) -> None:
    """Ctrl-C and `kill` end even a kernel that ignores them, and leave no file behind."""
    note, temporary = tmp_path / "process", tmp_path / "temporary"
    temporary.mkdir()
    repository.tutorial(
        "stubborn",
        "import os, signal, time\nfrom pathlib import Path\n\n"
        "for number in (signal.SIGINT, signal.SIGTERM):\n"
        "    signal.signal(number, signal.SIG_IGN)\n"
        f"Path({str(note)!r}).write_text(str(os.getpid()))\ntime.sleep(600)",
    )
    build = subprocess.Popen(
        [sys.executable, "-m", "labkit.site", "run"],
        cwd=repository.root,
        env={**os.environ, "TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: note.exists() and note.read_text(), "the tutorial")
    build.send_signal(sent)
    _, said = build.communicate(timeout=60)
    assert build.returncode == 130
    assert said == "Running 1 tutorial: stubborn\nStopped. What had finished is cached.\n"
    assert not is_alive(int(note.read_text()))
    assert [path for path in temporary.iterdir() if path.name.startswith("labkit-")] == []


def test_default_jobs() -> None:
    """There is at least one job, and no more than there are cores."""
    assert 1 <= default_jobs() <= (os.cpu_count() or 1)


class Runner:
    """A scheduler with a note of what it said and whether it called back."""

    def __init__(self, repository: Any) -> None:
        self.repository = repository
        self.changed = threading.Event()
        self.said: list[tuple[int, str]] = []
        log = logging.Logger("runner")
        handler = logging.Handler()
        handler.emit = self.note  # type: ignore[method-assign]
        log.addHandler(handler)
        cache = repository.root / ".cache" / "tutorials"
        self.scheduler = Scheduler(cache, on_change=self.changed.set, log=log, jobs=2)

    def note(self, record: logging.LogRecord) -> None:
        """Keep what is said."""
        self.said.append((record.levelno, record.getMessage()))

    def update(self) -> None:
        """Tell the scheduler what the tutorials are now."""
        self.scheduler.update(find(self.repository.root / "tutorials"))

    def states(self) -> dict[str, str]:
        """Return each tutorial's state, as a build would show it, and start what is due."""
        self.update()
        self.scheduler.start()
        return {name: self.scheduler.states.get(name, "done") for name in self.scheduler.notebooks}

    def started(self) -> list[str]:
        """Return the names of the tutorials that were started, in order."""
        texts = (text for _, text in self.said if text.startswith("Running "))
        return [Path(text.split()[1]).stem for text in texts]

    def ran(self, name: str) -> int:
        """Return how often a tutorial was started."""
        return self.started().count(name)


@pytest.fixture
def runner(repository: Any) -> Iterator[Runner]:
    """Return a scheduler, and stop it at the end."""
    made = Runner(repository)
    yield made
    made.scheduler.close()


def test_results_come_one_by_one(runner: Runner, wait_for: Callable[..., None]) -> None:
    """What waits is shown without results, and each result calls back."""
    runner.repository.tutorial("quick", "print('done')")
    runner.repository.tutorial("other", "1")
    assert runner.states() == {"quick": "running", "other": "running"}
    assert runner.changed.wait(60)
    wait_for(lambda: set(runner.states().values()) == {"done"}, "both results")
    assert runner.ran("quick") == runner.ran("other") == 1
    told = "all tutorials are up to date"
    wait_for(lambda: any(told in text for _, text in runner.said), told)


def test_a_failure_is_told_and_not_tried_again(
    runner: Runner, wait_for: Callable[..., None]
) -> None:
    """The message has the line; only an edit makes it run again."""
    runner.repository.tutorial("broken", "1 / 0")
    wait_for(lambda: runner.states() == {"broken": "failed"}, "the failure")
    assert "tutorials/broken.py:2: " in runner.scheduler.messages["broken"]
    errors = [text for level, text in runner.said if level == logging.ERROR]
    assert errors == [runner.scheduler.messages["broken"]]
    runner.states()
    assert runner.ran("broken") == 1
    runner.repository.tutorial("broken", "1 / 1")
    assert runner.states() == {"broken": "running"}
    wait_for(lambda: runner.states() == {"broken": "done"}, "the mended result")


@pytest.mark.parametrize(
    ("code", "path", "mended"),
    [
        ("import pond\n1 / pond.frogs", "pond.py", "frogs = 3\n"),
        ("import newts", "newts.py", ""),
        ("print(open('data.txt').read())", "data.txt", "0"),
    ],
)
def test_a_failure_is_tried_again_when_what_it_read_changes(
    runner: Runner, wait_for: Callable[..., None], code: str, path: str, mended: str
) -> None:
    """Of a tutorial that has never succeeded, too, what it did is known; nothing else counts."""
    runner.repository.write("pond.py", "frogs = 0\n")
    runner.repository.tutorial("broken", code)
    wait_for(lambda: runner.states() == {"broken": "failed"}, "the failure")
    runner.repository.write("other.py", "1\n")
    assert runner.states() == {"broken": "failed"}
    runner.repository.write(path, mended)
    assert runner.states() == {"broken": "running"}
    wait_for(lambda: runner.states() == {"broken": "done"}, "the mended result")
    assert runner.ran("broken") == 2


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "import pond\nif not pond.frogs:\n    import os; os.kill(os.getpid(), 9)"),
        ("# ---\n# labkit: {seconds: 3}\n# ---\n", "import pond\nwhile not pond.frogs: pass"),
    ],
)
def test_a_run_that_cannot_say_what_it_read_is_tried_again(
    runner: Runner, wait_for: Callable[..., None], header: str, code: str
) -> None:
    """When its kernel died or ran too long, a change in any module of the repository counts."""
    runner.repository.write("pond.py", "frogs = 0\n")
    runner.repository.write(".venv/newt.py", "1\n")
    runner.repository.write("tutorials/broken.py", f"{header}# %%\n{code}\n")
    wait_for(lambda: runner.states() == {"broken": "failed"}, "the failure")
    runner.repository.write("pond.py", "frogs = 0  # yet\n")
    runner.repository.write(".venv/newt.py", "2\n")
    assert runner.states() == {"broken": "failed"}
    runner.repository.write("pond.py", "frogs = 3\n")
    assert runner.states() == {"broken": "running"}
    wait_for(lambda: runner.states() == {"broken": "done"}, "the mended result")
    assert runner.ran("broken") == 2


def test_an_edit_restarts_that_tutorial_alone(
    runner: Runner, wait_for: Callable[..., None]
) -> None:
    """What is out of date is stopped; what is still valid runs on."""
    sleep = "import time; time.sleep({})"
    runner.repository.tutorial("edited", sleep.format(600))
    runner.repository.tutorial("steady", sleep.format(2))
    runner.states()
    wait_for(lambda: runner.ran("edited") and runner.ran("steady"), "both to start")
    runner.repository.tutorial("edited", "1")
    runner.states()
    wait_for(lambda: set(runner.states().values()) == {"done"}, "both results")
    assert runner.ran("edited") == 2
    assert runner.ran("steady") == 1


def test_prose_runs_nothing(runner: Runner, wait_for: Callable[..., None]) -> None:
    """An edit of the text keeps the result."""
    runner.repository.tutorial("a", "1")
    wait_for(lambda: runner.states() == {"a": "done"}, "the result")
    runner.repository.tutorial("a", "# %% [markdown]\n# # Title", "1")
    assert runner.states() == {"a": "done"}
    assert runner.ran("a") == 1


def test_a_tutorial_that_cannot_be_read(runner: Runner, wait_for: Callable[..., None]) -> None:
    """Its page says why, and the others run."""
    runner.repository.tutorial("wrong", "def (")
    runner.repository.tutorial("right", "1")
    wait_for(lambda: runner.states()["right"] == "done", "the other's result")
    assert runner.states()["wrong"] == "failed"
    assert "tutorials/wrong.py:2: " in runner.scheduler.messages["wrong"]
    assert sum("wrong.py" in text for _, text in runner.said) == 1


def test_close_stops_what_runs(runner: Runner, wait_for: Callable[..., None]) -> None:
    """It returns when the kernels have ended, and nothing is kept of what was stopped."""
    runner.repository.tutorial("long", "import time; time.sleep(600)")
    runner.states()
    wait_for(lambda: runner.ran("long"), "the start")
    runner.scheduler.close()
    assert not runner.changed.is_set()
    assert runner.states() == {"long": "running"}
    runner.scheduler.close()


def test_a_tutorial_that_is_removed_is_stopped(
    runner: Runner, wait_for: Callable[..., None]
) -> None:
    """The next build leaves it out."""
    path = runner.repository.tutorial("long", "import time; time.sleep(600)")
    runner.states()
    wait_for(lambda: runner.ran("long"), "the start")
    path.unlink()
    assert runner.states() == {}


def test_order(runner: Runner, wait_for: Callable[..., None]) -> None:
    """Tutorials run in the order given, the one that is being read first."""
    for name in "abcde":
        runner.repository.tutorial(name, "1")
    tutorials = runner.repository.find()
    runner.scheduler.update([tutorials[name] for name in "bacde"])
    runner.scheduler.prefer("e")
    runner.scheduler.start()
    wait_for(lambda: len(runner.started()) == 5, "all to start")
    assert runner.started() == ["e", "b", "a", "c", "d"]
