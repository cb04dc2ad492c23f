# %% [markdown]
# # Loss functions
# A network learns by making one number smaller: its loss. This script measures what each
# loss rewards. The chapter [Loss functions](../foundations/loss.md) tells the story; here is
# every step of it.
#
# The first half runs on `labkit`, the book's NumPy library. The second half repeats it in
# Keras and asserts that the numbers agree.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import labkit as keras
from labkit import datasets, plot

plot.set_theme()

# %% [markdown]
# ## A loss ranks guesses
# 442 people with diabetes: their body mass index (bmi, in kg/m²), and how far the disease
# had progressed a year later, on a scale from 25 to 346. Three straight lines try to predict
# the progress from the bmi. All three pass through the middle of the cloud; they differ in
# slope.

# %% label="by-hand"
patients = datasets.load_diabetes(scaled=False)
bmi = patients.data[:, patients.feature_names.index("bmi")]  # (442,) kg/m²
progress = patients.target  # (442,)


def line(slope):
    """Predict the progress of all by a line through the means."""
    return progress.mean() + slope * (bmi - bmi.mean())


mse = keras.losses.MeanSquaredError()
errors = line(10) - progress  # (442,)
assert np.isclose(np.mean(errors**2), mse(progress, line(10)))

# %% label="ranking" alt="Left: a rising cloud of 442 points with a falling, a gently rising and a steep line through its middle. Right: the mean squared error as a function of the slope is a parabola; the falling line sits high on it, the steep line near its lowest point." caption="Three lines, and the mean squared error of every slope. The loss turns 'which line is better?' into 'which point is lower?'." values="slope_bad slope_fair slope_good mse_bad mse_fair mse_good best_slope rmse_good"
slope_bad, slope_fair, slope_good = -5, 5, 10
mse_bad, mse_fair, mse_good = (
    float(mse(progress, line(slope))) for slope in (slope_bad, slope_fair, slope_good)
)
rmse_good = mse_good**0.5
slopes = np.linspace(-8, 28, 145)
parabola = [float(mse(progress, line(slope))) for slope in slopes]
best_slope = float(slopes[np.argmin(parabola)])

print(f"slope {slope_bad:3}: MSE {mse_bad:7,.0f}")
print(f"slope {slope_fair:3}: MSE {mse_fair:7,.0f}")
print(f"slope {slope_good:3}: MSE {mse_good:7,.0f}, its root {rmse_good:.0f}")
assert mse_bad > mse_fair > mse_good
assert 9 < best_slope < 11.5

fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4))
left.plot(bmi, progress, ".", color=plot.COLORS["grey"], alpha=0.5, markersize=4)
right.plot(slopes, parabola, "-", color=plot.COLORS["grey"])
ends = np.array([bmi.min(), bmi.max()])
for slope, price, marker in (
    (slope_good, mse_good, "o"),
    (slope_fair, mse_fair, "s"),
    (slope_bad, mse_bad, "v"),
):
    (drawn,) = left.plot(ends, progress.mean() + slope * (ends - bmi.mean()))
    right.plot(
        slope, price, marker, color=drawn.get_color(), markersize=9, label=f"slope {slope}"
    )
left.set(xlabel="body mass index (kg/m²)", ylabel="progress after a year")
right.set(xlabel="slope of the line", ylabel="mean squared error", ylim=(0, None))
right.legend(loc="lower right")

# %% [markdown]
# ## Three prices for an error
# For a prediction $\hat{y}$ of a value $y$, write $e = \hat{y} - y$. The squared error charges
# $e^2$, the absolute error $|e|$. Huber's loss charges $\frac{1}{2}e^2$ up to a size $\delta$
# and a straight line beyond it. What moves the weights is the slope of the price, drawn below.

