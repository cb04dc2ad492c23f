"""The book: what tutorials gave, asked for by name."""

import pytest

from labkit.site.core.book import Book, EmbedError, anchor
from labkit.site.core.cells import LABEL

from ..pages import SVG, code, notebook, printed, prose, shown


def test_a_label_cannot_be_a_name_that_the_book_makes_up() -> None:
    """Case 13: the cell labelled `cell-2` hid the second cell."""
    labelled = code("print(1)", printed("I am cell 1"), label="cell-2")
    made = notebook(prose("# T"), labelled, code("print(2)", printed("I am cell 2")))
    first, second = Book({"t": made}).cells("t")
    assert (first.anchor, second.anchor) == ("cell-2", "cell_2")
    for number in range(3):
        assert not LABEL.fullmatch(anchor(notebook(code("1")).cells[0], number))


def test_figures_of_two_cells_have_different_names() -> None:
    """The second figure of `a` is not the first of `a-2`."""
    cells = [
        code("f()", shown(svg=SVG), shown(svg=SVG), label="a", alt="x"),
        code("f()", shown(svg=SVG), label="a-2", alt="x"),
    ]
    book = Book({"t": notebook(*cells)})
    names = [figure.file for cell in book.cells("t") for figure in cell.figures]
    assert names == ["a.svg", "a_2.svg", "a-2.svg"]


def test_a_misspelt_name_suggests_the_nearest() -> None:
    """Of forty names it never lists all."""
    names = [f"lesson{number}" for number in range(40)]
    cells = [code("1", label=name) for name in names]
    book = Book({"neurons": notebook(*cells)} | dict.fromkeys(names, notebook()))
    with pytest.raises(EmbedError) as error:
        book.cell("neurons#lesson7x")
    assert "Did you mean 'lesson7'" in str(error.value)
    assert str(error.value).count("lesson") <= 4
    with pytest.raises(EmbedError, match="and 32 more"):
        book.cell("neurons#zzz")
    with pytest.raises(EmbedError, match="Did you mean 'neurons'"):
        book.cell("neuron#a")


def test_a_figure_without_a_text_names_its_file_and_line() -> None:
    """The file stands in the folder of its part."""
    made = notebook(code("f()", shown(svg=SVG), label="a"))
    book = Book({"t": made}, places={"t": "tutorials/foundations/t"})
    with pytest.raises(EmbedError, match=r"^tutorials/foundations/t\.py:7: this cell draws"):
        print(book.cell("t#a").figures)
