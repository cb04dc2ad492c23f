"""Dropout: its share of zeros, its scale, and its repeatability."""

import numpy as np
import pytest

from labkit import layers, utils


def test_only_training_drops() -> None:
    """Outside training, or with a rate of zero, the input passes unchanged."""
    x = np.ones((3, 4), np.float32)
    layer = layers.Dropout(0.5)
    np.testing.assert_array_equal(layer(x), x)
    np.testing.assert_array_equal(layer.backward(x), x)
    np.testing.assert_array_equal(layers.Dropout(0)(x, training=True), x)


def test_share_and_scale() -> None:
    """A quarter is zero, the rest is scaled by 4/3; backward uses the same places."""
    layer = layers.Dropout(0.25)
    x = np.ones((200, 200), np.float32)
    y = layer(x, training=True)
    assert abs((y == 0).mean() - 0.25) < 0.01
    np.testing.assert_allclose(y[y != 0], 4 / 3, rtol=1e-6)
    np.testing.assert_array_equal(layer.backward(x), y)
    assert y.dtype == np.float32


def test_rate_of_one_drops_all() -> None:
    """Nothing is left, and nothing is divided by zero."""
    x = np.ones((3, 4))
    assert not layers.Dropout(1)(x, training=True).any()


def test_seeds() -> None:
    """The same seed repeats what is dropped; each call drops other places."""
    x, layer = np.ones((8, 8)), layers.Dropout(0.5)
    utils.set_random_seed(1)
    first, second = layer(x, training=True), layer(x, training=True)
    assert (first != second).any()
    utils.set_random_seed(1)
    np.testing.assert_array_equal(layer(x, training=True), first)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_rate_is_a_share(rate: float) -> None:
    """Only numbers from 0 to 1 are rates."""
    with pytest.raises(ValueError, match="Dropout expects 0 <= rate <= 1"):
        layers.Dropout(rate)
