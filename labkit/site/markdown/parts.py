"""The parts of a page: code, printed lines, tables, figures, values, and facts about a run.

Everything is made as elements of Python-Markdown's tree, so that captions go through the
site's own dialect, MkDocs resolves and checks every link, and ids stay unique. Links name
source files (`../tutorials/neuron.py#boundary`), as an author would write them.
"""

import html
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.util import AtomicString
from nbformat import NotebookNode

from labkit.site.core.book import Book, Cell, EmbedError, anchor
from labkit.site.core.figures import Figure

from . import elements
from .references import uses

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TITLE = re.compile(r"^# +(.+)$", re.MULTILINE)
_SENTENCE = re.compile(r".+?[.!?](?=\s|$)", re.DOTALL)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_TABLE = re.compile(r"<table.*?</table>", re.DOTALL)
_TABLE_ATTRIBUTES = re.compile(r' (?:border|class|halign|id|style)="[^"]*"')
_EMPTY_HEADER = re.compile(r"<th[^>]*>(?:&nbsp;|\s)*</th>")
_SETUP: dict[str, Any] = {"cell_type": "code", "id": "setup", "metadata": {}, "outputs": []}
# Packages whose own spelling is not that of the name under which they install.
_SPELLING = {
    "keras": "Keras",
    "matplotlib": "Matplotlib",
    "numpy": "NumPy",
    "python": "Python",
    "scipy": "SciPy",
    "tensorflow": "TensorFlow",
}


