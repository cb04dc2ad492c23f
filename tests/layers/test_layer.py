"""The base class: what a reader's own layer inherits, and what holds for every layer."""

import copy
import re
from typing import Any, ClassVar

import numpy as np
import pytest

import labkit
from labkit import config, layers, testing
from labkit._common import Array, Shape


class Scale(layers.Layer):
    """A reader's layer: one factor for each feature."""

    def build(self, input_shape: Shape) -> None:
        """Make the factors."""
        self.factor = self.add_weight(
            (self.fix_features(input_shape),), "ones", regularizer="l2", name="factor"
        )

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `x * factor`."""
        self.saved = x
        return x * self.factor

    def backward(self, dy: Array) -> Array:
        """Fill the factors' gradient, and return that of the input."""
        axes = tuple(range(dy.ndim - 1))
        self.gradients["factor"][...] = (dy * self.saved).sum(axes)
        return dy * self.factor


def test_own_layer_passes_the_gradient_check(random: np.random.Generator) -> None:
    """The base class adds the penalties' gradients to those of the layer."""
    x = random.normal(size=(5, 3))
    assert testing.check_gradients(Scale(activity_regularizer="l1"), x) < 1e-6


def test_call_may_leave_out_training(random: np.random.Generator) -> None:
    """A layer whose call takes no `training` works in a model, as in Keras."""

    class Double(layers.Layer):
        def call(self, x: Array) -> Array:  # type: ignore[override]  # what is tested
            return 2 * x

        def backward(self, dy: Array) -> Array:
            return 2 * dy

    x = random.normal(size=(5, 3))
    model = labkit.Sequential([layers.Dense(2), Double()])
    assert testing.check_gradients(model, x, training=True) < 1e-6


def test_own_weights_take_initializer_and_regularizer_options() -> None:
    """Options are found by a weight's full name; weights that are not trained come last."""

    class Mine(layers.Layer):
        first_values: ClassVar = {"own_kernel": "ones", "scale": "zeros"}

        def build(self, input_shape: Shape) -> None:
            self.mean = self.add_weight((1,), "zeros", trainable=False, name="mean")
            self.own = self.add_weight((2,), name="own_kernel")
            self.scale = self.add_weight((3,), name="scale")

    layer = Mine(scale_initializer="ones", own_kernel_regularizer="l2")
    layer.build((None, 1))
    np.testing.assert_equal(layer.weights, [np.ones(2), np.ones(3), np.zeros(1)])
    assert layer.losses == [pytest.approx(0.02)]


def test_backward_of_a_subclass_adds_penalties_once(random: np.random.Generator) -> None:
    """A backward that calls its parent's does not count a penalty twice."""

    class Twice(Scale):
        def backward(self, dy: Array) -> Array:
            return super().backward(dy)

    x = random.normal(size=(5, 3))
    assert testing.check_gradients(Twice(activity_regularizer="l2"), x) < 1e-6


def test_missing_methods_are_named() -> None:
    """A layer without a call says that it needs one."""
    with pytest.raises(NotImplementedError, match=r"Layer needs a call\(x, training\)"):
        layers.Layer()(np.ones((1, 2)))


def test_names_are_unique_and_formed_as_in_keras() -> None:
    """Names are in snake case, and layers of one class are numbered."""

    class OneOfMany(layers.Layer):
        """A class that no other test has counted."""

    assert [OneOfMany().name for _ in range(3)] == ["one_of_many", "one_of_many_1", "one_of_many_2"]
    assert layers.MaxPooling2D().name.startswith("max_pooling2d")
    assert layers.LSTM(1).name.startswith("lstm")
    assert layers.ZeroPadding2D().name.startswith("zero_padding2d")
    assert layers.Dense(1, name="out").name == "out"


def test_new_layers_use_floatx() -> None:
    """New layers compute in `floatx`, which is float32 or float64."""
    config.set_floatx("float64")
    try:
        assert layers.Dense(2)(np.ones((1, 2), np.float32)).dtype == np.float64
    finally:
        config.set_floatx("float32")
    assert layers.Dense(2)(np.ones((1, 2))).dtype == np.float32
    with pytest.raises(ValueError, match="floatx is 'float32' or 'float64'"):
        config.set_floatx("float16")  # type: ignore[arg-type]  # wrong on purpose


