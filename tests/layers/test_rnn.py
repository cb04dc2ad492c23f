"""Recurrent layers compared with Keras."""

from typing import Any

import numpy as np
import pytest

from labkit import layers

NAMES = ["SimpleRNN", "LSTM", "GRU"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize("shape", [(4, 6, 3), (1, 1, 1), (2, 1, 5)])
def test_recurrent_layers_match_keras(
    agree: Any,
    random: np.random.Generator,
    shape: tuple[int, ...],
    return_sequences: bool,
    name: str,
) -> None:
    """The last state or all states match Keras, for one step or several."""
    agree(
        name,
        random.normal(size=shape),
        5,
        return_sequences=return_sequences,
        bias_initializer="random_normal",
    )


@pytest.mark.parametrize("name", NAMES)
def test_options_match_keras(agree: Any, random: np.random.Generator, name: str) -> None:
    """The layers match Keras without bias and with all penalties.

    Keras 3.15's SimpleRNN accepts a penalty on its output and ignores it.
    """
    x = random.normal(size=(3, 4, 2))
    agree(name, x, 3, use_bias=False)
    on_output = {} if name == "SimpleRNN" else {"activity_regularizer": "L2"}
    agree(
        name,
        x,
        3,
        return_sequences=True,
        kernel_regularizer="L2",
        recurrent_regularizer="L1",
        bias_regularizer="L2",
        **on_output,
    )


def both(name: str, *arguments: Any, **options: Any) -> list[Any]:
    """Return labkit's and Keras's layer."""
    import keras

    options |= {"dtype": "float64", "bias_initializer": "random_normal"}
    return [getattr(package, name)(*arguments, **options) for package in (layers, keras.layers)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("return_sequences", "return_state", "go_backwards", "masked", "started"),
    [
        (True, False, True, False, False),
        (False, True, False, False, True),
        (True, True, True, True, False),
        (True, True, False, True, True),
        (False, False, True, True, True),
        (False, False, False, True, False),
    ],
)
def test_states_directions_and_masks_match_keras(
    agree_on_all: Any,
    random: np.random.Generator,
    name: str,
    return_sequences: bool,
    return_state: bool,
    go_backwards: bool,
    masked: bool,
    started: bool,
) -> None:
    """Outputs, last states and all gradients match Keras, those of the first state among them."""
    options = {"return_sequences": return_sequences, "return_state": return_state}
    ours, theirs = both(name, 3, go_backwards=go_backwards, **options)
    inputs: list[Any] = [random.normal(size=(4, 5, 2))]
    if started:
        states = list(random.normal(size=(ours.state_arrays, 4, 3)))
        inputs.append(states if name == "LSTM" else states[0])
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 1, 0, 1], [0, 0, 0, 0, 0]], bool)
    agree_on_all(ours, theirs, *inputs, **({"mask": mask} if masked else {}))
    shape = ours.compute_output_shape((None, 5, 2))
    assert shape == theirs.compute_output_shape((None, 5, 2))


def test_states_that_do_not_fit_are_refused() -> None:
    """A first state needs the batch's and the layer's size, and both arrays for an LSTM."""
    layer, x = layers.LSTM(3), np.zeros((2, 4, 1), np.float32)
    layer.build((None, 4, 1))
    with pytest.raises(ValueError, match=r"initial_state of shapes \[\(2, 3\), \(2, 3\)\]"):
        layer.call(x, np.zeros((2, 3)))


def test_simple_rnn_takes_any_activation(agree: Any, random: np.random.Generator) -> None:
    """Any activation with a derivative rule, or none, matches Keras."""
    agree("SimpleRNN", random.normal(size=(3, 4, 2)), 3, "softplus")
    agree("SimpleRNN", random.normal(size=(3, 4, 2)), 3, None)


def test_forget_bias_starts_at_one(agree: Any, random: np.random.Generator) -> None:
    """The forget gate starts open, as in Keras."""
    layer = layers.LSTM(2)
    layer.build((None, 3, 2))
    np.testing.assert_array_equal(layer.get_weights()[2], [0, 0, 1, 1, 0, 0, 0, 0])
    agree("LSTM", random.normal(size=(2, 3, 2)), 2)


@pytest.mark.parametrize("name", NAMES)
def test_large_inputs_give_finite_states(name: str) -> None:
    """Inputs that would overflow an exponential give finite states and gradients."""
    layer = getattr(layers, name)(2)
    y = layer(np.full((1, 3, 2), 1e4))
    dx = layer.backward(np.ones(y.shape))
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()


@pytest.mark.parametrize("name", NAMES)
def test_bad_arguments_are_refused(name: str) -> None:
    """Units must be a positive integer, and inputs must have three axes."""
    with pytest.raises(ValueError, match=f"{name} expects units to be an integer >= 1"):
        getattr(layers, name)(0)
    with pytest.raises(ValueError, match=rf"{name} expects \(batch, steps, features\)"):
        getattr(layers, name)(2)(np.ones((3, 4)))
