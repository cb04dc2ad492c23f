"""Notebooks made by hand, and pages converted from them as MkDocs does it."""

from collections.abc import Sequence
from typing import Any

from markdown import Markdown
from nbformat import NotebookNode, from_dict

from labkit.site.core.book import Book
from labkit.site.core.outputs import check
from labkit.site.markdown.context import Context, for_page
from labkit.site.markdown.embed import EmbedExtension
from labkit.site.markdown.math import MathExtension
from labkit.site.markdown.references import ReferenceExtension

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="36pt" height="18pt">'
    '<path style="stroke: #0b6bcb"/></svg>'
)


def prose(text: str) -> dict[str, Any]:
    """Return a Markdown cell."""
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def code(source: str, *outputs: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """Return a code cell."""
    return {
        "cell_type": "code",
        "metadata": {"tags": [], "values": [], "line": 7} | metadata,
        "source": source,
        "outputs": list(outputs),
        "execution_count": 1,
    }


def printed(text: str, name: str = "stdout") -> dict[str, Any]:
    """Return what `print` gives."""
    return {"output_type": "stream", "name": name, "text": text}


def shown(**data: str) -> dict[str, Any]:
    """Return what `display` gives: its text by kind, such as `html`, `plain` or `svg`."""
    kinds = {"svg": "image/svg+xml", "png": "image/png", "jpeg": "image/jpeg"}
    content = {kinds.get(kind, f"text/{kind}"): text for kind, text in data.items()}
    return {"output_type": "display_data", "metadata": {}, "data": content}


def last(**data: str) -> dict[str, Any]:
    """Return what a cell's last expression gives."""
    return shown(**data) | {"output_type": "execute_result", "execution_count": 1}


def notebook(*cells: dict[str, Any], **record: Any) -> NotebookNode:
    """Return an executed notebook, its outputs checked as those of a run are."""
    versions = {"python": "3.11.7", "numpy": "2.4.6", "cycler": "0.12.1"}
    finished = "2026-03-01T12:00:00+00:00"
    facts = {"name": "tiny", "seconds": 12.3, "versions": versions, "finished": finished}
    made = from_dict(  # type: ignore[no-untyped-call]  # of nbformat
        {
            "cells": [{"id": f"cell-{number}"} | cell for number, cell in enumerate(cells)],
            "metadata": {"labkit": facts | record},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )
    for cell in made.cells:
        if cell.cell_type == "code":
            check(cell)
    return made  # type: ignore[no-any-return]  # of nbformat


def convert(
    text: str,
    book: Book,
    page: str = "foundations/neurons.md",
    extensions: Sequence[str] = ("admonition", "pymdownx.superfences", "tables", "toc"),
    tutorial: str = "",
) -> tuple[str, Context, MathExtension]:
    """Convert a page, perhaps a tutorial's; return its HTML, and what its extensions noted."""
    embed, math = EmbedExtension(), MathExtension(strict=False)
    embed.context = for_page(book, page, tutorial)
    md = Markdown(extensions=[*extensions, embed, math, ReferenceExtension()])
    return md.convert(text), embed.context, math
