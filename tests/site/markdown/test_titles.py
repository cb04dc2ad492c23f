"""Titles and descriptions come from Markdown's tree."""

import pytest

from labkit.site.markdown.titles import first_sentence, summary, unwritten

from ..pages import code, notebook, prose


@pytest.mark.parametrize(
    ("text", "title", "description"),
    [
        (
            "# A *tiny* one\n\nIt shows `x < y` as the\n[chapter](../c.md) says. And more.",
            "A tiny one",
            "It shows x < y as the chapter says.",
        ),
        (  # case 15
            "The title\n=========\n\nE.g. this sentence is whole. See [a link][r].\n\n"
            "```sh\n# install it\npip install x\n```\n\n[r]: ../index.md",
            "The title",
            "E.g. this sentence is whole.",
        ),
        ("# Title {#custom}\n\nSee [a link][r].\n\n[r]: ../i.md", "Title", "See a link."),
        ("```\n# no title\n```\n\n# Title\n\nText.", "Title", "Text."),
        ("# A & B \\*\n\n<b>Bold</b> &amp; plain", "A & B *", "Bold & plain"),
        ('# T\n\n!!! note "N"\n    In a box. More.\n\nBelow.', "T", "In a box."),
        ("## Only a part\n\nText. More.", "", "Text."),
        ("", "", ""),
    ],
)
def test_title_and_description(text: str, title: str, description: str) -> None:
    """The first heading, and the first sentence below it as plain text."""
    assert summary(notebook(prose(text), code("1"))) == (title, description)


def test_code_above_the_title_is_passed_over() -> None:
    """A tutorial may begin with a cell of code."""
    assert summary(notebook(code("1"), prose("# T"), code("2"), prose("Text."))) == ("T", "")
    assert summary(notebook(code("1"))) == ("", "")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("One. Two.", "One."),
        ("Is it? It is.", "Is it?"),
        ("It is 3.5 m. That is much.", "It is 3.5 m."),
        ("By J. Doe (cf. The Book, i.e. All). Next.", "By J. Doe (cf. The Book, i.e. All)."),
        ("“So it is.” And on.", "“So it is.”"),
        ("e.g. in lower case. then on. Next.", "e.g. in lower case. then on."),
        ("No end", "No end"),
    ],
)  # fmt: skip
def test_the_first_sentence(text: str, sentence: str) -> None:
    """Abbreviations, initials and numbers do not end it."""
    assert first_sentence(text) == sentence


def test_a_page_that_is_not_written_yet_has_a_title() -> None:
    """Its own, where it has one."""
    assert unwritten("Text", "Title").startswith("# Title\n\nText")
    assert unwritten("Own\n===\n\nText", "Title").startswith("Own\n===")
