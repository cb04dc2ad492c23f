# %% [markdown]
# # Activations and deep networks
# Ten hidden layers learn nothing with one activation function and nearly everything with another;
# and with one and the same function, the size of the first weights decides. This script predicts
# what a layer does to the signals that pass it, measures it, and then trains hundreds of small
# networks to see what each remedy repairs. The chapter
# [Activations and deep networks](../../foundations/activations.md) tells the story.
#
# The first half runs on NumPy and `labkit`, the book's library. The second half builds the same
# networks in Keras and asserts that their gradients agree.

# %%
from functools import partial
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.special import erf, expit
from scipy.stats import t as t_distribution

import labkit as keras
from labkit import datasets, plot

np.seterr(all="ignore")  # some networks are meant to explode
plot.set_theme()
BLUE, ORANGE, GREEN, PURPLE, GREY = (
    plot.COLORS[name] for name in ("blue", "orange", "green", "purple", "grey")
)

# %% [markdown]
# ## The functions
# Each with its slope, from the sum `z` and the output `h`.

# %% label="functions"
SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772  # of SELU: its variance of 1 is stable
BELL = 1 / np.sqrt(2 * np.pi)


def elu(z, alpha=1.0):
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


def normal_cdf(z):
    return 0.5 * (1 + erf(z * float(np.sqrt(0.5))))


FUNCTIONS = {  # name: (function, slope)
    "sigmoid": (expit, lambda z, h: h * (1 - h)),
    "tanh": (np.tanh, lambda z, h: 1 - h**2),
    "ReLU": (lambda z: np.maximum(z, 0), lambda z, h: (z > 0).astype(z.dtype)),
    "leaky ReLU": (
        lambda z: np.maximum(z, 0.2 * z),
        lambda z, h: 0.2 + 0.8 * (z > 0).astype(z.dtype),
    ),
    "ELU": (elu, lambda z, h: np.minimum(h, 0) + 1),
    "SELU": (
        lambda z: SCALE * elu(z, ALPHA),
        lambda z, h: np.where(z > 0, SCALE, h + SCALE * ALPHA).astype(z.dtype),
    ),
    "GELU": (
        lambda z: z * normal_cdf(z),
        lambda z, h: normal_cdf(z) + z * np.exp(-(z**2) / 2) * float(BELL),
    ),
    "SiLU": (lambda z: z * expit(z), lambda z, h: h + expit(z) * (1 - h)),
}

# %% label="curves" alt="Eight small charts. Sigmoid and tanh level off on both sides, and their slopes are bumps. ReLU is zero on the left and a line on the right. The others follow the line on the right; on the left leaky ReLU falls slowly, ELU and SELU level off below zero, GELU and SiLU dip below zero and come back." caption="Solid: the function. Dashed: its slope, which is what multiplies on the way back." tags=["remove-input"]
fig, axes = plt.subplots(4, 2, figsize=(5, 6.6), sharex=True, sharey=True)
line = np.linspace(-4, 4, 401)
for ax, (name, (f, slope)) in zip(axes.flat, FUNCTIONS.items(), strict=True):
    ax.plot(line, f(line), color=BLUE)
    ax.plot(line, slope(line, f(line)), "--", color=ORANGE)
    ax.set(title=name, xlim=(-4, 4), ylim=(-2, 3), yticks=[-1, 0, 1, 2])
for ax in axes[-1]:
    ax.set_xlabel("sum z")

# %% values="sigmoid_steepest gelu_steepest"
steepest = {name: float(slope(line, f(line)).max()) for name, (f, slope) in FUNCTIONS.items()}
sigmoid_steepest, gelu_steepest = steepest["sigmoid"], steepest["GELU"]
assert np.isclose(sigmoid_steepest, 0.25)
assert steepest["tanh"] == steepest["ReLU"] == 1
for name, (f, slope) in FUNCTIONS.items():  # the slopes are those of the functions
    middle, h = line[1::2] + 0.005, 1e-6
    differences = (f(middle + h) - f(middle - h)) / (2 * h)
    assert np.allclose(slope(middle, f(middle)), differences, atol=1e-8), name

# %% [markdown]
# ## Many networks at once
# A layer is a pair of weights `(networks, inputs, units)` and biases `(networks, 1, units)`, so that
# one call computes many networks, each with its own start. Two settings come later:
# normalization and skip connections.

# %% values="hidden units parameters images_trained images_tested"
digits = datasets.load_digits()
order = np.random.default_rng(0).permutation(len(digits.data))
training, test = order[:1437], order[1437:]
images_trained, images_tested = len(training), len(test)
mean, deviation = digits.data[training].mean(), digits.data[training].std()
images = ((digits.data - mean) / deviation).astype("float32")  # (1797, 64), of mean square 1
answers = np.eye(10, dtype="float32")[digits.target]  # (1797, 10)
hidden, units = 10, 32

RECIPES = {  # the variance of first weights, from a layer's inputs and units
    "SD 0.05": lambda d, u: 0.05**2,
    "Glorot": lambda d, u: 2 / (d + u),
    "He": lambda d, u: 2 / d,
    "SD 1": lambda d, u: 1,
}


def start(seed, variance, hidden=hidden, units=units):
    """Return first weights of hidden layers by a recipe; the last layer always has Glorot's."""
    rng, network = np.random.default_rng(seed), []
    sizes = [64, *[units] * hidden, 10]
    for layer, (d, u) in enumerate(pairwise(sizes)):
        chosen = variance(d, u) if layer < hidden else 2 / (d + u)
        W = rng.normal(0, np.sqrt(chosen), (d, u))
        network.append((W.astype("float32"), np.zeros((1, u), "float32")))
    return network


def stack(networks):
    """Return many networks of one shape as one."""
    layers = zip(*networks, strict=True)
    return [tuple(np.stack(arrays) for arrays in zip(*layer, strict=True)) for layer in layers]


parameters = sum(W.size + b.size for W, b in start(0, RECIPES["He"]))
print(f"{parameters:,d} parameters in {hidden} hidden layers of {units} units and the last one")


# %% label="forward"
def normalize(z, kind, moments=None):
    """Return sums of mean 0 and variance 1, over the batch or over the units of each example."""
    axis = -2 if kind == "batch" else -1
    mean = z.mean(axis, keepdims=True) if moments is None else moments[0]
    centered = z - mean
    variance = (centered**2).mean(axis, keepdims=True) if moments is None else moments[1]
    deviation = np.sqrt(variance + 0.001)
    return centered / deviation, deviation, (mean, variance)


