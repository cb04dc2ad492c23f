"""One BLAS thread while labkit computes, and halves of a batch side by side."""

import multiprocessing
import threading

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

import labkit as keras
from labkit import _threads
from labkit._threads import in_halves, one_blas_thread


def blas_threads() -> list[int]:
    """Return how many threads each library for matrix products uses."""
    libraries = ThreadpoolController().select(user_api="blas").lib_controllers
    return [library.num_threads for library in libraries]


def model() -> keras.Sequential:
    """Return a network whose convolution is large enough for two halves."""
    convolution = keras.layers.Conv2D(8, 5, kernel_initializer="ones")
    flat = keras.layers.GlobalAveragePooling2D()
    made = keras.Sequential([keras.Input((28, 28, 1)), convolution, flat, keras.layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


class Watch(keras.callbacks.Callback):
    """Notes how many threads there are in each step."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        """Note it."""
        self.seen += blas_threads()


def test_training_uses_one_blas_thread_and_restores_the_others() -> None:
    """Within `fit` there is one, and afterwards, also after an error, as many as before."""
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        before, watch = blas_threads(), Watch()
        x = np.ones((8, 28, 28, 1), "float32")
        model().fit(x, x[:, 0, 0], verbose=0, callbacks=[watch])
        assert set(watch.seen) == {1}
        assert blas_threads() == before
        with pytest.raises(ValueError, match="finite"):
            model().fit(np.nan * x, x[:, 0, 0], verbose=0)
        assert blas_threads() == before


def test_the_last_one_to_leave_restores_the_threads() -> None:
    """Of two trainings at once, the one that ends first leaves the other its single thread."""
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        before = blas_threads()

        def other() -> None:
            with one_blas_thread:
                pass

        thread = threading.Thread(target=other)
        with one_blas_thread:
            thread.start()
            thread.join()
            assert set(blas_threads()) == {1}
        assert blas_threads() == before


def test_halves_are_the_whole_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row is in one half, on any number of cores; small work is not parted."""
    for cores in (1, 2):
        monkeypatch.setattr(_threads, "_cores", lambda cores=cores: cores)
        for samples in (2, 3, 64):
            rows = np.arange(samples)
            halves = in_halves(rows.__getitem__, samples, 2 * _threads.LEAST)
            assert len(halves) == 2
            assert np.array_equal(np.concatenate(halves), rows)
    assert in_halves(lambda half: half, 64, 1) == [slice(0, 64)]


@pytest.mark.parametrize("bad", [0, 32])
def test_an_error_in_either_half_is_raised(bad: int) -> None:
    """After both have ended, with NumPy's settings for errors those of the caller."""

    def work(half: slice) -> None:
        if half.start == bad:
            np.zeros(1) / 0

    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        in_halves(work, 64, 2 * _threads.LEAST)


def test_the_number_of_cores_changes_no_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network trained on one core and on two has the same weights, bit by bit."""
    rng = np.random.default_rng(0)
    x = rng.random((64, 28, 28, 1), dtype="float32")
    trained = []
    for cores in (1, 2):
        monkeypatch.setattr(_threads, "_cores", lambda cores=cores: cores)
        made = model()
        made.layers[-1].set_weights([np.ones((8, 1), "float32"), np.zeros(1, "float32")])
        made.fit(x, x.mean((1, 2)), batch_size=32, epochs=2, shuffle=False, verbose=0)
        trained.append(made.get_weights())
    for one, two in zip(*trained, strict=True):
        assert np.array_equal(one, two)


def _halves_in_child() -> None:
    assert len(in_halves(lambda half: half, 64, 2 * _threads.LEAST)) == 2


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork here"
)
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_process_can_compute_too() -> None:
    """The helping thread is not in the child, which starts one of its own."""
    _halves_in_child()
    child = multiprocessing.get_context("fork").Process(target=_halves_in_child)
    child.start()
    child.join(20)
    code = child.exitcode
    child.kill()
    assert code == 0
