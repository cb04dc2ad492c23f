"""The files that a tutorial gives beside its page."""

import json

import nbformat

from labkit.site.core.book import Book
from labkit.site.markdown.files import files, published

from ..pages import SVG, code, notebook, printed, prose, shown

TITLE = prose("# A title")


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
