"""What several of the browser's tests share: two pages, scrolling, and the checkers of Node."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page

CHAPTER = "foundations/neurons/"
TUTORIAL = "tutorials/foundations/neurons/"
TOOLS = Path(__file__).parent / "node_modules"


def tool(name: str) -> Path:
    """Return a checker of package.json; without it, skip here and fail where CI is set."""
    path = TOOLS / name
    if not path.exists():
        wanted = f"Expected {name} in {TOOLS.parent.name}. Run: npm install --prefix tests/browser"
        if os.environ.get("CI"):
            pytest.fail(wanted)
        pytest.skip(wanted)
    return path


def settle(page: Page) -> None:
    """Scroll through the page, so that all that loads late is there."""
    page.evaluate(
        """async () => {
            for (let y = 0; y < document.body.scrollHeight; y += 600) {
                scrollTo(0, y);
                await new Promise(done => setTimeout(done, 10));
            }
            scrollTo(0, 0);
        }"""
    )
    page.wait_for_load_state("networkidle")
