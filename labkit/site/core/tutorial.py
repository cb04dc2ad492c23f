"""Finds the tutorials: plain Python scripts in the percent format, in the parts' folders.

Everything that can be wrong with a tutorial before it runs is said here, with its file and
line.
"""

import hashlib
import io
import json
import re
import sys
import tokenize
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from nbformat import NotebookNode

from . import cells, header
from .header import Needs


class TutorialError(Exception):
    """A tutorial cannot be used as it stands; the message names its file and line."""


@dataclass(frozen=True)
class Tutorial:
    """One tutorial, as its file was when it was read.

    Attributes:
        name: The file's name without `.py`; the page's address and what chapters call it.
        path: The file, absolute.
        text: The file's text.
        root: The repository's root, in which the tutorial runs.
        fault: Why the file cannot be read, or nothing. Its text is empty then.
    """

    name: str
    path: Path
    text: str
    root: Path
    fault: str = ""

    @property
    def part(self) -> str:
        """The part of the book to which it belongs: its folder below `tutorials/`, or nothing."""
        return self.path.relative_to(self.root).parent.as_posix().partition("/")[2]

    @property
    def place(self) -> str:
        """The file as messages name it: `tutorials/neuron.py`."""
        return self.path.relative_to(self.root).as_posix()

    @property
    def digest(self) -> str:
        """The text's SHA-256."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def code(self) -> str:
        """A digest of what a run is asked for: not of prose, captions and labels.

        Raises:
            TutorialError: As for `notebook`.
        """
        cells = [
            [cell.source, cell.metadata["tags"], cell.metadata["values"]]
            for cell in self._parsed[0].cells
            if cell.cell_type == "code"
        ]
        return hashlib.sha256(json.dumps(cells).encode()).hexdigest()

    @property
    def notebook(self) -> NotebookNode:
        """The tutorial as a notebook that has not run, parsed anew at each access.

        See `cells.parse` for what its cells carry.

        Raises:
            TutorialError: The file cannot be read; or syntax, a marker or a name is wrong.
        """
        return deepcopy(self._parsed[0])

    @property
    def needs(self) -> Needs:
        """What the tutorial's header says about its run.

        Raises:
            TutorialError: As for `notebook`.
        """
        return self._parsed[1]

    @property
    def _parsed(self) -> tuple[NotebookNode, Needs]:
        if self.fault:
            raise TutorialError(self.fault)
        return _parse(self.text, self.place)


def find(folder: str | Path) -> list[Tutorial]:
    """Return every tutorial of a folder and its parts, sorted by place.

    One that cannot be read says so when its notebook is asked for, and leaves the others alone.
    Names that begin with a dot are of editors and systems, and are passed over.

    Raises:
        TutorialError: There is no such folder, or a file's name is wrong or taken.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise TutorialError(
            f"{folder}: expected a folder of tutorials, found none. "
            "Run from the repository's root, or name the folder."
        )
    root = folder.absolute().parent
    paths = [path.absolute() for path in (*folder.glob("*.py"), *folder.glob("*/*.py"))]
    found: dict[str, Tutorial] = {}
    for path in sorted(paths):
        if any(name.startswith(".") for name in path.relative_to(root).parts):
            continue
        place = path.relative_to(root).as_posix()
        _check_name(path.stem, place)
        try:
            text, fault = _text(path, place), ""
        except TutorialError as error:
            text, fault = "", str(error)
        tutorial = Tutorial(path.stem, path, text, root, fault)
        if other := found.get(tutorial.name):
            raise TutorialError(
                f"{tutorial.place}: the name is taken by {other.place}; chapters call a tutorial "
                "by its name. Rename one of the two."
            )
        found[tutorial.name] = tutorial
    return list(found.values())


def _text(path: Path, place: str) -> str:
    """Return a script's text, with Python's line ends for whatever line ends the file has."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    except OSError as error:
        raise TutorialError(
            f"{place}: cannot be read: {error.strerror}. Make it readable, or remove it."
        ) from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise TutorialError(
            f"{place}:{line}: expected UTF-8 text. Save the file as UTF-8."
        ) from None
    except SyntaxError as error:  # its first lines name an encoding that Python does not know
        raise TutorialError(
            f"{place}:1: {error.msg}. Save the file as UTF-8, and say so or nothing."
        ) from None
    if encoding.partition("-sig")[0] != "utf-8":
        raise TutorialError(
            f"{place}:1: expected UTF-8 text. It says {encoding}: save it as UTF-8."
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _check_name(name: str, place: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", name):
        raise TutorialError(
            f"{place}: expected a name of lower-case letters, digits, hyphens and underscores, as "
            "it becomes the page's address. Rename the file."
        )
    if name == "index":
        raise TutorialError(
            f"{place}: its page would take the place of the list of tutorials. Rename it."
        )
    if name in sys.stdlib_module_names:
        raise TutorialError(
            f"{place}: as a script it would hide Python's own module `{name}` from "
            "every package that imports it. Rename the file."
        )


@lru_cache(maxsize=8)  # a build asks for a tutorial's notebook again and again
def _parse(text: str, place: str) -> tuple[NotebookNode, Needs]:
    try:
        above, needs = header.read(text)
        return cells.parse(text, above), needs
    except cells.CellError as error:
        raise TutorialError(f"{place}:{error.line}: {error}") from None
