# %% [markdown]
# # Preparing inputs
# What a model is given decides what it can learn: units, categories, gaps, and columns that know
# too much. The chapter [Preparing inputs](../../data/features.md) tells the story.
#
# The first half runs on NumPy and `labkit`, the book's library; decision trees and forests are
# scikit-learn's. The second half asks Keras and scikit-learn for the same numbers.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from statsmodels.datasets import grunfeld

import labkit as keras
from labkit import datasets, plot

plot.set_theme()
keras.config.set_floatx("float64")  # so that results can be compared to many digits
BLUE, ORANGE, GREEN, GREY = (plot.COLORS[name] for name in ("blue", "orange", "green", "grey"))

# %% [markdown]
# ## Units
# 178 wines, 13 measurements each, and the question from which of three grapes a wine was made: the
# answer of the five nearest known wines, with the columns as they are and with each scaled to mean 0
# and standard deviation 1.

# %% values="wines largest_share"
wine = datasets.load_wine()
grape, wines = wine.target, len(wine.target)
kinds_of_wine = ("Barolo", "Grignolino", "Barbera")  # 0, 1, 2, by their numbers in the source
assert np.bincount(grape).tolist() == [59, 71, 48]
variances = wine.data.var(axis=0)  # (13,): a column's share of the squared distances
shares = pd.Series(variances / variances.sum(), wine.feature_names)
largest_share = shares["proline"]
print(f"proline: {largest_share:.1%} of the squared distance between two wines")
assert np.sum(wine.data.mean(axis=0) < 10) == 9  # most columns are small
assert largest_share > 0.99, "Unscaled, one of 13 columns makes up 99% of the squared distances."


# %% label="nearest"
def standardize(train, new):
    """Scale both by mean and standard deviation of `train` alone."""
    mean, spread = train.mean(axis=0), train.std(axis=0)
    return (train - mean) / spread, (new - mean) / spread


def nearest(train, labels, new, k=5):
    """Return the most frequent label among the k nearest rows of `train`."""
    squared = ((new[:, None] - train) ** 2).sum(axis=-1)  # (new, train)
    closest = np.argsort(squared, axis=1, kind="stable")[:, :k]
    votes = np.eye(labels.max() + 1)[labels[closest]].sum(axis=1)
    return votes.argmax(axis=1)  # (new,)


# %% label="knn" values="repeats raw_low raw_high scaled_low scaled_high range_low range_high same_tree same_doubled tree_accuracy"
repeats, parts = 20, 5


def folds_of(n, seed):
    """Return for each of n rows the number of the part, from 0 to 4, that it belongs to."""
    return np.random.default_rng(seed).permutation(n) % parts


def as_it_is(train, new):
    return train, new


def to_range(train, new):
    """Scale both so that `train` goes from 0 to 1."""
    low, high = train.min(axis=0), train.max(axis=0)
    return (train - low) / (high - low), (new - low) / (high - low)


def doubled(train, new):
    """Multiply the columns by 2, 4, 8, ..., which a computer does without rounding."""
    factors = 2.0 ** np.arange(1, train.shape[1] + 1)
    return train * factors, new * factors


def tree(train, labels, new):
    return DecisionTreeClassifier(random_state=0).fit(train, labels).predict(new)


def answers(x, labels, folds, prepare, classify):
    """Return each row's answer from a classifier trained on the four other parts."""
    found = np.empty_like(labels)
    for part in range(parts):
        train, new = folds != part, folds == part
        columns, new_columns = prepare(x[train], x[new])
        found[new] = classify(columns, labels[train], new_columns)
    return found


def repeated(prepare, classify):
    """Return the answers of all repeats, (repeats, wines)."""
    splits = [folds_of(wines, seed) for seed in range(repeats)]
    return np.array([answers(wine.data, grape, split, prepare, classify) for split in splits])


raw, scaled = repeated(as_it_is, nearest), repeated(standardize, nearest)
trees, scaled_trees = repeated(as_it_is, tree), repeated(standardize, tree)
same_doubled = np.mean(trees == repeated(doubled, tree))
raw_low, raw_high = np.quantile((raw == grape).mean(axis=1), (0, 1))
range_low, range_high = np.quantile((repeated(to_range, nearest) == grape).mean(axis=1), (0, 1))
scaled_low, scaled_high = np.quantile((scaled == grape).mean(axis=1), (0, 1))
same_tree, tree_accuracy = np.mean(trees == scaled_trees), np.mean(trees == grape)
print(f"nearest neighbors: {raw_low:.0%} to {raw_high:.0%} right, after scaling", end=" ")
print(f"{scaled_low:.0%} to {scaled_high:.0%}")
print(f"trees: {same_tree:.1%} of the answers are the same with and without scaling")
assert scaled_low - raw_high > 0.15, "Scaling lifts nearest neighbors by 15 points or more."
assert range_low - raw_high > 0.15, "Scaling to the range from 0 to 1 lifts them by 15 points, too."
assert same_doubled == 1, "Columns multiplied by powers of two: a tree answers exactly the same."
assert same_tree > 0.995, "Standardized, a tree answers the same, but for rounding."

# %% label="scales" alt="Two clouds of wines by proline and flavanoids, with the 25 nearest neighbors of one wine marked. Left, unscaled: they fill a thin vertical strip. Right, scaled: they fill a round patch." caption="The 25 wines (orange) nearest to one wine (cross), by these two columns. Left: distances in the original units see only proline. Right: after scaling, both columns count." tags=["remove-input"]
two = wine.data[:, [wine.feature_names.index(name) for name in ("proline", "flavanoids")]]
center = np.argmin(np.abs((two - np.median(two, axis=0)) / two.std(axis=0)).sum(axis=1))
fig, axes = plt.subplots(1, 2, figsize=(5, 2.9), sharey=True)
for ax, points, title in zip(axes, (two, standardize(two, two)[0]), ("raw", "scaled"), strict=True):
    close = np.argsort(((points - points[center]) ** 2).sum(axis=1))[:26]
    ax.plot(*two.T, ".", color=GREY, markersize=4)
    ax.plot(*two[close].T, "o", color=ORANGE, markersize=4)
    ax.plot(*two[center], "X", color=plot.INK, markersize=8)
    ax.set(title=title, xlabel="proline")
axes[0].set_ylabel("flavanoids")

