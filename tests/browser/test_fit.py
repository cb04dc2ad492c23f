"""The fitted polynomial is scikit-learn's and NumPy's, wherever its points are moved."""

from typing import Any

import numpy as np
import pytest
from numpy.polynomial import legendre
from playwright.sync_api import Locator, Page
from sklearn.linear_model import Ridge

from .helpers import Stage, address, slide, state

pytestmark = pytest.mark.slow


def compare(shown: dict[str, Any]) -> None:
    """Hold the figure's coefficients and all its errors against scikit-learn's or NumPy's."""
    x, y = np.array(shown["x"]), np.array(shown["y"])
    held_x, held_y = np.array(shown["heldOut"]).T
    for degree, errors in enumerate(shown["errors"]):
        features = legendre.legvander(x, degree)[:, 1:]  # (points, degree)
        if shown["lambda"] and degree:
            ridge = Ridge(shown["lambda"], solver="svd").fit(features, y)
            coefficients, intercept = ridge.coef_, ridge.intercept_
        else:
            centered = features - features.mean(0)
            coefficients = np.linalg.lstsq(centered, y - y.mean())[0]
            intercept = y.mean() - features.mean(0) @ coefficients
        series = np.concatenate([[intercept], coefficients])
        training = np.mean((legendre.legval(x, series) - y) ** 2)
        held_out = np.mean((legendre.legval(held_x, series) - held_y) ** 2)
        size = abs(series).max()
        assert errors["training"] == pytest.approx(training, rel=1e-6, abs=1e-9)
        assert errors["heldOut"] == pytest.approx(held_out, rel=1e-6)
        if degree == shown["degree"]:
            found = [shown["intercept"], *shown["coefficients"]]
            np.testing.assert_allclose(found, series, atol=1e-6 * max(1, size))
            assert (shown["training"], shown["heldOutError"]) == (
                errors["training"],
                errors["heldOut"],
            )


@pytest.mark.parametrize("curve", ["sine", "line", "bell", "step"])
@pytest.mark.parametrize("penalty", [0, 1e-6, 0.01, 10])
def test_coefficients_equal_scikit_learn(stage: Stage, curve: str, penalty: float) -> None:
    """They do for each degree, even for degrees that the points do not determine."""
    html = f'<lab-fit curve="{curve}" lambda="{penalty}" points="13"></lab-fit>'
    element = stage(html)
    for degree in [0, 3, 15]:
        slide(element, "degree", degree)
        shown = state(element)
        assert len(shown["coefficients"]) == shown["degree"] == degree
        compare(shown)


def test_the_penalty_shrinks_the_coefficients(stage: Stage) -> None:
    """From none on the left end of its slider to 100 on the right one."""
    element = stage('<lab-fit degree="12"></lab-fit>')
    sizes = []
    for position in [-6, -3, 0, 2]:
        slide(element, "penalty λ", position)
        sizes.append(np.square(state(element)["coefficients"]).sum())
    assert state(element)["lambda"] == 100
    assert sizes == sorted(sizes, reverse=True)
    slide(element, "penalty λ", -6)
    assert state(element)["lambda"] == 0


def test_both_samples_have_the_noise_that_is_set(stage: Stage) -> None:
    """On the straight curve, both kinds of points are as far from it as the slider says."""
    element = stage('<lab-fit curve="line" points="40"></lab-fit>')
    for noise in [0, 0.1, 0.3]:
        slide(element, "noise", noise)
        shown = state(element)
        x, y = np.array(shown["heldOut"]).T
        assert len(x) == 60
        assert np.std(y - 0.9 * x) == pytest.approx(noise, rel=0.2)
        off = np.array(shown["y"]) - 0.9 * np.array(shown["x"])
        assert np.std(off) == pytest.approx(noise, rel=0.3)
        assert set(shown["x"]).isdisjoint(x)


