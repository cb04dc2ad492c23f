"""What a page of the reference depends on."""

from pathlib import Path

import griffe
import pytest

from labkit.site.mkdocs.reference import sources


@pytest.fixture
def package(tmp_path: Path) -> griffe.Object:
    """Return a package, read but not imported, of modules that use each other."""
    files = {
        "__init__.py": "from . import shown\n",
        "base.py": "class Base:\n    def inherited(self): ...\n",
        "shown.py": "from . import helper\nfrom .base import Base\nfrom .part import used\n"
        '__all__ = ["Class", "used"]\nclass Class(Base): ...\n',
        "helper.py": "x = 1\n",
        "part.py": "def used(): ...\n",
        "other/__init__.py": "",
        "other/inside.py": "y = 1\n",
    }
    for name, text in files.items():
        path = tmp_path / "pack" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    loaded = griffe.load("pack", search_paths=[tmp_path], allow_inspection=False)
    assert isinstance(loaded, griffe.Object)
    return loaded


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("shown", ["__init__.py", "base.py", "part.py", "shown.py"]),
        ("shown.Class", ["__init__.py", "base.py", "shown.py"]),
        ("helper.x", ["__init__.py", "helper.py"]),
        ("other", ["__init__.py", "inside.py"]),
    ],
)
def test_sources_are_what_is_shown_exported_and_inherited(
    package: griffe.Object, name: str, files: list[str]
) -> None:
    """What a module only uses is not shown on its page."""
    assert sorted({Path(path).name for path in sources(package[name])}) == files
