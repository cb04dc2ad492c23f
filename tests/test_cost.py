"""Counts of what a network costs, against measurements that know nothing of the counting."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import labkit
from labkit import cost

keras: Any = pytest.importorskip("keras")
tf: Any = pytest.importorskip("tensorflow")


def branching(library: Any) -> Any:
    """Build a graph with each kind of layer that is counted."""
    layers = library.layers
    image = library.Input((17, 16, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(image)
    x = layers.BatchNormalization()(x)
    a = layers.SeparableConv2D(6, (5, 3), strides=2, padding="same")(x)
    b = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Concatenate()([a, b])
    x = layers.DepthwiseConv2D(3, dilation_rate=2, padding="same", depth_multiplier=2)(x)
    x = layers.AveragePooling2D(3, strides=1)(x)
    return library.Model(image, layers.Conv2D(4, 1, use_bias=False)(x))


def sequential(library: Any) -> Any:
    """Build a chain that ends in a vector."""
    layers = library.layers
    chain = [layers.Conv2D(4, 3), layers.Conv2DTranspose(3, 3, strides=2)]
    chain += [layers.GlobalAveragePooling2D(), layers.Dense(10), layers.Dropout(0.5)]
    return library.Sequential([library.Input((9, 8, 2)), *chain])


def by_profiler(model: Any) -> int:
    """Let TensorFlow count: its number has two operations for each product and its addition."""
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2 as frozen,
    )

    call = tf.function(lambda x: model(x)).get_concrete_function(
        tf.TensorSpec((1, *model.input_shape[1:]))
    )
    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    return int(profiler.profile(frozen(call).graph, cmd="op", options=options).total_float_ops)


@pytest.mark.parametrize("build", [branching, sequential])
def test_labkit_and_keras_get_the_same_counts(build: Any) -> None:
    """The same network costs the same, whichever library built it."""
    ours, theirs = build(labkit), build(keras)
    assert cost.multiply_adds(ours) == cost.multiply_adds(theirs)
    assert cost.longest_path(ours) == cost.longest_path(theirs) == (4 if build is branching else 3)
    if build is branching:
        assert cost.receptive_field(ours) == cost.receptive_field(theirs)


def test_multiply_adds_are_those_of_tensorflow() -> None:
    """TensorFlow's own profiler counts the same products of convolutions and dense layers."""
    layers = keras.layers
    chain = [layers.Conv2D(8, 3, use_bias=False), layers.Conv2D(4, 2, strides=2, use_bias=False)]
    chain += [layers.DepthwiseConv2D(3, use_bias=False), layers.Flatten()]
    chain += [layers.Dense(5, use_bias=False)]
    model = keras.Sequential([keras.Input((12, 11, 3)), *chain])
    assert 2 * cost.multiply_adds(model) == pytest.approx(by_profiler(model), rel=0.01)


@pytest.mark.parametrize(
    ("name", "multiply_adds", "depth"),
    [("MobileNet", 569e6, 28), ("MobileNetV2", 300e6, 53)],
)
def test_published_numbers(name: str, multiply_adds: float, depth: int) -> None:
    """Howard and others (2017) and Sandler and others (2018), in their tables 4, say the same."""
    model = getattr(keras.applications, name)(weights=None)
    assert cost.multiply_adds(model) == pytest.approx(multiply_adds, rel=0.005)
    assert cost.longest_path(model) == depth


LAYERS = st.tuples(
    st.sampled_from(["Conv2D", "DepthwiseConv2D", "MaxPooling2D", "AveragePooling2D"]),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.integers(1, 2),
)


@settings(max_examples=40, deadline=None)
@given(chain=st.lists(LAYERS, min_size=1, max_size=4))
def test_receptive_field_is_what_a_gradient_reaches(chain: list[Any]) -> None:
    """The pixels that change one place of the output span just the field that was computed."""
    model = labkit.Sequential([labkit.Input((65, 65, 1))])
    for kind, size, stride in chain:
        layer = getattr(labkit.layers, kind)
        filters = (1,) if kind == "Conv2D" else ()
        average = labkit.layers.AveragePooling2D
        model.add((average if kind == "MaxPooling2D" else layer)(*filters, size, strides=stride))
    model.set_weights([np.ones_like(weight) for weight in model.get_weights()])
    y = model(np.ones((1, 65, 65, 1)))
    dy = np.zeros_like(y)
    dy[0, y.shape[1] // 2, y.shape[2] // 2] = 1
    reached = np.argwhere(model.backward(dy)[0, :, :, 0])
    span = tuple(int(n) for n in np.ptp(reached, axis=0) + 1)
    field = cost.receptive_field(model)
    if all(stride <= min(size) for _, size, stride in chain):
        assert span == field
    assert all(part <= whole for part, whole in zip(span, field, strict=True))


def test_models_that_cannot_be_counted_are_refused() -> None:
    """Unknown products, unknown sizes, models without input, inner models: an error for each."""
    layers = labkit.layers
    recurrent = labkit.Sequential([labkit.Input((5, 3)), layers.LSTM(2)])
    with pytest.raises(ValueError, match="Costs are known of dense layers"):
        cost.multiply_adds(recurrent)
    anywhere = labkit.Sequential([labkit.Input((None, None, 3)), layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match="needs the size of each axis"):
        cost.multiply_adds(anywhere)
    assert cost.receptive_field(anywhere) == (3, 3)
    with pytest.raises(ValueError, match="must be built"):
        cost.multiply_adds(labkit.Sequential([layers.Dense(2)]))
    with pytest.raises(ValueError, match="must begin with Input"):
        cost.longest_path(labkit.Sequential([layers.Dense(2)]))
    image = labkit.Input((8, 8, 1))
    inner = labkit.Sequential([labkit.Input((8, 8, 1)), layers.Conv2D(1, 3)])
    nested = labkit.Model(image, layers.Conv2D(1, 3)(inner(image)))
    assert cost.multiply_adds(nested) == 9 * 36 + 9 * 16
    with pytest.raises(ValueError, match="without models inside"):
        cost.longest_path(nested)
    flat = labkit.Sequential([labkit.Input((8, 8, 1)), layers.Flatten(), layers.Dense(2)])
    with pytest.raises(ValueError, match="receptive_field follows convolutions and pooling"):
        cost.receptive_field(flat)
