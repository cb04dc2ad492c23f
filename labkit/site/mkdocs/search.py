"""The search's entries of each page, remembered between builds: to read them takes time, too."""

import hashlib
from typing import Any

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
        store.put(page.file.src_uri, {"key": key, "entries": index.entries[start:]})

    index.add_entry_from_context = remembered
