# %% [markdown]
# # Gradients
# Ten layers, and one question about each of their weights: would the loss rise or fall if this
# number grew a little? This script answers it in four ways and compares the answers. The chapter
# [Gradients](../../foundations/gradients.md) tells the story.
#
# The first half runs on NumPy and `labkit`, the book's library. The second half asks Keras and
# TensorFlow, and asserts that the slopes agree.

# %%
import time
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import labkit as keras
from labkit import datasets, plot

plot.set_theme()
keras.config.set_floatx("float64")  # so that slopes can be compared to 15 digits
BLUE, ORANGE, GREEN, GREY = (plot.COLORS[name] for name in ("blue", "orange", "green", "grey"))

# %% [markdown]
# ## The loss, as a function of the weights
# Images of digits go through ten dense layers. The weights are one list: a matrix and a vector for
# each layer.

# %% label="network" values="layers batch"
digits = datasets.load_digits()
images, answers = digits.data / 16, np.eye(10)[digits.target]  # (1797, 64), (1797, 10)
sizes = [64, *[32] * 9, 10]
layers, batch = len(sizes) - 1, 32
some_x, some_y = images[:batch], answers[:batch]


def start(seed):
    """Return first weights: Glorot's variance for the matrices, zeros for the biases."""
    rng, weights = np.random.default_rng(seed), []
    for d, u in pairwise(sizes):
        weights += [rng.normal(0, np.sqrt(2 / (d + u)), (d, u)), np.zeros(u)]
    return weights


# %% label="loss"
def loss(weights, x=some_x, y=some_y):
    """Return the mean cross-entropy of tanh layers with a softmax at the end."""
    h = x
    for W, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):  # hidden layers
        h = np.tanh(h @ W + b)  # (batch, units)
    z = h @ weights[-2] + weights[-1]  # (batch, 10)
    log_sum = np.logaddexp.reduce(z, axis=1, keepdims=True)  # ln(e^z1 + e^z2 + ...)
    return np.sum(y * (log_sum - z)) / len(y)  # the mean of -ln p


# %% values="parameters loss_start"
weights = start(seed=0)
parameters = sum(w.size for w in weights)
loss_start = float(loss(weights))
print(f"{parameters:,d} weights, loss {loss_start:.3f}")
assert parameters == 10858
assert 2 < loss_start < 3  # about ln 10, that of ten equal probabilities


# %% [markdown]
# ## Nudge each weight
# The slope along a weight, from the loss a little above it and a little below it.


# %% label="nudge"
def nudge(weights, epsilon=1e-5):
    """Return the slope of the loss along each weight, from two losses for each."""
    slopes = []
    for w in weights:
        slope = np.zeros_like(w)
        for place in np.ndindex(w.shape):
            kept = w[place]
            w[place] = kept + epsilon
            above = loss(weights)
            w[place] = kept - epsilon
            below = loss(weights)
            w[place] = kept
            slope[place] = (above - below) / (2 * epsilon)
        slopes.append(slope)
    return slopes


# %% values="nudge_seconds"
def flat(arrays):
    """Return the numbers of all arrays in one row."""
    return np.concatenate([array.ravel() for array in arrays])


began = time.process_time()  # of the processor: what else runs on the machine does not count
nudged = nudge(weights)
nudge_seconds = time.process_time() - began
print(f"{parameters:,d} slopes in {nudge_seconds:.1f} s")

