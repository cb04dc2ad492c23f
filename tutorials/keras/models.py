# %% [markdown]
# # Keras models
# One network is written in three ways, a second one has two inputs and two outputs, `fit` is written as a
# loop, and saved files are examined. The chapter [Keras models](../../keras/models.md) explains it all.
#
# The first half runs on `labkit`, the book's library; the second half goes on with Keras.

# %%
import json
import tempfile
import warnings
import zipfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import labkit as keras
from labkit import datasets, plot

plot.set_theme()
BLUE, ORANGE, GREEN, GREY = (plot.COLORS[name] for name in ("blue", "orange", "green", "grey"))
folder = Path(tempfile.mkdtemp())

digits = datasets.load_digits()
shuffled = np.random.default_rng(0).permutation(len(digits.data))
images = (digits.data[shuffled] / 16).astype("float32")  # (1797, 64)
labels = digits.target[shuffled].astype("int32")  # (1797,)
x_train, y_train, x_test, y_test = images[:1437], labels[:1437], images[1437:], labels[1437:]

# %% [markdown]
# ## One network, three ways


# %% label="sequential"
def sequential():
    """A list of layers, each working on the output of the one before."""
    return keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


# %% label="functional"
def functional():
    """A graph: layers are called on tensors that have shapes, but no numbers yet."""
    layers = keras.layers
    image = keras.Input((64,), name="image")  # (batch, 64)
    hidden = layers.Dense(32, activation="relu", name="hidden")(image)
    classes = layers.Dense(10, activation="softmax", name="classes")(hidden)
    return keras.Model(image, classes)


# %% label="subclass"
class Digits(keras.Model):
    """A class: `call` is a program that runs whenever the model is called."""

    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(32, activation="relu")
        self.classes = keras.layers.Dense(10, activation="softmax")

    def call(self, x):  # (batch, 64)
        return self.classes(self.hidden(x))  # (batch, 10)


# %% label="same" values="way_gap trained_gap parameters seed_gap"
def gap(first, second):
    """Return the largest difference between two arrays or two lists of arrays."""
    if isinstance(first, list):
        return max(gap(a, b) for a, b in zip(first, second, strict=True))
    return float(np.abs(np.asarray(first) - np.asarray(second)).max())


def seeded(build, seed=0):
    """Return a model whose weights come from a seed, and whose shapes are known."""
    keras.utils.set_random_seed(seed)
    model = build()
    model(x_train[:1])  # now a subclass has weights, too
    return model


WAYS = {"Sequential": sequential, "functional": functional, "subclass": Digits}


def three_ways():
    """Return outputs of the three models before and after training, and the models."""
    models = {name: seeded(build) for name, build in WAYS.items()}
    fresh = [model.predict(x_test, verbose=0) for model in models.values()]
    for model in models.values():
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(x_train, y_train, epochs=2, shuffle=False, verbose=0)
    trained = [model.predict(x_test, verbose=0) for model in models.values()]
    return fresh, trained, models


fresh, trained, models = three_ways()
way_gap = max(gap(fresh[0], other) for other in fresh[1:])
trained_gap = max(gap(trained[0], other) for other in trained[1:])
seed_gap = gap(fresh[0], seeded(sequential, seed=1).predict(x_test, verbose=0))
parameters = models["functional"].count_params()
assert way_gap < 1e-6, "Three ways to write a network, with one seed, give the same outputs."
assert trained_gap < 1e-5
assert seed_gap > 0.01  # the check could have failed
assert parameters == 64 * 32 + 32 + 32 * 10 + 10

# %% label="born" values="early_weights late_weights"
early = {name: len(build().weights) for name, build in WAYS.items()}
open_ended = keras.Sequential([keras.layers.Dense(32, activation="relu"), keras.layers.Dense(10)])
early_weights = len(open_ended.weights)  # no Input: the first kernel has an unknown shape
open_ended.build((None, 64))
late_weights = len(open_ended.weights)
print(early, early_weights, late_weights)
assert early == {"Sequential": 4, "functional": 4, "subclass": 0}
assert early_weights == 0 < late_weights

# %% label="summary"
models["Sequential"].summary()

# %% label="features" values="feature_gap feature_count"
whole = models["functional"]
cut = keras.Model(whole.inputs[0], whole.get_layer("hidden").output)
features = cut.predict(x_test, verbose=0)  # (360, 32)
kernel, bias = whole.get_layer("hidden").get_weights()
feature_gap, feature_count = gap(features, np.maximum(x_test @ kernel + bias, 0)), len(features[0])
assert feature_gap < 1e-5

# %% [markdown]
# ## A graph
# Two digits go in. Is it twice the same digit, and what is their sum? One encoder reads both.


# %% label="pair"
def encoder(name):
    """Return a model that will be a layer of another."""
    layers = [keras.layers.Dense(64, activation="relu"), keras.layers.Dense(32)]
    return keras.Sequential([keras.Input((64,)), *layers], name=name)


def pair(shared=True):
    """Return a model with two digits as inputs and two answers as outputs."""
    layers = keras.layers
    first, second = (keras.Input((64,), name=name) for name in ("first", "second"))
    one = encoder("encoder")
    other = one if shared else encoder("encoder_2")
    a, b = one(first), other(second)  # (batch, 32) each
    difference = layers.Subtract(name="difference")([a, b])  # (batch, 32)
    square = layers.Multiply(name="square")([difference, difference])
    same = layers.Dense(1, activation="sigmoid", name="same")(square)
    both = layers.Add(name="both")([a, b])  # (batch, 32)
    hidden = layers.Dense(32, activation="relu", name="hidden")(both)
    total = layers.Dense(1, name="sum")(hidden)  # (batch, 1)
    return keras.Model([first, second], [same, total])


