r"""Formulas: `$…$` and `$$…$$` become MathML when the site is built.

The browser then needs no script and no font from elsewhere to show a formula, and nothing
moves while the page loads. An equation with a `\label{eq:x}` gets a number, to which
`$\eqref{eq:x}$` links from anywhere on its page.
"""

import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import INLINE_PLACEHOLDER_RE, AtomicString

from .faults import CELL, Fault
from .mathml import Formula, MathError, convert
from .punctuation import Punctuation

# As in Pandoc, "$5 to $10" is text: no space inside the dollars and no digit after them.
_INLINE = r"(?<![\\$])\$(?![\s$])((?:\\.|[^\\$])+?)(?<!\s)\$(?![\d$])"
_BLOCK = re.compile(r"^ {0,3}\$\$(.+?)\$\$[ \t]*$", re.DOTALL | re.MULTILINE)
_OPENING = re.compile(r"^ {0,3}\$\$(?!\$)", re.MULTILINE)
_STRAY = r"(?<![\\$])\$\$(?!\$)[^$]+\$\$(?!\$)"
_MISPLACED = r"$$ … $$ must stand on lines of its own and hold no empty line. For dollars, write \$"
_TAG = "lab-formula"  # of what stands in the tree until all formulas of the page are known


class MathExtension(Extension):  # type: ignore[misc]  # Markdown is untyped
    """Python-Markdown extension for `$…$` within a line and `$$…$$` as a block.

    Attributes:
        errors: What is wrong with formulas, for a host that is not strict.
    """

    def __init__(self, **kwargs: Any) -> None:
        self.config = {
            "prefix": ["", "what comes before an equation's number, such as '3.'"],
            "strict": [True, "raise a MathError instead of adding to `errors`"],
        }
        self.errors: list[Fault] = []
        super().__init__(**kwargs)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802  # Python-Markdown's name
        """Register both forms below code, so that a dollar in code stays as it is.

        The formulas are made after inline patterns and before `toc` takes headings down.
        """
        md.inlinePatterns.register(_Inline(_INLINE, md), "labkit-math", 185)
        md.inlinePatterns.register(_Stray(_STRAY, md, self), "labkit-math-stray", 184)
        md.parser.blockprocessors.register(_Block(md.parser, self), "labkit-math", 76)
        md.treeprocessors.register(_Formulas(md, self), "labkit-math", 6)
        md.treeprocessors.register(Punctuation(md), "labkit-punctuation", 4)
        md.ESCAPED_CHARS = [*md.ESCAPED_CHARS, "$"]

    def note(self, fault: Fault) -> None:
        """Note what is wrong with a formula.

        Raises:
            MathError: The extension is strict.
        """
        if self.getConfig("strict"):
            raise MathError(f"{fault.written}: {fault.why}")
        self.errors.append(fault)


class _Inline(InlineProcessor):  # type: ignore[misc]  # Markdown is untyped
    def handleMatch(  # noqa: N802  # Python-Markdown's name
        self, m: re.Match[str], data: str
    ) -> tuple[Element, int, int]:
        element = Element(_TAG, {"written": m[0]})
        latex = INLINE_PLACEHOLDER_RE.sub(self._value, m[1])
        element.text = AtomicString(latex)
        return element, m.start(0), m.end(0)

    def _value(self, placeholder: re.Match[str]) -> str:
        """Return the text of what is embedded in a formula, as LaTeX."""
        return str(self.unescape(placeholder[0])).replace("%", r"\%")


class _Stray(InlineProcessor):  # type: ignore[misc]  # Markdown is untyped
    """Notes a block that stands within a line, where it would stay as it is written."""

    def __init__(self, pattern: str, md: Markdown, extension: MathExtension) -> None:
        super().__init__(pattern, md)
        self.extension = extension

    def handleMatch(  # noqa: N802  # Python-Markdown's name
        self, m: re.Match[str], data: str
    ) -> tuple[str, int, int]:
        self.extension.note(Fault(m[0], _MISPLACED))
        return "", m.start(0), m.end(0)


class _Block(BlockProcessor):  # type: ignore[misc]  # Markdown is untyped
    def __init__(self, parser: Any, extension: MathExtension) -> None:
        super().__init__(parser)
        self.extension = extension

    def test(self, parent: Element, block: str) -> bool:
        return _OPENING.search(block) is not None

    def run(self, parent: Element, blocks: list[str]) -> None:
        block = blocks.pop(0)
        opening, formula = _OPENING.search(block), _BLOCK.search(block)
        assert opening is not None  # see test
        if before := block[: opening.start()].rstrip("\n"):
            self.parser.parseBlocks(parent, [before])
        if formula is None or formula.start() != opening.start():
            self._misplaced(block[opening.start() :].strip(), blocks, parent.get(CELL, ""))
            return
        holder = SubElement(parent, "div", {"class": "lab-math"})
        element = SubElement(holder, _TAG, {"written": formula[0].strip(), "block": ""})
        element.text = AtomicString(formula[1].rstrip())
        if after := block[formula.end() :].lstrip("\n"):
            blocks.insert(0, after)

    def _misplaced(self, written: str, blocks: list[str], cell: str) -> None:
        """Note the fault, and drop what an empty line has cut off."""
        self.extension.note(Fault(written, _MISPLACED, cell=cell))
        if "$$" not in written.removeprefix("$$"):
            end = next((n for n, block in enumerate(blocks, 1) if "$$" in block), 0)
            del blocks[:end]


class _Formulas(Treeprocessor):  # type: ignore[misc]  # Markdown is untyped
    """Makes the formulas of a page, in its order, as they may refer to each other."""

    def __init__(self, md: Markdown, extension: MathExtension) -> None:
        super().__init__(md)
        self.extension = extension

    def run(self, root: Element) -> None:
        found = list(root.iter(_TAG))
        given = [element for element in root.iter() if CELL in element.attrib]
        cells = {formula: cell.get(CELL, "") for cell in given for formula in cell.iter(_TAG)}
        formulas = [Formula(element.text or "", "block" in element.attrib) for element in found]
        made = convert(formulas, self.extension.getConfig("prefix"))
        for element, result in zip(found, made, strict=True):
            written = element.attrib.pop("written")
            element.attrib.pop("block", None)
            element.tag = "math"
            if isinstance(result, MathError):
                self.extension.note(
                    Fault(written, str(result), result.line, cells.get(element, ""))
                )
                continue
            element.tag, element.text, element[:] = result.tag, result.text, result
            element.attrib.update(result.attrib)
