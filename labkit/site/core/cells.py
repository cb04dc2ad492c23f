"""Cuts a script in the percent format into cells, and finds what is wrong with it before it runs.

A marker carries what the page needs to know about a cell:

    # %% label="border" alt="Two clouds and a line." caption="It learned." values="accuracy"

The script is a program first: what Python takes for a line, a comment or a string is one here,
and code below the marker of a text is an error, not text.
"""

import io
import json
import re
import tokenize
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

MARKER = re.compile(r"#\s*%%+(?:\s+(.*))?")
KIND = re.compile(r"\[(.*?)\]")
ATTRIBUTE = re.compile(r"(?:^|\s+)([A-Za-z_][\w-]*)=")
LABEL = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")  # names that the book makes up have underscores
EXAMPLE = '`# %% label="loss" alt="…" tags=["solution"]`'
ATTRIBUTES = {"label": str, "alt": str, "caption": str, "values": str, "tags": list}
KERNEL = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {
        "name": "python",
        "file_extension": ".py",
        "mimetype": "text/x-python",
    },
}


class CellError(ValueError):
    """Something in a script is wrong.

    Attributes:
        line: Where, from 1.
    """

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class _Piece:
    """The lines of one cell.

    Attributes:
        marker: Its marker's line, from 1; that of its text if it has no marker.
        words: What the marker says.
        start: The line, from 1, where its text starts.
        lines: Its text, without empty lines at both ends.
    """

    marker: int
    words: str
    start: int
    lines: list[str]


def parse(text: str, above: int = 0) -> NotebookNode:
    """Return a script as a notebook that has not run.

    A cell's metadata hold `line`, of its text's first line, from 1. Those of a code cell also
    hold what its marker gives of `label`, `alt` and `caption`, and `tags` and `values`, which
    are lists, perhaps empty.

    Args:
        text: The script.
        above: How many lines stand above the first cell.

    Raises:
        CellError: Syntax, a marker or a name is wrong.
    """
    _compile(text, 1, "A tutorial must be a valid Python script.")
    cells = []
    first = dict[tuple[str, str], int]()  # the line of the marker that first used a name
    for number, piece in enumerate(_pieces(text, above)):
        cell = _cell(piece, f"cell-{number}")
        cells.append(cell)
        names = [("value", name) for name in cell.metadata.get("values", ())]
        if "label" in cell.metadata:
            names.append(("label", cell.metadata["label"]))
        for kind, name in names:
            if (kind, name) in first:
                raise CellError(
                    piece.marker,
                    f"the {kind} {name!r} is taken by the cell in line {first[kind, name]}. "
                    "Give one of the two another name.",
                )
            first[kind, name] = piece.marker
    notebook: NotebookNode = new_notebook(cells=cells, metadata=KERNEL)  # type: ignore[no-untyped-call]
    return notebook


def _pieces(text: str, above: int) -> Iterator[_Piece]:
    lines = text.split("\n")
    markers = list(_markers(text))
    ends = [*(line - 1 for line, _ in markers), len(lines)]
    if any(line.strip() for line in lines[above : ends[0]]):  # the first may do without a marker
        yield _piece(lines, above + 1, "", above, ends[0])
    for (line, words), end in zip(markers, ends[1:], strict=True):
        yield _piece(lines, line, words, line, end)


def _piece(lines: list[str], marker: int, words: str, start: int, end: int) -> _Piece:
    while start < end and not lines[start].strip():
        start += 1
    while start < end and not lines[end - 1].strip():
        end -= 1
    return _Piece(marker, words, start + 1, lines[start:end])


