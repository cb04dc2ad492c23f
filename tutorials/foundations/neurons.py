# %% [markdown]
# # A single neuron
#
# A neuron multiplies each input by a weight, adds a bias, and bends the sum. This script lets
# one neuron learn a line, lets one draw a border between two species of iris, and shows the
# first thing that no single neuron can do.
# The chapter [A single neuron](../../foundations/neurons.md) explains each step.

# %%
import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import fisher_exact
from sklearn.datasets import load_iris

import labkit as keras
from labkit import plot

plot.set_theme()
INK, PAPER = plot.INK, plot.PAPER
BLUE, ORANGE = plot.COLORS["blue"], plot.COLORS["orange"]
GREEN, RED = plot.COLORS["green"], plot.COLORS["red"]

# %% [markdown]
# ## Multiply, add, compare
#
# Four apples, two loaves, one cheese. The weights are the prices, and the bias is minus the
# budget. The neuron says whether you can afford the basket.

# %% label="bill" values="total fires"
quantity = np.array([4.0, 2.0, 1.0])  # the inputs: apples, loaves, cheeses
price = np.array([0.5, 2.5, 6.0])  # one weight for each input
budget = 10.0

total = quantity @ price - budget  # 4 * 0.5 + 2 * 2.5 + 1 * 6 - 10
fires = bool(total > 0)
print(f"sum {total:.1f}: the neuron {'fires' if fires else 'is silent'}")
assert total == 3.0
assert fires

# %% label="diagram" alt="Inputs 4, 2 and 1, multiplied by 0.5, 2.5 and 6, meet the bias of minus 10 in a sum. The sum, 3, passes through a step and comes out as 1." caption="One neuron and one basket. Each input is multiplied by its weight; the bias joins the sum; the activation function turns the sum into the output." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.9))


def node(x, y, text, color, size=13):
    """Write `text` into a circle at (x, y), 36 points wide."""
    ax.plot(x, y, "o", ms=36, mfc=PAPER, mec=color, mew=2)
    ax.text(x, y, text, ha="center", va="center", size=size)


def arrow(start, end, text=None, lift=0.0):
    """Draw an arrow from rim to rim, and write `text` on its middle, or above it."""
    style = {"arrowstyle": "-|>", "color": INK, "shrinkA": 19, "shrinkB": 19}
    ax.annotate("", end, start, arrowprops=style)
    if text:
        x, y = np.mean([start, end], axis=0)
        box = {"fc": PAPER, "ec": "none", "pad": 1.5}
        ax.text(x, y + lift, text, ha="center", va="center", bbox=box)


goods = ["apples", "loaves", "cheeses"]
for k, height in enumerate([1, 0, -1]):
    node(0, height, f"{quantity[k]:g}", BLUE)
    ax.text(-0.45, height, goods[k], ha="right", va="center")
    arrow((0, height), (2, 0), f"× {price[k]:g}")
node(2, -1.25, f"−{budget:g}", ORANGE)
ax.text(2.45, -1.25, "bias", va="center")
arrow((2, -1.25), (2, 0))
node(2, 0, "Σ", INK, size=16)
arrow((2, 0), (3.7, 0), f"z = {total:g}", lift=0.2)
node(3.7, 0, "step", GREEN, size=11)
arrow((3.7, 0), (4.9, 0))
ax.text(4.65, 0, f"$\\hat{{y}}$ = {int(fires)}", va="center", size=13)
ax.set(xlim=(-1.4, 5.4), ylim=(-1.6, 1.35))
ax.set_axis_off()

# %% [markdown]
# ## Four ways to bend a sum

# %% values="sigmoid_at_total tanh_at_total relu_at_total"
functions = {
    "step": lambda z: np.heaviside(z, 0.0),
    "sigmoid": keras.activations.sigmoid,
    "tanh": keras.activations.tanh,
    "ReLU": keras.activations.relu,
}
z = np.linspace(-4, 4, 401)

basket = np.array([total])
outputs = {name: np.asarray(f(basket))[0] for name, f in functions.items()}

