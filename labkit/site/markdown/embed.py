"""Embedding: what a chapter shows of a tutorial, as an extension of Python-Markdown.

    {{ figure neurons#boundary }}     also code, output, table: each on a line of its own
    {{ neurons#accuracy:.1%}}         a value within a line, with a Python format
    {{ tutorials }}                   every tutorial
    {{ proofs foundations }}          every claim of a part with its assertion, or of the whole book

It works on the parsed page, after fenced code has been set aside and below inline code, so
nothing in code is replaced, and an embed may stand inside an admonition, a list or a tab.
Braces that are left anywhere else are an error.
"""

import difflib
import re
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.treeprocessors import Treeprocessor

from labkit.site.core.book import EmbedError

from . import frame, gallery, proofs
from .context import Context, for_page
from .faults import CELL
from .leftovers import leftovers
from .parts import EMBEDS, FROM, Parts
from .titles import TitleExtension

GALLERY, PROOFS = "tutorials", "proofs"
_KINDS = [*EMBEDS, GALLERY, PROOFS]
_BRACES = r"\{\{((?:(?!\}\}).)*?)\}\}"
_LINE = re.compile(rf"^ {{0,3}}{_BRACES}[ \t]*$", re.MULTILINE)
_BLOCK = re.compile(r"([A-Za-z]+)(?:\s+(.*))?")
_VALUE = re.compile(r"([^\s:#]+#[^\s:]+)(?::(.*))?")


class EmbedExtension(Extension):  # type: ignore[misc]  # Markdown is untyped
    """Python-Markdown extension for embeds.

    A plugin sets `context` before each page, and reads its errors after it. For another host,
    `book` and `page` say what the page is, and its errors are raised. Without either, nothing is
    replaced.

    Attributes:
        context: The page that is converted next.
    """

    def __init__(self, **kwargs: Any) -> None:
        self.config = {
            "book": ["", "The tutorials: a labkit.site.core.book.Book."],
            "page": ["index.md", "The page's path among the site's sources."],
            "link": ["", "A function from a source file's path to the link that this page has."],
        }
        super().__init__(**kwargs)
        self.context: Context | None = None
        self.strict = False
        if book := self.getConfig("book"):
            self.context = for_page(book, self.getConfig("page"))
            self.context.link = self.getConfig("link") or self.context.link
            self.strict = True

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802  # Python-Markdown's name
        """Register blocks below indented code, and values below inline code."""
        TitleExtension().extendMarkdown(md)
        if self.context is not None:
            block = _Block(md.parser, self.context)
            md.parser.blockprocessors.register(block, "labkit-embed", 75)
            value = _Value(_BRACES, md, self.context)
            md.inlinePatterns.register(value, "labkit-value", 187)
            md.treeprocessors.register(_Frame(md, self.context), "labkit-frame", 30)
            settle = _Settle(md, self.context, self.strict)
            md.treeprocessors.register(settle, "labkit-settle", 5.5)  # below formulas


