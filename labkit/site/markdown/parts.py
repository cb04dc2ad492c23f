"""The parts of a page: code, printed lines, tables, figures and values of one cell.

Everything is made as elements of Python-Markdown's tree, so that captions go through the
site's own dialect, MkDocs resolves and checks every link, and ids stay unique. Links name
source files (`../tutorials/foundations/neurons.py#boundary`), as an author would write them.
"""

import html
import re
from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element, SubElement

from bs4 import BeautifulSoup
from markdown import Markdown
from markdown.util import AtomicString
from nbformat import NotebookNode

from labkit.site.core import sanitize
from labkit.site.core.book import Cell, EmbedError
from labkit.site.core.figures import SUFFIXES, Figure
from labkit.site.core.terminal import settled, visible

from . import elements
from .colors import colored
from .context import Context
from .faults import CELL

MINUS = "\N{MINUS SIGN}"
_HYPHEN = re.compile(r"(?<![\w-])-(?=\.?\d|inf\b)")  # of a number, not of a date or a word
TABLE = "lab-table"  # the class of what holds a table, and scrolls where it is too wide
FROM = "data-from"  # the cell in whose tutorial the links below it hold; embed.py moves them


class Given(str):
    """Markup of what a cell gave or is; braces in it are no embeds."""

    __slots__ = ()


