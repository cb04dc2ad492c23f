"""What an author may have meant by a name that does not exist."""

import difflib
from collections.abc import Iterable

SHOWN = 8  # more names than these help nobody


def suggestion(wanted: str, names: Iterable[str]) -> str:
    """Return a sentence that names the nearest of the names that exist, or the first few."""
    known = sorted(names)
    if near := difflib.get_close_matches(wanted, known, n=3):
        return f"Did you mean {' or '.join(map(repr, near))}?"
    if not known:
        return "There are none."
    rest = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return f"There are: {', '.join(known[:SHOWN])}{rest}."
