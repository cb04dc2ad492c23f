"""Citations, and the list of sources that the build writes."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from markdown import Markdown

from labkit.site.markdown.citations import CitationExtension, SourceError, Sources

BOOKS = r"""
@article{glorot2010,
  author = {Glorot, Xavier and Bengio, Yoshua},
  title = {Understanding the difficulty of <training>},
  journal = {AISTATS}, pages = {249--256}, year = {2010},
  url = {https://example.org/glorot10a},
}
@misc{gidon2020, author = {Gidon, Albert and others}, title = {Cells}, year = 2020}
@book{lowner1999,
  author = {L{\"o}wner, Ada and De Mol, Christine and others},
  title = {A {C}ase}, publisher = {Press}, year = 1999, doi = {10.1000/182},
}
"""


@pytest.fixture
def extension(tmp_path: Path) -> CitationExtension:
    """The extension, with two sources."""
    (tmp_path / "references.bib").write_text(BOOKS, "utf-8")
    return CitationExtension(bibliography=str(tmp_path / "references.bib"))


def convert(text: str, extension: CitationExtension) -> ElementTree.Element:
    """Convert a page and parse what came out."""
    html = Markdown(extensions=[extension]).convert(text)
    return ElementTree.fromstring(f"<div>{html.replace('&nbsp;', ' ')}</div>")


def test_a_citation_names_authors_and_year(extension: CitationExtension) -> None:
    """Two authors are both named, of more the first, and each links to the page's list."""
    page = convert("As [@lowner1999; @glorot2010] show.\n\n{{ sources }}", extension)
    links = {link.get("href"): link.text for link in page.iter("a") if link.text}
    assert links["#source-glorot2010"] == "Glorot and Bengio (2010)"
    assert links["#source-lowner1999"] == "Löwner et al. (1999)"
    assert "".join(page.itertext()).startswith("As Löwner et al. (1999); Glorot and Bengio (2010)")
    assert not extension.errors


def test_unnamed_authors_are_others(extension: CitationExtension) -> None:
    """A source whose file names one author "and others" is cited as that author et al."""
    assert extension.sources.name("gidon2020") == "Gidon et al. (2020)"


def test_the_list_holds_what_the_page_cites(extension: CitationExtension) -> None:
    """Each source stands once, with its title escaped, its address, and the id of its links."""
    page = convert("A [@glorot2010] and [@glorot2010].\n\n{{ sources }}", extension)
    (item,) = page.iter("li")
    assert item.get("id") == "source-glorot2010"
    assert "Understanding the difficulty of <training>" in "".join(item.itertext())
    assert [link.get("href") for link in item.iter("a")] == ["https://example.org/glorot10a"]


def test_a_doi_becomes_a_link(extension: CitationExtension) -> None:
    """The identifier of a publication leads to its resolver."""
    page = convert("[@lowner1999]\n\n{{ sources }}", extension)
    (item,) = page.iter("li")
    assert "https://doi.org/10.1000/182" in [link.get("href") for link in item.iter("a")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("See [@glorot2011].\n\n{{ sources }}", "Did you mean 'glorot2010'"),
        ("See [@glorot2010].", "does not list them"),
        ("Nothing.\n\n{{ sources }}", "cites none"),
    ],
)
def test_what_does_not_fit_is_an_error(text: str, words: str, extension: CitationExtension) -> None:
    """An unknown key, a citation without a list, and a list without citations are noted."""
    Markdown(extensions=[extension]).convert(text)
    assert [reason for _, reason in extension.errors if words in reason]


def test_code_and_addresses_are_no_citations(extension: CitationExtension) -> None:
    """What stands in code stays, and so does an address in brackets."""
    page = convert("`[@glorot2010]` and [me@example.org]", extension)
    assert "".join(page.itertext()).strip() == "[@glorot2010] and [me@example.org]"


def test_unused_sources_are_found(extension: CitationExtension) -> None:
    """A source that no text cites is named."""
    assert extension.sources.unused(["[@glorot2010; @gidon2020]"]) == ["lowner1999"]
    assert extension.sources.unused(["[@glorot2010]", "[@lowner1999; @gidon2020]"]) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@article{a, title = {x}\n year = 2}", "expected a BibTeX file"),
        ("@article{a, title = {x}, year = 2}", "'a' needs an author"),
        ("@article{a, author = {B, C}, title = {x}}", "'a' needs an author and a year"),
        ("@book{a, author={B}, year=1}\n@book{a, author={B}, year=1}", "repeated"),
    ],
)
def test_a_broken_file_is_named(text: str, words: str, tmp_path: Path) -> None:
    """Syntax, a repeated key, and a source without author or year name the file."""
    path = tmp_path / "broken.bib"
    path.write_text(text)
    with pytest.raises(SourceError, match=words) as caught:
        Sources(path)
    assert "broken.bib" in str(caught.value)
