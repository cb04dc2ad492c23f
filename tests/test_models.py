"""Sequential trains, evaluates and predicts as Keras does, and refuses bad data."""

import copy
from collections.abc import Iterator
from typing import Any

import keras as theirs
import numpy as np
import pytest

import labkit as ours

RNG = np.random.default_rng(0)
ROWS, INPUTS, CLASSES = 50, 6, 4
X = RNG.normal(size=(ROWS, INPUTS))
LABELS = RNG.integers(0, CLASSES, ROWS)
ONE_HOT = np.eye(CLASSES)[LABELS]
YES = (X[:, :1] > 0).astype(float)
REAL = X @ RNG.normal(size=(INPUTS, 2))
WEIGHT = RNG.uniform(0.1, 2, ROWS)


def compute_in(dtype: str) -> None:
    """Let both libraries compute in a float type."""
    for library in (ours, theirs):
        library.config.set_floatx(dtype)
        library.utils.set_random_seed(1)
    theirs.config.set_dtype_policy(dtype)


@pytest.fixture(autouse=True)
def _float64() -> Iterator[None]:
    """Let both libraries compute in float64."""
    compute_in("float64")
    yield
    compute_in("float32")


def build(keras: Any, outputs: int, activation: str | None, **kwargs: Any) -> Any:
    """Return a small network of either library."""
    return keras.Sequential(
        [
            keras.Input((INPUTS,)),
            keras.layers.Dense(5, activation="tanh"),
            keras.layers.Dense(outputs, activation=activation, **kwargs),
        ]
    )


def pair(outputs: int, activation: str | None, compiled: dict[str, Any], **kwargs: Any) -> Any:
    """Return the same compiled network of both libraries."""
    mine, keras_one = build(ours, outputs, activation, **kwargs), None
    keras_one = build(theirs, outputs, activation, **kwargs)
    keras_one.set_weights(mine.get_weights())
    mine.compile(**compiled)
    keras_one.compile(**compiled)
    return mine, keras_one


def assert_same_weights(mine: Any, keras_one: Any, rtol: float = 1e-9) -> None:
    """Compare all weights."""
    for w, expected in zip(mine.get_weights(), keras_one.get_weights(), strict=True):
        np.testing.assert_allclose(w, expected, rtol=rtol, atol=1e-12)


CASES: list[tuple[str, int, str | None, str, Any, list[str]]] = [
    ("sparse", 4, "softmax", "sparse_categorical_crossentropy", LABELS, ["accuracy"]),
    ("one-hot", 4, "softmax", "categorical_crossentropy", ONE_HOT, ["accuracy", "mae"]),
    ("binary", 1, "sigmoid", "binary_crossentropy", YES, ["accuracy"]),
    ("binary flat", 1, "sigmoid", "binary_crossentropy", YES[:, 0], ["acc"]),
    ("plain probabilities", 4, "softplus", "categorical_crossentropy", ONE_HOT, []),
    ("regression", 2, None, "mse", REAL, ["mae"]),
    ("huber", 2, None, "huber", REAL, []),
    ("kl", 4, "softmax", "kl_divergence", ONE_HOT, []),
]


