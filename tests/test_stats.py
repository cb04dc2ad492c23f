"""`labkit.stats` compared with SciPy, statsmodels, scikit-learn and published cases."""

import inspect
import itertools
import warnings

import numpy as np
import pandas
import pytest
import scipy.stats
import statsmodels.api
from sklearn.feature_selection import mutual_info_regression
from statsmodels.stats.outliers_influence import variance_inflation_factor

from labkit import datasets, stats

COEFFICIENTS = ("pearsonr", "spearmanr", "kendalltau")

# F. J. Anscombe, "Graphs in statistical analysis", The American Statistician 27 (1973).
ANSCOMBE_X = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
ANSCOMBE = {
    "line": (
        ANSCOMBE_X,
        [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68],
    ),
    "curve": (ANSCOMBE_X, [9.14, 8.14, 8.74, 8.77, 9.26, 8.1, 6.13, 3.1, 9.13, 7.26, 4.74]),
    "outlier": (
        ANSCOMBE_X,
        [7.46, 6.77, 12.74, 7.11, 7.81, 8.84, 6.08, 5.39, 8.15, 6.42, 5.73],
    ),
    "lever": (
        [8, 8, 8, 8, 8, 8, 8, 19, 8, 8, 8],
        [6.58, 5.76, 7.71, 8.84, 8.47, 7.04, 5.25, 12.5, 5.56, 7.91, 6.89],
    ),
}


