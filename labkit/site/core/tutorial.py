"""Reads a tutorial: a plain Python script in the percent format, as a notebook.

A marker carries what the page needs to know about a cell:

    # %% label="border" alt="Two clouds and a line." caption="It learned." values="accuracy"

Everything that can be wrong with a tutorial before it runs is said here, with its file and
line.
"""

import ast
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from nbformat import NotebookNode

MARKER = re.compile(r"^\s*#\s*%%(\s|%|$)")
# What may stand above the first cell: a shebang, an encoding, jupytext's own settings.
HEADER = re.compile(
    r"(#!.*\n)?(#.*coding[:=].*\n)?([ \t]*\n)*(# ---\n(#.*\n)*?# ---\n)?([ \t]*\n)*"
)
TAGS = re.compile(r"""tags=(?!\[\s*((["'])[^"']*\2\s*,?\s*)*\])""")  # no list of strings
LABEL = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
ATTRIBUTES = {
    "label": str,
    "alt": str,
    "caption": str,
    "values": str,
    "tags": list,
    "title": str,  # jupytext's: bare words in the marker
}
# jupytext's notes on spacing, which say nothing about the cell.
SPACING = (
    "lines_to_next_cell",
    "lines_to_end_of_cell_marker",
    "cell_marker",
    "region_name",
)


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
    """

    name: str
    path: Path
    text: str
    root: Path

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
    def notebook(self) -> NotebookNode:
        """The tutorial as a notebook that has not run, parsed anew at each access.

        A cell's metadata hold `line` (1-based, of its first line in the file) and what its
        marker gives of `label`, `alt` and `caption`; those of a code cell also hold `tags`
        and `values`, which are lists, perhaps empty.

        Raises:
            TutorialError: Syntax, a marker or a name is wrong.
        """
        return deepcopy(_parse(self.text, self.place))


def read(path: str | Path) -> Tutorial:
    """Read one tutorial and check it.

    Raises:
        TutorialError: The file cannot be read, or something in it is wrong.
    """
    path = Path(path).absolute()
    folder = next((f for f in path.parents if f.name == "tutorials"), path.parent)
    tutorial = _load(path, folder.parent)
    _parse(tutorial.text, tutorial.place)
    return tutorial


def find(folder: str | Path) -> list[Tutorial]:
    """Return every tutorial of a folder, sorted by name; their content is not checked yet.

    Raises:
        TutorialError: A file cannot be read, or its name is taken.
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
        tutorial = _load(path, root)
        if other := found.get(tutorial.name):
            raise TutorialError(
                f"{tutorial.place}: the name is taken by {other.place}; chapters call a tutorial "
                "by its name. Rename one of the two."
            )
        found[tutorial.name] = tutorial
    return list(found.values())


