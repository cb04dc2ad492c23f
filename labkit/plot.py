"""Figures that look alike: one theme, one palette, and helpers that draw on a given Axes.

Each function takes the Axes to draw on and returns it, so that a script decides on the
layout and can add to the picture. Backgrounds are transparent and the colors are few,
because the site recolors every figure for its dark scheme. Nothing relies on color alone:
lines also differ in style, classes also in marker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit._common import expect, extra
from labkit._palette import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLORS", "GRID", "INK", "MARKERS", "PAPER", "curves", "decision_boundary"]
__all__ += ["images", "matrix", "scatter", "set_theme"]

_NAMES = ("blue", "orange", "green", "purple", "red", "grey")

INK = PALETTE["ink"][0]
"""Text and axes."""

GRID = PALETTE["grid"][0]
"""Grid lines."""

PAPER = PALETTE["paper"][0]
"""The page, where a mark is to be hollow."""

COLORS = {name: PALETTE[name][0] for name in _NAMES}
"""The colors of data, by name, in the order in which lines take them."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")
"""The markers of groups of points."""

_PALETTE = list(COLORS.values())
_LINES = ["-", "--", "-.", ":", (0, (6, 2, 1, 2, 1, 2)), (0, (8, 3))]
Names = Sequence[str] | None


def set_theme() -> None:
    """Set matplotlib's defaults: palette, fonts, sizes, transparent backgrounds.

    Call it once, before the first figure. Line styles change together with the colors.

    Raises:
        ImportError: matplotlib is not installed.
    """
    plt = extra("matplotlib.pyplot", "plot")
    plt.style.use("labkit.plot")  # the file plot.mplstyle beside this one
    plt.rc("axes", prop_cycle=plt.cycler(color=_PALETTE, linestyle=_LINES))


def scatter(ax: Axes, x: Any, y: Any, label: str | None = None, group: int = 0) -> Axes:
    """Draw points, small and half-transparent where there are many.

    Args:
        ax: Where to draw.
        x: Horizontal positions, shape (samples,).
        y: Vertical positions, shape (samples,).
        label: Name in the legend.
        group: Which color and marker of the palette.

    Returns:
        `ax`.

    Raises:
        ValueError: `x` and `y` are not two vectors of one length.
    """
    x, y = np.asarray(x), np.asarray(y)
    expect(x.ndim == 1 and x.shape == y.shape, "scatter expects two vectors", (x.shape, y.shape))
    color, marker = _PALETTE[group % len(_PALETTE)], MARKERS[group % len(MARKERS)]
    size, alpha = (24, 0.9) if x.size < 200 else (10, 0.5)
    points = ax.scatter(x, y, s=size, color=color, marker=marker, alpha=alpha, label=label)
    points.set(linewidths=0, rasterized=x.size > 1500)  # so many vector marks are slow to show
    return ax


def curves(ax: Axes, history: Any, names: Sequence[str]) -> Axes:
    """Draw training curves: one line per loss or metric, dashed for validation.

    Args:
        ax: Where to draw.
        history: What `fit` returns, or its `history` dictionary of one number per epoch.
        names: Which entries, without `val_`.

    Returns:
        `ax`.

    Raises:
        ValueError: A name is not in the history.
    """
    values = getattr(history, "history", history)
    for place, name in enumerate(names):
        expect(name in values, f"curves expects names among {', '.join(values)}", repr(name))
        for key, style in ((name, ".-"), (f"val_{name}", ".--")):
            if y := values.get(key):
                ax.plot(range(1, len(y) + 1), y, style, color=f"C{place}", label=key)
    ax.locator_params("x", integer=True)
    ax.set_xlabel("epoch")
    ax.legend()
    return ax


def images(ax: Axes, images: Any, titles: Names = None, columns: int = 8, **style: Any) -> Axes:
    """Draw a grid of pictures of one size on a single Axes.

    Args:
        ax: Where to draw.
        images: Shape (pictures, height, width), or (pictures, height, width, 3) for color:
            uint8 from 0 to 255 or floats from 0 to 1.
        titles: What to write above each picture.
        columns: Pictures in a row, if there are as many.
        **style: More arguments of `Axes.imshow`. Unless they say otherwise, the color map is
            `"gray_r"`, from the smallest value of all pictures to the largest.

    Returns:
        `ax`.

    Raises:
        ValueError: `images` has another shape, or `titles` another length.
    """
    pictures = np.asarray(images)
    shaped = pictures.ndim >= 3 and pictures.shape[3:] in ((), (1,), (3,)) and pictures.size
    wanted = "images expects (pictures, height, width), 3 channels last for color"
    expect(shaped, wanted, pictures.shape)
    count, height, width = pictures.shape[:3]
    expect(titles is None or len(titles) == count, f"images expects {count} titles", titles)
    style = {"cmap": "gray_r", "vmin": pictures.min(), "vmax": pictures.max()} | style
    # Few pixels go into the file as they are, to be enlarged sharply; many are resampled.
    style.setdefault("interpolation", "none" if max(height, width) <= 64 else None)
    across = 1.08 * width  # from a picture to the next
    down = height + (0.08 if titles is None else 0.42) * width
    for i, picture in enumerate(pictures):
        left, top = i % columns * across, i // columns * down
        ax.imshow(picture, extent=(left, left + width, top + height, top), **style)
        if titles is not None:
            ax.text(left + width / 2, top, titles[i], ha="center", va="bottom")
    ax.set_xlim(0, (min(count, columns) - 1) * across + width)
    ax.set_ylim(top + height, height + 0.08 * width - down)
    ax.set_axis_off()
    return ax


