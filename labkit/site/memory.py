"""Pages of the API reference, remembered from one build to the next.

To render the reference takes longer than all other pages together, and while an author edits
prose or a tutorial nothing in it changes. So what was rendered is kept, until the page's text,
the source that it documents, the site's configuration or a package that renders it changes.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink, TableOfContents

# Their versions decide how a page is rendered.
PACKAGES = ("griffelib", "markdown", "mkdocs", "mkdocs-autorefs", "mkdocs-material",
            "mkdocstrings", "mkdocstrings-python", "pygments", "pymdown-extensions")  # fmt: skip


class Memory:
    """Remembers rendered pages, each in a file of its own.

    Args:
        folder: Where the files are; made when the first is written.
        sources: The files on which every page depends.
    """

    def __init__(self, folder: Path, sources: Iterable[Path]) -> None:
        self._folder = folder
        self._ready = False
        self._key = hashlib.sha256()
        for path in sources:
            self._key.update(f"{path.name}\n".encode() + path.read_bytes())
        self._key.update("".join(f"{name} {version(name)}\n" for name in PACKAGES).encode())

    def use(self, page: Page, autorefs: Any) -> None:
        """Let a page be rendered only if it has not been as it stands.

        The first page of a build is rendered in any case: by it mkdocstrings sets itself up.

        Args:
            page: The page, about to be rendered; its Markdown is final.
            autorefs: The plugin that is told of the page's anchors.
        """
        digest = self._key.copy()
        digest.update(str(page.markdown).encode())
        key = digest.hexdigest()
        path = self._folder / f"{page.file.name}.json"

        def remembered(config: Any, files: Files) -> None:
            if self._ready and (kept := _read(path, key)):
                _restore(page, files, kept, autorefs)
                return
            anchors = _rendered(page, config, files, autorefs)
            self._ready = True
            with contextlib.suppress(OSError):  # a read-only folder costs time, not the build
                _write(path, {"key": key, "anchors": anchors} | _kept(page))

        vars(page)["render"] = remembered  # as mkdocs-jupyter does


def _rendered(page: Page, config: Any, files: Files, autorefs: Any) -> list[Any]:
    """Render a page; return what autorefs was told of it."""
    anchors = []
    register = autorefs.register_anchor

    def note(where: Page, *rest: Any, **named: Any) -> None:
        anchors.append([rest, named])
        register(where, *rest, **named)

    autorefs.register_anchor = note
    try:
        Page.render(page, config, files)
    finally:
        del autorefs.register_anchor
    return anchors


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


def _read(path: Path, key: str) -> dict[str, Any]:
    """Return what is kept under a key; nothing if there is none, or if it is damaged."""
    try:
        kept: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return kept if kept.get("key") == key else {}


def _write(path: Path, content: dict[str, Any]) -> None:
    """Write a file at once, so that another build sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        json.dump(content, file)
    os.replace(file.name, path)
