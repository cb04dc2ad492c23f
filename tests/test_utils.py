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
