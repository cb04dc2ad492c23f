"""Fashion-MNIST: 70,000 pictures of clothes in MNIST's format, and harder than MNIST."""

import gzip
from pathlib import Path

import numpy as np

from labkit.datasets._download import KERAS, Split, fetch

__all__ = ["load_data"]


def load_data(path: str | Path | None = None) -> tuple[Split, Split]:
    """Load Fashion-MNIST, downloading 31 MB in four files the first time.

    H. Xiao, K. Rasul and R. Vollgraf (2017), <https://arxiv.org/abs/1708.07747>, MIT
    license. Classes 0 to 9: T-shirt/top, trouser, pullover, dress, coat, sandal, shirt,
    sneaker, bag, ankle boot.

    Args:
        path: The folder that holds the four `.gz` files. None: the user's cache, or a
            download.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images of shape (60000, 28, 28) and
        (10000, 28, 28), 0 to 255, and uint8 classes of shape (60000,) and (10000,).

    Raises:
        FileNotFoundError: `path` is given and a file is not there.
        ValueError: A file is damaged.
        ConnectionError: A file is not in the cache and there is no network.
        ImportError: pooch is not installed.
    """
    names = "images-idx3-ubyte.gz", "labels-idx1-ubyte.gz"
    x_train, y_train = (_read(fetch(f"train-{name}", KERAS, path)) for name in names)
    x_test, y_test = (_read(fetch(f"t10k-{name}", KERAS, path)) for name in names)
    return (x_train, y_train), (x_test, y_test)


def _read(file: Path) -> np.ndarray:
    """Read IDX: two zero bytes, type, rank, a big-endian int32 per dimension, the data."""
    raw = gzip.decompress(file.read_bytes())
    shape = np.frombuffer(raw, ">i4", count=raw[3], offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape).copy()
