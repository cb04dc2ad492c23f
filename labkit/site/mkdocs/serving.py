"""The server of `mkdocs serve`: a build that fails shows in the browser, and mends itself.

MkDocs leaves the browser waiting after such a build. Here it counts as built: every page then
shows what is wrong, until an edit has mended it.
"""

import html
import logging
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mkdocs.livereload import LiveReloadServer

from . import upstream

PAGE = "build-error.html"
_TEMPLATE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>The site could not be built</title>
<style>body{{margin:3rem auto;max-width:60rem;padding:0 1rem;font:1rem/1.5 system-ui}}
pre{{padding:1rem;border-left:.25rem solid #b3261e;background:#b3261e14;white-space:pre-wrap}}
:root{{color-scheme:light dark}}</style></head>
<body><h1>The site could not be built</h1><pre>{message}</pre>
<p>When the error is mended, this page comes back by itself.</p></body>
</html>
"""
_log = logging.getLogger("mkdocs.plugins.labkit")


def box(message: str) -> str:
    """Return what stands in the place of a page that could not be made."""
    reason = html.escape(message, quote=False)
    return (
        '<h1>This page could not be made</h1><div class="admonition failure">'
        '<p class="admonition-title">When this is mended, the page comes back by itself</p>'
        f'<pre class="lab-output lab-error">{reason}</pre></div>'
    )


def modules(folder: Path) -> list[Path]:
    """Return the modules of a folder; an editor's own files begin with a dot."""
    return sorted(path for path in folder.rglob("*.py") if not path.name.startswith("."))


def watch(server: LiveReloadServer, signal: Path | None, folders: Iterable[Path]) -> None:
    """Let a server build again when a source has changed, or when a file is touched.

    Folders are watched one by one: Python writes its bytecode below them.
    """
    if signal is not None:
        server.watch(str(signal))
    for parent in sorted({source.parent for folder in folders for source in modules(folder)}):
        server.watch(str(parent), recursive=False)


def attach(server: LiveReloadServer, opened: Callable[[str], None]) -> None:
    """Let a server survive builds that fail, and tell which pages are opened.

    Args:
        server: MkDocs's server, before it starts.
        opened: Called with the address of each page that a reader opens, below the site's root.
    """
    build, answer = server.builder, server.get_app()
    assert answer is not None  # the server has set it
    error = Path(server.root, PAGE)

    def rebuild() -> None:
        with upstream.heard(logging.ERROR) as messages:
            try:
                build()
            except (Exception, SystemExit) as failure:
                if not messages:
                    _log.error(_described(failure))
                message = html.escape("\n\n".join(messages))
                error.parent.mkdir(parents=True, exist_ok=True)
                error.write_text(_TEMPLATE.format(message=message), "utf-8")

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        if path.endswith(("/", ".html")):
            opened(path.removeprefix(server.mount_path))
            if error.exists():  # a build empties the folder before it starts
                environ = {**environ, "PATH_INFO": server.mount_path + PAGE}
        return answer(environ, start_response)

    server.builder = rebuild
    server.set_app(application)


def _described(error: BaseException) -> str:
    """Return an error that nobody expected, with the file and line where it was raised."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({frame.filename}:{frame.lineno})"
