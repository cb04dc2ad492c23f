# %% [markdown]
# # Layers and networks
#
# A layer of neurons is one matrix product. A network is layers, one after the other. This
# script counts the weights of a network, follows shapes and digits through it, and shows why
# depth is nothing without something that bends in between.
# The chapter [Layers and networks](../../foundations/layers.md) explains each step.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

import labkit as keras
from labkit import datasets, plot

plot.set_theme()
BLUE, ORANGE = plot.COLORS["blue"], plot.COLORS["orange"]

# %% [markdown]
# ## Two neurons, four baskets, one matrix product
#
# Each shop is a neuron: its prices are the weights, its delivery fee is the bias. A layer asks
# both shops about all baskets at once.

# %% label="bills" values="first_bill"
baskets = np.array(  # (4 baskets, 3 goods)
    [[4, 2, 1], [1, 0, 0], [0, 3, 2], [2, 2, 2]]
)
prices = np.array([[0.5, 0.8], [2.5, 2.0], [6.0, 5.0]])  # (3 goods, 2 shops)
fees = np.array([1.0, 4.0])  # (2 shops,)

bills = baskets @ prices + fees  # (4 baskets, 2 shops)
first_bill = float(bills[0, 0])
print(f"basket 1, shop 1: 4 × 0.5 + 2 × 2.5 + 1 × 6 + 1 = {first_bill:g}")
for basket in range(4):
    for shop in range(2):
        neuron = sum(baskets[basket] * prices[:, shop]) + fees[shop]
        assert abs(bills[basket, shop] - neuron) < 1e-12

# %% label="product" alt="Four tables: baskets X, left; above each other prices W, fees b and the bills. A row of X, a column of W and a fee are outlined, and the bill 14." caption="A layer as a matrix product. The outlined row and column meet in one number: one neuron's sum for one basket." tags=["remove-input"]
fig, axes = plt.subplot_mosaic(
    [[".", "prices"], [".", "fees"], ["baskets", "bills"]],
    figsize=(5, 4.6),
    width_ratios=[3, 2],
    height_ratios=[3, 1, 4],
)
goods, shops = ["apples", "loaves", "cheeses"], ["shop 1", "shop 2"]
panels = {  # title, values, names of the rows and columns, width and height of the box
    "baskets": ("baskets X", baskets, "1234", goods, 3, 1),
    "prices": ("· prices W", prices, goods, [], 1, 3),
    "fees": ("+ fees b", fees[np.newaxis], [], [], 1, 1),
    "bills": ("= bills", bills, [], shops, 1, 1),
}
for key, (title, values, rows, columns, width, height) in panels.items():
    ax = axes[key]
    plot.matrix(ax, values, cmap="Blues", fmt="g", vmin=0, vmax=45)
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.set_title(title)
    ax.tick_params(length=0)
    box = plt.Rectangle((-0.5, -0.5), width, height, fill=False, color=ORANGE, linewidth=2.5)
    ax.add_patch(box).set_clip_on(False)

# %% [markdown]
# The library's name for such a layer is `Dense`.

# %% label="dense" values="dense_parameters"
dense = keras.layers.Dense(2)
dense.build((None, 3))  # any number of baskets, three goods
dense.set_weights([prices, fees])
dense_parameters = dense.count_params()
assert np.allclose(np.asarray(dense(baskets.astype("float32"))), bills)
assert dense_parameters == 3 * 2 + 2, (
    "A dense layer has inputs times units weights, and one bias a unit."
)

# %% [markdown]
# ## Layers in a row

# %% label="network" alt="Four squares (input), five and three circles (hidden) and two circles (output). Every node is joined to every node of the next column." caption="A dense network. Each line is one weight, each circle is one neuron. The squares compute nothing: they are the data." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3))
names, sizes = ["input", "hidden", "hidden", "output"], [4, 5, 3, 2]
columns = [np.arange(size) - (size - 1) / 2 for size in sizes]  # heights of the nodes
for k in range(3):
    for start in columns[k]:
        for end in columns[k + 1]:
            ax.plot([k, k + 1], [start, end], "-", color=plot.COLORS["grey"], lw=0.7)
