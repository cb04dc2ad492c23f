"""How labkit imports what only some of its users need."""

from importlib import import_module
from typing import Any


def extra(module: str, name: str) -> Any:
    """Import a module of an optional package, or say which extra of labkit brings it."""
    try:
        return import_module(module)
    except ImportError as error:
        hint = f"is not installed. Install it: pip install 'labkit[{name}]'"
        message = f"labkit needs {module.partition('.')[0]} for this, which {hint}"
        raise ImportError(message, name=error.name) from error