# %% [markdown]
# ## What scaling does to gradient descent
# One linear neuron, the ten measurements of 442 people with diabetes, the disease's progress a year
# later. Each run has the rate 1 / (largest curvature), just half of what would diverge.

# %% label="descent" values="people condition_raw condition_scaled steps raw_start raw_end scaled_ten optimum"
patients = datasets.load_diabetes(scaled=False)
x, y, names = patients.data, patients.target, list(patients.feature_names)
z = (x - x.mean(axis=0)) / x.std(axis=0)
people, steps = len(y), 2000


def fit(x, y):
    """Return the weights of least squares, the bias first."""
    return np.linalg.lstsq(np.column_stack([np.ones(len(x)), x]), y)[0]


def predict(weights, x):
    return weights[0] + x @ weights[1:]


def explained(y, predictions):
    """Return R², the share of the variance that predictions explain."""
    return 1 - np.mean((y - predictions) ** 2) / y.var()


def curvatures(x):
    """Return the curvatures of the mean squared error along its axes, smallest first."""
    design = np.column_stack([np.ones(len(x)), x])
    return np.linalg.eigvalsh(2 * design.T @ design / len(x))


def descend(scaling, steps=steps):
    """Return R² before each step of plain gradient descent, and after the last."""
    inputs, layers = x, [keras.layers.Dense(1, kernel_initializer="zeros")]
    if scaling:
        normalize = keras.layers.Normalization()
        normalize.adapt(x)
        inputs, layers = z, [normalize, *layers]
    model = keras.Sequential([keras.Input((10,)), *layers])
    model.compile(keras.optimizers.SGD(1 / curvatures(inputs)[-1]), "mean_squared_error")
    losses = model.fit(x, y[:, None], batch_size=people, epochs=steps + 1, verbose=0).history[
        "loss"
    ]
    return 1 - np.array(losses) / y.var()


(raw_least, *_, raw_most), (scaled_least, *_, scaled_most) = curvatures(x), curvatures(z)
condition_raw, condition_scaled = raw_most / raw_least, scaled_most / scaled_least
raw_run, scaled_run = descend(scaling=False), descend(scaling=True)
raw_start, raw_end, scaled_ten = raw_run[10], raw_run[-1], scaled_run[10]
optimum = explained(y, predict(fit(x, y), x))
print(f"condition number {condition_raw:.0e}, scaled {condition_scaled:.0f}")
print(f"R² after 10 steps {raw_start:.2f} and {scaled_ten:.2f}; {raw_end:.2f} after {steps}")
assert condition_raw > 1e4 * condition_scaled, (
    "Scaling divides the condition number of these data by more than 10,000."
)
assert scaled_ten > optimum - 0.05 > raw_end + 0.02, (
    "Scaled, ten steps of gradient descent gain more than two thousand unscaled."
)
same_fit = np.abs(predict(fit(x, y), x) - predict(fit(z, y), z)).max()
assert same_fit < 1e-8

# %% label="descents" alt="Two rising curves over a logarithmic number of steps. The scaled one is near the optimum after ten steps; the unscaled one is still below it after two thousand." caption="Gradient descent on the diabetes data, as measured and scaled. Dotted: the best linear model, which is the same for both." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3))
ax.axhline(optimum, color=GREY, linestyle=":", linewidth=2)
ax.semilogx(np.arange(1, steps + 1), scaled_run[1:], color=BLUE, label="scaled")
ax.semilogx(np.arange(1, steps + 1), raw_run[1:], color=ORANGE, label="as measured")
ax.set(xlabel="steps", ylabel="R²", ylim=(-0.05, 0.6))
ax.xaxis.set_major_formatter("{x:,g}")
ax.legend(loc="lower right")

# %% [markdown]
# ## Categories
# What eleven American companies invested in each of the years 1935 to 1954, in millions of dollars
# of 1947, their value and their capital. Numbers in alphabetical order, numbers in a random order,
# or a column for each company.

# %% label="one-hot"
companies = grunfeld.load_pandas().data
firm = companies["firm"].to_numpy(dtype=str)
firms = np.unique(firm)  # in alphabetical order, (11,)
invested = np.log(companies["invest"].to_numpy())  # so that errors count as ratios
size = companies[["value", "capital"]].to_numpy()


def one_hot(categories, known):
    """Return a column for each known category; the row of an unknown one is all zeros."""
    return (np.asarray(categories)[:, None] == known).astype(float)  # (rows, known)


# %% values="rows companies_count numberings r2_alphabet r2_random_low r2_random_mid r2_random_high r2_one_hot r2_tree years"
def cross_validated(prepare, x, y, folds, learn=fit, predict=predict):
    """Return R² over all parts, each predicted from the others.

    `prepare` gets the inputs and targets to learn from, and the inputs of the rest; it returns
    the columns of both.
    """
    predictions = np.empty(len(y))
    for part in np.unique(folds):
        train, new = folds != part, folds == part
        columns, new_columns = prepare(x[train], y[train], x[new])
        predictions[new] = predict(learn(columns, y[train]), new_columns)
    return explained(y, predictions)


def given(x, y, new):
    """Prepare nothing."""
    return x, new


rows, companies_count, numberings = len(firm), len(firms), 400
years = rows // companies_count
number = np.searchsorted(firms, firm)[:, None].astype(float)  # 0 to 10, (220, 1)
folds = folds_of(rows, seed=0)
rng = np.random.default_rng(0)
r2_alphabet = cross_validated(given, number, invested, folds)
r2_random = np.array(
    [
        cross_validated(
            given, rng.permutation(companies_count)[number.astype(int)], invested, folds
        )
        for _ in range(numberings)
    ]
)
r2_random_low, r2_random_mid, r2_random_high = np.quantile(r2_random, (0, 0.5, 1))
r2_one_hot = cross_validated(given, one_hot(firm, firms), invested, folds)
r2_tree = cross_validated(
    given,
    number,
    invested,
    folds,
    lambda x, y: DecisionTreeRegressor(random_state=0).fit(x, y),
    lambda model, x: model.predict(x),
)
print(f"alphabetical {r2_alphabet:.2f}, random {r2_random_mid:.2f}, one-hot {r2_one_hot:.2f}")
print(f"a tree on the alphabetical numbers {r2_tree:.2f}")
assert r2_random_high < r2_one_hot - 0.1, (
    "None of 400 numberings of the companies serves a linear model as well as one-hot."
)
assert r2_random_mid < 0.15, "Half of all numberings explain next to nothing."
assert abs(r2_tree - r2_one_hot) < 0.03, "A decision tree copes with arbitrary numbers."

