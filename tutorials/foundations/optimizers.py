# %% [markdown]
# # Optimizers
# The gradient says which way is down. On how many examples should it be computed, and what should
# be made of it? This script measures it: on a valley, on a bent one, and on images of digits. The
# chapter [Optimizers](../../foundations/optimizers.md) tells the story.
#
# The first half runs on NumPy and `labkit`, the book's library. The second half repeats the steps
# in Keras and asserts that the weights agree.

# %%
import tracemalloc
from functools import partial
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import t as t_distribution

import labkit as keras
from labkit import datasets, plot

np.seterr(over="ignore", invalid="ignore")  # some runs are meant to diverge
plot.set_theme()
BLUE, ORANGE, GREEN, GREY = (plot.COLORS[name] for name in ("blue", "orange", "green", "grey"))


# %% [markdown]
# ## The rules
# Each rule changes the weights `w` in place, from their slopes `g`. It keeps what it has to remember
# in `m` and `v`, which start at zero. `t` counts the steps from 1.


# %% label="sgd"
def sgd(w, g, m, v, rate, t):
    w -= rate * g


# %% label="momentum"
def momentum(w, g, m, v, rate, t):
    m *= 0.9
    m -= rate * g
    w += m


def nesterov(w, g, m, v, rate, t):
    m *= 0.9
    m -= rate * g
    w += 0.9 * m - rate * g


# %% label="adaptive"
def rmsprop(w, g, m, v, rate, t):
    v += 0.1 * (g**2 - v)
    w -= rate * g / np.sqrt(v + 1e-7)


def adam(w, g, m, v, rate, t):
    m += 0.1 * (g - m)
    v += 0.001 * (g**2 - v)
    correction = np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    w -= rate * correction * m / (np.sqrt(v) + 1e-7)


def adamw(w, g, m, v, rate, t):
    w *= 1 - rate * 0.004
    adam(w, g, m, v, rate, t)


# %%
RULES = {
    "SGD": sgd,
    "momentum": momentum,
    "Nesterov": nesterov,
    "RMSprop": rmsprop,
    "Adam": adam,
    "AdamW": adamw,
}

# %% [markdown]
# ## Many networks at once
# The weights of a network are one row of numbers, and many networks are a matrix. NumPy multiplies
# stacks of matrices, so that one call trains all of them, each with its own start, batches and rate.

# %%
digits = datasets.load_digits()
images = (digits.data / 16).astype("float32")  # (1797, 64)
answers = np.eye(10, dtype="float32")[digits.target]  # (1797, 10)
order = np.random.default_rng(0).permutation(len(images))
training, test, watched = order[:1437], order[1437:], order[:400]
sizes = (64, 32, 10)


def start(seed, sizes=sizes):
    """Return first weights: Glorot's variance for the matrices, zeros for the biases."""
    rng, parts = np.random.default_rng(seed), []
    for d, u in pairwise(sizes):
        parts += [rng.normal(0, np.sqrt(2 / (d + u)), d * u), np.zeros(u)]
    return np.concatenate(parts).astype("float32")


def layers(w, sizes=sizes):
    """Yield the matrix and the vector of each layer, as views of the rows of weights."""
    first = 0
    for d, u in pairwise(sizes):
        W = w[..., first : first + d * u].reshape(*w.shape[:-1], d, u)
        b = w[..., None, first + d * u : first + (d + 1) * u]
        yield W, b
        first += (d + 1) * u


def forward(w, x, sizes=sizes):
    """Return what goes into each layer, and the last layer's sums."""
    inputs, *rest = [x], *layers(w, sizes)
    for W, b in rest[:-1]:
        inputs.append(np.tanh(inputs[-1] @ W + b))
    W, b = rest[-1]
    return inputs, inputs[-1] @ W + b


def cross_entropy(z, y):
    """Return the loss of each network, and its slopes along the logits."""
    z = z - z.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    n = z.shape[-2]
    return -np.sum(y * log_p, axis=(-1, -2)) / n, (np.exp(log_p) - y) / n


def gradient(w, x, y, loss=cross_entropy, sizes=sizes):
    """Return the loss of each network and its slopes along the weights."""
    inputs, z = forward(w, x, sizes)
    value, dz = loss(z, y)
    g = np.empty_like(w)
    parts = list(zip(layers(g, sizes), layers(w, sizes), inputs, strict=True))
    for (to_W, to_b), (W, _), h in parts[::-1]:
        to_W[...] = np.swapaxes(h, -1, -2) @ dz
        to_b[...] = dz.sum(axis=-2, keepdims=True)
        dz = (dz @ np.swapaxes(W, -1, -2)) * (1 - h**2)
    return value, g


def accuracy(w):
    """Return the share of the test images that each network gets right."""
    return np.mean(forward(w, images[test])[1].argmax(axis=-1) == digits.target[test], axis=-1)


# %% [markdown]
# ## A few examples are enough
# What one gradient needs in memory, beside the data: of all examples, and of 32 of them.

# %% label="memory" values="batch few many memory_batch memory_few memory_many"
batch, few, many = 32, 20_000, 320_000


def memory_of(count, batch=None):
    """Return how many bytes a gradient takes at its peak."""
    x, y = np.ones((count, 8), "float32"), np.ones((count, 2), "float32")
    w, rng = start(0, (8, 4, 2)), np.random.default_rng(0)
    tracemalloc.start()
    rows = slice(None) if batch is None else rng.integers(0, count, batch)
    gradient(w, x[rows], y[rows], sizes=(8, 4, 2))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


