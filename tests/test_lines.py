"""The line counter counts code and nothing else."""

import importlib.util
from pathlib import Path

spec = importlib.util.spec_from_file_location("lines", Path(__file__).with_name("lines.py"))
assert spec is not None
assert spec.loader is not None
lines = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lines)

SOURCE = '''"""A module's docstring
of two lines."""

import math  # a comment beside code

NUMBER = 3
"""A constant's docstring."""


# A comment.
def area(
    radius,
):
    """A function's docstring."""
    text = """a string
of two lines"""
    return math.pi * radius**2, text
'''


def test_docstrings_comments_and_blanks_do_not_count(tmp_path: Path) -> None:
    """Of the sample, two plus three plus three lines are code; a plain string counts."""
    path = tmp_path / "sample.py"
    path.write_text(SOURCE, encoding="utf-8")
    assert lines.count(path) == 2 + 3 + 3


def test_counter_sees_every_module() -> None:
    """The library's modules are all there, and have code."""
    counted = {path.name: lines.count(path) for path in lines.LABKIT.glob("*.py")}
    assert {"stats.py", "plot.py", "models.py"} <= counted.keys()
    assert min(counted.values()) > 0
