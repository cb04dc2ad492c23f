# %% [markdown]
# # Efficiency
# A trained network is paid for with every answer: in bytes, in multiplications, in time. This
# script makes one network smaller in five ways, and measures what each way saves and costs. The
# chapter [Efficiency](../../foundations/efficiency.md) tells the story.
#
# The first half runs on NumPy, SciPy and `labkit`, the book's library. The second half copies the
# weights to Keras, converts them with LiteRT, and asserts that the answers agree.

# %%
import time
import warnings
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from operator import matmul
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import sparse

import labkit as keras
from labkit import datasets, plot

plot.set_theme()
BLUE, ORANGE, GREEN, PURPLE, GREY = (
    plot.COLORS[name] for name in ("blue", "orange", "green", "purple", "grey")
)

# %% [markdown]
# ## The network
# Two hidden layers of ReLU units read digits. Everything is done four times, each time with other
# images for training and other first weights.

# %% label="network" values="runs training tests"
digits = datasets.load_digits()
images = (digits.data / 16).astype("float32")  # (1797, 64)
answers = np.eye(10, dtype="float32")[digits.target]  # (1797, 10)
runs, training = 4, 1257
tests = len(images) - training


def network(units=(128, 64), penalty=None):
    """Return a network of ReLU layers that puts out ten logits."""
    kinds = [*((u, "relu") for u in units), (10, None)]
    return keras.Sequential(
        [
            keras.Input((64,)),
            *(keras.layers.Dense(u, activation=f, kernel_regularizer=penalty) for u, f in kinds),
        ]
    )


