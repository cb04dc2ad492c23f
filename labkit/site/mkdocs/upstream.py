"""What this folder uses of other packages without their promise that it stays.

Each name stands here and nowhere else, with the reason; test_upstream.py says when an upgrade
has moved one.
"""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mkdocs_jupyter.config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.pages import Page

JUPYTER_LOGGER = "mkdocs.mkdocs-jupyter"


def check_braces(config: MkDocsConfig) -> None:
    """Let mkdocs-macros leave our braces alone.

    Raises:
        PluginError: It would take them for its own.
    """
    macros = config.plugins.get("macros")
    if macros is not None and not macros.config.get("j2_variable_start_string"):
        raise PluginError(
            "mkdocs-macros reads {{ … }}, too, and runs first. Give its variables other braces "
            "in mkdocs.yml, for instance macros: {j2_variable_start_string: '[[', "
            "j2_variable_end_string: ']]'}."
        )


def adapt_theme(config: MkDocsConfig) -> None:
    """Turn off what Material cannot do without the site's address, or asks a third party for."""
    if not config.site_url and "navigation.instant" in config.theme["features"]:
        config.theme["features"].remove("navigation.instant")
    offline: Any = config.plugins.get("material/offline")
    if offline is not None and offline.config.enabled:
        config.extra["polyfills"] = ["assets/js/iframe-worker.js"]


def use_templates(folder: Path) -> None:
    """Let mkdocs-jupyter convert with other templates; it has no option for that.

    Its line for each conversion is of no use to an author, and is silenced.
    """
    mkdocs_jupyter.config.settings.templates_dir = str(folder)
    logging.getLogger(JUPYTER_LOGGER).setLevel(logging.WARNING)


def refuse_missing_snippets(config: MkDocsConfig) -> None:
    """Let a snippet that does not exist be an error; as it comes, it would be left out silently."""
    if "pymdownx.snippets" in config.markdown_extensions:
        config.mdx_configs.setdefault("pymdownx.snippets", {}).setdefault("check_paths", True)


@contextlib.contextmanager
def heard(level: int) -> Iterator[list[str]]:
    """Collect what MkDocs and its plugins log, from a level on; plugins log below its name."""
    messages: list[str] = []
    handler = logging.Handler(level)
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger("mkdocs")
    log.addHandler(handler)
    try:
        yield messages
    finally:
        log.removeHandler(handler)


def take_render(page: Page) -> Any:
    """Take off a page the function that mkdocs-jupyter has put there; None if there is none."""
    return vars(page).pop("render", None)


def put_render(page: Page, render: Any) -> None:
    """Let a page be rendered by another function, as mkdocs-jupyter does."""
    vars(page)["render"] = render


def title(page: Page) -> str | None:
    """Return the title that rendering has found; `page.title` may be that of the navigation."""
    return page._title_from_render


def set_title(page: Page, found: str | None) -> None:
    """Set what rendering would have found."""
    page._title_from_render = found