def forward(network, x, f, kind=None, skip=False, fixed=None):
    """Return the logits and, for each layer, what the way back and batch norm need."""
    h, kept = x, []
    for layer, (W, b) in enumerate(network[:-1]):
        z, normalized, deviation, moments = h @ W, None, None, None
        if kind:
            normalized, deviation, moments = normalize(z, kind, fixed and fixed[layer])
            z = normalized
        z = z + b
        out = f(z)
        kept.append((h, z, out, normalized, deviation, moments))
        h = h + out if skip and layer else out  # the first layer changes the width
    W, b = network[-1]
    return h @ W + b, [*kept, (h,)]


def backward(network, kept, dz, slope, kind=None, skip=False):
    """Return the slopes along weights and biases, and along each hidden layer's sums."""
    (W, _), (h,) = network[-1], kept[-1]
    found, sums = [(np.swapaxes(h, -1, -2) @ dz, dz.sum(-2, keepdims=True))], []
    dh = dz @ np.swapaxes(W, -1, -2)
    for layer in reversed(range(len(network) - 1)):
        (W, _), (h, z, out, normalized, deviation, _) = network[layer], kept[layer]
        dz = dh * slope(z, out)
        sums.append(dz)
        db = dz.sum(-2, keepdims=True)
        if kind:  # the mean and the variance depend on the sums as well
            axis = -2 if kind == "batch" else -1
            along = normalized * (dz * normalized).mean(axis, keepdims=True)
            dz = (dz - dz.mean(axis, keepdims=True) - along) / deviation
        found.append((np.swapaxes(h, -1, -2) @ dz, db))
        if layer:
            passed = dz @ np.swapaxes(W, -1, -2)
            dh = dh + passed if skip else passed  # by the skip and through the layer
    return found[::-1], sums[::-1]


def cross_entropy(z, y):
    """Return the loss of each network, and its slopes along the logits."""
    z = z - z.max(-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(-1, keepdims=True))
    return -np.sum(y * log_p, axis=(-1, -2)) / z.shape[-2], (np.exp(log_p) - y) / z.shape[-2]


# %% [markdown]
# ## The factor of a layer, predicted
# A sum of many independent terms is nearly normal. So the mean of `f(z)²` and of `f'(z)²` is an
# integral over a bell curve, and from these follows the next layer's variance, and so on.

# %% label="predict"
grid = np.linspace(-8, 8, 2000)
bell = np.exp(-(grid**2) / 2)
bell /= bell.sum()


def predict(name, g, layers=hidden):
    """Return the factor per layer on the way back, for a given g."""
    f, slope = FUNCTIONS[name]
    q, product = g, 1.0  # q: the variance of the sums; of the images it is 1
    for _ in range(layers - 1):
        z = np.sqrt(q) * grid
        h = f(z)
        product *= g * np.sum(bell * slope(z, h) ** 2)
        q = g * np.sum(bell * h**2)
    return product ** (0.5 / (layers - 1))


# %% values="factor_gap relu_he sigmoid_glorot sigmoid_level leaky_level tanh_glorot tanh_level gelu_he selu_lecun"
def sizes_of(sums):
    """Return the root mean square of each hidden layer's slopes, (layers, networks)."""
    return np.array([np.sqrt(np.mean(dz.astype(float) ** 2, axis=(-1, -2))) for dz in sums])


def ratio(network, name, **how):
    """Return the slopes along the sums of the first hidden layer over those of the last."""
    f, slope = FUNCTIONS[name]
    z, kept = forward(network, images[training[:64]], f, **how)
    _, dz = cross_entropy(z, answers[training[:64]])
    dz = dz / np.abs(dz).max((-1, -2), keepdims=True)  # so that tiny slopes keep their digits
    sizes = sizes_of(backward(network, kept, dz, slope, **how)[1])
    return sizes[0] / sizes[-1]


wide, variances = 256, (0.5, 1, 2, 4, 16, 64)
measured = {}
for name in FUNCTIONS:
    for g in variances:
        network = stack([start(seed, lambda d, u, g=g: g / d, units=wide) for seed in range(3)])
        measured[name, g] = np.exp(np.log(ratio(network, name)).mean() / (hidden - 1))
factor_gap = float(max(abs(found / predict(*key) - 1) for key, found in measured.items()))
relu_he, sigmoid_glorot, tanh_glorot, gelu_he, selu_lecun = (
    float(measured[key])
    for key in (("ReLU", 2), ("sigmoid", 1), ("tanh", 1), ("GELU", 2), ("SELU", 1))
)
trial = np.geomspace(0.5, 300, 400)
sigmoid_level, leaky_level, tanh_level = (
    float(np.interp(1, [predict(name, g) for g in trial], trial))
    for name in ("sigmoid", "leaky ReLU", "tanh")
)
print(f"largest error of the prediction: {factor_gap:.1%}")
print(f"slopes keep their size at g = {sigmoid_level:.0f} (sigmoid), {tanh_level:.2f} (tanh)")
assert factor_gap < 0.1, "A layer's factor is predicted to within a tenth, for eight functions."
assert 0.95 < relu_he < 1.05, "With He's variance, ReLU layers keep the size of slopes."
assert sigmoid_glorot < 0.25, "With Glorot's variance, a sigmoid keeps less than a quarter."
assert 0.8 < tanh_glorot < 0.95
assert np.isclose(leaky_level, 1 / 0.52, atol=0.005)
assert 1.5 < tanh_level < 2.5
assert sigmoid_level > 50, (
    "For slopes that keep their size, a sigmoid needs fifty times the variance."
)
assert 0.85 < gelu_he < 1.05
_, gelu_slope = FUNCTIONS["GELU"]
assert np.isclose(gelu_slope(0.0, 0.0), 0.5)  # so with g = 2 tiny signals meet sqrt(2) / 2
assert 1.0 < selu_lecun < 1.08

