# %% [markdown]
# # Generalization
# A model is trained on some examples and meant for others. How well does it do there, how can one
# know, and what makes it better? This script measures it on curves, on images of digits and on pure
# noise. The chapter [Generalization](../../foundations/generalization.md) tells the story.
#
# The first half runs on NumPy and `labkit`, the book's library. The second half asks Keras and
# scikit-learn, and asserts that they agree.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from numpy.polynomial import legendre

import labkit as keras
from labkit import datasets, plot

plot.set_theme()
BLUE, ORANGE, GREEN, GREY = (plot.COLORS[name] for name in ("blue", "orange", "green", "grey"))

digits = datasets.load_digits()
images = (digits.data / 16).astype("float32")  # (1797, 64)
labels = digits.target  # (1797,)

# %% [markdown]
# ## Memorized
# The same network learns the true labels of 500 images, and then labels that were dealt out at random.


# %% label="network"
def build(units=128):
    """Return a small network for the digits, compiled."""
    hidden = keras.layers.Dense(units, activation="relu")
    output = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), hidden, output])
    optimizer = keras.optimizers.Adam(0.01)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# %% values="memorized_images memorized_epochs memorized_parameters"
memorized_images, memorized_epochs, seeds = 500, 100, 3


def memorize(seed, at_random):
    """Train on true or on random labels; return the model and its history."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(images))
    known, new = order[:memorized_images], order[-500:]
    y = rng.permutation(labels) if at_random else labels
    keras.utils.set_random_seed(seed)
    model = build()
    history = model.fit(
        images[known],
        y[known],
        batch_size=100,
        epochs=memorized_epochs,
        validation_data=(images[new], labels[new]),
        verbose=0,
    ).history
    return model, history


runs = {kind: [memorize(seed, kind) for seed in range(seeds)] for kind in (False, True)}
memorized_parameters = sum(w.size for w in runs[True][0][0].get_weights())

# %% label="memorized" values="true_train true_test random_train random_train_low random_test true_epochs random_epochs"
true_train = float(np.mean([h["accuracy"][-1] for _, h in runs[False]]))
true_test = float(np.mean([h["val_accuracy"][-1] for _, h in runs[False]]))
random_train = float(np.mean([h["accuracy"][-1] for _, h in runs[True]]))
random_train_low = float(min(h["accuracy"][-1] for _, h in runs[True]))
random_test = float(np.mean([h["val_accuracy"][-1] for _, h in runs[True]]))
true_epochs, random_epochs = (
    int(np.median([1 + int(np.argmax(np.array(h["accuracy"]) >= 0.95)) for _, h in found]))
    for found in runs.values()
)
print(f"true labels: {true_test:.1%} of new images right")
print(f"random labels: {random_train:.1%} of the training images, {random_test:.1%} of new ones")
assert min(h["accuracy"][-1] for _, h in runs[False]) > 0.99
assert true_test > 0.93, "With true labels, the network reads most new digits."
assert random_train_low > 0.9, "The same network also learns labels that were dealt at random."
assert random_test < 0.18, "What it learned from random labels is worth no more than a guess."
assert random_epochs > 3 * true_epochs, "To memorize takes more epochs than to learn the digits."

# %% label="memory" alt="Accuracy over 100 epochs. With true labels, training and new images rise at once, to nearly 1. With random labels, training rises slowly to nearly 1, and new images stay at 0.1." caption="One network, two kinds of labels, three starts each. New images are always judged by their true labels." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3))
epochs = np.arange(1, memorized_epochs + 1)
for (at_random, found), color in zip(runs.items(), (BLUE, ORANGE), strict=True):
    for number, (_, history) in enumerate(found):
        kind = "random labels" if at_random else "true labels"
        for line, key, which in ("-", "accuracy", "training"), ("--", "val_accuracy", "new"):
            label = f"{kind}, {which}" if number == 0 else None
            ax.plot(epochs, history[key], line, color=color, label=label)
ax.set(xlabel="epoch", ylabel="accuracy", ylim=(0, 1.02))
fig.legend(loc="outside upper left", ncols=2)

# %% [markdown]
# ## Too simple, too flexible
# Polynomials are fitted to points of a sine with noise. The next lines make the points of the
# chapter's interactive figure, by the same generator of random numbers.


# %%
def mulberry(seed):
    """Return a function that returns the next random number (Mulberry32), as the figure's."""
    state = seed

    def random():
        nonlocal state
        state = (state + 0x6D2B79F5) % 2**32
        t = (state ^ state >> 15) * (state | 1) % 2**32
        t = t ^ (t + (t ^ t >> 7) * (t | 61)) % 2**32
        return (t ^ t >> 14) / 2**32

    return random


def sine(x):
    """Return the curve behind the points."""
    return np.sin(1.4 * np.pi * x)


def figure_points(count, noise, seed):
    """Return the x and y of the interactive figure's points."""
    random, x, y = mulberry(seed), np.empty(count), np.empty(count)
    for i in range(count):
        x[i] = 2 * (i + random()) / count - 1
        y[i] = sine(x[i]) + noise * np.sqrt(-2 * np.log(1 - random())) * np.cos(
            2 * np.pi * random()
        )
    return x, y


# %% label="fit"
def fit(x, y, degree, penalty=0.0):
    """Return the coefficients of the best polynomial, as a sum of Legendre's."""
    columns = legendre.legvander(x, degree)[:, 1:]  # (points, degree)
    center = columns.mean(axis=0)
    U, s, Vt = np.linalg.svd(columns - center, full_matrices=False)
    use = s > 1e-10
    w = Vt[use].T @ (s[use] / (s[use] ** 2 + penalty) * (U[:, use].T @ (y - y.mean())))
    return np.concatenate([[y.mean() - center @ w], w])