class Parts:
    """Makes the parts of one page.

    Args:
        md: The page's converter; it keeps raw HTML apart until the end.
        context: The page.
    """

    def __init__(self, md: Markdown, context: Context) -> None:
        self.md = md
        self.context = context
        self.book = context.book

    def figure(self, cell: Cell) -> Element:
        """Return the figures of a cell with their caption and where they come from."""
        if cell.state != "done":
            return self._waiting(cell, "lab-figure")
        element = self._figure(cell)
        element.set("data-tutorial", cell.name)
        caption = element.find("figcaption")
        if caption is None:
            caption = SubElement(element, "figcaption")
        else:
            caption.text = f"{caption.text} "
        caption.append(self._source(cell))
        return element

    def code(self, cell: Cell) -> Element:
        """Return the code of a cell."""
        if cell.state == "failed":
            return self._waiting(cell, "lab-code")
        return self._embedded(cell, "lab-code", [self._code(cell)])

    def output(self, cell: Cell) -> Element:
        """Return what a cell printed, showed as text or raised."""
        if cell.state != "done":
            return self._waiting(cell, "lab-outputs")
        parts = [part for part in self._outputs(cell) if part.get("class") != TABLE]
        if not parts:
            raise EmbedError(f"the cell {cell.name} prints nothing")
        return self._embedded(cell, "lab-outputs", parts)

    def table(self, cell: Cell) -> Element:
        """Return the tables that a cell shows."""
        if cell.state != "done":
            return self._waiting(cell, "lab-tables")
        parts = [
            self._raw("div", signed(table), TABLE)
            for output in cell.node.outputs
            for table in sanitize.tables(output.get("data", {}).get("text/html", ""))
        ]
        if not parts:
            raise EmbedError(f"the cell {cell.name} shows no table")
        caption = "" if cell.figures else cell.node.metadata.get("caption", "")
        return self._embedded(cell, "lab-tables", parts, caption)

    def cell(self, cell: Cell) -> Element:
        """Return a whole cell as its own page shows it: the code, then all that it gave."""
        if cell.is_solution:
            element = Element("details", {"class": "success lab-cell"})
            SubElement(element, "summary").text = "Solution"
        else:
            element = Element("div", {"class": "lab-cell"})
        if self.context.tutorial == cell.tutorial:  # elsewhere two tutorials may share a label
            element.set("id", cell.anchor)
        if cell.state != "done" or not cell.is_silent:
            element.append(self._code(cell))
        if cell.state == "done":
            element.extend(list(self._outputs(cell)))
            if cell.figures:
                element.append(self._figure(cell))
        return element

    def value(self, name: str, spec: str) -> Element:
        """Return a value within a line, linked to the cell that computed it.

        Raises:
            EmbedError: There is no such value, or the format does not fit it.
        """
        cell, value = self.book.value(name)
        if elements.is_data(value):
            raise EmbedError(
                f"{name} is data for an interactive figure. Expected a number or a text."
            )
        try:
            text = "…" if value is None else format(value, spec)
            if isinstance(value, int | float):
                text = text.replace("-", MINUS)
        except (ValueError, TypeError) as error:
            raise EmbedError(
                f"the format {spec!r} does not fit {name}, which is {value!r}: {error}"
            ) from error
        if not text.strip():
            raise EmbedError(f"{name} is an empty text, of which a reader would see nothing.")
        attributes = {"class": "lab-value", "href": self._href(cell), "data-tutorial": name}
        element = Element("a", attributes)
        element.text = AtomicString(settled(text))
        return element

    def _embedded(self, cell: Cell, kind: str, parts: list[Element], caption: str = "") -> Element:
        element = Element("div", {"class": kind, "data-tutorial": cell.name})
        element.extend(parts)
        below = SubElement(element, "p", {"class": "lab-caption"})
        if caption:
            below.attrib |= {FROM: cell.name, CELL: cell.where}
            below.text = f"{caption} "
        below.append(self._source(cell))
        return element

    def _waiting(self, cell: Cell, kind: str) -> Element:
        """Return what stands in for a part of a cell, which others may refer to all the same."""
        attributes = {"class": f"lab-waiting lab-{cell.state}", "data-tutorial": cell.name}
        element = Element("p", {**attributes, "data-waits": kind})
        source = self._source(cell)
        element.append(source)
        if cell.state == "running":
            source.tail = " is running. Its results appear here by themselves when they are there."
            return element
        source.tail = " failed. "
        reason = SubElement(element, "a", {"href": source.attrib["href"]})
        reason.text, reason.tail = "Its page says why", "."
        return element

    def _href(self, cell: Cell) -> str:
        path = self.context.source(cell.tutorial)
        return path if cell.state == "failed" else f"{path}#{cell.anchor}"

    def _source(self, cell: Cell) -> Element:
        link = Element("a", {"class": "lab-source", "href": self._href(cell)})
        link.text = AtomicString(f"{cell.tutorial}.py")
        return link

    def _code(self, cell: Cell) -> Element:
        """Return the code in its colors."""
        code = colored(visible(cell.node.source.strip("\n")))
        element = Element("pre", {"class": "highlight", "translate": "no"})
        element.text = AtomicString(self.md.htmlStash.store(Given(f"<code>{code}</code>")))
        return element

    def _raw(self, tag: str, markup: str, kind: str) -> Element:
        element = Element(tag, {"class": kind})
        element.text = AtomicString(self.md.htmlStash.store(Given(markup)))
        return element

    def _outputs(self, cell: Cell) -> Iterator[Element]:
        """Yield what a cell printed and showed, figures apart."""
        printed = ""
        for output in cell.node.outputs:
            data = output.get("data", {})
            if output.output_type == "stream":
                # What goes to stderr is for the author; it stays in the notebook.
                printed += output.text if output.name == "stdout" else ""
            elif list(data) == ["text/plain"]:
                printed += f"{data['text/plain']}\n"
            elif not SUFFIXES.keys() & data.keys():
                yield from self._printed(printed)
                printed = ""
                yield from self._shown(output, cell)
        yield from self._printed(printed)

    def _printed(self, text: str) -> Iterator[Element]:
        if text := text.strip("\n"):
            yield self._raw("pre", html.escape(text, quote=False), "lab-output")

    def _shown(self, output: NotebookNode, cell: Cell) -> Iterator[Element]:
        """Yield HTML, Markdown or a formula."""
        if markup := output.data.get("text/html"):
            yield from self._html(markup)
        elif formula := output.data.get("text/latex"):
            lines = [line for line in formula.strip().split("\n") if line.strip()]
            wrapped = lines if lines[0].startswith("$") else ["$$", *lines, "$$"]
            yield self._markdown("\n".join(wrapped), cell)
        else:
            yield self._markdown(output.data["text/markdown"], cell)

    def _html(self, markup: str) -> Iterator[Element]:
        markup = signed(markup)
        if sanitize.is_tables(markup):
            tables = sanitize.tables(markup)
            yield from (self._raw("div", table, TABLE) for table in tables)
        else:
            yield self._raw("div", sanitize.framed(markup, TABLE), "lab-html")

    def _markdown(self, text: str, cell: Cell) -> Element:
        """Return Markdown that a cell showed, in the page's own dialect."""
        if self.context.inside:
            raise EmbedError(f"the Markdown that {cell.name} shows would embed a cell's Markdown")
        attributes = {"class": "lab-markdown", FROM: cell.name, CELL: cell.where}
        element = Element("div", attributes)
        self.context.inside = cell.name
        try:
            lines = text.split("\n")
            for preprocessor in self.md.preprocessors:
                lines = preprocessor.run(lines)
            self.md.parser.parseChunk(element, "\n".join(lines))
        finally:
            self.context.inside = ""
        return element

    def _figure(self, cell: Cell) -> Element:
        drawings = cell.figures
        if not drawings:
            raise EmbedError(f"the cell {cell.name} draws no figure")
        element = Element("figure", {"class": "lab-figure"})
        for number, drawing in enumerate(drawings, 1):
            alt = cell.node.metadata["alt"]
            if len(drawings) > 1:
                alt = f"{alt} ({number} of {len(drawings)})"
            drawn = self.context.file(cell.tutorial, drawing.file)
            link = SubElement(element, "a", {"class": "lab-large", "href": drawn})
            self._images(link, cell, drawing, alt)
        if caption := cell.node.metadata.get("caption"):
            attributes = {FROM: cell.name, CELL: cell.where}
            SubElement(element, "figcaption", attributes).text = caption
        return element

    def _images(self, parent: Element, cell: Cell, drawing: Figure, alt: str) -> None:
        """Add a drawing and its dark twin, of which site.css shows one; or an image of pixels.

        Both are lazy, because only a lazy image that is not shown is not fetched.
        """
        files = {"lab-light": drawing.file, "lab-dark": f"{drawing.name}.dark.{drawing.suffix}"}
        if drawing.suffix != "svg":
            files = {"lab-pixels": drawing.file}
        for kind, file in files.items():
            attributes = {
                "class": f"lab-drawing {kind}",
                "src": self.context.file(cell.tutorial, file),
                "alt": alt,
                "width": str(drawing.width),
                "height": str(drawing.height),
                "loading": "lazy",
            }
            SubElement(parent, "img", attributes)


def signed(markup: str) -> str:
    """Return sanitized markup whose negative numbers in tables have a minus, not a hyphen."""
    soup = BeautifulSoup(markup, "html.parser")
    for cell in soup.find_all(["td", "th"]):
        for text in cell.find_all(string=_HYPHEN, recursive=False):
            text.replace_with(_HYPHEN.sub(MINUS, text))
    return str(soup)


# What a page can ask for of a cell.
EMBEDS: dict[str, Callable[[Parts, Cell], Element]] = {
    "figure": Parts.figure,
    "code": Parts.code,
    "output": Parts.output,
    "table": Parts.table,
    "cell": Parts.cell,
}
