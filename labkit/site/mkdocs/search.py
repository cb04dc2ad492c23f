"""What the search finds: each page's text without its code, remembered between builds.

Code would be two thirds of the index, and whoever looks for a name looks for its description.
"""

import hashlib
from typing import Any

from bs4 import BeautifulSoup
from mkdocs.structure.pages import Page

from .memory import Folder


def remember(index: Any, store: Folder, base: str) -> None:
    """Let the theme's search read only pages that are not as they were.

    Args:
        index: The index of this build.
        store: Where the entries of earlier builds' pages are kept.
        base: A digest of what they all depend on.
    """
    add = index.add_entry_from_context

    def remembered(page: Page) -> None:
        made_from = repr((base, page.url, page.title, page.meta, page.content))
        key = hashlib.sha256(made_from.encode()).hexdigest()
        kept = store.get(page.file.src_uri)
        if kept and kept["key"] == key:
            index.entries += kept["entries"]
            return
        start = len(index.entries)
        add(page)
        for entry in index.entries[start:]:
            entry["text"] = _prose(entry["text"])
        store.put(page.file.src_uri, {"key": key, "entries": index.entries[start:]})

    index.add_entry_from_context = remembered


def _prose(text: str) -> str:
    """Return an entry's text without blocks of code and of output."""
    soup = BeautifulSoup(text, "html.parser")
    for block in soup("pre"):
        block.decompose()
    return str(soup)
