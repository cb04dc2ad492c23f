"""Numbers of figures, tables, listings and exercises, and references to them."""

import posixpath
from xml.etree import ElementTree

import pytest
from markdown import Markdown
from nbformat import NotebookNode

from labkit.site.core.book import Book, State
from labkit.site.markdown.embed import Context, EmbedExtension
from labkit.site.markdown.numbers import NumberExtension, Numbering, count

from ..pages import SVG, code, notebook, shown

NEURONS = """# Neurons

{{ code tiny#drawn }}

{{ figure tiny#drawn }}

```
{{ figure tiny#other }}
```

{{ figure tiny#other }}

{{ figure tiny#drawn }}

/// exercise | majority
Find weights.
///

/// exercise
Try it.
///
"""
CHAPTERS = {"a/intro.md": "# Intro\n\n{{ figure tiny#other }}", "a/neurons.md": NEURONS}


@pytest.fixture
def tiny() -> NotebookNode:
    """A tutorial with two figures."""
    return notebook(
        code("draw()", shown(svg=SVG), label="drawn", alt="A line.", caption="It *rises*."),
        code("other()", shown(svg=SVG), label="other", alt="Another line."),
    )


def convert(
    text: str, page: str, tiny: NotebookNode, state: State = "done"
) -> tuple[ElementTree.Element, list[str]]:
    """Convert a page of the book; return its tree and what was wrong."""
    numbers, embed = NumberExtension(), EmbedExtension()

    def link(path: str) -> str:
        return posixpath.relpath(path, posixpath.dirname(page))

    numbers.numbering = Numbering(count(CHAPTERS), page, link)
    embed.context = Context(Book({"tiny": tiny}, {"tiny": state}), link)
    html = Markdown(extensions=["pymdownx.superfences", embed, numbers]).convert(text)
    tree = ElementTree.fromstring(f"<div>{html}</div>")
    return tree, [fault.why for fault in numbers.errors]


def words(element: ElementTree.Element | None) -> str:
    """Return an element's text in one line."""
    assert element is not None
    return " ".join("".join(element.itertext()).split())


def test_each_kind_is_counted_by_chapter() -> None:
    """Numbers start anew in each chapter; code in a fence and a second showing do not count."""
    assert [(str(thing), thing.label) for thing in count(CHAPTERS)] == [
        ("Figure 1.1", "tiny#other"),
        ("Listing 2.1", "tiny#drawn"),
        ("Figure 2.1", "tiny#drawn"),
        ("Figure 2.2", "tiny#other"),
        ("Exercise 2.1", "majority"),
        ("Exercise 2.2", "2"),
    ]


def test_captions_begin_with_their_number(tiny: NotebookNode) -> None:
    """A figure without a caption gets one, and each numbered thing an id."""
    page, _ = convert(NEURONS, "a/neurons.md", tiny)
    captions = [words(caption) for caption in page.iter("figcaption")]
    assert captions[0].startswith("Figure 2.1 It rises.")
    assert captions[1].startswith("Figure 2.2")
    assert [figure.get("id") for figure in page.iter("figure")] == [
        "figure-tiny-drawn", "figure-tiny-other", None,
    ]  # fmt: skip
    listing = page.find("div[@class='lab-code']")
    assert listing is not None
    assert listing.get("id") == "code-tiny-drawn"
    assert words(listing.find("p")).startswith("Listing 2.1")


def test_exercises_have_numbers_and_ids(tiny: NotebookNode) -> None:
    """A named exercise is reached by its name, another by its number."""
    page, _ = convert(NEURONS, "a/neurons.md", tiny)
    sections = page.findall("section")
    assert [(s.get("id"), words(s)) for s in sections] == [
        ("exercise-majority", "Exercise 2.1 Find weights."),
        ("exercise-2", "Exercise 2.2 Try it."),
    ]


def test_references_lead_to_this_page_first(tiny: NotebookNode) -> None:
    """A figure that two chapters show is the one of the page; others link across pages."""
    text = "{{ ref tiny#other }}, {{ ref majority }}"
    here, _ = convert(text, "a/neurons.md", tiny)
    there, _ = convert(text, "a/intro.md", tiny)
    assert [(a.get("href"), words(a)) for a in here.iter("a")] == [
        ("#figure-tiny-other", "Figure 2.2"),
        ("#exercise-majority", "Exercise 2.1"),
    ]
    assert [(a.get("href"), words(a)) for a in there.iter("a")] == [
        ("#figure-tiny-other", "Figure 1.1"),
        ("neurons.md#exercise-majority", "Exercise 2.1"),
    ]


def test_a_reference_may_name_the_kind(tiny: NotebookNode) -> None:
    """Of a cell whose code and figure are shown, the figure is meant unless the code is named."""
    page, _ = convert("{{ ref tiny#drawn }} {{ ref code tiny#drawn }}", "a/neurons.md", tiny)
    assert [words(a) for a in page.iter("a")] == ["Figure 2.1", "Listing 2.1"]


def test_a_reference_to_nothing_is_an_error(tiny: NotebookNode) -> None:
    """An unknown label suggests the nearest."""
    _, errors = convert("See {{ ref tiny#othr }}.", "a/neurons.md", tiny)
    assert len(errors) == 1
    assert "Did you mean 'tiny#other'" in errors[0]


@pytest.mark.parametrize("state", ["running", "failed"])
def test_a_reference_has_its_target_before_the_tutorial_has_run(
    tiny: NotebookNode, state: State
) -> None:
    """What waits for a figure has the figure's id, so no link leads nowhere."""
    page, errors = convert(NEURONS, "a/neurons.md", tiny, state)
    assert not errors
    waiting = [e for e in page.iter("p") if "lab-waiting" in e.get("class", "")]
    assert [e.get("id") for e in waiting if e.get("id")][-2:] == [
        "figure-tiny-drawn",
        "figure-tiny-other",
    ]
    assert not [e for e in page.iter() if e.get("data-waits")]
