r"""LaTeX to MathML: all formulas of a page at once, so that they can refer to each other.

math-core reads LaTeX and spaces what it writes as TeX does. What it writes in `style`
attributes, which the site's security policy forbids, becomes classes that the site's
stylesheet knows. Equations with a `\label` are numbered, and `\eqref` and `\ref` are links.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from html.entities import html5
from urllib.parse import unquote
from xml.etree.ElementTree import Element, XMLParser

from math_core import LatexError, LatexToMathML

# math-core has no \ref; \mathord is left around the link to tell it from one by \eqref.
_CONVERTER = LatexToMathML(fancy_error=False, macros={"ref": r"\mathord{\eqref{#1}}"})
_ERROR = re.compile(r"input(\d+):(\d+): (.*)", re.DOTALL)  # which formula, where, what
_ENTITIES = {name[:-1]: text for name, text in html5.items() if name.endswith(";")}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_COMMENT = re.compile(r"(?<!\\)(?:\\\\)*(%)")
_LABEL = re.compile(r"\\label\b")
_NUMBERED = re.compile(r"\s*\\begin\{(?:equation|align|gather|multline)\}")
_EQUATION = r"\begin{equation}", r"\end{equation}"
_COMBINING_ARROW = "\u20d7"  # which math-core writes for an arrow above a letter
_NUMBER = re.compile(r"\(\d+\)")

# What math-core styles, and the classes in site.css that do the same.
_CLASSES = {
    "text-align:left": "lab-left",
    "justify-items:start": "lab-left",
    "text-align:right": "lab-right",
    "justify-items:end": "lab-right",
    "padding-left:0": "lab-close-left",
    "padding-right:0": "lab-close-right",
    "padding-top:0": "lab-close-above",
    "padding-bottom:0": "lab-close-below",
    "padding-left:1em": "lab-apart",
    "padding-left:0.2222em": "lab-medium-left",
    "padding-right:0.2222em": "lab-medium-right",
    "padding-left:0.2778em": "lab-thick-left",
    "padding-right:0.2778em": "lab-thick-right",
    "width:100%": "lab-whole",
    "width:50%": "lab-half",
    "width:7.5%": "lab-inset",
    "margin-left:-0.16666667em": "lab-back",
    "border-top:0.05em solid currentcolor": "lab-line-above",
    "border-bottom:0.05em solid currentcolor": "lab-line-below",
    "border-left:0.05em solid currentcolor": "lab-line-left",
    "border-right:0.05em solid currentcolor": "lab-line-right",
}


@dataclass(frozen=True)
class Formula:
    """A formula as an author wrote it.

    Attributes:
        latex: The LaTeX between the dollars.
        block: Whether it stands on lines of its own.
    """

    latex: str
    block: bool = False


class MathError(ValueError):
    """A formula that cannot be rendered.

    Attributes:
        line: How many lines below the formula's first the fault is.
    """

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why)
        self.line = line

    @classmethod
    def at(cls, formula: Formula, offset: int, why: str) -> "MathError":
        """Return the error for a fault at an offset within a formula."""
        offset = max(0, min(offset, len(formula.latex)))
        above = formula.latex[:offset].split("\n")
        line = formula.latex.split("\n")[len(above) - 1]
        where = f'column {len(above[-1]) + 1} of "{line}"'
        return cls(f"cannot read the formula: {why} ({where})", len(above) - 1)


def convert(formulas: Sequence[Formula], prefix: str = "") -> list[Element | MathError]:
    r"""Return each formula's element, or what is wrong with it.

    The element is `<math>`, or `<a>` for a formula that is nothing but a reference.

    Args:
        formulas: The formulas of a page, in its order.
        prefix: What comes before the number of an equation, such as `3.` in a third chapter.
    """
    errors: dict[int, MathError] = {}
    snippets = []
    for index, formula in enumerate(formulas):
        if error := _misread(formula):
            errors[index] = error
        snippets.append(("" if error else _numbered(formula), formula.block))
    made = _convert(snippets, formulas, errors)
    labels: dict[str, int] = {}
    for index, root in enumerate(made):
        try:
            _restyle(root)
            for label in _number(root, prefix):
                if label in labels:
                    raise MathError(f"the label {label!r} is given to two equations")
                labels[label] = index
        except MathError as error:
            errors[index] = error
    for index, root in enumerate(made):
        try:
            _refer(root, list(labels), prefix)
        except MathError as error:
            errors.setdefault(index, error)
    return [errors.get(index, _unwrapped(root)) for index, root in enumerate(made)]


def _numbered(formula: Formula) -> str:
    """Return a formula's LaTeX, within an environment for a number if it is to get one."""
    if formula.block and _LABEL.search(formula.latex) and not _NUMBERED.match(formula.latex):
        return formula.latex.join(_EQUATION)
    return formula.latex


