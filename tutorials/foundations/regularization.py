# %% [markdown]
# # Regularization
# A network that can learn anything also learns what is wrong in its examples. This script measures
# what holds it back: penalties, early stopping, dropout, DropConnect, shifted images and smoothed
# labels, with right and with wrong labels. The chapter
# [Regularization](../../foundations/regularization.md) tells the story.
#
# The first half runs on NumPy and `labkit`, the book's library. The second half repeats it in
# Keras and asserts that the weights agree.

# %%
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import binomtest, t
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.svm import SVC

import labkit as keras
from labkit import datasets, plot

plot.set_theme()
BLUE, ORANGE, GREEN, GREY = (plot.COLORS[name] for name in ("blue", "orange", "green", "grey"))
digits = datasets.load_digits()
x, y = (digits.data / 16).astype("float32"), digits.target  # (1797, 64), (1797,)

# %% [markdown]
# ## Why a penalty helps
# A curve with twelve weights and a bias is fitted to fifteen noisy points of a sine, once with
# hardly any penalty on the weights and once with more. Two hundred such samples show what the
# penalty does on average.

# %% label="fit"
samples, few, noise = 200, 15, 0.3
penalties = 10.0 ** np.arange(-4, 0.6, 0.5)


def powers(x):
    """Return a one for the bias and twelve polynomials of x (Legendre's)."""
    return np.polynomial.legendre.legvander(x, 12)  # (..., points, 13)


def fit_curve(x, y, penalty):
    """Minimize the mean squared error plus penalty × the sum of squared weights."""
    features, charged = powers(x), np.diag([0] + [1] * 12)  # the bias costs nothing
    turned = np.swapaxes(features, -1, -2)  # (..., 13, points)
    square = turned @ features / x.shape[-1] + penalty * charged
    return np.linalg.solve(square, turned @ y[..., None] / x.shape[-1])[..., 0]  # (..., 13)


def squared_error(weights, x, y):
    """Return the mean squared error of each sample, (...)."""
    return np.mean(((powers(x) @ weights[..., None])[..., 0] - y) ** 2, axis=-1)


# %% values="samples few penalty_best error_small error_best error_large train_small train_best noise_floor"
rng = np.random.default_rng(0)


def draw(points):
    """Return noisy points of a sine for each sample, (samples, points) each."""
    x = rng.uniform(-1, 1, (samples, points))
    return x, np.sin(3 * x) + rng.normal(0, noise, x.shape)


known, new = draw(few), draw(500)
fits = [fit_curve(*known, penalty) for penalty in penalties]
errors = np.array([[squared_error(w, *points) for points in (known, new)] for w in fits])
average = errors.mean(axis=2)  # (penalties, 2): on the fitted points, on new ones
reach = 1.96 * errors.std(axis=2) / np.sqrt(samples)

noise_floor = noise**2  # the mean squared error of the truth itself
best = int(average[:, 1].argmin())
penalty_best, error_best, train_best = penalties[best], average[best, 1], average[best, 0]
error_small, train_small, error_large = average[0, 1], average[0, 0], average[-1, 1]
print(f"new points: {error_small:.2f}, with λ = {penalty_best:.2g} {error_best:.2f}")
assert 0 < best < len(penalties) - 1
assert error_small - reach[0, 1] > 2 * error_best, (
    "A fitting penalty more than halves the error on new points."
)
assert error_large > 1.5 * error_best, (
    "Too large a penalty makes the error on new points larger again."
)
assert np.all(np.diff(average[:, 0]) > 0)

# %% label="overfit" alt="Left: a curve that runs through fifteen points with wild swings, and a smooth one near the sine. Right: as the penalty grows, the error on the points rises; that on new points falls, then rises." caption="Left: one sample of fifteen points (dotted: the truth). Right: mean squared errors over two hundred samples, with 95% intervals of the mean." tags=["remove-input"]
fig, (left, right) = plt.subplots(1, 2, figsize=(5, 3.2))
across = np.linspace(-1, 1, 201)
left.plot(known[0][0], known[1][0], "o", color=plot.INK, ms=4)
left.plot(across, np.sin(3 * across), ":", color=plot.INK)
for weights, name in ((fits[0], "small λ"), (fits[best], "best λ")):
    left.plot(across, powers(across) @ weights[0], label=name)
left.set(xlabel="$x$", ylabel="$y$", ylim=(-2.2, 2.2))
left.legend(loc="lower left", bbox_to_anchor=(0, 1))
for k, (name, style) in enumerate((("fitted points", "o-"), ("new points", "s--"))):
    right.errorbar(penalties, average[:, k], reach[:, k], fmt=style, ms=4, label=name)
right.set(xscale="log", yscale="log", xlabel="penalty λ", ylabel="mean squared error")
right.set_xticks([1e-4, 1e-2, 1], ["0.0001", "0.01", "1"])
right.set_yticks([0.03, 0.1, 0.3, 1], ["0.03", "0.1", "0.3", "1"])
right.minorticks_off()
right.legend(loc="lower left", bbox_to_anchor=(0, 1))

# %% [markdown]
# ## A penalty is a belief
# If the true weights are drawn from a normal distribution of standard deviation τ, and the noise has
# the standard deviation σ, the most probable weights are those of an L2 penalty of σ² / nτ². Is this
# also the penalty that predicts best?

# %% label="prior" values="narrow wide best_narrow best_wide theory_narrow theory_wide theory_double worlds"
worlds, finer = 2000, 10.0 ** np.arange(-4, 1.1, 0.25)


def best_penalty(tau):
    """Return the penalty with the lowest error where weights have the standard deviation tau."""
    rng = np.random.default_rng(1)
    truth = rng.normal(0, tau, (worlds, 13, 1))
    here, there = rng.uniform(-1, 1, (worlds, few)), rng.uniform(-1, 1, (worlds, 50))
    seen = (powers(here) @ truth)[..., 0] + rng.normal(0, noise, here.shape)
    hidden = (powers(there) @ truth)[..., 0]
    errors = [squared_error(fit_curve(here, seen, p), there, hidden).mean() for p in finer]
    return float(finer[np.argmin(errors)])


