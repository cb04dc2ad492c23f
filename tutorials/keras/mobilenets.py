# ---
# labkit: {memory: 2 GB}
# ---
# %% [markdown]
# # MobileNet and MobileNetV2
# A phone has little memory and a small battery. This script counts what separating a convolution
# saves, measures what ReLU destroys in a narrow layer, rebuilds both networks, and asks what their
# savings are worth in bytes and in seconds. The chapter [MobileNets](../../keras/mobilenets.md)
# explains each step.
#
# The first half runs on NumPy and `labkit`, the book's library. The second half builds the same
# blocks in Keras, and the whole networks.

# %%
import time
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import stats

import labkit as keras
from labkit import datasets, plot, trials
from labkit.cost import longest_path, multiply_adds
from labkit.testing import assert_matches_keras

plot.set_theme()
BLUE, ORANGE, GREEN, PURPLE, GREY = (
    plot.COLORS[name] for name in ("blue", "orange", "green", "purple", "grey")
)

# %% [markdown]
# ## One window for each channel
# A full convolution looks at places and mixes channels at once. A depthwise separable one does the
# first, then the second. Count both on real layers.


# %% label="count"
def products(*layers, side=14, channels=32):
    """Return the multiply-adds of layers, one after the other, on an image with these channels."""
    return multiply_adds(keras.Sequential([keras.Input((side, side, channels)), *layers]))


def ratio(window, filters):
    """Return the products of a separable convolution, divided by those of a full one."""
    options = {"padding": "same", "use_bias": False}
    full = keras.layers.Conv2D(filters, window, **options)
    depthwise = keras.layers.DepthwiseConv2D(window, **options)
    pointwise = keras.layers.Conv2D(filters, 1, **options)
    return products(depthwise, pointwise) / products(full)


# %% values="ratio_gap ratio_64 saving_64"
windows, filter_counts = (3, 5), (8, 16, 32, 64, 128, 256)
ratios = {m: [ratio(m, f) for f in filter_counts] for m in windows}
formula = {m: [1 / f + 1 / m**2 for f in filter_counts] for m in windows}
ratio_gap = max(np.abs(np.subtract(ratios[m], formula[m])).max() for m in windows)
ratio_64 = ratios[3][filter_counts.index(64)]
saving_64 = 1 / ratio_64
print(f"3 × 3, 64 filters: {ratio_64:.4f} of the products, {saving_64:.1f} times fewer")
assert ratio_gap < 1e-12, (
    "On real layers, separating a convolution costs 1/F + 1/m² of its products."
)
assert 7.5 < saving_64 < 8, (
    "With windows of 3 × 3 and 64 filters, separating saves nearly seven eighths of the products."
)

# %% label="saving" alt="Share of the products that a separable convolution needs against the number of filters, for windows of 3 and 5. Measured points lie on the curves of the formula and level off at 1/9 and 1/25." caption="What is left of a convolution's products after separating it: points are counted on real layers, curves are the formula. With many filters, only the window matters." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3))
fine = np.geomspace(8, 256, 100)
for m, color, style, marker in zip(windows, (BLUE, ORANGE), ("-", "--"), "os", strict=True):
    ax.plot(fine, 1 / fine + 1 / m**2, style, color=color)
    ax.plot(filter_counts, ratios[m], marker, color=color)
    ax.text(290, 1 / 256 + 1 / m**2, f"{m} × {m}", color=color, va="center")
ax.set_xscale("log")
ax.set(xlabel="filters F", ylabel="share of the products", ylim=(0, 0.25), xlim=(7, 430))
ax.set_xticks(filter_counts, [str(f) for f in filter_counts])
ax.xaxis.set_minor_locator(plt.NullLocator())

# %% [markdown]
# What is given up? Nothing stands between the two steps in this cell, so together they are one full
# convolution, whose kernel is a product. For each input channel, all its windows are one window times
# a number.

# %% label="compose" values="compose_gap full_free separable_free"
rng = np.random.default_rng(0)
channels, filters = 4, 6
D = rng.normal(size=(3, 3, channels, 1)).astype("float32")
P = rng.normal(size=(1, 1, channels, filters)).astype("float32")
K = D * P  # (3, 3, channels, filters)

image = rng.normal(size=(1, 10, 10, channels)).astype("float32")
pair = keras.Sequential(
    [
        keras.Input((10, 10, channels)),
        keras.layers.DepthwiseConv2D(3, use_bias=False),
        keras.layers.Conv2D(filters, 1, use_bias=False),
    ]
)
single = keras.Sequential(
    [keras.Input((10, 10, channels)), keras.layers.Conv2D(filters, 3, use_bias=False)]
)
pair.set_weights([D, P])
single.set_weights([K])
compose_gap = float(np.abs(np.asarray(pair(image)) - np.asarray(single(image))).max())
full_free, separable_free = K.size, D.size + P.size
print(f"{full_free} free weights, or {separable_free}; outputs differ by {compose_gap:.0e}")
assert compose_gap < 1e-4, "A separable convolution is a full one whose kernel is a product."

# %% label="kernels" alt="Grids of weights. A full kernel: 4 rows and 6 columns of windows, all different. A separable one: 4 windows and a table of 4 by 6 numbers. Their product: in each row one window repeats, only stronger, weaker or with its sign changed." caption="Weights for four channels (rows) and six filters (columns); red is negative, blue positive; titles count the weights. A full convolution has a window for each pair. A separable one has a window for each channel and a number for each pair. Multiplied out, each row shows one window six times." tags=["remove-input"]


