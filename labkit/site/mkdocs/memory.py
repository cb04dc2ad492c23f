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
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemBytecodeCache
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink, TableOfContents

import labkit
from labkit import site
from labkit.site.core.whole import whole

from . import upstream
from .reads import Reads, noting
from .reference import Documented, Reference

# Settings that change nothing in a page's content, or are named in another way.
_UNRELATED = {"config_file_path", "dev_addr", "hooks", "nav", "plugins", "site_dir", "site_url",
              "strict", "theme", "watch"}  # fmt: skip


class Folder:
    """Keeps each page in a file of its own.

    Args:
        path: Where the files are; made when the first is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

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
            target = self._file(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            with whole(target) as file:
                file.write_text(json.dumps(content), "utf-8")

    def _file(self, name: str) -> Path:
        return self.path / f"{name}.json"


class Memory:
    """Renders the pages of one build, or restores what an earlier build rendered.

    A page depends on its Markdown, on the files that were read while it was rendered, on the
    tutorials that it asked for, and on the modules that it documents: all are noted as it is
    rendered, and it holds while all are as they were.

    Args:
        store: Where such pages are kept.
        base: A digest of what they all depend on.
        render: Renders a page, or raises.
        autorefs: The plugin that is told of a page's anchors; None where there is none.
        reference: What stands for mkdocstrings; None where there is none.
        asked: The names of the tutorials that were asked for; cleared before each page.
        facts: Returns what pages can show of a tutorial, by its name.
    """

    def __init__(
        self,
        store: Folder,
        base: str,
        render: Callable[[Page, Any, Files], None],
        *,
        autorefs: Any = None,
        reference: Reference | None = None,
        asked: set[str] | None = None,
        facts: Callable[[str], str] = str,
    ) -> None:
        self._store = store
        self._base = base
        self._page = render
        self._autorefs = autorefs
        self._reference = reference
        self._asked = set() if asked is None else asked
        self._facts = facts
        self._digests: dict[str, str] = {}  # of files, as this build first saw them

    def render(self, page: Page, config: Any, files: Files) -> None:
        """Restore a page, or render and keep it; its Markdown is final."""
        self._asked.clear()
        kept = self._store.get(page.file.src_uri)
        if kept and self._holds(page, kept):
            self._restore(page, files, kept)
            return
        nothing = contextlib.nullcontext(Documented())
        with (
            upstream.heard(logging.WARNING) as warnings,
            noting() as reads,
            _anchors(self._autorefs) as anchors,
            self._reference.noting() if self._reference else nothing as documented,
        ):
            self._page(page, config, files)
        if not warnings and not reads.elsewhere:
            self._keep(page, reads, documented, anchors)

    def _holds(self, page: Page, kept: dict[str, Any]) -> bool:
        return (
            kept["key"] == self._key(page)
            and all(self._digest(path) == known for path, known in kept["files"].items())
            and all(self._facts(name) == known for name, known in kept["tutorials"].items())
        )

    def _keep(self, page: Page, reads: Reads, documented: Documented, anchors: list[Any]) -> None:
        own = str(self._store.path.parent.absolute()) + os.sep  # templates that were compiled
        paths = sorted(p for p in reads.files | documented.files if not p.startswith(own))
        content = {
            "key": self._key(page),
            "files": {path: self._digest(path) for path in paths},
            "tutorials": {name: self._facts(name) for name in sorted(self._asked)},
            "aliases": documented.aliases,
            "inventory": documented.inventory,
            "anchors": anchors,
        }
        self._store.put(page.file.src_uri, content | _kept(page))

    def _restore(self, page: Page, files: Files, kept: dict[str, Any]) -> None:
        """Set what `Page.render` sets, and tell what it would tell."""
        self._asked.update(kept["tutorials"])
        page.content = kept["content"]
        upstream.set_title(page, kept["title"])
        page.toc = TableOfContents([_link(entry) for entry in kept["toc"]])
        page.present_anchor_ids = set(kept["ids"])
        page.links_to_anchors = {
            file: links
            for uri, links in kept["links"].items()
            if (file := files.get_file_from_path(uri))
        }
        for rest, named in kept["anchors"]:
            self._autorefs.register_anchor(page, *rest, **named)
        if self._reference:
            self._reference.restore(kept["aliases"], kept["inventory"])

    def _key(self, page: Page) -> str:
        return hashlib.sha256(f"{self._base}\n{page.markdown}".encode()).hexdigest()

    def _digest(self, path: str) -> str:
        if path not in self._digests:
            try:
                content = Path(path).read_bytes()
            except OSError:
                content = b""
            self._digests[path] = hashlib.sha256(content).hexdigest()
        return self._digests[path]


def digest(sources: Iterable[Path], facts: Iterable[str]) -> str:
    """Return a digest of files, of other facts, of Python and of what is installed."""
    found = hashlib.sha256("\n".join([sys.version, *_installed(), *facts]).encode())
    for path in sorted(sources):
        found.update(f"{path.name}\n".encode() + path.read_bytes())
    return found.hexdigest()


def machine() -> list[Path]:
    """Return the files that render pages, and that which says what labkit offers."""
    folder = Path(site.__file__).parent
    modules = (path for path in folder.rglob("*.py") if not path.name.startswith("."))
    return [*modules, *folder.rglob("*.j2"), Path(labkit.__file__)]


def settings(config: MkDocsConfig) -> str:
    """Return as text the settings that can change how a page is rendered, as MkDocs read them."""
    values: dict[str, Any] = {k: v for k, v in config.items() if k not in _UNRELATED}
    values["plugins"] = {name: dict(plugin.config) for name, plugin in config.plugins.items()}
    values["theme"] = [config.theme.name, config.theme.get("language")]
    return json.dumps(values, default=_named, sort_keys=True)


def keep_compiled(env: Environment, cache: Path) -> None:
    """Keep templates compiled from one build to the next."""
    with contextlib.suppress(OSError):  # a read-only folder costs time, not the build
        (cache / "templates").mkdir(parents=True, exist_ok=True)
        env.bytecode_cache = FileSystemBytecodeCache(str(cache / "templates"))


def _named(value: Any) -> Any:
    """Return settings inside settings, or the name of what is no setting."""
    with contextlib.suppress(TypeError, ValueError):
        return dict(value)
    return getattr(value, "__qualname__", type(value).__qualname__)


def _installed() -> list[str]:
    """Return the packages that Python finds, with their versions."""
    folders = (path for path in sys.path if os.path.isdir(path))
    return sorted(name for path in folders for name in os.listdir(path) if ".dist-info" in name)


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
        "title": upstream.title(page),
        "toc": [_entry(link) for link in page.toc],
        "ids": sorted(page.present_anchor_ids or ()),
        "links": {file.src_uri: links for file, links in (page.links_to_anchors or {}).items()},
    }


def _entry(link: AnchorLink) -> list[Any]:
    return [link.title, link.id, link.level, [_entry(child) for child in link.children]]


def _link(entry: list[Any]) -> AnchorLink:
    title, identifier, level, children = entry
    link = AnchorLink(title, identifier, level)
    link.children = [_link(child) for child in children]
    return link