narrow, wide = 0.2, 1.0
best_narrow, best_wide = best_penalty(narrow), best_penalty(wide)
theory_narrow, theory_wide = (noise**2 / (few * tau**2) for tau in (narrow, wide))
theory_double = theory_narrow / 2  # with twice as many points
print(f"τ = {narrow}: best penalty {best_narrow:.3f}, by the formula {theory_narrow:.3f}")
print(f"τ = {wide}: best penalty {best_wide:.4f}, by the formula {theory_wide:.4f}")
assert max(abs(np.log10([best_narrow / theory_narrow, best_wide / theory_wide]))) < 0.3, (
    "The best L2 penalty is the one that the spread of the true weights implies."
)

# %% [markdown]
# ## L2 shrinks, L1 zeroes
# A softmax layer on the digits, trained without a penalty, with L2, with L1, and with L1 by
# *soft-thresholding*.

# %% label="soft"
rate, strength = 2.0, 0.002


def soft_threshold(model):
    """Move every weight towards zero by learning rate × λ, and stop there."""
    kernel, bias = model.get_weights()
    kernel = np.sign(kernel) * np.maximum(np.abs(kernel) - rate * strength, 0)
    model.set_weights([kernel, bias])


# %% label="zeros" values="accuracy_none accuracy_l2 accuracy_l1 accuracy_soft zeros_none zeros_l2 zeros_l1 zeros_soft near_l1 norm_none norm_l2 images penalty_l2 p_l2 p_soft"
rng = np.random.default_rng(0)
start = [rng.normal(0, 0.1, (64, 10)).astype("float32"), np.zeros(10, "float32")]
folds = list(StratifiedKFold(3, shuffle=True, random_state=0).split(x, y))
penalty_l2, images = 0.001, len(x)


def softmax_layer(rows, penalty=None, after=None):
    """Train one layer by full gradients, and call `after` after each step."""
    layer = keras.layers.Dense(10, "softmax", kernel_regularizer=penalty)
    model = keras.Sequential([keras.Input((64,)), layer])
    model.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy")
    model.set_weights(start)
    for _ in range(500):
        model.train_on_batch(x[rows], y[rows])
        if after:
            after(model)
    return model


def is_right(model, rows):
    return np.asarray(model(x[rows])).argmax(axis=1) == y[rows]


def exact_test(one, other):
    """McNemar's exact test: are as many images right in one alone as in the other alone?"""
    alone = int(np.sum(one & ~other)), int(np.sum(other & ~one))
    return float(binomtest(alone[0], sum(alone)).pvalue) if sum(alone) else 1.0


how = {
    "no penalty": {},
    "L2": {"penalty": keras.regularizers.L2(penalty_l2)},
    "L1 in the loss": {"penalty": keras.regularizers.L1(strength)},
    "L1, soft-thresholding": {"after": soft_threshold},
}
right_with, kernels, columns = {}, {}, {}
for name, chosen in how.items():
    right_with[name], found = np.zeros(images, bool), []
    for rows, rest in folds:  # each image is tested once, by a layer that has not seen it
        model = softmax_layer(rows, **chosen)
        right_with[name][rest] = is_right(model, rest)
        found.append(model.get_weights()[0])
    kernels[name] = found[0]  # (64, 10), for the pictures
    columns[name] = {
        "exact zeros": np.mean(np.array(found) == 0),
        "below 0.01": np.mean(np.abs(found) < 0.01),
        "sum of squares": np.sum(np.square(found)) / len(folds),
        "test accuracy": right_with[name].mean(),
    }
table = pd.DataFrame(columns).T
zeros_none, zeros_l2, zeros_l1, zeros_soft = table["exact zeros"]
norm_none, norm_l2, *_ = table["sum of squares"]
accuracy_none, accuracy_l2, accuracy_l1, accuracy_soft = table["test accuracy"]
near_l1 = table["below 0.01"].iloc[2]
p_l2, p_soft = (exact_test(right_with["no penalty"], right_with[n]) for n in ("L2", list(how)[3]))
print(f"exact zeros: L2 {zeros_l2:.1%}, L1 {zeros_l1:.1%}, thresholding {zeros_soft:.1%}")
print(f"exact tests against no penalty: L2 p = {p_l2:.1g}, thresholding p = {p_soft:.1g}")
assert norm_l2 < 0.6 * norm_none, "An L2 penalty shrinks the weights."
assert zeros_none == zeros_l2 == 0, "An L2 penalty makes no weight exactly zero."
assert zeros_l1 < 0.01, "Plain gradient steps on an L1 penalty make hardly any weight exactly zero."
assert min(near_l1, zeros_soft) > 0.6, "Soft-thresholding makes most weights exactly zero."
assert max(accuracy_l2, accuracy_soft) < accuracy_none
assert abs(accuracy_l1 - accuracy_soft) < 0.006, (
    "With and without exact zeros, the same L1 penalty costs the same accuracy within 0.6 points."
)
assert min(accuracy_l2, accuracy_soft) > accuracy_none - 0.03, (
    "Either penalty costs the digits at most three percentage points."
)
table.style.format(
    {
        "exact zeros": "{:.1%}",
        "below 0.01": "{:.1%}",
        "sum of squares": "{:,.0f}",
        "test accuracy": "{:.1%}",
    }
)

# %% label="weights" alt="Above: three pictures of 64 weights; with L2 paler than without, with L1 mostly empty. Below: the sizes of all weights in order; one curve ends early." caption="Above: the 64 weights of the digit 3; blue speaks for a 3, red against, white is nothing. Below: the sizes of all 640 weights on a logarithmic scale, which has no zero: the curve of soft-thresholding simply ends." tags=["remove-input"]
largest = []
fig, axes = plt.subplot_mosaic("012;333", figsize=(5, 5), height_ratios=(1, 1.6))
for panel, name in enumerate(("no penalty", "L2", "L1, soft-thresholding")):
    ax, picture = axes[str(panel)], kernels[name][:, 3].reshape(1, 8, 8)
    plot.images(ax, picture, cmap="RdBu", vmin=-3, vmax=3).set_title(name.replace(", ", ",\n"))
for name, kernel in kernels.items():
    sizes = np.sort(np.abs(kernel[kernel != 0]))[::-1]
    axes["3"].semilogy(sizes, label=name)
    if name.startswith("L1"):
        largest.append(sizes[:150])
