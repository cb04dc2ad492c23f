# %% [markdown]
# # Correlation
# How two columns of a table go together, how sure one can be of it, and what it does not say.
# The chapter [Correlation](../data/correlation.md) tells the story; here is every step of it.
#
# The first part computes with `labkit.stats` (NumPy). The second repeats it with SciPy,
# pandas, statsmodels and Keras, and asserts that the numbers agree.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import RepeatedKFold, cross_val_score
from statsmodels.datasets import co2, macrodata

import labkit as keras
from labkit import datasets, plot, stats

plot.set_theme()

# %% [markdown]
# ## Up, neither, down
# 442 people with diabetes. `bmi` is the body mass index in kg/m², `s3` is HDL cholesterol in
# mg/dl, and `progress` says how far the disease had come a year later (25 to 346).

# %% label="clouds" alt="Three clouds of points. Body mass index and progress: rising, r 0.59. Age and HDL cholesterol: no direction, r minus 0.08. HDL cholesterol and progress: falling, r minus 0.39." caption="Positive, neutral and negative correlation between measurements of the same 442 people. Dashed lines stand at the means." values="people r_positive r_neutral r_negative"
patients = datasets.load_diabetes(scaled=False)
table = pd.DataFrame(patients.data, columns=patients.feature_names)
inputs = list(table.columns)
table["progress"] = patients.target
people = len(table)

pairs = [("bmi", "progress"), ("age", "s3"), ("s3", "progress")]
r_positive, r_neutral, r_negative = (
    stats.pearsonr(table[x], table[y]).statistic for x, y in pairs
)
assert 0.5 < r_positive < 0.7
assert abs(r_neutral) < 0.1
assert -0.5 < r_negative < -0.3

fig, axes = plt.subplots(1, 3, figsize=(7.2, 2.7))
for ax, (x, y) in zip(axes, pairs, strict=True):
    ax.plot(table[x], table[y], ".", color=plot.COLORS["blue"], alpha=0.5, markersize=4)
    ax.axvline(table[x].mean(), color=plot.INK, linestyle="--", linewidth=1)
    ax.axhline(table[y].mean(), color=plot.INK, linestyle="--", linewidth=1)
    ax.set(
        title=f"r = {stats.pearsonr(table[x], table[y]).statistic:.2f}", xlabel=x, ylabel=y
    )
    ax.grid(False)

# %% [markdown]
# ## Covariance, and what is wrong with it
# For each person, multiply how far the bmi and the progress lie above their means. The
# average of these products is the covariance. It changes with the units; Pearson's $r$ does
# not.

# %% label="covariance" values="cov_metric cov_grams same_side"
x, y = table["bmi"].to_numpy(), table["progress"].to_numpy()
products = (x - x.mean()) * (y - y.mean())  # (442,)
cov_metric = products.sum() / (people - 1)
same_side = float(np.mean(products > 0))
assert np.isclose(cov_metric, stats.covariance(x, y))

cov_grams = stats.covariance(1000 * x, y)  # bmi in g/m²
r = cov_metric / (x.std(ddof=1) * y.std(ddof=1))
assert np.isclose(cov_grams, 1000 * cov_metric)
assert np.isclose(r, stats.pearsonr(x, y).statistic)
assert np.isclose(r, stats.pearsonr(1000 * x, y).statistic)
print(
    f"covariance {cov_metric:.0f} with kg/m², {cov_grams:,.0f} with g/m²; r = {r:.3f} with both"
)

# %% [markdown]
# ## What r does not see
# Anscombe's four data sets of 1973 have the same means, the same variances, the same fitted
# line and the same $r$. And a perfect dependence can have none at all.

