"""Notebooks made by hand, and pages converted from them as MkDocs does it."""

import posixpath
from collections.abc import Sequence
from typing import Any

from markdown import Markdown
from nbformat import NotebookNode, from_dict

from labkit.site.core.book import Book
from labkit.site.markdown.embed import Context, EmbedExtension
from labkit.site.markdown.math import MathExtension
from labkit.site.markdown.references import ReferenceExtension

SVG = '<svg xmlns="…" width="36pt" height="18pt"><path style="stroke: #0b6bcb"/></svg>'


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
    """Return what a last expression gives: `html`, `plain` or `svg`."""
    kinds = {"html": "text/html", "plain": "text/plain", "svg": "image/svg+xml"}
    content = {kinds[kind]: text for kind, text in data.items()}
    return {"output_type": "display_data", "metadata": {}, "data": content}


def notebook(*cells: dict[str, Any], **record: Any) -> NotebookNode:
    """Return an executed notebook."""
    versions = {"python": "3.11.7", "numpy": "2.4.6", "cycler": "0.12.1"}
    finished = "2026-03-01T12:00:00+00:00"
    facts = {"name": "tiny", "seconds": 12.3, "versions": versions, "finished": finished}
    return from_dict(  # type: ignore[no-any-return, no-untyped-call]  # of nbformat
        {
            "cells": [{"id": f"cell-{number}"} | cell for number, cell in enumerate(cells)],
            "metadata": {"labkit": facts | record},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )


def convert(
    text: str,
    book: Book,
    page: str = "foundations/neurons.md",
    extensions: Sequence[str] = ("admonition", "pymdownx.superfences", "tables", "toc"),
) -> tuple[str, Context, MathExtension]:
    """Convert a page; return its HTML, and what its extensions noted."""
    embed, math = EmbedExtension(), MathExtension(strict=False)
    folder = posixpath.dirname(page)
    embed.context = Context(book, lambda path: posixpath.relpath(path, folder))
    md = Markdown(extensions=[*extensions, embed, math, ReferenceExtension()])
    return md.convert(text), embed.context, math