sigmoid_at_total = float(outputs["sigmoid"])
tanh_at_total = float(outputs["tanh"])
relu_at_total = float(outputs["ReLU"])
print(f"z = 3: sigmoid {sigmoid_at_total:.3f}, tanh {tanh_at_total:.3f},", end=" ")
print(f"ReLU {relu_at_total:g}")
assert abs(sigmoid_at_total - 1 / (1 + np.exp(-3))) < 1e-6
assert relu_at_total == 3

# %% label="activations" alt="Output against sum: a step from 0 to 1, a smooth climb from 0 to 1 and one from minus 1 to 1, and ReLU, flat at first, then a ramp. A dot marks 3." caption="Four activation functions. The dot is the basket above, whose sum is 3." tags=["remove-input"]
fig, axes = plt.subplots(2, 2, figsize=(5, 3.8), sharex=True, sharey=True)
for ax, (name, f) in zip(axes.flat, functions.items(), strict=True):
    ax.plot(z, np.asarray(f(z)), color=BLUE)
    ax.plot(total, outputs[name], "o", color=ORANGE, markersize=7)
    ax.set(title=name, xticks=[-3, 0, 3], ylim=(-1.3, 3.4))
for ax in axes[1]:
    ax.set_xlabel("sum z")
for ax in axes[:, 0]:
    ax.set_ylabel("output $\\hat{y}$")

# %% [markdown]
# ## A neuron finds a line that we know
#
# Sixty readings of two thermometers, made up: Fahrenheit is 1.8 times Celsius plus 32, and the
# second thermometer errs by two degrees or so. Both scales are counted in hundreds of degrees, so
# that all numbers are near one. The neuron starts at `w = b = 0` and knows nothing.

# %% label="descend" values="readings steps"
rng = np.random.default_rng(0)
readings, steps = 60, 200
celsius = rng.uniform(0, 1, readings)
fahrenheit = 1.8 * celsius + 0.32 + rng.normal(0, 0.02, readings)


def descend(x, y, rate, steps):
    """Move (w, b) downhill on the mean squared error; return the path."""
    w = b = 0.0
    path = [(w, b)]
    for _ in range(steps):
        error = w * x + b - y  # (samples,)
        w -= rate * np.mean(2 * error * x)  # d mean(error²) / dw
        b -= rate * np.mean(2 * error)  # d mean(error²) / db
        path.append((w, b))
    return np.array(path)  # (steps + 1, 2)


path = descend(celsius, fahrenheit, 0.5, steps)

# %% values="weight bias offset squares_gap"
weight, bias = (float(value) for value in path[-1])
offset = 100 * bias  # in degrees Fahrenheit

least_squares = np.polyfit(celsius, fahrenheit, 1)
squares_gap = float(np.abs(path[-1] - least_squares).max())
print(f"weight {weight:.3f} (true 1.8), bias {bias:.3f} (true 0.32)")
assert abs(weight - 1.8) < 0.05
assert abs(bias - 0.32) < 0.03
assert squares_gap < 1e-3, "Gradient descent finds the line of least squares."
assert path[:20, 1].max() > 2 * bias  # it overshoots before it settles

# %% label="line" alt="Left: points along a rising line; the neuron's line starts flat and ends among them. Right: the bias overshoots, then both numbers settle." caption="Learning a known line. Left: the neuron's line after 0, 1, 10 and 200 steps. Right: its weight and bias; dotted, the true values." tags=["remove-input"]
fig, (left, right) = plt.subplots(1, 2, figsize=(5, 3.8))
left.plot(celsius, fahrenheit, "o", color=ORANGE, ms=4, label="readings")
ends = np.array([0.0, 1.0])
for step, style in [(0, ":"), (1, "-."), (10, "--"), (200, "-")]:
    w, b = path[step]
    left.plot(ends, w * ends + b, style, color=BLUE, label=f"step {step}")
left.set(xlabel="Celsius / 100", ylabel="Fahrenheit / 100")
left.legend(loc="lower left", bbox_to_anchor=(0, 1))
right.plot(path[:, 0], color=BLUE, label="weight w")
right.plot(path[:, 1], "-.", color=ORANGE, label="bias b")
for truth in [1.8, 0.32]:
    right.axhline(truth, color=INK, linestyle=":", linewidth=1)
