"""The core and the Markdown extensions serve another generator: they need nothing of MkDocs."""

import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from markdown import Markdown

from labkit.site.core.book import Book, EmbedError

from ..pages import SVG, code, notebook, prose, shown

ALONE = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"mkdocs", "material", "mkdocs_jupyter", "mkdocstrings",
                                      "mkdocs_autorefs", "nbconvert"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())
import pkgutil, importlib
import labkit.site.core, labkit.site.markdown, labkit.site.__main__
for package in (labkit.site.core, labkit.site.markdown):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
from markdown import Markdown
from labkit.site.core.book import Book
extensions = ["labkit.embed", "labkit.math", "labkit.references"]
md = Markdown(extensions=extensions, extension_configs={"labkit.embed": {"book": Book({})}})
print(md.convert("# A title\\n\\nSee `labkit.layers.Dense` and $x^2$."))
assert md.title == "A title", md.title
"""


def test_without_mkdocs() -> None:
    """Every module is imported, and a page converted, where MkDocs and its like are missing."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert '<autoref identifier="labkit.layers.Dense">' in done.stdout
    assert "<math" in done.stdout


def book() -> Book:
    """Return a book with one figure."""
    cell = code("f()", shown(svg=SVG), label="f", alt="A line.", values=["v"], outcome={"v": 1})
    return Book({"t": notebook(prose("# T"), cell)}, places={"t": "tutorials/a/t"})


def test_extensions_are_loaded_by_name() -> None:
    """They are published, and configured as any extension is."""
    names = {point.name for point in entry_points(group="markdown.extensions")}
    assert {"labkit.embed", "labkit.math", "labkit.references", "labkit.title"} <= names
    settings = {"book": book(), "page": "a/t.md", "link": lambda path: f"/{path}"}
    configs = {"labkit.embed": settings}
    page = Markdown(extensions=["labkit.embed"], extension_configs=configs).convert(
        "{{ figure t#f }}\n\nIt is {{ t#v }}."
    )
    assert 'src="/tutorials/a/t/f.svg"' in page
    assert 'href="/tutorials/a/t.py#f"' in page


def test_what_is_wrong_is_raised_where_no_plugin_reports_it() -> None:
    """All of it, as it was written."""
    configs = {"labkit.embed": {"book": book()}}
    md = Markdown(extensions=["labkit.embed"], extension_configs=configs)
    with pytest.raises(EmbedError, match=r"(?s)\{\{ figure t#g }}: .*\{\{ x }} is no embed"):
        md.convert("{{ figure t#g }}\n\nText {{ x }}.")
    assert "<p>Text.</p>" in md.reset().convert("Text.")