for k, (name, heights) in enumerate(zip(names, columns, strict=True)):
    marker, fill = ("s", plot.PAPER) if name == "input" else ("o", BLUE)
    ax.plot([k] * len(heights), heights, marker, ms=14, mec=plot.INK, mfc=fill)
    ax.text(k, 2.6, name, ha="center")
ax.set(xlim=(-0.4, 3.4), ylim=(-2.5, 3))
ax.set_axis_off()

# %% [markdown]
# A network for digits: 64 pixels in, ten scores out, two hidden layers of our choice between.

# %% label="shapes" values="parameters first_share"
digits = datasets.load_digits()
pixels = (digits.data / 16).astype("float32")  # (1797, 64), from 0 to 1
labels = digits.target  # (1797,)


def build(activation):
    """64 inputs, hidden layers of 32 and 16, ten outputs."""
    last = "softmax" if activation else None
    return keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(32, activation=activation),
            keras.layers.Dense(16, activation=activation),
            keras.layers.Dense(10, activation=last),
        ]
    )


keras.utils.set_random_seed(0)
network = build("relu")
rows = []
for layer in network.layers:
    kernel, _ = layer.get_weights()
    inputs, units = kernel.shape
    rows.append(
        {
            "weights": kernel.shape,
            "output": ("batch", units),
            "d·u + u": f"{inputs}·{units} + {units}",
            "parameters": layer.count_params(),
        }
    )
    assert layer.count_params() == inputs * units + units
parameters = network.count_params()
first_share = rows[0]["parameters"] / parameters
print(f"{parameters:,} parameters, {first_share:.0%} in the first layer")
assert parameters == sum(row["parameters"] for row in rows) == 2778

pd.DataFrame(rows, index=["hidden 1", "hidden 2", "output"])

# %% [markdown]
# The same images to train on and to test as in the first chapter.

# %% label="train" values="digits_accuracy trained_on tested_on standard_error"
rest, test = train_test_split(
    np.arange(len(pixels)), test_size=0.2, stratify=labels, random_state=0
)
train, _ = train_test_split(rest, test_size=0.25, stratify=labels[rest], random_state=0)
trained_on, tested_on = len(train), len(test)
network.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
network.fit(pixels[train], labels[train], batch_size=32, epochs=30, verbose=0)
scores = network.predict(pixels[test], verbose=0)  # (360, 10)
digits_accuracy = float(np.mean(scores.argmax(axis=1) == labels[test]))
standard_error = (digits_accuracy * (1 - digits_accuracy) / tested_on) ** 0.5
print(f"test accuracy {digits_accuracy:.1%} ± {standard_error:.1%}")
assert digits_accuracy > 0.92

# %%
first = [np.flatnonzero(labels[test] == digit)[0] for digit in (0, 3, 6)]
chosen = test[first]
steps = [pixels[chosen]]
for layer in network.layers:
    steps.append(np.asarray(layer(steps[-1])))
assert np.array_equal(steps[3].argmax(axis=1), labels[chosen])  # all three are right


def framed(ax, picture):
    """Draw one picture in a thin frame, so that white cells show on white."""
    plot.images(ax, picture[np.newaxis])
    frame = plt.Rectangle((0, 0), 1, 1, transform=ax.transAxes)
    ax.add_patch(frame).set(fill=False, edgecolor=plot.GRID)
    ax.set_anchor("NW")


