"""The search's entries, remembered between builds."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from labkit.site.mkdocs import memory, search


class Index:
    """An index that takes a page's content for its entry."""

    def __init__(self) -> None:
        self.entries: list[dict[str, str]] = []
        self.read: list[str] = []

    def add_entry_from_context(self, page: Any) -> None:
        """Read a page."""
        self.read.append(page.url)
        self.entries.append({"text": page.content})


def test_the_search_reads_what_has_changed(tmp_path: Path) -> None:
    """The index is whole at each build, and in the pages' order."""
    kept = memory.Folder(tmp_path / "search")
    both = ["a", "b"]
    builds = [
        ("1", "A", both),
        ("1", "A", []),
        ("1", "new", ["a"]),
        ("1", "new", []),
        ("2", "new", both),
    ]
    for base, content, read in builds:
        index = Index()
        search.remember(index, kept, base)
        for url, text in (("a", content), ("b", "B")):
            file = SimpleNamespace(src_uri=f"{url}.md")
            page = SimpleNamespace(url=url, content=text, title=url, meta={}, file=file)
            index.add_entry_from_context(page)
        assert index.entries == [{"text": content}, {"text": "B"}]
        assert index.read == read


def test_the_search_reads_no_blocks_of_code(tmp_path: Path) -> None:
    """Prose and names within it are found; listings and what they printed would only add weight."""
    index: Any = Index()
    search.remember(index, memory.Folder(tmp_path), "1")
    file = SimpleNamespace(src_uri="a.md")
    text = "<p>See <code>Dense</code>.</p> <pre><code>x = 1</code></pre> <pre>[1]</pre> <p>On.</p>"
    page = SimpleNamespace(url="a", content=text, title="a", meta={}, file=file)
    index.add_entry_from_context(page)
    assert index.entries == [{"text": "<p>See <code>Dense</code>.</p>   <p>On.</p>"}]
