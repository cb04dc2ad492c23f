"""What stands under the title of a tutorial's page and at its end: facts about its run."""

import html
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement

from markdown.util import AtomicString

from labkit.site.core.book import anchor

from .context import Context
from .references import uses

# Packages whose own spelling is not that of the name under which they install.
_SPELLING = {
    "keras": "Keras",
    "matplotlib": "Matplotlib",
    "numpy": "NumPy",
    "python": "Python",
    "scipy": "SciPy",
    "tensorflow": "TensorFlow",
}


def head(context: Context) -> Element:
    """Return the line under a tutorial's title: run time and downloads, or why not."""
    name, book = context.tutorial, context.book
    state = book.state(name)
    if state != "done":
        failed = state == "failed"
        kind = "failure" if failed else "info"
        element = Element("div", {"class": f"admonition {kind} lab-{state}"})
        SubElement(element, "p", {"class": "admonition-title"}).text = (
            "This tutorial failed" if failed else "This tutorial is running"
        )
        message = "When it is mended, its results appear" if failed else "Its results appear"
        SubElement(element, "p").text = f"{message} here by themselves."
        if failed:
            reason = html.escape(book.messages.get(name, ""), quote=False)
            shown = SubElement(element, "pre", {"class": "lab-output lab-error"})
            shown.text = AtomicString(reason)
        return element
    element = Element("p", {"class": "lab-facts", "data-search-exclude": ""})
    element.text = AtomicString(f"{run_time(context, name)} · ".capitalize())
    for suffix in ("py", "ipynb"):
        file = f"{name}.{suffix}"
        link = SubElement(element, "a", {"href": context.file(name, file), "download": file})
        link.text = AtomicString(file)
        link.tail = " · "
    if book.colab:
        link = SubElement(element, "a", {"href": book.colab.address(book.place(name))})
        link.text = "Open in Colab"
    else:
        link.tail = None
    if any(cell.is_silent for cell in book.cells(name)):
        link.tail = " · with the code of every drawing"
    return element


def foot(context: Context) -> Element:
    """Return what stands below a tutorial: the API that it uses, and its run."""
    name, book = context.tutorial, context.book
    element = Element("div", {"class": "lab-foot", "data-search-exclude": ""})
    notebook = book.notebook(name)
    names = uses(notebook)
    if names:
        line = SubElement(element, "p")
        line.text = "Used here: "
        for identifier, number in names.items():
            attributes = {
                "identifier": identifier,
                "optional": "",
                "cell": anchor(notebook.cells[number], number),
                "backlink-type": "referenced-by",
            }
            reference = SubElement(line, "autoref", attributes)
            reference.text = AtomicString(identifier.removeprefix("labkit."))
            reference.tail = ", "
        reference.tail = "."
    if book.state(name) == "done":
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


def run_time(context: Context, name: str) -> str:
    """Say how long a tutorial runs, or why that is not known."""
    state = context.book.state(name)
    if state != "done":
        return state
    seconds = context.book.notebook(name).metadata["labkit"]["seconds"]
    return f"runs in {_seconds(seconds)}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
