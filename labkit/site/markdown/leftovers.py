"""Braces that no one has replaced: an embed that was mistyped, or stands where none is read."""

import html
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from bs4 import BeautifulSoup
from bs4.element import NavigableString
from markdown import Markdown
from markdown.util import STX, AtomicString

from .parts import Given

_CODE = {"code", "math", "pre", "script", "style", "textarea"}


def leftovers(root: Element, md: Markdown) -> Iterator[tuple[str, str]]:
    """Yield what is left in braces on a page, as it was written, and what is wrong with it.

    Args:
        root: The page's tree, when all of it has been processed.
        md: Its converter, which keeps raw HTML apart.
    """
    for text in _texts(root):
        for written in _written(text):
            yield (
                written,
                f"{written} is no embed. Expected one such as {{{{ figure NAME#LABEL }}}} or "
                "{{ NAME#VALUE:.2f }}. Between backticks, braces stay as they are.",
            )
    for block in md.htmlStash.rawHtmlBlocks:
        if not isinstance(block, str) or isinstance(block, Given):
            continue
        if "{{" in block:
            for text in _raw_texts(block):
                for written in _written(text):
                    yield (
                        written,
                        f"{written} stands in raw HTML, where no Markdown is read. Give the "
                        'outermost tag the attribute `markdown="1"`, or write it as Markdown.',
                    )
        elif 'class="lab-value"' in block:
            value = html.unescape(block.partition('data-tutorial="')[2].partition('"')[0])
            yield (
                value,
                f"{{{{ {value} }}}} stands inside a tag of HTML, where it would be a link. "
                "Write the tag as Markdown, or the number elsewhere.",
            )


def _texts(element: Element) -> Iterator[str]:
    """Yield the texts and attributes of a tree that stand outside code."""
    if element.tag not in _CODE:
        yield from element.attrib.values()
        if element.text and not isinstance(element.text, AtomicString):
            yield element.text
        for child in element:
            yield from _texts(child)
            yield child.tail or ""


def _raw_texts(markup: str) -> Iterator[str]:
    """Yield the texts and attributes of raw HTML that stand outside code."""
    soup = BeautifulSoup(markup, "html.parser")
    for element in soup.find_all(True):
        yield from map(str, element.attrs.values())
    for text in soup.find_all(string=True):
        # A comment has a type of its own.
        if type(text) is NavigableString and not text.find_parent(_CODE):
            yield str(text)


def _written(text: str) -> Iterator[str]:
    """Yield each leftover in a text as it was written, as far as the text holds it."""
    for part in text.split("{{")[1:]:
        inner, closed, _ = part.partition("}}")
        inner, cut, _ = inner.partition(STX)  # what follows is no longer as it was written
        yield f"{{{{{inner}{'' if cut else closed}"
