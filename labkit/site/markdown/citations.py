"""Sources: `[@glorot2010]` in prose, and the list of what a page cites.

    … as shown by [@glorot2010; @he2015] …

    ## Sources

    {{ sources }}

Every source stands once, in a BibTeX file; pybtex reads it and writes each entry in one style.
The text names authors and year, and links to the entry in the page's own list.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString
from pybtex.database import Entry, parse_file
from pybtex.exceptions import PybtexError
from pybtex.plugin import find_plugin

from labkit.site.core.names import suggestion

_CITATION = r"\[(@[^\s\[\]@;,]+(?:; *@[^\s\[\]@;,]+)*)\]"
_LIST = re.compile(r"^ {0,3}\{\{ *sources *\}\}[ \t]*$")


class SourceError(ValueError):
    """The file of sources cannot be read, or something in it is missing."""


class Sources:
    """Every source that the book cites.

    Args:
        path: A BibTeX file.

    Raises:
        SourceError: The file cannot be read, or a source lacks its authors or its year.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self._entries: dict[str, Entry] = dict(parse_file(str(path), "bibtex").entries)
        except (PybtexError, OSError, UnicodeError) as error:
            raise SourceError(f"{self.path}: expected a BibTeX file. {error}") from None
        for key, entry in self._entries.items():
            if not (entry.persons.get("author") and entry.fields.get("year")):
                raise SourceError(
                    f"{self.path}: the source {key!r} needs an author and a year, since the text "
                    "names it by these."
                )

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __iter__(self) -> Any:
        return iter(self._entries)

    def name(self, key: str) -> str:
        """Return what the text calls a source: `Glorot and Bengio (2010)`.

        Raises:
            KeyError: There is no such source.
        """
        entry = self._entries[key]
        people = [
            " ".join(str(part) for part in (*person.rich_prelast_names, *person.rich_last_names))
            for person in entry.persons["author"]
        ]
        few = len(people) < 3 and "others" not in people
        names = " and ".join(people) if few else f"{people[0]} et al."
        return f"{names} ({entry.fields['year']})"

    def written(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the entries of some sources as HTML, in the order of their names."""
        chosen = [self._entries[key] for key in sorted(keys, key=lambda key: self.name(key))]
        return {
            entry.key: " ".join(entry.text.render(_html()).split())
            for entry in _style().format_entries(chosen)
        }

    def unused(self, texts: Iterable[str]) -> list[str]:
        """Return the sources that none of the book's Markdown texts cites."""
        cited = {
            key
            for text in texts
            for citation in re.findall(_CITATION, text)
            for key in _keys(citation)
        }
        return [key for key in self._entries if key not in cited]


class CitationExtension(Extension):  # type: ignore[misc]  # Markdown is untyped
    """Python-Markdown extension for citations and the list of a page's sources.

    Attributes:
        errors: What is wrong on the page, as written there, each with the reason.
    """

    def __init__(self, **kwargs: Any) -> None:
        self.config = {"bibliography": ["references.bib", "the BibTeX file"]}
        super().__init__(**kwargs)
        self.errors: list[tuple[str, str]] = []
        self.cited: list[str] = []  # on this page, in order
        self._sources: Sources | None = None

    @property
    def sources(self) -> Sources:
        """The sources, read when a page first cites one."""
        if self._sources is None:
            self._sources = Sources(self.getConfig("bibliography"))
        return self._sources

    def use(self, bibliography: Path) -> None:
        """Read the sources anew, from a file that may be another."""
        self.setConfig("bibliography", str(bibliography))
        self._sources = None

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802  # Python-Markdown's name
        """Register citations before links, which have brackets too, and the list at the end."""
        md.inlinePatterns.register(_Citation(_CITATION, md, self), "labkit-citation", 175)
        md.parser.blockprocessors.register(_List(md.parser), "labkit-sources", 77)
        # After inline patterns have seen all citations, wherever the list stands.
        md.treeprocessors.register(_Fill(md, self), "labkit-sources", 15)


class _Citation(InlineProcessor):  # type: ignore[misc]  # Markdown is untyped
    def __init__(self, pattern: str, md: Markdown, extension: CitationExtension) -> None:
        super().__init__(pattern, md)
        self.extension = extension

    def handleMatch(  # noqa: N802  # Python-Markdown's name
        self, m: re.Match[str], data: str
    ) -> tuple[Element | str, int, int]:
        element = Element("span", {"class": "lab-citation"})
        sources, cited = self.extension.sources, self.extension.cited
        for key in _keys(m[1]):
            if key not in sources:
                reason = f"there is no source {key!r} in {sources.path.name}. "
                self.extension.errors.append((m[0], reason + suggestion(key, sources)))
                continue
            if len(element):
                element[-1].tail = "; "
            link = SubElement(element, "a", {"href": f"#source-{key}"})
            link.text = AtomicString(sources.name(key))
            if key not in cited:
                cited.append(key)
        return element, m.start(0), m.end(0)


class _List(BlockProcessor):  # type: ignore[misc]  # Markdown is untyped
    def test(self, parent: Element, block: str) -> bool:
        return _LIST.match(block) is not None

    def run(self, parent: Element, blocks: list[str]) -> None:
        blocks.pop(0)
        # Titles of papers would be found before the chapters that explain what they are about.
        SubElement(parent, "ul", {"class": "lab-sources", "data-search-exclude": ""})


class _Fill(Treeprocessor):  # type: ignore[misc]  # Markdown is untyped
    def __init__(self, md: Markdown, extension: CitationExtension) -> None:
        super().__init__(md)
        self.extension = extension

    def run(self, root: Element) -> None:
        extension = self.extension
        place = next((e for e in root.iter("ul") if e.get("class") == "lab-sources"), None)
        if place is None:
            if extension.cited:
                key = extension.cited[0]
                extension.errors.append(
                    (f"@{key}", "the page cites sources but does not list them. End it with the "
                     "heading `## Sources` and the line `{{ sources }}`.")
                )  # fmt: skip
            return
        if not extension.cited:
            extension.errors.append(("{{ sources }}", "the page lists sources but cites none."))
        for key, markup in extension.sources.written(extension.cited).items():
            item = SubElement(place, "li", {"id": f"source-{key}"})
            item.text = AtomicString(self.md.htmlStash.store(markup))


def _keys(citation: str) -> list[str]:
    return [key.strip().removeprefix("@") for key in citation.split(";")]


@cache  # pybtex looks through all installed packages for it
def _style() -> Any:
    return find_plugin("pybtex.style.formatting", "unsrt")()


@cache
def _html() -> Any:
    return find_plugin("pybtex.backends", "html")()


def makeExtension(**kwargs: Any) -> CitationExtension:  # noqa: N802  # Python-Markdown's name
    """Return the extension, as Python-Markdown asks for it by its name."""
    return CitationExtension(**kwargs)