right.set(xlabel="step", ylim=(0, 2))
right.legend(loc="lower left", bbox_to_anchor=(0, 1))

# %% [markdown]
# The loss has one value for each pair of weight and bias. Drawn as heights over the plane of all
# pairs, it is a landscape, and training is a way down.


# %% values="early early_share late_step"
def loss_at(w, b):
    """Mean squared error of each w and b; `w` and `b` have one shape."""
    errors = w[..., np.newaxis] * celsius + b[..., np.newaxis] - fahrenheit
    return np.mean(errors**2, axis=-1)


excess = loss_at(*path.T) - loss_at(*least_squares)  # (steps + 1,): above the lowest point
early = 3
early_share = float(1 - excess[early] / excess[0])
late_step = int(np.flatnonzero(np.abs(path[:, 0] - weight) > 0.1)[-1]) + 1
assert np.all(np.diff(excess[:50]) < 0)  # downhill at every step
assert early_share > 0.8
assert 20 < late_step < 80

# %% label="surface" alt="Contour lines of the loss over weight and bias form a long slanted valley. Dots lead from the origin steeply across it, then in ever shorter steps along its floor." caption="The loss of every pair of weight and bias: on each line it is the same, and the stronger the color, the higher. The dots are the path of training, from the ring at zero to the cross, the lowest point." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.8))
w_grid, b_grid = np.meshgrid(np.linspace(-0.3, 2.3, 105), np.linspace(-0.3, 1.5, 73))
heights = loss_at(w_grid, b_grid)
levels = np.geomspace(0.002, 4, 12)
for level in levels:  # each adds a coat where the loss is higher
    ax.contourf(w_grid, b_grid, heights, [level, np.inf], colors=[BLUE], alpha=0.06)
ax.contour(w_grid, b_grid, heights, levels, colors=[BLUE], linewidths=0.8)
ax.plot(*path.T, ".-", color=ORANGE, linewidth=1.2)
ax.plot(*path[0], "o", color=INK, mfc="none", markersize=10)
ax.plot(*least_squares, "x", color=INK, markersize=9, mew=2)
for step, shift in [(1, (8, 0)), (2, (-8, -16)), (10, (6, 6)), (40, (6, 8))]:
    ax.annotate(f"step {step}", path[step], shift, textcoords="offset points")
ax.set(xlabel="weight w", ylabel="bias b")
ax.grid(False)

# %% [markdown]
# The same neuron with the library: a `Dense` layer with one unit, plain gradient descent, all
# sixty readings in each step.

# %% label="dense" values="hand_gap"
x = celsius[:, np.newaxis].astype("float32")  # (60, 1)
y = fahrenheit[:, np.newaxis].astype("float32")  # (60, 1)


def build_line():
    """One neuron with one input and no activation, at w = b = 0."""
    neuron = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")]
    )
    neuron.compile(keras.optimizers.SGD(0.5), loss="mean_squared_error")
    return neuron


quiet = {"shuffle": False, "verbose": 0}  # same order each time, no bar
line = build_line()
line.fit(x, y, batch_size=60, epochs=200, **quiet)
learned = np.concatenate([values.ravel() for values in line.get_weights()])
hand_gap = float(np.abs(learned - path[-1]).max())
assert hand_gap < 1e-4

# %% [markdown]
# ## A neuron draws a border
#
# Two measurements of a hundred irises, fifty *versicolor* and fifty *virginica*, and one neuron
# with a sigmoid. Its output is read as the probability that the flower is a *virginica*.

# %% label="iris" values="iris_accuracy iris_correct iris_count"
features, species = load_iris(return_X_y=True)
two = species > 0  # leave out the third kind, setosa
petals = features[two, 2:].astype("float32")  # (100, 2): length, width in cm
virginica = (species[two] == 2).astype("float32")[:, np.newaxis]  # (100, 1)
center = petals.mean(axis=0)
centered = petals - center


def build_border():
    """One neuron with two inputs and a sigmoid."""
    neuron = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, "sigmoid")])
    neuron.compile(keras.optimizers.Adam(0.1), loss="binary_crossentropy")
    return neuron


keras.utils.set_random_seed(0)
border = build_border()
border_start = border.get_weights()
border.fit(centered, virginica, batch_size=100, epochs=300, **quiet)

