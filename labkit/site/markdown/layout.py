"""Where each chapter lies on the map of the book, and where the lines between them run.

A small form of the layout of Sugiyama, Tagawa and Toda (1981, doi:10.1109/TSMC.1981.4308636):
first the rows, then the order within each row, then the lines, which pass between the boxes of the
rows that they cross, never behind one.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, count

from labkit.site.core.chapters import Chapter, direct, ordered

# Sizes in pixels.
WIDTH, HEIGHT = 146, 54  # of a box
GAP, RISE = 18, 40  # between boxes, and between rows
COLUMNS = 4  # as many boxes as the page's text is wide
LANE = 4  # between two lines side by side, or less where many pass

Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """The map in pixels.

    Attributes:
        size: Its width and height.
        places: The middle of the upper side of each chapter's box, by the chapter's name.
        lines: For each chapter, by its name, the lines that come from what it needs, as SVG's `d`.
    """

    size: Point
    places: dict[str, Point]
    lines: dict[str, list[str]]


def layout(chapters: Sequence[Chapter]) -> Layout:
    """Lay the chapters out in rows, each below what it needs."""
    by_name = {chapter.name: chapter for chapter in chapters}
    needs = {chapter.name: direct(chapter, by_name) for chapter in chapters}
    rows = _rows(chapters)
    width = max(map(len, rows), default=0) * (WIDTH + GAP) + GAP
    _untangle(rows, [(need, name) for name in needs for need in needs[name]], width)
    tops = [float(GAP + number * (HEIGHT + RISE)) for number in range(len(rows))]
    places = {
        name: (x, top)
        for row, top in zip(rows, tops, strict=True)
        for name, x in _middles(row, width)
    }
    height = len(rows) * (HEIGHT + RISE) - RISE + 2 * GAP
    return Layout((width, height), places, _lines(rows, needs, places))


def _rows(chapters: Sequence[Chapter]) -> list[list[str]]:
    """Put each chapter into the first row below its needs that has a place left."""
    rows: list[list[str]] = []
    row_of: dict[str, int] = {}
    for chapter in (chapter for level in ordered(chapters) for chapter in level):
        first = 1 + max((row_of[need] for need in chapter.needs), default=-1)
        row = next(n for n in count(first) if n >= len(rows) or len(rows[n]) < COLUMNS)
        row_of[chapter.name] = row
        if row == len(rows):
            rows.append([])
        rows[row].append(chapter.name)
    return rows


def _middles(row: Sequence[str], width: float) -> Iterator[tuple[str, float]]:
    left = (width - len(row) * (WIDTH + GAP) + GAP + WIDTH) / 2
    return ((name, left + column * (WIDTH + GAP)) for column, name in enumerate(row))


def _untangle(rows: list[list[str]], edges: Sequence[tuple[str, str]], width: float) -> None:
    """Swap boxes of a row for as long as that shortens the lines."""

    def length() -> float:
        x = dict(place for row in rows for place in _middles(row, width))
        return sum((x[start] - x[end]) ** 2 for start, end in edges)

    shortest, better = length(), True
    while better:
        better = False
        for row in rows:
            for i, j in combinations(range(len(row)), 2):
                row[i], row[j] = row[j], row[i]
                if (now := length()) < shortest:
                    shortest, better = now, True
                else:
                    row[i], row[j] = row[j], row[i]


def _lines(
    rows: Sequence[Sequence[str]], needs: dict[str, list[str]], places: dict[str, Point]
) -> dict[str, list[str]]:
    """Lead each line through the nearest gaps; lines from one chapter share their lane."""
    row_of = {name: number for number, row in enumerate(rows) for name in row}
    ways: dict[tuple[str, str], list[Point]] = {}  # through which gap of each row between
    users: dict[Point, list[str]] = defaultdict(list)  # the chapters whose lines pass a gap
    for name, wanted in needs.items():
        for need in wanted:
            (x, y), (end, bottom) = places[need], places[name]
            way = ways[need, name] = []
            for row in rows[row_of[need] + 1 : row_of[name]]:
                top = places[row[0]][1]
                x += (end - x) * (top - y) / (bottom - y)
                x, y = _gap([places[other][0] for other in row], x), top
                way.append((x, y))
                if need not in users[x, y]:
                    users[x, y].append(need)
    lines: dict[str, list[str]] = {name: [] for name in needs}
    for (need, name), way in ways.items():
        x, y = places[need]
        path, y = f"M{x:g} {y + HEIGHT:g}", y + HEIGHT
        for gap in [*way, places[name]]:
            sharing = users.get(gap, [need])
            space = min(LANE, (GAP - LANE) / len(sharing))
            to = gap[0] + space * (sharing.index(need) - (len(sharing) - 1) / 2)
            middle = (y + gap[1]) / 2
            path += f"C{x:g} {middle:g} {to:g} {middle:g} {to:g} {gap[1]:g}"
            x, y = to, gap[1] + HEIGHT
            if gap != places[name]:
                path += f"V{y:g}"
        lines[name].append(path)
    return lines


def _gap(middles: Sequence[float], x: float) -> float:
    """Return the place nearest to x at which a line can pass a row of boxes."""
    half = (WIDTH + GAP) / 2
    if not middles[0] - half < x < middles[-1] + half:
        return x  # beside the row
    return min(
        (middle + side for middle in middles for side in (-half, half)),
        key=lambda gap: abs(gap - x),
    )
