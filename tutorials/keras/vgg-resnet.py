# ---
# labkit: {memory: 5 GB}
# ---
# %% [markdown]
# # VGG and ResNet
# Two families of networks that bet on depth. VGG stacks small windows; ResNet adds to each block a
# way around it. This script rebuilds VGG16, VGG19 and ResNet50 from their papers, and shows that
# they are Keras's. The chapter [VGG and ResNet](../../keras/vgg-resnet.md) tells the story.
#
# The first half builds everything small with `labkit`. The second half builds the same blocks in
# Keras, asserts that they agree, trains the small networks, and rebuilds the large ones.

# %%
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import labkit as keras
from labkit import cost, datasets, plot, testing

plot.set_theme()
BLUE, ORANGE, GREEN, PURPLE, GREY = (
    plot.COLORS[name] for name in ("blue", "orange", "green", "purple", "grey")
)

# %% [markdown]
# ## Small windows
# Stacks of 3 × 3 windows, and one large window that sees as much.


# %% label="stack"
def stack(sizes, channels=64, places=32):
    """Return a model of convolutions with these window sizes, one after the other."""
    inputs = x = keras.Input((places, places, channels))
    for size in sizes:
        x = keras.layers.Conv2D(channels, size, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(x)
    return keras.Model(inputs, x)


# %% label="windows" values="two_share three_share two_field one_field"
rows, weights = [], {}
for name, sizes in {
    "two 3 × 3": (3, 3),
    "one 5 × 5": (5,),
    "three 3 × 3": (3, 3, 3),
    "one 7 × 7": (7,),
}.items():
    model = stack(sizes)
    weights[name] = model.count_params()
    field = cost.receptive_field(model)[0]
    products = cost.multiply_adds(model) / 1e6
    rows.append((name, f"{field} × {field}", f"{weights[name]:,d}", f"{products:.0f}", len(sizes)))
two_share = weights["two 3 × 3"] / weights["one 5 × 5"]
three_share = weights["three 3 × 3"] / weights["one 7 × 7"]
two_field, one_field = rows[0][1], rows[1][1]
assert two_field == one_field == "5 × 5", "Two windows of 3 × 3 see as far as one of 5 × 5."
assert rows[2][1] == rows[3][1] == "7 × 7"
assert two_share == 18 / 25, "Two windows of 3 × 3 have 18/25 of the weights of one of 5 × 5."
assert three_share == 27 / 49, "Three windows of 3 × 3 have 27/49 of the weights of one of 7 × 7."
columns = ["64 channels", "sees", "weights", "M products", "ReLUs"]
pd.DataFrame(rows, columns=columns).set_index("64 channels")

# %% [markdown]
# ## The blocks
# One function for each block. They run on whatever `keras` is: first labkit, later Keras.


# %% label="blocks"
def normalized(x, filters, size=3, strides=1):
    """Return a convolution of x, normalized; a shift replaces its bias."""
    options = {"strides": strides, "padding": "same", "use_bias": False}
    x = keras.layers.Conv2D(filters, size, **options)(x)
    return keras.layers.BatchNormalization(momentum=0.9)(x)  # few steps: follow fast


def shortcut(x, filters):
    """Return x, or a projection of it where the number of channels changes."""
    return x if x.shape[-1] == filters else normalized(x, filters, size=1)


def residual(x, filters):
    """Return ResNet's block of two convolutions, with a way around it."""
    y = keras.layers.ReLU()(normalized(x, filters))
    y = normalized(y, filters)
    return keras.layers.ReLU()(keras.layers.Add()([shortcut(x, filters), y]))


def pre_activation(x, filters):
    """Return a residual block with nothing behind the sum."""
    y = x
    for _ in range(2):
        y = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(y))
        y = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)
    return keras.layers.Add()([x, y])


def bottleneck(x, filters):
    """Return ResNet50's block: narrow, look around, widen."""
    y = keras.layers.ReLU()(normalized(x, filters, size=1))
    y = keras.layers.ReLU()(normalized(y, filters))
    y = normalized(y, 4 * filters, size=1)
    return keras.layers.ReLU()(keras.layers.Add()([shortcut(x, 4 * filters), y]))


# %%
def bare(x, filters):
    """Return VGG's block: two convolutions, without normalization."""
    for _ in range(2):
        x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return x


def plain(x, filters):
    """Return VGG's block with normalization."""
    for _ in range(2):
        x = keras.layers.ReLU()(normalized(x, filters))
    return x


def alone(block, channels, filters, places=8):
    """Return a model of one block."""
    inputs = keras.Input((places, places, channels))
    return keras.Model(inputs, block(inputs, filters))