@pytest.mark.slow
@pytest.mark.parametrize("weigh", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_training_matches_keras_epoch_by_epoch(case: Any, weigh: bool) -> None:
    """After three epochs without shuffling, weights and history match Keras."""
    _, outputs, activation, loss, y, metrics = case
    compiled = {"optimizer": "sgd", "loss": loss, "metrics": metrics}
    mine, keras_one = pair(outputs, activation, compiled)
    options = {
        "epochs": 3,
        "batch_size": 16,
        "shuffle": False,
        "validation_split": 0.2,
        "verbose": 0,
        "sample_weight": WEIGHT if weigh else None,
    }
    history, expected = mine.fit(X, y, **options), keras_one.fit(X, y, **options)
    assert_same_weights(mine, keras_one)
    assert list(history.history) == list(expected.history)
    assert history.epoch == expected.epoch
    for name, values in expected.history.items():
        np.testing.assert_allclose(history.history[name], values, rtol=1e-6)
    for weight in (None, WEIGHT):
        np.testing.assert_allclose(
            mine.evaluate(X, y, sample_weight=weight, batch_size=16, verbose=0),
            keras_one.evaluate(X, y, sample_weight=weight, batch_size=16, verbose=0),
            rtol=1e-6,
        )
    np.testing.assert_allclose(
        mine.predict(X, verbose=0), keras_one.predict(X, verbose=0), rtol=1e-9
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"class_weight": {0: 0.2, 2: 3.0}},
        {"validation_data": (X[:20], LABELS[:20], WEIGHT[:20])},
    ],
    ids=["class weights", "weighted validation"],
)
def test_class_and_validation_weights_match_keras(options: Any) -> None:
    """Class weights and a weighted validation set give Keras's history and metrics."""
    compiled = {
        "optimizer": "sgd",
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy", "sparse_categorical_accuracy"],
    }
    mine, keras_one = pair(CLASSES, "softmax", compiled)
    options = {"epochs": 2, "batch_size": 16, "shuffle": False, "verbose": 0, **options}
    history, expected = mine.fit(X, LABELS, **options), keras_one.fit(X, LABELS, **options)
    assert_same_weights(mine, keras_one)
    assert set(history.history) == set(expected.history)
    for name, values in expected.history.items():
        np.testing.assert_allclose(history.history[name], values, rtol=1e-6, err_msg=name)


@pytest.mark.slow
def test_penalties_match_keras() -> None:
    """Penalties are part of the loss, in training and evaluation, and change the weights."""
    models = []
    for keras in (ours, theirs):
        layers = keras.layers
        chain = [
            layers.Dense(5, activation="tanh", kernel_regularizer="l2"),
            layers.Dense(4, bias_regularizer="l1", activity_regularizer="l2"),
            layers.Dense(2, activation="softmax", activity_regularizer="l1"),
        ]
        models.append(keras.Sequential([keras.Input((INPUTS,)), *chain]))
        models[-1].compile("sgd", "categorical_crossentropy")
    models[1].set_weights(models[0].get_weights())
    y = np.eye(2)[LABELS % 2]
    options = {"epochs": 2, "batch_size": 25, "shuffle": False, "verbose": 0}
    histories = [model.fit(X, y, **options).history["loss"] for model in models]
    np.testing.assert_allclose(*histories, rtol=1e-6)
    np.testing.assert_allclose(*(m.evaluate(X, y, verbose=0) for m in models), rtol=1e-6)
    assert_same_weights(*models, rtol=1e-7)  # Keras's 0.01 is a float32


@pytest.mark.slow
def test_a_loss_without_reduction_trains_as_in_keras() -> None:
    """With one loss per sample, the gradient is that of their sum; the mean is shown."""
    models, losses = [build(keras, 2, None) for keras in (ours, theirs)], []
    models[1].set_weights(models[0].get_weights())
    for keras, model in zip((ours, theirs), models, strict=True):
        model.compile("sgd", keras.losses.MeanSquaredError(reduction=None))
        history = model.fit(X, REAL, epochs=2, batch_size=25, shuffle=False, verbose=0)
        losses.append(history.history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-6)
    assert_same_weights(*models)


@pytest.mark.slow
def test_train_on_batch_matches_keras() -> None:
    """train_on_batch returns the batch's results before its update, as in Keras."""
    compiled = {
        "optimizer": "adam",
        "loss": "categorical_crossentropy",
        "metrics": ["accuracy"],
    }
    mine, keras_one = pair(CLASSES, "softmax", compiled)
    for start in (0, 16, 32):
        rows = slice(start, start + 16)
        args = (X[rows], ONE_HOT[rows], WEIGHT[rows])
        np.testing.assert_allclose(
            mine.train_on_batch(*args), keras_one.train_on_batch(*args), rtol=1e-6
        )


