"""Keeps what tutorials gave, and says whether it still holds.

An entry's key is what can change the result: the code cells and their metadata, the source of every
module of the repository that the tutorial imports, the files that it read from the repository, the
versions of the packages that it loaded, Python's version, the mode, and how kernels are set up.
"""

import contextlib
import hashlib
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict

from . import kernel
from .dependencies import Digests, Repository, version
from .tutorial import Tutorial, TutorialError, code_digest

FORMAT = 1  # of an entry's file


class CacheError(Exception):
    """The cache's folder cannot be written."""


class Cache:
    """A folder of executed notebooks, one file for each tutorial.

    An entry is written beside its place and moved there, so that a reader sees the old one or the
    new one, whatever happens to the writer. Each carries its own checksum: a damaged one counts as
    none.

    Args:
        folder: Where the entries are; made when the first is stored.
        mode: A name for the way that tutorials are run, which they find in `LABKIT_MODE`.
            Each mode has its own entries.
    """

    def __init__(self, folder: str | Path, mode: str = "full") -> None:
        self.folder = Path(folder)
        self.mode = mode
        self._digest = Digests()
        self._repositories: dict[Path, Repository] = {}

    def lookup(self, tutorial: Tutorial) -> NotebookNode | None:
        """Return the executed notebook with the tutorial's present prose, or None.

        Raises:
            TutorialError: The tutorial has changed, and something in it is wrong.
        """
        entry = self._entry(tutorial)
        if entry is None or self._changes(tutorial, entry):
            return None
        if entry["source"] == tutorial.digest:
            return from_dict(entry["notebook"])  # type: ignore[no-any-return]  # nbformat is untyped
        executed = _merge(tutorial.notebook, from_dict(entry["notebook"]))
        with contextlib.suppress(
            CacheError
        ):  # a lookup must work in a cache that is read-only
            self._write(
                tutorial, {**entry, "source": tutorial.digest, "notebook": executed}
            )
        return executed

    def reason(self, tutorial: Tutorial) -> str:
        """Say why a tutorial must run, or return an empty string where it need not."""
        path = self._path(tutorial)
        if not path.exists():
            return "not run yet"
        entry = self._entry(tutorial)
        if entry is None:
            return f"the cached run is damaged ({path})"
        try:
            return ", ".join(self._changes(tutorial, entry))
        except TutorialError as error:
            return str(error)

    def seconds(self, tutorial: Tutorial) -> float | None:
        """Return how long the last run took that was kept, even if it holds no more."""
        entry = self._entry(tutorial)
        return None if entry is None else entry["notebook"]["metadata"]["labkit"]["seconds"]

    def key(self, tutorial: Tutorial) -> dict[str, Any]:
        """Return what is known of a tutorial's key before it runs.

        Raises:
            TutorialError: Something in the tutorial is wrong.
        """
        notebook = tutorial.notebook
        code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
        references = self._repository(tutorial).references(code)
        return self._key(tutorial, code_digest(notebook), references)

    def store(
        self,
        tutorial: Tutorial,
        executed: NotebookNode,
        key: dict[str, Any],
        files: dict[str, str],
        packages: list[str],
    ) -> None:
        """Keep a run.

        Args:
            tutorial: The tutorial as it was when it ran.
            executed: Its executed notebook.
            key: What `key` gave before the run, so that a change in the meantime is noticed.
            files: SHA-256 of the files that it read, by their path below the root.
            packages: Names of the installed packages that it loaded.

        Raises:
            CacheError: The folder cannot be written.
        """
        key = key | {"files": files, "packages": {name: version(name) for name in packages}}
        self._write(tutorial, {"source": tutorial.digest, "key": key, "notebook": executed})

    def prepare(self) -> None:
        """Make the folder, and clear away what killed builds have left in it.

        Raises:
            CacheError: The folder cannot be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._folder):
                pass
            for path in self._folder.glob("*.tmp"):
                with contextlib.suppress(FileNotFoundError):  # another build was faster
                    if path.stat().st_mtime < time.time() - 3600:
                        path.unlink()
        except OSError as error:
            raise self._unwritable(error) from error

    def clean(self) -> None:
        """Remove every entry, of every mode.

        Raises:
            CacheError: The folder cannot be written.
        """
        try:
            for path in [*self.folder.glob("*/*.json"), *self.folder.glob("*/*.tmp")]:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error

    @property
    def _folder(self) -> Path:
        return self.folder / self.mode

    def _path(self, tutorial: Tutorial) -> Path:
        return self._folder / f"{tutorial.name}.json"

    def _repository(self, tutorial: Tutorial) -> Repository:
        return self._repositories.setdefault(tutorial.root, Repository(tutorial.root))

    def _key(self, tutorial: Tutorial, code: str, references: list[str]) -> dict[str, Any]:
        modules = self._repository(tutorial).modules(references)
        return {
            "code": code,
            "references": references,
            "modules": {
                path.relative_to(tutorial.root).as_posix(): self._digest(path)
                for path in modules
            },
            "python": platform.python_version(),
            "mode": self.mode,
            "kernel": self._digest(Path(kernel.__file__)),
        }

    def _changes(self, tutorial: Tutorial, entry: dict[str, Any]) -> list[str]:
        """List in words what differs between an entry's key and the key as it is now."""
        old = entry["key"]
        if entry["source"] == tutorial.digest:
            new = self._key(tutorial, old["code"], old["references"])
        else:
            new = self.key(tutorial)
        new["files"] = {name: self._digest(tutorial.root / name) for name in old["files"]}
        new["packages"] = {name: version(name) for name in old["packages"]}
        words = {
            "code": "its code has changed",
            "python": f"Python {old['python']} is now {new['python']}",
            "mode": "another mode",
            "kernel": "kernels are set up in another way",
        }
        changes = [text for part, text in words.items() if old[part] != new[part]]
        for part in ("modules", "files"):
            changes += [
                f"{name} has changed"
                for name in sorted(old[part].keys() | new[part].keys())
                if old[part].get(name) != new[part].get(name)
            ]
        return changes + [
            f"{name} {old['packages'][name]} is now {new['packages'][name]}"
            for name in old["packages"]
            if old["packages"][name] != new["packages"][name]
        ]

    def _entry(self, tutorial: Tutorial) -> dict[str, Any] | None:
        """Read an entry; None where there is none, or where it is damaged."""
        try:
            checksum, _, content = self._path(tutorial).read_bytes().partition(b"\n")
        except OSError:
            return None
        if checksum.decode("ascii", "replace") != _checksum(content):
            return None
        entry: dict[str, Any] = json.loads(content)
        return entry

    def _write(self, tutorial: Tutorial, entry: dict[str, Any]) -> None:
        content = json.dumps(entry, separators=(",", ":")).encode()
        temporary = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=self._folder, prefix=f"{tutorial.name}-", suffix=".tmp", delete=False
            ) as file:
                temporary = file.name
                file.write(_checksum(content).encode() + b"\n" + content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._path(tutorial))
        except OSError as error:
            if temporary is not None:
                Path(temporary).unlink(missing_ok=True)
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> CacheError:
        return CacheError(
            f"{self.folder}: the folder for executed tutorials cannot be written: "
            f"{error.strerror}. Make it writable (or free some space), or name another folder."
        )


def _checksum(content: bytes) -> str:
    """Return the checksum of an entry; entries of another format never match it."""
    return hashlib.sha256(b"%d\n" % FORMAT + content).hexdigest()


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
