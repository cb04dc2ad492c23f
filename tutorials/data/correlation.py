# %% [markdown]
# # Correlation
# How two columns of a table go together, how sure one can be of it, and what it does not say.
# The chapter [Correlation](../../data/correlation.md) tells the story.
# At the end, other libraries give the same numbers as labkit.

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

# %% values="people r_positive r_neutral r_negative"
patients = datasets.load_diabetes(scaled=False)
table = pd.DataFrame(patients.data, columns=patients.feature_names)
inputs, people = list(table), len(table)
table["progress"] = patients.target
assert (people, patients.target.min(), patients.target.max()) == (442, 25, 346)

pairs = ("bmi", "progress"), ("age", "s3"), ("s3", "progress")
r_positive, r_neutral, r_negative = (stats.pearsonr(table[x], table[y]).statistic for x, y in pairs)
assert r_positive > 0.5, "Body mass and the progress of diabetes rise together."
assert abs(r_neutral) < 0.1, "Age and the blood value s3 hardly correlate."
assert r_negative < -0.3, "The more of s3 in the blood, the less progress."


# %% label="clouds" alt="Three clouds of points: one rises, one has no direction, one falls." caption="Positive, neutral and negative correlation. Dashed lines stand at the means." tags=["remove-input"]
def dots(ax, x, y, **labels):
    """Draw points, with Pearson's r above them."""
    ax.plot(x, y, ".", color=plot.COLORS["blue"], markersize=4, rasterized=len(x) > 1500)
    ax.set(title=f"r = {stats.pearsonr(x, y).statistic:.2f}".replace("-", "−"), **labels)


fig, axes = plt.subplots(1, 3, figsize=(5, 2.2))
for ax, (x, y) in zip(axes, pairs, strict=True):
    dots(ax, table[x], table[y], xlabel=x, ylabel=y)
    ax.axvline(table[x].mean(), color=plot.COLORS["grey"], linestyle="--", linewidth=1)
    ax.axhline(table[y].mean(), color=plot.COLORS["grey"], linestyle="--", linewidth=1)

# %% [markdown]
# ## Covariance, and what is wrong with it
# The average product of two deviations changes with the units; Pearson's $r$ does not.

# %% label="covariance"
x, y = table["bmi"].to_numpy(), table["progress"].to_numpy()
products = (x - x.mean()) * (y - y.mean())  # (442,)
cov_metric = products.sum() / (people - 1)
r = cov_metric / (x.std(ddof=1) * y.std(ddof=1))

assert np.isclose(cov_metric, stats.covariance(x, y))
assert np.isclose(r, stats.pearsonr(x, y).statistic)

# %% label="units" values="cov_metric cov_grams same_side"
same_side = np.mean(products > 0)
cov_grams = stats.covariance(1000 * x, y)  # bmi in g/m²
print(f"covariance {cov_metric:.0f} with kg/m², {cov_grams:,.0f} with g/m²; r is {r:.3f}")
assert np.isclose(stats.pearsonr(1000 * x, y).statistic, r)

# %% [markdown]
# ## What r does not see
# Anscombe's four data sets of 1973. And a perfect dependence, $y = x^2$, without any $r$.

# %% values="r_quartet spread_quartet r_square information_square"
shared = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
across = np.array([shared, shared, shared, [8] * 7 + [19] + [8] * 3])
up = [
    [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68],
    [9.14, 8.14, 8.74, 8.77, 9.26, 8.10, 6.13, 3.10, 9.13, 7.26, 4.74],
    [7.46, 6.77, 12.74, 7.11, 7.81, 8.84, 6.08, 5.39, 8.15, 6.42, 5.73],
    [6.58, 5.76, 7.71, 8.84, 8.47, 7.04, 5.25, 12.50, 5.56, 7.91, 6.89],
]
numbers = []  # of each set: means, standard deviations, the line, and r
for u, v in zip(across, np.array(up), strict=True):
    line, r = np.polyfit(u, v, 1), stats.pearsonr(u, v).statistic
    numbers.append([u.mean(), v.mean(), u.std(), v.std(), *line, r])
assert np.allclose(numbers, numbers[0], atol=0.005)  # the same to two decimals
r_quartet, spread_quartet = np.mean(numbers, axis=0)[-1], np.ptp(numbers, axis=0)[-1]
assert spread_quartet < 0.01, "Anscombe's four data sets have the same correlation."

