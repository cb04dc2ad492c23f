"""LaTeX becomes MathML that the site's policy allows, or an error that says where."""

from pathlib import Path
from xml.etree.ElementTree import Element, tostring

import pytest

from labkit.site.markdown.mathml import Formula, MathError, convert

SHEET = Path(__file__, "../../../../docs/assets/site.css").resolve()


def mathml(latex: str, *, block: bool = False) -> str:
    """Return the markup of a formula that stands alone on its page."""
    (made,) = convert([Formula(latex, block)])
    assert isinstance(made, Element), made
    return tostring(made, "unicode")


def page(*blocks: str, prefix: str = "") -> list[Element | MathError]:
    """Convert formulas of one page; those that are nothing but references stand in sentences."""
    return convert([Formula(latex, not latex.startswith(r"\eq")) for latex in blocks], prefix)


@pytest.mark.parametrize(
    "latex",
    [
        r"y = f(\mathbf{w}^\top \mathbf{x} + b)",
        r"\frac{\partial L}{\partial w} = \frac{1}{n} \sum_{i=1}^{n} (y_i - \hat y_i)^2",
        r"\begin{cases} x & x > 0 \\ 0 & \text{else} \end{cases}",
        r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \in \mathbb{R}^{2 \times 2}",
        r"\begin{array}{|c|r} \hline 1 & 2 \\ \hline 3 & 4 \end{array}",
        "\\begin{aligned}\na &= b + c \\\\\n&= d\n\\end{aligned}",
        r"\begin{align*} a &= b \\ c &= d \end{align*}",
        r"\sqrt{x^2} \cdot \log p \approx \infty \! x",
    ],
)
def test_latex_becomes_mathml(latex: str) -> None:
    """A formula is one <math> element, without a namespace, a backslash or a style."""
    for block in (False, True):
        markup = mathml(latex, block=block)
        assert markup.startswith("<math")
        for unwanted in ("xmlns", "\\", " style=", "ns0:"):
            assert unwanted not in markup


def test_the_stylesheet_knows_every_class() -> None:
    """What math-core styles looks the same, although its styles are gone."""
    markup = mathml(
        r"\begin{array}{|c|lr} \hline a & b & c \\ \hline \end{array} \! \mathbin{x} \mathrel{y} "
        r"\begin{cases} x & 1 \\ y & 2 \end{cases} \begin{subarray}{c} a \\ b \end{subarray} "
        r"\begin{aligned} a &= b \end{aligned}"
    ) + mathml(r"\begin{multline} a \\ b \end{multline}", block=True)
    markup += mathml(r"a = b \label{a}", block=True)
    root = convert([Formula("x")])[0]
    assert isinstance(root, Element)
    used = {name for part in markup.split('class="')[1:] for name in part.split('"')[0].split()}
    assert len(used) > 12
    sheet = SHEET.read_text("utf-8")
    assert not [name for name in used if f".{name} " not in sheet and f".{name}," not in sheet]


@pytest.mark.parametrize(
    ("latex", "text"),
    [(r"\text{a < b}", "a\xa0&lt;\xa0b"), (r"\text{R\&D}", "R&amp;D"), (r"\text{50\%}", "50%")],
)
def test_text_within_a_formula(latex: str, text: str) -> None:
    """Characters that mean something in LaTeX or in HTML are what they say."""
    assert f"<mtext>{text}</mtext>" in mathml(latex)


@pytest.mark.parametrize(
    ("latex", "why", "line"),
    [
        (r"\foo x", r"Unknown command .*\(column 1", 0),
        (r"\left( x", "right", 0),
        (r"\begin{cases} x", "end", 0),
        (r"\frac{1", r'Expected closing token .*\(column 8 of "\\frac\{1"\)', 0),
        (r"\begin{foo} x \end{foo}", "Unknown environment", 0),
        ("a\n\n b + \\foo", r'column 6 of " b \+ \\foo"', 2),
        ("a = b\n\\label{x} \\foo", r"column 11 of", 1),
        ("a & b", "table", 0),
        ("50% of x", r"Write \\%", 0),
        ("x \x0b y", "control character", 0),
        (r"\color{red} x", "does not offer", 0),
        (r"\cancel{x}", "does not offer", 0),
        (r"\hspace{-2em}", "does not offer", 0),
        (" ", "empty", 0),
    ],
)
def test_a_formula_that_cannot_be_read_is_an_error(latex: str, why: str, line: int) -> None:
    """It says what is wrong, in which line of the formula, and in which column."""
    (error,) = convert([Formula(latex, block=True)])
    assert isinstance(error, MathError)
    with pytest.raises(MathError, match=why):
        raise error
    assert error.line == line