# %% label="factors" alt="Factor per layer against the scale of the weights, both logarithmic. The lines of all functions rise. ReLU crosses 1 at 2, tanh and GELU near 2, sigmoid only far to the right. Measured marks lie on the lines." caption="By how much each layer multiplies the slopes on their way back. Lines: predicted. Marks: measured in ten layers of 256 units, three starts. Above $g = 2$, GELU hides ReLU. Glorot's recipe is $g = 1$ for layers of equal widths, He's is $g = 2$." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.9))
shown = {"sigmoid": ORANGE, "tanh": GREEN, "ReLU": BLUE, "GELU": PURPLE}
for (name, color), marker, style in zip(
    shown.items(), plot.MARKERS, ("-.", "--", "-", ":"), strict=False
):
    across = np.geomspace(0.4, 128, 60)
    ax.loglog(across, [predict(name, g) for g in across], style, color=color)
    dots = [measured[name, g] for g in variances]
    ax.plot(variances, dots, marker, color=color, label=name)
ax.axhline(1, color=plot.INK, linewidth=1)
ax.set(xlabel="$g$: inputs × variance of the weights", ylabel="factor per layer")
ax.set_xticks([0.5, 1, 2, 4, 16, 64], ["0.5", "1", "2", "4", "16", "64"])
ax.set_yticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"])
ax.minorticks_off()
fig.legend(loc="outside upper left", ncols=4)


# %% [markdown]
# ## Training
# Gradient descent on batches of 32, plain or with Adam; the rate falls along half a cosine. Each
# combination tries every rate on a start of its own. The rate that reads most training images is
# then used from other starts.

# %% values="steps batch starts"
steps, batch, starts = 250, 32, 5
TRIALS = (100, 101, 102)  # the starts on which rates are tried
rates, adam_rates = (0.03, 0.1, 0.3, 1.0), (0.002, 0.005)


def train(network, name, rate, seeds, adam=False, epsilon=1e-7, **how):
    """Train a stack of networks in place, each with its own rate and order of the images."""
    f, slope = FUNCTIONS[name]
    rows = {seed: np.random.default_rng(seed).choice(training, (steps, batch)) for seed in seeds}
    rows = np.stack([rows[seed] for seed in seeds], axis=1)  # (steps, networks, batch)
    rate = np.float32(rate).reshape(-1, 1, 1)
    weights = [w for layer in network for w in layer]
    memory = [(np.zeros_like(w), np.zeros_like(w)) for w in weights] if adam else []
    for t in range(1, steps + 1):
        x, y = images[rows[t - 1]], answers[rows[t - 1]]
        z, kept = forward(network, x, f, **how)
        found, _ = backward(network, kept, cross_entropy(z, y)[1], slope, **how)
        slopes = [g for layer in found for g in layer]
        now = rate * np.float32(0.5 + 0.5 * np.cos(np.pi * t / steps))
        if adam:
            now *= np.float32(np.sqrt(1 - 0.999**t) / (1 - 0.9**t))
            for (m, v), w, g in zip(memory, weights, slopes, strict=True):
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                w -= now * m / (np.sqrt(v) + epsilon)
        else:
            for w, g in zip(weights, slopes, strict=True):
                w -= now * g


def accuracy(network, name, rows=test, **how):
    """Return the share of images that each network reads."""
    f, fixed = FUNCTIONS[name][0], None
    if how.get("kind") == "batch":  # with the means and variances of all training images
        fixed = [layer[-1] for layer in forward(network, images[training], f, **how)[1][:-1]]
    z, _ = forward(network, images[rows], f, **how, fixed=fixed)
    return np.mean(z.argmax(-1) == digits.target[rows], axis=-1)


def recipes(names=tuple(RECIPES), hidden=hidden):
    """Return for each recipe a function that makes a network from a seed."""
    return {name: partial(start, variance=RECIPES[name], hidden=hidden) for name in names}


def race(name, makers, rates=rates, starts=starts, trials=TRIALS, optimizer=None, **how):
    """Return for each maker the test accuracies from some starts, at the best of the rates."""
    optimizer = optimizer or {}
    tries = [(make, rate, seed) for make in makers.values() for rate in rates for seed in trials]
    network = stack([make(seed) for make, _, seed in tries])
    _, tried, seeds = zip(*tries, strict=True)
    train(network, name, tried, seeds, **optimizer, **how)
    found = accuracy(network, name, training[:400], **how)
    best = found.reshape(len(makers), len(rates), -1).mean(axis=-1).argmax(axis=1)
    best = [rates[place] for place in best]
    network = stack([make(seed) for make in makers.values() for seed in range(starts)])
    seeds = [*range(starts)] * len(makers)
    train(network, name, np.repeat(best, starts), seeds, **optimizer, **how)
    found = accuracy(network, name, **how).reshape(len(makers), starts)
    return dict(zip(makers, zip(found, best, strict=True), strict=True))


# %% label="races" values="sigmoid_ratio relu_he_ratio relu_one_ratio relu_low relu_high relu_mean glorot_mean tanh_low tanh_high tanh_mean near_pairs near_worst far_pairs far_best sigmoid_high small_high"
rows = ["sigmoid", "tanh", "ReLU", "SELU", "GELU"]
ratios = {}
for name in rows:
    for recipe, make in recipes().items():
        network = stack([make(seed) for seed in range(starts)])
        ratios[name, recipe] = float(np.exp(np.log(ratio(network, name)).mean()))
races = {name: race(name, recipes()) for name in rows}


def span(result):
    """Return the lowest, the highest and the mean accuracy of a race's result."""
    found, _ = result
    return float(found.min()), float(found.max()), float(found.mean())


sigmoid_ratio, relu_he_ratio = ratios["sigmoid", "Glorot"], ratios["ReLU", "He"]
relu_one_ratio = ratios["ReLU", "SD 1"]
relu_low, relu_high, relu_mean = span(races["ReLU"]["He"])
tanh_low, tanh_high, tanh_mean = span(races["tanh"]["Glorot"])
glorot_mean = span(races["ReLU"]["Glorot"])[2]
sigmoid_high = max(span(races["sigmoid"][recipe])[1] for recipe in ("Glorot", "He"))
small_high = max(span(races[name]["SD 0.05"])[1] for name in rows)
near, far = [], []  # pairs whose slopes change by less than a factor of ten, and the others
for (name, recipe), found in ratios.items():
    (near if 0.1 < found < 10 else far).append(span(races[name][recipe])[2])