def fit(model, x, y, epochs, rate=0.003, temperature=1, callbacks=()):
    """Train a model with Adam, and return its weights."""
    learner = model
    if temperature != 1:
        learner = keras.Sequential([model, keras.layers.Rescaling(1 / temperature)])
    schedule = keras.optimizers.schedules.CosineDecay(rate, epochs * -(-len(x) // 32))
    cross_entropy = keras.losses.CategoricalCrossentropy(from_logits=True)
    learner.compile(keras.optimizers.Adam(schedule), cross_entropy)
    learner.fit(x, y, batch_size=32, epochs=epochs, verbose=0, callbacks=list(callbacks))
    return model.get_weights()


def logits(weights, x):
    """Return what a network with these weights puts out."""
    for W, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):  # hidden layers
        x = np.maximum(x @ W + b, 0)
    return x @ weights[-2] + weights[-1]  # (images, 10)


def accuracy(weights, x, y):
    """Return the share of images that a network with these weights reads right."""
    return float(np.mean(logits(weights, x).argmax(axis=1) == y.argmax(axis=1)))


class Run(NamedTuple):
    """One split of the images, and three networks that were trained on it."""

    x: np.ndarray
    y: np.ndarray
    test: tuple  # images and answers
    networks: list

    @property
    def weights(self):
        """The weights of the first network, the one to be made smaller."""
        return [w.copy() for w in self.networks[0]]


all_runs = []
for seed in range(runs):
    keras.utils.set_random_seed(seed)
    order = np.random.default_rng(seed).permutation(len(images))
    first, last = order[:training], order[training:]
    x, y = images[first], answers[first]
    networks = [fit(network(), x, y, epochs=20) for _ in range(3)]
    all_runs.append(Run(x, y, (images[last], answers[last]), networks))

# %% values="parameters products full full_low full_high full_kb"
parameters = sum(w.size for w in all_runs[0].networks[0])
products = sum(w.size for w in all_runs[0].networks[0][::2])
full_kb = 4 * parameters / 1000  # four bytes for each 32-bit number


def summary(found):
    """Return the mean, the lowest and the highest of some accuracies."""
    return float(np.mean(found)), min(found), max(found)


results = {"full": [accuracy(run.weights, *run.test) for run in all_runs]}
full, full_low, full_high = summary(results["full"])
print(f"{parameters:,d} parameters, {products:,d} products; accuracy {full:.3f}")
assert full_low > 0.95

# %% [markdown]
# ## Fewer weights
# Set the smallest weights to zero, and train the others on. A callback keeps the zeros at zero.


# %% label="prune"
def masks(weights, share, scores=None):
    """Return a mask for each array: zero for the share of weights with the lowest scores."""
    scores = scores or [np.abs(W) for W in weights[::2]]
    cut = np.quantile(np.concatenate([score.ravel() for score in scores]), share)
    found = []
    for score, b in zip(scores, weights[1::2], strict=True):
        found += [(score > cut).astype("float32"), np.ones_like(b)]  # biases stay
    return found


def masked(weights, masks):
    """Return the weights with zeros where the masks have zeros."""
    return [w * mask for w, mask in zip(weights, masks, strict=True)]


class Mask(keras.callbacks.Callback):
    """Sets weights back to zero after each step."""

    def __init__(self, masks):
        super().__init__()
        self.masks = masks

    def on_train_batch_end(self, batch, logs=None):
        self.model.set_weights(masked(self.model.get_weights(), self.masks))


def retrain(weights, x, y, zeros):
    """Train a pruned network on for ten epochs."""
    model = network()
    model.set_weights(masked(weights, zeros))
    return fit(model, x, y, epochs=10, callbacks=[Mask(zeros)])


# %% label="pruning" values="pruned_half pruned_bare pruned pruned_random dense_same pruned_more dense_more"
shares = (0.5, 0.8, 0.9, 0.95)
share, share_high = 0.9, 0.95


def smaller(share):
    """Return two numbers of units with about as many weights as are left without a share."""
    left = (1 - share) * products  # = 64 · 2h + 2h · h + 10h
    h = round((np.sqrt(138**2 + 8 * left) - 138) / 4)
    return 2 * h, h


ways = ("random, not retrained", "smallest, not retrained", "smallest, retrained", "dense")
pruning = {way: {s: [] for s in shares} for way in ways}
random_retrained, pruned_weights = [], []
for seed, run in enumerate(all_runs):
    keras.utils.set_random_seed(seed)
    rng, weights = np.random.default_rng(seed), run.weights
    for s in shares:
        by_chance = masks(weights, s, [rng.random(W.shape) for W in weights[::2]])
        smallest = masks(weights, s)
        retrained = retrain(weights, run.x, run.y, smallest)
        found = (
            masked(weights, by_chance),
            masked(weights, smallest),
            retrained,
            fit(network(smaller(s)), run.x, run.y, epochs=30),  # as many as 20 + 10
        )
        for way, w in zip(ways, found, strict=True):
            pruning[way][s].append(accuracy(w, *run.test))
        if s == share:
            pruned_weights.append(retrained)
            other = retrain(weights, run.x, run.y, by_chance)
            random_retrained.append(accuracy(other, *run.test))

pruned_half = float(np.mean(pruning["smallest, not retrained"][0.5]))
pruned_bare = float(np.mean(pruning["smallest, not retrained"][share]))
pruned = float(np.mean(pruning["smallest, retrained"][share]))
dense_same = float(np.mean(pruning["dense"][share]))
pruned_more = float(np.mean(pruning["smallest, retrained"][share_high]))
dense_more = float(np.mean(pruning["dense"][share_high]))
pruned_random = float(np.mean(random_retrained))
results |= {"pruned": pruning["smallest, retrained"][share]}
print(f"without {share:.0%} of the weights: {pruned_bare:.3f}, retrained {pruned:.3f};", end=" ")
print(f"random ones, retrained {pruned_random:.3f}; dense {dense_same:.3f}")
assert full - pruned_half < 0.04, "The smaller half of the weights can go for under four points."
assert pruned_bare < 0.9 < pruned, "Without retraining, nine tenths of the weights cannot go."
assert full - pruned < 0.03, (
    "Retrained, the network loses under three points without nine tenths of its weights."
)
assert pruned - pruned_random > 0.03, (
    "Which weights go matters: random ones cost more, though the rest is retrained as long."
)
assert pruned_more - dense_more > 0, (
    "Pruned by 95%, the network beats a dense one with as many weights, trained as long."
)


# %% label="shares" alt="Wrong answers against the share of weights removed, on a logarithmic axis. Random removal ruins the network at once, removal of the smallest weights later; with retraining the errors hardly rise up to nine tenths, and stay below those of small dense networks." caption="What is left without a share of the weights (means of four runs; bands from lowest to highest). The small dense networks have as many weights as the pruned ones, and were trained for as many epochs. The dotted line is the full network." tags=["remove-input"]
def error_axis(ax):
    """Give an axis of wrong answers, in percent, a logarithmic scale with plain numbers."""
    ax.axhline(100 * (1 - full), color=plot.INK, linestyle=":", linewidth=1)
    ax.set(yscale="log", ylim=(1.3, 110), ylabel="wrong answers, %", yticks=[2, 5, 10, 20, 50, 100])
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter("")


fig, ax = plt.subplots(figsize=(5, 3.3))
names = ("random ones gone", "smallest gone", "smallest gone, retrained", "small dense network")
for way, name, color, style, marker in zip(
    ways, names, (GREY, ORANGE, BLUE, GREEN), (":", "--", "-", "-."), "vso^", strict=True
):
    lines = 100 * (1 - np.array([pruning[way][s] for s in shares]))
    left = 100 * np.array(shares)
    ax.fill_between(left, lines.min(axis=1), lines.max(axis=1), color=color, alpha=0.2, lw=0)
    ax.plot(left, lines.mean(axis=1), style, color=color, marker=marker, label=name)
error_axis(ax)
ax.set(xlabel="weights removed, %", xticks=[50, 60, 70, 80, 90])
fig.legend(loc="outside upper left", ncols=2)

# %% [markdown]
# An L1 penalty makes small weights smaller while it trains, so that those near zero can go without
# any retraining. Whole units are removed by the size of the weights into and out of them.


# %% label="units" values="threshold l1_share l1_before l1_after l1_worst units_bare units units_gain_low units_gain_high units_dense units_products"
strength, threshold = 5e-4, 0.01
l1_shares, l1_pairs = [], []
unit_results = {"bare": [], "retrained": [], "dense": []}
unit_weights = []


def without_units(weights, kept):
    """Return weights of a network that keeps the strongest units of each hidden layer."""
    weights = [w.copy() for w in weights]
    for place, count in zip((0, 2), kept, strict=True):
        W, b, following = weights[place : place + 3]
        strengths = np.linalg.norm(W, axis=0) * np.linalg.norm(following, axis=1)
        best = np.sort(np.argsort(strengths)[-count:])
        weights[place : place + 3] = W[:, best], b[best], following[best]
    return weights


for seed, run in enumerate(all_runs):
    keras.utils.set_random_seed(seed)
    model = network(penalty=keras.regularizers.L1(strength))
    weights = fit(model, run.x, run.y, epochs=30)
    large = [(np.abs(w) > threshold) | (w.ndim == 1) for w in weights]
    l1_shares.append(1 - np.mean(np.concatenate([keep.ravel() for keep in large[::2]])))
    l1_pairs.append([accuracy(w, *run.test) for w in (weights, masked(weights, large))])

    few = without_units(run.weights, (32, 16))
    unit_results["bare"].append(accuracy(few, *run.test))
    model = network((32, 16))
    model.set_weights(few)
    unit_weights.append(fit(model, run.x, run.y, epochs=10))
    unit_results["retrained"].append(accuracy(unit_weights[-1], *run.test))
    fresh = fit(network((32, 16)), run.x, run.y, epochs=30)
    unit_results["dense"].append(accuracy(fresh, *run.test))

l1_share = float(np.mean(l1_shares))
l1_before, l1_after = (float(mean) for mean in np.mean(l1_pairs, axis=0))
l1_worst = max(before - after for before, after in l1_pairs)
units_bare, units, units_dense = (float(np.mean(found)) for found in unit_results.values())
gains = 100 * np.subtract(unit_results["retrained"], unit_results["dense"])
units_gain_low, units_gain_high = float(gains.min()), float(gains.max())
units_products = sum(w.size for w in unit_weights[0][::2])
results |= {"units": unit_results["retrained"], "dense": unit_results["dense"]}
print(f"L1: {l1_share:.0%} gone, {l1_before:.3f} to {l1_after:.3f}; units: {units:.3f}", end=" ")
print(f"({units_bare:.3f} before retraining, {units_dense:.3f} trained from random weights)")
assert l1_share > 0.5
assert l1_worst < 0.01, "An L1 penalty lets most weights go without any retraining."
assert units_bare < 0.85 < 0.93 < units, "Three quarters of the units can go, if one retrains."

# %% [markdown]
# ## Zeros and time
# A dense product multiplies by zeros as by any other number. A sparse matrix keeps only the others,
# each with its place. Three ways to multiply a matrix with zeros take turns.


# %% label="times"
def medians(functions, repeats):
    """Return the median seconds of functions that take turns, so that the load is the same."""
    found = np.zeros((repeats, len(functions)))
    for row in found:
        for place, function in enumerate(functions):
            began = time.perf_counter()
            function()
            row[place] = time.perf_counter() - began
    return np.median(found, axis=0)


# %% label="zeros" values="size batch_large zeros_ratio zeros_share csr_bytes_half dense_bytes sparse_nine sparse_nine_batch"
size, batch_large, zeros_share = 1024, 32, 0.9
zero_shares = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
rng = np.random.default_rng(0)
W = rng.normal(size=(size, size)).astype("float32")
ratios = {1: [], batch_large: []}
zero_ratios, csr_bytes = [], []
for batch in ratios:
    h = rng.normal(size=(size, batch)).astype("float32")
    for s in zero_shares:
        ranks = rng.permutation(W.size).reshape(W.shape)
        zeroed = np.where(ranks < s * W.size, 0, W)  # exactly this share
        csr = sparse.csr_array(zeroed)
        ways = [partial(matmul, matrix, h) for matrix in (W, zeroed, csr)]
        for way in ways:
            way()  # once, to fill the caches
        dense, with_zeros, as_sparse = medians(ways, 31 if batch == 1 else 9)
        assert np.allclose(csr @ h, zeroed @ h, atol=1e-3)
        ratios[batch].append(as_sparse / dense)
        zero_ratios.append(with_zeros / dense)
        csr_bytes.append(csr.data.nbytes + csr.indices.nbytes + csr.indptr.nbytes)
zeros_ratio = float(np.median(zero_ratios))
dense_bytes, csr_bytes_half = W.nbytes, csr_bytes[0]
sparse_nine, sparse_nine_batch = (
    found[zero_shares.index(zeros_share)] for found in ratios.values()
)
print(f"with zeros, a dense product takes {zeros_ratio:.2f} of the time")
assert 0.7 < zeros_ratio < 1.4, "With zeros, a dense product takes about as long as without."
assert csr_bytes_half > dense_bytes, "A sparse matrix that is half zeros takes more bytes."
assert min(found[0] for found in ratios.values()) > 1  # half zeros: the sparse product is slower
assert min(sparse_nine, sparse_nine_batch) > 0.1, (
    "A sparse product with a tenth of the weights takes more than a tenth of the time."
)

# %% label="sparse" alt="Time of a sparse product in dense products, against the share of zeros, for one input and for a batch. Both curves fall; they cross 1 only where nearly all weights are zero." caption="The time of a product with SciPy's sparse matrix, in products with NumPy's dense one, on the machine that built this page. Below the dotted line the zeros are worth something." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.8))
for (batch, found), color, style, marker in zip(
    ratios.items(), (BLUE, ORANGE), ("-", "--"), "os", strict=True
):
    label = "one input" if batch == 1 else f"a batch of {batch}"
    ax.semilogy(
        [100 * s for s in zero_shares], found, style, color=color, marker=marker, label=label
    )
ax.axhline(1, color=plot.INK, linestyle=":", linewidth=1)
ax.set(xlabel="zeros, %", ylabel="time, in dense products", yticks=[0.1, 0.2, 0.5, 1, 2, 5])
ax.yaxis.set_major_formatter("{x:g}")
ax.yaxis.set_minor_formatter("")
ax.legend(loc="lower left")

# %% [markdown]
# ## Fewer bits
# Round each weight to a multiple of a step. The largest weight of the whole matrix sets the step,
# or that of each column, which holds the weights of one unit.


# %% label="quantize"
def quantize(W, bits, axis=None):
    """Return whole numbers, symmetric about zero, and their step."""
    top = 2 ** (bits - 1) - 1  # 127 for 8 bits
    step = np.abs(W).max(axis=axis, keepdims=True) / top
    return np.round(W / step), step


# %%
def rounded(weights, bits, axis=None):
    """Return weights whose matrices have been rounded; biases stay as they are."""
    return [w if w.ndim == 1 else np.multiply(*quantize(w, bits, axis)) for w in weights]


# %% label="grid" alt="Thirty weights as dots on three lines; below each, the marks of a grid. With 4 bits the grid is fine, with 3 bits coarse, and with 2 bits only three marks are left, most weights closest to zero." caption="Thirty weights of the second layer, and where they land with 4, 3 and 2 bits. The weight that is largest in the whole matrix sets the grid; with 2 bits nearly all others land on zero." tags=["remove-input"]
fig, axes = plt.subplots(3, 1, figsize=(5, 3), sharex=True)
W = all_runs[0].weights[2]
some = np.random.default_rng(1).choice(W.ravel(), 30, replace=False)
for ax, bits in zip(axes, (4, 3, 2), strict=True):
    top, step = 2 ** (bits - 1) - 1, np.abs(W).max() / (2 ** (bits - 1) - 1)
    grid = step * np.arange(-top, top + 1)
    ax.vlines(grid, -0.15, 0.25, color=GREY, linewidth=1)
    for w in some:
        ax.plot([w, step * np.round(w / step)], [1, 0.05], "-", color=BLUE, linewidth=0.7)
    ax.plot(some, np.ones_like(some), "o", color=BLUE, markersize=4)
    ax.plot(step * np.round(some / step), np.full_like(some, 0.05), "s", color=ORANGE, markersize=5)
    ax.set(ylim=(-0.3, 1.25), yticks=[])
    ax.set_ylabel(f"{bits} bits", rotation=0, ha="right", va="center")
    ax.spines["left"].set_visible(False)
    ax.grid(visible=False)
axes[-1].set_xlabel("weight")

# %% label="rounding" values="five_tensor two_tensor two_channel law_low law_high"
widths = (8, 6, 5, 4, 3, 2)
quantized = {"per tensor": {b: [] for b in widths}, "per channel": {b: [] for b in widths}}
laws = []
for run in all_runs:
    for bits in widths:
        for way, axis in (("per tensor", None), ("per channel", 0)):
            w = rounded(run.weights, bits, axis)
            quantized[way][bits].append(accuracy(w, *run.test))
        if bits > 2:
            W = run.weights[0]
            q, step = quantize(W, bits)
            laws.append(float(np.sqrt(np.mean((q * step - W) ** 2)) / (step[0, 0] / np.sqrt(12))))
law_low, law_high = min(laws), max(laws)
five_tensor = float(np.mean(quantized["per tensor"][5]))
two_channel = float(np.mean(quantized["per channel"][2]))
two_tensor = float(np.mean(quantized["per tensor"][2]))
results |= {"8 bits": quantized["per channel"][8], "4 bits": quantized["per channel"][4]}
print(
    f"5 bits {five_tensor:.3f}; 2 bits {two_tensor:.3f} per tensor, {two_channel:.3f} per channel"
)
assert full - five_tensor < 0.015, "Five bits for each weight are enough."
assert two_tensor < 0.75, "With two bits and one step for a whole matrix, the network breaks."
assert two_channel > two_tensor + 0.1, "A step for each unit saves much of what two bits lose."
assert 0.9 < law_low < law_high < 1.1, "Rounding is wrong by the step over the root of 12."

# %% label="bits" alt="Wrong answers against bits for each weight, on a logarithmic axis. Both curves are level from 8 to 4 bits and rise steeply at 2; with one step for each matrix far more than with one for each unit." caption="Weights rounded to a number of bits, with no retraining (four runs; means, and bands from lowest to highest). The dotted line: 32 bits." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.9))
for (way, found), color, style, marker in zip(
    quantized.items(), (ORANGE, BLUE), ("--", "-"), "so", strict=True
):
    lines = 100 * (1 - np.array([found[b] for b in widths]))
    ax.fill_between(widths, lines.min(axis=1), lines.max(axis=1), color=color, alpha=0.2, lw=0)
    label = "one step for each matrix" if way == "per tensor" else "one step for each unit"
    ax.plot(widths, lines.mean(axis=1), style, color=color, marker=marker, label=label)
error_axis(ax)
ax.set(xlabel="bits for each weight", xticks=range(2, 9))
ax.legend(loc="upper right")

# %% [markdown]
# One unit with large weights spoils the step of its whole matrix. To see it, multiply the weights
# into one unit by 100 and divide those out of it by 100: because ReLU keeps positive factors, the
# network computes what it computed before.

# %% label="outlier" values="factor outlier_gap outlier_tensor outlier_channel"
factor, outlier_gap, found = 100, 0.0, []
for run in all_runs:
    weights = run.weights
    weights[0][:, 0] *= factor
    weights[1][0] *= factor
    weights[2][0] /= factor
    change = logits(weights, run.test[0]) - logits(run.weights, run.test[0])
    outlier_gap = max(outlier_gap, float(np.abs(change).max()))
    found.append([accuracy(rounded(weights, 6, axis), *run.test) for axis in (None, 0)])
outlier_tensor, outlier_channel = (float(mean) for mean in np.mean(found, axis=0))
print(
    f"6 bits, one unit rescaled: {outlier_tensor:.3f} per tensor, {outlier_channel:.3f} per channel"
)
assert outlier_gap < 1e-3
assert outlier_tensor < 0.5, "One unit with large weights spoils the step of its whole matrix."
assert full - outlier_channel < 0.015, "With a step for each unit, a large unit spoils nothing."

# %% [markdown]
# A range that is not the same on both sides of zero needs an offset: the whole number that means 0.
# With it, what flows between the layers becomes whole numbers, too, and so do all products.


# %% label="affine"
def affine(values, low, high, bits=8):
    """Return whole numbers from 0 up, their step, and the one that means 0."""
    top = 2**bits - 1
    step = (high - low) / top
    offset = np.round(-low / step)
    return np.clip(np.round(values / step) + offset, 0, top), step, offset


def integer_logits(weights, x, ranges):
    """Return logits from sums of products of 8-bit whole numbers, kept in 32 bits."""
    for place, (low, high) in enumerate(ranges):
        q, step, offset = affine(x, low, high)
        whole, steps = quantize(weights[2 * place], 8, axis=0)
        sums = (q - offset).astype("int32") @ whole.astype("int32")  # (images, units)
        z = step * steps * sums + weights[2 * place + 1]
        x = np.maximum(z, 0)
    return z


# %% values="example_q example_step example_offset example_back quiz_back"
example_q, example_step, example_offset = (float(v) for v in affine(np.array(0.45), -1, 2, bits=4))
example_back = example_step * (example_q - example_offset)
q, step = quantize(np.array([-0.6, 0.5, 0.9]), 4)
quiz_back = float((q * step)[1])

# %% label="integers" values="integer_same integer_gap"
found, same, gaps = [], [], []
for run in all_runs:
    weights, h, ranges = run.weights, run.x, []
    for W, b in zip(weights[::2], weights[1::2], strict=True):
        ranges.append((float(h.min()), float(h.max())))  # what the training images need
        h = np.maximum(h @ W + b, 0)
    z = integer_logits(weights, run.test[0], ranges)
    found.append(float(np.mean(z.argmax(axis=1) == run.test[1].argmax(axis=1))))
    same.append(np.mean(z.argmax(axis=1) == logits(weights, run.test[0]).argmax(axis=1)))

    (low, high), x = ranges[0], run.test[0].astype("float64")  # the first layer, in floats
    q, step, offset = affine(x, low, high)
    whole, steps = quantize(weights[0], 8, axis=0)
    sums = (q - offset).astype("int32") @ whole.astype("int32")
    gaps.append(np.abs(step * (q - offset) @ (steps * whole) - step * steps * sums).max())
integer, integer_same, integer_gap = float(np.mean(found)), float(min(same)), float(max(gaps))
print(f"whole numbers: {integer:.3f}, the same answer for {integer_same:.1%}")
assert integer_gap < 1e-4  # products of whole numbers give what those of the rounded floats give
assert integer_same > 0.98, "In whole numbers of 8 bits, nearly all answers stay the same."

# %% [markdown]
# ## Fewer directions
# The best approximation of a matrix by a product of two thin ones is its truncated singular value
# decomposition. Then both factors are trained on.


# %% label="factor"
def factor_pair(W, rank):
    """Return two thin matrices, whose product is as near to W as a rank allows."""
    U, strengths, V = np.linalg.svd(W, full_matrices=False)
    return U[:, :rank] * strengths[:rank], V[:rank]  # (inputs, rank), (rank, units)


# %%
def thin_network(rank):
    """Return the network with both hidden layers split in two; the first halves are linear."""
    thin = [keras.layers.Dense(rank, use_bias=False) for _ in range(2)]
    return keras.Sequential(
        [
            keras.Input((64,)),
            *(thin[0], keras.layers.Dense(128, activation="relu")),
            *(thin[1], keras.layers.Dense(64, activation="relu")),
            keras.layers.Dense(10),
        ]
    )


def multiplied(thin):
    """Return the weights of the network that a thin one stands for."""
    A1, B1, b1, A2, B2, b2, W3, b3 = thin
    return [A1 @ B1, b1, A2 @ B2, b2, W3, b3]


# %% label="ranks" values="rank rank_bare rank_same rank_products rank_most rank_random"
ranks, rank = (16, 8, 4), 8
bare, same = {r: [] for r in ranks}, {r: [] for r in ranks}
thin_weights, random_factors = [], []
for seed, run in enumerate(all_runs):
    keras.utils.set_random_seed(seed)
    for r in ranks:
        W1, b1, W2, b2, W3, b3 = run.weights
        start = [*factor_pair(W1, r), b1, *factor_pair(W2, r), b2, W3, b3]
        bare[r].append(accuracy(multiplied(start), *run.test))
        model = thin_network(r)
        model.set_weights(start)
        thin = fit(model, run.x, run.y, epochs=10)
        same[r].append(accuracy(multiplied(thin), *run.test))
        if r == rank:
            thin_weights.append(thin)
            fresh = fit(thin_network(r), run.x, run.y, epochs=30)
            random_factors.append(accuracy(multiplied(fresh), *run.test))
rank_bare, rank_random = float(np.mean(bare[rank])), float(np.mean(random_factors))
rank_same = float(np.mean(same[rank]))
rank_products = sum(w.size for w in thin_weights[0] if w.ndim == 2)
rank_most = int(64 * 128 / (64 + 128))  # below d u / (d + u)
results |= {"rank": same[rank]}
print(f"rank {rank}: {rank_bare:.3f}, retrained {rank_same:.3f}, {rank_products:,d} products")
assert rank_same > rank_random, (
    "Cut from a trained network, thin layers beat thin ones from scratch."
)
assert rank_bare < rank_same - 0.02, "Retraining repairs what a low rank breaks."
assert full - rank_same < 0.03, "With rank 8, a fifth of the products are nearly enough."

# %% [markdown]
# ## A student
# The mean of three networks' logits teaches a network with one small hidden layer. The student
# sees the teacher's probabilities, softened by a temperature.


# %% label="soften"
def soften(z, temperature):
    """Return the softmax of logits that have been divided by a temperature."""
    z = z / temperature
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def teach(run, x, temperature):
    """Return the soft labels of the three networks of a run for some images."""
    z = np.mean([logits(weights, x) for weights in run.networks], axis=0)
    return soften(z, temperature).astype("float32")


# %% label="soft" alt="Bars of ten probabilities for one image, at two temperatures. At 1 nearly all is on one digit; at 4 the digits that it resembles have visible bars." caption="One image, and what the teacher says about it. At the temperature 1 the other digits hardly show; at 4 one sees which digits the image resembles." tags=["remove-input"]
temperature = 4
run = all_runs[0]
sure, soft = teach(run, run.x, 1), teach(run, run.x, temperature)
right = run.y.argmax(axis=1) == sure.argmax(axis=1)
second = np.where(right & (sure.max(axis=1) > 0.98), np.sort(soft, axis=1)[:, -2], 0)
chosen = int(second.argmax())  # sure and right, yet reminded of another digit
fig, axes = plt.subplots(1, 3, figsize=(5, 1.9), width_ratios=(0.8, 1.2, 1.2))
plot.images(axes[0], run.x[chosen].reshape(1, 8, 8), columns=1)
for ax, p, T in ((axes[1], sure, 1), (axes[2], soft, temperature)):
    ax.bar(range(10), p[chosen], color=BLUE)
    ax.set(ylim=(0, 1.02), title=f"T = {T}", xticks=[0, 3, 6, 9], xlabel="digit")
axes[2].tick_params(labelleft=False)
axes[1].set_ylabel("probability")

# %% label="students" values="few student_units student_parameters temperature hard_few soft_few shuffled_few own_few least_gain_points hard_all soft_all inherited inherited_alone"
few, student_units = 50, 20
names = ("teacher", "hard", "soft", "shuffled", "own", "own teacher", "all hard", "all soft")
found = {name: [] for name in names}
repeated = {name: [] for name in found}  # mistakes of the teacher, made again
student_weights = []


def shuffled(labels, rng):
    """Return soft labels with the probabilities of the wrong digits in another order."""
    labels = labels.copy()
    for p in labels:
        others = np.delete(np.arange(10), p.argmax())
        p[others] = p[rng.permutation(others)]
    return labels


def student(x, labels, epochs, temperature=1):
    """Train a small network on labels, hard or soft, and return its weights."""
    return fit(network((student_units,)), x, labels, epochs, 0.01, temperature)


for seed, run in enumerate(all_runs):
    keras.utils.set_random_seed(seed)
    rng, some = np.random.default_rng(seed), slice(few)
    x, y, soft = run.x[some], run.y[some], teach(run, run.x, temperature)
    said = teach(run, run.test[0], 1).argmax(axis=1)
    found["teacher"].append(float(np.mean(said == run.test[1].argmax(axis=1))))
    mistaken = said != run.test[1].argmax(axis=1)
    poor = fit(network(), x, y, epochs=100)  # a large network that knows no more than the student
    own = soften(logits(poor, x), temperature).astype("float32")
    student_weights.append(student(run.x, soft, 30, temperature))
    taught = {
        "hard": student(x, y, 200),
        "soft": student(x, soft[some], 200, temperature),
        "shuffled": student(x, shuffled(soft[some], rng), 200, temperature),
        "own": student(x, own, 200, temperature),
        "own teacher": poor,
        "all hard": student(run.x, run.y, 30),
        "all soft": student_weights[-1],
    }
    for name, weights in taught.items():
        found[name].append(accuracy(weights, *run.test))
        repeated[name].append(
            logits(weights, run.test[0]).argmax(axis=1)[mistaken] == said[mistaken]
        )

student_parameters = sum(w.size for w in student_weights[0])
hard_few, soft_few, shuffled_few, own_few, hard_all, soft_all = (
    float(np.mean(found[name]))
    for name in ("hard", "soft", "shuffled", "own", "all hard", "all soft")
)
inherited, inherited_alone = (
    float(np.mean(np.concatenate(repeated[name]))) for name in ("all soft", "all hard")
)
results |= {"student alone": found["all hard"], "student": found["all soft"]}
least_gain_points = float(100 * np.min(np.subtract(found["soft"], found["hard"])))
print({name: round(float(np.mean(values)), 3) for name, values in found.items()})
assert soft_few - hard_few > 0.04, "On 50 images, a student learns more from soft labels."
assert soft_few - shuffled_few > 0.04, (
    "Soft labels teach by resemblance: shuffled among the wrong digits, they help less."
)
assert least_gain_points > 2, "In every run, soft labels gain more than two points."
assert own_few - hard_few < (soft_few - hard_few) / 2, (
    "A teacher that saw only the student's images brings less than half of the gain."
)
assert inherited > 0.8, "A student repeats most of its teacher's mistakes."
assert abs(soft_all - hard_all) < 0.03, "With all images, soft labels change little."

# %% [markdown]
# Students that never see a 3.

# %% label="unseen" values="unseen_soft unseen_soft_low unseen_soft_high unseen_hard unseen_shuffled"
threes_right = {"hard": [], "soft": [], "shuffled": []}
for seed, run in enumerate(all_runs):
    keras.utils.set_random_seed(seed)
    no_threes, threes = run.y[:, 3] == 0, run.test[1][:, 3] == 1
    x, soft = run.x[no_threes], teach(run, run.x[no_threes], temperature)
    test = run.test[0][threes], run.test[1][threes]
    mixed = shuffled(soft, np.random.default_rng(seed))
    threes_right["hard"].append(accuracy(student(x, run.y[no_threes], 30), *test))
    for name, labels in (("soft", soft), ("shuffled", mixed)):
        threes_right[name].append(accuracy(student(x, labels, 30, temperature), *test))
unseen_soft, unseen_soft_low, unseen_soft_high = summary(threes_right["soft"])
unseen_hard, unseen_shuffled = max(threes_right["hard"]), max(threes_right["shuffled"])
print({name: np.round(values, 2).tolist() for name, values in threes_right.items()})
assert unseen_hard == 0, "From hard labels, a student that saw no 3 never says 3."
assert unseen_soft > 0.5, "From soft labels, it reads most of the 3s, though it saw none."
assert unseen_shuffled < 0.2, "Shuffled soft labels do not teach what a 3 is."

# %% [markdown]
# ## The same in Keras, and LiteRT
# From here on, `keras` is Keras itself. Its model gets the weights of the first run, and TensorFlow's
# converter writes it as LiteRT files of four kinds. TensorFlow's own interpreter of such files still
# works, but says that its days are numbered in favor of the package `ai-edge-litert`; that warning, and
# one of the converter that concerns nobody who gives it images to calibrate with, are silenced by name.

# %% label="keras" values="keras_gap"
import keras
import tensorflow as tf

run = all_runs[0]
test_x, test_y = run.test
model = network()
model.set_weights(run.weights)
keras_logits = np.asarray(model(test_x))
keras_gap = float(np.abs(keras_logits - logits(run.weights, test_x)).max())
print(f"labkit's logits and those of Keras: {keras_gap:.0e}")
assert keras_gap < 1e-4, "Keras gives the same logits for the same weights, to four decimals."


# %% label="convert"
def convert(model, kind, examples):
    """Return a model as the bytes of a LiteRT file: float32, float16, mixed or int8."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if kind != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]  # alone: int8 weights, float32 sums
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if kind == "int8":
        converter.representative_dataset = lambda: ([x[None]] for x in examples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    with warnings.catch_warnings(), redirect_stdout(StringIO()):  # it prints the model's signature
        warnings.filterwarnings("ignore", "Statistics for quantized inputs were expected")
        return converter.convert()


def interpreter(file):
    """Return an interpreter of a LiteRT file, ready for single images."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\s*Warning: tf.lite.Interpreter is deprecated")
        found = tf.lite.Interpreter(model_content=file, num_threads=1)
    found.allocate_tensors()
    return found


