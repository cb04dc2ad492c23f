"""Weight files: `.npz` for labkit alone, `.weights.h5` for Keras as well.

Both hold the same paths, those of Keras 3, such as `layers/dense_1/vars/0`: layers are
counted by class, and their own names do not matter.
"""

import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from labkit._common import Array, expect, extra, snake_case
from labkit.layers import GRU, LSTM, Layer, MultiHeadAttention, SimpleRNN
from labkit.layers.layer import numbered


def save(model: Layer, filepath: str | os.PathLike[str]) -> None:
    """Write all weights to a temporary file beside `filepath`, and move it there."""
    path, weights = _checked(model, filepath)
    temporary = path.with_name(f".{path.name}-{os.urandom(4).hex()}{path.suffix}")
    try:
        with temporary.open("xb") as file:
            if path.suffix == ".npz":
                np.savez(file, allow_pickle=False, **weights)
            else:
                with extra("h5py", "weights").File(file, "w") as store:
                    store.update(weights)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def load(model: Layer, filepath: str | os.PathLike[str]) -> None:
    """Read all weights and check them; only then change the model."""
    path, weights = _checked(model, filepath)
    if not path.is_file():
        raise FileNotFoundError(f"There is no weight file {path}.")
    try:
        found = {name: np.asarray(array, np.float64) for name, array in _read(path).items()}
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is damaged, or not a weight file: {error}") from error
    expected, received = ({(name, a.shape) for name, a in d.items()} for d in (weights, found))
    missing, surplus = sorted(expected - received), sorted(received - expected)
    expect(not missing + surplus, f"{path} differs from {model.name}. Expected: {missing}", surplus)
    for name, weight in weights.items():
        weight[...] = found[name]


def _checked(model: Layer, filepath: str | os.PathLike[str]) -> tuple[Path, dict[str, Array]]:
    """Return the path, and the model's weights by their paths in the file."""
    path = Path(filepath)
    known = path.name.endswith((".npz", ".weights.h5"))
    expect(known, "A weight file ends in .npz or .weights.h5", path)
    expect(model.built, f"{model.name} is not built yet: begin with Input, or call it", path)
    return path, dict(_variables(model, "", set()))


def _variables(layer: Layer, prefix: str, seen: set[int]) -> Iterator[tuple[str, Array]]:
    """Yield the path and the array of each weight, trainable ones first.

    Like Keras's, it goes through the attributes by their names, private ones last, and those
    `layers` of a model first; a layer that is met twice stands where it is met first.
    """
    if id(layer) in seen:
        return
    seen.add(id(layer))
    for i, (name, weight) in enumerate(layer.named_weights.items()):
        path = f"cell/vars/{i}" if isinstance(layer, SimpleRNN | LSTM | GRU) else f"vars/{i}"
        if isinstance(layer, MultiHeadAttention):
            path = name.replace("_kernel", "_dense/vars/0").replace("_bias", "_dense/vars/1")
        yield prefix + path, weight
    attributes = dict(vars(layer))
    layers = attributes.pop("_layers", None)  # of a graph or chain; else its layers are attributes
    if layers is not None:
        yield from _contained(layers, f"{prefix}layers/", seen)
    for attribute in sorted(attributes, key=lambda name: (name.startswith("_"), name)):
        value, place = attributes[attribute], f"{prefix}{attribute}/"
        if isinstance(value, Layer):
            yield from _variables(value, place, seen)
        elif isinstance(value, list | tuple) or type(value) is dict:
            yield from _contained(value, place, seen)


def _contained(container: Any, prefix: str, seen: set[int]) -> Iterator[tuple[str, Array]]:
    """Yield the weights of layers in a list, tuple or dict, which are counted by their classes."""
    taken: Counter[str] = Counter()
    for item in container.values() if isinstance(container, dict) else container:
        if isinstance(item, Layer):
            place = numbered(snake_case(type(item).__name__), taken)
            yield from _variables(item, f"{prefix}{place}/", seen)
        elif isinstance(item, list | tuple) or type(item) is dict:
            yield from _contained(item, f"{prefix}{numbered('container', taken)}/", seen)


def _read(path: Path) -> dict[str, Array]:
    if path.suffix == ".npz":
        with path.open("rb") as file, np.load(file, allow_pickle=False) as store:
            return dict(store)
    names: list[str] = []
    with extra("h5py", "weights").File(path, "r") as store:
        store.visit(names.append)
        # The optimizer's state and the seeds of random layers are not weights.
        weight = re.compile(r"(?!optimizer/|.*seed_generator/).*vars/\d+")
        return {name: store[name][()] for name in names if weight.fullmatch(name)}