# %% label="shapes" alt="Left: a parabola, a V, and a curve that is a parabola near zero and straight outside. Right, their slopes: a straight line through zero, a step from minus one to one, and a line that is cut off at minus one and one." caption="The price of an error, and its slope. The slope of the squared error grows with the error; the slope of the absolute error knows only the sign; Huber's is the first near zero and the second far away."
errors = np.linspace(-3, 3, 601)
prices = {
    "squared": (keras.losses.MeanSquaredError(), lambda e: 2 * e),
    "absolute": (keras.losses.MeanAbsoluteError(), np.sign),
    "Huber, δ = 1": (keras.losses.Huber(delta=1.0), lambda e: np.clip(e, -1, 1)),
}
fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.2))
for name, (loss, slope) in prices.items():
    price = np.asarray(loss.call(np.zeros((601, 1)), errors[:, None]))  # (601,)
    left.plot(errors, price, label=name)
    right.plot(errors, slope(errors))
    # The formula for the slope against the slope of the drawn curve, away from the kinks.
    smooth = (np.abs(errors) > 0.02) & (np.abs(np.abs(errors) - 1) > 0.02)
    measured = np.gradient(price.astype(float), errors)
    assert np.allclose(measured[smooth][1:-1], slope(errors)[smooth][1:-1], atol=0.02)
left.set(xlabel="error $e$", ylabel="price", ylim=(0, 5))
left.legend()
right.set(xlabel="error $e$", ylabel="slope of the price", ylim=(-5, 5))

# %% [markdown]
# ## What each loss settles on
# Five bus rides took 21, 23, 24, 26 and 96 minutes: on the last one the bus broke down. Which
# single number predicts all five best? It depends on the loss.

# %% label="rides" alt="Three curves over the predicted minutes, each with its lowest point marked. The squared error is lowest at 38 minutes, where no ride was; the absolute error and Huber's loss are lowest at and just above 24, among the four usual rides." caption="The average price of predicting one number for all five rides (marked at the bottom), each curve divided by its lowest value. The squared error settles on the mean, the absolute error on the median." values="mean median mse_choice mae_choice huber_choice"
rides = np.array([21.0, 23.0, 24.0, 26.0, 96.0])
mean, median = float(rides.mean()), float(np.median(rides))
guesses = np.linspace(15, 100, 851)  # (851,) minutes, a tenth apart


def average_price(loss, y, guesses):
    """Return the loss of predicting each guess for every value of y, (guesses,)."""
    y_pred = np.repeat(guesses[:, None], len(y), axis=1)  # (guesses, values)
    y_true = np.repeat(y[None, :], len(guesses), axis=0)  # (guesses, values)
    return np.asarray(loss.call(y_true, y_pred)).astype(float)


settled = {}
fig, ax = plt.subplots(figsize=(7.2, 3.4))
for name, loss in (
    ("squared", keras.losses.MeanSquaredError()),
    ("absolute", keras.losses.MeanAbsoluteError()),
    ("Huber, δ = 5", keras.losses.Huber(delta=5.0)),
):
    price = average_price(loss, rides, guesses)
    settled[name] = float(guesses[price.argmin()])
    (curve,) = ax.plot(
        guesses, price / price.min(), label=f"{name}: {settled[name]:.1f} min"
    )
    ax.plot(settled[name], 1, "o", color=curve.get_color())
mse_choice, mae_choice, huber_choice = settled.values()
ax.plot(rides, np.full(5, 0.75), "|", color=plot.INK, markersize=11, markeredgewidth=2)
ax.set(xlabel="predicted minutes", ylabel="average price / its minimum", ylim=(0.65, 3.2))
ax.legend(loc="upper left")

for name, guess in settled.items():
    print(f"{name}: lowest at {guess:.1f} minutes (mean {mean:.1f}, median {median:.1f})")
assert abs(mse_choice - mean) < 0.06
assert abs(mae_choice - median) < 0.06
assert median < huber_choice < 27

# %% [markdown]
# ## The same with a line: 22 typing errors
# Back to the patients. Suppose that 22 of the 442 progress values (5 %) were typed with one
# zero too many. A neuron with one input, trained by each loss, sees the spoilt values; it is
# judged by its mean absolute error on the true ones.

# %% label="typing" alt="The cloud of patients with three fitted lines. The line of the squared error lies far above the cloud and is much too steep; the lines of the absolute error and of Huber's loss run through the cloud's middle." caption="5 % of the targets are ten times too large (most lie above the picture). The squared error follows them; the other two hardly notice." values="typos mae_truth_mse mae_truth_mae mae_truth_huber mae_truth_clean slope_clean slope_mse slope_mae slope_huber"
rng = np.random.default_rng(0)
typos = 22
spoilt = progress.copy()
spoilt[rng.choice(len(spoilt), typos, replace=False)] *= 10
z_bmi = ((bmi - bmi.mean()) / bmi.std())[:, None]  # (442, 1)


