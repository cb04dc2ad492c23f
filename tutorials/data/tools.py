# %% [markdown]
# # Tools
# Five libraries, one table of wines, and the same numbers from each. What is each library for, where
# do they disagree, and where are they slow? The chapter [Tools](../../data/tools.md) tells the story.
#
# The first half runs on NumPy, pandas, scikit-learn, Matplotlib, seaborn and `labkit`, the book's
# library. The second half asks Keras and TensorFlow.

# %%
import calendar
import inspect
import io
import math
import time
import warnings
from importlib.metadata import version

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from seaborn import objects
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold, cross_validate, train_test_split
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import labkit as keras
from labkit import datasets, plot

plot.set_theme()
BLUE, ORANGE, GREEN, GREY = (plot.COLORS[name] for name in ("blue", "orange", "green", "grey"))

# %% label="versions" values="numpy_version pandas_version sklearn_version matplotlib_version seaborn_version"
packages = ("numpy", "pandas", "scikit-learn", "matplotlib", "seaborn")
versions = [version(package) for package in packages]
numpy_version, pandas_version, sklearn_version, matplotlib_version, seaborn_version = versions
print(dict(zip(packages, versions, strict=True)))

# %% [markdown]
# ## The wines
# 13 measurements of 178 wines of three varieties from Piedmont (UCI, CC BY 4.0).

# %% label="wines" caption="Three groups of wines: their sizes, and the mean and standard deviation of their malic acid." values="count measured"
bunch = datasets.load_wine()
varieties = ["Barolo", "Grignolino", "Barbera"]
wines = pd.DataFrame(bunch.data, columns=bunch.feature_names)
wines.insert(0, "variety", np.array(varieties)[bunch.target])
count, measured = bunch.data.shape
groups = wines.groupby("variety", sort=False)["malic_acid"]
groups.agg(["size", "mean", "std"]).rename_axis(None).round(3)

# %% [markdown]
# ## Numbers of one kind
# A data type fixes how many bytes a number takes, and so which numbers there are.

# %% label="types" values="largest_count darker running_error pairwise_error kb_single kb_double tenths"
largest_count = 2**24
after = np.float32(largest_count) + np.float32(1)
assert after == largest_count, "Beyond 2 to the 24th, a 32-bit float cannot count on by one."

pixels = np.array([3, 200], dtype=np.uint8)
with warnings.catch_warnings():
    warnings.simplefilter("error")  # a warning would end the run
    darker = int((pixels - np.uint8(5))[0])
assert darker == 254, "In an array of unsigned bytes, 3 minus 5 is 254, without a warning."

tenths = 10_000_000
many = np.full(tenths, 0.1, np.float32)
running_error = abs(float(np.cumsum(many)[-1]) / (tenths / 10) - 1)  # one after the other
pairwise_error = abs(float(many.sum()) / (tenths / 10) - 1)  # NumPy adds pairs of sums
kb_single, kb_double = (bunch.data.astype(kind).nbytes / 1e3 for kind in ("float32", "float64"))
print(f"error of the sum: {running_error:.1%} one by one, {pairwise_error:.0e} by np.sum")
assert running_error > 0.01 > 1e-4 > pairwise_error, (
    "Added one by one, ten million 32-bit tenths are wrong by more than a percent."
)
del many

# %% [markdown]
# ## Shapes that stretch
# Two arrays of different shapes meet: sizes are compared from the last axis on, and a size of one,
# or a missing axis, is repeated.


# %% label="stretch" alt="Three sums of small grids. A row of four is repeated for three rows; a column of three and a row of four both become three by four; a row of three minus a column of three becomes three by three." caption="Solid cells exist in memory, dotted ones only as repetitions. In the last line, two lists of three numbers give nine." tags=["remove-input"]
def cells(ax, values, shape, left, top, color):
    """Draw an array as it is stretched to a shape of two axes; what is repeated is dotted."""
    own = np.atleast_2d(values).shape
    for (i, j), value in np.ndenumerate(np.broadcast_to(values, shape)):
        real = i < own[0] and j < own[1]
        style = {"facecolor": color, "alpha": 0.35} if real else {"fill": False, "linestyle": ":"}
        ax.add_patch(plt.Rectangle((left + j, top + i), 1, 1, linewidth=0, **style))
        edge = {"fill": False, "edgecolor": plot.INK if real else GREY}
        line = {"linewidth": 0.9, "linestyle": "-" if real else ":"}
        ax.add_patch(plt.Rectangle((left + j, top + i), 1, 1, **edge, **line))
        ink = plot.INK if real else GREY
        number = str(value).replace("-", "−")
        ax.text(left + j + 0.5, top + i + 0.5, number, ha="center", va="center", color=ink)


ten, one = np.array([[10], [20], [30]]), np.arange(4)
whole = ten + np.zeros(4, int)
pairs = [(whole, one, "+"), (ten, one, "+"), (np.arange(1, 4), np.arange(1, 4)[:, None], "−")]
fig, ax = plt.subplots(figsize=(5, 4.9))
for number, (a, b, sign) in enumerate(pairs):
    result = a + b if sign == "+" else a - b
    top, width = 4.6 * number, result.shape[1]
    for left, array, color in (0, a, BLUE), (width + 1, b, ORANGE), (2 * width + 2, result, GREEN):
        cells(ax, array, result.shape, left, top, color)
        shape = str(array.shape)
        ax.text(left + width / 2, top - 0.25, shape, ha="center", va="bottom")
    ax.text(width + 0.5, top + 1.5, sign, ha="center", va="center", fontsize=14)
    ax.text(2 * width + 1.5, top + 1.5, "=", ha="center", va="center", fontsize=14)
