"""Normalization against Keras, in training and out of it."""

from typing import Any

import numpy as np
import pytest

from labkit import layers

OPTIONS = [
    {},
    {"epsilon": 0.1, "gamma_initializer": "random_normal"},
    {"gamma_regularizer": "L2", "beta_regularizer": "L1", "beta_initializer": "ones"},
]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("shape", [(6, 3), (4, 5, 3), (2, 3, 4, 2)])
def test_batch_normalization(
    agree: Any,
    random: np.random.Generator,
    shape: tuple[int, ...],
    options: dict[str, Any],
    training: bool,
) -> None:
    """Outputs, gradients and the moving averages after the call."""
    x = 2 * random.normal(size=shape) + 1
    agree("BatchNormalization", x, training=training, momentum=0.5, **options)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("shape", [(6, 3), (4, 5, 3), (2, 3, 4, 2)])
def test_layer_normalization(
    agree: Any, random: np.random.Generator, shape: tuple[int, ...], options: dict[str, Any]
) -> None:
    """Each sample's features, whatever stands before them."""
    agree("LayerNormalization", 2 * random.normal(size=shape) + 1, **options)


def test_frozen_batch_normalization_does_not_learn(agree: Any) -> None:
    """With `trainable` false even training uses, and keeps, the moving averages."""
    agree("BatchNormalization", np.arange(12.0).reshape(4, 3), training=True, trainable=False)


def test_large_mean_keeps_its_variance() -> None:
    """The variance is taken around the mean, so that a large mean does not swallow it."""
    x = np.array([[10000.0], [10001.0]], np.float32)
    y = layers.BatchNormalization(epsilon=0.0)(x, training=True)
    np.testing.assert_allclose(y, [[-1], [1]], rtol=1e-3)


def test_bad_arguments() -> None:
    """A momentum that is no share, or a negative epsilon."""
    with pytest.raises(ValueError, match="momentum must be from 0 to 1"):
        layers.BatchNormalization(momentum=1.5)
    with pytest.raises(ValueError, match="epsilon must be >= 0"):
        layers.LayerNormalization(epsilon=-1)
