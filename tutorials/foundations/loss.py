# %% [markdown]
# # Loss functions
# A network learns by making one number smaller: its loss. This script measures what each
# loss rewards. The chapter [Loss functions](../../foundations/loss.md) tells the story.
#
# The first half runs on `labkit`, the book's NumPy library. The second half repeats it in
# Keras and asserts that the numbers agree.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import laplace, norm

import labkit as keras
from labkit import datasets, plot

plot.set_theme()

# %% [markdown]
# ## A loss ranks guesses
# 442 people with diabetes: their body mass index (bmi), and how far the disease had
# progressed a year later (25 to 346). Three lines through the means try to predict it.

# %% label="by-hand"
patients = datasets.load_diabetes(scaled=False)
bmi = patients.data[:, patients.feature_names.index("bmi")]  # (442,) kg/m²
progress = patients.target  # (442,)
mse, mae = keras.losses.MeanSquaredError(), keras.losses.MeanAbsoluteError()


def line(steepness):
    return progress.mean() + steepness * (bmi - bmi.mean())


errors = line(10) - progress  # (442,)
assert np.isclose(np.mean(errors**2), mse(progress, line(10)))

# %% values="mse_bad mse_fair mse_good rmse_good"
mse_good, mse_fair, mse_bad = (float(mse(progress, line(slope))) for slope in (10, 5, -5))
rmse_good = mse_good**0.5
print(f"MSE at steepness 10: {mse_good:,.0f}, 5: {mse_fair:,.0f}, -5: {mse_bad:,.0f}")
assert mse_good < mse_fair < mse_bad, (
    "The better a line fits, the smaller is its mean squared error."
)

# %% label="ranking" alt="Left: a cloud of points and three lines. Right: a parabola; the steepest line is near its lowest point, the falling one high up." caption="Three lines, and the mean squared error of every steepness." tags=["remove-input"]
grey, ends = plot.COLORS["grey"], [bmi.argmin(), bmi.argmax()]
slopes = np.linspace(-8, 28, 73)
fig, (left, right) = plt.subplots(1, 2)
left.plot(bmi, progress, ".", color=grey, markersize=3)
right.plot(slopes, [mse(progress, line(slope)) for slope in slopes], "-", color=grey)
for slope, price, mark in (10, mse_good, "o"), (5, mse_fair, "s"), (-5, mse_bad, "v"):
    (drawn,) = left.plot(bmi[ends], line(slope)[ends])
    right.plot(
        slope, price, mark, color=drawn.get_color(), ms=9, label=f"{slope}".replace("-", "−")
    )
left.set(xlabel="body mass index (kg/m²)", ylabel="progress after a year")
right.set(xlabel="steepness of the line", ylabel="mean squared error", ylim=(0, None))
right.legend(loc="lower right", title="steepness")

# %% [markdown]
# ## Three prices for an error
# The slope of the price, on the right, is what moves the weights.


# %%
def three(delta):
    huber = keras.losses.Huber(delta)
    return {"squared": mse, "absolute": mae, f"Huber, δ = {delta:g}": huber}


error = np.linspace(-3, 3, 601)

# %% label="shapes" alt="Left: a parabola, a V, and a curve between them. Right, their slopes: a rising line, a step, and a rising line that is cut off at both ends." caption="The price of an error, and its slope." tags=["remove-input"]
fig, (left, right) = plt.subplots(1, 2)
for name, loss in three(1.0).items():
    price = np.asarray(loss.call(np.zeros((601, 1)), error[:, None]))  # (601,)
    left.plot(error, price, label=name)
    right.plot(error, np.gradient(price, error))
left.set(xlabel="error", ylabel="price", ylim=(0, 5))
right.set(xlabel="error", ylabel="slope of the price", ylim=(-5, 5))
fig.legend(loc="outside upper left", ncols=3)

# %% [markdown]
# ## What each loss settles on
# Five bus rides took 21, 23, 24, 26 and 96 minutes. Which single number predicts them best?