ax.set(xlim=(-0.1, 14.1), ylim=(12.3, -1.1), aspect="equal")
ax.set_axis_off()

# %% label="standardize"
x = bunch.data  # (178, 13)
means, spreads = x.mean(axis=0), x.std(axis=0)  # (13,) each
z = (x - means) / spreads  # each of the 178 rows meets the 13 means

# %%
assert np.allclose(z.mean(axis=0), 0)
assert np.allclose(z.std(axis=0), 1)

# %% [markdown]
# The trap: a network with one output answers with shape (178, 1), the targets have shape (178,).

# %% label="trap" values="wrong_loss variance"
y = wines["alcohol"].to_numpy()  # (178,)
answer = y[:, None]  # (178, 1), and every answer is right
errors = y - answer  # (178, 178)
wrong_loss, variance = float(np.mean(errors**2)), float(np.var(y))
assert np.isclose(wrong_loss, 2 * variance), (
    "Shapes (n,) and (n, 1) give perfect answers a loss of twice the variance."
)

# %% values="wrong_size batch_size"
wrong_size = errors.size
batch_size = (np.zeros(32) - np.zeros((32, 1))).size
assert np.mean((y - answer[:, 0]) ** 2) == 0  # with equal shapes

# %% [markdown]
# So each answer is compared with every target, and the best single answer to all is their mean.


# %% label="mean" values="r2_right r2_wrong spread_wrong"
def neuron(flat, steps=400, rate=0.1):
    """Train a linear neuron to tell the alcohol from the color; return its answers, (178,)."""
    inputs = z[:, [bunch.feature_names.index("color_intensity")]]  # (178, 1)
    w, b = np.ones((1, 1)), np.zeros(1)
    for _ in range(steps):
        p = inputs @ w + b  # (178, 1)
        slope = 2 * (p[:, 0] - y if flat else p - y)  # (178,), or by accident (178, 178)
        slope = (slope if flat else slope.mean(axis=1))[:, None] / count  # of each answer
        w -= rate * inputs.T @ slope
        b -= rate * slope.sum(axis=0)
    return (inputs @ w + b)[:, 0]


right, wrong = neuron(flat=True), neuron(flat=False)
r2_right, r2_wrong = (1 - float(np.mean((p - y) ** 2)) / variance for p in (right, wrong))
spread_wrong = float(np.std(wrong))
print(f"R² {r2_right:.2f} with equal shapes, {r2_wrong:.2f} without")
assert r2_right > 0.2
assert abs(r2_wrong) < 1e-6, "Trained with the wrong shapes, a neuron learns the mean alone."
assert spread_wrong < 1e-6

# %% [markdown]
# The losses of `labkit` and Keras notice the extra axis and drop it.

# %% label="losses" values="library_loss"
library_loss = float(keras.losses.MeanSquaredError()(y, answer))
assert library_loss == 0, "The library's own loss drops an axis of size one."

# %% [markdown]
# ## Views and copies
# A slice is another way to look at the same memory. A list of places makes a copy.

# %% label="views" values="through_slice through_list"
a = np.arange(12)
slice_, list_ = a[2:8], a[[2, 3, 4, 5, 6, 7]]  # equal numbers
slice_[0] = 99  # changes a
list_[1] = 77  # does not
through_slice, through_list = int(a[2]), int(a[3])
assert (through_slice, through_list) == (99, 3), (
    "Writing into a slice changes the array; into a copy, it does not."
)
assert np.shares_memory(a, slice_)
assert not np.shares_memory(a, list_)

