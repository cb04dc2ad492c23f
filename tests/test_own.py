"""Layers, models and losses of a reader's own, most of them without a `backward`."""

from typing import Any

import keras as theirs
import numpy as np
import pytest

import labkit as ours
from labkit import ops, random, testing
from labkit._common import Array, Shape

RNG = np.random.default_rng(1)
X, Y = RNG.normal(size=(40, 3)), RNG.normal(size=(40, 2))


class Polynomial(ours.Layer):
    """Weights in a list and a dict, and no `backward`."""

    def build(self, input_shape: Shape) -> None:
        """Make the coefficients and the shift."""
        self.coefficients = [self.add_weight((), "ones", name=f"c{i}") for i in range(3)]
        self.parts = {"shift": self.add_weight(input_shape[-1:], "zeros", name="shift")}  # type: ignore[arg-type]

    def call(self, x: Any) -> Any:  # type: ignore[override]
        """Return a polynomial of `x`."""
        a, b, c = self.coefficients
        return a * x + b * x**2 + c * ops.sin(x) + self.parts["shift"]


class Affine(ours.Layer):
    """Weights in a tuple, and a `backward` that assigns gradients."""

    def build(self, input_shape: Shape) -> None:
        """Make the weights."""
        self.pair = (
            self.add_weight((), "ones", name="factor"),
            self.add_weight((), "zeros", name="shift"),
        )

    def call(self, x: Array) -> Array:  # type: ignore[override]
        """Return `factor * x + shift`."""
        self.saved = x
        return self.pair[0] * x + self.pair[1]

    def backward(self, dy: Array) -> Array:
        """Assign the gradients."""
        self.gradients["factor"] = (dy * self.saved).sum()
        self.gradients["shift"] = dy.sum()
        return dy * self.pair[0]


class Perceptron(ours.Model):
    """A model with a `call` of its own, which passes `training` on to its dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = ours.layers.Dense(8, "relu")
        self.dropout = ours.layers.Dropout(0.5)
        self.last = ours.layers.Dense(2)

    def call(self, x: Any) -> Any:  # type: ignore[override]
        """Return the outputs."""
        return self.last(self.dropout(self.hidden(x)))


class Tied(ours.Model):
    """An autoencoder whose decoder uses the encoder's kernel."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = ours.layers.Dense(2, "tanh")

    def call(self, x: Any) -> Any:  # type: ignore[override]
        """Return the reconstruction."""
        return ops.matmul(self.encoder(x), ops.transpose(self.encoder.kernel))