memory_of(few)  # what only a first call needs
memory_few, memory_many = (memory_of(count) / 2**20 for count in (few, many))
memories = [memory_of(count, batch) / 2**10 for count in (few, many)]
memory_batch = max(memories)
print(f"all examples: {memory_few:.1f} and {memory_many:.1f} MiB; 32: {memory_batch:.0f} KiB")
assert 14 < memory_many / memory_few < 18, (
    "The memory of the full gradient grows with the number of examples."
)
assert abs(memories[0] / memories[1] - 1) < 0.2
assert memory_batch < memory_few * 2**10 / 10, (
    "The gradient of a batch needs little memory, however many examples there are."
)

# %% [markdown]
# The gradient of a batch is the true one, that of all training images, plus an error.

# %% values="true_length error_batch error_quarter"
_, true = gradient(start(0), images[training], answers[training])
true_length = float(np.linalg.norm(true))
batch_sizes, error = 2 ** np.arange(11), []
rng = np.random.default_rng(0)
for size in batch_sizes:
    rows = rng.choice(training, (200, size))  # each of 200 batches, with replacement
    found = [gradient(start(0), images[some], answers[some])[1] for some in rows]
    error.append(np.sqrt(np.mean(np.sum((np.array(found) - true) ** 2, axis=1))))
error_batch, error_quarter = float(error[5]), float(error[5]) / 2
error_slope = float(np.polyfit(np.log(batch_sizes), np.log(error), 1)[0])
print(
    f"length {true_length:.2f}, error of a batch of 32 {error_batch:.2f}, slope {error_slope:.2f}"
)
assert -0.53 < error_slope < -0.47
assert batch_sizes[5] == batch
assert error_batch > true_length  # the prose calls it longer

# %% [markdown]
# How many steps, and how many examples, until the loss is below 0.2? Each batch size has the best of
# several learning rates; the rate is chosen on two starts and judged on four others.


# %% label="train"
def train(rule, rates, seeds, steps, goal=None, size=32, every=5):
    """Train one network per rate and seed; return their weights, and the steps to a goal.

    A rate is a number, or one number for each step.
    """
    rates = np.array([np.broadcast_to(rate, steps) for rate in rates], "float32")
    w = np.array([[start(seed) for seed in seeds] for _ in rates])  # (rates, seeds, weights)
    m, v, took = np.zeros_like(w), np.zeros_like(w), np.full(w.shape[:2], np.inf)
    rngs = [np.random.default_rng(1000 + seed) for seed in seeds]
    for t in range(1, steps + 1):
        rows = np.array([rng.choice(training, size) for rng in rngs])
        _, g = gradient(w, images[rows], answers[rows])
        rule(w, g, m, v, rates[:, t - 1, None, None], t)
        if goal and t % every == 0:
            reached = cross_entropy(forward(w, images[watched])[1], answers[watched])[0] < goal
            took[reached & (took == np.inf)] = t
            if np.isfinite(took).all():
                break
    return w, took


# %% label="batch-sizes" values="steps_small steps_large saved_steps more_examples"
rows = {}
for size, steps in (4, 700), (16, 300), (64, 150), (256, 150):
    rates = 10 ** np.arange(-0.75, 0.26, 0.25)
    _, took = train(sgd, rates, range(2), steps, 0.2, size)
    best = took.max(axis=1).argmin()
    assert 0 < best < len(rates) - 1  # so that no better rate lies beyond the ends
    _, took = train(sgd, rates[best : best + 1], range(10, 14), 2 * steps, 0.2, size)
    rows[size] = rates[best], took[0]
mean_steps = {size: took.mean() for size, (_, took) in rows.items()}
steps_small, steps_large = mean_steps[4], mean_steps[256]
examples_small, examples_large = 4 * steps_small, 256 * steps_large
saved_steps, more_examples = steps_small / steps_large, examples_large / examples_small
for size, (rate, took) in rows.items():
    print(f"{size}: rate {rate:.2f}, {np.sort(took)} steps, {size * took.mean():,.0f} examples")
assert 2.5 < saved_steps < 20
assert more_examples > 3, "Large batches need fewer steps and more examples."
assert list(mean_steps.values()) == sorted(mean_steps.values(), reverse=True)

# %% label="batches" alt="Left: the error of the gradient falls along a straight line on logarithmic axes. Right: from batches of 4 to 256 the number of steps falls, more and more slowly, while the number of examples rises." caption="Left: how far the gradient of a batch is from that of all training images, with $1/\\sqrt B$ dotted. Right: what a training loss of 0.2 takes, from four starts." tags=["remove-input"]
fig, (left, right) = plt.subplots(1, 2, figsize=(5, 3))
left.loglog(batch_sizes, error, "o-", ms=4)
left.loglog(batch_sizes, error[0] / np.sqrt(batch_sizes), ":", color=plot.INK)
left.axhline(true_length, color=GREY, linestyle="--")
left.text(1, true_length * 0.85, "gradient", va="top")
left.set_yticks([0.2, 0.5, 1, 2, 4], ["0.2", "0.5", "1", "2", "4"])
left.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
left.minorticks_off()
left.set(xlabel="batch size $B$", ylabel="length of the error")
for scale, name, style in (lambda size: 1, "steps", "o-"), (lambda size: size, "examples", "s--"):
    right.loglog(list(rows), [scale(n) * mean_steps[n] for n in rows], style, ms=5, label=name)
    for size, (_, took) in rows.items():
        right.plot([size] * 4, scale(size) * took, ".", color=plot.INK, ms=4)
right.set(xlabel="batch size $B$")
right.set_xticks(list(rows), [str(size) for size in rows])
right.set_yticks([100, 1000, 10_000], ["100", "1000", "10000"])
right.minorticks_off()
right.legend(loc="upper left")

