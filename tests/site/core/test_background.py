"""Running tutorials behind a site that is being read, in real kernels."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from labkit.site.core.background import Background
from labkit.site.core.tutorial import find

pytestmark = pytest.mark.slow


class Repository(Protocol):
    """What conftest.py gives."""

    root: Path

    def tutorial(self, name: str, *cells: str) -> Path:
        """Write a tutorial."""


class Runner:
    """A background with a note of what it said and how often it called back."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.said: list[str] = []
        self.changed = threading.Event()
        cache = repository.root / ".cache" / "tutorials"
        self.background = Background(
            cache, on_change=self.changed.set, say=self.said.append, jobs=2
        )

    def states(self) -> dict[str, str]:
        """Return each tutorial's state, as a build would show it, and start what is due."""
        book = self.background.book(find(self.repository.root / "tutorials"))
        self.background.start()
        return {name: book.state(name) for name in book.notebooks}

    def ran(self, name: str) -> int:
        """Return how often a tutorial was started."""
        return self.said.count(f"Running tutorials/{name}.py")


@pytest.fixture
def runner(repository: Repository) -> Iterator[Runner]:
    """Return a background, and stop it at the end."""
    made = Runner(repository)
    yield made
    made.background.close()


def test_results_come_one_by_one(runner: Runner, wait_for: Callable[..., None]) -> None:
    """What waits is shown without results, and each result calls back."""
    runner.repository.tutorial("quick", "print('done')")
    runner.repository.tutorial("other", "1")
    assert runner.states() == {"quick": "running", "other": "running"}
    assert runner.changed.wait(60)
    wait_for(lambda: set(runner.states().values()) == {"done"}, "both results")
    assert runner.ran("quick") == runner.ran("other") == 1
    told = "all tutorials are up to date"
    wait_for(lambda: any(told in line for line in runner.said), told)


def test_a_failure_is_told_and_not_tried_again(
    runner: Runner, wait_for: Callable[..., None]
) -> None:
    """The message has the line; only an edit makes it run again."""
    runner.repository.tutorial("broken", "1 / 0")
    wait_for(lambda: runner.states() == {"broken": "failed"}, "the failure")
    book = runner.background.book(find(runner.repository.root / "tutorials"))
    assert "tutorials/broken.py:2: " in book.messages["broken"]
    runner.states()
    assert runner.ran("broken") == 1
    runner.repository.tutorial("broken", "1 / 1")
    assert runner.states() == {"broken": "running"}
    wait_for(lambda: runner.states() == {"broken": "done"}, "the mended result")


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
    book = runner.background.book(find(runner.repository.root / "tutorials"))
    assert "tutorials/wrong.py:2: " in book.messages["wrong"]


def test_close_stops_what_runs(runner: Runner, wait_for: Callable[..., None]) -> None:
    """It returns when the kernels have ended, and nothing is kept of what was stopped."""
    runner.repository.tutorial("long", "import time; time.sleep(600)")
    runner.states()
    wait_for(lambda: runner.ran("long"), "the start")
    runner.background.close()
    assert not runner.changed.is_set()
    assert runner.states() == {"long": "running"}
    runner.background.close()


def test_a_tutorial_that_is_removed_is_stopped(
    runner: Runner, wait_for: Callable[..., None]
) -> None:
    """The next build leaves it out."""
    path = runner.repository.tutorial("long", "import time; time.sleep(600)")
    runner.states()
    wait_for(lambda: runner.ran("long"), "the start")
    path.unlink()
    assert runner.states() == {}
