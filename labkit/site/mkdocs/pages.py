"""A tutorial's page: mkdocs-jupyter converts the notebook to Markdown, MkDocs renders that.

The source of the page is the executed notebook. mkdocs-jupyter would render it without MkDocs;
so its result, which the template in `templates/` makes Markdown, is taken for what was read from
the source, and the page is rendered as a chapter is: same dialect, checked links, one search.
"""

import hashlib
import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbformat import NotebookNode

from labkit.site.core.tutorial import Tutorial

from . import upstream
from .memory import Folder
from .policy import undecodable

TEMPLATES = Path(__file__).with_name("templates")


def add(files: Files, tutorial: Tutorial, notebook: Path, config: MkDocsConfig) -> None:
    """Add the page of a tutorial: at the script's place, from the notebook's content."""
    page = File(tutorial.place, None, config.site_dir, config.use_directory_urls)
    page.abs_src_path = str(notebook)
    files.append(page)


def complete(files: Files, tutorial: Tutorial, notebook: Path, config: MkDocsConfig) -> None:
    """Tell the file that mkdocs-jupyter has put in the page's place what it was to take over.

    Raises:
        PluginError: A page of docs/ has the same address.
    """
    page = files.get_file_from_path(tutorial.place)
    assert page is not None  # added above
    for other in files:
        if other.dest_uri == page.dest_uri and other.src_uri != page.src_uri:
            raise PluginError(
                f"{other.src_uri} in {config.docs_dir} and {tutorial.place} would both be the "
                f"page {page.url}. Rename one of the two."
            )
    page.abs_src_path = str(notebook)
    page.edit_uri = Path(os.path.relpath(tutorial.path, config.docs_dir)).as_posix()


def write(files: Files, path: str, content: str | bytes, config: MkDocsConfig) -> None:
    """Write a file of the site at once, rather than keep it in memory until the end.

    Raises:
        PluginError: docs/ has a file of this name.
    """
    if path in files.src_uris:
        raise PluginError(f"docs/{path}: a tutorial gives a file of this name. Rename this one.")
    file = File(path, config.site_dir, config.site_dir, config.use_directory_urls)
    target = Path(file.abs_dest_path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content.encode() if isinstance(content, str) else content)
    files.append(file)


def text(page: Page) -> str:
    """Return the text of a page's source.

    Raises:
        PluginError: It is not UTF-8, or its front matter cannot be read; MkDocs would take that
            for the beginning of the text.
    """
    place = f"docs/{page.file.src_uri}"
    try:
        content = page.file.content_string
    except UnicodeDecodeError as error:
        raise PluginError(f"{place}: {undecodable(error)}") from None
    if content.startswith("---\n"):
        try:
            yaml.safe_load(content[4:].partition("\n---\n")[0])
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 2 if error.problem_mark else 1
            raise PluginError(
                f"{place}:{line}: the front matter cannot be read: {error.problem}. Put a text "
                "that holds a colon into quotes."
            ) from None
    return content


def render_later(page: Page, config: MkDocsConfig, files: Files) -> None:
    """Render a page that is not written yet; its anchors are not known, so none is missed."""
    Page.render(page, config, files)
    page.present_anchor_ids = None


class Sources:
    """Reads the Markdown of tutorials' pages, and keeps what it read for the next build.

    Args:
        folder: Where the notebooks and what was read of them are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept = Folder(folder)

    def write(self, name: str, notebook: NotebookNode) -> Path:
        """Write a notebook for mkdocs-jupyter to read; return the file."""
        path = self._folder / f"{name}.ipynb"
        self._folder.mkdir(parents=True, exist_ok=True)
        record = {**notebook.metadata.get("labkit", {}), "name": name}
        content = {**notebook, "metadata": {**notebook.metadata, "labkit": record}}
        path.write_text(json.dumps(content), "utf-8")
        return path

    def read(self, page: Page, config: MkDocsConfig) -> str:
        """Return a page's Markdown, taking the work of rendering it off mkdocs-jupyter.

        Raises:
            PluginError: mkdocs-jupyter does not convert the page.
        """
        convert = upstream.take_render(page)
        if convert is None:
            raise PluginError(
                f"{page.file.src_uri}: mkdocs-jupyter does not convert this page. Expected in "
                'mkdocs.yml, under plugins: mkdocs-jupyter: {include: ["*.ipynb"]}.'
            )
        key = self._key(Path(str(page.file.abs_src_path)))
        kept = self._kept.get(page.file.src_uri)
        if kept is None or kept.get("key") != key:
            convert(config, Files([]))
            markdown, _ = json.JSONDecoder().raw_decode(str(page.content).strip())
            page.content = None
            kept = {"key": key, "markdown": markdown}
            self._kept.put(page.file.src_uri, kept)
        return str(kept["markdown"])

    def _key(self, notebook: Path) -> str:
        template = next(TEMPLATES.glob("mkdocs_html/*.j2"))
        facts: list[Any] = [version("mkdocs-jupyter"), version("nbconvert"), template.read_text()]
        return hashlib.sha256(repr(facts).encode() + notebook.read_bytes()).hexdigest()