class Twice(ours.Layer):
    """A hand-written pair of methods that calls an inner layer twice."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = ours.layers.Dense(3, "tanh", kernel_regularizer="l2")

    def call(self, x: Array) -> Array:  # type: ignore[override]
        """Go through the inner layer twice."""
        return self.inner(self.inner(x))

    def backward(self, dy: Array) -> Array:
        """Go back, last call first."""
        return self.inner.backward(self.inner.backward(dy))  # type: ignore[no-any-return]


@pytest.mark.parametrize("make", [Polynomial, Affine, Perceptron, Tied, Twice])
def test_gradients_of_own_layers_are_right(make: Any) -> None:
    """Finite differences agree, with a backward or without."""
    testing.check_gradients(make(), X[:5])


@pytest.mark.parametrize("make", [Polynomial, Affine])
def test_weights_in_containers_train(make: Any) -> None:
    """Weights in a list, a tuple and a dict are changed by training, and the loss falls."""
    model = ours.Sequential([ours.Input((3,)), make()])
    model.compile(ours.optimizers.Adam(0.05), "mse")
    history = model.fit(X, 3 * X - 1, epochs=40, verbose=0).history["loss"]
    assert history[-1] < history[0] / 2


def test_dropout_inside_a_call_knows_that_it_trains() -> None:
    """`self.dropout(x)` drops in training and not otherwise; `training` may be set by name."""
    ours.utils.set_random_seed(0)
    model = Perceptron()
    first = model(X)
    np.testing.assert_array_equal(model(X), first)
    assert not np.array_equal(model(X, training=True), model(X, training=True))
    model.compile("adam", "mse")
    history = model.fit(X, Y, epochs=20, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert [layer.name for layer in model.layers] == [
        part.name for part in (model.hidden, model.dropout, model.last)
    ]


def test_the_second_input_of_a_layer_is_not_training() -> None:
    """What is given by its place is an input; a layer with one input refuses a second."""
    with pytest.raises(TypeError, match=r"Dense takes 1 positional .* pass training=... by its"):
        ours.layers.Dense(2)(X, True)
    query, value = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 5, 4))
    attention, theirs_one = (k.layers.MultiHeadAttention(2, 4) for k in (ours, theirs))
    y = attention(query, value)
    theirs_one(query, value)
    theirs_one.set_weights(attention.get_weights())
    np.testing.assert_allclose(y, np.asarray(theirs_one(query, value)), rtol=1e-4, atol=1e-5)
    state = RNG.normal(size=(2, 5))
    lstm, theirs_lstm = (k.layers.LSTM(5) for k in (ours, theirs))
    y = lstm(query, [state, state])
    theirs_lstm(query)
    theirs_lstm.set_weights(lstm.get_weights())
    expected = theirs_lstm(query, [state.astype("float32")] * 2)
    np.testing.assert_allclose(y, np.asarray(expected), rtol=1e-4, atol=1e-5)


class Sampling(ours.Layer):
    """What a variational autoencoder draws, with its penalty."""

    def call(self, inputs: Any) -> Any:  # type: ignore[override]
        """Return a sample, and add the divergence from the standard normal distribution."""
        mean, log_variance = inputs
        gap = 1 + log_variance - ops.square(mean) - ops.exp(log_variance)
        self.add_loss(-0.5 * ops.mean(gap))
        return mean + ops.exp(0.5 * log_variance) * random.normal(ops.shape(mean))


def test_an_added_loss_is_trained_too() -> None:
    """A variational autoencoder's penalty is part of the loss and of the gradients."""
    ours.utils.set_random_seed(0)
    x = ours.Input((3,))
    mean, log_variance = ours.layers.Dense(2)(x), ours.layers.Dense(2)(x)
    model = ours.Model(x, Sampling()([mean, log_variance]))
    model.compile(ours.optimizers.Adam(0.05), "mse", loss_weights=0.0)
    history = model.fit(X, np.zeros((40, 2)), epochs=60, verbose=0).history["loss"]
    assert history[-1] < 0.05 * history[0]  # without the other loss, the penalty goes to 0
    (penalty,) = model.losses
    assert penalty == pytest.approx(history[-1], abs=0.02)
    np.testing.assert_allclose(ours.Model(x, mean)(X), 0, atol=0.5)


def test_an_added_loss_has_right_gradients() -> None:
    """Finite differences see a penalty that a call adds."""

    class Penalized(ours.Layer):
        def build(self, input_shape: Shape) -> None:
            self.scale = self.add_weight((), "ones", name="scale")

        def call(self, x: Any) -> Any:  # type: ignore[override]
            self.add_loss(ops.sum(ops.square(x)) * self.scale)
            return x * self.scale

    testing.check_gradients(Penalized(), X[:4])


def squared(y_true: Any, y_pred: Any) -> Any:
    """Return a loss that is a function."""
    return ours.ops.mean(ours.ops.square(y_true - y_pred), axis=-1)


class Cubed(ours.losses.Loss):
    """A loss with a `call`, as one writes it for Keras."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return a value for each sample."""
        return ops.mean(ops.abs(y_true - y_pred) ** 3, axis=-1)


