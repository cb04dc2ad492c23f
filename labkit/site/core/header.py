"""Reads what stands above a tutorial's first cell.

There it may say what its run needs:

    # ---
    # labkit: {memory: 2 GB, seconds: 120}
    # ---
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .cells import CellError

FENCE = "# ---"
KEYS = ("jupyter", "labkit")  # jupytext writes the first; it says nothing about the run
NEEDS = ("memory", "seconds")
MEMORY = re.compile(r"(\d+(?:\.\d+)?) ?(MB|GB)")
BYTES = {"MB": 10**6, "GB": 10**9}


@dataclass(frozen=True)
class Needs:
    """What a tutorial says that its run needs.

    Attributes:
        memory: Bytes, or None if it does not say.
        seconds: How long it may run, or None.
    """

    memory: int | None = None
    seconds: float | None = None


def read(text: str) -> tuple[int, Needs]:
    """Return how many lines stand above a script's first cell, and what they say.

    Raises:
        CellError: They cannot be read.
    """
    lines = text.split("\n")
    above = 0
    while above < len(lines) and _is_preamble(lines[above], above):
        above += 1
    if above == len(lines) or lines[above].rstrip() != FENCE:
        return above, Needs()
    end = above + 1
    while end < len(lines) and lines[end].startswith("#") and lines[end].rstrip() != FENCE:
        end += 1
    if end == len(lines) or lines[end].rstrip() != FENCE:
        raise CellError(above + 1, f"the header that begins here has no end. Add a line `{FENCE}`.")
    return end + 1, _needs(lines[above + 1 : end], above + 2)


def _is_preamble(line: str, number: int) -> bool:
    if number == 0 and line.startswith("#!"):
        return True
    return not line.strip() or (number < 2 and re.match(r"#.*coding[:=]", line) is not None)


def _needs(lines: list[str], start: int) -> Needs:
    import yaml  # few tutorials have a header

    source = "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines)
    try:
        tree = yaml.compose(source, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = start + (error.problem_mark.line if error.problem_mark else 0)
        raise CellError(line, f"the header is not valid YAML: {error.problem}.") from None
    found: dict[str, Any] = {}
    for name, value, _ in _entries(tree, start, KEYS):
        if name == "labkit":
            for need, given, line in _entries(value, start, NEEDS):
                read_one = _memory if need == "memory" else _seconds
                found[need] = read_one(str(given.value), line)
    return Needs(**found)


def _entries(node: Any, start: int, known: tuple[str, ...]) -> Iterator[tuple[str, Any, int]]:
    """Yield a mapping's keys with their values and lines."""
    seen = set[str]()
    for key, value in node.value if node is not None and node.id == "mapping" else [(node, None)]:
        line = start + (key.start_mark.line if key else 0)
        if value is None or key.value not in known or key.value in seen:
            given = "nothing" if key is None else repr(key.value)
            raise CellError(
                line, f"expected {' or '.join(known)}, each once, in the header. Received: {given}"
            )
        seen.add(key.value)
        yield key.value, value, line


def _memory(text: str, line: int) -> int:
    match = MEMORY.fullmatch(text)
    if not match or not float(match[1]):
        raise CellError(line, f"expected memory such as `500 MB` or `2 GB`. Received: {text!r}")
    return round(float(match[1]) * BYTES[match[2]])


def _seconds(text: str, line: int) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise CellError(line, f"expected seconds as a positive number. Received: {text!r}")
    return seconds