# %% label="quartet" alt="Four scatter plots with the same fitted line: a noisy line, a smooth arch, a perfect line with one outlier above, and a vertical stack of points with one point far to the right." caption="Anscombe's quartet. One correlation, four stories." values="r_quartet spread_quartet r_square rho_square information_square"
shared = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
quartet = [
    (shared, [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]),
    (shared, [9.14, 8.14, 8.74, 8.77, 9.26, 8.10, 6.13, 3.10, 9.13, 7.26, 4.74]),
    (shared, [7.46, 6.77, 12.74, 7.11, 7.81, 8.84, 6.08, 5.39, 8.15, 6.42, 5.73]),
    (
        [8, 8, 8, 8, 8, 8, 8, 19, 8, 8, 8],
        [6.58, 5.76, 7.71, 8.84, 8.47, 7.04, 5.25, 12.50, 5.56, 7.91, 6.89],
    ),
]
fig, axes = plt.subplots(1, 4, figsize=(7.2, 2.3), sharex=True, sharey=True)
correlations = []
for ax, (u, v) in zip(axes, quartet, strict=True):
    plot.regression(ax, np.array(u, dtype=float), np.array(v))
    correlations.append(stats.pearsonr(u, v).statistic)
    ax.set(title=f"r = {correlations[-1]:.3f}", xlim=(2, 21), ylim=(2, 14))
r_quartet, spread_quartet = float(np.mean(correlations)), float(np.ptp(correlations))
assert np.allclose(correlations, 0.8165, atol=0.001)

u = np.arange(-250, 251) / 250  # (501,) from -1 to 1
r_square = abs(stats.pearsonr(u, u**2).statistic)
rho_square = abs(stats.spearmanr(u, u**2).statistic)
information_square = stats.mutual_information(u, u**2)
print(
    f"y = x²: Pearson {r_square:.2f}, Spearman {rho_square:.2f}, mutual information {information_square:.1f} nats"
)
assert r_square < 1e-9
assert rho_square < 1e-9
assert information_square > 1

# %% [markdown]
# ## Ranks
# Spearman's coefficient is Pearson's $r$ of the ranks. Kendall's compares all pairs of
# people. Both ask only for the order.


# %% label="ranks" alt="Left: points on a steep exponential curve. Right: an elongated rising cloud squeezed flat by ten squares far above and below it." caption="Left: a perfect but curved relation. Right: 2,000 pairs; in ten of them y was written in the wrong unit, a hundred times too large (squares). Ranks hardly notice either." values="r_exp rho_exp tau_exp r_clean rho_clean tau_clean r_spoilt rho_spoilt tau_spoilt share_agree tau_bmi"
def three(x, y):
    return [
        method(x, y).statistic
        for method in (stats.pearsonr, stats.spearmanr, stats.kendalltau)
    ]


rng = np.random.default_rng(0)
bent_x = rng.normal(size=500)
bent_y = np.exp(3 * bent_x)
line_x = rng.normal(size=2000)
line_y = 0.8 * line_x + 0.6 * rng.normal(size=2000)
wrong_y = line_y.copy()
wrong = rng.choice(2000, 10, replace=False)
wrong_y[wrong] *= 100

r_exp, rho_exp, tau_exp = three(bent_x, bent_y)
r_clean, rho_clean, tau_clean = three(line_x, line_y)
r_spoilt, rho_spoilt, tau_spoilt = three(line_x, wrong_y)
ranks = pd.DataFrame(
    {
        "y = exp(3x)": (r_exp, rho_exp, tau_exp),
        "a straight cloud": (r_clean, rho_clean, tau_clean),
        "the same, ten spoilt": (r_spoilt, rho_spoilt, tau_spoilt),
    },
    index=["Pearson", "Spearman", "Kendall"],
)
print(ranks.round(2).to_string())
assert r_exp < 0.6
assert rho_exp > 0.999
assert tau_exp > 0.999
assert abs(r_clean - 0.8) < 0.03
assert r_spoilt < 0.6 * r_clean
assert abs(rho_spoilt - rho_clean) < 0.02
assert abs(tau_spoilt - tau_clean) < 0.02

# Kendall's tau read as a share: of all pairs of people who differ in both, how many agree?
first, second = np.triu_indices(people, k=1)
agree = np.sign(x[first] - x[second]) * np.sign(y[first] - y[second])
share_agree = float(np.mean(agree[agree != 0] > 0))
tau_bmi = stats.kendalltau(x, y).statistic
assert abs((2 * share_agree - 1) - tau_bmi) < 0.01

fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3))
left.plot(bent_x, bent_y, ".", color=plot.COLORS["blue"], markersize=4)
left.set(title=f"Pearson {r_exp:.2f}, Spearman {rho_exp:.2f}", xlabel="x", ylabel="y")
right.plot(line_x, wrong_y, ".", color=plot.COLORS["blue"], markersize=3, rasterized=True)
right.plot(line_x[wrong], wrong_y[wrong], "s", color=plot.COLORS["orange"])
right.set(
    title=f"Pearson {r_spoilt:.2f}, Spearman {rho_spoilt:.2f}", xlabel="x", ylabel="y"
)