def error(coefficients, x, y):
    """Return the mean squared error."""
    return float(np.mean((legendre.legval(x, coefficients) - y) ** 2))


# %% values="play_simple_train play_simple play_good_train play_good play_wild_train play_wild play_best play_clean samples_shown share_worst"
x, y = figure_points(15, 0.2, seed=2)
held_out = figure_points(60, 0.2, seed=500_000_002)
play = [(error(fit(x, y, k), x, y), error(fit(x, y, k), *held_out)) for k in range(1, 15)]
(play_simple_train, play_simple), (play_good_train, play_good) = play[0], play[4]
play_wild_train, play_wild = play[11]
play_best = 1 + int(np.argmin([new for _, new in play]))
play_clean = error(fit(x, sine(x), 12), held_out[0], sine(held_out[0]))  # the same x, no noise

samples_shown = 200  # what "New sample" may show
worst = 0
for seed in range(samples_shown):
    points, new = figure_points(15, 0.2, seed), figure_points(60, 0.2, 500_000_000 + seed)
    simple, good, wild = (error(fit(*points, degree), *new) for degree in (1, 5, 12))
    worst += good < simple < wild
share_worst = worst / samples_shown
assert play_best == 5
assert play_wild_train < play_good_train < play_simple_train
assert play_wild > play_simple > play_good
assert share_worst > 0.7, "Of degrees 1, 5 and 12, in most samples the last fits new points worst."
assert play_clean < 1e-6, "Without noise, degree 12 follows the sine between the points, too."

# %% label="fits" alt="Fifteen points around a sine. A straight line misses the bends. A curve of degree 5 follows the sine. A curve of degree 12 passes near every point and swings far out in between." caption="Three polynomials, fitted to the same 15 points: too simple, about right, too flexible. Dotted: the sine behind the points." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3))
grid = np.linspace(-1, 1, 301)
ax.plot(grid, sine(grid), ":", color=plot.INK, linewidth=1.2)
for degree, color, style in (1, GREY, "-."), (5, BLUE, "-"), (12, ORANGE, "--"):
    ax.plot(
        grid, legendre.legval(grid, fit(x, y, degree)), style, color=color, label=f"degree {degree}"
    )
ax.plot(x, y, "o", color=plot.INK, markersize=5)
ax.set(xlabel="x", ylabel="y", ylim=(-2.2, 2.2))
fig.legend(loc="outside upper left", ncols=3)

# %% [markdown]
# ## Bias and variance
# A thousand training sets, and a polynomial for each. How far is their average from the sine, and how
# far are they from their average?

# %% label="decompose" values="samples few noise_variance bias_1 variance_1 total_1 bias_3 variance_3 bias_4 variance_4 bias_5 variance_5 total_5 train_5 bias_9 variance_9 total_9 train_9 best_degree sum_gap"
samples, few, noise = 1000, 15, 0.2
noise_variance = noise**2
degrees = np.arange(10)


def training_sets(count, seed):
    """Return the x and y of many training sets, one in each row, one point in each part of the axis."""
    rng = np.random.default_rng(seed)
    x = 2 * (np.arange(count) + rng.random((samples, count))) / count - 1
    return x, sine(x) + noise * rng.normal(size=x.shape)


def decompose(count, seed=0):
    """Return bias², variance, error on new points and on training points, for each degree."""
    grid, (x, y) = np.linspace(-1, 1, 101), training_sets(count, seed)
    new = sine(grid) + noise * np.random.default_rng(seed + 1).normal(size=(samples, 101))
    rows = []
    for degree in degrees:
        A = legendre.legvander(x, degree)  # (samples, points, degree + 1)
        w = np.linalg.pinv(A) @ y[..., None]  # (samples, degree + 1, 1)
        found = (legendre.legvander(grid, degree) @ w)[..., 0]  # (samples, grid)
        mean = found.mean(axis=0)
        rows.append(
            [
                np.mean((mean - sine(grid)) ** 2),
                np.mean((found - mean) ** 2),
                np.mean((found - new) ** 2),
                np.mean(((A @ w)[..., 0] - y) ** 2),
            ]
        )
    return np.array(rows).T  # (4, degrees)


bias2, variance, total, train = decompose(few)
(bias_1, bias_3, bias_4, bias_5, bias_9) = (float(bias2[k]) for k in (1, 3, 4, 5, 9))
(variance_1, variance_3, variance_4, variance_5, variance_9) = (
    float(variance[k]) for k in (1, 3, 4, 5, 9)
)
total_1, total_5, total_9 = (float(total[k]) for k in (1, 5, 9))
train_5, train_9 = float(train[5]), float(train[9])
best_degree = int(total.argmin())
sum_gap = float(np.abs((bias2 + variance + noise_variance) / total - 1).max())
print(f"best degree {best_degree}; the three parts give the error to {sum_gap:.1%}")
assert sum_gap < 0.05, "Bias squared, variance and noise add up to the error on new points."
assert bias_9 < 0.005 < variance_9
assert bias_1 > 20 * variance_1, "The straight line's error is nearly all bias."
assert variance_9 > 20 * bias_9, "At degree 9 the error is nearly all variance."
assert best_degree == 5, "On average, degree 5 predicts new points best."
assert all(np.diff(train) < 0)
assert train_9 < train_5, "A higher degree fits the training points better."
assert abs(bias_4 / bias_3 - 1) < 0.1, "An even degree takes no bias from an odd curve."
assert variance_4 > variance_3, "An even degree adds variance all the same."

