# ---
# labkit: {memory: 2 GB}
# ---

# %% [markdown]
# # DenseNet and NASNet
# How should the layers of a network be connected? DenseNet answers by hand: each layer sees all
# layers before it. NASNet leaves the answer to a search. The chapter
# [DenseNet and NASNet](../../keras/densenet-nasnet.md) tells the story.
#
# The first half builds a dense block and NASNet's cells in `labkit`, the book's library. The second
# half builds the same in Keras, asserts that both agree, and rebuilds DenseNet121 and NASNetMobile
# completely. What dense blocks are worth in training is measured by [a race](dense_race.py), and how
# much of a search is luck by [a small search](cell_search.py).

# %%
import time
from functools import partial

import matplotlib.pyplot as plt
import numpy as np

import labkit as keras
from labkit import cost, datasets, plot, testing

plot.set_theme()
BLUE, ORANGE, GREEN, PURPLE, GREY = (
    plot.COLORS[name] for name in ("blue", "orange", "green", "purple", "grey")
)

# %% [markdown]
# ## A dense block
# Each layer normalizes, activates and convolves twice: 1 × 1 to four times the growth rate, then
# 3 × 3 to the growth rate. A dense block appends what comes out to what went in.


# %% label="block"
def normalized(x, momentum=0.9):
    """Normalize each channel by the batch."""
    return keras.layers.BatchNormalization(momentum=momentum)(x)


def dense_layer(x, growth):
    """Return `growth` new channels: a bottleneck of 1 × 1, then 3 × 3."""
    for filters, size in ((4 * growth, 1), (growth, 3)):
        x = keras.layers.ReLU()(normalized(x))
        x = keras.layers.Conv2D(filters, size, padding="same", use_bias=False)(x)
    return x


def dense_block(x, growth, count=4, connected=True):
    """Stack layers; connected, each one sees the input and all layers before it."""
    for _ in range(count):
        new = dense_layer(x, growth)
        x = keras.layers.Concatenate()([x, new]) if connected else new
    return x


# %% [markdown]
# ## The cells of NASNet
# NASNet's normal cell, as its paper draws it, from parts that `labkit` and Keras both have. `h` is
# the output of the last cell and `p` that of the one before it. The momentum of .9997 is Keras's.


# %% label="separable"
normalized_slowly = partial(normalized, momentum=0.9997)


def squeezed(x, filters):
    """ReLU, a 1 × 1 convolution to the width of the cell, normalization."""
    x = keras.layers.ReLU()(x)
    return normalized_slowly(keras.layers.Conv2D(filters, 1, use_bias=False)(x))


def separable(x, filters, size, strides=1):
    """Two separable convolutions; the first one may take steps of two."""
    for step in (strides, 1):
        x = keras.layers.ReLU()(x)
        x = keras.layers.SeparableConv2D(filters, size, step, "same", use_bias=False)(x)
        x = normalized_slowly(x)
    return x


