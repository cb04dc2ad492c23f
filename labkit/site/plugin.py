"""The MkDocs plugin: each hook hands over to functions that know nothing of MkDocs."""

from __future__ import annotations

import posixpath
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import mkdocs_jupyter.config
from mkdocs.config import base
from mkdocs.config import config_options as option
from mkdocs.exceptions import PluginError
from mkdocs.plugins import BasePlugin, event_priority, get_plugin_logger
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbconvert.exporters import templateexporter

from labkit.site import render
from labkit.site.book import Book
from labkit.site.cache import Cache
from labkit.site.embed import Context, EmbedExtension, line_of
from labkit.site.execute import RunError, run
from labkit.site.mathml import MathExtension
from labkit.site.tutorial import TutorialError, find

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

log = get_plugin_logger(__name__)
TEMPLATES = Path(__file__).with_name("templates")


class Options(base.Config):
    """The options of `labkit:` under `plugins:` in mkdocs.yml."""

    tutorials = option.Type(str, default="tutorials")
    cache = option.Type(str, default=".cache/tutorials")


class LabkitPlugin(BasePlugin[Options]):
    """Runs the tutorials, embeds what they gave in chapters, and makes a page of each."""

    def __init__(self) -> None:
        super().__init__()
        self.serving = False
        self.book = Book({})
        self.embeds = EmbedExtension()
        self.math = MathExtension()
        self.page: Page | None = None
        self.toc: Any = None

    def on_startup(
        self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool
    ) -> None:
        """Remember whether pages may wait for their results.

        [Event](https://www.mkdocs.org/dev-guide/plugins/#on_startup).
        """
        self.serving = command == "serve"

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Extend the site's Markdown, and show mkdocs-jupyter the template for tutorials.

        [Event](https://www.mkdocs.org/dev-guide/plugins/#on_config).
        """
        config.markdown_extensions += [self.embeds, self.math]  # type: ignore[list-item] # as autorefs
        mkdocs_jupyter.config.settings.templates_dir = str(TEMPLATES)
        templateexporter.default_filters["book_page"] = lambda nb: self._render(nb, config)
        return config

    @event_priority(100)
    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Run the tutorials, and add a page, the figures and the downloads of each.

        [Event](https://www.mkdocs.org/dev-guide/plugins/#on_files). Before mkdocs-jupyter, which
        makes pages of the scripts.
        """
        root = Path(config.config_file_path).parent
        try:
            tutorials = find(root / self.config.tutorials)
            notebooks = run(tutorials, Cache(root / self.config.cache), progress=sys.stderr)
        except (TutorialError, RunError) as error:
            raise PluginError(str(error)) from error
        self.book = Book(notebooks)
        self.files = files
        for tutorial in tutorials:
            files.append(
                File(
                    f"tutorials/{tutorial.path.name}",
                    src_dir=str(tutorial.root),
                    dest_dir=config.site_dir,
                    use_directory_urls=config.use_directory_urls,
                )
            )
            path = f"tutorials/{tutorial.name}/{tutorial.path.name}"
            files.append(self._write(path, tutorial.text, config))
        config.nav = expand(config.nav, [f"tutorials/{t.path.name}" for t in tutorials])
        for path, content in render.files(self.book):
            files.append(self._write(path, content, config))
        return files

    def on_pre_page(self, page: Page, *, config: MkDocsConfig, files: Files) -> Page:
        """Note the page that is being made.

        [Event](https://www.mkdocs.org/dev-guide/plugins/#on_pre_page).
        """
        folder = posixpath.dirname(page.file.src_uri)
        self.page = page
        self.embeds.context = Context(
            self.book, lambda path: posixpath.relpath(path, folder)
        )
        self.math.errors.clear()
        return page

    def on_page_content(
        self, html: str, *, page: Page, config: MkDocsConfig, files: Files
    ) -> str:
        """Stop at what could not be embedded.

        [Event](https://www.mkdocs.org/dev-guide/plugins/#on_page_content).
        """
        context = self.embeds.context
        if context and (errors := context.errors + self.math.errors):
            path = Path(str(page.file.abs_src_path))
            text = path.read_text("utf-8")
            place = path.relative_to(Path(config.config_file_path).parent)
            raise PluginError(
                "\n".join(f"{place}:{line_of(text, embed)}: {why}" for embed, why in errors)
            )
        if self.toc is not None:
            page.toc, self.toc = self.toc, None
        return html

    def _write(self, path: str, content: str, config: MkDocsConfig) -> File:
        """Write a file into the site, rather than keep it in memory, and register it."""
        file = File(path, config.site_dir, config.site_dir, config.use_directory_urls)
        Path(file.abs_dest_path).parent.mkdir(parents=True, exist_ok=True)
        Path(file.abs_dest_path).write_text(content, "utf-8")
        return file

    def _render(self, notebook: Any, config: MkDocsConfig) -> str:
        """Convert a notebook as MkDocs converts a chapter."""
        page = self.page
        assert page is not None
        name = posixpath.splitext(posixpath.basename(page.file.src_uri))[0]
        page.markdown = render.markdown(notebook, name)
        Page.render(page, config, self.files)
        self.toc = page.toc
        return str(page.content)


def expand(nav: Any, pages: list[str]) -> Any:
    """Put the tutorials where the navigation says `tutorials/*.py`."""
    if isinstance(nav, dict):
        return {title: expand(item, pages) for title, item in nav.items()}
    if isinstance(nav, list):
        return [
            entry
            for item in nav
            for entry in (pages if item == "tutorials/*.py" else [expand(item, pages)])
        ]
    return nav
