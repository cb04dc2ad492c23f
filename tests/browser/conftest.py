"""A server, a browser, and a page that fails its test on any error or outside request."""

import functools
import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from . import marked
from .helpers import PAGE, SCRIPTS, STYLE, Stage

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

COMPRESSED = {".css", ".html", ".js", ".json", ".svg", ".txt", ".xml"}


class Handler(SimpleHTTPRequestHandler):
    """Serve a folder as a host would: with the site's security policy and its own 404 page."""

    def end_headers(self) -> None:
        """Add the lines that the built site asks its host for."""
        for line in self.policy().splitlines():
            name, _, value = line.strip().partition(": ")
            if value:
                self.send_header(name, value)
        super().end_headers()

    def do_GET(self) -> None:
        """Send text compressed, as hosts do."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() and self.path.endswith("/") else path
        packs = "gzip" in self.headers.get("Accept-Encoding", "")
        if not packs or path.suffix not in COMPRESSED or not path.is_file():
            super().do_GET()
            return
        content = gzip.compress(path.read_bytes())
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "max-age=31536000")
        self.end_headers()
        self.wfile.write(content)

    def policy(self) -> str:
        """Return the file `_headers` of the site."""
        found = sorted(Path(self.directory).rglob("_headers"))
        return found[0].read_text("utf-8") if found else ""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with the site's page for what is not there."""
        missing = Path(self.directory, "404.html")
        if code != 404 or not missing.exists():
            super().send_error(code, message, explain)
            return
        self.send_response(404)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(missing.read_bytes())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port; give its address, with a slash at the end."""
    handler = functools.partial(Handler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}/"
        httpd.shutdown()


@pytest.fixture(scope="session")
def server(site: Path) -> Iterator[str]:
    """Serve the built site."""
    with serving(site) as address:
        yield address


@pytest.fixture(scope="session")
def marked_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a small book with every mark of an author."""
    root = tmp_path_factory.mktemp("marked") / "book"
    marked.write(root)
    return root


@pytest.fixture(scope="session")
def marked_server(marked_book: Path) -> Iterator[str]:
    """Serve the small book, built for its address, so that links change the page in place."""
    with serving(marked_book / "site") as address:
        marked.build(marked_book, "site", SITE_URL=address)
        yield address


@pytest.fixture(scope="session")
def marked_folder(marked_book: Path, marked_server: str) -> str:
    """Return the address of the small book as files, built after the served one has run it."""
    return f"{marked.build(marked_book, 'folder', OFFLINE='true').as_uri()}/"


@pytest.fixture
def below(site: Path, tmp_path: Path) -> Iterator[str]:
    """Serve the built site below a host's root, as GitHub Pages does."""
    (tmp_path / "book").symlink_to(site)
    with serving(tmp_path) as address:
        yield f"{address}book/"


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Start a headless Chromium for a file of tests.

    Not for all of them: while it runs, Playwright's event loop does, and other tests start loops.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(request: pytest.FixtureRequest, browser: Browser, server: str) -> Iterator[Page]:
    """Open a page, in the light scheme unless a test asks for "dark".

    A script error or a request to another host fails the test.
    """
    faults: list[str] = []
    context = browser.new_context(
        color_scheme=getattr(request, "param", "light"),
        base_url=server,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
    page.on(
        "console",
        lambda message: (
            faults.append(f"console: {message.text}") if message.type == "error" else None
        ),
    )
    page.on(
        "request",
        lambda sent: (
            None
            if sent.url.startswith((server, "data:", "blob:"))
            else faults.append(f"outside request: {sent.url}")
        ),
    )
    yield page
    context.close()
    assert not faults, faults


@pytest.fixture
def stage(browser: Browser) -> Iterator[Stage]:
    """Put one element on an empty page; a script error fails the test."""
    faults: list[str] = []
    context = browser.new_context(
        viewport={"width": 320, "height": 900},
        reduced_motion="reduce",
        permissions=["clipboard-read", "clipboard-write"],
    )
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda sent: sent.url.startswith(PAGE) or faults.append(sent.url))
    page.route(f"{PAGE}**", lambda route: route.fulfill(body="", content_type="text/html"))

    def show(html: str, data: dict[str, Any] | None = None, link: str = "") -> Locator:
        tag = html[1:].partition(">")[0].partition(" ")[0]
        page.goto("about:blank")  # or another fragment alone would leave the scripts there
        page.goto(PAGE + link)
        page.set_content(f'<body data-md-color-scheme="default">{html}</body>')
        page.add_style_tag(content=STYLE)
        page.add_script_tag(path=SCRIPTS / "lab.js")
        page.evaluate("given => Object.assign(Lab.data, given)", data or {})
        page.add_script_tag(path=SCRIPTS / f"{tag}.js")
        return page.locator(tag)

    yield show
    context.close()
    assert not faults, faults