# %% label="codes" alt="A histogram of R² for random numberings of the companies: most lie near 0, a few reach 0.6. A line for one-hot stands far to the right, at 0.9; the alphabetical order lies near 0.1." caption="How well a linear model predicts investment from the company alone, for 400 numberings of the companies, and with one column for each company." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.9))
ax.hist(r2_random, bins=25, color=BLUE, alpha=0.6, label="random numbers")
ax.axvline(r2_alphabet, color=ORANGE, linestyle="--", label="alphabetical")
ax.axvline(r2_one_hot, color=GREEN, label="one-hot")
ax.set(xlabel="R² on years not seen", ylabel="numberings")
ax.legend(loc="upper center")

# %% [markdown]
# A company that was never seen: leave out one company after the other, and predict its years from
# the ten others.


# %% label="encode"
def target_encode(labels, y, new, smooth=1):
    """Return each new row's mean of its category, drawn to the overall mean."""
    known = np.unique(labels)
    member = one_hot(labels, known)  # (rows, known)
    means = (y @ member + smooth * y.mean()) / (member.sum(axis=0) + smooth)
    row = one_hot(new, known)  # all zeros where the category is unknown
    return np.where(row.any(axis=1), row @ means, y.mean())


# %% label="companies" values="r2_size r2_size_firm r2_new_size r2_new_firm r2_new_mean r2_raw_size"
log_size = np.log(size)
which = np.arange(rows)  # rows stand for themselves, so that `prepare` can look them up


def with_one_hot(train, y, new):
    known = np.unique(firm[train])
    return tuple(np.column_stack([log_size[r], one_hot(firm[r], known)]) for r in (train, new))


def with_means(train, y, new):
    return tuple(
        np.column_stack([log_size[r], target_encode(firm[train], y, firm[r])]) for r in (train, new)
    )


company = np.searchsorted(firms, firm)  # one part for each company
r2_raw_size = cross_validated(given, size, invested, folds)
r2_size = cross_validated(given, log_size, invested, folds)
r2_size_firm = cross_validated(with_one_hot, which, invested, folds)
r2_new_size = cross_validated(given, log_size, invested, company)
r2_new_firm = cross_validated(with_one_hot, which, invested, company)
r2_new_mean = cross_validated(with_means, which, invested, company)
print(f"known companies: {r2_size:.2f} by size, {r2_size_firm:.2f} with the company")
print(f"a new company: {r2_new_size:.2f} by size, {r2_new_firm:.2f} with one-hot,", end=" ")
print(f"{r2_new_mean:.2f} with means")
assert r2_size > r2_raw_size + 0.1, "A logarithm changes the shape of an input, and helps here."
assert r2_size_firm > r2_size + 0.05, "For a known company, knowing which one helps."
assert r2_new_size > r2_new_firm > r2_new_mean, (
    "For a company not seen in training, columns for the companies hurt."
)

# %% [markdown]
# ## Around the clock and the calendar
# The temperature of the sea off Peru by the month: fitted on the years before 1990, judged on those
# after.

# %% label="cycle" values="r2_month r2_cycle r2_months"
calendar, temperatures = datasets.load_elnino()  # (61,), (61, 12)
temperature = temperatures.ravel()
month, late = np.tile(np.arange(12), len(calendar)), np.repeat(calendar, 12) >= 1990
angle = 2 * np.pi * month / 12
codings = {
    "1 to 12": month[:, None] + 1.0,
    "sine and cosine": np.column_stack([np.sin(angle), np.cos(angle)]),
    "one-hot": one_hot(month, np.arange(12)),
}
fits = {name: fit(columns[~late], temperature[~late]) for name, columns in codings.items()}
r2_month, r2_cycle, r2_months = (
    explained(temperature[late], predict(fits[name], codings[name][late])) for name in codings
)
print(f"number {r2_month:.2f}, sine and cosine {r2_cycle:.2f}, one-hot {r2_months:.2f}")
assert r2_cycle > r2_month + 0.15, "Two columns on a circle beat the month's number."
assert abs(r2_cycle - r2_months) < 0.04, "Two columns on a circle nearly do what twelve columns do."

# %% label="season" alt="Mean sea temperature by month, a smooth wave with its top in March and its bottom in September. A straight line through it misses the return from December to January; a sine wave follows it." caption="Sea temperature off Peru by month: the means of 1950 to 1989 (dots), a linear model of the month's number, and one of its sine and cosine." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.9))
seasons = temperatures[calendar < 1990].mean(axis=0)
ax.plot(np.arange(12) + 1, seasons, "o", color=plot.INK, label="mean of the month")
for (name, columns), color in zip(list(codings.items())[:2], (ORANGE, BLUE), strict=True):
    ax.plot(np.arange(12) + 1, predict(fits[name], columns[:12]), color=color, label=name)
ax.set(xlabel="month", ylabel="temperature (°C)", xticks=[1, 3, 6, 9, 12])
ax.legend(loc="upper right")

# %% [markdown]
# ## Gaps
# We erase about 40% of the body mass indices: at random; where `s5` is high, which is still on
# record; where the index itself is high. Then we drop or fill, and compare with the truth, which we
# happen to know.

# %% label="erase"
bmi, s5 = names.index("bmi"), names.index("s5")
others = [j for j in range(10) if j != bmi]


def erase(how, rng):
    """Return which indices are missing, (442,)."""
    pull = {"random": 0 * y, "by s5": z[:, s5], "by itself": z[:, bmi]}[how]
    return rng.random(people) < 1 / (1 + np.exp(0.5 - 2 * pull))


def fill(how, train, new):
    """Return the columns of both, with gaps (NaN) in the body mass index filled."""
    gap, new_gap = np.isnan(train[:, bmi]), np.isnan(new[:, bmi])
    weights = np.r_[np.nanmean(train[:, bmi]), np.zeros(9)]  # of the nine other columns
    if how == "model":
        weights = fit(train[~gap][:, others], train[~gap, bmi])
    filled = []
    for rows, empty in (train, gap), (new, new_gap):
        rows = rows.copy()
        rows[empty, bmi] = predict(weights, rows[empty][:, others])
        filled.append(np.column_stack([rows, empty]) if how == "indicator" else rows)
    return filled


