# %% [markdown]
# # A small race, and what is kept of a learned kernel
#
# Four networks of about 20,000 parameters read digits at random places, with plain, Inception,
# Xception and residual Inception blocks. Then the kernels that the plain ones learned are replaced by
# the nearest ones of low rank.
#
# The chapter [Inception and Xception](../../keras/inception-xception.md) explains each step, and
# [its tutorial](inception-xception.py) checks the blocks against Keras.

# %%
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import labkit as keras
from labkit import datasets, plot, trials

plot.set_theme()
BLUE, ORANGE = (plot.COLORS[c] for c in ("blue", "orange"))

# %% [markdown]
# ## The blocks


# %% label="race-blocks"
def normalized(layer, x):
    """Apply a layer and batch normalization, which shall follow within few steps."""
    return keras.layers.BatchNormalization(momentum=0.9)(layer(x))


def convolution(x, filters, size, strides=1):
    layer = keras.layers.Conv2D(filters, size, strides, "same", use_bias=False)
    return keras.layers.ReLU()(normalized(layer, x))


def plain(x, width):
    """Two windows of 3 × 3."""
    return convolution(convolution(x, width, 3), width, 3)


def branches(x, part):
    """Return a look at one place, through one window of 3 × 3, and through two."""
    one, two, three = (convolution(x, part, 1) for _ in range(3))
    return [one, convolution(two, part, 3), convolution(convolution(three, part, 3), part, 3)]


def inception(x, width):
    """Three branches and a local average, with a quarter of the channels each."""
    part = width // 4
    average = convolution(keras.layers.AveragePooling2D(3, 1, "same")(x), part, 1)
    return keras.layers.Concatenate()([*branches(x, part), average])