def _misread(formula: Formula) -> MathError | None:
    """Return what is wrong with a formula that math-core would accept as something else."""
    if not formula.latex.strip():
        return MathError("the formula is empty")
    if match := _CONTROL.search(formula.latex):
        return MathError.at(formula, match.start(), f"a control character, {match[0]!r}")
    if match := _COMMENT.search(formula.latex):
        why = r"% begins a comment, so that the rest would be lost. Write \%"
        return MathError.at(formula, match.start(1), why)
    return None


def _convert(
    snippets: list[tuple[str, bool]], formulas: Sequence[Formula], errors: dict[int, MathError]
) -> list[Element]:
    """Return the elements; one is empty, and its error noted, where LaTeX cannot be read."""
    while True:
        try:
            made = _CONVERTER.convert_all(snippets)
        except LatexError as error:
            match = _ERROR.fullmatch(str(error))
            if match is None:  # math-core says it in another way than it did
                raise MathError(str(error)) from error
            index, offset = int(match[1]), int(match[2])
            latex, block = snippets[index]
            added = len(_EQUATION[0]) if latex != formulas[index].latex else 0
            errors[index] = MathError.at(formulas[index], offset - added, match[3].rstrip("."))
            snippets[index] = "", block
        else:
            return list(_parse("".join(made)))


def _parse(markup: str) -> Element:
    """Return an element around the formulas; HTML's entities stand for their characters."""
    parser = XMLParser()
    parser.entity.update(_ENTITIES)
    parser.feed('<!DOCTYPE html SYSTEM "html">')  # elsewhere, so that its entities may be known
    parser.feed(f"<html>{markup}</html>")
    root: Element = parser.close()
    return root


def _restyle(root: Element) -> None:
    """Turn styles into classes.

    Raises:
        MathError: There is no class that does the same.
    """
    for element in root.iter():
        styles = element.attrib.pop("style", "").replace(": ", ":").strip(";")
        wanted = [*filter(None, styles.split(";")), *element.attrib.pop("class", "").split()]
        if unknown := [style for style in wanted if style not in _CLASSES]:
            raise MathError(
                f"the formula asks for {unknown[0]!r}, which the site's stylesheet does not offer. "
                "Write it without colors, negative spaces, strokes and changes of font"
            )
        if wanted:
            element.set("class", " ".join(dict.fromkeys(_CLASSES[style] for style in wanted)))
        if element.text == _COMBINING_ARROW:
            element.text = "→"  # browsers draw the other beside its letter


def _number(root: Element, prefix: str) -> Iterator[str]:
    """Put the prefix before an equation's numbers, and yield its labels."""
    for cell in root.iter("mtd"):
        if "lab-right" in cell.get("class", "") and len(cell) == 1 and cell[0].tag == "mtext":
            cell[0].text = _prefixed(cell[0].text, prefix)
            if "id" in cell.attrib:
                yield unquote(cell.attrib["id"])


def _refer(root: Element, labels: list[str], prefix: str) -> None:
    """Put the prefix before the numbers in references.

    Raises:
        MathError: There is no equation with such a label.
    """
    for element in root.iter():
        for index, child in enumerate(element):
            bare = child.tag == "mpadded" and len(child) == 1 and child[0].find("a") is not None
            link = (child[0] if bare else child).find("a") if child.tag != "a" else None
            if link is None:
                continue
            label = unquote(link.get("href", "")[1:])
            if label not in labels:
                near = get_close_matches(label, labels, 1) or labels
                known = f" Is it {near[0]!r}?" if near else " No equation here has a label."
                raise MathError(f"no equation on this page has the label {label!r}.{known}")
            link.text = _prefixed(link.text, prefix)
            if bare:
                link.text = link.text.strip("()")
                element[index] = child[0]


def _prefixed(number: str | None, prefix: str) -> str:
    number = number or ""
    return f"({prefix}{number[1:]}" if _NUMBER.fullmatch(number) else number  # else it is a \tag


def _unwrapped(root: Element) -> Element:
    """Return the link of a formula that is nothing else, as it is a word of the sentence."""
    alone = len(root) == 1 and root[0].tag == "mtext" and len(root[0]) == 1
    return root[0][0] if alone and root[0][0].tag == "a" else root
