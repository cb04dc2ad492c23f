"""One HTML document from all pages of the book, with every link inside it.

The pages are what MkDocs rendered, without the theme around them. Another medium needs some of it
in another form: ids are made unique by their page, links between pages lead within the document,
images are read from the site's folder, folded text is open, and an interactive figure is the
sentence that stands in for it.
"""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

# What only a screen can use; beside the map stands the list that says the same.
_SCREEN = (
    "script, style, button, template, .headerlink, .lab-dark, .lab-screen, .lab-map svg, "
    ".tabbed-set > input"
)
_REFERRING = ("for", "aria-labelledby", "aria-describedby", "headers")


@dataclass(frozen=True)
class Page:
    """One page of the site.

    Attributes:
        url: Its address on the site: `foundations/neurons/`.
        title: Its title.
        part: The part of the book that it belongs to, or nothing.
        content: Its HTML, without the theme's.
    """

    url: str
    title: str
    part: str
    content: str

    @property
    def slug(self) -> str:
        """Its id in the document."""
        return self.url.strip("/").replace("/", "-").removesuffix(".html") or "home"


def compose(pages: Sequence[Page], site: Path, *, address: str = "") -> str:
    """Return the body of the document: each part's title, and below it the pages.

    Args:
        pages: The pages, in the order of the book.
        site: The folder of the built site, which holds the images.
        address: The site's address, for links to what is not in the book; without one they
            become plain text.
    """
    by_url = {page.url: page for page in pages}
    parts = []
    part = ""
    for page in pages:
        if page.part != part:
            part = page.part
            name = part.lower().replace(" ", "-")  # not what a page's section may be called
            parts.append(f'<h1 class="part" id="part--{name}">{escape(part)}</h1>')
        soup = _page(page, by_url, site, address)
        parts.append(f'<section class="page" id="{page.slug}">{soup}</section>')
    return "\n".join(parts)


def _page(page: Page, by_url: dict[str, Page], site: Path, address: str) -> BeautifulSoup:
    """Return a page as it stands in the document."""
    soup = BeautifulSoup(page.content, "html.parser")
    for element in soup.select(_SCREEN):
        element.decompose()
    _rename(soup, page)
    for link in soup.select("a[href]"):
        _turn(link, page, by_url, address)
    for image in soup.select("img[src]"):
        target = _resolved(page, str(image["src"]))
        if target is not None:
            image["src"] = (site / target).absolute().as_uri()
        del image["loading"]
    for folded in soup.select("details"):
        folded["open"] = ""
    for element in soup.find_all(lambda tag: tag.name.startswith("lab-")):
        element.name = "div"
        element.attrs = {"class": "lab-words"}
    _anchor(soup)
    for level in range(5, 0, -1):  # below the part's title
        for heading in soup.find_all(f"h{level}"):
            heading.name = f"h{level + 1}"
    return soup


def _anchor(soup: BeautifulSoup) -> None:
    """Move ids of terms and equations, which Pandoc would drop, to elements of their own."""
    for term in soup.select("dt[id]"):
        anchor = soup.new_tag("span", id=str(term["id"]))
        anchor.extend(list(term.contents))
        term.append(anchor)
        del term["id"]
    for numbered in soup.select("math [id]"):
        formula = numbered.find_parent("math")
        assert formula is not None  # by the selector
        formula.insert_before(soup.new_tag("span", id=str(numbered["id"])))
        del numbered["id"]


def _rename(soup: BeautifulSoup, page: Page) -> None:
    """Make the ids of a page unique in the document."""
    for element in soup.select("[id]"):
        element["id"] = f"{page.slug}--{element['id']}"
    for attribute in _REFERRING:
        for element in soup.select(f"[{attribute}]"):
            names = element[attribute]
            words = names if isinstance(names, list) else str(names).split()
            element[attribute] = " ".join(f"{page.slug}--{name}" for name in words)


def _turn(link: Tag, page: Page, by_url: dict[str, Page], address: str) -> None:
    """Let a link lead within the document, to the site, or nowhere."""
    href = str(link["href"])
    target = _resolved(page, href)
    if target is None:
        return
    fragment = urlsplit(href).fragment
    other = by_url.get(target)
    if other is not None:
        link["href"] = f"#{other.slug}--{fragment}" if fragment else f"#{other.slug}"
    elif address:
        link["href"] = address.rstrip("/") + "/" + target + (f"#{fragment}" if fragment else "")
    else:
        del link["href"]
    del link["download"]


def _resolved(page: Page, address: str) -> str | None:
    """Return an address of the site relative to its root; None for one of another site."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    if not parts.path:
        return page.url
    path = posixpath.normpath(posixpath.join("/", page.url, unquote(parts.path))).lstrip("/")
    path = path.removesuffix("index.html")
    is_folder = parts.path.endswith(("/", "index.html", ".", ".."))
    return f"{path.rstrip('/')}/" if is_folder and path else path
