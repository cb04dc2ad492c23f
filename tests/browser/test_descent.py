"""The race of optimizers takes the steps of labkit's, and answers to mouse, finger and keys."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator

from labkit import optimizers

from .helpers import Stage, address, slide, state

pytestmark = pytest.mark.slow
Surface = Callable[[float, float, float], tuple[float, tuple[float, float]]]
GOAL = 0.01


def valley(x: float, y: float, k: float) -> tuple[float, tuple[float, float]]:
    """Return the loss ½ (x² + k y²) and its gradient."""
    return (x * x + k * y * y) / 2, (x, k * y)


def rotated(x: float, y: float, k: float) -> tuple[float, tuple[float, float]]:
    """Return those of the valley, turned by 45 degrees."""
    turn = np.array([[1, 1], [-1, 1]]) / np.sqrt(2)
    loss, slopes = valley(*(turn @ [x, y]), k)
    return loss, tuple(turn.T @ slopes)


def rosenbrock(x: float, y: float, _: float) -> tuple[float, tuple[float, float]]:
    """Return those of Rosenbrock's function."""
    loss = (1 - x) ** 2 + 100 * (y - x**2) ** 2
    return loss, (-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2))


def wells(x: float, y: float, _: float) -> tuple[float, tuple[float, float]]:
    """Return those of the two wells, the gradient by central differences of a smooth loss."""

    def loss(x: float, y: float) -> float:
        return float(((x - 1) ** 2 + y**2) * ((x + 1) ** 2 + y**2 + 0.2))

    h = 1e-5
    slopes = [(loss(x + a, y + b) - loss(x - a, y - b)) / (2 * h) for a, b in [(h, 0), (0, h)]]
    return loss(x, y), (slopes[0], slopes[1])


SURFACES: dict[str, Surface] = {
    "bowl": lambda x, y, _: valley(x, y, 1),
    "valley": valley,
    "rotated valley": rotated,
    "Rosenbrock": rosenbrock,
    "double well": wells,
}


def descend(
    optimizer: optimizers.Optimizer, surface: Surface, shown: dict[str, Any], steps: int
) -> tuple[np.ndarray, list[float]]:
    """Return labkit's path from the figure's start, (steps + 1, 2), and its losses."""
    place = np.array(shown["start"], dtype="float64")
    path, losses = [place.copy()], []
    for _ in range(steps):
        loss, gradient = surface(*place, shown["condition"])
        optimizer.apply([np.array(gradient)], [place])
        path.append(place.copy())
        losses.append(loss)
    return np.array(path), [*losses, surface(*place, shown["condition"])[0]]


def racers(shown: dict[str, Any]) -> dict[str, optimizers.Optimizer]:
    """Return labkit's optimizers with the settings that the figure shows."""
    rate, momentum = shown["rate"], shown["momentum"]
    return {
        "SGD": optimizers.SGD(rate),
        "Momentum": optimizers.SGD(rate, momentum=momentum),
        "Nesterov": optimizers.SGD(rate, momentum=momentum, nesterov=True),
        "RMSprop": optimizers.RMSprop(shown["adaptive"]),
        "Adam": optimizers.Adam(shown["adaptive"]),
    }


@pytest.mark.parametrize("surface", SURFACES)
def test_paths_equal_labkit(stage: Stage, surface: str) -> None:
    """Twenty steps of each optimizer are labkit's, with its losses and the steps to the goal."""
    element = stage(f'<lab-descent surface="{surface}" momentum="0.8"></lab-descent>')
    for _ in range(20):
        element.get_by_role("button", name="Step").click()
    shown = state(element)
    assert shown["steps"] == 20
    assert list(shown["runs"]) == list(racers(shown))
    for name, optimizer in racers(shown).items():
        run = shown["runs"][name]
        path, losses = descend(optimizer, SURFACES[surface], shown, 20)
        np.testing.assert_allclose(run["path"], path, atol=1e-6, err_msg=name)
        np.testing.assert_allclose(run["losses"], losses, rtol=1e-6, atol=1e-9, err_msg=name)
        below = np.flatnonzero(np.array(losses) < GOAL)
        assert run["reached"] == (below[0] if below.size else None)


def test_sliders_move_whole_paths(stage: Stage) -> None:
    """New settings give the paths that they would have given from the start."""
    element = stage('<lab-descent steps="20"></lab-descent>')
    before = state(element)["runs"]
    for name, value in [("learning rate", -2.5), ("RMSprop, Adam rate", -1.5), ("momentum", 0.5)]:
        slide(element, name, value)
    slide(element, "condition number k", 1)
    shown = state(element)
    assert shown["condition"] == 10
    assert (shown["rate"], shown["adaptive"], shown["momentum"]) == (0.0032, 0.032, 0.5)
    for name, optimizer in racers(shown).items():
        path, _ = descend(optimizer, valley, shown, 20)
        np.testing.assert_allclose(shown["runs"][name]["path"], path, atol=1e-6, err_msg=name)
        assert shown["runs"][name]["path"] != before[name]["path"]


