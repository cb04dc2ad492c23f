"""The real site, page by page, as files: links, ids, headings, images, weight."""

import ast
import gzip
import html
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

pytestmark = pytest.mark.slow
ROOT = "http://site/"  # a made-up host, to resolve relative addresses against
RESOURCES = {
    "script": "src",
    "img": "src",
    "link": "href",
    "source": "src",
    "iframe": "src",
}


@dataclass
class Document(HTMLParser):
    """What the tests ask of a page."""

    address: str
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)
    images: list[dict[str, str | None]] = field(default_factory=list)
    styled: list[str] = field(default_factory=list)
    titles: int = 0
    descriptions: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag says."""
        given = dict(attrs)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        loads = tag != "link" or given.get("rel") in ("stylesheet", "icon", "preload")
        if loads and (address := given.get(RESOURCES.get(tag, ""))):
            self.resources.append(address)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "img":
            self.images.append(given)
        if tag == "style" or "style" in given:
            self.styled.append(f"<{tag} {given.get('style', '')}>")
        self.titles += tag == "title"
        self.descriptions += tag == "meta" and given.get("name") == "description"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Document]:
    """Return every page of the site by its address."""
    found = {}
    for path in sorted(site.rglob("*.html")):
        document = Document(urljoin(ROOT, path.relative_to(site).as_posix()))
        document.feed(path.read_text("utf-8"))
        found[document.address] = document
    assert len(found) > 20
    return found


def target(page: Document, link: str) -> tuple[str, str]:
    """Return the address of the file that a link leads to, and the anchor in it."""
    parts = urlsplit(urljoin(page.address, link))
    path = unquote(parts.path)
    return ROOT + (path + "index.html" if path.endswith("/") else path)[1:], unquote(parts.fragment)


def test_no_link_and_no_anchor_is_dead(site: Path, pages: dict[str, Document]) -> None:
    """Each link inside the site leads to a file that exists, and to an id in it."""
    dead = []
    for page in pages.values():
        if page.address.endswith("/404.html"):
            continue  # its addresses are absolute, for the site's own host
        for link in {*page.links, *page.resources}:
            if urlsplit(link).scheme in ("http", "https", "mailto", "data"):
                continue
            address, anchor = target(page, link)
            if not (site / address.removeprefix(ROOT)).is_file() or (
                anchor and address in pages and anchor not in pages[address].ids
            ):
                dead.append(f"{page.address} -> {link}")
    assert not dead


def test_every_id_is_unique(pages: dict[str, Document]) -> None:
    """No page uses an id twice."""
    twice = {
        page.address: [name for name, count in Counter(page.ids).items() if count > 1]
        for page in pages.values()
    }
    assert not {address: names for address, names in twice.items() if names}


def test_nothing_comes_from_a_third_party(pages: dict[str, Document]) -> None:
    """Scripts, styles, images and icons are the site's own."""
    outside = [
        f"{page.address} -> {resource}"
        for page in pages.values()
        for resource in page.resources
        if urlsplit(resource).netloc and not resource.startswith(ROOT)
    ]
    assert not outside


def test_headings_go_down_one_level_at_a_time(pages: dict[str, Document]) -> None:
    """Each page has one first heading, and no level is left out on the way down."""
    wrong = [
        page.address
        for page in pages.values()
        if page.headings.count(1) != 1
        or any(below - above > 1 for above, below in pairwise(page.headings))
    ]
    assert not wrong


def test_each_image_has_its_size_and_its_text(pages: dict[str, Document]) -> None:
    """Each image has width, height and an alt attribute; each figure its own alt text."""
    for page in pages.values():
        for image in page.images:
            assert {"src", "alt", "width", "height"} <= set(image), (page.address, image)
        texts = Counter(
            (image["alt"], str(image["src"]).replace(".dark.", "."))
            for image in page.images
            if image["alt"]
        )
        alone = Counter(text for text, _ in texts)
        assert all(count == 1 for count in alone.values()), (page.address, alone)


def test_pages_have_titles_and_descriptions(pages: dict[str, Document]) -> None:
    """Each page has one title and one description for search engines."""
    wanting = [
        page.address for page in pages.values() if page.titles != 1 or page.descriptions != 1
    ]
    assert not wanting


def test_pages_are_light(site: Path, published: Path) -> None:
    """The HTML of each weighs at most 30 KB as transferred, links to the repository included."""
    weights = {
        str(page): len(gzip.compress(page.read_bytes(), 6))
        for folder in (site, published)
        for page in folder.rglob("*.html")
    }
    assert len(weights) >= 60
    assert not {page: weight for page, weight in weights.items() if weight > 30 * 1024}


def test_the_search_index_has_room_for_the_whole_book(site: Path) -> None:
    """With all 42 chapters as long as today's, it stays below 500 KB compressed."""
    entries = json.loads((site / "search" / "search_index.json").read_text("utf-8"))["docs"]
    parts = {path.parent.name for path in site.glob("tutorials/*/*/")}
    assert {"foundations", "architectures"} <= parts
    book, rest = [], []
    for entry in entries:
        place = entry["location"].removeprefix("tutorials/").partition("#")[0]
        is_written = place.partition("/")[0] in parts and (site / place / "index.html").is_file()
        (book if is_written else rest).append(entry)  # a chapter, or its tutorial
    chapters = {entry["location"].partition("#")[0] for entry in book} - {""}
    written = [address for address in chapters if not address.startswith("tutorials/")]
    assert len(written) > 5
    whole = weight(book) / len(written) * 42 + weight(rest)
    assert whole < 500_000


def weight(entries: list[dict[str, str]]) -> int:
    """Return the bytes of some entries of the index, compressed."""
    return len(gzip.compress(json.dumps(entries).encode()))


def test_equations_are_numbered_by_chapter(site: Path) -> None:
    """The first labelled equation of the fourth chapter is (4.1), and a link says so."""
    page = (site / "foundations" / "loss" / "index.html").read_text("utf-8")
    assert "<mtext>(4.1)</mtext>" in page
    assert re.search(r'<a [^>]*href="#eq[^"]*"[^>]*>.*\(4\.\d\)', page)


def test_the_reference_describes_a_result_in_one_piece(site: Path) -> None:
    """What a function returns is one description, however many lines its docstring takes."""
    page = (site / "reference/losses/index.html").read_text("utf-8")
    described = page.partition('id="labkit.losses.Loss.compare"')[2].partition("<details")[0]
    returned = described.partition("Returns:")[2]
    assert returned.count("<li") == 1
    assert "own row of\n<code>y</code>" in returned


def test_every_claim_of_every_tutorial_is_listed(site: Path) -> None:
    """The pages of proofs show each assertion whose message is a sentence, whatever its part."""
    pages = "".join(page.read_text("utf-8") for page in site.glob("proofs/*/index.html"))
    shown = html.unescape(pages).replace("\xa0", " ")
    claims = [
        statement.msg.value
        for script in Path("tutorials").glob("*/*.py")
        for statement in ast.parse(script.read_text("utf-8")).body
        if isinstance(statement, ast.Assert)
        and isinstance(statement.msg, ast.Constant)
        and isinstance(statement.msg.value, str)
    ]
    assert len(claims) > 100
    assert not [claim for claim in claims if claim not in shown]
