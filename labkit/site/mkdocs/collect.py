"""Builds the site for another medium than the browser, and keeps each page's content."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bs4 import BeautifulSoup
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort, ConfigurationError
from mkdocs.plugins import BasePlugin
from mkdocs.structure.files import Files
from mkdocs.structure.nav import Navigation

from labkit.site.paper.compose import Page
from labkit.site.paper.write import About, PaperError

# Tutorials and reference are read beside a program; a reader's place is kept in a browser.
APART = ("tutorials/", "reference/", "place")


class Options(Config):  # type: ignore[no-untyped-call]  # of MkDocs
    """The plugin has none."""


class Collector(BasePlugin[Options]):  # type: ignore[no-untyped-call]  # of MkDocs
    """Remembers the navigation, whose pages have their content when the site is built."""

    def on_nav(self, nav: Navigation, *, config: MkDocsConfig, files: Files) -> None:
        """Keep it.

        See [on_nav](https://www.mkdocs.org/dev-guide/plugins/#on_nav).
        """
        self.nav = nav

    def pages(self) -> list[Page]:
        """Return the pages of the book in its order."""
        found = []
        for page in self.nav.pages:
            if not page.file.src_uri.startswith(APART):
                part = next((str(section.title) for section in page.ancestors), "")
                url = page.url.removesuffix("index.html")
                found.append(Page(url, str(page.title), part, page.content or ""))
        return found


@contextmanager
def built(config_file: Path) -> Iterator[tuple[About, list[Page], Path]]:
    """Build the site strictly, into a folder that is removed at the end.

    Args:
        config_file: The site's mkdocs.yml.

    Yields:
        What the site says of itself, its pages in the order of the book, and its folder.

    Raises:
        PaperError: The build has failed.
    """
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
        try:
            config = load_config(str(config_file), site_dir=folder, strict=True)
            collector = config.plugins["collector"] = Collector()
            config.plugins.on_startup(command="build", dirty=False)
            try:
                build(config)
            finally:
                config.plugins.on_shutdown()
        except (Abort, ConfigurationError) as error:
            raise PaperError(f"The site cannot be built. {error}".strip()) from None
        about = About(
            title=config.site_name,
            author=config.site_author or "",
            address=config.site_url or "",
            language=str(config.theme.locale),
            rights=BeautifulSoup(config.copyright or "", "html.parser").text,
        )
        yield about, collector.pages(), Path(folder)