assert np.allclose(*largest, atol=0.02)  # the two curves lie on top of each other
axes["3"].set(xlabel="weights, largest first", ylabel="size", ylim=(1e-5, 5))
axes["3"].set_yticks([1, 1e-2, 1e-4], ["1", "0.01", "0.0001"])
axes["3"].legend(loc="lower left")

# %% [markdown]
# With plain gradient descent, an L2 penalty of λ and a weight decay of 2λ are the same steps.

# %% label="decay" values="decay_gap"
one_batch, ends = np.arange(200), []
for penalty, decay in (keras.regularizers.L2(0.01), None), (None, 0.02):
    layer = keras.layers.Dense(10, kernel_regularizer=penalty, use_bias=False)
    model = keras.Sequential([keras.Input((64,)), layer])
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.5, weight_decay=decay), cross_entropy)
    model.set_weights(start[:1])
    for _ in range(50):
        model.train_on_batch(x[one_batch], y[one_batch])
    ends.append(model.get_weights()[0])
decay_gap = float(np.abs(ends[0] - ends[1]).max())
print(f"largest difference of a weight after 50 steps: {decay_gap:.0e}")
assert decay_gap < 1e-4, "For plain gradient descent, weight decay is an L2 penalty."

# %% [markdown]
# ## Activities have a price, too
# L1 can be charged on what a layer puts out. ReLU cuts at zero by itself, so these zeros are
# exact without further help.

# %% label="activities" values="quiet_none quiet_small quiet_large accuracy_loud accuracy_small accuracy_quiet price_small price_large gain_low gain_high"
prices = price_none, price_small, price_large = 0.0, 0.001, 0.01
zero, right_at = np.zeros((3, len(folds))), np.zeros((3, images), bool)
for k, price in enumerate(prices):
    for fold, (rows, rest) in enumerate(folds):
        keras.utils.set_random_seed(0)
        penalty = keras.regularizers.L1(price)
        hidden = keras.layers.Dense(64, "relu", activity_regularizer=penalty)
        output = keras.layers.Dense(10, "softmax")
        model = keras.Sequential([keras.Input((64,)), hidden, output])
        model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
        model.fit(x[rows], y[rows], batch_size=32, epochs=20, verbose=0)
        zero[k, fold] = np.mean(np.asarray(hidden(x[rest])) == 0)
        right_at[k, rest] = is_right(model, rest)
quiet_none, quiet_small, quiet_large = zero.mean(axis=1)
accuracy_loud, accuracy_small, accuracy_quiet = right_at.mean(axis=1)
gain = right_at[2].astype(float) - right_at[0]  # 1, 0 or -1 for each image
half_width = 1.96 * gain.std() / np.sqrt(images)  # of a 95% interval
gain_low, gain_high = 100 * (gain.mean() - half_width), 100 * (gain.mean() + half_width)
print("activities that are zero:", ", ".join(f"{share:.0%}" for share in zero.mean(axis=1)))
print("right:", ", ".join(f"{share:.1%}" for share in right_at.mean(axis=1)))
assert quiet_none + 0.05 < quiet_small < quiet_large - 0.15, (
    "An L1 penalty on outputs silences hidden units."
)
assert gain_low > -2

# %% [markdown]
# ## Stopping early is a penalty, too
# Gradient descent on the same samples of the sine, from weights of zero. After $t$ steps of rate η
# it should resemble the penalty $\lambda = 1 / (2 \eta t)$.

# %% label="descent" values="stop_best stop_error match_gap share_gap descent_steps"
step_rate, descent_steps = 0.1, 5000
features, targets = powers(known[0]), known[1][..., None]  # (samples, points, 13 or 1)
turned = np.swapaxes(features, 1, 2)
moving = np.zeros((samples, 13, 1))
stops, stop_errors = [5, 16, 50, 160, 500, 1600, descent_steps], []
for step in range(1, descent_steps + 1):
    moving -= step_rate * 2 / few * (turned @ (features @ moving - targets))
    if step in stops:
        stop_errors.append(float(squared_error(moving[..., 0], *new).mean()))
matched = [1 / (2 * step_rate * step) for step in stops]
matched_errors = [float(squared_error(fit_curve(*known, p), *new).mean()) for p in matched]
stop_best, stop_error = stops[int(np.argmin(stop_errors))], min(stop_errors)
match_gap = float(np.max(np.abs(np.divide(stop_errors, matched_errors)[2:] - 1)))
print(f"lowest error {stop_error:.3f}, after {stop_best} steps; with a penalty {error_best:.3f}")
assert 5 < stop_best < descent_steps
assert abs(stop_error / error_best - 1) < 0.15, (
    "Stopping at the best moment is about as good as the best L2 penalty."
)
assert stop_errors[-1] > 1.15 * stop_error

reached = np.logspace(-3, 3, 601)  # η t c: steps × rate × curvature of a direction
share_gap = float(np.max(1 - np.exp(-reached) - reached / (1 + reached)))
assert 0.15 < share_gap < 0.25

# %% label="stopping" alt="Two rising S-shaped curves over curvature, close to each other; then two U-shaped curves of errors, nearly on top of each other." caption="Left: how much of a weight is learned, by the curvature of the loss in its direction. Right: mean squared errors on new points, gradient descent stopped after $t$ steps and the penalty 1 / (2η$t$)." tags=["remove-input"]
fig, (left, right) = plt.subplots(1, 2, figsize=(5, 2.9))
left.semilogx(reached, 1 - np.exp(-reached))
left.semilogx(reached, reached / (1 + reached))
left.set(xlabel="curvature × η$t$", ylabel="share learned")
left.set_xticks([1e-3, 1, 1e3], ["0.001", "1", "1,000"])
left.minorticks_off()
right.loglog(stops, stop_errors, "o-", ms=4, label="stopped after $t$ steps")
right.loglog(stops, matched_errors, "s--", ms=4, label="penalty 1 / (2η$t$)")
right.set(xlabel="steps $t$", ylabel="mean squared error")
right.set_xticks([10, 100, 1000], ["10", "100", "1,000"])
right.set_yticks([0.15, 0.2, 0.3, 0.4], ["0.15", "0.2", "0.3", "0.4"])
right.minorticks_off()
fig.legend(loc="outside upper left", ncols=2)