fig, ax = plt.subplots(figsize=(5, 3.9))
other = rng.normal(size=K.shape)
sheet = np.full((35, 51), np.nan)  # one image, so that all weights are squares of one size
for title, kernel, top, left in (
    ("full", other, 0, 0),
    ("separable, multiplied out", K, 0, 28),
    ("depthwise", D, 20, 0),
    ("pointwise", P, 20, 13),
):
    m, _, rows, columns = kernel.shape
    for c, f in np.ndindex(rows, columns):
        y, x = top + 4 * c + (3 - m) // 2, left + 4 * f  # windows of 3, gaps of 1
        sheet[y : y + m, x : x + m] = kernel[:, :, c, f]
    count = D.size + P.size if kernel is K else kernel.size
    ax.text(left - 0.5, top - 1.2, f"{title}: {count}", fontsize=10.5)
ax.imshow(sheet, cmap="RdBu", vmin=-2.5, vmax=2.5, interpolation="none")
ax.set_ylim(top=-3.5)
ax.set_axis_off()

# %% [markdown]
# ## The two blocks
# The same functions build blocks in labkit and, after `import keras`, in Keras.


# %% label="blocks"
def normalized(x, relu=True, cap=6.0):
    """Add batch normalization and, unless told otherwise, a ReLU that stops at the cap."""
    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    return keras.layers.ReLU(max_value=cap)(x) if relu else x


def depthwise(x, stride=1, cap=6.0):
    """Slide one window over each channel."""
    if stride == 2:  # zeros on one side only, so that the windows fit evenly
        x = keras.layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    padding = "same" if stride == 1 else "valid"
    x = keras.layers.DepthwiseConv2D(3, strides=stride, padding=padding, use_bias=False)(x)
    return normalized(x, cap=cap)


def separable(x, filters, stride=1, cap=6.0):
    """MobileNet's block: places first, then channels."""
    x = depthwise(x, stride, cap)
    return normalized(keras.layers.Conv2D(filters, 1, use_bias=False)(x), cap=cap)


# %% [markdown]
# The block of MobileNetV2 needs the same parts, and one of them without a ReLU.


# %% label="inverted"
def inverted(x, filters, stride=1, cap=6.0, expansion=6):
    """MobileNetV2's block: widen, slide, narrow without a ReLU, and add the input."""
    channels = x.shape[-1]
    h = x
    if expansion > 1:
        h = normalized(keras.layers.Conv2D(expansion * channels, 1, use_bias=False)(h), cap=cap)
    h = depthwise(h, stride, cap)
    h = normalized(keras.layers.Conv2D(filters, 1, use_bias=False)(h), relu=False)
    return keras.layers.Add()([x, h]) if stride == 1 and channels == filters else h


# %%
def alone(block, filters, **options):
    """Return a model of a single block."""
    image = keras.Input((6, 6, 4))
    return keras.Model(image, block(image, filters, **options))


kinds = {
    "separable": (separable, 8, {}),
    "separable, stride 2": (separable, 8, {"stride": 2}),
    "inverted": (inverted, 4, {}),
    "inverted, stride 2": (inverted, 6, {"stride": 2}),
}
keras.utils.set_random_seed(0)
blocks = {name: alone(block, f, **options) for name, (block, f, options) in kinds.items()}

# %% [markdown]
# ## What ReLU destroys
# Points of $d$ numbers are multiplied by a random matrix to $k$ numbers, and ReLU follows. A point can
# be found again exactly if at least $d$ of its $k$ numbers are positive: they are $d$ equations for $d$
# unknowns. Each is positive with probability one half.


# %% label="found"
def found_again(x, T):
    """Return points as recovered from ReLU(x T), and which of them are determined."""
    h = np.maximum(x @ T, 0)  # (points, k)
    back = np.zeros_like(x)
    known = np.zeros(len(x), bool)
    for i, row in enumerate(h):
        left = row > 0
        back[i] = np.linalg.pinv(T[:, left].T) @ row[left]  # the shortest solution
        known[i] = np.linalg.matrix_rank(T[:, left]) == x.shape[1] if left.any() else False
    return back, known


# %% values="kept_error linear_error_15"
turn = np.linspace(0.5, 1, 300) * 4 * np.pi
spiral = np.stack([turn * np.cos(turn), turn * np.sin(turn)], axis=1) / turn.max()  # (points, 2)
widths = (2, 3, 5, 15)
spirals, linear_errors = {}, {}
kept_distances = []
for k in widths:
    rng = np.random.default_rng(k)
    T = rng.normal(size=(2, k))
    back, known = spirals[k] = found_again(spiral, T)
    distance = np.linalg.norm(back - spiral, axis=1)
    kept_distances += list(distance[known])
    linear = np.maximum(spiral @ T, 0) @ np.linalg.pinv(T)
    linear_errors[k] = float(np.median(np.linalg.norm(linear - spiral, axis=1)))
kept_error = float(max(kept_distances))
spiral_lost_2, spiral_lost_15 = (float(np.mean(~spirals[k][1])) for k in (2, 15))
linear_error_15 = linear_errors[15]
print({k: f"{np.mean(~known):.0%} lost" for k, (_, known) in spirals.items()})
assert kept_error < 1e-9, "Points with enough positive numbers are recovered exactly."
assert spiral_lost_2 > 0.5
assert spiral_lost_15 < 0.05
assert linear_error_15 > 0.1

