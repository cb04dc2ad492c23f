"""Captions, and Markdown that a cell shows: their links hold wherever they are embedded."""

import pytest
from markdown import Markdown

from labkit.site.core.book import Book
from labkit.site.markdown.context import for_page
from labkit.site.markdown.embed import EmbedExtension

from ..pages import SVG, code, convert, notebook, shown

PLACES = {"t": "tutorials/foundations/t"}


def book(caption: str) -> Book:
    """Return a book with a figure and a table that have a caption, and a cell of Markdown."""
    figure = code("f()", shown(svg=SVG), label="f", alt="x", caption=caption)
    table = code(
        "d()", shown(html="<table><tr><td>1</td></tr></table>"), label="d", caption=caption
    )
    text = code("m()", shown(markdown=f"So: {caption}"), label="m")
    return Book({"t": notebook(figure, table, text)}, places=PLACES)


@pytest.mark.parametrize("embed", ["{{ figure t#f }}", "{{ table t#d }}", "{{ output t#m }}"])
@pytest.mark.parametrize(
    ("page", "written", "link"),
    [
        ("index.md", "../../foundations/loss.md", "foundations/loss.md"),
        ("foundations/loss.md", "../../data/a.md#x", "../data/a.md#x"),
        ("a/b/c.md", "other.py#label", "../../tutorials/foundations/other.py#label"),
        ("a.md", "#here", "tutorials/foundations/t.py#here"),
        ("tutorials/foundations/t.py", "../../a.md", "../../a.md"),
        ("a/b.md", "https://example.org/x", "https://example.org/x"),
    ],
)
def test_a_link_resolves_from_its_tutorial(embed: str, page: str, written: str, link: str) -> None:
    """Case 22: in the home page the link of a caption was dead."""
    html, context, _ = convert(embed, book(f"See [there]({written})."), page=page)
    assert not context.errors
    assert f'<a href="{link}">there</a>' in html
    assert "data-from" not in html


def test_a_dead_link_names_its_tutorial() -> None:
    """The page that shows the figure is not to blame."""
    embed = EmbedExtension()
    embed.context = for_page(book("[a](../../a.md) [b](../../b.md)"), "index.md")
    embed.context.exists = lambda path: path == "a.md"
    Markdown(extensions=[embed]).convert("{{ figure t#f }}")
    ((written, why),) = embed.context.errors
    assert written == "{{ figure t#f }}"
    assert why == (
        "tutorials/foundations/t.py:7: the cell links to '../../b.md', and there is no b.md"
    )
