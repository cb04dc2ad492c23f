"""Data come in batches, one at a time, from memory, disk or generators."""

import itertools
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import labkit as keras

WIDTH = 1000
KIB, MIB = 2**10, 2**20


def model() -> keras.Sequential:
    """Return a compiled model for rows of a thousand numbers."""
    made = keras.Sequential([keras.Input((WIDTH,)), keras.layers.Dense(1)])
    made.compile(keras.optimizers.SGD(1e-4), "mse")
    return made


def peak(work: Callable[[], Any]) -> int:
    """Return how many more bytes some work needs at its peak than before it."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def on_disk(path: Path, rows: int) -> Any:
    """Return an array that is stored in a file."""
    return np.memmap(path / f"{rows}.bin", "float32", "w+", shape=(rows, WIDTH))


def endless(rows: int = 32) -> Iterator[Any]:
    """Yield batches forever."""
    rng = np.random.default_rng(0)
    while True:
        x = rng.random((rows, WIDTH), dtype="float32")
        yield x, x[:, :1]


@pytest.mark.slow
@pytest.mark.parametrize("shuffle", [False, True])
def test_training_on_a_file_needs_memory_for_one_batch(shuffle: bool, tmp_path: Path) -> None:
    """Ten times the rows need no more memory than 8 bytes a row, for the shuffled order."""
    trained = model()
    options = {"verbose": 0, "shuffle": shuffle, "epochs": 2, "validation_split": 0.1}
    peaks = {}
    for rows in (2_000, 20_000):
        x, y = on_disk(tmp_path, rows), np.zeros((rows, 1), "float32")
        peaks[rows] = peak(lambda x=x, y=y: trained.fit(x, y, **options))
    assert peaks[2_000] < 2 * MIB
    assert peaks[20_000] - peaks[2_000] < 20_000 * 8 + 100 * KIB


@pytest.mark.slow
def test_predicting_and_evaluating_a_file_need_memory_for_one_batch(tmp_path: Path) -> None:
    """Ten times the rows need no more memory than the predictions themselves."""
    trained, peaks = model(), {}
    for rows in (2_000, 20_000):
        x, y = on_disk(tmp_path, rows), np.zeros((rows, 1), "float32")
        predicting = peak(lambda x=x: trained.predict(x, verbose=0))
        evaluating = peak(lambda x=x, y=y: trained.evaluate(x, y, verbose=0))
        peaks[rows] = predicting, evaluating
    assert max(peaks[2_000]) < MIB
    assert peaks[20_000][0] - peaks[2_000][0] < 2 * 20_000 * 4 + 200 * KIB
    assert peaks[20_000][1] - peaks[2_000][1] < 100 * KIB


@pytest.mark.slow
def test_training_on_a_generator_needs_memory_for_one_batch() -> None:
    """Ten times the batches need no more memory."""
    trained = model()
    peaks = [
        peak(lambda n=steps: trained.fit(endless(), steps_per_epoch=n, epochs=2, verbose=0))
        for steps in (10, 100)
    ]
    assert peaks[0] < 2 * MIB
    assert abs(peaks[1] - peaks[0]) < 100 * KIB


class Reusable:
    """Batches that can be iterated again and again."""

    def __init__(self, *batches: Any) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[Any]:
        return iter(self.batches)


RNG = np.random.default_rng(0)
X, Y, W = RNG.normal(size=(12, 3)), RNG.normal(size=(12, 1)), RNG.uniform(size=12)
PARTS = [slice(0, 5), slice(5, 10), slice(10, 12)]


def trained_on(*data: Any, **options: Any) -> list[Any]:
    """Return the weights after training a small model from zero on some data."""
    layer = keras.layers.Dense(1, kernel_initializer="zeros")
    small = keras.Sequential([keras.Input((3,)), layer])
    small.compile("sgd", "mse")
    small.fit(*data, verbose=0, **options)
    return small.get_weights()


@pytest.mark.parametrize("weigh", [False, True])
def test_iterables_train_like_arrays(weigh: bool) -> None:
    """The same batches from a generator, an iterable or arrays give the same weights."""
    arrays = (X, Y, W) if weigh else (X, Y)
    batches = [tuple(a[part] for a in arrays) for part in PARTS]
    options = {"batch_size": 5, "shuffle": False, "sample_weight": W if weigh else None}
    expected = trained_on(X, Y, epochs=2, **options)
    assert expected[0].any()
    cycle = itertools.cycle(batches)
    for found in (
        trained_on(Reusable(*batches), epochs=2),
        trained_on((batch for batch in batches * 2), epochs=2, steps_per_epoch=3),
        trained_on(cycle, epochs=2, steps_per_epoch=3),
    ):
        np.testing.assert_array_equal(found[0], expected[0])


def test_steps_limit_an_epoch() -> None:
    """With arrays, steps_per_epoch uses the first batches only."""
    expected = trained_on(X[:10], Y[:10], batch_size=5, shuffle=False)
    assert expected[0].any()
    found = trained_on(X, Y, batch_size=5, shuffle=False, steps_per_epoch=2)
    np.testing.assert_array_equal(found[0], expected[0])


def test_class_weights_apply_to_iterables() -> None:
    """Class weights multiply the loss of each label, integer or one-hot."""
    labels = np.arange(12) % 3

    def weights(y: Any, loss: str) -> list[Any]:
        layer = keras.layers.Dense(3, activation="softmax", kernel_initializer="zeros")
        small = keras.Sequential([keras.Input((3,)), layer])
        small.compile("sgd", loss)
        small.fit(Reusable((X, y)), class_weight={0: 2.0, 2: 0.0}, verbose=0)
        return small.get_weights()

    sparse = weights(labels, "sparse_categorical_crossentropy")
    one_hot = weights(np.eye(3)[labels], "categorical_crossentropy")
    np.testing.assert_allclose(sparse[0], one_hot[0], rtol=1e-6)
    assert not np.allclose(sparse[0], 0)


def test_predict_and_evaluate_take_iterables() -> None:
    """Iterables of x predict, and iterables of (x, y, weight) evaluate."""
    small = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    small.compile("sgd", "mse")
    np.testing.assert_allclose(
        small.predict(Reusable(*(X[part] for part in PARTS)), verbose=0), small(X), rtol=1e-5
    )
    found = small.evaluate(Reusable(*((X[p], Y[p], W[p]) for p in PARTS)), verbose=0)
    expected = small.evaluate(X, Y, batch_size=5, sample_weight=W, verbose=0)
    assert found == pytest.approx(expected)
    history = small.fit(X, Y, validation_data=Reusable((X, Y)), epochs=2, verbose=0).history
    assert len(history["val_loss"]) == 2


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ((iter([(X, Y)]),), {"epochs": 2}, "Batches in an epoch: 1. Received: 0"),
        ((iter([(X, Y)]),), {"steps_per_epoch": 2}, "Batches in an epoch: 2. Received: 1"),
        ((iter([(X, Y, W, W)]),), {}, "Received: 4 parts"),
        ((iter([(3.0, Y)]),), {}, "same number of rows"),
        ((iter([(X, Y)]), Y), {}, "pass no y"),
        ((iter([(X, Y)]),), {"batch_size": 5}, "pass no y, sample_weight or batch_size"),
        ((iter([(X, Y[:-1])]),), {}, "same number of rows"),
        ((iter([X]),), {"class_weight": {0: 1.0}}, "class_weight needs targets"),
        ((iter([(X, Y)]),), {"validation_split": 0.5}, "leave samples on both sides"),
        ((X, Y), {"steps_per_epoch": 0}, "steps must be 1 or more. Received: 0"),
    ],
)
def test_data_that_run_out_or_do_not_fit_are_refused(
    data: Any, options: dict[str, Any], message: str
) -> None:
    """Iterables that end too early and batches of another form are refused."""
    with pytest.raises(ValueError, match=message):
        trained_on(*data, **options)
