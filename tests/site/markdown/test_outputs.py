"""Each kind of output on a page: on its tutorial's own, and embedded in a chapter."""

import base64
import io
import re

import pytest
from PIL import Image

from labkit.site.core.book import Book
from labkit.site.markdown.faults import report

from ..pages import code, convert, notebook, printed, shown

EMBEDS = ["{{ cell t#c }}", "{{ output t#c }}"]


def page(cell: dict[str, object], text: str) -> str:
    """Return a page of one embed without the line breaks between tags."""
    html, context, math = convert(text, Book({"t": notebook(cell)}))
    assert not context.errors
    assert not math.errors
    return re.sub(r">\s+<", "><", html)


@pytest.mark.parametrize("embed", EMBEDS)
def test_html(embed: str) -> None:
    """It stands in a box of its own, and its tables scroll as any table does."""
    text = (
        "<p>Before</p><table><tr><td>outer <table><tr><td>inner</td></tr></table></td></tr></table>"
    )
    html = page(code("f()", shown(html=text), label="c"), embed)
    assert '<div class="lab-html"><p>Before</p><div class="lab-table"><table>' in html
    assert html.count("lab-table") == 1
    html = page(code("f()", shown(html="<b>bold</b>"), label="c"), embed)
    assert '<div class="lab-html"><b>bold</b></div>' in html


@pytest.mark.parametrize("embed", EMBEDS)
def test_markdown(embed: str) -> None:
    """It is read in the page's own dialect: with formulas, tables and blocks of code."""
    text = "It is *so*: $x^2$.\n\n| a |\n| - |\n| 1 |\n\n```python\nx = {{ y }}\n```"
    html = page(code("f()", shown(markdown=text), label="c"), embed)
    shown_text = html[html.index('<div class="lab-markdown">') :]
    assert "<em>so</em>" in shown_text
    assert "<math" in shown_text
    assert "<td>1</td>" in shown_text
    assert "x" in shown_text
    assert "data-from" not in html


@pytest.mark.parametrize("embed", EMBEDS)
@pytest.mark.parametrize(
    ("latex", "block"),
    [
        (r"$\displaystyle x^{2}$", False),
        ("$$\nx\n\n= y\n$$", True),
        (r"\begin{aligned} x &= y \end{aligned}", True),
    ],
)
def test_latex(embed: str, latex: str, block: bool) -> None:
    """A formula is one, with dollars or without."""
    html = page(code("f()", shown(latex=latex), label="c"), embed)
    assert html.count("<math") == 1
    assert ("lab-math" in html) == block
    assert "$" not in html


def test_all_tables_of_a_result() -> None:
    """A summary of statsmodels has three, and notes below them; case 04."""
    tables = "".join(f"<table><tr><td>{name}</td></tr></table>" for name in "abc")
    made = code("fit()", shown(html=f"{tables}<br/>Notes: none."), label="c")
    for embed, notes in (("{{ table t#c }}", False), ("{{ cell t#c }}", True)):
        html = page(made, embed)
        assert re.findall(r"<td>(\w)</td>", html) == ["a", "b", "c"]
        assert html.count('<div class="lab-table">') == 3
        assert ("Notes" in html) == notes


@pytest.mark.parametrize("embed", ["{{ cell t#c }}", "{{ figure t#c }}"])
def test_an_image_of_pixels(embed: str) -> None:
    """It is one image, on white paper in the dark scheme, with its size and text."""
    file = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(file, "PNG")
    png = base64.b64encode(file.getvalue()).decode()
    html = page(code("f()", shown(png=png), label="c", alt="Red."), embed)
    (image,) = re.findall("<img [^>]*>", html)
    for given in [
        'class="lab-drawing lab-pixels"',
        'src="../tutorials/t/c.png"',
        'alt="Red."',
        'width="40"',
        'height="20"',
    ]:
        assert given in image


def test_outputs_keep_their_order() -> None:
    """What was printed before a table stands above it."""
    table = shown(html="<table><tr><td>1</td></tr></table>")
    made = code("f()", printed("before"), table, printed("after"), shown(plain="last"), label="c")
    html = page(made, "{{ cell t#c }}")
    places = [html.index(word) for word in ("before", "<table>", "after", "last")]
    assert places == sorted(places)


def test_markdown_that_embeds_itself_is_an_error() -> None:
    """It would have no end."""
    made = notebook(code("f()", shown(markdown="{{ cell t#c }}"), label="c"))
    _, context, _ = convert("{{ cell t#c }}", Book({"t": made}))
    assert "would embed a cell's Markdown" in context.errors[0][1]


@pytest.mark.parametrize("embed", ["{{ cell t#c }}", "{{ table t#c }}"])
def test_negative_numbers_in_a_table_have_a_minus(embed: str) -> None:
    """As in figures and in sentences; dates, ranges and words keep their hyphens."""
    cells = ["-0.5", "[-1, -inf]", "2026-01-05", "3-5", "x-2", "1e-05"]
    table = "<table><tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr></table>"
    html = page(code("f()", shown(html=table), label="c"), embed)
    kept = ["\N{MINUS SIGN}0.5", "[\N{MINUS SIGN}1, \N{MINUS SIGN}inf]", *cells[2:]]
    assert "".join(f"<td>{cell}</td>" for cell in kept) in html


@pytest.mark.parametrize(
    "data",
    [
        {"latex": r"$\foo$"},
        {"markdown": r"- so $\foo$"},
        {"latex": r"\begin{aligned} \foo \end{aligned}"},
        {"markdown": "$$ x $$ and more"},
    ],
)
def test_a_wrong_formula_names_the_cell_that_gave_it(data: dict[str, str]) -> None:
    """The page that shows it has no such line."""
    book = Book({"t": notebook(code("f()", shown(**data), label="c"))})
    text = "# T\n\n{{ cell t#c }}"
    html, _, math = convert(text, book)
    assert len(math.errors) == 1
    assert report("docs/a.md", text, math.errors).startswith("tutorials/t.py:7: ")
    assert "data-cell" not in html