u = np.arange(-250, 251) / 250  # (501,) from -1 to 1
r_square = abs(stats.pearsonr(u, u**2).statistic)
rho_square = abs(stats.spearmanr(u, u**2).statistic)
information_square = stats.mutual_information(u, u**2)
assert max(r_square, rho_square) < 1e-9, (
    "Of a parabola, neither Pearson's nor Spearman's coefficient sees anything."
)
assert information_square > 1, (
    "Mutual information sees the parabola: no correlation is not independence."
)

# %% label="quartet" alt="Four scatter plots with the same fitted line: a noisy line, an arch, a line with one outlier, and a vertical stack with one point far right." caption="Anscombe's quartet. One correlation, four stories." tags=["remove-input"]
fig, axes = plt.subplots(2, 2, figsize=(5, 4), sharex=True, sharey=True)
for ax, u, v in zip(axes.flat, across, np.array(up), strict=True):
    plot.scatter(ax, u, v).set_title(f"r = {stats.pearsonr(u, v).statistic:.3f}")
    ax.axline((u.mean(), v.mean()), slope=np.polyfit(u, v, 1)[0], color=plot.COLORS["orange"])

# %% [markdown]
# ## Ranks
# Spearman's coefficient is Pearson's $r$ of the ranks. Kendall's compares all pairs of people.


# %% values="r_exp rho_exp r_clean rho_clean tau_clean r_spoilt rho_spoilt share_agree tau_bmi"
def coefficients(x, y):
    methods = stats.pearsonr, stats.spearmanr, stats.kendalltau
    return [method(x, y).statistic for method in methods]


rng = np.random.default_rng(0)
bent = rng.normal(size=500)
cloud = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], 2000).T  # (2, 2000)
spoilt, wrong = cloud.copy(), rng.choice(2000, 10, replace=False)
spoilt[1, wrong] *= 100  # ten values in the wrong unit
r_exp, rho_exp, tau_exp = coefficients(bent, np.exp(3 * bent))
r_clean, rho_clean, tau_clean = coefficients(*cloud)
r_spoilt, rho_spoilt, tau_spoilt = coefficients(*spoilt)
print(f"Pearson {r_clean:.2f} to {r_spoilt:.2f}, Spearman {rho_clean:.2f} to {rho_spoilt:.2f}")
assert r_exp < 0.6
assert min(rho_exp, tau_exp) > 0.999, "For any rising curve, the rank correlations are 1."
assert abs(r_clean - 0.8) < 0.03
assert r_spoilt < 0.6 * r_clean, "One outlier can take two fifths off Pearson's coefficient."
assert np.allclose((rho_spoilt, tau_spoilt), (rho_clean, tau_clean), atol=0.02)

agree = np.subtract.outer(x, x) * np.subtract.outer(y, y)  # all pairs of people
share_agree = np.mean(agree[agree != 0] > 0)
tau_bmi = stats.kendalltau(x, y).statistic
assert abs(2 * share_agree - 1 - tau_bmi) < 0.01

# %% label="ranks" alt="Left: points on a steep exponential curve. Right: a rising cloud squeezed flat by ten squares far above and below it." caption="Left: perfect, but curved. Right: 2,000 pairs; in ten (squares) y is a hundred times too large." tags=["remove-input"]
fig, (left, right) = plt.subplots(1, 2, figsize=(5, 2.8))
dots(left, bent, np.exp(3 * bent), xlabel="x", ylabel="y")
dots(right, *spoilt, xlabel="x", ylabel="y")
right.plot(*spoilt[:, wrong], "s", color=plot.COLORS["orange"])

# %% [markdown]
# ## How sure is r?
# How far could chance alone have carried $r$? Shuffle one column, and see which $r$ come out.
# And which true correlations fit the data? That is the confidence interval.

