"""The list of all tutorials."""

import re

from labkit.site.core.book import Book
from labkit.site.core.thumbnails import made

from ..pages import SVG, code, convert, notebook, printed, prose, shown


def book() -> Book:
    """Return a book with tutorials in two parts, one of them without a chapter."""
    drawn = notebook(
        prose("A *first*\n=======\n\nIt draws. And more."),
        code("draw()", shown(svg=SVG), label="a", alt="A line."),
    )
    drawn.metadata["labkit"]["thumbnail"] = made(drawn)
    notebooks = {
        "neurons": drawn,
        "extra": notebook(prose("# Extra"), code("1")),
        "cnn": notebook(prose("# Windows\n\nThey slide."), code("1", printed("1"))),
        "own": notebook(prose("# Own"), code("1")),
    }
    folders = {"cnn": "architectures", "extra": "basics", "neurons": "basics", "own": "keras"}
    return Book(
        notebooks,
        states={"own": "running"},
        places={name: f"tutorials/{folder}/{name}" for name, folder in folders.items()},
        parts={"basics": "The basics", "architectures": "Architectures"},
        chapters={"neurons": "basics/neurons.md", "cnn": "architectures/cnn.md"},
    )


def test_tutorials_stand_by_part_in_the_order_of_the_book() -> None:
    """A part without a title is called by its folder."""
    page, context, _ = convert("{{ tutorials }}", book(), page="tutorials/index.md")
    assert not context.errors
    assert re.findall(r'<h2 id="(.*?)">(.*?)</h2>', page) == [
        ("the-basics", "The basics"),
        ("architectures", "Architectures"),
        ("keras", "Keras"),
    ]
    assert re.findall(r"<strong>(.*?)</strong>", page) == ["A first", "Extra", "Windows", "Own"]


def test_each_has_its_thumbnail_sentence_time_and_chapter() -> None:
    """Thumbnails are small files of their own, one for each scheme; not the drawing."""
    page, _, _ = convert("{{ tutorials }}", book(), page="tutorials/index.md")
    first = page[page.index("<li>") : page.index("</li>")]
    assert re.findall(r'<img [^>]*class="(.*?)"[^>]* src="(.*?)"', first) == [
        ("lab-light", "basics/neurons/thumbnail_light.webp"),
        ("lab-dark", "basics/neurons/thumbnail_dark.webp"),
    ]
    assert ".svg" not in page
    assert "<p>It draws.</p>" in first
    assert "neurons.py · runs in 12 s · " in first
    assert '<a href="../basics/neurons.md">Read the chapter</a>' in first
    own = page[page.rindex("<li>") :]
    assert "own.py · running" in own
    assert "Read the chapter" not in own


def test_without_parts_there_are_no_headings() -> None:
    """A small book keeps its tutorials in one folder."""
    page, _, _ = convert("{{ tutorials }}", Book({"t": notebook(prose("# T"))}))
    assert "<h2" not in page
    assert "<strong>T</strong>" in page