probability = np.asarray(border(centered))  # (100, 1)
iris_count = len(petals)
iris_correct = int(np.sum((probability > 0.5) == virginica))
iris_accuracy = iris_correct / iris_count
print(f"{iris_correct} of {iris_count} flowers are on their side of the border")
assert 0.92 <= iris_accuracy <= 0.97, "One neuron tells two kinds of iris apart, but for a few."

# %% values="uncertain twin_length twin_width"
w, b = (values.ravel() for values in border.get_weights())  # (2,), (1,)
is_virginica = virginica.ravel() == 1
score = centered @ w + b  # (100,): the sum z of each flower
uncertain = int(np.sum(np.abs(score) < 1))
others = petals[~is_virginica].tolist()
twins = [petal for petal in petals[is_virginica].tolist() if petal in others]
twin_length, twin_width = twins[0]
assert np.all(w > 0)  # the longer and the wider, the more virginica
assert np.abs(score[(score > 0) != is_virginica]).max() < 3  # near misses

# %% label="boundary" alt="Above: a falling line separates most versicolor from virginica; an arrow stands on it. Below: all flowers on one S-shaped curve, errors near z = 0." caption="Above: the border is the line on which the sum is zero; the weights, drawn as an arrow, stand at a right angle to it. Below: the neuron turns two measurements into one sum; every flower, drawn at its own height, lands on the same curve." tags=["remove-input"]
fig, (upper, lower) = plt.subplots(2, figsize=(5, 5), height_ratios=[5, 4])
for chosen, name, marker, color in [
    (~is_virginica, "versicolor", "o", BLUE),
    (is_virginica, "virginica", "^", ORANGE),
]:
    style = {"color": color, "alpha": 0.7, "markersize": 5}
    upper.plot(*petals[chosen].T, marker, **style)
    lower.plot(score[chosen], probability[chosen], marker, label=name, **style)


def width_at(length):
    """Return the petal width at which the border passes a petal length."""
    return center[1] - (w[0] * (length - center[0]) + b[0]) / w[1]


lengths = np.array([2.8, 7.1])
upper.plot(lengths, width_at(lengths), color=INK)
foot = np.array([3.9, width_at(3.9)])
head = foot + 0.55 * w / np.linalg.norm(w)
pointed = {"arrowstyle": "-|>", "color": INK, "shrinkA": 0, "shrinkB": 0}
upper.annotate("", head, foot, arrowprops=pointed)
upper.text(*(head + 0.05), "w")
upper.set(xlabel="petal length (cm)", ylabel="petal width (cm)")
upper.set(xlim=(2.7, 7.1), ylim=(0.5, 2.9))
upper.set_aspect("equal")
curve = np.linspace(score.min(), score.max(), 200)
lower.plot(curve, 1 / (1 + np.exp(-curve)), color=INK, lw=1, zorder=0)
lower.axvline(0, color=INK, linestyle=":", linewidth=1)
lower.set(xlabel="sum z", ylabel="output p")
lower.legend(loc="upper left", handletextpad=0)

# %% [markdown]
# ## Why a smooth function learns
#
# Move the bias of the trained neuron, and nothing else. What does a learner see who looks only at
# the next small step?

# %% values="flat_share smallest_slope"
shifts = np.linspace(-10, 10, 2001)  # added to every sum
moved = score[:, np.newaxis] + shifts  # (100 flowers, 2001)
mistakes = np.sum((moved > 0) != is_virginica[:, np.newaxis], axis=0)
surprise = np.logaddexp(0, np.where(is_virginica[:, np.newaxis], -moved, moved)).mean(axis=0)

flat_share = float(np.mean(np.diff(mistakes) == 0))
slope = np.gradient(surprise, shifts)  # (2001,)
smallest_slope = float(np.abs(slope)[np.abs(shifts) > 1].min())
assert flat_share > 0.9, "Counting errors gives almost no slope to follow."
assert smallest_slope > 0.01, (
    "The loss of a smooth neuron has a slope everywhere away from its minimum."
)