# %% label="rides" alt="Three curves over the predicted minutes. The squared error is lowest at 38, where no ride was; the other two at 24 or just above." caption="The average price of one number for all five rides (marked at the bottom), divided by its lowest value." values="mean median mse_choice mae_choice huber_choice"
def average_price(loss, y, guesses):
    """Return the loss of predicting each guess for every value of y, (guesses,)."""
    y_pred = np.repeat(guesses[:, None], len(y), axis=1)  # (guesses, values)
    return np.asarray(loss.call(np.tile(y, (len(guesses), 1)), y_pred))


rides = np.array([21.0, 23.0, 24.0, 26.0, 96.0])
mean, median = rides.mean(), np.median(rides)
guesses, choices = np.linspace(15, 100, 1701), []
fig, ax = plt.subplots()
for name, loss in three(5.0).items():
    price = average_price(loss, rides, guesses)
    choices.append(guesses[price.argmin()])
    ax.plot(guesses, price / price.min(), label=f"{name}: {choices[-1]:.4g} min")
ax.plot(rides, np.full(5, 0.75), "|", color=plot.INK, ms=11, mew=2)
ax.set(xlabel="predicted minutes", ylabel="price / its minimum", ylim=(0.65, 3.2))
ax.legend(loc="upper left")
mse_choice, mae_choice, huber_choice = choices
assert np.allclose((mse_choice, mae_choice), (mean, median)), (
    "The squared error settles on the mean, the absolute error on the median."
)
assert np.isclose(huber_choice, 24.75)  # (21 + 23 + 24 + 26 + δ) / 4: there the pulls balance

# %% [markdown]
# ## The same with a line, and typing errors
# 5% of the progress values are typed with one zero too many. A linear neuron, trained by
# each loss, sees the spoilt values; it is judged by its mean absolute error on the true ones.


# %% label="train"
def train(layer, x, y, loss, optimizer, steps, start=None, after=None):
    """Train one layer on all samples at once, and call `after` after each step."""
    model = keras.Sequential([keras.Input(x.shape[1:]), layer])
    model.compile(optimizer, loss)
    if start:
        model.set_weights(start)
    for _ in range(steps):
        model.train_on_batch(x, y)
        if after:
            after(model)
    return model


# %% values="typos typings mae_truth_clean mae_truth_mse mae_truth_mae mae_truth_huber mae_truth_least mae_truth_most raised"
typos, typings = 22, 5  # errors in a table, and tables with errors
z_bmi = ((bmi - bmi.mean()) / bmi.std())[:, None]  # (442, 1)


def fit_line(y, loss):
    layer = keras.layers.Dense(1, kernel_initializer="zeros")
    rate = keras.optimizers.schedules.ExponentialDecay(10.0, 50, 0.5)
    model = train(layer, z_bmi, y[:, None], loss, keras.optimizers.Adam(rate), 600)
    return np.asarray(model(z_bmi))[:, 0]  # (442,)


def spoil(seed):
    """Return the progress with one zero too many in `typos` places."""
    spoilt = progress.copy()
    spoilt[np.random.default_rng(seed).choice(442, typos, replace=False)] *= 10
    return spoilt


clean = fit_line(progress, mse)
mae_truth_clean = float(mae(progress, clean))
tables = [spoil(seed) for seed in range(typings)]
lines = {name: [fit_line(y, loss) for y in tables] for name, loss in three(50.0).items()}
wrong = np.array([[float(mae(progress, y)) for y in lines[name]] for name in lines])  # (3, typings)
mae_truth_mse, mae_truth_mae, mae_truth_huber = (float(value) for value in wrong.mean(axis=1))
mae_truth_least, mae_truth_most = float(wrong[0].min()), float(wrong[0].max())
raised = float(np.mean(lines["squared"]) - progress.mean())
print(f"trained on the true values, wrong by {mae_truth_clean:.1f} on average")
for name, values in zip(lines, wrong, strict=True):
    print(f"trained on spoilt ones, {name}: {values.min():.1f} to {values.max():.1f}")
assert all(y.mean() > clean.mean() + 30 for y in lines["squared"])
assert mae_truth_least > 1.2 * mae_truth_clean, (
    "A few typing errors drag the line of the squared error, whoever's value is mistyped."
)
assert wrong[1:].max() < 1.05 * mae_truth_clean, (
    "Absolute error and Huber loss withstand the typing errors."
)

