"""The one stream of random numbers that initializers, Dropout and shuffling draw from.

`labkit.utils.set_random_seed` restarts it, so a script that sets a seed repeats exactly.
"""

import numpy as np

_generator = np.random.default_rng()


def generator() -> np.random.Generator:
    """Return the shared stream."""
    return _generator


def restart(seed: int) -> None:
    """Start the shared stream again from a seed."""
    global _generator
    _generator = np.random.default_rng(seed)