@pytest.mark.parametrize("clip", [{"clipnorm": 0.05}, {"global_clipnorm": 0.05}, {}])
def test_the_flat_vector_trains_like_separate_arrays(clip: dict[str, float]) -> None:
    """Training on the flat vector gives what the optimizer gives on the list of arrays."""
    mine = build(ours, 2, None)
    other = build(ours, 2, None)
    other.set_weights(mine.get_weights())
    mine.compile(ours.optimizers.Adam(0.01, **clip), "mse")
    mine.fit(X, REAL, batch_size=ROWS, epochs=5, verbose=0)
    optimizer, loss = ours.optimizers.Adam(0.01, **clip), ours.losses.get("mse")
    for _ in range(5):
        other.backward(loss.gradient(REAL, other(X, training=True)))
        gradients = [layer.gradients[name] for layer in other.layers for name in layer.gradients]
        optimizer.apply(gradients, other.trainable_weights)
    for w, expected in zip(mine.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(w, expected, rtol=1e-9, atol=1e-12)


def test_saturated_outputs_still_learn() -> None:
    """Behind a softmax the loss uses logits: its gradient does not vanish at p = 0."""
    model = ours.Sequential(
        [
            ours.Input((1,)),
            ours.layers.Dense(2, activation="softmax", kernel_initializer="ones"),
        ]
    )
    model.set_weights([np.array([[200.0, -200.0]]), np.zeros(2)])
    model.compile(ours.optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    assert model.evaluate([[1.0]], [1], verbose=0) == pytest.approx(400)
    model.fit([[1.0]], [1], verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], [[199, -199]])
    assert model.layers[-1].activation is ours.activations.softmax


@pytest.mark.slow
def test_from_logits_behind_a_softmax_warns_and_uses_its_input() -> None:
    """With from_logits=True behind a softmax, both libraries warn and use its input."""
    values = []
    for keras in (ours, theirs):
        model = build(keras, CLASSES, "softmax")
        model.set_weights([np.full(w.shape, 0.3) for w in model.get_weights()])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("sgd", loss)
        with pytest.warns(UserWarning, match="from_logits=True"):
            values.append(model.evaluate(X, LABELS, verbose=0))
    assert values[0] == pytest.approx(values[1], rel=1e-9)


class Interrupted(ours.layers.Dense):
    """A layer that is interrupted in its backward."""

    def backward(self, dy: Any) -> Any:
        """Raise what Ctrl-C raises."""
        raise KeyboardInterrupt


def test_an_interrupted_step_leaves_the_model_intact() -> None:
    """After Ctrl-C within a step, weights, activations and input gradients are as before."""
    model = build(ours, CLASSES, "softmax")
    model.layers.insert(0, Interrupted(INPUTS))
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = model(X)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, LABELS, verbose=0)
    np.testing.assert_array_equal(model(X), before)
    del model.layers[0]
    model(X)
    assert model.backward(np.ones((ROWS, CLASSES))).shape == X.shape


def test_models_that_share_a_layer_share_its_weights() -> None:
    """Training either of two models changes the layer that both hold, but not a copy."""
    shared = ours.layers.Dense(3, name="shared")
    first = ours.Sequential([ours.Input((INPUTS,)), shared, ours.layers.Dense(2)])
    second = ours.Sequential([ours.Input((INPUTS,)), shared, ours.layers.Dense(2)])
    first.compile("adam", "mse")
    second.compile("adam", "mse")
    for model in (first, second, first):
        before = shared.kernel.copy()
        model.fit(X, REAL, verbose=0)
        assert not np.array_equal(before, shared.kernel)
        assert shared.kernel is model.layers[0].weights[0]
    clone = copy.deepcopy(first)
    before = shared.kernel.copy()
    clone.fit(X, REAL, verbose=0)
    np.testing.assert_array_equal(shared.kernel, before)
    assert not np.array_equal(clone.layers[0].kernel, before)


def test_a_frozen_layer_is_not_trained() -> None:
    """Layers with trainable=False keep their weights; the others learn."""
    model = build(ours, 2, None)
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X, REAL, verbose=0)
    after = model.get_weights()
    np.testing.assert_array_equal(before[0], after[0])
    assert not np.array_equal(before[2], after[2])