# %% label="spirals" alt="Four panels with a gray spiral and what is recovered after 2, 3, 5 and 15 channels with ReLU. With 2 channels most points fall onto lines or the center; with 15 all lie on the spiral." caption="A spiral (gray) is sent through a random matrix to k channels and ReLU, and recovered as well as possible. Blue points are exact. Orange crosses have too few positive channels and collapse onto lines, or into the center." tags=["remove-input"]
fig, axes = plt.subplots(2, 2, figsize=(5, 5))
for ax, k in zip(axes.flat, widths, strict=True):
    back, known = spirals[k]
    ax.plot(*spiral.T, color=GREY, linewidth=1, linestyle="-")
    ax.plot(*back[known].T, "o", color=BLUE, markersize=3)
    ax.plot(*back[~known].T, "x", color=ORANGE, markersize=5)
    ax.set_title(f"k = {k}: {np.mean(~known):.0%} lost")
    ax.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), xticks=[], yticks=[], aspect="equal")

# %% [markdown]
# How many channels are enough? Count over many points and matrices, for three dimensions.

# %% label="lost" values="lost_gap lost_same lost_double lost_triple lost_six dimension quiz_lost"
dimensions, factors = (2, 8, 24), (1, 1.5, 2, 2.5, 3, 4, 5, 6)
lost, expected = {}, {}
rng = np.random.default_rng(0)
for d in dimensions:
    lost[d], expected[d] = [], []
    for factor in factors:
        k = round(factor * d)
        x, T = rng.normal(size=(200, 50, d)), rng.normal(size=(200, d, k))  # 200 matrices
        lost[d].append(float(np.mean((x @ T > 0).sum(axis=-1) < d)))
        expected[d].append(float(stats.binom.cdf(d - 1, k, 0.5)))
lost_gap = max(np.abs(np.subtract(lost[d], expected[d])).max() for d in dimensions)
dimension = dimensions[-1]
quiz_lost = float(stats.binom.cdf(3 - 1, 3, 0.5))
lost_same, lost_double, lost_triple, lost_six = (
    lost[dimension][factors.index(factor)] for factor in (1, 2, 3, 6)
)
print(f"d = 24: {lost_same:.1%}, {lost_double:.1%}, {lost_triple:.1%}, {lost_six:.1%} lost")
assert lost_gap < 0.04, "The share of points that ReLU loses follows the binomial distribution."
assert lost_same > 0.99
assert lost_triple < 0.02
assert lost_six == 0, "With six times as many channels as dimensions, no point was lost."

# %% label="share" alt="Share of points lost against channels per dimension, for 2, 8 and 24 dimensions. All fall from near one to zero; the more dimensions, the steeper, around two channels per dimension." caption="The share of points that cannot be recovered: points are measured, curves follow the binomial distribution. The more dimensions, the sharper the step at two channels for each. MobileNetV2 takes six." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.2))
for d, color, style, marker in zip(
    dimensions, (GREEN, ORANGE, BLUE), ("-.", "--", "-"), "^so", strict=True
):
    ax.plot(factors, np.multiply(expected[d], 100), style, color=color)
    ax.plot(factors, np.multiply(lost[d], 100), marker, color=color, label=f"{d} dimensions")
ax.axvline(6, color=plot.INK, linestyle=":", linewidth=1)
ax.set(xlabel="channels for each dimension, k / d", ylabel="points lost, %")
ax.legend()

# %% [markdown]
# ## Few bits
# A small MobileNet, with and without the cap, learns to read digits.

# %% label="small"
digits = datasets.load_digits()
order = np.random.default_rng(0).permutation(len(digits.target))
images = digits.images[order, ..., np.newaxis].astype("float32") / 16  # (1797, 8, 8, 1)
labels = digits.target[order]
x_train, x_test, y_train, y_test = images[:1437], images[1437:], labels[:1437], labels[1437:]


def small_mobilenet(cap):
    """Return a network with two separable blocks, whose ReLUs stop at the cap."""
    image = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False)(image)
    x = normalized(x, cap=cap)  # (batch, 4, 4, 16)
    for _ in range(2):
        x = separable(x, 51, cap=cap)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, keras.layers.Dense(10, activation="softmax")(x))


small = trials.compare(
    {"capped": partial(small_mobilenet, 6.0), "free": partial(small_mobilenet, None)},
    (x_train, y_train),
    (x_test, y_test),
)

# %% [markdown]
# Round what each ReLU puts out to a few bits. The largest output on training images sets the step.
# What would a large output do? Multiply a channel behind each ReLU by 8 and divide the weights that
# read it by 8: without a cap, the network computes the same as before.


# %% label="rounding"
def accuracy(probabilities):
    """Return the share of test images that are read correctly."""
    return float(np.mean(np.asarray(probabilities).argmax(axis=1) == y_test))


def outputs(model, x, steps=None, bits=8):
    """Return a chain's probabilities and the largest output of each ReLU, perhaps rounded to steps."""
    tops = []
    for layer in model.layers[1:]:
        x = np.asarray(layer(x))
        if isinstance(layer, keras.layers.ReLU):
            if steps is not None:
                step = steps[len(tops)]
                x = step * np.clip(np.round(x / step), 0, 2**bits - 1)
            tops.append(x.max())
    return x, np.array(tops)


def stretched(model, factor=8):
    """Return a network that computes the same, with one channel of each ReLU so many times larger."""
    copy = small_mobilenet(cap=None)
    copy.set_weights(model.get_weights())
    layers = [layer for layer in copy.layers if layer.weights]
    for norm, reader in zip(layers[1::2], layers[2::2], strict=True):
        gamma, beta, *moving = map(np.array, norm.get_weights())
        kernel, *bias = map(np.array, reader.get_weights())
        gamma[0] *= factor
        beta[0] *= factor
        kernel[..., 0, :] /= factor
        norm.set_weights([gamma, beta, *moving])
        reader.set_weights([kernel, *bias])
    return copy


