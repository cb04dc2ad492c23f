"""Formulas in pages."""

import pytest
from markdown import markdown

from labkit.site.core.book import Book
from labkit.site.markdown.faults import report
from labkit.site.markdown.mathml import MathError

from ..pages import code, convert, notebook


def test_inline_and_block() -> None:
    """`$…$` stays in its line; `$$…$$` stands alone, also over several lines."""
    html, _, math = convert("An $x$ here:\n\n$$\nx +\ny\n$$\nand on.", Book({}))
    assert "<p>An <math><mi>x</mi></math> here:</p>" in html
    assert '<div class="lab-math"><math' in html
    assert 'display="block"' in html
    assert "<p>and on.</p>" in html
    assert not math.errors


@pytest.mark.parametrize(
    "text",
    ["from $5 to $10", r"\$x\$", "`$x$`", "```\n$x$\n```", "    $x$", "a $ b $ c", "it costs $$"],
)
def test_dollars_that_are_no_formula_stay(text: str) -> None:
    """Prices, escaped dollars and code are left alone."""
    html, _, math = convert(text, Book({}))
    assert "<math" not in html
    assert "$" in html
    assert not math.errors


def test_a_formula_inside_a_box() -> None:
    """Formulas work in admonitions and tables."""
    text = '!!! note "A $t$"\n    $$x$$\n\n| $a$ | b |\n| - | - |\n| 1 | $c$ |\n'
    html, _, _ = convert(text, Book({}))
    assert html.count("<math") == 4


def test_a_formula_in_a_heading_and_beside_emphasis() -> None:
    """No space comes between it and its neighbors, and the heading keeps its id."""
    html, _, _ = convert("# The $k$ means\n\n$x$**y** *a $z$*, end", Book({}))
    assert '<h1 id="the-k-means">The <math><mi>k</mi></math> means</h1>' in html
    assert "</math><strong>" in html
    assert "</math></em>, end" in html


def test_an_error_names_what_was_written() -> None:
    """The page's other formulas are rendered all the same."""
    html, _, math = convert("$a$ and $\\foo$", Book({}))
    assert html.count("<math><mi>a</mi></math>") == 1
    ((written, why, below, _),) = math.errors
    assert (written, below) == ("$\\foo$", 0)
    assert 'Unknown command "\\foo"' in why


def test_errors_have_the_pages_own_lines() -> None:
    """A fault inside a long formula is reported where it stands, in lists and boxes, too."""
    text = (
        "# T\n\n```\n$\\foo$\n```\n\n- item $\\foo$\n\n"
        "!!! note\n    $$\n    a\n    + \\bad\n    $$\n\n> so\n> $\\foo$\n\n$$\n\\frac{1\n$$\n"
    )
    _, _, math = convert(text, Book({}))
    lines = [line.split(":")[1] for line in report("a.md", text, math.errors).split("\n")]
    assert lines == ["7", "12", "16", "19"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("so\n\n$$\na = b\n\nc = d\n$$\n\nafter", 3),
        ("so\n$$\na\n\nafter", 2),
        ("so $$x$$ within", 1),
        ("so\n\n$$x$$ before text\n\nafter", 3),
    ],
)
def test_a_block_that_is_broken_or_within_a_line_is_an_error(text: str, line: int) -> None:
    """It is not left as it is written, and reported once."""
    html, _, math = convert(text, Book({}))
    assert "$$" not in html
    assert len(math.errors) == 1
    assert report("a.md", text, math.errors).startswith(f"a.md:{line}: $$ … $$ must stand on")


def test_references_over_a_page() -> None:
    """They are found in lists and notes, before and after the equation."""
    text = "By $\\eqref{eq:a}$:\n\n$$\nx = y \\label{eq:a}\n$$\n\n- as in $\\eqref{eq:a}$, or"
    html, _, math = convert(text, Book({}))
    assert '<p>By <a href="#eq:a">(1)</a>:</p>' in html
    assert html.count('href="#eq:a"') == 2
    assert html.count('id="eq:a"') == 1
    assert not math.errors


def test_a_value_within_a_formula() -> None:
    """Its text becomes part of the formula, a percent sign included."""
    made = code("f()", values=["share"], outcome={"share": 0.5})
    html, _, math = convert("$p = {{ t#share:.0% }}$", Book({"t": notebook(made)}))
    assert "<mn>50</mn><mi>%</mi>" in html.replace("<mo>%</mo>", "<mi>%</mi>")
    assert not math.errors


def test_a_wrong_formula_with_a_value_has_its_line() -> None:
    """By then the value no longer stands there as it was written."""
    made = code("f()", values=["share"], outcome={"share": 0.5})
    text = "$x$\n\n$\\foo = {{ t#share }}$, then\n\nand $\\foo = {{ t#share }}$\n"
    _, _, math = convert(text, Book({"t": notebook(made)}))
    lines = [line.partition(": ")[0] for line in report("a.md", text, math.errors).split("\n")]
    assert lines == ["a.md:3", "a.md:5"]


def test_loaded_by_name_without_a_host() -> None:
    """Another generator loads it from its entry point, and gets errors as exceptions."""
    html = markdown("$x$", extensions=["labkit.math"])
    assert html == "<p><math><mi>x</mi></math></p>"
    with pytest.raises(MathError, match="Unknown command"):
        markdown("$\\foo$", extensions=["labkit.math"])
    prefix = {"labkit.math": {"prefix": "2."}}
    text = "$$x \\label{a}$$"
    assert "(2.1)" in markdown(text, extensions=["labkit.math"], extension_configs=prefix)