# %% [markdown]
# ## A valley
# $\frac12 (u^2 + \kappa v^2)$, as an array of places and a function that returns height and slopes.


# %% label="valley"
best_place = np.array([1.0, 1.0])
straight_on = np.eye(2)
turn = np.array([[1.0, 1.0], [-1.0, 1.0]]) / np.sqrt(2)  # by 45 degrees


def valley(w, k=100.0, turn=straight_on):
    """Return the height of a valley at places (..., 2), and its slopes."""
    u = (w - best_place) @ turn.T
    curvature = np.array([1.0, k])
    return np.sum(curvature * u**2, axis=-1) / 2, curvature * u @ turn


def turned(w):
    return valley(w, turn=turn)


def rosenbrock(w):
    x, y = w[..., 0], w[..., 1]
    off = y - x**2
    return (1 - x) ** 2 + 100 * off**2, np.stack([2 * (x - 1) - 400 * x * off, 200 * off], -1)


def descend(rule, surface, w, rate, steps):
    """Return the places after each step, (steps + 1, ..., 2)."""
    w = np.array(w, float)
    m, v, path = np.zeros_like(w), np.zeros_like(w), [w.copy()]
    for t in range(1, steps + 1):
        rule(w, surface(w)[1], m, v, rate, t)
        path.append(w.copy())
    return np.array(path)


# %% label="paths" alt="Three maps of a narrow valley. Plain steps with a small rate creep along its floor and stop halfway; with a large rate they jump from wall to wall; with momentum they swing past and arrive." caption="Forty steps in a valley a hundred times steeper across than along. The cross marks the lowest point." values="left_small left_momentum"
small_rate, large_rate = 0.005, 0.0195
x0, kept = (-0.8, 1.45), []
grid = np.stack(np.meshgrid(np.linspace(-1.1, 2, 200), np.linspace(0.4, 1.6, 100)), -1)
fig, axes = plt.subplots(3, 1, figsize=(5, 5.4), sharex=True)
for ax, rule, rate, name in zip(
    axes,
    (sgd, sgd, momentum),
    (small_rate, large_rate, small_rate),
    ("plain", "plain", "momentum"),
    strict=True,
):
    path = descend(rule, valley, x0, rate, 40)
    kept.append(float(valley(path[-1])[0]))
    ax.contour(
        *np.moveaxis(grid, -1, 0),
        valley(grid)[0],
        10.0 ** np.arange(-2, 2, 0.5),
        colors=GREY,
        linewidths=0.7,
    )
    ax.plot(*path.T, ".-", color=BLUE if rule is sgd else ORANGE, ms=5, lw=1)
    ax.plot(*best_place, "x", color=plot.INK, ms=9, mew=2)
    ax.set_title(f"{name}, η = {rate:g}: loss {kept[-1]:.2g}", loc="left")
axes[-1].set(xlabel="$x$")
left_small, left_large, left_momentum = kept
assert left_momentum < left_small / 3, (
    "At the same small rate, momentum gets farther down a valley."
)

# %% [markdown]
# How many steps does it take until the loss is below one millionth of the first, for good? Plain
# gradient descent and momentum, each with the best numbers that theory knows (Polyak, 1964).

# %% label="conditions" alt="Two lines on logarithmic axes: the steps of gradient descent rise in proportion to the condition number, those of momentum with its root." caption="Steps to a millionth of the first loss, worst of sixteen starts, with the best rate and momentum for each condition number." values="plain_100 heavy_100 plain_1000 heavy_1000"
angles = np.linspace(0, 2 * np.pi, 16, endpoint=False) + 0.1
ring = best_place + np.stack([np.cos(angles), np.sin(angles)], axis=-1)  # (16, 2)
conditions = np.array([10, 30, 100, 300, 1000])


def heavy(beta):
    """Return the rule of momentum with another share than 0.9."""

    def rule(w, g, m, v, rate, t):
        m *= beta
        m -= rate * g
        w += m

    return rule


def last_above(heights, goal):
    """Return after how many steps heights (steps, ...) are below a goal for good, or infinity."""
    above = ~(heights < goal)
    last = len(above) - np.argmax(above[::-1], axis=0)
    return np.where(above[-1], np.inf, np.where(above.any(axis=0), last, 0))


counts = {"gradient descent": [], "momentum": []}
for k in conditions:
    surface = partial(valley, k=k)
    root = np.sqrt(k)
    chosen = (sgd, 2 / (1 + k)), (heavy(((root - 1) / (root + 1)) ** 2), 4 / (1 + root) ** 2)
    for (rule, rate), found, steps in zip(
        chosen, counts.values(), (int(10 * k), int(60 * root)), strict=True
    ):
        heights = surface(descend(rule, surface, ring, rate, steps))[0]
        found.append(last_above(heights / heights[0], 1e-6).max())
slope_plain, slope_heavy = (
    float(np.polyfit(np.log(conditions[1:]), np.log(found[1:]), 1)[0]) for found in counts.values()
)
(plain_100, heavy_100), (plain_1000, heavy_1000) = (
    [found[i] for found in counts.values()] for i in (2, -1)
)
print(f"exponents {slope_plain:.2f} and {slope_heavy:.2f}")
assert 0.97 < slope_plain < 1.03
assert 8 < plain_1000 / plain_100 < 12, (
    "Gradient descent needs steps in proportion to the condition number."
)
assert heavy_1000 / heavy_100 < 5, (
    "Momentum gets by with steps in proportion to the root of the condition number."
)
assert 0.45 < slope_heavy < 0.6

fig, ax = plt.subplots(figsize=(5, 2.8))
for (name, found), style in zip(counts.items(), ("o-", "s--"), strict=True):
    ax.loglog(conditions, found, style, ms=5, label=name)
