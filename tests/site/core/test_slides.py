"""The zip file of all figures."""

import base64
import csv
import io
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image

from labkit.site.core import slides
from labkit.site.core.tutorial import Tutorial

from ..pages import SVG, code, notebook, prose, shown


def png() -> str:
    """Return a small image as base64."""
    file = io.BytesIO()
    Image.new("RGB", (4, 2), "red").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.fixture
def tutorial(tmp_path: Path) -> Tutorial:
    """A tutorial of the part `data`."""
    return Tutorial("cars", tmp_path / "tutorials" / "data" / "cars.py", "", tmp_path)


def test_each_figure_is_there_with_its_description(tutorial: Tutorial, tmp_path: Path) -> None:
    """A drawing is there as SVG and three times as large as PNG, an image as it is."""
    drawn = code("", shown(svg=SVG), label="line", alt='A "line".', caption="It rises.")
    image = code("", shown(png=png()), alt="Red.")
    target = tmp_path / "figures.zip"
    assert slides.write({tutorial: notebook(prose("# T"), drawn, image)}, target) == 2
    with ZipFile(target) as archive:
        names = set(archive.namelist())
        rows = list(csv.DictReader(io.StringIO(archive.read("figures.csv").decode())))
        picture = Image.open(io.BytesIO(archive.read("data/cars/line.png")))
        assert "CC BY 4.0" in archive.read("README.txt").decode()
        assert archive.read("data/cars/cell_2.png") == base64.b64decode(png())
    drawings = {"data/cars/line.svg", "data/cars/line.png"}
    assert names == {"README.txt", "figures.csv", "data/cars/cell_2.png", *drawings}
    assert picture.size == (3 * 48, 3 * 24)
    assert rows[0] == {
        "file": "data/cars/line.svg", "description": 'A "line".', "caption": "It rises.",
    }  # fmt: skip


def test_a_failure_leaves_the_old_file(
    tutorial: Tutorial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a figure cannot be written, the zip file is what it was, and nothing lies beside."""
    target = tmp_path / "figures.zip"
    target.write_text("old")

    def fail(svg: str, width: int) -> bytes:
        raise OSError("no space left")

    monkeypatch.setattr(slides, "raster", fail)
    with pytest.raises(OSError, match="no space"):
        slides.write({tutorial: notebook(prose("# T"), code("", shown(svg=SVG), alt="A"))}, target)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["figures.zip"]