# %% [markdown]
# ## A network that learns wrong labels
# 797 images are set aside for the test. From the other thousand each draw takes 320 to train on, in
# which a share of the labels is wrong, and 680 to choose by, with as many wrong labels.

# %% label="data" values="known_images tested wrong_share"
known_images, tested, wrong_share = 320, 797, 0.3
order = np.random.default_rng(0).permutation(len(x))
pictures = 2 * x.reshape(-1, 8, 8, 1)  # from 0 to 2, since small inputs learn slowly
x_test, y_test = pictures[order[-tested:]], y[order[-tested:]]


def spoil(labels, share, rng):
    """Return labels of which a share, chosen at random, is wrong."""
    labels, wrong = labels.copy(), rng.permutation(len(labels)) < share * len(labels)
    labels[wrong] = (labels[wrong] + rng.integers(1, 10, wrong.sum())) % 10
    return labels


def examples(seed, share):
    """Return images and labels to train on, and others to choose by."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(order[:-tested])
    labels, n = spoil(y[rows], share, rng), known_images
    return (pictures[rows[:n]], labels[:n]), (pictures[rows[n:]], labels[n:])


# %% [markdown]
# DropConnect as a callback: each batch sees weights of which some are zero, and the step that it
# takes is applied to the full weights.


# %% label="dropconnect"
def drop_connect(model, rate, seed):
    """Return a callback that drops weights of the first layer in each batch."""
    rng, kept = np.random.default_rng(seed), {}

    def thin(batch, logs):
        full, *others = model.get_weights()
        mask = (rng.random(full.shape) >= rate) / (1 - rate)
        model.set_weights([full * mask, *others])
        kept.update(full=full, mask=mask)

    def restore(batch, logs):
        kernel, *others = model.get_weights()
        step = kernel - kept["full"] * kept["mask"]
        # The chain rule: what multiplies a weight multiplies its slope.
        model.set_weights([kept["full"] + kept["mask"] * step, *others])

    callback = keras.callbacks.LambdaCallback
    return callback(on_train_batch_begin=thin, on_train_batch_end=restore)


# %% label="network" values="units epochs patience parameters"
units, epochs, patience = 128, 40, 5
parameters = 64 * units + units + units * 10 + 10


def build(method="nothing", strength=None, units=units):
    """Return an untrained network that one of the methods will regularize."""
    l1, l2 = ((strength if method == name else 0) for name in ("L1", "L2"))
    penalty = keras.regularizers.L1L2(l1, l2) if l1 or l2 else None
    layers = [keras.Input((8, 8, 1))]
    if method == "shifted images":
        layers.append(keras.layers.RandomTranslation(strength, strength, fill_mode="constant"))
    layers.append(keras.layers.Flatten())
    layers.append(keras.layers.Dense(units, "relu", kernel_regularizer=penalty))
    if method == "dropout":
        layers.append(keras.layers.Dropout(strength))
    layers.append(keras.layers.Dense(10, kernel_regularizer=penalty))
    return keras.Sequential(layers)


def fit(model, known, seed, method="nothing", strength=None, rate=None, **options):
    """Train a network; return the results of each epoch."""
    shown, labels, callbacks = known[0], np.eye(10, dtype="float32")[known[1]], []
    if method == "early stopping":  # a fifth of the examples says when
        held = len(shown) // 5
        options["validation_data"] = shown[:held], labels[:held]
        shown, labels = shown[held:], labels[held:]
        stop = keras.callbacks.EarlyStopping(patience=strength, restore_best_weights=True)
        callbacks.append(stop)
    if method == "DropConnect":
        callbacks.append(drop_connect(model, strength, seed))
    smoothing = strength if method == "smoothed labels" else 0
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    falling = keras.optimizers.schedules.CosineDecay(0.5, epochs * -(-len(shown) // 32))
    model.compile(keras.optimizers.SGD(rate or falling), loss, metrics=["accuracy"])
    settings = {"batch_size": 32, "epochs": epochs, "verbose": 0} | options
    return model.fit(shown, labels, callbacks=callbacks, **settings).history


def network(known, seed, method="nothing", strength=None, units=units, **options):
    """Build and train a network by one of the methods; return it and its history."""
    keras.utils.set_random_seed(seed)
    model = build(method, strength, units)
    return model, fit(model, known, seed, method, strength, **options)


def accuracy(model, pictures, labels):
    return float(np.mean(np.asarray(model(pictures)).argmax(axis=1) == labels))


# %% [markdown]
# With wrong labels, the loss on other examples falls for a few epochs and then rises. (The examples
# that it is measured on have as many wrong labels.)

# %% label="curves" alt="Two panels of losses over epochs. With right labels both fall and stay low; with wrong labels the training loss falls but the validation loss turns and rises far above its start." caption="The loss of the same network, on training examples and on others, without regularization. A dot marks the lowest validation loss." values="turn_clean turn_noisy rise_noisy rise_clean" tags=["remove-input"]
fig, axes = plt.subplots(1, 2, figsize=(5, 2.9), sharey=True)
turns, rises = {0: [], wrong_share: []}, {0: [], wrong_share: []}
for ax, share in zip(axes, turns, strict=True):
    for seed in range(3):
        known, others = examples(seed, share)
        judged = others[0], np.eye(10, dtype="float32")[others[1]]
        model, history = network(known, seed, validation_data=judged)
        losses = history["val_loss"]
        turns[share].append(1 + int(np.argmin(losses)))
        rises[share].append(losses[-1] / min(losses))
    ax.plot(range(1, epochs + 1), history["loss"], color=BLUE, label="training")
    ax.plot(range(1, epochs + 1), losses, "--", color=ORANGE, label="validation")
    ax.plot(turns[share][-1], min(losses), "o", color=ORANGE)
    ax.set(xlabel="epoch", title=f"{share:.0%} of labels wrong", ylim=(0, 3))
axes[0].set_ylabel("loss")
axes[0].legend(loc="upper right")
turn_clean, turn_noisy = (float(np.mean(turns[share])) for share in turns)
rise_clean, rise_noisy = (float(np.mean(rises[share])) for share in rises)
print("lowest after epochs", turns, "then times", rises)
assert turn_noisy < 0.8 * turn_clean, "With wrong labels, the validation loss turns earlier."
assert rise_noisy > 1.08 > rise_clean, (
    "With wrong labels the validation loss rises again; with right ones it hardly does."
)

# %% [markdown]
# Which labels does the network repeat when the validation loss is lowest, and which at the end?

# %% label="order" values="right_turn wrong_turn right_end wrong_end memorized"
repeated = np.zeros((3, 2, 3))  # draws; at the turn, at the end; right, wrong and all labels
for seed, turn in enumerate(turns[wrong_share]):
    known, _ = examples(seed, wrong_share)
    wrong = known[1] != examples(seed, 0)[0][1]  # the same images with their right labels
    for k, until in enumerate((turn, epochs)):
        model, _ = network(known, seed, epochs=until)
        same = np.asarray(model(known[0])).argmax(axis=1) == known[1]
        repeated[seed, k] = same[~wrong].mean(), same[wrong].mean(), same.mean()
(right_turn, wrong_turn, _), (right_end, wrong_end, memorized) = repeated.mean(axis=0)
print(f"at the turn {right_turn:.0%} of the right labels, {wrong_turn:.0%} of the wrong ones")
print(f"at the end {right_end:.0%} of the right labels, {wrong_end:.0%} of the wrong ones")
assert right_turn > 3 * wrong_turn, "Right labels are learned before wrong ones."
assert wrong_end > 2 * wrong_turn, (
    "Most of the learned wrong labels are learned after the lowest validation loss."
)

# %% [markdown]
# Each method's strength is chosen by the 680 other examples of one draw, for right and for wrong
# labels. The comparison then uses other draws, and the test images.

# %% label="strengths"
STRENGTHS = {
    "nothing": [None],
    "L2": [0.001, 0.01, 0.03],
    "L1": [0.0003, 0.003],
    "early stopping": [patience],
    "dropout": [0.3, 0.5, 0.7],
    "DropConnect": [0.15, 0.3],
    "shifted images": [0.06, 0.12],
    "smoothed labels": [0.1, 0.3, 0.6],
}
chosen = {}
for share in (0, wrong_share):
    known, others = examples(100, share)
    for method, strengths in STRENGTHS.items():
        scores = [0.0]
        if len(strengths) > 1:
            scores = [accuracy(network(known, 100, method, s)[0], *others) for s in strengths]
        chosen[share, method] = strengths[int(np.argmax(scores))]

# %% label="draws" values="draws zeros_dropout"
draws = 5
results, seconds, lengths, dropped = {}, {}, {}, []
for share, method in chosen:
    for seed in range(draws):
        known, _ = examples(seed, share)
        began = time.process_time()
        model, history = network(known, seed, method, chosen[share, method])
        taken = time.process_time() - began
        lengths.setdefault((share, method), []).append(len(history["loss"]))
        results.setdefault((share, method), []).append(accuracy(model, x_test, y_test))
        seconds.setdefault((share, method), []).append(taken)
        if method == "dropout":
            dropped.append(np.mean([np.mean(w == 0) for w in model.get_weights()[::2]]))
zeros_dropout = float(np.max(dropped))


def gain(share, method):
    """Return the mean gain over nothing and half of its 95% interval, in percentage points."""
    gains = 100 * np.subtract(results[share, method], results[share, "nothing"])
    return gains.mean(), t.ppf(0.975, draws - 1) * gains.std(ddof=1) / np.sqrt(draws)


# %% label="claims" values="clean_none noisy_none clean_dropout noisy_dropout noisy_l2 gain_dropout half_dropout most_clean least_noisy gain_stop half_stop seconds_none seconds_dropout seconds_stop"
clean_none, noisy_none = (np.mean(results[share, "nothing"]) for share in (0, wrong_share))
clean_dropout, noisy_dropout = (np.mean(results[share, "dropout"]) for share in (0, wrong_share))
noisy_l2 = np.mean(results[wrong_share, "L2"])
gain_dropout, half_dropout = gain(wrong_share, "dropout")
gain_stop, half_stop = gain(wrong_share, "early stopping")
most_clean = max(gain(0, method)[0] for method in STRENGTHS)
others = [method for method in STRENGTHS if method not in ("nothing", "early stopping")]
least_noisy = min(gain(wrong_share, method)[0] for method in others)
seconds_none, seconds_dropout, seconds_stop = (
    np.median(seconds[wrong_share, method]) for method in ("nothing", "dropout", "early stopping")
)
for share in (0, wrong_share):
    print(share, {m: tuple(np.round(gain(share, m), 1)) for m in STRENGTHS})
assert most_clean < 1.5, "With right labels, no method gains more than 1.5 percentage points."
assert sum(gain(wrong_share, method)[0] > gain(wrong_share, method)[1] for method in others) >= 4
assert least_noisy > 1, (
    "With 30% wrong labels, penalties, dropping, shifts and smoothing each gain over one point."
)
assert zeros_dropout == 0, "Dropout leaves no weight at zero: the trained network is as dense."
assert seconds_dropout > 0.8 * seconds_none, "Dropout does not shorten training."
assert seconds_stop < 0.8 * seconds_none, "Early stopping shortens training."

# %% label="comparison"
rows = {}
for method in STRENGTHS:
    row = rows[method] = {}
    for share, name in ((0, "right labels"), (wrong_share, f"{wrong_share:.0%} wrong")):
        strength = chosen[share, method]
        found = f"{np.mean(results[share, method]):.1%}"
        row[name] = found if strength is None else f"{found} ({strength:g})"
    row["seconds"] = f"{np.median(seconds[wrong_share, method]):.2f}"
pd.DataFrame(rows).T

# %% label="gains" alt="A dot with an interval for each method, twice. With right labels all lie near zero; with wrong labels all but early stopping lie clearly to the right." caption="What each method gains over nothing, in percentage points of test accuracy: means of five draws with 95% intervals." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.6))
names = [method for method in STRENGTHS if method != "nothing"][::-1]
for share, color, mark, shift in ((0, GREY, "o", 0.14), (wrong_share, BLUE, "s", -0.14)):
    middles, halves = np.transpose([gain(share, method) for method in names])
    style = {"color": color, "fmt": mark, "ms": 5, "label": f"{share:.0%} of labels wrong"}
    ax.errorbar(middles, np.arange(len(names)) + shift, xerr=halves, **style)
ax.axvline(0, color=plot.INK, linewidth=1)
ax.set_yticks(range(len(names)), names)
ax.set_xlabel("gain in test accuracy (points)")
fig.legend(loc="outside upper left", ncols=2)

# %% [markdown]
# Early stopping gains little here. Is it because the learning rate falls in any case? With a constant
# rate the network fits the wrong labels more closely.

# %% label="constant" values="constant_none constant_stop gain_constant rate_constant stopped_after"
rate_constant, constant = 0.5, {}
for method in ("nothing", "early stopping"):
    for seed in range(draws):
        known, _ = examples(seed, wrong_share)
        model, _ = network(known, seed, method, chosen[wrong_share, method], rate=rate_constant)
        constant.setdefault(method, []).append(accuracy(model, x_test, y_test))
constant_none, constant_stop = (float(np.mean(found)) for found in constant.values())
gain_constant = 100 * (constant_stop - constant_none)
stopped_after = float(np.mean(lengths[wrong_share, "early stopping"]))
print(f"constant rate: {constant_none:.1%} without, {constant_stop:.1%} with early stopping")
assert gain_constant > gain_stop + 3, (
    "At a constant rate early stopping gains much, after a falling one little."
)
assert constant_none < noisy_none - 0.03, "A falling rate alone already holds back wrong labels."

# %% [markdown]
# ## Dropout is an average of networks
# A small network with ten hidden units has 1,024 thinned versions. Their average can be taken over
# all of them.


# %% label="thinned" values="masks_all geometric_gap alone_small whole_small"
def layers_of(model):
    """Return the weights of a network with one hidden layer, as 64-bit numbers."""
    return [w.astype("float64") for w in model.get_weights()]


def softmax(z):
    p = np.exp(z - z.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


small, _ = network(examples(0, 0)[0], 0, "dropout", 0.5, units=10)
W1, b1, W2, b2 = layers_of(small)
H = np.maximum(x_test.reshape(tested, 64) @ W1 + b1, 0)  # (797, 10)
masks = np.array(np.meshgrid(*[[0.0, 2.0]] * 10)).reshape(10, -1).T  # (1024, 10), all there are
masks_all = len(masks)
thinned = softmax((masks[:, None] * H) @ W2 + b2)  # (1024, 797, 10): 2 is 1 / (1 - rate)
geometric = np.exp(np.log(thinned).mean(axis=0))  # of the 1,024 probabilities, (797, 10)
geometric /= geometric.sum(axis=1, keepdims=True)
whole = softmax(H @ W2 + b2)  # one pass without a mask
geometric_gap = float(np.abs(geometric - whole).max())
alone_small = float(np.mean(thinned.argmax(axis=2) == y_test))
whole_small = float(np.mean(whole.argmax(axis=1) == y_test))
print(f"geometric mean of {masks_all:,d} networks against one pass: {geometric_gap:.0e}")
assert geometric_gap < 1e-10, (
    "One pass without a mask is exactly the geometric mean of all thinned networks."
)
assert whole_small > alone_small + 0.02

# %% [markdown]
# The large network, trained on wrong labels: single thinned networks, the average of many, and the
# one pass without a mask.

# %% label="average" values="masks_some alone_mean average_masks whole_pass plain_pass"
masks_some, averaged = 200, [1, 2, 5, 10, 20, 50, 100, 200]
rng = np.random.default_rng(0)
by_number, alone, passes = [], [], []
for seed in range(3):
    strength = chosen[wrong_share, "dropout"]
    model, _ = network(examples(seed, wrong_share)[0], seed, "dropout", strength)
    W1, b1, W2, b2 = layers_of(model)
    H = np.maximum(x_test.reshape(tested, 64) @ W1 + b1, 0)  # (797, 128)
    total, curve = np.zeros((tested, 10)), []
    for number in range(1, masks_some + 1):
        mask = (rng.random(H.shape) >= strength) / (1 - strength)  # another one for each image
        p = softmax((mask * H) @ W2 + b2)
        alone.append(np.mean(p.argmax(axis=1) == y_test))
        total += p
        if number in averaged:
            curve.append(np.mean(total.argmax(axis=1) == y_test))
    by_number.append(curve)
    passes.append(np.mean((H @ W2 + b2).argmax(axis=1) == y_test))
alone_mean, average_masks = float(np.mean(alone)), float(np.mean(by_number, axis=0)[-1])
whole_pass, plain_pass = float(np.mean(passes)), float(np.mean(results[wrong_share, "nothing"][:3]))
print(
    f"alone {alone_mean:.1%}, average of {masks_some} {average_masks:.1%}, one pass {whole_pass:.1%}"
)
assert alone_mean < average_masks - 0.03, "A thinned network alone does worse than their average."
assert abs(average_masks - whole_pass) < 0.015, (
    "One pass without a mask does as well as the average of 200 thinned networks."
)

# %% label="ensemble" alt="Accuracy against the number of averaged thinned networks: it climbs from that of one to a plateau at the dashed line of the one pass without a mask." caption="Accuracy on new images of averages of thinned networks. Dashed: one pass of the whole network. Means of three draws, trained with 30% wrong labels." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.8))
ax.semilogx(averaged, np.mean(by_number, axis=0), "o-", label="average of thinned networks")
ax.axhline(whole_pass, color=ORANGE, linestyle="--", label="one pass without a mask")
ax.set_xticks([1, 10, 100], ["1", "10", "100"])
ax.minorticks_off()
ax.set(xlabel="thinned networks in the average", ylabel="test accuracy")
ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
ax.legend(loc="lower right")

# %% [markdown]
# Smoothed labels teach a network to be unsure, even of images that it reads right.

# %% label="unsure" values="much_smoothing smooth_target sure_right"
much_smoothing, sure = 0.6, []
smooth_target = 1 - much_smoothing + much_smoothing / 10
for seed in range(3):
    model, _ = network(examples(seed, 0)[0], seed, "smoothed labels", much_smoothing)
    p = softmax(np.asarray(model(x_test)))  # (797, 10)
    sure.append(p.max(axis=1)[p.argmax(axis=1) == y_test].mean())
sure_right = float(np.mean(sure))
print(f"probability of right answers: {sure_right:.2f}, their target: {smooth_target:.2f}")
assert abs(sure_right - smooth_target) < 0.12, (
    "A network that learned smoothed labels gives even right answers only a middling probability."
)

# %% [markdown]
# Half of these numbers are zero, but a matrix product multiplies by zeros, too.

# %% label="products" values="product_ratio"
rng = np.random.default_rng(0)
full = rng.random((256, 512))
halved, W = full * (rng.random(full.shape) < 0.5), rng.random((512, 512))


def shortest(array):
    """Return the shortest time of a hundred products."""
    times = []
    for _ in range(100):
        began = time.perf_counter()
        array @ W
        times.append(time.perf_counter() - began)
    return min(times)


product_ratio = shortest(halved) / shortest(full)
print(f"a product with half of the numbers zero takes {product_ratio:.2f} times as long")
assert product_ratio > 0.8, "Zeros in a matrix do not make a dense product faster."

# %% [markdown]
# ## Searching for hyperparameters
# Kernel ridge regression has two hyperparameters, the width of its kernel, γ, and the penalty, λ. On
# 150 images every pair of 16 × 16 values is tried once, for right and for wrong labels. Searches are
# then replayed on these results thousands of times.

# %% label="surface" values="side search_known near_gamma_clean near_lambda_clean near_gamma_noisy near_lambda_noisy"
side, search_known = 16, 150
gammas, lambdas = 10.0 ** np.linspace(-4, 2, side), 10.0 ** np.linspace(-6, 2, side)


def surface(seed, share):
    """Return which of 1,000 other images each pair gets right, (16, 16, 1000)."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(x))[: search_known + 1000]
    here, there = x[rows[:search_known]].astype(float), x[rows[search_known:]].astype(float)
    wanted = np.eye(10)[spoil(y[rows[:search_known]], share, rng)]  # (150, 10)

    def distances(others):
        squares = np.sum(others**2, axis=1)[:, None] + np.sum(here**2, axis=1)
        return squares - 2 * others @ here.T

    near, far, right = distances(here), distances(there), []
    for gamma in gammas:
        s, U = np.linalg.eigh(np.exp(-gamma * near))  # one for all penalties
        K, T = np.exp(-gamma * far) @ U, U.T @ wanted
        guesses = [(K @ (T / (s + p)[:, None])).argmax(axis=1) for p in lambdas]
        right.append([guess == y[rows[search_known:]] for guess in guesses])
    return np.array(right)


