"""Numbers for figures, tables, listings and exercises, and references to them.

    {{ figure neurons#boundary }}              becomes Figure 2.3 of chapter 2
    … as {{ ref neurons#boundary }} shows …    becomes a link that says "Figure 2.3"
    … in {{ ref code neurons#boundary }} …     names the kind where a cell is shown in two ways

    /// exercise | majority
    Find weights …
    ///

An author refers to a thing by the label that it has already; an exercise may be given a name. The
numbers are counted in the chapters' Markdown, so that a page can refer to another one and a
tutorial's page shows the numbers of its chapter.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.inlinepatterns import InlineProcessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString
from pymdownx.blocks import BlocksExtension
from pymdownx.blocks.block import Block

from labkit.site.core.names import suggestion

from .faults import Fault, outside_code

_EMBED = re.compile(r"^\s*\{\{ *(figure|table|code) +([^\s{}]+) *\}\}\s*$")
_EXERCISE = re.compile(r"^ {0,3}/{3,} *exercise *(?:\| *(\S+) *)?$")
_REFERENCE = r"\{\{ *ref +(?:(figure|table|code|exercise) +)?([^\s{}]+) *\}\}"
_WORDS = {"figure": "Figure", "table": "Table", "code": "Listing", "exercise": "Exercise"}
# How the parts of a page that embed a cell are marked, by what they embed.
_KINDS = {"lab-figure": "figure", "lab-tables": "table", "lab-code": "code"}


@dataclass(frozen=True)
class Numbered:
    """One numbered thing of a chapter.

    Attributes:
        kind: `figure`, `table`, `code` or `exercise`.
        label: What authors call it: `neurons#boundary`, or an exercise's name.
        number: Its number in the book: `2.3`.
        page: The chapter's source below `docs/`.
    """

    kind: str
    label: str
    number: str
    page: str

    @property
    def anchor(self) -> str:
        """Its id on the page."""
        return f"{self.kind}-{self.label.replace('#', '-')}"

    def __str__(self) -> str:
        return f"{_WORDS[self.kind]} {self.number}"


def count(chapters: Mapping[str, str]) -> list[Numbered]:
    """Count what the chapters show.

    Args:
        chapters: The Markdown of each chapter by its path below `docs/`, in the book's order.
    """
    found = []
    for chapter, (page, text) in enumerate(chapters.items(), 1):
        seen: Counter[str] = Counter()
        labels = set[tuple[str, str]]()
        for kind, label in _things(text):
            if (kind, label) not in labels:  # shown twice, it is the same figure
                labels.add((kind, label))
                seen[kind] += 1
                name = label or str(seen[kind])
                found.append(Numbered(kind, name, f"{chapter}.{seen[kind]}", page))
    return found


def _things(text: str) -> Iterator[tuple[str, str]]:
    for _, line in outside_code(text):
        if embed := _EMBED.match(line):
            yield embed[1], embed[2]
        elif exercise := _EXERCISE.match(line):
            yield "exercise", exercise[1] or ""


@dataclass
class Numbering:
    """What the extension knows of the book and of the page that is being converted.

    Attributes:
        things: Everything that has a number, in the order of the book.
        page: The page's source below `docs/`, or for a tutorial's page its chapter's.
        link: Gives the path from the page's source to another source file of the site.
    """

    things: Iterable[Numbered] = ()
    page: str = ""
    link: Callable[[str], str] = str
    _by_label: dict[str, list[Numbered]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for thing in self.things:
            self._by_label.setdefault(thing.label, []).append(thing)

    def find(self, label: str, kind: str | None = None) -> Numbered | None:
        """Return what has a label: on this page if it stands here, else where it stands first.

        A cell's figure comes before its table, and its code last, if no kind is asked for.
        """
        found = [t for t in self._by_label.get(label, ()) if kind in (None, t.kind)]
        found.sort(key=lambda thing: list(_WORDS).index(thing.kind))
        here = [thing for thing in found if thing.page == self.page]
        return next(iter(here or found), None)

    def exercises(self) -> list[Numbered]:
        """Return the page's exercises in order."""
        return [t for t in self.things if t.kind == "exercise" and t.page == self.page]

    @property
    def labels(self) -> list[str]:
        """Every label that has a number."""
        return list(self._by_label)