# %% values="p_sex p_sex_shuffled p_bmi bmi_low bmi_high sex_low sex_high r_sex shuffles"
sex, shuffles = table["sex"].to_numpy(), 5000
r_sex, p_sex = of_sex = stats.pearsonr(sex, y)
shuffled = [np.corrcoef(sex, rng.permutation(y))[0, 1] for _ in range(shuffles)]
p_sex_shuffled = np.mean(np.abs(shuffled) >= abs(r_sex))
_, p_bmi = of_bmi = stats.pearsonr(x, y)
sex_low, sex_high = of_sex.confidence_interval()
bmi_low, bmi_high = of_bmi.confidence_interval()
print(f"sex: r = {r_sex:.2f}, p = {p_sex:.2f} by formula, {p_sex_shuffled:.2f} by shuffling")
print(f"bmi: r = {r_positive:.2f}, 95% interval {bmi_low:.2f} to {bmi_high:.2f}")
assert abs(p_sex - p_sex_shuffled) < 0.03
assert p_sex_shuffled > 0.2
assert np.max(np.abs(shuffled)) < 0.7 * r_positive
assert p_bmi < 1e-20
assert sex_low < 0 < 0.1 < sex_high

# %% label="shuffles" alt="A bell-shaped histogram around zero. A dashed line, for sex, stands inside it; a solid one, for bmi, far outside." caption="What chance makes of the correlation of sex with progress, and two real ones." tags=["remove-input"]
fig, ax = plt.subplots(figsize=(5, 2.8))
ax.hist(shuffled, bins=41, color=plot.COLORS["blue"], alpha=0.7)
ax.axvline(r_sex, color=plot.COLORS["orange"], linestyle="--", label=f"sex, r = {r_sex:.2f}")
ax.axvline(r_positive, color=plot.COLORS["orange"], label=f"bmi, r = {r_positive:.2f}")
ax.set(xlabel="r of sex with the shuffled progress", ylabel="how often")
ax.legend(loc="upper center")

# %% [markdown]
# ## When the textbook interval breaks
# Fisher's interval should contain the true correlation 95 times in 100. Draw samples with a known
# one, normal and heavy-tailed (Student's t in two dimensions, with 3 degrees of freedom).


# %% values="cover_normal cover_heavy cover_bootstrap alarms_normal alarms_heavy samples_drawn"
samples_drawn = 4000


def samples(true, heavy):
    """Draw 4,000 samples of 100 pairs, (2, 4000, 100)."""
    a, b = rng.normal(size=(2, samples_drawn, 100))
    pairs = np.stack([a, true * a + np.sqrt(1 - true**2) * b])
    return pairs * np.sqrt(3 / rng.chisquare(3, (samples_drawn, 100))) if heavy else pairs


def correlate(pairs):
    """Return Pearson's r of each sample."""
    a, b = pairs - pairs.mean(axis=-1, keepdims=True)
    return (a * b).sum(-1) / np.sqrt((a**2).sum(-1) * (b**2).sum(-1))


def fisher_covers(pairs):
    return np.abs(np.arctanh(correlate(pairs)) - np.arctanh(0.6)) < 1.96 / np.sqrt(97)


def bootstrap_covers(pair):
    resamples = pair[:, rng.integers(100, size=(500, 100))]  # (2, 500, 100)
    low, high = np.quantile(correlate(resamples), (0.025, 0.975))
    return low < 0.6 < high


light, heavy = samples(0.6, heavy=False), samples(0.6, heavy=True)
cover_normal, cover_heavy = np.mean(fisher_covers(light)), np.mean(fisher_covers(heavy))
bootstrap_normal, cover_bootstrap = (
    np.mean([bootstrap_covers(pairs[:, i]) for i in range(1000)]) for pairs in (light, heavy)
)
limit = 1.984 / np.sqrt(98 + 1.984**2)  # p < 0.05 beyond it: t = r sqrt((n - 2) / (1 - r²))
alarms_normal, alarms_heavy = (
    np.mean(np.abs(correlate(samples(0, tails))) > limit) for tails in (False, True)
)
assert 0.93 < cover_normal < 0.97, (
    "On normal data, Fisher's 95% interval holds r in 95% of samples."
)
assert 0.9 < bootstrap_normal < 0.97
assert cover_heavy + 0.1 < cover_bootstrap < 0.95, (
    "With heavy tails, Fisher's interval holds r far too rarely; the bootstrap does better."
)
assert 0.04 < alarms_normal < 0.06
assert alarms_heavy > 0.1, (
    "Where tails are heavy, p < .05 comes far too often without any correlation."
)

