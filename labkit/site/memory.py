"""Pages of the API reference, remembered between the builds of one server.

To render the reference takes longer than all other pages together, and while an author edits
prose nothing in it changes. So a server keeps what it rendered, until a page's text or the
source that it documents changes.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mkdocs.structure.pages import Page

# What `Page.render` sets.
RENDERED = ("content", "toc", "_title_from_render", "present_anchor_ids", "links_to_anchors")


@dataclass(frozen=True)
class _Result:
    key: Hashable
    page: dict[str, Any]
    anchors: list[tuple[tuple[Any, ...], dict[str, Any]]]  # arguments for autorefs


class Memory:
    """Remembers rendered pages by their address."""

    def __init__(self) -> None:
        self._results: dict[str, _Result] = {}
        self._ready = False

    def begin(self) -> None:
        """Begin a build. Its first page is rendered anew: by it mkdocstrings sets itself up."""
        self._ready = False

    def use(self, page: Page, key: Hashable, autorefs: Any) -> None:
        """Let a page be rendered only if it has not been under the same key.

        Args:
            page: The page, about to be rendered.
            key: All that its rendering depends on.
            autorefs: The plugin that is told of the page's anchors.
        """
        render, register = page.render, autorefs.register_anchor

        def remembered(*arguments: Any) -> None:
            result = self._results.get(page.url)
            if self._ready and result is not None and result.key == key:
                vars(page).update(result.page)
                for options in result.anchors:
                    register(page, *options[0], **options[1])
                return
            anchors = []

            def note(where: Page, *rest: Any, **named: Any) -> None:
                anchors.append((rest, named))
                register(where, *rest, **named)

            autorefs.register_anchor = note
            try:
                render(*arguments)
            finally:
                del autorefs.register_anchor
            self._ready = True
            made = {name: getattr(page, name) for name in RENDERED}
            self._results[page.url] = _Result(key, made, anchors)

        vars(page)["render"] = remembered  # as mkdocs-jupyter does


def stamp(folder: Path) -> Hashable:
    """Return what changes when a module of a package does."""
    return tuple(
        (str(path), status.st_mtime_ns, status.st_size)
        for path in sorted(folder.rglob("*.py"))
        if (status := path.stat())
    )