near_pairs, near_worst, far_pairs, far_best = len(near), min(near), len(far), max(far)
for name, results in races.items():
    for recipe, (found, rate) in results.items():
        print(f"{name:8s} {recipe:11s} {ratios[name, recipe]:6.0e} {rate:5g} {found.round(2)}")
assert 1e-7 < sigmoid_ratio < 1e-5, "Through ten sigmoid layers, slopes shrink to millionths."
assert 0.3 < relu_he_ratio < 3, (
    "Through ten ReLU layers with He's variance, slopes keep their size."
)
assert relu_one_ratio > 1e4, "With weights of variance 1, the slopes of ReLU layers explode."
assert relu_mean > 0.75, "With He's variance, gradient descent trains ten ReLU layers."
assert far_best + 0.02 < near_worst, (
    "The pairs with a ratio of slopes near 1 learn better than all others."
)
assert glorot_mean < relu_mean - 0.05, "ReLU with Glorot's variance ends below ReLU with He's."
assert tanh_mean > 0.9, "No ReLU is needed: tanh with Glorot's variance trains ten layers."
assert tanh_mean > relu_mean
assert sigmoid_high < 0.25, "With the usual first weights, ten sigmoid layers learn nothing."
assert small_high < 0.25, "With a standard deviation of 0.05, none of five functions learns."

# %% [markdown]
# Adam divides each slope by its typical size. Does that make the first weights irrelevant? It adds
# a small constant to that size, Keras 1e-7, which could hide slopes that are smaller still. So the
# sigmoids run once more with a constant that is practically zero.

# %% label="adam" values="adam_relu_mean adam_glorot_mean adam_gelu_mean adam_tanh_mean adam_sigmoid_high tiny_epsilon_high adam_one_best"
adaptive = ("sigmoid", "tanh", "ReLU", "GELU")
adam_races = {
    name: race(name, recipes(), adam_rates, optimizer={"adam": True}) for name in adaptive
}
adam_relu_mean, adam_glorot_mean, adam_gelu_mean, adam_tanh_mean = (
    span(adam_races[name][recipe])[2]
    for name, recipe in (("ReLU", "He"), ("ReLU", "Glorot"), ("GELU", "Glorot"), ("tanh", "Glorot"))
)
adam_sigmoid_high = max(span(adam_races["sigmoid"][recipe])[1] for recipe in ("Glorot", "He"))
tiny_epsilon = race(
    "sigmoid", recipes(["Glorot", "He"]), adam_rates, optimizer={"adam": True, "epsilon": 1e-30}
)
tiny_epsilon_high = max(span(result)[1] for result in tiny_epsilon.values())
adam_one_best = max(span(adam_races[name]["SD 1"])[2] for name in adaptive)
for name, results in adam_races.items():
    for recipe, (found, rate) in results.items():
        print(f"{name:8s} {recipe:11s} {rate:5g} {found.round(2)}")
print({recipe: found.round(2) for recipe, (found, _) in tiny_epsilon.items()})
assert min(adam_glorot_mean, adam_gelu_mean) > 0.8, (
    "With Adam, ReLU and GELU also train from Glorot's variance."
)
assert adam_sigmoid_high < 0.4, "Adam does not rescue ten sigmoid layers."
assert tiny_epsilon_high < 0.4
assert adam_one_best < 0.75, "Adam does not repair first weights of variance 1."
assert min(adam_tanh_mean, adam_relu_mean) > 0.85

# %% label="grid" alt="Three tables of colored cells, activation functions by recipes for the first weights. The ratio of slopes is near one for tanh and SELU with Glorot's recipe and for ReLU and GELU with He's; far below for small weights, far above for large ones. Accuracy is high where the ratio is near one." caption="Ten hidden layers, means of five starts. Top: the slopes at the first hidden layer divided by those at the last, before training, as powers of ten (0: equal; −6: a millionth). SD: the standard deviation of the first weights. Middle: the share of new images that are read after training with gradient descent. Bottom: with Adam." tags=["remove-input"]
fig, axes = plt.subplots(3, figsize=(5, 7.6), height_ratios=[5, 5, 4])
powers = np.array([[np.log10(ratios[name, recipe]) for recipe in RECIPES] for name in rows])
style = {"cmap": "RdBu", "vmin": -8, "vmax": 8}
plot.matrix(axes[0], powers.round(1) + 0.0, rows, list(RECIPES), ".1f", **style)
axes[0].set_title("slopes, first layer over last: power of ten")
for ax, results, title in (
    (axes[1], races, "accuracy with gradient descent"),
    (axes[2], adam_races, "accuracy with Adam"),
):
    means = [[result[0].mean() for result in found.values()] for found in results.values()]
    plot.matrix(ax, means, list(results), list(RECIPES), cmap="Blues", vmin=0, vmax=1.2)
    ax.set_title(title)

# %% [markdown]
# ## A sigmoid network that is a tanh network
# $\sigma(z) = \tfrac12 + \tfrac12 \tanh(z/2)$. So a sigmoid network can copy a tanh network exactly.


# %% label="copy"
def as_sigmoids(network):
    """Return weights with which sigmoids compute what tanh computes."""
    copied = []
    for layer, (W, b) in enumerate(network):
        out = 1 if layer == len(network) - 1 else 2  # a sigmoid halves its sum
        if layer == 0:
            copied.append((out * W, out * b))
        else:  # its inputs are not h, but (1 + h) / 2
            copied.append((2 * out * W, out * (b - W.sum(-2, keepdims=True))))
    return copied


# %% values="copy_gap copy_low copy_mean scaled_high"
def copy(seed):
    """Return sigmoid weights that copy a tanh network with Glorot's."""
    return as_sigmoids(start(seed, RECIPES["Glorot"]))


def scaled(seed):
    """Return the same, without the shift of the sums."""
    return [(W, 0 * b) for W, b in copy(seed)]


by_tanh, _ = forward(start(0, RECIPES["Glorot"]), images[test], np.tanh)
by_sigmoids, _ = forward(copy(0), images[test], expit)
copy_gap = float(np.abs(by_tanh - by_sigmoids).max())
copies = race("sigmoid", {"copy": copy, "scaled": scaled}, (0.1, 0.3, 1.0, 3.0))
copy_low, _, copy_mean = span(copies["copy"])
scaled_high = span(copies["scaled"])[1]
print({name: (found.round(2), rate) for name, (found, rate) in copies.items()})
assert copy_gap < 1e-4, "Sigmoids with other weights compute what a tanh network computes."
assert copy_mean > 0.75, "Ten sigmoid layers do learn if they start as a copy of a tanh network."
assert scaled_high < 0.5, "For sigmoids, larger weights without the shift are not enough."

