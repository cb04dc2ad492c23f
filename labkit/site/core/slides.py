"""Every figure of the book in a zip file, for people who make slides.

A drawing is there twice: as SVG, to be scaled and edited, and as PNG, which every program shows.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from nbformat import NotebookNode

from .book import anchor
from .figures import Figure, figures, raster
from .tutorial import Tutorial
from .whole import whole

SCALE = 3  # pixels of the PNG for each pixel of the page
README = """The figures of the book, by tutorial. figures.csv describes each.

They are licensed under CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/): use and change
them freely, and name Deep Learning Lab as the source.
"""


def write(tutorials: Mapping[Tutorial, NotebookNode], target: Path) -> int:
    """Write the zip file whole, or not at all; return the number of figures.

    Args:
        tutorials: Each tutorial's executed notebook.
        target: The zip file.
    """
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(["file", "description", "caption"])
    count = 0
    with whole(target) as file, ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        for tutorial, notebook in tutorials.items():
            for figure, cell in _figures(notebook):
                count += 1
                path = f"{tutorial.part}/{tutorial.name}/{figure.file}"
                given = cell.metadata
                rows.writerow([path, given.get("alt", ""), given.get("caption", "")])
                archive.writestr(path, figure.content)
                if isinstance(figure.content, str):
                    pixels = raster(figure.content, SCALE * figure.width)
                    archive.writestr(f"{path.removesuffix('.svg')}.png", pixels)
        archive.writestr("figures.csv", table.getvalue())
    return count


def _figures(notebook: NotebookNode) -> Iterator[tuple[Figure, NotebookNode]]:
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            for figure in figures(cell, anchor(cell, number)):
                yield figure, cell