ax.set(xlabel="condition number", ylabel="steps")
ax.set_xticks([10, 100, 1000], ["10", "100", "1000"])
ax.set_yticks([10, 100, 1000], ["10", "100", "1000"])
ax.minorticks_off()
ax.legend()


# %% [markdown]
# ## All of them, each with its best rate
# Sixteen starts. Eight choose the rate, by their slowest; the other eight are reported.


# %% label="race" values="race_rates"
race_rates = 28


def heights_of(rule, surface, starts, steps):
    """Return the height after each step, at 28 rates and from 16 starts."""
    rates = 10 ** np.linspace(-4, 0.5, race_rates)
    places = np.repeat(starts[None], len(rates), axis=0)  # (rates, starts, 2)
    return surface(descend(rule, surface, places, rates[:, None, None], steps))[0]


def reported(took):
    """Return the steps (rates, starts) of half of the starts, at the rate that is best for the others."""
    slowest = took[:, :8].max(axis=1)
    return took[slowest.argmin(), 8:]


def first_below(heights, goal):
    """Return after how many steps heights (steps, ...) are below a goal once, or infinity."""
    below = heights < goal
    return np.where(below.any(axis=0), below.argmax(axis=0), np.inf)


def shown(took, steps):
    """Write counts of steps as their median and range, with a dash for starts that need more."""
    low, middle, high = (
        f"over {steps:,d}" if count == np.inf else f"{count:,.0f}"
        for count in (np.min(took), np.median(took), np.max(took))
    )
    return middle if low == high else f"{middle} ({low} to {high})"


# %% label="valleys" values="valley_sgd valley_momentum valley_rmsprop turned_rmsprop valley_adam turned_adam"
valley_steps = 600
rng = np.random.default_rng(0)
angles = rng.uniform(0, 2 * np.pi, 16)
around = best_place + np.stack([np.cos(angles), np.sin(angles)], axis=-1)
spun = best_place + (around - best_place) @ turn  # the same places, as seen from the valley
straight, slanted, fine = {}, {}, {}
for name, rule in RULES.items():
    heights = heights_of(rule, valley, around, valley_steps)
    straight[name] = reported(last_above(heights, 0.01))
    heights = heights_of(rule, turned, spun, valley_steps)
    slanted[name], fine[name] = (reported(last_above(heights, goal)) for goal in (0.01, 0.0001))
valley_sgd, valley_momentum, valley_nesterov, valley_rmsprop, valley_adam, _ = (
    float(np.median(took)) for took in straight.values()
)
turned_rmsprop, turned_adam = (float(np.median(slanted[n])) for n in ("RMSprop", "Adam"))
for name in ("SGD", "momentum", "Nesterov"):
    assert np.abs(straight[name] - slanted[name]).max() <= 1
assert valley_nesterov < min(valley_rmsprop, valley_adam) / 2
assert valley_momentum < 0.85 * valley_sgd
assert valley_rmsprop < 0.75 * valley_sgd < valley_sgd < turned_rmsprop, (
    "RMSprop gains in a valley along the axes, and loses in the same valley when it is turned."
)
assert valley_adam < turned_adam < 0.85 * valley_sgd, "Adam is faster than SGD in both valleys."
assert np.isinf(fine["RMSprop"]).all()
assert np.isfinite(fine["Adam"]).all()
assert np.isinf(fine["AdamW"]).all()
pd.DataFrame(
    {
        head: {name: shown(took, valley_steps) for name, took in found.items()}
        for head, found in (
            ("0.01, along the axes", straight),
            ("0.01, turned by 45°", slanted),
            ("0.0001, turned", fine),
        )
    }
)

# %% label="rosenbrock" values="bent_steps first_adam stay_adam stay_momentum"
bent_steps = 5000
starts = np.stack([rng.uniform(-1.5, 1.5, 16), rng.uniform(-0.5, 1.5, 16)], axis=-1)
first, stay, left_again = {}, {}, {}
for name, rule in RULES.items():
    heights = heights_of(rule, rosenbrock, starts, bent_steps)
    arrived, settled = (f(heights, 1e-3) for f in (first_below, last_above))
    first[name], stay[name] = reported(arrived), reported(settled)
    fastest = arrived[:, :8].max(axis=1).argmin()
    left_again[name] = settled[fastest, 8:]  # at the rate of `first`, not of `stay`
first_adam, first_momentum, stay_adam, stay_momentum = (
    float(np.median(found[name])) for found in (first, stay) for name in ("Adam", "momentum")
)
first_sgd = float(np.median(first["SGD"]))
assert first_adam < min(np.median(took) for name, took in first.items() if name != "Adam")
assert first_momentum < first_sgd / 2
assert np.median(left_again["Adam"]) > stay_adam
assert stay_momentum < stay_adam / 2, (
    "On Rosenbrock's function momentum settles long before Adam does."
)
pd.DataFrame(
    {
        head: {name: shown(took, bent_steps) for name, took in found.items()}
        for head, found in (("first time", first), ("for good", stay))
    }
)

# %% [markdown]
# ## On the digits
# Thirteen rates for each rule, on three starts; the best of them is judged on eight others.