def test_layers_of_two_dtypes_keep_them_and_learn() -> None:
    """A layer of another dtype, added after a training, is trained in its own precision."""
    model = build(ours, 2, None)
    model.compile("sgd", "mse")
    model.fit(X, REAL, verbose=0)
    model.add(ours.layers.Dense(2, dtype="float32"))
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X, REAL, verbose=0)
    for w, old in zip(model.get_weights(), before, strict=True):
        assert w.dtype == old.dtype
        assert not np.array_equal(w, old)
    assert [w.dtype.name for w in before] == ["float64"] * 4 + ["float32"] * 2


def test_a_model_can_be_a_layer_of_another() -> None:
    """An encoder and a decoder train together, and yield input gradients."""
    encoder = ours.Sequential([ours.Input((INPUTS,)), ours.layers.Dense(2)])
    decoder = ours.Sequential([ours.Input((2,)), ours.layers.Dense(INPUTS)])
    whole = ours.Sequential([ours.Input((INPUTS,)), encoder, decoder])
    whole.compile(ours.optimizers.Adam(0.05), "mse")
    history = whole.fit(X, X, epochs=60, verbose=0).history["loss"]
    assert history[-1] < 0.8 * history[0]
    np.testing.assert_allclose(decoder.predict(encoder.predict(X, verbose=0), verbose=0), whole(X))
    assert whole.count_params() == encoder.count_params() + decoder.count_params()
    assert whole.backward(np.ones((ROWS, INPUTS))).shape == (ROWS, INPUTS)


def test_a_model_built_by_its_first_batch_trains(capsys: pytest.CaptureFixture[str]) -> None:
    """Without an Input, the first batch sets the shape."""
    model = ours.Sequential()
    model.add(ours.layers.Dense(3, activation="relu"))
    model.add(ours.layers.Dense(1))
    model.summary()
    assert "0 (unbuilt)" in capsys.readouterr().out
    model.compile("sgd", "mse")
    model.fit(X, REAL[:, 0], verbose=0)
    assert model.compute_output_shape((None, INPUTS)) == (None, 1)
    assert model.count_params() == 3 * INPUTS + 3 + 3 + 1


def test_shuffling_changes_the_order_and_keeps_the_rows_together() -> None:
    """Each epoch has a new order, the same for x, y and weights; a seed repeats it."""
    seen: list[list[tuple[Any, Any]]] = []

    class Spy(ours.losses.MeanSquaredError):
        def compare(self, t: Any, y: Any) -> Any:
            seen[-1].extend(t[:, 0])
            return super().compare(t, y)

    model = ours.Sequential([ours.Input((1,)), ours.layers.Dense(1)])
    rows = np.arange(20.0)
    for _ in range(2):
        ours.utils.set_random_seed(3)
        model.compile(ours.optimizers.SGD(0.0), Spy())
        for _ in range(2):
            seen.append([])
            model.fit(rows, rows, batch_size=8, verbose=0)
    assert all(sorted(epoch) == list(rows) for epoch in seen)
    assert seen[0] != seen[1]
    assert seen[:2] == seen[2:]
    seen.append([])
    model.fit(rows, rows, batch_size=8, shuffle=False, verbose=0)
    assert seen[-1] == list(rows)


def test_ranks_are_adjusted_as_in_keras() -> None:
    """(n,) for an input of (1,), and images without a channel axis, are accepted."""
    line = ours.Sequential([ours.Input((1,)), ours.layers.Dense(1)])
    np.testing.assert_array_equal(line(np.arange(3.0)), line(np.arange(3.0)[:, None]))
    image = ours.Sequential([ours.Input((4, 4, 1)), ours.layers.Flatten()])
    assert image(np.zeros((2, 4, 4))).shape == (2, 16)
    assert build(ours, 2, None)(X[..., None]).shape == (ROWS, 2)


def test_predictions_do_not_depend_on_the_batch_size() -> None:
    """Batches of any size, lists and a single batch give the same outputs."""
    model = build(ours, 3, "softmax")
    whole = model(X)
    for size in (1, 7, 32, 1000):
        np.testing.assert_allclose(model.predict(X, batch_size=size, verbose=0), whole)
    np.testing.assert_allclose(model.predict(X.tolist(), verbose=0), whole)


