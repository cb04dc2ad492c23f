"""The chapters, what each needs, and in which order they can be read.

A chapter's front matter names the chapters that a reader should know first:

    needs: [neurons, layers]
    goals: ["choose a loss for a task", "derive its gradient"]
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import PurePosixPath
from typing import Any

from .names import suggestion

WORDS_A_MINUTE = 200  # of a text with formulas that one follows


class ChapterError(ValueError):
    """The chapters' front matter does not fit together."""


@dataclass(frozen=True)
class Chapter:
    """One chapter.

    Attributes:
        path: Its source below `docs/`, such as `foundations/loss.md`.
        title: Its title.
        needs: The names of the chapters that it builds on.
        goals: What a reader will be able to do.
        words: How many words it has.
    """

    path: str
    title: str
    needs: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()
    words: int = 0

    @property
    def name(self) -> str:
        """What other chapters call it: the file's name without its ending."""
        return PurePosixPath(self.path).stem

    @property
    def part(self) -> str:
        """The part of the book that it belongs to: its folder."""
        return PurePosixPath(self.path).parent.name

    @property
    def minutes(self) -> int:
        """How long one reads, in minutes."""
        return max(1, round(self.words / WORDS_A_MINUTE))


def read(path: str, title: str, meta: Mapping[str, Any], words: int) -> Chapter:
    """Return a chapter from its front matter.

    Args:
        path: Its source below `docs/`.
        title: Its title.
        meta: Its front matter.
        words: How many words it has.

    Raises:
        ChapterError: `needs` or `goals` is not a list of texts.
    """
    lists = {}
    for key in ("needs", "goals"):
        value = meta.get(key) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ChapterError(
                f"{path}: expected `{key}: [a, b]` in the front matter, a list of texts. "
                f"Received: {value!r}"
            )
        lists[key] = tuple(value)
    return Chapter(path, title, lists["needs"], lists["goals"], words)


def _named(chapters: Iterable[Chapter]) -> dict[str, Chapter]:
    """Return the chapters by name, where each name that another needs is one of them."""
    by_name: dict[str, Chapter] = {}
    for chapter in chapters:
        if other := by_name.get(chapter.name):
            raise ChapterError(f"{chapter.path}: its name is taken by {other.path}. Rename one.")
        by_name[chapter.name] = chapter
    for chapter in by_name.values():
        for need in chapter.needs:
            if need not in by_name:
                raise ChapterError(
                    f"{chapter.path}: it needs {need!r}, which is no chapter. "
                    + suggestion(need, by_name)
                )
    return by_name


def ordered(chapters: Iterable[Chapter]) -> list[list[Chapter]]:
    """Return the chapters in levels: each needs only chapters of levels above its own.

    Args:
        chapters: The chapters in the order of the navigation, in which many read them.

    Raises:
        ChapterError: A name is taken twice or unknown, chapters need each other in a circle, or
            one comes before what it needs.
    """
    by_name = _named(chapters)
    level: dict[str, int] = {}
    try:
        graph = {name: chapter.needs for name, chapter in by_name.items()}
        for name in TopologicalSorter(graph).static_order():
            level[name] = 1 + max((level[need] for need in by_name[name].needs), default=-1)
    except CycleError as error:
        circle = " needs ".join(reversed(error.args[1]))
        raise ChapterError(
            f"{by_name[error.args[1][0]].path}: chapters need each other in a circle: {circle}. "
            "Take one `needs` away."
        ) from None
    place = {name: number for number, name in enumerate(by_name)}
    for chapter in by_name.values():
        for need in chapter.needs:
            if place[need] > place[chapter.name]:
                raise ChapterError(
                    f"{chapter.path}: in the navigation it comes before {need!r}, which it needs. "
                    "Change their order in mkdocs.yml, or take the need away."
                )
    return [
        [chapter for name, chapter in by_name.items() if level[name] == number]
        for number in range(max(level.values(), default=-1) + 1)
    ]


def direct(chapter: Chapter, by_name: Mapping[str, Chapter]) -> list[str]:
    """Return what a chapter needs, without what these chapters need themselves."""

    def below(name: str) -> set[str]:
        needs = by_name[name].needs
        return set(needs).union(*(below(need) for need in needs))

    implied = set[str]().union(*(below(need) for need in chapter.needs))
    return [need for need in chapter.needs if need not in implied]


@dataclass(frozen=True)
class LearningPath:
    """A way through the book for one kind of reader.

    Attributes:
        title: For whom, or from where to where.
        why: One sentence.
        chapters: The names of its chapters, in order.
    """

    title: str
    why: str
    chapters: tuple[str, ...]


def paths(given: Any, chapters: Sequence[Chapter], place: str) -> list[LearningPath]:
    """Return the learning paths from what a YAML file holds.

    Args:
        given: A list of `{title, why, chapters}`.
        chapters: The book's chapters.
        place: The file, for messages.

    Raises:
        ChapterError: A key is missing, a chapter is unknown, or one comes before what it needs
            although the path has both.
    """
    by_name = {chapter.name: chapter for chapter in chapters}
    found = []
    for entry in given if isinstance(given, list) else [given]:
        if not isinstance(entry, dict) or set(entry) != {"title", "why", "chapters"}:
            raise ChapterError(
                f"{place}: expected a list of `title`, `why` and `chapters`. Received: {entry!r}"
            )
        names = tuple(map(str, entry["chapters"]))
        for position, name in enumerate(names):
            if name not in by_name:
                raise ChapterError(
                    f"{place}: {name!r} in the path {entry['title']!r} is no chapter. "
                    + suggestion(name, by_name)
                )
            later = set(by_name[name].needs).intersection(names[position:])
            if later:
                raise ChapterError(
                    f"{place}: in the path {entry['title']!r}, {name!r} comes before "
                    f"{later.pop()!r}, which it needs."
                )
        found.append(LearningPath(str(entry["title"]), str(entry["why"]), names))
    return found