# %% values="digit_rates digit_steps digit_starts slowest_over_fastest works_sgd works_adam accuracy_lowest accuracy_highest rate_sgd rate_adam"
digit_steps, digit_rates, digit_starts, goal = 240, 13, 8, 0.1
grid_rates = 10 ** np.linspace(-3, 1, digit_rates)
curves, tested, rights, best_rates, works = {}, {}, {}, {}, {}
for name, rule in RULES.items():
    w, took = train(rule, grid_rates, range(3), digit_steps, goal, every=10)
    curves[name] = cross_entropy(forward(w, images[watched])[1], answers[watched])[0]
    works[name] = int(np.isfinite(took).all(axis=1).sum())
    best = took.mean(axis=1).argmin()
    best_rates[name] = grid_rates[best]
    judges = range(10, 10 + digit_starts)
    _, took = train(rule, grid_rates[best : best + 1], judges, 2 * digit_steps, goal)
    w, _ = train(rule, grid_rates[best : best + 1], judges, digit_steps)
    tested[name], rights[name] = took[0], accuracy(w)[0]
means = [took.mean() for took in tested.values()]
slowest_steps, fastest_steps = max(means), min(means)
slowest_over_fastest = slowest_steps / fastest_steps
accuracies = [right.mean() for right in rights.values()]
accuracy_lowest, accuracy_highest = min(accuracies), max(accuracies)
works_sgd, works_adam = works["SGD"], works["Adam"]
rate_sgd, rate_adam = float(best_rates["SGD"]), float(best_rates["Adam"])
assert slowest_over_fastest < 2.5, (
    "With their best rates, the optimizers need similar numbers of steps on the digits."
)
assert accuracy_lowest > 0.9
assert works_adam > works_sgd, (
    "Within equally many steps, more learning rates work for Adam than for SGD."
)
assert rate_adam < rate_sgd / 5

# %% label="digits"
pd.DataFrame(
    {
        "best rate": {name: f"{rate:.2g}" for name, rate in best_rates.items()},
        "steps": {n: f"{t.mean():.0f} ({t.min():.0f} to {t.max():.0f})" for n, t in tested.items()},
        "rates that work": works,
        "test accuracy": {
            n: f"{r.mean():.1%} ({r.min():.1%} to {r.max():.1%})" for n, r in rights.items()
        },
    }
)

# %% label="rates" alt="Six curves over the learning rate, each like a U. Those of RMSprop, Adam and AdamW lie at rates about ten times smaller. The lowest points are about equally low." caption="The training loss after 240 steps, mean of three starts. Dotted: the goal of the table." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.2))
for (name, ends), mark in zip(curves.items(), plot.MARKERS, strict=False):
    ax.loglog(grid_rates, ends.mean(axis=1), marker=mark, ms=4, label=name)
ax.axhline(goal, color=plot.INK, linestyle=":", linewidth=1)
ax.set(xlabel="learning rate", ylabel="training loss", ylim=(0.02, 10))
ax.set_xticks([0.001, 0.01, 0.1, 1, 10], ["0.001", "0.01", "0.1", "1", "10"])
ax.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
ax.minorticks_off()
fig.legend(loc="outside upper left", ncols=3)

# %% [markdown]
# ## Decay, or a penalty
# Pixels that are blank in all images have no slope: nothing but the price on weights moves their
# weights. AdamW shrinks them a little in each step. A penalty in the loss gives Adam a tiny slope,
# and Adam makes a full step of it.

# %% label="decay" values="decay_steps blank decay_left penalty_left"
blank = int(np.sum(~images.any(axis=0)))
decay_rate_used, decay_steps = 0.01, 200
left = {}
for name, penalty in ("AdamW", 0), ("Adam with a penalty", 0.004):
    rule = adamw if name == "AdamW" else adam
    w = start(0)
    before = next(layers(w))[0][~images.any(axis=0)].copy()
    m, v, rng = np.zeros_like(w), np.zeros_like(w), np.random.default_rng(0)
    for t in range(1, decay_steps + 1):
        rows = rng.choice(training, 32)
        g = gradient(w, images[rows], answers[rows])[1] + penalty * w
        rule(w, g, m, v, decay_rate_used, t)
    after = next(layers(w))[0][~images.any(axis=0)]
    left[name] = float(np.linalg.norm(after) / np.linalg.norm(before))
decay_left, penalty_left = left.values()
print({name: f"{share:.3f}" for name, share in left.items()})
assert np.isclose(decay_left, (1 - decay_rate_used * 0.004) ** decay_steps, atol=1e-4), (
    "AdamW's decay shrinks all weights by the same small share."
)
assert penalty_left < 0.2, "With Adam, a penalty in the loss erases weights that hardly matter."

# %% [markdown]
# ## Schedules
# The lowest point is 0, and each slope $w$ comes with an error of variance 1.


# %% label="floor" values="floor_large floor_theory"
floor_steps, noisy = 400, 2000
rng = np.random.default_rng(0)
errors = rng.normal(size=(floor_steps, noisy))
noisy_rates = {
    "η = 0.5": np.full(floor_steps, 0.5),
    "η = 0.05": np.full(floor_steps, 0.05),
    "η = 1 / t": 1 / np.arange(1, floor_steps + 1),
}
floors = {}
for name, rates in noisy_rates.items():
    w, found = np.full(noisy, 3.0), []
    for rate, e in zip(rates, errors, strict=True):
        w = w - rate * (w + e)
        found.append(np.mean(w**2) / 2)
    floors[name] = np.array(found)
assert np.allclose(w, -errors.mean(axis=0))  # with 1 / t, the average of all that was seen
floor_large, floor_small, floor_decay = (float(np.mean(f[-50:])) for f in floors.values())
floor_theory = 0.5 / (2 * (2 - 0.5))
print(f"{floor_large:.3f} (theory {floor_theory:.3f}), {floor_small:.4f}, {floor_decay:.4f}")
assert np.isclose(floor_large, floor_theory, rtol=0.05), (
    "With a constant rate, noise keeps the loss at the floor that theory gives."
)
assert np.isclose(floor_small, 0.05 / (2 * (2 - 0.05)), rtol=0.05)
assert floor_decay < floor_small / 5

