"""What the layers' tests share: the proof that a layer agrees with Keras's."""

from typing import Any, Protocol

import numpy as np
import pytest

import labkit
from labkit import layers, testing
from labkit._tree import flatten


class Agree(Protocol):
    """A check that labkit's layer of a name agrees with Keras's, built in the same way."""

    def __call__(
        self, name: str, x: np.ndarray, *args: Any, training: bool = False, **kwargs: Any
    ) -> None:
        """Build both with the arguments, and compare them on `x`."""


@pytest.fixture
def agree() -> Agree:
    """Return a check against Keras in float64 and float32, and against differences.

    A regularizer is given by name and gets a weight of 0.25: Keras rounds weights to
    float32, which 0.25 survives.
    """
    import keras

    def check(name: str, x: np.ndarray, *args: Any, training: bool = False, **kwargs: Any) -> None:
        def build(package: Any, dtype: str) -> Any:
            options = {
                key: getattr(package.regularizers, value)(0.25)
                if key.endswith("regularizer")
                else value
                for key, value in kwargs.items()
            }
            return getattr(package.layers, name)(*args, dtype=dtype, **options)

        for dtype in ("float64", "float32"):
            ours, theirs = build(labkit, dtype), build(keras, dtype)
            testing.assert_matches_keras(ours, theirs, x, training=training)
            shape = (None, *x.shape[1:])
            # Some of Keras's layers return a list.
            assert ours.compute_output_shape(shape) == tuple(theirs.compute_output_shape(shape))
            assert ours(x).dtype == dtype
        testing.check_gradients(build(labkit, "float64"), x, training=training)

    return check


@pytest.fixture
def agree_on_all() -> Any:
    """Return a check of layers with several inputs or outputs against Keras, in float64."""
    import keras
    import tensorflow as tf

    def check(ours: Any, theirs: Any, *inputs: Any, rtol: float = 1e-9, **options: Any) -> None:
        """Compare all outputs and gradients for some positional inputs, and options of the call."""
        y = ours(*inputs, **options)
        tensors = keras.tree.map_structure(tf.constant, inputs)
        theirs(*tensors, **options)  # builds it
        theirs.set_weights(ours.get_weights())
        slopes = np.random.default_rng(5)
        dy = keras.tree.map_structure(lambda a: slopes.normal(size=a.shape), y)
        weights = [variable.value for variable in theirs.trainable_weights]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            expected = theirs(*tensors, **options)
            pairs = zip(flatten(expected), flatten(dy), strict=True)
            loss = sum(tf.reduce_sum(a * b) for a, b in pairs)
        found = tape.gradient(loss, [*flatten(tensors), *weights], unconnected_gradients="zero")
        dx = ours.backward(dy)
        gradients = [g for layer in ours.flatten_layers() for g in layer.gradients.values()]
        received = [part for part in (*flatten(y), *flatten(dx), *gradients) if part is not None]
        for mine, other in zip(received, [*flatten(expected), *found], strict=True):
            np.testing.assert_allclose(mine, other, rtol=rtol, atol=rtol)

    return check


@pytest.fixture
def random() -> np.random.Generator:
    """Return a stream of random numbers that is the same in each test."""
    return np.random.default_rng(7)


def every_layer() -> list[tuple[layers.Layer, tuple[int, ...]]]:
    """Return one layer of each kind with the shape of an input that it takes."""
    image, sequence = (2, 6, 5, 3), (2, 6, 3)
    return [
        (layers.Activation("tanh"), image),
        (layers.AveragePooling1D(2), sequence),
        (layers.AveragePooling2D(2), image),
        (layers.BatchNormalization(), image),
        (layers.Bidirectional(layers.GRU(4)), sequence),
        (layers.Conv1D(4, 3), sequence),
        (layers.Conv2D(4, 3), image),
        (layers.Conv2DTranspose(4, 3, 2), image),
        (layers.Dense(4), sequence),
        (layers.Cropping2D(((1, 0), (0, 1))), image),
        (layers.DepthwiseConv2D(3), image),
        (layers.Dropout(0.5), sequence),
        (layers.Embedding(9, 4), (2, 6)),
        (layers.Flatten(), image),
        (layers.GRU(4), sequence),
        (layers.GaussianNoise(0.5), sequence),
        (layers.GlobalAveragePooling1D(), sequence),
        (layers.GlobalAveragePooling2D(), image),
        (layers.GlobalMaxPooling1D(), sequence),
        (layers.GlobalMaxPooling2D(), image),
        (layers.GroupNormalization(3), image),
        (layers.LSTM(4, return_sequences=True), sequence),
        (layers.LayerNormalization(), sequence),
        (layers.LeakyReLU(), image),
        (layers.Masking(), sequence),
        (layers.MaxPooling1D(), sequence),
        (layers.MaxPooling2D(), image),
        (layers.MultiHeadAttention(2, 4), sequence),
        (layers.Normalization(), sequence),
        (layers.RandomFlip(), image),
        (layers.RandomRotation(0.1), image),
        (layers.RandomTranslation(0.2, 0.2), image),
        (layers.ReLU(), image),
        (layers.Rescaling(0.5, 1.0), image),
        (layers.Reshape((-1, 3)), image),
        (layers.Residual([layers.Dense(3)]), sequence),
        (layers.SeparableConv2D(4, 3), image),
        (layers.SimpleRNN(4), sequence),
        (layers.UpSampling2D(), image),
        (layers.ZeroPadding2D(), image),
    ]


@pytest.fixture
def kinds() -> set[str]:
    """Return the names of the layers that the tests with `layer` and `shape` go through."""
    return {type(layer).__name__ for layer, _ in every_layer()}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test that asks for `layer` and `shape` one layer of each kind."""
    if {"layer", "shape"} <= set(metafunc.fixturenames):
        cases = every_layer()
        ids = [type(layer).__name__ for layer, _ in cases]
        metafunc.parametrize(("layer", "shape"), cases, ids=ids)