# %% label="coverage"
columns = {"normal": [cover_normal, bootstrap_normal, alarms_normal]}
columns["heavy-tailed"] = [cover_heavy, cover_bootstrap, alarms_heavy]
shares = ["Fisher's interval holds the truth", "bootstrap interval holds it"]
shares += ["p < 0.05 though r is truly 0"]
pd.DataFrame(columns, index=shares).style.format("{:.1%}")

# %% [markdown]
# ## A third variable
# Made-up children: age makes the feet longer and the reading better, and nothing else links the
# two. The *partial* correlation holds age fixed.

# %% values="r_feet partial_feet"
rng = np.random.default_rng(0)
age = rng.uniform(6, 12, 1000)  # years
feet = 14 + 0.9 * age + rng.normal(0, 0.8, 1000)  # cm
reading = 10 * age + rng.normal(0, 9, 1000)  # points
left_of_feet, left_of_reading = (
    v - np.polyval(np.polyfit(age, v, 1), age) for v in (feet, reading)
)
r_feet = stats.pearsonr(feet, reading).statistic
partial_feet = stats.partial_correlation(feet, reading, age).statistic
print(f"feet and reading: r = {r_feet:.2f}; with age held fixed {partial_feet:.2f}")
assert r_feet > 0.7, "Simulated feet and reading scores correlate strongly."
assert abs(partial_feet) < 0.1, "With age held fixed, feet and reading scores no longer correlate."
assert np.isclose(partial_feet, stats.pearsonr(left_of_feet, left_of_reading).statistic)

# %% label="third" alt="Left: foot length against reading score, a rising cloud of three age groups, one after another. Right: a round cloud." caption="Simulated. Left: older children (other marks) lie further up. Right: what age leaves of both." tags=["remove-input"]
fig, (left, right) = plt.subplots(1, 2, figsize=(5, 3))
for group, low in enumerate((6, 8, 10)):
    chosen = (age >= low) & (age < low + 2)
    plot.scatter(left, feet[chosen], reading[chosen], f"age {low}–{low + 2}", group)
    plot.scatter(right, left_of_feet[chosen], left_of_reading[chosen], None, group)
left.set(xlabel="foot length (cm)", ylabel="reading score", title=f"r = {r_feet:.2f}")
right.set(xlabel="feet, age removed", ylabel="reading, age removed")
right.set_title(f"r = {partial_feet:.2f}".replace("-", "−"))
fig.legend(loc="outside upper left", ncols=3, markerscale=2)

# %% [markdown]
# Age was a confounder. Holding a third variable $v$ fixed means something else when $x$ acts through
# it (a mediator), or when both act on it (a collider). 1,000 made-up cases of each.

# %% values="collider_r collider_partial mediator_r mediator_partial"
e = rng.normal(size=(9, 1000))
confounded = e[0] + e[1], e[0] + e[2], e[0]  # x, y, v: x <- v -> y
mediated = e[3], e[3] + e[4] + e[5], e[3] + e[4]  # x -> v -> y
collided = e[6], e[7], e[6] + e[7] + e[8]  # x -> v <- y
roles = {"x ← v → y": confounded, "x → v → y": mediated, "x → v ← y": collided}
roles = {
    arrows: (stats.pearsonr(*xyv[:2]).statistic, stats.partial_correlation(*xyv).statistic)
    for arrows, xyv in roles.items()
}
_, (mediator_r, mediator_partial), (collider_r, collider_partial) = roles.values()
assert min(roles["x ← v → y"][0], mediator_r) > 0.4
assert max(abs(roles["x ← v → y"][1]), abs(mediator_partial), abs(collider_r)) < 0.1
assert collider_partial < -0.4, "Holding a collider fixed creates a correlation."

# %% label="roles"
heads = ["v is a", "x causes y", "r", "partial r, v fixed"]
names = zip(("confounder", "mediator", "collider"), ("no", "yes", "no"), strict=True)
rows = [(*name, *numbers) for name, numbers in zip(names, roles.values(), strict=True)]
pd.DataFrame(rows, index=list(roles), columns=heads).style.format(precision=2)

# %% [markdown]
# ## Nonsense with real data
# Carbon dioxide over Hawaii and consumer prices in the USA. Two things that grow for decades
# correlate. Their yearly changes are another question.

