"""MNIST: 70,000 handwritten digits, where most papers on deep learning started."""

from pathlib import Path

import numpy as np

from labkit.datasets._download import KERAS, Split, fetch

__all__ = ["load_data"]


def load_data(path: str | Path | None = None) -> tuple[Split, Split]:
    """Load MNIST, downloading 11 MB the first time.

    Y. LeCun, C. Cortes and C. Burges, <https://yann.lecun.com/exdb/mnist/>, CC BY-SA 3.0.

    Args:
        path: `mnist.npz`, or the folder that holds it. None: the user's cache, or a
            download.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images of shape (60000, 28, 28) and
        (10000, 28, 28), 0 (paper) to 255 (ink), and uint8 digits of shape (60000,) and
        (10000,).

    Raises:
        FileNotFoundError: `path` is given and no file is there.
        ValueError: The file is damaged.
        ConnectionError: No file in the cache and no network; the message says what to put where.
        ImportError: pooch is not installed.
    """
    with np.load(fetch("mnist.npz", KERAS, path)) as file:
        return (file["x_train"], file["y_train"]), (file["x_test"], file["y_test"])