# %% label="typing" alt="The cloud of patients with three lines. That of the squared error climbs steeply out of the cloud; the other two run through its middle." caption="One of the spoilt tables. 5% of the targets are ten times too large (most lie above the picture). The squared error follows them." tags=["remove-input"]
fig, ax = plt.subplots()
ax.plot(bmi, tables[0], ".", color=grey, markersize=3)
for name, fits in lines.items():
    ax.plot(bmi[ends], fits[0][ends], label=name)
ax.set(xlabel="body mass index (kg/m²)", ylabel="progress after a year", ylim=(0, 900))
ax.legend(loc="upper left")

# %% [markdown]
# ## Probabilities: pay for surprise
# It rained on seven of ten days. A forecaster must name one probability of rain for all ten.
# The cross-entropy charges $-\ln p$ for what then happened.

# %% label="rain" alt="Left: as the forecast for a rainy day falls to zero, the cross-entropy climbs without bound, the others stop at one. Right: cross-entropy and squared error are lowest at 0.7, the absolute error at 1." caption="Left: the price of a forecast when it then rains. Right: the average price over ten days, seven of them rainy." values="rain_bce rain_mse rain_mae price_rare"
rain = np.array([1, 1, 0, 1, 1, 1, 0, 1, 0, 1], dtype=float)
bce = keras.losses.BinaryCrossentropy()
guesses, choices = np.linspace(0.01, 1, 100), []
fig, (left, right) = plt.subplots(1, 2)
for name, loss in {"cross-entropy": bce, "squared": mse, "absolute": mae}.items():
    left.plot(guesses, average_price(loss, np.ones(1), guesses), label=name)
    price = average_price(loss, rain, guesses)
    choices.append(guesses[price.argmin()])
    (drawn,) = right.plot(guesses, price)
    right.plot(choices[-1], price.min(), "o", color=drawn.get_color())
left.set(xlabel="forecast for one rainy day", ylabel="price", ylim=(0, 4.7))
right.set(xlabel="forecast for all ten days", ylabel="average price", ylim=(0, 2))
fig.legend(loc="outside upper left", ncols=3)
rain_bce, rain_mse, rain_mae = choices
price_rare = -np.log(0.01)
assert np.allclose((rain_bce, rain_mse, rain_mae), (0.7, 0.7, 1)), (
    "Cross-entropy and squared error aim at the true probability, absolute error at 1."
)

# %% [markdown]
# ## Losses from likelihoods
# If errors are normally distributed, the negative log-likelihood of the rides is the squared error
# but for a factor and a constant; with Laplace's distribution it is the absolute error.

# %% label="likelihood" values="normal_choice laplace_choice"
candidates, width = np.linspace(15, 100, 1701)[:, None], 10.0
surprise_normal = -norm.logpdf(rides, candidates, width).mean(axis=1)  # (1701,)
surprise_laplace = -laplace.logpdf(rides, candidates, width).mean(axis=1)

squares = np.mean((rides - candidates) ** 2, axis=1)
sizes = np.mean(np.abs(rides - candidates), axis=1)
assert np.allclose(surprise_normal, squares / (2 * width**2) + np.log(width * np.sqrt(2 * np.pi)))
assert np.allclose(surprise_laplace, sizes / width + np.log(2 * width))

normal_choice = candidates[surprise_normal.argmin(), 0]
laplace_choice = candidates[surprise_laplace.argmin(), 0]
print(f"most likely: {normal_choice:.0f} min (normal), {laplace_choice:.0f} min (Laplace)")
assert (normal_choice, laplace_choice) == (mse_choice, mae_choice), (
    "Normal noise makes the mean squared error, Laplace noise the absolute one."
)

# %% [markdown]
# ## Entropy and divergence
# The lowest cross-entropy is the entropy of the weather itself. What a forecast pays on top
# is its Kullback–Leibler divergence from the truth. And Keras's three cross-entropies are one
# formula for three ways to write the target.

