"""CIFAR-10: 60,000 small color photographs of ten kinds of things."""

import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from labkit.datasets._download import Split, fetch

__all__ = ["load_data"]


def load_data(path: str | Path | None = None) -> tuple[Split, Split]:
    """Load CIFAR-10, downloading 170 MB the first time.

    A. Krizhevsky, "Learning multiple layers of features from tiny images" (2009),
    <https://www.cs.toronto.edu/~kriz/cifar.html>. Classes 0 to 9: airplane, automobile,
    bird, cat, deer, dog, frog, horse, ship, truck.

    Args:
        path: `cifar-10-python.tar.gz`, or the folder that holds it. None: the user's cache,
            or a download.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images of shape (50000, 32, 32, 3) and
        (10000, 32, 32, 3), 0 to 255, and uint8 classes of shape (50000, 1) and (10000, 1).

    Raises:
        FileNotFoundError: `path` is given and no file is there.
        ValueError: The file is damaged.
        ConnectionError: No file in the cache and no network; the message says what to put where.
        ImportError: pooch is not installed.
    """
    file = fetch("cifar-10-python.tar.gz", "https://www.cs.toronto.edu/~kriz/", path)
    with tarfile.open(file) as archive:
        train = [_read(archive, f"data_batch_{number}") for number in range(1, 6)]
        test = _read(archive, "test_batch")
    x_train, y_train = (np.concatenate(parts) for parts in zip(*train, strict=True))
    return (x_train, y_train), test


def _read(archive: Any, name: str) -> Split:
    # The published format is a pickle; it is opened only after its checksum has been
    # verified.
    batch = pickle.load(archive.extractfile(f"cifar-10-batches-py/{name}"), encoding="bytes")
    images = batch[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), np.array(batch[b"labels"], np.uint8)[:, None]