# %% values="largest_free largest_capped stretched_gap four_capped four_free four_stretched three_capped three_free three_stretched eight_worst four_damage"
bit_counts = (8, 5, 4, 3)
ways = {
    "ReLU6": small["capped"].models,
    "ReLU": small["free"].models,
    "ReLU, one channel × 8": [stretched(model) for model in small["free"].models],
}
few, largest = {}, {}
for way, models in ways.items():
    tops = [outputs(model, x_train[:512])[1] for model in models]  # calibrates the ranges
    largest[way] = float(np.max(tops))
    few[way] = {
        bits: [
            accuracy(outputs(model, x_test, top / (2**bits - 1), bits)[0])
            for model, top in zip(models, tops, strict=True)
        ]
        for bits in bit_counts
    }
largest_capped, largest_free, _ = largest.values()
four_capped, four_free, four_stretched = (float(np.mean(found[4])) for found in few.values())
three_capped, three_free, three_stretched = (float(np.mean(found[3])) for found in few.values())
stretched_gap = max(
    float(np.abs(np.asarray(after(x_test)) - np.asarray(before(x_test))).max())
    for before, after in zip(ways["ReLU"], ways["ReLU, one channel × 8"], strict=True)
)
eight_worst = min(
    np.subtract(few[way][8], small[name].accuracies).min()
    for way, name in zip(ways, ("capped", "free", "free"), strict=True)
)
four_damage = 100 * float(np.subtract(few["ReLU"][4], few["ReLU, one channel × 8"][4]).min())
for way, found in few.items():
    print(way, {bits: f"{np.mean(values):.1%}" for bits, values in found.items()})
assert largest_capped <= 6
assert largest_free < 20
assert max(abs(four_capped - four_free), abs(three_capped - three_free)) < 0.06, (
    "In the small network, a cap makes no clear difference with 4 bits or with 3."
)
assert stretched_gap < 1e-4, (
    "Without a cap, stretching a channel leaves the network's answers alone."
)
assert eight_worst > -0.03, "With 8 bits for each output, no network loses three points."
assert four_damage > 10, "One large channel behind each ReLU costs over ten points with 4 bits."

# %% label="bits" alt="Accuracy against bits for three cases, with bands over three seeds. The curves with and without a cap lie on each other and fall little down to 3 bits. With one large channel, accuracy falls steeply below 8 bits." caption="Test accuracy with the outputs of all ReLUs rounded (means of three seeds; bands from the lowest to the highest). A cap hardly matters here. One channel that is 8 times larger does, though unrounded it changes no answer." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.2))
for (way, found), color, style, marker in zip(
    few.items(), (BLUE, ORANGE, GREEN), ("-", "--", "-."), "os^", strict=True
):
    values = 100 * np.array([found[b] for b in bit_counts])  # (bits, seeds)
    ax.fill_between(
        bit_counts, values.min(axis=1), values.max(axis=1), color=color, alpha=0.2, lw=0
    )
    ax.plot(bit_counts, values.mean(axis=1), style, color=color, marker=marker, label=way)
ax.set(xlabel="bits for each output", ylabel="right answers, %", xticks=bit_counts, ylim=(0, 100))
ax.invert_xaxis()
ax.legend(loc="lower left")

# %% [markdown]
# ## The same in Keras
# From here on, `keras` is Keras itself. The block functions stay as they are.

# %% label="agree" values="block_gap"
import keras

x = np.random.default_rng(1).normal(size=(3, 6, 6, 4))
block_gap = 0.0
for name, (block, f, options) in kinds.items():
    theirs = alone(block, f, **options)
    for training in (False, True):
        block_gap = max(
            block_gap,
            assert_matches_keras(blocks[name], theirs, x, training=training, rtol=1e-3),
        )
print(f"labkit's blocks and Keras's, outputs and gradients: {block_gap:.0e}")
assert block_gap < 1e-3, "Both blocks agree in labkit and Keras, forward and backward."


# %% [markdown]
# ## MobileNet, complete

# %% label="mobilenet"
MOBILENET = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)]  # filters, stride
MOBILENET += [(512, 1)] * 5 + [(1024, 2), (1024, 1)]


def full(x, filters, stride=1):
    """The convolution that a separable one replaces."""
    x = keras.layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
    return normalized(x)


def mobilenet(block=separable, side=224):
    image = keras.Input((side, side, 3))
    x = keras.layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False)(image)
    x = normalized(x)  # (112, 112, 32)
    for filters, stride in MOBILENET:
        x = block(x, filters, stride)
    x = keras.layers.GlobalAveragePooling2D(keepdims=True)(x)  # (1, 1, 1024)
    x = keras.layers.Dropout(0.001)(x)
    x = keras.layers.Conv2D(1000, 1)(x)
    return keras.Model(image, keras.layers.Reshape((1000,))(x))


# %% [markdown]
# Copy the weights in their order, and compare logits. Fresh networks would prove little, so the
# normalizations first get random means, variances, scales and shifts.


