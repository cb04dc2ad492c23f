"""Optimizers match Keras, step by step, and work in place."""

from collections.abc import Iterator
from typing import Any

import keras as theirs
import numpy as np
import pytest
import tensorflow as tf

from labkit import optimizers as ours

SHAPES = [(5, 3), (3,), (2, 2, 2), ()]
CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"learning_rate": 0.1, "weight_decay": 0.3}),
    ("SGD", {"clipnorm": 0.5}),
    ("SGD", {"global_clipnorm": 0.5}),
    ("SGD", {"clipvalue": 0.5}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"learning_rate": 0.05, "momentum": 0.5, "epsilon": 1e-3, "clipvalue": 0.3}),
    ("RMSprop", {"learning_rate": 0.05, "rho": 0.8, "clipnorm": 0.5}),
    ("Adagrad", {}),
    ("Adagrad", {"learning_rate": 0.5, "global_clipnorm": 0.5}),
    ("Adagrad", {"initial_accumulator_value": 0.5, "epsilon": 1e-3}),
    ("Adam", {}),
    ("Adam", {"clipvalue": 0.1, "weight_decay": 0.1}),
    ("Adam", {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}),
    ("Adam", {"weight_decay": 0.1}),
    ("Adam", {"clipnorm": 0.1}),
    ("Adam", {"global_clipnorm": 100.0}),
    ("AdamW", {}),
    ("AdamW", {"learning_rate": 0.1, "weight_decay": 0.3, "global_clipnorm": 0.2}),
]


DECAYS = {"beta_1": 0.9, "beta_2": 0.999}
DEFAULTS: dict[str, dict[str, float]] = {
    "Adagrad": {"initial_accumulator_value": 0.1, "epsilon": 1e-7},
    "RMSprop": {"epsilon": 1e-7},
    "Adam": DECAYS,
    "AdamW": DECAYS,
}


def keras_optimizer(name: str, args: dict[str, Any]) -> Any:
    """Return Keras's optimizer with all its constants in float64.

    Keras on TensorFlow turns Python floats into float32 on their way to float64, but takes
    NumPy's as they are.
    """
    given = {**DEFAULTS.get(name, {}), **args}
    doubles = {k: np.float64(v) if isinstance(v, float) else v for k, v in given.items()}
    return getattr(theirs.optimizers, name)(**doubles)


@pytest.fixture
def _float64() -> Iterator[None]:
    """Let Keras compute in float64."""
    theirs.config.set_floatx("float64")
    yield
    theirs.config.set_floatx("float32")