# %% values="r_levels r_changes changes_low changes_high partial_year first_year last_year memory"
weekly = co2.load_pandas().data["co2"]  # ppm
levels = pd.DataFrame(
    {
        "CO₂": weekly.interpolate().groupby(weekly.index.year).mean(),  # some weeks are missing
        "US prices": macrodata.load_pandas().data.groupby("year")["cpi"].mean(),
    }
).dropna()
years, (gas, prices) = levels.index.to_numpy(), levels.to_numpy().T
first_year, last_year = int(years[0]), int(years[-1])
changes = np.diff(gas), 100 * np.diff(prices) / prices[:-1]  # ppm, per cent
r_levels = stats.pearsonr(gas, prices).statistic
r_changes = stats.pearsonr(*changes).statistic
memory = stats.pearsonr(changes[1][1:], changes[1][:-1]).statistic  # with the year before

# Neighboring years resemble one another, so whole blocks of years are drawn.
n, block = len(changes[0]), 5
starts = rng.integers(n, size=(4000, n // block + 1))
drawn = (starts[:, :, None] + np.arange(block)) % n  # the first year follows the last
resampled = correlate(np.stack(changes)[:, drawn.reshape(4000, -1)[:, :n]])
changes_low, changes_high = np.quantile(resampled, (0.025, 0.975))
fisher_low, fisher_high = stats.pearsonr(*changes).confidence_interval()
partial_year = stats.partial_correlation(gas, prices, years).statistic
print(f"levels {r_levels:.2f}, with the year fixed {partial_year:.2f}; changes {r_changes:.2f}")
print(f"95% interval of the changes' r: {changes_low:.2f} to {changes_high:.2f} by blocks,")
print(f"{fisher_low:.2f} to {fisher_high:.2f} if the years were independent")
assert r_levels > 0.98, "CO2 over Hawaii and prices in the USA correlate almost perfectly."
assert changes_low < 0 < changes_high, (
    "The yearly changes of CO2 and prices need not correlate at all."
)
assert changes_high - changes_low > fisher_high - fisher_low
assert memory > 0.7
assert partial_year > 0.7
assert min(np.polyfit(years - 1980, values, 2)[0] for values in (gas, prices)) > 0  # bend up

# %% label="nonsense" alt="Left: two rising curves, close together. Right: their yearly changes, a cloud without direction." caption="Left: two series, each scaled to its own range. Right: their changes from year to year." tags=["remove-input"]
fig, (left, right) = plt.subplots(1, 2, figsize=(5, 3))
for name, values in levels.items():
    left.plot(years, (values - values.min()) / np.ptp(values), label=name)
left.set(xlabel="year", ylabel="share of its range", title=f"r = {r_levels:.2f}")
left.legend()
dots(right, *changes, xlabel="CO₂ change (ppm per year)", ylabel="price change (%)")

# %% [markdown]
# ## Columns that say the same
# `s1` and `s2` are nearly one variable: total cholesterol and LDL. `s3` is HDL, and `s5` looks
# like the logarithm of the triglycerides. Friedewald's formula of 1972 estimates
# LDL = total − HDL − triglycerides / 5.

# %% values="r_s1_s2 formula_share"
r_s1_s2 = stats.pearsonr(table["s1"], table["s2"]).statistic
friedewald = table["s2"] + table["s3"] + np.exp(table["s5"]) / 5
formula_share = np.mean(np.abs(table["s1"] - friedewald) < 0.5)
print(f"the formula holds within half a mg/dl for {formula_share:.0%} of the people")
assert formula_share == 1

# %% label="matrix" alt="A table of correlations in color. The darkest pair is s1 with s2; the last row, progress, is strongest with bmi and s5." caption="Pearson's r of every pair. The last row: each input with the progress." tags=["remove-input"]
matrix = stats.correlation_matrix(table.to_numpy()).statistic  # (11, 11)
assert np.isclose(np.abs(matrix - np.eye(11)).max(), r_s1_s2)
once = np.where(np.tri(11, k=-1), matrix, np.nan)  # each pair once
fig, ax = plt.subplots(figsize=(5, 3.8))
plot.matrix(ax, once[1:, :-1], list(table)[1:], list(table)[:-1])

# %% [markdown]
# So one column was computed from others. What does that do to a linear model? Drop `s1`, and look
# at the variance inflation (VIF) of `s2`, its coefficient ± the standard deviation over bootstrap
# samples, and the $R^2$ of ten repetitions of tenfold cross-validation.

# %% label="inflation" values="vif_s1 vif_s2 vif_s2_after sd_s2 sd_s2_after s2_before s2_after r2_before r2_after r2_worst r2_best"
z = (table[inputs] - table[inputs].mean()) / table[inputs].std()  # one unit: one SD
folds = RepeatedKFold(n_splits=10, n_repeats=10, random_state=0)


def slopes(x, y):
    design = np.column_stack([np.ones(len(x)), x])
    return np.linalg.lstsq(design, y, rcond=None)[0][1:]


def describe(x):
    spread = stats.bootstrap((x, y), slopes, paired=True, n_resamples=1000, rng=0)
    vif = stats.variance_inflation_factor(x.to_numpy())
    columns = {"VIF": vif, "coefficient": slopes(x, y), "SD": spread.standard_error}
    return pd.DataFrame(columns, index=list(x))


def r_squared(x):
    """Return the cross-validated R² of each repetition, (10,)."""
    return cross_val_score(LinearRegression(), x, y, cv=folds).reshape(10, 10).mean(axis=1)


rest = z.drop(columns="s1")
before, after = describe(z), describe(rest)
vif_s1 = before.loc["s1", "VIF"]
vif_s2, s2_before, sd_s2 = before.loc["s2"]
vif_s2_after, s2_after, sd_s2_after = after.loc["s2"]
r2_all, r2_rest = r_squared(z), r_squared(rest)
r2_before, r2_after = r2_all.mean(), r2_rest.mean()
r2_worst, r2_best = np.min(r2_rest - r2_all), np.max(r2_rest - r2_all)
print(f"with s1: s2 has VIF {vif_s2:.1f} and {s2_before:.0f} ± {sd_s2:.0f}, R² {r2_before:.3f}")
print(f"without: {vif_s2_after:.1f}, {s2_after:.0f} ± {sd_s2_after:.0f}, R² {r2_after:.3f}")
assert vif_s2 > 30, "The coefficient of s2 is inflated by other columns."
assert vif_s2_after < 5, "Dropping s1 ends the inflation of s2."
assert sd_s2 > 2.5 * sd_s2_after, "Dropping s1 stabilizes the coefficient of s2."
assert 0 < s2_before < 2 * sd_s2  # neither sign is safe
assert 0 < -s2_after < 2 * sd_s2_after
assert r2_before - 0.01 < r2_after < r2_before + 0.001
assert -0.01 < r2_worst < r2_best < 0.008, (
    "Dropping s1 hardly changes the prediction, in any of ten repetitions."
)

# %% [markdown]
# ## Which inputs matter?
# Each input's correlation with the progress; its partial correlation, with the nine others
# held fixed; and the share of the variance, cross-validated, that a linear model explains by it
# alone and loses without it. The share is negative where the mean alone predicts better.

# %% values="r_bmi r_s5 r_s4 partial_s4 partial_sex partial_sex_p alone_s4 alone_sex loss_sex loss_sex_least loss_bmi"
rows, lost = {}, {}
for name in inputs:
    others = z.drop(columns=name)
    r, _ = stats.pearsonr(z[name], y)
    partial = stats.partial_correlation(z[name], y, others.to_numpy())
    alone, lost[name] = r_squared(z[[name]]).mean(), r2_all - r_squared(others)
    rows[name] = r, partial.statistic, partial.pvalue, alone, lost[name].mean()

heads = ["r", "partial r", "p of partial r", "R² alone", "R² lost without"]
relevance = pd.DataFrame(rows, index=heads).T
r_bmi, r_s5, r_s3, r_bp = relevance["r"][["bmi", "s5", "s3", "bp"]]
r_s4, partial_s4, _, alone_s4, loss_s4 = relevance.loc["s4"]
_, partial_sex, partial_sex_p, alone_sex, loss_sex = relevance.loc["sex"]
loss_sex_least = lost["sex"].min()  # of ten repetitions
loss_bmi = relevance.loc["bmi", "R² lost without"]
assert r_bmi > r_s5 > 0.5, "Body mass and s5 correlate with the progress, at more than .5."
assert r_s4 > 0.4
assert abs(partial_s4) < 0.1, "What s4 tells, the nine other inputs tell as well."
assert loss_s4 < 0.001
assert partial_sex < -0.15
assert partial_sex_p < 0.001, (
    "With the nine other inputs held fixed, sex is related to the progress."
)
assert alone_sex < 0
assert loss_sex_least > 0.005
assert 0.15 < loss_sex / loss_bmi < 0.3

# %% label="relevance" alt="Two bars for each of ten inputs. s4: a long one and one near zero. sex: one near zero and a clearly negative one." caption="What each input tells alone (solid) and beyond the nine others (hatched)." tags=["remove-input"]
place, orange = np.arange(10), plot.COLORS["orange"]
fig, ax = plt.subplots()
ax.bar(place - 0.2, relevance["r"], 0.4, color=plot.COLORS["blue"], label="alone")
style = {"color": "none", "edgecolor": orange, "hatch": "////", "label": "beyond the others"}
ax.bar(place + 0.2, relevance["partial r"], 0.4, **style)
ax.set_xticks(place, inputs)
ax.set(ylabel="correlation with progress")
ax.legend(loc="lower left")
digits = dict.fromkeys(heads, "{:.3f}")
digits["p of partial r"] = lambda p: f"{p:.3f}" if p else "< 0.001"
(relevance.round(3) + 0.0).style.format(digits)  # or -0.0004 would be -0.000

# %% [markdown]
# Why does sex look useless alone? Those coded 2 have a higher blood pressure and less HDL, which
# go with more progress. Among people equal in these two, those coded 2 have less. In standard
# units, the slope of progress on sex alone is the sum of the two: the slope with `bp` and `s3` in
# the model, and what passes through them.

# %% label="masked" values="r_sex_bp r_sex_s3 partial_sex_two direct_sex through_sex"
r_sex_bp, r_sex_s3 = (stats.pearsonr(sex, table[name]).statistic for name in ("bp", "s3"))
partial_sex_two = stats.partial_correlation(sex, y, table[["bp", "s3"]]).statistic
direct_sex, *others = slopes(z[["sex", "bp", "s3"]], (y - y.mean()) / y.std(ddof=1))
through_sex = others @ np.array([r_sex_bp, r_sex_s3])
print(f"sex with progress {r_sex:.2f}; with bp and s3 held fixed {partial_sex_two:.2f}")
print(f"{direct_sex:.2f} beyond bp and s3, {through_sex:+.2f} through them")
assert np.isclose(direct_sex + through_sex, r_sex)
assert r_sex_bp > 0.15
assert r_sex_s3 < -0.3
assert r_bp > 0.3 > -0.3 > r_s3  # high bp, and little s3, go with more progress
assert partial_sex_two < -0.15

# %% [markdown]
# ## What a neuron makes of it
# Scale two columns to mean 0 and standard deviation 1, and train a linear neuron to predict one
# from the other. Its weight ends at Pearson's $r$, and it explains the share $r^2$ of the variance.


# %% label="neuron" values="neuron_weight explained"
def trained_weight():
    u, v = ((column - column.mean()) / column.std() for column in (x, y))
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.25), "mean_squared_error")
    for _ in range(40):
        model.train_on_batch(u[:, None], v[:, None])
    errors = v - model.predict(u[:, None], verbose=0)[:, 0]
    return float(model.get_weights()[0][0, 0]), 1 - np.mean(errors**2)  # v has variance 1


