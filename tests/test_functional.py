"""Functional models: graphs with shared layers and several inputs, as Keras makes them."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras as theirs
import numpy as np
import pytest

import labkit as ours
from labkit import testing
from labkit._tree import map_structure

RNG = np.random.default_rng(0)
ROWS = 20  # whole batches: where the last is smaller, Keras's means of single losses are off


@pytest.fixture(autouse=True)
def _float64() -> Iterator[None]:
    """Let both libraries compute in float64."""
    for library in (ours, theirs):
        library.config.set_floatx("float64")
    theirs.config.set_dtype_policy("float64")
    yield
    for library in (ours, theirs):
        library.config.set_floatx("float32")
    theirs.config.set_dtype_policy("float32")


def siamese(keras: Any) -> Any:
    """Return a model that encodes two inputs with one encoder."""
    left, right = keras.Input((5,)), keras.Input((5,))
    encoder = keras.Sequential([keras.layers.Dense(4, "tanh"), keras.layers.Dense(3)])
    gap = keras.layers.Subtract()([encoder(left), encoder(right)])
    return keras.Model([left, right], keras.layers.Dense(1, "sigmoid")(gap))


def skip(keras: Any) -> Any:
    """Return a network with shortcuts and a layer that is called three times."""
    x = keras.Input((5,))
    shared = keras.layers.Dense(5, "tanh", kernel_regularizer=keras.regularizers.L2(0.25))
    a = shared(x)
    b = keras.layers.Add()([a, shared(a)])
    c = keras.layers.Concatenate()([x, b, shared(b)])
    return keras.Model(x, keras.layers.Dense(1)(c))


def two_outputs(keras: Any) -> Any:
    """Return a model with two outputs, of which one feeds the other."""
    x = keras.Input((5,))
    hidden = keras.layers.Dense(4, "relu")(x)
    first = keras.layers.Dense(3, "softmax", name="kind")(hidden)
    second = keras.layers.Dense(1, name="size")(keras.layers.Concatenate()([hidden, first]))
    return keras.Model(x, [first, second])


def nested(keras: Any) -> Any:
    """Return a model in a model, called twice, with a convolution."""
    image = keras.Input((6, 6, 2))
    inner_in = keras.Input((6, 6, 2))
    conv = keras.layers.Conv2D(2, 3, padding="same", activation="tanh")
    inner = keras.Model(inner_in, keras.layers.Add()([conv(conv(inner_in)), inner_in]))
    y = keras.layers.GlobalAveragePooling2D()(inner(inner(image)))
    return keras.Model(image, keras.layers.Dense(1)(y))


def attention(keras: Any) -> Any:
    """Return a block of a transformer, with attention between two inputs."""
    x, memory = keras.Input((4, 3)), keras.Input((6, 5))
    y = keras.layers.MultiHeadAttention(2, 4)(x, memory)
    y = keras.layers.LayerNormalization()(keras.layers.Add()([x, y]))
    y = keras.layers.LSTM(3)(y)
    return keras.Model([x, memory], keras.layers.Dense(1)(y))


def arithmetic(keras: Any) -> Any:
    """Return a model with arithmetic between its layers."""
    x = keras.Input((5,))
    y = keras.layers.Dense(4)(x)
    z = keras.ops.exp(-keras.ops.square(y)) * 2 + 1 / (1 + y * y)
    return keras.Model(x, keras.layers.Dense(1)(keras.ops.concatenate([z[:, 1:], x], axis=-1)))


def names_in_a_dict(keras: Any) -> Any:
    """Return a model whose inputs and outputs have names."""
    a, b = keras.Input((5,), name="a"), keras.Input((2,), name="b")
    y = keras.layers.Concatenate()([keras.layers.Dense(3)(a), b])
    outputs = {"up": keras.layers.Dense(1)(y), "down": keras.layers.Dense(2)(y)}
    return keras.Model({"a": a, "b": b}, outputs)


BUILDERS: list[Callable[[Any], Any]] = [
    siamese,
    skip,
    two_outputs,
    nested,
    attention,
    arithmetic,
    names_in_a_dict,
]


def inputs_of(model: Any, rows: int = ROWS) -> Any:
    """Return random inputs for a model of labkit, in its structure."""
    arrays = [RNG.normal(size=(rows, *tensor.shape[1:])) for tensor in model.inputs]
    if model.input_names[0] == "a":
        return dict(zip(model.input_names, arrays, strict=True))
    return arrays[0] if len(arrays) == 1 else arrays


def both(build: Callable[[Any], Any]) -> tuple[Any, Any]:
    """Return a model of labkit and one of Keras with the same weights."""
    mine, keras_one = build(ours), build(theirs)
    assert [w.shape for w in mine.weights] == [tuple(w.shape) for w in keras_one.weights]
    keras_one.set_weights(mine.get_weights())
    return mine, keras_one


def assert_close(mine: Any, expected: Any, rtol: float = 1e-7) -> None:
    """Compare the arrays of two structures."""
    if isinstance(expected, dict):
        assert set(mine) == set(expected)
        for key, value in expected.items():
            assert_close(mine[key], value, rtol)
    elif isinstance(expected, list | tuple):
        for one, other in zip(mine, expected, strict=True):
            assert_close(one, other, rtol)
    else:
        np.testing.assert_allclose(mine, np.asarray(expected), rtol=rtol, atol=1e-9)


@pytest.mark.parametrize("build", BUILDERS)
def test_gradients_of_graphs_are_right(build: Any) -> None:
    """Each gradient of each graph is that of finite differences."""
    model = build(ours)
    testing.check_gradients(model, inputs_of(model, 4))


@pytest.mark.slow
@pytest.mark.parametrize("build", BUILDERS)
def test_graphs_train_as_in_keras(build: Any) -> None:
    """Outputs, history, weights after three epochs and evaluation are Keras's."""
    mine, keras_one = both(build)
    x = inputs_of(mine)
    assert_close(mine.predict(x, verbose=0), keras_one.predict(x, verbose=0))
    targets = mine.predict(x, verbose=0)
    for model in (mine, keras_one):
        model.compile("sgd", "mse")
    y = map_structure(lambda target: RNG.uniform(size=target.shape), targets)
    options = {"epochs": 3, "batch_size": 10, "shuffle": False, "verbose": 0}
    history, expected = (model.fit(x, y, **options).history for model in (mine, keras_one))
    assert set(history) == set(expected)
    assert_close(history, dict(expected), 1e-6)
    assert_close(mine.get_weights(), keras_one.get_weights())
    evaluated = (model.evaluate(x, y, verbose=0) for model in (mine, keras_one))
    assert_close(*evaluated, rtol=1e-6)


