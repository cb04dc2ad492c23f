"""The graph's values and slopes are labkit's and NumPy's, and its steps are those of SGD."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator

import labkit as keras

from .helpers import Stage, address, slide, state

pytestmark = pytest.mark.slow
GRAPHS = ["squared error", "cross-entropy", "weight used twice"]
LOSSES = {
    "squared error": keras.losses.MeanSquaredError,
    "cross-entropy": keras.losses.BinaryCrossentropy,
}
PLACES = [{}, {"input x": -1.5, "weight w": 0.75}, {"bias b": 2, "target y": 0.3}]


def graph(stage: Stage, name: str) -> Locator:
    """Show one of the graphs."""
    return stage(f'<lab-gradients graph="{name}"></lab-gradients>')


def loss(name: str, x: float, w: float, b: float, y: float) -> float:
    """Return the loss of a graph, written out."""
    z = x * w + b
    if name == "weight used twice":
        return (max(0, z) * w - y) ** 2
    p = 1 / (1 + np.exp(-z))
    if name == "squared error":
        return float((p - y) ** 2)
    return float(-y * np.log(p) - (1 - y) * np.log(1 - p))


def train(name: str, shown: dict[str, Any]) -> tuple[float, float, float]:
    """Return labkit's loss with the figure's numbers, and w and b after one step of SGD."""
    values = shown["values"]
    layer = keras.layers.Dense(1, "sigmoid", dtype="float64")
    model = keras.Sequential([keras.Input((1,)), layer])
    model.set_weights([np.array([[values["w"]]]), np.array([values["b"]])])
    model.compile(keras.optimizers.SGD(shown["rate"]), LOSSES[name]())
    x, y = np.array([[values["x"]]]), np.array([[values["y"]]])
    value = LOSSES[name]()(y, np.asarray(model(x)))
    model.train_on_batch(x, y)
    w, b = (float(weight.ravel()[0]) for weight in model.get_weights())
    return float(value), w, b


@pytest.mark.parametrize("name", GRAPHS)
def test_slopes_equal_finite_differences(stage: Stage, name: str) -> None:
    """The value and all four slopes at the ends of the graph are those of the written formula."""
    element = graph(stage, name)
    for place in PLACES:
        for slider, value in place.items():
            slide(element, slider, value)
        shown = state(element)
        given = {key: shown["values"][key] for key in "xwby"}
        assert shown["values"]["L"] == pytest.approx(loss(name, **given), rel=1e-9)
        for key, value in given.items():
            above, below = (loss(name, **{**given, key: value + h}) for h in (1e-6, -1e-6))
            slope = (above - below) / 2e-6
            assert shown["slopes"][key] == pytest.approx(slope, rel=1e-5, abs=1e-8), key


@pytest.mark.parametrize("name", list(LOSSES))
def test_a_step_is_that_of_labkit(stage: Stage, name: str) -> None:
    """Five steps downhill give labkit's losses, weights and biases."""
    element = graph(stage, name)
    for _ in range(5):
        before = state(element)
        value, w, b = train(name, before)
        element.get_by_role("button", name="Step").click()
        after = state(element)["values"]
        assert before["values"]["L"] == pytest.approx(value, rel=1e-6)
        assert (after["w"], after["b"]) == pytest.approx((w, b), abs=1e-6)
        assert after["L"] < before["values"]["L"]
    element.get_by_role("button", name="Reset").click()
    assert state(element)["values"]["w"] == 1


def test_a_step_says_its_rate_and_lowers_the_loss_of_every_graph(stage: Stage) -> None:
    """A weight that is used twice needs a smaller rate than the neuron."""
    element = stage("<lab-gradients></lab-gradients>")
    for name in GRAPHS:
        element.get_by_role("button", name="Reset").click()
        element.get_by_role("combobox", name="Graph").select_option(name)
        step = element.get_by_role("button", name=f"Step, η = {state(element)['rate']}", exact=True)
        for _ in range(5):
            before = state(element)["values"]["L"]
            step.click()
            assert state(element)["values"]["L"] < before, name


def test_the_slope_of_the_logit_is_prediction_minus_target(stage: Stage) -> None:
    """So it is with the cross-entropy, wherever the neuron is."""
    element = graph(stage, "cross-entropy")
    for bias in [-3, 0, 3]:
        slide(element, "bias b", bias)
        slide(element, "target y", 0)
        shown = state(element)
        assert shown["slopes"]["z"] == pytest.approx(shown["values"]["ŷ"])


def test_a_dead_unit_passes_nothing(stage: Stage) -> None:
    """Behind a ReLU of a negative sum, x, w and b have slopes of exactly zero."""
    element = graph(stage, "weight used twice")
    slide(element, "bias b", -3)
    shown = state(element)
    assert shown["values"]["z"] < 0
    assert [shown["slopes"][key] for key in "xwb"] == [0, 0, 0]


def test_a_box_or_the_list_explains_a_slope(stage: Stage) -> None:
    """Both write its sum over the paths, with a nudge as a check; a link remembers the choice."""
    element = graph(stage, "weight used twice")
    news = element.locator("p.news")
    assert "∂L/∂w = ∂L/∂u · ∂u/∂w + ∂L/∂ŷ · ∂ŷ/∂w" in news.inner_text()
    element.locator(".node").filter(has_text="relu(z)").click()
    assert "∂L/∂h = ∂L/∂ŷ · ∂ŷ/∂h" in news.inner_text()
    link = address(element.page)
    assert "explain=h" in link
    again = stage('<lab-gradients graph="weight used twice"></lab-gradients>', link=link)
    assert "∂L/∂h = " in again.locator("p.news").inner_text()
    again.get_by_label("Explain").select_option("L")
    assert "Here the walk back begins" in again.locator("p.news").inner_text()
    again.get_by_label("Explain").select_option("h")
    again.get_by_role("combobox", name="Graph").select_option("squared error")  # which has no h
    assert "∂L/∂w = " in again.locator("p.news").inner_text()


def test_a_screen_reader_gets_all_numbers(stage: Stage) -> None:
    """A table that is not seen has each number's value and slope."""
    element = graph(stage, "squared error")
    rows = element.get_by_role("row")
    assert rows.count() == 1 + len(state(element)["values"])
    assert "0.622" in element.get_by_role("row", name="ŷ").inner_text()