def _markers(text: str) -> Iterator[tuple[int, str]]:
    """Yield each marker's line, from 1, and words; what looks like one in a string is none."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        match = MARKER.fullmatch(token.string) if token.type == tokenize.COMMENT else None
        if match:
            line, column = token.start
            if token.line[:column].strip():
                continue  # a comment beside code
            if column:
                raise CellError(line, "a cell's marker stands at the beginning of its line.")
            yield line, (match[1] or "").strip()


def _cell(piece: _Piece, name: str) -> NotebookNode:
    metadata = _attributes(piece)
    kind = metadata.pop("kind")
    metadata["line"] = piece.start
    if kind:
        if len(metadata) > 1:
            raise CellError(
                piece.marker,
                f"{', '.join(metadata.keys() - {'line'})}: only a cell of code has attributes. "
                "Remove them, or `[markdown]`.",
            )
        source = "\n".join(_text(piece))
        return new_markdown_cell(source, id=name, metadata=metadata)  # type: ignore[no-untyped-call, no-any-return]
    source = "\n".join(piece.lines)
    _compile(source, piece.start, "Each cell must be valid Python by itself.")
    metadata["tags"] = metadata.get("tags", [])
    metadata["values"] = metadata.get("values", "").split()
    for value in metadata["values"]:
        if not value.isidentifier():
            raise CellError(
                piece.marker, f"expected names of variables in `values`. Received: {value!r}"
            )
    return new_code_cell(source, id=name, metadata=metadata)  # type: ignore[no-untyped-call, no-any-return]


def _text(piece: _Piece) -> Iterator[str]:
    for number, line in enumerate(piece.lines, piece.start):
        if line.strip() and not line.startswith("#"):
            raise CellError(
                number,
                f"expected a line of text, which begins with `#`. Received: `{line.strip()}`. "
                "Write `# %%` above it if it is code.",
            )
        yield line.removeprefix("#").removeprefix(" ").rstrip()


def _attributes(piece: _Piece) -> dict[str, Any]:
    """Read what a marker says: `kind`, which is empty for code, and attributes."""

    def fail(message: str) -> CellError:
        return CellError(piece.marker, message)

    words = piece.words
    match = ATTRIBUTE.search(words)
    title = words[: match.start() if match else None]  # for the eye, besides the kind
    kinds = KIND.findall(title)
    if kinds not in ([], ["markdown"], ["md"]):
        raise fail(f"expected `[markdown]` or nothing in brackets. Received: `# %% {words}`")
    found: dict[str, Any] = {"kind": kinds}
    try:
        for name, value in _pairs(title, words[len(title) :]):
            if name in found:
                raise fail(f"{name} stands twice in the marker. Remove one of the two.")
            found[name] = value
            _check(name, value, fail)
    except json.JSONDecodeError:
        raise fail(
            f"expected a marker such as {EXAMPLE}. Received: `# %% {words}`. Check the quotes."
        ) from None
    return found


def _pairs(title: str, rest: str) -> Iterator[tuple[str, Any]]:
    """Yield a marker's attributes.

    Raises:
        json.JSONDecodeError: They are not pairs of a name and a value in JSON.
    """
    if "=" in title or '"' in title:
        raise json.JSONDecodeError("no attribute", title, 0)
    position = 0
    while rest[position:].strip():
        match = ATTRIBUTE.match(rest, position)
        if not match:
            raise json.JSONDecodeError("no attribute", rest, position)
        value, position = json.JSONDecoder().raw_decode(rest, match.end())
        yield match[1], value


def _check(name: str, value: Any, fail: Callable[[str], CellError]) -> None:
    if name not in ATTRIBUTES:
        raise fail(f"unknown attribute {name!r} in the marker. Known: {', '.join(ATTRIBUTES)}.")
    strings = value if isinstance(value, list) else [value]
    if not isinstance(value, ATTRIBUTES[name]) or not all(isinstance(v, str) for v in strings):
        example = '["solution"]' if ATTRIBUTES[name] is list else '"…"'
        raise fail(f"expected {name}={example} in the marker. Received: {name}={value!r}")
    if name == "tags" and "raises-exception" in value:
        raise fail(
            "the tag raises-exception would let the page go on where the script ends. Write "
            "`try` and `except` in the cell instead."
        )
    if name == "label" and not LABEL.fullmatch(value):
        raise fail(f"expected a label of a-z, 0-9 and single hyphens. Received: {value!r}")


def _compile(source: str, line: int, rule: str) -> None:
    """Compile code as Python does a script: without top-level await, magics and the like."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the run shows them
            compile("\n" * (line - 1) + source, "tutorial", "exec", dont_inherit=True)
    except SyntaxError as error:
        number = error.lineno or line
        raise CellError(number, f"{error.msg}: `{(error.text or '').strip()}`. {rule}") from None
    except (ValueError, RecursionError, MemoryError) as error:  # NUL; too deeply nested
        raise CellError(line, f"{error}. {rule}") from None
