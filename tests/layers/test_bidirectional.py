"""Sequences read from both ends, compared with Keras."""

from typing import Any

import numpy as np
import pytest

from labkit import layers

MODES = ["concat", "sum", "mul", "ave", None]


def both(mode: Any, kind: str, **options: Any) -> list[Any]:
    """Return labkit's and Keras's layer."""
    import keras

    made = []
    for package in (layers, keras.layers):
        inner = getattr(package, kind)(3, dtype="float64", **options)
        made.append(package.Bidirectional(inner, merge_mode=mode, dtype="float64"))
    return made


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize("mode", MODES)
def test_outputs_and_gradients_match_keras(
    agree_on_all: Any,
    random: np.random.Generator,
    mode: Any,
    return_sequences: bool,
    kind: str,
) -> None:
    """Each way of merging matches Keras, and so does the output's shape."""
    ours, theirs = both(mode, kind, return_sequences=return_sequences)
    agree_on_all(ours, theirs, random.normal(size=(2, 4, 2)))
    shapes = [np.array(layer.compute_output_shape((9, 4, 2))).tolist() for layer in (ours, theirs)]
    assert shapes[0] == shapes[1]


def test_the_second_layer_may_differ(agree_on_all: Any, random: np.random.Generator) -> None:
    """A second layer of another kind reads backwards."""
    import keras

    made = []
    for package in (layers, keras.layers):
        options: dict[str, Any] = {"dtype": "float64", "return_sequences": True}
        second = package.SimpleRNN(3, go_backwards=True, **options)
        made.append(
            package.Bidirectional(package.GRU(3, **options), backward_layer=second, dtype="float64")
        )
    agree_on_all(*made, random.normal(size=(2, 4, 2)))


def test_the_layer_that_is_given_stays_as_it_was() -> None:
    """Both directions are copies, whose weights start apart."""
    given = layers.LSTM(2)
    layer = layers.Bidirectional(given)
    layer.build((None, 3, 1))
    assert not given.built
    assert not np.array_equal(layer.get_weights()[0], layer.get_weights()[3])
    assert [part.go_backwards for part in (given, layer.forward_layer)] == [False, False]


def test_impossible_arguments_are_refused() -> None:
    """Other layers, used ones, unknown modes and pairs that do not fit raise an error."""
    with pytest.raises(TypeError, match="Bidirectional expects a recurrent layer"):
        layers.Bidirectional(layers.Dense(3))
    with pytest.raises(ValueError, match="merge_mode must be one of"):
        layers.Bidirectional(layers.GRU(3), "max")
    used = layers.GRU(3)
    used.build((None, 4, 2))
    with pytest.raises(ValueError, match="a layer that was not used before"):
        layers.Bidirectional(used)
    with pytest.raises(ValueError, match="One of two layers goes backwards"):
        layers.Bidirectional(layers.GRU(3), backward_layer=layers.GRU(3))
    second = layers.GRU(3, go_backwards=True, return_sequences=True)
    with pytest.raises(ValueError, match="Both layers need the same return_sequences"):
        layers.Bidirectional(layers.GRU(3), backward_layer=second)
