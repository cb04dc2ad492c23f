"""Pooling compared with Keras, over paddings, strides, odd sizes and equal numbers."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from labkit import layers


@pytest.mark.parametrize("name", ["MaxPooling2D", "AveragePooling2D"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("size", "strides"),
    [(2, None), (3, 2), (2, 1), ((1, 3), (2, 3)), (2, 3), (5, 5), ((7, 3), None)],
)
def test_pooling_matches_keras(
    agree: Any, random: np.random.Generator, name: str, size: Any, strides: Any, padding: str
) -> None:
    """Windows may overlap, leave gaps, and reach over the edge."""
    agree(name, random.normal(size=(3, 7, 6, 2)), size, strides, padding)


def test_gradient_of_equal_maxima_goes_to_the_first(random: np.random.Generator) -> None:
    """As in TensorFlow, the first of equal largest numbers gets the whole gradient."""
    layer = layers.MaxPooling2D()
    x = tf.Variable(random.integers(3, size=(3, 6, 8, 2)), dtype=float)
    dy = random.normal(size=layer(x.numpy()).shape).astype(np.float32)
    with tf.GradientTape() as tape:
        y = tf.nn.max_pool2d(x, 2, 2, "VALID")
    np.testing.assert_array_equal(layer.backward(dy), tape.gradient(y, x, dy))


def test_padding_never_is_the_maximum() -> None:
    """At the edges the largest of negative numbers is found, not the padding."""
    layer = layers.MaxPooling2D(2, padding="same")
    np.testing.assert_array_equal(layer(np.full((1, 3, 3, 1), -5)), np.full((1, 2, 2, 1), -5))


def test_global_pooling_matches_keras(agree: Any, random: np.random.Generator) -> None:
    """The means over all steps or pixels match Keras."""
    agree("GlobalAveragePooling1D", random.normal(size=(3, 5, 2)))
    agree("GlobalAveragePooling2D", random.normal(size=(3, 5, 4, 2)))


def test_bad_arguments_are_refused() -> None:
    """Sizes, padding and inputs that do not fit are refused."""
    with pytest.raises(ValueError, match="MaxPooling2D expects pool_size to be 2 integers"):
        layers.MaxPooling2D(0)
    with pytest.raises(ValueError, match="AveragePooling2D expects strides to be 2 integers"):
        layers.AveragePooling2D(2, (1, 1, 1))
    with pytest.raises(ValueError, match="MaxPooling2D expects padding 'valid' or 'same'"):
        layers.MaxPooling2D(padding="SAME")
    with pytest.raises(ValueError, match="expects inputs as large as"):
        layers.MaxPooling2D(3)(np.ones((1, 2, 5, 1)))
    with pytest.raises(ValueError, match=r"expects \(batch, steps, channels\)"):
        layers.GlobalAveragePooling1D()(np.ones((1, 2, 5, 1)))
