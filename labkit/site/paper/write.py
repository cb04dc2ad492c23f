"""PDF and EPUB, both from the same build, without a network.

Chromium prints the PDF: it draws the book's figures and formulas as readers see them on the site.
It does not know page numbers until it has printed, so it prints twice: the first time to learn
them, the second with the contents filled in. Pandoc makes the EPUB.
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from xml.dom import minidom

from labkit.site.core.whole import whole

from .compose import Page, compose

STYLE = Path(__file__).with_name("paper.css")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
FOOTER = (
    '<div style="width: 100%; text-align: center; font: 8px sans-serif; color: #57606a">'
    '<span class="pageNumber"></span></div>'
)


class PaperError(Exception):
    """The book cannot be made; the message says what is missing, or what to do."""


@dataclass(frozen=True)
class About:
    """What the book says of itself.

    Attributes:
        title: Its title.
        author: Who wrote it, or an empty string.
        address: The published site's address, or an empty string.
        language: Its language, such as `en`.
        rights: Its license in a sentence, or an empty string.
    """

    title: str
    author: str = ""
    address: str = ""
    language: str = "en"
    rights: str = ""


def document(about: About, pages: Sequence[Page], site: Path, numbers: Mapping[str, int]) -> str:
    """Return the whole book as HTML.

    Args:
        about: What the site says of itself.
        pages: The pages in order.
        site: The folder of the built site.
        numbers: The page number of each page's slug, for the contents; may be empty.
    """
    body = compose(pages, site, address=about.address)
    style = STYLE.read_text("utf-8")
    title, language = escape(about.title), escape(about.language)
    head = f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
    head += f"<title>{title}</title><style>{style}</style></head>"
    return (
        f"{head}<body><h1 class='title'>{title}</h1>{_contents(pages, numbers)}{body}</body></html>"
    )


def _contents(pages: Sequence[Page], numbers: Mapping[str, int]) -> str:
    lines, part = ["<h2>Contents</h2><ul class='contents'>"], ""
    for page in pages:
        if page.part != part:
            part = page.part
            lines.append(f"<li class='part'>{escape(part)}</li>")
        number = numbers.get(page.slug, "")
        link = f'<a href="#{page.slug}">{escape(page.title)}</a>'
        lines.append(f"<li class='page'>{link}<span class='number'>{number}</span></li>")
    return "".join([*lines, "</ul>"])


def pdf(about: About, pages: Sequence[Page], site: Path, target: Path) -> dict[str, int]:
    """Print the book; return the number of the page on which each page of the site begins.

    Raises:
        PaperError: There is no Chromium.
    """
    from playwright.sync_api import sync_playwright
    from pypdf import PdfReader

    browser_path = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser_path is None:
        raise PaperError(f"Expected a browser on PATH: {' or '.join(BROWSERS)}. Install Chromium.")
    numbers: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="labkit-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=list(FLAGS))
        source, printed = Path(folder, "book.html"), Path(folder, "book.pdf")
        for _ in range(2):
            source.write_text(document(about, pages, site, numbers), "utf-8")
            tab = browser.new_page()
            tab.goto(source.as_uri(), wait_until="load")
            tab.pdf(
                path=str(printed), prefer_css_page_size=True, print_background=True, outline=True,
                tagged=True, display_header_footer=True, header_template="<span></span>",
                footer_template=FOOTER,
            )  # fmt: skip
            tab.close()
            numbers = _numbers(PdfReader(printed), pages)
        browser.close()
        with whole(target) as file:  # also on another disk
            shutil.copyfile(printed, file)
    return numbers


def _numbers(reader: Any, pages: Sequence[Page]) -> dict[str, int]:
    """Return the number of the printed page on which each page of the site begins."""
    found = {}
    for page in pages:
        destination = reader.named_destinations.get(f"/{page.slug}")
        if destination is not None:
            found[page.slug] = reader.get_destination_page_number(destination) + 1
    return found


def epub(about: About, pages: Sequence[Page], site: Path, target: Path) -> None:
    """Make an EPUB 3.

    Args:
        about: What the book says of itself.
        pages: The pages in order.
        site: The folder of the built site, whose drawings are made strict.
        target: The file to write.

    Raises:
        PaperError: Pandoc has refused the document.
    """
    import pypandoc

    with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
        made = Path(folder, "book.epub")
        for drawing in site.rglob("*.svg"):
            drawing.write_text(strict(drawing.read_text("utf-8")), "utf-8")
        body = compose(pages, site, address=about.address)
        arguments = [
            "--standalone", "--toc", "--toc-depth=2", "--split-level=2", "--mathml",
            f"--css={STYLE}", f"--metadata=title:{about.title}",
            f"--metadata=lang:{about.language}", f"--metadata=rights:{about.rights}",
            f"--metadata=author:{about.author}",
        ]  # fmt: skip
        try:
            pypandoc.convert_text(
                body, "epub3", format="html", outputfile=str(made), extra_args=arguments
            )
        except RuntimeError as error:
            raise PaperError(f"Pandoc cannot make the EPUB: {error}") from None
        with whole(target) as file:
            shutil.copyfile(made, file)


def strict(svg: str) -> str:
    """Return a drawing without what the EPUB standard forbids and Matplotlib writes.

    That is the reference to SVG's document type, the letter without an outline (a blank), and
    the same id for each of several equal images.
    """
    root = minidom.parseString(svg).documentElement
    assert root is not None  # what has been parsed has a root
    for path in root.getElementsByTagName("path"):
        if not path.hasAttribute("d"):
            path.setAttribute("d", "M0 0")
    seen = set[str]()
    for image in root.getElementsByTagName("image"):
        if image.getAttribute("id") in seen:
            image.removeAttribute("id")
        seen.add(image.getAttribute("id"))
    return root.toxml()
