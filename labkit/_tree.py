"""Structures of arrays, as models take and return: one, or lists, tuples and dicts of them."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

_CONTAINERS = (dict, list, tuple)


def is_structure(value: Any) -> bool:
    """Return whether a value holds several arrays, rather than being one.

    A list of numbers is one array; a list of arrays or tensors is several.
    """
    if isinstance(value, dict):
        return True
    if not isinstance(value, list | tuple):
        return False
    return any(hasattr(item, "shape") or isinstance(item, dict) for item in value)


def flatten(value: Any) -> list[Any]:
    """Return what a structure holds, in order; a dict's values in the order of its sorted keys."""
    return list(_leaves(value)) if isinstance(value, _CONTAINERS) else [value]


def map_structure(function: Callable[[Any], Any], value: Any) -> Any:
    """Return the same structure with each leaf replaced by what a function makes of it."""
    if not isinstance(value, _CONTAINERS):
        return function(value)
    return pack(value, map(function, flatten(value)))


def pack(structure: Any, leaves: Iterable[Any]) -> Any:
    """Return a structure like another one, with these leaves, which `flatten` would yield."""
    if not isinstance(structure, _CONTAINERS):
        return next(iter(leaves))
    return _packed(structure, iter(leaves))


def _packed(value: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(value, dict):
        made = {key: _packed(value[key], leaves) for key in sorted(value)}
        return {key: made[key] for key in value}
    if isinstance(value, list | tuple):
        items = [_packed(item, leaves) for item in value]
        # A named tuple takes its fields one by one.
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return next(leaves)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key in sorted(value):
            yield from _leaves(value[key])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    else:
        yield value