# %% label="flow" alt="For each of three digits: the picture, the outputs of both hidden layers as grey cells, and ten bars, of which the true class's is the longest." caption="Three digits on their way through the network. Dark means a large output. The hidden outputs are the network's own description of the picture; only the last layer's have a meaning that we gave them." tags=["remove-input"]
fig, axes = plt.subplots(3, 4, figsize=(5, 4.8), width_ratios=[8, 4, 3, 8])
titles = ["64\npixels", "32\noutputs", "16\noutputs", "10\nscores"]
shapes = [(8, 8), (8, 4), (8, 2)]
for row, axs in enumerate(axes):
    for ax, values, shape in zip(axs, steps, shapes, strict=False):
        framed(ax, values[row].reshape(shape))
    bars = axs[3].barh(range(10), steps[3][row], color=BLUE)
    true = bars[labels[chosen[row]]]
    true.set(facecolor=ORANGE, hatch="//", edgecolor=plot.INK)
    axs[3].set(xlim=(0, 1), xticks=[0, 1], yticks=[0, 3, 6, 9], ylim=(9.6, -0.6))
    axs[3].grid(axis="y", visible=False)
for ax, title in zip(axes[0], titles, strict=True):
    ax.set_title(title)

# %% [markdown]
# ## A network is a composition
#
# The model calls its layers one after the other, and nothing else. Written out:

# %% label="compose" values="compose_gap"
W1, b1, W2, b2, W3, b3 = network.get_weights()


def relu(z):
    return np.maximum(z, 0)


def softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


hidden = relu(pixels[test] @ W1 + b1)  # (360, 32)
hidden = relu(hidden @ W2 + b2)  # (360, 16)
composed = softmax(hidden @ W3 + b3)  # (360, 10)
compose_gap = float(np.abs(composed - scores).max())
assert compose_gap < 1e-6, "A network is the composition of its layers."

# %% [markdown]
# ## Without a bend, depth is nothing
#
# The same three layers without activations, and one layer that does the work of all three.

# %% label="collapse" values="collapsed_parameters collapse_gap"
linear = build(None)
W1, b1, W2, b2, W3, b3 = linear.get_weights()
W = W1 @ W2 @ W3  # (64, 10)
b = (b1 @ W2 + b2) @ W3 + b3  # (10,)

collapsed_parameters = W.size + b.size
outputs = np.asarray(linear(pixels))  # (1797, 10)
collapse_gap = float(np.abs(outputs - (pixels @ W + b)).max())
print(f"{parameters:,} parameters do no more than {collapsed_parameters}")
assert collapsed_parameters == 650
assert collapse_gap < 1e-5, "Layers without activation functions collapse into a single one."

# %% [markdown]
# Two rings of points, made up, and three networks: one layer, four layers without activations
# between them, four layers with ReLU.

# %% label="rings" alt="An inner and an outer ring of points, three times. One layer and four linear ones draw a straight border; that of ReLU surrounds the inner ring." caption="The border that each network learned. Three more layers change nothing, until something bends between them." values="one_accuracy linear_accuracy relu_accuracy"
rng = np.random.default_rng(0)
angle = rng.uniform(0, 2 * np.pi, 400)
ring = np.arange(400) % 2  # 0 inside, 1 outside
radius = np.where(ring, 2.0, 1.0) + rng.normal(0, 0.12, 400)
points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)  # (400, 2)
points = points.astype("float32")


def learn_rings(hidden, activation):
    """Train hidden layers of 16 units and one sigmoid neuron."""
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(16, activation=activation) for _ in range(hidden)]
    model = keras.Sequential(
        [keras.Input((2,)), *layers, keras.layers.Dense(1, activation="sigmoid")]
    )
    model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
    model.fit(points, ring[:, np.newaxis], batch_size=40, epochs=100, verbose=0)
    return model


models = {
    "one layer": learn_rings(0, None),
    "four, linear": learn_rings(3, None),
    "four, ReLU": learn_rings(3, "relu"),
}
fig, axes = plt.subplots(1, 3, figsize=(5, 2.2), sharex=True, sharey=True)
accuracies, doubts = [], []
for ax, (name, model) in zip(axes, models.items(), strict=True):
    plot.decision_boundary(ax, model, points, ring)
    probability = np.asarray(model(points))[:, 0]  # (400,)
    accuracies.append(float(np.mean((probability > 0.5) == ring)))
    doubts.append(float(np.mean(np.abs(probability - 0.5))))
    ax.set(xticks=[], yticks=[], aspect="equal", title=f"{name}: {accuracies[-1]:.0%}")
