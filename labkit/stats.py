"""Covariance, correlation and how certain they are, in NumPy alone.

A correlation is one line of arithmetic; how far to trust it is not. This module holds both
under SciPy's names, so that a chapter can show what stands behind `scipy.stats`: p-values
from the incomplete beta function and from counting permutations, confidence intervals by
Fisher's transformation, and the bootstrap where no formula holds.

Covariance and correlations take `nan_policy` as SciPy does: `"propagate"` gives NaN where a
value is NaN, `"omit"` leaves out pairs with a NaN, `"raise"` refuses them. What a masked array
hides is left out in any case.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import erfc, exp, lgamma, log, log1p, sqrt
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labkit._common import Array, expect

__all__ = ["BootstrapResult", "ConfidenceInterval", "CorrelationResult", "bootstrap"]
__all__ += ["correlation_matrix", "covariance", "kendalltau", "mutual_information"]
__all__ += ["partial_correlation", "pearsonr", "spearmanr", "variance_inflation_factor"]


class ConfidenceInterval(NamedTuple):
    """The two ends of a confidence interval.

    Attributes:
        low: Lower end, a number or an array.
        high: Upper end, a number or an array.
    """

    low: Any
    high: Any


@dataclass(frozen=True)
class CorrelationResult:
    """A correlation and its certainty; unpacks into `statistic, pvalue` as SciPy's do.

    Attributes:
        statistic: The coefficient, from -1 to 1; a matrix from `correlation_matrix`.
        pvalue: Probability of a coefficient at least as far from 0 if the variables were
            independent (two-sided).
        standard_error: Of `arctanh(statistic)`, on which scale the interval is symmetric.
    """

    statistic: Any
    pvalue: Any
    standard_error: Any

    def __iter__(self) -> Iterator[Any]:
        return iter((self.statistic, self.pvalue))

    def confidence_interval(self, confidence_level: float = 0.95) -> ConfidenceInterval:
        """Find the interval that covers the true coefficient at the given rate.

        Fisher's transformation makes the coefficient's distribution nearly normal:
        `tanh(arctanh(r) ± q * standard_error)`, q being the normal quantile (R. A. Fisher,
        Metron 1, 1921). It is exact for no finite sample, close for pairs from a normal
        distribution, and may be far off otherwise: see `bootstrap`.

        Args:
            confidence_level: Between 0 and 1.

        Returns:
            The two ends, of the shape of `statistic`; -1 and 1 where there are too few
            samples to say anything.

        Raises:
            ValueError: `confidence_level` is not between 0 and 1.
        """
        half = _quantile(confidence_level) * self.standard_error
        # A little short of ±1, where arctanh is infinite.
        center = np.arctanh(np.clip(self.statistic, -1 + 2**-53, 1 - 2**-53))
        return ConfidenceInterval(np.tanh(center - half), np.tanh(center + half))


@dataclass(frozen=True)
class BootstrapResult:
    """What resampling says about a statistic.

    Attributes:
        confidence_interval: Its two ends, of the statistic's shape.
        bootstrap_distribution: The statistic of each resample, shape (..., n_resamples).
        standard_error: The standard deviation of that distribution.
    """

    confidence_interval: ConfidenceInterval
    bootstrap_distribution: Array
    standard_error: Any


def covariance(x: Any, y: Any, *, ddof: int = 1, nan_policy: str = "propagate") -> float:
    """Average the product of two variables' deviations from their means.

    `sum((x - mean(x)) * (y - mean(y))) / (n - ddof)`, in the unit of x times the unit of y.

    Args:
        x: Shape (samples,).
        y: Shape (samples,).
        ddof: 1 for the unbiased estimate from a sample, 0 for a whole population.
        nan_policy: See the module.

    Returns:
        The covariance.

    Raises:
        ValueError: The two are not vectors of finite numbers of one length, or `ddof`
            leaves nothing to divide by.
    """
    x, y = _checked("covariance", x, y, nan_policy=nan_policy)
    expect(x.size > ddof, f"covariance expects more than {ddof} samples", x.size)
    return float((x - x.mean()) @ (y - y.mean()) / (x.size - ddof))


def pearsonr(x: Any, y: Any, *, nan_policy: str = "propagate") -> CorrelationResult:
    """Measure how nearly two variables lie on a line: Pearson's r, with its p-value.

    `r = cov(x, y) / (std(x) * std(y))`. For independent normal variables r follows a beta
    distribution on (-1, 1) with both parameters n/2 - 1, hence
    `p = I(1 - r²; n/2 - 1, 1/2)` with the regularized incomplete beta function I
    (Student, Biometrika 6, 1908, <https://doi.org/10.1093/biomet/6.2-3.302>).

    Args:
        x: Shape (samples,), at least two.
        y: Shape (samples,).
        nan_policy: See the module.

    Returns:
        r, its p-value, and `confidence_interval()` with standard error `1 / sqrt(n - 3)`.
        NaN, with a warning, if a variable is constant.

    Raises:
        ValueError: The two are not vectors of finite numbers of one length.
    """
    x, y = _checked("pearsonr", x, y, nan_policy=nan_policy)
    return _pearson(x, y, x.size - 2)


def spearmanr(x: Any, y: Any, *, nan_policy: str = "propagate") -> CorrelationResult:
    """Measure how nearly one variable rises with the other: Pearson's r of their ranks.

    Equal values share the mean of their ranks. The p-value is that of `pearsonr`, an
    approximation that is good from some ten samples on (C. Spearman, American Journal of
    Psychology 15, 1904, <https://doi.org/10.2307/1412159>).

    Args:
        x: Shape (samples,), at least two.
        y: Shape (samples,).
        nan_policy: See the module.

    Returns:
        The coefficient, its p-value, and `confidence_interval()` with standard error
        `sqrt((1 + r²/2) / (n - 3))` (D. Bonett and T. Wright, Psychometrika 65, 2000,
        <https://doi.org/10.1007/BF02294183>). NaN, with a warning, if a variable is
        constant.

    Raises:
        ValueError: The two are not vectors of numbers of one length.
    """
    x, y = _checked("spearmanr", x, y, nan_policy=nan_policy, finite=False)
    result = _pearson(_ranks(x), _ranks(y), x.size - 2)
    error = result.standard_error * sqrt(1 + result.statistic**2 / 2)
    return replace(result, standard_error=error)


def kendalltau(x: Any, y: Any, *, nan_policy: str = "propagate") -> CorrelationResult:
    """Compare all pairs of samples: do both variables put them in the same order?

    Kendall's tau-b, counted in pairs of samples:
    `(concordant - discordant) / sqrt((pairs - x_ties) * (pairs - y_ties))`. Without ties
    and up to 33 samples the p-value is exact, by counting the permutations with as few
    inversions; otherwise it comes from the normal distribution with the variance corrected
    for ties (M. Kendall, "Rank correlation methods", 4th edition, 1970, chapters 4 and 5).

    Args:
        x: Shape (samples,), at least two.
        y: Shape (samples,).
        nan_policy: See the module.

    Returns:
        tau, its p-value, and `confidence_interval()` with standard error
        `sqrt(0.437 / (n - 4))` (E. Fieller, H. Hartley and E. Pearson, Biometrika 44, 1957,
        <https://doi.org/10.1093/biomet/44.3-4.470>), meant for |tau| < 0.8. NaN, with a
        warning, if a variable is constant.

    Raises:
        ValueError: The two are not vectors of numbers of one length.
    """
    x, y = _checked("kendalltau", x, y, nan_policy=nan_policy, finite=False)
    n = x.size
    error = sqrt(0.437 / (n - 4)) if n > 4 else np.inf
    if _undefined(x, y):
        return CorrelationResult(np.nan, np.nan, error)
    x, y = (np.unique(v, return_inverse=True)[1] for v in (x, y))  # 0, 1, … in order of size
    # All n samples as one group; groups of equal values in x; in y; and in both.
    groups = [np.array([n]), *(np.unique(v, return_counts=True)[1] for v in (x, y, x * n + y))]
    twos, x_twos, y_twos, both_twos = (float((t * (t - 1)).sum()) for t in groups)
    # Sorted by x, and by y where x is equal, the discordant pairs are the inversions of y. The
    # balance is the concordant pairs, which are neither discordant nor equal, less these.
    discordant = _inversions(y[np.lexsort((y, x))])
    balance = int(twos - x_twos - y_twos + both_twos) // 2 - 2 * discordant
    tau = 2 * balance / sqrt(twos - x_twos) / sqrt(twos - y_twos)
    few = int(twos / 2 - abs(balance)) // 2  # the rarer of concordant and discordant pairs
    groups.pop()
    if x_twos == y_twos == 0 and (n <= 33 or few <= 1):
        pvalue = min(1.0, 2 * _inversions_at_most(few, n))
    else:
        # Kendall, chapter 4, the variance of the balance with ties of t in x and u in y:
        # v = (n(n-1)(2n+5) - Σ t(t-1)(2t+5) - Σ u(u-1)(2u+5)) / 18
        #   + Σ t(t-1)(t-2) Σ u(u-1)(u-2) / (9 n(n-1)(n-2)) + Σ t(t-1) Σ u(u-1) / (2 n(n-1))
        threes, x_threes, y_threes = (float((t * (t - 1) * (t - 2)).sum()) for t in groups)
        fives, x_fives, y_fives = (float((t * (t - 1) * (2 * t + 5)).sum()) for t in groups)
        variance = (fives - x_fives - y_fives) / 18
        variance += x_threes * y_threes / (9 * threes) + x_twos * y_twos / (2 * twos)
        pvalue = erfc(abs(balance) / sqrt(2 * variance))
    return CorrelationResult(float(np.clip(tau, -1, 1)), pvalue, error)


def partial_correlation(
    x: Any, y: Any, covariates: Any, *, nan_policy: str = "propagate"
) -> CorrelationResult:
    """Measure what linear relation is left when other variables are held fixed.

    Pearson's r of what a least-squares fit on the covariates leaves of x and of y; k
    covariates cost k degrees of freedom (R. A. Fisher, Metron 3, 1924).

    Args:
        x: Shape (samples,).
        y: Shape (samples,).
        covariates: What is held fixed, shape (samples,) or (samples, k).
        nan_policy: See the module.

    Returns:
        The coefficient, its p-value, and `confidence_interval()` with standard error
        `1 / sqrt(n - 3 - k)`. NaN, with a warning, if the covariates explain x or y fully.

    Raises:
        ValueError: The shapes do not fit, a value is infinite, or there are k + 2
            samples or fewer.
    """
    covariates = np.atleast_2d(np.asarray(covariates).T)  # (k, samples)
    table = _checked("partial_correlation", x, y, *covariates, nan_policy=nan_policy)
    variables, samples = table.shape
    expect(samples > variables, f"partial_correlation expects > {variables} samples", samples)
    if not np.isnan(table).any():
        table = np.stack([_residual(variable, table[2:]) for variable in table[:2]])
    return _pearson(table[0], table[1], samples - variables)


def correlation_matrix(
    x: Any, method: str = "pearson", *, nan_policy: str = "propagate"
) -> CorrelationResult:
    """Correlate each column with each other column.

    Args:
        x: Shape (samples, variables).
        method: `"pearson"`, `"spearman"` or `"kendall"`, as in pandas.
        nan_policy: See the module; `"omit"` leaves out pair by pair, as pandas does. Where fewer
            than two samples are left, the result is NaN.

    Returns:
        `statistic` and `pvalue` of shape (variables, variables) each, and
        `confidence_interval()` of two such matrices.

    Raises:
        ValueError: `x` is not a matrix of numbers, or the method is unknown.
    """
    methods = {"pearson": pearsonr, "spearman": spearmanr, "kendall": kendalltau}
    expect(method in methods, f"method is one of {', '.join(methods)}", repr(method))
    columns = _columns("correlation_matrix", x)
    parts = np.empty((3, len(columns), len(columns)))
    absent = np.ma.getmaskarray(columns)
    if nan_policy == "omit" and columns.dtype.kind == "f":
        absent = absent | np.isnan(np.ma.getdata(columns))
    for i, j in np.argwhere(np.tri(len(columns))):  # the matrix is symmetric
        parts[:, i, j] = parts[:, j, i] = np.nan, np.nan, np.inf
        if (absent[i] | absent[j]).sum() <= absent.shape[1] - 2:
            result = methods[method](columns[i], columns[j], nan_policy=nan_policy)
            parts[:, i, j] = parts[:, j, i] = (*result, result.standard_error)
    return CorrelationResult(*parts)


def variance_inflation_factor(x: Any) -> Array:
    """Find how much a column's relation to the others widens its coefficient's variance.

    `1 / (1 - R²)`, where R² tells how well a linear fit on all other columns predicts the
    column: 1 for a column unrelated to the others, infinite for one that they determine.
    The standard error of its regression coefficient grows by the square root (D. Marquardt,
    Technometrics 12, 1970, <https://doi.org/10.1080/00401706.1970.10488699>).

    Args:
        x: The inputs of a regression, shape (samples, variables), without a constant
            column.

    Returns:
        One factor per column, shape (variables,).

    Raises:
        ValueError: `x` is not a matrix of finite numbers, a column is constant, or there
            are no more samples than columns.
    """
    table = _checked("variance_inflation_factor", *_columns("variance_inflation_factor", x))
    variables, samples = table.shape
    wanted = "variance_inflation_factor expects columns that vary, and more samples than columns"
    expect(samples > variables and np.ptp(table, axis=1).all(), wanted, (samples, variables))
    others = [np.delete(table, i, axis=0) for i in range(variables)]
    residuals = np.array([_residual(*pair) for pair in zip(table, others, strict=True)])
    with np.errstate(divide="ignore"):
        return np.asarray(table.var(axis=1) / residuals.var(axis=1))


def bootstrap(
    data: tuple[Any, ...],
    statistic: Callable[..., Any],
    *,
    n_resamples: int = 9999,
    paired: bool = False,
    confidence_level: float = 0.95,
    rng: np.random.Generator | int | None = None,
) -> BootstrapResult:
    """Estimate the certainty of any statistic by computing it again on resampled data.

    Each resample draws as many samples as there are, with replacement. The interval is read
    off the distribution of the results, corrected for bias and skewness ("BCa": B. Efron and
    R. Tibshirani, "An introduction to the bootstrap", 1993, chapter 14).

    Args:
        data: One or several arrays; samples along the first axis.
        statistic: Called with as many arrays; returns a number or an array.
        n_resamples: How many times to resample.
        paired: Draw the same rows from every array, which must then be of one length.
        confidence_level: Between 0 and 1.
        rng: A NumPy generator, or the seed of one.

    Returns:
        The interval, the distribution and its standard error.

    Raises:
        ValueError: An argument is not one of these, an array has fewer than two samples, or
            the data vary too little for an interval, as when all resamples give the same.
    """
    arrays = [np.atleast_1d(array) for array in data]
    sizes = [len(array) for array in arrays]
    enough = min(sizes, default=0) >= 2 and not (paired and len(set(sizes)) > 1)
    expect(enough, "bootstrap expects two or more samples each, as many if paired", sizes)
    expect(n_resamples >= 2, "bootstrap expects n_resamples of at least 2", n_resamples)
    quantile = _quantile(confidence_level)
    generator = np.random.default_rng(rng)
    rows = [np.arange(n) for n in (sizes[:1] if paired else sizes)]

    def measure(*rows: np.ndarray) -> Any:
        """Compute the statistic of these rows of the arrays."""
        rows = rows * len(arrays) if paired else rows
        return statistic(*(array[i] for array, i in zip(arrays, rows, strict=True)))

    draws = [measure(*(generator.choice(i, i.size) for i in rows)) for _ in range(n_resamples)]
    distribution = np.stack(draws, axis=-1)  # (..., n_resamples)
    # Equation 14.14: the bias, from the share of draws below the estimate.
    estimate = np.asarray(measure(*rows))[..., None]
    below = (np.sign(estimate - distribution).mean(axis=-1) + 1) / 2
    # Equation 14.15: the skewness of the samples' influence, found by leaving each out.
    influence = []
    for k, i in enumerate(rows):
        left = [measure(*rows[:k], np.delete(i, j), *rows[k + 1 :]) for j in i]
        influence += [(1 - 1 / i.size) * (np.mean(left, axis=0) - value) for value in left]
    squares, cubes = ((np.array(influence) ** power).sum(axis=0) for power in (2, 3))
    defined = ((squares > 0) & (below > 0) & (below < 1)).all()
    expect(defined, "bootstrap expects data that vary more", f"{below} of the draws below")
    bias, acceleration = np.vectorize(NormalDist().inv_cdf)(below), cubes / (6 * squares**1.5)
    # Equation 14.10: which quantiles of the distribution are the two ends.
    z = np.stack([bias - quantile, bias + quantile])  # (2, ...)
    shares = np.vectorize(NormalDist().cdf)(bias + z / (1 - acceleration * z))
    ends = np.vectorize(np.quantile, signature="(n),()->()")(distribution, shares)
    return BootstrapResult(ConfidenceInterval(*ends), distribution, distribution.std(-1, ddof=1))


def mutual_information(x: Any, y: Any, *, n_neighbors: int = 3) -> float:
    """Measure how much one variable tells about another, whatever their relation is.

    In nats; 0 for independent variables. It is the nearest-neighbor estimate of A. Kraskov,
    H. Stögbauer and P. Grassberger (Physical Review E 69, 2004, equation 8,
    <https://doi.org/10.1103/PhysRevE.69.066138>), after scaling both variables to unit
    variance. It is for continuous variables: do not trust it where many values are
    equal, as in classes and counts.

    Args:
        x: Shape (samples,).
        y: Shape (samples,).
        n_neighbors: The more, the less noise and the more bias.

    Returns:
        The estimate, at least 0.

    Raises:
        ValueError: The two are not vectors of one length, a value is not finite, a variable
            is constant, or there are `n_neighbors` samples or fewer.
    """
    table = _checked("mutual_information", x, y)
    n, ranges = table.shape[1], np.ptp(table, axis=1)
    expect(1 <= n_neighbors < n, f"mutual_information expects 1 <= n_neighbors < {n}", n_neighbors)
    expect(ranges.all(), "mutual_information expects variables that vary", f"ranges {ranges}")
    x, y = table / table.std(axis=1, keepdims=True)
    # digamma(m) for whole numbers m: -γ + 1 + 1/2 + … + 1/(m - 1); γ cancels in the sum.
    digamma = np.concatenate([[np.nan, 0.0], np.cumsum(1 / np.arange(1, n))])
    total = 0.0
    for i in range(n):
        dx, dy = np.abs(x - x[i]), np.abs(y - y[i])
        # The point itself is the 0th nearest, and is counted below as the estimate asks.
        radius = np.partition(np.maximum(dx, dy), n_neighbors)[n_neighbors]
        inside = np.sum([dx < radius, dy < radius], axis=1)
        total += float(digamma[np.maximum(inside, 1)].sum())
    return max(0.0, float(digamma[n] + digamma[n_neighbors] - total / n))


def _checked(name: str, *variables: Any, nan_policy: str = "raise", finite: bool = True) -> Array:
    """Check variables and return them as rows of one table, float64 (variables, samples).

    Where a NaN propagates, the whole table becomes NaN.
    """
    arrays = [np.ma.getdata(variable) for variable in variables]
    numeric = all(array.dtype.kind in "biuf" for array in arrays)
    alike = arrays[0].ndim == 1 and len({array.shape for array in arrays}) == 1
    came = " and ".join(f"{array.dtype} {array.shape}" for array in arrays)
    expect(numeric and alike, f"{name} expects real numbers, all of one shape (samples,)", came)
    policies = "propagate", "omit", "raise"
    expect(nan_policy in policies, f"nan_policy is one of {policies}", repr(nan_policy))
    masks = [np.ma.getmaskarray(np.ma.asarray(variable)) for variable in variables]
    table = np.array([*map(_doubles, arrays)])[:, ~np.any(masks, axis=0)]
    missing = np.isnan(table).any(axis=0)
    if nan_policy == "raise":
        expect(not missing.any(), f"{name} expects no NaN", f"NaN in {missing.sum()} samples")
    elif nan_policy == "omit":
        table = table[:, ~missing]
    elif missing.any():
        table[:] = np.nan
    samples = table.shape[1]
    expect(samples >= 2, f"{name} expects at least two samples", samples)
    expect(not (finite and np.isinf(table).any()), f"{name} expects finite numbers", "infinity")
    return table


def _doubles(x: Array) -> Array:
    """Return float64, in which integers beyond 2**53 would be rounded.

    They are counted from the smallest one instead, which changes no result of this module.
    """
    large = x.dtype.kind in "iu" and x.size and max(-int(x.min()), int(x.max())) > 2**53
    return np.asarray((x.astype(object) - int(x.min())) if large else x, np.float64)


def _columns(name: str, x: Any) -> Array:
    """Check a matrix and return its columns as rows."""
    matrix = x if np.ma.isMaskedArray(x) else np.asarray(x)
    wanted = f"{name} expects shape (samples, variables)"
    expect(matrix.ndim == 2 and matrix.size, wanted, matrix.shape)
    return matrix.T


def _undefined(x: Array, y: Array) -> bool:
    """Return whether a correlation is undefined; warn unless a NaN is the cause."""
    constant = bool((x == x[0]).all() or (y == y[0]).all())
    if constant:
        warnings.warn("A variable is constant: its correlation is undefined.", stacklevel=4)
    return constant or bool(np.isnan(x).any())


def _pearson(x: Array, y: Array, dof: int) -> CorrelationResult:
    """Find Pearson's r and its certainty for so many degrees of freedom."""
    error = sqrt(1 / (dof - 1)) if dof > 1 else np.inf
    if _undefined(x, y):
        return CorrelationResult(np.nan, np.nan, error)
    for v in (x, y):
        # SciPy's limit: what varies so little may be the rounding of the mean.
        if np.linalg.norm(v - v.mean()) < 1e-13 * abs(v.mean()):
            warnings.warn("A variable is nearly constant: rounding distorts r.", stacklevel=3)
    x, y = x - x.mean(), y - y.mean()
    x, y = x / np.abs(x).max(), y / np.abs(y).max()  # their squares cannot overflow
    r = float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1, 1))
    pvalue = _betainc(dof / 2, 0.5, (1 - r) * (1 + r)) if dof > 0 else 1.0
    return CorrelationResult(r, pvalue, error)


def _ranks(x: Array) -> Array:
    """Rank from 1, equal values sharing the mean of their ranks; NaN stays NaN."""
    _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    return np.where(np.isnan(x), np.nan, (np.cumsum(counts) - (counts - 1) / 2)[inverse])


def _residual(y: Array, others: Array) -> Array:
    """Find what a least-squares fit on others, (variables, samples), leaves of y."""
    y, others = y - y.mean(), others - others.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(others, axis=1, keepdims=True)
    others = others / np.where(norms == 0, 1, norms)  # so that units do not matter
    residual = y - np.linalg.lstsq(others.T, y)[0] @ others
    # What rounding leaves of a variable that the others determine is not a residual.
    return residual if residual @ residual > 1e-24 * (y @ y) else np.zeros_like(y)


def _betainc(a: float, b: float, x: float) -> float:
    """Compute the regularized incomplete beta function I(x; a, b).

    The continued fraction <https://dlmf.nist.gov/8.17.E22>, from its far end back to the
    front; it converges fast for x < (a + 1) / (a + b + 2), in some sqrt(max(a, b)) steps,
    and I(x; a, b) = 1 - I(1 - x; b, a) serves the rest.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _betainc(b, a, 1 - x)
    fraction = 0.0
    for m in reversed(range(60 + int(5 * sqrt(max(a, b))))):
        even = (m + 1) * (b - m - 1) * x / ((a + 2 * m + 1) * (a + 2 * m + 2))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        fraction = odd / (1 + even / (1 + fraction))
    front = exp(a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b)) / a
    return front / (1 + fraction)


def _inversions(x: NDArray[np.intp]) -> int:
    """Count the pairs of integers >= 0 of which the first is larger.

    Two numbers differ first in some bit, read from the top. For each bit the numbers are sorted
    by the bits above, and in each group of equal ones the zeros that follow a one are counted.
    """
    total = 0
    for bit in reversed(range(int(x.max()).bit_length())):
        ones = x >> bit & 1
        before = np.cumsum(ones) - ones  # ones before each number
        starts = np.flatnonzero(np.diff(x >> bit + 1, prepend=-1))  # of the groups
        before -= np.repeat(before[starts], np.diff(starts, append=x.size))
        total += int(before[ones == 0].sum())
        x = x[np.argsort(x >> bit, kind="stable")]
    return total


def _inversions_at_most(few: int, n: int) -> float:
    """Find the share of the permutations of n things with at most `few` inversions.

    The i-th thing, put in among the others, adds 0 to i - 1 inversions, each as often.
    """
    share = np.ones(1)
    for i in range(2, n + 1):
        share = np.convolve(share, np.full(min(i, few + 1), 1 / i))[: few + 1]
    return float(share.sum())


def _quantile(confidence_level: float) -> float:
    """Find the standard normal quantile for a two-sided interval."""
    expect(0 < confidence_level < 1, "confidence_level is between 0 and 1", confidence_level)
    return NormalDist().inv_cdf((1 + confidence_level) / 2)