class _Block(BlockProcessor):  # type: ignore[misc]  # Markdown is untyped
    def __init__(self, parser: Any, context: Context) -> None:
        super().__init__(parser)
        self.context = context

    def _find(self, block: str) -> tuple[re.Match[str], re.Match[str]] | None:
        """Return the first line that is an embed, and what stands in its braces."""
        for found in _LINE.finditer(block):
            if inner := _BLOCK.fullmatch(found[1].strip()):
                return found, inner
        return None

    def test(self, parent: Element, block: str) -> bool:
        return self._find(block) is not None

    def run(self, parent: Element, blocks: list[str]) -> None:
        block = blocks.pop(0)
        found = self._find(block)
        assert found is not None  # as `test` has found one
        line, inner = found
        before, after = block[: line.start()], block[line.end() :]
        if before.strip():
            self.parser.parseBlocks(parent, [before.rstrip("\n")])
        try:
            parent.append(self._element(inner[1], (inner[2] or "").strip()))
        except EmbedError as error:
            self.context.errors.append((line[0].strip(), str(error)))
        if after.strip():
            blocks.insert(0, after.lstrip("\n"))

    def _element(self, kind: str, name: str) -> Element:
        parts = Parts(self.parser.md, self.context)
        if kind == GALLERY and not name:
            return gallery.gallery(self.context)
        if kind == PROOFS:
            return proofs.table(parts, name)
        if kind in EMBEDS:
            return EMBEDS[kind](parts, self.context.book.cell(name))
        near = difflib.get_close_matches(kind.lower(), _KINDS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise EmbedError(f"expected one of {', '.join(_KINDS)}. Received: {kind!r}.{hint}")


class _Value(InlineProcessor):  # type: ignore[misc]  # Markdown is untyped
    """Replaces a value, and notes what was meant for an embed and is none."""

    def __init__(self, pattern: str, md: Markdown, context: Context) -> None:
        super().__init__(pattern, md)
        self.context = context

    def handleMatch(  # noqa: N802  # Python-Markdown's name
        self, m: re.Match[str], data: str
    ) -> tuple[Element | str | None, int | None, int | None]:
        inner = m[1].strip()
        value = _VALUE.fullmatch(inner)
        first = inner.partition(" ")[0].lower()
        try:
            if value:
                element = Parts(self.md, self.context).value(value[1], (value[2] or "").strip())
                return element, m.start(0), m.end(0)
            if first in _KINDS:
                raise EmbedError(f"{m[0]} must stand on a line of its own")
            if "#" not in inner:  # a formula's braces, perhaps; leftovers are reported below
                return None, None, None
            raise EmbedError(
                f"expected a value such as NAME#VALUE:.2f, without a space before the colon. "
                f"Received: {inner!r}"
            )
        except EmbedError as error:
            self.context.errors.append((m[0], str(error)))
            return "", m.start(0), m.end(0)


class _Frame(Treeprocessor):  # type: ignore[misc]  # Markdown is untyped
    """Puts the facts of a tutorial's run under the title of its page, and at its end."""

    def __init__(self, md: Markdown, context: Context) -> None:
        super().__init__(md)
        self.context = context

    def run(self, root: Element) -> None:
        if self.context.tutorial:
            below = next((i for i, element in enumerate(root, 1) if element.tag == "h1"), 0)
            root.insert(below, frame.head(self.context))
            root.append(frame.foot(self.context))


class _Settle(Treeprocessor):  # type: ignore[misc]  # Markdown is untyped
    """Moves the links of captions, parts links inside links, and notes what is left in braces."""

    def __init__(self, md: Markdown, context: Context, strict: bool) -> None:
        super().__init__(md)
        self.context = context
        self.strict = strict

    def run(self, root: Element) -> None:
        for element in root.iter():
            if name := element.attrib.pop(FROM, ""):
                self._move(element, name)
            element.attrib.pop(CELL, None)
            if element.tag == "a":
                for inner in element.iter("a"):
                    if inner is not element:  # HTML has no links inside links
                        inner.tag = "span"
                        del inner.attrib["href"]
        self.context.errors += leftovers(root, self.md)
        if self.strict and self.context.errors:
            reasons = [f"{written}: {why}" for written, why in self.context.errors]
            self.context.errors.clear()
            raise EmbedError("\n".join(reasons))

    def _move(self, parent: Element, cell: str) -> None:
        """Let links that are relative to the script of a cell hold on this page."""
        for element in parent.iter():
            name = "href" if element.tag == "a" else "src"
            target = element.get(name, "")
            if "lab-" in element.get("class", "") or not target:
                continue  # made for this page
            if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|/", target):
                continue
            moved, file = self.context.moved(target, cell.partition("#")[0])
            element.set(name, moved)
            if not self.context.exists(file):
                where = self.context.book.cell(cell).where
                why = f"{where}: the cell links to {target!r}, and there is no {file}"
                self.context.errors.append((f"{{{{ figure {cell} }}}}", why))