# %% values="gap_draws true_mean missing_share"
gap_draws, true_mean = 100, x[:, bmi].mean()
kinds, ways = ("random", "by s5", "by itself"), ("mean", "indicator", "model")
outcomes = {kind: [] for kind in kinds}
missing_share = []
for seed in range(gap_draws):
    for kind in kinds:
        rng = np.random.default_rng(seed)
        gap = erase(kind, rng)
        table = x.copy()
        table[gap, bmi] = np.nan
        order = rng.permutation(people)
        train, new = order[:300], order[300:]
        missing_share.append(gap.mean())
        modelled = fill("model", table, table)[0][:, bmi]
        columns = [fill(way, table[train], table[new]) for way in ways]
        whole = ~gap[train]
        few = np.arange(300) < whole.sum()  # as many rows as are complete, some with gaps
        targets = [y[train]] * 3
        for kept in whole, few:  # incomplete rows dropped; a fair comparison
            columns.append((columns[0][0][kept], columns[0][1]))
            targets.append(y[train][kept])
        scores = [
            explained(y[new], predict(fit(seen, target), unseen))
            for (seen, unseen), target in zip(columns, targets, strict=True)
        ]
        outcomes[kind].append(
            [table[~gap, bmi].mean(), modelled.mean(), x[~gap, bmi].std(), modelled.std(), *scores]
        )
missing_share = float(np.mean(missing_share))
gaps = {kind: np.array(found) for kind, found in outcomes.items()}  # (draws, 9) each

# %% values="mean_random mean_s5 mean_itself model_s5 model_itself model_spread true_spread indicator_low indicator_high indicator_random_low indicator_random_high drop_loss_low few_loss_low few_loss_high few_random_low few_random_high model_gain_low model_gain_high indicator_lead_low"
averages = {kind: found.mean(axis=0) for kind, found in gaps.items()}
mean_random, mean_s5, mean_itself = (averages[kind][0] for kind in kinds)
_, model_s5, model_itself = (averages[kind][1] for kind in kinds)
true_spread, model_spread = x[:, bmi].std(), gaps["random"][:, 3].mean()


def interval(differences):
    """Return a 95% interval of the mean of independent differences."""
    half = 1.96 * differences.std(ddof=1) / np.sqrt(len(differences))
    return differences.mean() - half, differences.mean() + half


indicator_low, indicator_high = interval(gaps["by itself"][:, 5] - gaps["by itself"][:, 4])
indicator_random_low, indicator_random_high = interval(gaps["random"][:, 5] - gaps["random"][:, 4])
drop_loss_low = min(
    interval(gaps[kind][:, way] - gaps[kind][:, 7])[0] for kind in kinds for way in (4, 5, 6)
)
few_loss_low, few_loss_high = interval(gaps["by s5"][:, 8] - gaps["by s5"][:, 7])
few_random_low, few_random_high = interval(gaps["random"][:, 8] - gaps["random"][:, 7])
model_gain_low, model_gain_high = interval(gaps["random"][:, 6] - gaps["random"][:, 4])
indicator_lead_low, _ = interval(gaps["by itself"][:, 5] - gaps["by itself"][:, 6])
for kind in kinds:
    print(kind, averages[kind].round(3))
assert abs(mean_random - true_mean) < 0.1
assert true_mean - mean_s5 > 0.7, "Dropping rows biases the mean if gaps depend on a column."
assert abs(model_s5 - true_mean) < 0.4, (
    "Filling gaps by a model of that column removes most of the bias."
)
assert true_mean - model_itself > 1.3, (
    "If gaps depend on the missing value itself, filling by a model hardly helps."
)
assert model_spread < 0.9 * true_spread, "Values filled by a model spread too little."
assert indicator_low > 0.01, "Where a gap says something, an indicator improves predictions."
assert indicator_random_high < 0.003, "Where gaps are random, an indicator improves nothing."
assert drop_loss_low > 0, "Dropping incomplete rows costs predictions more than filling them."
assert few_loss_low > 0.03, "Where gaps depend on s5, complete rows teach less than as few others."
assert -0.01 < few_random_low < few_random_high < 0.01, (
    "Where gaps are random, complete rows teach as much as equally many others."
)
assert 0 < model_gain_low < model_gain_high < 0.02, (
    "Where gaps are random, filling by a model helps a little."
)
assert indicator_lead_low > 0, "Where a gap says something, an indicator beats a better filling."

# %% label="missing" caption="The mean body mass index, and R² of predictions of the progress, from tables with gaps. Columns: what the gaps depend on. Means of 100 draws."
ask = {"mean, rows dropped": 0, "mean, model": 1, "R², rows dropped": 7, "R², mean": 4}
ask |= {"R², + indicator": 5, "R², model": 6}
report = {
    kind: [f"{averages[kind][place]:.{1 if place < 2 else 3}f}" for place in ask.values()]
    for kind in kinds
}
pd.DataFrame(report, list(ask))

# %% [markdown]
# ## Columns that know too much
# A preparation that learns from all rows has seen the rows on which the model is judged. How much
# that flatters the model, in five cases and 20 splits each.


# %% label="cross-fit"
def cross_encode(labels, y, seed=0):
    """Return each row's mean target, computed without its own part."""
    folds, column = folds_of(len(y), seed), np.empty(len(y))
    for part in range(parts):
        rest, own = folds != part, folds == part
        column[own] = target_encode(labels[rest], y[rest], labels[own])
    return column


# %% label="codes-noise" values="codes_count r2_without r2_before r2_plain r2_crossed before_low plain_high crossed_low crossed_high large_leak"
codes_count = 150
everyone = np.arange(people)


def encoding_scores(seed, count):
    """Return R² without a random code of `count` values, and with its means learned in three ways."""
    rng = np.random.default_rng(seed)
    code, folds = rng.integers(count, size=people), folds_of(people, seed)

    def joined(rows, column):
        return np.column_stack([z[rows], column])

    def plain(train, y, new):
        columns = (target_encode(code[train], y, code[rows]) for rows in (train, new))
        return tuple(joined(rows, c) for rows, c in zip((train, new), columns, strict=True))

    def crossed(train, y, new):
        return joined(train, cross_encode(code[train], y)), plain(train, y, new)[1]

    before = joined(everyone, target_encode(code, y, code))
    return [
        cross_validated(given, z, y, folds),
        cross_validated(given, before, y, folds),
        cross_validated(plain, everyone, y, folds),
        cross_validated(crossed, everyone, y, folds),
    ]


