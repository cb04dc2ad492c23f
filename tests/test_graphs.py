"""Models that leave the plain `Sequential`: three training steps are Keras's, number for number."""

from typing import Any

import keras as theirs
import numpy as np
import pytest

import labkit as ours
from labkit._tensor import UntraceableError

RNG = np.random.default_rng(0)
ROWS = 12
VECTORS = RNG.normal(size=(ROWS, 6)).astype("float32")
WORDS, OTHERS = RNG.integers(1, 9, (2, ROWS, 5))
WORDS[:4, 3:] = WORDS[5:7, 2:] = OTHERS[2:8, 4:] = 0  # sequences of different lengths
NUMBERS = RNG.normal(size=(ROWS, 1)).astype("float32")
CLASSES = RNG.integers(0, 3, ROWS)
LABELS = RNG.integers(0, 2, (ROWS, 1)).astype("float32")
STEPS = RNG.normal(size=(ROWS, 5, 2)).astype("float32")
SHARES = RNG.random((ROWS, 2, 5, 5)).astype("float32")


def merged(keras: Any, name: str, second: bool = True, **options: Any) -> Any:
    """Return a recurrent network over two merged sequences; the second one may have no mask."""
    layers, inputs = keras.layers, [keras.Input((5,), dtype="int32") for _ in range(2)]
    words = [layers.Embedding(9, 4, mask_zero=mask) for mask in (True, second)]
    parts = [layer(tensor) for layer, tensor in zip(words, inputs, strict=True)]
    y = layers.LSTM(3)(getattr(layers, name)(**options)(parts))
    return keras.Model(inputs, layers.Dense(1)(y)), "mse", [WORDS, OTHERS], NUMBERS


def attention(keras: Any, causal: bool) -> Any:
    """Return attention between the steps of sequences with masks."""
    layers, inputs = keras.layers, keras.Input((5,), dtype="int32")
    x = layers.Embedding(9, 4, mask_zero=True)(inputs)
    y = layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=causal)
    return keras.Model(inputs, layers.Dense(2)(y)), "mse", WORDS, STEPS


def attention_to_masked(keras: Any) -> Any:
    """Return attention from a sequence without a mask to one with a mask, with its weights."""
    layers = keras.layers
    inputs = [keras.Input((5, 2)), keras.Input((5,), dtype="int32")]
    memory = layers.Embedding(9, 4, mask_zero=True)(inputs[1])
    attention = layers.MultiHeadAttention(2, 3)
    y, weights = attention(inputs[0], memory, return_attention_scores=True)
    # Keras hands the memory's mask to the weights, whose second axis are heads, not steps.
    model = keras.Model(inputs, [layers.Dense(2)(y), 1.0 * weights])
    return model, ["mse", "mse"], [STEPS, WORDS], [STEPS, SHARES]


def normalized(keras: Any) -> Any:
    """Return a batch normalization of sequences with masks."""
    layers, inputs = keras.layers, keras.Input((5,), dtype="int32")
    x = layers.Embedding(9, 4, mask_zero=True)(inputs)
    y = layers.GRU(3)(layers.BatchNormalization()(x))
    return keras.Model(inputs, layers.Dense(1)(y)), "mse", WORDS, NUMBERS


def averaged(keras: Any) -> Any:
    """Return a chain in which a layer other than the first uses a mask."""
    layers = keras.layers
    chain = [
        layers.Embedding(9, 4, mask_zero=True),
        layers.Dense(3),
        layers.GlobalAveragePooling1D(),
        layers.Dense(1),
    ]
    return keras.Sequential([keras.Input((5,), dtype="int32"), *chain]), "mse", WORDS, NUMBERS


def logits(keras: Any, function: str, where: str) -> Any:
    """Return a classifier that ends in a function, far beyond where a probability rounds to 0."""
    units, end = (3 if function == "softmax" else 1), getattr(getattr(keras, where), function)
    inputs = keras.Input((6,))
    outputs = end(keras.layers.Dense(units)(inputs) * 40.0)
    loss = "sparse_categorical_crossentropy" if units == 3 else "binary_crossentropy"
    return keras.Model(inputs, outputs), loss, VECTORS, CLASSES if units == 3 else LABELS