# %% values="bottleneck_weights wide_weights narrow_weights bottleneck_saving"
def kernels(model):
    """Return the number of weights that multiply something: those of kernels."""
    return sum(int(np.prod(w.shape)) for w in model.weights if len(w.shape) == 4)


bottleneck_weights = kernels(alone(bottleneck, 256, 64))
wide_weights = kernels(alone(residual, 256, 256))
narrow_weights = kernels(alone(residual, 64, 64))
bottleneck_saving = wide_weights / bottleneck_weights
assert bottleneck_weights == 256 * 64 + 9 * 64 * 64 + 64 * 256
assert wide_weights == 2 * 9 * 256 * 256
assert bottleneck_saving > 16, "On 256 channels, a bottleneck needs less than 1/16 of the weights."
assert 0.9 < bottleneck_weights / narrow_weights < 1, (
    "A bottleneck on 256 channels costs about what two 3 × 3 cost on 64 channels."
)

# %% label="anatomy" alt="Four blocks as boxes from top to bottom, each with an arrow around it to the plus sign: two 3 by 3 convolutions; the same with normalization and ReLU before each; a bottleneck of 1 by 1, 3 by 3 and 1 by 1; and a bottleneck whose way around is a 1 by 1 convolution." caption="Four residual blocks, drawn from the layers of the models; the numbers are channels. The way around is either free or a projection. In the pre-activation block nothing stands behind the sum." tags=["remove-input"]
NAMES = {"BatchNormalization": "norm", "ReLU": "ReLU", "Add": "+"}


def label(layer):
    """Return what a layer is called in the drawing."""
    kind = type(layer).__name__
    if kind != "Conv2D":
        return NAMES[kind]
    return "{0} × {0}, {1}".format(layer.kernel_size[0], layer.filters)


def flat(tensors):
    """Return one or more inputs of a layer as a list."""
    return tensors if isinstance(tensors, list) else [tensors]


def path(tensor, makers):
    """Return the layers that lead from the model's input to a tensor, without branches."""
    found = []
    while id(tensor) in makers:
        found.insert(0, makers[id(tensor)])
        tensor = flat(found[0].input)[0]
    return found


def draw(ax, model, title, rows):
    """Draw a block with a shortcut, on an axis with room for so many rows."""
    hidden = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    makers = {id(layer.output): layer for layer in hidden}
    add = next(layer for layer in hidden if type(layer).__name__ == "Add")
    around, through = (path(tensor, makers) for tensor in add.input)
    behind = hidden[hidden.index(add) + 1 :]
    column = [
        f"{model.inputs[0].shape[-1]} channels",
        *map(label, through),
        "+",
        *map(label, behind),
    ]
    for row, name in enumerate(column):
        shape = "circle" if name == "+" else "round"
        color = {"norm": GREEN, "ReLU": ORANGE}.get(name, BLUE if "×" in name else GREY)
        style = {"boxstyle": f"{shape},pad=0.3", "facecolor": color, "alpha": 0.18, "lw": 0}
        ax.text(0, -row, name, ha="center", va="center", fontsize=9.5, bbox=style)
        if row:
            arrow = {"arrowstyle": "->", "shrinkA": 8, "shrinkB": 9, "color": plot.INK}
            ax.annotate("", (0, -row), (0, -row + 1), arrowprops=arrow)
    plus, side = len(through) + 1, 1.15
    ax.plot([0.62, side, side], [0, 0, -plus], color=plot.INK, lw=1.2)
    arrow = {"arrowstyle": "->", "shrinkB": 9, "color": plot.INK, "lw": 1.2}
    ax.annotate("", (0, -plus), (side, -plus), arrowprops=arrow)
    for row, layer in enumerate(around):
        style = {"boxstyle": "round,pad=0.3", "facecolor": plot.PAPER, "lw": 0.8}
        ax.text(
            side, -2.5 - row * 1.2, label(layer), ha="center", va="center", fontsize=9.5, bbox=style
        )
    ax.set(title=title, xlim=(-0.8, 1.95), ylim=(-rows + 0.4, 0.6))
    ax.set_axis_off()


fig, axes = plt.subplots(2, 2, figsize=(5, 7.4), height_ratios=(8, 11))
for ax, (title, block, channels, filters, rows) in zip(
    axes.flat,
    (
        ("two 3 × 3", residual, 64, 64, 8),
        ("pre-activation", pre_activation, 64, 64, 8),
        ("bottleneck", bottleneck, 256, 64, 11),
        ("with a projection", bottleneck, 64, 64, 11),
    ),
    strict=True,
):
    draw(ax, alone(block, channels, filters), title, rows)

