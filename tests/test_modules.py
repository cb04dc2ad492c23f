"""No module of labkit grows beyond what one reader takes in at one sitting."""

import ast
import tokenize
from pathlib import Path

import pytest

import labkit

LIMIT = 300
ROOT = Path(labkit.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
NO_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def code_lines(path: Path) -> int:
    """Count the lines that hold code: a limit on all lines would make docstrings short."""
    with path.open("rb") as file:
        tokens = [token for token in tokenize.tokenize(file.readline) if token.type not in NO_CODE]
    lines = {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def test_only_code_counts(tmp_path: Path) -> None:
    """Docstrings, comments and blank lines do not count; a string in an assignment does."""
    path = tmp_path / "sample.py"
    source = '''"""A docstring
of two lines."""

NUMBER = 3  # a comment beside code
# A comment alone.


def area(
    radius,
):
    """A function's docstring."""
    text = """a string
of two lines"""
    return radius, text
'''
    path.write_text(source, encoding="utf-8")
    assert code_lines(path) == 1 + 3 + 3


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_is_short(path: Path) -> None:
    """Each module has fewer than 300 lines of code; one that needs more does two things."""
    assert code_lines(path) < LIMIT
