"""How labkit says no: what was expected and what came, or which extra is missing."""

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def expect(fits: Any, what: str, received: object) -> None:
    """Refuse what does not fit, in the one form that labkit's messages have.

    Raises:
        ValueError: `fits` is false.
    """
    if not fits:
        raise ValueError(f"{what}. Received: {received}")


def numbers(name: str, values: ArrayLike) -> NDArray[Any]:
    """Return an array of numbers, booleans among them; an array is returned as it is.

    Raises:
        TypeError: `values`, whom `name` stands for in the message, holds something else.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be numbers. Received: dtype={array.dtype}")
    return array


def extra(module: str, name: str) -> Any:
    """Import a module of an optional package, or say which extra of labkit brings it."""
    try:
        return import_module(module)
    except ImportError as error:
        hint = f"is not installed. Install it: pip install 'labkit[{name}]'"
        message = f"labkit needs {module.partition('.')[0]} for this, which {hint}"
        raise ImportError(message, name=error.name) from error
