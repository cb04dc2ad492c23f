"""Random chains of layers agree with Keras after copying weights, forward and backward.

Hypothesis grows a chain from the shape that it has reached, so that any kind of layer
follows any other that it fits. In float64 both must agree to nine digits.
"""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import labkit
from labkit import testing

Draw = st.DrawFn
Spec = tuple[str, tuple[Any, ...], dict[str, Any]]  # a layer's name and arguments

# Without gelu and leaky_relu, in which Keras has constants of seven digits.
FUNCTIONS = ["relu", "elu", "sigmoid", "silu", "softmax", "softplus", "tanh"]
ANYWHERE = ["Activation", "BatchNormalization", "Dense", "Dropout", "LayerNormalization"]
BY_AXES = {
    1: [*ANYWHERE, "Reshape"],
    2: [
        *ANYWHERE,
        "Conv1D",
        "Flatten",
        "GRU",
        "GlobalAveragePooling1D",
        "LSTM",
        "MultiHeadAttention",
        "Residual",
        "SimpleRNN",
    ],
    3: [
        *ANYWHERE,
        "AveragePooling2D",
        "Conv2D",
        "Flatten",
        "GlobalAveragePooling2D",
        "MaxPooling2D",
        "Reshape",
        "ZeroPadding2D",
    ],
}
FIXED = {"BatchNormalization": {"momentum": 0.5}, "Dropout": {"rate": 0.5}}


@st.composite
def windows(draw: Draw, shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...], str]:
    """Draw the size of windows that fit in `(batch, *shape)`, their strides and their padding."""
    sizes = tuple(draw(st.integers(1, min(3, n))) for n in shape[:-1])
    strides = tuple(draw(st.integers(1, 2)) for _ in sizes)
    return sizes, strides, draw(st.sampled_from(["valid", "same"]))


@st.composite
def layer_for(draw: Draw, shape: tuple[int, ...], names: list[str] | None = None) -> Spec:
    """Draw a layer that takes `(batch, *shape)`."""
    name = draw(st.sampled_from(names or BY_AXES[len(shape)]))
    size = st.integers(1, 4)
    function = st.sampled_from(FUNCTIONS)
    match name:
        case "Activation":
            return name, (draw(function),), {}
        case "Dense":
            return name, (draw(size), draw(function)), {"use_bias": draw(st.booleans())}
        case "Conv1D" | "Conv2D":
            activation = {"activation": draw(function)}
            return name, (draw(size), *draw(windows(shape))), activation
        case "MaxPooling2D" | "AveragePooling2D":
            return name, draw(windows(shape)), {}
        case "SimpleRNN" | "LSTM" | "GRU":
            return name, (draw(size),), {"return_sequences": draw(st.booleans())}
        case "MultiHeadAttention":  # Keras has 1 / sqrt(key_dim) in seven digits
            return name, (draw(size), 4), {"use_causal_mask": draw(st.booleans())}
        case "Residual":
            inner = draw(layer_for(shape, ["Activation", "LayerNormalization"]))
            return name, ([inner, ("Dense", (shape[-1],), {})],), {}
        case "Reshape":
            columns = draw(st.sampled_from([n for n in (1, 2, 3) if math.prod(shape) % n == 0]))
            return name, ((-1, columns),), {}
        case _:
            return name, (), FIXED.get(name, {})


@st.composite
def architecture(draw: Draw) -> tuple[np.ndarray, list[Spec]]:
    """Draw an input and a chain of three to eight layers."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    axes = draw(st.integers(1, 3))
    shape = tuple(draw(st.integers(2, 7)) for _ in range(axes))
    x = random.normal(size=(3, *shape))
    chain: list[Spec] = []
    if axes == 1 and draw(st.booleans()):
        x = random.integers(0, 6, (3, *shape))
        chain.append(("Embedding", (6, 3), {}))
        shape = (*shape, 3)
    for _ in range(draw(st.integers(3, 8)) - len(chain)):
        chain.append(draw(layer_for(shape)))
        shape = our_layer(chain[-1], "float32").compute_output_shape((None, *shape))[1:]
    return x, chain


def our_layer(spec: Spec, dtype: str) -> labkit.layers.Layer:
    """Build labkit's layer."""
    name, arguments, options = spec
    if name == "Residual":
        arguments = ([our_layer(inner, dtype) for inner in arguments[0]],)
    return getattr(labkit.layers, name)(*arguments, dtype=dtype, **options)


def their_layer(spec: Spec, dtype: str) -> Any:
    """Build Keras's layer."""
    import keras

    class SelfAttention(keras.layers.Layer):
        def __init__(self, attention: Any, use_causal_mask: bool) -> None:
            super().__init__(dtype=dtype)
            self.attention, self.use_causal_mask = attention, use_causal_mask

        def call(self, x: Any) -> Any:
            return self.attention(x, x, use_causal_mask=self.use_causal_mask)

    class Residual(keras.layers.Layer):
        def __init__(self, chain: Any) -> None:
            super().__init__(dtype=dtype)
            self.chain = chain

        def call(self, x: Any) -> Any:
            return x + self.chain(x)

    name, arguments, options = spec
    if name == "Residual":
        return Residual(keras.Sequential([their_layer(inner, dtype) for inner in arguments[0]]))
    if name == "MultiHeadAttention":
        return SelfAttention(keras.layers.MultiHeadAttention(*arguments, dtype=dtype), **options)
    return getattr(keras.layers, name)(*arguments, dtype=dtype, **options)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")  # of one number
@pytest.mark.parametrize("training", [True, False])
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(drawn=architecture())
def test_random_chains_match_keras(training: bool, drawn: tuple[np.ndarray, list[Spec]]) -> None:
    """Outputs, gradients of input and weights, and moving averages match Keras."""
    import keras

    x, chain = drawn
    if training:  # two streams of random numbers cannot agree
        chain = [spec for spec in chain if spec[0] != "Dropout"]
    ours = labkit.Sequential([our_layer(spec, "float64") for spec in chain])
    ours.dtype = "float64"
    theirs = keras.Sequential([their_layer(spec, "float64") for spec in chain])
    testing.assert_matches_keras(ours, theirs, x, training=training)