def fit_line(targets, loss, steps=600):
    """Train one linear neuron on all patients at once."""
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")]
    )
    rate = keras.optimizers.schedules.ExponentialDecay(10.0, decay_steps=50, decay_rate=0.5)
    model.compile(optimizer=keras.optimizers.Adam(rate), loss=loss)
    for _ in range(steps):
        model.train_on_batch(z_bmi, targets[:, None])
    return model


def error_on_truth(model):
    return float(np.abs(np.asarray(model(z_bmi))[:, 0] - progress).mean())


losses = {
    "squared": keras.losses.MeanSquaredError(),
    "absolute": keras.losses.MeanAbsoluteError(),
    "Huber, δ = 50": keras.losses.Huber(delta=50.0),
}
clean = fit_line(progress, losses["squared"])
lines = {name: fit_line(spoilt, loss) for name, loss in losses.items()}
mae_truth_clean = error_on_truth(clean)
mae_truth_mse, mae_truth_mae, mae_truth_huber = map(error_on_truth, lines.values())
slope_clean, slope_mse, slope_mae, slope_huber = (
    float(model.get_weights()[0][0, 0] / bmi.std()) for model in (clean, *lines.values())
)

print(f"mean absolute error on the true values, trained on them: {mae_truth_clean:.1f}")
for name, model in lines.items():
    print(f"trained on the spoilt values with the {name} loss: {error_on_truth(model):.1f}")
assert mae_truth_mse > 1.5 * mae_truth_clean
assert mae_truth_mae < 1.05 * mae_truth_clean
assert mae_truth_huber < 1.05 * mae_truth_clean

fig, ax = plt.subplots()
ax.plot(bmi, spoilt, ".", color=plot.COLORS["grey"], alpha=0.5, markersize=4)
for name, model in lines.items():
    y = np.asarray(model(((ends - bmi.mean()) / bmi.std())[:, None]))[:, 0]
    ax.plot(ends, y, label=name)
ax.set(xlabel="body mass index (kg/m²)", ylabel="progress after a year", ylim=(0, 900))
ax.legend(loc="upper left")

# %% [markdown]
# ## Probabilities: pay for surprise
# It rained on seven of ten days. A forecaster must name one probability of rain for all ten.
# The cross-entropy charges $-\log p$, where $p$ is the probability that the forecast gave to
# what then happened. Which forecast is cheapest on average?

# %% label="rain" alt="Left: for one rainy day, minus log p climbs without bound as the forecast probability of rain falls to zero, while the squared and the absolute error stop at one. Right: over the ten days the cross-entropy and the squared error are lowest at 0.7, the absolute error at 1." caption="Left: the price of a forecast when it then rains. Right: the average price over ten days, seven of them rainy. Cross-entropy and squared error reward the honest 0.7; the absolute error rewards saying 1." values="rain_bce rain_mse rain_mae entropy price_half price_sure"
rain = np.array([1, 1, 0, 1, 1, 1, 0, 1, 0, 1], dtype=float)
forecasts = np.linspace(0.01, 1, 100)
bce = keras.losses.BinaryCrossentropy()

cheapest = {}
fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4))
for name, loss in (
    ("cross-entropy", bce),
    ("squared", keras.losses.MeanSquaredError()),
    ("absolute", keras.losses.MeanAbsoluteError()),
):
    left.plot(forecasts, average_price(loss, np.ones(1), forecasts), label=name)
    price = average_price(loss, rain, forecasts)
    cheapest[name] = float(forecasts[price.argmin()])
    (curve,) = right.plot(forecasts, price)
    right.plot(cheapest[name], price.min(), "o", color=curve.get_color())
left.set(xlabel="forecast for one rainy day", ylabel="price", ylim=(0, 4.7))
right.set(xlabel="forecast for all ten days", ylabel="average price", ylim=(0, 2))
left.legend()

rain_bce, rain_mse, rain_mae = cheapest.values()
entropy = float(bce(rain, np.full(10, 0.7)))
price_half = float(bce(rain, np.full(10, 0.5)))
price_sure = float(bce(rain, np.full(10, 0.99)))