# %% [markdown]
# ## The small networks
# A frame with two blocks for a race, and stacks of growing depth. All read digits at random places,
# and each is built with three seeds.

# %% label="race-network"
(x_train, y_train), (x_test, y_test) = datasets.load_shifted_digits(copies=1)
seeds, epochs, batch = 3, 2, 32


def network(block, width):
    """Return a classifier of digits with two blocks."""
    inputs = keras.Input((16, 16, 1))
    x = keras.layers.ReLU()(normalized(inputs, 16, strides=2))  # (batch, 8, 8, 16)
    x = block(x, width)
    x = keras.layers.MaxPooling2D()(x)
    x = block(x, 2 * width)  # (batch, 4, 4, channels)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(x))


def deep(block, depth, filters=8):
    """Return a classifier of digits with a stack of blocks of two convolutions each."""
    inputs = keras.Input((16, 16, 1))
    x = keras.layers.ReLU()(normalized(inputs, filters, strides=2))
    x = keras.layers.MaxPooling2D()(x)  # (batch, 4, 4, filters)
    for _ in range(depth // 2):
        x = block(x, filters)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(x))


def prepare(model, optimizer=None):
    """Compile a model, by default with the optimizer of the race, and return it."""
    steps = epochs * -(-len(x_train) // batch)
    schedule = keras.optimizers.schedules.CosineDecay(0.005, steps)
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(optimizer or keras.optimizers.Adam(schedule), loss, metrics=["accuracy"])
    return model


# %% values="seeds epochs shallow deepest"
contestants = {"bare": bare, "plain": plain, "residual": residual}
kinds = {"plain": plain, "residual": residual, "pre-activation": pre_activation}
shallow, deepest = depths = (2, 20)
racers = {name: [] for name in contestants}
stacks = {(name, depth): [] for depth in depths for name in ("plain", "residual")}
probes = {name: [] for name in kinds}
for seed in range(seeds):
    keras.utils.set_random_seed(seed)
    for name, block in contestants.items():
        racers[name].append(prepare(network(block, width=16)))
    for name, depth in stacks:
        stacks[name, depth].append(prepare(deep(kinds[name], depth)))
    for name, block in kinds.items():
        probes[name].append(prepare(deep(block, deepest), keras.optimizers.SGD(1.0)))

# %% [markdown]
# ## The same in Keras
# `import keras` rebinds the name, and the same functions build the same blocks.

# %%
blocks = [(bare, 8), (plain, 8), (residual, 8), (residual, 16), (pre_activation, 8)]
blocks += [(bottleneck, 2), (bottleneck, 4)]
ours = [alone(block, 8, filters, places=6) for block, filters in blocks]

# %%
import gc
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # TensorFlow tells much about the machine

import keras
import tensorflow as tf

# %% label="agreement" values="largest_difference"
x = np.random.default_rng(0).normal(size=(4, 6, 6, 8))
largest_difference = max(
    testing.assert_matches_keras(model, alone(block, 8, filters, places=6), x, training=True)
    for model, (block, filters) in zip(ours, blocks, strict=True)
)
print(f"largest difference, as a share of the largest number: {largest_difference:.0e}")
assert largest_difference < 1e-4, "Every block of labkit is Keras's, forward and backward."

# %% [markdown]
# ## A small race
# The same frame for each block, with about 20,000 parameters. The networks were built with labkit,
# so labkit trains them; it has no graph to trace first.


# %% label="fit"
def fit(model):
    """Train a model, and return the seconds that it took."""
    began = time.perf_counter()
    model.fit(x_train, y_train, batch_size=batch, epochs=epochs, verbose=0)
    return time.perf_counter() - began


def accuracy(model, x, y):
    """Return the share of images that a model reads correctly."""
    return float(model.evaluate(x, y, batch_size=256, verbose=0)[1])


# %% label="race" values="bare_best plain_worst race_gap"
seconds = {name: [] for name in contestants}
for turn in range(seeds):
    for name in contestants:  # they take turns, so the load is the same
        seconds[name].append(fit(racers[name][turn]))
accuracies = {
    name: [accuracy(model, x_test, y_test) for model in models] for name, models in racers.items()
}
rows = []
for name, models in racers.items():
    rows.append(
        (
            name,
            f"{models[0].count_params():,d}",
            f"{cost.multiply_adds(models[0]) / 1000:.0f}",
            f"{np.median(seconds[name]) / np.median(seconds['plain']):.1f}",
            " ".join(f"{share:.2f}"[1:] for share in accuracies[name]),
        )
    )
bare_best, plain_worst = max(accuracies["bare"]), min(accuracies["plain"])
race_gap = float(abs(np.mean(accuracies["residual"]) - np.mean(accuracies["plain"])))
assert bare_best < plain_worst - 0.1, "With normalization, each seed beats all seeds without it."
assert race_gap < plain_worst - bare_best, (
    "In two blocks, normalization changes the accuracy more than a shortcut does."
)
sizes = [models[0].count_params() for models in racers.values()]
assert max(sizes) / min(sizes) < 1.05
columns = ["block", "weights", "k products", "time", "accuracy"]
pd.DataFrame(rows, columns=columns).set_index("block")

# %% label="race-figure" alt="Test accuracy of three seeds for each of three blocks. The points of the block without normalization lie far to the left of those of the two others." caption="The race: test accuracy after two epochs, one point for each of three seeds. What matters most here is normalization." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2))
for row, (name, color, marker) in enumerate(
    zip(accuracies, (GREY, ORANGE, BLUE), "vso", strict=True)
):
    ax.plot(accuracies[name], [row] * seeds, marker, color=color, markersize=8, alpha=0.8)
ax.set(xlabel="test accuracy", yticks=range(3), yticklabels=accuracies, ylim=(2.5, -0.5))

# %% [markdown]
# ## Deeper, and worse
# Plain and residual stacks of two depths, all with normalization and with the same number of steps.
# What counts is the accuracy on the *training* images.

# %% label="depth" values="plain_shallow plain_deep residual_shallow residual_deep plain_deep_best residual_deep_worst plain_parameters residual_parameters"
learned = {}
for kind, models in stacks.items():
    for model in models:
        fit(model)
    learned[kind] = [accuracy(model, x_train, y_train) for model in models]
plain_shallow, residual_shallow, plain_deep, residual_deep = (
    float(np.mean(known)) for known in learned.values()
)
plain_deep_best = max(learned["plain", deepest])
residual_deep_worst = min(learned["residual", deepest])
plain_parameters, residual_parameters = (
    stacks[name, deepest][0].count_params() for name in ("plain", "residual")
)
for (name, depth), known in learned.items():
    print(f"{name}, {depth} layers:", *(f"{share:.3f}" for share in known))
assert plain_parameters == residual_parameters, "A free shortcut adds no parameter."
assert plain_shallow - plain_deep > 0.02, (
    "With twenty layers, plain stacks fit their training images worse than with two."
)
assert residual_deep_worst > plain_deep_best, (
    "With twenty layers, each residual stack fits its training images better than every plain one."
)

# %% label="degradation" alt="Accuracy on the training images against the number of layers, three points for each kind. From two layers to twenty the plain stacks fall, the residual ones stay above them." caption="Accuracy on the *training* images after the same number of steps, against the number of convolutions: one point for each of three seeds, lines through the means. The two kinds have the same parameters." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.1))
for shift, (name, color, style, marker) in zip(
    (-0.15, 0.15), (("plain", ORANGE, "--", "s"), ("residual", BLUE, "-", "o")), strict=True
):
    places = np.array(depths) + shift  # side by side, not one over the other
    points = np.array([learned[name, depth] for depth in depths])  # (depths, seeds)
    ax.plot(np.repeat(places, seeds), points.ravel(), marker, color=color, alpha=0.7)
    ax.plot(places, points.mean(axis=1), style, color=color)
    ax.text(places[-1] + 0.6, points[-1].mean(), name, va="center", color=color)
ax.set(xlabel="convolutions", ylabel="training accuracy", xticks=depths)
ax.set(xlim=(1, 23.5), ylim=(0, None))

# %% [markdown]
# Do slopes reach the first layers of the deepest stacks? That is asked before any training. A step
# of gradient descent at rate 1 subtracts the gradient, so the change of the weights shows it.


# %% label="slopes" values="plain_slopes residual_slopes pre_slopes"
def slope_ratio(model):
    """Return the size of the gradient at the first kernel of the stack over that at the last."""
    before = [w for w in model.get_weights() if w.ndim == 4]  # the first is the stem's
    model.train_on_batch(x_train[:256], y_train[:256])
    after = [w for w in model.get_weights() if w.ndim == 4]
    first, last = (np.linalg.norm(before[i] - after[i]) for i in (1, -1))
    return float(first / last)


slopes = {name: [slope_ratio(model) for model in models] for name, models in probes.items()}
for name, ratios in slopes.items():
    print(f"{name}:", *(f"{ratio:.2f}" for ratio in ratios))
plain_slopes, residual_slopes, pre_slopes = (float(np.median(r)) for r in slopes.values())
assert plain_slopes > 3, "With normalization, the gradient of twenty plain layers does not vanish."
assert 1 < residual_slopes < plain_slopes, (
    "Residual blocks keep the gradient of the first layer nearer to that of the last."
)
assert 0.05 < pre_slopes < 1, (
    "In pre-activation stacks, slopes are smaller at the first kernel than at the last."
)

# %% [markdown]
# ## VGG from its paper
# Five stages of convolutions, each followed by pooling, then three dense layers.


# %% label="vgg"
def vgg(convolutions):
    """Return VGG with this number of convolutions in each of its five stages."""
    inputs = x = keras.Input((224, 224, 3))
    for filters, count in zip((64, 128, 256, 512, 512), convolutions, strict=True):
        for _ in range(count):
            x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D()(x)  # half the height and width
    x = keras.layers.Flatten()(x)  # (batch, 7 · 7 · 512)
    x = keras.layers.Dense(4096, activation="relu")(x)
    x = keras.layers.Dense(4096, activation="relu")(x)
    return keras.Model(inputs, keras.layers.Dense(1000)(x))


# %% [markdown]
# ## ResNet50 from its paper
# The first version, with what Keras has that the paper has not: biases and its own epsilon.


# %% label="resnet"
def resnet50(later=False):
    """Return ResNet50, with strides in the 1 × 1 or, later, the 3 × 3 windows."""

    def conv(x, filters, size, strides=1):
        x = keras.layers.Conv2D(filters, size, strides=strides, padding="same")(x)
        return keras.layers.BatchNormalization(epsilon=1.001e-5)(x)

    def block(x, filters, strides, project):
        around = conv(x, 4 * filters, 1, strides) if project else x
        y = keras.layers.ReLU()(conv(x, filters, 1, 1 if later else strides))
        y = keras.layers.ReLU()(conv(y, filters, 3, strides if later else 1))
        y = conv(y, 4 * filters, 1)
        return keras.layers.ReLU()(keras.layers.Add()([around, y]))

    inputs = keras.Input((224, 224, 3))
    x = keras.layers.ZeroPadding2D(3)(inputs)
    x = keras.layers.Conv2D(64, 7, strides=2)(x)  # (batch, 112, 112, 64)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(epsilon=1.001e-5)(x))
    x = keras.layers.MaxPooling2D(3, strides=2)(keras.layers.ZeroPadding2D(1)(x))
    for stage, (filters, count) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for i in range(count):
            first = i == 0
            x = block(x, filters, strides=2 if first and stage else 1, project=first)
    x = keras.layers.GlobalAveragePooling2D()(x)  # (batch, 2048)
    return keras.Model(inputs, keras.layers.Dense(1000)(x))


# %% [markdown]
# ## The proof, and a trap
# Two photographs go through both. Before that, every bias, scale, shift and statistic is drawn at
# random, because in a fresh network they are all zeros or ones, and a wrong place would not show.

# %% label="proof"
photographs = datasets.load_photographs().values()
crops = np.stack([photograph[100:324, 200:424] for photograph in photographs])
pictures = (crops - crops.mean(axis=(0, 1, 2))).astype("float32")  # (2, 224, 224, 3)


def draw_vectors(model):
    """Draw scales and variances near 1, biases, shifts and means near 0."""
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if len(weight.shape) == 1:
            positive = weight.name in ("gamma", "moving_variance")
            low, high = (0.5, 1.5) if positive else (-0.2, 0.2)
            weight.assign(rng.uniform(low, high, weight.shape))


def copy_weights(ours, theirs):
    """Copy weights in their order, one at a time to save memory."""
    for mine, other in zip(ours.weights, theirs.weights, strict=True):
        mine.assign(other)


def logits(model):
    """Return a model's logits for the two pictures."""
    return np.asarray(model(pictures, training=False))  # (2, 1000)


def probabilities(z):
    """Return the softmax of logits."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def largest(difference):
    """Return the largest absolute value."""
    return float(np.abs(difference).max())


def proof(ours, theirs):
    """Compare two networks, first as strangers, then with the same weights."""
    assert ours.count_params() == theirs.count_params()
    strangers, fresh = logits(ours), logits(theirs)
    draw_vectors(theirs)
    copy_weights(ours, theirs)
    mine, drawn = logits(ours), logits(theirs)
    spread = float(drawn.std(axis=1).mean())
    return {
        "fresh": float(fresh.std(axis=1).mean()),
        "strangers": largest(probabilities(strangers) - probabilities(fresh)),
        "vectors": largest(drawn - fresh) / spread,
        "images": largest(drawn[0] - drawn[1]) / spread,
        "difference": largest(mine - drawn) / spread,
    }


# %% label="proof-resnet" values="resnet_parameters resnet_products resnet_depth resnet_difference"
applications = keras.applications
keras.utils.set_random_seed(0)
theirs = applications.ResNet50(weights=None, classifier_activation=None)
ours = resnet50()
proofs = {"ResNet50": proof(ours, theirs)}
resnet_difference = proofs["ResNet50"]["difference"]
resnet_parameters, resnet_depth = ours.count_params(), cost.longest_path(ours)
resnet_products = cost.multiply_adds(ours)


# %% label="variants" values="later_ratio stride_gap epsilon_gap"
def by_stage(model):
    """Return parameters and multiply-adds by height of the layer's output (1 for dense layers)."""
    found = {}
    for layer in model.layers:
        places = [*layer.output.shape[1:-1]] if layer.weights else []
        if layer.weights:
            row = found.setdefault(places[0] if places else 1, np.zeros(2))
            row[0] += layer.count_params()
            if hasattr(layer, "kernel"):
                row[1] += np.prod(places) * np.prod(layer.kernel.shape)
    table = np.array([found[key] for key in sorted(found, reverse=True)])  # (6, 2)
    assert tuple(table.sum(axis=0)) == (model.count_params(), cost.multiply_adds(model))
    return table


stages = {"ResNet50": by_stage(ours)}
reference = logits(theirs)
spread = float(reference.std(axis=1).mean())
later = resnet50(later=True)
copy_weights(later, theirs)  # no complaint: all shapes agree
later_ratio = cost.multiply_adds(later) / resnet_products
stride_gap = largest(logits(later) - reference) / spread
for layer in ours.layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.epsilon = 0.001  # the layer's default
epsilon_gap = largest(logits(ours) - reference) / spread
assert later.count_params() == resnet_parameters
assert resnet_parameters == 25_636_712
assert resnet_depth == 50, "The longest path through ResNet50 has 50 layers with weights."
assert resnet_difference < 1e-5, "The rebuilt ResNet50 gives the logits of Keras's."
assert stride_gap > 0.03, (
    "With the stride in the other place, all weights fit, but the logits differ visibly."
)
assert epsilon_gap > 0.003, "Keras's default epsilon in place of ResNet's moves the logits."
assert 1.03 < later_ratio < 1.1, "ResNet v1.5 computes 3 to 10% more products than v1."

# %% label="shortcuts" values="free_shortcuts projected_shortcuts all_projected"
makers = {id(layer.output): layer for layer in ours.layers}
sums = [layer for layer in ours.layers if isinstance(layer, keras.layers.Add)]
around = [makers[id(layer.input[0])] for layer in sums]
projected = [layer for layer in around if isinstance(layer, keras.layers.BatchNormalization)]
free = [layer for layer in around if isinstance(layer, keras.layers.ReLU)]
projected_shortcuts, free_shortcuts = len(projected), len(free)
projection_share = sum(makers[id(p.input)].count_params() for p in projected) / resnet_parameters
all_projected = sum(layer.output.shape[-1] ** 2 for layer in free)  # 1 × 1 kernels
print(f"{free_shortcuts} free shortcuts, {projected_shortcuts} projections")
print(f"the projections hold {projection_share:.1%} of all parameters")
print(f"projections for all would add {all_projected:,d} weights")
assert (free_shortcuts, projected_shortcuts) == (12, 4), (
    "Of ResNet50's 16 blocks, 12 have a shortcut without weights."
)
assert all_projected / resnet_parameters > 0.5, (
    "Projections in all of its blocks would make ResNet50 larger by more than half."
)

# %% [markdown]
# The two VGGs, one after the other; each pair takes a gigabyte.

# %% label="proof-vgg" values="vgg_parameters vgg19_parameters vgg_products vgg19_products vgg_depth first_dense first_dense_share conv_products_share vgg_difference"
resnet = ours
del ours, theirs, later
counts = {}
for name, convolutions in {"VGG16": (2, 2, 3, 3, 3), "VGG19": (2, 2, 4, 4, 4)}.items():
    keras.backend.clear_session()
    gc.collect()  # the networks before
    theirs = getattr(applications, name)(weights=None, classifier_activation=None)
    ours = vgg(convolutions)
    proofs[name] = proof(ours, theirs)
    counts[name] = ours.count_params(), cost.multiply_adds(ours), cost.longest_path(ours)
    if name == "VGG16":
        stages[name] = by_stage(ours)
        dense = next(layer for layer in ours.layers if isinstance(layer, keras.layers.Dense))
        first_dense = dense.count_params()
        last_pool = next(layer for layer in ours.layers if isinstance(layer, keras.layers.Flatten))
        body_field = cost.receptive_field(keras.Model(ours.inputs, last_pool.input))[0]
        body_parameters = keras.Model(ours.inputs, last_pool.input).count_params()
        del dense, last_pool
    del ours, theirs
    gc.collect()
vgg_parameters, vgg_products, vgg_depth = counts["VGG16"]
vgg19_parameters, vgg19_products, vgg19_depth = counts["VGG19"]
first_dense_share = first_dense / vgg_parameters
dense_share, dense_products_share = stages["VGG16"][-1] / stages["VGG16"].sum(axis=0)
conv_products_share = float(1 - dense_products_share)
assert (vgg_parameters, vgg19_parameters) == (138_357_544, 143_667_240), (
    "The rebuilt VGG16 and VGG19 have as many parameters as Keras's."
)
vgg_difference = max(proofs[name]["difference"] for name in counts)
assert vgg_difference < 1e-5, "The rebuilt VGG16 and VGG19 give the logits of Keras's."
assert (vgg_depth, vgg19_depth) == (16, 19)
assert first_dense_share > 0.7, "VGG16's first dense layer holds over 70% of its parameters."
assert conv_products_share > 0.99, "VGG16's convolutions compute over 99% of its products."

# %% values="size_ratio products_ratio"
size_ratio, products_ratio = vgg_parameters / resnet_parameters, vgg_products / resnet_products
assert size_ratio > 5, "VGG16 has over five times the parameters of ResNet50."
assert products_ratio > 4, "VGG16 computes over four times the products of ResNet50."

# %% label="stages" alt="Two bar charts by stage, for VGG16 and ResNet50. Left, parameters: nearly all of VGG16's bar lies in the dense layers. Right, multiply-adds: they lie in the stages before, and the dense layers have hardly any." caption="Where parameters and products lie. VGG16's dense layers hold nine tenths of its parameters and next to none of its products. ResNet50 has one small dense layer. A stage is all layers whose maps have one size." tags=["remove-input"]
fig, axes = plt.subplots(1, 2, figsize=(5, 3.5), sharey=True)
for ax, which, unit in zip(axes, (0, 1), (1e6, 1e9), strict=True):
    for shift, (name, color, hatch) in zip(
        (-0.2, 0.2), (("VGG16", ORANGE, ""), ("ResNet50", BLUE, "///")), strict=True
    ):
        values = stages[name][:, which] / unit
        bars = ax.barh(np.arange(6) + shift, values, 0.36, color=color, hatch=hatch, label=name)
        ax.bar_label(bars, [f"{v:.1f}" for v in values], padding=2, fontsize=9.5)
    ax.set(xlim=(0, 1.28 * max(table[:, which].max() for table in stages.values()) / unit))
    ax.grid(axis="y")
axes[0].set(yticks=range(6), yticklabels=[*(f"stage {i}" for i in range(1, 6)), "dense"])
axes[0].invert_yaxis()
axes[0].set(xticks=(0, 50, 100), xlabel="parameters, millions")
axes[1].set_xlabel("multiply-adds, billions")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)