# %% label="pairs" values="shared_swap separate_swap shared_parameters separate_parameters shared_same separate_same shared_sum separate_sum train_pairs test_pairs pair_seeds"
def pairs(x, y, count, seed):
    """Return pairs of digits, half of them twice the same digit, and both answers."""
    rng = np.random.default_rng(seed)
    first = rng.integers(len(x), size=count)
    alike = np.arange(count) % 2 == 0  # every second pair is twice the same digit
    second = np.array(
        [
            rng.choice(np.flatnonzero((y == y[k]) == wanted))
            for k, wanted in zip(first, alike, strict=True)
        ]
    )
    same, total = y[first] == y[second], y[first] + y[second]
    return [x[first], x[second]], [
        same.astype("float32")[:, None],
        total.astype("float32")[:, None],
    ]


def trained_pair(shared, seed):
    """Return a trained network for pairs, and its accuracy and mean error on new digits."""
    keras.utils.set_random_seed(seed)
    model = pair(shared)
    model.compile(
        keras.optimizers.Adam(0.003),
        loss={"same": "binary_crossentropy", "sum": "mse"},
        loss_weights={"same": 1.0, "sum": 0.1},
    )
    model.fit(*learned, batch_size=64, epochs=8, verbose=0)
    same, total = model.predict(asked, verbose=0)
    right = float(np.mean((same > 0.5) == answers[0]))
    return model, right, float(np.abs(total - answers[1]).mean())


train_pairs, test_pairs, pair_seeds = 4000, 1000, 3
learned = pairs(x_train, y_train, train_pairs, 0)
asked, answers = pairs(x_test, y_test, test_pairs, 1)
runs = {
    shared: [trained_pair(shared, seed) for seed in range(pair_seeds)] for shared in (True, False)
}
shared_pair, separate_pair = runs[True][0][0], runs[False][0][0]
shared_swap, separate_swap = (
    max(
        gap(a, b)
        for a, b in zip(
            net.predict(asked, verbose=0), net.predict(asked[::-1], verbose=0), strict=True
        )
    )
    for net in (shared_pair, separate_pair)
)
shared_parameters, separate_parameters = shared_pair.count_params(), separate_pair.count_params()
right, wrong_by = (
    {shared: np.array([run[k] for run in runs[shared]]) for shared in runs} for k in (1, 2)
)
shared_same, separate_same = float(right[True].mean()), float(right[False].mean())
shared_sum, separate_sum = float(wrong_by[True].mean()), float(wrong_by[False].mean())
same_gain = shared_same - separate_same
print(f"swapping changes answers by {shared_swap:.1e} (shared) and {separate_swap:.2f} (separate)")
print(
    f"same: {right[True]} shared, {right[False]} separate; sum: {shared_sum:.2f} {separate_sum:.2f}"
)
assert shared_swap < 1e-5, "With a shared encoder, the answers do not depend on the order."
assert separate_swap > 0.1
assert abs(same_gain) < 0.08
assert shared_parameters < 0.6 * separate_parameters

# %% [markdown]
# ## What fit does
# The same network, the same batches, and nothing but NumPy.