def test_weights_are_ordered_as_in_keras(random: np.random.Generator) -> None:
    """Trainable weights come first, and those of inner layers after a layer's own."""
    norm = layers.BatchNormalization()
    norm(random.normal(size=(4, 3)))
    assert norm.weights[2] is norm.moving_mean
    assert norm.trainable_weights[0] is norm.gamma
    assert norm.count_params() == 12
    outer = layers.Residual([layers.Dense(3), norm])
    outer(random.normal(size=(4, 3)))
    assert [w.shape for w in outer.weights] == [(3, 3), *[(3,)] * 5]
    outer.trainable = False
    assert outer.trainable_weights == []
    assert not norm.trainable


def test_a_weight_has_one_home(random: np.random.Generator) -> None:
    """Attribute, list of weights and dict hold one array, which training changes in place."""
    layer = layers.Dense(2)
    model = labkit.Sequential([labkit.Input((3,)), layer])
    kernel = layer.kernel
    before = kernel.copy()
    model.compile("sgd", "mse")
    model.fit(random.normal(size=(8, 3)), np.ones((8, 2)), verbose=0)
    assert layer.kernel is model.weights[0] is layer.named_weights["kernel"] is kernel
    assert (kernel != before).all()


def test_a_gradient_may_be_assigned(random: np.random.Generator) -> None:
    """Assigning a gradient copies it; another shape, or a name without a weight, is refused."""
    layer = layers.Dense(2)
    layer.build((None, 3))
    array = layer.gradients["kernel"]
    layer.gradients["kernel"] = np.ones((3, 2))
    assert layer.gradients["kernel"] is array
    assert (array == 1).all()
    layer.gradients["kernel"] *= 2
    assert (array == 2).all()
    with pytest.raises(ValueError, match=r"the weight's shape \(3, 2\). Received: \(2,\)"):
        layer.gradients["kernel"] = np.ones(2)
    with pytest.raises(ValueError, match=r"\['kernel', 'bias'\], .* gradient of 'scale'"):
        layer.gradients["scale"] = np.ones(2)
    assert copy.deepcopy(layer).gradients["kernel"] is not array


def test_set_weights_sets_all_or_none(random: np.random.Generator) -> None:
    """Arrays that do not fit change nothing, and the message says what fits."""
    layer = layers.Dense(2)
    with pytest.raises(ValueError, match="not built"):
        layer.set_weights([np.ones((3, 2))])
    layer(random.normal(size=(4, 3)))
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r"expects \[\(3, 2\), \(2,\)\]. Received: \[\(3, 2\), "):
        layer.set_weights([np.ones((3, 2)), np.ones(3)])
    np.testing.assert_array_equal(layer.kernel, before[0])
    layer.set_weights([np.ones((3, 2)), np.ones(2)])
    assert layer.kernel.sum() == 6


def test_bad_arguments_are_refused() -> None:
    """A wrong dtype, a name in use, and calls that come too early are refused."""
    with pytest.raises(ValueError, match="dtype must be one of"):
        layers.Dense(2, dtype="int8")
    with pytest.raises(ValueError, match="is not built yet"):
        layers.Dense(2).count_params()
    with pytest.raises(RuntimeError, match="before its backward"):
        layers.Dense(2).backward(np.ones((1, 2)))
    with pytest.raises(ValueError, match="needs a known last axis"):
        layers.Dense(2).build((None, 3, None))
    layer = layers.Dense(2)
    layer.build((None, 3))
    with pytest.raises(ValueError, match=r"needs a new name for a weight\. Received: 'kernel'"):
        layer.add_weight((1,), name="kernel")


def test_every_kind_of_layer_is_tested(kinds: set[str]) -> None:
    """The tests below go through all public layers; those with other inputs have their own."""
    merging = {"InputLayer", "Add", "Average", "Concatenate", "Dot", "Multiply", "Subtract"}
    apart = merging | {"Input", "Lambda", "Layer", "TextVectorization"}
    assert kinds == set(layers.__all__) - apart