def noises(shown: dict[str, Any]) -> np.ndarray:
    """Return the noise in the gradients along SGD's path in the bowl."""
    path = np.array(shown["runs"]["SGD"]["path"])
    return (path[:-1] - path[1:]) / shown["rate"] - path[:-1]


def test_noise_is_normal_and_repeats(stage: Stage) -> None:
    """It has the size of the slider, comes again with its seed, and changes with a button."""
    html = '<lab-descent surface="bowl" noise="2" steps="2000"></lab-descent>'
    element = stage(html)
    first = noises(state(element))
    assert first.std(0) == pytest.approx([2, 2], rel=0.05)
    assert abs(first.mean(0)).max() < 0.15
    assert abs(np.corrcoef(first.T)[0, 1]) < 0.1
    assert np.mean(abs(first) > 4) == pytest.approx(0.0455, abs=0.01)  # beyond two deviations
    element.get_by_role("button", name="New noise").click()
    assert abs(np.corrcoef(first[:, 0], noises(state(element))[:, 0])[0, 1]) < 0.1
    np.testing.assert_array_equal(noises(state(stage(html))), first)


def test_too_large_a_rate_is_said_to_diverge(stage: Stage) -> None:
    """SGD diverges above 2 / k and not below; the sentence names who did."""
    element = stage('<lab-descent optimizers="SGD Adam" rate="0.0201" steps="2000"></lab-descent>')
    news = element.locator("p.news")
    assert "SGD diverged: the rate is too large" in news.inner_text()
    assert element.get_by_role("row", name="SGD").get_by_text("diverged").is_visible()
    assert state(element)["runs"]["SGD"]["diverged"] < 2000
    slide(element, "learning rate", np.log10(0.019))
    assert "diverged" not in news.inner_text()
    assert element.get_by_label("momentum").count() == 0  # which neither of the two has


def test_a_race_ends_when_all_have_arrived(stage: Stage) -> None:
    """Run stops by itself after the last optimizer met the goal."""
    element = stage('<lab-descent surface="bowl" optimizers="SGD Adam" rate="0.5"></lab-descent>')
    element.page.emulate_media(reduced_motion="no-preference")
    element.get_by_role("button", name="Run").click()
    element.get_by_role("button", name="Pause").wait_for()
    element.get_by_role("button", name="Run").wait_for()
    shown = state(element)
    last = max(run["reached"] for run in shown["runs"].values())
    assert last <= shown["steps"] < last + 5


def test_an_optimizer_is_taken_out(stage: Stage) -> None:
    """Its box takes its path and its numbers away, and brings them back."""
    element = stage('<lab-descent steps="10"></lab-descent>')
    tick = element.get_by_role("checkbox", name="RMSprop")
    before = state(element)
    tick.uncheck()
    assert "RMSprop" not in state(element)["runs"]
    assert address(element.page).count("RMSprop") == 0
    tick.check()
    assert state(element) == before


def share(element: Locator, x: float, y: float) -> tuple[float, float]:
    """Return the point of the window at these shares of the map."""
    box = element.locator(".map").bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def test_the_start_is_moved_by_hand(stage: Stage) -> None:
    """A drag, a click and the arrow keys put the start where they point, within the map."""
    element = stage('<lab-descent surface="Rosenbrock" steps="5"></lab-descent>')
    mouse = element.page.mouse
    mouse.move(*share(element, 0.2, 0.45))  # (-1.2, 1.2)
    mouse.down()
    mouse.move(*share(element, 0.5, 0.25), steps=4)
    assert state(element)["start"] == pytest.approx([0, 2], abs=0.03)
    mouse.move(*share(element, 0.75, -0.3))
    mouse.up()
    assert state(element)["start"] == pytest.approx([1, 3], abs=0.03)
    mouse.click(*share(element, 0.25, 0.75))
    assert state(element)["start"] == pytest.approx([-1, 0], abs=0.03)
    start = element.get_by_role("slider", name="Start")
    assert state(element)["runs"]["SGD"]["path"][0] == state(element)["start"]
    x, y = state(element)["start"]
    for key in ["ArrowRight", "Shift+ArrowUp"]:
        start.press(key)
    assert state(element)["start"] == pytest.approx([x + 0.05, y + 0.25])
    assert "y 0.2" in (start.get_attribute("aria-valuetext") or "")
