"""Metrics match Keras over several batches, with and without weights."""

import re
from typing import Any

import keras as theirs
import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from labkit import metrics as ours

RNG = np.random.default_rng(0)
ROWS, CLASSES = 9, 6


def batches(kind: str) -> list[tuple[Any, Any]]:
    """Return three batches of targets and predictions of a kind."""
    made = []
    for _ in range(3):
        scores = RNG.dirichlet(np.ones(CLASSES), ROWS)
        labels = RNG.integers(0, CLASSES, ROWS)
        inner = RNG.uniform(size=(ROWS, 1)).round(2)
        yes = (RNG.uniform(size=(ROWS, 1)) < 0.2 + 0.6 * inner).astype(float)
        real = RNG.normal(size=(ROWS, 3))
        made.append(
            {
                "sparse": (labels, scores),
                "sparse column": (labels[:, None], scores),
                "one-hot": (np.eye(CLASSES)[labels], scores),
                "binary": (yes, inner),
                "binary flat": (yes[:, 0], inner),
                "multi-label": (RNG.integers(0, 2, (ROWS, 3)), RNG.uniform(size=(ROWS, 3))),
                "real": (real, real + 0.3 * RNG.normal(size=real.shape)),
                "steps": (labels.reshape(3, 3), scores.reshape(3, 3, CLASSES)),
                "soft": (RNG.dirichlet(np.ones(CLASSES), ROWS), scores),
                "logits": (np.eye(CLASSES)[labels], 5 * RNG.normal(size=(ROWS, CLASSES))),
            }[kind]
        )
    return made


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("BinaryAccuracy", {}, "binary"),
    ("BinaryAccuracy", {"threshold": 0.3}, "binary flat"),
    ("BinaryAccuracy", {}, "multi-label"),
    ("CategoricalAccuracy", {}, "one-hot"),
    ("SparseCategoricalAccuracy", {}, "sparse"),
    ("SparseCategoricalAccuracy", {}, "sparse column"),
    ("SparseCategoricalAccuracy", {}, "steps"),
    ("TopKCategoricalAccuracy", {"k": 2}, "one-hot"),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, "sparse"),
    ("SparseTopKCategoricalAccuracy", {}, "steps"),
    ("Precision", {}, "binary"),
    ("Precision", {"thresholds": [0.2, 0.5, 0.9]}, "binary"),
    ("Precision", {"thresholds": [0.9, 0.2, 0.5]}, "binary"),
    ("Precision", {}, "multi-label"),
    ("Recall", {}, "binary"),
    ("Recall", {"thresholds": [0.2, 0.5, 0.9]}, "binary flat"),
    ("AUC", {}, "binary"),
    ("AUC", {"num_thresholds": 7}, "binary"),
    ("AUC", {"num_thresholds": 2}, "binary flat"),
    ("AUC", {"num_thresholds": 7}, "multi-label"),
    ("MeanAbsoluteError", {}, "real"),
    ("MeanAbsoluteError", {}, "binary flat"),
    ("R2Score", {}, "real"),
    ("MeanSquaredError", {}, "real"),
    ("RootMeanSquaredError", {}, "real"),
    ("RootMeanSquaredError", {}, "binary flat"),
    ("CosineSimilarity", {}, "real"),
    ("BinaryCrossentropy", {}, "binary"),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, "multi-label"),
    ("CategoricalCrossentropy", {}, "one-hot"),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "logits"),
    ("SparseCategoricalCrossentropy", {}, "sparse"),
    ("SparseCategoricalCrossentropy", {}, "steps"),
    ("KLDivergence", {}, "soft"),
]


def test_all_metrics_are_in_the_table() -> None:
    """No metric can be added without its comparison with Keras."""
    apart = {"Metric", "Mean", "MeanMetricWrapper", "ConfusionMatrix", "get"}  # tested below
    assert {name for name, *_ in CASES} == {*ours.__all__} - apart


