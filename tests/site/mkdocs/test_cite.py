"""What lets others cite a chapter and find it."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup
from PIL import Image
from pybtex.database import parse_string

ROOT = Path(__file__).resolve().parents[3]
CHAPTER = "foundations/neurons"


@pytest.fixture
def page(published: Path) -> BeautifulSoup:
    """A chapter as it is published."""
    return BeautifulSoup((published / CHAPTER / "index.html").read_text("utf-8"), "html.parser")


def described(page: BeautifulSoup) -> Any:
    """Return what a page says of itself for search engines."""
    (script,) = page.select('script[type="application/ld+json"]')
    return json.loads(script.text)


@pytest.mark.slow
def test_a_chapter_can_be_cited(page: BeautifulSoup) -> None:
    """Its BibTeX entry can be read, and names title, year and address."""
    entry = page.select_one(".lab-cite code")
    assert entry is not None
    ((_, source),) = parse_string(entry.text, "bibtex").entries.items()
    assert source.fields["title"] == "A single neuron"
    assert source.fields["url"].endswith(f"{CHAPTER}/")
    assert source.fields["year"].isdecimal()
    assert source.persons["author"]


@pytest.mark.slow
def test_a_chapter_describes_itself(page: BeautifulSoup) -> None:
    """It is a learning resource of the course, with what it teaches."""
    found = described(page)
    assert found["@type"] == "LearningResource"
    assert found["isPartOf"]["@type"] == "Course"
    assert len(found["teaches"]) > 1
    assert found["description"]


@pytest.mark.slow
def test_the_home_page_describes_the_course(published: Path) -> None:
    """Its parts are the chapters."""
    home = BeautifulSoup((published / "index.html").read_text("utf-8"), "html.parser")
    found = described(home)
    assert found["@type"] == "Course"
    assert len(found["hasPart"]) > 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "card"), [(CHAPTER, "neurons"), ("glossary", "home"), (".", "home")]
)
def test_a_page_has_a_card(published: Path, address: str, card: str) -> None:
    """A chapter has its own, other pages have the book's, and the picture is there."""
    text = (published / address / "index.html").read_text("utf-8")
    image = BeautifulSoup(text, "html.parser").select_one('meta[property="og:image"]')
    assert image is not None
    name = str(image["content"]).partition("/deep-learning-lab/")[2]
    assert name == f"assets/cards/{card}.png"
    with Image.open(published / name) as picture:
        assert picture.size == (1200, 630)


def test_the_citation_file_names_this_version() -> None:
    """CITATION.cff has the version of the package."""
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert cited["version"] == project["version"]
    assert cited["cff-version"] == "1.2.0"