surfaces = {share: [surface(seed, share) for seed in range(3)] for share in (0, wrong_share)}


def near_best(share):
    """Return how many γ, and how many λ, come within one point of the best with a partner."""
    score = np.mean([right.mean(axis=2) for right in surfaces[share]], axis=0)  # (16, 16)
    return [int(np.sum(score.max(axis=axis) > score.max() - 0.01)) for axis in (1, 0)]


near_gamma_clean, near_lambda_clean = near_best(0)
near_gamma_noisy, near_lambda_noisy = near_best(wrong_share)
print(f"near the best: {near_best(0)}, with wrong labels {near_best(wrong_share)}")
assert max(near_gamma_noisy, near_lambda_noisy) <= 5
assert near_lambda_clean > 2 * near_lambda_noisy, (
    "With wrong labels far fewer penalties come within one point of the best than with right ones."
)

# %% label="race" values="tries grid_clean random_clean grid_noisy random_noisy grid_third random_third"
tries = 64


def race(share, third=False, repeats=400):
    """Return the mean accuracy of the best of a grid and of as many random pairs.

    With a third hyperparameter that changes nothing, a grid of 4 × 4 × 4 has only 4 × 4 pairs.
    """
    rng, found = np.random.default_rng(0), []
    across = 4 if third else 8
    for right in surfaces[share]:
        score = right.mean(axis=2)
        for _ in range(repeats):
            step = side // across
            i, j = (first + step * np.arange(across) for first in rng.integers(0, step, 2))
            grid = score[np.ix_(i, j)].max()
            random = score[rng.integers(0, side, tries), rng.integers(0, side, tries)].max()
            found.append((grid, random))
    return np.mean(found, axis=0)