# %% label="proof"
def draw(model, seed):
    """Draw depthwise windows and batch normalizations at random, so that signals do not fade."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            layer.set_weights([rng.normal(0, 1 / 3, layer.kernel.shape)])
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            ranges = ((1, 2), (-0.5, 0.5), (-0.5, 0.5), (0.5, 1.5))
            layer.set_weights([rng.uniform(*limits, shape) for limits in ranges])


def compare(ours, theirs):
    """Return how far the logits of a rebuild are off, of another draw, and between images."""
    patches = np.random.default_rng(0).uniform(-1, 1, (2, 7, 7, 3)).astype("float32")
    images = patches.repeat(32, axis=1).repeat(32, axis=2)  # (2, 224, 224, 3)
    draw(theirs, 1)
    ours.set_weights(theirs.get_weights())
    wanted, found = np.asarray(theirs(images)), np.asarray(ours(images))
    draw(ours, 2)
    other = np.asarray(ours(images))
    spread = wanted.std()
    return [
        float(np.abs(z).max() / spread)
        for z in (found - wanted, other - wanted, wanted[0] - wanted[1])
    ]


# %% values="v1_gap v1_other v1_parameters v1_pointwise v1_depthwise full_products_m full_parameters_m full_ratio v1_blocks v1_products_m v1_depth"
keras.utils.set_random_seed(0)
v1 = keras.applications.MobileNet(weights=None, classifier_activation=None)
ours = mobilenet()
v1_gap, v1_other, v1_images = compare(ours, v1)
v1_parameters, v1_products = v1.count_params(), multiply_adds(v1)
v1_products_m, v1_depth, v1_blocks = v1_products / 1e6, longest_path(v1), len(MOBILENET)
assert ours.count_params() == v1_parameters
assert multiply_adds(ours) == v1_products
print(f"MobileNet: logits differ by {v1_gap:g} of their spread; another draw by {v1_other:.1f}")
assert v1_gap < 1e-5, "The rebuilt MobileNet gives the logits of Keras's."
assert v1_other > 0.1
assert v1_images > 0.01


def share(start):
    """Return the share of MobileNet's products in convolutions whose names start so."""
    found = 0
    for layer in v1.layers:
        if layer.name.startswith(start) and hasattr(layer, "kernel"):
            places = layer.output.shape[1] * layer.output.shape[2]
            found += places * int(np.prod(layer.kernel.shape))
    return found / v1_products


v1_pointwise, v1_depthwise = share("conv_pw"), share("conv_dw")
assert v1_pointwise > 0.94, "Windows of 1 × 1 do over 94% of MobileNet's products."

thick = mobilenet(full)
full_products, full_parameters = multiply_adds(thick), thick.count_params()
full_ratio = full_products / v1_products
full_products_m, full_parameters_m = full_products / 1e6, full_parameters / 1e6
print(f"with full convolutions: {full_products:,d} products, {full_parameters:,d} parameters")
assert 8 < full_ratio < 9, (
    "With full convolutions, MobileNet needs more than eight times the products."
)

# %% [markdown]
# ## Two dials
# Keras's `alpha` multiplies all numbers of filters; the side of the image is the resolution.

# %% label="dials" caption="MobileNet with two dials, width (alpha) and side of the image: millions of parameters and of products, counted on Keras's models; the products that the paper prints; and its top-1 accuracy on ImageNet." values="quarter_products half_side_saved paper_gap three_quarters doubled_products"
paper = {  # width and side: millions of multiply-adds and top-1 accuracy, of its tables 6 and 7
    (1.0, 224): (569, 70.6),
    (0.75, 224): (325, 68.4),
    (0.5, 224): (149, 63.7),
    (0.25, 224): (41, 50.6),
    (1.0, 192): (418, 69.1),
    (1.0, 160): (290, 67.2),
    (1.0, 128): (186, 64.4),
}
counted = {}
for alpha, side in paper:
    model = keras.applications.MobileNet((side, side, 3), alpha, weights=None)
    counted[alpha, side] = model.count_params(), multiply_adds(model)
full_size = counted[1.0, 224][1]
quarter_products = counted[0.5, 224][1] / full_size
half_side_saved = 1 - counted[1.0, 128][1] / full_size
paper_gap = max(abs(n / 1e6 / paper[key][0] - 1) for key, (_, n) in counted.items())
three_quarters = counted[0.75, 224][1] / 1e6
deeper = keras.applications.MobileNet(depth_multiplier=2, weights=None)
doubled_products = multiply_adds(deeper) / full_size
print(f"counts of products are off by up to {paper_gap:.1%}")
assert paper_gap < 0.005, "Our counts of MobileNet's products are those of its paper, within 0.5%."
assert counted[1.0, 128][0] == v1_parameters  # whatever the side
assert doubled_products > 1.5, (
    "Keras's depth_multiplier is no resolution: at 2, products nearly double."
)

pd.DataFrame(
    {
        "width, side": [f"{alpha:g}, {side}" for alpha, side in paper],
        "param.": [f"{count / 1e6:.2f}" for count, _ in counted.values()],
        "prod.": [f"{n / 1e6:.0f}" for _, n in counted.values()],
        "paper": [f"{n}" for n, _ in paper.values()],
        "top-1": [f"{top:.1f}%" for _, top in paper.values()],
    }
).style.hide()

# %% [markdown]
# ## MobileNetV2, complete

# %% label="mobilenet-v2"
MOBILENET_V2 = [(24, 2, 2), (32, 3, 2), (64, 4, 2)]  # filters, times, first stride
MOBILENET_V2 += [(96, 3, 1), (160, 3, 2), (320, 1, 1)]


