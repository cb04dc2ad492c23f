"""Activation layers compared with Keras."""

from typing import Any

import numpy as np
import pytest

from labkit import layers


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_value": 1.5},
        {"negative_slope": 0.25},
        {"threshold": 0.5},
        {"max_value": 6.0},
        {"max_value": 1.5, "negative_slope": 0.25, "threshold": 0.5},
    ],
)
def test_relu_matches_keras(
    agree: Any, random: np.random.Generator, options: dict[str, float]
) -> None:
    """Outputs and gradients match Keras on all pieces of the function."""
    agree("ReLU", 2 * random.normal(size=(4, 5, 3)), **options)


@pytest.mark.parametrize("slope", [0.0, 0.25, 0.5])
def test_leaky_relu_matches_keras(agree: Any, random: np.random.Generator, slope: float) -> None:
    """Outputs and gradients match Keras, and so does the slope that is not asked for."""
    import keras

    agree("LeakyReLU", random.normal(size=(4, 5)), slope)
    assert layers.LeakyReLU().negative_slope == keras.layers.LeakyReLU().negative_slope


@pytest.mark.parametrize("name", ["max_value", "negative_slope", "threshold"])
def test_negative_settings_are_refused(name: str) -> None:
    """As in Keras, no setting may be negative."""
    with pytest.raises(ValueError, match="ReLU expects max_value, negative_slope and threshold >="):
        layers.ReLU(**{name: -1.0})