# %% label="schedules" values="schedule_steps schedule_starts tops_large error_best_constant error_best_cosine gain_low gain_high warm_low warm_high"
schedule_steps, schedule_starts, tops = 400, 12, (0.03, 0.1, 0.4)
tops_large = tops[-1]


def schedule(kind, top):
    """Return the rate at each step."""
    if kind == "constant":
        return np.full(schedule_steps, top)
    decay = keras.optimizers.schedules.CosineDecay
    if kind == "cosine":
        rate = decay(top, schedule_steps)
    else:
        rate = decay(0.0, schedule_steps - 40, warmup_target=top, warmup_steps=40)
    return np.array([float(rate(step)) for step in range(schedule_steps)])


wrong = {}
for kind in ("constant", "cosine", "warm-up and cosine"):
    w, _ = train(
        momentum,
        [schedule(kind, top) for top in tops],
        range(20, 20 + schedule_starts),
        schedule_steps,
    )
    wrong[kind] = 1 - accuracy(w)  # (rates, starts)


def interval(differences):
    """Return a 95% interval of the mean, in percentage points."""
    reach = t_distribution.ppf(0.975, len(differences) - 1) * differences.std(ddof=1)
    middle, reach = differences.mean(), reach / np.sqrt(len(differences))
    return 100 * float(middle - reach), 100 * float(middle + reach)


gain_low, gain_high = interval(wrong["constant"][2] - wrong["cosine"][2])
warm_low, warm_high = interval(wrong["warm-up and cosine"][2] - wrong["cosine"][2])
error_constant, error_cosine = wrong["constant"][2].mean(), wrong["cosine"][2].mean()
error_best_constant, error_best_cosine = (
    wrong[kind].mean(axis=1).min() for kind in ("constant", "cosine")
)
print(f"constant minus cosine: {gain_low:.1f} to {gain_high:.1f} points")
print(f"with minus without warm-up: {warm_low:.1f} to {warm_high:.1f} points")
assert error_cosine < error_constant
assert gain_low > 1, "A cosine makes a large learning rate usable."
assert warm_low < 0 < warm_high
assert error_best_cosine < error_best_constant + 0.002
pd.DataFrame(
    {
        f"largest rate {top:g}": {k: f"{e[i].mean():.1%}" for k, e in wrong.items()}
        for i, top in enumerate(tops)
    }
)

# %% label="noise" alt="Left: three rates over the steps: constant, half a cosine, and a short rise before it. Right: with a large constant rate the loss stops high, with a small one it falls slowly and stops lower, with a falling rate it goes on falling." caption="Left: three schedules. Right: the mean loss of 2,000 runs on a bowl with noisy slopes. Dotted: where theory says that the large rate stops." tags=["remove-input"]
fig, (left, right) = plt.subplots(1, 2, figsize=(5, 3))
for kind in wrong:
    left.plot(schedule(kind, tops_large), label=kind)
left.set(xlabel="step", ylabel="learning rate")
left.legend(loc="lower left", bbox_to_anchor=(-0.2, 1))
for name, found in floors.items():
    right.loglog(np.arange(1, floor_steps + 1), found, label=name)
right.axhline(floor_theory, color=plot.INK, linestyle=":", linewidth=1)
right.set(xlabel="step", ylabel="loss")
right.set_xticks([1, 10, 100], ["1", "10", "100"])
right.set_yticks([1, 0.1, 0.01], ["1", "0.1", "0.01"])
right.minorticks_off()
right.legend(loc="lower left", bbox_to_anchor=(0, 1))

# %% [markdown]
# ## Clipping
# A number that is multiplied by itself twenty times, as in a network that applies one layer again and
# again. The loss is $(w^{20} - 0.5)^2$.


# %% label="cliff" values="cliff_slope cliff_pairs cliff_plain cliff_clipped flat_plain flat_clipped"
def cliff(w):
    return (w**20 - 0.5) ** 2, 40 * (w**20 - 0.5) * w**19


def arrivals(starts, limit, steps=2000):
    """Return which pairs of rate and start end at a loss below 0.01."""
    rates = 10 ** np.arange(-4, -0.9, 0.5)[:, None]
    w = np.repeat(starts[None], len(rates), axis=0)
    for _ in range(steps):
        w = w - rates * np.clip(cliff(w)[1], -limit, limit)
    return cliff(w)[0] < 0.01


steep, flat = np.linspace(1.05, 1.4, 8), np.linspace(0.1, 0.5, 8)
cliff_slope = float(cliff(1.3)[1])
cliff_plain, cliff_clipped, flat_plain, flat_clipped = (
    int(arrivals(starts, limit).sum()) for starts in (steep, flat) for limit in (np.inf, 1.0)
)
cliff_pairs = arrivals(steep, 1.0).size
print(f"from above: {cliff_plain} and {cliff_clipped} of {cliff_pairs}; ", end="")
print(f"from below: {flat_plain} and {flat_clipped}")
assert cliff_clipped > 4 * cliff_plain, (
    "Clipping lets descents arrive that would leap from a cliff."
)
assert flat_plain == flat_clipped == 0, "Clipping does not help where the slope vanishes."

# %% label="clipping" alt="A loss that is flat on the left, has its lowest point near 0.97, and rises like a wall on the right. From a point on the wall, the clipped steps walk down to the lowest point; the first unclipped step leaves the picture." caption="The loss $(w^{20} - 0.5)^2$. With the rate 0.01, the first plain step from 1.12 leaves the picture to the left; clipped, it walks down." tags=["remove-input"]
line = np.linspace(0.4, 1.15, 300)
fig, ax = plt.subplots(figsize=(5, 2.6))
ax.plot(line, cliff(line)[0], color=GREY, linestyle="-")
walk = [1.12]
for _ in range(20):
    walk.append(walk[-1] - 0.01 * np.clip(cliff(walk[-1])[1], -1, 1))
