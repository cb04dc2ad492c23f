"""No line ends between a formula and the punctuation that belongs to it."""

import pytest
from markdown import markdown

X = "<math><mi>x</mi></math>"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("so $x$, and", f'so <span class="lab-joined">{X},</span> and'),
        ("so ($x$), and", f'so <span class="lab-joined">({X}),</span> and'),
        ("*a* ($x$ b)", f'<em>a</em> <span class="lab-joined">({X}</span> b)'),
        ("the $x$-th", f'the <span class="lab-joined">{X}-th</span>'),
        ("an $x$-dimensional", f'an <span class="lab-joined">{X}-</span>dimensional'),
        ("**$x$**.", f'<span class="lab-joined"><strong>{X}</strong>.</span>'),
        ("*with $x$*.", f"<em>with {X}</em>."),
        ("$x$ and $x$", f"{X} and {X}"),
        ("$x$ ($x$)", f'{X} <span class="lab-joined">({X})</span>'),
    ],
)
def test_a_formula_keeps_what_touches_it(text: str, html: str) -> None:
    """An opening bracket before it, punctuation and the end of a word behind it; no more."""
    made = markdown(text, extensions=["labkit.site.markdown.math:MathExtension"])
    assert made == f"<p>{html}</p>"


def test_quotes_are_curved_and_stay_with_their_formula() -> None:
    """Beside the extension that curves them, and raw HTML beside a formula stays as nested."""
    extensions = ["labkit.site.markdown.math:MathExtension", "smarty"]
    made = markdown('$x$\'s, "$x$" and <b>a $x$</b>', extensions=extensions)
    first, second = f"{X}’s,", f"“{X}”"
    joined = '<span class="lab-joined">'
    assert made == f"<p>{joined}{first}</span> {joined}{second}</span> and <b>a {X}</b></p>"


def test_a_formula_on_its_own_line_is_left_alone() -> None:
    """So is text without formulas."""
    made = markdown("$$\nx\n$$\n\n(a)", extensions=["labkit.site.markdown.math:MathExtension"])
    assert "lab-joined" not in made


def test_a_size_stays_on_one_line() -> None:
    """Between numbers, no line ends at ×; code keeps its spaces, and so does other text."""
    text = "3 × 3 windows of 5 × 5 × 2, *7 × 7*, `3 × 3` and a × b"
    made = markdown(text, extensions=["labkit.site.markdown.math:MathExtension"])
    sizes = "3\xa0×\xa03 windows of 5\xa0×\xa05\xa0×\xa02, <em>7\xa0×\xa07</em>"
    assert made == f"<p>{sizes}, <code>3 × 3</code> and a × b</p>"
