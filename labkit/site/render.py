"""Cells as parts of a page: code, printed lines, tables, figures, values.

Everything is made as elements of Python-Markdown's tree, so that captions and prose go through
the site's own dialect, MkDocs resolves and checks every link, and ids stay unique. Links name
source files (`tutorials/neuron.py#boundary`), as an author would write them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement

import nbformat
import pygments
from markdown import Markdown
from markdown.util import AtomicString
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from labkit.site.book import Book, Cell, EmbedError
from labkit.site.figures import Figure

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TITLE = re.compile(r"^# +(.+)$", re.MULTILINE)
_SENTENCE = re.compile(r"(.+?[.!?])(?=\s|$)", re.DOTALL)
_TABLE = re.compile(r"<table.*?</table>", re.DOTALL)
_TABLE_ATTRIBUTES = re.compile(r' (?:border|class|style)="[^"]*"')
# Pygments marks every token; the theme gives these the color of plain text.
_PLAIN = re.compile(r'<span class="(?:n|p|w|nn|bp|py)">([^<]*)</span>')


class Page:
    """Makes the parts of one page.

    Args:
        md: The converter of the page, for highlighting and for raw HTML.
        link: Gives the path from the page's source to another file of the site.
        figures: How many figures stand above.
    """

    def __init__(self, md: Markdown, link: Callable[[str], str], figures: int = 0) -> None:
        self.md = md
        self.link = link
        self.figures = figures

    def figure(self, cell: Cell) -> Element:
        """The figures of a cell with their caption and its source, for a chapter."""
        if cell.state != "done":
            return self.waiting(cell)
        element = self._figure(cell)
        caption = element.find("figcaption")
        if caption is None:
            caption = SubElement(element, "figcaption")
        else:
            caption.text = f"{caption.text} "
        caption.append(self._source(cell))
        element.set("data-tutorial", cell.name)
        return element

    def code(self, cell: Cell) -> Element:
        """The code of a cell, for a chapter."""
        return self._embedded(cell, "lab-code", [self._code(cell)])

    def output(self, cell: Cell) -> Element:
        """What a cell printed or raised, for a chapter."""
        return self._results(cell, "output", "prints nothing")

    def table(self, cell: Cell) -> Element:
        """The table that a cell shows, for a chapter."""
        return self._results(cell, "table", "shows no table")

    def cell(self, cell: Cell) -> Element:
        """A whole cell: code, then everything it gave, for the tutorial's own page."""
        if cell.solution:
            element = Element("details", {"class": "success lab-cell", "id": cell.anchor})
            SubElement(element, "summary").text = "Solution"
        else:
            element = Element("div", {"class": "lab-cell", "id": cell.anchor})
        element.append(self._code(cell))
        if cell.state != "done":
            return element
        element.extend(part for _, part in self._outputs(cell))
        if cell.figures:
            element.append(self._figure(cell))
        return element

    def waiting(self, cell: Cell) -> Element:
        """What stands in the place of a result that is not there yet."""
        element = Element("p", {"class": f"lab-{cell.state}", "data-tutorial": cell.name})
        link = SubElement(element, "a", {"href": self._href(cell)})
        link.text = AtomicString(f"{cell.tutorial}.py")
        link.tail = (
            " is running. This page reloads itself when the results are there."
            if cell.state == "running"
            else " failed. The terminal says why; the page reloads when it runs again."
        )
        return element

    def gallery(self, book: Book) -> Element:
        """Every tutorial with a picture, a sentence and its run time."""
        gallery = Element("ul", {"class": "lab-gallery"})
        for name, notebook in book.notebooks.items():
            item = SubElement(gallery, "li")
            link = SubElement(item, "a", {"href": self.link(f"tutorials/{name}.py")})
            drawings = [
                (cell, cell.figures[0])
                for cell in book.cells(name)
                if cell.state == "done" and cell.figures
            ]
            frame = SubElement(link, "span", {"class": "lab-thumbnail"})
            if drawings:
                self._images(frame, *drawings[0], alt="")
            SubElement(link, "strong").text = title(notebook) or name
            SubElement(item, "p").text = description(notebook)
            facts = SubElement(item, "p", {"class": "lab-facts"})
            facts.text = f"{name}.py · {_ran(book, name)}"
        return gallery

    def downloads(self, book: Book, name: str) -> Element:
        """The line under a tutorial's title: run time and downloads."""
        element = Element("p", {"class": "lab-facts", "data-search-exclude": ""})
        parts: list[Element] = []
        for suffix in ("py", "ipynb"):
            target = self.link(f"tutorials/{name}/{name}.{suffix}")
            part = Element("a", {"href": target, "download": f"{name}.{suffix}"})
            part.text = f"{name}.{suffix}"
            parts.append(part)
        element.text = f"{_ran(book, name)} · "
        for part in parts:
            element.append(part)
            part.tail = " · "
        parts[-1].tail = None
        return element

    def record(self, book: Book, name: str) -> Element:
        """The line below a tutorial: when it ran, for how long and on which versions."""
        element = Element("p", {"class": "lab-facts", "data-search-exclude": ""})
        record = book.notebooks[name].metadata.get("labkit")
        if record is None:
            element.text = _ran(book, name).capitalize() + "."
            return element
        finished = datetime.fromisoformat(record["finished"])
        versions = ", ".join(
            f"{package} {version}" for package, version in record["versions"].items()
        )
        element.text = AtomicString(
            f"Ran in {_seconds(record['seconds'])} on {finished:%d %B %Y} with {versions}."
        )
        return element

    def _embedded(self, cell: Cell, kind: str, parts: list[Element]) -> Element:
        element = Element("div", {"class": kind, "data-tutorial": cell.name})
        element.extend(parts)
        source = SubElement(element, "p", {"class": "lab-caption"})
        source.append(self._source(cell))
        return element

    def _results(self, cell: Cell, kind: str, missing: str) -> Element:
        if cell.state != "done":
            return self.waiting(cell)
        parts = [part for found, part in self._outputs(cell) if found == kind]
        if not parts:
            raise EmbedError(f"the cell {cell.name} {missing}")
        return self._embedded(cell, f"lab-{kind}s", parts)

    def _href(self, cell: Cell) -> str:
        return self.link(f"tutorials/{cell.tutorial}.py") + f"#{cell.anchor}"

    def _source(self, cell: Cell) -> Element:
        link = Element("a", {"class": "lab-source", "href": self._href(cell)})
        link.text = AtomicString(f"{cell.tutorial}.py")
        return link

    def _code(self, cell: Cell) -> Element:
        return self._raw("div", _highlight(cell.node.source))

    def _raw(self, tag: str, markup: str, **attributes: str) -> Element:
        element = Element(tag, attributes)
        element.text = AtomicString(self.md.htmlStash.store(markup))
        return element

    def _outputs(self, cell: Cell) -> list[tuple[str, Element]]:
        """Return the printed and tabular outputs of a cell, each with its kind."""
        found: list[tuple[str, Element]] = []
        printed = ""
        for output in [*cell.node.get("outputs", ()), None]:
            if output is not None and output.output_type == "stream":
                printed += output.text if output.name == "stdout" else ""
                continue
            if printed.strip():
                found.append(("output", self._printed(printed)))
                printed = ""
            if output is None:
                break
            if output.output_type == "error":
                found.append(("output", self._error(output)))
                continue
            data = output.data
            if "image/svg+xml" in data:
                continue
            if table := _TABLE.search("".join(data.get("text/html", ""))):
                found.append(("table", self._table(table[0])))
            elif "text/plain" in data:
                found.append(("output", self._printed("".join(data["text/plain"]))))
        return found

    def _printed(self, text: str) -> Element:
        return self._raw(
            "pre", html.escape(_plain(text), quote=False), **{"class": "lab-output"}
        )

    def _error(self, output: NotebookNode) -> Element:
        name, message = html.escape(output.ename), html.escape(_plain(output.evalue))
        markup = f"<strong>{name}</strong>: {message}"
        return self._raw("pre", markup, **{"class": "lab-output lab-error"})

    def _table(self, markup: str) -> Element:
        return self._raw("div", _TABLE_ATTRIBUTES.sub("", markup), **{"class": "lab-table"})

    def _figure(self, cell: Cell) -> Element:
        element = Element("figure", {"class": "lab-figure"})
        drawings = cell.figures
        if not drawings:
            raise EmbedError(f"the cell {cell.name} draws no figure")
        for number, drawing in enumerate(drawings, 1):
            alt = cell.node.metadata["alt"]
            if len(drawings) > 1:
                alt = f"{alt} ({number} of {len(drawings)})"
            self._images(element, cell, drawing, alt)
        if caption := cell.node.metadata.get("caption"):
            SubElement(element, "figcaption").text = caption
        return element

    def _images(self, parent: Element, cell: Cell, drawing: Figure, alt: str) -> None:
        """Add the light and the dark drawing; a hidden lazy image is never fetched."""
        for scheme, suffix in (("light", ""), ("dark", "-dark")):
            path = f"tutorials/{cell.tutorial}/{drawing.name}{suffix}.svg"
            image = SubElement(parent, "img", {"src": f"{self.link(path)}#only-{scheme}"})
            image.set("alt", alt)
            image.set("width", str(drawing.width))
            image.set("height", str(drawing.height))
            if self.figures or scheme == "dark":
                image.set("loading", "lazy")
        self.figures += 1


