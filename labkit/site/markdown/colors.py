"""Python code as HTML, with colors for those who run no scripts, too.

Marked are only what the site's stylesheet colors: keywords, strings and comments. A mark on every
name, number and parenthesis, as Pygments would set it, triples the elements of a tutorial's page.
"""

from collections.abc import Iterator
from typing import Any

from pygments import highlight
from pygments.filter import Filter
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Operator, String, Text

_MARKED = {Operator.Word: Keyword, Keyword: Keyword, String: String, Comment: Comment}


class _Plain(Filter):  # type: ignore[misc]  # Pygments is untyped
    """Makes plain text of what has no color, and one kind of what has the same."""

    def filter(self, lexer: Any, stream: Any) -> Iterator[tuple[Any, str]]:
        for kind, text in stream:
            yield next((mark for found, mark in _MARKED.items() if kind in found), Text), text


_LEXER = PythonLexer(stripnl=False, ensurenl=False)
_LEXER.add_filter(_Plain())
_LEXER.add_filter("tokenmerge")
_FORMATTER = HtmlFormatter(nowrap=True)


def colored(code: str) -> str:
    """Return code as HTML in which keywords, strings and comments are marked."""
    return str(highlight(code, _LEXER, _FORMATTER)).removesuffix("\n")