def test_every_layer_refuses_bad_input(layer: Any, shape: tuple[int, ...]) -> None:
    """Text, too few axes and no samples are refused with what was expected."""
    with pytest.raises(TypeError, match="x must be numbers"):
        layer(np.full(shape, "a"))
    with pytest.raises(ValueError, match=r"expects \(batch.*Received: x.shape=\(\)"):
        layer(np.float32(1))
    with pytest.raises(ValueError, match=r"expects \(batch.*Received: x.shape=\(0, "):
        layer(np.zeros((0, *shape[1:])))


@pytest.mark.parametrize(
    ("one", "too_few", "expected"),
    [
        (layers.Dense(2), (3,), "(batch, inputs, ...)"),
        (layers.LayerNormalization(), (3,), "(batch, features, ...)"),
        (layers.MultiHeadAttention(1, 2), (3, 4), "(batch, steps, features)"),
        (layers.GRU(2), (3, 4), "(batch, steps, features)"),
        (layers.Conv1D(2, 1), (3, 4), "(batch, steps, channels)"),
        (layers.MaxPooling2D(), (3, 4, 5), "(batch, height, width, channels)"),
        (layers.ZeroPadding2D(), (3, 4, 5), "(batch, height, width, channels)"),
        (layers.GlobalAveragePooling2D(), (3, 4, 5), "(batch, height, width, channels)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, layers.Layer) else None,
)
def test_the_axes_that_a_layer_expects_are_named(
    one: layers.Layer, too_few: tuple[int, ...], expected: str
) -> None:
    """An input with one axis too few is refused with the axes that the layer expects."""
    with pytest.raises(ValueError, match=f"expects {re.escape(expected)}. Received: x.shape="):
        one(np.ones(too_few))


def test_every_layer_refuses_a_gradient_of_the_wrong_shape(
    layer: Any, shape: tuple[int, ...]
) -> None:
    """A gradient whose shape is not the output's is refused, not broadcast."""
    y = layer(np.ones(shape))
    with pytest.raises(ValueError, match="expects the output's shape"):
        layer.backward(np.ones((1, *y.shape[1:])))


def test_only_weights_fix_the_last_axis(layer: Any, shape: tuple[int, ...]) -> None:
    """After the first call a layer whose weights have that size refuses another; others adapt.

    An Embedding has weights, but its input has no axis of features.
    """
    layer(np.ones(shape))
    wider = np.ones((*shape[:-1], shape[-1] + 1))
    if layer.weights and not isinstance(layer, layers.Embedding):
        with pytest.raises(ValueError, match=r"Received: x\.shape="):
            layer(wider)
    else:
        told = layer.compute_output_shape((None, *wider.shape[1:]))
        assert told == (None, *layer(wider).shape[1:])


def test_every_layer_predicts_its_output_shape(layer: Any, shape: tuple[int, ...]) -> None:
    """`compute_output_shape` equals the shape of a real output, batch size apart."""
    told = layer.compute_output_shape((None, *shape[1:]))
    y = layer(np.ones(shape))
    assert told == (None, *y.shape[1:])


def test_a_second_call_does_not_overwrite_the_first_output(
    layer: Any, shape: tuple[int, ...]
) -> None:
    """What a call and its backward return is not overwritten by the next."""
    first = layer(np.ones(shape))
    kept = first.copy()
    dx = layer.backward(np.ones(first.shape))
    assert (dx is None) is isinstance(layer, layers.Embedding)
    kept_dx = copy.copy(dx)
    second = layer(np.zeros(shape))
    layer.backward(np.zeros(second.shape))
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(dx, kept_dx)


def test_the_first_layer_may_skip_the_input_gradient() -> None:
    """Layers where it is costly return None and still fill the gradients of their weights."""
    for layer, shape in (
        (layers.Dense(2), (2, 3)),
        (layers.Conv2D(2, 2), (2, 3, 3, 1)),
        (layers.LSTM(2), (2, 3, 1)),
        (layers.Residual([layers.Dense(3)]), (2, 3)),
    ):
        layer.needs_input_gradient = False
        y = layer(np.ones(shape))
        assert layer.backward(np.ones(y.shape)) is None
        part = [*layer.flatten_layers()][-1]
        assert part.gradients["kernel"].any()