# %% label="smooth" alt="Above: the number of errors against the bias, a staircase with flat treads. Below: the loss, a smooth valley with a slope nearly everywhere." caption="What one learns from moving the bias. Above: errors are counted, as a step neuron would. Below: the smooth loss of the sigmoid. Dotted: the trained bias." tags=["remove-input"]
fig, (upper, lower) = plt.subplots(2, figsize=(5, 3.8), sharex=True)
upper.plot(shifts + b, mistakes, color=BLUE)
upper.set(ylabel="errors")
lower.plot(shifts + b, surprise, color=ORANGE)
lower.set(xlabel="bias b", ylabel="loss")
for ax in (upper, lower):
    ax.axvline(b[0], color=INK, linestyle=":", linewidth=1)

# %% [markdown]
# ## One to move by hand
#
# The chapter has a neuron whose numbers the reader moves. It starts with these.

# %% label="hand" values="hand_x1 hand_x2 hand_w1 hand_w2 hand_b hand_z hand_y"
hand_x1, hand_x2, hand_w1, hand_w2, hand_b = 1.0, -0.5, 1.5, 2.0, 0.5
hand_z = hand_w1 * hand_x1 + hand_w2 * hand_x2 + hand_b
hand_y = float(np.asarray(keras.activations.sigmoid(np.array([hand_z])))[0])
assert 0.7 < hand_y < 0.75

# %% [markdown]
# ## What no single neuron can do
#
# Two inputs that are 0 or 1 make four cases, and there are sixteen ways to answer them. A hundred
# thousand neurons with random weights show which of the sixteen a neuron can give.

# %% label="count" values="trials reached best_xor"
table = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")  # the four cases
xor = np.array([[0], [1], [1], [0]], "float32")  # 1 where the inputs differ

trials = 100_000
neurons = rng.uniform(-1, 1, (trials, 3))  # w1, w2, b
sums = neurons[:, :2] @ table.T + neurons[:, 2:]  # (trials, 4)
answers = sums > 0
number = answers @ [8, 4, 2, 1]  # each truth table as a binary number, 0 to 15
reached = len(np.unique(number))
best_xor = float(np.mean(answers == xor.T, axis=1).max())
print(f"{trials:,} neurons give {reached} of the 16 truth tables;", end=" ")
print(f"best accuracy on XOR {best_xor}")
assert reached == 14, "A single neuron computes 14 of the 16 functions of two bits."
assert best_xor == 0.75, "A single neuron gets at most three of XOR's four cases right."
assert {6, 9}.isdisjoint(number)  # 0110 is XOR, 1001 its negation

# %% label="tables" alt="Sixteen squares with filled and hollow corners. In fourteen a line separates them; in the two whose diagonal corners agree there is none." caption="All sixteen truth tables of two inputs. Filled corners are answered with 1. Blue is the side on which a neuron fires. For XOR and its negation there is no such line." tags=["remove-input"]
margin = np.abs(sums).min(axis=1) / np.linalg.norm(neurons[:, :2], axis=1)
side = np.linspace(-0.35, 1.35, 80)
grid = np.stack(np.meshgrid(side, side), axis=-1)  # (80, 80, 2)

fig, axes = plt.subplots(4, 4, figsize=(4.8, 4.8), sharex=True, sharey=True)
for k, ax in enumerate(axes.flat):
    same = np.flatnonzero(number == k)
    if len(same):
        *w, b = neurons[same[margin[same].argmax()]]  # passes the corners widest
        fires = grid @ w + b > 0
        ax.contourf(side, side, fires, [0.5, 1.5], colors=[BLUE], alpha=0.25)
    else:
        name = "XOR" if k == 6 else "not XOR"
        ax.text(0.5, 0.5, f"{name}\n?", ha="center", va="center", color=RED)
    for corner, bit in zip(table, f"{k:04b}", strict=True):
        ax.plot(*corner, "o", color=INK, mfc=INK if bit == "1" else PAPER)
    ax.set(xticks=[], yticks=[], aspect="equal")
    ax.grid(False)

# %% [markdown]
# Training does not even reach three of four. The loss is smallest for a neuron that answers
# "one half" in every case.

# %% label="hedge" values="hedge_low hedge_high hedge_loss"
cases = np.tile(table, (20, 1))  # twenty copies make one epoch
labels = np.tile(xor, (20, 1))