one_accuracy, linear_accuracy, relu_accuracy = accuracies
assert max(one_accuracy, linear_accuracy) < 0.7, (
    "Neither one layer nor four linear ones separate a ring."
)
assert max(doubts[:2]) < 0.1  # these two say nearly "one half" everywhere
assert relu_accuracy > 0.98, "Four layers with ReLU separate the ring."

# %% [markdown]
# ## Each layer folds once more
#
# Two ReLU units fold the interval from 0 to 1 in the middle. Stacked, they fold what is already
# folded: the number of straight pieces doubles with each layer.

# %% label="fold" alt="Four graphs from 0 to 1: one hidden layer makes one tent of two straight pieces; two layers make two tents, three four, and four eight." caption="The same two units, stacked one to four times. Each layer doubles the number of straight pieces." values="fold_layers fold_units fold_pieces fold_parameters shallow_units shallow_parameters"
grid = np.linspace(0, 1, 1025, dtype="float32")[:, np.newaxis]  # (1025, 1)


def build_fold(depth):
    """`depth` layers of two ReLU units, with weights set by hand."""
    model = keras.Sequential(
        [
            keras.Input((1,)),
            *[keras.layers.Dense(2, activation="relu") for _ in range(depth)],
            keras.layers.Dense(1),
        ]
    )
    tent = np.array([[2.0], [-4.0]])  # 2 relu(x) - 4 relu(x - 1/2)
    into, shift = np.array([[1.0, 1.0]]), np.array([0.0, -0.5])
    between = [tent @ into, shift] * (depth - 1)  # tent and into collapse into one
    model.set_weights([into, shift, *between, tent, np.zeros(1)])
    return model


def count_pieces(values):
    """Count the straight pieces of a curve that is sampled at its kinks."""
    return int(np.sum(np.diff(values, n=2) != 0)) + 1


fig, axes = plt.subplots(2, 2, figsize=(5, 3.2), sharex=True, sharey=True)
for depth, ax in enumerate(axes.flat, start=1):
    values = np.asarray(build_fold(depth)(grid))[:, 0]
    ax.plot(grid[:, 0], values, color=BLUE)
    ax.set(title=f"depth {depth}", xticks=[0, 1], yticks=[0, 1])
    assert count_pieces(values) == 2**depth

fold_layers = 6
fold = build_fold(fold_layers)
fold_units, fold_parameters = 2 * fold_layers, fold.count_params()
fold_pieces = count_pieces(np.asarray(fold(grid))[:, 0])
shallow_units = fold_pieces - 1  # one hidden layer bends at most once per unit
shallow_parameters = 3 * shallow_units + 1
print(f"{fold_units} units in {fold_layers} layers: {fold_pieces} pieces")
print(f"one hidden layer needs {shallow_units} units for as many")
assert fold_pieces == 64, "Each folding layer doubles the number of linear pieces."

# %% [markdown]
# ## Depth has a price
#
# Ten untrained layers of 64 units look at the digits. How far do the outputs of a layer still
# differ from digit to digit? And how large is the gradient that arrives at a layer on the way
# back, if random slopes enter behind the last one? Five random starts of each kind tell.


# %% label="backward"
def backward(outputs, weights, bend, slopes):
    """Pass slopes back from the last layer's outputs; return them for each layer."""
    passed = [slopes]
    for h, W in zip(outputs[:0:-1], weights[:0:-1], strict=True):
        slopes = (slopes * bend(h)) @ W.T  # through the bend, then through W
        passed.append(slopes)
    return passed[::-1]