def interpret(found, x):
    """Return the logits that an interpreter gives for one image after the other."""
    source, target = found.get_input_details()[0], found.get_output_details()[0]
    z = []
    for image in x:
        if source["dtype"] == np.int8:
            step, offset = source["quantization"]
            image = np.clip(np.round(image / step) + offset, -128, 127).astype("int8")
        found.set_tensor(source["index"], image[None])
        found.invoke()
        z.append(found.get_tensor(target["index"])[0].astype("float32"))
    if target["dtype"] == np.int8:
        step, offset = target["quantization"]
        z = step * (np.array(z) - offset)
    return np.array(z)  # (images, 10)


# %% label="litert" caption="The network of the first run as four LiteRT files: the share of right answers, the share of answers that are those of Keras, and the time for one image, in those of float32. For the last file, images calibrated the ranges." values="lite_gap lite_same mixed_kept int8_time call_time keras_time file_ratio"
kinds = ("float32", "float16", "mixed", "int8")
files = {kind: convert(model, kind, run.x[:200]) for kind in kinds}
interpreters = {kind: interpreter(file) for kind, file in files.items()}
lite = {kind: interpret(found, test_x) for kind, found in interpreters.items()}
tiny = interpreter(convert(network((1, 1)), "float32", ()))  # next to nothing but the call
*seconds, call_seconds = medians([f.invoke for f in (*interpreters.values(), tiny)], 1001)
one = tf.constant(test_x[:1])
keras_seconds, float_seconds = medians([partial(model, one), interpreters["float32"].invoke], 51)