print("cheapest forecast:", ", ".join(f"{name} {p:.2f}" for name, p in cheapest.items()))
print(
    f"cross-entropy of 0.7: {entropy:.3f}, of 0.5: {price_half:.3f}, of 0.99: {price_sure:.3f}"
)
assert abs(rain_bce - 0.7) < 1e-6
assert abs(rain_mse - 0.7) < 1e-6
assert rain_mae == 1
assert entropy < price_half < price_sure

# %% [markdown]
# The lowest cross-entropy is not zero. It is the entropy of the weather itself: the surprise
# that no forecast can avoid. What a forecast pays on top is its Kullback–Leibler divergence
# from the truth. The next cell checks the sum, and that the three cross-entropies of Keras
# are one formula for three ways to write the target.

# %% label="divergence" values="kl_half untrained price_rare one_wrong"
truth, half = np.array([[0.3, 0.7]]), np.array([[0.5, 0.5]])
kl_half = float(keras.losses.KLDivergence()(truth, half))
print(
    f"entropy {entropy:.3f} + divergence {kl_half:.3f} = cross-entropy {entropy + kl_half:.3f}"
)
assert abs(entropy + kl_half - price_half) < 1e-5

scores = np.array([[0.1, 0.7, 0.2]])  # a prediction for three classes
as_label = float(keras.losses.SparseCategoricalCrossentropy()(np.array([1]), scores))
as_one_hot = float(
    keras.losses.CategoricalCrossentropy()(np.array([[0.0, 1.0, 0.0]]), scores)
)
as_yes_no = float(bce(np.array([[1.0]]), np.array([[0.7]])))
assert np.allclose([as_label, as_one_hot, as_yes_no], -np.log(0.7), atol=1e-5)

price_rare = float(-np.log(0.01))
one_wrong = float(np.log(1e-7) / np.log(0.9))  # as many samples with p = 0.9 cost the same

untrained = float(
    keras.losses.SparseCategoricalCrossentropy()(np.array([3]), np.full((1, 10), 0.1))
)
print(f"ten classes, no idea: {untrained:.3f} = log 10")
assert abs(untrained - np.log(10)) < 1e-5

# %% [markdown]
# ## Confidently wrong
# A sigmoid neuron says $p = \sigma(z)$ for a sample whose right answer is 1. At $z = -6$ it is
# sure of the opposite. How hard does each loss push $z$ up?

# %% label="push" alt="Left: for a strongly negative z the cross-entropy falls along a straight slope, the squared error is flat at one. Right: the push of the cross-entropy is close to one for negative z; the push of the squared error is a bump around zero and vanishes on both sides." caption="The right answer is 1. On the left of each panel the neuron is sure of 0. The cross-entropy then pushes with full strength; the squared error hardly pushes at all." values="push_ce push_mse push_ratio p_wrong"
z = np.linspace(-10, 10, 401)
p = 1 / (1 + np.exp(-z))
one = np.ones((len(z), 1))
ce_curve = np.asarray(bce.call(one, p[:, None])).astype(float)
mse_curve = np.asarray(mse.call(one, p[:, None])).astype(float)
ce_slope = p - 1  # d/dz of -log σ(z)
mse_slope = 2 * (p - 1) * p * (1 - p)  # d/dz of (1 - σ(z))²
assert np.allclose(np.gradient(ce_curve, z)[1:-1], ce_slope[1:-1], atol=1e-2)
assert np.allclose(np.gradient(mse_curve, z)[1:-1], mse_slope[1:-1], atol=1e-2)

six = int(np.argmin(np.abs(z + 6)))
p_wrong, push_ce, push_mse = float(p[six]), float(-ce_slope[six]), float(-mse_slope[six])
push_ratio = push_ce / push_mse
print(
    f"z = -6, p = {p_wrong:.4f}: cross-entropy pushes with {push_ce:.3f}, squared error with {push_mse:.4f}"
)
assert 190 < push_ratio < 220

fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.2))
for name, curve, slope in (
    ("cross-entropy", ce_curve, ce_slope),
    ("squared", mse_curve, mse_slope),
):
    left.plot(z, curve, label=name)
    right.plot(z, -slope)
left.set(xlabel="$z$", ylabel="price")
right.set(xlabel="$z$", ylabel="push on $z$ (minus the slope)")
left.legend()

# %% [markdown]
# ## Swapped labels
# Does it matter in training? A neuron learns to tell 3 from 8, but somebody has swapped the
# labels. The mistake is found after 300 steps. Training goes on from the same weights with
# the right labels, once with each loss.

