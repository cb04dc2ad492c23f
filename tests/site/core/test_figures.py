"""Figures: their size, and their dark twin."""

import pytest

from labkit.plot import COLORS, GRID, INK, PAPER
from labkit.site.core.figures import DARK, figures

from ..pages import SVG, code, notebook, printed, shown


def luminance(color: str) -> float:
    """Return a color's relative luminance, as WCAG 2 defines it."""
    parts = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colors, as WCAG 2 defines it."""
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def test_a_drawing_has_its_size_in_css_pixels() -> None:
    """Points become pixels; what is not a drawing is passed over."""
    cell = notebook(code("", printed("hello"), shown(svg=SVG))).cells[0]
    (figure,) = figures(cell, "boundary")
    assert (figure.name, figure.width, figure.height) == ("boundary", 48, 24)


def test_further_drawings_are_numbered() -> None:
    """The second drawing of a cell is called NAME-2."""
    cell = notebook(code("", shown(svg=SVG), shown(svg=SVG))).cells[0]
    assert [figure.name for figure in figures(cell, "a")] == ["a", "a-2"]


def test_the_dark_twin_differs_in_the_palette_alone() -> None:
    """Colors of the palette change in any case of letters; all others stay."""
    svg = SVG.replace("/>", '; fill: #0B6BCB; color: #123456"/><image href="data:0b6bcb"/>')
    (figure,) = figures(notebook(code("", shown(svg=svg))).cells[0], "a")
    dark = DARK["#0b6bcb"]
    assert figure.dark == svg.replace("#0b6bcb", dark).replace("#0B6BCB", dark)
    assert figure.dark != svg


def test_the_palette_is_the_one_of_labkit_plot() -> None:
    """Each color that figures use has a dark form, and no other has one."""
    assert set(DARK) == {INK, GRID, PAPER, *COLORS.values()}


@pytest.mark.parametrize("light", [INK, *COLORS.values()])
def test_dark_colors_can_be_read(light: str) -> None:
    """Text and marks have a contrast of 4.5:1 on both pages."""
    assert contrast(DARK[light], DARK[PAPER]) >= 4.5
    assert contrast(light, PAPER) >= 4.5


@pytest.mark.parametrize("svg", ["no drawing", "<svg height='1pt'>", SVG.replace("pt", "%")])
def test_a_drawing_without_a_size_is_refused(svg: str) -> None:
    """The error says what was expected."""
    with pytest.raises(ValueError, match="Expected an SVG drawing"):
        list(figures(notebook(code("", shown(svg=svg))).cells[0], "a"))