# Keras 3.15 asks NumPy for its variables in a way that NumPy 2.4 warns of.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("build", BUILDERS)
def test_weight_files_of_graphs_go_to_keras_and_back(build: Any, tmp_path: Path) -> None:
    """Keras reads labkit's files and labkit reads Keras's, shared and nested layers too."""
    mine, keras_one = build(ours), build(theirs)
    mine.set_weights([RNG.normal(size=w.shape) for w in mine.get_weights()])
    mine.save_weights(tmp_path / "ours.weights.h5")
    keras_one.load_weights(tmp_path / "ours.weights.h5")
    assert_close(mine.get_weights(), keras_one.get_weights(), 0)
    keras_one.set_weights([w + 1 for w in keras_one.get_weights()])
    keras_one.save_weights(tmp_path / "theirs.weights.h5")
    mine.load_weights(tmp_path / "theirs.weights.h5")
    assert_close(mine.get_weights(), keras_one.get_weights(), 0)
    mine.save_weights(tmp_path / "w.npz")
    other = build(ours)
    other.load_weights(tmp_path / "w.npz")
    assert_close(other.get_weights(), mine.get_weights(), 0)


def random_graph(keras: Any, seed: int) -> Any:
    """Return a graph in which layers are drawn, and some are called again."""
    draw = np.random.default_rng(seed)
    inputs = [keras.Input((4,)) for _ in range(draw.integers(1, 4))]
    tensors, made = list(inputs), []
    for _ in range(draw.integers(3, 9)):
        kind = draw.integers(5)
        some = [tensors[i] for i in draw.integers(len(tensors), size=2)]
        if kind == 0 and made:
            tensors.append(made[draw.integers(len(made))](some[0]))
        elif kind == 1:
            merge = ["Add", "Multiply", "Subtract", "Average"][draw.integers(4)]
            tensors.append(getattr(keras.layers, merge)()(some))
        elif kind == 2:
            tensors.append(keras.ops.tanh(some[0]) * some[1])
        elif kind == 3:
            joined = keras.layers.Concatenate()(some)
            tensors.append(keras.layers.Dense(4, "tanh")(joined))
        else:
            made.append(keras.layers.Dense(4, ["tanh", "sigmoid", None][draw.integers(3)]))
            tensors.append(made[-1](some[0]))
    last = keras.layers.Add()([keras.layers.Dense(2)(t) for t in (*inputs, tensors[-1])])
    outputs = [last, tensors[-2]] if draw.integers(2) else last
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs)