# %% label="cells-code"
def fitted(p, x, filters):
    """Give the older input the size and the channels of the cell."""
    if p.shape[1] == x.shape[1]:
        return p if p.shape[-1] == filters else squeezed(p, filters)
    p = keras.layers.ReLU()(p)
    moved = keras.layers.ZeroPadding2D(((0, 1), (0, 1)))(p)
    moved = keras.layers.Cropping2D(((1, 0), (1, 0)))(moved)  # one place down and to the right
    halves = [keras.layers.AveragePooling2D(1, strides=2)(path) for path in (p, moved)]
    halves = [keras.layers.Conv2D(filters // 2, 1, use_bias=False)(half) for half in halves]
    return normalized_slowly(keras.layers.Concatenate()(halves))


def average(x):
    """The mean of 3 × 3 places."""
    return keras.layers.AveragePooling2D(3, strides=1, padding="same")(x)


def added(*parts):
    """The sum of two tensors."""
    return keras.layers.Add()(parts)


def normal_cell(x, p, filters):
    """Five sums at the size of the input, and the older input, side by side."""
    p = fitted(p, x, filters)
    h = squeezed(x, filters)
    one = added(separable(h, filters, 5), separable(p, filters, 3))
    two = added(separable(p, filters, 5), separable(p, filters, 3))
    three = added(average(h), p)
    four = added(average(p), average(p))
    five = added(separable(h, filters, 3), h)
    return keras.layers.Concatenate()([p, one, two, three, four, five])


def reduction_cell(x, p, filters):
    """Five sums at half the size; the first is used up by the fourth and fifth."""
    p = x if p is None else fitted(p, x, filters)
    h = squeezed(x, filters)
    odd = h.shape[1] % 2
    padded = keras.layers.ZeroPadding2D(((odd, 1), (odd, 1)))(h)
    largest = keras.layers.MaxPooling2D(3, strides=2)(padded)
    mean = keras.layers.AveragePooling2D(3, strides=2)(padded)
    one = added(separable(h, filters, 5, 2), separable(p, filters, 7, 2))
    two = added(largest, separable(p, filters, 7, 2))
    three = added(mean, separable(p, filters, 5, 2))
    four = added(two, average(one))
    five = added(separable(one, filters, 3), largest)
    return keras.layers.Concatenate()([two, three, four, five])


# %%
def small_dense():
    """Return a dense block as a model."""
    inputs = keras.Input((6, 6, 5))
    return keras.Model(inputs, dense_block(inputs, 3))


def small_cells():
    """Return a reduction cell and a normal cell behind it, as a model."""
    inputs = keras.Input((9, 9, 3))
    x = reduction_cell(inputs, None, 4)  # 5 × 5
    return keras.Model(inputs, normal_cell(x, inputs, 4))


ours = [small_dense(), small_cells()]
shapes = [(2, 6, 6, 5), (2, 9, 9, 3)]

# %% [markdown]
# ## The same in Keras
# The same functions build the same blocks; with the same weights, outputs and gradients agree.

# %% label="keras" values="keras_gap"
import keras
import tensorflow as tf

keras_gap = 0.0
for build, model, shape in zip((small_dense, small_cells), ours, shapes, strict=True):
    x = np.random.default_rng(0).normal(size=shape)
    keras_gap = max(keras_gap, testing.assert_matches_keras(model, build(), x, rtol=1e-3))
print(f"labkit and Keras differ by {keras_gap:.0e} of the largest number")
assert keras_gap < 1e-3, "labkit's dense block and NASNet cells are Keras's, forward and backward."

# %% [markdown]
# ## DenseNet121, rebuilt


# %% label="densenet121"
def activated(x):
    """Normalize and activate, as in front of each convolution."""
    x = keras.layers.BatchNormalization(epsilon=1.001e-5)(x)
    return keras.layers.ReLU()(x)


def densenet121(growth=32, compression=0.5, classes=1000):
    """Return DenseNet121 (Huang and others 2017, table 1), with logits as its output."""
    inputs = keras.Input((224, 224, 3))
    x = keras.layers.ZeroPadding2D(3)(inputs)
    x = keras.layers.Conv2D(2 * growth, 7, strides=2, use_bias=False)(x)
    x = keras.layers.ZeroPadding2D(1)(activated(x))
    x = keras.layers.MaxPooling2D(3, strides=2)(x)  # (batch, 56, 56, 64)
    for block, count in enumerate((6, 12, 24, 16)):
        if block > 0:  # a transition: fewer channels, half the size
            x = keras.layers.Conv2D(int(compression * x.shape[-1]), 1, use_bias=False)(x)
            x = keras.layers.AveragePooling2D(2)(x)
        for _ in range(count):
            new = keras.layers.Conv2D(4 * growth, 1, use_bias=False)(activated(x))
            new = activated(new)
            new = keras.layers.Conv2D(growth, 3, padding="same", use_bias=False)(new)
            x = keras.layers.Concatenate()([x, new])
        x = activated(x)
    x = keras.layers.GlobalAveragePooling2D()(x)  # (batch, 1024)
    return keras.Model(inputs, keras.layers.Dense(classes)(x))


# %% [markdown]
# Ours gets Keras's weights, in order. Statistics, scales and shifts of all normalizations are drawn
# at random first, so that the logits depend on everything. Two photographs are compared.


# %% label="compare"
def draw_statistics(model, seed):
    """Draw scale, shift, mean and variance of each normalization."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            size = layer.gamma.shape
            positive = [rng.uniform(0.5, 1.5, size) for _ in range(2)]
            around_zero = [rng.normal(0, 0.2, size) for _ in range(2)]
            layer.set_weights([positive[0], *around_zero, positive[1]])


def compare(rebuilt, theirs, x):
    """Return the largest difference of the logits, and what it is to be compared with."""
    draw_statistics(theirs, seed=0)
    rebuilt.set_weights(theirs.get_weights())
    mine, z = (np.asarray(model(x)) for model in (rebuilt, theirs))  # (2, 1000)
    draw_statistics(theirs, seed=1)
    other = np.asarray(theirs(x))
    scale = z.std()
    spread = {"images": np.abs(z[0] - z[1]).max(), "draws": np.abs(z - other).max()}
    return float(np.abs(mine - z).max() / scale), {k: float(v / scale) for k, v in spread.items()}


# %% label="densenet-equal" values="dense_gap dense_images dense_draws dense_parameters dense_multiply dense_depth dense_layers"
photographs = datasets.load_photographs()
crops = [photographs[name][100:324, 200:424] for name in ("china", "flower")]
x = tf.constant(np.stack(crops).astype("float32") / 127.5 - 1)  # (2, 224, 224, 3)

keras.utils.set_random_seed(0)
densenet = keras.applications.DenseNet121(weights=None, classifier_activation=None)
rebuilt = densenet121()
dense_parameters, dense_layers = densenet.count_params(), len(densenet.layers)
dense_multiply, dense_depth = cost.multiply_adds(densenet), cost.longest_path(densenet)
assert rebuilt.count_params() == dense_parameters
dense_gap, spread = compare(rebuilt, densenet, x)
dense_images, dense_draws = spread["images"], spread["draws"]
print(f"difference {dense_gap:g}; between images {dense_images:.3f}, draws {dense_draws:.2f}")
assert dense_gap < 1e-5, "Our DenseNet121 gives Keras's logits."
assert dense_images > 1000 * max(dense_gap, 1e-6), (
    "DenseNet121's logits of two photographs differ far more than the rebuild from Keras."
)
assert dense_draws > 0.1, "Another draw of statistics gives DenseNet121 other logits."

# %% [markdown]
# ## Channels
# The real model says how many channels each dense layer sees.

# %% label="channels-count" values="growth channels_first channels_last channels_least dense_count connections"
joined = [layer for layer in densenet.layers if isinstance(layer, keras.layers.Concatenate)]
seen = [layer.input[0].shape[-1] for layer in joined]
new = [layer.input[1].shape[-1] for layer in joined]
sides = [layer.output.shape[1] for layer in joined]
growth, dense_count = new[0], len(joined)
channels_first, channels_last, channels_least = seen[0], joined[-1].output.shape[-1], min(seen)
bottleneck = densenet.get_layer("conv2_block1_1_conv").filters
lengths = [sides.count(side) for side in sorted({*sides}, reverse=True)]
connections = sum(n * (n + 1) // 2 for n in lengths)
print(f"layers in each block: {lengths}, direct connections: {connections}")
assert all(added == growth == 32 for added in new), (
    "Each of DenseNet121's dense layers adds 32 channels."
)
assert channels_last == 1024, "DenseNet121 ends with 1,024 channels."
assert bottleneck == 4 * growth
for place in range(1, dense_count):
    if sides[place] == sides[place - 1]:
        assert seen[place] == seen[place - 1] + growth

# %% label="stack" alt="Six bars, one for each layer of the first dense block. Each is longer than the one before it by one segment of 32 channels; beside each stands how many channels go in." caption="The first dense block of DenseNet121, read from the model. Each row is what one layer sees: the block's input, and 32 channels from each layer before it. It squeezes them to 128 channels and adds 32 of its own (hatched)." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.2))
colors = [GREY, BLUE, ORANGE, GREEN, PURPLE, plot.COLORS["red"], BLUE]
for row in range(lengths[0]):
    parts = [seen[0], *new[:row]]
    left = 0
    for place, part in enumerate(parts):
        ax.barh(row, part, left=left, color=colors[place], edgecolor=plot.PAPER, height=0.7)
        label = f"{part}" if place == 0 else f"{place}"
        ax.text(left + part / 2, row, label, ha="center", va="center", color=plot.PAPER)
        left += part
    ax.barh(row, new[row], left=left, fill=False, edgecolor=plot.INK, hatch="////", height=0.7)
    text = f"{seen[row]} → {bottleneck} → {new[row]}"
    ax.text(left + new[row] + 6, row, text, va="center")
ax.set(yticks=range(lengths[0]), yticklabels=range(1, lengths[0] + 1), xlim=(0, 372))
ax.set(xlabel="channels", ylabel="layer", xticks=range(0, 257, 64))
ax.grid(False)
ax.invert_yaxis()

# %% label="channels" alt="A sawtooth: channels seen by each of 58 dense layers rise within a block by 32 a layer, and are halved three times." caption="Channels that each dense layer sees. Within a block they grow by 32 a layer; a transition (dotted) halves both the channels and the sides of the maps." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3))
places = np.arange(1, dense_count + 1)
start = 0
for length, marker, color in zip(lengths, "osD^", (BLUE, ORANGE, GREEN, PURPLE), strict=True):
    block = slice(start, start + length)
    ax.plot(places[block], seen[block], "-", marker=marker, color=color, markersize=4)
    if start:
        ax.axvline(start + 0.5, color=plot.INK, linestyle=":", linewidth=1)
    side = sides[start]
    left, right = start + 0.5 if start else -2, min(start + length + 0.5, 59)
    ax.text((left + right) / 2, 1075, f"{side}×{side}", ha="center", color=color, fontsize=9.5)
    start += length
ax.axhline(bottleneck, color=GREY, linestyle="--", linewidth=1)
box = {"facecolor": plot.PAPER, "linewidth": 0, "pad": 1}
ax.text(40.5, bottleneck - 30, f"squeezed to {bottleneck}", ha="right", va="top", bbox=box)
ax.set(xlabel="dense layer", ylabel="channels that it sees", ylim=(0, 1150), xlim=(-2, 59))
ax.yaxis.set_major_formatter("{x:,g}")

# %% [markdown]
# What do the bottleneck and the compression save? Weights can be counted without a model, if the
# count is checked against the model once.


# %% label="count" values="without_bottleneck without_compression without_both bottleneck_pays last_with last_without first_with first_without"
def weights(bottleneck=True, compression=0.5, k=32):
    """Count the weights of DenseNet121's convolutions, normalizations and classifier."""
    channels = 2 * k
    total = 7 * 7 * 3 * channels + 4 * channels
    for block, count in enumerate((6, 12, 24, 16)):
        if block > 0:
            total += channels * int(compression * channels)
            channels = int(compression * channels)
        for _ in range(count):
            wide = 4 * channels + 4 * k * channels + 4 * (4 * k) + 9 * 4 * k * k
            total += wide if bottleneck else 4 * channels + 9 * channels * k
            channels += k
        total += 4 * channels  # the normalization behind each block
    return total + channels * 1000 + 1000


assert weights() == dense_parameters
without_bottleneck = weights(bottleneck=False)
without_compression = weights(compression=1)
without_both = weights(bottleneck=False, compression=1)
C = np.array([seen[0], seen[41]])  # what the first layer sees, and the last one of the third block
k = growth
first_with, last_with = (int(n) for n in 4 * k * C + 36 * k**2)
first_without, last_without = (int(n) for n in 9 * k * C)
bottleneck_pays = 36 * k / 5  # where 4kC + 36k² = 9kC
print(f"{weights():,d}; without bottleneck {without_bottleneck:,d}", end="; ")
print(f"without compression {without_compression:,d}, without both {without_both:,d}")
assert without_bottleneck > 1.2 * dense_parameters, "The bottleneck saves parameters on the whole."
assert first_with > first_without, "The first layer's bottleneck costs more than it saves."
assert last_with < 0.7 * last_without, "Where many channels come in, the bottleneck saves a third."
assert without_compression > 1.5 * dense_parameters, (
    "Without compression, DenseNet121 would have more than half as many parameters again."
)

# %% [markdown]
# ## What few parameters cost
# DenseNet121 beside ResNet50: parameters, multiply-adds, the bytes of all tensors that the layers put
# out for one photograph, and the time for it. The two networks take turns.


# %% label="costs" values="parameter_ratio multiply_ratio byte_ratio time_ratio time_per_multiply dense_megabytes resnet_megabytes resnet_parameters resnet_multiply copied_share"
def megabytes(layers):
    """Return the bytes of what layers put out for one image, in millions."""
    return sum(4 * np.prod(layer.output.shape[1:]) for layer in layers) / 1e6


resnet = keras.applications.ResNet50(weights=None)
resnet_parameters, resnet_multiply = resnet.count_params(), cost.multiply_adds(resnet)
dense_megabytes, resnet_megabytes = (float(megabytes(m.layers)) for m in (densenet, resnet))
copied_share = float(megabytes(joined)) / dense_megabytes

one = x[:1]
calls = [tf.function(model) for model in (densenet, resnet)]
for call in calls:
    call(one)  # traces
times = np.zeros((5, 2))
for row in times:
    for place, call in enumerate(calls):
        began = time.perf_counter()
        call(one).numpy()
        row[place] = time.perf_counter() - began
parameter_ratio = dense_parameters / resnet_parameters
multiply_ratio = dense_multiply / resnet_multiply
byte_ratio = dense_megabytes / resnet_megabytes
time_ratio = float(np.divide(*times.min(axis=0)))  # the least: other programs only add time
time_per_multiply = time_ratio / multiply_ratio
print(
    f"of ResNet50's: parameters {parameter_ratio:.2f}, multiply-adds {multiply_ratio:.2f}", end=""
)
print(f", bytes {byte_ratio:.2f}, time {time_ratio:.2f}")
assert parameter_ratio < 0.35, "DenseNet121 has a third of ResNet50's parameters."
assert 0.7 < multiply_ratio < 0.77, "DenseNet121 needs three quarters of ResNet50's multiply-adds."
assert byte_ratio > 1.2, "DenseNet121's tensors take more bytes than ResNet50's."
assert time_ratio > 1.3 * parameter_ratio, (
    "DenseNet121 saves less of ResNet50's time than of its parameters."
)
del resnet, calls

# %% label="ratios" alt="Four bars relative to ResNet50: parameters 0.31, multiply-adds 0.73, time between, tensors 1.34." caption="DenseNet121 in shares of ResNet50 (line): it saves far more parameters than products or time, and its tensors take more bytes." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.2))
ratios = {
    "parameters": parameter_ratio,
    "multiply-adds": multiply_ratio,
    "time for an image": time_ratio,
    "bytes of tensors": byte_ratio,
}
ax.barh(list(ratios), list(ratios.values()), color=BLUE, height=0.6)
box = {"facecolor": plot.PAPER, "linewidth": 0, "pad": 1}  # hides the line behind a number
for row, ratio in enumerate(ratios.values()):
    ax.text(ratio + 0.02, row, f"{ratio:.2f}", va="center", bbox=box)
ax.axvline(1, color=plot.INK, linewidth=1, linestyle=":")
ax.set(xlabel="share of ResNet50", xlim=(0, 1.65))
ax.grid(False)
ax.invert_yaxis()

# %% [markdown]
# ## Gradients
# Sixteen layers of 3 × 3, fresh, in a chain or densely connected, with and without normalization. How
# large are the slopes of a layer's kernel, relative to the kernel?


# %% label="gradient"
def stack(connected, with_norm, count=16, width=24, growth=4):
    """Return a fresh classifier of many layers."""
    inputs = x = keras.Input((8, 8, width))
    for _ in range(count):
        new = keras.layers.BatchNormalization()(x) if with_norm else x
        new = keras.layers.ReLU()(new)
        filters = growth if connected else width
        new = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(new)
        x = keras.layers.Concatenate()([x, new]) if connected else new
    x = keras.layers.BatchNormalization()(x) if with_norm else x
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(x))
    return keras.Model(inputs, keras.layers.Dense(10)(x))


def slopes(model):
    """Return the size of each kernel's slopes, relative to the kernel."""
    inputs = keras.random.normal((32, 8, 8, 24))
    targets = keras.random.randint((32,), 0, 10)
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    kernels = [v.value for v in model.trainable_variables if v.name == "kernel"][:-1]
    with tf.GradientTape() as tape:
        loss = cross_entropy(targets, model(inputs, training=True))
    gradients = tape.gradient(loss, kernels)
    return [float(tf.norm(g) / tf.norm(k)) for g, k in zip(gradients, kernels, strict=True)]


# %% label="gradient-sizes" values="networks chain_bare dense_bare bare_times chain_slope dense_slope"
networks = 3
sizes = {}
for connected in (False, True):
    for with_norm in (False, True):
        found_sizes = []
        for seed in range(networks):
            keras.utils.set_random_seed(seed)
            found_sizes.append(slopes(stack(connected, with_norm)))
        sizes[connected, with_norm] = np.median(found_sizes, axis=0)  # (layers,)
chain_bare, dense_bare = (float(sizes[c, False][0]) for c in (False, True))
bare_times = dense_bare / chain_bare
chain_slope, dense_slope = (float(sizes[c, True][0] / sizes[c, True][-1]) for c in (False, True))
print(f"first layer, without normalization: {dense_bare:.3f} dense, {chain_bare:.5f} in a chain")
print(f"first to last, with normalization: {dense_slope:.1f} dense, {chain_slope:.1f} in a chain")
assert bare_times > 50, "Without normalization, dense connections bring large slopes to layer one."
assert chain_slope > 4, (
    "With normalization, slopes grow from the last layer of a chain to the first."
)
assert 0.5 < dense_slope < 3, "In a dense stack, slopes are about even from first to last layer."

# %% label="gradients" alt="Relative slopes of 16 layers on a logarithmic axis. Chains: far below the rest without normalization, falling from layer 1 to 16 with it. Dense stacks: nearly flat with normalization, within a factor of five without it." caption="Relative size of the slopes in fresh stacks of 16 layers (medians of three networks). Without normalization, only those of the chain are tiny; with it, only those of the dense stack are even." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.3))
names = {
    (True, False): ("dense, bare", BLUE, "o", "-"),
    (True, True): ("dense, normalized", BLUE, "s", "--"),
    (False, False): ("chain, bare", ORANGE, "^", "-"),
    (False, True): ("chain, normalized", ORANGE, "D", "--"),
}
for key, (name, color, marker, style) in names.items():
    ax.plot(range(1, 17), sizes[key], style, marker=marker, color=color, label=name, markersize=5)
ax.set(yscale="log", xlabel="layer", ylabel="slope / weight", xticks=[1, 4, 8, 12, 16])
ax.set_yticks([0.0001, 0.001, 0.01, 0.1, 1])
ax.yaxis.set_major_formatter("{x:,g}")
ax.yaxis.set_minor_formatter("")
fig.legend(loc="outside upper left", ncols=2)

# %% [markdown]
# ## NASNetMobile, rebuilt
# The cells are those above. Two reduction cells follow the stem; then four normal cells three times,
# with a reduction cell between.


# %% label="nasnet-mobile"
def nasnet_mobile(filters=44, repeats=4, classes=1000):
    """Return NASNet-A (4 @ 1056) of Zoph and others (2018), with logits as its output."""
    inputs = keras.Input((224, 224, 3))
    x = keras.layers.Conv2D(32, 3, strides=2, use_bias=False)(inputs)
    x, p = normalized_slowly(x), None
    x, p = reduction_cell(x, p, filters // 4), x
    x, p = reduction_cell(x, p, filters // 2), x
    for stage in range(3):
        if stage > 0:
            filters *= 2
            x, p = reduction_cell(x, p, filters), x
        for _ in range(repeats):
            x, p = normal_cell(x, p, filters), x
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(x))  # (batch, 1056)
    return keras.Model(inputs, keras.layers.Dense(classes)(x))


# %% label="nasnet-equal" values="nas_gap nas_images nas_draws nas_parameters nas_multiply nas_layers nas_depth our_layers nas_separable"
del rebuilt
keras.utils.set_random_seed(0)
nasnet = keras.applications.NASNetMobile(weights=None, classifier_activation=None)
rebuilt = nasnet_mobile()
nas_parameters, nas_layers = nasnet.count_params(), len(nasnet.layers)
nas_multiply, nas_depth = cost.multiply_adds(nasnet), cost.longest_path(nasnet)
our_layers = len(rebuilt.layers)
nas_separable = sum(isinstance(layer, keras.layers.SeparableConv2D) for layer in nasnet.layers)
assert rebuilt.count_params() == nas_parameters
nas_gap, spread = compare(rebuilt, nasnet, x)
nas_images, nas_draws = spread["images"], spread["draws"]
print(f"difference {nas_gap:g}; between images {nas_images:.3f}, draws {nas_draws:.2f}")
assert nas_gap < 1e-5, "Our NASNetMobile gives Keras's logits."
assert nas_images > 0.01, "NASNetMobile's logits of two photographs differ."
assert nas_draws > 0.1, "Another draw of statistics gives NASNetMobile other logits."
assert our_layers < nas_layers, "The padding that Keras adds by hand before convolutions is same."
assert 5.2e6 < nas_parameters < 5.4e6, "NASNetMobile has the 5.3 million parameters of its paper."
assert 5.6e8 < nas_multiply < 5.7e8, "NASNetMobile has the 564 million multiply-adds of its paper."


# %% [markdown]
# The cells can be read out of Keras's model: each sum has two branches, and each branch is followed
# back to the tensor from which it starts.


# %% label="read" values="normal_blocks reduction_blocks unused_normal unused_reduction"
def maker(tensor):
    """Return the layer that puts out a tensor."""
    return tensor._keras_history.operation


def branch(tensor, sums):
    """Follow a branch of a sum back; return its operation and where it starts."""
    operation, layer = "identity", maker(tensor)
    while not isinstance(layer, keras.layers.Add):
        if layer.name.startswith(("normal_bn_1", "reduction_bn_1")):
            return operation, "h"
        if layer.name.startswith("adjust_bn") or isinstance(layer.input, list):
            return operation, "p"
        kind = type(layer).__name__
        if kind == "SeparableConv2D":
            operation = f"sep {layer.kernel_size[0]}×{layer.kernel_size[1]}"
        if kind.endswith("Pooling2D"):
            operation = (
                f"{'max' if kind[0] == 'M' else 'mean'} {layer.pool_size[0]}×{layer.pool_size[1]}"
            )
        layer = maker(layer.input)
    return operation, str(sums.index(layer) + 1)


def read_cell(names):
    """Return two branches for each of the sums with these names."""
    sums = [nasnet.get_layer(name) for name in names]
    return [[branch(tensor, sums) for tensor in layer.input] for layer in sums]


end = maker(nasnet.get_layer("reduction_concat_reduce_4").output)
ends = [maker(tensor).name for tensor in end.input]  # of blocks 2 to 5
normal_blocks = read_cell([f"normal_add_{b}_1" for b in range(1, 6)])
reduction_blocks = read_cell(["reduction_add_1_reduce_4", *ends])
unused_normal = len(nasnet.get_layer("normal_concat_1").input)
unused_reduction = len(ends)
print(f"normal: {normal_blocks}\nreduction: {reduction_blocks}")
assert unused_normal == 6, "A normal cell concatenates five sums and the older input."
assert unused_reduction == 4, "A reduction cell concatenates four of its five sums."
# The fourth block adds one average to itself: the search chose it twice.
assert normal_blocks[3][0] == normal_blocks[3][1]

# %% label="cells" alt="Two rows of five blocks. Each block shows two operations with their inputs and a plus sign; arrows lead to a bar that says concatenate." caption="The cells of NASNet, read from Keras's model: *h* is the last cell's output, *p* that of the one before it, a number that of another block; “sep” is a separable convolution, done twice." tags=["remove-input"]
fig, axes = plt.subplots(2, 1, figsize=(5, 5.6))
for ax, title, cell in zip(
    axes, ("normal cell", "reduction cell"), (normal_blocks, reduction_blocks), strict=True
):
    used = {source for pair in cell for _, source in pair}
    for place, pair in enumerate(cell):
        middle_x = 2 * place + 1
        for side_x, (operation, source) in zip((-0.47, 0.47), pair, strict=True):
            color = {"h": BLUE, "p": ORANGE}.get(source, GREEN)
            box = {"boxstyle": "round,pad=0.15", "facecolor": "none", "edgecolor": color}
            text = operation.replace("identity", "as\nis").replace(" ", "\n") + f"\nof {source}"
            ax.text(middle_x + side_x, 3, text, ha="center", va="center", fontsize=9.5, bbox=box)
            arrow = {"arrowstyle": "->", "color": plot.INK, "shrinkA": 0, "shrinkB": 8}
            ax.annotate("", (middle_x, 1.45), (middle_x + side_x, 2.15), arrowprops=arrow)
        ax.text(middle_x, 1.45, "+", ha="center", va="center", fontsize=14)
        ax.text(middle_x, 4.25, f"{place + 1}", ha="center", va="center", weight="bold")
        if str(place + 1) not in used or (title == "reduction cell" and place > 0):
            arrow = {"arrowstyle": "->", "color": plot.INK, "shrinkA": 6, "shrinkB": 0}
            ax.annotate("", (middle_x, 0.6), (middle_x, 1.35), arrowprops=arrow)
    label = "concatenate" + (", with p" if title == "normal cell" else " 2 to 5")
    ax.add_patch(plt.Rectangle((0.1, 0), 9.8, 0.6, fill=False, edgecolor=plot.INK))
    ax.text(5, 0.3, label, ha="center", va="center")
    ax.set(title=title, xlim=(0, 10), ylim=(-0.2, 4.6))
    ax.set_axis_off()

# %% [markdown]
# ## Solutions to the exercises

# %% [markdown]
# **1.** The sum of channels that a block's layers see, by the formula and from the model.

# %% label="exercise-1" tags=["solution"] values="block_sum"
n, c = lengths[2], seen[lengths[0] + lengths[1]]
block_sum = n * c + growth * n * (n - 1) // 2
third = slice(lengths[0] + lengths[1], lengths[0] + lengths[1] + n)
print(f"formula {block_sum:,d}, model {sum(seen[third]):,d}; twice as many layers:", end=" ")
print(f"{2 * n * c + growth * 2 * n * (2 * n - 1) // 2:,d}")
assert block_sum == sum(seen[third])

# %% [markdown]
# **2.** Padding by hand, and "same".

# %% label="exercise-2" tags=["solution"]
image = np.random.default_rng(0).normal(size=(1, 8, 8, 1)).astype("float32") - 1
for kind in ("conv", "max", "mean"):
    answers = []
    for padding in ("same", "valid"):
        if kind == "conv":
            layer = keras.layers.Conv2D(1, 3, strides=2, padding=padding, kernel_initializer="ones")
        else:
            pooling = {"max": keras.layers.MaxPooling2D, "mean": keras.layers.AveragePooling2D}
            layer = pooling[kind](3, strides=2, padding=padding)
        by_hand = keras.layers.ZeroPadding2D(((0, 1), (0, 1)))(image)
        answers.append(np.asarray(layer(image if padding == "same" else by_hand)))
    gap = np.abs(answers[0] - answers[1]).max()
    print(f"{kind}: differs by {gap:.2f}")
    assert (gap < 1e-5) == (kind == "conv")

# %% [markdown]
# **3.** How many cells has NASNet's space, and how many has ours?

# %% label="exercise-3" tags=["solution"] values="nasnet_space"
our_space = int(np.prod([(b * 6) ** 2 for b in (1, 2, 3)]))  # three blocks, six operations
nasnet_space = 1
for b in range(5):
    nasnet_space *= (2 + b) ** 2 * 13**2 * 2  # sources, operations, ways to combine
print(f"{nasnet_space:.1e} normal cells, and as many reduction cells; ours: {our_space:,d}")

# %% [markdown]
# **4.** The lead of the best of $n$ equals: only chance, and yet it grows.

# %% label="exercise-4" tags=["solution"] values="lead_twelve lead_many"
rng = np.random.default_rng(0)
leads = {n: float(rng.normal(size=(2000, n)).max(axis=1).mean()) for n in (2, 12, 100, 1000)}
lead_twelve, lead_many = leads[12], leads[1000]
for n, lead in leads.items():
    print(f"best of {n}: {lead:.2f} standard deviations above the mean")
assert leads[1000] > leads[12] > leads[2] > 0

# %%
plt.show()