# %% values="many more_variance_5 more_variance_9 more_bias_1 more_total_9 more_total_1"
many = 60
more_bias, more_variance, more_total, _ = decompose(many)
more_variance_5, more_variance_9 = float(more_variance[5]), float(more_variance[9])
more_bias_1, more_total_1, more_total_9 = map(float, (more_bias[1], more_total[1], more_total[9]))
assert 3 < variance_5 / more_variance_5 < 8, (
    "Four times the points divide the variance by about five."
)
assert abs(more_bias_1 / bias_1 - 1) < 0.05, "More points leave the straight line's bias as it was."
assert more_total_9 < 0.06, "With 60 points, even degree 9 comes close to the noise."

# %% label="parts" alt="Error by degree from 0 to 9, on a logarithmic axis. Bias falls in steps, variance rises; their sum with the noise is lowest at degree 5. The training error falls all the way." caption="Where the error on new points comes from: averages over 1,000 training sets of 15 points. From degree 7 on, the bias² is too small for the picture." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.2))
ax.semilogy(degrees, total, "-", color=plot.INK, linewidth=2.6, label="new points")
ax.semilogy(degrees, bias2, "--", color=BLUE, marker="s", label="bias²")
ax.semilogy(degrees, variance, "-.", color=ORANGE, marker="o", label="variance")
ax.axhline(noise_variance, color=GREY, linestyle=":", label="noise")
ax.semilogy(degrees, train, "-", color=GREEN, marker="^", linewidth=1.2, label="training points")
ax.set(xlabel="degree", ylabel="mean squared error", ylim=(1e-3, 1), xticks=degrees)
ax.yaxis.set_major_formatter("{x:g}")
ax.minorticks_off()
fig.legend(loc="outside upper left", ncols=3)

# %% [markdown]
# ## Choosing is learning
# Three hundred designs, each a rule that sees eight pixels drawn at random: the digit whose average
# image is nearest there. They are trained on 200 images and chosen by 50, or by 500, others.

# %% label="winner" values="designs splits pixels small_validation large_validation single_small single_test winner_small winner_small_test winner_large winner_large_test luck_small luck_small_low luck_small_high luck_large luck_single"
designs, splits, pixels = 300, 30, 8
small_validation, large_validation = 50, 500
tried = [1, 3, 10, 30, 100, 300]