@pytest.mark.parametrize("seed", range(12))
def test_random_graphs_have_right_gradients(seed: int) -> None:
    """Finite differences agree with the gradients of graphs that are drawn."""
    model = random_graph(ours, seed)
    testing.check_gradients(model, inputs_of(model, 3))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_random_graphs_agree_with_keras(seed: int) -> None:
    """The layers' order, the outputs and a step of training are Keras's."""
    mine, keras_one = both(lambda keras: random_graph(keras, seed))
    x = inputs_of(mine)
    kinds = [[type(layer).__name__ for layer in model.layers] for model in (mine, keras_one)]
    known = set(dir(ours.layers))
    assert kinds[0] == [kind for kind in kinds[1] if kind in known]
    y = mine.predict(x, verbose=0)
    assert_close(y, keras_one.predict(x, verbose=0))
    y = [v + 1 for v in y] if isinstance(y, list) else y + 1
    for model in (mine, keras_one):
        model.compile("sgd", "mse")
    losses = [model.train_on_batch(x, y) for model in (mine, keras_one)]
    assert_close(*losses, rtol=1e-6)
    assert_close(mine.get_weights(), keras_one.get_weights())


@pytest.mark.slow
@pytest.mark.parametrize("form", ["list", "dict"])
def test_several_losses_and_metrics_match_keras(form: str) -> None:
    """Losses, their weights and metrics go to their outputs, given as lists or dicts."""
    mine, keras_one = both(two_outputs)
    x, kinds, sizes = inputs_of(mine), RNG.integers(0, 3, ROWS), RNG.normal(size=(ROWS, 1))
    weights = RNG.uniform(0.5, 2, ROWS)
    as_list: dict[str, Any] = {
        "loss": ["sparse_categorical_crossentropy", "mse"],
        "loss_weights": [0.5, 2.0],
        "metrics": [["accuracy"], ["mae", "mse"]],
        "weighted_metrics": [[], ["mae"]],
    }
    options = as_list
    if form == "dict":
        options = {
            key: dict(zip(["kind", "size"], value, strict=True)) for key, value in as_list.items()
        }
    y: Any = [kinds, sizes] if form == "list" else {"kind": kinds, "size": sizes}
    histories, values = [], []
    for model in (mine, keras_one):
        model.compile("sgd", **options)
        fit = {"epochs": 2, "batch_size": 10, "shuffle": False, "verbose": 0}
        given = [weights, weights] if form == "list" else None
        histories.append(model.fit(x, y, sample_weight=given, **fit).history)
        values.append(model.evaluate(x, y, verbose=0, return_dict=True))
    assert set(histories[0]) == set(histories[1])
    assert_close(*histories, rtol=1e-6)
    assert_close(*values, rtol=1e-6)
    assert_close(mine.get_weights(), keras_one.get_weights())