def matrix(
    ax: Axes, values: Any, rows: Names = None, columns: Names = None, fmt: str = ".2f", **style: Any
) -> Axes:
    """Draw a matrix as colored cells with the numbers written in them.

    Args:
        ax: Where to draw.
        values: Shape (rows, columns). A cell that is not a number stays empty.
        rows: Names of the rows.
        columns: Names of the columns.
        fmt: Python's format specification for the numbers.
        **style: More arguments of `Axes.imshow`. Without any, the color map is `"RdBu"`,
            white at 0, and reaches to the largest magnitude.

    Returns:
        `ax`.

    Raises:
        ValueError: `values` is not a matrix.
    """
    values = np.asarray(values)
    expect(values.ndim == 2 and values.size, "matrix expects shape (rows, columns)", values.shape)
    most = np.nanmax(np.abs(values))
    style = style or {"cmap": "RdBu", "vmin": -most, "vmax": most}
    image = ax.imshow(values, aspect="auto", interpolation="none", **style)
    brightness = image.to_rgba(values.astype(float))[..., :3] ** 2.2 @ (0.2126, 0.7152, 0.0722)
    for i, j in np.argwhere(~np.isnan(values)):
        # Neither color is one that the site exchanges: the cells below stay as they are, too.
        color = "#fefefe" if brightness[i, j] < 0.18 else "#010101"  # as WCAG 2 asks
        text = format(values[i, j], fmt).replace("-", "−")
        ax.text(j, i, text, ha="center", va="center", color=color)
    for axis, names in ((ax.yaxis, rows), (ax.xaxis, columns)):
        if names is not None:
            axis.set_ticks(range(len(names)), names)
    ax.spines[:].set_visible(False)
    ax.grid(False)
    return ax


def decision_boundary(ax: Axes, predict: Callable[[np.ndarray], Any], x: Any, y: Any) -> Axes:
    """Draw labeled points of the plane and the regions that a classifier gives each class.

    Args:
        ax: Where to draw.
        predict: Takes float64 points of shape (points, 2); returns one score per point,
            shape (points,) or (points, 1), compared with 0.5; or one score per
            class, shape (points, classes), the largest of which wins.
        x: Points, shape (samples, 2).
        y: Class numbers, shape (samples,).

    Returns:
        `ax`.

    Raises:
        ValueError: `x` or `y` has another shape.
    """
    x, y = np.asarray(x), np.asarray(y).ravel()
    wanted = "decision_boundary expects x of shape (samples, 2) and y of shape (samples,)"
    expect(y.size and x.shape == (y.size, 2), wanted, f"{x.shape} and {y.shape}")
    margin = 0.1 * np.ptp(x, axis=0) + 1e-9
    low, high = x.min(axis=0) - margin, x.max(axis=0) + margin
    across, up = np.meshgrid(*np.linspace(low, high, 200).T)  # (200, 200) each
    grid = np.column_stack([across.ravel(), up.ravel()])  # (40000, 2)
    scores = np.asarray(predict(grid)).reshape(len(grid), -1)  # (40000, 1 or classes)
    classes = scores.shape[1]
    surface = (scores.argmax(axis=1) if classes > 1 else scores).reshape(across.shape)
    borders = np.arange(0.5, max(classes - 1, 1))
    levels = [-np.inf, *borders, np.inf]
    ax.contourf(across, up, surface, levels=levels, colors=_PALETTE, alpha=0.15)
    if surface.min() < borders[-1] and surface.max() > borders[0]:
        ax.contour(across, up, surface, levels=borders, colors=INK, linewidths=1)
    for number in np.unique(y.astype(int)):
        first, second = x[y == number].T
        scatter(ax, first, second, f"class {number}", number)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    ax.grid(False)
    return ax