neuron_weight, explained = trained_weight()
print(f"weight {neuron_weight:.4f}, r = {r_positive:.4f}")
assert abs(neuron_weight - r_positive) < 1e-4, (
    "The weight of one linear neuron on scaled data is Pearson's r."
)
assert abs(explained - r_positive**2) < 1e-4

# %% [markdown]
# ## The same in other libraries
# SciPy, pandas, statsmodels, and Keras: from here on `keras` is Keras itself.

# %% label="agreement" values="largest_gap"
import keras
import scipy.stats
import statsmodels.api as sm
from statsmodels.stats.outliers_influence import variance_inflation_factor

pairs = [(cov_metric, table.cov().loc["bmi", "progress"])]
for name in "pearsonr", "spearmanr", "kendalltau":
    ours, theirs = getattr(stats, name)(x, y), getattr(scipy.stats, name)(x, y)
    pairs += zip(ours, theirs, strict=True)
for name in "pearson", "spearman", "kendall":
    matrix = stats.correlation_matrix(table.to_numpy(), name).statistic
    pairs += [(matrix, table.corr(name).to_numpy())]
theirs = scipy.stats.pearsonr(x, y).confidence_interval()
pairs += [(bmi_low, theirs.low), (bmi_high, theirs.high)]
design = sm.add_constant(z)
fit = sm.OLS(y, design).fit()
pairs += [(slopes(z, y), fit.params[inputs]), (partial_sex_p, fit.pvalues["sex"])]
pairs += [(vif_s2, variance_inflation_factor(design.to_numpy(), 1 + inputs.index("s2")))]
largest_gap = max(float(np.max(np.abs(ours - theirs))) for ours, theirs in pairs)
print(f"{len(pairs)} comparisons agree to {largest_gap:.0e}")
assert largest_gap < 1e-9, "labkit's statistics and SciPy's agree."
assert np.allclose(trained_weight(), (neuron_weight, explained), atol=1e-4)