encodings, fewer_codes = (  # (repeats, 4) each
    np.array([encoding_scores(seed, count) for seed in range(repeats)])
    for count in (codes_count, people // 20)  # about 3 and 20 rows for each code
)
large_leak = float(np.mean(fewer_codes[:, 1] - fewer_codes[:, 3]))
r2_without, r2_before, r2_plain, r2_crossed = encodings.mean(axis=0)
before_low = np.min(encodings[:, 1] - encodings[:, 0])
plain_high = np.max(encodings[:, 2] - encodings[:, 0])
crossed_low, crossed_high = np.quantile(encodings[:, 3] - encodings[:, 0], (0, 1))
assert before_low > 0.03, "Means that have seen the test rows make a random code look useful."
assert plain_high < -0.05, "Means that contain each row's own answer spoil the model."
assert -0.03 < crossed_low < crossed_high < 0.02, "Cross-fitted means do no harm."

# %% label="encodings" caption="R² of the progress of diabetes with a column of mean targets of random codes, by what the means were learned from. 20 splits."
learned = ["no such column", "all rows", "training rows", "cross-fitted"]
lowest, highest = encodings.min(axis=0), encodings.max(axis=0)
report = pd.DataFrame({"R²": encodings.mean(axis=0), "lowest": lowest, "highest": highest}, learned)
report.style.format(precision=2)


# %% label="select"
def strongest(x, y, count):
    """Return which columns correlate most with y, whatever the sign."""
    centered = x - x.mean(axis=0)
    r = (y - y.mean()) @ centered / np.linalg.norm(centered, axis=0)  # up to a factor
    return np.argsort(np.abs(r))[-count:]


def choose(count):
    """Return a preparation that keeps the strongest columns of what it learns from."""

    def prepare(x, y, new):
        kept = strongest(x, y, count)
        return x[:, kept], new[:, kept]

    return prepare


def closer(x, labels, new):
    """Return for each new row which of two classes has the closer mean."""
    distances = [((new - x[labels == label].mean(axis=0)) ** 2).sum(axis=1) for label in (0, 1)]
    return (distances[1] < distances[0]).astype(int)


# %% label="leaks" values="noise_rows noise_columns kept_columns noise_outside noise_inside noise_inside_low noise_inside_high scaling_leak filling_leak firm_leak code_leak noise_gap_low"
noise_rows, noise_columns, kept_columns = 60, 3000, 20


def leak(seed):
    """Return the scores of five preparations, learned before and after the split."""
    rng, pairs = np.random.default_rng(seed), {}
    folds = folds_of(wines, seed)
    everything = standardize(wine.data, wine.data)[0]
    before = answers(everything, grape, folds, as_it_is, nearest)
    after = answers(wine.data, grape, folds, standardize, nearest)
    pairs["scaling"] = [np.mean(found == grape) for found in (before, after)]

    folds, table = folds_of(people, seed), x.copy()
    table[erase("random", rng), bmi] = np.nan
    pairs["filling gaps"] = [
        cross_validated(given, fill("mean", table, table)[0], y, folds),
        cross_validated(lambda x, y, new: fill("mean", x, new), table, y, folds),
    ]

    folds = folds_of(rows, seed)
    column = target_encode(firm, invested, firm)
    pairs["means of 11 companies"] = [
        cross_validated(given, np.column_stack([log_size, column]), invested, folds),
        cross_validated(with_means, which, invested, folds),
    ]
    pairs[f"means of {codes_count} codes"] = encodings[seed, [1, 3]]

    noise, labels = rng.normal(size=(noise_rows, noise_columns)), np.arange(noise_rows) % 2
    folds, scores = folds_of(noise_rows, seed), []
    for columns, count in (
        (noise[:, strongest(noise, labels, kept_columns)], kept_columns),
        (noise, kept_columns),
    ):
        found = np.empty(noise_rows)
        for part in range(parts):
            train, new = folds != part, folds == part
            seen, unseen = choose(count)(columns[train], labels[train], columns[new])
            found[new] = closer(seen, labels[train], unseen)
        scores.append(np.mean(found == labels))
    pairs["choosing columns"] = scores
    return pairs


leaks = [leak(seed) for seed in range(repeats)]
scores = {name: np.array([pairs[name] for pairs in leaks]) for name in leaks[0]}  # (repeats, 2)
scaling_leak, filling_leak, firm_leak, code_leak, _ = (
    float(np.mean(before - after)) for before, after in (pair.T for pair in scores.values())
)
noise_outside, noise_inside = scores["choosing columns"].mean(axis=0)
noise_inside_low, noise_inside_high = interval(scores["choosing columns"][:, 1])
noise_gap_low = np.min(scores["choosing columns"][:, 0] - scores["choosing columns"][:, 1])
for name, pair in scores.items():
    print(f"{name}: {pair[:, 0].mean():.3f} before the split, {pair[:, 1].mean():.3f} inside")
assert abs(scaling_leak) < 0.005, "Scaling before the split makes no difference to speak of."
assert abs(filling_leak) < 0.005, (
    "Filling gaps by a mean before the split makes no difference either."
)
assert abs(firm_leak) < 0.01, "Mean targets of a few large categories hardly leak."
assert code_leak > 0.05, "Mean targets of many small categories leak."
assert large_leak < code_leak / 3, "Random codes with twenty rows each leak far less."
assert noise_outside > 0.85, "Chosen before the split, columns of noise seem to predict."
assert 0.4 < noise_inside < 0.6, "Chosen inside each split, the same columns predict nothing."
assert noise_gap_low > 0.1

# %% label="leakage" alt="Five rows, each with two points and their ranges. Scaling, filling gaps and means of 11 companies: both points coincide. Means of 150 codes: 0.1 apart. Choosing columns: 0.5 and 0.95." caption="The score of a model whose inputs were prepared before the split (hollow) and inside it (filled): R² or, in the first and last row, accuracy. Means and ranges of 20 splits." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 3))
for row, pair in enumerate(scores.values()):
    for shift, color, face, found in (
        (-0.13, ORANGE, plot.PAPER, pair[:, 0]),
        (0.13, BLUE, BLUE, pair[:, 1]),
    ):
        ax.plot(
            [found.min(), found.max()], [row + shift] * 2, color=color, linewidth=1.5, linestyle="-"
        )
        label = None if row else "before the split" if color == ORANGE else "inside the split"
        ax.plot(
            found.mean(),
            row + shift,
            "o",
            color=color,
            markerfacecolor=face,
            label=label,
            linestyle="",
        )
ax.set_yticks(range(len(scores)), list(scores))
ax.set(xlabel="score", xlim=(0.25, 1.02))
ax.invert_yaxis()
ax.grid(False, axis="y")
ax.legend(loc="center left", fontsize=9.5)

# %% [markdown]
# Does choosing columns help at all? The ten measurements and 300 columns of noise: all of them, and
# the ten strongest.

# %% label="selection" values="noise_beside r2_all r2_chosen r2_chosen_outside r2_true chosen_gain_low optimism_low optimism_high"
noise_beside, selections = 300, []
for seed in range(10):
    noise = np.random.default_rng(seed).normal(size=(people, noise_beside))
    wide, folds = np.column_stack([z, noise]), folds_of(people, seed)
    kept = strongest(wide, y, 10)
    selections.append(
        [
            cross_validated(given, wide, y, folds),
            cross_validated(choose(10), wide, y, folds),
            cross_validated(given, wide[:, kept], y, folds),
            cross_validated(given, z, y, folds),
        ]
    )
selections = np.array(selections)  # (10, 4)
r2_all, r2_chosen, r2_chosen_outside, r2_true = selections.mean(axis=0)
chosen_gain_low = np.min(selections[:, 1] - selections[:, 0])
optimism_low, optimism_high = interval(selections[:, 2] - selections[:, 1])
print(f"all {r2_all:.2f}, ten chosen {r2_chosen:.2f}, outside {r2_chosen_outside:.2f}")
assert r2_all < 0, "With 300 columns of noise, least squares is worse than the mean."
assert chosen_gain_low > 0.5, "Choosing ten columns inside the split repairs least squares."
assert 0 < optimism_low < optimism_high < 0.05, (
    "Choosing columns outside the split flatters least squares a little."
)


# %% [markdown]
# ## Relevant, beyond correlation
# Mutual information, from counts: how often each fifth of an input meets each class.


# %% label="information"
def information(codes, labels):
    """Return the mutual information of two columns of classes, in nats."""
    joint = np.zeros((codes.max() + 1, labels.max() + 1))
    np.add.at(joint, (codes, labels), 1 / len(labels))  # probability of each pair
    alone = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)  # if they were independent
    some = joint > 0
    return np.sum(joint[some] * np.log(joint[some] / alone[some]))


