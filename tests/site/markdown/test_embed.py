"""Embedding: what a chapter shows of a tutorial."""

import re

import pytest

from labkit.site.core.book import Book, EmbedError

from ..pages import SVG, code, convert, notebook, printed, prose, shown

TABLE = (
    '<div><style scoped>td {}</style><table border="1" class="dataframe"><thead>'
    '<tr style="text-align: right;"><th></th><th>n</th></tr></thead>\n<tbody>\n'
    "<tr><th>0</th><td>2</td></tr></tbody></table></div>"
)


@pytest.fixture
def book() -> Book:
    """A book of one tutorial with a cell of each kind."""
    tiny = notebook(
        prose("# Tiny"),
        code("x = 1", label="quiet"),
        code("draw()", printed("drawn\n"), shown(svg=SVG), label="boundary",
             alt="A line.", caption="It *rises*.", values=["accuracy", "steps", "word", "blank"],
             outcome={"accuracy": 0.97251, "steps": 12345, "word": "yes", "blank": ""}),
        code("table", shown(html=TABLE, plain="  n\n0 2"), label="shapes"),
        code("blind()", shown(svg=SVG), label="blind"),
        code("draw(2)", shown(svg=SVG), shown(svg=SVG), label="twice", alt="Lines."),
    )  # fmt: skip
    return Book({"tiny": tiny})


def test_a_figure(book: Book) -> None:
    """It has a text and a size, links to its drawing, and has a caption with a link to its cell."""
    html, context, _ = convert("Look:\n{{ figure tiny#boundary }}\nand on.", book)
    assert not context.errors
    figure = re.search(r"<figure.*</figure>", html, re.DOTALL)
    assert figure
    assert 'data-tutorial="tiny#boundary"' in figure[0]
    assert '<a class="lab-large" href="../tutorials/tiny/boundary.svg">' in figure[0]
    images = re.findall(r"<img [^>]*>", figure[0])
    for image, scheme, suffix in zip(images, ["light", "dark"], ["", ".dark"], strict=True):
        assert f'class="lab-drawing lab-{scheme}"' in image
        assert f'src="../tutorials/tiny/boundary{suffix}.svg"' in image
        for given in ['alt="A line."', 'width="48"', 'height="24"', 'loading="lazy"']:
            assert given in image
    assert "<figcaption>It <em>rises</em>. <a" in figure[0]
    assert 'href="../tutorials/tiny.py#boundary">tiny.py</a>' in figure[0]
    assert html.startswith("<p>Look:</p>")
    assert html.endswith("<p>and on.</p>")


def test_a_cell_with_two_figures(book: Book) -> None:
    """Both are shown, and the text of each says which it is."""
    html, _, _ = convert("{{ figure tiny#twice }}", book)
    assert re.findall(r'alt="(.*?)"', html) == ["Lines. (1 of 2)"] * 2 + ["Lines. (2 of 2)"] * 2


def test_code_output_and_table(book: Book) -> None:
    """Each is marked with its cell, and shows that part of it alone."""
    html, context, _ = convert(
        "{{ code tiny#boundary }}\n\n{{ output tiny#boundary }}\n\n{{ table tiny#shapes }}",
        book,
    )
    assert not context.errors
    assert html.count('data-tutorial="tiny#boundary"') == 2
    assert '<pre class="highlight" translate="no"><code>draw()</code></pre>' in html
    assert '<pre class="lab-output">drawn</pre>' in html
    table = html[html.index('<div class="lab-table"><table>') :]
    assert re.search(r"<thead>\s*<tr><td></td><th>n</th></tr>", table)
    assert "style" not in html


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("{{ tiny#accuracy }}", "0.97251"),
        ("{{tiny#accuracy:.1%}}", "97.3%"),
        ("{{ tiny#accuracy:.3f }}", "0.973"),
        ("{{ tiny#steps:,d }}", "12,345"),
        ("{{ tiny#word }}", "yes"),
    ],
)
def test_a_value(book: Book, written: str, text: str) -> None:
    """It stands in its sentence with its format, linked to the cell that computed it."""
    html, context, _ = convert(f"It is **{written}**.", book)
    name = re.search(r"tiny#\w+", written)
    assert name
    assert re.fullmatch(rf"<p>It is <strong><a [^>]*>{text}</a></strong>\.</p>", html)
    assert f'data-tutorial="{name[0]}"' in html
    assert 'href="../tutorials/tiny.py#boundary"' in html
    assert not context.errors


@pytest.mark.parametrize(
    "text",
    [
        "`{{ tiny#accuracy }}`",
        "``a ` {{ figure tiny#boundary }}``",
        "```\n{{ figure tiny#boundary }}\n{{ tiny#accuracy }}\n```",
        "~~~\n{{ figure tiny#nowhere }}\n~~~",
        "    {{ figure tiny#boundary }}\n    {{ tiny#accuracy }}",
        "!!! note\n    ```\n    {{ figure tiny#boundary }}\n    ```",
    ],
)
def test_nothing_is_replaced_in_code(book: Book, text: str) -> None:
    """Code that shows how to embed shows the braces."""
    html, context, _ = convert(text, book)
    assert "data-tutorial" not in html
    assert "{{ " in html
    assert not context.errors