@pytest.mark.parametrize("weigh", [False, True])
@pytest.mark.parametrize(("name", "args", "kind"), CASES)
def test_results_match_keras_after_each_batch(
    name: str, args: dict[str, Any], kind: str, weigh: bool
) -> None:
    """The result matches Keras after each of three batches and after a reset; so does the name."""
    mine, keras_one = getattr(ours, name)(**args), getattr(theirs.metrics, name)(**args)
    assert re.fullmatch(mine.name + r"(_\d+)?", keras_one.name)  # Keras counts some
    for _ in range(2):
        for t, p in batches(kind):
            weight = RNG.uniform(size=len(t)) if weigh else None
            p32 = p.astype("float32")
            result = mine(t, p32, sample_weight=weight)
            expected = keras_one(t, p32, sample_weight=weight)
            np.testing.assert_allclose(result, np.asarray(expected), rtol=5e-5, atol=1e-6)
            assert isinstance(result, float) or result.ndim == 1
        mine.reset_state()
        keras_one.reset_state()
    assert np.all(np.asarray(mine.result()) == 0)


def test_auc_with_fine_thresholds_matches_scikit_learn() -> None:
    """With as many thresholds as there are values, the ROC area is exact."""
    p = RNG.permutation(1000) / 1000 + 0.0005
    t = RNG.uniform(size=1000) < p
    metric = ours.AUC(num_thresholds=1001)
    expected = sklearn_metrics.roc_auc_score(t, p)
    assert metric(t, p) == pytest.approx(expected, rel=1e-12)


def test_r2_matches_scikit_learn() -> None:
    """The score over several batches is scikit-learn's for all samples."""
    data = batches("real")
    t, p = (np.concatenate(part) for part in zip(*data, strict=True))
    metric = ours.R2Score()
    for batch in data:
        metric.update_state(*batch)
    assert metric.result() == pytest.approx(sklearn_metrics.r2_score(t, p), rel=1e-9)


def test_r2_of_constant_targets_is_zero() -> None:
    """An output whose targets do not vary scores 0, as in Keras."""
    t, p = np.full((4, 2), 3.0), RNG.normal(size=(4, 2))
    t[:, 1] = [1, 2, 3, 4]
    expected = float(theirs.metrics.R2Score()(t, p))
    assert ours.R2Score()(t, p) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "name",
    ["BinaryAccuracy", "MeanAbsoluteError", "MeanSquaredError", "RootMeanSquaredError"],
)
def test_vectors_count_as_in_keras(name: str) -> None:
    """Batches (n,) of unequal size: Keras counts each as one row in means of losses."""
    mine, keras_one = getattr(ours, name)(), getattr(theirs.metrics, name)()
    for t, p in (([0.0, 1.0, 0.0], [1.0, 1.0, 0.2]), ([0.0], [5.0])):
        assert mine(t, p) == pytest.approx(float(keras_one(t, p)), rel=1e-6)


def test_a_function_becomes_a_metric() -> None:
    """A function gives its mean over all samples, weighted and named as in Keras."""

    def largest_error(y_true: Any, y_pred: Any) -> Any:
        return abs(y_true - y_pred).max(axis=-1)

    mine = ours.get(largest_error)
    keras_one = theirs.metrics.MeanMetricWrapper(
        lambda t, p: theirs.ops.max(abs(t - p), axis=-1), name="largest_error"
    )
    assert mine.name == keras_one.name
    for t, p in batches("real"):
        weight = RNG.uniform(size=len(t))
        expected = float(keras_one(t, p, sample_weight=weight))
        assert mine(t, p, sample_weight=weight) == pytest.approx(expected, rel=1e-5)
    flat = ours.MeanMetricWrapper(largest_error, name="aligned")
    assert flat([1.0, 2.0], [[1.0], [4.0]]) == 1  # not the mean over pairs
    assert ours.MeanMetricWrapper(np.power)([2.0], [3.0]) == 8


def test_crossentropy_depends_on_the_shapes() -> None:
    """The name crossentropy means what it means in Keras for the same shapes."""
    for kind, name in (
        ("binary", "BinaryCrossentropy"),
        ("sparse", "SparseCategoricalCrossentropy"),
        ("one-hot", "CategoricalCrossentropy"),
    ):
        t, p = batches(kind)[0]
        expected = getattr(ours, name)()(t, p)
        assert ours.get("crossentropy")(t, p) == pytest.approx(expected, rel=1e-12)