# %% label="divergence" values="entropy price_half kl_half untrained one_wrong"
truth, half = np.array([[0.3, 0.7]]), np.array([[0.5, 0.5]])
entropy, price_half = (float(bce(rain, np.full(10, p))) for p in (0.7, 0.5))
kl_half = float(keras.losses.KLDivergence()(truth, half))
print(f"entropy {entropy:.3f} + divergence {kl_half:.3f} = cross-entropy {price_half:.3f}")
assert abs(entropy + kl_half - price_half) < 1e-5, (
    "Cross-entropy is entropy plus Kullback-Leibler divergence."
)

sparse = keras.losses.SparseCategoricalCrossentropy()
one_hot = keras.losses.CategoricalCrossentropy()
target, p = np.array([[0.0, 1.0]]), np.array([[0.3, 0.7]])
same = sparse(np.array([1]), p), one_hot(target, p), bce(target[:, 1:], p[:, 1:])
assert np.allclose(same, -np.log(0.7), atol=1e-5)
untrained = float(sparse(np.array([3]), np.full((1, 10), 0.1)))  # ten classes, no idea
one_wrong = np.log(1e-7) / np.log(0.9)  # as many samples with p = 0.9 cost the same

# %% [markdown]
# ## Confidently wrong
# A neuron with a sigmoid says $p = 1 / (1 + e^{-z})$, and the right answer is 1. How hard does each loss push
# $z$ up?

# %% label="push" alt="Left: for negative z the cross-entropy is a straight slope, the squared error is flat. Right: there the push of the cross-entropy is nearly one, that of the squared error nearly zero." caption="The right answer is 1. On the left of each panel the neuron is sure of 0." values="p_wrong push_ce push_mse push_ratio"
z = np.linspace(-10, 10, 401)
p = 1 / (1 + np.exp(-z))
fig, (left, right) = plt.subplots(1, 2)
for name, loss, push in ("cross-entropy", bce, 1 - p), ("squared", mse, 2 * (1 - p) ** 2 * p):
    price = average_price(loss, np.ones(1), p)
    assert np.allclose(-np.gradient(price, z)[1:-1], push[1:-1], atol=0.01)
    left.plot(z, price, label=name)
    right.plot(z, push)
left.set(xlabel="$z$", ylabel="price")
right.set(xlabel="$z$", ylabel="push on $z$ (minus the slope)")
fig.legend(loc="outside upper left", ncols=2)
p_wrong = 1 / (1 + np.exp(6))  # z = -6
push_ce, push_mse = 1 - p_wrong, 2 * (1 - p_wrong) ** 2 * p_wrong
push_ratio = push_ce / push_mse
assert 190 < push_ratio < 220, (
    "When badly wrong, cross-entropy pushes some 200 times harder than MSE."
)

# %% [markdown]
# The same holds behind a softmax: the slope along each logit is $p_j - y_j$. Finite differences
# agree.

# %% label="difference" values="slope_gap"
rng = np.random.default_rng(0)
z, y = rng.normal(0, 3, 5), np.eye(5)[2]  # five logits; class 2 is right


def surprise(z):
    """Return -ln p of the right class."""
    return -np.log(np.exp(z) / np.exp(z).sum()) @ y


p = np.exp(z) / np.exp(z).sum()  # (5,)
h = 1e-5
steps = h * np.eye(5)  # along one logit at a time
slopes = [(surprise(z + step) - surprise(z - step)) / (2 * h) for step in steps]
slope_gap = float(np.abs(slopes - (p - y)).max())
assert slope_gap < 1e-8, "The gradient of softmax with cross-entropy is p - y."
assert abs(np.sum(p - y)) < 1e-12  # what one class gains, the others lose

# %% [markdown]
# ## Swapped labels
# A neuron learns to tell 3 from 8, but the labels are swapped. After 300 steps somebody
# notices. Training goes on from the same weights with the right labels, once with each loss.

# %% values="wrong_steps steps accuracy_start median_p steps_ce accuracy_ce accuracy_mse share_three push_three"
digits = datasets.load_digits()
x = (digits.data / 16).astype("float32")  # (1797, 64)


def two(first, second):
    """Return the images of two digits, and 1 for the first, 0 for the second."""
    pair = np.isin(digits.target, (first, second))
    return x[pair], (digits.target[pair] == first)[:, None].astype("float32")


x_pair, is_three = two(3, 8)


