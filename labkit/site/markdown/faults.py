"""What is wrong on a page, and the line of the page's own file where it stands.

Python-Markdown keeps no lines. An extension therefore notes what was written, and its place
is looked up in the source once something is wrong.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from markdown.util import INLINE_PLACEHOLDER_RE

_FENCE = re.compile(r"[ #>]*(`{3,}|~{3,})")
_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
CELL = "data-cell"  # the file and line of the cell that gave an element; embed.py takes it off
_MARGIN = " \t#>"  # of a quotation, and of a text cell in a script


class Fault(NamedTuple):
    """Something wrong on a page.

    Attributes:
        written: What the author wrote, in full.
        why: What is wrong with it, and what to do.
        below: How many lines below its beginning the fault is.
        cell: The file and line of the cell that gave it, if it does not stand on the page.
    """

    written: str
    why: str
    below: int = 0
    cell: str = ""


def report(place: str, text: str, faults: Iterable[tuple[str, str] | Fault]) -> str:
    """Return what is wrong on a page, a line each: file, line, reason.

    What is not written in the file itself, but in a docstring that the page shows, has no line.

    Args:
        place: The page's file.
        text: Its text.
        faults: What is wrong; of things written alike, in the order of the page.
    """
    seen: Counter[str] = Counter()
    found = []
    for fault in faults:
        written, why, below, cell = Fault(*fault)
        if cell:
            found.append((0, f"{cell}: {why}"))
            continue
        lines = lines_of(text, written)
        alike = INLINE_PLACEHOLDER_RE.sub("{{", written)  # but for the number of what is set aside
        number = seen[alike]
        seen[alike] += 1
        line = lines[min(number, len(lines) - 1)] + below if lines else 0
        found.append((line, f"{place}:{line}: {why}" if line else f"{place}: {why}"))
    return "\n".join(dict.fromkeys(message for _, message in sorted(found)))


def lines_of(text: str, written: str) -> list[int]:
    """Return the lines, from 1, on which something begins in a page's source, outside code.

    Spaces and margins do not count: what is written in a list or a quotation is found, too. A
    value that Python-Markdown has already set aside stands for any braces.
    """
    characters: list[str] = []
    numbers: list[int] = []  # the line of each character
    for number, line in outside_code(text):
        visible = _bare(_CODE.sub("\0", line))
        characters.append(visible)
        numbers += [number] * len(visible)
    source, wanted = "".join(characters), "".join(map(_bare, written.split("\n")))
    around = INLINE_PLACEHOLDER_RE.split(wanted)[::2]  # what it splits at is a number, given, too
    pattern = r"\{\{[^}]*\}\}".join(map(re.escape, around))
    places = re.finditer(pattern, source) if wanted else ()
    return [numbers[place.start()] for place in places]


def outside_code(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a page's source, counted from 1, that stand in no fenced code."""
    fence = ""
    for number, line in enumerate(text.split("\n"), 1):
        opening = _FENCE.match(line)
        if fence:
            if opening and opening[1].startswith(fence):
                fence = ""
        elif opening:
            fence = opening[1]
        else:
            yield number, line


def _bare(line: str) -> str:
    return "".join(line.lstrip(_MARGIN).split())
