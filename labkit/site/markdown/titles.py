"""A page's title and the first sentence below it, taken from Markdown's tree.

The tree knows what a pattern over the text can only guess: a heading that is underlined, one
that has an id, a comment in a block of code that looks like a heading, a link by reference.
"""

import html
import re
from functools import lru_cache
from typing import NamedTuple
from xml.etree.ElementTree import Element

from bs4 import BeautifulSoup
from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from markdown.util import HTML_PLACEHOLDER_RE
from nbformat import NotebookNode

# What may stand at the beginning of a tutorial, besides Markdown's own.
_DIALECT = ("admonition", "attr_list", "def_list", "fenced_code", "md_in_html", "tables")
# A sentence ends before a space that no lower-case letter follows, and not behind an initial
# or an abbreviation.
_END = re.compile(r"(\S+?)[.!?][\"'”’)]*(?=\s+[^\sa-z]|\s*$)")
_SHORT = re.compile(r"[\"'“‘(]*([A-Z]|.*\.[A-Za-z]+|[Cc]f|[Dd]r|[Ee]qs?|[Ff]igs?|[Mm]rs?|vs)")


class Summary(NamedTuple):
    """What lists say of a page.

    Attributes:
        title: Its first heading of the first level, as plain text.
        description: The first sentence of the first paragraph below it, as plain text.
    """

    title: str
    description: str


class TitleExtension(Extension):  # type: ignore[misc]  # Markdown is untyped
    """Python-Markdown extension that reads off a page's title; `md.title`, `md.description`."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802  # Python-Markdown's name
        """Register after attr_list, which takes attributes off headings, and before toc."""
        md.treeprocessors.register(_Titles(md), "labkit-title", 7)


class _Titles(Treeprocessor):  # type: ignore[misc]  # Markdown is untyped
    def run(self, root: Element) -> None:
        summary = summarized(root, self.md)
        self.md.title, self.md.description = summary


def summary(notebook: NotebookNode) -> Summary:
    """Return the title and the description of a tutorial.

    They stand in its first cells of text; a link by reference is defined in the same cell.
    """
    prose: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type == "code" and any(prose):
            break
        prose.append(cell.source if cell.cell_type == "markdown" else "")
    return _summary("\n\n".join(prose))


def title(text: str) -> str:
    """Return a page's title from its Markdown; empty if it has no heading of the first level."""
    return _summary(text).title


@lru_cache(maxsize=1024)  # a list of tutorials asks for each at every build
def _summary(text: str) -> Summary:
    md = Markdown(extensions=[*_DIALECT, TitleExtension()])
    md.convert(text)
    return Summary(getattr(md, "title", ""), getattr(md, "description", ""))


def unwritten(text: str, name: str) -> str:
    """Return what stands in for a page of the reference until it is written.

    Args:
        text: What stands above the first object that the page documents.
        name: The page's title, if the text has none.
    """
    heading = "" if title(text) else f"# {name}\n\n"
    note = '!!! note "This page is being written"\n    It appears here by itself when it is there.'
    return f"{heading}{text}\n\n{note}\n"


def summarized(root: Element, md: Markdown) -> Summary:
    """Return what lists say of a page.

    Args:
        root: Its tree, when inline markup has been processed.
        md: Its converter, which keeps raw HTML apart.
    """
    heading = next(root.iter("h1"), None)
    title = _text(heading, md) if heading is not None else ""
    below = heading is None
    for element in root.iter():
        below = below or element is heading
        if below and element.tag == "p" and "class" not in element.attrib and _text(element, md):
            return Summary(title, first_sentence(_text(element, md)))
    return Summary(title, "")


def first_sentence(text: str) -> str:
    """Return the first sentence of a plain text."""
    for end in _END.finditer(text):
        if not _SHORT.fullmatch(end[1]):
            return text[: end.end()]
    return text


def _text(element: Element, md: Markdown) -> str:
    """Return an element's text without markup, on one line."""
    blocks = md.htmlStash.rawHtmlBlocks
    text = HTML_PLACEHOLDER_RE.sub(
        # Raw HTML, or a formula that has become MathML.
        lambda found: BeautifulSoup(str(blocks[int(found[1])]), "html.parser").get_text(),
        "".join(element.itertext()),
    )
    text = html.unescape(md.treeprocessors["unescape"].unescape(text))
    return " ".join(text.split())