def pairs(seed: int, n: int, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    """Draw two related variables; rounded, they have ties."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = 0.5 * x + rng.normal(size=n)
    return (np.round(x), np.round(y)) if ties else (x, y)


@pytest.mark.parametrize("name", [*COEFFICIENTS, "bootstrap"])
def test_arguments_have_scipys_names_order_and_defaults(name: str) -> None:
    """Each parameter has SciPy's name, place and default.

    SciPy's pearsonr has no nan_policy, and calls the variables of spearmanr a and b: its first
    may be a matrix.
    """
    own = {"pearsonr": {"nan_policy"}, "spearmanr": {"x", "y"}}.get(name, set())
    ours = inspect.signature(getattr(stats, name)).parameters
    theirs = inspect.signature(getattr(scipy.stats, name)).parameters
    shared = [word for word in ours if word in theirs]
    assert shared == [word for word in theirs if word in shared]
    assert set(ours) - set(shared) == own
    assert [ours[word].default for word in shared] == [theirs[word].default for word in shared]


@pytest.mark.parametrize("name", COEFFICIENTS)
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [3, 5, 10, 33, 34, 60, 500])
def test_coefficient_and_pvalue_match_scipy(name: str, ties: bool, n: int) -> None:
    """Statistic and p-value match SciPy, exact or approximate, with and without ties."""
    x, y = pairs(n, n, ties)
    ours, theirs = getattr(stats, name)(x, y), getattr(scipy.stats, name)(x, y)
    assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-12, abs=1e-15)
    assert ours.pvalue == pytest.approx(theirs.pvalue, rel=1e-9)


@pytest.mark.parametrize("name", COEFFICIENTS)
@pytest.mark.parametrize("noise", [1e-3, 0.1])
def test_tiny_pvalues_keep_their_digits(name: str, noise: float) -> None:
    """P-values far below 1e-16 keep their digits, which a difference from 1 would lose."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    y = x + noise * rng.normal(size=60)
    ours, theirs = getattr(stats, name)(x, y), getattr(scipy.stats, name)(x, y)
    assert theirs.pvalue < 1e-16
    assert ours.pvalue == pytest.approx(theirs.pvalue, rel=1e-8)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
@pytest.mark.parametrize("n", [3, 4, 10, 1000])
def test_pearson_interval_matches_scipy(n: int, level: float) -> None:
    """Fisher's interval matches SciPy, down to three samples, where it is (-1, 1)."""
    x, y = pairs(n, n, ties=False)
    ours = stats.pearsonr(x, y).confidence_interval(level)
    theirs = scipy.stats.pearsonr(x, y).confidence_interval(confidence_level=level)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize("kind", ANSCOMBE)
def test_anscombes_quartet_has_its_published_values(kind: str) -> None:
    """All four of Anscombe's sets have r = 0.82 and the covariance 5.5, as published."""
    x, y = ANSCOMBE[kind]
    assert stats.pearsonr(x, y).statistic == pytest.approx(0.8165, abs=5e-4)
    assert stats.covariance(x, y) == pytest.approx(5.50, abs=0.01)
    assert stats.pearsonr(x, y).pvalue == pytest.approx(0.00217, abs=2e-5)


@pytest.mark.parametrize("n", [4, 5, 6, 7])
def test_kendall_pvalue_counts_permutations(n: int) -> None:
    """The exact p-value is the share of all orders at least as extreme."""
    base = np.arange(n)
    orders = np.array(list(itertools.permutations(range(n))))
    taus = np.array([stats.kendalltau(base, order).statistic for order in orders])
    for order, tau in zip(orders[:: len(orders) // 24], taus[:: len(orders) // 24], strict=True):
        share = np.mean(np.abs(taus) >= abs(tau) - 1e-12)
        assert stats.kendalltau(base, order).pvalue == pytest.approx(share, rel=1e-12)


def test_spearman_interval_matches_a_published_example() -> None:
    """The interval is that of D. Bonett's R package statpsych for its own example."""
    y = [21, 4, 9, 12, 35, 18, 10, 22, 24, 1, 6, 8, 13, 16, 19]
    x = [67, 28, 30, 28, 52, 40, 25, 37, 44, 10, 14, 20, 28, 40, 51]
    result = stats.spearmanr(x, y)
    assert result.statistic == pytest.approx(0.8699639, abs=1e-7)
    low, high = result.confidence_interval(0.95)
    assert (low, high) == pytest.approx((0.5840951, 0.9638297), abs=1e-6)


@pytest.mark.parametrize(("name", "rank_of"), [("spearmanr", 0.4826), ("kendalltau", 1 / 3)])
def test_rank_intervals_cover_the_true_value(name: str, rank_of: float) -> None:
    """A 90 % interval covers the true value in about 90 % of 400 samples.

    For normal pairs with r = 0.5, tau is 2/π arcsin(r) and rho 6/π arcsin(r/2).
    """
    rng = np.random.default_rng(5)
    covered = []
    for _ in range(400):
        x = rng.normal(size=40)
        y = 0.5 * x + 0.75**0.5 * rng.normal(size=40)
        low, high = getattr(stats, name)(x, y).confidence_interval(0.9)
        covered.append(low <= rank_of <= high)
    assert 0.85 <= np.mean(covered) <= 0.95


def test_results_unpack_and_are_named() -> None:
    """A result unpacks into two numbers, as in SciPy, and the interval has named ends."""
    x, y = pairs(0, 20, ties=False)
    result = stats.pearsonr(x, y)
    statistic, pvalue = result
    assert (statistic, pvalue) == (result.statistic, result.pvalue)
    interval = result.confidence_interval()
    assert interval == (interval.low, interval.high)
    assert interval.low < statistic < interval.high


@pytest.mark.parametrize("name", COEFFICIENTS)
def test_perfect_relations_give_one(name: str) -> None:
    """A rising line gives 1, a falling line -1, and an interval of one value."""
    x = np.arange(6.0)
    for y, one in ((3 * x + 1, 1), (-x, -1)):
        result = getattr(stats, name)(x, y)
        assert result.statistic == pytest.approx(one, abs=1e-15)
        np.testing.assert_allclose(result.confidence_interval(), one)


@pytest.mark.parametrize("name", COEFFICIENTS)
@pytest.mark.parametrize("policy", ["propagate", "omit", "raise"])
def test_nan_policy_matches_scipy(name: str, policy: str) -> None:
    """NaN propagates, is omitted pairwise, or is refused, as in SciPy."""
    x, y = pairs(3, 12, ties=False)
    x[2], y[5] = np.nan, np.nan
    function = getattr(stats, name)
    if policy == "raise":
        with pytest.raises(ValueError, match="NaN in 2 samples"):
            function(x, y, nan_policy=policy)
        return
    ours = function(x, y, nan_policy=policy)
    if policy == "propagate":
        assert np.isnan([*ours, *ours.confidence_interval()]).all()
        return
    kept = ~(np.isnan(x) | np.isnan(y))
    assert tuple(ours) == pytest.approx(
        tuple(getattr(scipy.stats, name)(x[kept], y[kept])), rel=1e-9
    )


@pytest.mark.parametrize("name", COEFFICIENTS)
def test_constant_variable_warns_and_gives_nan(name: str) -> None:
    """A constant variable gives NaN, as in SciPy, and a warning that says so."""
    with pytest.warns(UserWarning, match="constant"):
        result = getattr(stats, name)([1, 2, 3, 4, 5], [7, 7, 7, 7, 7])
    assert np.isnan([*result, *result.confidence_interval()]).all()


def test_rank_correlations_accept_infinity() -> None:
    """Rank correlations order infinite values, as SciPy's do."""
    x, y = [1.0, np.inf, 2.0, -np.inf, 0.0], [1.0, 2.0, 3.0, -5.0, 0.5]
    for name in ("spearmanr", "kendalltau"):
        theirs = getattr(scipy.stats, name)(x, y)
        assert tuple(getattr(stats, name)(x, y)) == pytest.approx(tuple(theirs), rel=1e-9)


@pytest.mark.parametrize("ddof", [0, 1, 2])
def test_covariance_matches_numpy(ddof: int) -> None:
    """Covariance matches numpy.cov for each ddof."""
    x, y = pairs(1, 30, ties=False)
    assert stats.covariance(x, y, ddof=ddof) == pytest.approx(np.cov(x, y, ddof=ddof)[0, 1])


def test_covariance_with_a_large_offset_is_exact() -> None:
    """A large offset costs no digits, as it would with the mean of products."""
    x, y = np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 4.0])
    assert stats.covariance(x + 2.0**40, y) == stats.covariance(x, y)


@pytest.mark.parametrize("count", [1, 3])
def test_partial_correlation_matches_regression(count: int) -> None:
    """The p-value is that of x in a regression of y on x and the covariates."""
    data = datasets.load_diabetes()
    x, z, y = data.data[:, 2], data.data[:, 3 : 3 + count], data.target
    fit = statsmodels.api.OLS(y, np.column_stack([np.ones(len(y)), x, z])).fit()
    result = stats.partial_correlation(x, y, z)
    t, dof = fit.tvalues[1], len(y) - 2 - count
    assert result.statistic == pytest.approx(t / np.sqrt(t**2 + dof), rel=1e-9)
    assert result.pvalue == pytest.approx(fit.pvalues[1], rel=1e-6)
    assert result.standard_error == pytest.approx(1 / np.sqrt(len(y) - 3 - count))


def test_partial_correlation_ignores_units() -> None:
    """Units of the covariates, however far apart, do not change the result."""
    rng = np.random.default_rng(3)
    z = rng.normal(size=(50, 2))
    x, y = z @ [1, 2] + rng.normal(size=50), z @ [2, -1] + rng.normal(size=50)
    scaled = stats.partial_correlation(x, y, z * [1e12, 1e-12])
    assert scaled.statistic == pytest.approx(stats.partial_correlation(x, y, z).statistic, rel=1e-9)


def test_partial_correlation_of_one_covariate_follows_yules_formula() -> None:
    """For one covariate the result is that of G. U. Yule's formula of 1907."""
    rng = np.random.default_rng(2)
    z = rng.normal(size=50)
    x, y = z + rng.normal(size=50), z + rng.normal(size=50)
    xy, xz, yz = (stats.pearsonr(*two).statistic for two in ((x, y), (x, z), (y, z)))
    yule = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    assert stats.partial_correlation(x, y, z).statistic == pytest.approx(yule, rel=1e-12)


def test_partial_correlation_of_an_explained_variable_is_undefined() -> None:
    """A variable that the covariates fully explain gives NaN and a warning."""
    rng = np.random.default_rng(2)
    z, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    with pytest.warns(UserWarning, match="constant"):
        result = stats.partial_correlation(z @ [2.0, 3.0] + 1, y, z)
    assert np.isnan(result.statistic)


@pytest.mark.parametrize("method", ["pearson", "spearman", "kendall"])
def test_correlation_matrix_matches_pandas(method: str) -> None:
    """Coefficients match pandas; p-values and intervals match the function for one pair."""
    x = datasets.load_diabetes().data[:60, :5].copy()
    x[3, 1] = np.nan
    result = stats.correlation_matrix(x, method, nan_policy="omit")
    np.testing.assert_allclose(result.statistic, pandas.DataFrame(x).corr(method), atol=1e-12)
    one = getattr(stats, {"kendall": "kendalltau"}.get(method, f"{method}r"))(
        x[:, 1], x[:, 4], nan_policy="omit"
    )
    assert result.pvalue[1, 4] == result.pvalue[4, 1] == one.pvalue
    ends = result.confidence_interval(0.9)
    assert (ends.low[4, 1], ends.high[4, 1]) == pytest.approx(one.confidence_interval(0.9))


@pytest.mark.parametrize("method", ["pearson", "spearman", "kendall"])
def test_pairs_without_samples_give_nan_as_in_pandas(method: str) -> None:
    """A column of NaN only, and pairs that share a single sample, do not stop the others."""
    nan = np.nan
    rows = [[1, nan, 2, 3, nan], [2, nan, 1, nan, 5], [4, nan, 8, nan, 7], [3, nan, 4, 1, nan]]
    result = stats.correlation_matrix(rows, method, nan_policy="omit")
    np.testing.assert_allclose(result.statistic, pandas.DataFrame(rows).corr(method), atol=1e-12)
    assert np.isnan(result.pvalue[1]).all()
    assert np.isnan(result.confidence_interval().low[1]).all()


@pytest.mark.parametrize("name", ["pearsonr", "spearmanr", "kendalltau"])
def test_masked_values_are_left_out(name: str) -> None:
    """What a mask hides is left out, as by the functions of scipy.stats.mstats."""
    generator = np.random.default_rng(3)
    x, y = (np.ma.array(values, mask=values > 1) for values in generator.normal(size=(2, 30)))
    both = ~(x.mask | y.mask)
    expected = getattr(scipy.stats.mstats, name)(x, y)
    for result in (getattr(stats, name)(x, y), getattr(stats, name)(x.data[both], y.data[both])):
        assert result.statistic == pytest.approx(expected.statistic, rel=1e-12)
    matrix = stats.correlation_matrix(np.ma.stack([x, y, np.ma.masked_all(30)], axis=1))
    pearson = stats.pearsonr(x, y).statistic
    assert matrix.statistic[0, 1] == pearson
    assert np.isnan(matrix.statistic[2]).all()
    expected = np.cov(x.data[both], y.data[both])[0, 1]
    assert stats.covariance(x, y) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["pearsonr", "spearmanr", "kendalltau"])
