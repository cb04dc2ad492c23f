"""Files that are written whole or not at all."""

from pathlib import Path

import pytest

from labkit.site.core.whole import whole


def test_a_file_takes_its_place_when_it_is_written(tmp_path: Path) -> None:
    """Until then the old one stands there, and afterwards nothing lies beside."""
    target = tmp_path / "book.txt"
    target.write_text("old")
    with whole(target) as file:
        file.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    """Half a file is removed."""
    target = tmp_path / "book.txt"
    target.write_text("old")
    with pytest.raises(OSError, match="full"), whole(target) as file:  # noqa: PT012
        file.write_text("ne")
        raise OSError("full")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
