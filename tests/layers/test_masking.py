"""Which steps count, compared with Keras."""

import numpy as np
import pytest

from labkit import layers, testing


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_masking_matches_keras(random: np.random.Generator, value: float) -> None:
    """Steps full of the value become zeros and are left out of the mask."""
    import keras

    x = random.normal(size=(3, 5, 2))
    x[0, 3:] = x[2, 1] = value
    x[1, 2, 0] = value  # the other number of that step is another one
    ours, theirs = (package.Masking(value, dtype="float64") for package in (layers, keras.layers))
    testing.assert_matches_keras(ours, theirs, x)
    np.testing.assert_array_equal(ours.compute_mask(x), theirs.compute_mask(x))