def fifths(column):
    """Return in which fifth of its values, 0 to 4, each number lies."""
    return np.searchsorted(np.quantile(column, [0.2, 0.4, 0.6, 0.8]), column)


# %% values="r_flavanoids mi_flavanoids mi_chance mi_most mi_identity"
grignolino = (grape == 1).astype(int)
flavanoids = wine.data[:, wine.feature_names.index("flavanoids")]
r_flavanoids = np.corrcoef(flavanoids, grignolino)[0, 1]
mi_flavanoids = information(fifths(flavanoids), grignolino)
rng = np.random.default_rng(0)
by_chance = [information(fifths(flavanoids), rng.permutation(grignolino)) for _ in range(500)]
mi_chance, mi_most = np.quantile(by_chance, 0.99), information(grignolino, grignolino)
mi_identity = information(np.arange(wines), grignolino)  # a serial number
print(f"r {r_flavanoids:.2f}; information {mi_flavanoids:.2f} of at most {mi_most:.2f} nats,")
print(f"by chance up to {mi_chance:.3f}; of a serial number {mi_identity:.2f}")
assert abs(r_flavanoids) < 0.1, "Flavanoids hardly correlate with being a Grignolino."
assert mi_flavanoids > 5 * mi_chance, (
    "Yet flavanoids say much more about the Grignolino than chance would."
)
assert np.isclose(mi_identity, mi_most), "A serial number has all the information there is."

# %% label="turning" alt="Three overlapping histograms of flavanoids: Barbera to the left, Grignolino in the middle, Barolo to the right." caption="Flavanoids in the wines of three grapes. Neither more nor less of them speaks for Grignolino; the middle does." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.8))
for number, (color, hatch) in enumerate(
    zip((BLUE, ORANGE, GREEN), ("//", "", "\\\\"), strict=True)
):
    ax.hist(
        flavanoids[grape == number],
        bins=np.arange(0, 5.3, 0.25),
        color=color,
        alpha=0.55,
        hatch=hatch,
        label=kinds_of_wine[number],
    )
ax.set(xlabel="flavanoids", ylabel="wines")
ax.legend()

# %% [markdown]
# Permutation importance: shuffle one input and see how much of R² is lost. On people whom the model
# has not seen, in 20 splits; and beside it, what is lost if a model is trained without the input.


# %% label="permuted"
def permuted(predict, x, y, rng, times=10):
    """Return for each input how much R² is lost when its values are shuffled."""
    losses = np.zeros((times, x.shape[1]))
    for time in range(times):
        for j in range(x.shape[1]):
            shuffled = x.copy()
            shuffled[:, j] = rng.permutation(x[:, j])
            losses[time, j] = explained(y, predict(x)) - explained(y, predict(shuffled))
    return losses.mean(axis=0)


# %% values="s1_permuted s1_more s1_alone s1_low s1_high s1_dropped bmi_permuted bmi_dropped formula_gap"
shuffled, dropped, alone = [], [], []
without_s2 = [j for j in range(10) if j != names.index("s2")]
for seed in range(repeats):
    rng = np.random.default_rng(seed)
    order = rng.permutation(people)
    train, new = order[:300], order[300:]
    weights = fit(z[train], y[train])
    shuffled.append(permuted(lambda x, weights=weights: predict(weights, x), z[new], y[new], rng))
    fewer = fit(z[train][:, without_s2], y[train])
    lost = permuted(lambda x, fewer=fewer: predict(fewer, x), z[new][:, without_s2], y[new], rng)
    alone.append(lost[without_s2.index(names.index("s1"))])
    score = explained(y[new], predict(weights, z[new]))
    dropped.append(
        [
            score
            - explained(
                y[new], predict(fit(np.delete(z[train], j, 1), y[train]), np.delete(z[new], j, 1))
            )
            for j in range(10)
        ]
    )
