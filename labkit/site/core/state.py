"""Says in a word what is at a path now: alike in the kernel that records and where it is checked.

Its text is executed inside the kernel, so it imports nothing but Python's own modules.
"""

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterable
from importlib.machinery import all_suffixes

FOLDER = "folder"


def content(path: str) -> str:
    """Return a file's SHA-256, `FOLDER` for a folder, nothing for what is missing."""
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            return FOLDER
        if not stat.S_ISREG(mode):
            return "device"  # to read one might take forever
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
        return "" if missing else type(error).__name__


def kind(path: str) -> str:
    """Say what is at a path: `file`, `FOLDER` or nothing."""
    return FOLDER if os.path.isdir(path) else "file" if os.path.lexists(path) else ""


def names(folder: str) -> list[str]:
    """Return the names in a folder, sorted, those of folders with a slash; no hidden ones."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        listed = [entry.name + "/" * entry.is_dir() for entry in entries]
        return sorted(name for name in listed if not name.startswith((".", "__pycache__")))
    return []


def others(listed: Iterable[str], folder: str, made: Iterable[str]) -> str:
    """Return the SHA-256 of the names in a folder that a run has not itself put there."""
    own = {os.path.basename(path) for path in made if (os.path.dirname(path) or ".") == folder}
    left = [name for name in listed if name.rstrip("/") not in own]
    return hashlib.sha256("\n".join(left).encode("utf-8", "surrogateescape")).hexdigest()


def found(folder: str, name: str) -> str:
    """Return what an import of a name finds in a folder, looking in Python's order."""
    try:
        listed = os.listdir(folder)
    except OSError:
        return ""
    if not any(entry.partition(".")[0] == name for entry in listed):
        return ""  # as nearly always
    for stem in (f"{name}/__init__", name):
        for suffix in all_suffixes():
            if os.path.isfile(f"{folder}/{stem}{suffix}"):
                return stem + suffix
    return f"{name}/" if os.path.isdir(f"{folder}/{name}") else ""