# %% label="slopes" alt="Three curves of the loss cross at a change of zero. One rises there, one falls, one is nearly level; a short straight line touches each." caption="The loss of the same network as one weight changes and all others stay. All three curves pass through the present loss. The straight lines have the slopes there." tags=["remove-input"]
changes = np.linspace(-1.5, 1.5, 61)
places = [(which, place) for which, w in enumerate(weights) for place in np.ndindex(w.shape)]
order = np.argsort(flat(nudged))
level = np.argsort(np.abs(flat(nudged)))[parameters // 2]
fig, ax = plt.subplots()
for number, color in (order[-1], ORANGE), (level, GREY), (order[0], BLUE):
    which, place = places[number]
    curve = []
    for change in changes:
        changed = [w.copy() for w in weights]
        changed[which][place] += change
        curve.append(loss(changed))
    slope, touch = flat(nudged)[number], np.array([-0.6, 0.6])
    label = f"weight {number + 1:,d}: slope {slope:+.3f}".replace("-", "−")
    ax.plot(changes, curve, color=color, label=label)
    ax.plot(touch, loss_start + slope * touch, "-", color=color, linewidth=5, alpha=0.35)
ax.plot(0, loss_start, "o", color=plot.INK)
ax.set(xlabel="change of one weight", ylabel="loss")
ax.legend(loc="upper center")

# %% [markdown]
# ## Downhill
# A small step against the gradient, and as long a step in 500 random directions.


# %% label="steepest" values="directions step_length fall_gradient fall_random share_random"
def moved(weights, direction, length):
    """Return weights that have moved a length in a direction, given as one row of numbers."""
    step = length * direction / np.linalg.norm(direction)
    ends = np.cumsum([w.size for w in weights])[:-1]
    parts = np.split(step, ends)
    return [w + part.reshape(w.shape) for w, part in zip(weights, parts, strict=True)]


directions, step_length = 500, 0.01
rng = np.random.default_rng(0)
fall_gradient = float(loss_start - loss(moved(weights, -flat(nudged), step_length)))
falls = [
    loss_start - loss(moved(weights, rng.normal(size=parameters), step_length))
    for _ in range(directions)
]
fall_random = float(max(falls))
share_random = fall_random / fall_gradient
print(f"loss falls by {fall_gradient:.4f}, at best by {fall_random:.4f} in a random direction")
assert 0 < share_random < 0.1, (
    "The best of 500 random steps gains less than a tenth of the step against the gradient."
)
predicted = step_length * np.linalg.norm(flat(nudged))
assert abs(fall_gradient / predicted - 1) < 0.1

# %% [markdown]
# On the bowl $\frac12 (x^2 + y^2)$ the gradient is $(x, y)$, so a step multiplies the place by
# $1 - \eta$: it arrives for rates below 2 and diverges above.

# %%
for rate, arrives in (0.1, True), (1.9, True), (2.0, False), (2.1, False):
    place = np.array([-1.6, 1.2])  # 2 from the bottom
    for _ in range(200):
        place = place - rate * place
    assert (np.linalg.norm(place) < 1e-6) == arrives

# %% [markdown]
# ## Backpropagation
# The same slopes, from one pass forward and one pass back.


# %% label="backpropagate"
def backpropagate(weights, x=some_x, y=some_y):
    """Return the slopes of the loss along all weights, from one walk back."""
    inputs = [x]  # of each layer
    for W, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        inputs.append(np.tanh(inputs[-1] @ W + b))
    z = inputs[-1] @ weights[-2] + weights[-1]  # (batch, 10)
    p = np.exp(z - np.logaddexp.reduce(z, axis=1, keepdims=True))  # softmax

    slopes = []
    dz = (p - y) / len(y)  # (batch, 10)
    for W, h in zip(weights[-2::-2], inputs[::-1], strict=True):  # last layer first
        slopes = [h.T @ dz, dz.sum(axis=0), *slopes]  # along W and b
        dh = dz @ W.T  # (batch, inputs of the layer)
        dz = dh * (1 - h**2)  # h is a tanh (or, at the end, the image: not used)
    return slopes


# %% values="nudge_gap"
def gap(ours, theirs):
    """Return the largest difference of two gradients, as a share of the largest slope."""
    return float(np.abs(flat(ours) - flat(theirs)).max() / np.abs(flat(theirs)).max())


slopes = backpropagate(weights)
nudge_gap = gap(nudged, slopes)
print(f"differences from the nudged slopes: at most {nudge_gap:.0e} of the largest slope")
assert nudge_gap < 1e-7, "Nudging every weight gives the slopes of backpropagation."


# %% [markdown]
# The library's own layers agree. A step of `SGD` with the rate 1 moves the weights by exactly the
# gradient, so the difference of the weights shows it.


# %% label="library" values="library_gap"
def build():
    """Return the network as a Keras model, with the same weights."""
    hidden = [keras.layers.Dense(u, activation="tanh") for u in sizes[1:-1]]
    model = keras.Sequential([keras.Input((64,)), *hidden, keras.layers.Dense(10)])
    model.set_weights(weights)
    return model


def step_taken():
    """Return what one step of gradient descent with the rate 1 subtracts from the weights."""
    model = build()
    cross_entropy = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(1.0), cross_entropy)
    model.train_on_batch(some_x, some_y)
    return [w - after for w, after in zip(weights, model.get_weights(), strict=True)]