importance = pd.DataFrame({"shuffled": np.mean(shuffled, 0), "dropped": np.mean(dropped, 0)}, names)
s1_permuted, s1_dropped = importance.loc["s1"]
s1_low, s1_high = np.quantile(np.array(shuffled)[:, names.index("s1")], (0, 1))
s1_more = int(np.sum(np.array(shuffled)[:, names.index("s1")] > np.array(shuffled)[:, bmi]))
s1_alone = float(np.mean(alone))  # without its near twin in the model
bmi_permuted, bmi_dropped = importance.loc["bmi"]
weights = fit(z, y)
in_sample = permuted(lambda x: predict(weights, x), z, y, np.random.default_rng(0), times=100)
formula_gap = np.max(np.abs(in_sample - 2 * weights[1:] ** 2 / y.var()))
print(f"s1: {s1_permuted:.2f} lost by shuffling ({s1_low:.2f} to {s1_high:.2f}),", end=" ")
print(f"{s1_dropped:.3f} by leaving it out; the formula is right to {formula_gap:.2f}")
assert s1_permuted > bmi_permuted, "Shuffled, s1 seems to matter more than body mass, on average."
assert s1_dropped < bmi_dropped / 4, "Left out, s1 is hardly missed, and the body mass is."
assert s1_alone < s1_permuted / 4, "Without s2 in the model, s1 loses most of its importance."
assert formula_gap < 0.03, "For a linear model, shuffling loses twice the squared weight."

# %% label="importance" alt="Two bars for each of ten inputs. s1: the longest bar when shuffled, nearly none when left out. bmi and s5 have clear bars in both." caption="What a linear model of the progress loses when an input's values are shuffled, and when it is trained without the input. Means of 20 splits, on people not seen." tags=["remove-input"]
place = np.arange(10)
fig, ax = plt.subplots(figsize=(5, 3))
ax.bar(place - 0.2, importance["shuffled"], 0.4, color=BLUE, label="shuffled")
style = {"color": "none", "edgecolor": ORANGE, "hatch": "////", "label": "left out"}
ax.bar(place + 0.2, importance["dropped"], 0.4, **style)
ax.set_xticks(place, names)
ax.set(ylabel="R² lost")
ax.legend()

# %% [markdown]
# A forest of decision trees, and a column of noise beside the ten measurements. Three ways to ask
# how important each input is.

# %% label="forest" values="forest_train forest_new coarse_impurity noise_impurity sex_impurity noise_train noise_new_low noise_new_high sex_train"
asked = {"splits": [], "seen rows": [], "new rows": []}
forest_scores = []
for seed in range(5):
    rng = np.random.default_rng(seed)
    order = rng.permutation(people)
    train, new = order[:300], order[300:]
    noise = rng.normal(size=people)  # and the same cut in two
    wide = np.column_stack([z, noise > 0, noise])
    forest = RandomForestRegressor(60, random_state=seed).fit(wide[train], y[train])
    asked["splits"].append(forest.feature_importances_)
    asked["seen rows"].append(permuted(forest.predict, wide[train], y[train], rng, times=2))
    asked["new rows"].append(permuted(forest.predict, wide[new], y[new], rng, times=5))
    forest_scores.append([forest.score(wide[rows], y[rows]) for rows in (train, new)])
forest_train, forest_new = np.mean(forest_scores, axis=0)
coarse_impurity = np.mean(asked["splits"], 0)[-2]
noise_impurity, noise_train, _ = (np.mean(found, 0)[-1] for found in asked.values())
sex_impurity, sex_train, _ = (np.mean(found, 0)[names.index("sex")] for found in asked.values())
noise_new_low, noise_new_high = np.quantile(np.array(asked["new rows"])[:, -1], (0, 1))
assert noise_impurity > 2 * sex_impurity, "By what its splits gain, noise outranks sex."
assert coarse_impurity < noise_impurity / 3, "Noise of two values is split far less."
assert noise_train > 2 * sex_train, (
    "Shuffled on rows that the forest has seen, noise outranks sex, too."
)
assert -0.04 < noise_new_low < noise_new_high < 0.03, "On new rows, noise is worth nothing."

# %% label="forests" caption="How important are inputs to a forest? What its splits on them gain (first column), and what R² loses if they are shuffled, on rows that it has seen and on new ones. Means of five runs."
ranking = pd.DataFrame(
    {name: np.mean(found, 0) for name, found in asked.items()},
    [*names, "noise, cut in two", "noise"],
)
ranking.loc[["bmi", "s5", "s1", "sex", "noise, cut in two", "noise"]].style.format("{:.3f}")

# %% [markdown]
# ## Text
# The simplest inputs from a text: how often each word of a vocabulary occurs. Words that the
# vocabulary lacks share one column, the first.

# %% label="words"
told = np.array(["the wine is dry", "a dry red wine", "the sea is warm"])


def count_words(texts, new):
    """Return the counts of the vocabulary of `texts` in new texts, and the vocabulary."""
    layer = keras.layers.TextVectorization(output_mode="count")
    layer.adapt(texts)
    return np.asarray(layer(new)), layer.get_vocabulary()


counts, vocabulary = count_words(told, np.array(["the dry dry desert"]))
print(dict(zip(vocabulary, counts[0].astype(int).tolist(), strict=True)))
assert counts[0][vocabulary.index("dry")] == 2
assert counts[0][0] == 1  # "desert" is unknown

# %% [markdown]
# ## The same in Keras and scikit-learn
# From here on `keras` is Keras itself.

# %% label="pipeline"
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

scale = make_pipeline(FunctionTransformer(np.log), StandardScaler())
encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
transformers = [("size", scale, ["value", "capital"]), ("firm", encode, ["firm"])]
columns = ColumnTransformer(transformers)
model = make_pipeline(columns, LinearRegression())
split = PredefinedSplit(folds_of(rows, seed=0))
found = cross_val_predict(model, companies, invested, cv=split)