@pytest.mark.usefixtures("_float64")
@pytest.mark.parametrize(("name", "args"), CASES)
def test_twenty_steps_match_keras(name: str, args: dict[str, Any]) -> None:
    """After each of twenty steps in float64 the weights match Keras to 1e-9."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=shape) for shape in SHAPES]
    variables = [theirs.Variable(w, dtype="float64") for w in weights]
    mine = getattr(ours, name)(**args)
    keras_one = keras_optimizer(name, args)
    for _ in range(20):
        gradients = [np.asarray(rng.normal(size=shape)) for shape in SHAPES]
        kept = [g.copy() for g in gradients]
        mine.apply(gradients, weights)
        keras_one.apply(gradients, variables)
        for w, variable, g, before in zip(weights, variables, gradients, kept, strict=True):
            np.testing.assert_allclose(w, np.asarray(variable), rtol=1e-9, atol=1e-12)
            np.testing.assert_array_equal(g, before)
    assert mine.iterations == 20


@pytest.mark.parametrize(
    ("name", "args"), [("SGD", {"momentum": 0.9}), ("RMSprop", {}), ("Adam", {}), ("AdamW", {})]
)
def test_state_decays_to_exact_zero(name: str, args: dict[str, Any]) -> None:
    """Without gradients the state never reaches subnormal numbers, which are slow."""
    weights, optimizer = [np.ones(8, np.float32)], getattr(ours, name)(**args)
    optimizer.apply([np.ones(8, np.float32)], weights)
    with np.errstate(under="raise"):
        for _ in range(2000):
            optimizer.apply([np.zeros(8, np.float32)], weights)


@pytest.mark.usefixtures("_float64")
def test_the_learning_rate_follows_a_schedule() -> None:
    """Each step uses the schedule's rate for the number of steps before it."""
    w = [np.ones(3)]
    variables = [theirs.Variable(w[0], dtype="float64")]
    args = (0.5, 3, 0.5)
    mine = ours.Adam(ours.schedules.ExponentialDecay(*args))
    schedule = theirs.optimizers.schedules.ExponentialDecay(*args)
    keras_one = keras_optimizer("Adam", {"learning_rate": schedule})
    for step in range(6):
        g = [np.array([1.0, -2.0, 0.5]) * step]
        mine.apply(g, w)
        keras_one.apply(g, variables)
    # Keras's schedules compute in float32.
    np.testing.assert_allclose(w[0], np.asarray(variables[0]), rtol=1e-6)


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adagrad", "Adam", "AdamW"])
def test_the_size_of_pieces_makes_no_difference(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vector is updated in pieces as it is in one."""
    rng = np.random.default_rng(1)
    start, slopes = rng.normal(size=100), rng.normal(size=(5, 100))
    results = []
    for piece in (7, 1000):
        monkeypatch.setattr(ours, "PIECE", piece)
        w, optimizer = start.copy(), getattr(ours, name)()
        for g in slopes:
            optimizer.apply([g], [w])
        results.append(w)
    np.testing.assert_array_equal(*results)


def test_weights_change_in_place_and_keep_their_type() -> None:
    """float32 weights, also views of a flat vector, are changed in place."""
    flat = np.ones(6, "float32")
    view = flat[:4].reshape(2, 2)
    ours.SGD(0.5).apply([np.ones((2, 2), "float32")], [view])
    np.testing.assert_array_equal(flat, [0.5, 0.5, 0.5, 0.5, 1, 1])


def test_clipping_leaves_short_and_zero_gradients_alone() -> None:
    """A gradient below the limit is used as it is; zeros cause no division by zero."""
    for args in ({"clipnorm": 1.0}, {"global_clipnorm": 1.0}):
        w = [np.zeros(2), np.zeros(2)]
        ours.SGD(1.0, **args).apply([np.zeros(2), np.array([0.3, 0.4])], w)
        np.testing.assert_array_equal(w, [[0, 0], [-0.3, -0.4]])


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adagrad", "adam", "adamw", "Adam", "SGD"])
def test_get_makes_a_new_optimizer_by_name(name: str) -> None:
    """A name gives a new optimizer with Keras's learning rate; an instance is returned as is."""
    optimizer = ours.get(name)
    assert optimizer is not ours.get(name)
    assert optimizer.learning_rate == pytest.approx(
        float(theirs.optimizers.get(name).learning_rate)
    )
    assert ours.get(optimizer) is optimizer


def test_the_learning_rate_can_be_set_between_steps() -> None:
    """The next step uses what was set last, a number or a schedule."""
    optimizer, w, g = ours.SGD(0.1), [np.zeros(1)], [-np.ones(1)]
    optimizer.apply(g, w)
    optimizer.learning_rate = 0.2
    optimizer.apply(g, w)
    optimizer.learning_rate = ours.schedules.PiecewiseConstantDecay([1], [0.0, 0.4])
    optimizer.apply(g, w)
    np.testing.assert_allclose(w[0], 0.1 + 0.2 + 0.4)


@pytest.mark.parametrize(
    ("gradients", "weights", "message"),
    [
        ([np.ones(2)], [np.ones(2), np.ones(2)], r"\[\(2,\), \(2,\)\]. Received: \[\(2,\)\]"),
        ([np.ones((2, 1))], [np.ones(2)], r"shapes \[\(2,\)\]. Received: \[\(2, 1\)\]"),
        ([np.ones(())], [np.ones(2)], r"shapes \[\(2,\)\]. Received: \[\(\)\]"),
        ([np.ones(2)], [np.ones(2, int)], "arrays of floats"),
        ([np.ones(2)], [np.ones(4)[::2]], "C-contiguous"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(gradients: Any, weights: Any, message: str) -> None:
    """Wrong counts, shapes, types and strided arrays raise an error and change nothing."""
    before = [w.copy() for w in weights]
    with pytest.raises(ValueError, match=message):
        ours.SGD().apply(gradients, weights)
    np.testing.assert_array_equal(np.concatenate(before), np.concatenate(weights))


def test_an_optimizer_belongs_to_its_weights() -> None:
    """The state for one model's weights is not used for another's."""
    optimizer = ours.Adam()
    optimizer.apply([np.ones(2)], [np.ones(2)])
    with pytest.raises(ValueError, match=r"belongs to weights \[\(2,\)\]. Received: \[\(3,\)\]"):
        optimizer.apply([np.ones(3)], [np.ones(3)])


@pytest.mark.parametrize(
    "args",
    [
        {"clipnorm": 1.0, "global_clipnorm": 1.0},
        {"clipnorm": 1.0, "clipvalue": 1.0},
        {"clipnorm": 0.0},
        {"clipvalue": -1.0},
    ],
)
def test_impossible_clipping_is_refused(args: dict[str, float]) -> None:
    """Two kinds of clipping at once, or a limit that is not positive, raise an error."""
    with pytest.raises(ValueError, match=r"Give one of clipnorm, clipvalue and global_clipnorm"):
        ours.SGD(**args)


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("SGD", {"learning_rate": -1}, r"must be a number >= 0, or a schedule. Received: -1"),
        ("Adam", {"learning_rate": float("nan")}, r"must be a number >= 0, or a schedule"),
        ("Adam", {"learning_rate": "fast"}, r"must be a number >= 0, or a schedule"),
        ("Adam", {"beta_1": 1}, "beta_1 and beta_2 are from 0 to less than 1"),
        ("AdamW", {"beta_2": -0.1}, "beta_1 and beta_2 are from 0 to less than 1"),
        ("RMSprop", {"rho": 1.5}, "rho and momentum are from 0 to 1"),
        ("RMSprop", {"epsilon": -1.0}, "epsilon >= 0"),
        ("Adagrad", {"initial_accumulator_value": -1.0}, "initial_accumulator_value and epsilon"),
    ],
)
def test_impossible_arguments_are_refused_at_once(
    name: str, args: dict[str, Any], message: str
) -> None:
    """Rates and shares that cannot work raise an error before any step."""
    with pytest.raises(ValueError, match=message):
        getattr(ours, name)(**args)


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adagrad", "Adam"])
def test_repeated_rows_square_the_sum_of_their_gradients(name: str) -> None:
    """Keras agrees where it gets an Embedding's gradient as one array; row by row it does not.

    Row 0 is used twice in the batch, row 1 once, row 2 never.
    """
    rows = tf.IndexedSlices(
        tf.constant([[1.0], [2.0], [4.0]]), tf.constant([0, 0, 1]), tf.constant([3, 1])
    )
    summed = tf.convert_to_tensor(rows)
    w = [np.zeros((3, 1), "float32")]
    dense, sparse = (theirs.Variable(w[0]) for _ in range(2))
    mine, for_dense, for_sparse = (getattr(k, name)(0.1) for k in [ours, *[theirs.optimizers] * 2])
    for _ in range(2):
        mine.apply([summed.numpy()], w)
        for_dense.apply([summed], [dense])
        for_sparse.apply([rows], [sparse])
    np.testing.assert_allclose(w[0], np.asarray(dense), rtol=1e-5)
    agree = np.isclose(w[0], np.asarray(sparse), rtol=1e-5)[:, 0]
    assert agree.tolist() == [name == "SGD", True, True]


@pytest.mark.parametrize("momentum", [-0.1, 1.1, float("nan")])
def test_impossible_momentum_is_refused(momentum: float) -> None:
    """Momentum outside 0 to 1 raises an error, as in Keras."""
    with pytest.raises(ValueError, match=f"momentum must be from 0 to 1. Received: {momentum}"):
        ours.SGD(momentum=momentum)


def test_unknown_optimizers_are_refused() -> None:
    """The message lists the known optimizers."""
    with pytest.raises(ValueError, match=r"Unknown optimizer 'adan'. Known: SGD, RMSprop"):
        ours.get("adan")
    with pytest.raises(NotImplementedError, match="needs update"):
        ours.Optimizer(0.1).apply([np.ones(1)], [np.ones(1)])
