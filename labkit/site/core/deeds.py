"""What one run has done with its repository so far; `record` brings every deed here.

Its text is executed inside the kernel, so it imports nothing but Python's own modules. Paths
are those below the repository's root; what lies in a hidden folder or is installed does not
count.
"""

import contextlib
import os
import re
import sys
from collections.abc import Iterable
from importlib.util import source_from_cache
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

from .places import Places, asker, module, top
from .state import FOLDER, content, found, kind, names, others

# Their looking around in the folders of sys.path is no question of the tutorial's.
IMPORTERS = ("importlib", "importlib_metadata", "pkg_resources")
SHELL = re.compile(r"[\s|&;<>()'\"=]+")  # what stands between the words of a command
THROUGH = ("os", "collections")  # whose code looks up a variable for its caller


class ChangedInputError(Exception):
    """A tutorial changes what it has read."""


class Deeds:
    """What a run has read, asked, listed and made.

    Args:
        root: The repository's root.
    """

    def __init__(self, root: str) -> None:
        self.places = Places(root)
        self.below, self.at = self.places.below, self.places.at
        self.files: dict[str, str] = {}  # what was read: its content when first opened
        self.modules: dict[str, str] = {}  # the same of what was imported
        self.exists: dict[str, str] = {}  # what was there when the run asked
        self.folders: dict[str, list[str]] = {}  # the names in what it listed
        self.searched: dict[str, dict[str, str]] = {}  # by folder: a module, what was found
        self.made: set[str] = set()  # what it has created or overwritten
        self.appended: set[str] = set()  # what it has written without knowing what it held
        self.databases: dict[str, tuple[str, str]] = {}  # content and log when first opened
        self.variables: set[str] = set()  # that the repository's code has asked for
        self.assigned: set[str] = set()  # variables that the run has set
        self.wanted: set[str] = set()  # modules that the repository's code was first to want
        self.copying = 0, 0
        self.refused = ""
        self.loaded = {top(name) for name in sys.modules}
        self.bound = set(vars(sys.modules["__main__"]))

    def has_read(self, path: str) -> bool:
        """Say whether the run has read a file, or anything in a folder."""
        known = (*self.files, *self.modules)
        return path in known or any(name.startswith(f"{path}/") for name in known)

    def refuse(self, path: str) -> None:
        """Stop a run that changes its own input."""
        self.refused = (
            f"{path}: the tutorial changes what it has read, so that its next run would give "
            "something else. Write to another file."
        )
        raise ChangedInputError(self.refused)

    def opens(self, name: Any, flags: int) -> None:
        """Note a file that is opened, for reading or for writing."""
        importing = module(asker()) == "importlib"
        if importing and str(name).endswith(".pyc"):
            with contextlib.suppress(ValueError):  # it lies beside its source, or has none
                name = source_from_cache(name)
        path = self.below(name)
        if path is not None and flags & (os.O_WRONLY | os.O_RDWR):
            self.writes(path, flags)
        elif path is not None:
            self.reads(path, self.modules if importing else self.files)

    def reads(self, path: str, known: dict[str, str]) -> None:
        """Note what a file holds that is about to be read, or that there is none."""
        if path in self.appended:
            self.refuse(path)
        if path not in known and path not in self.made:
            state = content(self.at(path))
            if state not in ("", FOLDER):
                known[path] = state
            elif known is self.files:
                self.exists.setdefault(path, state)

    def writes(self, path: str, flags: int) -> None:
        """Note that a file's content becomes the run's own."""
        if path in self.made:
            return
        if self.has_read(path):
            self.refuse(path)
        exists = os.path.lexists(self.at(path))
        if exists and flags & os.O_EXCL:
            self.exists.setdefault(path, kind(self.at(path)))
        elif not exists or flags & os.O_TRUNC:
            self.made.add(path)
        elif flags & os.O_RDWR:
            self.opens_database(self.at(path))
        else:
            self.appended.add(path)

    def opens_database(self, name: Any) -> None:
        """Note a file that is read and may be written: at the end it must be as it was."""
        path = self.below(name)
        if path is None or path in self.made:
            return
        if kind(self.at(path)):
            self.reads(path, self.files)
            self.databases.setdefault(path, self.database(path))
        else:
            self.exists.setdefault(path, "")
            self.made.add(path)

    def database(self, path: str) -> tuple[str, str]:
        """Return the content of a database, and of SQLite's log of what is yet to enter it."""
        log = f"{self.at(path)}-wal"
        logged = os.path.isfile(log) and os.path.getsize(log) > 0
        return content(self.at(path)), content(log) if logged else ""

    def connects(self, name: Any) -> None:
        """Note a database of SQLite's, named by a path or a URI."""
        if isinstance(name, str) and name.startswith("file:"):
            uri = urlsplit(name)
            name = "" if "mode=memory" in uri.query else unquote(uri.path)
        if name and name != ":memory:":
            self.opens_database(name)

    def creates(self, name: Any) -> None:
        """Note a folder or a link that the run makes."""
        path = self.below(name)
        if path is not None and not os.path.lexists(self.at(path)):
            self.made.add(path)
        self.places.forget()  # a link may lead elsewhere

    def removes(self, name: Any) -> None:
        """Refuse to remove what the run has read."""
        path = self.below(name)
        if path is not None and path not in self.made and self.has_read(path):
            self.refuse(path)

    def renames(self, source: Any, target: Any) -> None:
        """Note a file or a folder that takes another's place."""
        old, new = self.below(source), self.below(target)
        if old is not None and old not in self.made:
            self.reads(old, self.files)  # it lives on under another name
        for path in (old, new):
            if path is not None and path not in self.made and self.has_read(path):
                self.refuse(path)
        if new is not None:
            inner = {path for path in self.made if path.startswith(f"{old}/")}
            self.made |= {new, *(new + path.removeprefix(str(old)) for path in inner)}
        self.places.forget()

    def lists(self, name: Any = None) -> None:
        """Note the names in a folder."""
        path = self.below("." if name is None else name)
        if path is not None and path not in self.folders and module(asker()) not in IMPORTERS:
            self.folders[path] = names(self.at(path))
            self.exists.setdefault(path, kind(self.at(path)))

    def asks(self, name: Any) -> None:
        """Note whether something exists."""
        path = self.below(name)
        known = path is None or path in self.exists or path in self.made
        if not known and module(asker()) not in (*IMPORTERS, "linecache"):
            self.exists[str(path)] = kind(self.at(str(path)))

    def imports(self, name: Any) -> None:
        """Note a compiled module."""
        path = self.below(name)
        if path is not None:
            self.reads(path, self.modules)

    def looks_for(self, module: str, folders: Iterable[str] | None) -> None:
        """Note what is found in each folder of the repository where a module may be."""
        if folders is None and self.places.holding(asker("importlib")):
            self.wanted.add(module)
        for folder in sys.path if folders is None else folders:
            path = self.below(folder or ".")
            if path is not None:
                name = module.rpartition(".")[2]
                results = self.searched.setdefault(path, {})
                if name not in results:
                    results[name] = found(self.at(path), name)
                if results[name] and not results[name].endswith("/"):
                    break

    def calls(self, words: Any, folder: Any) -> None:
        """Note the files that a program is called with."""
        for word in [words] if isinstance(words, (str, bytes)) else words:
            text = os.fsdecode(word)
            for part in {text, *SHELL.split(text)}:
                name = os.path.join(os.fsdecode(folder or "."), part)
                path = self.below(name)
                if path is not None and os.path.isfile(name):
                    self.reads(path, self.files)

    def looks_up(self, variable: str) -> None:
        """Note a variable that the repository's code asks for."""
        frame = asker(*THROUGH)
        copied = self.copying == (id(frame), frame.f_lasti)
        if not copied and variable not in self.assigned and self.places.holding(frame):
            self.variables.add(variable)

    def copies(self) -> None:
        """Note where all variables are copied: one instruction then looks each up."""
        frame = asker(*THROUGH)
        self.copying = id(frame), frame.f_lasti

    def report(self) -> dict[str, Any]:
        """Return everything, without what the run has made itself."""
        with contextlib.suppress(ChangedInputError):
            for path, state in self.databases.items():
                if self.database(path) != state:
                    self.refuse(path)
        left = {path: content(self.at(path)) for path in self.made if self.exists.get(path) == ""}
        left = {path: state for path, state in left.items() if state}
        made = {
            (os.path.dirname(path) or ".", os.path.basename(path).partition(".")[0])
            for path in self.made
        }
        return {
            "refused": self.refused,
            "files": self.files,
            "modules": self.modules,
            "exists": {path: was for path, was in self.exists.items() if path not in left},
            "left": left,
            "folders": {path: others(was, path, self.made) for path, was in self.folders.items()},
            "made": sorted(self.made),
            "searched": {
                folder: {name: was for name, was in results.items() if (folder, name) not in made}
                for folder, results in self.searched.items()
            },
            "variables": sorted(self.variables),
            "absent": sorted(self.wanted - sys.modules.keys()),
            "imported": sorted(self.foreign(self.named())),
            "loaded": sorted(self.foreign({top(name) for name in sys.modules} - self.loaded)),
        }

    def named(self) -> set[str]:
        """Return the modules to which the tutorial has names, itself or something of theirs."""
        used = set()
        for name, value in list(vars(sys.modules["__main__"]).items()):
            if name not in self.bound and not name.startswith("_"):
                attribute = "__name__" if isinstance(value, ModuleType) else "__module__"
                used.add(top(getattr(value, attribute, None) or ""))
        return used

    def foreign(self, names: set[str]) -> set[str]:
        """Return those of some top-level modules that were installed."""
        modules = {name: sys.modules.get(name) for name in names - sys.stdlib_module_names}
        return {name for name, module in modules.items() if module and not self.holds(module)}

    def holds(self, module: ModuleType) -> bool:
        """Say whether a module is the repository's."""
        places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
        return any(self.below(place) for place in places)