def test_the_mean_of_losses_is_better_when_it_is_lower() -> None:
    """Callbacks ask `loss` and `val_loss` for their direction."""
    assert ours.Mean().direction == -1


def test_the_confusion_matrix_matches_scikit_learn() -> None:
    """Counts and weights add up over batches."""
    data = [(t, p, RNG.uniform(size=len(t))) for t, p in batches("sparse")]
    plain, heavy = ours.ConfusionMatrix(CLASSES), ours.ConfusionMatrix(CLASSES)
    for t, p, w in data:
        plain.update_state(t, p)
        heavy.update_state(t[:, None], p, w)
    t, p, w = (np.concatenate(part) for part in zip(*data, strict=True))
    labels = range(CLASSES)
    expected = sklearn_metrics.confusion_matrix(t, p.argmax(1), labels=labels)
    np.testing.assert_array_equal(plain.result(), expected)
    expected = sklearn_metrics.confusion_matrix(t, p.argmax(1), labels=labels, sample_weight=w)
    np.testing.assert_allclose(heavy.result(), expected, rtol=1e-12)
    plain.result()[:] = -1
    assert (plain.result() >= 0).all()


def test_mean_averages_plain_values() -> None:
    """Mean takes values of any shape, with a weight for each sample or value, or scalars."""
    keras_one, mine = theirs.metrics.Mean(), ours.Mean()
    for values, weight in [
        (RNG.normal(size=4), None),
        (RNG.normal(size=(4, 3)), RNG.uniform(size=4)),
        (RNG.normal(size=(4, 3)), RNG.uniform(size=(4, 3))),
        (2.5, None),
        (RNG.normal(size=(5, 2)), None),
    ]:
        expected = float(keras_one(values, sample_weight=weight))
        assert mine(values, weight) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mae", "MeanAbsoluteError"),
        ("MSE", "MeanSquaredError"),
        ("bce", "BinaryCrossentropy"),
        ("root_mean_squared_error", "RootMeanSquaredError"),
        ("cosine_similarity", "CosineSimilarity"),
        ("top_k_categorical_accuracy", "TopKCategoricalAccuracy"),
    ],
)
def test_get_makes_a_new_metric_by_name(name: str, kind: str) -> None:
    """A name gives a new metric that is logged under this name, as in Keras."""
    metric = ours.get(name)
    assert (type(metric).__name__, metric.name) == (kind, name)
    assert ours.get(metric) is metric
    assert metric is not ours.get(name)


@pytest.mark.parametrize(
    ("t", "p", "kind"),
    [
        ((4, 1), (4, 1), "BinaryAccuracy"),
        ((4,), (4, 1), "BinaryAccuracy"),
        ((4,), (4, 2), "SparseCategoricalAccuracy"),
        ((4,), (4, 3), "SparseCategoricalAccuracy"),
        ((4, 1), (4, 3), "SparseCategoricalAccuracy"),
        ((4, 3), (4, 3), "CategoricalAccuracy"),
        ((4, 5), (4, 5, 3), "SparseCategoricalAccuracy"),
    ],
)
def test_accuracy_depends_on_the_shapes(t: Any, p: Any, kind: str) -> None:
    """The name accuracy means what it means in Keras for the same shapes."""
    rng = np.random.default_rng(0)
    targets, scores = rng.integers(0, 2, t), rng.uniform(size=p)
    metric = ours.get("accuracy")
    metric.update_state(targets, scores)
    assert metric.result() == getattr(ours, kind)()(targets, scores)
    assert (metric.name, metric.direction) == ("accuracy", 1)


