"""What lets others cite a chapter and find it: BibTeX, schema.org's data and a social card."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

from labkit.site.core import cards
from labkit.site.core.book import Book
from labkit.site.core.chapters import Chapter

HOME = "assets/cards/home.png"  # for every page that has no card of its own
LICENSE = "https://creativecommons.org/licenses/by/4.0/"


def context(
    page: Page, config: MkDocsConfig, chapters: Sequence[Chapter], year: int
) -> dict[str, Any]:
    """Return what the templates show of a page: `schema`, and for a chapter `bibtex` and `card`.

    Args:
        page: The page.
        config: The site's settings.
        chapters: Every chapter.
        year: The year of this edition.
    """
    path = page.file.src_uri
    chapter = next((one for one in chapters if one.path == path), None)
    if page.is_homepage:
        parts = [_resource(one, config) for one in chapters]
        return {"schema": _described("Course", config.site_name, config) | {"hasPart": parts}}
    if chapter is None:
        return {}
    described = _resource(chapter, config) | {
        "description": str(page.meta.get("description", "")),
        "isPartOf": {"@type": "Course", "name": config.site_name},
        "url": page.canonical_url,
    }
    return {
        "schema": {key: value for key, value in described.items() if value},
        "bibtex": bibtex(chapter, config, year, page.canonical_url),
        "card": place(chapter) if config.site_url else "",
    }


def bibtex(chapter: Chapter, config: MkDocsConfig, year: int, address: str | None) -> str:
    """Return a chapter as a BibTeX entry.

    Args:
        chapter: The chapter.
        config: The site's settings.
        year: The year of this edition.
        address: Where the chapter is published, or nothing.
    """
    fields = {
        "author": f"{{{config.site_author}}}",
        "title": chapter.title,
        "booktitle": config.site_name,
        "year": str(year),
        "url": address or "",
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@incollection{{{chapter.name}{year},", *lines, "}"])


def place(chapter: Chapter) -> str:
    """Return the path of a chapter's card on the site."""
    return f"assets/cards/{chapter.name}.png"


def drawn(
    chapters: Sequence[Chapter], parts: Mapping[str, str], book: Book, name: str, folder: Path
) -> Iterator[tuple[str, bytes]]:
    """Yield the path on the site and the content of each chapter's card, and of the book's.

    Args:
        chapters: Every chapter.
        parts: The title of each part by its folder.
        book: The tutorials, whose first figures are shown.
        name: The book's.
        folder: Where cards are kept between builds.
    """
    yield HOME, cards.kept(folder, name, "", None)
    for chapter in chapters:
        cells = book.cells(chapter.name) if chapter.name in book.notebooks else []
        figure = next((figure for cell in cells for figure in cell.figures), None)
        above = f"{name} · {parts.get(chapter.part, chapter.part)}"
        yield place(chapter), cards.kept(folder, chapter.title, above, figure)


def _described(kind: str, name: str, config: MkDocsConfig) -> dict[str, Any]:
    return {
        "@context": "https://schema.org",
        "@type": kind,
        "name": name,
        "description": config.site_description,
        "inLanguage": str(config.theme.locale),
        "license": LICENSE,
        "provider": {"@type": "Organization", "name": config.site_author},
        "author": {"@type": "Organization", "name": config.site_author},
        "isAccessibleForFree": True,
    }


def _resource(chapter: Chapter, config: MkDocsConfig) -> dict[str, Any]:
    return _described("LearningResource", chapter.title, config) | {
        "description": "",
        "learningResourceType": "chapter",
        "teaches": list(chapter.goals),
        "timeRequired": f"PT{chapter.minutes}M",
        "url": chapter.path.removesuffix(".md") + "/",
    }
