"""The core layers against Keras, and what they refuse."""

from typing import Any

import numpy as np
import pytest

from labkit import layers, utils


@pytest.mark.parametrize("shape", [(5, 4), (1, 1), (3, 2, 4), (2, 3, 1, 4)])
def test_dense(agree: Any, random: np.random.Generator, shape: tuple[int, ...]) -> None:
    """Dense works on the last axis, whatever stands before it."""
    agree("Dense", random.normal(size=shape), 3, "tanh")


def test_dense_options(agree: Any, random: np.random.Generator) -> None:
    """Without bias, with all penalties, and with every number of units."""
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
    """Whole numbers become the layer's floats."""
    y = layers.Dense(2, kernel_initializer="ones")(np.array([[1, 2], [3, 4]]))
    np.testing.assert_array_equal(y, [[3, 3], [7, 7]])


@pytest.mark.parametrize("units", [0, -1, 2.5, "3", None, (2, 3)])
def test_dense_units_are_positive(units: Any) -> None:
    """Only positive integers count as units."""
    with pytest.raises(ValueError, match="Dense expects units to be an integer >= 1"):
        layers.Dense(units)


@pytest.mark.parametrize("name", ["relu", "softmax", "gelu"])
def test_activation(name: str, random: np.random.Generator) -> None:
    """The layer is the function, and its backward the function's rule."""
    from labkit import activations

    x, dy = random.normal(size=(2, 3, 4, 5))
    layer = layers.Activation(name, dtype="float64")
    function = activations.get(name)
    y = layer(x)
    np.testing.assert_array_equal(y, function(x))
    np.testing.assert_array_equal(layer.backward(dy), activations.vjp[function](dy, x, y))


def test_activation_agrees(agree: Any, random: np.random.Generator) -> None:
    """The layer equals Keras's, with a penalty on its output too."""
    agree("Activation", random.normal(size=(3, 4)), "softmax", activity_regularizer="L2")


@pytest.mark.parametrize("shape", [(3, 2, 4, 5), (3, 2), (3,)])
def test_flatten(agree: Any, random: np.random.Generator, shape: tuple[int, ...]) -> None:
    """Any number of axes becomes two."""
    agree("Flatten", random.normal(size=shape))


@pytest.mark.parametrize("target", [(4, 6), (-1, 3), (24,), (2, -1, 2)])
def test_reshape(agree: Any, random: np.random.Generator, target: tuple[int, ...]) -> None:
    """One size may be left to the layer."""
    agree("Reshape", random.normal(size=(3, 2, 4, 3)), target)


def test_reshape_refuses_what_does_not_fit() -> None:
    """Numbers neither get lost nor appear."""
    for target in ((5,), (-1, 5), (24, 2)):
        with pytest.raises(ValueError, match="Reshape cannot turn 24 numbers into"):
            layers.Reshape(target)(np.ones((3, 2, 4, 3)))
    for target in ((-1, -1), (-1, 0), (24, -2)):
        with pytest.raises(ValueError, match="Reshape expects sizes, one of them -1"):
            layers.Reshape(target)


def test_shapes_may_be_unknown() -> None:
    """An axis of any size stays one, as in Keras."""
    assert layers.Flatten().compute_output_shape((None, None, 3)) == (None, None)
    assert layers.Reshape((-1, 3)).compute_output_shape((None, None, 3)) == (None, None, 3)


def test_input() -> None:
    """An input is a shape with a free batch axis, and refuses what is no shape."""
    layer = layers.Input((28, 28, 1))
    assert layer.shape == (None, 28, 28, 1)
    assert layers.Input((None, 3)).shape == (None, None, 3)
    for shape in (None, 64, (0,), (-1, 3)):
        with pytest.raises(ValueError, match=r"Input expects a shape such as \(64,\)"):
            layers.Input(shape)  # type: ignore[arg-type]  # wrong on purpose


