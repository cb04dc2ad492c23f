"""Small pictures of a tutorial's first figure, for the list of all tutorials.

A list of forty drawings would weigh megabytes. They are made when a tutorial has run, and kept
with its run.
"""

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

from labkit._palette import PALETTE

from .figures import Figure, darkened, figures, raster

WIDTH, HEIGHT = 320, 180  # pixels at most
QUALITY = 70  # of WebP: a thumbnail weighs a few kilobytes


@dataclass(frozen=True)
class Thumbnail:
    """A small picture.

    Attributes:
        scheme: The page for which it is: `light` or `dark`; `pixels` if it is for both.
        content: A WebP file.
        width: Width in pixels.
        height: Height in pixels.
    """

    scheme: str
    content: bytes
    width: int
    height: int

    @property
    def file(self) -> str:
        """The file's name, which no label of a figure can have."""
        return f"thumbnail_{self.scheme}.webp"


def made(notebook: NotebookNode) -> dict[str, dict[str, str | int]]:
    """Return the thumbnails of an executed notebook's first figure by their scheme, as JSON."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for figure in figures(cell, "first"):
                return _made(figure)
    return {}


def thumbnails(notebook: NotebookNode) -> Iterator[Thumbnail]:
    """Yield the thumbnails that a notebook has, if its tutorial has run and draws."""
    kept = notebook.metadata.get("labkit", {}).get("thumbnail", {})
    for scheme, made in kept.items():
        content = base64.b64decode(made["content"])
        yield Thumbnail(scheme, content, made["width"], made["height"])


def _made(figure: Figure) -> dict[str, dict[str, str | int]]:
    light, dark = PALETTE["paper"]
    if isinstance(figure.content, bytes):
        return {"pixels": _small(figure.content, light)}
    # Twice as large as it is needed, so that it gets smooth.
    return {
        "light": _small(raster(figure.content, 2 * WIDTH), light),
        "dark": _small(raster(darkened(figure.content), 2 * WIDTH), dark),
    }


def _small(image: bytes, paper: str) -> dict[str, str | int]:
    """Return a thumbnail on paper; transparency would treble its weight."""
    from PIL import Image

    with Image.open(io.BytesIO(image)) as opened:
        picture = opened.convert("RGBA")
    picture.thumbnail((WIDTH, HEIGHT))
    page = Image.new("RGB", picture.size, paper)
    page.paste(picture, mask=picture)
    file = io.BytesIO()
    page.save(file, "WEBP", quality=QUALITY)
    content = base64.b64encode(file.getvalue()).decode()
    return {"content": content, "width": page.width, "height": page.height}