# %% label="by-hand"
def softmax(z):
    """Return probabilities."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def fit_by_hand(weights, x, y, epochs, rate, size=32):
    """Return the weights after some epochs, and the mean loss of each."""
    W, b, V, c = (w.copy() for w in weights)
    history = []
    for _ in range(epochs):
        total = 0.0
        for start in range(0, len(x), size):
            xs, ys = x[start : start + size], y[start : start + size]
            rows, n = np.arange(len(ys)), len(ys)
            h = np.maximum(xs @ W + b, 0)  # forward, (batch, 32)
            p = softmax(h @ V + c)  # (batch, 10)
            total -= np.log(p[rows, ys]).sum()  # the loss, before this step
            dz = p.copy()  # backward: p - one-hot(y), divided by the batch
            dz[rows, ys] -= 1
            dz /= n
            dh = (dz @ V.T) * (h > 0)
            slopes = xs.T @ dh, dh.sum(axis=0), h.T @ dz, dz.sum(axis=0)
            for w, slope in zip((W, b, V, c), slopes, strict=True):
                w -= rate * slope  # the optimizer's step
        history.append(total / len(x))
    return [W, b, V, c], history


# %% label="hand" values="hand_gap hand_loss_gap hand_moved shuffle_gap"
model = seeded(sequential)
start = model.get_weights()
by_hand, hand_losses = fit_by_hand(start, x_train, y_train, epochs=3, rate=0.1)


def fitted(shuffle, **options):
    """Return the weights and losses that fit gives from the same start."""
    model.set_weights(start)
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    history = model.fit(x_train, y_train, epochs=3, shuffle=shuffle, verbose=0, **options)
    return model.get_weights(), history.history["loss"]


in_order, fit_losses = fitted(shuffle=False)
hand_gap, hand_loss_gap = gap(by_hand, in_order), gap(hand_losses, fit_losses)
hand_moved, shuffle_gap = gap(start, in_order), gap(in_order, fitted(shuffle=True)[0])
print(f"weights {hand_gap:.1e}, losses {hand_loss_gap:.1e}; shuffled {shuffle_gap:.2f}")
assert hand_gap < 1e-4, "A loop in NumPy gives the weights that fit gives, to rounding."
assert hand_loss_gap < 1e-4, "fit reports each example's loss as it was before its batch's step."
assert hand_moved > 0.1
assert shuffle_gap > 1e-3

# %% label="weights" values="double_gap class_gap"
double, _ = fitted(False, sample_weight=np.full(len(x_train), 2, "float32"))
twice_as_fast, _ = fit_by_hand(start, x_train, y_train, epochs=3, rate=0.2)
classes, _ = fitted(False, class_weight={k: 3.0 if k == 8 else 1.0 for k in range(10)})
samples, _ = fitted(False, sample_weight=np.where(y_train == 8, 3, 1).astype("float32"))
double_gap, class_gap = gap(double, twice_as_fast), gap(classes, samples)
print(f"{double_gap:.1e} {class_gap:.1e}")
assert double_gap < 1e-3, "Weighting all samples by two is, for plain SGD, twice the learning rate."
assert class_gap < 1e-6

# %% [markdown]
# ### Why the training loss may be above the validation loss
# The mean of an epoch is measured while the weights change, and with dropout. Measure anew, without
# either.


# %% label="running" caption="The loss of the first epoch, measured in four ways: means of five seeds." values="logged_loss live_loss rested_loss held_loss plain_logged plain_rested dropout_excess plain_excess zero_gap"
def regular(drop):
    """The same network with dropout."""
    return keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dropout(drop),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


def cross_entropy(p, y):
    """Return the mean loss."""
    return float(-np.log(np.maximum(np.asarray(p), 1e-7)[np.arange(len(y)), y]).mean())


def losses(drop, seed, rate=0.003):
    """Return the loss of an epoch as logged, and three that are measured after it."""
    keras.utils.set_random_seed(seed)
    model = regular(drop)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    logged = model.fit(x_train, y_train, verbose=0).history["loss"][0]
    # After the epoch, the weights no longer change: with dropout, without it, and on new digits.
    found = [cross_entropy(model(x_train, training=True), y_train)]
    found += [cross_entropy(model(x, training=False), y) for x, y in held]
    return [logged, *found]


held = (x_train, y_train), (x_test, y_test)
running_seeds = 5
dropped, plain = (
    np.array([losses(drop, seed) for seed in range(running_seeds)]) for drop in (0.5, 0)
)  # (seeds, 4)
still = losses(0, seed=0, rate=0.0)
logged_loss, live_loss, rested_loss, held_loss = dropped.mean(axis=0).tolist()
plain_logged, _, plain_rested, _ = plain.mean(axis=0).tolist()
logged_excess = float((dropped[:, 0] - dropped[:, 3]).min())
dropout_excess = float((dropped[:, 1] - dropped[:, 2]).min())
plain_excess = float((plain[:, 0] - plain[:, 2]).min())
zero_gap = abs(still[0] - still[2])
assert logged_excess > 0
assert logged_loss - live_loss > live_loss - rested_loss
assert plain_excess > 0, (
    "Without dropout, too, the running mean is above the loss at the epoch's end."
)
assert zero_gap < 1e-4, "With a learning rate of zero, the running mean is the loss itself."
assert dropout_excess > 0, "With constant weights, dropout alone raises the training loss."
pd.DataFrame(
    {"dropout 0.5": dropped.mean(axis=0), "no dropout": plain.mean(axis=0)},
    index=["logged by fit", "after it, training=True", "after it, training=False", "test digits"],
).map("{:.3f}".format)

# %% [markdown]
# ## Callbacks


# %% label="callback"
class Watch(keras.callbacks.Callback):
    """Records the model's answers for some images after each epoch."""

    def __init__(self, images):
        super().__init__()
        self.images, self.seen = images, []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(self.model.predict(self.images, verbose=0))


# %% label="stopping" values="stopped best_epoch patience saved_gap best_loss last_loss most_epochs few"
few, most_epochs, patience = 200, 200, 5
model = seeded(sequential)
model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
watch = Watch(x_test)
history = model.fit(
    x_train[:few],
    y_train[:few],
    epochs=most_epochs,
    validation_data=(x_test, y_test),
    callbacks=[
        watch,
        keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True),
        keras.callbacks.ModelCheckpoint(
            str(folder / "best.weights.h5"), save_best_only=True, save_weights_only=True
        ),
    ],
    verbose=0,
).history
stopped, best_epoch = len(history["loss"]), 1 + int(np.argmin(history["val_loss"]))
best_loss, last_loss = min(history["val_loss"]), history["val_loss"][-1]
restored = model.get_weights()
model.load_weights(str(folder / "best.weights.h5"))
saved_gap = gap(restored, model.get_weights())
print(f"stopped after epoch {stopped}, best was {best_epoch}")
assert stopped == best_epoch + patience < most_epochs
assert saved_gap == 0
assert len(watch.seen) == stopped

# %% label="watched" alt="Probabilities of the ten digits for one image, over the epochs: two lines cross several times, the others stay near zero." caption="What the callback recorded: probabilities for the test digit whose answer changed most from epoch to epoch." values="swing loss_rise" tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3))
answers_seen = np.array(watch.seen)  # (epochs, 360, 10)
true = answers_seen[:, np.arange(len(y_test)), y_test]  # (epochs, 360)
doubtful = int(np.abs(np.diff(true, axis=0)).sum(axis=0).argmax())
seen = answers_seen[:, doubtful]  # (epochs, 10)
top = np.argsort(seen.max(axis=0))[::-1][:3]
epochs = np.arange(1, stopped + 1)
for k in range(10):
    if k not in top:
        ax.plot(epochs, seen[:, k], color=GREY, linestyle="-", linewidth=0.8)
for k, color, line in zip(top, (BLUE, ORANGE, GREEN), ("-", "--", ":"), strict=True):
    ax.plot(epochs, seen[:, k], color=color, linestyle=line, label=f"{k}")
