"""Fixtures that several folders of tests share: the built site and the browser's path."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# A shell in which the tests run behind (`uv run pytest &`) lets all that they start ignore Ctrl-C.
# Some tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return Chromium's path; without one, skip here and fail where CI is set."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        wanted = f"Expected a browser on PATH: {' or '.join(names)}. Install Chromium."
        if os.environ.get("CI"):
            pytest.fail(wanted)
        pytest.skip(wanted)
    return path


def build(folder: Path, **settings: str) -> Path:
    """Build the real site strictly, with some environment variables; return its folder."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the real site, built once for all tests."""
    return build(tmp_path_factory.mktemp("build") / "site")


@pytest.fixture(scope="session")
def published(site: Path) -> Path:
    """Return the folder of the site as it is published; `site` has run its tutorials."""
    settings = {
        "REPO_URL": "https://github.com/example/deep-learning-lab",
        "SITE_URL": "https://example.github.io/deep-learning-lab/",
    }
    return build(site.with_name("published"), **settings)