# %% label="memory" alt="A strip of twelve cells. Below it four lines mark which cells a slice, a step of three, a column of a reshaped array and a mask refer to; only the mask has cells of its own." caption="One strip of memory, three views of it, and a copy. The places were read from the arrays' addresses and strides." tags=["remove-input"]
a = np.arange(12)
looks = {
    "a": a,
    "a[2:8]": a[2:8],
    "a[::3]": a[::3],
    "a.reshape(3, 4)[:, 1]": a.reshape(3, 4)[:, 1],
    "a[a > 7]": a[a > 7],
}
fig, ax = plt.subplots(figsize=(5, 2.9))
for row, (name, look) in enumerate(looks.items()):
    shared = np.shares_memory(a, look)
    first = (look.__array_interface__["data"][0] - a.__array_interface__["data"][0]) // a.itemsize
    start, step = (first, look.strides[0] // a.itemsize) if shared else (8, 1)
    for number, value in enumerate(look):
        place = (start + step * number, 1.25 * row + (0 if shared else 0.35))
        color = BLUE if shared else ORANGE
        ax.add_patch(plt.Rectangle(place, 1, 1, facecolor=color, alpha=0.35, linewidth=0))
        ax.add_patch(plt.Rectangle(place, 1, 1, fill=False, linewidth=0.9))
        if row == 0 or not shared:
            ax.text(place[0] + 0.5, place[1] + 0.5, value, ha="center", va="center")
    label = name if shared else f"{name}: a copy"
    ax.text(-0.3, 1.25 * row + (0.5 if shared else 0.85), label, ha="right", va="center")
ax.set(xlim=(-7.2, 12.1), ylim=(6.5, -0.1))
ax.set_axis_off()

# %% [markdown]
# In pandas, every selection behaves as a copy. A chain of two selections writes into the first copy
# and is lost, in either order; one `.loc` reaches the table.

# %% label="chain" values="chained direct"
table = wines.copy()
barolo = table["variety"] == "Barolo"
column = table["alcohol"]
column.iloc[0] = 0  # copies first, as pandas then needs it
with warnings.catch_warnings():
    warnings.simplefilter("ignore", pd.errors.ChainedAssignmentError)  # it has no effect
    table["alcohol"][barolo] = 0
    table[barolo]["alcohol"] = 0
chained = float(table["alcohol"].min())
table.loc[barolo, "alcohol"] = 0
direct = float(table["alcohol"].min())
assert chained > 0 == direct, "In pandas, a chained assignment is lost, and one with loc is not."
array = wines["alcohol"].to_numpy()
assert np.shares_memory(array, wines["alcohol"].to_numpy())
assert not array.flags.writeable

# %% [markdown]
# ## Reading a file
# A small invented file, which says of none of its columns what it means.

# %% label="file"
FILE = """code,country,opened,pupils,mark
007,NA,03/04/2025,31,"7,5"
042,DE,25/12/2024,,"8,1"
101,FR,12/05/2024,28,-
"""
guessed = pd.read_csv(io.StringIO(FILE))
told = pd.read_csv(
    io.StringIO(FILE),
    dtype={"code": str, "pupils": "Int64"},  # Int64 allows gaps
    parse_dates=["opened"],
    dayfirst=True,
    decimal=",",
    keep_default_na=False,  # or Namibia, NA, is missing
    na_values={"pupils": [""], "mark": ["-"]},
)

# %% label="traps" caption="The first line of the file: what pandas guesses, with which type, and what is meant." values="guessed_wrong file_columns"
shown = pd.DataFrame(
    {
        "guessed": [str(value) for value in guessed.iloc[0]],
        "its type": [str(kind) for kind in guessed.dtypes],
        "meant": [str(value).removesuffix(" 00:00:00") for value in told.iloc[0]],
    },
    index=told.columns,
)
file_columns = len(told.columns)
guessed_wrong = int((guessed.dtypes != told.dtypes).sum() + guessed["country"].isna()[0])
assert guessed_wrong == file_columns, "Of five columns of a small file, pandas guesses none right."
assert told["country"][0] == "NA"
assert told["code"][0] == "007"
assert str(told["opened"][0].date()) == "2025-04-03"
assert told["mark"].sum() == 15.6
assert told["pupils"].isna().sum() == told["mark"].isna().sum() == 1
shown

# %% [markdown]
# A date that both orders allow is read month first, silently. Of 25/12/2024 that cannot be, and then
# the whole column stays text, silently, too.

# %% values="month asked"
with warnings.catch_warnings():
    warnings.simplefilter("error")  # a warning would end the run
    month = pd.to_datetime("03/04/2025").month
    asked = str(pd.read_csv(io.StringIO(FILE), parse_dates=["opened"])["opened"].dtype)
assert month == 3, "Of 03/04/2025, pandas makes a day in March, without a warning."
assert asked == "str", "Dates that pandas was to parse, but could not, stay text without a warning."

# %% [markdown]
# ## Groups, joins, tidy tables

# %% label="merge" values="joined doubled refused"
grapes = pd.DataFrame({"variety": varieties, "grape": ["Nebbiolo", "Grignolino", "Barbera"]})
joined = len(wines.merge(grapes, on="variety"))
twice = pd.concat([grapes, grapes.iloc[[0]]])  # someone entered Barolo a second time
doubled = len(wines.merge(twice, on="variety"))
try:
    wines.merge(twice, on="variety", validate="many_to_one")
    refused = False
except pd.errors.MergeError:
    refused = True
print(f"{joined} rows, and {doubled} after one line too many")
assert joined == count
assert doubled == count + np.sum(bunch.target == 0)
assert refused, "A merge with validate refuses a key that occurs twice."

# %% label="missing-keys" values="grouped matched"
keys = pd.DataFrame({"key": ["a", None, "b", None], "value": [1, 2, 3, 4]})
grouped = int(keys.groupby("key")["value"].sum().sum())  # of 10
matched = len(keys.merge(keys, on="key"))
assert grouped == 4, "A groupby leaves out rows whose key is missing."
assert grouped + 6 == keys.groupby("key", dropna=False)["value"].sum().sum()
assert matched == 6, "A merge matches every missing key with every missing key."

# %% label="tidy" caption="Some rows of the tidy table: one month of one year each, with the mean sea temperature in °C." values="wide_rows long_rows warmest"
years, temperatures = datasets.load_elnino()
months = list(calendar.month_name)[1:]
wide = pd.DataFrame(temperatures, columns=months).assign(year=years)
long = wide.melt("year", var_name="month", value_name="temperature")
wide_rows, long_rows = len(wide), len(long)
warmest = long.groupby("month")["temperature"].mean().idxmax()
assert long_rows == 12 * wide_rows, "Melted, each month of each year has a row of its own."
assert np.isclose(long["temperature"].mean(), temperatures.mean())
long.sample(4, random_state=0).sort_index()

# %% [markdown]
# ## Estimators: fit, transform, predict
# A pipeline scales, then classifies; each step learns from the training rows alone.

# %% label="pipeline" values="accuracy_low accuracy_high folds"
model = make_pipeline(StandardScaler(), LogisticRegression())
cv = RepeatedStratifiedKFold(n_splits=5, n_repeats=5, random_state=0)
found = cross_validate(model, bunch.data, bunch.target, cv=cv, return_estimator=True)
accuracies = found["test_score"].reshape(5, 5).mean(axis=1)  # of each repetition
accuracy_low, accuracy_high = float(accuracies.min()), float(accuracies.max())
folds = len(found["estimator"])
print(f"accuracy {accuracy_low:.3f} to {accuracy_high:.3f} in five repetitions")
assert accuracy_low > 0.95, "A scaled logistic regression names most new wines."

# %% label="seen" values="seen"
rows = [len(train) for train, _ in cv.split(bunch.data, bunch.target)]
scalers = [fitted[0] for fitted in found["estimator"]]
seen = int(max(scaler.n_samples_seen_ for scaler in scalers))
assert [scaler.n_samples_seen_ for scaler in scalers] == rows
assert seen < count, "In a pipeline, the scaler sees the training rows of its fold alone."

# %% [markdown]
# What if the scaler sees all wines, those of the test too? The same folds, with the table scaled
# beforehand:

# %% label="leak" values="leak"
leaky = cross_validate(LogisticRegression(), z, bunch.target, cv=cv)["test_score"]
leak = 100 * abs(float(leaky.mean() - found["test_score"].mean()))
print(f"a scaler that has seen the test changes the mean accuracy by {leak:.1f} points")
assert leak < 1, "A scaler that has seen these tests changes the accuracy by under a point."

# %% [markdown]
# A choice of columns by the targets is another matter, even of columns that say nothing:

# %% label="noise" values="noise_columns noise_leaky noise_honest"
noise_columns = 2000
noise = np.random.default_rng(0).normal(size=(count, noise_columns))
best = SelectKBest(k=20)
chosen = best.fit_transform(noise, bunch.target)  # (178, 20)
noise_leaky, noise_honest = (
    float(cross_validate(estimator, inputs, bunch.target, cv=cv)["test_score"].mean())
    for estimator, inputs in (
        (LogisticRegression(), chosen),
        (make_pipeline(best, LogisticRegression()), noise),
    )
)
print(f"noise: accuracy {noise_leaky:.2f} chosen before, {noise_honest:.2f} chosen in the pipeline")
assert noise_leaky > 0.55 > 0.5 > noise_honest, (
    "Columns of noise, chosen before the split, seem to name varieties; in a pipeline they do not."
)

# %% [markdown]
# What does `fit` do? The mean and the spread of each column, and then a loss and steps downhill. The
# same model from the book's own layers: `adapt` is the scaler's `fit`, and the weights are found by
# gradient descent on cross-entropy plus scikit-learn's penalty, $\lVert \mathbf{W} \rVert_2^2 / 2n$.


# %% label="layers" values="scaler_gap model_gap parameters"
def trained():
    """Return a softmax layer behind a scaling layer, trained on all wines, and the scaling."""
    scaling = keras.layers.Normalization()
    scaling.adapt(bunch.data)
    penalty = keras.regularizers.L2(1 / (2 * count))
    softmax = keras.layers.Dense(3, "softmax", kernel_regularizer=penalty)
    model = keras.Sequential([keras.Input((measured,)), scaling, softmax])
    model.compile(keras.optimizers.SGD(0.5, momentum=0.9), "sparse_categorical_crossentropy")
    for _ in range(500):
        model.train_on_batch(bunch.data, bunch.target)
    return model, scaling


keras.utils.set_random_seed(0)
scaled = StandardScaler().fit_transform(bunch.data)
exact = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-8, max_iter=1000))
probabilities = exact.fit(bunch.data, bunch.target).predict_proba(bunch.data)  # (178, 3)