def test_a_model_ends_at_a_layer_of_another() -> None:
    """`layer.output` and `model.inputs` make a model of a part, which shares the weights."""
    whole = ours.Sequential([ours.Input((5,)), ours.layers.Dense(4), ours.layers.Dense(1)])
    x = RNG.normal(size=(3, 5))
    part = ours.Model(whole.inputs, whole.layers[0].output)
    np.testing.assert_array_equal(part(x), whole.layers[0](x))
    assert part.weights[0] is whole.weights[0]
    assert part.get_layer(whole.layers[0].name) is part.get_layer(index=1) is whole.layers[0]
    with pytest.raises(ValueError, match=r"has the layers .* Received: 'dens'"):
        part.get_layer("dens")


def test_a_copy_is_a_model_of_its_own() -> None:
    """Training a copy leaves the model as it was, and the copy has its own graph."""
    model = skip(ours)
    twin = copy.deepcopy(model)
    twin.compile("sgd", "mse")
    before = model.get_weights()
    twin.fit(inputs_of(model), np.ones((ROWS, 1)), verbose=0)
    assert_close(model.get_weights(), before, 0)
    assert not np.array_equal(twin.get_weights()[0], before[0])


def test_the_summary_shows_connections(capsys: pytest.CaptureFixture[str]) -> None:
    """Each line names what the layer is called on."""
    two_outputs(ours).summary()
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].endswith("Connected to")
    (joined,) = (line for line in lines if "(Concatenate)" in line)
    assert joined.endswith(", kind")
    assert lines[-1] == "Total params: 47 (trainable: 47)"


def test_bad_graphs_are_refused() -> None:
    """Unconnected outputs, names used twice, other objects and inputs that do not fit."""
    a, b = ours.Input((3,), name="a"), ours.Input((3,), name="b")
    y = ours.layers.Add()([a, b])
    with pytest.raises(ValueError, match=r"follow from the inputs \['a'\]. Received: .*\['b'\]"):
        ours.Model(a, y)
    with pytest.raises(TypeError, match="Model expects tensors"):
        ours.Model(a, np.ones((2, 3)))
    twin = ours.layers.Dense(3, name="same")(ours.layers.Dense(3, name="same")(a))
    with pytest.raises(ValueError, match="a name of its own"):
        ours.Model(a, twin)
    model = ours.Model([a, b], y)
    with pytest.raises(ValueError, match=r"expects 2 inputs, \['a', 'b'\]. Received: 1"):
        model(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"expects \(None, 3\)"):
        model([np.ones((2, 3)), np.ones((2, 4))])
    with pytest.raises(ValueError, match=r"Dense expects .* Received: x.shape=\(None,\)"):
        ours.layers.Dense(2)(ours.Input(()))
    with pytest.raises(TypeError, match="NumPy cannot compute with a tensor"):
        np.exp(np.asarray(a))


@pytest.mark.slow
@pytest.mark.parametrize("sequences", [False, True])
def test_masks_reach_layers_and_loss_as_in_keras(sequences: bool) -> None:
    """Steps with index 0 are skipped by recurrent layers and, in a sequence, by the loss."""
    x = RNG.integers(1, 6, (12, 7))
    x[:, 4:] *= RNG.random((12, 3)) < 0.4
    y = RNG.normal(size=(12, 7, 1) if sequences else (12, 1))
    models = []
    for keras in (ours, theirs):
        layers = keras.layers
        chain = [
            layers.Embedding(6, 4, mask_zero=True),
            layers.Dropout(0.0),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.Dense(3, "tanh"),
            layers.GRU(3, return_sequences=sequences),
            layers.Dense(1),
        ]
        models.append(keras.Sequential([keras.Input((7,)), *chain]))
        models[-1].compile("sgd", "mse")
    models[1].set_weights(models[0].get_weights())
    options = {"epochs": 2, "batch_size": 6, "shuffle": False, "verbose": 0}
    histories = [model.fit(x, y, **options).history["loss"] for model in models]
    assert_close(*histories, rtol=1e-6)
    assert_close(models[0].get_weights(), models[1].get_weights(), 1e-6)
