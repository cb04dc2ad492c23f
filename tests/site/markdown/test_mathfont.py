"""The font of formulas is small and has what the book's formulas use."""

import unicodedata
from io import BytesIO
from pathlib import Path

from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont
from markdown import Markdown

from labkit.site.markdown.math import MathExtension
from labkit.site.markdown.mathfont import CHARACTERS, PATH, font

DOCS = Path(__file__, "../../../../docs").resolve()


def test_the_font_is_small_and_can_set_formulas(tmp_path: Path) -> None:
    """It has all the characters, taller brackets and sums, and says under which license."""
    content = font(tmp_path)
    assert len(content) < 60_000
    made = TTFont(BytesIO(content))
    assert set(map(ord, CHARACTERS)) <= set(made.getBestCmap())
    assert made["MATH"].table.MathConstants.SubscriptShiftDown.Value > 0
    assert made["MATH"].table.MathVariants.VertGlyphCount > 10
    assert "SIL Open Font License" in str(made["name"].getDebugName(13))


def test_the_font_is_kept(tmp_path: Path) -> None:
    """The next build reads what this one made."""
    font(tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(b"kept")
    assert font(tmp_path) == b"kept"


def test_the_stylesheet_loads_it() -> None:
    """Both name the same file."""
    sheet = (DOCS / "assets/site.css").read_text("utf-8")
    assert f'url("{Path(PATH).name}")' in sheet


def test_the_font_has_what_the_chapters_use() -> None:
    """A character from another font would stand out; add it to CHARACTERS."""
    md = Markdown(extensions=["pymdownx.superfences", MathExtension(strict=False)])
    used = {}
    for page in DOCS.rglob("*.md"):
        for formula in BeautifulSoup(md.reset().convert(page.read_text("utf-8")), "html.parser")(
            "math"
        ):
            used |= dict.fromkeys(formula.get_text(), page.name)
    assert len(used) > 80
    missing = {
        f"{unicodedata.name(c, repr(c))} in {page}"
        for c, page in used.items()
        if c not in CHARACTERS
    }
    assert missing <= {"'\\n'"}, missing