def gaps():
    """Return the largest differences from scikit-learn: of scaled values, of probabilities."""
    model, scaling = trained()
    ours = np.asarray(scaling(bunch.data))
    return (
        float(np.abs(ours - scaled).max()),
        float(np.abs(model.predict(bunch.data, verbose=0) - probabilities).max()),
    )


scaler_gap, model_gap = gaps()
parameters = measured * 3 + 3
print(f"differences: {scaler_gap:.0e} of the scaled values, {model_gap:.0e} of the probabilities")
assert scaler_gap < 1e-5, "A Normalization layer that adapts is a StandardScaler that fits."
assert model_gap < 2e-3, "Gradient descent on a softmax layer finds the logistic regression."

# %% [markdown]
# ## Figures are made of objects
# A Figure holds Axes, and Axes hold artists: what is drawn can be asked for its numbers.

# %% label="artists" values="artists title_second"
fig, (left, right) = plt.subplots(1, 2)
left.plot([1, 2, 3], [1, 4, 9])
plt.title("of the current axes")  # which are the last that were made
artists = len(left.lines)
title_first, title_second = left.get_title(loc="left"), right.get_title(loc="left")
plt.close(fig)
assert artists == 1
assert title_first == ""
assert title_second == "of the current axes", (
    "A call on pyplot goes to the axes that were made last."
)

# %% [markdown]
# ## One statistic, one picture, four ways
# Each library computes the mean of each variety in its own way.