library_gap = gap(step_taken(), slopes)
print(f"{library_gap:.0e}")
assert library_gap < 1e-12, "labkit's layers give the same slopes as the walk back by hand."

# %% [markdown]
# ## How small a nudge?
# Twenty weights, and their slopes from nudges of many sizes. The exact slopes are those of
# backpropagation.

# %% label="quotient" values="best_central best_central_error best_one best_one_error best_single_error tiny_error"
chosen = np.random.default_rng(1).choice(weights[2].size, 20, replace=False)  # second layer
true = slopes[2].ravel()[chosen]
nudges = 10.0 ** np.arange(0, -13, -0.5)


def errors(epsilon, back, dtype="float64"):
    """Return the median relative error of the slopes from w - back to w + epsilon."""
    x, y, found = some_x.astype(dtype), some_y.astype(dtype), []
    for place in chosen:
        here = [w.astype(dtype) for w in weights]
        row = here[2].ravel()  # a view
        kept = row[place]
        row[place] = kept + epsilon
        above = loss(here, x, y)
        row[place] = kept - back
        found.append(float(above - loss(here, x, y)) / (epsilon + back))
    return float(np.median(np.abs(found / true - 1)))


curves = {
    "one-sided": [errors(epsilon, 0) for epsilon in nudges],
    "central": [errors(epsilon, epsilon) for epsilon in nudges],
    "central, 32 bits": [errors(epsilon, epsilon, "float32") for epsilon in nudges],
}
best_one, best_central = (nudges[np.argmin(curves[kind])] for kind in ("one-sided", "central"))
best_one_error, best_central_error, best_single_error = (min(found) for found in curves.values())
tiny_error = curves["central"][-1]  # epsilon = 10^-12.5
for kind, found in curves.items():
    print(f"{kind}: best error {min(found):.0e}, at {nudges[np.argmin(found)]:.0e}")
assert 1e-10 < best_one < 1e-6
assert 1e-7 < best_central < 1e-3
assert best_central_error < 1e-8 < best_single_error, (
    "Central differences get eight digits right with 64 bits, and never with 32."
)
assert best_central_error < best_one_error / 10, (
    "A central difference is more exact than a one-sided one."
)
assert tiny_error > 1e4 * best_central_error, (
    "If the nudge is too small, rounding spoils the slope."
)

# %% label="nudges" alt="Three V-shaped curves on logarithmic axes. As the nudge shrinks the error falls, then rises again; central differences reach far lower than one-sided ones, and 32-bit numbers stay high." caption="The error of a slope from nudges of a size (median of twenty weights). Right: the nudge is too large, and the curve bends. Left: too small, and rounding takes over." tags=["remove-input"]
fig, ax = plt.subplots()
for kind, found in curves.items():
    ax.loglog(nudges, found, label=kind)
ax.set(xlabel="size of the nudge, ε", ylabel="relative error of the slope")
ax.xaxis.set_major_formatter("{x:.0e}")
ax.yaxis.set_major_formatter("{x:.0e}")
ax.legend(loc="lower left")

# %% [markdown]
# ## A tape
# NumPy hands each operation on a `Variable` to `__array_ufunc__`, which writes it down. Read
# backwards, the list gives the slopes. The table has one line for each operation.


# %% label="tape"
RULES = {  # from the slope s along y = operation(a, b), the slopes along a and b
    "add": lambda s, y, a, b: (s, s),
    "subtract": lambda s, y, a, b: (s, -s),
    "negative": lambda s, y, a: (-s,),
    "multiply": lambda s, y, a, b: (s * b, s * a),
    "divide": lambda s, y, a, b: (s / b, -s * a / b**2),
    "matmul": lambda s, y, a, b: (s @ b.T, a.T @ s),
    "square": lambda s, y, a: (2 * s * a,),
    "exp": lambda s, y, a: (s * y,),
    "log": lambda s, y, a: (s / a,),
    "tanh": lambda s, y, a: (s * (1 - y**2),),
    "maximum": lambda s, y, a, b: (s * (a > b), s * (a <= b)),
    "add.reduce": lambda s, y, a: (np.broadcast_to(s, a.shape),),
    "logaddexp.reduce": lambda s, y, a: (s * np.exp(a - y),),
}