# %% [markdown]
# MobileNet, which another chapter rebuilds, shows the trap at its clearest.

# %% label="trap" values="mobilenet_strangers mobilenet_spread vgg_strangers vgg19_strangers resnet_strangers resnet_spread worst_difference least_vectors least_images mobilenet_images"
keras.backend.clear_session()
pair = [applications.MobileNet(weights=None, classifier_activation=None) for _ in range(2)]
proofs["MobileNet"] = proof(*pair)
del pair
rows = []
for name in ("VGG16", "VGG19", "ResNet50", "MobileNet"):
    found = proofs[name]
    rows.append(
        (
            name,
            f"{found['fresh']:.1g}",
            f"{found['strangers']:.1g}",
            f"{found['vectors']:.1f}",
            f"{found['difference']:.0e}" if found["difference"] else "0",
        )
    )
mobilenet_strangers, vgg_strangers, vgg19_strangers, resnet_strangers = (
    proofs[name]["strangers"] for name in ("MobileNet", "VGG16", "VGG19", "ResNet50")
)
mobilenet_spread, resnet_spread = (proofs[name]["fresh"] for name in ("MobileNet", "ResNet50"))
worst_difference = max(found["difference"] for found in proofs.values())
least_vectors = min(found["vectors"] for found in proofs.values())
mobilenet_images = proofs["MobileNet"]["images"]
least_images = min(found["images"] for name, found in proofs.items() if name != "MobileNet")
assert mobilenet_strangers < 1e-6, (
    "The probabilities of two fresh MobileNets with different weights agree to 1e-6."
)
assert max(vgg_strangers, vgg19_strangers) < 0.01, (
    "The probabilities of two fresh VGGs with different weights differ by less than 0.01."
)
assert resnet_strangers > 0.05, "Fresh ResNets with different weights give different probabilities."
assert least_vectors > 0.5, "Drawing the constants at random visibly changes the logits."
assert least_images > 0.05, "In the rebuilt networks, two pictures give visibly different logits."
assert mobilenet_images < 1e-5, (
    "In MobileNet, random vectors are not enough: two photographs hardly change the logits."
)
columns = ["network", "logits", "strangers", "vectors", "ours"]
pd.DataFrame(rows, columns=columns).set_index("network")

