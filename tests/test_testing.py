"""The two checks find what is wrong, name it, and do not change the layer."""

from typing import Any

import numpy as np
import pytest

import labkit
from labkit import layers, testing
from labkit._common import Array


@pytest.fixture
def random() -> np.random.Generator:
    """Return a stream of random numbers that is the same in each test."""
    return np.random.default_rng(7)


class Wrong(layers.Dense):
    """A Dense layer one of whose gradients is wrong by a part in a thousand."""

    def __init__(self, part: str, **kwargs: Any) -> None:
        super().__init__(3, **kwargs)
        self.part = part

    def backward(self, dy: Array) -> Array | None:
        """Return the gradient, with the requested fault."""
        dx = super().backward(dy)
        if self.part == "input":
            return 1.001 * dx
        if self.part == "shape":
            return dx[:1]
        self.gradients[self.part][0] *= 1.001
        return dx


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("input", "gradient of the input along"),
        ("shape", "gradient of the input should have shape"),
        ("kernel", "gradient of kernel of wrong"),
        ("bias", "gradient of bias of wrong"),
    ],
)
def test_check_gradients_finds_and_names_faults(
    random: np.random.Generator, part: str, message: str
) -> None:
    """Each kind of fault is found and named."""
    with pytest.raises(AssertionError, match=message):
        testing.check_gradients(Wrong(part), random.normal(size=(4, 5)))


def test_check_gradients_accepts_a_correct_model(random: np.random.Generator) -> None:
    """A correct chain with penalties passes and is not changed."""
    model = labkit.Sequential(
        [
            labkit.Input((6, 6, 1)),
            layers.Conv2D(3, 3, activation="tanh", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(4, activation="softmax", activity_regularizer="l1"),
        ]
    )
    x = random.normal(size=(5, 6, 6, 1))
    before = model.get_weights()
    assert testing.check_gradients(model, x) < 1e-6
    assert testing.check_gradients(model, x, training=True) < 1e-6
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert model(x).dtype == np.float32


def test_check_gradients_refuses_to_check_nothing() -> None:
    """A layer without weights, called with integers, has no gradient that could be wrong."""
    with pytest.raises(ValueError, match=r"Received: x\.dtype=int64, and flatten has no such"):
        testing.check_gradients(layers.Flatten(name="flatten"), np.ones((2, 3), np.int64))


def test_check_gradients_does_not_change_the_input(random: np.random.Generator) -> None:
    """The input is left as it was."""
    x = random.normal(size=(4, 5))
    kept = x.copy()
    testing.check_gradients(layers.Dense(2), x)
    np.testing.assert_array_equal(x, kept)


def test_an_input_with_a_common_seed_is_checked_correctly() -> None:
    """An input drawn with seed 0 differs from the check's own random array."""
    x = np.random.default_rng(0).normal(size=(6, 3))
    testing.check_gradients(layers.BatchNormalization(), x, training=True)


@pytest.mark.parametrize(
    ("part", "message"),
    [("input", "gradient of the input"), ("kernel", "gradient of kernel of wrong")],
)
def test_assert_matches_keras_finds_wrong_gradients(
    random: np.random.Generator, part: str, message: str
) -> None:
    """A gradient that differs from Keras's is named."""
    import keras

    with pytest.raises(AssertionError, match=message):
        testing.assert_matches_keras(Wrong(part), keras.layers.Dense(3), random.normal(size=(4, 5)))


def test_assert_matches_keras_finds_every_other_difference(random: np.random.Generator) -> None:
    """Differences in weights, outputs, penalties and averages are each found."""
    import keras

    x = random.normal(size=(4, 5))
    cases = [
        (layers.Dense(3), keras.layers.Dense(2), "weights should have shapes", False),
        (layers.Dense(3), keras.layers.Dense(3, "sigmoid"), "The output should be within", False),
        (
            layers.Dense(3, kernel_regularizer="l2"),
            keras.layers.Dense(3),
            "sum of penalties",
            False,
        ),
        (
            layers.BatchNormalization(momentum=0.9),
            keras.layers.BatchNormalization(),
            "weight 2 after the call",
            True,
        ),
    ]
    for ours, theirs, message, training in cases:
        with pytest.raises(AssertionError, match=message):
            testing.assert_matches_keras(ours, theirs, x, training=training)


def test_assert_matches_keras_accepts_equal_models(random: np.random.Generator) -> None:
    """Equal models pass, and the difference found is returned."""
    import keras

    def build(package: Any) -> Any:
        return package.Sequential(
            [
                package.Input((5,)),
                package.layers.Dense(4, activation="relu"),
                package.layers.Dense(2, activation="softmax"),
            ]
        )

    x = random.normal(size=(4, 5))
    difference = testing.assert_matches_keras(build(labkit), build(keras), x)
    assert 0 <= difference < 1e-5