@pytest.mark.parametrize(
    "text",
    [
        "!!! note\n    {{ figure tiny#boundary }}",
        "!!! note\n    Text:\n\n    {{ figure tiny#boundary }}\n\n    More.",
        "- point\n\n    {{ figure tiny#boundary }}",
        '??? success "Solution"\n    {{ figure tiny#boundary }}',
        '=== "NumPy"\n\n    {{ figure tiny#boundary }}',
    ],
)
def test_an_embed_inside_a_box(book: Book, text: str) -> None:
    """Admonitions, lists, folded blocks and tabs can hold embeds."""
    extensions = (
        "admonition",
        "pymdownx.superfences",
        "pymdownx.details",
        "pymdownx.tabbed",
    )
    html, context, _ = convert(text, book, extensions=extensions)
    assert not context.errors
    assert "<p><figure" not in html
    before = html[: html.index("<figure")]
    assert re.search(r"<(div|li|details)\b", before)


def test_a_value_in_a_heading_and_a_table(book: Book) -> None:
    """Values work wherever a line of text does."""
    text = "## At {{ tiny#accuracy:.0% }}\n\n| a |\n| - |\n| {{ tiny#steps }} |\n"
    html, _, _ = convert(text, book)
    assert html.count("data-tutorial") == 2


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{{ figure tinny#boundary }}", "no tutorial 'tinny'. Did you mean 'tiny'?"),
        ("{{ code zzz#a }}", "no tutorial 'zzz'. There are: tiny."),
        ("{{ figure tiny#bondary }}", "labeled 'bondary'. Did you mean 'boundary'?"),
        ("{{ figure tiny#zzz }}", "There are: blind, boundary, quiet, shapes, twice."),
        ("{{ figure tiny#quiet }}", "tiny#quiet draws no figure"),
        (
            "{{ figure tiny#blind }}",
            "tutorials/tiny.py:7: this cell draws a figure that has",
        ),
        ("{{ output tiny#quiet }}", "tiny#quiet prints nothing"),
        ("{{ table tiny#boundary }}", "tiny#boundary shows no table"),
        ("{{ figure tiny }}", "expected TUTORIAL#NAME. Received: 'tiny'"),
        ("{{ picture tiny#boundary }}", "expected one of figure, code, output, table"),
        ("{{ Figure tiny#boundary }}", "Received: 'Figure'. Did you mean 'figure'?"),
        ("{{ figure tiny#boundary again }}", "has no cell labeled 'boundary again'"),
        ("{{ tiny#accuracy :.2f }}", "without a space before the colon"),
        ("a {{ tiny#acuracy }}", "no value 'acuracy'. Did you mean 'accuracy'?"),
        (
            "a {{ tiny#word:.3f }}",
            "the format '.3f' does not fit tiny#word, which is 'yes'",
        ),
        ("a {{ tiny#blank }}", "tiny#blank is an empty text"),
    ],
)
def test_what_does_not_exist_is_an_error(book: Book, written: str, message: str) -> None:
    """It says what was asked for and what there is, and the page's errors are collected."""
    html, context, _ = convert(f"{written}\n\n{written}", book)
    assert len(context.errors) == 2
    embed, why = context.errors[0]
    assert embed in written
    assert message in why
    assert "{{" not in html


def test_while_a_tutorial_runs(book: Book) -> None:
    """Its embeds say so, with a link, and names are checked all the same."""
    running = Book(book.notebooks, {"tiny": "running"})
    html, context, _ = convert(
        "{{ figure tiny#boundary }}\n\nIs {{ tiny#accuracy }}\n\n{{ figure tiny#x }}",
        running,
    )
    assert '<p class="lab-waiting lab-running" data-tutorial="tiny#boundary"' in html
    assert "is running" in html
    assert 'data-tutorial="tiny#accuracy"' in html
    assert "0.97" not in html
    assert [written for written, _ in context.errors] == ["{{ figure tiny#x }}"]


def test_when_a_tutorial_failed() -> None:
    """Any name is let through, since the tutorial may be past reading."""
    failed = Book({"tiny": notebook(prose("# tiny"))}, {"tiny": "failed"}, {"tiny": "why"})
    html, context, _ = convert("{{ code tiny#a }}\n\nIs {{ tiny#accuracy:.1f }}", failed)
    assert "failed. <a href=" in html
    assert "…" in html
    assert not context.errors


def test_a_value_that_holds_no_format(book: Book) -> None:
    """A name without a tutorial is refused."""
    with pytest.raises(EmbedError, match="expected TUTORIAL#NAME"):
        book.value("accuracy")


@pytest.mark.parametrize("text", ["See {{ output tiny#boundary }}", "A\n- {{figure tiny#x}} here"])
def test_a_block_within_a_line_is_an_error(book: Book, text: str) -> None:
    """It is not left as it is written; in code it is."""
    html, context, _ = convert(text, book)
    assert "{{" not in html
    ((written, why),) = context.errors
    assert written in text
    assert "on a line of its own" in why
    _, context, _ = convert("See `{{ output tiny#boundary }}`", book)
    assert not context.errors


def test_a_negative_number_has_a_minus_sign() -> None:
    """Words keep their hyphens."""
    made = code("f()", values=["low", "word"], outcome={"low": -1.5, "word": "one-way"})
    html, _, _ = convert("{{ t#low:.1f }} {{ t#word }}", Book({"t": notebook(made)}))
    assert ">\N{MINUS SIGN}1.5</a>" in html
    assert ">one-way</a>" in html