class Variable(np.lib.mixins.NDArrayOperatorsMixin):
    """An array whose operations are written on a tape."""

    def __init__(self, value, tape):
        self.value, self.tape = np.asarray(value, "float64"), tape
        self.slope = np.zeros_like(self.value)

    def __array_ufunc__(self, operation, method, *inputs, **options):
        values = [getattr(x, "value", x) for x in inputs]
        y = Variable(getattr(operation, method)(*values, **options), self.tape)
        name = operation.__name__ + ("" if method == "__call__" else f".{method}")
        self.tape.append((name, y, inputs, values))
        return y


def backward(result):
    """Fill the slope of every variable that took part in a result."""
    result.slope = np.ones_like(result.value)
    for name, y, inputs, values in reversed(result.tape):
        slopes = RULES[name](y.slope, y.value, *values)
        for x, slope in zip(inputs, slopes, strict=True):
            if isinstance(x, Variable):
                x.slope = x.slope + fold(slope, x.value.shape)


def fold(slope, shape):
    """Add up the slopes of a number that broadcasting has copied."""
    slope = slope.sum(axis=tuple(range(slope.ndim - len(shape))))
    copied = tuple(i for i, size in enumerate(shape) if size == 1)
    return slope.sum(axis=copied, keepdims=True)


# %% label="use"
def gradient(function, weights):
    """Return the slope of a function along each of its weights."""
    tape = []
    variables = [Variable(w, tape) for w in weights]
    backward(function(variables))
    return [variable.slope for variable in variables]


# %% values="tape_gap"
taped = gradient(loss, weights)
tape_gap = gap(taped, slopes)
print(f"differences from backpropagation by hand: {tape_gap:.0e}")
assert tape_gap < 1e-13, "A tape of some 40 lines gives the slopes of backpropagation."

# %% [markdown]
# Every rule of the table, against nudges.

# %%
one, other = np.array([[0.3, 1.2, 0.7]]), np.array([[0.9], [0.4]])  # broadcast to (2, 3)
uses = [
    lambda a, b: np.sum(np.square(a + b) - a / b),
    lambda a, b: np.sum(np.exp(-a) * np.log(b)),
    lambda a, b: np.sum(np.maximum(a, b) * np.tanh(b @ a)),
    lambda a, b: np.sum(np.logaddexp.reduce(a * b, axis=1, keepdims=True)),
]
for function in uses:
    found = gradient(lambda pair, function=function: function(*pair), [one, other])
    for which, array in enumerate([one, other]):
        for place in np.ndindex(array.shape):
            nudge_by = np.zeros_like(array)
            nudge_by[place] = 1e-5
            up, down = [one, other], [one, other]
            up[which], down[which] = array + nudge_by, array - nudge_by
            slope = (function(*up) - function(*down)) / 2e-5
            assert abs(found[which][place] - slope) < 1e-8

# %% [markdown]
# ## The chain rule on two small graphs
# A number that is used twice, and a single neuron.

# %% label="paths-values" values="path_w path_h path_a path_c path_loss slope_w slope_h slope_a slope_c"
tape = []
w = Variable(0.5, tape)
h = 2 * w
a, c = 3 * h, -h
result = a + np.square(c)
backward(result)
path_w, path_h, path_a, path_c, path_loss = (float(v.value) for v in (w, h, a, c, result))
slope_w, slope_h, slope_a, slope_c = (float(v.slope) for v in (w, h, a, c))
assert (slope_a, slope_c, slope_h, slope_w) == (1, -2, 5, 10)

