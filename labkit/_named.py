"""How a string names a class, `"he_normal"` `HeNormal`, and a class its objects."""

import re
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def named(identifier: str | T, family: type[T], kinds: Sequence[type[T]], **others: type[T]) -> T:
    """Return a new object of the kind that a name stands for, or the object itself.

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