EMBEDS: dict[str, Callable[[Page, Cell], Element]] = {
    "figure": Page.figure,
    "code": Page.code,
    "output": Page.output,
    "table": Page.table,
    "cell": Page.cell,
}
NOTES: dict[str, Callable[[Page, Book, str], Element]] = {
    "downloads": Page.downloads,
    "record": Page.record,
}


def value(book: Book, name: str, spec: str, link: Callable[[str], str]) -> Element:
    """Return a value within a line, linked to the cell that computed it.

    Raises:
        EmbedError: There is no such value, or the format does not fit it.
    """
    cell, number = book.value(name)
    try:
        text = "…" if number is None else format(number, spec)
    except (ValueError, TypeError) as error:
        raise EmbedError(
            f"{name} is {number!r}, which the format {spec!r} does not fit: {error}"
        ) from error
    href = link(f"tutorials/{cell.tutorial}.py") + f"#{cell.anchor}"
    element = Element("a", {"class": "lab-value", "href": href, "data-tutorial": name})
    element.text = AtomicString(text)
    return element


def markdown(notebook: NotebookNode, name: str) -> str:
    """Return a tutorial as one Markdown text in which each code cell is an embed."""
    parts = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            parts.append(cell.source)
        elif cell.cell_type == "code":
            parts.append(
                f"{{{{ cell {name}#{cell.metadata.get('label') or f'cell-{number}'} }}}}"
            )
    text = "\n\n".join(parts)
    heading = _TITLE.search(text)
    start = heading.end() if heading else 0
    return f"{text[:start]}\n\n{{{{ downloads {name} }}}}\n\n{text[start:]}\n\n{{{{ record {name} }}}}\n"