def judge(seed):
    """Return which of 1,500 images each design gets right: 500 to choose, 1,000 to test."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(images))
    known, others = order[:200], order[200:1700]
    right = np.empty((designs, 1500), bool)
    for row in right:
        chosen = rng.choice(64, pixels, replace=False)
        x, new = images[np.ix_(known, chosen)], images[np.ix_(others, chosen)]
        means = np.array([x[labels[known] == digit].mean(axis=0) for digit in range(10)])
        nearest = (means**2).sum(axis=1) - 2 * new @ means.T  # (1500, 10), up to a constant
        row[:] = nearest.argmin(axis=1) == labels[others]
    return right


winners = np.empty((splits, len(tried), 4))  # validation and test, for each size of validation
for seed in range(splits):
    right = judge(seed)
    test = right[:, 500:].mean(axis=1)
    for column, size in (0, small_validation), (2, large_validation):
        validation = right[:, :size].mean(axis=1)
        for row, count in enumerate(tried):
            groups = np.arange(designs).reshape(-1, count)  # each has its own winner
            best = groups[np.arange(len(groups)), validation[groups].argmax(axis=1)]
            winners[seed, row, column : column + 2] = validation[best].mean(), test[best].mean()
single_small, single_test = map(float, winners.mean(axis=0)[0, :2])
winner_small, winner_small_test, winner_large, winner_large_test = map(
    float, winners.mean(axis=0)[-1]
)
gaps = 100 * (winners[..., ::2] - winners[..., 1::2])  # (splits, tried, sizes), percentage points
luck_single = float(gaps[:, 0, 0].mean())
luck_small, luck_large = map(float, gaps[:, -1].mean(axis=0))
half = 2 * float(gaps[:, -1, 0].std(ddof=1)) / np.sqrt(splits)
luck_small_low, luck_small_high = luck_small - half, luck_small + half
print(f"winner of {designs}: validation {winner_small:.1%}, test {winner_small_test:.1%}")
assert abs(luck_single) < 4, "Designs that nobody chose score alike on both sets, on average."
assert luck_small_low > 5, "The winner's validation score is too high by over five points."
assert luck_large < luck_small / 2, "A larger validation set leaves less room for luck."
assert winner_large_test > winner_small_test, "A larger validation set finds a better design."
assert winner_small_test > single_test

# %% label="winners" alt="Accuracy of the winner against the number of designs tried, from 1 to 300, in two panels. With 50 validation images the validation curve rises far above the test curve; with 500 the two stay close." caption="The best of many designs, by its score on the set that chose it and on 1,000 test images. Averages over 30 splits." tags=["remove-input"]
fig, axes = plt.subplots(1, 2, figsize=(5, 2.9), sharey=True)
for ax, column, size in zip(axes, (0, 2), (small_validation, large_validation), strict=True):
    mean = winners.mean(axis=0)
    ax.semilogx(tried, mean[:, column], "--o", color=ORANGE, label="validation")
    ax.semilogx(tried, mean[:, column + 1], "-s", color=BLUE, label="test")
    ax.set_title(f"{size} to choose by")
    ax.set(xlabel="designs tried", xticks=[1, 10, 100])
    ax.xaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
axes[0].set_ylabel("accuracy of the winner")
axes[0].legend(loc="upper left")

# %% [markdown]
# ## Cross-validation
# A hundred images, and the rule that names a new image as the most similar known one. The true
# accuracy is measured on the other 1,697 images.

# %%
squares = (images**2).sum(axis=1)
distances = squares[:, None] + squares - 2 * images @ images.T  # (1797, 1797), squared
np.fill_diagonal(distances, np.inf)


def neighbor(known, new):
    """Return the accuracy of the nearest neighbor."""
    nearest = distances[np.ix_(new, known)].argmin(axis=1)
    return np.mean(labels[known][nearest] == labels[new])


# %% label="cross-validation"
def cross_validate(cases, k):
    """Return the accuracy on each of k parts, after training on the others."""
    parts, scores = np.array_split(cases, k), []
    for i in range(k):
        others = np.concatenate(parts[:i] + parts[i + 1 :])
        scores.append(neighbor(others, parts[i]))
    return scores


# %% values="draws cases fifth hold_rms two_rms five_rms ten_rms two_bias five_bias ten_bias five_scatter hold_scatter true_accuracy"
draws, cases, fifth = 200, 100, 20
estimates = []
for seed in range(draws):
    order = np.random.default_rng(seed).permutation(len(images))
    sample, others = order[:cases], order[cases:]
    five = cross_validate(sample, 5)
    found = [five[0], np.mean(cross_validate(sample, 2)), np.mean(five)]
    found += [np.mean(cross_validate(sample, 10)), neighbor(sample, others)]
    estimates.append(found)
estimates = np.array(estimates)  # (draws, 5)
true_accuracy = float(estimates[:, -1].mean())
off = estimates[:, :-1] - estimates[:, -1:]
hold_bias, two_bias, five_bias, ten_bias = map(float, off.mean(axis=0))
hold_scatter, two_scatter, five_scatter, ten_scatter = map(float, off.std(axis=0))
hold_rms, two_rms, five_rms, ten_rms = map(float, np.sqrt((off**2).mean(axis=0)))
assert five_scatter < 0.75 * hold_scatter, "Five parts scatter less than one held-out fifth."
assert two_bias < five_bias < 0, "Cross-validation is pessimistic, the more so the fewer its parts."
assert abs(ten_bias) < abs(five_bias)
assert five_rms < two_rms < hold_rms or five_rms < hold_rms < two_rms

# %% label="estimates"
pd.DataFrame(
    {
        "trainings": [1, 2, 5, 10],
        "mean error": [f"{value:+.1%}".replace("-", "−") for value in off.mean(axis=0)],
        "scatter": [f"{value:.1%}" for value in off.std(axis=0)],
    },
    index=["a fifth held out", "2 parts", "5 parts", "10 parts"],
)

# %% [markdown]
# ## Leakage
# Fifty cases with 2,000 features of pure noise, and labels that are pure noise as well. The ten
# features that correlate best with the labels are chosen, once from all cases and once without those
# that are about to be tested.

# %%
noise_cases, features, kept = 50, 2000, 10


def best_features(x, y):
    """Return the columns with the largest correlation, up or down, with the labels."""
    x, y = x - x.mean(axis=0), y - y.mean()
    return np.argsort(-np.abs(x.T @ y) / np.linalg.norm(x, axis=0))[:kept]


def nearest_mean(x, y, new):
    """Return for each new case the class whose mean is nearer."""
    means = np.array([x[y == label].mean(axis=0) for label in (0, 1)])
    return ((new[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)


# %% label="leak"
def leaking(x, y):
    """Choose features from all cases, then cross-validate."""
    return honest(x[:, best_features(x, y)], y)


def honest(x, y):
    """Cross-validate the choice of features together with the rest."""
    part, scores = np.arange(len(y)) % 5, []
    for i in range(5):
        known_x, known_y = x[part != i], y[part != i]
        chosen = best_features(known_x, known_y)
        found = nearest_mean(known_x[:, chosen], known_y, x[part == i][:, chosen])
        scores.append(np.mean(found == y[part == i]))
    return np.mean(scores)


# %% values="noise_cases features kept noise_draws leaked leaked_low honest_mean honest_low honest_high"
noise_draws = 50


def pure_noise(seed):
    """Return features and labels that have nothing to do with each other."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(noise_cases, features)), rng.permutation(np.arange(noise_cases) % 2)


scores = np.array(
    [(leaking(*noise), honest(*noise)) for noise in map(pure_noise, range(noise_draws))]
)
leaked, honest_mean = map(float, scores.mean(axis=0))
leaked_low = float(scores[:, 0].min())
half = 2 * float(scores[:, 1].std(ddof=1)) / np.sqrt(noise_draws)
honest_low, honest_high = honest_mean - half, honest_mean + half
print(f"pure noise: {leaked:.0%} with the leak, {honest_mean:.0%} without")
assert leaked > 0.8, "Features chosen before cross-validation make pure noise look predictable."
assert leaked_low > 0.65
assert 0.44 < honest_mean < 0.56, "Features chosen inside cross-validation are worth a coin toss."

