"""Layers with several inputs or outputs, called and sent back without `Layer.__call__`."""

import inspect
from typing import Any

import numpy as np

from labkit import layers


def called(layer: layers.Layer, *inputs: Any, **options: Any) -> Any:
    """Build a layer for its inputs, and call it as such: `Layer.__call__` has no part in it."""
    if not layer.built:
        shapes = [
            [np.shape(x) for x in given] if isinstance(given, list) else np.shape(given)
            for given in inputs
        ]
        inspect.unwrap(type(layer).build)(layer, *shapes)
        layer.built = True
    return layer.call(*inputs, **options)


def sent_back(layer: layers.Layer, dy: Any) -> Any:
    """Return what the layer's own `backward` returns."""
    return inspect.unwrap(type(layer).backward)(layer, dy)


def flat(structure: Any) -> list[Any]:
    """Return the arrays in lists and tuples."""
    if isinstance(structure, list | tuple):
        return [array for part in structure for array in flat(part)]
    return [] if structure is None else [structure]