# %% [markdown]
# ## Dead units
# A unit is dead if its sum is positive for no training image.

# %% label="dead" values="dead_rates dead_before dead_calm dead_fast dead_calm_accuracy dead_fast_accuracy leaky_dead_fast leaky_fast_accuracy"
dead_rates = (0.1, 1.0)


def dead(network, name):
    """Return the share of the hidden units of each network that are dead."""
    _, kept = forward(network, images[training], FUNCTIONS[name][0])
    return np.mean([(layer[1] <= 0).all(axis=-2) for layer in kept[:-1]], axis=(0, -1))


deaths = {}
for name in ("ReLU", "leaky ReLU"):
    seeds = [*range(starts)] * len(dead_rates)
    network = stack([start(seed, RECIPES["He"]) for seed in seeds])
    before = dead(network, name).mean()
    train(network, name, np.repeat(dead_rates, starts), seeds)
    after, found = dead(network, name), accuracy(network, name)
    pairs = zip(after.reshape(-1, starts), found.reshape(-1, starts), strict=True)
    deaths[name] = float(before), *((float(a.mean()), float(b.mean())) for a, b in pairs)
dead_before, (dead_calm, dead_calm_accuracy), (dead_fast, dead_fast_accuracy) = deaths["ReLU"]
_, _, (leaky_dead_fast, leaky_fast_accuracy) = deaths["leaky ReLU"]
print(deaths)
assert 0.01 < dead_before < 0.2, "Some ReLU units are dead before training begins."
assert dead_calm < 0.2
assert dead_fast > dead_calm
assert dead_fast_accuracy < 0.3
assert leaky_dead_fast < 0.05
assert leaky_fast_accuracy < 0.4, "At a rate that is too large, leaky ReLUs fail without dying."

# %% [markdown]
# ## Do the newer functions gain anything?
# Each with its own recipe and its best rate of Adam, from ten starts. The difference from ReLU is
# taken start by start.

# %% label="newer" values="newer_starts relu_plain relu_modern tanh_gain gelu_gain gelu_half silu_gain silu_half gelu_modern gelu_modern_half silu_modern silu_modern_half"
newer_starts = 10


def against_relu(names, **how):
    """Return ReLU's mean accuracy, and for each name the gain in points and half its interval."""
    found = {}
    for name in ("ReLU", *names):
        makers = recipes(["Glorot" if name == "tanh" else "He"])
        results = race(name, makers, adam_rates, newer_starts, optimizer={"adam": True}, **how)
        ((found[name], _),) = results.values()
    factor = t_distribution.ppf(0.975, newer_starts - 1) / np.sqrt(newer_starts)
    gains = {name: 100 * (found[name] - found["ReLU"]) for name in names}
    return float(found["ReLU"].mean()), {
        name: (float(gain.mean()), float(factor * gain.std(ddof=1))) for name, gain in gains.items()
    }


relu_plain, plain_gains = against_relu(["tanh", "GELU", "SiLU"])
relu_modern, modern_gains = against_relu(["GELU", "SiLU"], kind="layer", skip=True)
tanh_gain, _ = plain_gains["tanh"]
(gelu_gain, gelu_half), (silu_gain, silu_half) = plain_gains["GELU"], plain_gains["SiLU"]
gelu_modern, gelu_modern_half = modern_gains["GELU"]
silu_modern, silu_modern_half = modern_gains["SiLU"]
print(f"ReLU {relu_plain:.3f}, with skips and layer norm {relu_modern:.3f}")
for gains in (plain_gains, modern_gains):
    print({name: f"{gain:+.1f} ± {half:.1f}" for name, (gain, half) in gains.items()})
assert max(gelu_gain, silu_gain) < tanh_gain + 2, (
    "In ten plain layers with Adam, GELU and SiLU gain hardly more than the old tanh."
)
assert min(gelu_gain, silu_gain, tanh_gain) > -1
assert max(abs(gelu_modern), abs(silu_modern)) < 1.5, (
    "With skips and layer norm, GELU and SiLU differ from ReLU by little."
)

# %% label="gains" alt="Intervals of the gain over ReLU in percentage points. In plain layers tanh, GELU and SiLU all gain a few points. With skips and layer norm, GELU and SiLU are close to zero." caption="Gain in accuracy over ReLU, percentage points, ten starts of each: mean and 95% interval. Ten hidden layers, Adam." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.1))
lines = [(name, *gain, BLUE, "o") for name, gain in plain_gains.items()]
lines += [(f"{name}, skips, layer norm", *gain, ORANGE, "s") for name, gain in modern_gains.items()]
for place, (_, gain, half, color, marker) in enumerate(lines):
    ax.errorbar(gain, -place, xerr=half, fmt=marker, color=color, capsize=3)
ax.axvline(0, color=plot.INK, linewidth=1)
ax.set_yticks(-np.arange(len(lines)), [name for name, *_ in lines])
ax.set_xlabel("gain over ReLU, percentage points")
ax.grid(axis="y", visible=False)

# %% [markdown]
# ## Normalization and skip connections
# Batch norm in training: what an image becomes depends on its companions in the batch. In use, the
# moving averages of earlier batches take the place of their mean and variance.

# %% label="companions" values="companions alone moved"
sums = images @ start(0, RECIPES["He"])[0][0]  # (1797, 32)
batch_norm = keras.layers.BatchNormalization()
layer_norm = keras.layers.LayerNormalization()


def changes(layer):
    """Return by how much the first image's outputs change with the others of its batch."""
    one = np.asarray(layer(sums[:32], training=True))
    other = np.asarray(layer(np.concatenate([sums[:1], sums[100:131]]), training=True))
    return float(np.abs(one[0] - other[0]).max())


companions, alone = changes(batch_norm), changes(layer_norm)
fresh = keras.layers.BatchNormalization()
for _ in range(10):
    fresh(sums[:32], training=True)
