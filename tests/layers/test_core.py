"""The core layers compared with Keras, and what they refuse."""

from typing import Any

import numpy as np
import pytest

from labkit import layers, utils


@pytest.mark.parametrize("shape", [(5, 4), (1, 1), (3, 2, 4), (2, 3, 1, 4)])
def test_dense_matches_keras(
    agree: Any, random: np.random.Generator, shape: tuple[int, ...]
) -> None:
    """Dense works on the last axis, however many come before it."""
    agree("Dense", random.normal(size=shape), 3, "tanh")


def test_dense_options_match_keras(agree: Any, random: np.random.Generator) -> None:
    """Dense matches Keras without bias and with all penalties."""
    x = random.normal(size=(5, 4))
    agree("Dense", x, 1, use_bias=False)
    agree(
        "Dense",
        x,
        6,
        "relu",
        bias_initializer="ones",
        kernel_regularizer="L2",
        bias_regularizer="L1",
        activity_regularizer="L1",
    )


def test_dense_takes_integers(agree: Any) -> None:
    """Integers are converted to the layer's dtype."""
    y = layers.Dense(2, kernel_initializer="ones")(np.array([[1, 2], [3, 4]]))
    np.testing.assert_array_equal(y, [[3, 3], [7, 7]])


@pytest.mark.parametrize("units", [0, -1, 2.5, "3", None, (2, 3)])
def test_dense_refuses_units_that_are_not_positive_integers(units: Any) -> None:
    """Only a positive integer is accepted as units."""
    with pytest.raises(ValueError, match="Dense expects units to be an integer >= 1"):
        layers.Dense(units)


@pytest.mark.parametrize("name", ["relu", "softmax", "gelu"])
def test_activation_applies_the_function_and_its_rule(
    name: str, random: np.random.Generator
) -> None:
    """The layer is the function, and its backward the function's rule."""
    from labkit import activations

    x, dy = random.normal(size=(2, 3, 4, 5))
    layer = layers.Activation(name, dtype="float64")
    function = activations.get(name)
    y = layer(x)
    np.testing.assert_array_equal(y, function(x))
    np.testing.assert_array_equal(layer.backward(dy), activations.vjp[function](dy, x, y))


def test_activation_matches_keras(agree: Any, random: np.random.Generator) -> None:
    """The layer matches Keras with a penalty on its output."""
    agree("Activation", random.normal(size=(3, 4)), "softmax", activity_regularizer="L2")


@pytest.mark.parametrize("shape", [(3, 2, 4, 5), (3, 2), (3,)])
def test_flatten_matches_keras(
    agree: Any, random: np.random.Generator, shape: tuple[int, ...]
) -> None:
    """Any number of axes is flattened to two."""
    agree("Flatten", random.normal(size=shape))


@pytest.mark.parametrize("target", [(4, 6), (-1, 3), (24,), (2, -1, 2)])
def test_reshape_matches_keras(
    agree: Any, random: np.random.Generator, target: tuple[int, ...]
) -> None:
    """Reshape matches Keras, also where it infers one size."""
    agree("Reshape", random.normal(size=(3, 2, 4, 3)), target)


def test_reshape_refuses_shapes_that_do_not_fit() -> None:
    """A shape with more or fewer numbers is refused."""
    for target in ((5,), (-1, 5), (24, 2)):
        with pytest.raises(ValueError, match="Reshape cannot turn 24 numbers into"):
            layers.Reshape(target)(np.ones((3, 2, 4, 3)))
    for wrong in ((-1, -1), (-1, 0), (24, -2), 3, "a", (2.5,)):
        with pytest.raises(ValueError, match="Reshape expects a tuple of sizes, of which one"):
            layers.Reshape(wrong)  # type: ignore[arg-type]  # some are no tuples of integers


def test_unknown_sizes_stay_unknown() -> None:
    """An axis of unknown size stays unknown, as in Keras."""
    assert layers.Flatten().compute_output_shape((None, None, 3)) == (None, None)
    assert layers.Reshape((-1, 3)).compute_output_shape((None, None, 3)) == (None, None, 3)


def test_input_checks_its_shape() -> None:
    """An input adds the batch axis to its shape, and refuses anything else than a shape."""
    layer = layers.Input((28, 28, 1))
    assert layer.shape == (None, 28, 28, 1)
    assert layers.Input((None, 3), name="steps").shape == (None, None, 3)
    assert layers.Input((3,), name="pixels").name == "pixels"
    for shape in (None, 64, (0,), (-1, 3)):
        with pytest.raises(ValueError, match=r"Input expects a shape such as \(64,\)"):
            layers.Input(shape)  # type: ignore[arg-type]  # wrong on purpose


