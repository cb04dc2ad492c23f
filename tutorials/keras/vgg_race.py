# ---
# labkit: {memory: 2 GB}
# ---
# %% [markdown]
# # Residual blocks, and a race
# What normalization and a way around buy in small networks: plain and residual blocks of equal size
# in a race, and stacks of growing depth, which read digits at random places. The chapter
# [VGG and ResNet](../../keras/vgg-resnet.md) tells the story, and [its tutorial](vgg-resnet.py)
# rebuilds the large networks.
#
# The first half builds everything with `labkit`. The second half builds the same blocks in Keras,
# asserts that they agree, and trains the stacks.

# %%
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import labkit as keras
from labkit import datasets, plot, testing, trials

plot.set_theme()
BLUE, ORANGE, GREEN, GREY = (plot.COLORS[name] for name in ("blue", "orange", "green", "grey"))

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
# ## A small race
# The same frame for each block, with about 20,000 parameters. All read digits at random places.

# %% label="race-network"
train, test = datasets.load_shifted_digits(copies=2)  # 16 × 16 pixels


def network(block, width):
    """Return a classifier of digits with two blocks."""
    inputs = keras.Input((16, 16, 1))
    x = keras.layers.ReLU()(normalized(inputs, 16, strides=2))  # (batch, 8, 8, 16)
    x = block(x, width)
    x = keras.layers.MaxPooling2D()(x)
    x = block(x, 2 * width)  # (batch, 4, 4, 2 · width)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(x))


# %% label="race" caption="The race: size (parameters) and cost (multiply-adds for a sheet) in thousands, time of training relative to plain, and mean and range (highest minus lowest) of the test accuracy of three seeds, in percent." values="seeds race_epochs race_rate bare_mean bare_best plain_mean normalized_worst residual_mean normalization_gain race_gap race_gap_points seed_points race_low race_high race_train race_test"
contestants = {"bare": bare, "plain": plain, "residual": residual}
builds = {}
for name, block in contestants.items():
    sized = partial(network, block)
    builds[name] = partial(sized, trials.closest_width(sized, 20_000))
seeds, race_epochs, race_rate = 3, 4, 0.005
options = {"seeds": range(seeds), "epochs": race_epochs}
race = trials.compare(builds, train, test, learning_rate=race_rate, **options)
race_train, race_test = len(train[0]), len(test[0])
race_low, race_high = (f(trial.parameters for trial in race.values()) for f in (min, max))
bare_mean, plain_mean, residual_mean = (trial.mean for trial in race.values())
bare_best = race["bare"].highest
normalized_worst = min(race[name].lowest for name in ("plain", "residual"))
normalization_gain, race_gap = plain_mean - bare_mean, abs(residual_mean - plain_mean)
race_gap_points = 100 * race_gap
seed_points = 100 * max(race[name].spread for name in ("plain", "residual"))
assert 18_500 <= race_low <= race_high <= 21_000, "All contestants have about 20,000 parameters."
assert normalized_worst > 0.9, "With normalization, each seed reads over nine of ten test sheets."
assert bare_best < normalized_worst - 0.03, (
    "With normalization, each seed beats all seeds without it."
)
assert race_gap < normalization_gain / 3, (
    "In two blocks, normalization changes the accuracy more than a shortcut does."
)
pd.DataFrame(trials.summarize(race, "plain"))

# %% label="race-figure" alt="Test accuracy of three seeds for each of three blocks. The points of the block without normalization lie far to the left of those of the two others." caption="The race: test accuracy, one point for each of three seeds. What matters most here is normalization." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2))
for row, (trial, color, marker) in enumerate(
    zip(race.values(), (GREY, ORANGE, BLUE), "vso", strict=True)
):
    ax.plot(trial.accuracies, [row] * seeds, marker, color=color, markersize=8, alpha=0.8)
ax.set(xlabel="test accuracy", yticks=range(3), yticklabels=race, ylim=(2.5, -0.5))

# %% [markdown]
# Is it the learning rate? The block without normalization also gets half and twice the rate.

# %% label="rates" values="bare_half bare_double"
bare_build = builds["bare"]
bare_half, bare_double = (
    trials.compare({"bare": bare_build}, train, test, learning_rate=rate, **options)["bare"].highest
    for rate in (race_rate / 2, 2 * race_rate)
)
print(f"best of three: {bare_half:.3f} with half the rate, {bare_double:.3f} with twice the rate")
assert max(bare_half, bare_double) < normalized_worst - 0.03, (
    "With half or twice the rate, no seed without normalization reaches any seed with it."
)

# %% [markdown]
# ## Deeper networks
# Stacks of growing depth, each with three seeds. They are built with labkit, and trained below.

# %% label="deep"
batch, epochs = 32, 2
x_few, y_few = (part[::2] for part in train)  # one sheet for each digit


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
    """Compile a model, by default with Adam and a falling rate, and return it."""
    steps = epochs * -(-len(x_few) // batch)
    schedule = keras.optimizers.schedules.CosineDecay(0.005, steps)
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(optimizer or keras.optimizers.Adam(schedule), loss, metrics=["accuracy"])
    return model


# %% values="epochs shallow deepest"
kinds = {"plain": plain, "residual": residual, "pre-activation": pre_activation}
shallow, deepest = depths = (2, 20)
stacks = {(name, depth): [] for depth in depths for name in ("plain", "residual")}
probes = {name: [] for name in kinds}
for seed in range(seeds):
    keras.utils.set_random_seed(seed)
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
# ## Deeper, and worse
# The stacks were built with labkit, so labkit trains them; it has no graph to trace first. All have
# normalization, and the same number of steps. What counts is the accuracy on the *training* images.

# %% label="depth" values="plain_shallow plain_deep residual_shallow residual_deep plain_deep_best residual_deep_worst plain_parameters residual_parameters"
learned = {}
for kind, models in stacks.items():
    for model in models:
        model.fit(x_few, y_few, batch_size=batch, epochs=epochs, verbose=0)
    learned[kind] = [float(model.evaluate(x_few, y_few, verbose=0)[1]) for model in models]
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

# %% label="degradation" alt="Accuracy on the training images against the number of layers, three points for each kind. From two layers to twenty the plain stacks fall; the residual ones start a little lower, rise, and end far above them." caption="Accuracy on the *training* images after the same number of steps, against the number of convolutions: one point for each of three seeds, lines through the means. The two kinds have the same parameters." tags=["remove-input"]
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
    model.train_on_batch(x_few[:256], y_few[:256])
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
# ## Solution of an exercise
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
before, after = (np.asarray(h) for h in around_stack(x_few[:64]))  # (64, 4, 4, 8) each
stack_change = float(np.abs(after - before).max())
print(f"largest change by {deepest} layers: {stack_change:g}")
with tf.GradientTape() as tape:
    p = model(x_few[:64], training=True)
    loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y_few[:64], p))
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

# %%
plt.show()