def mobilenet_v2(side=224):
    image = keras.Input((side, side, 3))
    x = keras.layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False)(image)
    x = normalized(x)  # (112, 112, 32)
    x = inverted(x, 16, expansion=1)
    for filters, count, stride in MOBILENET_V2:
        for place in range(count):
            x = inverted(x, filters, stride if place == 0 else 1)
    x = normalized(keras.layers.Conv2D(1280, 1, use_bias=False)(x))  # (7, 7, 1280)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, keras.layers.Dense(1000)(x))


# %% values="v2_gap v2_parameters v2_products_m v2_share v2_depth"
keras.utils.set_random_seed(0)
v2 = keras.applications.MobileNetV2(weights=None, classifier_activation=None)
ours = mobilenet_v2()
v2_gap, v2_other, v2_images = compare(ours, v2)
v2_parameters, v2_products = v2.count_params(), multiply_adds(v2)
v2_share = v2_products / v1_products
v2_products_m, v2_depth = v2_products / 1e6, longest_path(v2)
assert ours.count_params() == v2_parameters
assert multiply_adds(ours) == v2_products
print(f"MobileNetV2: logits differ by {v2_gap:g} of their spread; another draw by {v2_other:.1f}")
assert v2_gap < 1e-5, "The rebuilt MobileNetV2 gives the logits of Keras's."
assert v2_other > 0.1
assert v2_images > 0.01
assert 0.5 < v2_share < 0.56

# %% label="shapes" alt="Bars for the tensors of two blocks. MobileNet's block goes from 128 channels over 128 to 128. MobileNetV2's goes from 24 to 144, stays there, and back to 24, and a line carries the input past all of it." caption="Tensors of a block at 56 × 56 places; the wider the bar, the more channels. MobileNet stays wide, MobileNetV2 is wide only inside and adds (+) its narrow ends. Shapes are read from the networks." tags=["remove-input"]


def chain(model, first, last):
    """Return the channels of a block's tensors and the names of what lies between them."""
    names = [layer.name for layer in model.layers]
    part = model.layers[names.index(first) : names.index(last) + 1]
    sizes, steps = [part[0].input.shape[-1]], []
    for layer in part:
        if hasattr(layer, "kernel_size"):
            m, kind = layer.kernel_size[0], type(layer).__name__
            steps.append(f"{m} × {m}, depthwise" if kind == "DepthwiseConv2D" else f"{m} × {m}")
            sizes.append(layer.output.shape[-1])
        if type(layer).__name__ == "ReLU":
            steps[-1] += f", ReLU{layer.max_value:g}"
    return sizes, steps


pictures = {
    "MobileNet": chain(v1, "conv_dw_3", "conv_pw_3_relu"),
    "MobileNetV2": chain(v2, "block_2_expand", "block_2_project_BN"),
}
fig, axes = plt.subplots(2, 1, figsize=(5, 5.4), gridspec_kw={"height_ratios": [3, 4]})
for ax, (title, (sizes, steps)) in zip(axes, pictures.items(), strict=True):
    for place, size in enumerate(sizes):
        color = BLUE if size > 50 else ORANGE
        ax.barh(-place, size, height=0.36, left=-size / 2, color=color)
        ax.text(82, -place, f"{size} channels", va="center")
    for place, step in enumerate(steps):
        ax.annotate("", (0, -place - 0.78), (0, -place - 0.22), arrowprops={"arrowstyle": "->"})
        ax.text(6, -place - 0.5, step, va="center")
    if sizes[0] == sizes[-1] and title == "MobileNetV2":
        bottom = 1 - len(sizes)
        ax.plot([-14, -95, -95], [0, 0, bottom], color=ORANGE, linestyle="-", linewidth=1)
        ax.annotate(
            "", (-14, bottom), (-96, bottom), arrowprops={"arrowstyle": "->", "color": ORANGE}
        )
        ax.text(-55, bottom + 0.12, "+", color=ORANGE, ha="center", va="bottom", fontsize=14)
    ax.set_title(title, loc="left")
    ax.set(xlim=(-125, 150), ylim=(0.4 - len(sizes), 0.5))
    ax.set_axis_off()

# %% [markdown]
# ## Memory between the layers
# Which tensors must exist at the same time? Normalizations, ReLUs and additions work in place.


# %% label="live"
IN_PLACE = {
    "Activation",
    "Add",
    "BatchNormalization",
    "Dropout",
    "ReLU",
    "Reshape",
    "ZeroPadding2D",
}


def live_numbers(model, pieces=False):
    """Return how many numbers are held at each step; in pieces, inner tensors one channel at a time."""
    buffers, sizes, born, last, step = {}, [], [], [], 0
    for layer in model.layers:
        kind = type(layer).__name__
        sources = [] if kind == "InputLayer" else layer.input
        sources = sources if isinstance(sources, list) else [sources]
        used = [buffers[id(source)] for source in sources]
        if kind not in IN_PLACE:
            step += 1
            inner = pieces and layer.name.endswith(("_expand", "_depthwise"))
            shape = layer.output.shape[1:-1] if inner else layer.output.shape[1:]
            used.append(len(sizes))
            sizes.append(int(np.prod(shape)))
            born.append(step)
            last.append(step)
        for place in used:
            last[place] = step
        buffers[id(layer.output)] = used[-1]
    born, last, sizes = np.array(born), np.array(last), np.array(sizes)
    return np.array([sizes[(born <= t) & (t <= last)].sum() for t in range(2, step + 1)])