# %% label="paths" alt="Five circles: w leads to h, h leads to a and to c, and both lead to L. Each arrow bears a factor, and each circle its value above and its slope below." caption="In the circles: the values. Above them: how each is computed. At the arrows: how many times as fast the next number changes. Below, in orange: the slope of $L$ along each number." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.5))
spots = {"w": (0, 0), "h": (1.25, 0), "a": (2.6, 0.75), "c": (2.6, -0.75), "L": (3.9, 0)}
shown = {"w": w, "h": h, "a": a, "c": c, "L": result}
formulas = {"w": "$w$", "h": "$h = 2w$", "a": "$a = 3h$", "c": "$c = -h$", "L": "$L = a + c$²"}
arrows = [("w", "h", "×2"), ("h", "a", "×3"), ("h", "c", "×(−1)"), ("a", "L", "×1")]
for tail, head, factor in [*arrows, ("c", "L", "×(−2)")]:
    (x0, y0), (x1, y1) = spots[tail], spots[head]
    ax.annotate(
        "",
        (x1, y1),
        (x0, y0),
        arrowprops={"arrowstyle": "-|>", "color": GREY, "shrinkA": 17, "shrinkB": 17},
    )
    below = y0 < 0 or y1 < 0
    ax.text(
        (x0 + x1) / 2,
        (y0 + y1) / 2 + (-0.13 if below else 0.1),
        factor,
        ha="right" if tail == "h" else "left" if y0 != y1 else "center",
        va="top" if below else "bottom",
        color=BLUE,
    )
for name, (x0, y0) in spots.items():
    value, slope = float(shown[name].value), float(shown[name].slope)
    ax.plot(x0, y0, "o", ms=27, mfc=plot.PAPER, mec=plot.INK, mew=1.2)
    ax.text(x0, y0, f"{value:g}".replace("-", "−"), ha="center", va="center")
    ax.text(x0, y0 + 0.4, formulas[name], ha="center")
    ax.text(x0, y0 - 0.56, f"{slope:g}".replace("-", "−"), ha="center", color=ORANGE, weight="bold")
ax.set(xlim=(-0.4, 4.5), ylim=(-1.4, 1.4))
ax.set_axis_off()  # ax.axis would return the limits, and the page show them

# %% label="hand" values="hand_x hand_w hand_b hand_y hand_z hand_p hand_loss hand_slope_w hand_slope_b hand_rate hand_step"
hand_x, hand_w, hand_b, hand_y = 2.0, 1.0, -1.5, 1.0
tape = []
w, b = Variable(hand_w, tape), Variable(hand_b, tape)
z = hand_x * w + b
p = 1 / (1 + np.exp(-z))
result = np.square(p - hand_y)
backward(result)
hand_z, hand_p, hand_loss = (float(v.value) for v in (z, p, result))
hand_slope_w, hand_slope_b = float(w.slope), float(b.slope)
hand_rate = 0.1
hand_step = hand_w - hand_rate * hand_slope_w
assert np.isclose(hand_slope_w, 2 * (hand_p - 1) * hand_p * (1 - hand_p) * hand_x)

# %% [markdown]
# With $b = 3$ and the target 0, the neuron is sure and wrong. The squared error hardly pushes it.

# %% values="sure_squared sure_entropy"
pushes = []
for price in (np.square, lambda p: -np.log(1 - p)):
    tape = []
    b = Variable(3.0, tape)
    backward(price(1 / (1 + np.exp(-(hand_x * hand_w + b)))))
    pushes.append(float(b.slope))
sure_squared, sure_entropy = pushes
assert sure_squared < 0.02 < 0.99 < sure_entropy, (
    "Sure and wrong, a neuron gets no push from the squared error, but from cross-entropy."
)

# %% [markdown]
# ## What a gradient costs
# A layer multiplies and adds $n d u$ times on the way forward, and twice as often on the way back:
# once for its weights, once for its inputs (which the first layer can leave out).