# %% [markdown]
# ## Solutions to the exercises
# **1.** The triglycerides themselves in place of `s5`.

# %% label="exercise-1" tags=["solution"]
unlogged = z.assign(s5=np.exp(table["s5"])).to_numpy()
vif_exact = stats.variance_inflation_factor(unlogged)[inputs.index("s1")]
print(f"{vif_s1:.0f} with log triglycerides, {vif_exact:,.0f} with triglycerides")
assert vif_exact > 1e5

# %% [markdown]
# **2.** 200 columns of noise.

# %% label="exercise-2" tags=["solution"] values="noise_hits"
noise = np.random.default_rng(1).normal(size=(200, people))
pvalues = np.array([stats.pearsonr(column, y).pvalue for column in noise])
noise_hits, survivors = np.sum(pvalues < 0.05), np.sum(pvalues < 0.05 / 200)
print(f"{noise_hits} have p < 0.05, {survivors} p < 0.05 / 200")
assert 3 <= noise_hits <= 20
assert survivors <= 1

# %% [markdown]
# **3.** Negative in each of three groups, positive overall.

# %% label="exercise-3" tags=["solution"]
a, b = rng.normal(size=(2, 3, 60))  # three groups of 60
shift = 4 * np.arange(3)[:, None]
u, v = shift + a, shift - a + 0.5 * b
within = max(stats.pearsonr(*group).statistic for group in zip(u, v, strict=True))
overall = stats.pearsonr(u.ravel(), v.ravel()).statistic
print(f"overall r = {overall:.2f}, in each group {within:.2f} or less")
assert within < -0.7
assert overall > 0.5