BAD: list[tuple[Any, Any, Any, str]] = [
    (ours.BinaryAccuracy(), np.zeros((4, 1)), np.zeros((4, 3)), "of one shape"),
    (ours.BinaryAccuracy(), np.zeros((0, 1)), np.zeros((0, 1)), "needs samples"),
    (
        ours.SparseCategoricalAccuracy(),
        [0, 1, 2],
        np.zeros((2, 3)),
        "one integer label per row",
    ),
    (
        ours.SparseCategoricalAccuracy(),
        [[0, 1]],
        np.zeros((2, 3)),
        "one integer label per row",
    ),
    (ours.Precision(), [0, 2], [0.1, 0.2], "targets 0 and 1"),
    (ours.AUC(), [0, 1], [0.1, 1.2], "predictions from 0 to 1"),
    (ours.Recall(), [0, 1], [0.1, 1.2], "predictions from 0 to 1"),
    (ours.AUC(), [0, 1], [0.1, np.nan], "predictions from 0 to 1"),
    (ours.R2Score(), [0, 1], [0.1, 1.2], r"R2Score expects \(batch, outputs\)"),
    (ours.ConfusionMatrix(3), [0, 3], np.zeros((2, 3)), "label per row of y_pred, from 0 to 2"),
    (ours.ConfusionMatrix(3), [0, 1], np.zeros((2, 4)), "as many scores as classes"),
]


@pytest.mark.parametrize(("metric", "t", "p", "message"), BAD)
def test_impossible_batches_are_refused(metric: Any, t: Any, p: Any, message: str) -> None:
    """Wrong shapes, label values and ranges are refused, and leave the result unchanged."""
    before = np.asarray(metric.result()).copy()
    with pytest.raises(ValueError, match=message):
        metric.update_state(t, p)
    np.testing.assert_array_equal(metric.result(), before)


@pytest.mark.parametrize("metric", [ours.BinaryAccuracy(), ours.Precision(), ours.R2Score()])
@pytest.mark.parametrize("weight", [np.ones(3), np.ones((4, 2))])
def test_weights_that_do_not_fit_are_refused(metric: Any, weight: Any) -> None:
    """Sample weights of another length are refused, not broadcast."""
    with pytest.raises(ValueError, match="one weight per value"):
        metric.update_state(np.zeros((4, 1)), np.zeros((4, 1)), weight)


def test_the_mean_of_nothing_is_refused() -> None:
    """An empty array raises an error, not a division by zero."""
    with pytest.raises(ValueError, match="needs values"):
        ours.Mean().update_state([])


def test_impossible_metrics_are_refused() -> None:
    """Impossible arguments and unknown names are refused at once."""
    with pytest.raises(ValueError, match="num_thresholds >= 2"):
        ours.AUC(num_thresholds=1)
    with pytest.raises(ValueError, match="thresholds must be from 0 to 1"):
        ours.Precision(2.0)
    with pytest.raises(ValueError, match="thresholds must be from 0 to 1"):
        ours.Recall([0.5, -0.1])
    with pytest.raises(ValueError, match="threshold must be between 0 and 1"):
        ours.BinaryAccuracy(threshold=1.0)
    with pytest.raises(ValueError, match="Unknown metric 'acuracy'"):
        ours.get("acuracy")


class Largest(ours.Metric):
    """A custom metric in labkit's way."""

    def add(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        """Return how many samples there are, and how many have a large error."""
        return np.array([len(y_true), (abs(y_true - y_pred) > 1).any(axis=-1).sum()])

    def score(self, sums: Any) -> Any:
        """Return the share of large errors."""
        return sums[1] / sums[0]


class Counter(ours.Metric):
    """A custom metric in Keras's way."""

    def __init__(self, name: str = "counter") -> None:
        super().__init__(name=name)
        self.batches = 0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch."""
        self.batches += 1

    def result(self) -> int:
        """Return the number of batches."""
        return self.batches

    def reset_state(self) -> None:
        """Start over."""
        self.batches = 0


def test_a_custom_metric() -> None:
    """A custom metric defines two methods, or Keras's three."""
    large, counter = Largest(), Counter()
    assert (large.name, counter.name) == ("largest", "counter")
    for metric, results in ((large, (0, 1 / 3)), (counter, (1, 2))):
        assert metric([[1.0, 2.0]], [[1.0, 2.0]]) == results[0]
        assert metric([[1.0, 2.0], [0.0, 0.0]], [[1.0, 2.0], [0.0, 3.0]]) == results[1]
        metric.reset_state()
        assert metric.result() == 0


def test_the_base_class_says_what_is_missing() -> None:
    """A metric without methods says which one it needs."""
    with pytest.raises(NotImplementedError, match="Metric needs add"):
        ours.Metric(name="mine").update_state([1.0], [1.0])
