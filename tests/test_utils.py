"""Seeds and the progress bar."""

import itertools
import random
import sys
from typing import Any

import numpy as np
import pytest

import labkit as ours
from labkit import utils


def test_a_seed_makes_everything_repeat() -> None:
    """After the same seed, weights, shuffling and NumPy's and Python's streams repeat."""

    def draw() -> list[Any]:
        utils.set_random_seed(7)
        model = ours.Sequential([ours.Input((3,)), ours.layers.Dense(2)])
        model.compile("adam", "mse")
        x = np.random.rand(50, 3)  # noqa: NPY002  # the stream that a script may use
        history = model.fit(x, x[:, :2], epochs=2, verbose=0).history["loss"]
        return [random.random(), *history, *model.get_weights()[0].ravel()]

    assert draw() == draw()


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "1", None])
def test_impossible_seeds_are_refused(seed: Any) -> None:
    """A seed is an integer from 0 to 2**32 - 1."""
    with pytest.raises(ValueError, match="seed is an integer"):
        utils.set_random_seed(seed)


@pytest.mark.parametrize(
    ("x", "num_classes"), [([0, 2, 1], None), ([[0, 1], [3, 2]], 5), ([[1], [0]], None), (2, 4)]
)
def test_one_hot_rows_match_keras(x: Any, num_classes: int | None) -> None:
    """Labels of any shape become Keras's rows; a last axis of size 1 is dropped."""
    import keras

    rows, expected = (u.to_categorical(x, num_classes) for u in (utils, keras.utils))
    np.testing.assert_array_equal(rows, expected)
    assert rows.dtype == expected.dtype


@pytest.mark.parametrize("labels", [[-1, 0], [0, 3], [0.5, 1]])
def test_impossible_labels_are_refused(labels: Any) -> None:
    """A label is a whole number from 0 to one less than the number of classes."""
    with pytest.raises(ValueError, match="to_categorical expects whole numbers from 0 to 2"):
        utils.to_categorical(labels, 3)


@pytest.mark.parametrize("sides", [*itertools.product(["pre", "post"], repeat=2)])
@pytest.mark.parametrize("maxlen", [None, 1, 2, 5])
def test_padding_matches_keras(sides: tuple[str, str], maxlen: int | None) -> None:
    """Short sequences are filled and long ones cut at the side that is asked for."""
    import keras

    rows = [[1], [2, 3, 4], [], [5, 6]]
    steps = [np.arange(2.0 * n).reshape(n, 2) for n in (3, 1)]
    for sequences, dtype in ((rows, "int32"), (steps, "float32")):
        padded, expected = (
            u.pad_sequences(sequences, maxlen, dtype, *sides, value=7) for u in (utils, keras.utils)
        )
        np.testing.assert_array_equal(padded, expected)
        assert padded.dtype == expected.dtype


def test_what_cannot_be_padded_is_refused() -> None:
    """Numbers, steps of two shapes, unknown sides and no room are refused."""
    with pytest.raises(ValueError, match="expects a list of sequences whose steps have one shape"):
        utils.pad_sequences([1, 2])
    with pytest.raises(ValueError, match="expects a list of sequences whose steps have one shape"):
        utils.pad_sequences([np.ones((2, 3)), np.ones((2, 4))])
    with pytest.raises(ValueError, match="padding is 'pre' or 'post'"):
        utils.pad_sequences([[1]], padding="left")
    with pytest.raises(ValueError, match="maxlen must be positive"):
        utils.pad_sequences([[]])


class Terminal:
    """A standard output that claims to be a terminal."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, text: str) -> None:
        """Keep the text."""
        self.written.append(text)

    def flush(self) -> None:
        """Do nothing."""

    def isatty(self) -> bool:
        """Claim to be a terminal."""
        return True


def test_the_bar_redraws_its_line_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar redraws its line, erases the rest of a longer one, and ends it once."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    seconds = itertools.count(10)
    monkeypatch.setattr(utils.time, "perf_counter", lambda: next(seconds))
    bar = utils.Progbar(4)
    bar.update(1, {"loss": 0.123456})
    bar.update(2, {"matrix": np.zeros((2, 2))})
    bar.update(4, {"loss": 1.0})
    drawn = "".join(terminal.written).split("\r")
    bars = ["1/4 ━━━━━                ", "2/4 ━━━━━━━━━━           ", "4/4 ━━━━━━━━━━━━━━━━━━━━ "]
    assert [line[:25] for line in drawn] == bars
    assert drawn[0][25:] == "1s 1000.0ms/step - loss: 0.1235"
    assert "matrix" not in drawn[1]
    assert len(drawn[1]) == len(drawn[0])
    assert [line.endswith("\n") for line in drawn] == [False, False, True]


def test_the_bar_is_not_redrawn_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar is redrawn at most every twentieth of a second, and always at the end."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(utils.time, "perf_counter", lambda: 10.0)
    bar = utils.Progbar(None)
    for step in range(1, 100):
        bar.update(step)
    assert len(terminal.written) == 1 + 1  # the first drawing and its empty end
    bar.update(99, finalize=True)
    assert terminal.written[2].startswith("99/99 ")
