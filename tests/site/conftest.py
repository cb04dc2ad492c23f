"""A small repository of tutorials in a temporary folder, to run for real."""

import io
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from labkit.site.core.cache import Cache
from labkit.site.core.schedule import run
from labkit.site.core.tutorial import Tutorial, find


class Repository:
    """A temporary repository with tutorials and, if a test wants it, a package."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, text: str) -> Path:
        """Write a file, making its folders."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def tutorial(self, name: str, *cells: str) -> Path:
        """Write a tutorial of code cells; one may begin with a marker of its own."""
        parts = [cell if cell.startswith("# %%") else f"# %%\n{cell}" for cell in cells]
        return self.write(f"tutorials/{name}.py", "\n\n".join(parts) + "\n")

    @property
    def cache(self) -> Cache:
        """A new view of the cache, as each build has one."""
        return Cache(self.root / ".cache" / "tutorials")

    def find(self) -> dict[str, Tutorial]:
        """Return the tutorials as they are now, by name."""
        return {tutorial.name: tutorial for tutorial in find(self.root / "tutorials")}

    def run(self, cache: Cache | None = None, **options: object) -> list[str]:
        """Run what is not cached, and return the names of what ran, sorted."""
        return sorted(self.order(cache, **options))

    def order(self, cache: Cache | None = None, **options: object) -> list[str]:
        """Run what is not cached, and return the names in the order in which they ended."""
        stream = io.StringIO()
        run(
            list(self.find().values()),
            cache or self.cache,
            progress=stream,
            **options,  # type: ignore[arg-type]  # each test passes what `run` takes
        )
        return re.findall(r"^\[\d+/\d+\] (\S+) ran in", stream.getvalue(), re.MULTILINE)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """An empty repository in a folder of its own, whose packages count as installed."""
    root = tmp_path / "book"
    (root / "tutorials").mkdir(parents=True)
    monkeypatch.setenv("PYTHONPATH", str(root), prepend=os.pathsep)
    return Repository(root)


@pytest.fixture
def wait_for() -> Callable[..., None]:
    """Wait until a condition holds; fail when it does not within a minute."""

    def wait(condition: Callable[[], object], what: str) -> None:
        for _ in range(1200):
            if condition():
                return
            time.sleep(0.05)
        pytest.fail(f"waited a minute for {what}")

    return wait


@pytest.fixture
def is_alive() -> Callable[[int], bool]:
    """Say whether a process runs; one that only waits to be reaped does not."""

    def alive(process: int) -> bool:
        try:
            status = Path(f"/proc/{process}/stat").read_text()
        except OSError:
            return False
        return status.rpartition(")")[2].split()[0] != "Z"

    def exists(process: int) -> bool:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        return True

    return alive if Path("/proc/self/stat").exists() else exists


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture
def terminal() -> Terminal:
    """A terminal that keeps what is written to it."""
    return Terminal()