# %% label="learn"
digits = datasets.load_digits()
pair = np.isin(digits.target, (3, 8))
x_pair = (digits.data[pair] / 16).astype("float32")  # (357, 64), 0 to 1
is_three = (digits.target[pair] == 3).astype("float32")[:, None]  # (357, 1)


def neuron(loss, start=None, rate=1.0):
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(1, activation="sigmoid", kernel_initializer="zeros"),
        ]
    )
    model.compile(optimizer=keras.optimizers.SGD(rate), loss=loss)
    if start is not None:
        model.set_weights(start)
    return model


def accuracy(model):
    return float(np.mean((np.asarray(model(x_pair)) > 0.5) == (is_three > 0.5)))


def learn(model, steps):
    """Train on the right labels and return the accuracy after each step."""
    history = []
    for _ in range(steps):
        model.train_on_batch(x_pair, is_three)
        history.append(accuracy(model))
    return history


# %% label="swapped" alt="Accuracy against training steps. With cross-entropy it climbs from zero past 95 percent within some fifty steps; with the squared error it stops just under one half and stays there for a thousand steps." caption="Two copies of one confidently wrong neuron, trained on the corrected labels. The squared error gets one digit right and stays blind to the other." values="wrong_steps accuracy_start median_p steps_ce accuracy_ce accuracy_mse share_three steps"
steps, wrong_steps = 1000, 300
mistaught = neuron("binary_crossentropy")
for _ in range(wrong_steps):
    mistaught.train_on_batch(x_pair, 1 - is_three)
wrong_weights = mistaught.get_weights()
p_three = np.asarray(mistaught(x_pair))
median_p = float(np.median(np.where(is_three == 1, p_three, 1 - p_three)))
accuracy_start = accuracy(mistaught)

by_ce = neuron("binary_crossentropy", wrong_weights)
by_mse = neuron("mean_squared_error", wrong_weights)
history_ce, history_mse = learn(by_ce, steps), learn(by_mse, steps)
accuracy_ce, accuracy_mse = history_ce[-1], history_mse[-1]
steps_ce = next(step for step, value in enumerate(history_ce, 1) if value > 0.95)
share_three = float(np.mean(np.asarray(by_mse(x_pair)) > 0.5))

print(
    f"mistaught: accuracy {accuracy_start:.2f}, median probability of the right digit {median_p:.3f}"
)
print(f"cross-entropy: over .95 after {steps_ce} steps, {accuracy_ce:.3f} after {steps}")
print(
    f"squared error: {accuracy_mse:.3f} after {steps}; it calls {share_three:.0%} of the images a three"
)
assert accuracy_start < 0.05
assert steps_ce < 100
assert accuracy_ce > 0.98
assert accuracy_mse < 0.6

fig, ax = plt.subplots(figsize=(7.2, 3.2))
ax.plot(range(1, steps + 1), history_ce, label="cross-entropy")
ax.plot(range(1, steps + 1), history_mse, label="squared error")
ax.set(
    xscale="log",
    xlabel="step on the corrected labels",
    ylabel="accuracy",
    ylim=(-0.03, 1.03),
)
ax.legend(loc="upper left")

# %% [markdown]
# ## Weights have a price, too
# A penalty adds the size of the weights to the loss: L2 the sum of their squares, L1 the sum
# of their absolute values, each times a strength $\lambda$. A softmax layer on the digits is
# trained without a penalty, with L2, with L1, and with L1 by *soft-thresholding*: after each
# step on the plain loss, every weight moves towards zero by learning rate × $\lambda$ and
# stops there.

# %% label="softmax-layer"
keras.utils.set_random_seed(0)
order = np.random.default_rng(0).permutation(len(digits.target))
train, test = order[:1257], order[1257:]
x = (digits.data / 16).astype("float32")  # (1797, 64)
rate, l1_strength, l2_strength = 2.0, 0.002, 0.001


def softmax_layer(penalty, start=None):
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(10, activation="softmax", kernel_regularizer=penalty),
        ]
    )
    optimizer = keras.optimizers.SGD(rate)
    model.compile(optimizer, loss="sparse_categorical_crossentropy")
    if start is not None:
        model.set_weights(start)
    return model


