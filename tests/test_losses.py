"""Losses match Keras on TensorFlow in value and gradient, and refuse impossible input."""

from typing import Any

import keras as theirs
import numpy as np
import pytest
import tensorflow as tf

from labkit import losses as ours

RNG = np.random.default_rng(0)
ROWS, CLASSES = 7, 5


def probabilities(*shape: int) -> np.ndarray[Any, Any]:
    """Return rows that sum to one; the first is one-hot."""
    p = RNG.dirichlet(np.ones(shape[-1]), shape[:-1])
    p.reshape(-1, shape[-1])[0] = np.eye(shape[-1])[0]
    return p


def cases(*shape: int) -> list[tuple[str, dict[str, Any], Any, Any]]:
    """Return (loss, arguments, targets, predictions) for outputs of this shape."""
    real, other = RNG.normal(size=shape), RNG.normal(size=shape)
    other[0] = real[0]
    yes = RNG.integers(0, 2, shape).astype(float)
    inner = RNG.uniform(size=shape)
    inner.reshape(-1)[:2] = 0, 1
    one_hot = np.eye(shape[-1])[RNG.integers(0, shape[-1], shape[:-1])]
    labels = one_hot.argmax(-1)
    p = probabilities(*shape)
    return [
        ("MeanSquaredError", {}, real, other),
        ("MeanAbsoluteError", {}, real, other),
        ("Huber", {}, real, other * 3),
        ("Huber", {"delta": 0.3}, real, other),
        ("BinaryCrossentropy", {}, yes, inner),
        ("BinaryCrossentropy", {"label_smoothing": 0.2}, yes, inner),
        ("BinaryCrossentropy", {"from_logits": True}, yes, real * 40),
        ("BinaryFocalCrossentropy", {}, yes, inner),
        ("BinaryFocalCrossentropy", {"gamma": 1.5, "label_smoothing": 0.2}, yes, inner),
        ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "alpha": 0.6}, yes, inner),
        ("BinaryFocalCrossentropy", {"from_logits": True}, yes, real * 4),
        ("CategoricalCrossentropy", {}, one_hot, p),
        ("CategoricalCrossentropy", {}, one_hot, inner + 0.1),
        ("CategoricalCrossentropy", {"label_smoothing": 0.1}, one_hot, p),
        ("CategoricalCrossentropy", {"from_logits": True}, one_hot, real * 40),
        ("CategoricalCrossentropy", {"from_logits": True}, p, real),
        ("SparseCategoricalCrossentropy", {}, labels, p),
        ("SparseCategoricalCrossentropy", {}, labels[..., None], inner),
        ("SparseCategoricalCrossentropy", {"from_logits": True}, labels, real * 40),
        ("KLDivergence", {}, p, probabilities(*shape)),
        ("Hinge", {}, yes, real),
        ("Hinge", {}, 2 * yes - 1, real * 2),
        ("CosineSimilarity", {}, real, 3 * np.roll(real, 1)),
    ]


CASES = [*cases(ROWS, CLASSES), *cases(3, 4, CLASSES)]
IDS = [f"{name}-{list(args)}-{p.ndim}d-{i}" for i, (name, args, _, p) in enumerate(CASES)]
REDUCTIONS = ["sum_over_batch_size", "sum", None]