@pytest.mark.parametrize("start", [2**60, -(2**62), 2**64 - 9])
def test_large_integers_keep_their_differences(name: str, start: int) -> None:
    """Integers that float64 would make equal give the result of the same steps from zero."""
    steps, y = np.array([0, 1, 2, 5, 4, 7]), np.array([2, 4, 3, 5, 5, 1])
    large = np.array([start + int(step) for step in steps])
    assert large.dtype.kind in "iu"
    function = getattr(stats, name)
    assert function(large, y).statistic == pytest.approx(function(steps, y).statistic, rel=1e-12)
    assert len(set(large.astype(float))) < len(set(steps))


def test_near_constant_variables_warn_as_in_scipy() -> None:
    """Where the variation drowns in rounding, labkit warns where SciPy does, and only there."""
    y = np.array([1.0, 3.0, 2.0, 5.0])
    for size in (1e-14, 1e-12):
        x = 1 + size * np.arange(4)
        with warnings.catch_warnings(record=True) as theirs:
            warnings.simplefilter("always")
            scipy.stats.pearsonr(x, y)
        with warnings.catch_warnings(record=True) as ours:
            warnings.simplefilter("always")
            stats.pearsonr(x, y)
        assert len(ours) == len(theirs) == (size < 1e-13)
        assert all("nearly constant" in str(warning.message) for warning in (*ours, *theirs))


