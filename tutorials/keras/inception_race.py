# %% [markdown]
# # A small race, and what is kept of a learned kernel
#
# Four networks of about 20,000 parameters read digits at random places, with plain, Inception and
# residual blocks. Then the kernels that they learned are replaced by the nearest ones of low rank.
#
# The chapter [Inception and Xception](../../keras/inception-xception.md) explains each step, and
# [its tutorial](inception-xception.py) checks the blocks against Keras.

# %%
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import labkit as keras
from labkit import cost, datasets, plot

plot.set_theme()
BLUE, ORANGE = (plot.COLORS[c] for c in ("blue", "orange"))

# %% [markdown]
# ## The blocks


# %% label="blocks"
def convolution(x, filters, size, strides=1, padding="same"):
    x = keras.layers.Conv2D(filters, size, strides, padding, use_bias=False)(x)
    x = keras.layers.BatchNormalization(scale=False)(x)
    return keras.layers.ReLU()(x)


def chain(x, *steps, strides=1, padding="same"):
    """Apply convolutions (filters, size), the last one with these strides."""
    for filters, size in steps[:-1]:
        x = convolution(x, filters, size)
    return convolution(x, *steps[-1], strides, padding)


def side_by_side(x, *chains, pooled=None):
    """Join the outputs of several chains and of a local average."""
    branches = [chain(x, *steps) for steps in chains]
    if pooled:
        average = keras.layers.AveragePooling2D(3, 1, "same")(x)
        branches.append(convolution(average, pooled, 1))
    return keras.layers.Concatenate()(branches)


def residual(x, *chains, scale, last=False):
    y = side_by_side(x, *chains)
    y = keras.layers.Conv2D(x.shape[-1], 1)(y)
    y = keras.layers.Rescaling(scale)(y)
    x = keras.layers.Add()([x, y])
    return x if last else keras.layers.ReLU()(x)


# %% label="race-blocks"
def plain(x, width):
    return chain(x, (width, 3), (width, 3))


def inception(x, width):
    part = width // 4
    chains = [(part, 1)], [(part, 1), (part, 3)], [(part, 1), (part, 3), (part, 3)]
    return side_by_side(x, *chains, pooled=part)


def inception_residual(x, width, scale=0.17):
    x, part = convolution(x, width, 1), width // 4
    chains = [(part, 1)], [(part, 1), (part, 3)], [(part, 1), (part, 3), (part, 3)]
    return residual(x, *chains, scale=scale)


def network(block, width):
    image = keras.Input((16, 16, 1))
    x = convolution(image, 16, 3, strides=2)
    x = block(x, width)  # (8, 8, width)
    x = keras.layers.MaxPooling2D()(x)
    x = block(x, 2 * width)  # (4, 4, 2 * width)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dense(10, activation="softmax")(x)
    model = keras.Model(image, x)
    for layer in model.layers:
        if hasattr(layer, "momentum"):
            layer.momentum = 0.9  # with few steps, 0.99 leaves the moving averages behind
    return model


# %% [markdown]
# ## The race

# %% label="race" values="race_train race_test race_spread_points plain_low plain_high inception_low inception_high small_low small_high one_low one_high one_lead"
(x_train, y_train), (x_test, y_test) = datasets.load_shifted_digits(copies=1)
epochs, seeds = 3, (0, 1, 2)
contestants = {
    "plain": (plain, 16),
    "Inception": (inception, 40),
    "residual, 0.17": (inception_residual, 32),
    "residual, 1": (lambda x, width: inception_residual(x, width, scale=1), 32),
}
accuracies, seconds, trained = ({name: [] for name in contestants} for _ in range(3))
for seed in seeds:  # one of each in turn, so that a busy minute of the machine hits all
    for name, (block, width) in contestants.items():
        keras.utils.set_random_seed(seed)
        model = network(block, width)
        steps = epochs * -(-len(x_train) // 64)
        rate = keras.optimizers.schedules.CosineDecay(0.005, steps)
        loss = "sparse_categorical_crossentropy"
        model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
        start = time.perf_counter()
        model.fit(x_train, y_train, batch_size=64, epochs=epochs, verbose=0)
        seconds[name].append(time.perf_counter() - start)
        accuracies[name].append(model.evaluate(x_test, y_test, verbose=0)[1])
        trained[name].append(model)
race_train, race_test = len(x_train), len(x_test)
race_spread_points = 100 * float(max(np.ptp(accuracies[name]) for name in ("plain", "Inception")))
ends = [(min(found), max(found)) for found in accuracies.values()]
(plain_low, plain_high), (inception_low, inception_high) = ends[:2]
(small_low, small_high), (one_low, one_high) = ends[2:]
one_lead = 100 * float(np.mean(accuracies["residual, 1"]) - np.mean(accuracies["residual, 0.17"]))
assert one_lead > 2, "In three epochs, a small factor before the sum costs over two points."
assert min(plain_low, inception_low) > 0.5, (
    "Plain and Inception blocks both read over half of the digits after three epochs."
)

# %% label="race-table" caption="The race: parameters, products (thousands of multiply-adds), and the median time of training as a multiple of that of the plain network." values="race_parameters_least race_parameters_most inception_time inception_products"
models = {name: found[0] for name, found in trained.items()}
parameters = {name: model.count_params() for name, model in models.items()}
products = {name: cost.multiply_adds(model) for name, model in models.items()}
times = {name: float(np.median(taken)) for name, taken in seconds.items()}
times = {name: taken / times["plain"] for name, taken in times.items()}
race_parameters_least, race_parameters_most = min(parameters.values()), max(parameters.values())
inception_time = times["Inception"]
inception_products = products["Inception"] / products["plain"]
assert race_parameters_most < 1.1 * race_parameters_least
assert inception_products < 1
assert inception_time > 1.2, (
    "With fewer multiply-adds, Inception blocks train more slowly than plain ones."
)

pd.DataFrame(
    {
        "block": list(contestants),
        "parameters": [f"{n:,d}" for n in parameters.values()],
        "products": [f"{n / 1000:.0f}" for n in products.values()],
        "time": [f"{taken:.1f}" for taken in times.values()],
    }
).style.hide()

# %% label="race-drawn" alt="Test accuracies of four networks, three points each. Plain and Inception overlap; the residual one with factor 0.17 is lowest." caption="Test accuracy after three epochs, for three random starts each." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.8))
for row, (found, marker) in enumerate(zip(accuracies.values(), plot.MARKERS, strict=False)):
    ax.plot(found, [-row] * len(found), marker, markersize=7, linestyle="none")
ax.set(xlabel="test accuracy", yticks=range(0, -4, -1), yticklabels=list(accuracies))
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
    next(w for w in reversed(model.get_weights()) if w.ndim == 4) for model in trained["plain"]
]
assert learned[0].shape == (3, 3, 32, 32)
rng = np.random.default_rng(0)
random = [rng.normal(size=learned[0].shape) for _ in seeds]
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
for model, kernel in zip(trained["plain"], learned, strict=True):
    weights = model.get_weights()
    place = max(i for i, w in enumerate(weights) if w.ndim == 4)
    for cut, rank in ranks.items():
        replaced = nearest(kernel, cut, rank).astype("float32")
        model.set_weights([*weights[:place], replaced, *weights[place + 1 :]])
        cut_accuracies[cut].append(model.evaluate(x_test, y_test, verbose=0)[1])
    model.set_weights(weights)
cut_bottleneck, cut_pair, cut_separable = (float(np.mean(a)) for a in cut_accuracies.values())
uncut_accuracy = float(np.mean(accuracies["plain"]))
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

plt.show()