def test_add(random: np.random.Generator) -> None:
    """The sum of arrays of one shape, whose gradient goes to each of them."""
    import keras

    a, b, c = random.normal(size=(3, 2, 4))
    layer = layers.Add(dtype="float64")
    theirs = keras.layers.Add(dtype="float64")([a, b, c])
    np.testing.assert_allclose(layer([a, b, c]), np.asarray(theirs), rtol=1e-12)
    da, db, dc = layer.backward(a)
    np.testing.assert_array_equal([da, db, dc], [a, a, a])
    for arrays in ([a], [a, b[:1]], a):
        with pytest.raises(ValueError, match="Add expects a list of arrays of one shape"):
            layers.Add()(arrays)


@pytest.mark.parametrize("shape", [(4,), (3, 5), (2, 3, 4)])
def test_embedding(agree: Any, random: np.random.Generator, shape: tuple[int, ...]) -> None:
    """Rows named more than once gather their gradients."""
    x = random.integers(0, 7, shape)
    agree("Embedding", x, 7, 3)
    agree("Embedding", x, 7, 2, embeddings_regularizer="L2", activity_regularizer="L1")


def test_embedding_rows_that_nobody_named_have_no_gradient() -> None:
    """Gradients of an earlier batch do not stay."""
    layer = layers.Embedding(4, 2)
    for rows in ([[0, 1]], [[3, 3]]):
        y = layer(np.array(rows))
        layer.backward(np.ones(y.shape))
    np.testing.assert_array_equal(layer.gradients["embeddings"], [[0, 0], [0, 0], [0, 0], [2, 2]])


@pytest.mark.parametrize("x", [[[-1]], [[4]], [[0.5]], [[float("nan")]]])
def test_embedding_refuses_other_numbers(x: Any) -> None:
    """Only whole numbers from 0 to the table's end name a row."""
    with pytest.raises(ValueError, match="Embedding expects integers from 0 to 3"):
        layers.Embedding(4, 2)(np.array(x))


def test_embedding_sizes_are_positive() -> None:
    """Sizes are positive integers."""
    with pytest.raises(ValueError, match="Embedding expects input_dim to be an integer"):
        layers.Embedding(0, 2)
    with pytest.raises(ValueError, match="Embedding expects output_dim to be an integer"):
        layers.Embedding(2, -1)


def test_dropout_only_in_training() -> None:
    """Outside training, or with a rate of zero, the input passes unchanged."""
    x = np.ones((3, 4), np.float32)
    layer = layers.Dropout(0.5)
    np.testing.assert_array_equal(layer(x), x)
    np.testing.assert_array_equal(layer.backward(x), x)
    np.testing.assert_array_equal(layers.Dropout(0)(x, training=True), x)


def test_dropout_share_and_scale() -> None:
    """A quarter is zero, the rest is scaled by 4/3; backward uses the same places."""
    layer = layers.Dropout(0.25)
    x = np.ones((200, 200), np.float32)
    y = layer(x, training=True)
    assert abs((y == 0).mean() - 0.25) < 0.01
    np.testing.assert_allclose(y[y != 0], 4 / 3, rtol=1e-6)
    np.testing.assert_array_equal(layer.backward(x), y)
    assert y.dtype == np.float32


def test_dropout_rate_of_one_drops_all() -> None:
    """Nothing is left, and nothing is divided by zero."""
    x = np.ones((3, 4))
    assert not layers.Dropout(1)(x, training=True).any()


def test_dropout_repeats_with_a_seed() -> None:
    """The same seed repeats what is dropped; each call drops other places."""
    x, layer = np.ones((8, 8)), layers.Dropout(0.5)
    utils.set_random_seed(1)
    first, second = layer(x, training=True), layer(x, training=True)
    assert (first != second).any()
    utils.set_random_seed(1)
    np.testing.assert_array_equal(layer(x, training=True), first)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_dropout_rate_is_a_share(rate: float) -> None:
    """Only numbers from 0 to 1 are rates."""
    with pytest.raises(ValueError, match="Dropout expects 0 <= rate <= 1"):
        layers.Dropout(rate)