file_float, file_half, file_mixed, file_int8 = (len(file) for file in files.values())
file_ratio = file_float / file_int8
lite_gap = float(np.abs(lite["float32"] - keras_logits).max())
said = keras_logits.argmax(axis=1)
same = {kind: float(np.mean(z.argmax(axis=1) == said)) for kind, z in lite.items()}
lite_same = min(same.values())
int8_time, call_time = float(seconds[3] / seconds[0]), float(call_seconds / seconds[0])
keras_time = float(keras_seconds / float_seconds)
mixed_kept = [
    detail["shape"].tolist()
    for detail in interpreters["mixed"].get_tensor_details()
    if detail["dtype"] == np.float32 and "MatMul" in detail["name"] and ";" not in detail["name"]
]
print(f"weights that the mixed file keeps in float32: {mixed_kept}")
assert lite_gap < 1e-4, "The float32 file gives the logits of Keras, to four decimals."
assert lite_same > 0.98, "All four files give nearly always the answers of Keras."
assert 2.5 < file_ratio < 4, "Whole numbers of 8 bits make the file about three times smaller."
assert mixed_kept == [[10, 64]]

pd.DataFrame(
    {
        "bytes": [f"{len(file):,d}" for file in files.values()],
        "right": [
            f"{np.mean(z.argmax(axis=1) == test_y.argmax(axis=1)):.1%}" for z in lite.values()
        ],
        "same": [f"{share:.1%}" for share in same.values()],
        "time": [f"{taken / seconds[0]:.2f}" for taken in seconds],
    },
    index=["float32", "float16", "int8 weights", "all int8"],
)

