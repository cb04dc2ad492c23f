"""What chapters need, in which order they can be read, and learning paths."""

from typing import Any

import pytest

from labkit.site.core.chapters import Chapter, ChapterError, direct, ordered, paths, read

BOOK = [
    Chapter("foundations/neurons.md", "Neurons"),
    Chapter("foundations/layers.md", "Layers", ("neurons",)),
    Chapter("foundations/loss.md", "Loss", ("neurons", "layers")),
    Chapter("data/correlation.md", "Correlation"),
]


def test_each_level_needs_only_the_levels_above() -> None:
    """A chapter stands below all that it needs, in the order of the book."""
    names = [[chapter.name for chapter in level] for level in ordered(BOOK)]
    assert names == [["neurons", "correlation"], ["layers"], ["loss"]]


def test_a_need_that_another_brings_is_not_direct() -> None:
    """Loss needs layers, which need neurons, so the map draws one line."""
    by_name = {chapter.name: chapter for chapter in BOOK}
    assert direct(by_name["loss"], by_name) == ["layers"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ([Chapter("keras/models.md", "Models", ("neuron",))], "Did you mean 'neurons'"),
        ([Chapter("keras/loss.md", "Loss")], "taken by foundations/loss.md"),
        ([Chapter("a/a.md", "A", ("b",)), Chapter("a/b.md", "B", ("a",))], "in a circle"),
        ([Chapter("a/a.md", "A", ("a",))], "in a circle: a needs a"),
        ([Chapter("a/a.md", "A", ("b",)), Chapter("a/b.md", "B")], "a/a.md: .* before 'b'"),
    ],
)
def test_needs_that_cannot_be_met(more: list[Chapter], words: str) -> None:
    """An unknown name, one taken twice, a circle and a need that comes later are errors."""
    with pytest.raises(ChapterError, match=words):
        ordered([*BOOK, *more])


def test_a_circle_names_who_needs_whom() -> None:
    """The message follows the needs in their direction."""
    circle = [Chapter(f"a/{a}.md", a, (b,)) for a, b in ("xy", "yz", "zx")]
    with pytest.raises(ChapterError) as caught:
        ordered(circle)
    said = str(caught.value)
    assert any(f"{a} needs {b} needs {c}" in said for a, b, c in ("xyz", "yzx", "zxy"))


def test_front_matter_is_read() -> None:
    """Needs and goals are lists of texts, and words become minutes."""
    chapter = read("a/b.md", "B", {"needs": ["neurons"], "goals": ["see"]}, 1500)
    assert (chapter.name, chapter.part, chapter.minutes) == ("b", "a", 8)
    assert (chapter.needs, chapter.goals) == (("neurons",), ("see",))
    for wrong in ("neurons", [1], {"a": 1}):
        with pytest.raises(ChapterError, match="needs: \\[a, b\\]"):
            read("a/b.md", "B", {"needs": wrong}, 10)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([{"title": "T", "why": "W"}], "expected a list"),
        ([{"title": "T", "why": "W", "chapters": ["layer"]}], "Did you mean 'layers'"),
        ([{"title": "T", "why": "W", "chapters": ["loss", "layers"]}], "comes before 'layers'"),
        (None, "expected a list"),
    ],
)
def test_paths_that_lead_nowhere(given: Any, words: str) -> None:
    """A missing key, an unknown chapter and a wrong order are errors with the file's name."""
    with pytest.raises(ChapterError, match=f"paths.yml: .*{words}"):
        paths(given, BOOK, "paths.yml")


def test_a_path_may_leave_out_what_its_reader_knows() -> None:
    """A need that is not on the path is assumed."""
    (path,) = paths([{"title": "T", "why": "W", "chapters": ["layers", "loss"]}], BOOK, "p.yml")
    assert path.chapters == ("layers", "loss")
