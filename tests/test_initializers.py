"""Initializers: their moments compared with Keras, their bounds, seeds and bad input."""

import re

import numpy as np
import pytest

from labkit import initializers, utils

NAMES = [name for name in initializers.__all__ if name not in ("Initializer", "get")]
RANDOM = [name for name in NAMES if name not in ("Constant", "Zeros", "Ones")]


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize("shape", [(300, 200), (3, 3, 60, 80), (70, 2)])
def test_moments_match_keras(name: str, shape: tuple[int, ...]) -> None:
    """Mean, spread and bounds match Keras, as far as samples of that size can."""
    import keras

    utils.set_random_seed(1)
    ours = getattr(initializers, name)()(shape)
    theirs = np.asarray(getattr(keras.initializers, name)(seed=1)(shape))
    spread = theirs.std()
    assert ours.dtype == theirs.dtype == np.float32
    assert ours.shape == shape
    error = 6 * spread / np.sqrt(ours.size)
    assert abs(ours.mean() - theirs.mean()) < error
    assert abs(ours.std() - spread) < error
    assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=0.35)


@pytest.mark.parametrize("distribution", ["Normal", "Uniform"])
@pytest.mark.parametrize(
    ("shape", "fan_in", "fan_out"),
    [
        ((100, 400), 100, 400),
        ((5, 5, 20, 40), 500, 1000),
        ((9000,), 9000, 9000),
        ((1, 20_000), 1, 20_000),
    ],
)
def test_variance_follows_fan_in_and_fan_out(
    shape: tuple[int, ...], fan_in: int, fan_out: int, distribution: str
) -> None:
    """The variance is that of the papers; a window multiplies inputs and outputs."""
    wanted = {"Glorot": 2 / (fan_in + fan_out), "He": 2 / fan_in, "Lecun": 1 / fan_in}
    utils.set_random_seed(2)
    for author, variance in wanted.items():
        values = getattr(initializers, author + distribution)()(shape, "float64")
        assert values.var() == pytest.approx(variance, rel=0.06)
        if distribution == "Uniform":  # from -a to a, with the variance a² / 3
            assert np.abs(values).max() == pytest.approx((3 * variance) ** 0.5, rel=0.01)


def test_truncated_normal_stays_within_two_deviations() -> None:
    """No value lies farther out, and the spread is that of the truncated distribution."""
    utils.set_random_seed(0)
    values = initializers.TruncatedNormal(1.0, 0.5)((100_000,))
    assert np.abs(values - 1).max() <= 1.0
    assert values.std() == pytest.approx(0.5 * 0.8796, rel=0.01)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (3, 3, 2, 5), (5, 5)])
def test_orthogonal_matrices_are_orthonormal(shape: tuple[int, ...]) -> None:
    """Rows or columns, whichever are fewer, are orthonormal, times the gain."""
    matrix = initializers.Orthogonal(gain=2.0)(shape, "float64").reshape(-1, shape[-1])
    product = matrix.T @ matrix if len(matrix) >= shape[-1] else matrix @ matrix.T
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)


def test_constants_fill_the_array() -> None:
    """Zeros, ones and any constant come in the requested shape and dtype, also if empty."""
    np.testing.assert_array_equal(initializers.Zeros()((2, 3)), np.zeros((2, 3)))
    np.testing.assert_array_equal(initializers.Ones()(()), 1)
    assert initializers.GlorotUniform()((0, 3)).shape == (0, 3)
    values = initializers.Constant(0.1)((2,), "float64")
    np.testing.assert_array_equal(values, [0.1, 0.1])
    assert values.dtype == np.float64


@pytest.mark.parametrize("name", RANDOM)
def test_a_seed_restarts_the_shared_stream(name: str) -> None:
    """Each call draws new numbers from the shared stream, which a seed restarts."""
    initializer = getattr(initializers, name)()
    utils.set_random_seed(1)
    first = initializer((3, 4))
    assert (initializer((3, 4)) != first).any()
    utils.set_random_seed(1)
    np.testing.assert_array_equal(initializer((3, 4)), first)


@pytest.mark.parametrize("name", NAMES)
def test_get_resolves_keras_names(name: str) -> None:
    """Each class is found by Keras's name with underscores."""
    import keras

    key = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    assert type(initializers.get(key)).__name__ == name
    if name != "Constant":  # Keras fails on its own name for this one
        assert type(keras.initializers.get(key)).__name__ == name


def test_get_returns_objects_and_refuses_unknown_names() -> None:
    """An object is returned as it is; an unknown name is refused with those known."""
    zeros = initializers.Zeros()
    assert initializers.get(zeros) is zeros
    assert isinstance(initializers.get("uniform"), initializers.RandomUniform)
    assert isinstance(initializers.get("HeNormal"), initializers.HeNormal)
    for unknown in ("glorot", 3, None):
        with pytest.raises(ValueError, match=f"Unknown initializer {unknown!r}. Known: Zeros, "):
            initializers.get(unknown)  # type: ignore[arg-type]  # wrong on purpose


def test_bad_arguments_are_refused() -> None:
    """Impossible spreads, bounds and shapes are refused."""
    with pytest.raises(ValueError, match=r"stddev must be >= 0. Received: -1"):
        initializers.RandomNormal(stddev=-1)
    with pytest.raises(ValueError, match=r"stddev must be >= 0. Received: nan"):
        initializers.TruncatedNormal(stddev=float("nan"))
    with pytest.raises(ValueError, match="minval must not be above maxval"):
        initializers.RandomUniform(1, 0)
    with pytest.raises(ValueError, match="two axes or more"):
        initializers.Orthogonal()((3,))
    for name in ("zeros", "glorot_uniform"):
        with pytest.raises(ValueError, match=r"integers >= 0. Received: shape=\(2, -1\)"):
            initializers.get(name)((2, -1))
        for shape in (3, (2.5, 1), None):
            with pytest.raises(ValueError, match="expects a tuple of integers >= 0"):
                initializers.get(name)(shape)  # type: ignore[arg-type]  # wrong on purpose