# %% values="count_ratio time_ratio tape_ratio nudge_ratio tape_kb weights_kb"
def seconds(function, repeats=200):
    """Return the shortest time that a function takes."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


products = [d * u for d, u in pairwise(sizes)]
count_ratio = (3 * sum(products) - products[0]) / sum(products)
loss_seconds = seconds(lambda: loss(weights))
hand_seconds = seconds(lambda: backpropagate(weights))
tape_seconds = seconds(lambda: gradient(loss, weights))
time_ratio, tape_ratio = hand_seconds / loss_seconds, tape_seconds / loss_seconds
nudge_ratio = 2 * parameters / tape_ratio  # two losses for each weight
tape = []
loss([Variable(w, tape) for w in weights])
tape_kb = sum(y.value.nbytes for _, y, _, _ in tape) / 1e3
weights_kb = 8 * parameters / 1e3
print(f"in losses: {time_ratio:.1f} by hand, {tape_ratio:.1f} by tape")
assert 2.5 < count_ratio < 3, "Counted in products, a gradient costs less than three losses."
assert time_ratio < 10
assert nudge_ratio > 100, "Nudging takes more than a hundred times as long as the tape."

twice = []
loss([Variable(w, twice) for w in weights], images[: 2 * batch], answers[: 2 * batch])
assert np.isclose(sum(y.value.nbytes for _, y, _, _ in twice) / 1e3, 2 * tape_kb, rtol=0.01)

# %% [markdown]
# ## It learns
# Gradient descent on batches of 32 images, at three learning rates and from three starts each.

# %% label="train" values="steps seeds rate_slow rate_good rate_fast loss_slow_low loss_slow_high loss_good_low loss_good_high loss_fast_low loss_fast_high loss_first_high accuracy_low accuracy_high"
steps, seeds = 500, 3
rate_slow, rate_good, rate_fast = 0.003, 0.1, 1.0


def descend(rate, seed, slopes_of=backpropagate, steps=steps):
    """Train on 1,437 images; return losses on 320 of them, and the accuracy on the other 360."""
    rng = np.random.default_rng(seed)
    lots = rng.permutation(len(images))
    training, test = lots[:1437], lots[1437:]
    weights, losses = start(seed), []
    for step in range(steps + 1):
        if step % 20 == 0:
            losses.append(loss(weights, images[training[:320]], answers[training[:320]]))
        chosen = rng.choice(training, batch, replace=False)
        for w, slope in zip(
            weights, slopes_of(weights, images[chosen], answers[chosen]), strict=True
        ):
            w -= rate * slope
    h = images[test]
    for W, b in zip(weights[::2], weights[1::2], strict=True):
        h = np.tanh(h @ W + b)  # the tanh of the last sums does not change their order
    return losses, float(np.mean(h.argmax(axis=1) == digits.target[test]))


runs = {
    rate: [descend(rate, seed) for seed in range(seeds)]
    for rate in (rate_slow, rate_good, rate_fast)
}
last = {rate: [losses[-1] for losses, _ in found] for rate, found in runs.items()}
(
    (loss_slow_low, loss_slow_high),
    (loss_good_low, loss_good_high),
    (loss_fast_low, loss_fast_high),
) = ((min(found), max(found)) for found in last.values())
loss_first_high = max(losses[0] for found in runs.values() for losses, _ in found)
accuracies = [accuracy for _, accuracy in runs[rate_good]]
accuracy_low, accuracy_high = min(accuracies), max(accuracies)
print("loss after training:", {rate: np.round(found, 2) for rate, found in last.items()})
assert loss_good_high < 0.5 < loss_slow_low < loss_slow_high < 2.2
assert loss_fast_low > loss_first_high, "With too large a rate, the loss ends above its start."
assert accuracy_low > 0.85, "With a good rate, plain gradient descent reads most new digits."

# %% label="rates" alt="Training loss, step by step. At the middle rate it falls close to zero, at the small rate slowly, at the large rate it jumps up and stays above the start." caption="The same network at three learning rates, from three starts each. The dotted line is $\\ln 10$, the loss of someone who gives all ten digits the same probability." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.9))
for (rate, found), color, style in zip(
    runs.items(), (BLUE, GREEN, ORANGE), ("--", "-", "-."), strict=True
):
    for number, (losses, _) in enumerate(found):
        label = f"η = {rate:g}" if number == 0 else None
        ax.semilogy(np.arange(len(losses)) * 20, losses, style, color=color, label=label)
ax.axhline(np.log(10), color=plot.INK, linestyle=":", linewidth=1)
ax.set(xlabel="step", ylabel="training loss")
ax.yaxis.set_major_formatter("{x:g}")
ax.yaxis.set_minor_formatter("")
fig.legend(loc="outside upper left", ncols=3)

# %% [markdown]
# ## Where it fails
# At a kink there is no slope. $\max(0, t) - \max(0, -t)$ is $t$, whose slope is 1 everywhere.


# %% label="kink" values="kink_tape kink_nudge"
def straight(t):
    """Return t, in a roundabout way."""
    return np.maximum(t, 0) - np.maximum(-t, 0)


(kink_tape,) = (float(slope) for slope in gradient(lambda t: straight(t[0]), [0.0]))
kink_nudge = float(straight(1e-5) - straight(-1e-5)) / 2e-5
assert (kink_tape, round(kink_nudge, 9)) == (0, 1), "At a kink, a tape can give a wrong slope."

# %% [markdown]
# A ReLU whose sums are negative for all examples gets slopes of exactly zero.


# %% label="dead" values="dead_unit"
def relu_loss(weights):
    """Return the cross-entropy of one ReLU layer and a softmax."""
    W1, b1, W2, b2 = weights
    z = np.maximum(images @ W1 + b1, 0) @ W2 + b2
    return np.sum(answers * (np.logaddexp.reduce(z, axis=1, keepdims=True) - z)) / len(images)


rng = np.random.default_rng(0)
dead = [rng.normal(0, 0.2, (64, 8)), np.zeros(8), rng.normal(0, 0.3, (8, 10)), np.zeros(10)]
dead[1][3] = -30  # below every sum of the fourth unit
W_slope, b_slope, *_ = gradient(relu_loss, dead)
dead_unit = float(np.abs(W_slope[:, 3]).max() + abs(b_slope[3]))
assert dead_unit == 0, "A ReLU that is silent for every image gets slopes of exactly zero."
assert (images @ dead[0] + dead[1])[:, 3].max() < 0
assert b_slope.any()  # the other units learn

# %% [markdown]
# All weights zero: almost every slope is zero, and nothing but the last biases ever moves.

# %% label="zeros" values="zeros_moving zeros_loss"
zeros = [np.zeros_like(w) for w in weights]
zeros_moving = int(np.count_nonzero(flat(backpropagate(zeros))))
for _ in range(steps):
    for w, slope in zip(zeros, backpropagate(zeros), strict=True):
        w -= rate_good * slope
zeros_loss = float(loss(zeros))
assert zeros_moving == 10, "With all weights zero, only the last biases have a slope."
assert not any(w.any() for w in zeros[:-1])
shares = some_y.mean(axis=0)
assert abs(zeros_loss + np.sum(shares * np.log(shares + 1e-300))) < 0.01  # names the frequencies

# %% [markdown]
# In a landscape with two valleys, the start decides which one is reached.


# %% label="wells" values="well_left well_right"
def wells(place):
    """Return the height of the double well of the chapter's figure."""
    x, y = place
    return (np.square(x - 1) + np.square(y)) * (np.square(x + 1) + np.square(y) + 0.2)


