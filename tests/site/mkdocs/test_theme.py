"""What the templates of `theme/` mend in Material's, on pages that were built."""

from importlib.metadata import version
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag

from labkit.site.mkdocs import pages

from .conftest import Site

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chapter(built: Site) -> BeautifulSoup:
    """Return a chapter's page."""
    return BeautifulSoup(built.read("site/chapter/index.html"), "html.parser")


def one(page: BeautifulSoup, selector: str) -> Tag:
    """Return the only element of a page that a selector names."""
    (found,) = page.select(selector)
    return found


def test_the_search_has_a_name(chapter: BeautifulSoup) -> None:
    """A screen reader says which dialog has opened."""
    assert one(chapter, "[role=dialog]")["aria-label"] == "Search"


def test_logos_have_a_size_and_say_nothing_twice(chapter: BeautifulSoup) -> None:
    """The link around each has the site's name."""
    logos = chapter.select(".md-logo img")
    assert len(logos) == 2  # in the header, and in the phone's menu
    assert {(logo["alt"], logo["width"], logo["height"]) for logo in logos} == {("", "24", "24")}


def test_no_third_party_is_asked_about_the_repository(chapter: BeautifulSoup) -> None:
    """Material's script asks for the stars of what has this attribute."""
    assert chapter.select("a.md-source")
    assert not chapter.select("[data-md-component=source]")


def test_every_tabindex_has_a_value(built: Site, chapter: BeautifulSoup) -> None:
    """A section's label that cannot be reached with Tab has none."""
    inside = BeautifulSoup(built.read("site/tutorials/tiny/index.html"), "html.parser")
    assert "tabindex" not in one(inside, "#__nav_4_label").attrs
    assert all(element["tabindex"] for element in chapter.select("[tabindex]"))
    assert one(chapter, "#__nav_4_label")["tabindex"] == "0"


def test_footers_tell_a_tutorial_from_its_chapter(built: Site) -> None:
    """The two have one title."""
    page = BeautifulSoup(built.read("site/tutorials/index.html"), "html.parser")
    link = one(page, ".md-footer__link--next")
    assert link["aria-label"] == "Next tutorial: A tiny tutorial"
    assert one(page, ".md-footer__link--prev .md-footer__direction").text == "Previous"
    tutorial = BeautifulSoup(built.read("site/tutorials/tiny/index.html"), "html.parser")
    assert one(tutorial, "title").text == "A tiny tutorial, the tutorial - Small"


def test_a_missing_page_leads_on(built: Site) -> None:
    """It offers the search and the parts of the book."""
    page = BeautifulSoup(built.read("site/404.html"), "html.parser")
    form = one(page, "article form")
    assert form["action"] == "/."
    assert one(page, "article input")["name"] == "q"
    links = {link.text: link["href"] for link in page.select("article li a")}
    assert links["Tutorials"] == "/tutorials/"
    assert links["The chapter"] == "/chapter/"


def test_the_references_style_is_on_its_own_pages(built: Site) -> None:
    """Chapters do not wait for it."""
    style = "_mkdocstrings.css"
    assert style in built.read("site/api/index.html")
    assert style not in built.read("site/chapter/index.html")


def test_an_article_stays_as_it_was_rendered(small: Site) -> None:
    """What looks like a fault of the theme is left alone in code, output and raw HTML."""
    code = """print('<svg xmlns="http://www.w3.org/2000/svg">')
print('<a class="autorefs autorefs-internal" data-md-component="source">')"""
    image = '<img src="../logo.svg" alt="logo">'
    small.write("tutorials/tiny.py", f"# %% [markdown]\n# # Title\n#\n# S.\n\n# %%\n{code}\n")
    small.write(
        "docs/chapter.md", f'# A\n\n{image}\n\n`<svg xmlns="x"> tabindex="" role="dialog">`\n'
    )
    assert small.build().returncode == 0
    tutorial = BeautifulSoup(small.read("site/tutorials/tiny/index.html"), "html.parser")
    assert one(tutorial, ".lab-cell code").text.strip() == code
    printed = '<svg xmlns="http://www.w3.org/2000/svg">\n'
    printed += '<a class="autorefs autorefs-internal" data-md-component="source">'
    assert one(tutorial, ".lab-output").text == printed
    chapter = small.read("site/chapter/index.html")
    assert image.replace("../logo", "../../logo") in chapter or image in chapter
    inline = one(BeautifulSoup(chapter, "html.parser"), "article p > code")
    assert inline.text == '<svg xmlns="x"> tabindex="" role="dialog">'


def test_the_copied_partial_is_that_of_this_version() -> None:
    """When Material changes, compare its footer with ours, and write the new version there."""
    footer = pages.TEMPLATES.with_name("theme") / "partials" / "footer.html"
    assert f"Material {version('mkdocs-material')}" in footer.read_text()
    assert [p.name for p in Path(footer.parent).glob("**/*.html")] == ["footer.html"]