# %% [markdown]
# ## Exercises
# **1.** Two windows of 3 × 3 without a ReLU between them are one of 5 × 5.

# %% label="exercise-1" tags=["solution"] values="joint_gap"
rng = np.random.default_rng(0)
image, first, second = rng.normal(size=(12, 12)), rng.normal(size=(3, 3)), rng.normal(size=(3, 3))


def slide(image, kernel):
    """Return the weighted sums of all windows."""
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.einsum("ijab,ab->ij", windows, kernel)


joint = slide(np.pad(first, 2), second[::-1, ::-1])  # (5, 5): each weight, wherever both reach
joint_gap = np.abs(slide(slide(image, first), second) - slide(image, joint)).max()
bent = slide(np.maximum(slide(image, first), 0), second)
print(f"without ReLU the largest difference is {joint_gap:.0e},", end=" ")
print(f"with it {np.abs(bent - slide(image, joint)).max():.1f}")
assert joint_gap < 1e-12, (
    "Two windows of 3 × 3 without a ReLU between them are one window of 5 × 5."
)

# %% [markdown]
# **2.** VGG16 with global average pooling in place of its first two dense layers.

# %% label="exercise-2" tags=["solution"] values="averaged_parameters"
averaged_parameters = body_parameters + 512 * 1000 + 1000
print(
    f"{averaged_parameters:,d} parameters, {vgg_parameters / averaged_parameters:.1f} times fewer"
)
assert vgg_parameters / averaged_parameters > 8

