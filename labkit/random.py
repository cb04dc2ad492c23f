"""Random numbers for the `call` of a layer: new ones at each call.

They come from the stream that `labkit.utils.set_random_seed` restarts.
"""

from typing import TYPE_CHECKING

from labkit import config
from labkit._common import Array, Sizes, rng
from labkit._missing import left_out

__all__ = ["normal", "uniform"]


def normal(shape: Sizes, mean: float = 0.0, stddev: float = 1.0, dtype: str | None = None) -> Array:
    """Return normal numbers.

    Args:
        shape: Of the array.
        mean: Their mean.
        stddev: Their standard deviation.
        dtype: `None` means `config.floatx()`.
    """
    return rng.normal(mean, stddev, shape).astype(dtype or config.floatx())


def uniform(
    shape: Sizes, minval: float = 0.0, maxval: float = 1.0, dtype: str | None = None
) -> Array:
    """Return numbers from `minval` to below `maxval`, each value equally likely.

    Args:
        shape: Of the array.
        minval: The smallest.
        maxval: The bound above.
        dtype: `None` means `config.floatx()`.
    """
    return rng.uniform(minval, maxval, shape).astype(dtype or config.floatx())


if not TYPE_CHECKING:
    __getattr__ = left_out(__name__)