@pytest.mark.parametrize("weight", [None, RNG.uniform(size=40)])
def test_a_function_is_a_loss(weight: Any) -> None:
    """A function trains as the loss of its formula does, weighted too."""
    models = []
    for loss in (squared, "mse"):
        ours.utils.set_random_seed(1)
        model = ours.Sequential([ours.Input((3,)), ours.layers.Dense(2)])
        model.compile("sgd", loss)
        models.append((model, model.fit(X, Y, sample_weight=weight, verbose=0, epochs=3)))
    (one, first), (other, second) = models
    np.testing.assert_allclose(first.history["loss"], second.history["loss"], rtol=1e-5)
    np.testing.assert_allclose(one.get_weights()[0], other.get_weights()[0], rtol=1e-4)


def test_a_loss_with_a_call_trains() -> None:
    """A subclass of `Loss` that computes with `labkit.ops` needs no slopes."""
    model = ours.Sequential([ours.Input((3,)), ours.layers.Dense(2)])
    model.compile(ours.optimizers.Adam(0.05), Cubed())
    history = model.fit(X, Y, epochs=20, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_what_cannot_be_traced_predicts_and_does_not_train() -> None:
    """A call with NumPy's functions works forward; in training one sentence says why not."""

    class Bent(ours.Layer):
        def build(self, input_shape: Shape) -> None:
            self.scale = self.add_weight((), "ones", name="scale")

        def call(self, x: Any) -> Any:  # type: ignore[override]
            return np.exp(x) * self.scale

    model = ours.Sequential([ours.Input((3,)), Bent()])
    np.testing.assert_allclose(model.predict(X, verbose=0), np.exp(X.astype("float32")), rtol=1e-5)
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match=r"no backward, .* NumPy's exp .*: use labkit.ops.exp"):
        model.fit(X, X, verbose=0)


def gan(keras: Any) -> tuple[Any, Any, Any]:
    """Return a generator, a discriminator and the two behind each other, the second frozen."""
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, "tanh")])
    discriminator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, "sigmoid")])
    discriminator.compile("sgd", "binary_crossentropy")
    # Keras settles what is trained at the first step, so this one comes before the freezing.
    discriminator.train_on_batch(np.zeros((16, 3), "float32"), np.zeros((16, 1)))
    discriminator.trainable = False
    noise = keras.Input((2,))
    both = keras.Model(noise, discriminator(generator(noise)))
    both.compile(keras.optimizers.SGD(0.1), "binary_crossentropy")
    return generator, discriminator, both


@pytest.mark.slow
def test_a_gan_trains_its_halves_in_turn_as_in_keras() -> None:
    """Each half's step changes its own weights alone, and losses and weights are Keras's."""
    mine, expected = gan(ours), gan(theirs)
    for one, other in zip(mine[:2], expected[:2], strict=True):
        other.set_weights(one.get_weights())
    real, noise = X[:8].astype("float32"), RNG.normal(size=(8, 2)).astype("float32")
    for _ in range(3):
        losses = []
        for generator, discriminator, both in (mine, expected):
            fake = np.asarray(generator.predict_on_batch(noise))
            rows = np.concatenate([real, fake])
            labels = np.repeat([1.0, 0.0], 8)[:, None]
            first = discriminator.train_on_batch(rows, labels, return_dict=True)
            before = discriminator.get_weights()
            second = both.train_on_batch(noise, np.ones((8, 1)), return_dict=True)
            for w, kept in zip(discriminator.get_weights(), before, strict=True):
                np.testing.assert_array_equal(w, kept)
            losses.append([first["loss"], second["loss"]])
        np.testing.assert_allclose(*losses, rtol=1e-5)
    for one, other in zip(mine[:2], expected[:2], strict=True):
        for w, value in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_allclose(w, value, rtol=1e-4, atol=1e-6)


def test_a_model_without_trained_weights_says_so() -> None:
    """As Keras does, a step that can change nothing warns."""
    model = ours.Sequential([ours.Input((3,)), ours.layers.Dense(2)])
    model.trainable = False
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="has no weights that are trained"):
        model.train_on_batch(X, Y)