# %% label="leaks" alt="Two histograms of the accuracy on pure noise in 50 draws. With the choice inside cross-validation they lie around 0.5; with the choice before it, around 0.9." caption="Cross-validated accuracy on pure noise, in 50 draws. The dotted line at one half is the truth." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.5))
bins = np.arange(0.19, 1.04, 0.04)
ax.hist(scores[:, 1], bins, color=BLUE, alpha=0.85, label="chosen inside")
ax.hist(scores[:, 0], bins, color=ORANGE, alpha=0.85, hatch="//", label="chosen before")
ax.axvline(0.5, color=plot.INK, linestyle=":")
ax.set(xlabel="cross-validated accuracy", ylabel="draws")
fig.legend(loc="outside upper left", ncols=2)

# %% [markdown]
# ## Learning curves
# The error on new images against the number of training images, for three kinds of models. A straight
# line on logarithmic axes is fitted to the first five sizes and continued.

# %% label="learning-curve" values="doubling curve_first curve_last power_mean power_neighbor power_network got_mean got_neighbor got_network further further_mean further_neighbor further_network told_mean told_neighbor told_network ratio_mean ratio_neighbor ratio_network"
counts = [20, 40, 80, 160, 320, 640, 1280]
curve_draws, seen = {"nearest mean": 100, "nearest neighbor": 100, "network": 10}, 5
curve_first, curve_last = counts[seen - 1], counts[-1]


def mean_image_error(known, new, seed):
    """Return the error of the rule that names the nearest average image."""
    present = np.unique(labels[known])
    means = np.array([images[known][labels[known] == digit].mean(axis=0) for digit in present])
    nearest = (means**2).sum(axis=1) - 2 * images[new] @ means.T
    return np.mean(present[nearest.argmin(axis=1)] != labels[new])


def neighbor_error(known, new, seed):
    """Return the error of the nearest neighbor."""
    return 1 - neighbor(known, new)


def network_error(known, new, seed):
    """Return the error of a network after at least 15 epochs and about 120 steps."""
    keras.utils.set_random_seed(seed)
    model = build(64)
    epochs = max(15, round(120 / np.ceil(len(known) / 32)))
    model.fit(images[known], labels[known], batch_size=32, epochs=epochs, verbose=0)
    return np.mean(model.predict(images[new], verbose=0).argmax(axis=1) != labels[new])


def learning_curve(error, draws):
    """Return the errors on 500 new images, one row for each draw."""
    rows = []
    for seed in range(draws):
        order = np.random.default_rng(seed).permutation(len(images))
        rows.append([error(order[:count], order[-500:], seed) for count in counts])
    return np.array(rows)  # (draws, counts)


def extrapolate(curve):
    """Return the slope on logarithmic axes, and what the line says of all counts."""
    slope, height = np.polyfit(np.log(counts[:seen]), np.log(curve[:seen]), 1)
    return float(slope), np.exp(height) * np.array(counts) ** slope


rules = (mean_image_error, neighbor_error, network_error)
measured = {
    name: learning_curve(error, draws)
    for (name, draws), error in zip(curve_draws.items(), rules, strict=True)
}
lines = {name: extrapolate(found.mean(axis=0)) for name, found in measured.items()}
slope_mean, slope_neighbor, slope_network = (slope for slope, _ in lines.values())
doubling = 2**slope_neighbor
power_mean, power_neighbor, power_network = -slope_mean, -slope_neighbor, -slope_network
told_mean, told_neighbor, told_network = (float(line[-1]) for _, line in lines.values())
got_mean, got_neighbor, got_network = (float(e.mean(axis=0)[-1]) for e in measured.values())
ratios = {name: e.mean(axis=0) / lines[name][1] for name, e in measured.items()}
further = counts[seen]  # the first size that no line has seen
further_mean, further_neighbor, further_network = (float(r[seen]) for r in ratios.values())
ratio_mean, ratio_neighbor, ratio_network = (float(r[-1]) for r in ratios.values())
assert ratio_network > 0.9
assert ratio_mean > 1.5, "The rule with the most bias falls shortest of its straight line."
assert got_neighbor < got_mean / 3
assert further_mean > 1.3, "Already at twice the size, one of the lines promises far too much."
assert further_neighbor < 1.15
assert further_neighbor < ratio_neighbor

# %% values="floor_known"
orders = [np.random.default_rng(seed).permutation(len(images)) for seed in range(100)]
floor_known = float(np.mean([mean_image_error(o[:1280], o[:1280], 0) for o in orders]))
assert abs(got_mean - floor_known) < 0.02, (
    "With 1,280 images the nearest mean errs nearly as often on its training images as on new ones."
)

# %% label="intervals" values="ratio_least network_draws network_low network_high"
rng = np.random.default_rng(0)
intervals = []
for found in measured.values():
    ratios = []
    for _ in range(1000):
        curve = found[rng.integers(len(found), size=len(found))].mean(axis=0)
        ratios.append(curve[-1] / extrapolate(curve)[1][-1])
    intervals.append([float(end) for end in np.quantile(ratios, [0.025, 0.975])])
ratio_least = min(low for low, _ in intervals[:2])
network_draws, (network_low, network_high) = curve_draws["network"], intervals[2]
print("error found, in errors promised:", np.round(intervals, 2).tolist())
assert ratio_least > 1, "Two learning curves, continued from 320 images as lines, promise too much."