# %% label="four" alt="Four panels with the same three horizontal bars: Barolo and Grignolino near 2, Barbera above 3." caption="The mean malic acid of each variety: computed with NumPy, pandas and scikit-learn, and left to seaborn."
fig, axes = plt.subplots(2, 2, figsize=(5, 3.6), sharex=True)
(one, two), (three, four) = axes
acid = wines["malic_acid"].to_numpy()

masks = [bunch.target == k for k in range(3)]
one.barh(varieties, [acid[mask].mean() for mask in masks], color=BLUE)

means = wines.groupby("variety", sort=False)["malic_acid"].mean()
means.plot.barh(ax=two, color=ORANGE, width=0.8)

centroids = NearestCentroid().fit(acid[:, None], bunch.target).centroids_  # (3, 1)
three.barh(varieties, centroids[:, 0], color=GREEN)

style = {"color": GREY, "saturation": 1, "errorbar": None}
sns.barplot(wines, x="malic_acid", y="variety", ax=four, **style)

names = ("NumPy", "pandas", "scikit-learn", "seaborn")
for ax, title in zip(axes.flat, names, strict=True):
    ax.set(title=title, xlabel="", ylabel="", ylim=(2.5, -0.5))
for ax in two, four:
    ax.set_yticklabels([])
fig.supxlabel("mean malic acid", fontsize=10)

# %% label="equal" values="largest_gap mean_barolo mean_barbera"
drawn = np.array([[bar.get_width() for bar in ax.patches] for ax in axes.flat])  # (4, 3)
largest_gap = float(np.ptp(drawn, axis=0).max())
mean_barolo, _, mean_barbera = (float(value) for value in drawn[0])
print(f"largest difference of the bars: {largest_gap:.0e}")
assert largest_gap < 1e-12, "Four libraries draw bars of the same length."
assert mean_barbera > mean_barolo + 1

# %% [markdown]
# ## What seaborn computes
# The 95% interval of the mean is a bootstrap: 1,000 means of rows that are drawn again. With the
# same seed, ten lines of NumPy draw the same ends.

# %% label="bootstrap"
resamples, seed = 1000, 0


def interval(values):
    """Return the ends of the 95% interval of the mean, as seaborn draws it."""
    rng = np.random.default_rng(seed)
    n = len(values)
    means = [values[rng.integers(0, n, n)].mean() for _ in range(resamples)]
    return np.percentile(means, [2.5, 97.5])


# %% label="bars" alt="Three panels of horizontal bars with all wines as points. The first error bars are short and hold few points, the second about two thirds, the third nearly all." caption="Three error bars of seaborn for the same bars, and the share of the wines that lie within: the interval of the mean, one standard deviation, and the middle 95% of the wines." tags=["remove-input"]
fig, axes = plt.subplots(3, 1, figsize=(5, 4.8), sharex=True)
rng = np.random.default_rng(1)
height = bunch.target + rng.uniform(-0.32, 0.32, count)
ends, inside = {}, {}
for ax, (kind, asked) in zip(
    axes, {"ci": ("ci", 95), "sd": "sd", "pi": ("pi", 95)}.items(), strict=True
):
    sns.barplot(
        wines,
        y="variety",
        x="malic_acid",
        errorbar=asked,
        n_boot=resamples,
        seed=seed,
        ax=ax,
        color=BLUE,
        saturation=1,
        alpha=0.35,
        err_kws={"color": plot.INK, "linestyle": "-", "linewidth": 2.2},
    )
    ends[kind] = np.array([line.get_xdata() for line in ax.lines])  # (3, 2)
    low, high = ends[kind][bunch.target].T
    inside[kind] = float(np.mean((low <= acid) & (acid <= high)))
    ax.plot(acid, height, "o", color=ORANGE, markersize=2.5, alpha=0.7, zorder=1.5)
    name = repr(asked).replace("'", '"')
    ax.set(title=f"errorbar={name}: {inside[kind]:.0%} of the wines", xlabel="", ylabel="")
axes[-1].set_xlabel("malic acid")

# %% values="inside_ci inside_sd inside_pi bootstrap_gap resamples narrowing inside_even"
inside_ci, inside_sd, inside_pi = inside["ci"], inside["sd"], inside["pi"]
ours = np.array([interval(acid[mask]) for mask in masks])  # (3, 2)
bootstrap_gap = float(np.abs(ours - ends["ci"]).max())
print(f"seaborn's intervals and ours differ by {bootstrap_gap:.0e}")
assert bootstrap_gap < 1e-12, "seaborn's error bar is a bootstrap that NumPy repeats exactly."
assert inside_ci < 0.35, "Few wines lie within the 95% interval of the mean."
assert 0.55 < inside_sd < 0.9 < inside_pi < 1

fourfold = np.repeat(acid, 4)  # as spread as before
narrowing = float(np.ptp(interval(fourfold)) / np.ptp(interval(acid)))
assert 0.4 < narrowing < 0.6, "With four times the wines, the interval of the mean is half as long."
assert np.isclose(np.std(fourfold), np.std(acid))

skews = wines.groupby("variety")["malic_acid"].skew()  # 0 for the bell curve
low, high = ends["sd"][2]
inside_even = float(np.mean((low <= acid[masks[2]]) & (acid[masks[2]] <= high)))
assert abs(skews["Barbera"]) < 0.5 < 1 < skews.drop("Barbera").min()
assert inside_even < inside_sd - 0.05, (
    "Of the one variety without a long tail, fewer wines lie within one standard deviation."
)

