# %% [markdown]
# # Datasets
# Where data come from, what one must know of them, and how they mislead: copies that differ,
# splits that leak, labels that are wrong, test sets that wear out. The chapter
# [Datasets](../../data/datasets.md) tells the story.
#
# All data are real, except where the text says otherwise. The first half runs on NumPy and
# `labkit`, the book's library. The second half repeats its results in scikit-learn and Keras.

# %%
import hashlib
import re
import urllib.request
from collections import Counter
from importlib.resources import files
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import labkit as keras
from labkit import datasets, plot

plot.set_theme()
BLUE, ORANGE, GREEN, GREY = (plot.COLORS[name] for name in ("blue", "orange", "green", "grey"))

# %% [markdown]
# ## Four sets from the UCI repository
# How many examples of each class the repository's pages give, and how many the installed copies
# hold. A duplicate is a row that repeats an earlier one in every input and in the class.

# %% values="sets_checked digits_total iris_duplicates malignant_class"
digits, iris = datasets.load_digits(), datasets.load_iris()
wine, cancer = datasets.load_wine(), datasets.load_breast_cancer()
published = {  # name: the shipped copy, and the examples of each class at UCI
    "digits": (digits, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]),
    "iris": (iris, [50, 50, 50]),
    "wine": (wine, [59, 71, 48]),
    "breast cancer": (cancer, [212, 357]),
}


def repeated(data, target):
    """Return how many rows repeat an earlier one, class included."""
    rows = np.column_stack([data, target])
    return len(rows) - len(np.unique(rows, axis=0))


held = {name: np.bincount(copy.target).tolist() for name, (copy, _) in published.items()}
sets_checked = sum(held[name] == counts for name, (_, counts) in published.items())
digits_total = len(digits.target)
iris_duplicates = repeated(iris.data, iris.target)
malignant_class = int(np.flatnonzero(cancer.target_names == "malignant")[0])
assert sets_checked == 4, "The shipped copies have the class counts that UCI gives."
assert malignant_class == 0, "In the shipped copy of breast cancer, class 1 means benign."

# %% label="sets"
rows = {}
for name, (copy, counts) in published.items():
    few, many = min(counts), max(counts)
    each = str(few) if few == many else f"{few} to {many}"
    rows[name] = [*copy.data.shape, len(counts), each, repeated(copy.data, copy.target)]
pd.DataFrame(rows, index=["examples", "inputs", "classes", "of each", "duplicates"]).T

# %% [markdown]
# ## Two copies of one set
# UCI's file of the irises and Fisher's paper disagree in three numbers. scikit-learn has corrected
# them; undo that.

# %% label="iris" values="uci_duplicates iris_changed"
uci = iris.data.copy()
uci[34] = 4.9, 3.1, 1.5, 0.1  # Fisher: petal width 0.2
uci[37] = 4.9, 3.1, 1.5, 0.1  # Fisher: sepal width 3.6, petal length 1.4
uci_duplicates = repeated(uci, iris.target)
iris_changed = np.count_nonzero(uci != iris.data)
print(f"{iris_duplicates} duplicate in the corrected copy, {uci_duplicates} in UCI's")
assert iris_changed == 3, "Fisher's irises and UCI's differ in three numbers."
assert (iris_duplicates, uci_duplicates) == (1, 3), (
    "UCI's slips in the irises make two false duplicates."
)

# %% label="wine" values="wine_creator"
wine_creator = re.search(r":Creator: (.*)", wine.DESCR)[1]
print("wine's creator, says the shipped description:", wine_creator)
assert wine_creator == re.search(r":Creator: (.*)", iris.DESCR)[1]  # copied from the irises

# %% [markdown]
# ## Load it, and check every byte
# A SHA-256 is a fingerprint of 64 hexadecimal digits. Whoever publishes a result publishes that of
# its data, too. For want of a network, the address here is that of a file on this disk.


