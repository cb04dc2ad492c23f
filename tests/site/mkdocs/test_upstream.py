"""What other packages do not promise to keep: each test says what has moved."""

import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mkdocs_jupyter.config
import pytest
from material.plugins.search.plugin import SearchIndex
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs_autorefs import AutorefsPlugin
from mkdocs_jupyter import nbconvert2
from mkdocstrings import BaseHandler, MkdocstringsPlugin

from labkit.site.mkdocs import upstream


def test_mkdocs_keeps_the_title_that_rendering_finds(tmp_path: Path) -> None:
    """`upstream.title` returns it after `Page.render`, and setting it names the page."""
    config = MkDocsConfig()
    config.load_dict({"site_name": "A", "docs_dir": str(tmp_path), "plugins": []})
    config.validate()
    (tmp_path / "a.md").write_text("# The *title*")
    file = File("a.md", str(tmp_path), "site", use_directory_urls=True)
    page = Page(None, file, config)
    page.read_source(config)
    page.render(config, Files([file]))
    assert upstream.title(page) == "The title"
    upstream.set_title(page, "Another")
    assert page.title == "Another"
    upstream.put_render(page, "mine")
    assert page.render == "mine"
    assert upstream.take_render(page) == "mine"
    assert upstream.take_render(page) is None


def test_mkdocs_jupyter_has_its_templates_and_its_logger() -> None:
    """Both are set from outside."""
    assert hasattr(mkdocs_jupyter.config.settings, "templates_dir")
    assert nbconvert2.logger.name == upstream.JUPYTER_LOGGER


def test_what_is_replaced_on_objects_is_called_as_before() -> None:
    """The memory of pages stands in for these methods, and passes on what they are given."""
    expected = {
        AutorefsPlugin.register_anchor: [
            "self",
            "page",
            "identifier",
            "anchor",
            "title",
            "primary",
        ],
        SearchIndex.add_entry_from_context: ["self", "page"],
        BaseHandler.collect: ["self", "identifier", "options"],
        BaseHandler.get_aliases: ["self", "identifier"],
        BaseHandler.update_env: ["self", "config"],
    }
    for method, names in expected.items():
        assert list(inspect.signature(method).parameters) == names, method.__qualname__
    assert SearchIndex().entries == []
    for name in ("handlers", "plugin_enabled", "get_handler"):
        assert hasattr(MkdocstringsPlugin, name)


def test_macros_must_have_other_braces() -> None:
    """Or each embed would become an error of another plugin's."""
    config: Any = SimpleNamespace(plugins={})
    upstream.check_braces(config)
    config.plugins["macros"] = SimpleNamespace(config={"j2_variable_start_string": ""})
    with pytest.raises(PluginError, match="j2_variable_start_string: '\\[\\['"):
        upstream.check_braces(config)
    config.plugins["macros"].config["j2_variable_start_string"] = "[["
    upstream.check_braces(config)
