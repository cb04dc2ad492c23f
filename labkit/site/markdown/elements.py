"""Interactive figures: the scripts that a page needs, and the data from tutorials.

A page names a figure by its tag, and its data as it would name a value:
`<lab-digit data="cnn#network"></lab-digit>`. Only pages with such a tag load its script.
Data come as a script, too: a page opened from a folder may load scripts, but no other files.
"""

import difflib
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from labkit.site.core.book import Book, EmbedError

FOLDER = "assets/js"


class _Tags(HTMLParser):
    """Collects the figures' tags in HTML, each with the data that it names."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a figure's tag."""
        if tag.startswith("lab-"):
            self.found.append((tag, dict(attrs).get("data") or ""))


def scripts(html: str, book: Book, docs: Path) -> list[str]:
    """Return the scripts of a page, as paths on the site, in the order to run them.

    Args:
        html: The page's content.
        book: The tutorials.
        docs: The folder with the site's sources.

    Raises:
        EmbedError: There is no such figure, or no such data.
    """
    figures, data = [], []
    for tag, name in _Tags(html).found if "<lab-" in html else ():
        figures.append(f"{FOLDER}/{tag}.js")
        if not (docs / figures[-1]).is_file():
            known = sorted(path.stem for path in (docs / FOLDER).glob("lab-*.js"))
            near = difflib.get_close_matches(tag, known, n=1) or known
            wrong = f"there is no <{tag}>. The nearest figures are: {', '.join(near)}."
            raise EmbedError(wrong, f"<{tag}")
        if "#" in name:
            try:
                _, value = book.value(name)
            except EmbedError as error:
                raise EmbedError(str(error), f'data="{name}"') from None
            if value is not None:  # else its tutorial is still running
                data.append(_path(book, name))
    shared = [f"{FOLDER}/lab.js"] if figures else []
    return list(dict.fromkeys(shared + data + figures))


def files(book: Book, tutorial: str) -> Iterator[tuple[str, str]]:
    """Yield the path on the site and the content of each script of a tutorial's data."""
    for cell in book.cells(tutorial):
        for name, value in cell.node.metadata.get("outcome", {}).items():
            if is_data(value):
                key = f"{tutorial}#{name}"
                yield _path(book, key), f"Lab.data[{json.dumps(key)}] = {json.dumps(value)};\n"


def is_data(value: Any) -> bool:
    """Return whether a tutorial's value is data for a script, not a word for a sentence."""
    return isinstance(value, dict | list)


def _path(book: Book, name: str) -> str:
    tutorial, _, value = name.partition("#")
    return f"{book.place(tutorial)}/{value}.js"