ax.axvline(best_epoch, color=GREY, linestyle=":", linewidth=1)
ax.set(xlabel="epoch", ylabel="probability", ylim=(-0.03, 1.03))
ax.legend(title=f"digit (it is {y_test[doubtful]})")
swing = float(np.ptp(true[best_epoch - 1 :], axis=0).max())  # over the epochs from the best one on
loss_rise = last_loss - best_loss
assert swing > 3 * loss_rise

# %% [markdown]
# ## Which arrays change
# `training` is an argument of a call, `trainable` a property of a layer.


# %% label="moves" caption="Which arrays change in a call, in a call with `training=True`, in an epoch of `fit`, and in `fit` with frozen layers: the dense one, the normalization, and the dense one frozen after an earlier `fit`. The arrays: the kernel of the dense layer, the scale and the moving mean of the normalization, and the kernel of the last layer." values="frozen_moved late_moved call_moved"
def normalized():
    """A network with batch normalization and dropout."""
    return keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(32, name="dense"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10, activation="softmax", name="classes"),
        ]
    )


ARRAYS = {  # a name for each array, with its layer and place
    "kernel": ("dense", 0),
    "gamma": ("norm", 0),
    "mean": ("norm", 2),
    "last": ("classes", 0),
}


def arrays(model):
    """Return the arrays of interest."""
    return [model.get_layer(name).get_weights()[place].copy() for name, place in ARRAYS.values()]


