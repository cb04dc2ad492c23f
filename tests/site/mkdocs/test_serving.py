"""The server: what it shows when a build fails."""

import logging
from pathlib import Path
from typing import Any

import pytest
from mkdocs.exceptions import Abort
from mkdocs.livereload import LiveReloadServer

from labkit.site.mkdocs import serving


class Served:
    """A server that is asked for pages without a network."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.error: Exception | None = None
        self.said = ""  # what a build that fails has logged
        self.opened: list[str] = []
        (root / "a").mkdir()
        self.server = LiveReloadServer(self.build, "127.0.0.1", 0, str(root), mount_path="/base/")
        self.server.watch(str(root))
        serving.attach(self.server, self.opened.append)

    def build(self) -> None:
        """Build a page in an empty folder, or fail."""
        for path in self.root.rglob("*.html"):
            path.unlink()
        if self.error:
            if self.said:
                logging.getLogger("mkdocs.plugins.x").error(self.said)
            raise self.error
        (self.root / "a" / "index.html").write_text("<body>The page</body>")

    def get(self, path: str) -> str:
        """Return what a browser gets."""
        said: list[Any] = []
        answer = self.server.get_app()
        assert answer is not None
        body = answer({"PATH_INFO": path}, lambda *status: said.append(status))
        return b"".join(body).decode()


@pytest.fixture
def served(tmp_path: Path) -> Any:
    """Return a server with one page."""
    made = Served(tmp_path)
    yield made
    made.server.server_close()


def test_a_failed_build_shows_in_every_page_and_mends_itself(served: Served) -> None:
    """With the messages that MkDocs has logged, and the script that reloads the page."""
    served.server.builder()
    assert "The page" in served.get("/base/a/")

    served.said = "docs/a.md:3: <b> is wrong"
    served.error = Abort("Aborted with a BuildError!")
    served.server.builder()
    page = served.get("/base/a/")
    assert "docs/a.md:3: &lt;b&gt; is wrong" in page
    assert "livereload(" in page
    served.error = None
    served.server.builder()
    assert "The page" in served.get("/base/a/")


def test_an_unexpected_error_names_its_place(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, with file and line, and the server goes on."""
    served.error = KeyError("x")
    served.server.builder()
    assert f"KeyError: 'x' ({__file__}:" in caplog.text
    assert "KeyError" in served.get("/base/a/")
    served.error = None
    served.server.builder()
    assert "The page" in served.get("/base/a/")


def test_the_reader_is_told_of(served: Served) -> None:
    """Pages are, by their address below the site's root; other files are not."""
    served.server.builder()
    for path in ("/base/a/", "/base/style.css", "/base/404.html", "/base/"):
        served.get(path)
    assert served.opened == ["a/", "404.html", ""]