moved = float(np.mean(np.asarray(fresh.moving_mean) / sums[:32].mean(axis=0)))
print(f"{companions:.2f} with batch norm, {alone:.0e} with layer norm; {moved:.1%} of the way")
assert companions > 0.1, "In training, batch norm lets an image's outputs depend on its companions."
assert alone < 1e-5, "With layer norm, an image's outputs do not depend on its companions."
assert np.isclose(moved, 1 - 0.99**10, atol=1e-3)
ours, *_ = normalize(sums[:32], "batch")
assert np.allclose(ours, np.asarray(batch_norm(sums[:32], training=True)), atol=1e-5)

# %% label="remedies" values="batch_worst batch_sigmoid layer_sigmoid layer_worst residual_he_mean residual_small_mean residual_sigmoid both_worst sigmoid_alike layer_alike batch_alike sigmoid_apart layer_apart"
REMEDIES = {
    "none": {},
    "batch norm": {"kind": "batch"},
    "layer norm": {"kind": "layer"},
    "skip": {"skip": True},
    "skip, layer norm": {"skip": True, "kind": "layer"},
}
remedied = {"none": (races["ReLU"], races["sigmoid"]["Glorot"])}
for remedy, how in list(REMEDIES.items())[1:]:
    how = {"rates": (0.01, 0.1, 0.3, 1.0), "trials": TRIALS[:1], **how}
    of_sigmoids = race("sigmoid", recipes(["Glorot"]), **how)["Glorot"]
    remedied[remedy] = race("ReLU", recipes(), **how), of_sigmoids


def alike(name, **how):
    """Return the mean cosine between what two images become in the last hidden layer."""
    network = stack([start(seed, RECIPES["Glorot"]) for seed in range(starts)])
    _, kept = forward(network, images[training[:100]], FUNCTIONS[name][0], **how)
    h = kept[-1][0].astype(float)  # (networks, 100, 32)
    h /= np.linalg.norm(h, axis=-1, keepdims=True)
    cosines = h @ np.swapaxes(h, -1, -2)
    return float(np.mean((cosines.sum((-1, -2)) - 100) / (100 * 99)))


sigmoid_alike, layer_alike, batch_alike = (
    alike("sigmoid", **REMEDIES[remedy]) for remedy in ("none", "layer norm", "batch norm")
)
sigmoid_apart, layer_apart = 1 - sigmoid_alike, 1 - layer_alike
means = {
    remedy: [*(span(result)[2] for result in results.values()), span(of_sigmoids)[2]]
    for remedy, (results, of_sigmoids) in remedied.items()
}
batch_worst, batch_sigmoid = min(means["batch norm"][:4]), means["batch norm"][4]
layer_worst, layer_sigmoid = min(means["layer norm"][:4]), means["layer norm"][4]
residual_small_mean, residual_he_mean = means["skip"][0], means["skip"][2]
residual_sigmoid, both_worst = means["skip"][4], min(means["skip, layer norm"])
for remedy, (results, of_sigmoids) in remedied.items():
    print(remedy, [(found.round(2), rate) for found, rate in [*results.values(), of_sigmoids]])
print(f"cosines: {sigmoid_alike:.4f}, {layer_alike:.4f} layer norm, {batch_alike:.2f} batch norm")
assert batch_worst > 0.8, "With batch norm, ten ReLU layers learn from each of the four recipes."
assert batch_sigmoid > 0.9, "With batch norm, ten sigmoid layers learn."
assert layer_sigmoid < 0.3, "With layer norm alone, ten sigmoid layers do not learn."
assert layer_worst > 0.55
assert min(sigmoid_alike, layer_alike) > 0.99 > 0.95 > batch_alike, (
    "Sigmoid layers make all images alike; batch norm prevents it, layer norm does not."
)
assert residual_he_mean < 0.75 < 0.9 < residual_small_mean, (
    "Skip connections need small branches: with He's variance they spoil ten ReLU layers."
)
assert residual_sigmoid > 0.85
assert both_worst > 0.75, "With skips and layer norm together, every start learns."

# %% label="repairs" alt="A table of colored cells: remedies by first weights. Without a remedy only ReLU with He's recipe learns well. With batch norm all cells are dark. With layer norm all but the sigmoid's. With skip connections small weights do well and He's badly. With both, all cells are dark." caption="Accuracy with gradient descent, ten hidden layers, means of five starts. Four recipes for ReLU layers; in the last column sigmoids." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.3))
columns = [*RECIPES, "sigmoid,\nGlorot"]
names = ["none", "batch norm", "layer norm", "skip", "skip,\nlayer norm"]
plot.matrix(ax, list(means.values()), names, columns, cmap="Blues", vmin=0, vmax=1.2)

# %% [markdown]
# ## Thirty layers
# How large are the slopes at the first layer against the last? And in how many directions do the
# images still differ at the end? Of the eigenvalues $\lambda$ of the outputs' covariance,
# $(\sum \lambda)^2 / \sum \lambda^2$ is their number if they are equal, and 1 if one outweighs all.


# %% label="directions"
def directions(network, name, **how):
    """Return in how many directions the last hidden outputs differ from image to image."""
    _, kept = forward(network, images[training[:400]], FUNCTIONS[name][0], **how)
    h = kept[-1][0].astype(float)  # (networks, 400, 32)
    h -= h.mean(axis=-2, keepdims=True)
    covariance = np.swapaxes(h, -1, -2) @ h
    squares = np.sum(covariance**2, axis=(-1, -2))
    return np.trace(covariance, axis1=-2, axis2=-1) ** 2 / squares


# %% label="deep" values="deep deep_starts deep_ratio deep_directions deep_mean deep_batch_ratio deep_batch_factor deep_batch_mean deep_layer_ratio deep_layer_directions deep_layer_mean deep_skip_ratio deep_skip_mean deep_both_directions deep_both_mean deep_skip_batch_mean deep_skip_batch_directions deep_normal_ratio deep_normal_directions deep_normal_mean deep_orthogonal_ratio deep_orthogonal_directions deep_orthogonal_mean"
deep, deep_starts = 30, 3


def orthogonal(seed):
    """Return first weights that rotate: each hidden matrix has orthonormal columns."""
    rng = np.random.default_rng(seed)
    network = start(seed, RECIPES["Glorot"], deep)
    turned = [(np.linalg.qr(rng.normal(size=W.shape))[0], b) for W, b in network[:-1]]
    return [*((W.astype("float32"), b) for W, b in turned), network[-1]]


