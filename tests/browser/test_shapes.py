"""The figure of shapes says what NumPy says, of shapes that fit and of those that do not."""

import math

import numpy as np
import pytest

from .helpers import Stage, address, state

pytestmark = pytest.mark.slow

PAIRS = [
    ("3, 1", "4"),
    ("4, 3", "3"),
    ("3", "3, 1"),
    ("178", "178, 1"),
    ("2, 1, 3", "4, 1"),
    ("()", "2, 2"),
    ("4, 3", "4"),
    ("2, 3", "3, 2"),
]


def shape(text: str) -> tuple[int, ...]:
    """Return the shape that a text stands for."""
    return tuple(int(size) for size in text.strip("()").split(",") if size)


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_shapes_meet_as_in_numpy(stage: Stage, a: str, b: str) -> None:
    """The result has NumPy's shape, and its cells the sums; or both call it an error."""
    element = stage("<lab-shapes></lab-shapes>")
    element.get_by_label("Shape of a").fill(a)
    element.get_by_label("Shape of b").fill(b)
    shown = state(element)["result"]
    news = element.locator("p.news").inner_text()
    try:
        expected = np.broadcast_shapes(shape(a), shape(b))
    except ValueError:
        assert shown is None
        assert "is an error" in news
        assert element.locator("svg").is_hidden()
        return
    assert tuple(shown) == expected
    assert f"{np.prod(expected):,d} numbers" in news
    if max(expected[-2:]) > 4:
        assert "too large to draw" in news
        assert element.locator("svg").is_hidden()
        return
    parts = [np.arange(1, math.prod(part) + 1).reshape(part) for part in (shape(a), shape(b))]
    total = np.atleast_2d(parts[0] + 10 * parts[1])
    while total.ndim > 2:
        total = total[0]
    texts = element.locator("svg text").all_text_contents()
    assert texts[-total.size - 1 : -1] == [str(value) for value in total.ravel()]


def test_what_is_no_shape_is_refused(stage: Stage) -> None:
    """The figure says what it expected, and stays as it is; the next shape is taken."""
    element = stage("<lab-shapes></lab-shapes>")
    before = state(element)
    for wrong in ("3, x", "0", "1, 2, 3, 4", "1000"):
        element.get_by_label("Shape of a").fill(wrong)
        assert "expected up to 3 sizes" in element.get_by_role("alert").inner_text()
        assert state(element) == before
    element.get_by_label("Shape of b").fill("2")  # what the other field holds is still wrong
    assert "received “1000”" in element.get_by_role("alert").inner_text()
    assert state(element) == before
    element.get_by_label("Shape of a").fill("(3,)")
    assert element.get_by_role("alert").is_hidden()
    assert state(element)["a"] == [3]
    assert state(element)["b"] == [2]


def test_buttons_stay_where_they_are(stage: Stage) -> None:
    """A reader who presses one after the other need not follow them."""
    element = stage("<lab-shapes></lab-shapes>")
    button = element.get_by_role("button", name="No fit")
    before = button.bounding_box()
    button.click()
    assert button.bounding_box() == before


def test_three_axes_fit_on_a_narrow_phone(stage: Stage) -> None:
    """The widest table is not cut."""
    element = stage("<lab-shapes></lab-shapes>")
    element.page.add_style_tag(content="html { font-size: 20px; }")  # as the book has it
    element.get_by_label("Shape of a").fill("999, 999, 999")
    assert element.evaluate("element => element.scrollWidth <= element.clientWidth")


def test_an_example_sets_both_shapes(stage: Stage) -> None:
    """The trap is one, and the link holds it."""
    element = stage("<lab-shapes></lab-shapes>")
    element.get_by_role("button", name="The trap").click()
    assert state(element)["result"] == [3, 3]
    link = address(element.page)
    assert "a=3&b=3x1" in link
    assert state(stage("<lab-shapes></lab-shapes>", link=link)) == state(element)
