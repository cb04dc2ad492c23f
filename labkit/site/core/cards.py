"""The pictures that other sites show beside a link to a chapter: its title and its first figure."""

import hashlib
import io
import textwrap
from pathlib import Path

from labkit._palette import PALETTE

from .figures import Figure, raster
from .whole import whole

WIDTH, HEIGHT = 1200, 630  # pixels, as social networks ask for
LINE = 19  # characters of the title on a line


def card(title: str, above: str, figure: Figure | None) -> bytes:
    """Return a PNG file.

    Args:
        title: The chapter's title.
        above: What stands above it: the book and the part.
        figure: What is drawn beside it, if anything.
    """
    import matplotlib.image
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Drawing

    ink, paper, blue = (PALETTE[role][0] for role in ("ink", "paper", "blue"))
    drawing = Drawing(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100, facecolor=paper)
    FigureCanvasAgg(drawing)
    with matplotlib.rc_context({"font.family": "DejaVu Sans", "mathtext.default": "regular"}):
        drawing.text(0.06, 0.84, above.replace("$", r"\$"), color=blue, fontsize=20)
        lines = textwrap.fill(title, LINE).replace("$", r"\$")
        drawing.text(0.06, 0.75, lines, color=ink, fontsize=40, weight="bold", va="top")
        if figure is not None:
            content = figure.content
            if isinstance(content, str):
                content = raster(content, WIDTH // 2)
            axes = drawing.add_axes((0.53, 0.1, 0.43, 0.8))
            axes.imshow(matplotlib.image.imread(io.BytesIO(content)))
            axes.set_axis_off()
        file = io.BytesIO()
        drawing.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def kept(folder: Path, title: str, above: str, figure: Figure | None) -> bytes:
    """Return the card of a chapter, drawn only if no earlier build has drawn it.

    Args:
        folder: Where cards are kept.
        title: The chapter's title.
        above: What stands above it.
        figure: What is drawn beside it, if anything.
    """
    source = Path(__file__).read_bytes()
    shown = repr((title, above, figure and figure.content, PALETTE)).encode()
    path = folder / f"{hashlib.sha256(source + shown).hexdigest()[:32]}.png"
    if path.is_file():
        return path.read_bytes()
    content = card(title, above, figure)
    folder.mkdir(parents=True, exist_ok=True)
    with whole(path) as file:
        file.write_bytes(content)
    return content
