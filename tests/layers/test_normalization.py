"""Normalization compared with Keras, in training and otherwise."""

from typing import Any

import numpy as np
import pytest

from labkit import layers

OPTIONS = [
    {},
    {"epsilon": 0.1, "gamma_initializer": "random_normal"},
    {"gamma_regularizer": "L2", "beta_regularizer": "L1", "beta_initializer": "ones"},
    {"center": False},
    {"scale": False},
    {"center": False, "scale": False},
]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("shape", [(6, 3), (4, 5, 3), (2, 3, 4, 2)])
def test_batch_normalization_matches_keras(
    agree: Any,
    random: np.random.Generator,
    shape: tuple[int, ...],
    options: dict[str, Any],
    training: bool,
) -> None:
    """Outputs, gradients and the moving averages after the call match Keras."""
    x = 2 * random.normal(size=shape) + 1
    agree("BatchNormalization", x, training=training, momentum=0.5, **options)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("shape", [(6, 3), (4, 5, 3), (2, 3, 4, 2)])
def test_layer_normalization_matches_keras(
    agree: Any, random: np.random.Generator, shape: tuple[int, ...], options: dict[str, Any]
) -> None:
    """Outputs and gradients match Keras, however many axes come before the features."""
    agree("LayerNormalization", 2 * random.normal(size=shape) + 1, **options)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("groups", [1, 2, 6, -1])
@pytest.mark.parametrize("shape", [(4, 6), (4, 5, 6), (2, 3, 4, 6)])
def test_group_normalization_matches_keras(
    agree: Any,
    random: np.random.Generator,
    shape: tuple[int, ...],
    groups: int,
    options: dict[str, Any],
) -> None:
    """Outputs and gradients match Keras, from one group to one for each feature."""
    x = 2 * random.normal(size=shape) + 1
    if x[0].size > groups != -1 or x.ndim > 2:  # of a single number nothing is left
        agree("GroupNormalization", x, groups, **options)


def test_groups_divide_the_features() -> None:
    """Groups of unequal size, more groups than features, and no groups are refused."""
    for groups in (3, 8):
        with pytest.raises(ValueError, match=r"expects 4 features in groups of one size"):
            layers.GroupNormalization(groups)(np.ones((2, 4)))
    with pytest.raises(ValueError, match=r"groups to be an integer >= 1, or -1\. Received: 0"):
        layers.GroupNormalization(0)


def test_frozen_batch_normalization_uses_its_moving_averages(agree: Any) -> None:
    """With `trainable` false training uses the moving averages and does not change them."""
    agree("BatchNormalization", np.arange(12.0).reshape(4, 3), training=True, trainable=False)


def test_variance_around_a_large_mean_is_exact() -> None:
    """The variance is taken around the mean, so that a large mean does not swallow it."""
    x = np.array([[10000.0], [10001.0]], np.float32)
    y = layers.BatchNormalization(epsilon=0.0)(x, training=True)
    np.testing.assert_allclose(y, [[-1], [1]], rtol=1e-3)


def test_bad_arguments_are_refused() -> None:
    """A momentum outside 0 to 1 and a negative epsilon are refused."""
    with pytest.raises(ValueError, match="momentum must be from 0 to 1"):
        layers.BatchNormalization(momentum=1.5)
    with pytest.raises(ValueError, match="epsilon must be >= 0"):
        layers.LayerNormalization(epsilon=-1)
