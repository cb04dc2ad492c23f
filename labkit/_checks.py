"""How labkit says no: what was expected and what came, or which extra is missing."""

from importlib import import_module
from typing import Any


def expect(fits: Any, what: str, received: object) -> None:
    """Refuse what does not fit, in the one form that labkit's messages have.

    Raises:
        ValueError: `fits` is false.
    """
    if not fits:
        raise ValueError(f"{what}. Received: {received}")


def extra(module: str, name: str) -> Any:
    """Import a module of an optional package, or say which extra of labkit brings it."""
    try:
        return import_module(module)
    except ImportError as error:
        hint = f"is not installed. Install it: pip install 'labkit[{name}]'"
        message = f"labkit needs {module.partition('.')[0]} for this, which {hint}"
        raise ImportError(message, name=error.name) from error
