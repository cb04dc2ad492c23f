"""Interactive figures on a page: which scripts it loads, and what data they find."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from labkit.site.core.book import Book, EmbedError
from labkit.site.markdown.elements import files, scripts

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture
def book() -> Book:
    """Return a book whose one tutorial gives one number and one array."""
    text = base64.b64encode(np.float32([1.5]).tobytes()).decode()
    array = {"dtype": "float32", "shape": [1], "base64": text}
    outcome = {"depth": 3, "images": {"one": array}}
    cell = new_code_cell(metadata={"values": list(outcome), "outcome": outcome})
    return Book({"pond": new_notebook(cells=[cell])})


def test_a_page_loads_what_its_figures_need_and_nothing_else(book: Book) -> None:
    """Each script is named once: the shared one, then data, then figures; no tag, none."""
    tag = '<lab-convolution data="pond#images" image="one">text</lab-convolution>'
    html = f"<p>{tag}{tag}<lab-neuron></lab-neuron>&lt;lab-loss&gt;</p>"
    assert scripts(html, book, DOCS) == [
        "assets/js/lab.js",
        "tutorials/pond/images.js",
        "assets/js/lab-convolution.js",
        "assets/js/lab-neuron.js",
    ]
    assert scripts("<p>nothing</p>", book, DOCS) == []


def test_data_is_a_script_that_any_page_may_load(book: Book) -> None:
    """Data is written as one assignment of JSON; numbers for sentences are not written."""
    [(path, content)] = files(book, "pond")
    assert path == "tutorials/pond/images.js"
    start = 'Lab.data["pond#images"] = '
    assert content.startswith(start)
    stored = json.loads(content.removeprefix(start).rstrip(";\n"))
    assert np.frombuffer(base64.b64decode(stored["one"]["base64"]), "float32") == [1.5]


@pytest.mark.parametrize(
    ("tag", "words", "written"),
    [
        ("<lab-nothing></lab-nothing>", "no <lab-nothing>", "<lab-nothing"),
        ("<lab-neurons></lab-neurons>", "nearest figures are: lab-neuron.", "<lab-neurons"),
        (
            '<lab-digit data="pond#image"></lab-digit>',
            "Did you mean 'images'",
            'data="pond#image"',
        ),
    ],
)
def test_a_wrong_name_is_an_error(book: Book, tag: str, words: str, written: str) -> None:
    """An unknown figure and unknown data say what there is instead, and what was written."""
    with pytest.raises(EmbedError, match=words) as error:
        scripts(tag, book, DOCS)
    assert error.value.written == written