he, glorot = recipes(["He"], deep)["He"], recipes(["Glorot"], deep)["Glorot"]
DEEP = {
    "ReLU": ("ReLU", he, {}),
    "… batch norm": ("ReLU", he, {"kind": "batch"}),
    "… layer norm": ("ReLU", he, {"kind": "layer"}),
    "… skip": ("ReLU", he, {"skip": True}),
    "… skip, batch norm": ("ReLU", he, {"skip": True, "kind": "batch"}),
    "… skip, layer norm": ("ReLU", he, {"skip": True, "kind": "layer"}),
    "tanh": ("tanh", glorot, {}),
    "… orthogonal": ("tanh", orthogonal, {}),
}
depths = {}
for label, (name, make, how) in DEEP.items():
    network = stack([make(seed) for seed in range(starts)])
    depths[label] = (
        float(np.exp(np.log(ratio(network, name, **how)).mean())),
        float(directions(network, name, **how).mean()),
        span(race(name, {"": make}, (0.03, 0.1), deep_starts, **how)[""]),
    )
    print(label, depths[label])
(
    (deep_ratio, deep_directions, (_, _, deep_mean)),
    (deep_batch_ratio, _, (_, _, deep_batch_mean)),
    (deep_layer_ratio, deep_layer_directions, (_, _, deep_layer_mean)),
    (deep_skip_ratio, _, (_, _, deep_skip_mean)),
    (_, deep_skip_batch_directions, (_, _, deep_skip_batch_mean)),
    (_, deep_both_directions, (_, _, deep_both_mean)),
    (deep_normal_ratio, deep_normal_directions, (_, _, deep_normal_mean)),
    (deep_orthogonal_ratio, deep_orthogonal_directions, (_, _, deep_orthogonal_mean)),
) = depths.values()
deep_batch_factor = deep_batch_ratio ** (1 / (deep - 1))
assert 0.05 < deep_ratio < 3
assert deep_mean < 0.6, "Thirty ReLU layers with He's variance hardly learn, though slopes arrive."
assert deep_directions < 2, "After thirty ReLU layers, images differ in fewer than two directions."
assert 1.17 < deep_batch_factor < 1.27, (
    "Batch norm makes slopes grow by a fifth in each ReLU layer."
)
assert deep_batch_mean < 0.7, "Batch norm alone does not train thirty layers."
assert 0.2 < deep_layer_ratio < 5
assert deep_layer_mean < min(0.6, deep_mean + 0.2)
assert deep_skip_ratio > 1e5, "Skip connections with He's variance explode in thirty layers."
assert deep_both_mean > 0.85, "Skip connections with layer norm train thirty layers."
assert deep_skip_batch_mean > 0.75, "Skip connections with batch norm train thirty layers."
assert 0.3 < deep_orthogonal_ratio / deep_normal_ratio < 4
assert deep_orthogonal_directions > 4 * deep_normal_directions
assert deep_orthogonal_mean > max(0.85, deep_normal_mean + 0.05), (
    "Thirty tanh layers learn if the first weights are orthogonal."
)

# %% label="depths" caption="Thirty hidden layers: slopes at the first over those at the last and directions before training, means of five starts; accuracy after training with gradient descent, mean and range of three."
pd.DataFrame(
    {
        "slopes": [
            f"{found:.2f}" if found < 10 else f"{found:.0f}" if found < 1000 else f"{found:.0e}"
            for found, *_ in depths.values()
        ],
        "directions": [f"{found:.1f}" for _, found, _ in depths.values()],
        "accuracy, %": [
            f"{100 * mean:.0f} ({100 * low:.0f}–{100 * high:.0f})"
            for *_, (low, high, mean) in depths.values()
        ],
    },
    index=list(depths),
)

# %% label="walk" alt="Slopes by layer, thirty layers, logarithmic. With batch norm they grow steadily towards the first layer, hundreds of times. Skip connections alone grow beyond that, a millionfold. Plain ReLU and skip connections with layer norm stay nearly level." caption="The slopes on their way back through thirty ReLU layers with He's recipe, from right to left, compared with the last layer's. Geometric means of five starts." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.3))
walks = {"none": {}, "batch norm": {"kind": "batch"}, "skip": {"skip": True}}
walks["skip, layer norm"] = {"skip": True, "kind": "layer"}
for (label, how), marker in zip(walks.items(), plot.MARKERS, strict=False):
    network = stack([he(seed) for seed in range(starts)])
    f, slope = FUNCTIONS["ReLU"]
    z, kept = forward(network, images[training[:100]], f, **how)
    _, dz = cross_entropy(z, answers[training[:100]])
    sizes = sizes_of(backward(network, kept, dz, slope, **how)[1])  # (layers, networks)
    walk = np.exp(np.log(sizes / sizes[-1]).mean(axis=1))
    ax.semilogy(range(1, deep + 1), walk, marker=marker, markevery=3, label=label)
ax.set(xlabel="layer", ylabel="slopes over those of the last")
ax.yaxis.set_major_formatter("{x:,g}")
fig.legend(loc="outside upper left", ncols=2)

# %% [markdown]
# ## The library's layers
# One step of gradient descent with the rate 1 subtracts the slopes from the weights, so the change
# of the weights shows them. Here for all eight functions, and for the remedies.

# %% label="build" values="library_gap"
keras.config.set_floatx("float64")
NAMES = {name: name.lower().replace(" ", "_") for name in FUNCTIONS}


def build(network, name, kind=None, skip=False):
    """Return a model of Dense layers with a network's weights, and its layers with weights."""
    inputs = h = keras.Input((64,))
    parts = []
    for layer, (W, b) in enumerate(network[:-1]):
        dense = keras.layers.Dense(W.shape[1], use_bias=not kind)
        z = dense(h)
        dense.set_weights([W] if kind else [W, b[0]])
        parts.append(dense)
        if kind:
            norms = keras.layers.BatchNormalization, keras.layers.LayerNormalization
            norm = norms[kind == "layer"](scale=False)
            z = norm(z)
            norm.set_weights([b[0], *norm.get_weights()[1:]])
            parts.append(norm)
        out = keras.layers.Activation(NAMES[name])(z)
        h = keras.layers.Add()([h, out]) if skip and layer else out
    last = keras.layers.Dense(10)
    outputs = last(h)
    last.set_weights([network[-1][0], network[-1][1][0]])
    return keras.Model(inputs, outputs), [*parts, last]