# %% values="starts deep_layers sigmoid_factor relu_factor he_factor tanh_factor sigmoid_back relu_back he_back tanh_back"
starts, deep_layers = 5, 10
bends = {  # the slope of each activation function, from its output h
    "relu": lambda h: h > 0,
    "tanh": lambda h: 1 - h**2,
    "sigmoid": lambda h: h * (1 - h),
}
pairs = [
    ("ReLU, He", "relu", "he_normal"),
    ("tanh, Glorot", "tanh", "glorot_normal"),
    ("ReLU, Glorot", "relu", "glorot_normal"),
    ("sigmoid, Glorot", "sigmoid", "glorot_normal"),
]


def measure(activation, initializer, seed):
    """Return each layer's spread of outputs and size of slopes, (layers,) each."""
    keras.utils.set_random_seed(seed)
    values, outputs, weights = pixels[test].astype("float64"), [], []
    for _ in range(deep_layers):
        layer = keras.layers.Dense(64, activation, dtype="float64", kernel_initializer=initializer)
        values = np.asarray(layer(values))  # (360, 64)
        outputs.append(values)
        weights.append(layer.get_weights()[0])
    random = np.random.default_rng(seed).normal(size=values.shape)
    slopes = backward(outputs, weights, bends[activation], random)
    return [v.std(axis=0).mean() for v in outputs], [np.sqrt(np.mean(g**2)) for g in slopes]


sizes = {  # (starts, 2, layers): spread and slopes
    name: np.array([measure(*how, seed) for seed in range(starts)]) for name, *how in pairs
}
forth, back = [], []
for size in sizes.values():
    ratio = size[:, :, -1] / size[:, :, 0]  # from layer 1 to layer 10, (starts, 2)
    forth.append(ratio[:, 0] ** (1 / (deep_layers - 1)))
    back.append(ratio[:, 1] ** (-1 / (deep_layers - 1)))
he_factor, tanh_factor, relu_factor, sigmoid_factor = np.mean(forth, axis=1)
he_back, tanh_back, relu_back, sigmoid_back = np.mean(back, axis=1)
print("factor per layer        forth   back")
for (name, *_), there, here in zip(pairs, forth, back, strict=True):
    print(f"{name:20s}    {there.mean():.2f}    {here.mean():.2f}")
for factors in (forth, back):
    he, tanh, relu_, sigmoid = factors  # each (starts,): the claims hold for every start
    assert np.all((sigmoid > 0.2) & (sigmoid < 0.27))
    assert np.all((relu_ > 0.55) & (relu_ < 0.8))
    assert np.all((he > 0.8) & (he < 1.15))
    assert np.all((tanh > 0.85) & (tanh < 1.05))
    assert np.all((sigmoid < relu_) & (relu_ < np.minimum(he, tanh)))

# %% [markdown]
# Weights that are too large make the slopes grow instead: here ReLU with a variance of $8/d$.

# %%
large = keras.initializers.RandomNormal(stddev=(8 / 64) ** 0.5)
for seed in range(starts):
    _, slopes = measure("relu", large, seed)
    assert slopes[0] > 50 * slopes[-1]  # those of layer 1, and of layer 10

# %% label="spread" alt="Two charts on logarithmic scales. In both, ReLU with He's start and tanh with Glorot's stay nearly level; ReLU with Glorot's and sigmoid shrink." caption="Above: how far a layer's outputs differ from digit to digit (their standard deviation, averaged over units). Below: the size of the slopes that arrive at a layer on the way back. Geometric means over five starts." tags=["remove-input"]
fig, axes = plt.subplots(2, figsize=(5, 5.6), sharex=True)
for k, (ax, what) in enumerate(zip(axes, ("spread of outputs", "size of slopes"), strict=True)):
    for (name, size), marker in zip(sizes.items(), plot.MARKERS, strict=False):
        ax.semilogy(
            range(1, 11), np.exp(np.log(size[:, k]).mean(axis=0)), marker=marker, label=name
        )
    ax.set(ylabel=what, xticks=range(1, 11))
    ax.set_yticks([1, 1e-2, 1e-4, 1e-6], ["1", "0.01", "0.0001", "0.000001"])
