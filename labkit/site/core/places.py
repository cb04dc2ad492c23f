"""Tells which paths and which code are the repository's, whatever name a run has for them.

Its text is executed inside the kernel, so it imports nothing but Python's own modules.
"""

import os
import sys
from types import FrameType
from typing import Any


class Places:
    """What lies below a repository's root, but not in a hidden folder, and is not installed.

    Args:
        root: The repository's root.
    """

    def __init__(self, root: str) -> None:
        self.root = os.path.realpath(root)
        installed = (sys.prefix, sys.base_prefix, "/proc", "/sys", "/dev")
        self.outside = tuple(p + os.sep for p in installed if not self.root.startswith(p + os.sep))
        self.paths: dict[str, str | None] = {}  # as the run names them: below the root

    def forget(self) -> None:
        """Look anew, as names may now lead elsewhere."""
        self.paths.clear()

    def below(self, name: Any) -> str | None:
        """Return a path as it is below the root, or None for one that does not count."""
        if not isinstance(name, str):
            if not isinstance(name, (bytes, os.PathLike)):
                return None  # a descriptor, or another function's event of this name
            name = os.fsdecode(name)
        if name.startswith(self.outside):
            return None
        if name not in self.paths:
            self.paths[name] = self._below(name)
        return self.paths[name]

    def _below(self, name: str) -> str | None:
        try:
            real = os.path.realpath(name)
            path = os.path.relpath(real, self.root).replace(os.sep, "/")
        except (OSError, ValueError):
            return None  # the run's own call will raise it
        hidden = any(part.startswith(".") and part != "." for part in path.split("/"))  # or `..`
        return None if hidden or "__pycache__" in path or real.startswith(self.outside) else path

    def at(self, path: str) -> str:
        """Return where a path is on the disk."""
        return f"{self.root}/{path}"

    def holding(self, frame: FrameType) -> str | None:
        """Return the file of the repository that holds the code of a frame."""
        name = frame.f_code.co_filename
        return None if name.startswith("<") else self.below(os.path.join(self.root, name))


def asker(*through: str) -> FrameType:
    """Return the frame that did something, beyond this package and the modules named."""
    frame = sys._getframe(1)
    while frame.f_back and (
        frame.f_globals.get("__package__") == __package__ or module(frame) in through
    ):
        frame = frame.f_back
    return frame


def module(frame: FrameType) -> str:
    """Return the top-level module of a frame's code."""
    return top(frame.f_globals.get("__name__") or "")


def top(name: str) -> str:
    """Return the first part of a dotted name."""
    return name.partition(".")[0]
