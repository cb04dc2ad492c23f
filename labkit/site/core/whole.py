"""Writes a file whole or not at all: who reads it meanwhile sees the old one or the new one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Move a file into its place when the block has ended without an error.

    Args:
        target: Its place; the folder exists.

    Yields:
        A path beside it, to be written.
    """
    beside = target.with_name(f".{target.name}-{os.urandom(4).hex()}")
    try:
        yield beside
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