# %% [markdown]
# ## How sure is r?
# Two questions. How far could chance alone have carried $r$? Shuffle one column, so that the
# pairs mean nothing, and look at the $r$ that come out: the share that is at least as far
# from zero as the real one is the p-value. And which true correlations fit the data? That is
# the confidence interval.

# %% label="shuffles" alt="A bell-shaped histogram of the correlations of shuffled columns, nearly all between minus 0.1 and 0.1. The line for sex, 0.04, stands inside the bell; the line for bmi, 0.59, stands far outside." caption="Correlation of the progress with shuffled columns, 5,000 times. Sex (0.04) is what chance does every third time; the body mass index (0.59) is far outside." values="p_sex p_sex_shuffled p_bmi bmi_low bmi_high boot_low boot_high sex_low sex_high r_sex shuffles"
shuffles = 5000
deviations = (y - y.mean()) / y.std()
shuffled = np.array(
    [
        np.mean(rng.permutation(deviations) * (x - x.mean()) / x.std())
        for _ in range(shuffles)
    ]
)
of_sex, of_bmi = stats.pearsonr(table["sex"], y), stats.pearsonr(x, y)
r_sex, p_sex, p_bmi = of_sex.statistic, of_sex.pvalue, of_bmi.pvalue
p_sex_shuffled = float(np.mean(np.abs(shuffled) >= abs(r_sex)))
bmi_low, bmi_high = map(float, of_bmi.confidence_interval())
sex_low, sex_high = map(float, of_sex.confidence_interval())
resampled = stats.bootstrap(
    (x, y), lambda x, y: np.corrcoef(x, y)[0, 1], paired=True, n_resamples=2000, rng=0
)
boot_low, boot_high = map(float, resampled.confidence_interval)

print(
    f"sex: r = {r_sex:.2f}, p = {p_sex:.2f} by formula, {p_sex_shuffled:.2f} by shuffling"
)
print(
    f"bmi: r = {r_positive:.2f}, 95 % interval {bmi_low:.2f} to {bmi_high:.2f}, by resampling {boot_low:.2f} to {boot_high:.2f}"
)
assert abs(p_sex - p_sex_shuffled) < 0.03
assert p_bmi < 1e-20
assert np.abs(shuffled).max() < r_positive
assert abs(bmi_low - boot_low) < 0.03
assert abs(bmi_high - boot_high) < 0.03

fig, ax = plt.subplots(figsize=(7.2, 2.8))
ax.hist(shuffled, bins=41, color=plot.COLORS["blue"], alpha=0.7)
for value, name, style in ((r_sex, "sex", "--"), (r_positive, "bmi", "-")):
    ax.axvline(
        value,
        color=plot.COLORS["orange"],
        linestyle=style,
        label=f"{name}, r = {value:.2f}",
    )
ax.set(xlabel="r with a shuffled column", ylabel="how often")
ax.legend(loc="upper center")

# %% [markdown]
# ## When the textbook interval breaks
# Fisher's interval should contain the true correlation 95 times in 100. Draw many samples of
# 100 pairs whose true correlation is 0.6, from a normal distribution and from one with
# heavy tails (Student's t with 3 degrees of freedom), and count.


# %% label="coverage" values="cover_normal cover_heavy cover_bootstrap off_normal off_heavy"
def samples(count, heavy, size=100):
    """Draw `count` samples of pairs with true correlation 0.6, (2, count, size)."""
    a = rng.normal(size=(count, size))
    b = 0.6 * a + 0.8 * rng.normal(size=(count, size))
    if heavy:
        stretch = np.sqrt(3 / rng.chisquare(3, size=(count, size)))
        a, b = a * stretch, b * stretch
    return np.stack([a, b])


def correlate(pairs):
    """Return Pearson's r of each sample, for pairs of shape (2, ..., size)."""
    a, b = pairs - pairs.mean(axis=-1, keepdims=True)
    return (a * b).sum(-1) / np.sqrt((a**2).sum(-1) * (b**2).sum(-1))


def fisher_covers(pairs):
    r = correlate(pairs)
    return np.abs(np.arctanh(r) - np.arctanh(0.6)) < 1.96 / np.sqrt(pairs.shape[-1] - 3)


