"""Reading tutorials, and saying what is wrong with them."""

from pathlib import Path
from typing import Any

import pytest

from labkit.site.core.tutorial import TutorialError, code_digest, find, read

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


def test_cells(repository: Any) -> None:
    """Markers become metadata, and each cell knows the line where it starts."""
    tutorial = read(repository.write("tutorials/pond.py", TEXT))
    assert (tutorial.name, tutorial.place) == ("pond", "tutorials/pond.py")
    assert tutorial.root == repository.root
    cells = tutorial.notebook.cells
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
        "#!/usr/bin/env python\n# ---\n# title: A pond\n# ---\n",
        "# A comment is a cell.\n\n",
        "import math\n",
        "# %%\n\n",
        '# %% [markdown]\n"""\nText\n"""\n\n',
    ],
)
@pytest.mark.parametrize("marker", ["# %%", '# %% label="x"', "#%%"])
def test_lines(repository: Any, above: str, marker: str) -> None:
    """Whatever stands above a cell, its line is the file's own."""
    text = f"{above}{marker}\nlast = 1\n"
    cell = read(repository.write("tutorials/pond.py", text)).notebook.cells[-1]
    assert cell.source == "last = 1"
    assert text.splitlines()[cell.metadata["line"] - 1] == "last = 1"


def test_notebooks_are_reproducible(repository: Any) -> None:
    """Two readings of one file are equal, down to the cells' ids."""
    tutorial = read(repository.write("tutorials/pond.py", TEXT))
    assert tutorial.notebook == tutorial.notebook
    assert tutorial.notebook is not tutorial.notebook


def test_code_digest(repository: Any) -> None:
    """The digest follows code and metadata, not prose, blank lines or place."""

    def digest(old: str = "", new: str = "") -> str:
        assert old in TEXT
        path = repository.write("tutorials/pond.py", TEXT.replace(old, new))
        return code_digest(read(path).notebook)

    same = digest()
    assert digest("# A pond", "# A lake\n#\n# It is larger.") == same
    assert digest("import math\n", "import math\n\n\n") == same
    assert digest("legs = 4", "legs = 5") != same
    assert digest('["solution"]', "[]") != same
    assert digest("A frog.", "A newt.") != same


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("# %%\nx = (\n", 2, "never closed"),
        ("# %%\nx = 1\n\n# %%\ny = 1\nif y:\n", 6, "expected an indented block"),
        ("# %%\n%matplotlib inline\n", 2, "invalid syntax"),
        ("# %% label=frog\n", 1, "Check the quotes"),
        ('# %%\n\n# %% lable="frog"\n', 3, "unknown attribute 'lable'"),
        ('# %% label="A Frog"\n', 1, "expected a label"),
        ('# %% tags="solution"\n', 1, "expected tags such as"),
        ("# %%\n\n# %% tags=[1]\n", 3, "expected tags such as"),
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
        ('# %% [markdown] lable="x"\n', 1, "unknown attribute"),
        ("# %%\nimport os\n\nfrom pond import frog\n", 4, "import itself"),
    ],
)
def test_mistakes(repository: Any, text: str, line: int, words: str) -> None:
    """Each mistake is told with its file and line."""
    path = repository.write("tutorials/pond.py", text)
    with pytest.raises(TutorialError) as caught:
        read(path)
    assert str(caught.value).startswith(f"tutorials/pond.py:{line}: ")
    assert words in str(caught.value)


def test_a_label_and_a_value_may_share_a_name(repository: Any) -> None:
    """A figure and a number are asked for in different ways, so they do not clash."""
    read(repository.write("tutorials/pond.py", '# %% label="legs" values="legs"\nlegs = 4\n'))


def test_find(repository: Any) -> None:
    """Tutorials come sorted by name; what is wrong inside one is told when it is parsed."""
    for name in ("newt", "frog"):
        repository.tutorial(name, "x = (")
    repository.write("tutorials/README.md", "no tutorial")
    tutorials = find(repository.root / "tutorials")
    assert [tutorial.name for tutorial in tutorials] == ["frog", "newt"]
    with pytest.raises(TutorialError, match=r"tutorials/frog\.py:2: "):
        _ = tutorials[0].notebook


@pytest.mark.parametrize("name", ["Pond", "2frogs", "my--pond", "index", "random"])
def test_names(repository: Any, name: str) -> None:
    """A name that cannot be an address, or that hides a module, is refused."""
    path = repository.tutorial(name, "pass")
    with pytest.raises(TutorialError, match=rf"tutorials/{name}\.py: .* Rename"):
        read(path)


def test_unreadable_files(repository: Any) -> None:
    """A link to nowhere, a folder, and text in another encoding are named."""
    folder = repository.root / "tutorials"
    (folder / "pond.py").symlink_to(folder / "gone.py")
    with pytest.raises(TutorialError, match=r"tutorials/pond\.py: cannot be read: No such file"):
        find(folder)
    (folder / "pond.py").unlink()
    (folder / "pond.py").mkdir()
    with pytest.raises(TutorialError, match=r"tutorials/pond\.py: cannot be read: Is a dir"):
        find(folder)
    (folder / "pond.py").rmdir()
    (folder / "pond.py").write_bytes("# %%\n# grün\n".encode("latin-1"))
    with pytest.raises(TutorialError, match=r"tutorials/pond\.py:2: expected UTF-8"):
        find(folder)


def test_no_folder(tmp_path: Path) -> None:
    """Where there are no tutorials the message says where it looked."""
    with pytest.raises(TutorialError, match="expected a folder of tutorials"):
        find(tmp_path / "tutorials")