heights = []
for x0 in (-1.5, 1.5):
    place = [np.array(x0), np.array(0.5)]
    for _ in range(500):
        place = [v - 0.05 * slope for v, slope in zip(place, gradient(wells, place), strict=True)]
    heights.append(float(wells(place)))
well_left, well_right = heights
assert well_left > 0.5, "Gradient descent can end in the higher of two valleys."
assert well_right < 1e-6

# %% [markdown]
# ## The same in Keras
# From here on, `keras` is Keras itself. Its model has the same weights and sees the same images;
# `tf.GradientTape` records and reads backwards, as ours does.

# %% label="keras" values="keras_gap keras_step_gap"
import keras
import tensorflow as tf

keras.config.set_floatx("float64")
model = build()
with tf.GradientTape() as recorder:
    z = model(tf.constant(some_x))
    value = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(some_y, z))
theirs = [np.asarray(slope) for slope in recorder.gradient(value, model.trainable_variables)]
keras_gap, keras_step_gap = gap(taped, theirs), gap(step_taken(), theirs)
print(f"our tape against GradientTape: {keras_gap:.0e}")
assert keras_gap < 1e-13, "The tape's slopes are those of tf.GradientTape."
assert keras_step_gap < 1e-12

t = tf.Variable(0.0)
with tf.GradientTape() as recorder:
    value = tf.nn.relu(t) - tf.nn.relu(-t)
assert float(recorder.gradient(value, t)) == 0  # at the kink, TensorFlow says what our tape says