def build_xor(hidden):
    """`hidden` tanh neurons, or none, and one sigmoid neuron behind them."""
    layers = [keras.layers.Dense(hidden, activation="tanh")] if hidden else []
    network = keras.Sequential(
        [keras.Input((2,)), *layers, keras.layers.Dense(1, activation="sigmoid")]
    )
    network.compile(keras.optimizers.Adam(0.05), loss="binary_crossentropy")
    return network


keras.utils.set_random_seed(0)
single = build_xor(0)
history = single.fit(cases, labels, batch_size=4, epochs=25, **quiet)
hedge = np.asarray(single(table))
hedge_low, hedge_high = float(hedge.min()), float(hedge.max())
hedge_loss = float(history.history["loss"][-1])
print(f"after training, all answers are within {np.abs(hedge - 0.5).max():.0e} of one half")
assert np.abs(hedge - 0.5).max() < 0.02
assert abs(hedge_loss - np.log(2)) < 0.001, (
    "Trained on XOR, one neuron says one half to everything."
)

# %% [markdown]
# And that is the best that it can do. The cross-entropy is convex in the weights and the bias, so a
# point where all its slopes are zero is its lowest; and at zero weights they are.

# %%
errors = 0.5 - xor  # (4, 1): prediction minus target
slopes = np.append(table.T @ errors, errors.sum())  # along w1, w2 and b
assert np.array_equal(slopes, np.zeros(3))

# %% [markdown]
# ## Three neurons can
#
# The first says "at least one input is 1", the second "not both". The third fires if both agree.
# Weights of this size make the sigmoid nearly a step.


