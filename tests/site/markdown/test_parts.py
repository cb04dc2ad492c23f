"""The parts of a page, and the page as a whole."""

import html
import json
import re

import nbformat
import pytest

from labkit.site.core.book import Book, Colab
from labkit.site.markdown.parts import description, files, framed, published, title

from ..pages import SVG, code, convert, notebook, printed, prose, shown

TITLE = prose("# A *tiny* one\n\nIt shows `x` as the\n[chapter](../c.md) says. And more.")


def test_title_and_description() -> None:
    """The first heading, and the first sentence below it as plain text."""
    made = notebook(TITLE, code("1"))
    assert title(made) == "A *tiny* one"
    assert description(made) == "It shows x as the chapter says."
    assert title(notebook(code("1"))) == description(notebook(code("1"))) == ""


def test_a_tutorial_is_framed() -> None:
    """Facts stand under its title and at its end."""
    text = framed("# A *tiny* one\n\nText.", "tiny")
    assert text == "# A *tiny* one\n\n{{ head tiny }}\n\n\n\nText.\n\n{{ foot tiny }}\n"


def test_a_whole_cell() -> None:
    """Code comes first, then what was printed, then what was shown; an empty cell is code."""
    book = Book({"t": notebook(code("f()", printed("a\n"), shown(plain="b"), label="c"))})
    page, context, _ = convert("{{ cell t#c }}", book)
    assert not context.errors
    assert '<div class="lab-cell" id="c">' in page
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
    assert "oh" in published(made)


def test_the_code_of_a_drawing_is_left_out() -> None:
    """The page shows the drawing alone while it is there, and says where its code is."""
    tags = ["remove-input"]
    made = notebook(code("draw()", shown(svg=SVG), label="c", alt="A line.", tags=tags))
    page, _, _ = convert("{{ cell t#c }}\n\n{{ head t }}\n\n{{ code t#c }}", Book({"t": made}))
    cell, _, rest = page.partition('<p class="lab-facts"')
    head, _, embedded = rest.partition("</p>")
    assert "draw()" not in cell
    assert "<img" in cell
    assert "with the code of every drawing" in head
    assert "draw()" in embedded
    page, _, _ = convert("{{ cell t#c }}", Book({"t": made}, {"t": "running"}))
    assert "draw()" in page


def test_the_published_notebook_is_valid_and_clean() -> None:
    """It holds labels and outputs, and nothing of what only labkit reads."""
    cell = code("f()", printed("yes"), label="c", values=["x"], outcome={"x": [1.0] * 1000})
    made = nbformat.reads(published(notebook(TITLE, cell), "setup()"), as_version=4)
    nbformat.validate(made)
    assert [each.source for each in made.cells if each.cell_type == "code"] == ["setup()", "f()"]
    assert made.cells[-1].metadata == {"tags": [], "label": "c"}
    assert made.cells[-1].outputs[0].text == "yes"
    assert "outcome" not in json.dumps(made)


def test_the_files_of_a_tutorial() -> None:
    """A notebook, and each figure in two forms."""
    made = notebook(TITLE, code("f()", shown(svg=SVG), label="c", alt="A line."))
    assert [path for path, _ in files(Book({"t": made}), "t")] == [
        "tutorials/t/t.ipynb",
        "tutorials/t/c.svg",
        "tutorials/t/c.dark.svg",
    ]


def test_the_head_of_a_page() -> None:
    """It offers downloads and Colab; or says that the tutorial runs, or why it failed."""
    made = {"t": notebook(TITLE)}
    page, _, _ = convert("{{ head t }}", Book(made, colab=Colab("a/b", "c")))
    assert "Runs in 12 s" in page
    assert 'href="../tutorials/t/t.py"' in page
    assert 'href="https://colab.research.google.com/github/a/b/blob/c/tutorials/t/t.ipynb"' in page
    page, _, _ = convert("{{ head t }}", Book(made))
    assert "Colab" not in page
    page, _, _ = convert("{{ head t }}", Book(made, {"t": "running"}))
    assert "This tutorial is running" in page
    page, _, _ = convert("{{ head t }}", Book(made, {"t": "failed"}, {"t": "line 3: a < b"}))
    assert "This tutorial failed" in page
    assert "line 3: a &lt; b" in page


def test_the_foot_of_a_page() -> None:
    """It says when it ran and on what, as the packages spell themselves."""
    page, _, _ = convert("{{ foot t }}", Book({"t": notebook(TITLE)}))
    assert "Ran in 12 s on 1 March 2026 with Python 3.11.7, NumPy 2.4.6 and cycler 0.12.1." in page