def keras_value_and_gradient(
    loss: Any, t: Any, p: Any, weight: Any
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return Keras's loss and TensorFlow's derivative of it."""
    variable = tf.Variable(p)
    with tf.GradientTape() as tape:
        value = loss(t, variable, sample_weight=weight)
    return value.numpy(), tape.gradient(value, variable).numpy()


@pytest.mark.parametrize(("name", "args", "t", "p"), CASES, ids=IDS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weigh", [False, True])
def test_value_and_gradient_match_keras_in_float64(
    name: str, args: dict[str, Any], t: Any, p: Any, reduction: str | None, weigh: bool
) -> None:
    """Each loss, reduction and weighting matches Keras's value and gradient to 1e-9."""
    weight = RNG.uniform(size=p.shape[:-1]) if weigh else None
    expected = keras_value_and_gradient(
        getattr(theirs.losses, name)(**args, reduction=reduction, dtype="float64"),
        t,
        p,
        weight,
    )
    loss = getattr(ours, name)(**args, reduction=reduction)
    np.testing.assert_allclose(loss(t, p, weight), expected[0], rtol=1e-9, atol=1e-14)
    gradient = loss.gradient(t, p, weight)
    assert gradient.dtype == np.float64
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize(("name", "args", "t", "p"), CASES, ids=IDS)
def test_float32_stays_float32(name: str, args: dict[str, Any], t: Any, p: Any) -> None:
    """Predictions in float32 give a float32 gradient, close to Keras's."""
    p = p.astype("float32")
    keras_loss = getattr(theirs.losses, name)(**args)
    value, slope = keras_value_and_gradient(keras_loss, t, p, None)
    loss = getattr(ours, name)(**args)
    gradient = loss.gradient(t, p)
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(loss(t, p), value, rtol=2e-5)
    np.testing.assert_allclose(gradient, slope, rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize(
    "shapes", [((6,), (6, 1)), ((6, 1), (6,)), ((6,), (6,)), ((2, 3), (2, 3, 1))]
)
def test_n_against_n_by_1_is_aligned_as_in_keras(shapes: Any) -> None:
    """Targets (n,) and predictions (n, 1), or the reverse, are the same n samples."""
    t, p = (RNG.normal(size=shape) for shape in shapes)
    expected = keras_value_and_gradient(theirs.losses.MeanSquaredError(dtype="float64"), t, p, None)
    loss = ours.MeanSquaredError()
    assert loss(t, p) == pytest.approx(expected[0], rel=1e-12)
    gradient = loss.gradient(t, p)
    assert gradient.shape == p.shape
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-12)


FUNCTIONS = {
    "MeanSquaredError": "mean_squared_error",
    "MeanAbsoluteError": "mean_absolute_error",
    "Huber": "huber",
    "BinaryCrossentropy": "binary_crossentropy",
    "BinaryFocalCrossentropy": "binary_focal_crossentropy",
    "CategoricalCrossentropy": "categorical_crossentropy",
    "SparseCategoricalCrossentropy": "sparse_categorical_crossentropy",
    "KLDivergence": "kl_divergence",
    "Hinge": "hinge",
    "CosineSimilarity": "cosine_similarity",
}


@pytest.mark.parametrize(("name", "args", "t", "p"), CASES, ids=IDS)
def test_functions_match_keras(name: str, args: dict[str, Any], t: Any, p: Any) -> None:
    """The function of each loss gives Keras's value for each sample."""
    expected = getattr(theirs.losses, FUNCTIONS[name])(t, p, **args)
    values = getattr(ours, FUNCTIONS[name])(t, p, **args)
    assert values.shape == expected.shape
    np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_loss_has_three_names(name: str) -> None:
    """The class's name, the function's name and the function itself give the same loss."""
    kind = getattr(ours, name)
    for identifier in (name, FUNCTIONS[name], getattr(ours, FUNCTIONS[name])):
        assert type(ours.get(identifier)) is kind


def test_all_losses_are_in_the_tables() -> None:
    """No loss and no function can be added without its comparison with Keras."""
    kinds = {name for name in ours.__all__ if name[0].isupper()} - {"Loss"}
    assert kinds == set(FUNCTIONS) == {name for name, *_ in CASES}
    assert {name for name in ours.__all__ if name[0].islower()} - {"get"} == {*FUNCTIONS.values()}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, 2.0, [1.0, 2.0, 4.0], [[1.0], [2.0], [4.0]]])
def test_a_vector_is_one_row_as_in_keras(reduction: str | None, weight: Any) -> None:
    """Targets and predictions (n,) are one row of n outputs, whose loss weights multiply."""
    t, p = RNG.normal(size=3), RNG.normal(size=3)
    keras_loss = theirs.losses.MeanSquaredError(reduction=reduction, dtype="float64")
    expected = keras_value_and_gradient(keras_loss, t, p, weight)
    loss = ours.MeanSquaredError(reduction=reduction)
    np.testing.assert_allclose(loss(t, p, weight), np.squeeze(expected[0]), rtol=1e-12)
    np.testing.assert_allclose(loss.gradient(t, p, weight), expected[1], rtol=1e-12)


