"""The navigation: where the tutorials stand."""

from types import SimpleNamespace
from typing import Any

from labkit.site.core.book import Book, places
from labkit.site.mkdocs.navigation import chapters, expand, ordered, parts
from tests.site.pages import notebook

NAV = [
    "index.md",
    {"Foundations": ["foundations/loss.md", {"Layers": "foundations/layers.md"}]},
    {"On data": ["data/correlation.md"]},
    {"Tutorials": ["tutorials/index.md", "tutorials/*.py"]},
]


def tutorial(name: str, part: str = "") -> Any:
    """Return what the navigation asks of a tutorial."""
    place = f"tutorials/{part}/{name}.py" if part else f"tutorials/{name}.py"
    return SimpleNamespace(name=name, part=part, place=place)


def names(nav: Any, *tutorials: Any) -> list[str]:
    """Return the tutorials' names in order."""
    return [tutorial.name for tutorial in ordered(tutorials, nav)]


def test_tutorials_are_in_the_chapters_order() -> None:
    """Then those of the part without a chapter, then the parts without chapters."""
    found = names(
        NAV,
        tutorial("own", "keras"),
        tutorial("correlation", "data"),
        tutorial("another", "foundations"),
        tutorial("layers", "foundations"),
        tutorial("loss", "foundations"),
    )
    assert found == ["loss", "layers", "another", "correlation", "own"]
    assert names(None, tutorial("b"), tutorial("a")) == ["a", "b"]


def test_each_part_is_a_section_with_its_chapters_title() -> None:
    """A part without chapters has its own name, and a tutorial without a part stands alone."""
    tutorials = [
        tutorial("alone"),
        tutorial("loss", "foundations"),
        tutorial("layers", "foundations"),
        tutorial("correlation", "data"),
        tutorial("own", "keras"),
    ]
    book = Book(
        dict.fromkeys((one.name for one in tutorials), notebook()),
        places=places(tutorials),
        parts=parts(NAV),
        chapters=chapters(NAV, tutorials),
    )
    assert book.chapters["layers"] == "foundations/layers.md"
    expanded = expand(NAV, book)
    assert expanded[:-1] == NAV[:-1]
    assert expanded[-1] == {
        "Tutorials": [
            "tutorials/index.md",
            "tutorials/alone.py",
            {"Foundations": ["tutorials/foundations/loss.py", "tutorials/foundations/layers.py"]},
            {"On data": ["tutorials/data/correlation.py"]},
            {"Keras": ["tutorials/keras/own.py"]},
        ]
    }
    assert expand(None, book) is None