axes[1].set_xlabel("layer")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)

# %% [markdown]
# ## A layer is any transformation
#
# A layer of our own, and six of the library's, all without a single parameter.


# %% label="mirror"
class Mirror(keras.layers.Layer):
    """Swap left and right."""

    def call(self, x, training=False):  # (batch, height, width, channels)
        return x[:, :, ::-1]


pictures = pixels[:3].reshape(3, 8, 8, 1)
mirrored = np.asarray(Mirror()(pictures))
assert np.array_equal(mirrored[0, :, 0], pictures[0, :, 7])

# %% label="free" values="free_parameters"
layers = {
    "Flatten": (keras.layers.Flatten(), pictures),
    "Reshape": (keras.layers.Reshape((4, 16)), pictures),
    "MaxPooling2D": (keras.layers.MaxPooling2D(2), pictures),
    "Activation": (keras.layers.Activation("relu"), pictures),
    "Dropout": (keras.layers.Dropout(0.5), pictures),
    "Add": (keras.layers.Add(), [pictures, pictures]),
    "Mirror": (Mirror(), pictures),
}
outputs = {name: np.asarray(layer(x)) for name, (layer, x) in layers.items()}
free_parameters = sum(layer.count_params() for layer, _ in layers.values())
assert free_parameters == 0, "Layers that only rearrange, drop or add have no weights."
assert np.array_equal(outputs["Flatten"], pixels[:3])
assert np.array_equal(outputs["Dropout"], pictures)  # it works in training only
assert np.array_equal(outputs["Add"], 2 * pictures)

pd.DataFrame(
    [
        {
            "input": f"two of {pictures.shape}" if name == "Add" else x.shape,
            "output": outputs[name].shape,
            "parameters": layer.count_params(),
        }
        for name, (layer, x) in layers.items()
    ],
    index=list(layers),
)

# %% label="transformed" alt="A handwritten zero: as it is; as 4 by 4 coarse pixels; with left and right swapped; as 4 rows of 16 pixels; and as one row of 64." caption="One digit after four layers that learn nothing." tags=["remove-input"]
fig, axes = plt.subplot_mosaic(
    [["input", "MaxPooling2D", "Mirror"], ["Reshape", "Reshape", "."], ["Flatten"] * 3],
    figsize=(5, 4),
    height_ratios=[8, 4, 1],
)
pictures_of = {
    "input": pictures[0],
    **{name: output[0] for name, output in outputs.items()},
}
for name, ax in axes.items():
    framed(ax, np.atleast_2d(np.squeeze(pictures_of[name])))
    ax.set_title(name)

# %% [markdown]
# ## The same in Keras
#
# From here on, `keras` is Keras itself. `build` now makes a Keras model; its weights are copied
# from ours.

# %% label="keras" values="keras_gap"
import keras

theirs = build("relu")
theirs.set_weights(network.get_weights())
keras_gap, ours_step, their_step = 0.0, pixels[test], pixels[test]
for our_layer, their_layer in zip(network.layers, theirs.layers, strict=True):
    ours_step = our_layer(ours_step)
    their_step = np.asarray(their_layer(their_step))
    keras_gap = max(keras_gap, float(np.abs(ours_step - their_step).max()))
    assert our_layer.count_params() == their_layer.count_params()
print(f"largest difference after any layer: {keras_gap:.0e}")
assert keras_gap < 1e-5, "With the same weights, labkit's and Keras's layers give the same outputs."
assert np.abs(ours_step - their_step).max() < 1e-6  # the last: class scores

# %% [markdown]
# `Sequential` is a chain. A sum of two branches needs Keras's functional interface, where
# layers are called on each other's outputs.