ax.plot(walk, cliff(np.array(walk))[0], "o", color=BLUE, ms=4)
ax.text(1.05, 22, "clipped", color=BLUE, ha="right")
ax.annotate(
    "plain",
    (0.42, cliff(1.12)[0]),
    (1.11, cliff(1.12)[0]),
    color=ORANGE,
    va="center",
    ha="right",
    arrowprops={"arrowstyle": "->", "color": ORANGE},
)
ax.set(xlabel="$w$", ylabel="loss")

# %% [markdown]
# ## The edge of stability
# Plain gradient descent on all of 200 images, with the squared error. Every forty steps we measure
# the largest curvature: the slope's change along the direction in which it changes most.


# %% label="sharpness" values="edge_images"
def squared(z, y):
    """Return the mean squared error of each network, and its slopes along the outputs."""
    e = z - y
    return np.mean(e**2, axis=(-1, -2)), 2 * e / (z.shape[-1] * z.shape[-2])


deep = (64, 32, 32, 10)
edge_images = 200
some = training[:edge_images]
some_x, some_y = images[some].astype("float64"), answers[some].astype("float64")


def slopes(w):
    return gradient(w, some_x, some_y, squared, deep)[1]


def sharpness(w, direction, turns=4):
    """Return the largest curvature and its direction, by repeated multiplication."""
    for _ in range(turns):
        direction = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
        change = (slopes(w + 1e-4 * direction) - slopes(w - 1e-4 * direction)) / 2e-4
        curvature = np.sum(direction * change, axis=-1)
        direction = change
    return curvature, direction


# %% label="edge-run" values="edge_rate calm_rate edge_limit edge_low edge_high edge_rises edge_first calm_low calm_high"
edge_steps, calm_rate, edge_rate = 1000, 0.1, 0.5
edge_limit = 2 / edge_rate
rates = np.array([calm_rate, edge_rate])[:, None, None]
w = np.array([[start(seed, deep) for seed in range(3)]] * 2, "float64")
_, direction = sharpness(w, np.random.default_rng(0).normal(size=w.shape), 20)
losses, sharp = [], []
for step in range(edge_steps + 1):
    value, g = gradient(w, some_x, some_y, squared, deep)
    losses.append(value)
    if step % 40 == 0:
        curvature, direction = sharpness(w, direction)
        sharp.append(curvature)
    w -= rates * g
losses, sharp = np.array(losses), np.array(sharp)  # (steps, rates, starts)
calm_sharp, edge_sharp = sharp[13:].mean(axis=0)  # (starts,) each, over the later half
calm_low, calm_high = float(calm_sharp.min()), float(calm_sharp.max())
edge_low, edge_high = float(edge_sharp.min()), float(edge_sharp.max())
edge_first = float(sharp[0, 1].min())
rises = np.mean(np.diff(losses[500:], axis=0) > 0, axis=0)
edge_rises = float(rises[1].mean())
calm_loss, edge_loss = (float(x) for x in losses[-1].mean(axis=1))
lowest = sharp[:13, 1].min(axis=0)  # (starts,), of the first half
print(f"sharpness {calm_low:.2f} to {calm_high:.2f}, and {edge_low:.2f} to {edge_high:.2f}")
print(f"the loss rises in {rises[0].max():.0%} and {edge_rises:.0%} of the later steps")
assert 0.95 * edge_limit < edge_low < edge_high < 1.06 * edge_limit, (
    "The sharpness settles at two divided by the learning rate."
)
assert edge_first > 1.5 * edge_limit > 1.5 * lowest.max()  # down from above, and back up
assert calm_low > 1.05 * edge_high, (
    "With the same starts and a smaller rate, the sharpness stays higher."
)
assert calm_high < 0.6 * 2 / calm_rate
assert np.all(np.diff(losses[:, 0], axis=0) < 0)
assert edge_rises > 0.03, "At the edge of stability, the loss rises in some steps."
assert edge_loss < calm_loss < losses[0].min() / 3

# %% label="edge" alt="Left: with the rate 0.5, the sharpness of three networks falls below the dotted line, climbs back to it and stays there; with the rate 0.1 it stays higher than that. Right: with the larger rate the loss trembles and is lower." caption="Three starts at two rates. Dotted: 2/η for the larger rate; for the smaller it is 20, outside the picture." tags=["remove-input"]
fig, (left, right) = plt.subplots(1, 2, figsize=(5, 3))
for i, (rate, color, style) in enumerate(((calm_rate, BLUE, "-"), (edge_rate, ORANGE, "--"))):
    for j in range(3):
        label = f"η = {rate:g}" if j == 0 else None
        left.plot(
            np.arange(len(sharp)) * 40, sharp[:, i, j], style, color=color, lw=1.2, label=label
        )
        right.semilogy(losses[:, i, j], style, color=color, lw=0.8)
left.axhline(edge_limit, color=plot.INK, linestyle=":")
left.set(xlabel="step", ylabel="sharpness", ylim=(0, None))
right.set(xlabel="step", ylabel="loss")
right.set_yticks([0.01, 0.1], ["0.01", "0.1"])
right.minorticks_off()
fig.legend(loc="outside upper left", ncols=2)

# %% [markdown]
# ## The library's optimizers
# Fifty steps of each rule by hand and by `keras.optimizers`, from the same weights with the same
# batches.


