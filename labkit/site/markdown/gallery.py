"""The list of all tutorials: by part, each with a picture, a sentence, its time and chapter."""

from xml.etree.ElementTree import Element, SubElement

from markdown.util import AtomicString

from .context import Context
from .frame import run_time
from .titles import summary


def gallery(context: Context) -> Element:
    """Return every tutorial, by the parts of the book in their order."""
    book = context.book
    whole = Element("div", {"class": "lab-tutorials"})
    for part, names in book.by_part().items():
        if part:
            SubElement(whole, "h2").text = part
        shown = SubElement(whole, "ul", {"class": "lab-gallery"})
        for name in names:
            shown.append(_item(context, name))
    return whole


def _item(context: Context, name: str) -> Element:
    book = context.book
    said = summary(book.notebook(name))
    item = Element("li")
    link = SubElement(item, "a", {"href": context.source(name)})
    frame = SubElement(link, "span", {"class": "lab-thumbnail"})
    for thumbnail in book.thumbnails(name):
        attributes = {
            "class": f"lab-{thumbnail.scheme}",
            "src": context.file(name, thumbnail.file),
            "alt": "",
            "width": str(thumbnail.width),
            "height": str(thumbnail.height),
            "loading": "lazy",
        }
        SubElement(frame, "img", attributes)
    SubElement(link, "strong").text = AtomicString(said.title or name)
    SubElement(item, "p").text = AtomicString(said.description)
    facts = SubElement(item, "p", {"class": "lab-facts"})
    facts.text = AtomicString(f"{name}.py · {run_time(context, name)}")
    if chapter := book.chapters.get(name):
        facts.text = AtomicString(f"{facts.text} · ")
        SubElement(facts, "a", {"href": context.link(chapter)}).text = "Read the chapter"
    return item