@pytest.mark.parametrize("values", [3, 50, 10**9])
def test_kendall_of_many_samples_matches_scipy(values: int) -> None:
    """Inversions are counted right with many ties and with none."""
    x, y = np.random.default_rng(values).integers(0, values, (2, 3000))
    ours, theirs = stats.kendalltau(x, y), scipy.stats.kendalltau(x, y)
    assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-12)
    assert ours.pvalue == pytest.approx(theirs.pvalue, rel=1e-9)


def test_correlation_matrix_propagates_nan_by_column() -> None:
    """A NaN affects only the column that contains it."""
    x = np.random.default_rng(0).normal(size=(20, 3))
    x[0, 0] = np.nan
    missing = np.isnan(stats.correlation_matrix(x).statistic)
    np.testing.assert_array_equal(missing, [[1, 1, 1], [1, 0, 0], [1, 0, 0]])


def test_variance_inflation_matches_statsmodels() -> None:
    """On the diabetes data each factor matches statsmodels."""
    x = datasets.load_diabetes().data
    theirs = [variance_inflation_factor(x, i) for i in range(x.shape[1])]
    np.testing.assert_allclose(stats.variance_inflation_factor(x), theirs, rtol=1e-9)


def test_variance_inflation_ignores_units() -> None:
    """Units and offsets of the columns do not change the factors."""
    raw = datasets.load_diabetes(scaled=False).data
    scaled = datasets.load_diabetes().data
    np.testing.assert_allclose(
        stats.variance_inflation_factor(raw),
        stats.variance_inflation_factor(scaled),
        rtol=1e-6,
    )


