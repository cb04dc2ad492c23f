"""Figures as files: their size, and a twin for the dark page.

A tutorial draws each figure once, in the fixed colors of `labkit.plot`. The site stores it
as an SVG file and derives the dark twin by exchanging exactly those colors, so that no
figure is drawn twice and no image (a digit, a photograph) changes. An image of pixels has no
twin; the page gives it white paper.
"""

import base64
import binascii
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.dom import minidom
from xml.etree import ElementTree

from nbformat import NotebookNode

from labkit._palette import PALETTE

DARK = dict(PALETTE.values())
SUFFIXES = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpg"}
_COLOR = re.compile("|".join(DARK), re.IGNORECASE)
_SVG = "http://www.w3.org/2000/svg"
_LENGTH = re.compile(r"\s*([\d.]+(?:e[+-]?\d+)?)\s*(pt|px|in|cm|mm|pc)?\s*")
_PIXELS = {"pt": 96 / 72, "px": 1.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4, "pc": 16.0}


@dataclass(frozen=True)
class Figure:
    """One drawing or image of one cell.

    Attributes:
        name: File name without suffix, unique in the tutorial.
        suffix: `svg`, `png` or `jpg`.
        content: The file for the light page.
        width: Width in CSS pixels.
        height: Height in CSS pixels.
        foreign: The color of the axes' text, if it is none of the book's.
    """

    name: str
    suffix: str
    content: str | bytes
    width: int
    height: int
    foreign: str = ""

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.name}.{self.suffix}"

    @property
    def dark(self) -> str | None:
        """The drawing for the dark page; an image of pixels has none."""
        return darkened(self.content) if isinstance(self.content, str) else None


def figures(cell: NotebookNode, name: str) -> Iterator[Figure]:
    """Yield the figures among a cell's checked outputs: `name`, then `name_2` and so on.

    No label has an underscore, so no other cell's figure has such a name.
    """
    number = 0
    for output in cell.get("outputs", ()):
        for kind, suffix in SUFFIXES.items():
            if kind in output.get("data", ()):
                number += 1
                size = output.metadata[kind]
                given = "".join(output.data[kind])
                content = given if suffix == "svg" else base64.b64decode(given)
                own = name if number == 1 else f"{name}_{number}"
                yield Figure(
                    own, suffix, content, size["width"], size["height"], size.get("foreign", "")
                )


def darkened(svg: str) -> str:
    """Return a drawing with each color of the palette exchanged for its dark one."""
    return _COLOR.sub(lambda color: DARK[color[0].lower()], svg)


def sized(svg: str) -> tuple[str, int, int]:
    """Return a drawing, its width and its height; what lacks a size takes it from its viewBox.

    Raises:
        ValueError: The text is no drawing, or has no size.
    """
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise ValueError(f"an SVG drawing that is not well formed ({error})") from None
    if root.tag not in ("svg", f"{{{_SVG}}}svg"):
        raise ValueError(f"an SVG drawing whose root is not <svg>, but <{root.tag}>")
    width, height = _pixels(root.get("width")), _pixels(root.get("height"))
    given = {} if root.tag.startswith("{") else {"xmlns": _SVG}  # a file is no drawing without
    if not (width and height):
        box = [float(n) for n in re.findall(r"-?[\d.]+(?:e[+-]?\d+)?", root.get("viewBox", ""))]
        if len(box) != 4 or min(box[2:]) <= 0:
            raise ValueError("an SVG drawing that has no size: give <svg> a width and a height")
        ratio = box[2] / box[3]
        width = width or (height * ratio if height else box[2])
        height = height or width / ratio
        given |= {"width": f"{width:g}", "height": f"{height:g}"}
    if given:
        document = minidom.parseString(svg).documentElement
        assert document is not None  # it has been parsed above
        for name, value in given.items():
            document.setAttribute(name, value)
        svg = document.toxml()
    return svg, max(1, round(width)), max(1, round(height))


def raster(svg: str, width: int) -> bytes:
    """Return a drawing as a PNG file.

    Args:
        svg: The drawing.
        width: Width in pixels.
    """
    import resvg_py

    # Without a resolution, lengths in points have no size.
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, width=width, dpi=96.0))


def foreign(svg: str) -> str:
    """Return the color of the axes' text that the dark page does not exchange; empty if none.

    Only text at an axis stands on the page for sure; other text may lie on a ground of its own.
    """
    groups = ElementTree.fromstring(svg).iter(f"{{{_SVG}}}g")
    axes = [group for group in groups if group.get("id", "").startswith("matplotlib.axis")]
    for text in (group for axis in axes for group in axis.iter(f"{{{_SVG}}}g")):
        if text.get("id", "").startswith("text_") and len(text):
            parts = [part.partition(":") for part in text[0].get("style", "").split(";")]
            style = {name.strip(): value.strip() for name, _, value in parts}
            color = style.get("fill", "#000000")  # SVG's own is black
            if color.lower() not in DARK:
                return color
    return ""


def size(image: str) -> tuple[int, int]:
    """Return the width and height of an image of pixels, given in base64.

    Raises:
        ValueError: It cannot be read.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(base64.b64decode(image))) as opened:
            return opened.size
    except (UnidentifiedImageError, binascii.Error, OSError):
        raise ValueError("an image that cannot be read") from None


def _pixels(length: str | None) -> float:
    match = _LENGTH.fullmatch(length or "")
    return float(match[1]) * _PIXELS[match[2] or "px"] if match else 0.0