def moved(change, frozen=(), late=()):
    """Return which arrays change; `late` is frozen only after a first epoch, without compile."""
    model = seeded(normalized)
    for name in frozen:
        model.get_layer(name).trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")
    if late:
        model.fit(x_train[:64], y_train[:64], verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras may warn of what we show here
        for name in late:
            model.get_layer(name).trainable = False
        before = arrays(model)
        change(model)
    return [gap(a, b) > 0 for a, b in zip(before, arrays(model), strict=True)]


def one_epoch(model, size=256):
    """Train on eight batches of equal size, unless `size` leaves a smaller last one."""
    model.fit(x_train[:size], y_train[:size], verbose=0)


moves = {
    "call": moved(lambda model: model(x_train)),
    "call, training": moved(lambda model: model(x_train, training=True)),
    "fit": moved(one_epoch),
    "… dense frozen": moved(one_epoch, ["dense"]),
    "… norm frozen": moved(one_epoch, ["norm"]),
    "… dense, late": moved(one_epoch, late=["dense"]),
}
call_moved, fit_moved, frozen_moved, late_moved = (
    sum(moves[name])
    for name in (
        "call, training",
        "fit",
        "… norm frozen",
        "… dense, late",
    )
)
assert not any(moves["call"])
assert moves["call, training"] == [False, False, True, False]
assert call_moved == 1, "A call in training mode moves batch normalization's averages alone."
assert fit_moved == 4
assert moves["… dense frozen"] == [False, True, True, True]
assert moves["… norm frozen"] == [True, False, False, True]
assert frozen_moved == 2, "A frozen batch normalization keeps its averages as well as its gamma."
assert late_moved == 4
pd.DataFrame(
    [["yes" if m else "no" for m in row] for row in moves.values()],
    index=list(moves),
    columns=list(ARRAYS),
)

# %% [markdown]
# ## The same in Keras
# From here on, the same functions and classes build Keras's models.

# %%
labkit_models, labkit_pair = models, shared_pair
labkit_outputs = [model.predict(x_test, verbose=0) for model in labkit_models.values()]
labkit_file = str(folder / "labkit.weights.h5")
labkit_models["functional"].save_weights(labkit_file)

import keras
import tensorflow as tf

# %% label="agreement" values="keras_way_gap keras_trained_gap keras_gap file_gap keras_version"


class Digits(keras.Model):  # a class keeps its base, so Keras needs its own
    """The subclass, in Keras."""

    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(32, activation="relu")
        self.classes = keras.layers.Dense(10, activation="softmax")

    def call(self, x):  # (batch, 64)
        return self.classes(self.hidden(x))  # (batch, 10)


WAYS["subclass"] = Digits
keras_version = keras.__version__
fresh, trained, models = three_ways()
keras_way_gap = max(gap(fresh[0], other) for other in fresh[1:])
keras_trained_gap = max(gap(trained[0], other) for other in trained[1:])
keras_gap = 0.0
for name, model in models.items():
    model.set_weights(labkit_models[name].get_weights())
    keras_gap = max(keras_gap, gap(model.predict(x_test, verbose=0), labkit_outputs[0]))
keras_pair = pair()
keras_pair.set_weights(labkit_pair.get_weights())
pair_gap = max(
    gap(a, b) for a, b in zip(keras_pair(asked), labkit_pair.predict(asked, verbose=0), strict=True)
)
reader = functional()
reader.load_weights(labkit_file)
file_gap = gap(reader(x_test), labkit_outputs[0])
print(f"{keras_way_gap:.1e} {keras_trained_gap:.1e} {keras_gap:.1e} {pair_gap:.1e} {file_gap:.1e}")
assert keras_way_gap < 1e-6, "In Keras, too, the three ways give the same outputs from one seed."
assert keras_trained_gap < 1e-5
assert keras_gap < 1e-5, "With weights copied, labkit's three models and Keras's agree."
assert pair_gap < 1e-3
assert file_gap < 1e-5, "Keras reads the weight file that labkit wrote."

# %% label="keras-moves" values="keras_late keras_retraced"
keras_frozen, keras_late = (
    sum(moved(one_epoch, **how)) for how in ({"frozen": ["norm"]}, {"late": ["dense"]})
)
assert keras_frozen == frozen_moved
keras_retraced = sum(moved(lambda model: one_epoch(model, size=250), late=["dense"]))
assert keras_late == 4, "In Keras, too, freezing a layer after training began needs a new compile."
assert keras_retraced == 3, "Where another batch shape makes Keras trace anew, late freezing works."

# %% [markdown]
# ### What each way can do
# Each cell of the table is tried out.


# %% label="abilities" caption="Tried out in Keras: does a model have weights before it is called, use a second input, let itself be cut at its hidden layer, load without its Python code, and allow an `if` on numbers in a call, in `predict`, and in `predict` with `run_eagerly=True`?" values="ignored_gap"
def works(attempt):
    """Return whether something runs without an exception."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns before it fails
        try:
            attempt()
        except Exception:
            return False
    return True


def from_file(model):
    """Save a model, and load it from the file alone."""
    model.save(folder / "try.keras")
    return keras.models.load_model(folder / "try.keras")


class Compared(Digits):
    """Two inputs."""

    def call(self, inputs):
        first, second = inputs
        return self.classes(self.hidden(first) - self.hidden(second))


class Cautious(Digits):
    """Python code that looks at numbers: where nothing is likely, it says so."""

    def call(self, x):
        p = super().call(x)
        return p if float(keras.ops.max(p)) > 0.9 else keras.ops.ones_like(p) / 10


def uses_second(model):
    """Fail unless the second of two inputs makes a difference."""
    first, second = (model([x_test[:2], other]) for other in (x_test[:2], x_test[2:4]))
    assert gap(*(keras.tree.flatten(outputs)[0] for outputs in (first, second))) > 0


def eager(model):
    """Predict without making a graph of the call."""
    model.compile(run_eagerly=True)
    return model.predict(x_test, verbose=0)


chain = sequential()
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that the structure of the inputs is another
    ignored_gap = gap(*(chain([x_test[:2], other]) for other in (x_test[:2], x_test[2:4])))
assert ignored_gap == 0, "A Sequential model that is given two arrays ignores the second."
TRIALS = {
    "early weights": [lambda build=build: build().weights[0] for build in WAYS.values()],
    "second input": [
        lambda build=build: uses_second(build()) for build in (sequential, pair, Compared)
    ],
    "can be cut": [
        lambda m=m: keras.Model(m.inputs[0], m.layers[-2].output) for m in models.values()
    ],
    "loads alone": [lambda m=m: from_file(m) for m in models.values()],
    "if, in a call": [
        lambda: keras.Sequential([keras.Input((64,)), Cautious()]),
        lambda: Cautious()(keras.Input((64,))),
        lambda: Cautious()(x_test),
    ],
    "if, in predict": [
        lambda: keras.Sequential([keras.Input((64,)), Cautious()]).predict(x_test, verbose=0),
        lambda: keras.Model(image := keras.Input((64,)), Cautious()(image)),
        lambda: Cautious().predict(x_test, verbose=0),
    ],
    "if, run eagerly": [
        lambda: eager(keras.Sequential([keras.Input((64,)), Cautious()])),
        lambda: keras.Model(image := keras.Input((64,)), Cautious()(image)),
        lambda: eager(Cautious()),
    ],
}
can = {name: [works(attempt) for attempt in trial] for name, trial in TRIALS.items()}
assert can["second input"] == [False, True, True]
assert can["loads alone"] == [True, True, False]
assert can["if, in a call"] == [False, False, True]
assert can["if, in predict"] == [False, False, False]
assert can["if, run eagerly"] == [False, False, True]
pd.DataFrame(
    [["yes" if yes else "no" for yes in row] for row in can.values()],
    index=list(can),
    columns=["list", "graph", "class"],
)


# %% label="graph" alt="Left, a chain of three boxes: image, hidden, classes. Right, a graph: the inputs first and second each lead to a box named encoder, both of these to difference and to both; then square leads to same, and hidden to sum." caption="Two models as graphs, drawn from the connections that Keras records. The two orange boxes are one layer, called twice." tags=["remove-input"]
def histories(node):
    """Yield the layers whose outputs a call takes, with the number of their call."""
    if isinstance(node, dict):
        if "keras_history" in node:
            yield tuple(node["keras_history"][:2])
        node = list(node.values())
    if isinstance(node, list | tuple):
        for part in node:
            yield from histories(part)


PLACES = (
    {("image", 0): (0, 4), ("hidden", 0): (0, 2.5), ("classes", 0): (0, 1)},
    {
        ("first", 0): (0, 4),
        ("second", 0): (1.25, 4),
        ("encoder", 0): (0, 3),
        ("encoder", 1): (1.25, 3),
        ("difference", 0): (0, 2),
        ("square", 0): (0, 1),
        ("same", 0): (0, 0),
        ("both", 0): (1.25, 2),
        ("hidden", 0): (1.25, 1),
        ("sum", 0): (1.25, 0),
    },
)
fig, axes = plt.subplots(1, 2, figsize=(5, 4), width_ratios=[1, 2])
for ax, net, places in zip(axes, (models["functional"], keras_pair), PLACES, strict=True):
    for layer in net.get_config()["layers"]:
        calls = layer["inbound_nodes"] or [[]]
        for call, node in enumerate(calls):
            x, y = places[layer["name"], call]
            color = ORANGE if len(calls) > 1 else BLUE
            box = {"boxstyle": "round,pad=0.35", "facecolor": plot.PAPER, "edgecolor": color}
            ax.text(x, y, layer["name"], ha="center", va="center", bbox=box, zorder=3)
            for source in dict.fromkeys(histories(node)):
                shrink = 11 if x == places[source][0] else 20  # a slanted arrow ends beside a box
                style = {"arrowstyle": "-|>", "color": GREY, "shrinkA": shrink, "shrinkB": shrink}
                ax.annotate("", (x, y), places[source], arrowprops=style)
    ax.set(xlim=(-0.65, max(x for x, _ in places.values()) + 0.65), ylim=(-0.4, 4.4))
    ax.axis("off")

# %% label="mistakes" caption="When Keras notices a mistake: while the model is built, in its first call, in `fit`, or never. The mistakes: a `Reshape` of 64 numbers to 8 × 9, a `Conv2D` on images without channels, no `Flatten` before the last `Dense`, and a `Reshape` where `Permute` is meant." values="built_functional mistakes_made misplaced"


class ByCall(keras.Model):
    """Layers in a list, called one after the other."""

    def __init__(self, layers):
        super().__init__()
        self.steps = layers

    def call(self, x):
        for layer in self.steps:
            x = layer(x)
        return x


def noticed(layers, shape, subclass):
    """Return where a mistake is noticed."""
    x = x_train[:64].reshape(-1, *shape)
    stage = "building"
    try:
        if subclass:
            model = ByCall(layers())
        else:
            tensor = start = keras.Input(shape)
            for layer in layers():
                tensor = layer(tensor)
            model = keras.Model(start, tensor)
        stage = "first call"
        model(x)
        stage = "fit"
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(x, y_train[:64], verbose=0)
    except (ValueError, TypeError, tf.errors.InvalidArgumentError):
        return stage
    return "never"


dense, reshape = keras.layers.Dense, keras.layers.Reshape
MISTAKES = {
    "wrong Reshape": ((64,), lambda: [reshape((8, 9)), dense(10)]),
    "no channels": ((8, 8), lambda: [keras.layers.Conv2D(4, 3)]),
    "no Flatten": ((8, 8), lambda: [dense(10, activation="softmax")]),
    "no Permute": (  # channels come first, and should come last
        (2, 8, 4),
        lambda: [
            reshape((8, 4, 2)),
            keras.layers.Conv2D(4, 3),
            keras.layers.Flatten(),
            dense(10, activation="softmax"),
        ],
    ),
}
found = {
    name: [noticed(layers, shape, subclass) for subclass in (False, True)]
    for name, (shape, layers) in MISTAKES.items()
}
functional_stages, subclass_stages = zip(*found.values(), strict=True)
mistakes_made, never_noticed = len(found), functional_stages.count("never")
built_functional, built_subclass = (
    stages.count("building") for stages in (functional_stages, subclass_stages)
)
places = np.arange(64).reshape(1, 2, 8, 4)
misplaced = int(np.sum(reshape((8, 4, 2))(places) != keras.layers.Permute((2, 3, 1))(places)))
assert built_functional == 2, "A functional model finds wrong shapes while it is being built."
assert built_subclass == 0
assert never_noticed == 1
assert misplaced > 32, "Reshape puts most numbers elsewhere than Permute, and no shape shows it."
pd.DataFrame(found, index=["functional", "subclass"]).T

# %% [markdown]
# ### Loops by hand in Keras

# %% label="tape"
model = seeded(sequential)
start = model.get_weights()
optimizer = keras.optimizers.Adam(0.01)
optimizer.build(model.trainable_variables)
loss_of = keras.losses.SparseCategoricalCrossentropy()


@tf.function
def step(x, y):
    """Do one step of training, and return the loss before it."""
    with tf.GradientTape() as tape:
        loss = loss_of(y, model(x, training=True))
    slopes = tape.gradient(loss, model.trainable_variables)
    optimizer.apply(slopes, model.trainable_variables)
    return loss


batches = tf.data.Dataset.from_tensor_slices((x_train, y_train)).batch(32)
tape_losses = []
for _ in range(2):
    total = 0.0
    for x, y in batches:
        total += len(y) * float(step(x, y))
    tape_losses.append(total / len(x_train))
by_tape = model.get_weights()

# %% label="tape-gap" values="tape_gap"
model.set_weights(start)
model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
history = model.fit(x_train, y_train, epochs=2, shuffle=False, verbose=0)
tape_gap, tape_moved = gap(by_tape, model.get_weights()), gap(start, by_tape)
tape_loss_gap = gap(tape_losses, history.history["loss"])
print(f"{tape_gap:.1e} {tape_loss_gap:.1e} {tape_moved:.2f}")
assert tape_gap < 1e-3, "A loop with a tape gives the weights that Keras's fit gives, to rounding."
assert tape_loss_gap < 1e-3
assert tape_moved > 0.1


# %% label="accumulate"
class Accumulating(keras.Model):
    """Adds up the gradients of four small batches before each step."""

    def train_step(self, data):
        x, y = data
        total, slopes = 0.0, [tf.zeros_like(w) for w in self.trainable_variables]
        for part, target in zip(tf.split(x, 4), tf.split(y, 4), strict=True):
            with tf.GradientTape() as tape:
                loss = self.compute_loss(part, target, self(part, training=True)) / 4
            new = tape.gradient(loss, self.trainable_variables)
            slopes = [a + b for a, b in zip(slopes, new, strict=True)]
            total += loss
        self.optimizer.apply(slopes, self.trainable_variables)
        # metrics[0] is the running mean of the loss, which fit prints.
        self.metrics[0].update_state(total, sample_weight=tf.shape(x)[0])
        return self.get_metrics_result()


# %% label="accumulated" values="accumulated_gap norm_gap"
def steps_of(kind, norm):
    """Return the weights before and after eight steps, and the loss that fit reports."""
    keras.utils.set_random_seed(0)
    image = keras.Input((64,))
    hidden = keras.layers.Dense(32, use_bias=not norm)(image)
    hidden = keras.layers.BatchNormalization()(hidden) if norm else hidden
    classes = keras.layers.Dense(10, activation="softmax")(keras.layers.ReLU()(hidden))
    model = kind(image, classes)
    # Eight steps take less time than tracing one.
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", run_eagerly=True)
    before = [w.numpy() for w in model.trainable_variables]
    history = model.fit(x_train[:512], y_train[:512], batch_size=64, shuffle=False, verbose=0)
    return before, [w.numpy() for w in model.trainable_variables], history.history["loss"][0]


(before, large, large_loss), (_, small, small_loss) = (
    steps_of(kind, norm=False) for kind in (keras.Model, Accumulating)
)
accumulated_gap, accumulated_moved = gap(large, small), gap(before, large)
norm_gap = gap(*(steps_of(kind, norm=True)[1] for kind in (keras.Model, Accumulating)))
print(f"{accumulated_gap:.1e}, with batch normalization {norm_gap:.2f}; {accumulated_moved:.2f}")
assert accumulated_gap < 1e-5, "Gradients of four batches of 16, added, are one batch of 64."
assert norm_gap > 1e-3, "With batch normalization they are not: each small batch has its own mean."
assert accumulated_moved > 0.01
assert abs(large_loss - small_loss) < 1e-5

# %% [markdown]
# ## Files

# %% label="file"
model = seeded(functional)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x_train, y_train, shuffle=False, verbose=0)
model.save(folder / "digits.keras")
with zipfile.ZipFile(folder / "digits.keras") as file:
    for entry in file.infolist():
        print(f"{entry.filename:<18} {entry.file_size:>7,} bytes")
    config = json.loads(file.read("config.json"))
print(config["class_name"], [layer["class_name"] for layer in config["config"]["layers"]])

# %% label="resume" values="resume_gap weights_gap built_gap state_arrays quiz_arrays"
loaded = keras.models.load_model(folder / "digits.keras")
state_arrays = len(loaded.optimizer.variables)
quiz_arrays = state_arrays + 2 * 2  # another dense layer has two more arrays
model.save_weights(folder / "digits.weights.h5")


def from_weights(build_optimizer):
    """Return a new model with the weights of the file."""
    fresh = functional()
    fresh.compile("adam", "sparse_categorical_crossentropy")
    if build_optimizer:
        fresh.optimizer.build(fresh.trainable_variables)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the optimizer's state is skipped
        fresh.load_weights(folder / "digits.weights.h5")
    return fresh


bare, prepared = from_weights(build_optimizer=False), from_weights(build_optimizer=True)
for going_on in (model, loaded, bare, prepared):
    going_on.fit(x_train, y_train, shuffle=False, verbose=0)
unbroken = model.get_weights()
resume_gap, weights_gap, built_gap = (
    gap(unbroken, other.get_weights()) for other in (loaded, bare, prepared)
)
print(f"whole file {resume_gap:.1e}, weights alone {weights_gap:.3f}, built before {built_gap:.1e}")
assert resume_gap < 1e-5, "Training that goes on from a .keras file ends as without a break."
assert weights_gap > 1e-3
assert built_gap < 1e-5


# %% label="dropout" values="drop_gap"
def interrupted():
    """Return a trained network with dropout, and the same from a file."""
    model = seeded(lambda: regular(0.5))
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x_train[:512], y_train[:512], shuffle=False, verbose=0)
    model.save(folder / "dropout.keras")
    return model, keras.models.load_model(folder / "dropout.keras")


def gone_on(*models):
    """Train both on, and return how far their weights are apart."""
    for model in models:
        model.fit(x_train[:512], y_train[:512], shuffle=False, verbose=0)
    return gap(*(model.get_weights() for model in models))


drop_gap = gone_on(*interrupted())
print(f"{drop_gap:.1e}")
assert drop_gap > 1e-4, "With dropout it ends elsewhere: the file lacks the random state."

# %% label="export" values="export_gap"
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    model.export(folder / "served", verbose=False)
served = tf.saved_model.load(folder / "served")
export_gap = gap(served.serve(x_test), model(x_test))
assert export_gap < 1e-5
assert not hasattr(served, "fit")


# %% label="code"
@keras.saving.register_keras_serializable()
class Scaled(keras.layers.Layer):
    """Multiplies by a number that is written in the code."""

    def call(self, x):
        return 2 * x


path = folder / "scaled.keras"
scaled = keras.Sequential([keras.Input((64,)), Scaled(), dense(10)])
scaled.save(path)
answers_then = scaled.predict(x_test, verbose=0)
loaded = keras.models.load_model(path)


@keras.saving.register_keras_serializable(name="Scaled")
class Edited(keras.layers.Layer):
    """The same name, after someone has edited the code."""

    def call(self, x):
        return 3 * x


edited = keras.models.load_model(path)

# %% label="code-gap" values="code_gap"
before_gap, code_gap = (
    gap(net.predict(x_test, verbose=0), answers_then) for net in (loaded, edited)
)
print(f"{before_gap:.1e}, after the edit {code_gap:.2f}")
assert before_gap < 1e-6
assert code_gap > 0.01, "A file keeps a layer's name, not its code: edited code changes answers."

# %% label="lambda" values="lambda_gap"
path = folder / "lambda.keras"
keras.Sequential([keras.Input((64,)), keras.layers.Lambda(lambda x: 2 * x)]).save(path)
lambda_refused = not works(lambda: keras.models.load_model(path))
trusting = keras.models.load_model(path, safe_mode=False)
lambda_gap = gap(trusting(x_test), 2 * x_test)
assert lambda_refused
assert lambda_gap < 1e-6

# %% label="errors" values="provoked"


def message(attempt):
    """Return the message of the exception that something raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            attempt()
        except Exception as error:
            return str(error)
    raise AssertionError("nothing was raised")


def compiled(loss):
    """Return a small model that is ready to be trained."""
    model = keras.Sequential([keras.Input((64,)), dense(10, activation="softmax")])
    model.compile("sgd", loss)
    return model


few_x, few_y = x_train[:32], y_train[:32]
image = keras.Input((64,))
ERRORS = {  # a part of each message, its cause, its cure, and an attempt that provokes it
    "You must call `compile()`": (
        "fit without compile",
        "compile first, also after loading weights",
        lambda: sequential().fit(few_x, few_y, verbose=0),
    ),
    "expected axis -1 of input shape to have value 64": (
        "data of another shape",
        "compare x.shape with model.input_shape",
        lambda: sequential()(few_x[:, :63]),
    ),
    "the layer isn't built": (
        "no shape is known yet",
        "add an Input, or call the model once",
        lambda: keras.Sequential([dense(32), dense(10)]).count_params(),
    ),
    "must have the same rank": (
        "whole-number labels, one-hot loss",
        "sparse_categorical_crossentropy",
        lambda: compiled("categorical_crossentropy").fit(few_x, few_y, verbose=0),
    ),
    "outside the valid range": (
        "a label of 10 among 10 classes",
        "number classes from 0",
        lambda: compiled("sparse_categorical_crossentropy").fit(few_x, 0 * few_y + 10, verbose=0),
    ),
    "A KerasTensor cannot be used": (
        "a TensorFlow function in a graph",
        "use keras.ops, or a layer of your own",
        lambda: tf.nn.relu(image),
    ),
    "is not connected to `inputs`": (
        "outputs made from another Input",
        "use the tensor that you called layers on",
        lambda: keras.Model(keras.Input((64,)), dense(10)(image)),
    ),
    "could not be loaded": (
        "weights of another architecture",
        "build the same model, or load a .keras file",
        lambda: compiled("mse").load_weights(folder / "digits.weights.h5"),
    ),
    "Could not locate class": (
        "a class of your own in the file",
        "import and register it, or pass custom_objects",
        lambda: from_file(models["subclass"]),
    ),
    "arbitrary code execution": (
        "a lambda in the file",
        "write a layer; safe_mode=False only if you trust it",
        lambda: keras.models.load_model(path),
    ),
}
for part, (_, _, attempt) in ERRORS.items():
    assert part in message(attempt), part
provoked = len(ERRORS)
for part, (cause, cure, _) in ERRORS.items():
    print(f"… {part} …\n    cause: {cause}\n    cure: {cure}\n")

# %% [markdown]
# ## Exercises

# %% label="exercise-1" tags=["solution"] values="skip_parameters"
image = keras.Input((64,))
hidden = dense(32, activation="relu")(image)  # (batch, 32)
joined = keras.layers.Concatenate()([image, hidden])  # (batch, 96)
skip = keras.Model(image, dense(10, activation="softmax")(joined))
skip_parameters = skip.count_params()
print(skip_parameters)
assert skip_parameters == 64 * 32 + 32 + 96 * 10 + 10

# %% label="exercise-2" tags=["solution"] values="frozen_accuracy free_accuracy"


def last_layer_only(frozen, seed):
    """Return the accuracy on test digits, and how far the hidden layer moved."""
    model = seeded(functional, seed)
    model.get_layer("hidden").trainable = not frozen
    model.compile(
        keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    before = model.get_layer("hidden").get_weights()
    model.fit(x_train, y_train, epochs=5, verbose=0)
    accuracy = model.evaluate(x_test, y_test, verbose=0, return_dict=True)["accuracy"]
    return accuracy, gap(before, model.get_layer("hidden").get_weights())


(frozen_accuracy, frozen_shift), (free_accuracy, _) = (
    np.mean([last_layer_only(frozen, seed) for seed in range(3)], axis=0).tolist()
    for frozen in (True, False)
)
print(f"{frozen_accuracy:.1%} with a random hidden layer, {free_accuracy:.1%} with a trained one")
assert frozen_shift == 0
assert 0.6 < frozen_accuracy < free_accuracy

# %% label="exercise-3" tags=["solution"]
trained = []
for size, pieces in ((64, None), (16, 4)):
    model = seeded(sequential)
    sgd = keras.optimizers.SGD(0.1, gradient_accumulation_steps=pieces)
    model.compile(sgd, "sparse_categorical_crossentropy")
    model.fit(x_train[:512], y_train[:512], batch_size=size, shuffle=False, verbose=0)
    trained.append(model.get_weights())
steps_gap = gap(*trained)
print(f"largest difference of a weight: {steps_gap:.0e}")
assert steps_gap < 1e-5

# %% label="exercise-4" tags=["solution"]
model, copied = interrupted()
copied.layers[1].seed_generator.state.assign(model.layers[1].seed_generator.state)
state_gap = gone_on(model, copied)
print(f"largest difference of a weight: {state_gap:.1g}")
assert state_gap < 1e-5


# %% label="exercise-5" tags=["solution"]
class Enough(keras.callbacks.Callback):
    """Stops when the validation accuracy is high enough."""

    def __init__(self, accuracy):
        super().__init__()
        self.accuracy = accuracy

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_accuracy"] >= self.accuracy:
            self.model.stop_training = True


model = seeded(sequential)
model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(
    x_train,
    y_train,
    epochs=30,
    validation_data=(x_test, y_test),
    callbacks=[Enough(0.95)],
    verbose=0,
).history
enough_epochs, reached = len(history["loss"]), history["val_accuracy"][-1]
print(f"stopped after epoch {enough_epochs} at {reached:.1%}")
assert enough_epochs < 30
assert reached >= 0.95
