"""Figures as files: their size, and a twin for the dark page.

A tutorial draws each figure once, in the fixed colors of `labkit.plot`. The site stores it
as an SVG file and derives the dark twin by exchanging exactly those colors, so that no
figure is drawn twice and no image (a digit, a photograph) changes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

# Left: the colors of labkit.plot. Right: the same role on the dark page (#1a1d24). Text and
# marks keep a contrast of at least 4.5:1 with it, so that lines and labels may share them.
DARK = {
    "#1f2328": "#e3e6eb",  # ink: text and axes
    "#d0d7de": "#3d444f",  # grid
    "#ffffff": "#1a1d24",  # paper
    "#0b6bcb": "#6cb2ff",  # blue
    "#c2410c": "#ff9a5c",  # orange
    "#0f7b55": "#4fcf9d",  # green
    "#8b3fc7": "#cf9bff",  # purple
    "#b3261e": "#ff8f86",  # red
    "#57606a": "#a4adb8",  # grey
}
_COLOR = re.compile("|".join(DARK), re.IGNORECASE)
_ROOT = re.compile(r"<svg\b[^>]*>")
_LENGTH = re.compile(r"([\d.]+)(pt|px|in)?")
_PIXELS = {"pt": 96 / 72, "px": 1.0, "in": 96.0, None: 1.0}


@dataclass(frozen=True)
class Figure:
    """One drawing of one cell.

    Attributes:
        name: File name without suffix, unique in the tutorial.
        svg: The drawing for the light page.
        width: Width in CSS pixels.
        height: Height in CSS pixels.
    """

    name: str
    svg: str
    width: int
    height: int

    @property
    def dark(self) -> str:
        """The drawing for the dark page."""
        return _COLOR.sub(lambda color: DARK[color[0].lower()], self.svg)


def figures(cell: NotebookNode, name: str) -> Iterator[Figure]:
    """Yield the drawings among a cell's outputs: `name`, then `name-2` and so on."""
    drawings = [
        "".join(output.data["image/svg+xml"])
        for output in cell.get("outputs", ())
        if "image/svg+xml" in output.get("data", ())
    ]
    for number, svg in enumerate(drawings, 1):
        root = _ROOT.search(svg)
        if root is None:
            raise ValueError("Expected an SVG drawing. Received text without <svg>.")
        width, height = _pixels("width", root[0]), _pixels("height", root[0])
        yield Figure(name if number == 1 else f"{name}-{number}", svg, width, height)


def _pixels(side: str, root: str) -> int:
    length = re.search(rf'\s{side}="([^"]*)"', root)
    match = _LENGTH.fullmatch(length[1]) if length else None
    if match is None:
        raise ValueError(f"Expected an SVG drawing with a {side}. Received: {root}")
    return round(float(match[1]) * _PIXELS[match[2]])
