"""Figures that look alike: one theme, one palette, and helpers that draw on a given Axes.

Each function takes the Axes to draw on and returns it, so that a script decides on the
layout and can add to the picture. Backgrounds are transparent and the colors are few,
because the site recolors every figure for its dark scheme. Nothing is told by color alone:
lines also differ in style, classes also in marker.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
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
    "bars",
    "contours",
    "curves",
    "decision_boundary",
    "function",
    "images",
    "matrix",
    "network",
    "regression",
    "scatter",
    "set_theme",
]

INK = "#1f2328"
GRID = "#d0d7de"
PAPER = "#ffffff"
COLORS = {
    "blue": "#0b6bcb",
    "orange": "#c2410c",
    "green": "#0f7b55",
    "purple": "#8b3fc7",
    "red": "#b3261e",
    "grey": "#57606a",
}
LINES = ("-", "--", "-.", ":", (0, (6, 2, 1, 2, 1, 2)), (0, (8, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")

_MANY = 1500  # beyond this, vector marks make a figure slow to show


def set_theme() -> None:
    """Set matplotlib's defaults: palette, fonts, sizes, transparent backgrounds.

    Call it once, before the first figure. Line styles change together with the colors.
    """
    colors = cycler(color=list(COLORS.values()))
    mpl.rcParams.update(
        {
            "axes.axisbelow": True,
            "axes.edgecolor": INK,
            "axes.facecolor": "none",
            "axes.grid": True,
            "axes.labelcolor": INK,
            "axes.prop_cycle": colors + cycler(linestyle=LINES),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlecolor": INK,
            "axes.titlelocation": "left",
            "axes.titlesize": 11,
            "figure.constrained_layout.use": True,
            "figure.facecolor": "none",
            "figure.figsize": (7.2, 3.6),
            "font.size": 11,
            "grid.color": GRID,
            "grid.linewidth": 0.6,
            "image.cmap": "gray",
            "image.interpolation": "nearest",
            "legend.frameon": False,
            "lines.linewidth": 1.8,
            "lines.markersize": 5,
            "patch.edgecolor": INK,
            "savefig.facecolor": "none",
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
        }
    )


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
    x, y = _pair(x, y)
    ax.scatter(
        x,
        y,
        s=24 if x.size < 200 else 10,
        color=list(COLORS.values())[group % len(COLORS)],
        marker=MARKERS[group % len(MARKERS)],
        alpha=0.9 if x.size < 200 else 0.5,
        linewidths=0,
        label=label,
        rasterized=x.size > _MANY,
    )
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
    x, y = _pair(x, y)
    if x.size < 2 or np.ptp(x) == 0:
        raise ValueError("regression expects at least two different values of x")
    scatter(ax, x, y)
    slope = np.cov(x, y)[0, 1] / np.var(x, ddof=1)
    ends = np.array([x.min(), x.max()])
    ax.plot(
        ends, y.mean() + slope * (ends - x.mean()), "-", color=COLORS["orange"], label=label
    )
    return ax


def function(
    ax: Axes,
    fn: Callable[[np.ndarray], Any],
    low: float = -4.0,
    high: float = 4.0,
    label: str | None = None,
) -> Axes:
    """Draw the curve of a function of one number, such as an activation.

    Args:
        ax: Where to draw.
        fn: Takes float64 values of shape (401,), returns as many.
        low: Left end.
        high: Right end.
        label: Name in the legend.

    Returns:
        `ax`.
    """
    x = np.linspace(low, high, 401)
    ax.plot(x, np.asarray(fn(x)), label=label)
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
                ax.plot(
                    range(1, len(y) + 1), y, style, color=color, marker=marker, label=key
                )
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
    color = pictures.ndim == 4
    if (
        not len(pictures)
        or pictures.ndim not in (3, 4)
        or (color and pictures.shape[-1] != 3)
    ):
        raise ValueError(
            "images expects shape (pictures, height, width), 3 channels last for color. "
            f"Received: {pictures.shape}"
        )
    count, height, width = pictures.shape[:3]
    if titles is not None and len(titles) != count:
        raise ValueError(f"images expects one title per picture. Received: {len(titles)}")
    low, high = limits or (pictures.min(), pictures.max())
    columns = columns or int(np.ceil(np.sqrt(count * height / width)))
    gap = 0.08 * width
    head = gap if titles is None else 0.42 * width
    for i, picture in enumerate(pictures):
        left, top = (i % columns) * (width + gap), (i // columns) * (height + head)
        extent = (left, left + width, top + height, top)
        ax.imshow(picture, cmap=cmap, vmin=low, vmax=high, extent=extent)
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
    low, high = limits or (
        (-most, most) if cmap == "RdBu" else (values.min(), values.max())
    )
    image = ax.imshow(values, cmap=cmap, vmin=low, vmax=high, aspect="auto")
    red, green, blue, _ = np.moveaxis(image.to_rgba(values.astype(float)), -1, 0)
    # Neither color is one that the site exchanges: the cells below stay as they are, too.
    dark = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 < 0.18  # WCAG 2
    if fmt:
        for (i, j), value in np.ndenumerate(values):
            shade = "#fefefe" if dark[i, j] else "#010101"
            ax.text(j, i, format(value, fmt), ha="center", va="center", color=shade)
    if rows is not None:
        ax.set_yticks(range(len(rows)), [str(row) for row in rows])
    if columns is not None:
        ax.set_xticks(range(len(columns)), [str(column) for column in columns])
    ax.spines[:].set_visible(False)
    ax.grid(False)
    return ax


def bars(
    ax: Axes, values: Any, labels: Sequence[object], marked: int | None = None
) -> Axes:
    """Draw one horizontal bar per value, such as the class scores of a network.

    Args:
        ax: Where to draw.
        values: Shape (bars,).
        labels: Name of each bar.
        marked: Index of a bar to set off by color and hatching, such as the true class.

    Returns:
        `ax`.

    Raises:
        ValueError: `values` and `labels` differ in length.
    """
    values = np.asarray(values)
    if values.shape != (len(labels),):
        raise ValueError(
            f"bars expects one value per label. Received: {values.shape} values"
        )
    drawn = ax.barh([str(label) for label in labels], values, facecolor=COLORS["blue"])
    if marked is not None:
        drawn[marked].set(facecolor=COLORS["orange"], hatch="//", edgecolor=INK)
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
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
    classes = scores.argmax(axis=1) if scores.shape[1] > 1 else (scores[:, 0] > 0.5)
    palette = list(COLORS.values())
    region = classes.reshape(resolution, resolution).astype(int)
    levels = np.arange(max(region.max(), y.max()) + 2) - 0.5
    ax.contourf(across, up, region, levels=levels, colors=palette, alpha=0.15)
    if np.ptp(region):
        ax.contour(across, up, region, levels=levels[1:-1], colors=INK, linewidths=1)
    for number in np.unique(y.astype(int)):
        scatter(
            ax, x[y == number, 0], x[y == number, 1], label=f"class {number}", group=number
        )
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    ax.grid(False)
    return ax


def contours(
    ax: Axes,
    fn: Callable[[float, float], float],
    x: tuple[float, float],
    y: tuple[float, float],
    path: Any = None,
    levels: int | Sequence[float] = 14,
) -> Axes:
    """Draw the level lines of a function of two numbers, and a path over them.

    Args:
        ax: Where to draw.
        fn: Such as a loss of two weights; called with two numbers.
        x: The ends of the horizontal axis.
        y: The ends of the vertical axis.
        path: Points to join, such as the steps of an optimizer, shape (steps, 2).
        levels: How many lines, or at which values.

    Returns:
        `ax`.
    """
    across, up = np.linspace(*x, 60), np.linspace(*y, 60)
    heights = np.array([[fn(a, b) for a in across] for b in up])  # (60, 60)
    ax.contour(across, up, heights, levels=levels, colors=COLORS["grey"], linewidths=0.8)
    if path is not None:
        path = np.asarray(path)
        ax.plot(*path.T, "-o", color=COLORS["orange"], markersize=3)
        ax.plot(*path[-1], "*", color=COLORS["red"], markersize=12)
    ax.set(xlim=x, ylim=y)
    ax.grid(False)
    return ax


def network(ax: Axes, units: Sequence[int], labels: Sequence[str] = ()) -> Axes:
    """Draw a dense network: a column of circles per layer, a line per weight.

    Args:
        ax: Where to draw.
        units: Number of units of each layer, inputs first.
        labels: What to write under each layer.

    Returns:
        `ax`.
    """
    columns = [
        [(i, j - (count - 1) / 2) for j in range(count)] for i, count in enumerate(units)
    ]
    for sources, targets in pairwise(columns):
        for source in sources:
            for target in targets:
                ax.plot(
                    *zip(source, target, strict=True), "-", color=COLORS["grey"], lw=0.7
                )
    for i, column in enumerate(columns):
        ax.plot(*zip(*column, strict=True), "o", color=COLORS["blue"], ms=14, mec=INK)
        if i < len(labels):
            ax.text(i, max(units) / 2 + 0.2, labels[i], ha="center", va="bottom")
    ax.set(xlim=(-0.4, len(units) - 0.6), ylim=(-max(units) / 2, max(units) / 2 + 0.8))
    ax.set_axis_off()
    return ax


def _pair(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(
            f"Expected x and y of one shape (samples,). Received: {x.shape} and {y.shape}"
        )
    return x, y