def test_each_wrong_formula_has_its_error() -> None:
    """The others are rendered all the same."""
    made = convert([Formula(latex) for latex in (r"\foo", "x", r"\bar{", r"\text{50\%}", "%")])
    assert [isinstance(result, MathError) for result in made] == [True, False, True, False, True]


def test_a_sign_is_told_from_an_operation() -> None:
    """A minus behind an operator is a sign; one behind a letter or a bracket subtracts."""
    sign = '<mo lspace="0" rspace="0">−</mo>'
    assert sign in mathml("r = -3")
    assert sign in mathml(r"x \cdot -y")
    assert sign in mathml("e^{-z}")
    assert sign not in mathml("a - b")
    assert sign not in mathml("(a) - |b| - c")


def test_an_arrow_above_a_letter() -> None:
    """It is a character of its own, which browsers center above the letter."""
    assert '<mo stretchy="false">→</mo>' in mathml(r"\vec x")


def test_labelled_equations_are_numbered() -> None:
    """Others are not; a reference before or after the equation is a link to it."""
    first, equation, plain, aligned, second = page(
        r"\eqref{eq:b}",
        r"a = b \label{eq:a}",
        "c = d",
        r"\begin{aligned} a &= b \\ &= c \end{aligned} \label{eq:b}",
        r"\eqref{eq:a}",
    )
    assert tostring(first, "unicode") == '<a href="#eq:b">(2)</a>'
    assert tostring(second, "unicode") == '<a href="#eq:a">(1)</a>'
    for element, label, number in ((equation, "eq:a", "(1)"), (aligned, "eq:b", "(2)")):
        assert isinstance(element, Element)
        cell = element.find(f".//mtd[@id='{label}']")
        assert cell is not None
        assert "".join(cell.itertext()) == number
    assert "(" not in tostring(plain, "unicode")


def test_an_environment_that_numbers_its_lines() -> None:
    """Each labelled line of `align` can be named; one with `notag` has no number."""
    equations, reference = page(
        r"\begin{align} a &= 1 \label{a} \\ b &= 2 \notag \\ c &= 3 \label{c} \end{align}",
        r"\eqref{c}",
    )
    assert tostring(reference, "unicode") == '<a href="#c">(2)</a>'
    assert "(3)" not in tostring(equations, "unicode")


def test_numbers_take_the_chapters_prefix() -> None:
    """It stands in the number and in each reference, but not in a tag of the author's own."""
    made = page(
        r"x \label{a}",
        r"\begin{equation} y \tag{*} \label{b} \end{equation}",
        r"\eqref{a}",
        r"\eqref{b}",
        prefix="3.",
    )
    texts = ["".join(element.itertext()) for element in made]
    assert texts == ["x(3.1)", "y(*)", "(3.1)", "(*)"]


def test_a_reference_within_a_formula() -> None:
    r"""\ref gives the number without brackets."""
    _, made = convert([Formula(r"x \label{a}", block=True), Formula(r"y \overset{\ref{a}}{=} x")])
    assert '<mtext><a href="#a">1</a></mtext>' in tostring(made, "unicode")
    assert "mpadded" not in tostring(made, "unicode")
    (_, alone) = convert([Formula(r"x \label{a}", block=True), Formula(r"\ref{a}")])
    assert tostring(alone, "unicode") == '<a href="#a">1</a>'


def test_an_unknown_label_is_an_error() -> None:
    """The nearest label is suggested."""
    _, error = page(r"x \label{eq:loss}", r"\eqref{eq:los}")
    assert "'eq:los'" in str(error)
    assert "Is it 'eq:loss'?" in str(error)
    (error,) = page(r"\eqref{a}")
    assert "No equation here has a label" in str(error)


def test_a_label_used_twice_is_an_error() -> None:
    """A reference could not say which it means."""
    first, second = page(r"x \label{a}", r"y \label{a}")
    assert isinstance(first, Element)
    assert isinstance(second, MathError)
    assert "'a' is given to two equations" in str(second)
