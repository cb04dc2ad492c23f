"""The runs of one tutorial as files: each a notebook with its outputs, and the run's record.

A notebook's name is the SHA-256 of its content, and a record carries its own. The record is
written last, and each file beside its place and moved there: whoever is killed when, there is a
whole run or none. A damaged one counts as none.
"""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict

from .whole import whole

FORMAT = b"3"  # of a record's file
KEPT = 5  # runs of a tutorial: an undone edit finds its earlier run
ABANDONED = 3600  # seconds after which no build can still be using a file without a record


@dataclass(frozen=True)
class Entry:
    """One run.

    Attributes:
        record: The file of its record.
        head: What that file says.
    """

    record: Path
    head: dict[str, Any]

    @property
    def notebook(self) -> Path:
        """The file of its notebook."""
        return self.record.with_suffix(".ipynb")

    def read(self) -> NotebookNode | None:
        """Return its notebook, or None if that is no longer there."""
        content = _content(self.notebook)
        if content is None:
            return None
        executed: NotebookNode = from_dict(json.loads(content))  # type: ignore[no-untyped-call]
        return executed

    def remove(self) -> None:
        """Forget the run; its notebook stays for as long as a build may be reading it."""
        with contextlib.suppress(OSError):
            self.record.unlink()

    def touch(self) -> None:
        """Make it the newest."""
        with contextlib.suppress(OSError):  # reading must work where writing does not
            os.utime(self.record)


class Entries:
    """The runs of one tutorial.

    Args:
        folder: Where they are; made when the first is added.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self) -> list[Path]:
        """Return the files of records, damaged or not, newest first."""
        return sorted(self.folder.glob("*.run"), key=_time, reverse=True)

    def __iter__(self) -> Iterator[Entry]:
        """Yield each run that is whole, newest first."""
        for path in self.files():
            with contextlib.suppress(OSError):
                checksum, _, content = path.read_bytes().partition(b"\n")
                if checksum == _checksum(content):
                    entry = Entry(path, json.loads(content))
                    if _content(entry.notebook) is not None:
                        yield entry

    def newest(self) -> Entry | None:
        """Return the newest run that is whole."""
        return next(iter(self), None)

    def add(self, head: dict[str, Any], executed: NotebookNode) -> Entry:
        """Keep a run, and forget the oldest.

        Raises:
            OSError: The folder cannot be written.
        """
        notebook = json.dumps(executed, ensure_ascii=False, separators=(",", ":")).encode()
        record = json.dumps(head, separators=(",", ":")).encode()
        path = self.folder / hashlib.sha256(notebook).hexdigest()
        self.folder.mkdir(parents=True, exist_ok=True)
        with whole(path.with_suffix(".ipynb")) as file:
            file.write_bytes(notebook)
        with whole(path.with_suffix(".run")) as file:
            file.write_bytes(_checksum(record) + b"\n" + record)
        for old in self.files()[KEPT:]:
            old.unlink(missing_ok=True)
        self.tidy()
        return Entry(path.with_suffix(".run"), head)

    def tidy(self) -> None:
        """Remove what killed builds have left, and notebooks that have no record.

        Raises:
            OSError: The folder cannot be written.
        """
        for path in [*self.folder.glob(".*"), *self.folder.glob("*.ipynb")]:
            stale = _time(path) < time.time_ns() - ABANDONED * 10**9
            if stale and not path.with_suffix(".run").exists():
                path.unlink(missing_ok=True)


def _content(notebook: Path) -> bytes | None:
    """Return what a notebook's file holds, or None if that is not what its name says."""
    try:
        content = notebook.read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == notebook.stem else None


def _checksum(record: bytes) -> bytes:
    """Return the checksum of a record; one of another format never matches it."""
    return hashlib.sha256(FORMAT + record).hexdigest().encode()


def _time(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # another build has just removed it
        return 0