# %% label="library" values="library_gap"
def library():
    """Return the library's optimizers, with the numbers of the rules above."""
    made = keras.optimizers
    return {
        "SGD": made.SGD(0.3),
        "momentum": made.SGD(0.1, momentum=0.9),
        "Nesterov": made.SGD(0.1, momentum=0.9, nesterov=True),
        "RMSprop": made.RMSprop(0.01),
        "Adam": made.Adam(0.01),
        "AdamW": made.AdamW(0.01),
    }


def gaps(steps=50):
    """Return for each rule how far the library's weights end from ours."""
    found = {}
    for name, optimizer in library().items():
        dense = [keras.layers.Dense(32, activation="tanh"), keras.layers.Dense(10)]
        model = keras.Sequential([keras.Input((64,)), *dense])
        model.compile(optimizer, keras.losses.CategoricalCrossentropy(from_logits=True))
        w = start(0)
        model.set_weights([part.copy() for W, b in layers(w) for part in (W, b[0])])
        m, v, rng = np.zeros_like(w), np.zeros_like(w), np.random.default_rng(0)
        rate = np.float32(optimizer.learning_rate)
        for t in range(1, steps + 1):
            rows = rng.choice(training, 32)
            RULES[name](w, gradient(w, images[rows], answers[rows])[1], m, v, rate, t)
            model.train_on_batch(images[rows], answers[rows])
        theirs = np.concatenate([np.ravel(part) for part in model.get_weights()])
        found[name] = float(np.abs(theirs - w).max())
    return found


library_gaps = gaps()
library_gap = max(library_gaps.values())
print({name: f"{gap:.0e}" for name, gap in library_gaps.items()})
assert library_gap < 1e-4, "The library's optimizers take the steps of the short rules."

# %% [markdown]
# ## The same in Keras
# From here on, `keras` is Keras itself, and the functions above use its optimizers and schedules.

# %% label="agreement" values="keras_gap"
ours = {kind: schedule(kind, tops_large) for kind in wrong}

import keras

keras_gaps = gaps()
keras_gap = max(keras_gaps.values())
schedule_gap = max(float(np.abs(schedule(kind, tops_large) - ours[kind]).max()) for kind in wrong)
print({name: f"{gap:.0e}" for name, gap in keras_gaps.items()})
print(f"schedules: {schedule_gap:.0e}")
assert keras_gap < 1e-3, "Keras's optimizers take the same steps."
assert schedule_gap < 1e-6

# %% [markdown]
# ## Solutions to the exercises
# **Exercise 1.** Adam without its corrections.


# %% label="exercise-1" tags=["solution"]
def uncorrected(w, g, m, v, rate, t):
    m += 0.1 * (g - m)
    v += 0.001 * (g**2 - v)
    w -= rate * m / (np.sqrt(v) + 1e-7)


lengths, means = [], []
for rule in (adam, uncorrected):
    w, m, v = np.zeros(1), np.zeros(1), np.zeros(1)
    rule(w, np.array([2.0]), m, v, 0.01, 1)
    lengths.append(-float(w[0]))
    _, took = train(rule, [0.01, 0.03, 0.1], range(10, 14), 600, 0.1)
    means.append(took.mean(axis=1))
    print(f"first step {lengths[-1]:.3f}; steps to a loss of 0.1: {means[-1].round()}")
assert np.isclose(lengths[1] / lengths[0], 0.1 / 0.001**0.5, rtol=1e-3)
assert means[1][0] < means[0][0]
assert means[1][2] > means[0][2]
t = np.arange(1, 1001)
longer = (1 - 0.9**t) / np.sqrt(1 - 0.999**t)
for step in (0, longer.argmax(), 999):
    print(f"step {t[step]}: {longer[step]:.1f} times as long")
assert 6 < longer.max() < 7
assert longer[999] < 1.3

# %% [markdown]
# **Exercise 2.** RMSprop with a rate that falls from the first step to the last.

# %% label="exercise-2" tags=["solution"]
w = np.repeat(spun[None], 4, axis=0)  # (rates, starts, 2)
m, v, firsts = np.zeros_like(w), np.zeros_like(w), np.array([0.003, 0.01, 0.03, 0.1])[:, None, None]
for t in range(1, valley_steps + 1):
    rmsprop(w, turned(w)[1], m, v, firsts * (1 - t / valley_steps), t)
ends = turned(w)[0].max(axis=1)
print("highest loss at the end:", ", ".join(f"{end:.0e}" for end in ends))
assert ends.min() < 1e-4

# %% [markdown]
# **Exercise 3.** Where a constant rate stops.

# %% label="exercise-3" tags=["solution"]
rate, w, found = 0.04 / 1.02, np.full(noisy, 3.0), []
for e in np.random.default_rng(1).normal(size=(600, noisy)):
    w = w - rate * (w + e)
    found.append(np.mean(w**2) / 2)
print(f"η = {rate:.4f}: theory {rate / (2 * (2 - rate)):.4f}, run {np.mean(found[-100:]):.4f}")
assert np.isclose(np.mean(found[-100:]), 0.01, rtol=0.05)

# %% [markdown]
# **Exercise 4.** Batch size and rate, in proportion or not.

# %% label="exercise-4" tags=["solution"]
ends = {}
for size in (8, 32, 128):
    rates = [0.05, 0.05 * size / 8]
    w, _ = train(sgd, rates, range(10, 14), 4096 // size, size=size)
    ends[size] = cross_entropy(forward(w, images[watched])[1], answers[watched])[0].mean(axis=1)
    same, scaled = ends[size]
    print(f"batches of {size}: loss {same:.2f} with the same rate, {scaled:.2f} in proportion")
assert abs(ends[32][1] / ends[8][1] - 1) < 0.2
assert ends[32][0] > 1.3 * ends[8][0]

# %%
plt.show()