def test_variance_inflation_of_a_determined_column_is_infinite() -> None:
    """The factors of a column that is the sum of two others, and of these, are infinite."""
    x = np.random.default_rng(1).normal(size=(40, 3))
    x = np.column_stack([x, x[:, 0] + x[:, 1]])
    factors = stats.variance_inflation_factor(x)
    assert np.isinf(factors[[0, 1, 3]]).all()
    assert 1 <= factors[2] < 1.5


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_bootstrap_matches_scipy(level: float) -> None:
    """From the same seed, interval, distribution and error match SciPy."""
    x = np.random.default_rng(4).exponential(size=25)
    keywords = {"n_resamples": 400, "confidence_level": level}
    ours = stats.bootstrap((x,), np.mean, rng=6, **keywords)
    theirs = scipy.stats.bootstrap((x,), np.mean, rng=6, **keywords)
    np.testing.assert_allclose(
        ours.bootstrap_distribution, theirs.bootstrap_distribution, rtol=1e-12
    )
    np.testing.assert_allclose(ours.confidence_interval, theirs.confidence_interval, rtol=1e-9)
    assert ours.standard_error == pytest.approx(theirs.standard_error, rel=1e-9)


def test_paired_bootstrap_matches_scipy() -> None:
    """Paired resampling of a correlation gives SciPy's interval from the same seed."""
    x, y = pairs(8, 30, ties=False)
    keywords = {"n_resamples": 300, "paired": True, "rng": 2}

    def r(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.corrcoef(a, b)[0, 1])

    ours = stats.bootstrap((x, y), r, **keywords)
    theirs = scipy.stats.bootstrap((x, y), r, vectorized=False, **keywords)
    np.testing.assert_allclose(ours.confidence_interval, theirs.confidence_interval, rtol=1e-9)


def test_bootstrap_of_two_samples_is_close_to_scipy() -> None:
    """For two independent samples the interval of a difference is close to SciPy's."""
    rng = np.random.default_rng(1)
    x, y = rng.exponential(size=40), rng.exponential(size=25) + 0.3

    def difference(a: np.ndarray, b: np.ndarray) -> float:
        return float(a.mean() - b.mean())

    ours = stats.bootstrap((x, y), difference, rng=0)
    theirs = scipy.stats.bootstrap((x, y), difference, vectorized=False, rng=0)
    np.testing.assert_allclose(ours.confidence_interval, theirs.confidence_interval, atol=0.03)


def test_bootstrap_of_an_array_resamples_rows() -> None:
    """A statistic of several values gets an interval for each, as it would alone."""
    table = np.random.default_rng(7).exponential(size=(30, 2))
    both = stats.bootstrap((table,), lambda t: t.mean(axis=0), n_resamples=200, rng=1)
    alone = stats.bootstrap((table[:, 1],), np.mean, n_resamples=200, rng=1)
    assert both.bootstrap_distribution.shape == (2, 200)
    assert both.confidence_interval.low[1] == pytest.approx(alone.confidence_interval.low)
    assert both.standard_error[1] == pytest.approx(alone.standard_error)


def test_bootstrap_refuses_constant_data() -> None:
    """If all samples are equal, nothing says how far the statistic may vary."""
    with pytest.raises(ValueError, match="data that vary"):
        stats.bootstrap((np.ones(5),), np.mean, n_resamples=20)


@pytest.mark.parametrize("neighbors", [1, 3, 10])
def test_mutual_information_matches_scikit_learn(neighbors: int) -> None:
    """The estimate matches scikit-learn's, which adds noise of 1e-10 to break ties."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=300)
    y = x**2 + 0.3 * rng.normal(size=300)
    theirs = mutual_info_regression(x[:, None], y, n_neighbors=neighbors, random_state=0)
    ours = stats.mutual_information(x, y, n_neighbors=neighbors)
    assert ours == pytest.approx(theirs[0], abs=1e-6)


def test_mutual_information_of_normal_pairs_is_near_the_exact_value() -> None:
    """For normal pairs with r = 0.8 the estimate is near the exact -log(1 - r²) / 2."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=2000)
    y = 0.8 * x + 0.6 * rng.normal(size=2000)
    assert stats.mutual_information(x, y) == pytest.approx(-0.5 * np.log(1 - 0.64), abs=0.06)