def test_half_precision_does_not_overflow() -> None:
    """Predictions in float16, whose squares overflow, give Keras's loss in float32."""
    t, p = np.zeros((1, 2)), np.array([[300, 1]], "float16")
    loss = ours.MeanSquaredError()
    assert loss(t, p) == float(theirs.losses.MeanSquaredError()(t, p)) == 45_000.5
    np.testing.assert_array_equal(loss.gradient(t, p), [[300, 1]])


def test_the_cosine_of_a_zero_vector_is_zero() -> None:
    """A prediction without direction has no similarity, and a gradient that is finite."""
    loss = ours.CosineSimilarity()
    t, p = np.ones((1, 2)), np.zeros((1, 2))
    assert loss(t, p) == float(theirs.losses.CosineSimilarity()(t, p)) == 0
    assert np.isfinite(loss.gradient(t, p)).all()


def test_a_column_of_weights_applies_to_samples() -> None:
    """Weights (n, 1) on n samples mean the same as (n,)."""
    t, p, w = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 3)), RNG.uniform(size=6)
    loss = ours.MeanAbsoluteError()
    assert loss(t, p, w[:, None]) == loss(t, p, w)
    np.testing.assert_array_equal(loss.gradient(t, p, w[:, None]), loss.gradient(t, p, w))


def test_a_weight_per_sequence_applies_to_all_its_steps() -> None:
    """Weights (n, 1) on (n, steps) losses broadcast as in Keras."""
    t, p, w = (
        RNG.normal(size=(4, 3, 2)),
        RNG.normal(size=(4, 3, 2)),
        RNG.uniform(size=(4, 1)),
    )
    keras_loss = theirs.losses.MeanSquaredError(dtype="float64")
    expected = keras_value_and_gradient(keras_loss, t, p, w)
    loss = ours.MeanSquaredError()
    assert loss(t, p, w) == pytest.approx(expected[0], rel=1e-12)
    np.testing.assert_allclose(loss.gradient(t, p, w), expected[1], rtol=1e-12)


def test_extreme_logits_stay_finite() -> None:
    """Logits of a thousand give the right loss and gradient, without a warning."""
    z = np.array([[1000.0, -1000.0], [-1000.0, 1000.0]])
    loss = ours.SparseCategoricalCrossentropy(from_logits=True)
    assert loss([0, 0], z) == 1000
    np.testing.assert_array_equal(loss.gradient([0, 0], z), [[0, 0], [-0.5, 0.5]])
    binary = ours.BinaryCrossentropy(from_logits=True)
    assert binary([[1.0, 0.0], [1.0, 0.0]], z) == 500


class Product(ours.Loss):
    """A custom loss whose slopes are the targets."""

    def compare(self, t: Any, y: Any) -> Any:
        """Return the sum of the products, and its slopes."""
        return (t * y).sum(axis=-1), t


def test_a_custom_loss() -> None:
    """A subclass that defines compare is complete, and does not change its arguments."""
    with pytest.raises(NotImplementedError, match=r"Loss needs compare\(t, y\)"):
        ours.Loss()([[0.0]], [[2.0]])
    t = np.array([[1.0, 2.0], [3.0, 4.0]])
    loss = Product()
    assert loss(t, [[1.0, 1.0], [1.0, 1.0]]) == 5
    np.testing.assert_array_equal(loss.gradient(t, np.ones((2, 2))), [[0.5, 1], [1.5, 2]])
    np.testing.assert_array_equal(t, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    "name", ["mse", "MSE", "mae", "MAE", "bce", "BCE", "kld", "KLD", "huber", "MeanSquaredError"]
)
def test_get_resolves_names(name: str) -> None:
    """Keras's aliases and class names resolve; an instance is returned as it is."""
    loss = ours.get(name)
    assert theirs.losses.get(name) is not None
    assert ours.get(loss) is loss


