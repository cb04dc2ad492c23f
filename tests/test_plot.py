"""Plot helpers: each returns the Axes it drew on, in colors that the site can exchange."""

import io
import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from labkit import datasets, plot

PALETTE = {plot.INK, plot.GRID, plot.PAPER, *plot.COLORS.values()}
CELL_TEXT = {"#fefefe", "#010101"}


@pytest.fixture
def ax() -> Iterator[Axes]:
    """Return an empty Axes with the theme, on a figure of its own."""
    with mpl.rc_context():
        plot.set_theme()
        yield Figure().subplots()


def quadrants(points: np.ndarray) -> np.ndarray:
    """Score points of the plane: above 0.5 where both coordinates have one sign."""
    return (points[:, 0] * points[:, 1] > 0).astype(float)


POINTS = np.random.default_rng(0).normal(size=(60, 2))
HISTORY = {
    "loss": [3.0, 2.0, 1.5],
    "val_loss": [3.0, 2.5, 2.4],
    "accuracy": [0.1, 0.5, 0.8],
}
DRAW: dict[str, Callable[[Axes], Axes]] = {
    "scatter": lambda ax: plot.scatter(ax, POINTS[:, 0], POINTS[:, 1], label="points"),
    "curves": lambda ax: plot.curves(ax, HISTORY, ["loss", "accuracy"]),
    "images": lambda ax: plot.images(ax, np.eye(8)[None].repeat(5, 0), titles="abcde"),
    "matrix": lambda ax: plot.matrix(ax, [[1, -0.5], [0.2, 0]], rows="ab", columns="cd"),
    "decision_boundary": lambda ax: plot.decision_boundary(
        ax, quadrants, POINTS, quadrants(POINTS)
    ),
}


def test_every_helper_is_tested() -> None:
    """Each public helper but set_theme is in the table that the tests go through."""
    helpers = {name for name in plot.__all__ if callable(getattr(plot, name))}
    assert helpers == {*DRAW, "set_theme"}


@pytest.mark.parametrize("name", DRAW)
def test_helpers_return_the_axes_and_use_the_palette(name: str, ax: Axes) -> None:
    """Each returns its Axes and uses only the colors that the dark scheme exchanges."""
    assert DRAW[name](ax) is ax
    file = io.StringIO()
    ax.figure.savefig(file, format="svg")
    colors = set(re.findall(r"#[0-9a-f]{6}\b", file.getvalue()))
    assert colors <= PALETTE | CELL_TEXT
    assert (plot.INK in colors) or name == "images"


@pytest.mark.parametrize("name", DRAW)
def test_helpers_draw_on_the_given_axes_only(name: str, ax: Axes) -> None:
    """No helper opens a figure or makes one current."""
    DRAW[name](ax)
    assert plt.get_fignums() == []
    assert ax.figure.axes == [ax]


def test_theme_is_transparent_and_lines_differ_without_color() -> None:
    """Backgrounds are transparent, and lines differ in style as well as color."""
    with mpl.rc_context():
        plot.set_theme()
        assert {mpl.rcParams[f"{what}.facecolor"] for what in ("figure", "axes")} == {"none"}
        cycle = mpl.rcParams["axes.prop_cycle"].by_key()
        text = {mpl.rcParams[name] for name in ("text.color", "axes.edgecolor", "xtick.color")}
        assert text == {plot.INK}
        assert mpl.rcParams["grid.color"] == plot.GRID
    assert cycle["color"] == list(plot.COLORS.values())
    assert len({str(style) for style in cycle["linestyle"]}) == len(plot.COLORS)


def test_default_text_can_be_read_on_a_phone() -> None:
    """A figure of the default size, shown 358 pixels wide, has no text below 9 pixels."""
    with mpl.rc_context():
        plot.set_theme()
        inches = Figure().get_figwidth() + 2 * mpl.rcParams["savefig.pad_inches"]
        names = [name for name in mpl.rcParams if name.endswith((".labelsize", ".titlesize"))]
        names += ["font.size", "legend.fontsize"]
        points = [FontProperties(size=mpl.rcParams[name]).get_size_in_points() for name in names]
    assert len(points) > 6
    assert min(points) / 72 / inches * 358 > 9


def test_many_points_are_rasterized(ax: Axes) -> None:
    """More than 1,500 points are rasterized; fewer stay vectors."""
    for count, raster in ((1500, False), (1501, True)):
        plot.scatter(ax, np.arange(count), np.arange(count))
        assert ax.collections[-1].get_rasterized() is raster


def test_curves_take_a_history_and_choose_names(ax: Axes) -> None:
    """An object with .history works like its dictionary, and names choose the lines."""
    history = type("History", (), {"history": HISTORY})()
    plot.curves(ax, history, names=["loss"])
    assert [line.get_label() for line in ax.lines] == ["loss", "val_loss"]
    assert [line.get_linestyle() for line in ax.lines] == ["-", "--"]
    assert ax.lines[0].get_xdata().tolist() == [1, 2, 3]