def bootstrap_covers(pair, resamples=500):
    size = pair.shape[-1]
    low, high = np.quantile(
        correlate(pair[:, rng.integers(size, size=(resamples, size))]), (0.025, 0.975)
    )
    return low < 0.6 < high


normal, heavy = samples(4000, heavy=False), samples(4000, heavy=True)
cover_normal, cover_heavy = (float(fisher_covers(each).mean()) for each in (normal, heavy))
cover_bootstrap = float(np.mean([bootstrap_covers(heavy[:, i]) for i in range(1000)]))
off_normal, off_heavy = (float(correlate(each).mean()) - 0.6 for each in (normal, heavy))
print(f"Fisher's interval covers: normal {cover_normal:.1%}, heavy tails {cover_heavy:.1%}")
print(f"a bootstrap interval, heavy tails: {cover_bootstrap:.1%}")
assert 0.93 < cover_normal < 0.97
assert cover_heavy < 0.8
assert cover_heavy + 0.1 < cover_bootstrap < 0.96

# %% [markdown]
# ## A third variable
# Made-up children: age makes the feet longer and the reading better; feet and reading have
# nothing else in common. Their correlation is strong all the same. It is gone within one
# year of age, and when age is held fixed: the *partial* correlation.

# %% label="third" alt="Left: foot length against reading score, a rising cloud in which the marks of three age groups follow one another from bottom left to top right. Right: what age does not explain of both, a round cloud without direction." caption="Simulated. Left: feet and reading rise together, because older children (other marks) lie further up in both. Right: what age leaves of each: nothing in common." values="r_feet partial_feet partial_feet_p"
rng = np.random.default_rng(0)
ages = rng.uniform(6, 12, 1000)  # years
feet = 14 + 0.9 * ages + rng.normal(0, 0.8, 1000)  # cm
reading = 10 * ages + rng.normal(0, 9, 1000)  # points
r_feet = stats.pearsonr(feet, reading).statistic
fixed = stats.partial_correlation(feet, reading, ages)
partial_feet, partial_feet_p = fixed.statistic, fixed.pvalue
print(f"feet and reading: r = {r_feet:.2f}; with age held fixed {partial_feet:.2f}")
assert r_feet > 0.7
assert abs(partial_feet) < 0.1


def without(values, other):
    """Return what a straight line in `other` leaves of `values`."""
    return values - np.polyval(np.polyfit(other, values, 1), other)


assert np.isclose(
    partial_feet, stats.pearsonr(without(feet, ages), without(reading, ages)).statistic
)
fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3))
for group, (low, high) in enumerate(((6, 8), (8, 10), (10, 12))):
    chosen = (ages >= low) & (ages < high)
    for ax, u, v in (
        (left, feet, reading),
        (right, without(feet, ages), without(reading, ages)),
    ):
        plot.scatter(ax, u[chosen], v[chosen], f"age {low}–{high}", group)
left.set(xlabel="foot length (cm)", ylabel="reading score", title=f"r = {r_feet:.2f}")
right.set(
    xlabel="feet, age removed",
    ylabel="reading, age removed",
    title=f"r = {partial_feet:.2f}",
)
left.legend(fontsize=9)

# %% [markdown]
# ## Nonsense with real data
# Carbon dioxide in the air over Hawaii and consumer prices in the USA, yearly from 1959 to
# 2001. Two things that grow for decades correlate, whatever they are. Their yearly changes
# are another question.

# %% label="nonsense" alt="Left: two smoothly rising curves, carbon dioxide and consumer prices, almost on top of each other. Right: their yearly changes, a cloud without direction." caption="Left: two series, each scaled to its own range. Right: how much each changed from one year to the next." values="r_levels r_changes changes_low changes_high partial_year first_year last_year"
levels = pd.DataFrame(
    {
        "CO2": co2.load_pandas().data["co2"].groupby(lambda day: day.year).mean(),
        "prices": macrodata.load_pandas().data.groupby("year")["cpi"].mean(),
    }
).dropna()
changes = pd.DataFrame(
    {"CO2": levels["CO2"].diff(), "prices": 100 * levels["prices"].pct_change()}
).dropna()
first_year, last_year = int(levels.index[0]), int(levels.index[-1])
r_levels = stats.pearsonr(levels["CO2"], levels["prices"]).statistic
of_changes = stats.pearsonr(changes["CO2"], changes["prices"])
r_changes = of_changes.statistic
changes_low, changes_high = map(float, of_changes.confidence_interval())
partial_year = stats.partial_correlation(
    levels["CO2"], levels["prices"], levels.index.to_numpy()
).statistic
print(
    f"{first_year}–{last_year}: levels r = {r_levels:.2f}, yearly changes r = {r_changes:.2f}"
)
print(f"levels with the year held fixed: {partial_year:.2f}")
assert r_levels > 0.98
assert abs(r_changes) < 0.3
assert changes_low < 0 < changes_high
assert partial_year > 0.7

fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3))
for name, label in (("CO2", "CO₂, Mauna Loa"), ("prices", "US consumer prices")):
    left.plot(
        levels.index,
        (levels[name] - levels[name].min()) / np.ptp(levels[name]),
        label=label,
    )
left.set(xlabel="year", ylabel="share of its range", title=f"r = {r_levels:.2f}")
left.legend(fontsize=9)
right.plot(changes["CO2"], changes["prices"], "o", color=plot.COLORS["blue"])
right.set(
    xlabel="CO₂ change (ppm per year)",
    ylabel="price change (%)",
    title=f"r = {r_changes:.2f}",
)

# %% [markdown]
# ## Columns that say the same
# The correlations of all ten inputs and the progress at once. `s1` and `s2` are nearly one
# variable.

# %% label="matrix" alt="A table of correlations in color. The darkest cell is s1 with s2, 0.90; s3 is negative with almost all others; the last row, progress, is strongest with bmi and s5 and nearly white with sex." caption="Pearson's r of every pair. The last row is what each input tells about the progress on its own." values="r_s1_s2"
correlations = stats.correlation_matrix(table.to_numpy()).statistic  # (11, 11)
r_s1_s2 = float(correlations[inputs.index("s1"), inputs.index("s2")])
fig, ax = plt.subplots(figsize=(7.2, 5))
plot.matrix(ax, correlations, list(table.columns), list(table.columns))
assert r_s1_s2 > 0.85

# %% [markdown]
# Why? `s1` is total cholesterol, `s2` LDL, `s3` HDL, and `s5` looks like the logarithm of
# the triglycerides. In 1972 Friedewald, Levy and Fredrickson gave a formula that estimates
# LDL from the other three, to save the laboratory a centrifuge:
# LDL = total − HDL − triglycerides / 5. Put it to the data.

# %% label="friedewald" values="formula_gap formula_r2 formula_share"
predicted_total = table["s2"] + table["s3"] + np.exp(table["s5"]) / 5  # mg/dl
formula_gap = float((table["s1"] - predicted_total).abs().median())
formula_share = float(((table["s1"] - predicted_total).abs() < 0.5).mean())
formula_r2 = float(1 - np.var(table["s1"] - predicted_total) / np.var(table["s1"]))
print(
    f"s1 = s2 + s3 + exp(s5) / 5 holds within half a mg/dl for {formula_share:.0%} of the people"
)
assert formula_share == 1
assert formula_r2 > 0.9999

# %% [markdown]
# So one of the columns was not measured. What does the redundancy do to a linear model? The
# variance inflation factor compares how uncertain a coefficient is with how uncertain it
# would be if its column were unrelated to the others. Drop `s1`, and look again.

# %% label="inflation" values="vif_s1 vif_s2 vif_s2_after sd_s2 sd_s2_after s2_before s2_after r2_before r2_after"
z = (table[inputs] - table[inputs].mean()) / table[inputs].std()  # one unit: one SD
fewer = z.drop(columns="s1")
folds = RepeatedKFold(n_splits=10, n_repeats=10, random_state=0)


def coefficients(x, y):
    """Return the least-squares coefficients of y on x, without the intercept."""
    design = np.column_stack([np.ones(len(x)), x])
    return np.linalg.lstsq(design, y, rcond=None)[0][1:]


def describe(columns):
    x = columns.to_numpy()
    spread = stats.bootstrap(
        (x, y), coefficients, paired=True, n_resamples=1000, method="percentile", rng=0
    )
    return pd.DataFrame(
        {
            "VIF": stats.variance_inflation_factor(x),
            "coefficient": coefficients(x, y),
            "bootstrap SD": spread.standard_error,
        },
        index=columns.columns,
    )


