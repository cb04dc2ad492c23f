"""The whole book as one document: ids, links, images, and what a screen alone can use."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from labkit.site.paper.compose import Page, compose

HOME = Page("", "Home", "", '<h1 id="home">Home</h1><a href="a/one/#x">One</a>')
ONE = Page(
    "a/one/",
    "One",
    "First & best",
    '<h1 id="one">One<a class="headerlink" href="#one">¶</a></h1><h2 id="x">X</h2>'
    '<a href="#x">here</a> <a href="../two/">two</a> <a href="../two/#y">y</a> '
    '<a href="../..">h</a>'
    ' <a href="../../tutorials/t/t.py" download="t.py">t.py</a> <a href="https://e.org/a#b">e</a>'
    '<img class="lab-light" src="../../tutorials/t/f%20g.svg" loading="lazy" alt="F">'
    '<img class="lab-dark" src="../../tutorials/t/f.dark.svg" alt="F">'
    '<input id="box"><label for="box">B</label>'
    "<details><summary>S</summary>solution</details>"
    '<lab-digit data="t#v">With JavaScript, you draw.</lab-digit><script>1</script>',
)
TWO = Page("a/two/", "Two", "First & best", '<h1 id="two">Two</h1><p id="y">Y</p>')


@pytest.fixture
def document(tmp_path: Path) -> BeautifulSoup:
    """The document of three pages."""
    return BeautifulSoup(compose([HOME, ONE, TWO], tmp_path), "html.parser")


def test_links_lead_within_the_document(document: BeautifulSoup) -> None:
    """A link to a page or a heading finds its target; each id exists once."""
    ids = [str(element["id"]) for element in document.select("[id]")]
    assert len(ids) == len(set(ids))
    links = {link.text: link.get("href") for link in document.select("a")}
    assert links == {
        "One": "#a-one--x", "here": "#a-one--x", "two": "#a-two", "y": "#a-two--y", "h": "#home",
        "t.py": None, "e": "https://e.org/a#b",
    }  # fmt: skip
    inside = [str(href)[1:] for href in links.values() if str(href).startswith("#")]
    assert set(inside) <= set(ids)


def test_links_to_files_lead_to_the_published_site(tmp_path: Path) -> None:
    """Where the site has an address, a download is a link to it."""
    text = compose([HOME, ONE, TWO], tmp_path, address="https://book.org/x/")
    links = {a.text: a.get("href") for a in BeautifulSoup(text, "html.parser").select("a")}
    assert links["t.py"] == "https://book.org/x/tutorials/t/t.py"


def test_images_are_files_of_the_site(document: BeautifulSoup, tmp_path: Path) -> None:
    """The light drawing is read from the folder, whatever its name; the dark one is left out."""
    (image,) = document.select("img")
    assert image["src"] == (tmp_path / "tutorials/t/f g.svg").as_uri()
    assert "loading" not in image.attrs


def test_what_a_screen_alone_can_use_is_gone(document: BeautifulSoup) -> None:
    """No script, no heading's mark; folded text is open, and a figure is its sentence."""
    assert not document.select("script, .headerlink, lab-digit")
    assert document.select("details[open]")
    words = document.select_one(".lab-words")
    assert words is not None
    assert words.attrs == {"class": ["lab-words"]}
    assert words.text == "With JavaScript, you draw."


def test_parts_stand_above_pages(document: BeautifulSoup) -> None:
    """Each part has one title, and a page's headings are one level below."""
    headings = [(h.name, h.text) for h in document.find_all(["h1", "h2", "h3"])]
    assert headings == [
        ("h2", "Home"), ("h1", "First & best"), ("h2", "One"), ("h3", "X"), ("h2", "Two"),
    ]  # fmt: skip


def test_labels_still_name_their_fields(document: BeautifulSoup) -> None:
    """An attribute that refers to an id follows its new name."""
    label = document.select_one("label")
    assert label is not None
    assert document.find(id=str(label["for"])) is not None
