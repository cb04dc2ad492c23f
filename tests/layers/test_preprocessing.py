"""Rescaling and normalization of raw numbers compared with Keras."""

from typing import Any

import keras
import numpy as np
import pytest

from labkit import layers, testing


@pytest.mark.parametrize("arguments", [(0.5,), (2.0, -1.0), ([1.0, 2.0, 4.0], [0.0, 1.0, 2.0])])
def test_rescaling_matches_keras(
    agree: Any, random: np.random.Generator, arguments: tuple[Any, ...]
) -> None:
    """Outputs and gradients match Keras, for numbers and for one of them a feature."""
    agree("Rescaling", random.normal(size=(4, 5, 3)), *arguments)


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("axis", [-1, 1, (1, 2), None])
def test_adapted_normalization_matches_keras(
    random: np.random.Generator, axis: Any, invert: bool
) -> None:
    """The weights after adapt, outputs and gradients match Keras."""
    data, x = random.normal(3, 2, size=(50, 4, 3)), random.normal(3, 2, size=(5, 4, 3))
    data[..., 0] = 7  # without variation
    options: dict[str, Any] = {"axis": axis, "invert": invert, "dtype": "float64"}
    ours, theirs = (package.Normalization(**options) for package in (layers, keras.layers))
    ours.adapt(data)
    theirs.adapt(data)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-5, atol=1e-6)
    testing.check_gradients(ours, x)


def test_known_moments_match_keras(agree: Any, random: np.random.Generator) -> None:
    """Mean and variance may be given, as numbers or for each place."""
    x = random.normal(3, 2, size=(5, 4, 3))
    agree("Normalization", x, -1, 3.0, 4.0)
    agree("Normalization", x, mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0], invert=True)


def test_batches_give_the_moments_of_all_samples(random: np.random.Generator) -> None:
    """Adapting to batches of unequal size is adapting to their samples."""
    data = random.normal(1000, 1, size=(50, 3))
    whole, parts = layers.Normalization(dtype="float64"), layers.Normalization(dtype="float64")
    whole.adapt(data)
    parts.adapt(data[start : start + 20] for start in (0, 20, 40))
    for mine, other in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-12)


def test_impossible_arguments_are_refused() -> None:
    """Half of the moments, shapes and axes that do not fit, and empty data are refused."""
    with pytest.raises(ValueError, match="expects mean and variance of one shape"):
        layers.Normalization(mean=1.0)
    with pytest.raises(ValueError, match="expects mean and variance of one shape"):
        layers.Normalization(axis=None, mean=[1.0], variance=[1.0])
    with pytest.raises(ValueError, match="needs an input that has it"):
        layers.Normalization(axis=2).adapt(np.ones((3, 2)))
    with pytest.raises(ValueError, match="knows mean and variance already"):
        layers.Normalization(mean=1.0, variance=1.0).adapt(np.ones((3, 2)))
    with pytest.raises(ValueError, match="adapt needs samples"):
        layers.Normalization().adapt(np.ones((0, 2)))
    layer = layers.Normalization()
    layer.adapt(np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"with 2 of the last. Received: x.shape=\(3, 1\)"):
        layer(np.ones((3, 1)))
