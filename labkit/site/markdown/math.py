"""Formulas: `$…$` and `$$…$$` become MathML when the site is built.

The browser then needs no script and no font from elsewhere to show a formula, and nothing
moves while the page loads.
"""

import re
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

from latex2mathml.converter import convert
from markdown import Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor

# As in Pandoc, "$5 to $10" is text: no space inside the dollars and no digit after them.
_INLINE = r"(?<![\\$])\$(?![\s$])((?:\\.|[^\\$])+?)(?<!\s)\$(?![\d$])"
_BLOCK = re.compile(r"^ {0,3}\$\$(.+?)\$\$[ \t]*$", re.DOTALL | re.MULTILINE)

_NEEDLESS = re.compile(r' xmlns="[^"]*"| display="inline"')  # HTML knows
_OPERATOR = "{http://www.w3.org/1998/Math/MathML}mo"
_ROW = "{http://www.w3.org/1998/Math/MathML}mrow"
_SIGNS = {"-", "\N{MINUS SIGN}", "+", "±", "∓"}
_CLOSING = {")", "]", "}", "|", "‖", "⟩", "!", "′"}

ElementTree.register_namespace("", "http://www.w3.org/1998/Math/MathML")


class MathError(ValueError):
    """A formula that cannot be rendered."""


def mathml(latex: str, *, block: bool = False) -> str:
    r"""Return a formula as MathML.

    Args:
        latex: The formula, such as `\frac{1}{n} \sum_i x_i`.
        block: Whether the formula stands on a line of its own.

    Raises:
        MathError: LaTeX's syntax is broken or a command is unknown.
    """
    try:
        markup = convert(latex.strip(), display="block" if block else "inline")
    except Exception as error:  # latex2mathml's errors have no base class of their own
        raise MathError(f"cannot read the formula ${latex}$: {error!r}") from error
    root = ElementTree.fromstring(markup)
    for element in root.iter():
        if element.text and element.text.startswith("\\"):
            raise MathError(f"unknown command {element.text} in the formula ${latex}$")
        _mark_signs(element)
    if len(root) == 1 and root[0].tag == _ROW and not root[0].attrib:
        root[:] = root[0]  # a formula is a row itself
    return _NEEDLESS.sub("", ElementTree.tostring(root, encoding="unicode"))


def _mark_signs(row: ElementTree.Element) -> None:
    """Say which minus is a sign: one behind an operator. Browsers set any other apart."""
    for before, element in pairwise(row):
        operators = element.tag == before.tag == _OPERATOR
        if operators and element.text in _SIGNS and before.text not in _CLOSING:
            element.set("form", "prefix")


class MathExtension(Extension):  # type: ignore[misc]  # Markdown is untyped
    """Python-Markdown extension for `$…$` within a line and `$$…$$` as a block.

    Attributes:
        errors: The formulas that could not be rendered, as written, each with the reason.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.errors: list[tuple[str, str]] = []

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802  # Python-Markdown's name
        """Register both forms below code, so that a dollar in code stays as it is."""
        md.inlinePatterns.register(_InlineMath(_INLINE, md, self), "labkit-math", 185)
        block = _BlockMath(md.parser, self)
        md.parser.blockprocessors.register(block, "labkit-math", 76)
        md.ESCAPED_CHARS = [*md.ESCAPED_CHARS, "$"]

    def render(self, latex: str, *, block: bool = False) -> str:
        """Return MathML; or nothing, and note the error."""
        try:
            return mathml(latex, block=block)
        except MathError as error:
            self.errors.append((latex.strip().partition("\n")[0], str(error)))
            return ""


class _InlineMath(InlineProcessor):  # type: ignore[misc]  # Markdown is untyped
    def __init__(self, pattern: str, md: Markdown, extension: MathExtension) -> None:
        super().__init__(pattern, md)
        self.extension = extension

    def handleMatch(  # noqa: N802  # Python-Markdown's name
        self, m: re.Match[str], data: str
    ) -> tuple[str, int, int]:
        markup = self.extension.render(self.unescape(m[1]))
        return self.md.htmlStash.store(markup), m.start(0), m.end(0)


class _BlockMath(BlockProcessor):  # type: ignore[misc]  # Markdown is untyped
    def __init__(self, parser: Any, extension: MathExtension) -> None:
        super().__init__(parser)
        self.extension = extension

    def test(self, parent: ElementTree.Element, block: str) -> bool:
        return _BLOCK.search(block) is not None

    def run(self, parent: ElementTree.Element, blocks: list[str]) -> None:
        before, latex, after = _BLOCK.split(blocks.pop(0), maxsplit=1)
        if before.strip():
            self.parser.parseBlocks(parent, [before.rstrip("\n")])
        element = ElementTree.SubElement(parent, "div", {"class": "lab-math"})
        markup = self.extension.render(latex, block=True)
        element.text = self.parser.md.htmlStash.store(markup)
        if after.strip():
            blocks.insert(0, after.lstrip("\n"))