# %% [markdown]
# ## All ways side by side
# Bytes are counted; times are medians of the layers' products and sums, each with its own routine.


# %% label="all" caption="All ways side by side: kilobytes, right answers (means of four runs), thousands of products, and times for one image and for many at once, in those of the full network, with NumPy (with SciPy where zeros are left out)." values="four_bits four_kb student_int8 student_int8_kb student_factor student_share one_student one_calls many_student"
def whole_bytes(weights, bits=8):
    """Return the bytes of weights of some bits, with a 32-bit step and bias for each unit."""
    return sum(w.size * bits / 8 if w.ndim == 2 else 8 * w.size for w in weights)


def csr_layers(weights):
    """Return the layers with their matrices, transposed, as sparse ones."""
    matrices = [sparse.csr_array(W.T) for W in weights[::2]]
    return list(zip(matrices, weights[1::2], strict=True))


def sparse_logits(layers, h):
    """Return logits, one column for each image, of a network with sparse matrices."""
    for place, (W, b) in enumerate(layers):
        h = W @ h + b[:, None]  # (units, images)
        h = np.maximum(h, 0) if place < len(layers) - 1 else h
    return h


def thin_logits(thin, x):
    """Return the logits of a network whose hidden layers are split in two."""
    A1, B1, b1, A2, B2, b2, W3, b3 = thin
    x = np.maximum(x @ A1 @ B1 + b1, 0)
    return np.maximum(x @ A2 @ B2 + b2, 0) @ W3 + b3


