"""Finding and reading tutorials."""

from pathlib import Path
from typing import Any

import pytest

from labkit.site.core.tutorial import TutorialError, find

TEXT = """\
# %% [markdown]
# # A pond

# %%
import math

# %% label="frog" alt="A frog." tags=["solution"]
legs = 4
"""


def test_notebooks_are_reproducible(repository: Any) -> None:
    """Two readings of one file are equal, down to the cells' ids."""
    repository.write("tutorials/pond.py", TEXT)
    tutorial = repository.find()["pond"]
    assert tutorial.notebook == tutorial.notebook
    assert tutorial.notebook is not tutorial.notebook


def test_places(repository: Any) -> None:
    """A tutorial's name is its file's, its part the folder's; it runs in the repository's root."""
    repository.write("tutorials/water/pond.py", TEXT)
    repository.write("tutorials/lake.py", TEXT)
    tutorial = repository.find()["pond"]
    assert (tutorial.name, tutorial.place) == ("pond", "tutorials/water/pond.py")
    assert (tutorial.part, tutorial.root) == ("water", repository.root)
    assert repository.find()["lake"].part == ""


def test_a_name_used_twice(repository: Any) -> None:
    """Chapters call a tutorial by its name alone, so two of one name are an error."""
    repository.write("tutorials/water/pond.py", TEXT)
    repository.write("tutorials/land/pond.py", TEXT)
    words = "tutorials/water/pond.py: the name is taken by tutorials/land/pond.py"
    with pytest.raises(TutorialError, match=words):
        find(repository.root / "tutorials")


def test_find(repository: Any) -> None:
    """Tutorials come sorted by place; what is wrong inside one is told when it is parsed."""
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
    repository.tutorial(name, "pass")
    with pytest.raises(TutorialError, match=rf"tutorials/{name}\.py: .* Rename"):
        repository.find()


def test_hidden_files(repository: Any) -> None:
    """An editor's lock, a system's notes and a folder of backups are no tutorials."""
    folder = repository.root / "tutorials"
    repository.tutorial("cnn", "pass")
    (folder / ".#cnn.py").symlink_to("me@host.123:456")
    (folder / "._cnn.py").write_bytes(b"\0\5\26\7\377")
    repository.write("tutorials/.ipynb_checkpoints/cnn.py", "pass")
    assert [tutorial.name for tutorial in find(folder)] == ["cnn"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("# %%\n# grün\n".encode("latin-1"), ":2: expected UTF-8 text"),
        (b"# coding: latin-1\n# %%\n", ":1: expected UTF-8 text. It says iso-8859-1"),
        (b"# coding: nothing\n# %%\n", ":1: unknown encoding: nothing"),
        ("link", ": cannot be read: No such file"),
        ("folder", ": cannot be read: Is a directory"),
    ],
)
def test_unreadable_files(repository: Any, content: bytes | str, words: str) -> None:
    """A tutorial that cannot be read is named, and stops itself, not the others."""
    path = repository.tutorial("bad", "pass")
    repository.tutorial("good", "pass")
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.unlink()
        path.symlink_to("gone.py") if content == "link" else path.mkdir()
    bad, good = find(repository.root / "tutorials")
    with pytest.raises(TutorialError) as caught:
        _ = bad.notebook
    assert str(caught.value).startswith(f"tutorials/bad.py{words}")
    assert good.notebook.cells[0].source == "pass"


def test_line_ends(repository: Any) -> None:
    """Line ends of other systems, and a byte order mark, are as good as Unix's."""
    path = repository.write("tutorials/pond.py", TEXT)
    plain = repository.find()["pond"].notebook
    for end in ("\r\n", "\r"):
        path.write_bytes(TEXT.replace("\n", end).encode("utf-8-sig"))
        assert repository.find()["pond"].notebook == plain


def test_no_folder(tmp_path: Path) -> None:
    """Where there are no tutorials the message says where it looked."""
    with pytest.raises(TutorialError, match="expected a folder of tutorials"):
        find(tmp_path / "tutorials")
