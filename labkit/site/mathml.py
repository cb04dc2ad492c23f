"""Formulas: `$…$` and `$$…$$` become MathML when the site is built.

The browser then needs no script and no font from elsewhere to show a formula, and nothing
moves while the page loads.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from latex2mathml.converter import convert
from markdown import Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor

# As in Pandoc: no space inside the dollars and no digit after them, so that "$5 to $10" is text.
_INLINE = r"(?<![\\$])\$(?![\s$])((?:\\.|[^\\$])+?)(?<!\s)\$(?![\d$])"
_BLOCK = re.compile(r"^ {0,3}\$\$(.+?)\$\$[ \t]*$", re.DOTALL | re.MULTILINE)
_NAMESPACE = "http://www.w3.org/1998/Math/MathML"

ElementTree.register_namespace("", _NAMESPACE)


class MathError(ValueError):
    """A formula that cannot be rendered."""


def mathml(latex: str, *, block: bool = False) -> str:
    r"""Return a formula as MathML.

    Args:
        latex: The formula, such as `\frac{1}{n} \sum_i x_i`.
        block: Whether the formula stands on a line of its own.

    Raises:
        MathError: If LaTeX's syntax is broken or a command is unknown.
    """
    try:
        markup = convert(latex.strip(), display="block" if block else "inline")
    except Exception as error:  # latex2mathml has no common base class for its errors
        raise MathError(f"cannot read the formula ${latex}$: {error!r}") from error
    root = ElementTree.fromstring(markup)
    for element in root.iter():
        if element.text and element.text.startswith("\\"):
            raise MathError(
                f"the formula ${latex}$ uses {element.text}, which is unknown here"
            )
    return ElementTree.tostring(root, encoding="unicode")


class MathExtension(Extension):
    """Python-Markdown extension for `$…$` within a line and `$$…$$` as a block.

    Attributes:
        errors: The formulas that could not be rendered, as written, each with the reason.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.errors: list[tuple[str, str]] = []

    def render(self, latex: str, *, block: bool = False) -> str:
        """Return MathML, or note the error and return nothing."""
        try:
            return mathml(latex, block=block)
        except MathError as error:
            self.errors.append((latex.strip().partition("\n")[0], str(error)))
            return ""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (Python-Markdown's name)
        """Register both forms; code comes before them, so that `$` in code stays as it is."""
        md.inlinePatterns.register(_InlineMath(_INLINE, md, self), "labkit-math", 185)
        md.parser.blockprocessors.register(_BlockMath(md.parser, self), "labkit-math", 76)
        md.ESCAPED_CHARS = [*md.ESCAPED_CHARS, "$"]


class _InlineMath(InlineProcessor):
    def __init__(self, pattern: str, md: Markdown, extension: MathExtension) -> None:
        super().__init__(pattern, md)
        self.extension = extension

    def handleMatch(  # type: ignore[override] # noqa: N802 (Python-Markdown's name)
        self, m: re.Match[str], data: str
    ) -> tuple[str, int, int]:
        markup = self.extension.render(self.unescape(m[1]))
        return self.md.htmlStash.store(markup), m.start(0), m.end(0)


class _BlockMath(BlockProcessor):
    def __init__(self, parser: Any, extension: MathExtension) -> None:
        super().__init__(parser)
        self.extension = extension

    def test(self, parent: ElementTree.Element, block: str) -> bool:
        return _BLOCK.search(block) is not None

    def run(self, parent: ElementTree.Element, blocks: list[str]) -> None:
        block = blocks.pop(0)
        match: Any = _BLOCK.search(block)
        if before := block[: match.start()].rstrip("\n"):
            self.parser.parseBlocks(parent, [before])
        element = ElementTree.SubElement(parent, "div", {"class": "lab-math"})
        element.text = self.parser.md.htmlStash.store(
            self.extension.render(match[1], block=True)
        )
        if after := block[match.end() :].lstrip("\n"):
            blocks.insert(0, after)
