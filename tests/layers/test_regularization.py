"""Noise: its distribution, and that only training adds it."""

import numpy as np
import pytest

from labkit import layers, utils


def test_noise_is_normal_with_the_given_deviation() -> None:
    """In training, the difference from the input has Keras's mean and standard deviation."""
    import keras

    utils.set_random_seed(0)
    keras.utils.set_random_seed(0)
    x = np.full((200, 500), 3, np.float32)
    for package in (layers, keras.layers):
        noise = np.asarray(package.GaussianNoise(0.5)(x, training=True)) - x
        assert noise.mean() == pytest.approx(0, abs=0.01)
        assert noise.std() == pytest.approx(0.5, rel=0.01)
        assert np.mean(abs(noise) < 0.5) == pytest.approx(0.6827, abs=0.01)  # of a normal number


def test_without_training_nothing_happens() -> None:
    """Outside training the output is the input; the gradient always passes unchanged."""
    layer, x = layers.GaussianNoise(0.5), np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(layer(x), x)
    layer(x, training=True)
    np.testing.assert_array_equal(layer.backward(x), x)


@pytest.mark.parametrize("stddev", [-0.1, 1.5])
def test_impossible_deviations_are_refused(stddev: float) -> None:
    """As in Keras, the deviation is from 0 to 1."""
    with pytest.raises(ValueError, match="GaussianNoise expects stddev from 0 to 1"):
        layers.GaussianNoise(stddev)
