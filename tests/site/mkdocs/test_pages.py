"""A tutorial's page, from the notebook to its Markdown."""

import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs_jupyter.plugin import Plugin

from labkit.site.mkdocs import pages, upstream
from tests.site.pages import code, notebook, printed, prose

Read = Callable[..., str]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return a function that reads a page's Markdown from a notebook of these cells."""
    upstream.use_templates(pages.TEMPLATES)

    def read(*cells: dict[str, Any], include: str = "*.ipynb") -> str:
        config: Any = MkDocsConfig()
        config.load_dict({"site_name": "A", "docs_dir": str(tmp_path), "plugins": []})
        config.validate()
        jupyter = Plugin()
        jupyter.load_config({"include": [include], "ignore_h1_titles": True, "cache": False})
        sources = pages.Sources(tmp_path / "sources")
        written = sources.write("tiny", notebook(*cells))
        tutorial: Any = SimpleNamespace(place="tutorials/part/tiny.py", path=tmp_path / "tiny.py")
        files = Files([])
        pages.add(files, tutorial, written, config)
        files = jupyter.on_files(files, config)
        pages.complete(files, tutorial, written, config)
        file = files.get_file_from_path(tutorial.place)
        assert isinstance(file, File)
        page = Page(None, file, config)
        jupyter.on_pre_page(page, config, files)
        return sources.read(page, config)

    return read


def test_prose_stays_as_it_is_and_code_becomes_embeds(read: Read) -> None:
    """What nbconvert or HTML would change is not changed; outputs stay in the notebook."""
    first = "# One & *two*\n\n<img src='a.png'> $a < b$ &amp; {{ tiny#v }}\n\n    code  \n\n`</p>`"
    text = read(
        prose(first),
        code("print(1)", printed("</style>1"), label="one"),
        prose("\n\n  Ünïcode \\(x\\)\u2028 `<br>`  \n"),
        code("2"),
    )
    assert text == (
        f"{first}\n\n{{{{ cell tiny#one }}}}\n\n\n\n  Ünïcode \\(x\\)\u2028 `<br>`  \n\n\n"
        "{{ cell tiny#cell_3 }}\n\n"
    )


def test_a_notebook_is_converted_once(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next build has its Markdown; another notebook, or another version, is converted."""
    converted = list[str]()

    def count(path: str, **_: Any) -> str:
        converted.append(path)
        return '"text"<style></style>'

    monkeypatch.setattr("mkdocs_jupyter.convert.nb2html", count)
    for text, times in (("A", 1), ("A", 1), ("B", 2)):
        assert read(prose(text)) == "text"
        assert len(converted) == times
    monkeypatch.setattr(pages, "version", lambda name: "99")
    read(prose("B"))
    assert len(converted) == 3


def test_a_page_that_is_not_converted_says_what_to_set(read: Read) -> None:
    """mkdocs-jupyter must be told to read notebooks."""
    with pytest.raises(PluginError, match=r'include: \["\*\.ipynb"\]'):
        read(prose("A"), include="*.py")


def test_mkdocs_jupyter_says_nothing(read: Read, caplog: pytest.LogCaptureFixture) -> None:
    """A line for each conversion is of no use to an author; if its logger moves, this fails."""
    logging.getLogger("mkdocs").setLevel(logging.INFO)
    read(prose("A new text"))
    assert not caplog.records
