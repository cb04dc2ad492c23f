"""What mkdocstrings tells of a page of the reference, so that the page can be remembered.

It reads the documented package when it renders the first such page. Where all of them are
remembered it reads nothing; then what it would know comes from the pages' records.
"""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from griffe import Alias, AliasResolutionError, CyclicAliasError, Object
from mkdocs.config.defaults import MkDocsConfig
from mkdocstrings import BaseHandler, MkdocstringsPlugin

from .reads import not_noting


@dataclass
class Documented:
    """What rendering a page has asked for and told.

    Attributes:
        files: The modules whose text the page shows or depends on.
        aliases: The other names of each documented object.
        inventory: The entries of `objects.inv`, as arguments to register them.
    """

    files: set[str] = field(default_factory=set)
    aliases: dict[str, list[str]] = field(default_factory=dict)
    inventory: list[dict[str, Any]] = field(default_factory=list)


class Reference:
    """Stands between mkdocstrings and the memory of pages.

    Args:
        plugin: The plugin of mkdocstrings.
        config: The site's settings.
    """

    def __init__(self, plugin: MkdocstringsPlugin, config: MkDocsConfig) -> None:
        self._inventory = plugin.handlers.inventory
        self._handler: BaseHandler = plugin.get_handler(plugin.config.default_handler)
        self._handler.update_env(config)  # backlinks are rendered even if no page is
        self._known: dict[str, list[str]] = {}  # aliases of objects on remembered pages
        self._noted = Documented()
        self._collect, self._aliases = self._handler.collect, self._handler.get_aliases
        vars(self._handler).update(collect=self._note_object, get_aliases=self._note_aliases)

    @property
    def env(self) -> Any:
        """The environment of the templates."""
        return self._handler.env

    @contextlib.contextmanager
    def noting(self) -> Iterator[Documented]:
        """Note what rendering a page asks for and tells."""
        noted = self._noted = Documented()
        before = dict(self._inventory)
        try:
            yield noted
        finally:
            self._noted = Documented()
            for name, item in self._inventory.items():
                if before.get(name) is not item:
                    noted.inventory.append(dict(vars(item)))

    def restore(self, aliases: dict[str, list[str]], inventory: list[dict[str, Any]]) -> None:
        """Know again what rendering a page would tell."""
        self._known |= aliases
        for item in inventory:
            self._inventory.register(**item)

    def _note_object(self, identifier: str, options: Any) -> Any:
        with not_noting():
            item = self._collect(identifier, options)
        self._noted.files |= sources(item)
        return item

    def _note_aliases(self, identifier: str) -> tuple[str, ...]:
        if identifier in self._known:
            return tuple(self._known[identifier])
        found = self._aliases(identifier)
        self._noted.aliases[identifier] = list(found)
        return found


def sources(item: Object | Alias) -> set[str]:
    """Return the files from which an object's documentation comes.

    They are those of the object, of its members, of what it exports and inherits; and the
    `__init__.py` files above it, which give it its other names.
    """
    found: set[str] = set()
    above = item.parent
    while above is not None:
        found |= _files(above.filepath)
        above = above.parent
    seen: set[str] = set()
    waiting: list[Any] = [item]
    while waiting:
        with contextlib.suppress(AliasResolutionError, CyclicAliasError):
            part = waiting.pop()
            if part.is_alias:
                part = part.final_target
            if part.path not in seen:
                seen.add(part.path)
                found |= _files(part.filepath)
                waiting += (m for m in part.members.values() if not m.is_alias or m.is_public)
                waiting += part.resolved_bases if part.is_class else ()
    return found


def _files(path: Path | Iterable[Path] | None) -> set[str]:
    paths = [path] if isinstance(path, Path) else path or []
    return {str(path) for path in paths if path.is_file()}