# %% label="curves" alt="Error against training images on logarithmic axes, for three models. All fall. The nearest mean bends and levels off at about 0.1; the network and the nearest neighbor fall further. Dashed lines through the first five points run below the last ones." caption="Learning curves, averages over draws. Dashed: straight lines through the sizes up to 320, continued. The last points lie above them." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3.4))
for (name, found), color, marker in zip(measured.items(), (GREY, BLUE, ORANGE), "^so", strict=True):
    ax.loglog(counts, found.mean(axis=0), "-", marker=marker, color=color, label=name)
    ax.loglog(counts, lines[name][1], "--", color=color, linewidth=1.1)
ax.set(xlabel="training images", ylabel="error on new images")
ax.set_xticks(counts, [f"{count:,d}" for count in counts])
ax.set_yticks([0.01, 0.03, 0.1, 0.3], ["1%", "3%", "10%", "30%"])
ax.minorticks_off()
fig.legend(loc="outside upper left", ncols=3)

# %% [markdown]
# ## Beyond the peak
# A network whose hidden layer stays as it was drawn: random weights, then ReLU. Only the last layer is
# trained, by least squares, and where many solutions fit, the smallest is taken. A fifth of the
# training labels are replaced by random ones.

# %% label="descent"
widths = [20, 40, 80, 150, 220, 260, 300, 340, 400, 600, 1000, 2000, 6000]
penalty, weaker, stronger = 10, 3, 30
descent_images, descent_draws, noisy_share = 300, 4, 0.2