class Parts:
    """Makes the parts of one page.

    Args:
        md: The page's converter; it keeps raw HTML apart until the end.
        book: The tutorials.
        link: Gives the path from the page's source to another source file of the site.
    """

    def __init__(self, md: Markdown, book: Book, link: Callable[[str], str]) -> None:
        self.md = md
        self.book = book
        self.link = link

    def figure(self, cell: Cell) -> Element:
        """Return the figures of a cell with their caption and where they come from."""
        if cell.state != "done":
            return self._waiting(cell)
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
            return self._waiting(cell)
        return self._embedded(cell, "lab-code", [self._code(cell)])

    def output(self, cell: Cell) -> Element:
        """Return what a cell printed, showed as text or raised."""
        return self._results(cell, "output", "prints nothing")

    def table(self, cell: Cell) -> Element:
        """Return the tables that a cell shows."""
        return self._results(cell, "table", "shows no table")

    def cell(self, cell: Cell) -> Element:
        """Return a whole cell as its own page shows it: the code, then all that it gave."""
        if cell.is_solution:
            element = Element("details", {"class": "success lab-cell", "id": cell.anchor})
            SubElement(element, "summary").text = "Solution"
        else:
            element = Element("div", {"class": "lab-cell", "id": cell.anchor})
        if cell.state != "done" or not cell.is_silent:
            element.append(self._code(cell))
        if cell.state == "done":
            element.extend(part for _, part in self._outputs(cell))
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
                text = text.replace("-", "\N{MINUS SIGN}")
        except (ValueError, TypeError) as error:
            raise EmbedError(
                f"the format {spec!r} does not fit {name}, which is {value!r}: {error}"
            ) from error
        attributes = {"class": "lab-value", "href": self._href(cell), "data-tutorial": name}
        element = Element("a", attributes)
        element.text = AtomicString(text)
        return element

    def gallery(self, _: str) -> Element:
        """Return every tutorial with a picture, a sentence and its run time."""
        gallery = Element("ul", {"class": "lab-gallery"})
        for name in self.book.notebooks:
            notebook = self.book.notebook(name)
            item = SubElement(gallery, "li")
            link = SubElement(item, "a", {"href": self.link(f"{self.book.place(name)}.py")})
            frame = SubElement(link, "span", {"class": "lab-thumbnail"})
            drawn = [cell for cell in self.book.cells(name) if cell.figures]
            if drawn:
                self._images(frame, drawn[0], drawn[0].figures[0], alt="")
            SubElement(link, "strong").text = title(notebook) or name
            SubElement(item, "p").text = description(notebook)
            facts = SubElement(item, "p", {"class": "lab-facts"})
            facts.text = AtomicString(f"{name}.py · {self._time(name)}")
        return gallery

    def head(self, name: str) -> Element:
        """Return the line under a tutorial's title: run time and downloads, or why not."""
        state = self.book.state(name)
        if state != "done":
            element = Element("div", {"class": f"admonition lab-{state}"})
            SubElement(element, "p", {"class": "admonition-title"}).text = (
                "This tutorial is running" if state == "running" else "This tutorial failed"
            )
            message = "Its results appear here by themselves when they are there."
            SubElement(element, "p").text = message
            if state == "failed":
                reason = html.escape(self.book.messages.get(name, ""), quote=False)
                element.append(self._raw("pre", reason, "lab-output lab-error"))
            return element
        element = Element("p", {"class": "lab-facts", "data-search-exclude": ""})
        element.text = AtomicString(f"{self._time(name)} · ".capitalize())
        links = {
            suffix: self.link(f"{self.book.place(name)}/{name}.{suffix}")
            for suffix in ("py", "ipynb")
        }
        for suffix, target in links.items():
            file = f"{name}.{suffix}"
            link = SubElement(element, "a", {"href": target, "download": file})
            link.text = AtomicString(file)
            link.tail = " · "
        if self.book.colab:
            link = SubElement(
                element, "a", {"href": self.book.colab.address(self.book.place(name))}
            )
            link.text = "Open in Colab"
        else:
            link.tail = None
        if any(cell.is_silent for cell in self.book.cells(name)):
            link.tail = " · with the code of every drawing"
        return element

    def foot(self, name: str) -> Element:
        """Return what stands below a tutorial: the API that it uses, and its run."""
        element = Element("div", {"class": "lab-foot", "data-search-exclude": ""})
        notebook = self.book.notebook(name)
        names = uses(notebook)
        if names:
            line = SubElement(element, "p")
            line.text = "Used here: "
            for identifier, number in names.items():
                cell = anchor(notebook.cells[number], number)
                attributes = {
                    "identifier": identifier,
                    "optional": "",
                    "cell": cell,
                    "backlink-type": "referenced-by",
                }
                reference = SubElement(line, "autoref", attributes)
                reference.text = AtomicString(identifier.removeprefix("labkit."))
                reference.tail = ", "
            reference.tail = "."
        if self.book.state(name) == "done":
            record = notebook.metadata["labkit"]
            finished = datetime.fromisoformat(record["finished"])
            versions = [
                f"{_SPELLING.get(package, package)} {version}"
                for package, version in record["versions"].items()
            ]
            SubElement(element, "p").text = AtomicString(
                f"Ran in {_seconds(record['seconds'])} on {finished.day} "
                f"{finished:%B %Y} with {_listed(versions)}."
            )
        return element

    def _embedded(self, cell: Cell, kind: str, parts: list[Element]) -> Element:
        element = Element("div", {"class": kind, "data-tutorial": cell.name})
        element.extend(parts)
        SubElement(element, "p", {"class": "lab-caption"}).append(self._source(cell))
        return element

    def _results(self, cell: Cell, kind: str, missing: str) -> Element:
        if cell.state != "done":
            return self._waiting(cell)
        parts = [part for found, part in self._outputs(cell) if found == kind]
        if not parts:
            raise EmbedError(f"the cell {cell.name} {missing}")
        return self._embedded(cell, f"lab-{kind}s", parts)

    def _waiting(self, cell: Cell) -> Element:
        attributes = {"class": f"lab-waiting lab-{cell.state}", "data-tutorial": cell.name}
        element = Element("p", attributes)
        element.append(self._source(cell))
        element[-1].tail = (
            " is running. Its results appear here by themselves when they are there."
            if cell.state == "running"
            else " failed. Its page says why."
        )
        return element

    def _href(self, cell: Cell) -> str:
        path = self.link(f"{self.book.place(cell.tutorial)}.py")
        return path if cell.state == "failed" else f"{path}#{cell.anchor}"

    def _source(self, cell: Cell) -> Element:
        link = Element("a", {"class": "lab-source", "href": self._href(cell)})
        link.text = AtomicString(f"{cell.tutorial}.py")
        return link

    def _code(self, cell: Cell) -> Element:
        """Return the code; site.js colors it, as marks would make a page half as large again."""
        code = html.escape(cell.node.source.strip("\n"), quote=False)
        element = Element("pre")
        element.text = AtomicString(self.md.htmlStash.store(f"<code>{code}</code>"))
        return element

    def _raw(self, tag: str, markup: str, kind: str) -> Element:
        element = Element(tag, {"class": kind})
        element.text = AtomicString(self.md.htmlStash.store(markup))
        return element

    def _outputs(self, cell: Cell) -> list[tuple[str, Element]]:
        """Return what a cell printed and showed, figures apart, each with its kind."""
        found: list[tuple[str, Element]] = []
        printed = ""

        def flush() -> None:
            nonlocal printed
            if text := _settled(printed):
                markup = html.escape(text, quote=False)
                found.append(("output", self._raw("pre", markup, "lab-output")))
            printed = ""

        for output in cell.node.outputs:
            if output.output_type == "stream":
                # What goes to stderr is for the author; it stays in the notebook.
                printed += output.text if output.name == "stdout" else ""
            elif output.output_type == "error":
                flush()
                found.append(("output", self._error(output)))
            elif "image/svg+xml" not in output.data:
                if table := _TABLE.search("".join(output.data.get("text/html", ""))):
                    flush()
                    found.append(("table", self._table(table[0])))
                else:
                    printed += "".join(output.data.get("text/plain", "")) + "\n"
        flush()
        return found

    def _table(self, markup: str) -> Element:
        markup = _EMPTY_HEADER.sub("<td></td>", _TABLE_ATTRIBUTES.sub("", markup))
        return self._raw("div", re.sub(r">\s+<", "><", markup.replace(" >", ">")), "lab-table")

    def _error(self, output: NotebookNode) -> Element:
        message = html.escape(_settled(output.evalue), quote=False)
        markup = f"<strong>{html.escape(output.ename)}</strong>: {message}"
        return self._raw("pre", markup, "lab-output lab-error")

    def _figure(self, cell: Cell) -> Element:
        drawings = cell.figures
        if not drawings:
            raise EmbedError(f"the cell {cell.name} draws no figure")
        element = Element("figure", {"class": "lab-figure"})
        for number, drawing in enumerate(drawings, 1):
            alt = cell.node.metadata["alt"]
            if len(drawings) > 1:
                alt = f"{alt} ({number} of {len(drawings)})"
            drawn = self.link(f"{self.book.place(cell.tutorial)}/{drawing.name}.svg")
            link = SubElement(element, "a", {"class": "lab-large", "href": drawn})
            self._images(link, cell, drawing, alt)
        if caption := cell.node.metadata.get("caption"):
            SubElement(element, "figcaption").text = caption
        return element

    def _images(self, parent: Element, cell: Cell, drawing: Figure, alt: str) -> None:
        """Add a drawing and its dark twin; site.css shows one of them.

        Both are lazy, because only a lazy image that is not shown is not fetched.
        """
        for scheme, suffix in (("light", ".svg"), ("dark", ".dark.svg")):
            attributes = {
                "class": f"lab-drawing lab-{scheme}",
                "src": self.link(f"{self.book.place(cell.tutorial)}/{drawing.name}{suffix}"),
                "alt": alt,
                "width": str(drawing.width),
                "height": str(drawing.height),
                "loading": "lazy",
            }
            SubElement(parent, "img", attributes)

    def _time(self, name: str) -> str:
        state = self.book.state(name)
        if state != "done":
            return state
        return f"runs in {_seconds(self.book.notebook(name).metadata['labkit']['seconds'])}"