def title(notebook: NotebookNode) -> str:
    """Return a tutorial's title: its first heading."""
    heading = _TITLE.search(_prose(notebook))
    return heading[1].strip() if heading else ""


def description(notebook: NotebookNode) -> str:
    """Return the first sentence below a tutorial's title."""
    prose = _prose(notebook)
    heading = _TITLE.search(prose)
    sentence = _SENTENCE.match(prose[heading.end() if heading else 0 :].strip())
    return " ".join(sentence[1].split()) if sentence else ""


def _prose(notebook: NotebookNode) -> str:
    return "\n\n".join(
        cell.source for cell in notebook.cells if cell.cell_type == "markdown"
    )


def _ran(book: Book, name: str) -> str:
    state = book.state(name)
    if state == "done":
        record = book.notebooks[name].metadata["labkit"]
        return f"runs in {_seconds(record['seconds'])}"
    return "is running" if state == "running" else "failed"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def _plain(text: str) -> str:
    """Return printed text as a terminal would leave it: no colors, each line's last state."""
    lines = _ANSI.sub("", text).replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines).strip("\n")


def _highlight(source: str) -> str:
    """Return Python as the theme's code block, as fenced code in a chapter becomes."""
    markup = pygments.highlight(
        source.strip("\n"), PythonLexer(), HtmlFormatter(nowrap=True)
    )
    markup = _PLAIN.sub(r"\1", markup)
    return f'<div class="highlight"><pre><code>{markup}</code></pre></div>'


def files(book: Book) -> Iterator[tuple[str, str]]:
    """Yield each file that belongs to the tutorials, as its path on the site and its content."""
    for name, notebook in book.notebooks.items():
        yield f"tutorials/{name}/{name}.ipynb", nbformat.writes(notebook)
        for cell in book.cells(name):
            for drawing in cell.figures:
                yield f"tutorials/{name}/{drawing.name}.svg", drawing.svg
                yield f"tutorials/{name}/{drawing.name}-dark.svg", drawing.dark
