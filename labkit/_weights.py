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
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit._typing import Array
from labkit.layers import GRU, LSTM, Layer, MultiHeadAttention, SimpleRNN

if TYPE_CHECKING:
    from labkit.models import Sequential

ENDINGS = (".npz", ".weights.h5")


def save(model: "Sequential", filepath: str | os.PathLike[str], overwrite: bool) -> None:
    """Write all weights to a temporary file beside `filepath`, and move it there."""
    path = _checked(model, filepath)
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists. Pass overwrite=True to replace it.")
    values = dict(_variables(model))
    temporary = path.with_name(f".{path.name}-{os.urandom(4).hex()}{path.suffix}")
    try:
        with temporary.open("xb") as file:
            if path.suffix == ".npz":
                np.savez(file, allow_pickle=False, **values)
            else:
                _write_h5(file, values)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def load(model: "Sequential", filepath: str | os.PathLike[str]) -> None:
    """Read all weights and check them; only then change the model."""
    path = _checked(model, filepath)
    if not path.is_file():
        raise FileNotFoundError(f"There is no weight file {path}.")
    try:
        found = _read_npz(path) if path.suffix == ".npz" else _read_h5(path)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is damaged, or not a weight file: {error}") from error
    expected = dict(_variables(model))
    missing, surplus = expected.keys() - found.keys(), found.keys() - expected.keys()
    if missing or surplus:
        raise ValueError(
            f"{path} holds other layers than {model.name}. "
            f"Missing: {sorted(missing) or 'none'}. Surplus: {sorted(surplus) or 'none'}."
        )
    for name, weight in expected.items():
        if found[name].shape != weight.shape:
            raise ValueError(
                f"{model.name} expects shape {weight.shape} at {name}. "
                f"Received: {found[name].shape} in {path}"
            )
    for name, weight in expected.items():
        weight[...] = found[name]


def _checked(model: "Sequential", filepath: str | os.PathLike[str]) -> Path:
    path = Path(filepath)
    if not path.name.endswith(ENDINGS):
        raise ValueError(f"A weight file ends in {' or '.join(ENDINGS)}. Received: {path}")
    if not model.built:
        raise ValueError(f"{model.name} is not built yet: begin with Input, or call it.")
    return path


def _variables(layer: Layer, prefix: str = "") -> Iterator[tuple[str, Array]]:
    """Yield the path and the array of each weight."""
    names = sorted(layer._weights, key=lambda name: name not in layer.gradients)
    for i, name in enumerate(names):  # first those that are trained, as in `weights`
        path = f"vars/{i}"
        if isinstance(layer, SimpleRNN | LSTM | GRU):
            path = f"cell/vars/{i}"
        elif isinstance(layer, MultiHeadAttention):
            part, kind = name.split("_")  # such as "query" and "kernel"
            path = f"{part}_dense/vars/{('kernel', 'bias').index(kind)}"
        yield prefix + path, layer._weights[name]
    for attribute, value in vars(layer).items():
        counts: Counter[str] = Counter()
        if isinstance(value, Layer):
            yield from _variables(value, f"{prefix}{attribute.strip('_')}/")
        elif isinstance(value, list) and all(isinstance(item, Layer) for item in value):
            for item in value:
                name = _snake_case(type(item).__name__)
                number = f"_{counts[name]}" if counts[name] else ""
                counts[name] += 1
                yield from _variables(item, f"{prefix}{attribute}/{name}{number}/")


def _snake_case(name: str) -> str:
    """Return `max_pooling2d` for `MaxPooling2D`, as Keras does."""
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _h5py() -> Any:
    try:
        import h5py
    except ImportError:
        raise ImportError("For .weights.h5 files, install labkit[weights].") from None
    return h5py


def _write_h5(file: Any, values: dict[str, Array]) -> None:
    with _h5py().File(file, "w") as store:
        for name, value in values.items():
            store[name] = value


def _read_npz(path: Path) -> dict[str, Array]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as store:
        return {name: store[name] for name in store.files}


def _read_h5(path: Path) -> dict[str, Array]:
    found: dict[str, Array] = {}
    h5py = _h5py()

    def keep(name: str, item: Any) -> None:
        # The optimizer's state and the seeds of random layers are not weights.
        if isinstance(item, h5py.Dataset) and not re.match(r"optimizer/|.*seed_generator/", name):
            found[name] = item[()]

    with h5py.File(path, "r") as store:
        store.visititems(keep)
    return found
