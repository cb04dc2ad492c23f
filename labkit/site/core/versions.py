"""Which packages hold the modules that a run has loaded, and their versions."""

import importlib.metadata
import platform
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from typing import Any

MISSING = "missing"


def version(distribution: str) -> str:
    """Return the version of an installed package; `MISSING` if there is none."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return MISSING


def distributions(modules: Iterable[str]) -> list[str]:
    """Return the installed packages that hold these top-level modules, sorted."""
    return sorted({name for module in modules for name in _distributions().get(module, ())})


def shown(report: dict[str, Any]) -> dict[str, str]:
    """Return the versions of Python and of what a tutorial imports, for its reader.

    Args:
        report: What the run did, as `record.report` told it.
    """
    # TensorFlow comes with Keras, unnamed, and Keras's numbers are its numbers.
    modules = {*report["imported"], *{"tensorflow"}.intersection(report["loaded"])}
    packages = {name: version(name) for name in distributions(modules)}
    return {"python": platform.python_version(), **packages}


def importable(module: str) -> bool:
    """Say whether a top-level module can be imported, without doing it."""
    try:
        return find_spec(module) is not None
    except ValueError:  # it is loaded, by no finder
        return True


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())
