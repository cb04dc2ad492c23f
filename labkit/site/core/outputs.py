"""What a cell may give: checked when it has run, so that nothing is lost on its way to the page.

A page shows drawings (SVG), images (PNG, JPEG), HTML without scripts and styles, formulas,
Markdown, and text as a terminal leaves it. Anything else is an error of the run. Only what
repeats a figure is left out: the figure itself, when it is the last expression, too, and the
objects that drawing functions return, such as `[<matplotlib.lines.Line2D>]`.
"""

import base64
import re
from typing import Any

from nbformat import NotebookNode, from_dict

from . import figures
from .sanitize import UnsafeError, sanitize
from .terminal import settled

# The best first. Of each output one kind is kept, and its text.
KINDS = (
    "image/svg+xml",
    "text/html",
    "text/latex",
    "text/markdown",
    "image/png",
    "image/jpeg",
    "text/plain",
)
DRAWING = 500_000  # bytes of one figure
PRINTED = 100_000  # characters of all that a cell printed and showed as text
HEAVY = "heavy"  # the tag of a cell that may give more
_PLAIN = "text/plain"
_OPAQUE = re.compile(r"<[^\n]*>")  # a text that says no more than what an object is
_ARTIST = re.compile(r" at 0x[0-9a-f]+>|<(Axes|Figure|\w*Container)\b|^(Text|Line2D|Annotation)\(")


class OutputError(ValueError):
    """A cell gave what no page can show; the message says what, and what to do."""


def check(cell: NotebookNode) -> None:
    """Check a cell's outputs, and leave of each what a page shows.

    Args:
        cell: A code cell that has run, and raised nothing; its outputs are replaced.

    Raises:
        OutputError: One cannot be shown, or weighs too much.
    """
    drawn = [_drawing(output) for output in cell.outputs]
    kept = []
    for output, drawing in zip(cell.outputs, drawn, strict=True):
        if output.output_type == "stream":
            output.text = settled("".join(output.text))
        elif output.output_type == "execute_result" and (
            drawn.count(drawing) > 1 if drawing else any(drawn) and _is_artist(output)
        ):
            continue
        else:
            _show(output)
        kept.append(output)
    cell.outputs = kept
    if HEAVY not in cell.metadata.get("tags", ()):
        _weigh(kept)


def _drawing(output: NotebookNode) -> Any:
    """Return what an output draws, or nothing."""
    data = output.get("data", {})
    return next((data[kind] for kind in figures.SUFFIXES if kind in data), None)


def _is_artist(output: NotebookNode) -> bool:
    """Say whether an output is the text of an object that drew something."""
    return list(output.data) == [_PLAIN] and bool(_ARTIST.search("".join(output.data[_PLAIN])))


def _show(output: NotebookNode) -> None:
    """Leave of one output the kind that a page shows, checked, and its text."""
    foreign = [kind for kind in output.data if kind not in KINDS]
    if foreign:
        raise OutputError(
            f"the cell that starts here shows {foreign[0]}, which needs scripts of its own, and a "
            "page has none. Show a figure (SVG, PNG, JPEG), a table, HTML, Markdown, LaTeX or text."
        )
    given = {kind: "".join(text) for kind, text in output.data.items()}
    plain = settled(given.get(_PLAIN, ""))
    kind = next(kind for kind in KINDS if kind in given or kind == _PLAIN)
    content, details = plain, dict[str, Any]()
    try:
        if kind == "image/svg+xml":
            content, width, height = figures.sized(given[kind])
            details = {"width": width, "height": height}
            if color := figures.foreign(content):
                details["foreign"] = color
        elif kind in figures.SUFFIXES:
            content = given[kind]
            width, height = figures.size(content)
            wanted = output.metadata.get(kind, {})  # a sharp image is shown at half its size
            details = {"width": width, "height": height} | wanted
        elif kind == "text/html":
            content = sanitize(settled(given[kind]))
        else:
            content = settled(given.get(kind, ""))
    except UnsafeError as error:
        if not plain or _OPAQUE.fullmatch(plain):
            raise OutputError(
                f"the cell that starts here shows {error}; a page has neither scripts nor styles "
                "of a cell's own. Show a figure (SVG, PNG, JPEG), a table, Markdown or text."
            ) from None
        kind, content = _PLAIN, plain  # an estimator's text says as much as its diagram
    except ValueError as error:
        raise OutputError(f"the cell that starts here shows {error}.") from None
    output.data = _node({kind: content} | ({_PLAIN: plain} if plain else {}))
    output.metadata = _node({kind: details} if details else {})


def _node(content: dict[str, Any]) -> Any:
    return from_dict(content)  # type: ignore[no-untyped-call]  # of nbformat


def _weigh(outputs: list[NotebookNode]) -> None:
    """Check that a page stays light."""
    printed = 0
    allow = f'or allow it in the marker: tags=["{HEAVY}"]'
    for output in outputs:
        data = output.get("data", {})
        kind = next((kind for kind in KINDS if kind in data), "")
        if kind in figures.SUFFIXES:
            text = data[kind]
            weight = len(text.encode()) if kind == KINDS[0] else len(base64.b64decode(text))
            if weight > DRAWING:
                raise OutputError(
                    f"a figure of the cell that starts here weighs {_size(weight)}, and "
                    f"{_size(DRAWING)} is the most. Draw fewer marks, let matplotlib draw them as "
                    f"pixels (rasterized=True), make the image smaller, {allow}."
                )
        else:
            printed += len(output.get("text", "")) + len(data.get(kind, ""))
    if printed > PRINTED:
        raise OutputError(
            f"the cell that starts here prints {_size(printed)}, and {_size(PRINTED)} is the "
            f"most. Print less, {allow}."
        )


def _size(weight: int) -> str:
    return f"{weight / 1e6:.1f} MB" if weight >= 1e6 else f"{weight / 1e3:.0f} KB"