def cross_validated(columns):
    return float(cross_val_score(LinearRegression(), columns, y, cv=folds).mean())


before, after = describe(z), describe(fewer)
vif_s1, vif_s2, vif_s2_after = before["VIF"]["s1"], before["VIF"]["s2"], after["VIF"]["s2"]
s2_before, s2_after = before["coefficient"]["s2"], after["coefficient"]["s2"]
sd_s2, sd_s2_after = before["bootstrap SD"]["s2"], after["bootstrap SD"]["s2"]
r2_before, r2_after = cross_validated(z), cross_validated(fewer)
print(
    f"s2: VIF {vif_s2:.0f} to {vif_s2_after:.1f}, coefficient {s2_before:.0f} ± {sd_s2:.0f} to {s2_after:.0f} ± {sd_s2_after:.0f}"
)
print(f"cross-validated R²: {r2_before:.3f} with s1, {r2_after:.3f} without")
assert vif_s2 > 30
assert vif_s2_after < 5
assert sd_s2 > 2.5 * sd_s2_after
assert s2_before > 0 > s2_after
assert abs(r2_before - r2_after) < 0.01
pd.concat({"with s1": before, "without s1": after}, axis=1).round(2)

# %% [markdown]
# ## Which inputs matter?
# Three answers for each input: its correlation with the progress; its partial correlation,
# with the nine others held fixed; and what a linear model loses in cross-validated $R^2$
# without it.

# %% label="relevance" alt="For each of ten inputs two bars, the correlation with the progress and the partial correlation. bmi and s5 are long in both. s4 is long in the first and nearly zero in the second. Sex is nearly zero in the first and clearly negative in the second." caption="What each input tells alone (solid) and beyond the nine others (hatched). s4 looks important and is not needed; sex looks useless and is." values="r_bmi r_s5 r_s4 partial_bmi partial_s4 partial_sex partial_sex_p alone_s4 loss_s4 loss_sex loss_bmi"
relevance = pd.DataFrame(index=inputs)
relevance["r"] = [stats.pearsonr(table[name], y).statistic for name in inputs]
relevance["Spearman"] = [stats.spearmanr(table[name], y).statistic for name in inputs]
partials = [
    stats.partial_correlation(z[name], y, z.drop(columns=name).to_numpy())
    for name in inputs
]
relevance["partial r"] = [partial.statistic for partial in partials]
relevance["p of partial r"] = [partial.pvalue for partial in partials]
relevance["R² alone"] = [cross_validated(z[[name]]) for name in inputs]
relevance["R² lost without"] = [
    r2_before - cross_validated(z.drop(columns=name)) for name in inputs
]
r_bmi, r_s5, r_s4 = relevance["r"][["bmi", "s5", "s4"]]
partial_bmi, partial_s4, partial_sex = relevance["partial r"][["bmi", "s4", "sex"]]
partial_sex_p = float(relevance["p of partial r"]["sex"])
alone_s4 = float(relevance["R² alone"]["s4"])
loss_s4, loss_sex, loss_bmi = relevance["R² lost without"][["s4", "sex", "bmi"]]
print(f"s4:  r = {r_s4:.2f}, partial {partial_s4:.2f}, R² lost without it {loss_s4:.3f}")
print(f"sex: r = {r_sex:.2f}, partial {partial_sex:.2f}, R² lost without it {loss_sex:.3f}")
assert r_bmi > r_s5 > 0.5
assert abs(r_sex) < 0.1
assert r_s4 > 0.4
assert partial_sex < -0.15
assert partial_sex_p < 0.001
assert abs(partial_s4) < 0.1
assert loss_sex > 0.01 > loss_s4
assert 0.15 < loss_sex / loss_bmi < 0.3

fig, ax = plt.subplots(figsize=(7.2, 3.2))
place = np.arange(len(inputs))
ax.bar(place - 0.2, relevance["r"], 0.4, color=plot.COLORS["blue"], label="alone")
ax.bar(
    place + 0.2,
    relevance["partial r"],
    0.4,
    color="none",
    edgecolor=plot.COLORS["orange"],
    hatch="////",
    label="beyond the nine others",
)
ax.axhline(0, color=plot.INK, linewidth=0.8)
ax.set_xticks(place, inputs)
ax.set(ylabel="correlation with progress")
ax.legend(loc="lower left")
relevance.round(3)