# %% [markdown]
# Its newer interface, `seaborn.objects`, still asks pandas in a way that pandas is about to refuse.

# %% values="outdated"
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    objects.Plot(wines, x="variety", y="malic_acid").add(objects.Bar(), objects.Agg()).plot()
outdated = sum(issubclass(warning.category, DeprecationWarning) for warning in caught)
assert outdated > 0, "The objects interface of seaborn calls pandas in a deprecated way."

# %% [markdown]
# ## The same word, two formulas
# Before you trust a number, read the defaults in the signature.

# %% label="defaults" caption="The standard deviation of the malic acid of all wines, and what becomes of a missing value: NumPy keeps it, so the result is missing, too; of scikit-learn, scalers skip it and most models refuse it." values="sd_numpy sd_pandas sd_ratio default_numpy default_pandas numpy_skips"
fig, ax = plt.subplots()
sns.barplot(wines, y="malic_acid", errorbar="sd", ax=ax)
low, high = ax.lines[0].get_ydata()
plt.close(fig)
sd_numpy, sd_pandas = float(np.std(acid)), float(wines["malic_acid"].std())
sd_scaler = float(StandardScaler().fit(acid[:, None]).scale_[0])
sd_ratio = sd_pandas / sd_numpy
default_numpy, default_pandas = (
    inspect.signature(function).parameters["ddof"].default for function in (np.std, pd.Series.std)
)
divisors = {0: "n", 1: "n − 1"}
spread = {"NumPy": sd_numpy, "pandas": sd_pandas, "scikit-learn": sd_scaler}
spread["seaborn"] = (high - low) / 2
by = {name: int(not np.isclose(value, np.std(acid), rtol=1e-6)) for name, value in spread.items()}

holed = np.append(acid, np.nan)[:, None]  # (179, 1)
numpy_skips = not np.isnan(np.mean(holed))
assert not numpy_skips, "For NumPy, a single missing value makes a mean missing."
assert np.isclose(pd.Series(holed[:, 0]).mean(), acid.mean())
assert np.isclose(StandardScaler().fit(holed).mean_[0], acid.mean())
try:
    LogisticRegression().fit(holed, np.append(bunch.target, 0))
    taken = True
except ValueError:
    taken = False
assert not taken
fig, ax = plt.subplots()
sns.barplot(pd.DataFrame(holed, columns=["acid"]), y="acid", errorbar=None, ax=ax)
assert np.isclose(ax.patches[0].get_height(), acid.mean())
plt.close(fig)

assert sd_pandas > sd_numpy, "The standard deviation of pandas is not that of NumPy."
assert list(by.values()) == [0, 1, 0, 1]
assert (default_numpy, default_pandas) == (0, 1)
assert np.isclose(sd_ratio, np.sqrt(count / (count - 1)))
pd.DataFrame(
    {
        "deviation": [f"{value:.4f}" for value in spread.values()],
        "divisor": [divisors[number] for number in by.values()],
        "missing value": ["kept", "skipped", "varies", "skipped"],
    },
    index=list(spread),
)

# %% [markdown]
# ## Where each is slow
# The shortest of several runs, and ratios of such times. What the machine is, matters little.