# %% label="skip" values="skip_gap"
inputs = keras.Input((64,))
branch = keras.layers.Dense(64, activation="relu")
skip = keras.Model(inputs, keras.layers.Add()([inputs, branch(inputs)]))

kernel, bias = branch.get_weights()
by_hand = pixels[test] + relu(pixels[test] @ kernel + bias)  # (360, 64)
skip_gap = float(np.abs(by_hand - np.asarray(skip(pixels[test]))).max())
assert skip_gap < 1e-5, "A layer with a skip connection adds its input to its output."
assert skip.count_params() == 64 * 64 + 64  # Add has none

# %% [markdown]
# ## Solutions to the exercises

# %% [markdown]
# **1.** The parameters of 784 inputs, 128 hidden units, ten outputs.

# %% label="exercise-1" tags=["solution"]
by_formula = (784 * 128 + 128) + (128 * 10 + 10)
model = keras.Sequential(
    [
        keras.Input((784,)),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(10),
    ]
)
first = (784 * 128 + 128) / by_formula
print(f"{by_formula:,} parameters, {first:.1%} in the first layer")
assert model.count_params() == by_formula == 101_770

# %% [markdown]
# **2.** Two linear layers with a narrow middle.

# %% label="exercise-2" tags=["solution"]
narrow = keras.Sequential()
for layer in [keras.Input((64,)), keras.layers.Dense(2), keras.layers.Dense(10)]:
    narrow.add(layer)
(A, _), (B, _) = (layer.get_weights() for layer in narrow.layers)
rank = int(np.linalg.matrix_rank(A @ B))
print(f"the product is {A.shape[0]} × {B.shape[1]}, but its rank is {rank}")
assert rank == 2

# %% [markdown]
# **3.** The first hidden layer's units in another order.

# %% label="exercise-3" tags=["solution"]
W1, b1, W2, b2, W3, b3 = network.get_weights()
order = np.random.default_rng(1).permutation(32)
shuffled = build("relu")
shuffled.set_weights([W1[:, order], b1[order], W2[order], b2, W3, b3])
shuffle_gap = float(np.abs(np.asarray(shuffled(pixels[test])) - scores).max())
print(f"largest change of any output: {shuffle_gap:.0e}")
assert shuffle_gap < 1e-5

# %% [markdown]
# **4.** Hidden units that all start alike, with the same weights in and out.

# %% label="exercise-4" tags=["solution"]
same = keras.initializers.Constant(0.1)
model = keras.Sequential(
    [
        keras.Input((2,)),
        keras.layers.Dense(16, activation="relu", kernel_initializer=same),
        keras.layers.Dense(1, activation="sigmoid", kernel_initializer=same),
    ]
)
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(points, ring[:, np.newaxis], batch_size=40, epochs=40, verbose=0)
kernel = model.layers[0].get_weights()[0]  # (2, 16)
same_accuracy = np.mean((np.asarray(model(points))[:, 0] > 0.5) == ring)
difference = np.ptp(kernel, axis=1).max()
print(f"largest difference between the 16 units: {difference:.0e}")
print(f"accuracy {same_accuracy:.2f}")
assert difference < 1e-4
assert same_accuracy < 0.8

# %% [markdown]
# **5.** The pieces that eight ReLU units in one layer can make.

# %% label="exercise-5" tags=["solution"]
rng = np.random.default_rng(0)
fine = np.linspace(-3, 3, 60_001)[:, np.newaxis]  # (60001, 1)
most = 0
for _ in range(200):
    w, b = rng.normal(size=(1, 8)), rng.normal(size=8)
    active = fine @ w + b > 0  # (60001, 8): which units let their sum pass
    bends = np.any(active[1:] != active[:-1], axis=1).sum()
    most = max(most, int(bends) + 1)
print(f"most pieces from -3 to 3 in 200 random networks with 8 hidden units: {most}")
assert most <= 9

# %%
plt.show()