# %% [markdown]
# **4.** Two unrelated random walks.

# %% label="exercise-4" tags=["solution"]
steps = rng.normal(size=(2, 4000, 100))
walks = steps.cumsum(axis=-1)
of_walks, of_steps = (np.mean(np.abs(correlate(pairs)) > limit) for pairs in (walks, steps))
print(f"p < 0.05 for {of_walks:.0%} of the walks, for {of_steps:.0%} of their steps")
assert of_walks > 0.6
assert 0.03 < of_steps < 0.07

# %% [markdown]
# **5.** The third with the best sum of two unrelated marks; the middle half of a cloud.

# %% label="exercise-5" tags=["solution"]
first, second = rng.normal(size=(2, 3000))
admitted = first + second > np.quantile(first + second, 2 / 3)
r_admitted = stats.pearsonr(first[admitted], second[admitted]).statistic
middle = cloud[:, np.abs(cloud[0]) < np.quantile(np.abs(cloud[0]), 0.5)]
r_middle = stats.pearsonr(*middle).statistic
slope, slope_middle = np.polyfit(*cloud, 1)[0], np.polyfit(*middle, 1)[0]
print(f"marks of the admitted: r = {r_admitted:.2f}")
print(f"cloud: r = {r_clean:.2f}, slope {slope:.2f}; middle: {r_middle:.2f}, {slope_middle:.2f}")
assert r_admitted < -0.4
assert r_middle < 0.7 * r_clean
assert abs(slope_middle - slope) < 0.1

# %%
plt.show()
