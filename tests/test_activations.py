"""Activation functions and their derivative rules, compared with Keras and at extremes."""

from typing import Any

import numpy as np
import pytest

from labkit import activations, layers, testing


@pytest.fixture
def random() -> np.random.Generator:
    """Return a stream of random numbers that is the same in each test."""
    return np.random.default_rng(7)


NAMES = [name for name in activations.__all__ if name not in ("get", "vjp")]
# In TensorFlow a constant of these (the square root of two, the slope) is always a float32.
TOLERANCE = {"gelu": 1e-7, "leaky_relu": 1e-7, "selu": 1e-7}


@pytest.mark.parametrize("name", NAMES)
def test_activations_match_keras(name: str, random: np.random.Generator) -> None:
    """Output and gradient match Keras in both precisions."""
    import keras

    x = 3 * random.normal(size=(5, 7))
    for dtype, rtol in (("float64", TOLERANCE.get(name)), ("float32", 1e-6)):
        ours, theirs = (p.Activation(name, dtype=dtype) for p in (layers, keras.layers))
        testing.assert_matches_keras(ours, theirs, x, rtol=rtol)


@pytest.mark.parametrize("name", NAMES)
def test_rules_match_finite_differences(name: str, random: np.random.Generator) -> None:
    """Each rule is the derivative of its function."""
    testing.check_gradients(layers.Activation(name), 3 * random.normal(size=(5, 7)))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("leaky_relu", {"negative_slope": 0.1}),
        ("elu", {"alpha": 0.5}),
        ("softmax", {"axis": 0}),
        ("log_softmax", {"axis": 0}),
        ("relu", {"negative_slope": 0.1}),
        ("relu", {"max_value": 0.5}),
        ("relu", {"threshold": 0.3}),
        ("relu", {"threshold": -0.3}),
        ("relu", {"negative_slope": 0.1, "max_value": 1.0, "threshold": 0.3}),
        ("relu", {"negative_slope": 0.2, "max_value": 1.0, "threshold": -0.3}),
    ],
)
def test_options_match_keras(
    name: str, options: dict[str, Any], random: np.random.Generator
) -> None:
    """The functions take Keras's options."""
    import keras

    x = random.normal(size=(5, 7))
    ours = getattr(activations, name)(x, **options)
    theirs = getattr(keras.activations, name)(x, **options)
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_extreme_inputs_stay_finite(name: str) -> None:
    """Large inputs give finite float32 outputs and gradients."""
    x = np.array([[-1e4, -100, -1e-30, 0, 1e-30, 100, 1e4]], np.float32)
    function = activations.get(name)
    y = function(x)
    dx = activations.vjp[function](np.ones_like(x), x, y)
    for array in (y, dx):
        assert array.dtype == np.float32
        assert np.isfinite(array).all()


def test_gelu_is_exact_to_the_last_digits() -> None:
    """The normal distribution function matches SciPy's, in both tails."""
    from scipy.special import ndtr

    x = np.linspace(-12, 12, 10_001)
    np.testing.assert_allclose(activations.gelu(x), x * ndtr(x), rtol=1e-12, atol=1e-15)
    short = x.astype(np.float32)
    np.testing.assert_allclose(activations.gelu(short), short * ndtr(short), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_takes_lists_and_integers_but_no_text(name: str) -> None:
    """Integers become floats; text is refused."""
    function = activations.get(name)
    y = function([[-1, 0, 2]])
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, function(np.array([[-1.0, 0.0, 2.0]])), rtol=1e-6)
    with pytest.raises(TypeError, match=r"activation's input must be numbers. Received: dtype=<U1"):
        function(["a"])


def test_small_probabilities_keep_their_digits() -> None:
    """A sigmoid far below zero is accurate to its last digits."""
    x = np.array([-30, -80], np.float32)
    np.testing.assert_allclose(activations.sigmoid(x), np.exp(x), rtol=1e-6)


def test_gelu_equals_published_values() -> None:
    """X Φ(x) with the normal distribution's table: Φ(1) = 0.8413447461, Φ(2) = 0.9772498681."""
    y = activations.gelu(np.array([1.0, 2.0, -1.0]))
    np.testing.assert_allclose(y, [0.8413447461, 1.9544997361, -0.1586552539], rtol=1e-9)


def test_get_resolves_identifiers() -> None:
    """A name, a function or None is accepted; anything else is refused with what is known."""
    assert activations.get("relu") is activations.relu
    assert activations.get(None) is activations.linear
    assert activations.get(np.sin) is np.sin
    for unknown in ("rellu", 3):
        with pytest.raises(ValueError, match=f"Received: {unknown!r}"):
            activations.get(unknown)  # type: ignore[arg-type]  # wrong on purpose


def test_a_custom_function_needs_a_rule(random: np.random.Generator) -> None:
    """Without a rule the error says how to add one; with a rule the layer trains."""
    layer = layers.Dense(2, activation=np.sin)
    x = random.normal(size=(3, 4))
    y = layer(x)
    with pytest.raises(
        KeyError, match=r"No derivative rule for <ufunc 'sin'>: add one to the table"
    ):
        layer.backward(y)
    activations.vjp[np.sin] = lambda dy, z, y: dy * np.cos(z)
    try:
        assert testing.check_gradients(layer, x) < 1e-6
    finally:
        del activations.vjp[np.sin]
