"""How soon a page can be read: what must arrive first, what moves, and Lighthouse's audits.

Times depend on what else the machine does. So they are compared with those of a plain Material
page in the same run, and all else is counted.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from .conftest import serving
from .helpers import CHAPTER, TUTORIAL, settle, tool

pytestmark = pytest.mark.slow
PAGES = pytest.mark.parametrize(
    "address", ["", CHAPTER, TUTORIAL], ids=["home", "chapter", "tutorial"]
)
# Not deferred: Material's own script ends each page, and search.js must run before it.
BLOCKING = {"search.js", "bundle.js"}
BEFORE_PAINT = """() => performance.getEntries()
    .filter(entry => entry.entryType === "navigation" || entry.renderBlockingStatus === "blocking")
    .map(entry => [entry.name, entry.encodedBodySize])"""
SCRIPTS = """() => [...document.scripts]
    .filter(script => script.src && !script.defer && !script.async && script.type !== "module")
    .map(script => script.src.split("/").pop().replace(/\\.[0-9a-f]+\\.min/, ""))"""
SHIFTS = """window.shift = 0;
new PerformanceObserver(list => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({type: "layout-shift", buffered: true});"""


@PAGES
def test_little_must_arrive_before_the_first_paint(page: Page, address: str) -> None:
    """At most four files and 75 KB hold up the text; only known scripts are not deferred."""
    page.goto(address)
    blocking = page.evaluate(BEFORE_PAINT)
    assert len(blocking) > 1
    assert len(blocking) <= 4, blocking
    assert sum(size for _, size in blocking) <= 75_000, blocking
    assert set(page.evaluate(SCRIPTS)) == BLOCKING


@PAGES
def test_a_page_weighs_little(browser: Browser, server: str, address: str) -> None:
    """What a page fetches until the reader scrolls is at most 150 KB, its tree 6,000 elements."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, base_url=server)
    page = context.new_page()
    sizes: list[int] = []
    page.on("requestfinished", lambda sent: sizes.append(sent.sizes()["responseBodySize"]))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    assert len(sizes) > 4
    assert sum(sizes) <= 150 * 1024
    assert page.evaluate("document.querySelectorAll('*').length") <= 6000
    context.close()


def test_layout_does_not_shift(page: Page) -> None:
    """While a chapter and its interactive figures load, nothing jumps."""
    page.add_init_script(SHIFTS)
    for address in [CHAPTER, "foundations/loss/", "architectures/cnn/", TUTORIAL]:
        for width in [390, 1280]:
            page.set_viewport_size({"width": width, "height": 844})
            page.goto(address)
            settle(page)
            assert page.evaluate("window.shift") < 0.05, (address, width)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a page of plain Material with the text of a chapter."""
    folder = tmp_path_factory.mktemp("plain")
    chapter = Path(__file__).parents[2] / "docs" / f"{CHAPTER.rstrip('/')}.md"
    text = chapter.read_text("utf-8")
    (folder / "docs").mkdir()
    (folder / "docs" / "index.md").write_text(text, "utf-8")
    settings = "site_name: Plain\nsite_description: A page.\ntheme: {name: material, font: false}\n"
    (folder / "mkdocs.yml").write_text(settings, "utf-8")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    with serving(folder / "site") as address:
        yield address


def lighthouse(address: str, chromium: str, folder: Path) -> dict[str, Any]:
    """Return Lighthouse's report on a page, on its model of a phone."""
    report = folder / "report.json"
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run"
    done = subprocess.run(
        [
            *("node", tool("lighthouse/cli/index.js"), address, "--quiet", "--output=json"),
            *(f"--output-path={report}", f"--chrome-flags={flags}"),
            "--only-categories=performance,accessibility,best-practices,seo",
        ],
        env={**os.environ, "CHROME_PATH": chromium},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(report.read_text("utf-8")))


def scores(report: dict[str, Any]) -> dict[str, float]:
    """Return the score of each category."""
    return {name: part["score"] for name, part in report["categories"].items()}


@PAGES
def test_lighthouse_finds_nothing(server: str, chromium: str, tmp_path: Path, address: str) -> None:
    """Accessibility, best practices and SEO score 100."""
    report = lighthouse(server + address, chromium, tmp_path)
    failed = [
        name
        for name, audit in report["audits"].items()
        if audit["score"] is not None and audit["score"] < 1
    ]
    found = scores(report)
    for name in ["accessibility", "best-practices", "seo"]:
        assert found[name] == 1, (name, failed)


@pytest.mark.nightly  # six audits; and only a machine that does nothing else compares well
def test_a_chapter_is_as_fast_as_a_plain_page(
    server: str, plain: str, chromium: str, tmp_path: Path
) -> None:
    """With figures, formulas and an interactive figure it scores what Material's text does."""
    for _ in range(3):  # a moment's load may hit one of the two
        ours = scores(lighthouse(server + CHAPTER, chromium, tmp_path))["performance"]
        theirs = scores(lighthouse(plain, chromium, tmp_path))["performance"]
        if ours >= theirs - 0.02:
            return
    pytest.fail(f"The chapter scores {ours}, a plain page {theirs}.")