def descend(seed):
    """Return error, error² on training images and size of the weights: (labels, widths, penalties, 3)."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(images))
    known, new = order[:descent_images], order[-700:]
    noisy = np.where(
        rng.random(descent_images) < noisy_share,
        rng.integers(10, size=descent_images),
        labels[known],
    )
    hidden = rng.normal(size=(64, max(widths))) / 8
    H, H_new = (np.maximum(images[part].astype(float) @ hidden, 0) for part in (known, new))
    result = np.empty((2, len(widths), 4, 3))
    for column, width in enumerate(widths):
        U, s, Vt = np.linalg.svd(H[:, :width], full_matrices=False)
        use = s > 1e-10 * s[0]  # the others are zero, up to rounding
        U, s, Vt = U[:, use], s[use], Vt[use]
        for kind, y in enumerate((noisy, labels[known])):
            targets = np.eye(10)[y] - 0.1  # (300, 10)
            for number, strength in enumerate((0, penalty, weaker, stronger)):
                W = Vt.T @ ((s / (s**2 + strength))[:, None] * (U.T @ targets))  # (width, 10)
                wrong = np.mean((H_new[:, :width] @ W).argmax(axis=1) != labels[new])
                missed = np.mean((H[:, :width] @ W - targets) ** 2)
                result[kind, column, number] = wrong, missed, np.linalg.norm(W)
    return result


# %% values="descent_images descent_draws widest narrow best_narrow peak peak_width widest_error clean_narrow clean_peak clean_widest ridge_peak ridge_widest ridge_best ridge_other weaker stronger size_narrow size_peak size_widest train_widest penalty"
found = np.array([descend(seed) for seed in range(descent_draws)]).mean(axis=0)
noisy_error, ridge_error, clean_error = found[0, :, 0, 0], found[0, :, 1, 0], found[1, :, 0, 0]
size, missed = found[0, :, 0, 2], found[0, :, 0, 1]
before = widths.index(220)  # the widths below it are well below the number of images
widest, narrow = widths[-1], widths[int(noisy_error[:before].argmin())]
best_narrow, peak, widest_error = (
    float(value) for value in (noisy_error[:before].min(), noisy_error.max(), noisy_error[-1])
)
peak_width = widths[int(noisy_error.argmax())]
clean_narrow, clean_peak, clean_widest = (
    float(value) for value in (clean_error[:before].min(), clean_error.max(), clean_error[-1])
)
ridge_peak, ridge_best = float(ridge_error[widths.index(peak_width)]), float(ridge_error.min())
ridge_widest = float(ridge_error[-1])
ridge_other = float(found[0, widths.index(peak_width), 2:, 0].max())  # the worse of the two
size_narrow, size_peak, size_widest = (
    float(size[column]) for column in (widths.index(narrow), int(size.argmax()), -1)
)
train_widest = float(missed[-1])
print(
    f"error {best_narrow:.2f} at {narrow} units, {peak:.2f} at {peak_width}, {widest_error:.2f} at {widest:,d}"
)
assert 250 < peak_width < 450, "The peak lies where there are about as many units as images."
assert peak > 3 * best_narrow, "At the peak, the error is several times that of a narrow layer."
assert widest_error < peak / 3, "Far beyond the peak, the error has fallen again."
assert clean_widest < clean_narrow, "With true labels, the widest layer beats every narrow one."
assert clean_peak > 3 * clean_narrow, "The peak needs no wrong labels."
assert widest_error > best_narrow - 0.01
assert train_widest < 1e-10, "The widest layer fits every training label, the wrong ones too."
assert ridge_other < best_narrow
assert ridge_peak < best_narrow, "With a penalty on the weights, the peak is gone."
assert ridge_best < min(best_narrow, widest_error), (
    "The penalty also gives the lowest error of all."
)
assert size_peak > 5 * max(size_narrow, size_widest), "At the peak the weights are largest."

# %% label="peak" alt="Two panels against the number of hidden units, from 20 to 6,000. Above: without a penalty, the test error falls, shoots up at 300 and falls again, with noisy and with true labels; with a penalty there is no peak. Below: the size of the weights has its peak at the same place." caption="Above: error on new images. Below: the size of the weights, noisy labels, no penalty. The dotted line marks as many units as training images. Averages over four draws." tags=["remove-input"]
fig, axes = plt.subplots(2, 1, figsize=(5, 4.6), sharex=True, height_ratios=(3, 2))
axes[0].semilogx(widths, noisy_error, "-o", color=ORANGE, label="noisy labels")
axes[0].semilogx(widths, clean_error, "--s", color=BLUE, label="true labels")
axes[0].semilogx(widths, ridge_error, "-.^", color=GREEN, label="noisy, with penalty")
axes[0].set(ylabel="error on new images", ylim=(0, 0.9))
axes[1].loglog(widths, size, "-o", color=ORANGE)
axes[1].set(xlabel="hidden units", ylabel="size of weights")
axes[1].set_xticks([20, 100, 300, 1000, 6000], ["20", "100", "300", "1,000", "6,000"])
axes[1].set_yticks([10, 100], ["10", "100"])
axes[1].minorticks_off()
for ax in axes:
    ax.axvline(descent_images, color=plot.INK, linestyle=":", linewidth=1)
fig.legend(loc="outside upper left", ncols=3, columnspacing=1.2, handlelength=1.6)

# %% [markdown]
# The same in the chapter's second interactive figure: eight points, and polynomials up to degree 15.

# %% values="few_before few_peak few_after few_after_degree few_ridge descent_gap"
x, y = figure_points(8, 0.1, seed=1)
held_out = figure_points(60, 0.1, seed=500_000_001)
by_degree = np.array([error(fit(x, y, k), *held_out) for k in range(1, 16)])
few_before, few_peak = float(by_degree[:6].min()), float(by_degree[6])
few_after, few_after_degree = float(by_degree[7:].min()), 8 + int(by_degree[7:].argmin())
few_ridge = error(fit(x, y, 7, penalty=0.01), *held_out)
assert few_peak == by_degree.max()
assert few_after < few_before < few_peak / 10
assert few_ridge < few_peak / 10

columns = legendre.legvander(x, 15)[:, 1:]  # more coefficients than points
columns -= columns.mean(axis=0)
w = np.zeros(15)
for _ in range(5000):
    w -= 0.3 * columns.T @ (columns @ w - (y - y.mean()))
descent_gap = float(np.abs(w - fit(x, y, 15)[1:]).max())
assert descent_gap < 1e-6, (
    "Gradient descent from zero finds the smallest of the solutions that fit."
)

# %% [markdown]
# That sample was chosen because it shows all of it. What do 200 samples say?

# %% values="median_before median_peak median_after median_ridge share_better"
rows = []
for seed in range(samples_shown):
    points, new = figure_points(8, 0.1, seed), figure_points(60, 0.1, 500_000_000 + seed)
    by_degree = [error(fit(*points, degree), *new) for degree in range(1, 16)]
    rows.append([*by_degree, error(fit(*points, 7, penalty=0.01), *new)])
rows = np.array(rows)  # (samples, 15 degrees and the penalty)
before, after = rows[:, :6], rows[:, 7:15]
median_peak, median_ridge = (float(np.median(rows[:, column])) for column in (6, 15))
median_before, median_after = (float(np.median(part, axis=0).min()) for part in (before, after))
share_better = float(np.mean(after.min(axis=1) < before.min(axis=1)))
print(f"the second descent ends below the first in {share_better:.0%} of the samples")
assert median_peak > 3 * max(median_before, median_after), (
    "Eight points, the median of 200 samples: the error has a peak at degree 7."
)
assert median_ridge < median_peak / 3, "A penalty removes the peak at degree 7."
assert share_better < 0.4, "For eight points, the second descent rarely ends below the first."

# %% [markdown]
# ## Where it fails
# All of the above is about new images from the same source. Images that are moved by a pixel are not.

# %% values="same_accuracy moved_accuracy moved_promised"
order = np.random.default_rng(0).permutation(len(images))
known, new = order[:1297], order[1297:]
moved = np.roll(images.reshape(-1, 8, 8), 1, axis=2)
moved[..., 0] = 0  # what leaves on the right does not return on the left
moved = moved.reshape(-1, 64)[new]
nearest = (squares[known] - 2 * moved @ images[known].T).argmin(axis=1)
moved_promised = float(np.mean(cross_validate(known, 5)))
same_accuracy = float(neighbor(known, new))
moved_accuracy = float(np.mean(labels[known][nearest] == labels[new]))
assert abs(moved_promised - same_accuracy) < 0.03, (
    "For images from the same source, cross-validation promises the right accuracy."
)
assert moved_accuracy < moved_promised - 0.15, (
    "For images moved by a pixel, cross-validation promises far too much."
)

# %% [markdown]
# ## The same in Keras and scikit-learn
# From here on, `keras` is Keras itself. Both models start from the same weights and see the same
# batches of randomly labeled images.

# %% label="keras" values="keras_epochs keras_gap"
known = np.arange(memorized_images)
dealt = np.random.default_rng(0).permutation(labels[known])
keras.utils.set_random_seed(0)
ours = build()
first = [w.copy() for w in ours.get_weights()]
keras_epochs = 5
fitted = {"batch_size": 32, "epochs": keras_epochs, "shuffle": False, "verbose": 0}
our_losses = ours.fit(images[known], dealt, **fitted).history["loss"]

import keras

theirs = build()
theirs.set_weights(first)
their_losses = theirs.fit(images[known], dealt, **fitted).history["loss"]
keras_gap = float(np.abs(np.subtract(our_losses, their_losses)).max())
print(f"losses of {keras_epochs} epochs differ by at most {keras_gap:.0e}")
assert keras_gap < 1e-3, "Keras memorizes the random labels along the same losses."

# %% [markdown]
# scikit-learn's pipeline chooses the features anew for each part, which is the honest way.

# %% label="pipeline" values="pipeline_gap"
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import KFold, PredefinedSplit, cross_val_score
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import make_pipeline

parts = PredefinedSplit(np.arange(noise_cases) % 5)
pipeline = make_pipeline(SelectKBest(k=kept), NearestCentroid())
pipeline_gap = max(
    abs(cross_val_score(pipeline, *pure_noise(seed), cv=parts).mean() - scores[seed, 1])
    for seed in range(10)
)
assert pipeline_gap < 1e-12, "scikit-learn's pipeline gives the honest scores, to all digits."

# %% values="fold_gap ridge_gap sklearn_gap"
sample = np.random.default_rng(0).permutation(len(images))[:cases]
nearest_one = KNeighborsClassifier(1)
their_folds = cross_val_score(nearest_one, images[sample], labels[sample], cv=KFold(5))
fold_gap = float(np.abs(their_folds - cross_validate(sample, 5)).max())
assert fold_gap < 1e-12, "cross_val_score gives the same five accuracies as our loop."

x, y = figure_points(15, 0.2, seed=2)
ridge_gap = 0.0
for degree, strength in (5, 0), (12, 0), (12, 0.01):
    columns = legendre.legvander(x, degree)[:, 1:]
    model = Ridge(strength) if strength else LinearRegression()
    model.fit(columns, y)
    series = np.concatenate([[model.intercept_], model.coef_])
    ridge_gap = max(ridge_gap, float(np.abs(fit(x, y, degree, strength) / series - 1).max()))
sklearn_gap = max(fold_gap, pipeline_gap, ridge_gap)
print(f"cross-validation differs by {fold_gap:.0e}, coefficients by {ridge_gap:.0e}")
assert ridge_gap < 1e-6, "Our fits are those of LinearRegression and Ridge."

# %% [markdown]
# ## Solutions to the exercises

# %% [markdown]
# **1.** How many test images tell 97% from 98%?

# %% label="exercise-1" tags=["solution"]
worse, better = 0.97, 0.98
needed = int(np.ceil(4 * (worse * (1 - worse) + better * (1 - better)) / (better - worse) ** 2))
rng = np.random.default_rng(0)
for size in 360, needed, 2 * needed:
    gained = (rng.binomial(size, better, 20_000) - rng.binomial(size, worse, 20_000)) / size
    print(f"{size:,d} images: the worse model does as well or better in {np.mean(gained <= 0):.1%}")
assert 1900 < needed < 2000

# %% [markdown]
# **2.** Copies on both sides.


# %% label="exercise-2" tags=["solution"]
def with_copies(seed):
    """Return the accuracy with copies split at random, and with copies kept together."""
    rng = np.random.default_rng(seed)
    sample = rng.permutation(len(images))[:100]
    copies = np.tile(images[sample], (5, 1))  # (500, 64)
    copies[100:] += rng.normal(0, 0.1, (400, 64))
    original, names = np.tile(np.arange(100), 5), np.tile(labels[sample], 5)
    parts = KFold(5, shuffle=True, random_state=seed), PredefinedSplit(original % 5)
    return [cross_val_score(nearest_one, copies, names, cv=part).mean() for part in parts]


mixed, apart = np.mean([with_copies(seed) for seed in range(10)], axis=0)
print(f"ten draws, copies split at random: {mixed:.1%}; copies kept together: {apart:.1%}")
assert mixed > apart + 0.05

# %% [markdown]
# **3.** The average of ten fits.

# %% label="exercise-3" tags=["solution"]
grid, (x, y) = np.linspace(-1, 1, 101), training_sets(few, seed=5)
A = legendre.legvander(x, 7)  # (samples, points, 8)
curves = (legendre.legvander(grid, 7) @ np.linalg.pinv(A) @ y[..., None])[..., 0]
averages = curves.reshape(-1, 10, 101).mean(axis=1)  # of ten training sets each
one, ten = float(curves.var(axis=0).mean()), float(averages.var(axis=0).mean())
print(f"variance of one fit {one:.4f}, of the average of ten {ten:.4f}: {one / ten:.1f} times less")
assert 6 < one / ten < 15

# %% [markdown]
# **4.** A line with a floor.


# %% label="exercise-4" tags=["solution"]
def with_floor(curve):
    """Return the floor and the promise of floor + a · n^slope, by least squares of logarithms."""
    n, best = np.log(counts[:seen]), (np.inf, 0.0, 0.0)
    for floor in np.linspace(0, 0.99 * curve[:seen].min(), 200):
        (slope, height), missed, *_ = np.polyfit(n, np.log(curve[:seen] - floor), 1, full=True)
        promise = floor + np.exp(height) * counts[-1] ** slope
        best = min(best, (float(missed[0]), float(floor), float(promise)))
    return best[1:]


promises = {}
for name, found in measured.items():
    curve = found.mean(axis=0)
    floor, promises[name] = with_floor(curve)
    print(
        f"{name}: floor {floor:.1%}, promise {promises[name]:.1%}; "
        f"without floor {lines[name][1][-1]:.1%}; found {curve[-1]:.1%}"
    )
assert abs(promises["nearest mean"] / got_mean - 1) < 0.15
assert promises["nearest neighbor"] < got_neighbor
assert promises["network"] > got_network

# %%
plt.show()
