"""The colors of code: what is marked, and that the code stays the code."""

import html
import re
import tokenize
from pathlib import Path

import pytest

from labkit.site.markdown.colors import colored

CODES = {
    "nothing": "",
    "blank lines": "\n\nx\n\n= 1",
    "blanks and tabs": "  x\t= 1",
    "HTML": "'<b>&lt;</b>'",
    "no Python": "`? 'open",
    "a whole module": Path(tokenize.__file__).read_text("utf-8"),
}


def test_keywords_strings_and_comments_are_marked() -> None:
    """Nothing else is: names, numbers and operators are as plain as the stylesheet shows them."""
    assert colored('x = None  # none\nif x is not 1.5:\n    print("<")') == (
        'x = <span class="k">None</span>  <span class="c"># none</span>\n'
        '<span class="k">if</span> x <span class="k">is</span> <span class="k">not</span> 1.5:\n'
        '    print(<span class="s">"&lt;"</span>)'
    )


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_code_stays_the_code(code: str) -> None:
    """Without its marks it is what it was, even where it is no Python."""
    shown = html.unescape(re.sub(r"<[^>]+>", "", colored(code)))
    assert shown.removesuffix("\n") == code.removesuffix("\n")