def kinds():
    """Yield what is compared: a name, settings and weights with 64 bits."""
    settings = [(name, {}) for name in FUNCTIONS]
    settings += [("GELU", how) for remedy, how in REMEDIES.items() if how]
    for seed, (name, how) in enumerate(settings):
        network = start(seed, RECIPES["He"], hidden=3)
        yield name, how, [(W.astype(float), b.astype(float)) for W, b in network]


x, y = images[:32].astype(float), answers[:32].astype(float)


def ours_of(name, how, network):
    """Return our slopes along all weights, one row for each network layer's parts."""
    f, slope = FUNCTIONS[name]
    z, kept = forward(network, x, f, **how)
    found, _ = backward(network, kept, cross_entropy(z, y)[1], slope, **how)
    return [g.reshape(-1) for layer in found for g in layer]


def gap(found, expected):
    """Return the largest difference, as a share of the largest slope."""
    pairs = list(zip(found, expected, strict=True))
    return max(float(np.abs(a - b).max()) for a, b in pairs) / max(
        np.abs(b).max() for _, b in pairs
    )


library_gap = 0.0
for name, how, network in kinds():
    model, parts = build(network, name, **how)
    trained = [part.get_weights()[: len(part.trainable_weights)] for part in parts]
    before = [w.ravel() for weights in trained for w in weights]
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(learning_rate=1.0), loss)
    model.train_on_batch(x, y)
    trained = [part.get_weights()[: len(part.trainable_weights)] for part in parts]
    after = [w.ravel() for weights in trained for w in weights]
    found = [a - b for a, b in zip(before, after, strict=True)]
    library_gap = max(library_gap, gap(found, ours_of(name, how, network)))
print(f"largest difference from the library's slopes: {library_gap:.0e}")
assert library_gap < 1e-6

# %% [markdown]
# ## The same in Keras
# From here on, `keras` is Keras itself. `build` now makes Keras models, and `tf.GradientTape` finds
# their slopes.

# %% label="keras" values="keras_gap"
import keras
import tensorflow as tf

keras.config.set_floatx("float64")
keras_gap = 0.0
for name, how, network in kinds():
    model, _ = build(network, name, **how)
    with tf.GradientTape() as tape:
        z = model(tf.constant(x), training=True)
        value = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y, z))
    found = [np.asarray(g).ravel() for g in tape.gradient(value, model.trainable_variables)]
    keras_gap = max(keras_gap, gap(found, ours_of(name, how, network)))
print(f"largest difference from Keras's slopes: {keras_gap:.0e}")
assert keras_gap < 1e-6, "For all functions and remedies, our slopes are those of Keras."

# %% [markdown]
# A dense layer of Keras starts by Glorot's recipe, unless it is told another one.

# %%
assert isinstance(keras.layers.Dense(1).kernel_initializer, keras.initializers.GlorotUniform)
assert keras.initializers.RandomNormal().stddev == 0.05
d, u = 512, 128
for name, recipe in (("glorot_uniform", "Glorot"), ("he_normal", "He")):
    W = np.asarray(keras.initializers.get(name)((d, u)))
    assert np.isclose(W.var(), RECIPES[recipe](d, u), rtol=0.05), name

# %% [markdown]
# ## Solutions to the exercises

# %% [markdown]
# **1.** The absolute value as an activation function.

# %% label="exercise-1" tags=["solution"]
FUNCTIONS["absolute"] = np.abs, lambda z, h: np.sign(z)
results = race("absolute", recipes(["Glorot", "He"]), (0.01, 0.03, 0.1))
for (recipe, (found, _)), g in zip(results.items(), (1, 2), strict=True):
    print(f"{recipe}: factor {predict('absolute', g):.2f}, accuracy {found.mean():.2f}")
assert np.isclose(predict("absolute", 1), 1)
assert results["Glorot"][0].mean() > 0.65 > 0.45 > results["He"][0].mean()

# %% [markdown]
# **2.** Weights times their slopes, layer by layer.

# %% label="exercise-2" tags=["solution"]
for name in ("ReLU", "tanh"):
    f, slope = FUNCTIONS[name]
    for recipe in ("SD 0.05", "He"):
        network = [(W.astype(float), b) for W, b in start(0, RECIPES[recipe])]
        z, kept = forward(network, x, f)
        found, _ = backward(network, kept, cross_entropy(z, y)[1], slope)
        products = [float(np.sum(W * dW)) for (W, _), (dW, _) in zip(network, found, strict=True)]
        print(f"{name} {recipe}: first {products[0]:.2e}, last {products[-1]:.2e}")
        assert np.allclose(products, products[0], rtol=1e-6) == (name == "ReLU")

# %% [markdown]
# **3.** Batch norm and weights that are ten times as large.

# %% label="exercise-3" tags=["solution"]
f, slope = FUNCTIONS["ReLU"]
network = [(W.astype(float), b) for W, b in start(0, RECIPES["He"])]
tenfold = [(10 * W, b) for W, b in network[:-1]] + network[-1:]
outputs, lengths = [], []
for weights in (network, tenfold):
    z, kept = forward(weights, x, f, kind="batch")
    found, _ = backward(weights, kept, cross_entropy(z, y)[1], slope, kind="batch")
    outputs.append(z)
    lengths.append(np.linalg.norm(found[4][0]))
print(f"logits change by {np.abs(outputs[1] - outputs[0]).max():.3f},", end=" ")
print(f"slopes of the fifth layer are {lengths[0] / lengths[1]:.2f} times smaller")
assert np.allclose(*outputs, atol=0.1)
assert 9 < lengths[0] / lengths[1] < 11

# %% [markdown]
# **4.** One hidden layer in place of ten.

# %% label="exercise-4" tags=["solution"]
for name in ("sigmoid", "ReLU"):
    results = race(name, recipes(hidden=1), starts=3)
    print(name, {recipe: round(float(found.mean()), 2) for recipe, (found, _) in results.items()})
    assert all(found.mean() > 0.8 for found, _ in results.values())

# %%
plt.show()
