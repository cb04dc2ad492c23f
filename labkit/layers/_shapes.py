"""Which inputs a layer's methods take, and the shapes of these."""

import inspect
import sys
from typing import Any

import numpy as np

from labkit._tensor import KerasTensor
from labkit._tree import map_structure


def positional(method: Any) -> Any:
    """Return how many positional arguments a method takes, without `self` and `training`."""
    taken = [*inspect.signature(method).parameters.values()][1:]
    if any(p.kind is p.VAR_POSITIONAL for p in taken):
        return sys.maxsize
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds and p.name != "training" for p in taken)


def mask_names(taken: list[str]) -> list[str]:
    """Return by which name a `call` takes the mask of each input; `""` where it takes none.

    Args:
        taken: The names of all arguments, `self` first.
    """
    names = [f"{name}_mask" if f"{name}_mask" in taken else "" for name in taken[1:]]
    return ["mask", *names[1:]] if "mask" in taken else names


def of_all(args: Any) -> list[Any]:
    """Return the shape, or the structure of shapes, of each argument."""
    return [
        map_structure(lambda array: None if array is None else array.shape, arg) for arg in args
    ]


def tensors(shape: Any, dtype: str) -> Any:
    """Return tensors of one or several shapes."""
    if all(size is None or isinstance(size, int | np.integer) for size in shape):
        return KerasTensor(shape, dtype)
    if isinstance(shape, dict):
        return {key: tensors(part, dtype) for key, part in shape.items()}
    return [tensors(part, dtype) for part in shape]


def called(layer: Any, args: Any, kwargs: Any) -> Any:
    """Call a layer."""
    return layer(*args, **kwargs)