grid_clean, random_clean = race(0)
grid_noisy, random_noisy = race(wrong_share)
grid_third, random_third = race(wrong_share, third=True)
assert abs(random_clean - grid_clean) < 0.01
assert random_noisy < grid_noisy + 0.002, (
    "Where both hyperparameters matter, random search is no better than a grid."
)
assert random_third > grid_third + 0.005, (
    "With a third hyperparameter that changes nothing, random search beats the grid."
)
print(f"right labels: grid {grid_clean:.2%}, random {random_clean:.2%}")
print(f"wrong labels: grid {grid_noisy:.2%}, random {random_noisy:.2%}")
print(f"and a third that changes nothing: grid {grid_third:.2%}, random {random_third:.2%}")

# %% label="winner" values="judges few_tries many_tries gap_one gap_few gap_many validated tested_winner big_judges gap_big"
judges, big_judges, replays = 100, 500, 300
counts = [1, 3, 10, 30, 100, 250]


def winners(count, judges, seed=0):
    """Return the mean validation and test accuracy of the best of some random pairs."""
    rng, found = np.random.default_rng(seed), []
    for right in surfaces[0]:
        flat = right.reshape(side * side, -1)  # (256, 1000)
        for _ in range(replays):
            lots = rng.permutation(1000)
            trial = rng.choice(len(flat), count, replace=False)
            scores = flat[trial][:, lots[:judges]].mean(axis=1)
            winner = trial[scores.argmax()]
            found.append((scores.max(), flat[winner, lots[-500:]].mean()))
    return np.mean(found, axis=0)


