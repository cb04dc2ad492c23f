"""Tables: columns that are aligned are refused, with their line."""

import pytest
from markdown import Markdown

from labkit.site.markdown.faults import report
from labkit.site.markdown.tables import TableExtension


def said(text: str) -> str:
    """Return what the build would say of a page."""
    tables = TableExtension()
    Markdown(extensions=["tables", "fenced_code", tables]).convert(text)
    return report("docs/a.md", text, tables.errors)


@pytest.mark.parametrize("line", ["| --- | ---: |", "|:--|---|", " --- | :-: "])
def test_an_aligned_column_is_refused(line: str) -> None:
    """The message names file and line, and what to write instead."""
    message = said(f"Numbers:\n\n| a | b |\n{line}\n| 1 | 2 |\n")
    assert message.startswith(f"docs/a.md:4: {line.strip()} aligns columns")
    assert message.endswith(f"Write {line.strip().replace(':', '-')} instead.")


def test_each_of_two_tables_has_its_line() -> None:
    """Two that are written alike are told apart."""
    table = "| a | b |\n| - | -: |\n| 1 | 2 |\n"
    assert [line.split(": ")[0] for line in said(f"{table}\n{table}").split("\n")] == [
        "docs/a.md:2",
        "docs/a.md:6",
    ]


def test_other_tables_and_code_are_left_alone() -> None:
    """A table without alignment is one; what stands in code is none."""
    assert said("| a | b |\n| --- | --- |\n| 1: | 2 |\n") == ""
    assert said("```\n| a | b |\n| --- | ---: |\n| 1 | 2 |\n```\n") == ""


def test_without_tables_there_is_nothing_to_refuse() -> None:
    """A site that has no tables gets none by this extension."""
    tables = TableExtension()
    html = Markdown(extensions=[tables]).convert("| a | b |\n| - | -: |\n| 1 | 2 |\n")
    assert "<table" not in html
    assert tables.errors == []