# %% [markdown]
# Why does sex look useless alone? The data code it as 1 and 2, and do not say which is which.
# Those coded 2 have a higher blood pressure and less HDL, and both go with more progress.
# Among people equal in these two, those coded 2 have less progress. Alone, the two effects
# cancel.

# %% label="masked" values="r_sex_bp r_sex_s3 partial_sex_two"
r_sex_bp = stats.pearsonr(table["sex"], table["bp"]).statistic
r_sex_s3 = stats.pearsonr(table["sex"], table["s3"]).statistic
partial_sex_two = stats.partial_correlation(table["sex"], y, table[["bp", "s3"]]).statistic
print(f"sex with bp {r_sex_bp:.2f}, with s3 {r_sex_s3:.2f}")
print(f"sex with progress {r_sex:.2f}; with bp and s3 held fixed {partial_sex_two:.2f}")
assert r_sex_bp > 0.15
assert r_sex_s3 < -0.3
assert partial_sex_two < -0.15

# %% [markdown]
# ## What a neuron makes of it
# Scale two columns to mean 0 and standard deviation 1, and train one linear neuron to predict
# one from the other. The weight that it ends at is Pearson's $r$.


# %% label="neuron" values="neuron_weight neuron_gap"
def scaled(values):
    return ((values - values.mean()) / values.std())[:, None]  # (442, 1)


def trained_neuron():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(0.25), loss="mean_squared_error")
    for _ in range(40):
        model.train_on_batch(scaled(x), scaled(y))
    return model


keras.utils.set_random_seed(0)
neuron_weight = float(trained_neuron().get_weights()[0][0, 0])
neuron_gap = abs(neuron_weight - r_positive)
print(f"weight {neuron_weight:.4f}, r = {r_positive:.4f}")
assert neuron_gap < 1e-4

# %% [markdown]
# ## The same in SciPy, pandas, statsmodels and Keras
# SciPy has the coefficients with p-values and intervals, pandas the whole matrix,
# statsmodels the variance inflation and the regression. From here on `keras` is Keras
# itself.

# %% label="agreement" values="largest_gap"
import keras
import scipy.stats
import statsmodels.api as sm
from statsmodels.stats.outliers_influence import variance_inflation_factor

gaps = {}
for ours, theirs in (
    (stats.pearsonr, scipy.stats.pearsonr),
    (stats.spearmanr, scipy.stats.spearmanr),
    (stats.kendalltau, scipy.stats.kendalltau),
):
    mine, other = ours(table["s3"], y), theirs(table["s3"], y)
    gaps[f"SciPy {theirs.__name__}"] = abs(mine.statistic - other.statistic)
    gaps[f"SciPy {theirs.__name__}, log of p"] = abs(np.log(mine.pvalue / other.pvalue))
gaps["SciPy interval of r"] = np.abs(
    np.array(of_bmi.confidence_interval())
    - scipy.stats.pearsonr(x, y).confidence_interval()
).max()
for method in ("pearson", "spearman", "kendall"):
    mine = stats.correlation_matrix(table.to_numpy(), method).statistic
    gaps[f"pandas corr, {method}"] = np.abs(mine - table.corr(method).to_numpy()).max()
gaps["pandas cov"] = abs(cov_metric - table.cov().loc["bmi", "progress"])

design = sm.add_constant(z)
fit = sm.OLS(y, design).fit()
gaps["statsmodels VIF, relative"] = abs(
    variance_inflation_factor(design.to_numpy(), 1 + inputs.index("s1")) / vif_s1 - 1
)
gaps["statsmodels coefficients"] = (fit.params[inputs] - before["coefficient"]).abs().max()
gaps["statsmodels p of sex"] = abs(fit.pvalues["sex"] - partial_sex_p)

keras.utils.set_random_seed(0)
keras_weight = float(trained_neuron().get_weights()[0][0, 0])
gaps["Keras neuron"] = abs(keras_weight - neuron_weight)

largest_gap = float(max(gap for name, gap in gaps.items() if name != "Keras neuron"))
print(f"statistics agree to {largest_gap:.0e}, the neurons to {gaps['Keras neuron']:.0e}")
assert largest_gap < 1e-6
assert gaps["Keras neuron"] < 1e-4

