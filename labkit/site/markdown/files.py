"""The files that a tutorial gives beside its page: its notebook, figures, thumbnail and data."""

import json
from collections.abc import Iterator
from typing import Any

from nbformat import NotebookNode

from labkit.site.core.book import Book

from . import elements

_SETUP: dict[str, Any] = {"cell_type": "code", "id": "setup", "metadata": {}, "outputs": []}
_PRIVATE = {"line", "values", "outcome"}  # of a cell's metadata: what only labkit.site reads


def files(book: Book, name: str) -> Iterator[tuple[str, str | bytes]]:
    """Yield the path on the site and the content of each file that a tutorial gives.

    Raises:
        EmbedError: A figure has no alternative text.
    """
    place = book.place(name)
    setup = book.colab.setup if book.colab else ""
    yield f"{place}/{name}.ipynb", published(book.notebook(name), setup)
    for cell in book.cells(name):
        for figure in cell.figures:
            yield f"{place}/{figure.file}", figure.content
            if (dark := figure.dark) is not None:
                yield f"{place}/{figure.name}.dark.{figure.suffix}", dark
    for thumbnail in book.thumbnails(name):
        yield f"{place}/{thumbnail.file}", thumbnail.content
    yield from elements.files(book, name)


def published(notebook: NotebookNode, setup: str = "") -> str:
    """Return a notebook's file, without what only this package understands of its metadata.

    Args:
        notebook: The executed notebook.
        setup: Code to put below the title.
    """
    cells = [
        {**cell, "metadata": {k: v for k, v in cell.metadata.items() if k not in _PRIVATE}}
        for cell in notebook.cells
    ]
    if setup:
        cells.insert(1, _SETUP | {"execution_count": None, "source": setup})
    record = {k: v for k, v in notebook.metadata.get("labkit", {}).items() if k != "thumbnail"}
    metadata = {**notebook.metadata, "labkit": record}
    # nbformat's own writer puts each line of a drawing on a line, which takes ten times as long.
    return json.dumps({**notebook, "cells": cells, "metadata": metadata}, ensure_ascii=False)