curve = np.array([winners(count, judges) for count in counts])  # (6, 2)
gaps = 100 * (curve[:, 0] - curve[:, 1])  # percentage points
few_tries, many_tries = counts[2], counts[-1]
gap_one, gap_few, gap_many = gaps[0], gaps[2], gaps[-1]
validated, tested_winner = curve[-1]
gap_big = 100 * float(np.subtract(*winners(many_tries, big_judges)))
assert abs(gap_one) < 0.5  # one setting, not chosen: no optimism
assert gap_one + 0.3 < gap_few < gap_many, (
    "The more settings are tried, the more optimistic is the winner's validation accuracy."
)
assert gap_many > 1, "The best of 250 settings promises over one percentage point too much."
assert gap_big < gap_many, "With more validation images the winner promises less too much."
print("too optimistic by", ", ".join(f"{gap:.1f}" for gap in gaps), "points")
print(f"with {big_judges} validation images by {gap_big:.1f}")

# %% label="optimism" alt="Two curves over the number of settings tried. The winner's validation accuracy keeps rising; its test accuracy rises less and then stays level, so that a gap opens." caption="Accuracy of the winner on the 100 images that chose it and on 500 others, by the number of settings tried. Averages of 900 replayed searches." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.8))
ax.semilogx(counts, curve[:, 0], "o-", label="validation accuracy of the winner")
ax.semilogx(counts, curve[:, 1], "s--", label="its test accuracy")
ax.set_xticks(counts, [str(count) for count in counts])
ax.minorticks_off()
ax.set(xlabel="settings tried", ylabel="accuracy")
ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
ax.legend(loc="lower right")