# %% label="fetch"
def fetch(url, sha256):
    """Return the bytes at an address, if they are the published ones."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            content = answer.read()
    except OSError as error:
        advice = "Fetch it elsewhere, and pass that file as file:///…"
        raise ConnectionError(f"Could not load {url}\n{advice}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(f"Another file: its SHA-256 is {found[:12]}…")
    return content


# %% label="fetched" values="digits_sha fetch_refusals flipped_digits"
shipped = files("sklearn.datasets.data") / "digits.csv.gz"
digits_sha = hashlib.sha256(shipped.read_bytes()).hexdigest()
print(f"digits, {len(fetch(shipped.as_uri(), digits_sha)):,d} bytes, SHA-256 {digits_sha[:12]}…")

content = shipped.read_bytes()
damaged = content[:-1] + bytes([content[-1] ^ 1])  # one bit
other_sha = hashlib.sha256(damaged).hexdigest()
flipped_digits = sum(a != b for a, b in zip(digits_sha, other_sha, strict=True))
fetch_refusals = 0
for url, sha256 in (
    (shipped.as_uri(), other_sha),
    ("https://data.invalid/digits.csv.gz", digits_sha),  # a name that can never exist
):
    try:
        fetch(url, sha256)
    except (ConnectionError, ValueError) as error:
        fetch_refusals += 1
        print(f"\n{type(error).__name__}: {error}")
assert fetch_refusals == 2, "A wrong file and a missing network both end in a clear message."
assert flipped_digits > 40, "One changed bit changes nearly all digits of a SHA-256."

# %% [markdown]
# ## Who wrote the digits?
# UCI says that the 1,797 images are of 13 people, but not which. The order of the labels tells: the
# same list comes again and again, as if someone had filled in one form after the other. The list
# begins with three counts from 0 to 9, in which a digit may be missing, and goes on with `0955650`.

# %% label="begin" values="forms form_size complete missing most_missing contradictions odd_label asked_label room"
labels = "".join(map(str, digits.target))
counts = re.finditer("(?:0?1?2?3?4?5?6?7?8?9?){3}(?=0955650)", labels)
begins = np.array([match.start() for match in counts if match.group()])
runs = [labels[begin:end] for begin, end in pairwise([*begins, digits_total])]
form = np.repeat(np.arange(len(runs)), [len(run) for run in runs])  # (1797,)
forms = len(runs)
[(template, complete)] = Counter(runs).most_common(1)
form_size = len(template)
missing = forms * form_size - digits_total
most_missing = form_size - min(map(len, runs))


def fits(run):
    """Return whether the template becomes this run if some of its digits are left out."""
    rest = iter(template)
    return all(digit in rest for digit in run)  # each search begins behind the last digit found


contradictory = [
    begins[number] + place
    for number, run in enumerate(runs)
    if not fits(run)
    for place in range(form_size)
    if run[place] != template[place]
]
contradictions, odd = len(contradictory), contradictory[0]
odd_label, asked_label = digits.target[odd], int(template[odd - begins[form[odd]]])
room = 13 * form_size
print(f"{forms} forms, {complete} with the same {form_size} digits; {missing} digits are missing")
print(f"image {odd} is labeled {odd_label}, where the others have {asked_label}")
assert len(form) == digits_total
assert forms == 14, "The labels of the digits are one list of 130, given 14 times."
assert complete == 8
assert contradictions == 1, "A few digits of the list are missing, and one label contradicts it."
assert room < digits_total, (
    "Thirteen forms have no room for all digits: someone filled in two, or more took part."
)

# %% label="forms" alt="Fourteen rows of fifty small squares, in grey by digit. Most columns have the same shade in every row; two rows are shifted." caption="The first 50 labels of each form, from 0 (white) to 9 (black). Vertical stripes: the same digits come in the same order. Two rows lack a digit and are out of step from there on." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.5))
stripes = np.array([digits.target[b : b + 50] for b in begins])  # (14, 50)
ax.imshow(stripes, cmap="gray_r", aspect="auto", interpolation="none")
ax.set(xlabel="place in the form", ylabel="form", yticks=range(0, 14, 3))
ax.grid(False)

# %% [markdown]
# ## Three ways to hide a seventh of the digits
# For each image, find the nearest other image that is allowed, and take its label. This is
# nearest-neighbor classification, and needs nothing but distances.

# %% label="leak" values="same_form same_form_chance"
x, y = digits.data / 16, digits.target
squares = np.sum(x**2, axis=1)
distances = np.maximum(squares[:, None] + squares - 2 * x @ x.T, 0)  # (1797, 1797)
np.fill_diagonal(distances, np.inf)


def nearest(groups):
    """Return for each image the nearest one outside its own group."""
    return np.where(groups[:, None] == groups, np.inf, distances).argmin(axis=1)


everyone = np.arange(digits_total)
closest = nearest(everyone)  # each image is a group of its own
same_form = np.mean(form[closest] == form)

rng = np.random.default_rng(0)
shuffled, chances = form.copy(), []
for _ in range(20):
    for digit in range(10):  # forms exchanged among images of one digit
        shuffled[y == digit] = rng.permutation(form[y == digit])
    chances.append(np.mean(shuffled[closest] == shuffled))
same_form_chance = np.mean(chances)
print(f"nearest image from the same form: {same_form:.2f}, by chance {same_form_chance:.2f}")
assert same_form > 5 * same_form_chance, (
    "A digit's nearest image is in its own form over five times as often as by chance."
)
assert y[closest[odd]] == odd_label  # the label that contradicts the list fits the image

# %% label="splits" values="repeats accuracy_shuffled accuracy_halves accuracy_forms error_ratio worst_form best_form"
repeats = 5
sizes = np.bincount(form)
second_half = np.concatenate([np.arange(size) >= size // 2 for size in sizes])


def accuracy(groups):
    """Return the share of right labels if a whole group is hidden each time."""
    return np.mean(y[nearest(groups)] == y)


accuracies_shuffled = [
    accuracy(np.random.default_rng(seed).permutation(form)) for seed in range(repeats)
]
accuracy_shuffled = np.mean(accuracies_shuffled)
accuracy_halves = accuracy(2 * form + second_half)
right_forms = y[nearest(form)] == y
accuracy_forms = right_forms.mean()
each_form = np.bincount(form, right_forms) / sizes  # (14,)
worst_form, best_form = each_form.min(), each_form.max()
error_ratio = (1 - accuracy_forms) / (1 - accuracy_shuffled)
print(f"shuffled {accuracy_shuffled:.3f}, half-forms {accuracy_halves:.3f}, ", end="")
print(f"whole forms {accuracy_forms:.3f} ({worst_form:.2f} to {best_form:.2f})")
assert min(accuracies_shuffled) > accuracy_halves > accuracy_forms + 0.01
assert error_ratio > 2, "On forms never seen, errors are more than twice as frequent."
assert best_form - worst_form > 0.07, "Some forms are much harder than others."

# %% [markdown]
# Fourteen forms, and 13 people: do two forms look like one hand? Compare halves of forms by the mean
# images of the ten digits.


# %% label="hands" values="own_half alike_ratio alike_least"
def hand(chosen):
    """Return the mean image of each digit among the chosen images."""
    return [x[chosen & (y == digit)].mean(axis=0) for digit in range(10)]


first = np.array([hand((form == f) & ~second_half) for f in range(forms)])  # (14, 10, 64)
second = np.array([hand((form == f) & second_half) for f in range(forms)])
apart = np.sum((first[:, None] - second) ** 2, axis=(2, 3))  # (14, 14)
own = np.diag(apart)
other = apart[~np.eye(forms, dtype=bool)]
own_half = int(np.sum(apart.argmin(axis=1) == np.arange(forms)))
alike_ratio = np.sqrt(other.min() / own.mean())  # of distances
alike_least = np.sqrt(other.min() / own.max())
print(f"{own_half} first halves are closest to the second half of their own form")
print(f"the two most similar forms are {alike_ratio:.1f} times as far apart as halves of one form")
assert own_half == forms, "Each half of a form looks most like the other half of the same form."
assert alike_least > 1, "No two forms look as much alike as the halves of each form do."

# %% label="writers" alt="Three rows of eight ones. In the first they have a hook, in the second a foot and no hook, in the third they are plain strokes." caption="The digit 1 in three forms, one in each row. The nearest neighbor of an image is often from the same row." tags=["remove-input"]
fig, axes = plt.subplots(3, 1, figsize=(5, 2.3))
for ax, number in zip(axes, (1, 4, 8), strict=True):
    plot.images(ax, digits.images[(form == number) & (y == 1)][:8])

# %% label="leaks" alt="A column of five dots at .988, one dot at .983, and fourteen dots from .91 to 1.0 whose mean is .964." caption="Accuracy of the nearest neighbor, by what was hidden. Bars: means. Each dot on the left is a random partition, each triangle on the right is a form." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.9))
spread = np.linspace(-0.25, 0.25, forms)
columns = [accuracies_shuffled, [accuracy_halves], np.sort(each_form)]
for place, (values, color, marker) in enumerate(
    zip(columns, (BLUE, GREEN, ORANGE), "os^", strict=True)
):
    across = place + np.interp(np.linspace(0, 1, len(values)), np.linspace(0, 1, forms), spread)
    ax.plot(across if len(values) > 1 else [place], values, marker, color=color)
for place, mean in enumerate((accuracy_shuffled, accuracy_halves, accuracy_forms)):
    ax.hlines(mean, place - 0.35, place + 0.35, color=plot.INK, linewidth=1)
ax.set_xticks(range(3), ["random images", "half a form", "a whole form"])
ax.set(ylabel="accuracy", xlim=(-0.5, 2.5))

# %% [markdown]
# ## Time
# The sea off Peru, 732 months. Predict the temperature of a hidden month: the mean of that calendar
# month, plus by how much the two nearest known months were warmer than usual. Hide months at
# random, or hide all that comes after a date.

# %% label="time" values="months error_random error_random_mean error_later error_later_mean error_gap gap_months ahead periods lost error_next error_next_mean"
years, temperatures = datasets.load_elnino()  # °C, (61, 12)
warmth, months = temperatures.ravel(), temperatures.size
month, when = np.arange(months) % 12, np.arange(months)


def predict(known, hidden, gap=0):
    """Return two predictions of the hidden months: with and without the nearest known ones.

    Known months that are `gap` months away or nearer do not count as near.
    """
    usual = np.array([warmth[known][month[known] == m].mean() for m in range(12)])
    anomaly = warmth[known] - usual[month[known]]
    away = np.abs(when[hidden][:, None] - when[known])  # (hidden, known)
    near = np.where(away > gap, away, months).argsort(axis=1, kind="stable")[:, :2]
    return usual[month[hidden]] + anomaly[near].mean(axis=1), usual[month[hidden]]


def errors(known, hidden, gap=0):
    """Return the root mean square error in °C of both predictions."""
    return [np.sqrt(np.mean((p - warmth[hidden]) ** 2)) for p in predict(known, hidden, gap)]


def pooled(found):
    """Return the root mean square over several parts."""
    return np.sqrt(np.mean(np.square(found), axis=0))


gap_months, ahead = 12, 36
at_random, with_gap = [], []
for seed in range(repeats):
    parts = np.array_split(np.random.default_rng(seed).permutation(months), 5)
    at_random += [errors(np.setdiff1d(when, part), part) for part in parts]
    with_gap += [errors(np.setdiff1d(when, part), part, gap_months) for part in parts]
later = [errors(when[:start], when[start : start + ahead]) for start in range(372, months, ahead)]
one_ahead = [errors(when[:start], when[start : start + 1]) for start in range(372, months)]
error_random, error_random_mean = pooled(at_random)
error_gap, _ = pooled(with_gap)
error_later, error_later_mean = pooled(later)
error_next, error_next_mean = pooled(one_ahead)
periods, lost = len(later), sum(near > usual for near, usual in later)
print(f"hidden at random: {error_random:.2f} °C, the calendar mean {error_random_mean:.2f}")
print(f"the same, without the months within a year: {error_gap:.2f} °C")
print(f"the next {ahead} months: {error_later:.2f} °C, the calendar mean {error_later_mean:.2f}")
print(f"the next month: {error_next:.2f} °C, the calendar mean {error_next_mean:.2f}")
assert error_random < 0.5 * error_random_mean, (
    "If months are hidden at random, their neighbors in time give them away."
)
assert error_gap > error_random_mean, (
    "Without known months within a year of it, a month drawn at random is no easier."
)
assert error_later > error_later_mean, (
    "For the next three years, the same method loses to the calendar mean."
)
assert lost >= 7
assert error_next < 0.6 * error_next_mean, (
    "For the next month alone, the method beats the calendar mean by far."
)

# %% label="elnino" alt="Two panels of temperature anomalies. Above, predictions lie on the curve. Below, after a date, they are a flat line far from it." caption="How much warmer than usual the sea was (line), 1995 to 1999, and predictions (dots), with hidden months drawn at random (above), or from a date on (below)." tags=["remove-input"]
fig, axes = plt.subplots(2, 1, figsize=(5, 3.8), sharex=True, sharey=True)
shown = (when >= 540) & (when < 600)
usual = temperatures.mean(axis=0)[month]
part = np.sort(np.random.default_rng(0).permutation(months)[: months // 5])
for ax, hidden in zip(axes, (part, when[558:]), strict=True):
    ax.plot(1950 + when[shown] / 12, (warmth - usual)[shown], color=GREY)
    guess = predict(np.setdiff1d(when, hidden) if ax is axes[0] else when[:558], hidden)[0]
    seen = shown[hidden]
    ax.plot(1950 + hidden[seen] / 12, (guess - usual[hidden])[seen], "o", color=ORANGE)
    ax.set(ylabel="anomaly (°C)")
axes[0].set_title("hidden at random")
axes[1].set(title="hidden from July 1996 on", xlabel="year")

# %% [markdown]
# ## A rare class
# Keep all 357 benign samples of the breast cancer data, but only twelve malignant ones, and deal
# them to five parts. At random, some part may get none; a stratified split deals each class by
# itself.

# %% label="rare" values="rare_count rare_total some_part_none always_benign"
rare_count, rare_total = 12, 357 + 12
rare = np.arange(rare_total) < rare_count
counts = []
for seed in range(1000):
    parts = np.array_split(np.random.default_rng(seed).permutation(rare), 5)
    counts.append([part.sum() for part in parts])
some_part_none = np.mean(np.min(counts, axis=1) == 0)
always_benign = 1 - rare_count / rare_total

by_class = np.empty(rare_total, int)
for kind in (False, True):  # stratified: deal each class in turn
    by_class[rare == kind] = np.arange(np.sum(rare == kind)) % 5
stratified_counts = np.bincount(by_class[rare])
print(f"some part without a rare case: {some_part_none:.0%}; stratified parts {stratified_counts}")
assert 0.25 < some_part_none < 0.4, (
    "Of twelve rare cases dealt at random, one of five parts often gets none."
)
assert np.ptp(stratified_counts) <= 1
assert always_benign > 0.96, "Who always says 'benign' is right in 96 of 100 cases, and useless."

# %% [markdown]
# ## Wrong labels
# Exchange 90 labels of the digits, 5%, for others. Train on four fifths and ask the model, for each
# image of the fifth that it has not seen, how probable the given label is. Sort by that.

# %% label="confidence"
epochs = 12


def build():
    """Return a network with one hidden layer, ready to train."""
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    return model


def probabilities(given, seed):
    """Return the probability of each class for each image, by a model that has not seen it."""
    keras.utils.set_random_seed(seed)
    p = np.empty((digits_total, 10))
    for hidden in np.array_split(np.random.default_rng(seed).permutation(digits_total), 5):
        known = np.setdiff1d(everyone, hidden)
        model = build()
        model.fit(x[known], given[known], batch_size=64, epochs=epochs, verbose=0)
        p[hidden] = model.predict(x[hidden], verbose=0)
    return p


# %% [markdown]
# An exchanged label is another digit by lot, or a plausible one: that of the most similar image of
# another digit.

# %% label="flips" values="flips seeds precision_low precision_high recall_low alike_low alike_high alike_recall_low alike_mean precision_mean flip_share"
flips, seeds = 90, 3
flip_share = flips / digits_total
rival = y[np.where(y[:, None] == y, np.inf, distances).argmin(axis=1)]  # (1797,)


def search(seed, alike):
    """Exchange labels; return the share of them among the first k doubted ones, for each k."""
    rng = np.random.default_rng(seed)
    wrong = rng.choice(digits_total, flips, replace=False)
    given = y.copy()
    by_lot = (y[wrong] + rng.integers(1, 10, flips)) % 10
    given[wrong] = rival[wrong] if alike else by_lot
    confidence = probabilities(given, seed)[everyone, given]  # in the given label
    return np.cumsum(np.isin(confidence.argsort(), wrong)) / flips


curves = {alike: [search(seed, alike) for seed in range(seeds)] for alike in (False, True)}
(precisions, recalls), (alike_precisions, alike_recalls) = (
    ([curve[flips - 1] for curve in found], [curve[2 * flips - 1] for curve in found])
    for found in curves.values()
)
precision_low, precision_high, recall_low = min(precisions), max(precisions), min(recalls)
alike_low, alike_high = min(alike_precisions), max(alike_precisions)
alike_recall_low = min(alike_recalls)
for kind, first, both in (
    ("by lot", precisions, recalls),
    ("plausible", alike_precisions, alike_recalls),
):
    print(f"{kind}: found among the first {flips} {np.round(first, 2)},", end=" ")
    print(f"among {2 * flips} {np.round(both, 2)}")
assert precision_low > 0.8, "Of the 90 labels that look most doubtful, four in five are wrong."
assert recall_low > 0.95, "Nearly all of 90 exchanged labels are among the 180 most doubtful."
assert alike_low > 0.6
alike_mean, precision_mean = np.mean(alike_precisions), np.mean(precisions)
assert alike_mean < precision_mean, "Plausible wrong labels are harder to find than labels by lot."

# %% label="found" alt="Curves that rise steeply: three almost to 1 within a hundred labels, three dashed ones more slowly, over a flat dotted line." caption="Share of the exchanged labels that is found, by how many labels someone looks at, the most doubtful first. Three seeds each." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.9))
looked = np.arange(1, digits_total + 1)[:400]
for (alike, found), color, style in zip(curves.items(), (BLUE, ORANGE), ("-", "--"), strict=True):
    for number, curve in enumerate(found):
        label = "a plausible digit" if alike else "any digit"
        ax.plot(looked, curve[:400], style, color=color, label=None if number else label)
ax.plot(looked, looked / digits_total, ":", color=plot.INK, label="looking in random order")
ax.set(xlabel="labels looked at", ylabel="share found")
ax.legend(loc="center right", bbox_to_anchor=(1, 0.4))

# %% [markdown]
# Now the labels as they are. The least believed ones are worth a look.

# %% label="doubted" values="doubted_agree"
p = np.mean([probabilities(y, seed) for seed in range(seeds)], axis=0)  # (1797, 10)
confidence = p[everyone, y]
doubted = confidence.argsort()[:12]
doubted_agree = int(np.sum(p[doubted].argmax(axis=1) == y[doubted]))
print("images", doubted)
assert doubted_agree == 0  # the models say something else in each case
assert confidence[doubted].max() < 0.2

# %% label="suspects" alt="Twelve blurred digits, each with its label and another digit that the models read." caption="The twelve labels of the digits that three models, none of which had seen the image, believe least. Above each: label → what they read." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.9))
titles = [f"{y[i]} → {p[i].argmax()}" for i in doubted]
plot.images(ax, digits.images[doubted], titles, columns=6)

# %% [markdown]
# ## A test set wears out
# Guessers that see no image say *even* or *odd* at random. Ask a test set of 360 digits how good
# each one is, turn around those below one half, and let all of them vote.

# %% label="reuse" values="queries reused_low reused_high fresh_low fresh_high best_guess"
even, queries = y % 2 == 0, 1000
asked = [1, 3, 10, 30, 100, 300, 1000]
reused, fresh, singles = [], [], []
for seed in range(repeats):
    rng = np.random.default_rng(seed)
    lots = rng.permutation(digits_total)
    test, new = lots[:360], lots[360:]
    guesses = rng.random((queries, digits_total)) < 0.5
    scores = np.mean(guesses[:, test] == even[test], axis=1)  # what the test set answers
    turned = np.where(scores[:, None] > 0.5, guesses, ~guesses)
    votes = [turned[:k].mean(axis=0) > 0.5 for k in asked]
    reused.append([np.mean(vote[test] == even[test]) for vote in votes])
    fresh.append([np.mean(vote[new] == even[new]) for vote in votes])
    singles.append(scores.max())
reused_low, reused_high = np.min(reused, axis=0)[-1], np.max(reused, axis=0)[-1]
fresh_low, fresh_high = np.min(fresh, axis=0)[-1], np.max(fresh, axis=0)[-1]
best_guess = np.max(singles)
print(f"after {queries:,d} questions: {reused_low:.2f} to {reused_high:.2f} on the test set,")
print(f"{fresh_low:.2f} to {fresh_high:.2f} on new digits")
assert reused_low > 0.8, "A vote of blind guessers, chosen by the test set, scores above 80% on it."
assert 0.4 < fresh_low < fresh_high < 0.6, "On new digits, the same vote is worth nothing."

# %% label="worn" alt="Accuracy on the asked test set rises from .5 to .9 over 1,000 questions; on new digits it stays at .5." caption="A vote of blind guessers, by how often the test set was asked. Five seeds." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.7))
for name, found, color, style in (
    ("the test set that was asked", reused, ORANGE, "o-"),
    ("new digits", fresh, BLUE, "s--"),
):
    for number, values in enumerate(found):
        ax.semilogx(asked, values, style, color=color, label=None if number else name)
ax.set(xlabel="questions to the test set", ylabel="accuracy", ylim=(0.4, 1))
ax.xaxis.set_major_formatter("{x:,.0f}")
ax.legend(loc="upper left")

# %% [markdown]
# ## The same in scikit-learn and Keras
# From here on, `keras` is Keras itself. scikit-learn's splitters and its nearest neighbor must give
# what NumPy gave above.

# %% label="agreement" values="neighbor_gap confidence_gap svm_shuffled svm_forms"
ours = build()
start = [weight.copy() for weight in ours.get_weights()]
ours.fit(x, y, batch_size=64, epochs=epochs, shuffle=False, verbose=0)
ours_p = ours.predict(x, verbose=0)

import keras
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import (
    KFold,
    LeaveOneGroupOut,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

neighbor = KNeighborsClassifier(1)
read = cross_val_predict(neighbor, x, y, groups=form, cv=LeaveOneGroupOut())
neighbor_gap = abs(np.mean(read == y) - accuracy_forms)
theirs = build()
theirs.set_weights(start)
theirs.fit(x, y, batch_size=64, epochs=epochs, shuffle=False, verbose=0)
confidence_gap = float(np.abs(theirs.predict(x, verbose=0) - ours_p).max())
parts = KFold(forms, shuffle=True, random_state=0)
svm_shuffled = cross_val_score(SVC(), x, y, cv=parts).mean()
svm_forms = cross_val_score(SVC(), x, y, groups=form, cv=LeaveOneGroupOut()).mean()
print(f"nearest neighbor: difference {neighbor_gap:.0e}; probabilities: {confidence_gap:.0e}")
print(f"a support vector machine: {svm_shuffled:.3f} shuffled, {svm_forms:.3f} by form")
assert neighbor_gap < 1e-3, "scikit-learn's nearest neighbor and ours agree, form by form."
assert confidence_gap < 1e-2, "Keras's network and ours believe the labels alike."
assert svm_forms < svm_shuffled - 0.01, "Other methods, too, do worse on forms never seen."

# %% [markdown]
# ## From this sample to that population
# A model of the whole breast cancer set, cross-validated: which share of the malignant samples does
# it find, and how often is it right when it says *malignant*? Then suppose a population in which
# not 37% of the samples are malignant, but 0.5%.

# %% label="prevalence" values="found_share alarm_share precision_here precision_there share_here share_there false_alarms there_low there_high precision_two share_two"
malignant = cancer.target == malignant_class
clinic = make_pipeline(StandardScaler(), LogisticRegression())
said = np.concatenate(
    [
        cross_val_predict(
            clinic, cancer.data, malignant, cv=StratifiedKFold(5, shuffle=True, random_state=seed)
        )
        for seed in range(repeats)
    ]
)
truth = np.tile(malignant, repeats)
found_share, alarm_share = said[truth].mean(), said[~truth].mean()
share_here, share_there = malignant.mean(), 0.005
false_alarms = said[~truth].sum() / repeats


def precision(share, alarms=alarm_share):
    """Return how often an alarm is right if this share of all samples is malignant."""
    right, false = share * found_share, (1 - share) * alarms
    return right / (right + false)


precision_here, precision_there = precision(share_here), precision(share_there)
interval = binomtest(round(false_alarms), int(np.sum(~malignant))).proportion_ci()  # 95%
there_high, there_low = (precision(share_there, a) for a in (interval.low, interval.high))
share_two = 0.02
precision_two = 100 * precision(share_two)  # per cent
print(f"it finds {found_share:.1%} and raises a false alarm in {alarm_share:.1%}")
print(f"an alarm is right in {precision_here:.0%} of cases here, in {precision_there:.0%} there")
assert np.isclose(precision_here, truth[said].mean())
assert precision_here > 0.95
assert precision_there < 0.5
assert there_high < 0.9, (
    "Where one sample in 200 is malignant, far fewer alarms of the same model are right."
)

# %% [markdown]
# ## Claims that one reads, tried
# **Standardize your inputs, always.** Nearest neighbor and a tree, with and without.

# %% label="scaling" values="wine_raw wine_scaled digits_raw digits_scaled wine_gain digits_loss tree_change rim_pixels digits_core rim_share"


def mean_accuracy(model, data):
    """Return the accuracy of five repetitions of stratified fivefold cross-validation."""
    folds = [StratifiedKFold(5, shuffle=True, random_state=seed) for seed in range(repeats)]
    return np.array([cross_val_score(model, data.data, data.target, cv=cv).mean() for cv in folds])


tree = DecisionTreeClassifier(random_state=0)
wine_raws, digits_raws, tree_raws = (
    mean_accuracy(model, data)
    for model, data in ((neighbor, wine), (neighbor, digits), (tree, cancer))
)
wine_scaleds, digits_scaleds, tree_scaleds = (
    mean_accuracy(make_pipeline(StandardScaler(), model), data)
    for model, data in ((neighbor, wine), (neighbor, digits), (tree, cancer))
)
wine_raw, wine_scaled = wine_raws.mean(), wine_scaleds.mean()
digits_raw, digits_scaled = digits_raws.mean(), digits_scaleds.mean()
wine_gain = wine_scaleds.min() - wine_raws.max()  # in the worst case
digits_loss = digits_raws.min() - digits_scaleds.max()
tree_change = np.abs(tree_scaleds - tree_raws).max()
assert wine_gain > 0.1, "Standardizing helps the nearest neighbor on wine a lot."
assert digits_loss > 0, "Standardizing the digits makes the nearest neighbor worse."
assert tree_change < 0.01, "To a decision tree, standardizing makes no difference."

# Is it the pixels that are nearly always blank? Leave them out.
rim = np.mean(digits.data > 0, axis=0) < 0.1
rim_pixels = int(rim.sum())
core = datasets.load_digits()
core.data = core.data[:, ~rim]
digits_core = mean_accuracy(make_pipeline(StandardScaler(), neighbor), core).mean()
rim_share = (digits_core - digits_scaled) / (digits_raw - digits_scaled)
assert rim_share > 0.5, (
    "Pixels that are rarely inked cause most of what standardizing the digits costs."
)
assert abs(mean_accuracy(neighbor, core).mean() - digits_raw) < 0.003  # they are not needed

# %% [markdown]
# **Split 80 to 20.** How much does the accuracy vary with the draw?

# %% label="eighty" values="draws iris_test iris_low iris_high digits_test digits_low digits_high iris_range digits_range"
draws = 50


def scores_of(data):
    """Return the accuracy of the nearest neighbor in 50 splits, and the size of the test set."""
    found = []
    for seed in range(draws):
        known, hidden, known_y, hidden_y = train_test_split(
            data.data, data.target, test_size=0.2, random_state=seed
        )
        found.append(neighbor.fit(known, known_y).score(hidden, hidden_y))
    return found, len(hidden)


(iris_scores, iris_test), (digits_scores, digits_test) = scores_of(iris), scores_of(digits)
iris_low, iris_high = min(iris_scores), max(iris_scores)
digits_low, digits_high = min(digits_scores), max(digits_scores)
iris_range, digits_range = 100 * (iris_high - iris_low), 100 * (digits_high - digits_low)
assert iris_high - iris_low > 0.08, "With 30 test flowers, luck decides more than eight points."
assert digits_high - digits_low < 0.04, "With 360 test digits, luck decides fewer than four points."

# %% [markdown]
# **More data beat better algorithms.** Naive Bayes with all digits, nearest neighbor with 300.

# %% label="more" values="few many fewest bayes_few bayes_many neighbor_fewest neighbor_few neighbor_lead"
few, many, fewest = 300, 1437, 50
found = []
for seed in range(repeats):
    lots = np.random.default_rng(seed).permutation(digits_total)
    bayes = GaussianNB(var_smoothing=0.01)
    found.append(
        [
            model.fit(x[lots[:n]], y[lots[:n]]).score(x[lots[many:]], y[lots[many:]])
            for model, n in ((bayes, few), (bayes, many), (neighbor, fewest), (neighbor, few))
        ]
    )
bayes_few, bayes_many, neighbor_fewest, neighbor_few = np.mean(found, axis=0)
assert bayes_many > bayes_few  # more data help
neighbor_lead = min(better - worse for _, worse, _, better in found)  # of five draws
assert neighbor_lead > 0, "A better method with 300 digits beats naive Bayes with 1,437."
assert neighbor_fewest < bayes_many, (
    "With 50 digits, the better method does not beat naive Bayes with 1,437."
)

# %% [markdown]
# **Balance the classes before you train.** Twelve malignant samples again, in 20 draws: once as they
# are, once with class weights, and once with the plain model's threshold lowered until it raises
# as many alarms as the weighted one.

# %% label="balance" values="recall_plain recall_balanced recall_moved ranking_plain ranking_balanced accuracy_plain"
rows = []
for seed in range(20):
    rng = np.random.default_rng(seed)
    chosen = rng.choice(np.flatnonzero(malignant), rare_count, replace=False)
    chosen = np.concatenate([np.flatnonzero(~malignant), chosen])
    truth = malignant[chosen]
    cv = StratifiedKFold(4, shuffle=True, random_state=seed)
    plain, weighted = (
        cross_val_predict(
            make_pipeline(StandardScaler(), LogisticRegression(class_weight=weight)),
            cancer.data[chosen],
            truth,
            cv=cv,
            method="predict_proba",
        )[:, 1]
        for weight in (None, "balanced")
    )
    alarms = int(np.sum(weighted > 0.5))
    moved = plain >= np.sort(plain)[-alarms]
    rows.append(
        [
            np.mean(plain[truth] > 0.5),
            np.mean(weighted[truth] > 0.5),
            np.mean(moved[truth]),
            average_precision_score(truth, plain),
            average_precision_score(truth, weighted),
            np.mean((plain > 0.5) == truth),
        ]
    )
rows = np.array(rows)
(
    recall_plain,
    recall_balanced,
    recall_moved,
    ranking_plain,
    ranking_balanced,
    accuracy_plain,
) = rows.mean(axis=0)
assert recall_balanced > recall_plain + 0.03, "Class weights find more of twelve rare cases."
assert abs(recall_moved - recall_balanced) < 0.03, (
    "A lower threshold finds as many rare cases as class weights."
)
assert abs(ranking_balanced - ranking_plain) < 0.03, (
    "Class weights do not rank the cases better, they only move the threshold."
)
assert accuracy_plain > 0.98 > 0.9 > recall_plain, (
    "A model can be right in 98% of cases and miss more than one rare case in ten."
)

# %% [markdown]
# ## A datasheet for the digits
# The seven groups of questions of Gebru et al., answered for the copy in scikit-learn. Numbers are
# computed, the rest is from UCI's documentation. "Not documented" is an answer, too.

# %% label="sheet" values="blank_pixels"
blank_pixels = int(np.sum(np.ptp(digits.data, axis=0) == 0))
counts = np.bincount(y)
assert np.isfinite(digits.data).all()
assert (digits.data.min(), digits.data.max()) == (0, 16)
assert np.array_equal(digits.data, digits.data.round())
sheet = {
    "Motivation": "To compare ways of combining classifiers (Kaynak 1995; Alpaydin and Kaynak "
    "1998). Funding: not documented.",
    "Composition": f"{digits_total:,d} images of handwritten digits, {counts.min()} to "
    f"{counts.max()} of each; 8 × 8 whole numbers from 0 to 16; no missing values, "
    f"{repeated(digits.data, y)} duplicates; {blank_pixels} pixels blank in all images.",
    "Collection": "UCI: 43 people filled in a printed form; the 13 of this part are not among the 30 of "
    f"the training part. Who wrote what is not recorded; the order shows {forms} forms, too many for "
    "13 people with one each. Age, country, consent: not documented.",
    "Preprocessing": "Bitmaps of 32 × 32 by NIST's programs; inked dots counted in blocks of 4 × 4. "
    "The blocks cannot be undone.",
    "Uses": f"Teaching, small comparisons. Not to claim that new hands are read: shuffled, the "
    f"nearest neighbor has {accuracy_shuffled:.3f}, on new forms {accuracy_forms:.3f}.",
    "Distribution": f"UCI, CC BY 4.0, doi 10.24432/C50P49; in scikit-learn, SHA-256 {digits_sha[:12]}…",
    "Maintenance": "None known. Corrections to labels: none published with the set.",
}
print("\n\n".join(f"{group}. {answer}" for group, answer in sheet.items()))

# %% [markdown]
# ## Solutions to the exercises
# **1.** Labels that mean nothing, and some images copied.

# %% label="exercise-1" tags=["solution"]
for copies in (0, 180, 540):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 10, digits_total)  # labels by lot
    again = np.concatenate([everyone, rng.choice(digits_total, copies, replace=False)])
    score = cross_val_score(
        neighbor, x[again], noise[again], cv=KFold(5, shuffle=True, random_state=0)
    ).mean()
    print(f"{copies} images copied: accuracy {score:.2f}")
assert score > 0.35

# %% [markdown]
# **2.** As many images, from one form or from ten.

# %% label="exercise-2" tags=["solution"]
results = []
for seed in range(10):
    rng = np.random.default_rng(seed)
    order = rng.permutation(forms)
    held_out = np.isin(form, order[10:])
    one = rng.permutation(np.flatnonzero(form == order[0]))[:110]
    ten = rng.permutation(np.flatnonzero(np.isin(form, order[:10])))[:110]
    results.append(
        [neighbor.fit(x[some], y[some]).score(x[held_out], y[held_out]) for some in (one, ten)]
    )
from_one, from_ten = np.mean(results, axis=0)
print(f"110 images of one form: {from_one:.2f}; of ten forms: {from_ten:.2f}")
assert from_ten > from_one + 0.03

# %% [markdown]
# **3.** How many test examples tell 96% from 97%?

# %% label="exercise-3" tags=["solution"]
needed = 1.96**2 * (0.96 * 0.04 + 0.97 * 0.03) / 0.01**2  # the difference is 1.96 standard errors
rng = np.random.default_rng(0)
for n in (360, round(needed), round(2.04 * needed)):
    worse, better = rng.binomial(n, (0.96, 0.97), (20000, 2)).T / n
    wide = 1.96 * np.sqrt((worse * (1 - worse) + better * (1 - better)) / n)
    print(f"{n:,d} test examples: told apart in {np.mean(better - worse > wide):.0%} of trials")
assert 2500 < needed < 2700

# %% [markdown]
# **4.** A check that any table should pass, or explain.


# %% label="exercise-4" tags=["solution"]
def check(data, target):
    """Return what is odd about a table."""
    counts = np.bincount(target)
    return {
        "missing": int(np.isnan(data).sum()),
        "duplicates": repeated(data, target),
        "constant columns": int(np.sum(np.ptp(data, axis=0) == 0)),
        "same row, other class": repeated(data, 0 * target) - repeated(data, target),
        "largest class / smallest": round(counts.max() / counts.min(), 2),
        "runs of one class": int(np.count_nonzero(np.diff(target))) + 1,
    }


report = pd.DataFrame(
    {name: check(copy.data, copy.target) for name, (copy, _) in published.items()}
)
print(report.to_string(float_format="{:g}".format))
assert report.loc["runs of one class", "iris"] == 3  # sorted: shuffle before you split

# %%
plt.show()