def test_add_matches_keras(random: np.random.Generator) -> None:
    """Add sums arrays of one shape, and passes the gradient on to each of them."""
    import keras

    a, b, c = random.normal(size=(3, 2, 4))
    layer = layers.Add(dtype="float64")
    theirs = keras.layers.Add(dtype="float64")([a, b, c])
    np.testing.assert_allclose(layer([a, b, c]), np.asarray(theirs), rtol=1e-12)
    da, db, dc = layer.backward(a)
    np.testing.assert_array_equal([da, db, dc], [a, a, a])
    for arrays in ([a], [a, b[:1]], a):
        with pytest.raises(ValueError, match="Add expects a list of 2 arrays or more of one batch"):
            layers.Add()(arrays)


@pytest.mark.parametrize("shape", [(4,), (3, 5), (2, 3, 4)])
def test_embedding_matches_keras(
    agree: Any, random: np.random.Generator, shape: tuple[int, ...]
) -> None:
    """Rows that are used more than once sum their gradients."""
    x = random.integers(0, 7, shape)
    agree("Embedding", x, 7, 3)
    agree("Embedding", x, 7, 2, embeddings_regularizer="L2", activity_regularizer="L1")


def test_unused_embedding_rows_have_no_gradient() -> None:
    """Gradients of an earlier batch are cleared."""
    layer = layers.Embedding(4, 2)
    for rows in ([[0, 1]], [[3, 3]]):
        y = layer(np.array(rows))
        layer.backward(np.ones(y.shape))
    np.testing.assert_array_equal(layer.gradients["embeddings"], [[0, 0], [0, 0], [0, 0], [2, 2]])


@pytest.mark.parametrize("x", [[[-1]], [[4]], [[0.5]], [[float("nan")]]])
def test_embedding_refuses_invalid_indices(x: Any) -> None:
    """Only integers from 0 to the last row are indices."""
    with pytest.raises(ValueError, match="Embedding expects integers from 0 to 3"):
        layers.Embedding(4, 2)(np.array(x))


def test_embedding_refuses_sizes_that_are_not_positive() -> None:
    """Sizes must be positive integers."""
    with pytest.raises(ValueError, match="Embedding expects input_dim to be an integer"):
        layers.Embedding(0, 2)
    with pytest.raises(ValueError, match="Embedding expects output_dim to be an integer"):
        layers.Embedding(2, -1)


def test_dropout_only_in_training() -> None:
    """Outside training, or with a rate of zero, Dropout returns its input."""
    x = np.ones((3, 4), np.float32)
    layer = layers.Dropout(0.5)
    np.testing.assert_array_equal(layer(x), x)
    np.testing.assert_array_equal(layer.backward(x), x)
    np.testing.assert_array_equal(layers.Dropout(0)(x, training=True), x)


def test_dropout_zeroes_a_share_and_scales_the_rest() -> None:
    """With a rate of 1/4 a quarter is zeroed, the rest scaled by 4/3; backward does the same."""
    layer = layers.Dropout(0.25)
    x = np.ones((200, 200), np.float32)
    y = layer(x, training=True)
    assert abs((y == 0).mean() - 0.25) < 0.01
    np.testing.assert_allclose(y[y != 0], 4 / 3, rtol=1e-6)
    np.testing.assert_array_equal(layer.backward(x), y)
    assert y.dtype == np.float32


def test_dropout_with_a_rate_of_one_drops_everything() -> None:
    """All numbers are zeroed, without a division by zero."""
    x = np.ones((3, 4))
    assert not layers.Dropout(1)(x, training=True).any()


def test_dropout_repeats_with_a_seed() -> None:
    """The same seed drops the same places; without one each call drops others."""
    x, layer = np.ones((8, 8)), layers.Dropout(0.5)
    utils.set_random_seed(1)
    first, second = layer(x, training=True), layer(x, training=True)
    assert (first != second).any()
    utils.set_random_seed(1)
    np.testing.assert_array_equal(layer(x, training=True), first)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan"), "a", None])
def test_dropout_refuses_rates_outside_0_to_1(rate: Any) -> None:
    """A rate outside 0 to 1 is refused."""
    with pytest.raises(ValueError, match="Dropout expects 0 <= rate <= 1"):
        layers.Dropout(rate)
