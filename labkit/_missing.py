"""What labkit leaves out of Keras, told in a sentence where a reader asks for it.

Keras lists the public names of each of its modules in a file, which is read instead of imported:
an import of Keras takes seconds.
"""

import re
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def left_out(module: str) -> Callable[[str], Any]:
    """Return the `__getattr__` of a module of labkit that has a counterpart in Keras.

    Modules hide it from type checkers, which would take it for a sign that any name exists.

    Args:
        module: The module's name, such as `"labkit.layers"`.
    """

    def get(name: str) -> Any:
        raise AttributeError(explained(module, name), name=name, obj=sys.modules.get(module))

    return get


def explained(module: str, name: str) -> str:
    """Return the message for a name that a module of labkit does not have."""
    plain = f"module {module!r} has no attribute {name!r}"
    if name.startswith("_"):  # Python's own questions, such as __path__
        return plain
    theirs = f"{module.replace('labkit', 'keras', 1)}.{name}"
    names = _names_in_keras(module)
    if names is None:
        return f"{plain}, but only what the book uses of Keras: if Keras has it, use {theirs}"
    if name not in names:
        return plain
    return f"labkit leaves out {name}, which the book does not use: use {theirs} instead"


def _names_in_keras(module: str) -> set[str] | None:
    """Return the public names of Keras's module; `None` without Keras."""
    spec = find_spec("keras")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0], *module.split(".")[1:])
    listed = folder / "__init__.py"
    text = listed.read_text(encoding="utf-8") if listed.is_file() else ""
    return set(re.findall(r"(\w+),?$", text, re.MULTILINE))  # each line ends with a name
