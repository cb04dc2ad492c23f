"""Cutting a script into cells, and saying what is wrong with it."""

from typing import Any

import pytest

from labkit.site.core import header
from labkit.site.core.cells import CellError, parse

TEXT = '''\
# %% [markdown]
# # A pond
# ```
# # %% not a marker
# ```

# %%
import math

# %% label="frog-1" alt="A frog." caption="It sits." values="legs name" tags=["solution"]

legs = 4
name = """
# %% not a marker either
"""
# %% A title
pass
'''


def read(text: str) -> Any:
    """Return the notebook of a script with a header or without."""
    above, _ = header.read(text)
    return parse(text, above)


def test_cells() -> None:
    """Markers become metadata, and each cell knows the line where it starts."""
    cells = read(TEXT).cells
    assert [cell.cell_type for cell in cells] == ["markdown", "code", "code", "code"]
    assert cells[2].metadata == {
        "label": "frog-1",
        "alt": "A frog.",
        "caption": "It sits.",
        "values": ["legs", "name"],
        "tags": ["solution"],
        "line": 12,
    }
    assert cells[1].metadata == {"tags": [], "values": [], "line": 8}
    lines = TEXT.splitlines()
    for cell in cells[1:]:
        assert lines[cell.metadata["line"] - 1] == cell.source.splitlines()[0]


@pytest.mark.parametrize(
    "above",
    [
        "",
        "\n\n",
        "#!/usr/bin/env python\n",
        "# -*- coding: utf-8 -*-\n",
        "# ---\n# jupyter:\n#   kernelspec:\n#     name: python3\n# ---\n\n",
        "#!/usr/bin/env python\n# ---\n# labkit: {seconds: 9}\n# ---\n",
        "# A comment is a cell.\n\n",
        "import math\n",
        "# %%\n\n",
        "# %% [markdown] A title\n#\n# Text\n\n",
    ],
)
@pytest.mark.parametrize("marker", ["# %%", '# %% label="x"', "#%%"])
def test_lines(above: str, marker: str) -> None:
    """Whatever stands above a cell, its line is the file's own."""
    text = f"{above}{marker}\nlast = 1\n"
    cell = read(text).cells[-1]
    assert cell.source == "last = 1"
    assert text.splitlines()[cell.metadata["line"] - 1] == "last = 1"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("# %%\nx = (\n", 2, "never closed"),
        ("# %%\nx = 1\n\n# %%\ny = 1\nif y:\n", 6, "expected an indented block"),
        ("# %%\n%matplotlib inline\n", 2, "invalid syntax: `%matplotlib inline`"),
        ("# %%\n!ls\n", 2, "`!ls`"),
        ("# %%\nx = 1\nx?\n", 3, "`x?`"),
        ("# %%\nimport asyncio\nawait asyncio.sleep(0)\n", 3, "'await' outside function"),
        ("# %%\nreturn 3\n", 2, "'return' outside function"),
        ("# %%\nx = '\0'\n", 1, "null bytes"),
        ("# %%\nx = [\n# %%\n]\n", 2, "never closed"),
        ("# %%\nif True:\n    # %%\n    pass\n", 3, "at the beginning of its line"),
        ("# %% [markdown]\n# Text.\nx = 42\n", 3, "Received: `x = 42`"),
        ("# %% [raw]\n", 1, "expected `[markdown]`"),
        ("# %% label=frog\n", 1, "Check the quotes"),
        ('# %% label = "x"\n', 1, "Check the quotes"),
        ('# %% label="x" more\n', 1, "Check the quotes"),
        ('# %% label="x" label="y"\n', 1, "label stands twice"),
        ('# %%\n\n# %% lable="frog"\n', 3, "unknown attribute 'lable'"),
        ('# %% [markdown] lable="x"\n', 1, "unknown attribute"),
        ('# %% [markdown] label="x"\n', 1, "only a cell of code"),
        ('# %% label="A Frog"\n', 1, "expected a label"),
        ('# %% tags="solution"\n', 1, 'expected tags=["solution"]'),
        ("# %%\n\n# %% tags=[1]\n", 3, 'expected tags=["solution"]'),
        ('# %% tags=["raises-exception"]\n', 1, "Write `try` and `except`"),
        ("# %% alt=3\n", 1, 'expected alt="…"'),
        ('# %% values="a b.c"\n', 1, "'b.c'"),
        (
            '# %% label="x"\n\n# %% label="x"\n',
            3,
            "label 'x' is taken by the cell in line 1",
        ),
        (
            '# %% values="x"\n\n# %% values="x"\n',
            3,
            "value 'x' is taken by the cell in line 1",
        ),
    ],
)
def test_mistakes(text: str, line: int, words: str) -> None:
    """Each mistake is told with its line."""
    with pytest.raises(CellError) as caught:
        read(text)
    assert caught.value.line == line
    assert words in str(caught.value)


def test_a_label_and_a_value_may_share_a_name() -> None:
    """A figure and a number are asked for in different ways, so they do not clash."""
    read('# %% label="legs" values="legs"\nlegs = 4\n')


@pytest.mark.parametrize("character", ["\f", "\v", "\x1c", "\x85", "\u2028", "\u2029"])
def test_characters_that_end_no_line(character: str) -> None:
    """Python ends a line at fewer characters than Unicode does, and so do cells."""
    code, prose = f'x = """a{character}b"""', f"a{character}b"
    cells = read(f"# %%\n{code}\n# %% [markdown]\n# {prose}\n\n# %%\ny = 1\n").cells
    assert [cell.source for cell in cells] == [code, prose, "y = 1"]
    assert cells[2].metadata["line"] == 7


def test_text() -> None:
    """A text keeps its indentation and its empty lines."""
    (cell,) = read("# %% [markdown]\n# a\n#\n\n#     b\n#c\n").cells
    assert cell.source == "a\n\n\n    b\nc"
