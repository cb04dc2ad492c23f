"""Embedding: what a chapter shows of a tutorial, as an extension of Python-Markdown.

    {{ figure neuron#boundary }}     also code, output, table: each on a line of its own
    {{ neuron#accuracy:.1%}}         a value within a line, with a Python format

It works on the parsed page, after fenced code has been set aside and together with inline code,
so nothing in code is replaced, and an embed may stand inside an admonition, a list or a tab.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from markdown import Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor

from labkit.site import render
from labkit.site.book import Book, EmbedError

_BLOCK = re.compile(
    r"^ {0,3}\{\{ *(?P<kind>[a-z]+)(?: +(?P<name>[^\s{}]+))? *\}\}[ \t]*$", re.MULTILINE
)
_VALUE = r"\{\{ *([^\s{}:#]+#[^\s{}:]+)(?::([^{}\n]*?))? *\}\}"
_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")


@dataclass
class Context:
    """What the extension needs to know of the page that is being converted.

    Attributes:
        book: The tutorials.
        link: Gives the path from the page's source to another source file.
        errors: What went wrong on the current page: the embed as written, and the message.
        figures: How many figures the page has so far; the first is not loaded lazily.
    """

    book: Book
    link: Callable[[str], str]
    errors: list[tuple[str, str]] = field(default_factory=list)
    figures: int = 0


class EmbedExtension(Extension):
    """Python-Markdown extension for embeds; `context` is set anew for each page."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.context: Context | None = None

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (Python-Markdown's name)
        """Register the block form below indented code and the inline form below inline code."""
        if self.context is not None:
            block = _BlockEmbed(md.parser, self.context)
            md.parser.blockprocessors.register(block, "labkit-embed", 75)
            value = _ValueEmbed(_VALUE, md, self.context)
            md.inlinePatterns.register(value, "labkit-value", 187)


class _BlockEmbed(BlockProcessor):
    def __init__(self, parser: Any, context: Context) -> None:
        super().__init__(parser)
        self.context = context

    def test(self, parent: ElementTree.Element, block: str) -> bool:
        return _BLOCK.search(block) is not None

    def run(self, parent: ElementTree.Element, blocks: list[str]) -> None:
        block = blocks.pop(0)
        match: Any = _BLOCK.search(block)
        if before := block[: match.start()].rstrip("\n"):
            self.parser.parseBlocks(parent, [before])
        try:
            parent.append(self._element(match["kind"], match["name"] or ""))
        except EmbedError as error:
            self.context.errors.append((match[0].strip(), str(error)))
        if after := block[match.end() :].lstrip("\n"):
            blocks.insert(0, after)

    def _element(self, kind: str, name: str) -> ElementTree.Element:
        page = render.Page(self.parser.md, self.context.link, self.context.figures)
        book = self.context.book
        try:
            if kind == "tutorials":
                return page.gallery(book)
            if kind in render.NOTES:
                return render.NOTES[kind](page, book, name)
            if kind not in render.EMBEDS:
                raise EmbedError(
                    f"expected one of {', '.join(render.EMBEDS)} or a value such as "
                    f"neuron#accuracy. Received: {kind!r}"
                )
            return render.EMBEDS[kind](page, book.cell(name))
        finally:
            self.context.figures = page.figures


class _ValueEmbed(InlineProcessor):
    def __init__(self, pattern: str, md: Markdown, context: Context) -> None:
        super().__init__(pattern, md)
        self.context = context

    def handleMatch(  # type: ignore[override] # noqa: N802 (Python-Markdown's name)
        self, m: re.Match[str], data: str
    ) -> tuple[ElementTree.Element | str, int, int]:
        try:
            element = render.value(self.context.book, m[1], m[2] or "", self.context.link)
        except EmbedError as error:
            self.context.errors.append((m[0], str(error)))
            return "", m.start(0), m.end(0)
        return element, m.start(0), m.end(0)


def line_of(text: str, embed: str) -> int:
    """Return the line (from 1) of an embed in a page's source, passing over code; 1 if unseen."""
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        opening = re.match(r"\s*(`{3,}|~{3,})", line)
        if fence:
            if opening and opening[1].startswith(fence):
                fence = ""
        elif opening:
            fence = opening[1]
        elif embed in _CODE.sub("", line):
            return number
    return 1
