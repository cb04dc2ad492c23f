"""The MkDocs plugin: each hook hands over to functions that know nothing of MkDocs."""

import os
import re
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

from jinja2 import Environment
from mkdocs.config import config_options
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import BuildError, PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import BasePlugin, CombinedEvent, event_priority, get_plugin_logger
from mkdocs.structure.files import Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import TableOfContents
from mkdocs.utils import get_relative_url
from mkdocs.utils.templates import TemplateContext

from labkit.site.core.book import Book, EmbedError, places
from labkit.site.core.cache import SITE, Cache, CacheError
from labkit.site.core.colab import Colab, github
from labkit.site.core.schedule import RunError, Scheduler, run
from labkit.site.core.tutorial import Tutorial, TutorialError, find
from labkit.site.markdown import elements, mathfont, titles
from labkit.site.markdown import files as given
from labkit.site.markdown.context import for_page
from labkit.site.markdown.embed import EmbedExtension
from labkit.site.markdown.faults import report
from labkit.site.markdown.math import MathExtension
from labkit.site.markdown.references import ReferenceExtension

from . import cite, navigation, pages, search, serving, upstream
from .marks import Marks
from .memory import Folder, Memory, digest, keep_compiled, machine, settings
from .policy import write_headers
from .reference import Reference

log = get_plugin_logger(__name__)
_REFERENCE = re.compile("^::: ", re.MULTILINE)


class Options(Config):  # type: ignore[no-untyped-call]  # of MkDocs
    """The plugin's options in mkdocs.yml; folders are relative to that file."""

    tutorials = config_options.Type(str, default="tutorials")
    cache = config_options.Type(str, default=".cache/tutorials")


