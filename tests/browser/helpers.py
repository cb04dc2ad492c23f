"""What the browser's tests share: pages, figures on a stage, scrolling, the checkers of Node."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

CHAPTER = "foundations/neurons/"
TUTORIAL = "tutorials/foundations/neurons/"
TOOLS = Path(__file__).parent / "node_modules"
SCRIPTS = Path(__file__).parents[2] / "docs" / "assets" / "js"
COLORS = {
    "blue": "#0b6bcb",
    "orange": "#c2410c",
    "green": "#0f7b55",
    "purple": "#8b3fc7",
    "grey": "#57606a",
}
STYLE = (
    "body { margin: 0 8px; --md-default-fg-color: #000d; --md-default-bg-color: #fff;"
    + "".join(f"--lab-{name}: {value};" for name, value in COLORS.items())
    + "}"
)
Stage = Callable[..., Locator]
PAGE = "http://localhost/"


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
                // An image is asked for when a frame is drawn, and a busy machine draws few.
                await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
            }
            scrollTo(0, 0);
            const late = () => [...document.querySelectorAll("article img")]
                .some(image => image.checkVisibility() && !image.naturalWidth);
            for (let tries = 0; late() && tries < 50; tries += 1) { // at most 5 s
                await new Promise(done => setTimeout(done, 100));
            }
        }"""
    )
    page.wait_for_load_state("networkidle")


def state(element: Locator) -> dict[str, Any]:
    """Return the numbers that the element shows, at full precision."""
    return dict(element.evaluate("element => element.state"))


def slide(element: Locator, name: str, value: float) -> None:
    """Set one of the element's sliders, as a reader's drag does."""
    element.get_by_role("slider", name=name, exact=True).fill(str(value))


def address(page: Page) -> str:
    """Return the fragment of a page's address once it has come to rest."""
    page.wait_for_timeout(500)
    return str(page.evaluate("location.hash"))