def tell_apart(labels, loss, steps, start=None, rate=1.0, x_pair=x_pair, truth=is_three):
    """Train a neuron; return its weights, its last answers and all accuracies."""
    history = []

    def note(model):
        history.append(float(np.mean((np.asarray(model(x_pair)) > 0.5) == truth)))

    layer = keras.layers.Dense(1, "sigmoid", kernel_initializer="zeros")
    sgd = keras.optimizers.SGD(rate)
    model = train(layer, x_pair, labels, loss, sgd, steps, start, note)
    return model.get_weights(), np.asarray(model(x_pair)), history


wrong_steps, steps, ce, squared = 300, 1000, "binary_crossentropy", "mean_squared_error"
wrong, p, history = tell_apart(1 - is_three, ce, wrong_steps)
accuracy_start, median_p = history[-1], float(np.median(np.where(is_three, p, 1 - p)))
_, _, history_ce = tell_apart(is_three, ce, steps, wrong)
_, p, history_mse = tell_apart(is_three, squared, steps, wrong)
steps_ce = 1 + int(np.argmax(np.array(history_ce) > 0.95))
accuracy_ce, accuracy_mse, share_three = history_ce[-1], history_mse[-1], np.mean(p > 0.5)
p_three = p[is_three == 1].astype("float64")
push_three = float(np.median(2 * (1 - p_three) ** 2 * p_three))  # on z, where the label is 3
print(f"cross-entropy: over .95 after {steps_ce} steps, {accuracy_ce:.3f} after {steps}")
print(f"squared error: {accuracy_mse:.3f}; it calls {share_three:.0%} of the images a three")
assert accuracy_start < 0.05
assert median_p < 0.02
assert 20 < steps_ce < 80, (
    "From a confidently wrong start, cross-entropy recovers within tens of steps."
)
assert accuracy_ce > 0.98
assert 0.4 < accuracy_mse < 0.5, (
    "From the same start, the squared error of probabilities stays stuck."
)
assert share_three < 0.02
assert push_three < 0.001

# %% [markdown]
# Other pairs of digits, treated alike.

# %% label="pairs" values="pairs pairs_stuck lowest_ce highest_mse"
ends = []
for first, second in ((1, 7), (4, 9), (0, 6)):
    images, truth = two(first, second)
    told = {"x_pair": images, "truth": truth}
    spoilt_start, *_ = tell_apart(1 - truth, ce, wrong_steps, **told)
    last = [tell_apart(truth, loss, steps, spoilt_start, **told)[2][-1] for loss in (ce, squared)]
    print(f"{first} and {second}: cross-entropy {last[0]:.3f}, squared error {last[1]:.3f}")
    ends.append(last)
pairs, pairs_stuck = len(ends), int(np.sum(np.array(ends)[:, 1] < 0.9))
lowest_ce, highest_mse = np.min(ends, axis=0)[0], np.max(ends, axis=0)[1]
assert lowest_ce > 0.97, "Cross-entropy recovers for every pair of digits."
assert highest_mse < 0.9  # stuck with every pair

# %% label="swapped" alt="Accuracy against steps. With cross-entropy it climbs past 95 percent in some fifty steps; with the squared error it stops just under one half." caption="Two copies of one confidently wrong neuron, trained on the corrected labels." tags=["remove-input"]
fig, ax = plt.subplots()
ax.semilogx(range(1, steps + 1), history_ce, label="cross-entropy")
ax.semilogx(range(1, steps + 1), history_mse, label="squared error")
ax.set(xlabel="step on the corrected labels", ylabel="accuracy")
ax.xaxis.set_major_formatter("{x:,g}")
ax.legend(loc="upper left")

# %% [markdown]
# ## When one class is rare
# A neuron says whether a digit is a nine, and few of its training images are. Half of all images
# train it and half test it; five draws choose the few nines.

# %% label="rare-class" values="rare rare_known rare_steps rare_weight always_no draws found_plain found_weights found_focal found_threshold aim_weights aim_focal"
rare, rare_steps, draws = 10, 300, 5
is_nine = digits.target == 9
found_by, alarms_by, threshold = {}, {}, []