# What a page can ask for: of a cell by its name, and of a tutorial as a whole.
EMBEDS: dict[str, Callable[[Parts, Cell], Element]] = {
    "figure": Parts.figure,
    "code": Parts.code,
    "output": Parts.output,
    "table": Parts.table,
    "cell": Parts.cell,
}
PARTS: dict[str, Callable[[Parts, str], Element]] = {
    "tutorials": Parts.gallery,
    "head": Parts.head,
    "foot": Parts.foot,
}


def framed(text: str, name: str) -> str:
    """Return a tutorial's Markdown with what stands under its title, and at its end."""
    heading = _TITLE.search(text)
    start = heading.end() if heading else 0
    head, foot = f"{{{{ head {name} }}}}", f"{{{{ foot {name} }}}}"
    return f"{text[:start]}\n\n{head}\n\n{text[start:]}\n\n{foot}\n"


def unwritten(text: str, title: str) -> str:
    """Return what stands in for a page of the reference until it is written.

    Args:
        text: What stands above the first object that the page documents.
        title: The page's title.
    """
    heading = "" if _TITLE.search(text) else f"# {title}\n\n"
    note = '!!! note "This page is being written"\n    It appears here by itself when it is there.'
    return f"{heading}{text}\n\n{note}\n"


def title(notebook: NotebookNode) -> str:
    """Return a tutorial's title: its first heading."""
    heading = _TITLE.search(_prose(notebook))
    return heading[1].strip() if heading else ""


def description(notebook: NotebookNode) -> str:
    """Return the first sentence below a tutorial's title, as plain text."""
    prose = _prose(notebook)
    heading = _TITLE.search(prose)
    sentence = _SENTENCE.match(prose[heading.end() if heading else 0 :].strip())
    if sentence is None:
        return ""
    return " ".join(_LINK.sub(r"\1", sentence[0]).replace("`", "").replace("*", "").split())


def files(book: Book, name: str) -> Iterator[tuple[str, str]]:
    """Yield the path on the site and the content of each file that a tutorial gives.

    Raises:
        EmbedError: A figure has no alternative text.
    """
    notebook = book.notebook(name)
    setup = book.colab.setup if book.colab else ""
    yield f"{book.place(name)}/{name}.ipynb", published(notebook, setup)
    for cell in book.cells(name):
        for drawing in cell.figures:
            yield f"{book.place(name)}/{drawing.name}.svg", drawing.svg
            yield f"{book.place(name)}/{drawing.name}.dark.svg", drawing.dark
    yield from elements.files(book, name)


def published(notebook: NotebookNode, setup: str = "") -> str:
    """Return a notebook's file, without what only this package understands of its metadata.

    Args:
        notebook: The executed notebook.
        setup: Code to put below the title.
    """
    private = {"line", "values", "outcome"}
    cells = [
        {**cell, "metadata": {k: v for k, v in cell.metadata.items() if k not in private}}
        for cell in notebook.cells
    ]
    if setup:
        cells.insert(1, _SETUP | {"execution_count": None, "source": setup})
    # nbformat's own writer puts each line of a drawing on a line, which takes ten times as long.
    return json.dumps({**notebook, "cells": cells}, ensure_ascii=False)


def _prose(notebook: NotebookNode) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _settled(text: str) -> str:
    """Return printed text as a terminal leaves it: no colors, each line's last state."""
    lines = _ANSI.sub("", text).replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines).strip("\n")