def share(element: Locator, x: float, y: float) -> tuple[float, float]:
    """Return the point of the window that shows (x, y)."""
    box = element.locator(".plot").bounding_box()
    assert box is not None
    return (
        box["x"] + (x + 1) / 2 * box["width"],
        box["y"] + (1.6 - y) / 3.2 * box["height"],
    )


def test_points_are_dragged_added_and_removed(stage: Stage) -> None:
    """By mouse and by keys, and the fit is that of the points there are; a link has them."""
    element = stage('<lab-fit points="5" degree="2"></lab-fit>')
    before = state(element)
    mouse = element.page.mouse
    mouse.move(*share(element, before["x"][2], before["y"][2]))
    mouse.down()
    mouse.move(*share(element, 0.1, 0.9), steps=4)
    mouse.up()
    shown = state(element)
    assert (shown["x"][2], shown["y"][2]) == pytest.approx((0.1, 0.9), abs=0.02)
    assert shown["x"][:2] == before["x"][:2]
    compare(shown)
    mouse.click(*share(element, 0.6, -1.2))
    shown = state(element)
    assert (shown["x"][5], shown["y"][5]) == pytest.approx((0.6, -1.2), abs=0.02)
    compare(shown)
    focused = element.get_by_role("slider", name="Training point 6")
    focused.press("Shift+ArrowUp")
    assert state(element)["y"][5] == pytest.approx(-1, abs=0.02)
    focused.press("PageDown")
    element.page.keyboard.press("Delete")
    shown = state(element)
    assert (len(shown["x"]), shown["x"][0]) == (5, before["x"][1])
    compare(shown)
    link = address(element.page)
    again = state(stage('<lab-fit points="5" degree="2"></lab-fit>', link=link))
    assert again["x"] == pytest.approx(shown["x"], abs=1e-3)
    assert again["y"] == pytest.approx(shown["y"], abs=1e-3)


def test_buttons_add_and_remove_within_limits(stage: Stage) -> None:
    """Two buttons do it without a mouse, down to 2 and up to 40 points; Reset undoes it all."""
    element = stage('<lab-fit points="3"></lab-fit>')
    start = state(element)
    remove = element.get_by_role("button", name="Remove point")
    remove.click()
    assert remove.is_disabled()
    add = element.get_by_role("button", name="Add point")
    for _ in range(38):
        add.click()
    assert add.is_disabled()
    assert len(state(element)["x"]) == 40
    compare(state(element))
    element.get_by_role("button", name="Reset").click()
    assert state(element) == start


def test_a_press_on_the_chart_chooses_the_degree(stage: Stage) -> None:
    """So does a drag along it."""
    element = stage("<lab-fit></lab-fit>")
    box = element.locator(".chart").bounding_box()
    assert box is not None
    mouse = element.page.mouse
    mouse.move(box["x"] + box["width"] * 42 / 240, box["y"] + box["height"] / 2)
    mouse.down()
    assert state(element)["degree"] == 0
    mouse.move(box["x"] + box["width"] * 234 / 240, box["y"] + box["height"] / 2)
    mouse.up()
    assert state(element)["degree"] == 15


def test_the_chapter_says_what_its_figures_show(page: Page) -> None:
    """The sentences for readers without JavaScript have the errors of the same points."""
    page.goto("foundations/generalization/")
    whole, few = page.locator("lab-fit").all()
    said = "".join(figure.text_content() or "" for figure in (whole, few))
    shown = [state(figure)["errors"] for figure in (whole, few)]
    for degree, digits in (1, 2), (5, 3):
        for kind in ("training", "heldOut"):
            assert f"{shown[0][degree][kind]:.{digits}f}" in said
    assert f"{shown[0][12]['training']:.4f}" in said
    assert f"{shown[0][12]['heldOut']:.1f}" in said
    held_out = [errors["heldOut"] for errors in shown[1]]
    assert f"{held_out[7]:.1f}" in said
    assert f"{min(held_out[1:7]):.3f}" in said
    assert f"{min(held_out[8:]):.3f}" in said
    slide(few, "penalty λ", -2)
    assert f"{state(few)['errors'][7]['heldOut']:.3f}" in said