def test_summary_lists_layers_shapes_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """The table shows each layer's shape and count, and the totals."""
    model = build(ours, 2, None)
    model.layers[0].trainable = False
    model.summary()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f'Model: "{model.name}"'
    assert lines[3].split()[-4:] == ["(Dense)", "(None,", "5)", "35"]
    assert lines[-1] == "Total params: 47 (trainable: 12)"


def test_progress_shows_epochs_and_results(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal, verbose 1 and 2 print a line per epoch, and 0 prints nothing."""
    model = build(ours, CLASSES, "softmax")
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, LABELS, epochs=2, verbose=0)
    assert capsys.readouterr().out == ""
    for verbose in (1, 2, "auto"):
        model.fit(X, LABELS, epochs=2, verbose=verbose, validation_split=0.1)
        lines = capsys.readouterr().out.splitlines()
        assert lines[::2] == ["Epoch 1/2", "Epoch 2/2"]
        assert all(line.startswith("2/2 ") for line in lines[1::2])
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            assert f" - {name}: " in lines[1]
    model.evaluate(X, LABELS)
    assert " - accuracy: " in capsys.readouterr().out
    model.predict(X)
    assert capsys.readouterr().out.startswith("2/2 ")


BAD: list[tuple[str, Any, Any, dict[str, Any], type[Exception], str]] = [
    ("lengths", X, REAL[:-1], {}, ValueError, "same number of rows"),
    ("weights", X, REAL, {"sample_weight": WEIGHT[:-1]}, ValueError, "same number of rows"),
    ("empty", X[:0], REAL[:0], {}, ValueError, "same number of rows, one or more"),
    ("width", X[:, :-1], REAL, {}, ValueError, r"expects \(None, 6\)"),
    ("rank", X[:, None, None], REAL, {}, ValueError, r"expects \(None, 6\)"),
    ("targets", X, REAL[:, :1], {}, ValueError, "y_true and y_pred of one shape"),
    ("no targets", X, None, {}, TypeError, "y_true must be numbers"),
    ("words", np.full((ROWS, INPUTS), "a"), REAL, {}, TypeError, "x must be numbers"),
    ("objects", np.full((ROWS, INPUTS), None), REAL, {}, TypeError, "x must be numbers"),
    ("a number", 3.0, REAL, {}, ValueError, "same number of rows"),
    ("batch size", X, REAL, {"batch_size": 0}, ValueError, "batch_size must be 1 or more"),
    (
        "split",
        X,
        REAL,
        {"validation_split": 1.5},
        ValueError,
        "leave samples on both sides",
    ),
    (
        "both weights",
        X,
        REAL,
        {"class_weight": {0: 1}, "sample_weight": WEIGHT},
        ValueError,
        "class_weight or sample_weight. Received: both",
    ),
    ("nan in x", np.where(X > 1, np.nan, X), REAL, {}, ValueError, "x must be finite"),
    ("nan in y", X, np.where(REAL > 1, np.nan, REAL), {}, ValueError, "y must be finite"),
    (
        "nan weight",
        X,
        REAL,
        {"sample_weight": WEIGHT * np.nan},
        ValueError,
        "sample_weight must be",
    ),
]


@pytest.mark.parametrize("bad", BAD, ids=[case[0] for case in BAD])
def test_bad_data_are_refused_before_training(bad: Any) -> None:
    """Wrong shapes, types, lengths, NaN and arguments are refused before any update."""
    _, x, y, options, kind, message = bad
    model = build(ours, 2, None)
    model.compile("adam", "mse")
    before = model.get_weights()
    with pytest.raises(kind, match=message):
        model.fit(x, y, **{"verbose": 0, "batch_size": ROWS, **options})
    for w, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(w, kept)
    model.fit(X, REAL, verbose=0)  # and the model still works


def test_bad_data_are_refused_by_predict_and_evaluate() -> None:
    """NaN and wrong shapes are refused by predict and evaluate, too."""
    model = build(ours, 2, None)
    model.compile("adam", "mse")
    holes = np.where(X > 1, np.nan, X)
    with pytest.raises(ValueError, match="x must be finite"):
        model.predict(holes, verbose=0)
    with pytest.raises(ValueError, match="x must be finite"):
        model.evaluate(holes, REAL, verbose=0)
    with pytest.raises(ValueError, match=r"expects \(None, 6\)"):
        model.predict(X[:, 1:], verbose=0)
    with pytest.raises(ValueError, match="one or more"):
        model.predict(X[:0], verbose=0)


def test_bad_calls_are_refused() -> None:
    """Using an uncompiled model, adding other objects and unknown names are refused."""
    model = build(ours, 2, None)
    for method in (model.fit, model.evaluate, model.train_on_batch):
        with pytest.raises(RuntimeError, match=r"Call compile\(optimizer, loss\)"):
            method(X, REAL)
    with pytest.raises(TypeError, match="expects a layer"):
        ours.Sequential(["dense"])
    with pytest.raises(ValueError, match="only be the first layer"):
        model.add(ours.Input((3,)))
    with pytest.raises(ValueError, match="Unknown optimizer"):
        model.compile("adamm", "mse")
    with pytest.raises(ValueError, match="Unknown metric"):
        model.compile("adam", "mse", metrics=["acuracy"])


def test_steps_per_epoch_goes_on_where_the_last_epoch_ended() -> None:
    """As in Keras, epochs share one way through the data, and an incomplete one warns."""
    seen: list[float] = []

    class Spy(ours.losses.MeanSquaredError):
        def compare(self, t: Any, y: Any) -> Any:
            seen.append(float(t[0, 0]))
            return super().compare(t, y)

    model = ours.Sequential([ours.Input((1,)), ours.layers.Dense(1)])
    model.compile(ours.optimizers.SGD(0.0), Spy())
    rows, options = np.arange(20.0), {"batch_size": 2, "shuffle": False, "verbose": 0}
    with pytest.warns(UserWarning, match="ended after 2 of 4 batches"):
        model.fit(rows, rows, steps_per_epoch=4, epochs=4, **options)
    assert seen == [*range(0, 20, 2), *range(0, 8, 2)]


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"batch_size": 2.5}, TypeError, "batch_size must be a whole number"),
        ({"epochs": 1.5}, TypeError, "epochs must be a whole number"),
        ({"validation_data": (X, REAL, WEIGHT, WEIGHT)}, ValueError, "Received: 4 parts"),
        ({"class_weight": "balanced"}, TypeError, "class_weight is a dict"),
    ],
)
def test_arguments_of_the_wrong_kind_are_refused(options: Any, kind: Any, message: str) -> None:
    """Each gets a sentence that says what is expected, before anything is trained."""
    model = build(ours, 2, None)
    model.compile("sgd", "mse")
    before = model.get_weights()
    with pytest.raises(kind, match=message):
        model.fit(X, REAL, **{"verbose": 0, **options})
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


# The product of infinite numbers with weights of either sign is no number, of which NumPy warns.
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("activation", [None, "sigmoid"])
def test_infinite_inputs_are_refused(activation: str | None) -> None:
    """Infinite numbers get the error that NaN gets, and no weight changes."""
    model = build(ours, 2, activation)
    model.compile("sgd", "mse")
    before = model.get_weights()
    with pytest.raises(ValueError, match="x must be finite"):
        model.fit(np.where(X > 1, np.inf, X), REAL, verbose=0)
    for w, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(w, kept)


def test_models_without_layers_and_names_used_twice_are_refused() -> None:
    """A model needs a layer; two layers of one name are refused, one layer used twice is not."""
    empty = ours.Sequential()
    empty.compile("sgd", "mse")
    with pytest.raises(ValueError, match="needs a layer"):
        empty.fit(X, REAL, verbose=0)
    with pytest.raises(ValueError, match="a second layer named 'twin'"):
        ours.Sequential([ours.layers.Dense(2, name="twin"), ours.layers.Dense(2, name="twin")])
    with pytest.raises(TypeError, match=r"metrics is a list, such as \['accuracy'\]"):
        empty.compile("sgd", "mse", metrics="accuracy")


@pytest.mark.slow
def test_a_layer_used_twice_trains_as_in_keras() -> None:
    """An activation and a Dense layer that stand twice in a chain are shared."""
    models = []
    for keras in (ours, theirs):
        bend, dense = keras.layers.Activation("tanh"), keras.layers.Dense(INPUTS)
        models.append(keras.Sequential([keras.Input((INPUTS,)), dense, bend, dense, bend]))
        models[-1].compile("sgd", "mse")
    models[1].set_weights(models[0].get_weights())
    assert models[0].count_params() == INPUTS * INPUTS + INPUTS
    options = {"epochs": 3, "batch_size": 25, "shuffle": False, "verbose": 0}
    histories = [model.fit(X, X, **options).history["loss"] for model in models]
    np.testing.assert_allclose(*histories, rtol=1e-6)
    assert_same_weights(*models)


def last_layers(keras: Any) -> dict[str, Any]:
    """Return chains that end in a softmax or sigmoid in other ways than a plain Dense layer."""
    layers = keras.layers
    return {
        "nested": [keras.Sequential([keras.Input((INPUTS,)), layers.Dense(4, "softmax")])],
        "penalized": [layers.Dense(4, "softmax", activity_regularizer="l2")],
        "activation": [layers.Dense(4), layers.Activation("softmax")],
        "convolution": [layers.Reshape((INPUTS, 1, 1)), layers.Conv2D(1, 1, activation="sigmoid")],
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nested", "penalized", "activation", "convolution"])
def test_logits_are_found_behind_any_last_layer(name: str) -> None:
    """With logits far beyond ±16, losses and steps are Keras's: nothing is clipped."""
    models, losses = [], []
    for keras in (ours, theirs):
        model = keras.Sequential([keras.Input((INPUTS,)), *last_layers(keras)[name]])
        model.compile(
            "sgd", "binary_crossentropy" if name == "convolution" else "categorical_crossentropy"
        )
        models.append(model)
    models[0].set_weights([30 * RNG.normal(size=w.shape) for w in models[0].get_weights()])
    models[1].set_weights(models[0].get_weights())
    y = RNG.integers(0, 2, (ROWS, INPUTS, 1, 1)).astype(float) if name == "convolution" else ONE_HOT
    losses = [m.fit(X, y, epochs=2, shuffle=False, verbose=0).history["loss"] for m in models]
    np.testing.assert_allclose(*losses, rtol=1e-6)
    assert_same_weights(*models, rtol=1e-7)


def test_metrics_of_one_name_are_numbered() -> None:
    """The second of two metrics of one name gets a suffix, as in Keras."""
    model = build(ours, 2, None)
    model.compile("sgd", "mse", metrics=["mae", ours.metrics.MeanAbsoluteError(name="mae")])
    found = model.evaluate(X, REAL, verbose=0, return_dict=True)
    assert set(found) == {"loss", "mae", "mae_1"}
    assert found["mae"] == found["mae_1"]


def test_sequences_may_change_their_length() -> None:
    """A model that was built by its first batch takes other lengths; an `Input` fixes them."""
    layers = ours.layers
    model = ours.Sequential([layers.Embedding(9, 4), layers.LSTM(3), layers.Dense(1)])
    for steps in (5, 8):
        assert model(np.ones((2, steps), int)).shape == (2, 1)
    model = ours.Sequential([ours.Input((None,)), layers.Embedding(9, 4), layers.LSTM(3)])
    assert model(np.ones((2, 7), int)).shape == (2, 3)


def test_one_callback_needs_no_list_and_pop_removes_a_layer() -> None:
    """`callbacks=` takes a callback; `pop` takes the last layer off, and another may follow."""
    model = build(ours, 3, None)
    model.pop()
    model.add(ours.layers.Dense(2))
    model.compile("sgd", "mse", metrics=["mse"])
    stopping = ours.callbacks.EarlyStopping("loss", min_delta=100)
    history = model.fit(X, REAL, epochs=9, verbose=0, callbacks=stopping).history
    assert len(history["mse"]) == 2
    assert ours.Sequential([model, ours.layers.Dense(1)]).built
    assert ours.Sequential([ours.layers.Dense(1, input_shape=(4,))]).built
