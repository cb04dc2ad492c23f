"""What all modules share: names of types, errors in one form, and one stream of random numbers."""

import re
from collections.abc import Sequence
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating[Any]]
Shape = tuple[int | None, ...]
Sizes = tuple[int, ...]
T = TypeVar("T")

# Initializers, Dropout and shuffling draw from this stream alone. set_random_seed restarts it,
# so a script that sets a seed repeats exactly.
rng = np.random.default_rng()


def expect(fits: Any, what: str, received: object) -> None:
    """Raise an error in the one form that labkit's messages have, unless `fits` is true.

    Raises:
        ValueError: `fits` is false.
    """
    if not fits:
        raise ValueError(f"{what}. Received: {received}")


def numbers(name: str, values: ArrayLike) -> NDArray[Any]:
    """Return an array of numbers, booleans among them; an array is returned as it is.

    Raises:
        TypeError: `values`, which the message calls `name`, holds something else, or is a list
            whose rows have different lengths.
    """
    try:
        array = np.asarray(values)
    except ValueError:  # NumPy's "inhomogeneous shape"
        hint = "Pad or cut them, as utils.pad_sequences does"
        raise TypeError(f"{name} has rows of different lengths. {hint}.") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be numbers. Received: dtype={array.dtype}")
    return array


def extra(module: str, name: str) -> Any:
    """Import a module of an optional package, or say which extra of labkit brings it."""
    try:
        return import_module(module)
    except ImportError as error:
        message = f"This needs {module.partition('.')[0]}. In the clone: pip install '.[{name}]'"
        raise ImportError(message, name=error.name) from error


def named(identifier: str | T, family: type[T], kinds: Sequence[type[T]], **others: type[T]) -> T:
    """Return a new object of the class that a name stands for, or the object that was passed.

    Args:
        identifier: A name, in any case, with or without underscores; or an object.
        family: The base of all kinds.
        kinds: Classes that are known by their own names.
        **others: Classes that are known by another name.

    Raises:
        ValueError: The name is unknown, or the object is of another family.
    """
    if isinstance(identifier, family):
        return identifier
    known = {kind.__name__: kind for kind in kinds} | others
    for name, kind in known.items():
        if name.lower() == str(identifier).replace("_", "").lower():
            return kind()
    what = f"{family.__name__.lower()} {identifier!r}"
    raise ValueError(f"Unknown {what}. Known: {', '.join(known)}.")


def snake_case(name: str) -> str:
    """Return `max_pooling2d` for `MaxPooling2D`, as Keras does."""
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