# %% values="peak_v1 peak_v2 peak_pieces between_v1 between_v2"
megabytes = {
    "MobileNet": 4 * live_numbers(v1) / 1e6,
    "MobileNetV2": 4 * live_numbers(v2) / 1e6,
    "MobileNetV2, in pieces": 4 * live_numbers(v2, pieces=True) / 1e6,
}
peak_v1, peak_v2, peak_pieces = (float(profile.max()) for profile in megabytes.values())
between_v1 = 4 * np.prod(v1.get_layer("conv_pw_1_relu").output.shape[1:]) / 1e6
between_v2 = 4 * np.prod(v2.get_layer("expanded_conv_project_BN").output.shape[1:]) / 1e6
print(f"peak: {peak_v1:.2f}, {peak_v2:.2f} and {peak_pieces:.2f} MB")
assert peak_v2 > 1.1 * peak_v1, "Layer by layer, MobileNetV2 needs more memory than MobileNet."
assert peak_pieces < 0.6 * peak_v1, "In pieces, MobileNetV2 needs about half of MobileNet's memory."
assert between_v1 / between_v2 == 4

# %% label="memory" alt="Megabytes held against the share of the network done, for three cases. MobileNetV2 layer by layer has the highest peak, near its start. In pieces its curve lies lowest." caption="Megabytes of tensors (32 bits, one image) that must exist at the same time, from input to output. Layer by layer, MobileNetV2 peaks above MobileNet. Its narrow ends help only if the wide inside is computed in pieces." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.4))
for (name, profile), color, style in zip(
    megabytes.items(), (GREY, ORANGE, BLUE), (":", "--", "-"), strict=True
):
    done = np.linspace(0, 100, len(profile))
    ax.plot(done, profile, style, color=color, label=name, drawstyle="steps-mid")
ax.set(xlabel="layers done, %", ylabel="megabytes", ylim=(0, None))
ax.legend()

# %% [markdown]
# In pieces means: a few of the wide channels at a time, each from the input to the sum. ReLU and the
# depthwise window treat each channel on its own, so the sum is the same.


# %% label="pieces"
def merged(model, name):
    """Return a convolution's kernel and shift, with its batch normalization merged into them."""
    norm = model.get_layer(f"{name}_BN")
    gamma, beta, mean, variance = (np.asarray(weight) for weight in norm.weights)
    scale = gamma / np.sqrt(variance + norm.epsilon)
    kernel = np.asarray(model.get_layer(name).kernel)
    over = scale[:, None] if name.endswith("depthwise") else scale
    return kernel * over, beta - mean * scale


def in_pieces(model, block, x, pieces):
    """Compute an inverted residual block a few of its wide channels at a time."""
    (expand, a), (window, b), (project, c) = (
        merged(model, f"{block}_{part}") for part in ("expand", "depthwise", "project")
    )
    y = x + c
    for some in np.array_split(np.arange(len(a)), pieces):
        h = np.clip(x @ expand[0, 0][:, some] + a[some], 0, 6)
        h = keras.ops.depthwise_conv(h, window[:, :, some], padding="same")
        y = y + np.clip(np.asarray(h) + b[some], 0, 6) @ project[0, 0][some]
    return y


# %% values="pieces_gap"
draw(v2, 3)
x = np.random.default_rng(2).normal(size=(1, 56, 56, 24)).astype("float32")
whole = x
for part in ("expand", "expand_BN", "expand_relu", "depthwise", "depthwise_BN", "depthwise_relu"):
    whole = v2.get_layer(f"block_2_{part}")(whole)
whole = x + np.asarray(v2.get_layer("block_2_project_BN")(v2.get_layer("block_2_project")(whole)))
pieces_gap = max(
    float(np.abs(in_pieces(v2, "block_2", x, pieces) - whole).max() / whole.std())
    for pieces in (1, 6, 24)
)
print(f"block in 1, 6 and 24 pieces: off by at most {pieces_gap:.0e}")
assert pieces_gap < 1e-4, "Computed in pieces, an inverted residual block gives the same numbers."

# %% [markdown]
# ## Fewer products, less time?
# Three networks take turns with one image, as compiled graphs.

# %% label="times" values="speedup time_share_v2"
import tensorflow as tf


def shortest(functions, repeats):
    """Return the least seconds of functions that take turns: other programs only add time."""
    found = np.zeros((repeats, len(functions)))
    for function in functions:
        function()  # traces the graph
    for row in found:
        for place, function in enumerate(functions):
            began = time.perf_counter()
            function()
            row[place] = time.perf_counter() - began
    return found.min(axis=0)


def ready(model, shape):
    """Return a function that calls a model or layer, compiled, on an input of ones."""
    graph, x = tf.function(model), tf.ones(shape)
    return lambda: graph(x)


time_full, time_v1, time_v2 = shortest(
    [ready(model, (1, 224, 224, 3)) for model in (thick, v1, v2)], 7
)
speedup, time_share_v2 = float(time_full / time_v1), float(time_v2 / time_v1)
print(f"full: {speedup:.1f} times MobileNet's seconds, {full_ratio:.1f} times its products")
assert speedup > 1.5, "Separated convolutions make MobileNet faster, well above the noise."
assert time_share_v2 > v2_share, (
    "MobileNetV2 takes a larger share of MobileNet's time than it has of its products."
)
del thick, ours

# %% [markdown]
# Where does the time go? Take layers of three kinds at three places of MobileNet. *Intensity* is the
# number of products for each byte of inputs, weights and outputs.