def inception_residual(x, width):
    """The three branches as a correction of the input, without a factor before the sum."""
    x = convolution(x, width, 1)
    y = keras.layers.Concatenate()(branches(x, width // 4))
    y = keras.layers.Conv2D(width, 1)(y)
    return keras.layers.ReLU()(keras.layers.Add()([x, y]))


def xception(x, width):
    """Two separable windows of 3 × 3, and a projection of the input around them."""
    around = normalized(keras.layers.Conv2D(width, 1, use_bias=False), x)
    for place in range(2):
        x = keras.layers.ReLU()(x) if place else x
        layer = keras.layers.SeparableConv2D(width, 3, padding="same", use_bias=False)
        x = normalized(layer, x)
    return keras.layers.ReLU()(keras.layers.Add()([around, x]))


def network(block, width):
    """Return a classifier: a block at 8 × 8, and one of twice the width at 4 × 4."""
    image = keras.Input((16, 16, 1))
    x = convolution(image, 16, 3, strides=2)  # (batch, 8, 8, 16)
    x = keras.layers.MaxPooling2D()(block(x, width))
    x = block(x, 2 * width)  # (batch, 4, 4, 2 · width)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, keras.layers.Dense(10, activation="softmax")(x))


# %% [markdown]
# ## The race

# %% label="race-table" caption="The race: size (parameters) and cost (multiply-adds for a sheet) in thousands, time of training relative to plain, and mean and range (highest minus lowest) of the test accuracy of three seeds, in percent." values="race_train race_test race_epochs race_lowest three_lead_points plain_mean residual_mean race_spread_points race_parameters_least race_parameters_most plain_width xception_width inception_products inception_time xception_products xception_time"
contestants = {
    "plain": plain,
    "Inception": inception,
    "residual": inception_residual,
    "Xception": xception,
}
sized = {name: partial(network, block) for name, block in contestants.items()}
widths = {name: trials.closest_width(build, 20_000) for name, build in sized.items()}
builds = {name: partial(build, widths[name]) for name, build in sized.items()}
train, test = datasets.load_shifted_digits(copies=2)
race_epochs = 4
race = trials.compare(builds, train, test, epochs=race_epochs)

race_train, race_test = len(train[0]), len(test[0])
race_lowest = min(trial.lowest for trial in race.values())
plain_mean, residual_mean = race["plain"].mean, race["residual"].mean
three_lead_points = 100 * float(
    np.ptp([race[name].mean for name in ("plain", "Inception", "Xception")])
)
race_spread_points = 100 * max(trial.spread for trial in race.values())
sizes = [trial.parameters for trial in race.values()]
race_parameters_least, race_parameters_most = min(sizes), max(sizes)
plain_width, xception_width = widths["plain"], widths["Xception"]
inception_products, xception_products = (
    race[name].multiply_adds / race["plain"].multiply_adds for name in ("Inception", "Xception")
)
inception_time, xception_time = (
    float(np.median(race[name].seconds) / np.median(race["plain"].seconds))
    for name in ("Inception", "Xception")
)
assert 18_500 <= race_parameters_least <= race_parameters_most <= 21_000, (
    "All contestants have about 20,000 parameters."
)
assert race_lowest > 0.75, "Each block, with each seed, reads over three quarters of the sheets."
assert three_lead_points < 6, (
    "On average, plain, Inception and Xception blocks lie within six points of one another."
)
assert xception_width > 2 * plain_width, (
    "For as many parameters, Xception's blocks have more than twice the channels of plain ones."
)
assert max(inception_products, xception_products) < 1, (
    "At equal parameters, Inception and Xception need fewer multiply-adds than plain blocks."
)
assert inception_time > 1, (
    "With fewer multiply-adds, Inception blocks train more slowly than plain ones."
)
pd.DataFrame(trials.summarize(race, "plain"))

# %% label="race-drawn" alt="Test accuracies of four networks, three points each. Those of plain, Inception and Xception overlap." caption="The race: test accuracy for three random starts each. Equal ones coincide." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.6))
for row, (trial, marker) in enumerate(zip(race.values(), plot.MARKERS, strict=False)):
    ax.plot(trial.accuracies, [-row] * 3, marker, markersize=7, linestyle="none")
ax.set(xlabel="test accuracy", yticks=range(0, -4, -1), yticklabels=list(race))
ax.margins(y=0.2)

# %% [markdown]
# ## Kernels as matrices of low rank
#
# Write the four-axis table as a matrix. A chain of two smaller convolutions without anything between
# them computes a matrix product, whose rank is at most the number of channels in the middle.


# %% label="cuts"
ORDERS = {  # of the four axes: rows, columns, channels in, channels out
    "bottleneck": (2, 0, 1, 3),  # first a 1 × 1 convolution, then the window
    "row, column": (1, 2, 0, 3),  # first along the rows, then along the columns
    "place, channel": (2, 0, 1, 3),  # a window for each channel, then a 1 × 1 convolution
}


def as_matrices(kernel, cut):
    """Write a kernel, (rows, columns, C, F), as matrices whose rank the cut limits."""
    m, n, C, F = kernel.shape
    shapes = {
        "bottleneck": (1, C, m * n * F),
        "row, column": (1, n * C, m * F),
        "place, channel": (C, m * n, F),  # each channel in has a matrix of its own
    }
    return kernel.transpose(ORDERS[cut]).reshape(shapes[cut])


def nearest(kernel, cut, rank):
    """Return the kernel of this rank that is nearest in the sum of squared differences."""
    left, sizes, right = np.linalg.svd(as_matrices(kernel, cut), full_matrices=False)
    product = (left[..., :rank] * sizes[:, None, :rank]) @ right[:, :rank]
    order = ORDERS[cut]
    return product.reshape([kernel.shape[axis] for axis in order]).transpose(np.argsort(order))


def kept(kernel, cut):
    """Return which share of the kernel's squares the best 1, 2, 3, ... directions keep."""
    sizes = np.linalg.svd(as_matrices(kernel, cut), compute_uv=False)
    squares = np.sum(sizes**2, axis=0)  # over the matrices
    return np.cumsum(squares) / squares.sum()


def weights_of(kernel, cut, rank):
    """Count the weights of two smaller convolutions in place of the kernel."""
    m, n, C, F = kernel.shape
    if cut == "bottleneck":
        return rank * (C + m * n * F)
    return rank * (n * C + m * F if cut == "row, column" else (m * n + F) * C)


# %% [markdown]
# ## What is kept of a learned kernel
#
# The last kernels of the three plain networks, (3, 3, 32, 32), against random ones of that shape.

# %% label="learned" values="learned_bottleneck random_bottleneck learned_pair random_pair learned_separable random_separable learned_lost least_lead cut_rank"
learned = [
    next(w for w in reversed(model.get_weights()) if w.ndim == 4) for model in race["plain"].models
]
assert learned[0].shape == (3, 3, 32, 32)
rng = np.random.default_rng(0)
random = [rng.normal(size=learned[0].shape) for _ in learned]
ranks = {"bottleneck": 8, "row, column": 32, "place, channel": 1}
cut_rank = ranks["bottleneck"]
shares = {
    cut: [[float(kept(kernel, cut)[rank - 1]) for kernel in group] for group in (learned, random)]
    for cut, rank in ranks.items()
}
means = {cut: [float(np.mean(group)) for group in groups] for cut, groups in shares.items()}
learned_bottleneck, random_bottleneck = means["bottleneck"]
learned_pair, random_pair = means["row, column"]
learned_separable, random_separable = means["place, channel"]
learned_lost = 1 - min(learned_bottleneck, learned_pair, learned_separable)
least_lead = min(min(ours) - max(others) for ours, others in shares.values())
assert least_lead > 0.02, "Each cut keeps more of a learned kernel than of any random one."
assert learned_separable > 1.3 * random_separable, (
    "A separable kernel keeps over 1.3 times as much of a learned kernel as of a random one."
)

# %% label="cut-accuracy" values="uncut_accuracy cut_bottleneck cut_pair cut_separable"
cut_accuracies = {cut: [] for cut in ranks}
for model, kernel in zip(race["plain"].models, learned, strict=True):
    weights = model.get_weights()
    place = max(i for i, w in enumerate(weights) if w.ndim == 4)
    for cut, rank in ranks.items():
        replaced = nearest(kernel, cut, rank).astype("float32")
        model.set_weights([*weights[:place], replaced, *weights[place + 1 :]])
        cut_accuracies[cut].append(model.evaluate(*test, verbose=0)[1])
    model.set_weights(weights)
cut_bottleneck, cut_pair, cut_separable = (float(np.mean(a)) for a in cut_accuracies.values())
uncut_accuracy = race["plain"].mean
print(f"uncut {uncut_accuracy:.3f}, cut {cut_bottleneck:.3f} {cut_pair:.3f} {cut_separable:.3f}")
assert uncut_accuracy - min(cut_bottleneck, cut_pair, cut_separable) < 0.06, (
    "With its last kernel cut in any of three ways, the plain network loses few answers."
)

# %% label="learned-drawn" alt="Three panels, one a cut: squares kept against weights left. In each, the curve of learned kernels lies above that of random ones." caption="What the nearest kernel of each form keeps of learned and of random kernels of 3 × 3 with 32 channels, against its share of the weights. Means of three kernels." tags=["remove-input"]
fig, axes = plt.subplots(1, 3, figsize=(5, 2.9), sharey=True)
groups = {"learned": (learned, BLUE, "-"), "random": (random, ORANGE, "--")}
for ax, cut in zip(axes, ranks, strict=True):
    for name, (group, color, style) in groups.items():
        curve = np.mean([kept(kernel, cut) for kernel in group], axis=0)
        counts = [weights_of(group[0], cut, rank + 1) for rank in range(len(curve))]
        ax.plot(np.divide(counts, group[0].size), curve, style, color=color, label=name)
    ax.set(title=cut, xlim=(0, 1), ylim=(0, 1.02), xticks=[0, 0.5, 1], xlabel="weights left")
    ax.xaxis.set_major_formatter("{x:g}")
axes[0].set_ylabel("squares kept")
axes[0].legend(loc="lower right", handlelength=1.5)

# %% [markdown]
# ## Solution of an exercise
#
# More than one kernel for each channel.

# %% label="exercise-4" tags=["solution"]
for multiplier in (1, 2, 3):
    share = np.mean([kept(kernel, "place, channel")[multiplier - 1] for kernel in learned])
    weights = weights_of(learned[0], "place, channel", multiplier)
    print(f"{multiplier} a channel: {weights:,d} of {learned[0].size:,d} weights keep {share:.0%}")
assert abs(np.mean([kept(kernel, "place, channel")[8] for kernel in learned]) - 1) < 1e-6

# %%
plt.show()
