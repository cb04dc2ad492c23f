"""Notes the files that are read while a page is rendered: they are what it depends on.

Python reports each file that it opens to audit hooks, whoever opens it: an extension that
includes snippets, or one that reads a bibliography.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any

# Their versions stand for what is in them.
_INSTALLED = tuple({os.path.realpath(path) + os.sep for path in (sys.prefix, sys.base_prefix)})


@dataclass
class Reads:
    """What a block of code has read.

    Attributes:
        files: The absolute paths of the files, those of installed packages apart.
        elsewhere: Whether it asked another machine, whose answer may change at any time.
    """

    files: set[str] = field(default_factory=set)
    elsewhere: bool = False


_noted: ContextVar[Reads | None] = ContextVar("noted", default=None)  # each thread has its own


@contextlib.contextmanager
def noting() -> Iterator[Reads]:
    """Note what this thread reads."""
    _install()
    reads = Reads()
    token = _noted.set(reads)
    try:
        yield reads
    finally:
        _noted.reset(token)


@contextlib.contextmanager
def not_noting() -> Iterator[None]:
    """Note nothing: what is read here is known in another way."""
    token = _noted.set(None)
    try:
        yield
    finally:
        _noted.reset(token)


@cache
def _install() -> None:
    """Add the hook once; Python keeps it to the end."""
    sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" and event != "socket.connect":
        return
    reads = _noted.get()
    if reads is None:
        return
    if event == "socket.connect":
        reads.elsewhere = True
        return
    path, _, flags = arguments
    if isinstance(path, str | bytes | os.PathLike) and not flags & (os.O_WRONLY | os.O_RDWR):
        file = os.path.abspath(os.fsdecode(path))
        bytecode = file.endswith(".pyc")
        if not bytecode and not os.path.realpath(file).startswith(_INSTALLED):
            reads.files.add(file)