# %% label="layers" values="intensity_depthwise intensity_pointwise intensity_full rate_low rate_high layer_share layer_time"
batch = 4
rows, calls = [], []
for side, channels in ((56, 128), (28, 256), (14, 512)):
    shape = (batch, side, side, channels)
    for kind, layer in {
        "full": keras.layers.Conv2D(channels, 3, padding="same", use_bias=False),
        "pointwise": keras.layers.Conv2D(channels, 1, use_bias=False),
        "depthwise": keras.layers.DepthwiseConv2D(3, padding="same", use_bias=False),
    }.items():
        layer.build(shape)
        weights = int(np.prod(layer.kernel.shape))
        numbers = 2 * int(np.prod(shape)) + weights
        rows.append((kind, side, channels, batch * side**2 * weights, 4 * numbers))
        calls.append(ready(layer, shape))
seconds = shortest(calls, 15)
table = pd.DataFrame(rows, columns=["kind", "side", "channels", "products", "bytes"])
table["intensity"] = table["products"] / table["bytes"]
table["rate"] = table["products"] / seconds / 1e9
intensity_depthwise, intensity_full, intensity_pointwise = map(
    float, table.groupby("kind")["intensity"].median()
)
one_products = table.pivot(index="side", columns="kind", values="products")
one_seconds = table.assign(s=seconds).pivot(index="side", columns="kind", values="s")
rates = table.pivot(index="side", columns="kind", values="rate")
faster = rates["pointwise"] / rates["depthwise"]
rate_low, rate_high = float(faster.min()), float(faster.max())
both = ["depthwise", "pointwise"]
layer_share = float((one_products["depthwise"] / one_products[both].sum(axis=1)).median())
layer_time = float((one_seconds["depthwise"] / one_seconds[both].sum(axis=1)).median())
print(table.round(2).to_string(index=False))
assert intensity_depthwise < 1.2
assert intensity_pointwise > 10 * intensity_depthwise
assert rate_low > 1.5, "Pointwise layers compute more products a second than depthwise ones."
assert layer_time > 2 * layer_share, (
    "The depthwise half of a separable convolution takes more than its share of the time."
)

# %% label="speed" alt="Billions of products each second against products for each byte, both on logarithmic axes. Depthwise layers lie at one product for each byte and at the lowest rates; pointwise and full ones further right and much higher." caption="Products per second against products for each byte moved, of three kinds of layers at three places of MobileNet. With one product for each byte, depthwise layers compute slowly." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.4))
for (kind, group), color, marker in zip(
    table.groupby("kind"), (ORANGE, GREY, BLUE), "so^", strict=True
):
    ax.plot(group["intensity"], group["rate"], marker, color=color, markersize=8, label=kind)
ax.set(xscale="log", yscale="log", xlabel="products for each byte", ylabel="billion products / s")
ax.xaxis.set_major_formatter("{x:,g}")
ax.set_yticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
ax.yaxis.set_minor_locator(plt.NullLocator())
ax.legend()

# %% [markdown]
# ## Solutions to the exercises

# %% [markdown]
# **1.** Eight times fewer products.

# %% label="exercise-1" tags=["solution"]
needed = 1 / (1 / 8 - 1 / 9)
print(f"{needed:.0f} filters; counted: {1 / ratio(3, round(needed)):.3f} times fewer")
assert round(needed) == 72
assert abs(1 / ratio(3, 72) - 8) < 1e-9

# %% [markdown]
# **2.** Channels first, places second.

# %% label="exercise-2" tags=["solution"]
for channels, filters in ((64, 128), (128, 128), (128, 64)):
    depthwise_first = 9 * channels + channels * filters
    pointwise_first = channels * filters + 9 * filters
    print(f"{channels} to {filters}: {depthwise_first:,d} or {pointwise_first:,d} for each place")
    assert (depthwise_first < pointwise_first) == (channels < filters)

# %% [markdown]
# **3.** Batch normalization shifts numbers before ReLU. With a shift of one standard deviation, five of
# six are positive.

# %% label="exercise-3" tags=["solution"]
positive = stats.norm.cdf(1)
shifted_lost = float(stats.binom.cdf(23, 36, positive))
unshifted = float(stats.binom.cdf(23, 36, 0.5))
print(f"positive: {positive:.2f}; lost with 36 channels for 24 dimensions: {shifted_lost:.1%}")
print(f"without the shift: {unshifted:.1%}; with as many channels: {1 - positive**24:.1%}")
assert shifted_lost < 0.05 < 0.9 < unshifted

# %% [markdown]
# **4.** MobileNetV2 with other widths.

# %% label="exercise-4" tags=["solution"] values="head_share"
head_shares = []
for alpha, printed in ((0.35, 59), (1.4, 582)):
    model = keras.applications.MobileNetV2(alpha=alpha, weights=None)
    head = sum(
        model.get_layer(name).count_params() for name in ("Conv_1", "Conv_1_bn", "predictions")
    )
    share = head / model.count_params()
    head_shares.append(share)
    print(
        f"{alpha}: {multiply_adds(model) / 1e6:.0f} million products ({printed} printed),", end=" "
    )
    print(f"{model.count_params() / 1e6:.2f} million parameters, {share:.0%} of them at the end")
    assert abs(multiply_adds(model) / 1e6 / printed - 1) < 0.02
head_share = head_shares[0]
assert head_share > 0.8, "In the thinnest MobileNetV2, most parameters sit in the last two layers."

# %% [markdown]
# **5.** The block in pieces: the numbers held at a time, for one to 144 pieces.

# %% label="exercise-5" tags=["solution"]
places, ends, wide = 56 * 56, 24 + 24, 144
for pieces in (1, 6, 24, 144):
    held = places * (ends + wide // pieces)
    print(f"{pieces:3d} pieces: {4 * held / 1e6:.2f} MB")
    assert held >= places * ends

# %%
plt.show()
