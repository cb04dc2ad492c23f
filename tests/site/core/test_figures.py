"""Figures: their size, their dark twin, and the palette that all of the book shares."""

import io
import re
from pathlib import Path

import matplotlib as mpl
import matplotlib.figure
import pytest

from labkit._palette import PALETTE
from labkit.plot import COLORS, GRID, INK, PAPER, set_theme
from labkit.site.core.book import Cell, EmbedError
from labkit.site.core.figures import DARK, figures, sized

from ..pages import SVG, code, notebook, printed, shown

ROOT = Path(__file__).parents[3]


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
    """The second drawing of a cell is called NAME_2, which no label can be."""
    cell = notebook(code("", shown(svg=SVG), shown(svg=SVG))).cells[0]
    assert [figure.name for figure in figures(cell, "a")] == ["a", "a_2"]


def test_the_dark_twin_differs_in_the_palette_alone() -> None:
    """Colors of the palette change in any case of letters; all others stay."""
    svg = SVG.replace('"/>', '" fill="#0B6BCB" color="#123456"/><image href="data:0b6bcb"/>')
    (figure,) = figures(notebook(code("", shown(svg=svg))).cells[0], "a")
    dark = DARK["#0b6bcb"]
    assert figure.dark == svg.replace("#0b6bcb", dark).replace("#0B6BCB", dark)
    assert figure.dark != svg


def drawn(color: str | None = None, fonts: str = "path", themed: bool = True) -> Cell:
    """Return a cell that has drawn with matplotlib, its axes' text in a color of its own."""
    with mpl.rc_context({"svg.fonttype": fonts}):
        if themed:
            set_theme()
        axes = mpl.figure.Figure().subplots()
        axes.text(0, 0, "on a ground of its own", color="black")
        if color:
            axes.set_xlabel("x", color=color)
        file = io.StringIO()
        axes.figure.savefig(file, format="svg")
    cell = notebook(code("draw()", shown(svg=file.getvalue()), alt="Axes.")).cells[0]
    return Cell("frog", "a", cell, place="tutorials/frog")


@pytest.mark.parametrize("fonts", ["path", "none"])
def test_a_figure_without_the_books_style_is_an_error(fonts: str) -> None:
    """Its axes would be black on a dark page: the message names file, line and remedy."""
    assert len(drawn(fonts=fonts).figures) == 1
    assert len(drawn(COLORS["red"], fonts).figures) == 1
    for cell, color in [(drawn(None, fonts, False), "#000000"), (drawn("navy", fonts), "#000080")]:
        wanted = rf"tutorials/frog\.py:7: .* {color}, also on a dark page.*set_theme\(\)"
        with pytest.raises(EmbedError, match=wanted):
            _ = cell.figures


def test_the_palette_is_the_one_of_labkit_plot() -> None:
    """Each color that figures use has a dark form, and no other has one."""
    assert set(DARK) == {INK, GRID, PAPER, *COLORS.values()}
    style = (ROOT / "labkit" / "plot.mplstyle").read_text()
    used = {f"#{color}" for color in re.findall(r": ([0-9a-f]{6})$", style, re.MULTILINE)}
    assert used
    assert used <= set(DARK)


def test_the_stylesheet_has_the_palette() -> None:
    """Each color is the variable `--lab-ROLE`, first for the light page, then for the dark."""
    css = (ROOT / "docs" / "assets" / "site.css").read_text()
    for role, colors in PALETTE.items():
        assert re.findall(rf"--lab-{role}: light-dark\((#\w+), (#\w+)\);", css) == [colors]


def test_scripts_have_no_colors_of_their_own() -> None:
    """Interactive figures take the stylesheet's variables, which follow the scheme."""
    scripts = list((ROOT / "docs" / "assets" / "js").glob("lab*.js"))
    assert scripts
    for script in scripts:
        assert not re.findall(r"#(?:[0-9a-f]{3}){1,2}\b(?![^{]*\{)", script.read_text(), re.I)


@pytest.mark.parametrize("light", [INK, *COLORS.values()])
def test_dark_colors_can_be_read(light: str) -> None:
    """Text and marks have a contrast of 4.5:1 on both pages."""
    assert contrast(DARK[light], DARK[PAPER]) >= 4.5
    assert contrast(light, PAPER) >= 4.5


BOX = 'viewBox="0 0 40 10"'


@pytest.mark.parametrize(
    ("root", "width", "height"),
    [
        ('width="36pt" height="1in"', 48, 96),
        ('width="36" height="18px"', 36, 18),
        (BOX, 40, 10),
        (f'{BOX} width="100%"', 40, 10),
        (f'{BOX} width="80px"', 80, 20),
        (f'{BOX} height="20" width="auto"', 80, 20),
    ],
)
def test_a_drawing_has_a_size(root: str, width: int, height: int) -> None:
    """What is missing or relative is taken from the viewBox, and written into the drawing."""
    svg, *size = sized(f'<svg xmlns="http://www.w3.org/2000/svg" {root}><g/></svg>')
    assert size == [width, height]
    assert sized(svg) == (svg, width, height)


def test_a_drawing_that_says_not_what_it_is_says_so_as_a_file() -> None:
    """In a page `<svg>` needs no namespace; as a file, without one, nothing is shown."""
    svg, _, _ = sized('<svg width="9" height="9"><g/></svg>')
    assert 'xmlns="http://www.w3.org/2000/svg"' in svg


@pytest.mark.parametrize(
    ("svg", "message"),
    [
        ("no drawing", "not well formed"),
        ('<svg width="1pt">', "not well formed"),
        ("<html/>", "root is not <svg>"),
        ('<svg width="100%" height="100%"/>', "no size: give <svg> a width and a height"),
        ('<svg viewBox="0 0 0 9"/>', "no size"),
    ],
)
def test_a_drawing_without_a_size_is_refused(svg: str, message: str) -> None:
    """The error says what is wrong and what to do."""
    with pytest.raises(ValueError, match=message):
        sized(svg)