# %% values="pipeline_gap"
pipeline_gap = float(abs(explained(invested, found) - r2_size_firm))
print(f"R² of the pipeline {explained(invested, found):.4f}, by hand {r2_size_firm:.4f}")
assert pipeline_gap < 1e-9, "A pipeline of scikit-learn gives the R² of the functions above."

# %% label="agreement" values="largest_gap comparisons keras_gap"
import keras
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  # it makes the import below work
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.inspection import permutation_importance
from sklearn.metrics import mutual_info_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import TargetEncoder

keras.config.set_floatx("float64")
train, new = np.arange(300), np.arange(300, people)
normalize = keras.layers.Normalization(dtype="float64")
normalize.adapt(x[train])
ours = standardize(x[train], x[new])[1]
look_up = keras.layers.StringLookup(vocabulary=firms.tolist(), output_mode="one_hot")
seen_and_new = np.append(firm, "Deep Learning Lab")
pairs = [
    (ours, StandardScaler().fit(x[train]).transform(x[new])),
    (ours, np.asarray(normalize(x[new]))),
    (one_hot(seen_and_new, firms), np.asarray(look_up(seen_and_new))[:, 1:]),  # 0: unknown
]
encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(firm[:, None])
pairs += [(one_hot(seen_and_new, firms), encoder.transform(seen_and_new[:, None]))]
encoder = TargetEncoder(smooth=1).fit(firm[:, None], invested)
theirs = encoder.transform(seen_and_new[:, None])[:, 0]
pairs += [(target_encode(firm, invested, seen_and_new), theirs)]
table = x.copy()
table[erase("by s5", np.random.default_rng(0)), bmi] = np.nan
imputers = {
    "mean": SimpleImputer(),
    "indicator": SimpleImputer(add_indicator=True),
    "model": IterativeImputer(LinearRegression()),
}
for how, imputer in imputers.items():
    theirs = imputer.fit(table[train]).transform(table[new])
    pairs += [(fill(how, table[train], table[new])[1], theirs)]
classifier = KNeighborsClassifier(algorithm="brute").fit(wine.data[::2], grape[::2])
pairs += [
    (nearest(wine.data[::2], grape[::2], wine.data[1::2]), classifier.predict(wine.data[1::2]))
]
pairs += [(mi_flavanoids, mutual_info_score(fifths(flavanoids), grignolino))]
theirs, its_words = count_words(told, told)
back = {"vocabulary": vocabulary[1:], "output_mode": "count"}
pairs += [(theirs, np.asarray(keras.layers.TextVectorization(**back)(told)))]
largest_gap = max(float(np.max(np.abs(ours - theirs))) for ours, theirs in pairs)
comparisons = len(pairs)
print(f"{comparisons} comparisons agree to {largest_gap:.0e}")
assert its_words == vocabulary
assert largest_gap < 1e-9, "labkit, NumPy, Keras and scikit-learn prepare alike."
theirs = permutation_importance(LinearRegression().fit(z, y), z, y, n_repeats=100, random_state=0)
assert np.abs(theirs.importances_mean - in_sample).max() < 0.05  # other shuffles
keras_gap = np.abs(descend(scaling=True, steps=20) - scaled_run[:21]).max()
assert keras_gap < 1e-9

# %% [markdown]
# ## Solutions to the exercises
# **1.** A slipped decimal point in one value of each column, so in 13 of the 178 wines. Scaled by
# mean and standard deviation, and by median and interquartile range.


# %% label="exercise-1" tags=["solution"]
def by_quartiles(train, new):
    low, middle, high = np.quantile(train, (0.25, 0.5, 0.75), axis=0)
    return (train - middle) / (high - low), (new - middle) / (high - low)


results = []
for seed in range(repeats):
    slipped, chosen = wine.data.copy(), np.random.default_rng(seed).permutation(wines)[:13]
    slipped[chosen, np.arange(13)] *= 1000
    intact = np.setdiff1d(np.arange(wines), chosen)  # judged on wines without a mistake
    results.append(
        [
            np.mean((answers(slipped, grape, folds_of(wines, seed), how, nearest) == grape)[intact])
            for how in (standardize, by_quartiles)
        ]
    )
by_mean, by_median = np.mean(results, axis=0)
print(f"by mean and deviation {by_mean:.0%}, by median and quartiles {by_median:.0%}")
assert np.min(np.subtract(*np.transpose(results)[::-1])) > 0.05

# %% [markdown]
# **2.** A column for each company, and a bias: one column too many.

# %% label="exercise-2" tags=["solution"]
all_firms = one_hot(firm, firms)
design = np.column_stack([np.ones(rows), all_firms])
print("columns:", design.shape[1], " independent:", np.linalg.matrix_rank(design))
full, less = fit(all_firms, invested), fit(all_firms[:, 1:], invested)
same = np.allclose(predict(full, all_firms), predict(less, all_firms[:, 1:]))
print(
    "same predictions:", same, " weight of the last company:", full[-1].round(2), less[-1].round(2)
)
assert same
assert np.linalg.matrix_rank(design) == companies_count
means = np.array([invested[firm == name].mean() for name in firms])
assert np.allclose(less[1:], means[1:] - means[0])

# %% [markdown]
# **3.** A forest with a copy of the body mass index.

# %% label="exercise-3" tags=["solution"]
for seed in range(3):
    rng, lost = np.random.default_rng(seed), []
    order = rng.permutation(people)
    train, new = order[:300], order[300:]
    for wide in z, np.column_stack([z, z[:, bmi]]):
        forest = RandomForestRegressor(60, max_features=3, random_state=seed)
        forest.fit(wide[train], y[train])
        lost.append(permuted(forest.predict, wide[new], y[new], rng, times=5)[bmi])
    print(f"split {seed}: bmi {lost[0]:.3f}, beside its copy {lost[1]:.3f}")
    assert lost[1] < 0.7 * lost[0]

# %% [markdown]
# **4.** Exclusive or.

# %% label="exercise-4" tags=["solution"]
first, other = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
either = first ^ other
print(
    f"each alone {information(first, either):.2f}, both {information(2 * first + other, either):.2f}"
)
assert np.isclose(information(first, either), 0)
assert np.isclose(information(other, either), 0)
assert np.isclose(information(2 * first + other, either), np.log(2))

# %%
plt.show()
