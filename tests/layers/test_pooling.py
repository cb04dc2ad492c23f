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


@pytest.mark.parametrize("name", ["MaxPooling1D", "AveragePooling1D"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "strides"), [(2, None), (3, 2), (2, 3), (5, 1)])
def test_pooling_of_signals_matches_keras(
    agree: Any, random: np.random.Generator, name: str, size: int, strides: Any, padding: str
) -> None:
    """Windows over steps match Keras."""
    agree(name, random.normal(size=(3, 7, 2)), size, strides, padding)


def test_padding_may_be_written_in_capitals(random: np.random.Generator) -> None:
    """Keras's convolutions take `"SAME"`, and here so do all layers with windows."""
    x = random.normal(size=(3, 7, 2))
    ours = [layers.MaxPooling1D(2, padding=padding)(x) for padding in ("same", "SAME")]
    np.testing.assert_array_equal(*ours)


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


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["GlobalAveragePooling", "GlobalMaxPooling"])
def test_global_pooling_matches_keras(
    agree: Any, random: np.random.Generator, name: str, keepdims: bool
) -> None:
    """The means and maxima over all steps or pixels match Keras."""
    agree(f"{name}1D", random.normal(size=(3, 5, 2)), keepdims=keepdims)
    agree(f"{name}2D", random.normal(size=(3, 5, 4, 2)), keepdims=keepdims)


def test_equal_global_maxima_share_the_gradient(random: np.random.Generator) -> None:
    """As in TensorFlow, all of equal largest numbers get the same part of the gradient."""
    layer = layers.GlobalMaxPooling1D()
    x = tf.Variable(random.integers(3, size=(4, 6, 2)), dtype=float)
    dy = random.normal(size=layer(x.numpy()).shape).astype(np.float32)
    with tf.GradientTape() as tape:
        y = tf.reduce_max(x, axis=1)
    np.testing.assert_allclose(layer.backward(dy), tape.gradient(y, x, dy), rtol=1e-6)


def test_masked_steps_do_not_count_in_the_mean(random: np.random.Generator) -> None:
    """With a mask, value and gradient are Keras's: the mean of the steps where it is true."""
    import keras

    x, mask = random.normal(size=(3, 5, 2)), np.arange(5) < [[2], [5], [1]]
    layer = layers.GlobalAveragePooling1D(dtype="float64")
    dy = random.normal(size=layer(x).shape)
    y, variable = layer(x, mask), tf.Variable(x)
    with tf.GradientTape() as tape:
        expected = keras.layers.GlobalAveragePooling1D(dtype="float64")(variable, mask=mask)
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    dx, of_mask = layer.backward(dy)
    np.testing.assert_allclose(dx, tape.gradient(expected, variable, dy))
    assert of_mask is None


def test_bad_arguments_are_refused() -> None:
    """Sizes, padding and inputs that do not fit are refused."""
    with pytest.raises(ValueError, match="MaxPooling2D expects pool_size to be 2 integers"):
        layers.MaxPooling2D(0)
    with pytest.raises(ValueError, match="AveragePooling2D expects strides to be 2 integers"):
        layers.AveragePooling2D(2, (1, 1, 1))
    with pytest.raises(ValueError, match=r"MaxPooling2D expects strides to be .* >= 1"):
        layers.MaxPooling2D(2, strides=0)
    with pytest.raises(ValueError, match="MaxPooling2D expects padding 'valid' or 'same'"):
        layers.MaxPooling2D(padding="full")
    with pytest.raises(ValueError, match="expects inputs as large as"):
        layers.MaxPooling2D(3)(np.ones((1, 2, 5, 1)))
    with pytest.raises(ValueError, match=r"expects \(batch, steps, channels\)"):
        layers.GlobalAveragePooling1D()(np.ones((1, 2, 5, 1)))
