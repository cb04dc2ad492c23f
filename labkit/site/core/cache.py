"""Keeps what tutorials gave, and says whether it still holds.

A run holds while all that can change its result is as it was: the code of the cells, what the
run did with the repository (see `deeds`), the packages that it loaded, Python, the environment's
variables, and how kernels are set up. Prose, captions and alt texts are not code: the present
ones are put into the notebook.
"""

import contextlib
import hashlib
import platform
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from . import kernel
from .entries import Entries, Entry
from .present import Present
from .tutorial import Tutorial, TutorialError

RUNS = "runs"  # below the cache's folder
SITE = "site"  # there, too: what a build of the site keeps for the next
OLD = ("full", "pages", "reference", "search", "templates")  # there, too: of earlier versions
# Besides the kernel's: what makes a notebook of a script, and what becomes of outputs.
OUTSIDE = ("cells", "figures", "header", "outputs", "sanitize", "terminal", "thumbnails")
SHOWN = 3  # changes that are told by name


class CacheError(Exception):
    """The cache's folder cannot be written."""


class Cache:
    """A folder of executed notebooks: the last few runs of each tutorial.

    What an instance knows of files, packages and runs is from when it first asked, and what it
    has stored itself holds, so that a build is of one piece: make a new one for each build.

    Args:
        folder: Where the runs are; made when the first is stored.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        modules = [Path(kernel.__file__).with_name(f"{m}.py") for m in (*kernel.INSIDE, *OUTSIDE)]
        machine = hashlib.sha256(b"".join(module.read_bytes() for module in modules)).hexdigest()
        self._settings = {"python": platform.python_version(), "machine": machine}
        self._presents: dict[Path, Present] = {}
        self._valid: dict[Path, tuple[str, Entry]] = {}  # the tutorial's digest, what holds for it

    def lookup(self, tutorial: Tutorial) -> NotebookNode | None:
        """Return the executed notebook with the tutorial's present prose, or None.

        Raises:
            TutorialError: The tutorial has changed, and something in it is wrong.
        """
        entry = self._find(tutorial)
        executed = entry.read() if entry else None
        if entry is None or executed is None:
            self._valid.pop(tutorial.path, None)  # its file has gone
            return None
        if entry.head["source"] == tutorial.digest:
            return executed
        merged = _merge(tutorial.notebook, executed)
        with contextlib.suppress(CacheError):  # reading must work where writing does not
            if self._keep(tutorial, entry.head, merged).record != entry.record:
                entry.remove()
        return merged

    def path(self, tutorial: Tutorial) -> Path:
        """Return the file of the executed notebook with the tutorial's present prose.

        Raises:
            TutorialError: No run holds, or the tutorial has changed and something is wrong.
            CacheError: The prose has changed, and the folder cannot be written.
        """
        if self.lookup(tutorial) is None:
            raise TutorialError(f"{tutorial.place}: no run to show: {self.reason(tutorial)}.")
        _, entry = self._valid[tutorial.path]
        if entry.head["source"] != tutorial.digest:
            raise self._unwritable()
        return entry.notebook

    def reason(self, tutorial: Tutorial) -> str:
        """Say why a tutorial must run, or return an empty string where it need not.

        Raises:
            TutorialError: The tutorial has changed, and something in it is wrong.
        """
        if self._find(tutorial):
            return ""
        entries = self._entries(tutorial)
        if newest := entries.newest():
            changes = list(dict.fromkeys(self._changes(tutorial, newest)))
            more = [f"{len(changes) - SHOWN} more changes"] if len(changes) > SHOWN else []
            return ", ".join(changes[:SHOWN] + more)
        files = entries.files()
        return f"its run is damaged: {files[0]}" if files else "it has not run yet"

    def seconds(self, tutorial: Tutorial) -> float | None:
        """Return how long the last run took that was kept, even if it no longer holds."""
        newest = self._entries(tutorial).newest()
        return None if newest is None else float(newest.head["seconds"])

    def unknown(self, tutorial: Tutorial) -> dict[str, Any]:
        """Return what `record` takes where a run could not report: it may have read any module."""
        return self._present(tutorial).unknown

    def record(self, tutorial: Tutorial, report: dict[str, Any]) -> dict[str, Any]:
        """Return what a run depends on.

        Args:
            tutorial: The tutorial.
            report: What the run did, as `record.report` told it.
        """
        return self._present(tutorial).remember(report)

    def holds(self, tutorial: Tutorial, record: dict[str, Any]) -> bool:
        """Say whether all that a run depends on is as it was, its code aside."""
        return next(self._present(tutorial).changes(record), None) is None

    def store(self, tutorial: Tutorial, executed: NotebookNode, report: dict[str, Any]) -> None:
        """Keep a run.

        Args:
            tutorial: The tutorial as it was when it ran.
            executed: Its executed notebook.
            report: What the run did, as `record.report` told it.

        Raises:
            CacheError: The folder cannot be written.
        """
        head = {
            **self._settings,
            "code": tutorial.code,
            "seconds": executed.metadata["labkit"]["seconds"],
            "record": self.record(tutorial, report),
        }
        self._keep(tutorial, head, executed)

    def prepare(self) -> None:
        """Make the folder.

        Raises:
            CacheError: The folder cannot be written.
        """
        try:
            self._runs.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._runs):
                pass
        except OSError as error:
            raise self._unwritable(error) from None

    def clean(self) -> None:
        """Remove every run, and what the site keeps of its pages.

        Raises:
            CacheError: The folder cannot be written.
        """
        try:
            for name in (RUNS, SITE, *OLD):
                if (self.folder / name).exists():
                    shutil.rmtree(self.folder / name)
        except OSError as error:
            raise self._unwritable(error) from None

    @property
    def _runs(self) -> Path:
        return self.folder / RUNS

    def _entries(self, tutorial: Tutorial) -> Entries:
        return Entries(self._runs / tutorial.part / tutorial.name)

    def _present(self, tutorial: Tutorial) -> Present:
        return self._presents.setdefault(tutorial.root, Present(tutorial.root))

    def _find(self, tutorial: Tutorial) -> Entry | None:
        """Return the newest run that holds."""
        text, entry = self._valid.get(tutorial.path, ("", None))
        if entry and text == tutorial.digest:
            return entry
        for number, candidate in enumerate(self._entries(tutorial)):
            if next(self._changes(tutorial, candidate), None) is None:
                if number:  # an edit was undone
                    candidate.touch()
                self._valid[tutorial.path] = tutorial.digest, candidate
                return candidate
        return None

    def _changes(self, tutorial: Tutorial, entry: Entry) -> Iterator[str]:
        """Yield in words what differs from when a run was kept."""
        was, now = entry.head, self._settings
        if was["source"] != tutorial.digest and was["code"] != tutorial.code:
            yield "its code has changed"
        if was["python"] != now["python"]:
            yield f"Python {was['python']} is now {now['python']}"
        if was["machine"] != now["machine"]:
            yield "tutorials are now run in another way"
        yield from self._present(tutorial).changes(was["record"])

    def _keep(self, tutorial: Tutorial, head: dict[str, Any], executed: NotebookNode) -> Entry:
        head = {**head, "source": tutorial.digest}
        try:
            entry = self._entries(tutorial).add(head, executed)
        except OSError as error:
            raise self._unwritable(error) from None
        self._valid[tutorial.path] = tutorial.digest, entry
        return entry

    def _unwritable(self, error: OSError | None = None) -> CacheError:
        why = f": {error.strerror}" if error else ""
        return CacheError(
            f"{self.folder}: the folder for executed tutorials cannot be written{why}. "
            "Make it writable, free some space, or name another folder."
        )


def _merge(notebook: NotebookNode, executed: NotebookNode) -> NotebookNode:
    """Give a notebook that has not run the results of one with the same code cells."""
    results = (cell for cell in executed.cells if cell.cell_type == "code")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            result = next(results)
            cell.outputs, cell.execution_count = result.outputs, result.execution_count
            if "outcome" in result.metadata:
                cell.metadata["outcome"] = result.metadata["outcome"]
    notebook.metadata["labkit"] = executed.metadata["labkit"]
    return notebook
