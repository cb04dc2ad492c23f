"""What stands under the title of a tutorial's page, and at its end."""

from labkit.site.core.book import Book
from labkit.site.core.colab import Colab

from ..pages import convert, notebook, prose

TITLE = prose("# T")


def test_the_head_of_a_page() -> None:
    """It offers downloads and Colab; or says that the tutorial runs, or why it failed."""
    made = {"t": notebook(TITLE)}
    page, _, _ = convert("# T\n\nText.", Book(made, colab=Colab("a/b", "c")), tutorial="t")
    assert "Runs in 12 s" in page
    assert 'href="../tutorials/t/t.py"' in page
    assert 'href="https://colab.research.google.com/github/a/b/blob/c/tutorials/t/t.ipynb"' in page
    page, _, _ = convert("# T\n\nText.", Book(made), tutorial="t")
    assert "Colab" not in page
    page, _, _ = convert("# T\n\nText.", Book(made, {"t": "running"}), tutorial="t")
    assert "This tutorial is running" in page
    page, _, _ = convert(
        "# T\n\nText.", Book(made, {"t": "failed"}, {"t": "line 3: a < b"}), tutorial="t"
    )
    assert "This tutorial failed" in page
    assert "line 3: a &lt; b" in page


def test_the_foot_of_a_page() -> None:
    """It says when it ran and on what, as the packages spell themselves."""
    page, _, _ = convert("# T\n\nText.", Book({"t": notebook(TITLE)}), tutorial="t")
    assert "Ran in 12 s on 1 March 2026 with Python 3.11.7, NumPy 2.4.6 and cycler 0.12.1." in page


def test_facts_stand_under_the_first_heading_whatever_it_looks_like() -> None:
    """It may be underlined, have an id, and a block of code above it may look like one."""
    text = "```sh\n# install it\n```\n\nThe title\n=========\n\nText.\n\n# Another\n"
    page, context, _ = convert(text, Book({"t": notebook(TITLE)}), tutorial="t")
    assert not context.errors
    before, _, after = page.partition('<p class="lab-facts"')
    assert before.rstrip().endswith("The title</h1>")
    assert "<p>Text.</p>" in after
    assert after.index("Another") < after.index('<div class="lab-foot"')
    assert "{{" not in page


def test_a_page_without_a_heading_begins_with_the_facts() -> None:
    """They are not lost."""
    page, _, _ = convert("Text.", Book({"t": notebook(TITLE)}), tutorial="t")
    assert page.startswith('<p class="lab-facts"')