# %% [markdown]
# **3.** How far the last places of both networks see.

# %% label="exercise-3" tags=["solution"] values="body_field resnet_field"
last = next(x for x in resnet.layers if isinstance(x, keras.layers.GlobalAveragePooling2D))
resnet_field = cost.receptive_field(keras.Model(resnet.inputs, last.input))[0]
print(f"VGG16: {body_field} pixels, ResNet50: {resnet_field}, of 224")
assert body_field < 224 < resnet_field

# %% [markdown]
# **4.** With a scale of zero at the end of each branch, the deep stack begins as no stack at all.

# %% label="exercise-4" tags=["solution"] values="stack_change stem_slope"
keras.utils.set_random_seed(0)
model = deep(residual, deepest)
norms = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
for norm in norms[2::2]:  # norms[0] is the stem's, then each block has two
    norm.gamma.assign(np.zeros(norm.gamma.shape))
pooling = next(x for x in model.layers if isinstance(x, keras.layers.MaxPooling2D))
averaging = next(x for x in model.layers if isinstance(x, keras.layers.GlobalAveragePooling2D))
around_stack = keras.Model(model.inputs, [pooling.output, averaging.input])
before, after = (np.asarray(h) for h in around_stack(x_train[:64]))  # (64, 4, 4, 8) each
stack_change = float(np.abs(after - before).max())
print(f"largest change by {deepest} layers: {stack_change:g}")
with tf.GradientTape() as tape:
    p = model(x_train[:64], training=True)
    loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y_train[:64], p))
convolutions = [w.value for w in model.trainable_weights if len(w.shape) == 4]
scales = [norm.gamma.value for norm in norms[2::2]]
sizes = [float(tf.norm(slope)) for slope in tape.gradient(loss, [*convolutions, *scales])]
stem_slope, stack_slopes = sizes[0], sizes[1 : len(convolutions)]
scale_slopes = sizes[len(convolutions) :]
print(
    f"slopes of the stem {stem_slope:.2g}, of the stack's kernels at most {max(stack_slopes):.2g},"
)
print(f"of the zero scales at least {min(scale_slopes):.2g}")
assert max(stack_slopes) == 0
assert min(stem_slope, *scale_slopes) > 0, (
    "Where branches end in zero scales, at first only the scales and what lies outside get slopes."
)
assert np.abs(before).max() > 0
assert stack_change == 0, (
    "With zero scales at the end of its branches, a residual stack passes its input on unchanged."
)

plt.show()
