"""Terms: their links, their list, and what is refused."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from markdown import Markdown

from labkit.site.markdown.glossary import GlossaryError, GlossaryExtension, Words, read, uses

TERMS = """
Overfitting: {meaning: "When a model repeats its data.", explained: "a/fit.md#over"}
data augmentation: {meaning: "More data from old.", explained: b/data.md}
"""


@pytest.fixture
def words(tmp_path: Path) -> Words:
    """Two terms, one of which two pages use."""
    (tmp_path / "glossary.yml").write_text(TERMS)
    used = {"overfitting": ["a/fit.md", "b/data.md"]}
    titles = {"a/fit.md": "Fitting & more", "b/data.md": "Data"}
    return Words(read(tmp_path / "glossary.yml"), used, titles, lambda path: f"../{path}")


def convert(text: str, words: Words) -> tuple[ElementTree.Element, list[str]]:
    """Convert a page; return its tree and what was wrong."""
    extension = GlossaryExtension()
    extension.words = words
    html = Markdown(extensions=[extension]).convert(text)
    return ElementTree.fromstring(f"<div>{html}</div>"), [fault.why for fault in extension.errors]


def text_of(element: ElementTree.Element) -> str:
    """Return an element's text in one line."""
    return " ".join("".join(element.itertext()).split())


def test_a_marked_term_links_to_the_glossary(words: Words) -> None:
    """The author's own form of the word stays; the link leads to its entry and has its sentence."""
    page, errors = convert("It [overfits](term:overfitting) [here](x.md).", words)
    term, other = page.iter("a")
    assert term.text == "overfits"
    assert term.get("href") == "../glossary.md#overfitting"
    assert term.get("class") == "lab-term"
    assert term.get("title") == "When a model repeats its data."
    assert (other.get("href"), other.get("class"), other.get("title")) == ("x.md", None, None)
    assert not errors


def test_the_glossary_lists_terms_with_their_pages(words: Words) -> None:
    """Each term has an id, its sentence, the page that explains it and those that use it."""
    page, _ = convert("{{ glossary }}", words)
    assert [term.get("id") for term in page.iter("dt")] == ["data-augmentation", "overfitting"]
    assert [text_of(entry) for entry in page.iter("dd")] == [
        "More data from old. Explained in Data.",
        "When a model repeats its data. Explained in Fitting & more; used in Data.",
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[a](term:overfit)", "Did you mean 'overfitting'"),
        ("[a](term:overfitting) [b](term:overfitting)", "marked twice"),
    ],
)
def test_a_wrong_mark_is_an_error(text: str, why: str, words: Words) -> None:
    """An unknown term and a second mark on a page are noted."""
    _, errors = convert(text, words)
    assert len(errors) == 1
    assert why in errors[0]


def test_uses_are_found_in_the_pages_text() -> None:
    """Each page counts once, whatever form of the word it shows."""
    texts = {"a.md": "[x](term:a-b) and [y](term:a-b)", "b.md": "[z](term:a-b)", "c.md": "term:a-b"}
    assert uses(texts) == {"a-b": ["a.md", "b.md"]}


@pytest.mark.parametrize("text", ["a: [", "- a", "a: b", "a: {meaning: x}", ""])
def test_a_broken_file_is_named(text: str, tmp_path: Path) -> None:
    """Broken YAML, another form, and a term without its page name the file."""
    (tmp_path / "glossary.yml").write_text(text)
    with pytest.raises(GlossaryError, match=r"glossary\.yml"):
        read(tmp_path / "glossary.yml")


def test_a_meaning_is_plain_text(tmp_path: Path) -> None:
    """A formula or Markdown in a sentence is refused, as it would stand raw at the term."""
    for meaning in ["minus $p$", "when *it* fails", "the `fit`", "see [this](x.md)"]:
        (tmp_path / "glossary.yml").write_text(f'a: {{meaning: "{meaning}", explained: a.md}}')
        with pytest.raises(GlossaryError, match=r"the meaning of 'a' has .*plain text"):
            read(tmp_path / "glossary.yml")