def test_images_are_laid_out_in_rows(ax: Axes) -> None:
    """Of five images in three columns the fourth starts a row; none overlap."""
    plot.images(ax, np.random.default_rng(0).random((5, 8, 6)), columns=3)
    boxes = [image.get_extent() for image in ax.images]
    assert boxes[3][0] == boxes[0][0] == 0
    assert boxes[3][3] > boxes[0][2]
    assert boxes[1][0] > boxes[0][1]
    assert {image.get_clim() for image in ax.images} == {ax.images[0].get_clim()}


def test_images_accept_photographs_and_single_channels(ax: Axes) -> None:
    """Color photographs keep their pixels; a last axis of one channel is dropped."""
    china = datasets.load_photographs()["china"]
    plot.images(ax, [china])
    np.testing.assert_array_equal(ax.images[0].get_array(), china)
    plot.images(ax, np.ones((2, 4, 4, 1)))
    assert ax.images[-1].get_array().shape == (4, 4)


def test_matrix_writes_readable_numbers(ax: Axes) -> None:
    """Text is light on dark cells and dark on light ones, formatted as asked."""
    plot.matrix(ax, [[1.0, 0.0]], fmt=".1f")
    assert [(text.get_text(), text.get_color()) for text in ax.texts] == [
        ("1.0", "#fefefe"),
        ("0.0", "#010101"),
    ]
    assert ax.images[0].get_clim() == (-1, 1)


def test_images_and_matrix_take_matplotlib_styles(ax: Axes) -> None:
    """A color map spans all values, or the given range."""
    plot.matrix(ax, [[3, 5], [4, 9]], fmt="g", cmap="viridis")
    plot.matrix(ax, [[3, 5], [4, 9]], fmt="g", cmap="Blues", vmin=0, vmax=10)
    plot.images(ax, [[[3, 5], [4, 9]]], vmin=0)
    assert [image.get_clim() for image in ax.images] == [(3, 9), (0, 10), (0, 9)]
    assert [image.get_cmap().name for image in ax.images] == ["viridis", "Blues", "gray_r"]


@pytest.mark.parametrize("form", ["vector", "column", "classes"])
def test_decision_boundary_accepts_every_form_of_scores(form: str, ax: Axes) -> None:
    """A score per point, a column of them, or one per class give the same regions."""
    forms = {
        "vector": quadrants,
        "column": lambda points: quadrants(points)[:, None],
        "classes": lambda points: np.stack([1 - quadrants(points), quadrants(points)], 1),
    }
    plot.decision_boundary(ax, forms[form], POINTS, quadrants(POINTS))
    other = Figure().subplots()
    plot.decision_boundary(other, quadrants, POINTS, quadrants(POINTS))
    assert len(ax.collections) > 0
    for mine, theirs in zip(ax.collections, other.collections, strict=True):
        for a, b in zip(mine.get_paths(), theirs.get_paths(), strict=True):
            np.testing.assert_array_equal(a.vertices, b.vertices)


def test_classes_differ_in_their_markers(ax: Axes) -> None:
    """Points of different classes have different shapes, not only colors."""
    classes = np.arange(60) % 3
    plot.decision_boundary(ax, quadrants, POINTS, classes)
    marks = [c.get_paths()[0].vertices for c in ax.collections if c.get_label()[:5] == "class"]
    assert len({mark.tobytes() for mark in marks}) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ax: plot.scatter(ax, [1, 2], [1]), r"\(2,\), \(1,\)"),
        (lambda ax: plot.scatter(ax, [[1, 2]], [[1, 2]]), r"\(1, 2\)"),
        (lambda ax: plot.curves(ax, HISTORY, names=["mse"]), "loss, val_loss.*'mse'"),
        (lambda ax: plot.images(ax, np.ones((8, 8))), r"\(8, 8\)"),
        (lambda ax: plot.images(ax, np.ones((2, 8, 8, 2))), r"\(2, 8, 8, 2\)"),
        (lambda ax: plot.images(ax, np.ones((0, 8, 8))), r"\(0, 8, 8\)"),
        (lambda ax: plot.images(ax, np.ones((2, 8, 8)), titles="a"), "2 titles.*Received: a"),
        (lambda ax: plot.matrix(ax, [1, 2]), r"\(2,\)"),
        (lambda ax: plot.decision_boundary(ax, quadrants, POINTS, [0, 1]), r"\(2,\)"),
        (lambda ax: plot.decision_boundary(ax, quadrants, POINTS.T, POINTS), r"\(2, 60\)"),
    ],
)
def test_bad_input_is_refused(call: Callable, message: str, ax: Axes) -> None:
    """Wrong shapes and names raise an error that says what was received."""
    with pytest.raises(ValueError, match=message):
        call(ax)


def test_missing_matplotlib_is_named() -> None:
    """Without matplotlib the theme says which extra to install."""
    code = "import sys; sys.modules['matplotlib'] = None; import labkit.plot as p; p.set_theme()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode != 0
    assert "pip install '.[plot]'" in done.stderr
