"""The book's own words: what `style.toml` lists appears nowhere in what readers read."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.site.core.tutorial import find
from labkit.site.markdown.faults import outside_code

ROOT = Path(__file__).resolve().parent.parent
AVOID: dict[str, str] = tomllib.loads(Path(__file__).with_name("style.toml").read_text())["avoid"]
CODE = re.compile(r"`[^`]*`|\{\{.*?\}\}|\$[^$]*\$|<https?:[^>]*>|\]\([^)]*\)")


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each line of a page that readers read, with its number."""
    for number, line in outside_code(path.read_text("utf-8")):
        yield number, CODE.sub(" ", line)


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each docstring of a module, with its line."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield getattr(node, "lineno", 1), CODE.sub(" ", text)


def faults(place: str, lines: Iterator[tuple[int, str]]) -> list[str]:
    """Return what the lines of one file hold of the words to avoid."""
    return [
        f"{place}:{number}: {match[0]!r}: {instead}"
        for number, line in lines
        for words, instead in AVOID.items()
        if (match := re.search(words, line, re.IGNORECASE))
    ]


def test_chapters_keep_the_style() -> None:
    """No page of the book uses a word of the list."""
    pages = sorted((ROOT / "docs").rglob("*.md"))
    assert len(pages) > 6
    found = [f for page in pages for f in faults(str(page.relative_to(ROOT)), prose(page))]
    assert not found, "\n".join(found)


def test_tutorials_keep_the_style() -> None:
    """Neither their text nor their captions and alternative texts use one."""
    found, seen = [], 0
    for tutorial in find(ROOT / "tutorials"):
        for cell in tutorial.notebook.cells:
            given = [cell.metadata.get("alt", ""), cell.metadata.get("caption", "")]
            if cell.cell_type == "markdown":
                given.append(cell.source)
            lines = [line for text in given for line in text.split("\n")]
            seen += len(lines)
            numbered = ((cell.metadata["line"], CODE.sub(" ", line)) for line in lines)
            found += faults(tutorial.place, numbered)
    assert seen > 100
    assert not found, "\n".join(found)


def test_docstrings_keep_the_style() -> None:
    """No docstring of the package uses one."""
    modules = sorted((ROOT / "labkit").rglob("*.py"))
    assert len(modules) > 30
    found = [f for path in modules for f in faults(str(path.relative_to(ROOT)), docstrings(path))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("text", "words"),
    [("Its upright edges", "vertical edge"), ("95 % of them", "95%"), ("Data is", "data are")],
)
def test_the_list_finds_what_it_names(text: str, words: str) -> None:
    """A sentence with such a word is reported, with what to write instead."""
    (fault,) = faults("page.md", iter([(3, text)]))
    assert fault.startswith("page.md:3: ")
    assert words in fault