# %% label="descend"
def descend(model, threshold=0.0, steps=500):
    """Take steps; after each, cut `threshold` off the size of every weight."""
    for _ in range(steps):
        model.train_on_batch(x[train], digits.target[train])
        if threshold:
            kernel, bias = model.get_weights()
            kernel = np.sign(kernel) * np.maximum(np.abs(kernel) - threshold, 0)
            model.set_weights([kernel, bias])
    return model


# %% label="zeros" values="l1_strength l2_strength accuracy_none accuracy_l2 accuracy_l1 accuracy_soft zeros_none zeros_l2 zeros_l1 zeros_soft near_l1 norm_none norm_l2 norm_soft"
start = softmax_layer(None).get_weights()
models = {
    "no penalty": descend(softmax_layer(None, start)),
    "L2": descend(softmax_layer(keras.regularizers.L2(l2_strength), start)),
    "L1 in the loss": descend(softmax_layer(keras.regularizers.L1(l1_strength), start)),
    "L1 by soft-thresholding": descend(softmax_layer(None, start), rate * l1_strength),
}
kernels = {name: model.get_weights()[0] for name, model in models.items()}  # (64, 10)


def test_accuracy(model):
    return float(np.mean(np.asarray(model(x[test])).argmax(axis=1) == digits.target[test]))


table = pd.DataFrame(
    {
        "exact zeros": [np.mean(kernel == 0) for kernel in kernels.values()],
        "below 0.01": [np.mean(np.abs(kernel) < 0.01) for kernel in kernels.values()],
        "sum of squares": [float(np.sum(kernel**2)) for kernel in kernels.values()],
        "test accuracy": [test_accuracy(model) for model in models.values()],
    },
    index=list(kernels),
)
accuracy_none, accuracy_l2, accuracy_l1, accuracy_soft = table["test accuracy"].tolist()
zeros_none, zeros_l2, zeros_l1, zeros_soft = table["exact zeros"].tolist()
norm_none, norm_l2, _, norm_soft = table["sum of squares"].tolist()
near_l1 = float(table.loc["L1 in the loss", "below 0.01"])

assert norm_l2 < 0.6 * norm_none
assert zeros_none == zeros_l2 == 0
assert zeros_l1 < 0.01
assert zeros_soft > 0.6
assert min(accuracy_l2, accuracy_soft) > accuracy_none - 0.03
for name, zeros in table["exact zeros"].items():
    print(f"{name}: {zeros:.1%} of the weights are exactly zero")
table.round({"sum of squares": 0}).round(3)

# %% label="weights" alt="Above, three pictures of the 64 weights that read the digit 3: without a penalty strong colors everywhere, with L2 the same pattern paler, with L1 most cells empty and a few still strong. Below, the sizes of all weights in order: three curves never reach zero, the soft-thresholded one ends where about a third of the weights are left." caption="Above: the 64 weights of the digit 3, one per pixel; blue speaks for a 3, red against, white is nothing. Below: the sizes of all 640 weights, largest first, on a logarithmic scale, on which zero cannot be drawn: the curve of soft-thresholding simply ends."
fig, (top, bottom) = plt.subplots(2, 1, figsize=(7.2, 5.4), height_ratios=(1, 1.3))
shown = ("no penalty", "L2", "L1 by soft-thresholding")
threes = np.stack([kernels[name][:, 3].reshape(8, 8) for name in shown])  # (3, 8, 8)
limit = float(np.abs(threes).max())
plot.images(top, threes, shown, columns=3, cmap="RdBu", limits=(-limit, limit))
for name, kernel in kernels.items():
    sizes = np.sort(np.abs(kernel), axis=None)[::-1]  # (640,)
    bottom.plot(np.where(sizes > 0, sizes, np.nan), label=name)
bottom.set(yscale="log", xlabel="weights, largest first", ylabel="size", ylim=(1e-5, 5))
bottom.legend(loc="lower left")

# %% [markdown]
# ## Activities have a price, too
# The same L1 can be charged on what a layer puts out. Here the loss of a network with 64 ReLU
# units also pays for the sum of their activities. ReLU itself cuts at zero, so these zeros
# are exact without further help.

# %% label="activities" values="quiet_none quiet_small quiet_large accuracy_loud accuracy_small accuracy_quiet activity_small activity_large"
activity_small, activity_large = 0.001, 0.01


