"""Figures that look alike: one theme, one palette, and helpers that draw on a given Axes.

Each function takes the Axes to draw on and returns it, so that a script decides on the
layout and can add to the picture. Backgrounds are transparent and the colors are few,
because the site recolors every figure for its dark scheme. Nothing is told by color alone:
lines also differ in style, classes also in marker.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

try:
    import matplotlib as mpl
    from cycler import cycler
    from matplotlib.axes import Axes
    from matplotlib.ticker import MaxNLocator
except ImportError as error:
    raise ImportError(
        "labkit.plot needs matplotlib, which is not installed. "
        "Install it: pip install 'labkit[plot]'",
        name=error.name,
    ) from error

__all__ = [
    "COLORS",
    "GRID",
    "INK",
    "LINES",
    "MARKERS",
    "PAPER",
    "curves",
    "decision_boundary",
    "images",
    "matrix",
    "regression",
    "scatter",
    "set_theme",
]

INK = "#1f2328"
"""Text and axes."""

GRID = "#d0d7de"
"""Grid lines."""

PAPER = "#ffffff"
"""The page, where a mark is to be hollow."""

COLORS = {
    "blue": "#0b6bcb",
    "orange": "#c2410c",
    "green": "#0f7b55",
    "purple": "#8b3fc7",
    "red": "#b3261e",
    "grey": "#57606a",
}
"""The colors of data, by name, in the order in which lines take them."""

LINES = ("-", "--", "-.", ":", (0, (6, 2, 1, 2, 1, 2)), (0, (8, 3)))
"""The line styles that go with the colors."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")
"""The markers of groups of points."""

_MANY = 1500  # beyond this, vector marks make a figure slow to show


def set_theme() -> None:
    """Set matplotlib's defaults: palette, fonts, sizes, transparent backgrounds.

    Call it once, before the first figure. Line styles change together with the colors.
    """
    colors = cycler(color=list(COLORS.values())) + cycler(linestyle=LINES)
    mpl.rc("axes", axisbelow=True, edgecolor=INK, facecolor="none", grid=True)
    mpl.rc("axes", labelcolor=INK, prop_cycle=colors)
    mpl.rc("axes", titlecolor=INK, titlelocation="left", titlesize=11)
    mpl.rc("axes.spines", right=False, top=False)
    mpl.rc("figure", facecolor="none", figsize=(7.2, 3.6))
    mpl.rc("figure.constrained_layout", use=True)
    mpl.rc("font", size=11)
    mpl.rc("grid", color=GRID, linewidth=0.6)
    mpl.rc("image", cmap="gray")
    mpl.rc("legend", frameon=False)
    mpl.rc("lines", linewidth=1.8, markersize=5)
    mpl.rc("patch", edgecolor=INK)
    mpl.rc("savefig", facecolor="none")
    mpl.rc("text", color=INK)
    mpl.rc("xtick", color=INK)
    mpl.rc("ytick", color=INK)


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
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(
            f"Expected x and y of one shape (samples,). Received: {x.shape} and {y.shape}"
        )
    few = x.size < 200
    style: dict[str, Any] = {
        "color": list(COLORS.values())[group % len(COLORS)],
        "label": label,
    }
    style |= {"marker": MARKERS[group % len(MARKERS)], "rasterized": x.size > _MANY}
    ax.scatter(x, y, s=24 if few else 10, alpha=0.9 if few else 0.5, linewidths=0, **style)
    return ax


def regression(ax: Axes, x: Any, y: Any, label: str | None = None) -> Axes:
    """Draw points and the line with the smallest sum of squared vertical distances to them.

    Args:
        ax: Where to draw.
        x: Shape (samples,).
        y: Shape (samples,).
        label: Name of the line in the legend.

    Returns:
        `ax`.

    Raises:
        ValueError: `x` and `y` are not two vectors of one length, or all `x` are equal.
    """
    scatter(ax, x, y)
    x, y = np.asarray(x), np.asarray(y)
    if x.size < 2 or np.ptp(x) == 0:
        raise ValueError("regression expects at least two different values of x")
    slope = np.cov(x, y)[0, 1] / np.var(x, ddof=1)
    ends = np.array([x.min(), x.max()])
    ax.plot(ends, y.mean() + slope * (ends - x.mean()), "-", color=COLORS["orange"], label=label)
    return ax


