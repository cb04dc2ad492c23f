"""Punctuation stays with its formula, and a size such as 3 × 3 on one line.

A browser treats a formula as it treats an image: a line may end before it and behind it, even
between it and its comma. Text, code and links have no such places.
"""

import re
from xml.etree.ElementTree import Element

from markdown.treeprocessors import Treeprocessor
from markdown.util import ETX, HTML_PLACEHOLDER_RE, STX

# What the extension `smarty` puts in the stash of raw HTML, in place of straight quotes.
_QUOTES = {"&lsquo;": "‘", "&rsquo;": "’", "&ldquo;": "“", "&rdquo;": "”"}
_BEFORE = re.compile(r"[(\[“‘„«]+$")
# And what ends a word: the n-th, x’s. Python-Markdown's placeholders are no punctuation.
_AFTER = re.compile(r"(?:[^\s\w(\[“‘„«" + STX + ETX + r"]|\w{1,3}\b)+")

_TIMES = re.compile(r"(?<=\d) × (?=\d)")


class Punctuation(Treeprocessor):  # type: ignore[misc]  # Markdown is untyped
    """Puts a formula and what touches it into an element in which no line ends."""

    def run(self, root: Element) -> None:
        """Visit the tree; the formulas have been made."""
        for parent in list(root.iter()):
            if parent.text and parent.tag != "code":
                parent.text = _TIMES.sub("\xa0×\xa0", parent.text)
            if parent.tail:
                parent.tail = _TIMES.sub("\xa0×\xa0", parent.tail)
            for index, element in enumerate(parent):
                if _is_formula(element):
                    if index:
                        parent[index - 1].tail = self._quoted(parent[index - 1].tail)
                    else:
                        parent.text = self._quoted(parent.text)
                    element.tail = self._quoted(element.tail)
                    _join(parent, index)

    def _quoted(self, text: str | None) -> str:
        """Return a text with its quotes as characters."""

        def quote(placeholder: re.Match[str]) -> str:
            stashed = self.md.htmlStash.rawHtmlBlocks[int(placeholder[1])]
            return _QUOTES.get(stashed, placeholder[0])

        return str(HTML_PLACEHOLDER_RE.sub(quote, text or ""))


def _is_formula(element: Element) -> bool:
    """Return whether an element is a formula within a line, or nothing but emphasis of one."""
    if element.tag in {"a", "em", "strong"} and len(element) == 1 and not element.text:
        return _is_formula(element[0]) and not element[0].tail
    return element.tag == "math" and element.get("display") != "block"


def _join(parent: Element, index: int) -> None:
    formula = parent[index]
    text = (parent[index - 1].tail if index else parent.text) or ""
    before, after = _BEFORE.search(text), _AFTER.match(formula.tail or "")
    if not before and not after:
        return
    joined = Element("span", {"class": "lab-joined"})
    if before:
        joined.text, text = before[0], text[: before.start()]
        if index:
            parent[index - 1].tail = text
        else:
            parent.text = text
    tail = formula.tail or ""
    end = after.end() if after else 0
    joined.tail, formula.tail = tail[end:], tail[:end]
    joined.append(formula)
    parent[index] = joined
