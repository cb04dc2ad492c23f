"""Keeps what tutorials gave, and says whether it still holds.

The key of an entry is what can change the result: the code cells and their metadata, the
source of every module of the repository that the tutorial imports, the files that it read
from the repository, the versions of the packages that it loaded, Python's version, the
mode, and how kernels are set up.
"""

import ast
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
from . import tutorial as reader
from .dependencies import Repository, distributions, version
from .tutorial import Tutorial, code_digest

FORMAT = b"2"  # of an entry's file, and of the outputs in it
ABANDONED = 3600  # seconds after which a file half written is of a build that was killed
MISSING = "missing"
SHOWN = 3  # changes that are told by name


class CacheError(Exception):
    """The cache's folder cannot be written."""


class Cache:
    """A folder of executed notebooks, one file for each tutorial.

    An entry is written beside its place and moved there, so that a reader sees the old one
    or the new one, whatever happens to the writer. Each carries its own checksum: a damaged
    one counts as none.

    What an instance knows of modules, data files and packages is from when it first asked,
    so that a build is of one piece: make a new one for each build.

    Args:
        folder: Where the entries are; made when the first is stored.
        mode: A name for the way that tutorials are run, which they find in `LABKIT_MODE`.
            Each mode has its own entries.
    """

    def __init__(self, folder: str | Path, mode: str = "full") -> None:
        self.folder = Path(folder)
        self.mode = mode
        self._digests: dict[str, str] = {}
        self._repositories: dict[Path, Repository] = {}

    def lookup(self, tutorial: Tutorial) -> NotebookNode | None:
        """Return the executed notebook with the tutorial's present prose, or None.

        Raises:
            TutorialError: The tutorial has changed, and something in it is wrong.
        """
        entry = self._read(tutorial)
        if entry is None or self._changes(tutorial, entry[0]):
            return None
        head, content = entry
        executed: NotebookNode = from_dict(json.loads(content))  # type: ignore[no-untyped-call]
        if head["source"] == self._source(tutorial):
            return executed
        merged = _merge(tutorial.notebook, executed)
        with contextlib.suppress(CacheError):  # reading must work where writing does not
            self._write(tutorial, head["key"], merged)
        return merged

    def reason(self, tutorial: Tutorial) -> str:
        """Say why a tutorial must run, or return an empty string where it need not.

        Raises:
            TutorialError: The tutorial has changed, and something in it is wrong.
        """
        entry = self._read(tutorial)
        if entry is not None:
            changes = self._changes(tutorial, entry[0])
            more = [f"{len(changes) - SHOWN} more changes"] if len(changes) > SHOWN else []
            return ", ".join(changes[:SHOWN] + more)
        path = self._path(tutorial)
        return f"its entry is damaged: {path}" if path.exists() else "it has not run yet"

    def seconds(self, tutorial: Tutorial) -> float | None:
        """Return how long the last run took that was kept, even if it no longer holds."""
        entry = self._read(tutorial)
        return None if entry is None else float(entry[0]["seconds"])

    def key(self, tutorial: Tutorial) -> dict[str, Any]:
        """Return what is known of a tutorial's key before it runs.

        Raises:
            TutorialError: Something in the tutorial is wrong.
        """
        notebook = tutorial.notebook
        references = self._repository(tutorial).references(_code(notebook))
        return self._key(tutorial, code_digest(notebook), references)

    def store(
        self,
        tutorial: Tutorial,
        executed: NotebookNode,
        key: dict[str, Any],
        modules: list[str],
        files: dict[str, str | None],
    ) -> None:
        """Keep a run.

        Args:
            tutorial: The tutorial as it was when it ran.
            executed: Its executed notebook.
            key: What `key` gave before the run, so that a later change is noticed.
            modules: The top-level modules that it loaded.
            files: SHA-256 of the files that it read, by their path below the root; None for
                one that it wrote itself.

        Raises:
            CacheError: The folder cannot be written.
        """
        imported = self._repository(tutorial).packages(_code(executed))
        absent = {name for name in imported if not distributions([name])}
        packages = {*distributions([*modules, *imported]), *absent}
        for name in _named_files(tutorial, executed):
            files.setdefault(name, self._digest(f"{tutorial.root}/{name}"))
        key = {
            **key,
            "files": {name: digest for name, digest in files.items() if digest},
            "packages": {name: version(name) or MISSING for name in sorted(packages)},
        }
        self._write(tutorial, key, executed)

    def versions(self, tutorial: Tutorial, modules: list[str]) -> dict[str, str]:
        """Return the versions of Python and of what a tutorial imports, for its reader.

        Args:
            tutorial: The tutorial.
            modules: The top-level modules that it loaded.
        """
        imported = self._repository(tutorial).packages(_code(tutorial.notebook))
        # TensorFlow comes with Keras, unnamed, and Keras's numbers are its numbers.
        shown = distributions((imported | {"tensorflow"}).intersection(modules))
        versions = {name: version(name) or MISSING for name in shown}
        return {"python": platform.python_version(), **versions}

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
                    if path.stat().st_mtime < time.time() - ABANDONED:
                        path.unlink()
        except OSError as error:
            raise self._unwritable(error) from None

    def clean(self) -> None:
        """Remove every entry, of every mode.

        Raises:
            CacheError: The folder cannot be written.
        """
        try:
            for path in [*self.folder.glob("*/*.run"), *self.folder.glob("*/*.tmp")]:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from None

    @property
    def _folder(self) -> Path:
        return self.folder / self.mode

    def _path(self, tutorial: Tutorial) -> Path:
        return self._folder / f"{tutorial.name}.run"

    def _repository(self, tutorial: Tutorial) -> Repository:
        return self._repositories.setdefault(tutorial.root, Repository(tutorial.root))

    def _source(self, tutorial: Tutorial) -> list[str]:
        """Return what the notebook in an entry was read from, and by what."""
        return [tutorial.digest, self._digest(reader.__file__)]

    def _digest(self, path: str) -> str:
        if path not in self._digests:
            try:
                with open(path, "rb") as file:
                    self._digests[path] = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError:
                self._digests[path] = MISSING
        return self._digests[path]

    def _key(self, tutorial: Tutorial, code: str, references: list[str]) -> dict[str, Any]:
        files = self._repository(tutorial).modules(references)
        root = str(tutorial.root)
        return {
            "code": code,
            "references": references,
            "modules": {file: self._digest(f"{root}/{file}") for file in files},
            "python": platform.python_version(),
            "mode": self.mode,
            "kernel": self._digest(kernel.__file__),
        }

    def _changes(self, tutorial: Tutorial, head: dict[str, Any]) -> list[str]:
        """List in words what differs between an entry's key and the key as it is now."""
        old = head["key"]
        if head["source"] == self._source(tutorial):
            new = self._key(tutorial, old["code"], old["references"])
        else:
            new = self.key(tutorial)
        new["files"] = {name: self._digest(f"{tutorial.root}/{name}") for name in old["files"]}
        new["packages"] = {name: version(name) or MISSING for name in old["packages"]}
        words = {
            "code": "its code has changed",
            "python": f"Python {old['python']} is now {new['python']}",
            "mode": f"mode {old['mode']} is now {new['mode']}",
            "kernel": "kernels are now set up in another way",
        }
        changes = [text for part, text in words.items() if old[part] != new[part]]
        for part in ("modules", "files", "packages"):
            for name in sorted(old[part].keys() | new[part].keys()):
                before, after = (key[part].get(name, MISSING) for key in (old, new))
                if before != after and part == "packages":
                    changes.append(f"{name} {before} is now {after}")
                elif before != after:
                    changes.append(f"{name} has changed")
        return changes

    def _read(self, tutorial: Tutorial) -> tuple[dict[str, Any], bytes] | None:
        """Read an entry's head and its notebook; None if there is none or it is damaged."""
        try:
            checksum, _, content = self._path(tutorial).read_bytes().partition(b"\n")
        except OSError:
            return None
        if checksum != _checksum(content):
            return None
        head, _, notebook = content.partition(b"\n")
        return json.loads(head), notebook

    def _write(self, tutorial: Tutorial, key: dict[str, Any], executed: NotebookNode) -> None:
        head = {
            "source": self._source(tutorial),
            "key": key,
            "seconds": executed.metadata["labkit"]["seconds"],
        }
        lines = (json.dumps(part, separators=(",", ":")).encode() for part in (head, executed))
        content = b"\n".join(lines)
        temporary = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=self._folder, prefix=f"{tutorial.name}-", suffix=".tmp", delete=False
            ) as file:
                temporary = file.name
                file.write(_checksum(content) + b"\n" + content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._path(tutorial))
        except OSError as error:
            if temporary is not None:
                Path(temporary).unlink(missing_ok=True)
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> CacheError:
        return CacheError(
            f"{self.folder}: the folder for executed tutorials cannot be written: "
            f"{error.strerror}. Make it writable, free some space, or name another folder."
        )


def _checksum(content: bytes) -> bytes:
    """Return the checksum of an entry; one of another format never matches it."""
    return hashlib.sha256(FORMAT + content).hexdigest().encode()


def _code(notebook: NotebookNode) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


def _named_files(tutorial: Tutorial, notebook: NotebookNode) -> list[str]:
    """Return the files of the repository that the code names.

    The kernel notes what Python opens. It cannot see what compiled code opens, but the path
    of such a file is most often spelled out.
    """
    strings = {
        node.value
        for node in ast.walk(ast.parse(_code(notebook)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    paths = [s for s in strings if 0 < len(s) < 200 and s.isprintable() and ".." not in s]
    return [path for path in paths if not os.path.isabs(path) and (tutorial.root / path).is_file()]


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
