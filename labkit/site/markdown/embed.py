"""Embedding: what a chapter shows of a tutorial, as an extension of Python-Markdown.

    {{ figure neuron#boundary }}     also code, output, table: each on a line of its own
    {{ neuron#accuracy:.1%}}         a value within a line, with a Python format

It works on the parsed page, after fenced code has been set aside and below inline code, so
nothing in code is replaced, and an embed may stand inside an admonition, a list or a tab.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor

from labkit.site.core.book import Book, EmbedError

from .parts import EMBEDS, PARTS, Parts

_BLOCK = re.compile(r"^ {0,3}\{\{ *([a-z]+)((?: +[^\s{}]+)?) *\}\}[ \t]*$", re.MULTILINE)
_VALUE = r"\{\{ *([^\s{}:#]+#[^\s{}:]+)(?::([^{}\n]*?))? *\}\}"
_STRAY = rf"\{{\{{ *(?:{'|'.join([*EMBEDS, *PARTS])})\b[^{{}}\n]*\}}\}}"


@dataclass
class Context:
    """What the extension needs to know of the page that is being converted.

    Attributes:
        book: The tutorials.
        link: Gives the path from the page's source to another source file of the site.
        errors: What went wrong: the embed as written, and the reason.
    """

    book: Book
    link: Callable[[str], str]
    errors: list[tuple[str, str]] = field(default_factory=list)


class EmbedExtension(Extension):  # type: ignore[misc]  # Markdown is untyped
    """Python-Markdown extension for embeds.

    Attributes:
        context: Set before each page; without it nothing is replaced.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.context: Context | None = None

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802  # Python-Markdown's name
        """Register blocks below indented code, and values below inline code."""
        if self.context is not None:
            block = _Block(md.parser, self.context)
            md.parser.blockprocessors.register(block, "labkit-embed", 75)
            value = _Value(_VALUE, md, self.context)
            md.inlinePatterns.register(value, "labkit-value", 187)
            stray = _Stray(_STRAY, md, self.context)
            md.inlinePatterns.register(stray, "labkit-stray", 186)


class _Block(BlockProcessor):  # type: ignore[misc]  # Markdown is untyped
    def __init__(self, parser: Any, context: Context) -> None:
        super().__init__(parser)
        self.context = context

    def test(self, parent: Element, block: str) -> bool:
        return _BLOCK.search(block) is not None

    def run(self, parent: Element, blocks: list[str]) -> None:
        before, kind, name, after = _BLOCK.split(blocks.pop(0), maxsplit=1)
        if before.strip():
            self.parser.parseBlocks(parent, [before.rstrip("\n")])
        try:
            parent.append(self._element(kind, name.strip()))
        except EmbedError as error:
            self.context.errors.append((f"{{{{ {kind}{name} }}}}", str(error)))
        if after.strip():
            blocks.insert(0, after.lstrip("\n"))

    def _element(self, kind: str, name: str) -> Element:
        context = self.context
        parts = Parts(self.parser.md, context.book, context.link)
        if kind in PARTS:
            element = PARTS[kind](parts, name)
        elif kind in EMBEDS:
            element = EMBEDS[kind](parts, context.book.cell(name))
        else:
            raise EmbedError(
                f"expected one of {', '.join(EMBEDS)}, or a value such as "
                f"{{{{ neuron#accuracy:.2f }}}}. Received: {kind!r}"
            )
        return element


class _Value(InlineProcessor):  # type: ignore[misc]  # Markdown is untyped
    def __init__(self, pattern: str, md: Markdown, context: Context) -> None:
        super().__init__(pattern, md)
        self.context = context

    def handleMatch(  # noqa: N802  # Python-Markdown's name
        self, m: re.Match[str], data: str
    ) -> tuple[Element | str, int, int]:
        context = self.context
        try:
            element = Parts(self.md, context.book, context.link).value(m[1], m[2] or "")
        except EmbedError as error:
            context.errors.append((m[0], str(error)))
            return "", m.start(0), m.end(0)
        return element, m.start(0), m.end(0)


class _Stray(_Value):
    """Notes a block that stands within a line, where it would stay as it is written."""

    def handleMatch(  # noqa: N802  # Python-Markdown's name
        self, m: re.Match[str], data: str
    ) -> tuple[Element | str, int, int]:
        self.context.errors.append((m[0], f"{m[0]} must stand on a line of its own"))
        return "", m.start(0), m.end(0)