def quiet_network(strength):
    """Train a network whose hidden activities cost `strength` each; return it."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(
                64, activation="relu", activity_regularizer=keras.regularizers.L1(strength)
            ),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.fit(x[train], digits.target[train], epochs=40, verbose=0)
    return model


networks = [quiet_network(strength) for strength in (0.0, activity_small, activity_large)]
quiet_none, quiet_small, quiet_large = (
    float(np.mean(np.asarray(model.layers[0](x[test])) == 0)) for model in networks
)
accuracy_loud, accuracy_small, accuracy_quiet = map(test_accuracy, networks)

print(f"activities that are zero: {quiet_none:.0%}, {quiet_small:.0%}, {quiet_large:.0%}")
print(f"test accuracy: {accuracy_loud:.3f}, {accuracy_small:.3f}, {accuracy_quiet:.3f}")
assert quiet_none < 0.5
assert quiet_large > quiet_none + 0.25
assert accuracy_quiet > accuracy_loud - 0.02

# %% [markdown]
# ## The same in Keras
# From here on `keras` is Keras itself. First every loss and its gradient, on random
# predictions: `labkit` has the derivative written out, TensorFlow finds it by itself.

# %% label="agreement" values="largest_gap"
import keras
import tensorflow as tf

from labkit import losses as written_out

rng = np.random.default_rng(1)
raw = rng.normal(size=(8, 5))
shares = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)  # (8, 5), rows sum to 1
wanted = rng.dirichlet(np.ones(5), size=8)  # (8, 5), rows sum to 1
labels = rng.integers(5, size=8)
cases = {
    "MeanSquaredError": (wanted, raw),
    "MeanAbsoluteError": (wanted, raw),
    "Huber": (wanted, raw),
    "BinaryCrossentropy": (np.eye(5)[labels], shares),
    "CategoricalCrossentropy": (wanted, shares),
    "SparseCategoricalCrossentropy": (labels, shares),
    "KLDivergence": (wanted, shares),
}
rows = {}
for name, (y_true, y_pred) in cases.items():
    ours, theirs = (
        getattr(written_out, name)(),
        getattr(keras.losses, name)(dtype="float64"),
    )
    with tf.GradientTape() as tape:
        tape.watch(variable := tf.constant(y_pred))
        value = theirs(y_true, variable)
    gap = np.abs(
        tape.gradient(value, variable).numpy() - ours.gradient(y_true, y_pred)
    ).max()
    rows[name] = {
        "labkit": ours(y_true, y_pred),
        "Keras": float(value),
        "gradients differ by": gap,
    }
table = pd.DataFrame(rows).T
value_gap = (table["labkit"] - table["Keras"]).abs().max()
largest_gap = float(max(value_gap, table["gradients differ by"].max()))

print(f"largest difference of a value or a gradient: {largest_gap:.0e}")
assert largest_gap < 1e-9
table.assign(**{"gradients differ by": table["gradients differ by"].map("{:.0e}".format)})

# %% [markdown]
# Now the three experiments. The functions above build their models with whatever `keras` is,
# so they now build Keras models, from the same weights.

# %% label="keras-runs" values="lines_gap accuracy_gap weights_gap zeros_keras"
same = {
    "squared": keras.losses.MeanSquaredError(),
    "absolute": keras.losses.MeanAbsoluteError(),
    "Huber, δ = 50": keras.losses.Huber(delta=50.0),
}
lines_gap = max(
    float(np.abs(np.ravel(a) - np.ravel(b)).max())
    for name, loss in same.items()
    for a, b in zip(
        fit_line(spoilt, loss).get_weights(), lines[name].get_weights(), strict=True
    )
)
print(f"typing errors: slopes and biases of the three lines agree to {lines_gap:.1g}")
assert lines_gap < 0.05

accuracy_gap = max(
    float(np.abs(np.array(learn(neuron(loss, wrong_weights), 100)) - history[:100]).max())
    for loss, history in (
        ("binary_crossentropy", history_ce),
        ("mean_squared_error", history_mse),
    )
)
print(f"swapped labels: accuracies over 100 steps agree to {accuracy_gap:.1g}")
assert accuracy_gap < 0.01

theirs = descend(softmax_layer(None, start), rate * l1_strength)
kernel = theirs.get_weights()[0]
weights_gap = float(np.abs(kernel - kernels["L1 by soft-thresholding"]).max())
zeros_keras = float(np.mean(kernel == 0))
print(f"soft-thresholding: {zeros_keras:.1%} zeros, weights agree to {weights_gap:.1g}")
assert weights_gap < 0.01
assert abs(zeros_keras - zeros_soft) < 0.01

# %% [markdown]
# ## Solutions to the exercises


# %% label="exercise-1" tags=["solution"] values="on_time"
def pinball(y, guess, share):
    """Being too low costs `share` a minute, being too high `1 - share`."""
    too_low = np.maximum(y - guess, 0)
    too_high = np.maximum(guess - y, 0)
    return float(np.mean(share * too_low + (1 - share) * too_high))


guesses = np.arange(progress.min(), progress.max())
cheapest_guess = guesses[np.argmin([pinball(progress, guess, 0.9) for guess in guesses])]
on_time = float(np.mean(progress <= cheapest_guess))
print(f"lowest at {cheapest_guess:.0f}; {on_time:.1%} of the patients are at or below it")
assert abs(cheapest_guess - np.quantile(progress, 0.9)) <= 2
assert 0.89 < on_time < 0.91

# %% label="exercise-2" tags=["solution"]
reached = {
    (loss, rate): learn(neuron(loss, wrong_weights, rate), 100)[-1]
    for loss in ("mean_squared_error", "binary_crossentropy")
    for rate in (0.1, 1.0, 10.0)
}
for (loss, rate_), value in reached.items():
    print(f"{loss:20} learning rate {rate_:4}: accuracy {value:.2f}")
assert max(v for (loss, _), v in reached.items() if loss == "mean_squared_error") < 0.6
assert reached["binary_crossentropy", 1.0] > 0.95

# %% label="exercise-3" tags=["solution"]
sure = np.array([[-40.0]], dtype="float32")  # a logit; the right answer is 1
yes = np.ones((1, 1), dtype="float32")
for name, loss, score in (
    ("probability", keras.losses.BinaryCrossentropy(), tf.sigmoid),
    ("logit", keras.losses.BinaryCrossentropy(from_logits=True), tf.identity),
):
    with tf.GradientTape() as tape:
        tape.watch(variable := tf.constant(sure))
        value = loss(yes, score(variable))
    slope = float(tape.gradient(value, variable)[0, 0])
    print(f"from the {name}: loss {float(value):.2f}, slope {slope:.2f}")
    assert (abs(value - 40) < 1e-4 and slope == -1) if name == "logit" else slope == 0

# %% label="exercise-4" alt="A density with two humps, and two single bells. One bell is wide and spans both humps; the other sits on one hump and ignores the other." caption="The best single bell for a truth with two humps (filled): one direction of the divergence covers both, the other picks one." tags=["solution"] values="cover_sd pick_sd"
grid = np.linspace(-5, 5, 201)


def bell(mean, sd):
    """Return bell curves over the grid, as shares that sum to one, (..., 201)."""
    density = np.exp(-(((grid - mean[..., None]) / sd[..., None]) ** 2) / 2)
    return density / density.sum(axis=-1, keepdims=True)


two_humps = (bell(np.array(-2.0), np.array(0.6)) + bell(np.array(2.0), np.array(0.6))) / 2
means, sds = (
    a.ravel() for a in np.meshgrid(np.linspace(-3, 3, 61), np.linspace(0.3, 3, 55))
)
candidates = bell(means, sds)  # (3355, 201)
repeated = np.repeat(two_humps[None], len(candidates), axis=0)
divergence = keras.losses.KLDivergence()
cover = int(np.argmin(divergence.call(repeated, candidates)))  # KL(truth, bell)
pick = int(np.argmin(divergence.call(candidates, repeated)))  # KL(bell, truth)
cover_sd, pick_sd = float(sds[cover]), float(sds[pick])

fig, ax = plt.subplots(figsize=(7.2, 3))
ax.fill_between(grid, two_humps, color=plot.COLORS["grey"], alpha=0.3, linewidth=0)
ax.plot(grid, candidates[cover], label="lowest KL(truth, bell)")
ax.plot(grid, candidates[pick], label="lowest KL(bell, truth)")
ax.set(yticks=[], xlabel="value")
ax.legend()
assert abs(means[cover]) < 0.2
assert cover_sd > 1.8
assert 1.5 < abs(means[pick]) < 2.5
assert pick_sd < 1

# %%
plt.show()