# %% label="cost"
rows = {
    "layer by layer, by hand": (time_ratio, slopes),
    "the tape": (tape_ratio, taped),
    "nudging each weight": (2 * parameters, nudged),
}
pd.DataFrame(
    {
        "time, in losses": [f"{taken:,.1f}" for taken, _ in rows.values()],
        "difference": [f"{gap(found, theirs):.0e}" for _, found in rows.values()],
    },
    index=list(rows),
)

# %% [markdown]
# ## Solutions to the exercises

# %% [markdown]
# **1.** One neuron by hand, and one step.

# %% label="exercise-1" tags=["solution"]
x, w, y, rate = 2.0, 0.0, 1.0, 0.1
p = np.tanh(w * x)
slope = 2 * (p - y) * (1 - p**2) * x  # square, tanh, product
(taped_slope,) = gradient(lambda v: np.square(np.tanh(v[0] * x) - y), [w])
after = (np.tanh((w - rate * slope) * x) - y) ** 2
print(
    f"slope {slope:g}; loss before {(p - y) ** 2:g}, predicted fall {rate * slope**2:g},", end=" "
)
print(f"loss after {after:.2f}")
assert slope == taped_slope == -4
assert 0 < after < 0.2

# %% [markdown]
# **2.** A rule for the sine, with a check.

# %% label="exercise-2" tags=["solution"]
RULES["sin"] = lambda s, y, a: (s * np.cos(a),)
(found,) = gradient(lambda v: np.sum(np.sin(np.square(v[0]))), [np.array([0.5, 2.0])])
at, h = np.array([0.5, 2.0]), 1e-5
nudged_sine = (np.sin((at + h) ** 2) - np.sin((at - h) ** 2)) / (2 * h)
print("tape:", found.round(6), " nudged:", nudged_sine.round(6))
assert np.allclose(found, nudged_sine, atol=1e-8)

# %% [markdown]
# **3.** A wrong gradient that still learns.

# %% label="exercise-3" tags=["solution"]
right = RULES["tanh"]
RULES["tanh"] = lambda s, y, a: (s * (1 - np.abs(y)),)  # the rule has y² in place of |y|


def mistaken(weights, x=some_x, y=some_y):
    """Return what the tape takes for the slopes."""
    return gradient(lambda variables: loss(variables, x, y), weights)


wrong_by = gap(mistaken(weights), slopes)
for seed in range(seeds):
    losses, accuracy = descend(rate_good, seed, mistaken, steps=300)
    print(f"start {seed}: loss {losses[0]:.2f} to {losses[-1]:.2f}, test accuracy {accuracy:.0%}")
    assert losses[-1] < 1
    assert accuracy > 0.8
RULES["tanh"] = right
print(f"yet one slope is wrong by {wrong_by:.0%} of the largest")
assert wrong_by > 0.1

# %% [markdown]
# **4.** Slopes that travel forward, beside the values.


# %% label="exercise-4" tags=["solution"]
def loss_and_slope(weights, direction, x=some_x, y=some_y):
    """Return the loss, and its slope if all weights move in a direction."""
    h, dh = x, np.zeros_like(x)
    for W, b, dW, db in zip(
        weights[::2], weights[1::2], direction[::2], direction[1::2], strict=True
    ):
        z, dz = h @ W + b, dh @ W + h @ dW + db  # the product rule
        h, dh = np.tanh(z), (1 - np.tanh(z) ** 2) * dz  # not used after the last layer
    log_p = z - np.logaddexp.reduce(z, axis=1, keepdims=True)
    return -np.sum(y * log_p) / len(y), np.sum((np.exp(log_p) - y) * dz) / len(y)


rng = np.random.default_rng(0)
direction = [rng.normal(size=w.shape) for w in weights]
value, slope = loss_and_slope(weights, direction)
assert np.isclose(value, loss_start)
assert np.isclose(slope, flat(slopes) @ flat(direction))
once = seconds(lambda: loss_and_slope(weights, direction))
print(
    f"one direction: {once / loss_seconds:.1f} losses; all {parameters:,d} weights, one by one:",
    end=" ",
)
print(f"{once * parameters:.0f} s")

# %%
plt.show()