# %% label="three" values="three_accuracy three_low three_high"
def build_three():
    """Two neurons, and a third that reads them, with weights set by hand."""
    network = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(2, activation="sigmoid"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    network.set_weights(
        [
            20 * np.array([[1.0, -1.0], [1.0, -1.0]]),  # (2 inputs, 2 neurons)
            20 * np.array([-0.5, 1.5]),
            20 * np.array([[1.0], [1.0]]),  # (2 neurons, 1 neuron)
            20 * np.array([-1.5]),
        ]
    )
    return network


three = build_three()
middle = np.asarray(three.layers[0](table))  # (4, 2): what the third sees
output = np.asarray(three(table))
three_accuracy = float(np.mean((output > 0.5) == xor))
three_low, three_high = float(output.min()), float(output.max())
print(f"three neurons: accuracy {three_accuracy},", end=" ")
print(f"outputs {output.ravel().round(3)}")
assert three_accuracy == 1.0, "Three neurons compute XOR."

# %% label="moved" alt="Left: a square's corners and two diagonal lines with the two ones between. Right: in the new coordinates both ones share a corner; one line is enough." caption="Left: the two hidden neurons draw one line each. Right: the outputs of these two neurons are new coordinates, and there one line is enough." tags=["remove-input"]
fig, (left, right) = plt.subplots(1, 2, figsize=(5, 3.3), sharex=True, sharey=True)
lines = np.array([-0.4, 1.4])
left.plot(lines, 0.5 - lines, color=BLUE, label="first: at least one")
left.plot(lines, 1.5 - lines, "--", color=ORANGE, label="second: not both")
right.plot(lines, 1.5 - lines, "-.", color=GREEN, label="third: both agree")
for ax, places, axis, names in [
    (left, table, "x", ["00", "01", "10", "11"]),
    (right, middle, "h", ["00", "01 and 10", "", "11"]),
]:
    for place, one, name in zip(places, xor.ravel(), names, strict=True):
        ax.plot(*place, "o", color=INK, mfc=INK if one else PAPER, markersize=9)
        ax.text(*(place + 0.08), name)
    ax.set(xlabel=f"{axis}₁", ylabel=f"{axis}₂", xticks=[0, 1], yticks=[0, 1])
    ax.set(xlim=(-0.4, 1.4), ylim=(-0.4, 1.4), aspect="equal")
    ax.legend(loc="lower left", bbox_to_anchor=(-0.05, 1))

# %% [markdown]
# One neuron is enough as a building block, too: copies of NAND, "not both", make any truth table.


# %% label="nand"
def nand(a, b):
    """A step neuron with weights -1 and -1 and bias 1.5."""
    return (-a - b + 1.5 > 0).astype(float)


def xor_of_nands(a, b):
    both = nand(a, b)
    return nand(nand(a, both), nand(b, both))


first, second = table.T  # (4,) each
assert np.array_equal(xor_of_nands(first, second), xor.ravel())

# %% [markdown]
# From NAND come *not*, *and* and *or*, and from these all sixteen tables, row by row.


# %%
def not_(a):
    return nand(a, a)


def and_(a, b):
    return not_(nand(a, b))


def or_(a, b):
    return nand(not_(a), not_(b))


rows = [  # each answers 1 in one of the four cases
    and_(first if one else not_(first), second if two else not_(second)) for one, two in table
]
for wanted in np.ndindex(2, 2, 2, 2):
    answer = np.zeros(4)
    for bit, row in zip(wanted, rows, strict=True):
        answer = or_(answer, row) if bit else answer
    assert np.array_equal(answer, wanted)

# %% [markdown]
# ## Does training find them?
#
# Twenty random starts with two hidden neurons, and twenty with eight.

# %% label="starts" values="starts found_two found_eight stuck_loss p_found"
starts = 20


def train(hidden, seed):
    """Train on XOR; return losses, final outputs, and whether all are right."""
    keras.utils.set_random_seed(seed)
    network = build_xor(hidden)
    losses = network.fit(cases, labels, batch_size=4, epochs=25, **quiet).history
    output = np.asarray(network(table))
    return losses["loss"], output, bool(np.all((output > 0.5) == xor))


runs = {hidden: [train(hidden, seed) for seed in range(starts)] for hidden in (2, 8)}
found_two = sum(found for *_, found in runs[2])
found_eight = sum(found for *_, found in runs[8])
stuck = [(losses[-1], output) for losses, output, found in runs[2] if not found]
stuck_loss = float(np.median([loss for loss, _ in stuck]))
halves = [int(np.sum(np.abs(output - 0.5) < 0.05)) for _, output in stuck]
print(f"XOR learned from {found_two} of {starts} starts with two hidden neurons,")
print(f"and from {found_eight} of {starts} with eight")
p_found = float(
    fisher_exact([[found_two, starts - found_two], [found_eight, starts - found_eight]]).pvalue
)
assert 4 <= found_two <= 17, "With two hidden neurons, only some starts find XOR."
assert found_eight >= 19, "With eight hidden neurons, nearly every start finds it."
assert p_found < 0.05
near = [abs(loss - np.log(2) / 2) < 0.02 for loss, _ in stuck]
assert np.mean(near) > 0.5
assert np.median(halves) == 2  # "one half" to two of the four cases

# %% label="losses" alt="Loss by epoch. Left, two hidden neurons: some curves fall to zero, the others stay on flat shelves. Right, eight: they fall within a few epochs." caption="The loss of every start on XOR. Solid green: all four cases right at the end. Dashed red: stuck. The dotted line is the loss of a coin toss, $\\ln 2$." tags=["remove-input"]
fig, axes = plt.subplots(1, 2, figsize=(5, 2.8), sharex=True, sharey=True)
for ax, (hidden, results) in zip(axes, runs.items(), strict=True):
    for losses, _, found in results:
        style, color = ("-", GREEN) if found else ("--", RED)
        ax.plot(losses, style, color=color, linewidth=1)
    ax.axhline(np.log(2), color=INK, linestyle=":", linewidth=1)
    ax.set(title=f"{hidden} hidden neurons", xlabel="epoch")
axes[0].set_ylabel("loss")

# %% [markdown]
# ## The same in Keras
#
# From here on, `keras` is Keras itself. The functions above now build Keras models; they start
# from the same weights and see the same samples in the same order.

# %% label="keras" values="output_gap training_gap"
import keras

output_gap = float(np.abs(np.asarray(build_three()(table)) - output).max())

their_line = build_line()
their_line.fit(x, y, batch_size=60, epochs=200, **quiet)
their_border = build_border()
their_border.set_weights(border_start)
their_border.fit(centered, virginica, batch_size=100, epochs=300, **quiet)
training_gap = max(
    float(np.abs(ours - theirs).max())
    for ours, theirs in zip(
        line.get_weights() + border.get_weights(),
        their_line.get_weights() + their_border.get_weights(),
        strict=True,
    )
)
print(f"largest difference of outputs {output_gap:.0e},", end=" ")
print(f"of trained weights {training_gap:.0e}")
assert output_gap < 1e-6
assert training_gap < 1e-3, "Trained from one start, labkit's and Keras's neuron agree."

# %% [markdown]
# ## Solutions to the exercises

# %% [markdown]
# **1.** Weights for *and*, and for the majority of three inputs.

# %% label="exercise-1" tags=["solution"]
and_answers = table @ [1, 1] - 1.5 > 0  # both inputs are needed to pass 1.5
assert np.array_equal(and_answers, [False, False, False, True])

three_inputs = np.array(list(np.ndindex(2, 2, 2)))  # (8, 3): 000, 001, … 111
majority = three_inputs @ [1, 1, 1] - 1.5 > 0  # two of three are enough
assert np.array_equal(majority, three_inputs.sum(axis=1) >= 2)
print("AND: w = (1, 1), b = -1.5; majority of three: w = (1, 1, 1), b = -1.5")


# %% [markdown]
# **2.** The iris neuron with weights and bias times ten.


# %% label="exercise-2" tags=["solution"]
def log_loss(z):
    """Binary cross-entropy of the sums z."""
    return float(np.mean(np.logaddexp(0, np.where(is_virginica, -z, z))))


for factor in [1, 10]:
    z = factor * score
    accuracy = np.mean((z > 0) == is_virginica)
    certain = np.mean(np.abs(z) > np.log(99))  # the sigmoid of ln 99 is 0.99
    print(f"times {factor:2d}: accuracy {accuracy:.2f},", end=" ")
    print(f"loss {log_loss(z):.2f},", end=" ")
    print(f"{certain:.0%} of outputs below 0.01 or above 0.99")
assert np.array_equal(score > 0, 10 * score > 0)
assert certain > 0.9  # at ten times the weights
assert log_loss(10 * score) > 2 * log_loss(score)

# %% [markdown]
# **3.** The thermometers in plain degrees.

# %% label="exercise-3" tags=["solution"]
raw = descend(100 * celsius, 100 * fahrenheit, 0.5, 5)
slow = descend(100 * celsius, 100 * fahrenheit, 0.0002, 200)
print("rate 0.5: weights", ", ".join(f"{w:.0e}" for w in raw[1:, 0]))
w, b = slow[-1]
print(f"rate 0.0002, step 200: weight {w:.2f}, bias {b:.2f}")
assert abs(raw[-1, 0]) > 1e15
assert w > 1.8 + 0.3
assert b < 5


# %% [markdown]
# **4.** Rosenblatt's rule on *and* and on XOR.


# %% label="exercise-4" tags=["solution"]
def rosenblatt(targets, passes):
    """Correct the weights after wrong answers; count these in each pass."""
    w, b, errors = np.zeros(2), 0.0, []
    for _ in range(passes):
        wrong = 0
        for case, target in zip(table, targets, strict=True):
            error = target - float(case @ w + b > 0)  # 1, 0 or -1
            w, b = w + error * case, b + error
            wrong += error != 0
        errors.append(wrong)
    return errors


and_errors = rosenblatt([0, 0, 0, 1], 100)
xor_errors = rosenblatt(xor.ravel(), 100)
settled = and_errors.index(0) + 1
print(f"AND: first pass without an error is number {settled}")
print(f"XOR: fewest errors in any of 100 passes: {min(xor_errors)}")
assert settled < 20
assert not any(and_errors[settled:])
assert min(xor_errors) > 0

# %% [markdown]
# **5.** An activation function with which one neuron answers XOR.

# %% label="exercise-5" tags=["solution"]
z = table @ [1, 1]  # 0, 1, 1, 2
y = z * (2 - z)  # up, and down again
print("sum:", z.astype(int), " output:", y.astype(int))
assert np.array_equal(y, xor.ravel())

# %%
plt.show()