def nine_finder(rows, loss, weights=None):
    """Train one neuron; `weights` count the classes 0 and 1."""
    neuron = keras.layers.Dense(1, "sigmoid", kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((64,)), neuron])
    model.compile(keras.optimizers.Adam(0.02), loss)
    target = is_nine[rows].astype("float32")[:, None]
    size = len(rows)
    model.fit(x[rows], target, batch_size=size, epochs=rare_steps, class_weight=weights, verbose=0)
    return model


for seed in range(draws):
    order = np.random.default_rng(seed).permutation(images := len(x))
    half, rest = order[: images // 2], order[images // 2 :]
    known = np.concatenate([half[~is_nine[half]], half[is_nine[half]][:rare]])
    rare_known, rare_weight = len(known), (len(known) - rare) / rare
    counted, called = {0: 1.0, 1: rare_weight}, {}
    for name, loss, weights in (
        ("cross-entropy", ce, None),
        ("class weights", ce, counted),
        ("focal loss", keras.losses.BinaryFocalCrossentropy(), None),
    ):
        called[name] = np.asarray(nine_finder(known, loss, weights)(x[rest]))[:, 0]  # p
        found_by.setdefault(name, []).append(np.mean(called[name][is_nine[rest]] > 0.5))
        alarms_by.setdefault(name, []).append(np.mean(called[name][~is_nine[rest]] > 0.5))
    alarms = np.sum(called["class weights"] > 0.5)
    loudest = np.argsort(called["cross-entropy"])[-alarms:]  # as many, by the plain neuron
    threshold.append(np.sum(is_nine[rest][loudest]) / np.sum(is_nine[rest]))
found_plain, found_weights, found_focal = (float(np.mean(f)) for f in found_by.values())
found_threshold, always_no = float(np.mean(threshold)), 1 - rare / rare_known
for plain, focal, weighted in zip(
    *(found_by[n] for n in ("cross-entropy", "focal loss", "class weights")), strict=True
):
    assert plain <= focal < weighted - 0.2  # in each draw
assert found_plain < 0.1, "Without class weights, hardly any rare case is found."
assert found_focal > found_plain + 0.03, "Focal loss alone finds a few more rare cases."
assert found_weights > 0.6, "Class weights find most cases of a rare class."
assert found_plain + 0.3 < found_threshold < found_weights, (
    "Most of what class weights find, a moved threshold finds."
)
assert max(alarms_by["cross-entropy"]) < 0.01 < np.mean(alarms_by["class weights"]) < 0.1

# Where each price is lowest on average, if one in ten is a nine.
p = np.linspace(0.001, 0.999, 999)
aim_plain = p[np.argmin(-0.1 * np.log(p) - 0.9 * np.log(1 - p))]
aim_weights = p[np.argmin(-0.1 * rare_weight * np.log(p) - 0.9 * np.log(1 - p))]
aim_focal = p[np.argmin(-0.1 * (1 - p) ** 2 * np.log(p) - 0.9 * p**2 * np.log(1 - p))]
assert np.isclose(aim_plain, 0.1)
assert np.isclose(aim_weights / (1 - aim_weights), rare_weight * 0.1 / 0.9, rtol=0.02)  # the odds
assert 0.15 < aim_focal < 0.5
pd.DataFrame(
    {
        head: {name: f"{np.mean(v):.0%} ({min(v):.0%} to {max(v):.0%})" for name, v in by.items()}
        for head, by in (("nines found", found_by), ("others called nine", alarms_by))
    }
)

# %% [markdown]
# ## The same in Keras
# From here on `keras` is Keras itself. `labkit` has each derivative written out; TensorFlow
# finds it. The functions above now build Keras models, from the same weights.

# %% label="agreement" values="largest_gap weights_gap"
import keras
import tensorflow as tf

from labkit import losses as written_out

rng = np.random.default_rng(1)
wanted, p = rng.dirichlet(np.ones(5), size=(2, 8))  # (8, 5) each, rows sum to 1
rows, gaps = {}, []
for name in (
    "MeanSquaredError",
    "MeanAbsoluteError",
    "Huber",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "KLDivergence",
):
    ours, theirs = getattr(written_out, name)(), getattr(keras.losses, name)(dtype="float64")
    with tf.GradientTape() as tape:
        tape.watch(variable := tf.constant(p))
        value = theirs(wanted, variable)
    slope = tape.gradient(value, variable).numpy()
    rows[name] = {"labkit": ours(wanted, p), "Keras": float(value)}
    gaps += [abs(ours(wanted, p) - float(value))]
    gaps += [np.abs(slope - ours.gradient(wanted, p)).max()]
largest_gap = max(gaps)
assert largest_gap < 1e-9, "labkit's and Keras's losses agree."

_, _, history = tell_apart(is_three, squared, 100, wrong)
assert np.allclose(history, history_mse[:100], atol=0.01)
again, *_ = tell_apart(1 - is_three, ce, wrong_steps)
weights_gap = float(np.abs(again[0] - wrong[0]).max())
print(f"losses, gradients agree to {largest_gap:.0e}, trained weights to {weights_gap:.0e}")
assert weights_gap < 0.01, (
    "A neuron trained by labkit and one trained by Keras have the same weights."
)
pd.DataFrame(rows).T

# %% [markdown]
# ## Solutions to the exercises
# **Exercise 1.** Which loss settles on the value that has nine tenths of the values below it?

# %% label="exercise-1" tags=["solution"]
guesses = np.arange(25, 347)[:, None]
too_low = np.maximum(progress - guesses, 0)  # (322, 442)
too_high = np.maximum(guesses - progress, 0)
price = np.mean(0.9 * too_low + 0.1 * too_high, axis=1)
cheapest = guesses[price.argmin(), 0]
print(f"lowest at {cheapest}; {np.mean(progress <= cheapest):.1%} are at or below it")
assert abs(cheapest - np.quantile(progress, 0.9)) <= 2

# %% [markdown]
# **Exercise 2.** Would another learning rate have saved the squared error?

# %% label="exercise-2" tags=["solution"]
for rate_ in (0.1, 1.0, 10.0):
    last = [tell_apart(is_three, loss, 100, wrong, rate_)[2][-1] for loss in (squared, ce)]
    print(f"learning rate {rate_:4}: squared {last[0]:.2f}, cross-entropy {last[1]:.2f}")
    assert last[0] < min(0.6, last[1])

# %% [markdown]
# **Exercise 3.** What do loss and slope at $z = -40$ say, from the probability and from the logit?

# %% label="exercise-3" tags=["solution"]
for logits, scale in (False, tf.sigmoid), (True, tf.identity):
    with tf.GradientTape() as tape:
        tape.watch(z := tf.constant([[-40.0]]))
        value = keras.losses.BinaryCrossentropy(from_logits=logits)(tf.ones((1, 1)), scale(z))
    slope = float(tape.gradient(value, z)[0, 0])
    print(f"from_logits={logits}: loss {float(value):.2f}, slope {slope:.2f}")
    assert slope == (-1 if logits else 0)

# %% [markdown]
# **Exercise 4.** The truth has two humps, the model one bell. Which bell has the lowest divergence?

# %% label="exercise-4" tags=["solution"] values="cover_sd pick_sd"
grid = np.linspace(-5, 5, 201)
means, sds = np.meshgrid(np.linspace(-3, 3, 61), np.linspace(0.3, 3, 55))
bells = np.exp(-(((grid - means.reshape(-1, 1)) / sds.reshape(-1, 1)) ** 2) / 2)
bells /= bells.sum(axis=1, keepdims=True)
humps = np.exp(-(((np.abs(grid) - 2) / 0.6) ** 2) / 2)
humps = np.tile(humps / humps.sum(), (len(bells), 1))
divergence = keras.losses.KLDivergence()
cover = np.argmin(divergence.call(humps, bells))  # from the truth to the model
pick = np.argmin(divergence.call(bells, humps))
cover_sd, pick_sd = sds.flat[cover], sds.flat[pick]
print(f"from the truth: mean {means.flat[cover]:.1f}, standard deviation {cover_sd:.1f}")
print(f"from the model: mean {means.flat[pick]:.1f}, standard deviation {pick_sd:.1f}")
assert cover_sd > 1.8
assert abs(means.flat[cover]) < 0.2
assert pick_sd < 1 < abs(means.flat[pick])

# %%
plt.show()
