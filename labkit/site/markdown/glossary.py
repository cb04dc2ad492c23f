"""The book's words: a page that explains each in a sentence, and links to it.

    A model that [overfits](term:overfitting) repeats its training data …

An author marks the first use of a term in a chapter, as a link of its own kind. The terms stand in
one YAML file, and `{{ glossary }}` lists them, each with the chapter that explains it and the pages
that use it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import yaml
from markdown import Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

from labkit.site.core.names import suggestion

from .faults import Fault

_MARK = re.compile(r"\]\(term:([a-z0-9-]+)\)")
_LIST = re.compile(r"^ {0,3}\{\{ *glossary *\}\}[ \t]*$")


class GlossaryError(ValueError):
    """The file of terms cannot be read, or something in it is missing."""


@dataclass(frozen=True)
class Term:
    """One word of the field.

    Attributes:
        name: What authors call it: `data-augmentation`.
        word: What readers see: `data augmentation`.
        meaning: One sentence of plain text, as a browser shows it at the term, too.
        explained: The page that explains it, below `docs/`, perhaps with `#heading`.
    """

    name: str
    word: str
    meaning: str
    explained: str


def read(path: str | Path) -> dict[str, Term]:
    """Return the terms of a YAML file, `word: {meaning: …, explained: PAGE.md}`, in order.

    Raises:
        GlossaryError: It cannot be read, or a term lacks its sentence or its page.
    """
    place = Path(path).name
    try:
        given = yaml.safe_load(Path(path).read_text("utf-8"))
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise GlossaryError(f"{place}: expected a YAML file of terms. {error}") from None
    if not isinstance(given, dict):
        raise GlossaryError(f"{place}: expected `word: {{meaning: …, explained: PAGE.md}}`.")
    terms = {}
    for word, entry in sorted(given.items(), key=lambda item: str(item[0]).lower()):
        if not isinstance(entry, dict) or set(entry) != {"meaning", "explained"}:
            raise GlossaryError(
                f"{place}: the term {word!r} needs a `meaning` and where it is `explained`."
            )
        meaning = str(entry["meaning"])
        if marks := sorted(set("$*`_[") & set(meaning)):
            raise GlossaryError(
                f"{place}: the meaning of {word!r} has {' '.join(marks)}. Write plain text: it is "
                "shown at the term, where no Markdown can be."
            )
        name = str(word).lower().replace(" ", "-")
        terms[name] = Term(name, str(word), meaning, str(entry["explained"]))
    return terms


def uses(texts: Mapping[str, str]) -> dict[str, list[str]]:
    """Return for each term the pages that mark it.

    Args:
        texts: The Markdown of each page, by its path below `docs/`.
    """
    found: dict[str, list[str]] = {}
    for path, text in texts.items():
        for name in dict.fromkeys(_MARK.findall(text)):
            found.setdefault(name, []).append(path)
    return found


@dataclass
class Words:
    """What the extension knows of the book and of the page that is being converted.

    Attributes:
        terms: The terms by name.
        used: For each term the pages that mark it.
        titles: The title of each page, by its path.
        link: Gives the path from the page's source to another source file of the site.
        page: The glossary's own page.
    """

    terms: Mapping[str, Term] = field(default_factory=dict)
    used: Mapping[str, list[str]] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    link: Callable[[str], str] = str
    page: str = "glossary.md"


class GlossaryExtension(Extension):  # type: ignore[misc]  # Markdown is untyped
    """Python-Markdown extension for marked terms and the glossary.

    Attributes:
        words: Set before each page.
        errors: What is wrong on the page.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.words = Words()
        self.errors: list[Fault] = []

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802  # Python-Markdown's name
        """Register the list, and the links after inline text has been read."""
        md.parser.blockprocessors.register(_List(md.parser, self), "labkit-glossary", 79)
        md.treeprocessors.register(_Links(md, self), "labkit-terms", 14)


class _List(BlockProcessor):  # type: ignore[misc]  # Markdown is untyped
    def __init__(self, parser: Any, extension: GlossaryExtension) -> None:
        super().__init__(parser)
        self.extension = extension

    def test(self, parent: Element, block: str) -> bool:
        return _LIST.match(block) is not None

    def run(self, parent: Element, blocks: list[str]) -> None:
        blocks.pop(0)
        words = self.extension.words
        element = SubElement(parent, "dl", {"class": "lab-glossary"})
        for term in words.terms.values():
            SubElement(element, "dt", {"id": term.name}).text = AtomicString(term.word)
            meaning = SubElement(element, "dd")
            SubElement(meaning, "p").text = AtomicString(term.meaning)
            line = SubElement(meaning, "p", {"class": "lab-facts"})
            line.text = AtomicString("Explained in ")
            line.append(self._link(term.explained))
            line[-1].tail = "."
            others = [p for p in words.used.get(term.name, []) if p not in term.explained]
            if others:
                line[-1].tail = "; used in "
                for number, page in enumerate(others):
                    line.append(self._link(page))
                    line[-1].tail = ", " if number < len(others) - 1 else "."

    def _link(self, page: str) -> Element:
        words = self.extension.words
        link = Element("a", {"href": words.link(page)})
        path = page.partition("#")[0]
        link.text = AtomicString(words.titles.get(path, path))
        return link


class _Links(Treeprocessor):  # type: ignore[misc]  # Markdown is untyped
    def __init__(self, md: Markdown, extension: GlossaryExtension) -> None:
        super().__init__(md)
        self.extension = extension

    def run(self, root: Element) -> None:
        words, errors = self.extension.words, self.extension.errors
        marked = set[str]()
        for link in root.iter("a"):
            address = link.get("href", "")
            if not address.startswith("term:"):
                continue
            name = address.removeprefix("term:")
            written = f"](term:{name})"
            if name not in words.terms:
                why = f"there is no term {name!r}. {suggestion(name, words.terms)}"
                errors.append(Fault(written, why))
            elif name in marked:
                why = f"the term {name!r} is marked twice; mark its first use on the page."
                errors.append(Fault(written, why))
            else:
                marked.add(name)
                link.set("href", f"{words.link(words.page)}#{name}")
                link.set("class", "lab-term")
                link.set("title", words.terms[name].meaning)


def makeExtension(**kwargs: Any) -> GlossaryExtension:  # noqa: N802  # Python-Markdown's name
    """Return the extension, as Python-Markdown asks for it by its name."""
    return GlossaryExtension(**kwargs)
