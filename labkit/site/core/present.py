"""Says what is no longer as it was when a tutorial ran.

A run's record comes from `deeds`, which notes in the kernel what the run did. `remember` makes
it last: it adds what is known outside the kernel.
"""

import ast
import hashlib
import os
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from . import kernel, state, versions
from .places import Places

# By these Python and the libraries that tutorials use let the environment change a result.
VARIABLES = (
    *("BLIS_", "JAX_", "KERAS_", "MKL_", "MPL", "NPY_", "NUMEXPR_", "OMP_", "OPENBLAS_"),
    *("PYTHONDEVMODE", "PYTHONHOME", "PYTHONINTMAXSTRDIGITS", "PYTHONIOENCODING"),
    *("PYTHONSAFEPATH", "PYTHONUTF8", "SKLEARN_", "TF_", "TZ", "VECLIB_", "XLA_"),
)
# The kernel is given these, whatever they are outside; LC_ALL overrules LANG and its like.
GIVEN = {*kernel.ENVIRONMENT, *kernel.REMOVED, "IPYTHONDIR", "TMPDIR"}


class Present:
    """The repository, the packages and the environment, each as when it was first asked for.

    Args:
        root: The repository's root.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.content = cache(lambda path: state.content(f"{root}/{path}"))
        self.kind = cache(lambda path: state.kind(f"{root}/{path}"))
        self.names = cache(lambda folder: state.names(f"{root}/{folder}"))
        self.found = cache(lambda folder, name: state.found(f"{root}/{folder}", name))
        self.meaning = cache(lambda path, content: _meaning(f"{root}/{path}", content))
        self.importable = cache(versions.importable)
        self.version = cache(versions.version)

    @cached_property
    def unknown(self) -> dict[str, Any]:
        """What takes the place of a run's report where its kernel could give none.

        It may have read any module of the repository; its other deeds are not known.
        """
        paths = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if not name.startswith(".")]
            paths += [os.path.join(folder, name) for name in names if name.endswith(".py")]
        places = Places(str(self.root))
        modules = [path for name in paths if (path := places.below(name))]
        others = ("files", "exists", "left", "folders", "made", "searched")
        lists = ("absent", "imported", "loaded", "variables")
        return {
            "modules": {path: self.content(path) for path in modules},
            **{deed: {} for deed in others},
            **{deed: [] for deed in lists},
        }

    def remember(self, report: dict[str, Any]) -> dict[str, Any]:
        """Return a run's record.

        Args:
            report: What the run did.
        """
        kept = ("files", "exists", "left", "folders", "made", "searched")
        modules = report["modules"].items()
        packages = versions.distributions([*report["loaded"], *report["imported"]])
        return {
            **{part: report[part] for part in kept},
            "modules": {path: [was, self.meaning(path, was)] for path, was in modules},
            "absent": [name for name in report["absent"] if not self.importable(name)],
            "packages": {name: self.version(name) for name in packages},
            "variables": environment(report["variables"]),
        }

    def changes(self, record: dict[str, Any]) -> Iterator[str]:
        """Yield in words what differs from a run's record."""
        yield from self._files(record)
        yield from self._folders(record)
        for name, was in record["packages"].items():
            if self.version(name) != was:
                yield f"{name} {was} is now {self.version(name)}"
        for name in record["absent"]:
            if self.importable(name):
                yield f"{name} can now be imported"
        was, now = record["variables"], environment(record["variables"])
        for name in sorted(was.keys() | now.keys()):
            if was.get(name, "") != now.get(name, ""):
                yield f"the environment's variable {name} has changed"

    def _files(self, record: dict[str, Any]) -> Iterator[str]:
        for path, was in record["files"].items():
            yield from _news(path, was, self.content(path))
        for path, (was, meaning) in record["modules"].items():
            now = self.content(path)
            if now != was and self.meaning(path, now) != meaning:
                yield from _news(path, was, now)
        for path, was in record["left"].items():
            if now := self.content(path):
                yield from _news(path, was, now)
        for path, was in record["exists"].items():
            yield from _news(path, was, self.kind(path))

    def _folders(self, record: dict[str, Any]) -> Iterator[str]:
        for folder, was in record["folders"].items():
            if state.others(self.names(folder), folder, record["made"]) != was:
                yield f"{folder}/ has new or missing files"
        for folder, results in record["searched"].items():
            for name, was in results.items():
                now = self.found(folder, name)
                if now != was:
                    path = f"{folder}/{now or was}".removeprefix("./")
                    yield f"{path} now exists" if now else f"{path} is missing"


def environment(asked: Iterable[str]) -> dict[str, str]:
    """Return digests of the environment's variables that can change a result.

    Args:
        asked: Those that the run itself has asked for.
    """
    names = {name for name in os.environ if name.startswith(VARIABLES)}.union(asked) - GIVEN
    values = {name: os.environ.get(name) for name in sorted(names)}
    return {name: "" if value is None else _digest(value) for name, value in values.items()}


def _news(path: str, was: str, now: str) -> Iterator[str]:
    if not now and was:
        yield f"{path} is missing"
    elif now != was:
        yield f"{path} has changed" if was else f"{path} now exists"


def _meaning(path: str, content: str) -> str:
    """Return a digest of a module's code without comments and blank lines.

    Of what is not Python, or holds no longer what it held, the meaning is its content.
    """
    try:
        text = Path(path).read_bytes()
        if hashlib.sha256(text).hexdigest() == content:
            return _digest(ast.dump(ast.parse(text)))
    except (OSError, SyntaxError, ValueError):
        pass
    return content


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