def code_digest(notebook: NotebookNode) -> str:
    """Return the SHA-256 of a notebook's code cells with their metadata, without prose."""
    cells = [
        [cell.source, {key: value for key, value in cell.metadata.items() if key != "line"}]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()


def _load(path: Path, root: Path) -> Tutorial:
    place = path.relative_to(root).as_posix()
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise TutorialError(
            f"{place}:{line}: expected UTF-8 text. Save the file as UTF-8."
        ) from None
    except OSError as error:
        raise TutorialError(
            f"{place}: cannot be read: {error.strerror}. Make it readable, or remove it."
        ) from None
    if not re.fullmatch(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", path.stem):
        raise TutorialError(
            f"{place}: expected a name of lower-case letters, digits, hyphens and underscores, as "
            "it becomes the page's address. Rename the file."
        )
    if path.stem == "index":
        raise TutorialError(
            f"{place}: its page would take the place of the list of tutorials. Rename it."
        )
    if path.stem in sys.stdlib_module_names:
        raise TutorialError(
            f"{place}: as a script it would hide Python's own module `{path.stem}` from "
            "every package that imports it. Rename the file."
        )
    return Tutorial(path.stem, path, text, root)


@lru_cache(maxsize=8)  # a build asks for a tutorial's notebook again and again
def _parse(text: str, place: str) -> NotebookNode:
    import jupytext  # 0.4 s, and not needed where every tutorial is cached

    for number, line in enumerate(text.splitlines(), 1):
        if MARKER.match(line) and TAGS.search(line):
            raise TutorialError(
                f'{place}:{number}: expected tags such as tags=["solution"] in the marker. '
                f"Received: {line}"
            )
    header = HEADER.match(text)
    above = header.group() if header else ""
    notebook: NotebookNode = jupytext.reads(
        text.removeprefix(above),
        fmt={"extension": ".py", "format_name": "percent", "comment_magics": False},
    )
    notebook["metadata"] = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {
            "name": "python",
            "file_extension": ".py",
            "mimetype": "text/x-python",
        },
    }
    first = dict[tuple[str, str], int]()  # the line of the marker that first used a name
    for number, (cell, marker, start) in enumerate(
        _places(text, above.count("\n"), notebook.cells)
    ):
        cell["id"] = f"cell-{number}"
        _check_marker(cell, f"{place}:{marker}")
        lines = cell.source.rstrip("\n").split("\n")
        while len(lines) > 1 and not lines[0].strip():
            del lines[0]
            start += 1
        cell.source = "\n".join(lines)
        cell.metadata["line"] = start
        if cell.cell_type != "code":
            continue
        _check_code(cell, place)
        names = [("value", name) for name in cell.metadata["values"]]
        if "label" in cell.metadata:
            names.append(("label", cell.metadata["label"]))
        for name in names:
            if name in first:
                raise TutorialError(
                    f"{place}:{marker}: the {name[0]} {name[1]!r} is taken by the cell in "
                    f"line {first[name]}. Give one of the two another name."
                )
            first[name] = marker
    return notebook


def _places(
    text: str, position: int, cells: list[NotebookNode]
) -> Iterator[tuple[NotebookNode, int, int]]:
    """Yield each cell with the lines, from 1, of its marker and of its text.

    Args:
        text: The file.
        position: How many lines stand above the first cell.
        cells: All cells.
    """
    lines = text.splitlines()
    for number, cell in enumerate(cells):
        marker = position
        if number == 0 and not MARKER.match(lines[marker]):
            start = marker  # the first cell may do without a marker
        else:
            while not MARKER.match(lines[marker]):
                marker += 1
            start = marker + 1
        position = start + cell.source.count("\n") + 1
        yield cell, marker + 1, start + 1


def _check_marker(cell: NotebookNode, place: str) -> None:
    def fail(message: str) -> NoReturn:
        raise TutorialError(f"{place}: {message}")

    metadata = cell.metadata
    for key in SPACING:
        metadata.pop(key, None)
    if "incorrectly_encoded_metadata" in metadata:
        fail(
            'expected a marker such as `# %% label="loss" alt="…" values="accuracy"`. '
            f"Received: {metadata['incorrectly_encoded_metadata']}. Check the quotes."
        )
    for key, value in metadata.items():
        if key not in ATTRIBUTES:
            fail(f"unknown attribute {key!r} in the marker. Known: {', '.join(ATTRIBUTES)}.")
        if not isinstance(value, ATTRIBUTES[key]):
            example = '["solution"]' if ATTRIBUTES[key] is list else '"…"'
            fail(f"expected {key}={example} in the marker. Received: {key}={value!r}")
    label: Any = metadata.get("label")
    if label is not None and not LABEL.fullmatch(label):
        fail(f"expected a label of a-z, 0-9 and single hyphens. Received: {label!r}")
    if cell.cell_type == "code":
        metadata["tags"] = metadata.get("tags", [])
        metadata["values"] = metadata.get("values", "").split()
        for value in metadata["values"]:
            if not value.isidentifier():
                fail(f"expected names of variables in `values`. Received: {value!r}")


def _check_code(cell: NotebookNode, place: str) -> None:
    above = cell.metadata["line"] - 1
    try:
        tree = ast.parse(cell.source)
    except SyntaxError as error:
        raise TutorialError(
            f"{place}:{above + (error.lineno or 1)}: {error.msg}: "
            f"`{(error.text or '').strip()}`. Each cell must be valid Python by itself."
        ) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        if Path(place).stem in [name.partition(".")[0] for name in names]:
            raise TutorialError(
                f"{place}:{above + node.lineno}: as a script it would import itself, not "
                f"the package `{Path(place).stem}`. Rename the file."
            )