class NumberExtension(BlocksExtension):  # type: ignore[misc]  # untyped
    """Python-Markdown extension for numbers, references and `/// exercise` … `///`.

    Attributes:
        numbering: Set before each page.
        errors: What is wrong on the page.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.numbering = Numbering()
        self.errors: list[Fault] = []

    def extendMarkdownBlocks(self, md: Markdown, block_mgr: Any) -> None:  # noqa: N802  # its name
        """Register references above other embeds, and numbers before inline text is read."""
        block_mgr.register(_Exercise, {"extension": self})
        md.inlinePatterns.register(_Reference(_REFERENCE, md, self), "labkit-reference", 189)
        md.treeprocessors.register(_Numbers(md, self), "labkit-numbers", 21)


class _Exercise(Block):  # type: ignore[misc]  # untyped
    NAME = "exercise"
    ARGUMENT = None

    def on_create(self, parent: Element) -> Element:
        place = self.tracker["exercises"] = self.tracker.get("exercises", 0) + 1
        exercises = self.config["extension"].numbering.exercises()
        known = exercises[place - 1] if place <= len(exercises) else None
        anchor = known.anchor if known else f"exercise-{place}"
        section = SubElement(parent, "section", {"class": "lab-exercise", "id": anchor})
        title = SubElement(section, "p", {"class": "lab-number"})
        title.text = AtomicString(str(known) if known else f"Exercise {place}")
        return section


class _Reference(InlineProcessor):  # type: ignore[misc]  # Markdown is untyped
    def __init__(self, pattern: str, md: Markdown, extension: NumberExtension) -> None:
        super().__init__(pattern, md)
        self.extension = extension

    def handleMatch(  # noqa: N802  # Python-Markdown's name
        self, m: re.Match[str], data: str
    ) -> tuple[Element | str, int, int]:
        numbering = self.extension.numbering
        thing = numbering.find(m[2], m[1])
        if thing is None:
            why = f"nothing in the book has the label {m[2]!r} and a number. "
            self.extension.errors.append(Fault(m[0], why + suggestion(m[2], numbering.labels)))
            return "", m.start(0), m.end(0)
        page = "" if thing.page == numbering.page else numbering.link(thing.page)
        link = Element("a", {"class": "lab-ref", "href": f"{page}#{thing.anchor}"})
        link.text = AtomicString(str(thing).replace(" ", "\N{NO-BREAK SPACE}"))
        return link, m.start(0), m.end(0)


class _Numbers(Treeprocessor):  # type: ignore[misc]  # Markdown is untyped
    def __init__(self, md: Markdown, extension: NumberExtension) -> None:
        super().__init__(md)
        self.extension = extension

    def run(self, root: Element) -> None:
        given = set[str]()
        for element in root.iter():
            names = f"{element.get('class', '')} {element.attrib.pop('data-waits', '')}".split()
            kinds = [_KINDS[name] for name in names if name in _KINDS]
            label = element.get("data-tutorial")
            thing = self.extension.numbering.find(label, kinds[0]) if kinds and label else None
            caption = next((e for e in element if _is_caption(e)), None)
            if thing is None:
                continue
            if thing.anchor not in given:
                element.set("id", thing.anchor)
                given.add(thing.anchor)
            if caption is None:  # its tutorial has not run
                continue
            number = Element("span", {"class": "lab-number"})
            number.text = AtomicString(str(thing))
            number.tail = f" {caption.text or ''}"
            caption.text = None
            caption.insert(0, number)


def _is_caption(element: Element) -> bool:
    return element.tag == "figcaption" or "lab-caption" in element.get("class", "").split()


def makeExtension(**kwargs: Any) -> NumberExtension:  # noqa: N802  # Python-Markdown's name
    """Return the extension, as Python-Markdown asks for it by its name."""
    return NumberExtension(**kwargs)
