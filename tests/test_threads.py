"""One BLAS thread while labkit computes."""

import threading

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

import labkit as keras
from labkit._threads import one_blas_thread


def blas_threads() -> list[int]:
    """Return how many threads each library for matrix products uses."""
    libraries = ThreadpoolController().select(user_api="blas").lib_controllers
    return [library.num_threads for library in libraries]


def model() -> keras.Sequential:
    """Return a small convolutional network."""
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
