"""Records what a run does with its repository; `present` says whether all of it is as it was.

Its text is executed inside the kernel, so it imports nothing but Python's own modules. Two
things are out of sight: what child processes read, and what compiled code opens without asking
Python, apart from SQLite and HDF5.
"""

import functools
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

from .deeds import Deeds

_recorders: list["Recorder"] = []


def start(root: str) -> None:
    """Record from now on.

    Args:
        root: The repository's root.
    """
    _recorders.append(Recorder(root))
    _recorders[-1].install()


def report() -> dict[str, Any]:
    """Return what the run has done since `start`, as JSON can hold it."""
    return _recorders[-1].report()


class Recorder:
    """Notices what one run does.

    Args:
        root: The repository's root.
    """

    def __init__(self, root: str) -> None:
        self.deeds = Deeds(root)
        self.thread = threading.local()

    def install(self) -> None:
        """Watch Python's audit events, and what raises none."""
        deeds = self.deeds
        handlers: dict[str, Callable[..., None]] = {
            "import": lambda module, path, *_: deeds.imports(path),
            "open": lambda path, mode, flags: deeds.opens(path, flags),
            "os.chdir": lambda path: deeds.places.forget(),
            "os.link": lambda source, target, *_: deeds.creates(target),
            "os.listdir": deeds.lists,
            "os.mkdir": lambda path, *_: deeds.creates(path),
            "os.remove": lambda path, *_: deeds.removes(path),
            "os.rename": lambda source, target, *_: deeds.renames(source, target),
            "os.scandir": deeds.lists,
            "os.symlink": lambda source, target, *_: deeds.creates(target),
            "os.system": lambda command: deeds.calls([command], None),
            "os.truncate": lambda path, length: deeds.opens(path, os.O_WRONLY),
            "shutil.rmtree": lambda path, *_: deeds.removes(path),
            "sqlite3.connect": deeds.connects,
            "subprocess.Popen": lambda program, words, folder, _: deeds.calls(words, folder),
        }

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event in handlers:
                self.note(handlers[event], *arguments)

        sys.addaudithook(hook)
        sys.meta_path.insert(0, self)  # asked before every finder, and never an answer
        for name in ("access", "lstat", "stat"):
            self.wrap(os, name, deeds.asks)
        self.watch_variables()

    def note(self, handler: Callable[..., None], *arguments: Any) -> None:
        """Note something that the run does, and nothing that this module does."""
        if not getattr(self.thread, "busy", False):
            self.thread.busy = True
            try:
                handler(*arguments)
            finally:
                self.thread.busy = False

    def wrap(self, module: ModuleType, name: str, handler: Callable[[Any], None]) -> None:
        """Note what a module's function is called with: its first argument."""
        function = getattr(module, name)

        @functools.wraps(function)
        def wrapper(path: Any, *arguments: Any, **options: Any) -> Any:
            self.note(handler, path)
            return function(path, *arguments, **options)

        setattr(module, name, wrapper)
        for functions in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
            if function in functions:  # where shutil looks them up
                functions.add(wrapper)

    def watch_variables(self) -> None:
        """Note which variables of the environment are asked for."""
        note, deeds = self.note, self.deeds
        mapping: Any = type(os.environ)

        class Environment(mapping):  # type: ignore[misc]  # the class has no public name
            def __getitem__(self, name: str) -> str:
                note(deeds.looks_up, name)
                return str(super().__getitem__(name))

            def __setitem__(self, name: str, value: str) -> None:
                deeds.assigned.add(name)
                super().__setitem__(name, value)

            def __iter__(self) -> Iterator[str]:
                note(deeds.copies)
                yield from super().__iter__()

        os.environ.__class__ = Environment

    def find_spec(self, module: str, folders: Iterable[str] | None = None, _: Any = None) -> None:
        """Note that a module is looked for: Python asks this before every import."""
        self.note(self.deeds.looks_for, module, folders)
        if module == "h5py._hl.files":  # which is about to use what opens files by itself
            self.wrap(sys.modules["h5py.h5f"], "open", self.deeds.opens_database)
            create = functools.partial(self.deeds.opens, flags=os.O_WRONLY | os.O_TRUNC)
            self.wrap(sys.modules["h5py.h5f"], "create", create)

    def report(self) -> dict[str, Any]:
        """Return what the run has done."""
        self.thread.busy = True
        return self.deeds.report()