def activated(keras: Any) -> Any:
    """Return a graph with all activations, and settings of some."""
    dense, activations = keras.layers.Dense, keras.activations
    inputs = x = keras.Input((6,))
    names = "relu relu6 tanh gelu silu softplus elu selu leaky_relu sigmoid log_softmax linear"
    for name in names.split():
        x = getattr(activations, name)(dense(4)(x))
    x = activations.relu(dense(4)(x) - 0.2, negative_slope=0.1, max_value=1.0, threshold=0.1)
    x = activations.softmax(dense(4)(x), axis=0)
    x = activations.elu(dense(4)(x), alpha=0.7)
    x = activations.leaky_relu(dense(4)(x), negative_slope=0.4)
    return keras.Model(inputs, dense(1)(x)), "mse", VECTORS, NUMBERS


def with_inner_weights(keras: Any) -> Any:
    """Return a model that computes with the weights of its layers, by operators alone."""

    class Inner(keras.Model):  # type: ignore[misc]  # Any
        def __init__(self) -> None:
            super().__init__()
            self.parts = [keras.layers.Dense(3), keras.layers.Dense(6)]

        def call(self, x: Any) -> Any:
            first, second = self.parts
            hidden, y = first(x), second(first(x))
            self.add_loss(0.1 * keras.ops.sum(first.kernel**2))
            self.add_loss(sum(keras.ops.sum(w * w) for w in second.trainable_weights))
            return y * (second.bias + 1.0) + hidden @ (second.kernel * 0.5)

    return Inner(), "mse", VECTORS, VECTORS


def frozen(keras: Any, shared: bool) -> Any:
    """Return a graph with frozen layers before, between and behind others."""
    layers, inputs = keras.layers, keras.Input((6,))
    base = layers.Dense(6, activity_regularizer="l2", trainable=False)
    x = layers.Dense(6, activation="tanh")(base(inputs))
    x = layers.Add()([x, base(x) if shared else base(inputs), layers.Dense(6)(base(inputs))])
    x = layers.BatchNormalization(trainable=False)(x)
    y = layers.Dense(3, activation="softmax", trainable=False)(x)
    return keras.Model(inputs, y), "sparse_categorical_crossentropy", VECTORS, CLASSES


def frozen_base(keras: Any) -> Any:
    """Return a chain on a frozen model."""
    layers = keras.layers
    base = keras.Sequential(
        [keras.Input((6,)), layers.Dense(5), layers.BatchNormalization(), layers.Dense(4)]
    )
    base.trainable = False
    chain = [base, layers.Activation("tanh"), layers.Dense(3, activation="softmax")]
    model = keras.Sequential([keras.Input((6,)), *chain])
    return model, "sparse_categorical_crossentropy", VECTORS, CLASSES


