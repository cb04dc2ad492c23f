"""Thumbnails: small pictures of a tutorial's first figure."""

import base64
import io

from PIL import Image

from labkit._palette import PALETTE
from labkit.site.core.thumbnails import made, thumbnails

from ..pages import code, notebook, printed, prose, shown

INK, PAPER = PALETTE["ink"], PALETTE["paper"]
DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="600pt" height="200pt">'
    f'<rect width="600pt" height="200pt" fill="{INK[0]}"/></svg>'
)


def color(content: bytes) -> str:
    """Return the color in the middle of a picture."""
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    middle = picture.getpixel((picture.width // 2, picture.height // 2))
    assert isinstance(middle, tuple)
    return "#" + "".join(f"{part:02x}" for part in middle)


def test_a_drawing_has_one_for_each_page() -> None:
    """It is small, and in the colors of its page; the second figure has none."""
    cells = [prose("# T"), code("", printed("x")), code("", shown(svg=DRAWING))]
    other = code("", shown(svg=DRAWING.replace(INK[0], PAPER[0])))
    drawn = notebook(*cells, other)
    drawn.metadata["labkit"]["thumbnail"] = made(drawn)
    light, dark = thumbnails(drawn)
    assert (light.file, light.width, light.height) == ("thumbnail_light.webp", 320, 107)
    assert (dark.file, dark.width, dark.height) == ("thumbnail_dark.webp", 320, 107)
    for thumbnail, wanted in ((light, INK[0]), (dark, INK[1])):
        assert distance(color(thumbnail.content), wanted) < 8  # WebP keeps colors nearly
        assert len(thumbnail.content) < 15_000


def distance(one: str, other: str) -> int:
    """Return the largest difference between the parts of two colors."""
    starts = (1, 3, 5)
    return max(abs(int(one[i : i + 2], 16) - int(other[i : i + 2], 16)) for i in starts)


def test_what_is_transparent_is_paper() -> None:
    """Transparency would treble the weight of a thumbnail."""
    empty = DRAWING.replace(f'fill="{INK[0]}"', 'fill="none"')
    drawn = notebook(code("", shown(svg=empty)))
    drawn.metadata["labkit"]["thumbnail"] = made(drawn)
    for thumbnail, paper in zip(thumbnails(drawn), PAPER, strict=True):
        assert Image.open(io.BytesIO(thumbnail.content)).mode == "RGB"
        assert distance(color(thumbnail.content), paper) < 8


def test_an_image_of_pixels_has_one_for_both_pages() -> None:
    """It is not larger than the image."""
    file = io.BytesIO()
    Image.new("RGB", (64, 32), "red").save(file, "PNG")
    png = base64.b64encode(file.getvalue()).decode()
    drawn = notebook(code("", shown(png=png)))
    drawn.metadata["labkit"]["thumbnail"] = made(drawn)
    (thumbnail,) = thumbnails(drawn)
    assert (thumbnail.file, thumbnail.width) == ("thumbnail_pixels.webp", 64)


def test_a_tutorial_that_draws_nothing_has_none() -> None:
    """Nor has one that has not run."""
    assert made(notebook(code("", printed("x")))) == {}
    assert list(thumbnails(notebook(prose("# T")))) == []
