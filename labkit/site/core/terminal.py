"""Printed text as a terminal would show it: what programs write is also what moves a cursor.

A page has no terminal. Escape sequences and control characters must not reach it, and what
programs overwrite, such as a progress bar, would fill it.
"""

import re

# ECMA-48: strings that a terminal keeps to itself (OSC, DCS, SOS, PM, APC), control sequences
# (CSI), and all other escapes, the choice of a character set among them.
_ESCAPE = re.compile(
    r"(?:\x1b[P\]X^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c|(?=\n)|$)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|\x1b[ -/]*[0-~]"
)
_ERASE = re.compile(r"(?:\x1b\[|\x9b)[02]?K")  # a line, from the cursor on or whole
_ERASED = "\x1b"  # stands for it once all escapes are gone
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tab and the end of a line
_MOVES = re.compile(r"([\x08\r\x1b])")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{6,}(?=>|, )")


def settled(text: str) -> str:
    """Return text as it stands on a terminal in the end: no escapes, each line's last state.

    Addresses of objects are left out: they are others in each run, and tell a reader nothing.
    """
    text = _ADDRESS.sub("", text)
    if not _CONTROL.search(text):
        return text
    parts = _ERASE.split(text.replace("\r\n", "\n"))
    plain = _ERASED.join(_ESCAPE.sub("", part) for part in parts)
    return "\n".join(map(_line, plain.split("\n")))


def visible(code: str) -> str:
    """Return code with a sign for each control character, which HTML and Markdown forbid."""
    return _CONTROL.sub(lambda found: _sign(ord(found[0])), code)


def _sign(number: int) -> str:
    """Return Unicode's picture of a control character; the later ones have none."""
    return chr(0x2400 + number) if number < 0x20 else "\u2421" if number == 0x7F else "\ufffd"


def _line(text: str) -> str:
    """Return a line after all that was written over it."""
    shown: list[str] = []
    cursor = 0
    for part in _MOVES.split(text):
        if part == "\r":
            cursor = 0
        elif part == "\x08":
            cursor = max(0, cursor - 1)
        elif part == _ERASED:
            del shown[cursor:]
        else:
            part = _CONTROL.sub("", part)
            shown[cursor : cursor + len(part)] = part
            cursor += len(part)
    return "".join(shown)