BAD_PAIRS = {
    "lengths": ([1, 2, 3], [1, 2], r"\(3,\) and int64 \(2,\)"),
    "rank": (np.ones((3, 2)), np.ones((3, 2)), r"\(3, 2\)"),
    "scalar": (1.0, 2.0, r"\(samples,\)"),
    "text": (["a", "b", "c"], [1, 2, 3], "<U1"),
    "complex": ([1j, 2, 3], [1, 2, 3], "complex128"),
    "empty": ([], [], "Received: 0"),
    "one": ([1], [2], "Received: 1"),
}


@pytest.mark.parametrize("name", [*COEFFICIENTS, "covariance", "mutual_information"])
@pytest.mark.parametrize("fault", BAD_PAIRS)
def test_bad_pairs_are_refused(name: str, fault: str) -> None:
    """Wrong shapes and types raise an error that says what was received, and where."""
    x, y, message = BAD_PAIRS[fault]
    with pytest.raises(ValueError, match=f"{name} expects.*{message}"):
        getattr(stats, name)(x, y)


@pytest.mark.parametrize("name", ["pearsonr", "covariance", "mutual_information"])
def test_infinity_is_refused_by_functions_of_means(name: str) -> None:
    """Functions that need means refuse infinite values."""
    with pytest.raises(ValueError, match="finite"):
        getattr(stats, name)([1, 2, np.inf, 4], [1, 2, 3, 5])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stats.pearsonr([1, 2, 3], [1, 2, 4], nan_policy="drop"), "'drop'"),
        (lambda: stats.pearsonr([1, 2, 3, 4], [1, 2, 4, 3]).confidence_interval(95), "95"),
        (lambda: stats.covariance([1, 2], [3, 4], ddof=2), "more than 2 samples"),
        (lambda: stats.partial_correlation([1, 2, 3], [1, 3, 2], [3, 1, 2]), "> 3 samples"),
        (lambda: stats.partial_correlation([1, 2, 3], [1, 3, 2], [3, 1]), "one shape"),
        (lambda: stats.correlation_matrix([1, 2, 3]), r"\(samples, variables\)"),
        (lambda: stats.correlation_matrix(np.eye(3), "phi"), "'phi'"),
        (lambda: stats.variance_inflation_factor([1, 2, 3]), r"\(samples, variables\)"),
        (lambda: stats.variance_inflation_factor(np.ones((5, 2))), "vary"),
        (lambda: stats.variance_inflation_factor(np.eye(3)), "more samples"),
        (lambda: stats.variance_inflation_factor([[1, np.nan], [2, 3], [4, 4]]), "NaN"),
        (lambda: stats.bootstrap((), np.mean), r"\[\]"),
        (lambda: stats.bootstrap(([1],), np.mean), r"\[1\]"),
        (lambda: stats.bootstrap(([1, 2], [1, 2, 3]), np.mean, paired=True), r"\[2, 3\]"),
        (lambda: stats.bootstrap(([1, 2],), np.mean, n_resamples=0), "n_resamples"),
        (
            lambda: stats.bootstrap(([1, 2],), np.mean, confidence_level=1),
            "between 0 and 1",
        ),
        (lambda: stats.mutual_information([1, 2, 3], [1, 3, 2]), "n_neighbors < 3"),
        (lambda: stats.mutual_information([1, 1, 1, 1, 1], [1, 3, 2, 5, 4]), "vary"),
        (lambda: stats.mutual_information([1, np.nan, 3], [1, 3, 2]), "no NaN"),
    ],
)
def test_bad_arguments_are_refused(call, message: str) -> None:
    """An impossible argument raises an error that says what was expected."""
    with pytest.raises(ValueError, match=message):
        call()


def test_inputs_are_not_changed() -> None:
    """No function changes its arguments."""
    x, y = pairs(0, 20, ties=False)
    x[0] = np.nan
    before = x.copy(), y.copy()
    for name in COEFFICIENTS:
        getattr(stats, name)(x, y)
        getattr(stats, name)(x, y, nan_policy="omit")
    stats.partial_correlation(x, y, y**2)
    np.testing.assert_array_equal((x, y), before)


def test_integers_booleans_and_lists_are_accepted() -> None:
    """Integers, booleans and lists work, without warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert stats.pearsonr([True, False, True, True], [1, 0, 3, 2]).statistic > 0
        assert stats.kendalltau([3, 1, 2, 2], (1, 0, 3, 2)).pvalue <= 1