CASES: dict[str, Any] = {
    "Add": lambda keras: merged(keras, "Add"),
    "Multiply": lambda keras: merged(keras, "Multiply"),
    "Concatenate": lambda keras: merged(keras, "Concatenate"),
    "Concatenate in time": lambda keras: merged(keras, "Concatenate", axis=1),
    "Add, one mask": lambda keras: merged(keras, "Add", False),
    "Multiply, one mask": lambda keras: merged(keras, "Multiply", False),
    "Concatenate, one mask": lambda keras: merged(keras, "Concatenate", False),
    "attention": lambda keras: attention(keras, False),
    "causal attention": lambda keras: attention(keras, True),
    "attention to masked steps": attention_to_masked,
    "batch normalization": normalized,
    "a mask in a chain": averaged,
    "softmax of ops": lambda keras: logits(keras, "softmax", "ops"),
    "softmax of activations": lambda keras: logits(keras, "softmax", "activations"),
    "sigmoid of ops": lambda keras: logits(keras, "sigmoid", "ops"),
    "activations": activated,
    "weights of inner layers": with_inner_weights,
    "frozen layers": lambda keras: frozen(keras, False),
    "a frozen layer used twice": lambda keras: frozen(keras, True),
    "a frozen model": frozen_base,
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_three_steps_are_those_of_keras(case: str) -> None:
    """Losses and weights of three steps of gradient descent, from the same weights, agree."""
    losses, weights, first = [], [], None
    for keras in (ours, theirs):
        model, loss, x, y = CASES[case](keras)
        model.compile(keras.optimizers.SGD(0.05), loss)
        if not model.built:
            model(x)
        if first is None:
            first = model.get_weights()
        model.set_weights(first)
        losses.append([float(np.ravel(model.train_on_batch(x, y))[0]) for _ in range(3)])
        weights.append(model.get_weights())
    np.testing.assert_allclose(*losses, rtol=1e-4)
    for mine, other in zip(*weights, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-5)


def test_the_first_step_of_an_unbuilt_model_knows_its_weights() -> None:
    """A step that also builds the model changes the weights as one of a built model does."""
    kernels = []
    for built in (False, True):
        ours.utils.set_random_seed(0)
        model, loss, x, y = with_inner_weights(ours)
        model.compile("sgd", loss)
        if built:
            model(x)
        model.train_on_batch(x, y)
        kernels.append(np.concatenate([weight.ravel() for weight in model.weights]))
    np.testing.assert_array_equal(*kernels)


@pytest.mark.slow
def test_metrics_leave_out_what_a_mask_does_as_in_keras() -> None:
    """Means count the steps that a mask leaves, with weights or without; other metrics all."""
    weight = RNG.random((ROWS, 5)).astype("float32")
    results, first = [], None
    for keras in (ours, theirs):
        inputs = keras.Input((5,), dtype="int32")
        x = keras.layers.Embedding(9, 4, mask_zero=True)(inputs)
        model = keras.Model(inputs, keras.layers.Dense(2)(x))
        metrics = ["mae", "cosine_similarity", keras.metrics.RootMeanSquaredError()]
        model.compile("sgd", "mse", metrics=metrics, weighted_metrics=["mse"])
        first = model.get_weights() if first is None else first
        model.set_weights(first)
        results.append(model.test_on_batch(WORDS, STEPS, weight, return_dict=True))
    assert [*results[0]] == [*results[1]]
    np.testing.assert_allclose([*results[0].values()], [*results[1].values()], rtol=1e-5)


def test_a_sample_weight_holds_for_all_steps_of_a_mask() -> None:
    """One weight for each sample is the same weight for each of its steps."""
    inputs = ours.Input((5,), dtype="int32")
    x = ours.layers.Embedding(9, 4, mask_zero=True)(inputs)
    model = ours.Model(inputs, ours.layers.Dense(2)(x))
    model.compile("sgd", "mse", weighted_metrics=["mae"])
    weight = RNG.random(ROWS)
    steps = np.repeat(weight[:, None], 5, axis=1)
    results = [model.test_on_batch(WORDS, STEPS, given) for given in (weight, steps)]
    np.testing.assert_allclose(*results, rtol=1e-6)


def test_numpy_on_the_weight_of_an_inner_layer_does_not_train_in_silence() -> None:
    """A function of NumPy on a weight is an error that names what to use, once one trains."""

    class Norm(ours.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = ours.layers.Dense(2)

        def call(self, x: Any) -> Any:  # type: ignore[override]
            return self.dense(x) / np.tanh(self.dense.kernel).sum()

    model = Norm()
    model.compile("sgd", "mse")
    assert model.predict(VECTORS, verbose=0).shape == (ROWS, 2)
    with pytest.raises(UntraceableError, match=r"tanh cannot compute.*use labkit\.ops\.tanh"):
        model.train_on_batch(VECTORS, STEPS[:, 0])


def test_layers_before_all_that_are_trained_are_not_sent_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Training behind a frozen base leaves out the base's way back; by hand, it is there."""
    made, sent = [ours.layers.Dense(4, trainable=trained) for trained in (False, False, True)], []
    backward = ours.layers.Dense.backward
    monkeypatch.setattr(
        ours.layers.Dense, "backward", lambda self, dy: (sent.append(self), backward(self, dy))[1]
    )
    chain = ours.Sequential([ours.Input((6,)), *made])
    inputs = ours.Input((6,))
    graph = ours.Model(inputs, made[2](made[1](made[0](inputs))))
    for model in (chain, graph):
        model.compile("sgd", "mse")
        sent.clear()
        model.train_on_batch(VECTORS, np.ones((ROWS, 4)))
        assert sent == made[2:]
        sent.clear()
        assert model.backward(np.ones_like(model(VECTORS))).shape == VECTORS.shape
        assert sent == made[::-1]


@pytest.mark.slow
def test_layers_in_a_call_without_training_are_trained_unlike_in_keras() -> None:
    """Moving averages inside a model whose call has no `training` move here, and not in Keras."""
    for keras, moves in ((ours, True), (theirs, False)):

        class Own(keras.Model):  # type: ignore[misc, name-defined]  # Any
            def __init__(self, layers: Any) -> None:
                super().__init__()
                self.normalization = layers.BatchNormalization()

            def call(self, x: Any) -> Any:
                return self.normalization(x)

        model = Own(keras.layers)
        model.compile("sgd", "mse")
        model.train_on_batch(VECTORS, VECTORS)
        assert np.any(np.asarray(model.normalization.moving_mean) != 0) == moves