SPARSE = ours.SparseCategoricalCrossentropy
BAD = [
    (ours.MeanSquaredError, np.zeros((4, 1)), np.zeros((4, 3)), "of one shape"),
    (ours.MeanSquaredError, np.zeros(4), np.zeros((4, 3)), "of one shape"),
    (ours.MeanSquaredError, np.zeros((0, 2)), np.zeros((0, 2)), "needs samples"),
    (ours.MeanSquaredError, 1.0, 2.0, "needs samples"),
    (ours.BinaryCrossentropy, [[-1.0]], [[0.5]], "from 0 to 1"),
    (ours.BinaryCrossentropy, [[np.nan]], [[0.5]], "from 0 to 1"),
    (ours.CategoricalCrossentropy, [[0, 2]], [[0.5, 0.5]], "from 0 to 1"),
    (ours.CategoricalCrossentropy, [1, 0], [[0.5, 0.5], [0.5, 0.5]], "of one shape"),
    (
        SPARSE,
        [2, 0],
        [[0.5, 0.5], [0.5, 0.5]],
        "from 0 to 1. Received: .*, values from 0 to 2",
    ),
    (SPARSE, [-1, 0], [[0.5, 0.5], [0.5, 0.5]], "from 0 to 1"),
    (SPARSE, [0.5, 0], [[0.5, 0.5], [0.5, 0.5]], "integer label"),
    (SPARSE, [np.nan, 0], [[0.5, 0.5], [0.5, 0.5]], "integer label"),
    (SPARSE, [np.inf, 0], [[0.5, 0.5], [0.5, 0.5]], "integer label"),
    (SPARSE, [], [[0.5, 0.5], [0.5, 0.5]], "needs samples"),
    (SPARSE, [[1, 0]], [[0.5, 0.5]], "one integer label per row"),
    (SPARSE, [1, 0, 1], [[0.5, 0.5], [0.5, 0.5]], "one integer label per row"),
    (ours.Hinge, [[-1, 0, 1]], [[0.1, 0.2, 0.3]], "-1 and 1, or 0 and 1"),
]


@pytest.mark.parametrize(("loss", "t", "p", "message"), BAD)
def test_impossible_targets_are_refused(loss: Any, t: Any, p: Any, message: str) -> None:
    """Wrong shapes, empty arrays and wrong label values raise an error that says so."""
    with pytest.raises(ValueError, match=message):
        loss()(t, p)


@pytest.mark.parametrize("weight", [np.ones(3), np.ones((4, 2)), np.ones((1,)), np.ones((2, 2))])
def test_weights_that_do_not_fit_are_refused(weight: Any) -> None:
    """Sample weights of another length or rank are refused, not broadcast."""
    with pytest.raises(ValueError, match="one weight per value"):
        ours.MeanSquaredError()(np.zeros((4, 3)), np.zeros((4, 3)), weight)


def test_text_is_refused() -> None:
    """Text or None instead of numbers raises an error that names the argument."""
    with pytest.raises(TypeError, match="y_true must be numbers"):
        ours.MeanSquaredError()([["a"]], [[1.0]])
    with pytest.raises(TypeError, match="y_pred must be numbers"):
        ours.MeanSquaredError()([[1.0]], [[None]])


def test_unknown_names_are_refused() -> None:
    """An unknown loss or reduction is refused with those known."""
    with pytest.raises(ValueError, match=r"Unknown loss 'mes'\. Known: .*, mse"):
        ours.get("mes")
    with pytest.raises(ValueError, match=r"cannot differentiate a function: subclass .* abs"):
        ours.get(abs)
    with pytest.raises(TypeError, match=r"y_true has rows of different lengths\. Pad or cut"):
        ours.MeanSquaredError()([[1.0], [1.0, 2.0]], [[1.0], [2.0]])
    with pytest.raises(ValueError, match="reduction must be one of"):
        ours.MeanSquaredError(reduction="average")


def test_focal_loss_at_gamma_zero_is_the_binary_cross_entropy() -> None:
    """Without focus, every example counts as in the cross-entropy, at 0 and 1 as well."""
    t, p = np.array([[0.0, 1.0, 1.0, 0.0]]), np.array([[0.0, 1.0, 0.3, 0.9]])
    focal, plain = ours.BinaryFocalCrossentropy(gamma=0), ours.BinaryCrossentropy()
    assert focal(t, p) == pytest.approx(plain(t, p))
    assert focal.gradient(t, p) == pytest.approx(plain.gradient(t, p))
