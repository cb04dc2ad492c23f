"""Reading what a tutorial says that its run needs."""

import pytest

from labkit.site.core.cells import CellError
from labkit.site.core.header import Needs, read

JUPYTER = "# jupyter:\n#   kernelspec:\n#     name: python3\n"


@pytest.mark.parametrize(
    ("lines", "needs"),
    [
        ("# labkit: {memory: 2 GB, seconds: 120}\n", Needs(2 * 10**9, 120)),
        ("# labkit:\n#   memory: 1.5 GB\n", Needs(1_500_000_000)),
        ("# labkit: {memory: 500MB}\n", Needs(500 * 10**6)),
        (f"# labkit: {{seconds: 0.5}}\n{JUPYTER}", Needs(seconds=0.5)),
        (JUPYTER, Needs()),
    ],
)
def test_needs(lines: str, needs: Needs) -> None:
    """Memory and seconds are read; what jupytext writes beside them says nothing."""
    header = f"# ---\n{lines}# ---\n"
    assert read(f"{header}# %%\n") == (header.count("\n"), needs)
    assert read(f"#!/usr/bin/env python\n\n{header}# %%\n") == (header.count("\n") + 2, needs)


def test_no_header() -> None:
    """A rule in the first cell, or below the first marker, is no header."""
    assert read("# %%\n# ---\n") == (0, Needs())
    assert read("# A comment\n# ---\n") == (0, Needs())


@pytest.mark.parametrize(
    ("lines", "line", "words"),
    [
        ("# title: A pond\n# ---\n", 2, "expected jupyter or labkit"),
        ("# labkit: {memori: 2 GB}\n# ---\n", 2, "Received: 'memori'"),
        ("# labkit:\n#   memory: 2 GB\n#   memory: 3 GB\n# ---\n", 4, "each once"),
        ("# labkit: 3\n# ---\n", 2, "expected memory or seconds"),
        ("# labkit:\n# ---\n", 2, "expected memory or seconds"),
        ("# ---\n", 2, "Received: nothing"),
        ("# labkit:\n#   memory: lots\n# ---\n", 3, "such as `500 MB` or `2 GB`"),
        ("# labkit: {memory: 0 GB}\n# ---\n", 2, "such as `500 MB`"),
        ("# labkit: {memory: [2 GB]}\n# ---\n", 2, "such as `500 MB`"),
        ("# labkit:\n#   seconds: soon\n# ---\n", 3, "a positive number"),
        ("# labkit: {seconds: -1}\n# ---\n", 2, "a positive number"),
        ("# labkit: {seconds: .inf}\n# ---\n", 2, "a positive number"),
        ("# labkit: {\n# ---\n", 2, "not valid YAML"),
        ("# labkit: {seconds: 1}\n\n# %%\n", 1, "has no end"),
        ("# labkit: {seconds: 1}\n", 1, "has no end"),
    ],
)
def test_mistakes(lines: str, line: int, words: str) -> None:
    """A key or a value that means nothing is an error with its line."""
    with pytest.raises(CellError) as caught:
        read(f"# ---\n{lines}")
    assert (caught.value.line, words in str(caught.value)) == (line, True), str(caught.value)
