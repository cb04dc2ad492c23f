"""Every page of the real site, visited once: requests, ids, links, widths, access."""

import gzip
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from .helpers import settle, tool

pytestmark = pytest.mark.slow
PHONE, WIDTHS = 390, [320, 768, 1280]
LIMIT = 30_000  # bytes of a page's HTML, as a host sends it
# Of each page, as the reader's browser has it.
FOUND = """() => ({
    ids: [...document.querySelectorAll("[id]")].map(element => element.id),
    links: [...document.querySelectorAll("a[href]")].map(link => link.href),
    unseen: [...document.querySelectorAll("article img")]
        .filter(image => image.checkVisibility() && !image.naturalWidth)
        .map(image => image.src),
    empty: [...document.querySelectorAll("*")]
        .filter(element => /^lab-/i.test(element.tagName) && !element.state)
        .map(element => element.outerHTML.slice(0, 80)),
})"""


def addresses(site: Path) -> list[str]:
    """Return the address of each page, below the site's root."""
    paths = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    return [path.removesuffix("index.html") for path in paths]


class Visit:
    """A visit to each page, which collects what is wrong as `address: fault`."""

    def __init__(self, page: Page, server: str, site: Path) -> None:
        self.page, self.server, self.site = page, server, site
        self.address = ""
        self.faults: list[str] = []
        self.anchors: dict[str, set[str]] = {}
        self.links: list[tuple[str, str]] = []
        page.on("pageerror", lambda error: self.fault(f"script error: {error}"))
        page.on("console", lambda said: said.type == "error" and self.fault(f"says {said.text}"))
        page.on("requestfailed", lambda sent: self.fault(f"gets no answer from {sent.url}"))
        page.on("response", lambda got: got.status >= 400 and self.fault(f"misses {got.url}"))
        page.on("request", lambda sent: self.is_own(sent.url) or self.fault(f"asks {sent.url}"))

    def fault(self, text: str) -> None:
        """Keep a fault of the page that is open."""
        self.faults.append(f"{self.address or 'home'}: {text}")

    def is_own(self, url: str) -> bool:
        """Return whether a request stays on the site."""
        return url.startswith((self.server, "data:", "blob:"))

    def open(self, address: str) -> None:
        """Open a page on a phone, where what sticks out or shifts does so most."""
        self.address = address
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size({"width": PHONE, "height": 844})
        self.page.goto(self.server + address)
        settle(self.page)

    def read(self) -> None:
        """Check ids, figures and scripts; keep anchors and links until all pages are known."""
        found = self.page.evaluate(FOUND)
        ids = found["ids"]
        for name in sorted({name for name in ids if ids.count(name) > 1}):
            self.fault(f"has the id {name} {ids.count(name)} times")
        self.anchors[self.address] = set(ids)
        self.links += [(self.address, link) for link in dict.fromkeys(found["links"])]
        for element in found["empty"]:
            self.fault(f"has a figure that shows nothing: {element}")
        for source in found["unseen"]:
            self.fault(f"does not show {source}")

    def resize(self) -> None:
        """Check, from a narrow phone to a desk, that nothing sticks out and axe finds nothing."""
        self.page.evaluate(tool("axe-core/axe.min.js").read_text("utf-8"))
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.wait_for_timeout(100)  # for what the page itself does after a resize
            if self.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                self.fault(f"scrolls sideways at {width} pixels")
            if width == WIDTHS[0]:  # what stands between has one of the layouts at the two ends
                self.check(f"at {width} pixels", {})
            if width == WIDTHS[-1]:  # a second time, no width gives a text another color
                self.check(f"at {width} pixels", {"rules": {"color-contrast": {"enabled": False}}})
        self.page.emulate_media(color_scheme="dark")  # changes colors alone
        self.page.locator("body[data-md-color-scheme=slate]").wait_for()
        self.page.wait_for_timeout(300)  # Material fades some of them
        self.check("in the dark", {"runOnly": ["color-contrast"]})

    def check(self, when: str, options: dict[str, Any]) -> None:
        """Run axe-core."""
        # The report lists every element of the page; only what is wrong leaves the browser.
        script = "async options => (await axe.run(document, options)).violations"
        for violation in self.page.evaluate(script, {"resultTypes": ["violations"], **options}):
            nodes = [node["target"] for node in violation["nodes"][:3]]
            self.fault(f"breaks axe's rule {violation['id']} {when}: {nodes}")

    def follow(self) -> None:
        """Check that each link within the site leads to a file, and to an id in it."""
        for page, link in self.links:
            self.address = page
            if not link.startswith(self.server):
                continue
            address, fragment = urldefrag(link.removeprefix(self.server))
            address = unquote(urlsplit(address).path)
            name = f"{address}index.html" if address.endswith("/") or not address else address
            if not (self.site / name).is_file():
                self.fault(f"links to {address}, which is not there")
            elif fragment and unquote(fragment) not in self.anchors.get(address, ()):
                self.fault(f"links to {address}#{fragment}, where there is no such id")


def test_every_page(browser: Browser, server: str, site: Path) -> None:
    """No page errs, asks elsewhere, misleads, sticks out, or shuts a reader out, light or dark."""
    context = browser.new_context(reduced_motion="reduce")
    visit = Visit(context.new_page(), server, site)
    pages = addresses(site)
    assert len(pages) > 20
    for address in pages:
        visit.open(address)
        visit.read()
        visit.resize()
    visit.follow()
    context.close()
    assert sum(map(len, visit.anchors.values())) > 500
    assert len(visit.links) > 500
    assert not visit.faults, "\n".join(visit.faults)


def test_no_page_is_heavy(site: Path) -> None:
    """The HTML of each page is at most 30 KB as a host sends it."""
    sizes = {
        path.relative_to(site).as_posix(): len(gzip.compress(path.read_bytes()))
        for path in site.rglob("*.html")
    }
    assert "index.html" in sizes
    heavy = {name: size for name, size in sizes.items() if size > LIMIT}
    assert not heavy


def test_no_interactive_figure_is_heavy(site: Path) -> None:
    """The script of each is at most 10 KB as a host sends it."""
    scripts = sorted(site.glob("assets/js/lab*.js"))
    assert len(scripts) == 12
    assert max(len(gzip.compress(script.read_bytes())) for script in scripts) <= 10_000


def test_html_is_valid(site: Path) -> None:
    """Every page is valid HTML; htmlvalidate.json turns off two rules that no reader notices."""
    program = tool("html-validate/bin/html-validate.mjs")
    settings = Path(__file__).with_name("htmlvalidate.json")
    command = ["node", program, "--config", settings, "--formatter", "text", f"{site}/**/*.html"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[:6000]