# %% [markdown]
# ## Solutions to the exercises
# **Exercise 1.** One weight, whose lowest loss without a penalty would be at $a$.

# %% label="exercise-1" tags=["solution"]
w, lam = np.linspace(-3, 3, 60001), 0.8
for a in (-2.0, 0.3, 1.5):
    ridge, lasso = (
        w[np.argmin((w - a) ** 2 + lam * w**2)],
        w[np.argmin((w - a) ** 2 + lam * abs(w))],
    )
    shrunk, soft = a / (1 + lam), np.sign(a) * max(abs(a) - lam / 2, 0)
    print(f"a = {a}: L2 {ridge:.3f}, L1 {lasso:.3f}")
    assert np.allclose((ridge, lasso), (shrunk, soft), atol=1e-3)

# %% [markdown]
# **Exercise 2.** Augmentation that changes what an image means.

# %% label="exercise-2" tags=["solution"]
flipped = []
for seed in range(3):
    known, _ = examples(seed, 0)
    both = np.concatenate([known[0], known[0][:, :, ::-1]]), np.tile(known[1], 2)
    model, _ = network(both, seed)
    flipped.append(accuracy(model, x_test, y_test))
print(
    f"with mirror images {np.mean(flipped):.1%}, without {np.mean(results[0, 'nothing'][:3]):.1%}"
)
assert np.mean(flipped) < np.mean(results[0, "nothing"][:3]) - 0.005

# %% [markdown]
# **Exercise 3.** Dropout in a small network.

# %% label="exercise-3" tags=["solution"]
small_network = {"nothing": [], "dropout": []}
for method, found in small_network.items():
    for seed in range(3):
        model, _ = network(examples(seed, 0)[0], seed, method, 0.5, units=8)
        found.append(accuracy(model, x_test, y_test))
    print(f"8 hidden units, {method}: {np.mean(found):.1%}")
assert np.mean(small_network["dropout"]) < np.mean(small_network["nothing"]) - 0.02

# %% [markdown]
# **Exercise 4.** Nested cross-validation repeats the search inside each fold, as a part of training. Here
# the labels are tosses of a coin, so nothing can be right more often than in half of the cases.

# %% label="exercise-4" tags=["solution"] values="coin_winner coin_nested coin_settings"
settings, promises = {"C": [0.1, 1, 10, 100], "gamma": [0.003, 0.03, 0.3, 3]}, []
coin_settings = len(settings["C"]) * len(settings["gamma"])
for seed in range(6):
    rng = np.random.default_rng(seed)
    some, tosses = x[rng.permutation(len(x))[:80]], rng.permutation(80) % 2
    search = GridSearchCV(SVC(), settings, cv=StratifiedKFold(3, shuffle=True, random_state=seed))
    outer = StratifiedKFold(3, shuffle=True, random_state=seed + 1)
    nested = cross_val_score(search, some, tosses, cv=outer).mean()
    promises.append((search.fit(some, tosses).best_score_, nested))
coin_winner, coin_nested = np.mean(promises, axis=0)
print(f"best of {coin_settings} settings: {coin_winner:.1%}, nested: {coin_nested:.1%}")
assert coin_winner > coin_nested + 0.02, "The winner of a search seems to predict tosses of a coin."
assert abs(coin_nested - 0.5) < 0.08, "Nested cross-validation sees that no winner predicts a coin."

# %% [markdown]
# ## The same in Keras
# The networks of three methods, three epochs from the same start and with the same batches: first with
# `labkit`, then with Keras itself. DropConnect also drops the same weights.

# %% label="twins"
twins = {"L2": 0.01, "smoothed labels": 0.3, "DropConnect": 0.3}
keras.utils.set_random_seed(0)
first = build().get_weights()


def short_training():
    """Return the weights of each method after three epochs in a fixed order."""
    found = {}
    for method, strength in twins.items():
        model = build(method, strength)
        model.set_weights(first)
        fit(model, examples(0, wrong_share)[0], 0, method, strength, epochs=3, shuffle=False)
        found[method] = model.get_weights()
    return found


ours = short_training()

# %% label="keras" values="keras_gap keras_zero keras_scale"
import keras

theirs = short_training()
keras_gap = max(
    float(np.abs(one - other).max())
    for method in twins
    for one, other in zip(ours[method], theirs[method], strict=True)
)
print(f"labkit's weights and Keras's differ by at most {keras_gap:.0e}")
assert keras_gap < 0.005, (
    "With the same start and batches, labkit and Keras train the same weights."
)

ones = np.ones((1000, 100), "float32")
layer = keras.layers.Dropout(0.3, seed=0)
shown = np.asarray(layer(ones, training=True))
keras_zero, keras_scale = float(np.mean(shown == 0)), float(shown.max())
print(f"Keras's dropout: {keras_zero:.1%} zeros, the others times {keras_scale:.3f}")
assert abs(keras_zero - 0.3) < 0.01, "Keras's Dropout zeroes the stated share and scales the rest."
assert np.isclose(keras_scale, 1 / 0.7)
assert np.array_equal(np.asarray(layer(ones, training=False)), ones)

# %%
plt.show()
