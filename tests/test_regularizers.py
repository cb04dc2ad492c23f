"""Penalties and their gradients, compared with Keras."""

import numpy as np
import pytest

from labkit import regularizers


@pytest.fixture
def random() -> np.random.Generator:
    """Return a stream of random numbers that is the same in each test."""
    return np.random.default_rng(7)


@pytest.mark.parametrize("name", ["L1", "L2", "L1L2"])
def test_penalties_and_gradients_match_keras(name: str, random: np.random.Generator) -> None:
    """The penalty and its gradient match Keras, also at zero."""
    import keras
    import tensorflow as tf

    arguments = (0.25, 0.5)[: 2 if "2" in name and "1" in name else 1]
    ours = getattr(regularizers, name)(*arguments)
    theirs = getattr(keras.regularizers, name)(*arguments)
    x = random.normal(size=(4, 3)).astype(np.float32)
    x[0, 0] = 0
    tensor = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        penalty = theirs(tensor)
    assert ours(x) == pytest.approx(float(penalty), rel=1e-6)
    gradient = ours.gradient(x)
    np.testing.assert_allclose(gradient, tape.gradient(penalty, tensor), rtol=1e-6)
    assert gradient.dtype == np.float32


def test_classes_may_be_written_as_functions() -> None:
    """`l1`, `l2` and `l1_l2` are the classes, as in Keras."""
    assert regularizers.l1(0.5) == regularizers.L1(0.5)
    assert regularizers.l2(0.5) == regularizers.L2(0.5)
    assert regularizers.l1_l2(0.5, 0.25) == regularizers.L1L2(0.5, 0.25)


@pytest.mark.parametrize("name", ["l1", "l2", "l1l2"])
def test_names_match_keras(name: str) -> None:
    """A name stands for the same weights as in Keras."""
    import keras

    x = np.array([1.0, -2.0], np.float32)
    theirs = float(keras.regularizers.get(name)(x))
    assert regularizers.get(name)(x) == pytest.approx(theirs, rel=1e-6)


def test_get_returns_objects_and_refuses_unknown_names() -> None:
    """None and objects are returned as they are; an unknown name is refused with those known."""
    penalty = regularizers.L2(0.1)
    assert regularizers.get(penalty) is penalty
    assert regularizers.get(None) is None
    for unknown in ("l3", 0.01):
        with pytest.raises(ValueError, match=f"Unknown regularizer {unknown!r}. Known: L1"):
            regularizers.get(unknown)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("weight", [-1, float("nan"), float("inf")])
def test_negative_weights_are_refused(weight: float) -> None:
    """Weights that are negative or not finite are refused."""
    with pytest.raises(ValueError, match=f"l1 and l2 must be >= 0. Received: .*l1={weight}"):
        regularizers.L1(weight)
    with pytest.raises(ValueError, match=f"l1 and l2 must be >= 0. Received: .*l2={weight}"):
        regularizers.L2(weight)
