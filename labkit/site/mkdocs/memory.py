"""Pages remembered from one build to the next, so that an edit renders what it changed.

What was rendered, and what the search read of it, is kept in files and holds until something
on which it depends changes. A page about which something was to be said is not kept, so that
it is said again.
"""

import contextlib
import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink, TableOfContents
from mkdocs.utils import CountHandler

# Their versions decide how a page is rendered.
PACKAGES = ("griffelib", "latex2mathml", "markdown", "mkdocs", "mkdocs-autorefs", "mkdocs-material",
            "mkdocstrings", "mkdocstrings-python", "pygments", "pymdown-extensions")  # fmt: skip


class Folder:
    """Keeps each page in a file of its own.

    Args:
        path: Where the files are; made when the first is written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, name: str) -> dict[str, Any] | None:
        """Return what is kept under a name; None if there is none, or if it is damaged."""
        try:
            kept: dict[str, Any] = json.loads(self._file(name).read_bytes())
        except (OSError, ValueError):
            return None
        return kept

    def put(self, name: str, content: dict[str, Any]) -> None:
        """Write a file at once, so that another build sees the old one or the new one."""
        with contextlib.suppress(OSError):  # a read-only folder costs time, not the build
            self._path.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=self._path, delete=False) as file:
                json.dump(content, file)
            os.replace(file.name, self._file(name))

    def _file(self, name: str) -> Path:
        return self._path / f"{name.replace('/', '-')}.json"


class Memory:
    """Renders the pages of one build, or restores what an earlier build rendered.

    Args:
        store: Where such pages are kept.
        base: A digest of what they all depend on.
        render: Renders a page, or raises.
        autorefs: The plugin that is told of a page's anchors; None where there is none.
        unready: Whether the first page is rendered in any case: by a page of the reference
            mkdocstrings sets itself up.
    """

    def __init__(
        self,
        store: Folder,
        base: str,
        render: Callable[[Page, Any, Files], None],
        autorefs: Any,
        *,
        unready: bool = False,
    ) -> None:
        self._store = store
        self._base = base
        self._page = render
        self._autorefs = autorefs
        self._unready = unready

    def recall(self, page: Page, facts: str = "") -> dict[str, Any] | None:
        """Return what is kept of a page as it stands; None if it must be rendered.

        Args:
            page: The page; its Markdown is final.
            facts: What it depends on besides its Markdown and what all depend on.
        """
        kept = self._store.get(page.file.src_uri)
        return kept if kept and kept.get("key") == self._key(page, facts) else None

    def render(self, page: Page, config: Any, files: Files, facts: str = "") -> None:
        """Restore a page, or render and keep it."""
        kept = None if self._unready else self.recall(page, facts)
        if kept:
            _restore(page, files, kept, self._autorefs)
            return
        with _warnings() as counts, _anchors(self._autorefs) as anchors:
            self._page(page, config, files)
        self._unready = False
        if not counts:
            key = self._key(page, facts)
            self._store.put(page.file.src_uri, {"key": key, "anchors": anchors} | _kept(page))

    def _key(self, page: Page, facts: str) -> str:
        return hashlib.sha256(f"{self._base}\n{facts}\n{page.markdown}".encode()).hexdigest()


def digest(sources: Iterable[Path], facts: Iterable[str]) -> str:
    """Return a digest of files, of other facts and of the packages that render pages."""
    found = hashlib.sha256("\n".join(facts).encode())
    for path in sources:
        found.update(f"{path.name}\n".encode() + path.read_bytes())
    found.update("".join(f"{name} {version(name)}\n" for name in PACKAGES).encode())
    return found.hexdigest()


def remember_search(index: Any, store: Folder, base: str) -> None:
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


@contextlib.contextmanager
def _warnings() -> Iterator[dict[int, int]]:
    """Count what MkDocs and its plugins warn of."""
    counter = CountHandler()
    counter.setLevel(logging.WARNING)
    log = logging.getLogger("mkdocs")
    log.addHandler(counter)
    try:
        yield counter.counts
    finally:
        log.removeHandler(counter)


@contextlib.contextmanager
def _anchors(autorefs: Any) -> Iterator[list[Any]]:
    """Note what autorefs is told of a page."""
    anchors: list[Any] = []
    if autorefs is None:
        yield anchors
        return
    register = autorefs.register_anchor

    def note(where: Page, *rest: Any, **named: Any) -> None:
        anchors.append([rest, named])
        register(where, *rest, **named)

    autorefs.register_anchor = note
    try:
        yield anchors
    finally:
        autorefs.register_anchor = register


def _kept(page: Page) -> dict[str, Any]:
    """Return what `Page.render` sets."""
    return {
        "content": page.content,
        "title": page._title_from_render,
        "toc": [_entry(link) for link in page.toc],
        "ids": sorted(page.present_anchor_ids or ()),
        "links": {file.src_uri: links for file, links in (page.links_to_anchors or {}).items()},
    }


def _restore(page: Page, files: Files, kept: dict[str, Any], autorefs: Any) -> None:
    """Set what `Page.render` sets."""
    page.content = kept["content"]
    page._title_from_render = kept["title"]
    page.toc = TableOfContents([_link(entry) for entry in kept["toc"]])
    page.present_anchor_ids = set(kept["ids"])
    page.links_to_anchors = {
        file: links
        for uri, links in kept["links"].items()
        if (file := files.get_file_from_path(uri))
    }
    for rest, named in kept["anchors"]:
        autorefs.register_anchor(page, *rest, **named)


def _entry(link: AnchorLink) -> list[Any]:
    return [link.title, link.id, link.level, [_entry(child) for child in link.children]]


def _link(entry: list[Any]) -> AnchorLink:
    title, identifier, level, children = entry
    link = AnchorLink(title, identifier, level)
    link.children = [_link(child) for child in children]
    return link