# %% [markdown]
# ## Solutions to the exercises

# %% label="exercise-1" tags=["solution"] values="vif_logged vif_exact"
unlogged = z.assign(s5=np.exp(table["s5"]))
vif_logged = vif_s1
vif_exact = float(stats.variance_inflation_factor(unlogged.to_numpy())[inputs.index("s1")])
print(
    f"VIF of s1: {vif_logged:.0f} with log triglycerides, {vif_exact:,.0f} with triglycerides"
)
assert vif_exact > 1e5

# %% label="exercise-2" tags=["solution"] values="noise_hits noise_bonferroni"
noise = np.random.default_rng(1).normal(size=(people, 200))
pvalues = np.array([stats.pearsonr(column, y).pvalue for column in noise.T])
noise_hits = int(np.sum(pvalues < 0.05))
noise_bonferroni = int(np.sum(pvalues < 0.05 / 200))
print(
    f"of 200 columns of noise, {noise_hits} have p < 0.05, {noise_bonferroni} p < 0.05 / 200"
)
assert 3 <= noise_hits <= 20
assert noise_bonferroni <= 1

# %% label="exercise-3" alt="Three separate groups of points. Inside each group the points fall; the groups themselves climb from bottom left to top right." caption="Negative in each group, positive overall." tags=["solution"] values="r_within r_overall"
rng = np.random.default_rng(2)
group = np.repeat([0, 1, 2], 60)
within_x = rng.normal(size=180)
group_x = 4 * group + within_x
group_y = 4 * group - within_x + 0.5 * rng.normal(size=180)
r_overall = stats.pearsonr(group_x, group_y).statistic
r_within = max(
    stats.pearsonr(group_x[group == g], group_y[group == g]).statistic for g in range(3)
)
print(f"overall r = {r_overall:.2f}, in each group at most {r_within:.2f}")
assert r_overall > 0.5
assert r_within < -0.7

fig, ax = plt.subplots(figsize=(7.2, 3))
for g in range(3):
    plot.scatter(ax, group_x[group == g], group_y[group == g], f"group {g + 1}", g)
ax.set(xlabel="x", ylabel="y")
ax.legend()

# %% label="exercise-4" tags=["solution"] values="walks_large walks_significant steps_significant"
steps = np.random.default_rng(3).normal(size=(2, 2000, 100))
walks = steps.cumsum(axis=-1)
limit = 1.96 / np.sqrt(100)  # |r| beyond this has p < 0.05, nearly
walks_significant = float(np.mean(np.abs(correlate(walks)) > limit))
walks_large = float(np.mean(np.abs(correlate(walks)) > 0.5))
steps_significant = float(np.mean(np.abs(correlate(steps)) > limit))
print(
    f"two unrelated random walks: p < 0.05 in {walks_significant:.0%}, |r| > 0.5 in {walks_large:.0%}"
)
print(f"their steps: p < 0.05 in {steps_significant:.0%}")
assert walks_significant > 0.6
assert 0.03 < steps_significant < 0.07

# %% label="exercise-5" tags=["solution"] values="r_applicants r_admitted r_middle"
first, second = np.random.default_rng(4).normal(size=(2, 3000))
admitted = first + second > np.quantile(first + second, 2 / 3)
r_applicants = stats.pearsonr(first, second).statistic
r_admitted = stats.pearsonr(first[admitted], second[admitted]).statistic
print(f"two marks: applicants r = {r_applicants:.2f}, admitted r = {r_admitted:.2f}")
assert abs(r_applicants) < 0.05
assert r_admitted < -0.4

low, high = np.quantile(line_x, (0.25, 0.75))
middle = (line_x >= low) & (line_x <= high)
r_middle = stats.pearsonr(line_x[middle], line_y[middle]).statistic
slope_all = np.polyfit(line_x, line_y, 1)[0]
slope_middle = np.polyfit(line_x[middle], line_y[middle], 1)[0]
print(f"straight cloud: r = {r_clean:.2f}, in the middle half {r_middle:.2f}")
print(f"slope of its line: {slope_all:.2f}, in the middle half {slope_middle:.2f}")
assert r_middle < 0.7 * r_clean
assert abs(slope_middle - slope_all) < 0.1

# %%
plt.show()