layers = csr_layers(pruned_weights[0])
csr_kb = (
    sum(W.data.nbytes + W.indices.nbytes + W.indptr.nbytes + b.nbytes for W, b in layers) / 1000
)
assert np.allclose(sparse_logits(layers, test_x.T).T, logits(pruned_weights[0], test_x), atol=1e-3)
results["16 bits"] = [
    accuracy([w.astype("float16").astype("float32") for w in run.weights], *run.test)
    for run in all_runs
]
results["student, 8 bits"] = [
    accuracy(rounded(weights, 8, axis=0), *run.test)
    for weights, run in zip(student_weights, all_runs, strict=True)
]
full_weights, few_weights, small = run.weights, unit_weights[0], student_weights[0]
single = [np.ones((1, 1), "float32"), np.zeros(1, "float32")] * 2  # two layers of one weight
times = {}
for x in (test_x[:1], test_x):
    columns = np.ascontiguousarray(x.T)
    found = medians(
        [
            partial(logits, full_weights, x),
            partial(logits, pruned_weights[0], x),
            partial(sparse_logits, layers, columns),
            partial(logits, few_weights, x),
            partial(thin_logits, thin_weights[0], x),
            partial(logits, small, x),
            partial(logits, single, x[:, :1]),
        ],
        301 if len(x) == 1 else 31,
    )
    times[len(x)] = found / found[0]
