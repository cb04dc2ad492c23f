"""Formulas become MathML."""

import pytest

from labkit.site.core.book import Book
from labkit.site.markdown.math import MathError, mathml

from ..pages import convert


@pytest.mark.parametrize(
    "latex",
    [
        r"y = f(\mathbf{w}^\top \mathbf{x} + b)",
        r"\frac{\partial L}{\partial w} = \frac{1}{n} \sum_{i=1}^{n} (y_i - \hat y_i)^2",
        r"\begin{cases} x & x > 0 \\ 0 & \text{else} \end{cases}",
        r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \in \mathbb{R}^{2 \times 2}",
        r"\sqrt{x^2} \cdot \log p \approx \infty",
    ],
)
def test_latex_becomes_mathml(latex: str) -> None:
    """A formula is one <math> element, without a namespace or a backslash."""
    markup = mathml(latex)
    assert markup.startswith("<math>")
    assert "xmlns" not in markup
    assert markup.endswith("</math>")
    assert "\\" not in markup
    assert "ns0:" not in markup


@pytest.mark.parametrize("latex", [r"\foo x", r"\left( x", r"\begin{cases} x"])
def test_a_formula_that_cannot_be_read_is_an_error(latex: str) -> None:
    """An unknown command or broken syntax is not passed on to the reader."""
    with pytest.raises(MathError, match="formula"):
        mathml(latex)


def test_a_sign_is_told_from_an_operation() -> None:
    """A minus behind an operator is a sign; one behind a letter or a bracket subtracts."""
    sign = '<mo form="prefix">'
    assert mathml("r = -3").count(sign) == 1
    assert mathml(r"x \cdot -y").count(sign) == 1
    assert sign not in mathml("a - b")
    assert sign not in mathml("(a) - |b| - c")


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
    ["from $5 to $10", r"\$x\$", "`$x$`", "```\n$x$\n```", "    $x$", "a $ b $ c", "$$"],
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


def test_an_error_names_what_was_written() -> None:
    """The page's other formulas are rendered all the same."""
    html, _, math = convert("$a$ and $\\foo$", Book({}))
    assert html.count("<math") == 1
    assert math.errors == [("\\foo", "unknown command \\foo in the formula $\\foo$")]
