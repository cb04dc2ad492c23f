"""API names become references, in the text and for a tutorial's code."""

import pytest

from labkit.site.core.book import Book
from labkit.site.markdown.references import uses

from ..pages import code, convert, notebook, prose


@pytest.mark.parametrize("name", ["labkit.layers.Dense", "labkit.stats.pearsonr(x, y)"])
def test_an_api_name_in_backticks_becomes_a_reference(name: str) -> None:
    """It is left to mkdocs-autorefs, under the name without its arguments."""
    html, _, _ = convert(f"See `{name}`, please.", Book({}))
    identifier = name.partition("(")[0]
    reference = f'<autoref identifier="{identifier}"><code>{name}</code></autoref>'
    assert html == f"<p>See {reference}, please.</p>"


def test_a_method_of_a_class_at_the_top_is_found_in_its_module() -> None:
    """The reference has it with the class that defines it, in its own module."""
    html, _, _ = convert("`labkit.Sequential.fit`", Book({}))
    reference = '<autoref identifier="labkit.models.trainer.Trainer.fit">'
    assert html == f"<p>{reference}<code>labkit.Sequential.fit</code></autoref></p>"


@pytest.mark.parametrize(
    "text",
    ["`labkit`", "`keras.layers.Dense`", "`from labkit.layers import Dense`",
     "[`labkit.layers.Dense`](https://example.org)", "# `labkit.layers.Dense`",
     "```\nlabkit.layers.Dense\n```"],
)  # fmt: skip
def test_other_code_does_not(text: str) -> None:
    """Other names, links, headings and blocks of code stay as they are."""
    html, _, _ = convert(text, Book({}))
    assert "autoref" not in html


def test_uses_follows_imports() -> None:
    """Aliases count, Keras's own names do not, and each name has its first cell."""
    made = notebook(
        prose("# T"),
        code("import numpy as np\nimport labkit as keras\nfrom labkit import plot as p"),
        code("model = keras.Sequential([keras.layers.Dense(3)])\nmodel.fit(np.ones(3))"),
        code("from labkit.testing import check_gradients\np.curves(ax, keras.layers.Dense)"),
        code("import keras\nkeras.layers.LSTM(2)"),
    )
    assert uses(made) == {
        "labkit.Sequential": 2,
        "labkit.layers.Dense": 2,
        "labkit.testing.check_gradients": 3,
        "labkit.plot.curves": 3,
    }


def test_uses_looks_inside_calls() -> None:
    """A name in the middle of an expression is found."""
    made = notebook(code("import labkit as k\nf(k.losses.Huber()(a, b)).x[k.stats.mean]"))
    assert set(uses(made)) == {"labkit.losses.Huber", "labkit.stats.mean"}