one_time, many_time = times[1], times[tests]
one_student, one_calls = (float(taken) for taken in one_time[5:])
many_student = float(many_time[5])

count = {
    "units": sum(w.size for w in few_weights),
    "rank": sum(w.size for w in thin_weights[0]),
    "student": sum(w.size for w in small),
}
left = int(np.count_nonzero(np.concatenate([W.ravel() for W in pruned_weights[0][::2]])))
student_products = sum(W.size for W in small[::2])
units_kb, student_kb = (4 * count[name] / 1000 for name in ("units", "student"))
student_int8_kb = whole_bytes(small) / 1000
student_factor = full_kb / student_int8_kb
student_share = student_products / products
four_bits, four_kb = float(np.mean(results["4 bits"])), whole_bytes(full_weights, 4) / 1000
student_int8 = float(np.mean(results["student, 8 bits"]))
rows = {  # KB, products, where its time is, where its accuracies are
    "32 bits": (full_kb, products, 0, "full"),
    "16 bits": (full_kb / 2, products, None, "16 bits"),
    "8 bits": (whole_bytes(full_weights) / 1000, products, None, "8 bits"),
    "4 bits": (whole_bytes(full_weights, 4) / 1000, products, None, "4 bits"),
    "with 90% zeros": (full_kb, products, 1, "pruned"),
    "zeros left out": (csr_kb, left, 2, "pruned"),
    "¼ of the units": (units_kb, units_products, 3, "units"),
    "as small, fresh": (units_kb, units_products, 3, "dense"),
    "rank 8": (4 * count["rank"] / 1000, rank_products, 4, "rank"),
    "student": (student_kb, student_products, 5, "student"),
    "without teacher": (student_kb, student_products, 5, "student alone"),
    "student, 8 bits": (student_int8_kb, student_products, None, "student, 8 bits"),
}
assert student_factor > 30
assert four_kb < min(csr_kb, units_kb, 4 * count["rank"] / 1000)
assert full - four_bits < 0.01, "With 4 bits for each weight, the network loses under a point."
assert four_bits > max(pruned, units), (
    "In no more bytes, 4 bits for each weight beat fewer weights and fewer units."
)
assert student_share < one_student, (
    "For one image, a student's share of the time is larger than its share of the products."
)
assert full - student_int8 < 0.03, "A taught student in 8 bits takes a thirtieth of the bytes."

