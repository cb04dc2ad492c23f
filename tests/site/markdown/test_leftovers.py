"""Braces that are left on a page fail the build; case 19."""

import pytest

from labkit.site.core.book import Book

from ..pages import SVG, code, convert, notebook, shown

EXTENSIONS = ("attr_list", "md_in_html", "pymdownx.superfences", "tables", "toc")


@pytest.fixture
def book() -> Book:
    """A book with one value and one figure."""
    cell = code(
        "draw()", shown(svg=SVG), label="window", alt="A window.",
        values=["accuracy"], outcome={"accuracy": 0.5},
    )  # fmt: skip
    return Book({"cnn": notebook(cell)})


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("<p>{{ cnn#accuracy }}</p>", "{{ cnn#accuracy }}"),
        ("<p>\n{{ figure cnn#window }}\n</p>", "{{ figure cnn#window }}"),
        ('<p title="{{ cnn#accuracy }}">text</p>', "{{ cnn#accuracy }}"),
        ('Some <b title="{{ x }}">text</b>', "{{ x }}"),
        ("{{ cnn#accuracy :.2f }}", "{{ cnn#accuracy :.2f }}"),
        ("{{ Figure cnn#window }}", "{{ Figure cnn#window }}"),
        ("Text {{ title }} text", "{{ title }}"),
        ("Text {{ a *b* }} text", "{{ a "),
        ("Text {{ cnn#accuracy", "{{ cnn#accuracy"),
        ("# Title {{ a }}", "{{ a }}"),
        ("| a |\n| - |\n| {{ b }} |", "{{ b }}"),
        ("![{{ a }}](b.png)", "{{ a }}"),
        ("Text\n{: title='{{ a }}' }", "{{ a }}"),
        ("[text]({{a}})", "{{a}}"),
    ],
)
def test_what_is_left_is_an_error(book: Book, text: str, written: str) -> None:
    """It is reported as it was written, so that its line is found."""
    _, context, _ = convert(text, book, extensions=EXTENSIONS)
    assert [found for found, _ in context.errors] == [written]


@pytest.mark.parametrize(
    "text",
    [
        "`{{ cnn#accuracy :.2f }}`",
        "    {{ Figure cnn#window }}",
        "```\n{{ a }}\n```",
        "```python\nx = f'{{ a }}'\n```",
        "<pre><code>{{ a }}</code></pre>",
        "<script>let a = '{{ b }}';</script>",
        "<!-- {{ a }} -->",
        r"\{\{ a }}",
        r"$x^{{2}}$",
        "$$\nx^{{2}}\n$$",
        '<div markdown="1">\n\n{{ figure cnn#window }}\n\n</div>',
    ],
)
def test_code_and_formulas_may_have_braces(book: Book, text: str) -> None:
    """Comments may, too, and braces behind a backslash."""
    _, context, _ = convert(text, book, extensions=EXTENSIONS)
    assert not context.errors


def test_a_formula_that_an_empty_line_breaks_is_an_error(book: Book) -> None:
    """Its halves, and the braces in them, would be text."""
    _, _, math = convert("$$\na = {{ cnn#accuracy }}\n\nc = d\n$$", book)
    assert len(math.errors) == 1


def test_braces_that_a_cell_gave_are_no_embeds() -> None:
    """It may print a template, show it in a table, or be one."""
    cell = code(
        "'{{ a }}'",
        {"output_type": "stream", "name": "stdout", "text": "{{ b }}"},
        shown(html="<table><tr><td>{{ c }}</td></tr></table>"),
        label="c",
        values=["word"],
        outcome={"word": "{{ d }}"},
    )
    page, context, _ = convert("{{ cell t#c }}\n\n{{ t#word }}", Book({"t": notebook(cell)}))
    assert not context.errors
    for letter in "abcd":
        assert f"{{{{ {letter} }}}}" in page


def test_a_value_inside_a_link(book: Book) -> None:
    """As its text it is no link of its own; in its address it is the number."""
    page, context, _ = convert("[It is {{ cnn#accuracy }}](../a.md?b={{ cnn#accuracy }})", book)
    assert not context.errors
    assert '<a href="../a.md?b=0.5">It is <span class="lab-value"' in page
    assert page.count("<a ") == 1


def test_a_value_inside_a_tag_is_an_error(book: Book) -> None:
    """There it would be a link inside an attribute."""
    _, context, _ = convert('Some <b title="{{ cnn#accuracy }}">text</b>', book)
    ((written, why),) = context.errors
    assert written == "cnn#accuracy"
    assert "stands inside a tag of HTML" in why