# %% label="seconds"
def seconds(function, repeats=5, calls=1):
    """Return the shortest time that a function takes."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        for _ in range(calls):
            function()
        times.append((time.perf_counter() - began) / calls)
    return min(times)


# %% label="crossing" values="one_number crossing speedup most"
sizes = [1, 3, 10, 30, 100, 300, 1000, 10_000, 100_000]
by_list, by_array = [], []
for n in sizes:
    numbers, calls = [float(i) for i in range(n)], max(1, 20_000 // n)
    array = np.array(numbers)
    by_list.append(seconds(lambda numbers=numbers: [v * v for v in numbers], 5, calls))
    by_array.append(seconds(lambda array=array: array * array, 5, calls))
ratios = np.array(by_list) / by_array
most, speedup = sizes[-1], float(ratios[-1])
crossing = next(n for n, ratio in zip(sizes, ratios, strict=True) if ratio > 1)
single, number = np.ones(1), [1.0]
one_number = seconds(single.sum, 5, 5000) / seconds(lambda: sum(number), 5, 5000)
print(f"one number: NumPy takes {one_number:.0f} times as long; {most:,d}: Python {speedup:.0f}")
assert one_number > 2, "For the sum of a single number, NumPy is slower than Python."
assert 1 < crossing <= 1000, "For few numbers the list is faster, and for many the array."
assert speedup > 10, "For 100,000 numbers, NumPy is more than ten times as fast as Python."

# %% label="cost" alt="Two curves over the count of numbers. The list's is soon level; the array's starts above it, crosses it early and falls far below it." caption="Time to square a list and an array, for each number. A call of NumPy has a fixed cost, which many numbers share." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.9))
ax.loglog(sizes, 1e9 * np.array(by_list) / sizes, "o--", color=ORANGE, label="list, Python loop")
ax.loglog(sizes, 1e9 * np.array(by_array) / sizes, "s-", color=BLUE, label="NumPy array")
ax.set(xlabel="count of numbers", ylabel="nanoseconds per number")
ax.xaxis.set_major_formatter("{x:,.0f}")
ax.yaxis.set_major_formatter("{x:g}")
ax.minorticks_off()
ax.legend()

# %% label="slow" caption="How many times as long each takes as what stands in parentheses." values="iterrows_ratio apply_ratio tuples_ratio single_ratio points_ratio boot_ratio loop_ratio stride_ratio people"
people = 3000
rng = np.random.default_rng(0)
body = pd.DataFrame({"mass": rng.normal(70, 9, people), "height": rng.normal(1.7, 0.1, people)})
columns = seconds(lambda: body["mass"] / body["height"] ** 2, 5, 20)
iterrows_ratio = (
    seconds(lambda: [row["mass"] / row["height"] ** 2 for _, row in body.iterrows()], 2) / columns
)
apply_ratio = (
    seconds(lambda: body.apply(lambda row: row["mass"] / row["height"] ** 2, axis=1), 2) / columns
)
tuples_ratio = seconds(lambda: [row.mass / row.height**2 for row in body.itertuples()], 3) / columns


def total(numbers):
    """Return a sum, number by number."""
    result = 0.0
    for number in numbers:
        result += number
    return result


numbers = rng.normal(size=50_000)
as_list = numbers.tolist()
loop_ratio = seconds(lambda: total(numbers)) / seconds(lambda: total(as_list))
square = np.ones((2000, 2000))
down = seconds(lambda: [square[:, j].sum() for j in range(200)], 3)
stride_ratio = down / seconds(lambda: [square[i].sum() for i in range(200)], 3)
root_ratio = seconds(lambda: np.sqrt(2.0), 5, 5000) / seconds(lambda: math.sqrt(2.0), 5, 5000)

model.fit(bunch.data, bunch.target)
one_by_one = seconds(lambda: [model.predict(row[None]) for row in bunch.data], 2)
single_ratio = one_by_one / seconds(lambda: model.predict(bunch.data), 3, 5)

fig, ax = plt.subplots()
calls = seconds(lambda: [ax.plot(u, v, "o") for u, v in z[:, :2]], 2)
many_artists = len(ax.lines) // 2
points_ratio = calls / seconds(lambda: ax.plot(z[:, 0], z[:, 1], "o"), 3)
plt.close(fig)
assert many_artists == count


def bars(errorbar):
    """Draw bars of all varieties on axes of their own."""
    fig, ax = plt.subplots()
    sns.barplot(wines, x="variety", y="malic_acid", errorbar=errorbar, ax=ax)
    plt.close(fig)


boot_ratio = seconds(lambda: bars(("ci", 95)), 2) / seconds(lambda: bars(None), 2)
assert min(iterrows_ratio, apply_ratio) > 20, (
    "Row by row, by iterrows or apply, pandas takes over 20 times as long as by columns."
)
assert loop_ratio > 1, "A loop over an array is slower than the same loop over a list."
assert single_ratio > 10, "Wine by wine, a model takes more than ten times as long as at once."
slow = {
    "NumPy: a loop over an array (a list)": loop_ratio,
    "NumPy: one root (math.sqrt)": root_ratio,
    "NumPy: sum columns (rows)": stride_ratio,
    "pandas: iterrows (columns)": iterrows_ratio,
    "pandas: apply, axis=1 (columns)": apply_ratio,
    "pandas: itertuples (columns)": tuples_ratio,
    "scikit-learn: row by row (at once)": single_ratio,
    "Matplotlib: point by point (at once)": points_ratio,
    "seaborn: a bootstrap (none)": boot_ratio,
}
pd.DataFrame(
    {"times": [f"{ratio:.2g}" if ratio < 10 else f"{ratio:,.0f}" for ratio in slow.values()]},
    index=list(slow),
)

# %% [markdown]
# A row of a table is slow because it must be made: numbers of different types become one type.

# %% label="row" values="row_type mixed_type"
mixed = pd.DataFrame({"pupils": [31, 28], "mark": [7.5, 8.1]})
(_, first), *_ = mixed.iterrows()
row_type = str(first["pupils"].dtype)  # 31 was a whole number
mixed_type = str(wines.iloc[0].dtype)  # a text and 13 numbers
assert (row_type, mixed_type) == ("float64", "object"), (
    "A row of a mixed table turns whole numbers into floats, or everything into objects."
)

# %% [markdown]
# Memory can be the limit as well: the differences of all pairs of digits.

# %% label="pairs" values="digit_count pair_gb product_mb"
digits = datasets.load_digits().data  # (1797, 64)
digit_count = len(digits)
shape = np.broadcast_shapes(digits[:, None].shape, digits[None].shape)  # (1797, 1797, 64)
pair_gb = np.prod(shape) * digits.itemsize / 1e9
product_mb = np.prod(shape[:2]) * digits.itemsize / 1e6


def squared_distances(x):
    """Return the squared distances of all rows: |a|² + |b|² − 2 a·b, without the differences."""
    squares = np.sum(x**2, axis=1)  # (n,)
    return squares[:, None] + squares - 2 * x @ x.T  # (n, 1), (n,) and (n, n)


few = digits[:100]
plain = np.sum((few[:, None] - few) ** 2, axis=-1)  # (100, 1, 64) and (100, 64)
pairs_gap = float(np.abs(squared_distances(few) - plain).max())
assert pairs_gap == 0  # whole numbers
plain = np.sum((z[:, None] - z) ** 2, axis=-1)  # fractions agree but for rounding
assert np.allclose(squared_distances(z), plain, atol=1e-9)
assert pair_gb / (product_mb / 1e3) == 64, (
    "By broadcasting, all distances of the digits need 64 times the memory of the result."
)

# %% [markdown]
# ## The same tomorrow
# With one generator for all, a number drawn elsewhere changes all that follow. With one for each
# purpose, it does not.


# %% label="streams" values="shared_changes own_changes"
def training_noise(own, jitter):
    """Return the first numbers of the training, perhaps after a figure has drawn some."""
    rng = np.random.default_rng(0)
    for_figures, for_training = rng.spawn(2) if own else (rng, rng)
    if jitter:
        for_figures.normal(size=3)
    return for_training.normal(size=2)


shared_changes, own_changes = (
    bool(np.any(training_noise(own, False) != training_noise(own, True))) for own in (False, True)
)
assert shared_changes, "With one generator for all, a jittered figure changes the training."
assert not own_changes, "With a generator for each purpose, a jittered figure changes nothing."

# %% label="states" values="same_int same_generator"
whole = [train_test_split(y, random_state=0)[0][:3] for _ in range(2)]
state = np.random.RandomState(0)
passed = [train_test_split(y, random_state=state)[0][:3] for _ in range(2)]
same_int, same_generator = (bool(np.array_equal(*found)) for found in (whole, passed))
assert same_int, "With a whole number as random_state, scikit-learn repeats the split."
assert not same_generator  # the second call goes on where the first one stopped

# %% [markdown]
# ## The same in Keras
# From here on, `keras` is Keras itself. Its loss drops the extra axis, too. TensorFlow's plain
# arithmetic stretches, as NumPy does.

# %% label="keras" values="keras_scaler_gap keras_model_gap tensor_loss keras_loss"
import keras
import tensorflow as tf

keras.utils.set_random_seed(0)
keras_loss = float(keras.losses.MeanSquaredError()(y, answer))
tensor_loss = float(tf.reduce_mean((tf.constant(y) - tf.constant(answer)) ** 2))
keras_scaler_gap, keras_model_gap = gaps()
print(f"Keras and scikit-learn: {keras_scaler_gap:.0e} and {keras_model_gap:.0e}")
assert keras_loss == 0
assert np.isclose(tensor_loss, wrong_loss), "TensorFlow's plain arithmetic has NumPy's trap."
assert keras_scaler_gap < 1e-5
assert keras_model_gap < 2e-3, "Keras finds the logistic regression of scikit-learn, too."

# %% [markdown]
# ## Solutions to the exercises

# %% [markdown]
# **1.** Shapes in the head.

# %% label="exercise-1" tags=["solution"]
for first, second in ((5, 1, 3), (4, 3)), ((5, 3), (5,)), ((2, 1), (1, 2)), ((7,), (7, 1)):
    try:
        print(first, second, "→", np.broadcast_shapes(first, second))
    except ValueError:
        print(first, second, "do not fit")
centered = np.arange(15.0).reshape(5, 3)
centered = centered - centered.mean(axis=1, keepdims=True)  # (5, 3) and (5, 1)
assert np.allclose(centered.mean(axis=1), 0)

# %% [markdown]
# **2.** The mean of means.

# %% label="exercise-2" tags=["solution"]
of_means, of_wines = means.mean(), acid.mean()
weights = wines["variety"].value_counts()[means.index]
weighted = np.average(means, weights=weights)
print(f"mean of the three means {of_means:.3f}, of all wines {of_wines:.3f}")
print(f"with the groups' sizes as weights {weighted:.3f}")
assert np.isclose(weighted, of_wines)
assert of_means > of_wines + 0.05  # Barbera, sour and rare, counts for too much

# %% [markdown]
# **3.** The same histogram, and its silent default.

# %% label="exercise-3" tags=["solution"]
ash = wines["ash"].to_numpy()
fig, (left, right) = plt.subplots(1, 2)
heights, edges, _ = left.hist(ash)
sns.histplot(x=ash, ax=right)
bins_default = len(right.patches)
print(f"Matplotlib draws {len(heights)} bars, seaborn {bins_default}")
right.clear()
sns.histplot(x=ash, bins=edges, ax=right)
by_numpy, by_seaborn = np.histogram(ash, edges)[0], [bar.get_height() for bar in right.patches]
by_pandas = pd.cut(wines["ash"], edges, right=False).value_counts(sort=False)
by_pandas.iloc[-1] += np.sum(ash == edges[-1])  # NumPy's last bin includes its right edge
plt.close(fig)
assert bins_default != len(heights)
for found in by_numpy, by_seaborn, by_pandas:
    assert np.array_equal(found, heights)

# %% [markdown]
# **4.** The lucky seed.

# %% label="exercise-4" tags=["solution"]
scores = []
for seed in range(60):
    parts = train_test_split(bunch.data, bunch.target, test_size=0.2, random_state=seed)
    x_train, x_test, y_train, y_test = parts
    scores.append(model.fit(x_train, y_train).score(x_test, y_test))
print(f"60 splits: mean {np.mean(scores):.3f}, worst {min(scores):.3f}, best {max(scores):.3f}")
assert max(scores) == 1
assert min(scores) < np.mean(scores) - 0.02

# %%
plt.show()
