"""The table of what the tutorials prove: each claim with its measured values and its assertion."""

from pathlib import PurePosixPath
from xml.etree.ElementTree import Element, SubElement

from markdown.util import AtomicString

from labkit.site.core.book import EmbedError
from labkit.site.core.names import suggestion
from labkit.site.core.proofs import Proof, proofs

from .parts import Parts
from .titles import summary

_HEADS = ("Claim", "Measured", "Asserted")


def table(parts: Parts, part: str = "") -> Element:
    """Return the claims of every tutorial that makes some, in the order of the book.

    Args:
        parts: What makes elements of the page.
        part: The part of the book whose claims are shown; empty for the whole book.

    Raises:
        EmbedError: A claim stands on no value that readers can see, or no tutorial of the part
            makes one.
    """
    whole = Element("div", {"class": "lab-proofs"})
    book, context = parts.book, parts.context
    part_of = {name: PurePosixPath(book.place(name)).parent.name for name in book.notebooks}
    names = [name for name in book.notebooks if part in ("", part_of[name])]
    claims = {name: found for name in names if (found := proofs(book, name))}
    if part and not claims:
        raise EmbedError(
            f"expected a part of the book whose tutorials make claims. Received: {part!r}. "
            + suggestion(part, set(part_of.values()))
        )
    for name, found in claims.items():
        heading = SubElement(whole, "h2")
        source = book.chapters.get(name, f"{book.place(name)}.py")
        link = SubElement(heading, "a", {"href": context.link(source)})
        link.text = AtomicString(summary(book.notebook(name)).title or name)
        rows = SubElement(whole, "table")
        head = SubElement(SubElement(rows, "thead"), "tr")
        for title in _HEADS:
            SubElement(head, "th", {"scope": "col"}).text = title
        body = SubElement(rows, "tbody")
        for proof in found:
            body.append(_row(parts, proof))
    return whole


def _row(parts: Parts, proof: Proof) -> Element:
    row = Element("tr")
    SubElement(row, "td").text = AtomicString(proof.claim)
    measured = SubElement(row, "td")
    for number, name in enumerate(proof.names):
        if number:
            SubElement(measured, "br")
        SubElement(measured, "code").text = AtomicString(name)
        measured[-1].tail = " "
        value = parts.book.value(f"{proof.cell.tutorial}#{name}")[1]
        spec = ".3g" if isinstance(value, float) else ""
        measured.append(parts.value(f"{proof.cell.tutorial}#{name}", spec))
    asserted = SubElement(row, "td")
    SubElement(asserted, "code").text = AtomicString(proof.test)
    return row