def curves(ax: Axes, history: Any, names: Sequence[str] | None = None) -> Axes:
    """Draw training curves: one line per loss or metric, dashed for validation.

    Args:
        ax: Where to draw.
        history: What `fit` returns, or its `history` dictionary of one number per epoch.
        names: Which entries, without `val_`. None: all.

    Returns:
        `ax`.

    Raises:
        ValueError: A name is not in the history.
    """
    values: Mapping[str, Sequence[float]] = getattr(history, "history", history)
    if names is None:
        names = [name for name in values if not name.startswith("val_")]
    for name, color in zip(names, list(COLORS.values()) * len(names), strict=False):
        if name not in values:
            raise ValueError(f"No {name!r} in this history. It has: {', '.join(values)}")
        for key, style, marker in ((name, "-", "o"), (f"val_{name}", "--", "s")):
            if key in values:
                y = values[key]
                marker = marker if len(y) <= 20 else ""
                ax.plot(range(1, len(y) + 1), y, style, color=color, marker=marker, label=key)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("epoch")
    ax.legend()
    return ax


def images(
    ax: Axes,
    images: Any,
    titles: Sequence[object] | None = None,
    columns: int | None = None,
    cmap: str = "gray_r",
    limits: tuple[float, float] | None = None,
) -> Axes:
    """Draw a grid of pictures of one size on a single Axes.

    Args:
        ax: Where to draw.
        images: Shape (pictures, height, width), or (pictures, height, width, 3) for color:
            uint8 from 0 to 255 or floats from 0 to 1.
        titles: What to write above each picture.
        columns: Pictures in a row. None: as near to a square as it goes.
        cmap: matplotlib's color map for pictures without color.
        limits: The values of the color map's two ends. None: the smallest and the largest.

    Returns:
        `ax`.

    Raises:
        ValueError: `images` has another shape, or `titles` another length.
    """
    pictures = np.asarray(images)
    if pictures.ndim == 4 and pictures.shape[-1] == 1:
        pictures = pictures[..., 0]
    if not pictures.size or (pictures.ndim != 3 and pictures.shape[3:] != (3,)):
        raise ValueError(
            "images expects shape (pictures, height, width), 3 channels last for color. "
            f"Received: {pictures.shape}"
        )
    count, height, width = pictures.shape[:3]
    if titles is not None and len(titles) != count:
        raise ValueError(f"images expects {count} titles. Received: {len(titles)}")
    low, high = limits or (pictures.min(), pictures.max())
    columns = columns or int(np.ceil(np.sqrt(count * height / width)))
    gap = 0.08 * width
    head = gap if titles is None else 0.42 * width
    # Few pixels go into the file as they are, to be enlarged sharply; many are resampled.
    style: dict[str, Any] = {"interpolation": "none" if max(height, width) <= 64 else None}
    for i, picture in enumerate(pictures):
        left, top = (i % columns) * (width + gap), (i // columns) * (height + head)
        extent = (left, left + width, top + height, top)
        ax.imshow(picture, cmap=cmap, vmin=low, vmax=high, extent=extent, **style)
        if titles is not None:
            ax.text(left + width / 2, top, str(titles[i]), ha="center", va="bottom", size=9)
    rows = -(-count // columns)
    ax.set_xlim(0, min(count, columns) * (width + gap) - gap)
    ax.set_ylim(rows * (height + head) - head, gap - head)
    ax.set_axis_off()
    return ax


def matrix(
    ax: Axes,
    values: Any,
    rows: Sequence[object] | None = None,
    columns: Sequence[object] | None = None,
    fmt: str = ".2f",
    cmap: str = "RdBu",
    limits: tuple[float, float] | None = None,
) -> Axes:
    """Draw a matrix as colored cells with the numbers written in them.

    Args:
        ax: Where to draw.
        values: Shape (rows, columns).
        rows: Names of the rows.
        columns: Names of the columns.
        fmt: Python's format specification for the numbers; `""` writes none.
        cmap: matplotlib's color map.
        limits: The values of the color map's two ends. None: ± the largest magnitude for
            the diverging default, else the smallest and the largest value.

    Returns:
        `ax`.

    Raises:
        ValueError: `values` is not a matrix.
    """
    values = np.asarray(values)
    if values.ndim != 2 or values.size == 0:
        raise ValueError(f"matrix expects shape (rows, columns). Received: {values.shape}")
    most = np.abs(values).max()
    ends = limits or ((-most, most) if cmap == "RdBu" else (values.min(), values.max()))
    style: dict[str, Any] = {"cmap": cmap, "vmin": ends[0], "vmax": ends[1]}
    image = ax.imshow(values, aspect="auto", interpolation="none", **style)
    red, green, blue, _ = np.moveaxis(image.to_rgba(values.astype(float)), -1, 0)
    # Neither color is one that the site exchanges: the cells below stay as they are, too.
    dark = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 < 0.18  # WCAG 2
    if fmt:
        for (i, j), value in np.ndenumerate(values):
            shade = "#fefefe" if dark[i, j] else "#010101"
            ax.text(j, i, format(value, fmt), ha="center", va="center", color=shade)
    for axis, names in ((ax.yaxis, rows), (ax.xaxis, columns)):
        if names is not None:
            axis.set_ticks(range(len(names)), [str(name) for name in names])
    ax.spines[:].set_visible(False)
    ax.grid(False)
    return ax


def decision_boundary(
    ax: Axes, predict: Callable[[np.ndarray], Any], x: Any, y: Any, resolution: int = 200
) -> Axes:
    """Draw labeled points of the plane and the regions that a classifier gives each class.

    Args:
        ax: Where to draw.
        predict: Takes float64 points of shape (points, 2); returns one score per point,
            shape (points,) or (points, 1), whose sign is told by 0.5; or one score per
            class, shape (points, classes), the largest of which wins.
        x: Points, shape (samples, 2).
        y: Class numbers, shape (samples,).
        resolution: Points of the grid along each axis.

    Returns:
        `ax`.

    Raises:
        ValueError: `x` or `y` has another shape.
    """
    x, y = np.asarray(x), np.asarray(y).ravel()
    if x.ndim != 2 or x.shape != (y.size, 2) or not y.size:
        raise ValueError(
            "decision_boundary expects x of shape (samples, 2) and y of shape (samples,). "
            f"Received: {x.shape} and {y.shape}"
        )
    margin = 0.1 * np.ptp(x, axis=0) + 1e-9
    low, high = x.min(axis=0) - margin, x.max(axis=0) + margin
    across = np.linspace(low[0], high[0], resolution)
    up = np.linspace(low[1], high[1], resolution)
    points = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)  # (points, 2)
    scores = np.asarray(predict(points)).reshape(len(points), -1)  # (points, 1 or classes)
    surface = scores.argmax(axis=1) if scores.shape[1] > 1 else scores[:, 0]
    borders = np.arange(0.5, max(scores.shape[1] - 1, 1))
    surface = surface.reshape(resolution, resolution)
    levels = [-np.inf, *borders, np.inf]
    ax.contourf(across, up, surface, levels=levels, colors=list(COLORS.values()), alpha=0.15)
    if surface.min() < borders[-1] and surface.max() > borders[0]:
        ax.contour(across, up, surface, levels=borders, colors=INK, linewidths=1)
    for number in np.unique(y.astype(int)):
        chosen = x[y == number]
        scatter(ax, chosen[:, 0], chosen[:, 1], label=f"class {number}", group=number)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    ax.grid(False)
    return ax
