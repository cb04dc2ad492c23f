"""The parts of a page: whole cells, and each kind of output."""

import html
import re

import pytest

from labkit.site.core.book import Book

from ..pages import SVG, code, convert, notebook, printed, shown


def test_a_whole_cell() -> None:
    """Code comes first, then what was printed, then what was shown; an empty cell is code."""
    book = Book({"t": notebook(code("f()", printed("a\n"), shown(plain="b"), label="c"))})
    page, context, _ = convert("{{ cell t#c }}", book, tutorial="t")
    assert not context.errors
    assert '<div class="lab-cell" id="c">' in page
    page, _, _ = convert("{{ cell t#c }}", book)
    assert 'id="c"' not in page  # another tutorial's cell may have this label
    assert '<pre class="lab-output">a\nb</pre>' in page


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("1/3\r2/3\r3/3\n", "3/3"),
        ("\x1b[1mbold\x1b[0m and \x1b[31mred", "bold and red"),
        ("a < b & c\r\nd", "a < b & c\nd"),
        ("\n\nmiddle\n\n", "middle"),
    ],
)
def test_printed_text_is_as_a_terminal_leaves_it(text: str, settled: str) -> None:
    """Progress bars show their last state, and colors are gone."""
    book = Book({"t": notebook(code("f()", printed(text), label="c"))})
    page, _, _ = convert("{{ output t#c }}", book)
    shown_text = re.search(r'<pre class="lab-output">(.*?)</pre>', page, re.DOTALL)
    assert shown_text
    assert html.unescape(shown_text[1]) == settled


def test_what_goes_to_stderr_is_not_shown() -> None:
    """It is for the author, and stays in the notebook."""
    made = notebook(code("f()", printed("oh", "stderr"), printed("yes"), label="c"))
    page, _, _ = convert("{{ output t#c }}", Book({"t": made}))
    assert "oh" not in page
    assert "yes" in page


def test_the_code_of_a_drawing_is_left_out() -> None:
    """The page shows the drawing alone while it is there, and says where its code is."""
    tags = ["remove-input"]
    made = notebook(code("draw()", shown(svg=SVG), label="c", alt="A line.", tags=tags))
    text = "# T\n\n{{ cell t#c }}\n\n## U\n\n{{ code t#c }}"
    page, _, _ = convert(text, Book({"t": made}), tutorial="t")
    head, _, rest = page.partition("</p>")
    cell, _, embedded = rest.partition("<h2")
    assert "draw()" not in cell
    assert "<img" in cell
    assert "with the code of every drawing" in head
    assert "draw()" in embedded
    page, _, _ = convert("{{ cell t#c }}", Book({"t": made}, {"t": "running"}))
    assert "draw()" in page