class LabkitPlugin(BasePlugin[Options]):  # type: ignore[no-untyped-call]  # of MkDocs
    """Runs the tutorials, makes a page of each, and embeds in chapters what they gave."""

    def __init__(self) -> None:
        self.serving = False
        self.background: Scheduler | None = None
        self.signal: Path | None = None
        self.book = Book({})
        self.embed = EmbedExtension()
        self.math = MathExtension(strict=False)
        self.marks = Marks()
        self.source = Path()  # of the page that is being made
        self.tutorials: dict[str, Tutorial] = {}  # by the place of their page
        self.notebooks: dict[str, Path] = {}  # by the tutorials' names
        self.shown: dict[str, list[str]] = {}  # the tutorials on a page, by its address
        self.hasty = False  # whether the reference waits for the build after the first run

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Remember whether pages may wait for their results.

        See [on_startup](https://www.mkdocs.org/dev-guide/plugins/#on_startup).
        """
        self.serving = command == "serve"

    def on_config(self, config: MkDocsConfig) -> None:
        """Extend the site's Markdown, and give mkdocs-jupyter a template of our own.

        See [on_config](https://www.mkdocs.org/dev-guide/plugins/#on_config).
        """
        self.references = ReferenceExtension()
        own = [self.embed, self.math, self.references, *self.marks.extensions]
        config.markdown_extensions += own
        upstream.adapt_theme(config)
        upstream.use_templates(pages.TEMPLATES)
        upstream.check_braces(config)
        upstream.refuse_missing_snippets(config)

    @event_priority(100)  # before mkdocs-jupyter, which makes pages of the scripts
    def _on_files_add(self, files: Files, *, config: MkDocsConfig) -> None:
        """Get the tutorials' results; add their pages."""
        root = Path(config.config_file_path).parent
        kept = root / self.config.cache / SITE
        fresh = self.background is None and not kept.exists()
        linked = [file.src_uri for file in files]
        self.facts = {}
        seconds: dict[str, float] = {}
        self.sources = pages.Sources(kept / "sources")
        font = mathfont.font(kept / "fonts")
        pages.write(files, mathfont.PATH, font, config)
        try:
            tutorials = navigation.ordered(find(root / self.config.tutorials), config.nav)
            self.book = self._book(tutorials, root / self.config.cache, config)
            self.tutorials = {tutorial.place: tutorial for tutorial in tutorials}
            for tutorial in tutorials:
                linked.append(tutorial.place)
                name = tutorial.name
                content = self.book.notebook(name)
                seconds[name] = content.metadata.get("labkit", {}).get("seconds", 0.0)
                notebook = self.executed.path(name) or self.sources.write(name, content)
                self.notebooks[name] = notebook
                pages.add(files, tutorial, notebook, config)
                self.facts[tutorial.name] = self.book.facts(tutorial.name, tutorial.digest)
        except (TutorialError, RunError, CacheError, EmbedError) as error:
            raise PluginError(str(error)) from None
        self.marks.read(files, config, tutorials, seconds, set(self.book.chapters.values()))
        config.nav = navigation.expand(config.nav, self.book)
        self.hasty = self.serving and fresh and "running" in self.book.states.values()
        self.references.optional = self.hasty
        self._remember(kept, linked, config)

    @event_priority(-100)  # after mkdocs-jupyter, which makes a page of each notebook
    def _on_files_complete(self, files: Files, *, config: MkDocsConfig) -> None:
        """Add the tutorials' figures and downloads, notebooks among them."""
        try:
            for tutorial in self.tutorials.values():
                pages.complete(files, tutorial, self.notebooks[tutorial.name], config)
                script = f"{self.book.place(tutorial.name)}/{tutorial.path.name}"
                pages.write(files, script, tutorial.text, config)
                for path, content in given.files(self.book, tutorial.name):
                    pages.write(files, path, content, config)
            if config.site_url and not self.serving:  # other sites ask for a card at its address
                kept = Path(config.config_file_path).parent / self.config.cache / SITE / "cards"
                shown = self.marks.chapters, self.book.parts, self.book, config.site_name, kept
                for path, image in cite.drawn(*shown):
                    pages.write(files, path, image, config)
        except EmbedError as error:
            raise PluginError(str(error)) from None

    on_files = CombinedEvent(_on_files_add, _on_files_complete)
    """See [on_files](https://www.mkdocs.org/dev-guide/plugins/#on_files)."""

    def on_pre_page(self, page: Page, *, config: MkDocsConfig, files: Files) -> None:
        """Tell the Markdown extensions which page comes, and mkdocs-jupyter how to make it.

        See [on_pre_page](https://www.mkdocs.org/dev-guide/plugins/#on_pre_page).
        """
        tutorial = self.tutorials.get(page.file.src_uri)
        self.source = tutorial.path if tutorial else Path(str(page.file.abs_src_path))
        name = tutorial.name if tutorial else ""
        self.embed.context = for_page(self.book, page.file.src_uri, name)
        self.embed.context.exists = lambda path: path in files.src_uris
        self.math.errors.clear()
        self.marks.enter(page, self.embed.context.link)
        self.math.setConfig("prefix", self.marks.prefix(page))

    def on_page_read_source(self, *, page: Page, config: MkDocsConfig) -> str | None:
        """Take what mkdocs-jupyter makes of a tutorial's notebook for the page's Markdown.

        See [on_page_read_source](https://www.mkdocs.org/dev-guide/plugins/#on_page_read_source).
        """
        if page.file.src_uri in self.tutorials:
            return f"\n{self.sources.read(page, config)}"  # no first line is read as metadata
        try:
            return pages.text(page)
        except PluginError as error:
            return self._fail(page, str(error))

    @event_priority(-100)  # when the Markdown is final
    def on_page_markdown(
        self, markdown: str, *, page: Page, config: MkDocsConfig, files: Files
    ) -> str | None:
        """Render the page, or take it over from the last build.

        See [on_page_markdown](https://www.mkdocs.org/dev-guide/plugins/#on_page_markdown).
        """
        if page.file.src_uri in self.tutorials:
            summary = titles.summary(self.book.notebook(page.file.name))
            page.meta["description"] = summary.description
        documents = _REFERENCE.search(markdown)
        if documents and self.hasty:
            upstream.put_render(page, partial(pages.render_later, page))
            return titles.unwritten(markdown[: documents.start()], str(page.title))
        upstream.put_render(page, partial(self._make, page))
        return None

    def on_page_content(self, html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
        """Add the scripts of interactive figures and of an author's marks.

        See [on_page_content](https://www.mkdocs.org/dev-guide/plugins/#on_page_content).
        """
        docs = Path(config.docs_dir)
        try:
            scripts = elements.scripts(html, self.book, docs) + self.marks.scripts(html, docs)
        except EmbedError as error:
            text = self.source.read_text("utf-8-sig")
            place = os.path.relpath(self.source, Path(config.config_file_path).parent)
            return self._fail(page, report(place, text, [(error.written, str(error))]))
        self.shown[page.url] = sorted(self.book.asked, key=list(self.book.notebooks).index)
        addresses = (get_relative_url(script, page.url) for script in scripts)
        return html + "".join(f'<script defer src="{url}"></script>' for url in addresses)

    def on_page_context(
        self, context: TemplateContext, *, page: Page, config: MkDocsConfig, nav: Navigation
    ) -> TemplateContext:
        """Add what lets others cite the page.

        See [on_page_context](https://www.mkdocs.org/dev-guide/plugins/#on_page_context).
        """
        year = context["build_date_utc"].year
        added = cite.context(page, config, self.marks.chapters, year)
        return cast(TemplateContext, {**context, **added})

    def on_env(self, env: Environment, *, config: MkDocsConfig, files: Files) -> None:
        """Keep the theme's templates compiled from one build to the next.

        See [on_env](https://www.mkdocs.org/dev-guide/plugins/#on_env).
        """
        keep_compiled(env, Path(config.config_file_path).parent / self.config.cache / SITE)

    def on_serve(
        self, server: LiveReloadServer, *, config: MkDocsConfig, builder: Callable[..., None]
    ) -> None:
        """Let the server build again when a tutorial has run, or a source has changed.

        See [on_serve](https://www.mkdocs.org/dev-guide/plugins/#on_serve).
        """
        root = Path(config.config_file_path).parent
        serving.watch(server, self.signal, [root / self.config.tutorials, root / "labkit"])
        serving.attach(server, self._opened)

    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """Write the security policy; run behind the site what it still waits for.

        See [on_post_build](https://www.mkdocs.org/dev-guide/plugins/#on_post_build).
        """
        write_headers(Path(config.site_dir))
        if self.background is not None:
            self.background.start()

    def on_shutdown(self) -> None:
        """Leave no kernel behind.

        See [on_shutdown](https://www.mkdocs.org/dev-guide/plugins/#on_shutdown).
        """
        if self.background is not None:
            self.background.close()
        if self.signal is not None:
            self.signal.unlink(missing_ok=True)

    def _book(self, tutorials: list[Tutorial], cache: Path, config: MkDocsConfig) -> Book:
        """Run the tutorials; or, while serving, say which are still to run."""
        said: dict[str, Any] = {
            "colab": Colab(github(config.repo_url), config.remote_branch),
            "places": places(tutorials),
            "parts": navigation.parts(config.nav),
            "chapters": navigation.chapters(config.nav, tutorials),
        }
        if not self.serving:
            self.executed = run(tutorials, Cache(cache), progress=sys.stderr)
            return Book(self.executed, **said)
        if self.background is None:
            handle, name = tempfile.mkstemp(prefix="labkit-")
            os.close(handle)
            self.signal = Path(name)
            self.background = Scheduler(cache, on_change=self.signal.touch, log=log)
        now = self.background
        now.update(tutorials)
        self.executed = now.notebooks
        return Book(self.executed, now.states, now.messages, **said)

    def _remember(self, cache: Path, linked: list[str], config: MkDocsConfig) -> None:
        """Let this build take over from the last one what has not changed since."""
        known = [settings(config), str(self.book.parts), str(self.book.chapters), str(self.hasty)]
        known.append(self.marks.facts)
        base = digest(machine(), [*linked, *known])
        mkdocstrings: Any = config.plugins.get("mkdocstrings")
        reference = None
        if mkdocstrings is not None and mkdocstrings.plugin_enabled:
            reference = Reference(mkdocstrings, config)
            config.extra_css.remove(mkdocstrings.css_filename)  # main.html adds it where needed
            keep_compiled(reference.env, cache)
        self.memory = Memory(
            Folder(cache / "pages"),
            base,
            self._render,
            autorefs=config.plugins.get("autorefs"),
            reference=reference,
            asked=self.book.asked,
            facts=lambda name: self.facts.get(name, ""),
        )
        if "material/search" in config.plugins:
            plugin: Any = config.plugins["material/search"]
            search.remember(plugin.search_index, Folder(cache / "search"), base)

    def _make(self, page: Page, config: MkDocsConfig, files: Files) -> None:
        """Render a page or take it over; while serving, an error stands in its place."""
        try:
            self.memory.render(page, config, files)
        except BuildError as error:
            page.content = self._fail(page, str(error))
            page.toc, page.present_anchor_ids = TableOfContents([]), None

    def _render(self, page: Page, config: MkDocsConfig, files: Files) -> None:
        """Render a page; stop at what could not be embedded."""
        assert self.embed.context is not None  # set by on_pre_page
        place = os.path.relpath(self.source, Path(config.config_file_path).parent)
        chapters = self.book.chapters.items()  # each says how long its tutorial runs
        self.book.asked.update(name for name, uri in chapters if uri == page.file.src_uri)
        try:
            Page.render(page, config, files)
        except BuildError:
            raise
        except Exception as error:  # of an extension; without its name nobody finds the page
            raise PluginError(f"{place}: {type(error).__name__}: {error}") from error
        if errors := [*self.embed.context.errors, *self.math.errors, *self.marks.errors]:
            raise PluginError(report(place, self.source.read_text("utf-8-sig"), errors))

    def _fail(self, page: Page, message: str) -> str:
        """Stop the build; while serving, say what is wrong in the page alone."""
        if not self.serving:
            raise PluginError(message)
        log.error(message)
        return serving.box(message)

    def _opened(self, address: str) -> None:
        """Run next what a reader waits for."""
        running = (n for n in self.shown.get(address, ()) if self.book.states.get(n) == "running")
        if self.background is not None and (name := next(running, None)):
            self.background.prefer(name)