pd.DataFrame(
    {
        "KB": [f"{kb:.1f}" for kb, *_ in rows.values()],
        "right": [f"{np.mean(results[key]):.1%}" for *_, key in rows.values()],
        "prod.": [f"{n / 1000:.1f}" for _, n, *_ in rows.values()],
        "one": ["–" if k is None else f"{one_time[k]:.2f}" for *_, k, _ in rows.values()],
        "many": ["–" if k is None else f"{many_time[k]:.2f}" for *_, k, _ in rows.values()],
    },
    index=list(rows),
)

# %% label="tradeoff" alt="Accuracy against kilobytes on a logarithmic axis. Points for each way lie between 0.96 and 0.98, from 69 kilobytes down to 1.7." caption="Accuracy against size: means of four runs, lines from the lowest to the highest. What is up and to the left is better." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.6))
shown = {
    "32 bits": ("32 bits", plot.INK, "o"),
    "16 bits": ("16 bits", BLUE, "o"),
    "8 bits": ("8 bits", BLUE, "s"),
    "4 bits": ("4 bits", BLUE, "^"),
    "zeros left out": ("90% zeros", ORANGE, "D"),
    "¼ of the units": ("¼ of the units", ORANGE, "v"),
    "rank 8": ("rank 8", GREEN, "P"),
    "student": ("student", PURPLE, "X"),
    "student, 8 bits": ("student, 8 bits", PURPLE, "*"),
}
for name, (label, color, marker) in shown.items():
    kb, *_, key = rows[name]
    middle, low, high = summary(results[key])
    ax.vlines(kb, low, high, color=color, linewidth=1)
    ax.plot(kb, middle, marker, color=color, markersize=8, label=label)
ax.set_xscale("log")
ax.set(xlabel="KB", ylabel="accuracy", xticks=[2, 5, 10, 20, 50], xlim=(1.2, 100))
ax.xaxis.set_major_formatter("{x:g}")
ax.xaxis.set_minor_formatter("")
fig.legend(loc="outside upper left", ncols=3)

# %% [markdown]
# ## Solutions to the exercises

# %% [markdown]
# **1.** Bytes of a matrix with zeros, in three forms.

# %% label="exercise-1" tags=["solution"]
d, u = 128, 64
n = d * u
for s in (0.5, 0.9):
    kept = round((1 - s) * n)
    as_csr = kept * (4 + 4) + 4 * (u + 1)  # values and their columns, and where each row begins
    as_bits = kept * 4 + n / 8  # values, and a bit for each place
    print(f"{s:.0%} zeros: dense {4 * n:,d}, sparse {as_csr:,d}, bit mask {as_bits:,.0f} bytes")
    assert (as_csr < 4 * n) == (s > 0.5)
    assert as_bits < min(as_csr, 4 * n)

# %% [markdown]
# **2.** Two bits with an offset: four values instead of three.

# %% label="exercise-2" tags=["solution"]
for run in all_runs[:2]:
    weights = run.weights
    for place in (0, 2, 4):
        W = weights[place]
        q, step, offset = affine(W, W.min(), W.max(), bits=2)
        weights[place] = step * (q - offset)
    shares = [np.mean(rounded(run.weights, 2)[0] == 0), np.mean(weights[0] == 0)]
    print(f"accuracy {accuracy(weights, *run.test):.3f};", end=" ")
    print(f"zeros in the first layer: {shares[1]:.0%}, without an offset {shares[0]:.0%}")
    assert accuracy(weights, *run.test) > accuracy(rounded(run.weights, 2), *run.test)
    assert shares[1] < shares[0]

# %% [markdown]
# **3.** Training with two bits in mind: the slopes are those of the rounded weights, the steps are
# taken by weights that keep all their digits.

# %% label="exercise-3" tags=["solution"]
for seed, run in enumerate(all_runs[:2]):
    rng, kept = np.random.default_rng(seed), run.weights
    model = network()
    cross_entropy = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.001), cross_entropy)
    before = accuracy(rounded(kept, 2), *run.test)
    for _ in range(400):
        batch = rng.choice(training, 32, replace=False)
        coarse = rounded(kept, 2)
        model.set_weights(coarse)
        model.train_on_batch(run.x[batch], run.y[batch])
        kept = [
            w + after - c for w, after, c in zip(kept, model.get_weights(), coarse, strict=True)
        ]
    after = accuracy(rounded(kept, 2), *run.test)
    print(f"two bits: {before:.3f} before, {after:.3f} after")
    assert after > 0.9 > before

# %% [markdown]
# **4.** The average hides: what pruning does to single digits.


# %% label="exercise-4" tags=["solution"] values="average_loss worst_loss"
def by_digit(group):
    """Return the accuracy on each digit, as a mean over the runs."""
    found = np.zeros((runs, 10))
    for row, weights, run in zip(found, group, all_runs, strict=True):
        right = logits(weights, run.test[0]).argmax(axis=1) == run.test[1].argmax(axis=1)
        row[:] = [np.mean(right[run.test[1][:, digit] == 1]) for digit in range(10)]
    return found.mean(axis=0)


losses = 100 * (by_digit([run.weights for run in all_runs]) - by_digit(pruned_weights))
average_loss, worst_loss = float(losses.mean()), float(losses.max())
print("points lost, digit by digit:", losses.round(1))
print(f"{average_loss:.1f} on average, {worst_loss:.1f} on the digit {losses.argmax()}")
assert worst_loss > 1.5 * average_loss > 0

# %%
plt.show()
