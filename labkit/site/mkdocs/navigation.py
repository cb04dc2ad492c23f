"""The navigation: tutorials stand by part, in the order of their chapters."""

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from labkit.site.core.book import Book
from labkit.site.core.tutorial import Tutorial

PATTERN = "tutorials/*.py"  # in mkdocs.yml, where the tutorials are to stand


def parts(nav: Any) -> dict[str, str]:
    """Return the title of each part's section by the part's folder, in order."""
    found: dict[str, str] = {}
    for page, section in listed(nav):
        if folder := posixpath.dirname(page):
            found.setdefault(folder, section)
    return found


def chapters(nav: Any, tutorials: Iterable[Tutorial]) -> dict[str, str]:
    """Return the source of each tutorial's chapter by the tutorial's name, in order."""
    named = {f"{tutorial.part}/{tutorial.name}.md": tutorial.name for tutorial in tutorials}
    return {named[page]: page for page, _ in listed(nav) if page in named}


def ordered(tutorials: Sequence[Tutorial], nav: Any) -> list[Tutorial]:
    """Return the tutorials in the order of the navigation: parts, and chapters within them.

    A tutorial without a chapter follows those of its part, a part without chapters the others.
    """
    folders, named = list(parts(nav)), list(chapters(nav, tutorials))

    def place(tutorial: Tutorial) -> tuple[int, str, int, str]:
        part, name = tutorial.part, tutorial.name
        number = folders.index(part) if part in folders else len(folders)
        return number, part, named.index(name) if name in named else len(named), name

    return sorted(tutorials, key=place)


def expand(nav: Any, book: Book) -> Any:
    """Put the tutorials where the navigation says `tutorials/*.py`, a section for each part."""
    entries: list[Any] = []
    for title, names in book.by_part().items():
        pages = [f"{book.place(name)}.py" for name in names]
        entries += [{title: pages}] if title else pages
    return _replaced(nav, entries)


def _replaced(nav: Any, entries: list[Any]) -> Any:
    if isinstance(nav, dict):
        return {title: _replaced(item, entries) for title, item in nav.items()}
    if isinstance(nav, list):
        return [
            entry
            for item in nav
            for entry in (entries if item == PATTERN else [_replaced(item, entries)])
        ]
    return nav


def listed(nav: Any, section: str = "") -> Iterator[tuple[str, str]]:
    """Yield each page of the navigation with the title of its section."""
    if isinstance(nav, str):
        yield nav, section
    elif isinstance(nav, list):
        for item in nav:
            yield from listed(item, section)
    elif isinstance(nav, dict):
        for title, item in nav.items():
            yield from listed(item, section if isinstance(item, str) else title)
