"""The whole book on paper (PDF) and for readers of e-books (EPUB)."""

import itertools
import os
import posixpath
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from pypdf import PdfReader

ROOT = Path(__file__).resolve().parents[2]
HTML, MATH = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/1998/Math/MathML}"
PARTS = ("foundations", "data", "architectures", "keras")
CHAPTERS = sorted(path for part in PARTS for path in (ROOT / "docs" / part).glob("*.md"))


def make(command: str, target: Path) -> Path:
    """Make the book with the command that README names."""
    done = subprocess.run(
        [sys.executable, "-m", "labkit.site", command, str(target)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return target


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pdf(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> PdfReader:
    """The printed book."""
    return PdfReader(make("pdf", tmp_path_factory.mktemp("paper") / "book.pdf"))


@pytest.fixture(scope="module")
def epub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book as an EPUB."""
    return make("epub", tmp_path_factory.mktemp("paper") / "book.epub")


def title(chapter: Path) -> str:
    """Return a chapter's title."""
    found = re.search(r"^# (.+)$", chapter.read_text("utf-8"), re.MULTILINE)
    assert found
    return found[1]


def words(text: str) -> str:
    """Return a text without blanks, which a PDF does not keep, and with ligatures as letters."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def embedded() -> int:
    """Return how many figures the chapters embed."""
    return sum(
        len(re.findall(r"^\{\{ *figure ", path.read_text("utf-8"), re.MULTILINE))
        for path in CHAPTERS
    )


def test_the_contents_name_the_page_of_each_chapter(pdf: PdfReader) -> None:
    """The number that stands in the contents is that of the page with the chapter's title."""
    pages = [words(page.extract_text()) for page in pdf.pages]
    contents = "".join(pages[:4])
    assert len(CHAPTERS) > 5
    for chapter in CHAPTERS:
        found = re.search(re.escape(words(title(chapter))) + r"(\d+)", contents)
        assert found, chapter
        assert words(title(chapter)) in pages[int(found[1]) - 1][:400], chapter


def test_each_figure_is_printed_once(pdf: PdfReader) -> None:
    """The document's structure holds as many figures as the chapters embed, with their words."""
    described = [node for node in structure(pdf) if node.get("/S") == "/Figure" and "/Alt" in node]
    assert len(described) >= embedded() > 20


def structure(pdf: PdfReader) -> list[Any]:
    """Return the elements of the document's structure, by which a screen reader reads it."""
    found, waiting, seen = [], [pdf.trailer["/Root"]["/StructTreeRoot"]], set()
    while waiting:
        node = waiting.pop().get_object()
        if id(node) in seen or not hasattr(node, "get"):
            continue
        seen.add(id(node))
        found.append(node)
        children = node.get("/K", [])
        waiting += children if isinstance(children, list) else [children]
    return [node for node in found if "/S" in node]


def test_each_link_within_the_pdf_has_its_target(pdf: PdfReader) -> None:
    """A link to a page, a figure or a source leads to a place in the document."""
    targets = set(pdf.named_destinations)
    wanted = []
    for page in pdf.pages:
        for link in page.get("/Annots", []):
            node = link.get_object()
            destination = node.get("/Dest") or node.get("/A", {}).get("/D")
            if isinstance(destination, str):
                wanted.append(destination)
            assert "file://" not in str(node.get("/A", {}).get("/URI", "")), node
    assert len(wanted) > 100
    assert not [name for name in wanted if name not in targets]


def test_the_epub_has_each_chapter_and_figure(epub: Path) -> None:
    """Titles, pictures and formulas are in it, and every link within it leads somewhere."""
    with ZipFile(epub) as archive:
        names = set(archive.namelist())
        pages = {
            name: ElementTree.fromstring(archive.read(name))
            for name in names
            if name.endswith(".xhtml")
        }
    headings = {
        words("".join(heading.itertext()))
        for page in pages.values()
        for level in ("h1", "h2")
        for heading in page.iter(HTML + level)
    }
    assert {words(title(chapter)) for chapter in CHAPTERS} <= headings
    images = [(name, image) for name, page in pages.items() for image in page.iter(HTML + "img")]
    assert len(images) >= embedded()
    for name, image in images:
        assert within(name, image.attrib["src"]) in names
    assert sum(len(list(page.iter(MATH + "math"))) for page in pages.values()) > 100
    for name, page in pages.items():
        for link in page.iter(HTML + "a"):
            path, _, fragment = link.attrib.get("href", "").partition("#")
            if ":" not in path and (path or fragment):
                ids = {e.get("id") for e in pages[within(name, path) if path else name].iter()}
                assert not fragment or fragment in ids, (name, link.attrib)


def test_the_epub_shows_the_numbers_of_equations(epub: Path) -> None:
    """Where a reference to an equation leads, the formula that follows has its number beside it."""
    with ZipFile(epub) as archive:
        texts = [archive.read(name) for name in archive.namelist() if name.endswith(".xhtml")]
    pages = [ElementTree.fromstring(text) for text in texts]
    shown = {}
    for element in (element for page in pages for element in page.iter()):
        for anchor, formula in itertools.pairwise(element):
            if formula.tag == MATH + "math" and (name := anchor.get("id")):
                shown[name] = {text.text for text in formula.iter(MATH + "mtext")}
    links = [link for page in pages for link in page.iter(HTML + "a")]
    wanted = {
        (link.attrib["href"].partition("#")[2], link.text)
        for link in links
        if re.fullmatch(r"\(\d+\.\d+\)", link.text or "")
    }
    assert wanted
    assert not [(name, number) for name, number in wanted if number not in shown.get(name, ())]


def within(page: str, address: str) -> str:
    """Return the file in the archive to which a page's relative address leads."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), address))


def test_the_epub_is_valid(epub: Path) -> None:
    """The checker of the EPUB standard finds no error."""
    checker = shutil.which("epubcheck")
    if checker is None:
        if os.environ.get("CI"):
            pytest.fail("Expected epubcheck on PATH. Install it.")
        pytest.skip("epubcheck is not installed")
    # Debian's is a Java archive, which only some systems start by itself.
    done = subprocess.run(
        ["java", "-jar", checker, str(epub)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
