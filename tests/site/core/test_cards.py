"""The pictures that other sites show beside a link."""

import io
from pathlib import Path

import pytest
from PIL import Image

from labkit.site.core import cards
from labkit.site.core.figures import Figure

from ..pages import SVG

FIGURE = Figure("line", "svg", SVG, 48, 24)


@pytest.mark.parametrize("figure", [FIGURE, None])
def test_a_card_has_the_size_that_networks_ask_for(figure: Figure | None) -> None:
    """It is an image of 1200 × 630 pixels, with a figure or without, whatever the title holds."""
    made = cards.card("What $x costs & why a long title needs lines", "Book · Part", figure)
    picture = Image.open(io.BytesIO(made))
    assert picture.size == (1200, 630)
    assert len(set(picture.convert("L").tobytes())) > 20


def test_a_card_is_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next build takes over what was drawn; another title is drawn anew."""
    first = cards.kept(tmp_path, "One", "Book", FIGURE)
    monkeypatch.setattr(cards, "card", lambda *_: b"new")
    assert cards.kept(tmp_path, "One", "Book", FIGURE) == first
    assert cards.kept(tmp_path, "Two", "Book", FIGURE) == b"new"
