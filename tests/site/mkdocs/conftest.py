"""A small site in a temporary folder, to build for real."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = """
site_name: Small
repo_url: https://github.com/someone/something
edit_uri: edit/main/docs/
nav: [index.md, chapter.md, api.md, Tutorials: [tutorials/index.md, tutorials/*.py]]
theme:
  name: labkit
  font: false
  logo: logo.svg
  features: [content.action.edit, navigation.footer, navigation.instant, navigation.tabs]
  palette: {primary: custom, accent: custom}
plugins:
  - material/search
  - labkit
  - mkdocs-jupyter: {include: ["*.ipynb"], ignore: ["*.md"], ignore_h1_titles: true, cache: false}
  - autorefs
  - mkdocstrings:
      handlers: {python: {paths: [.], options: {backlinks: flat}}}
markdown_extensions:
  - admonition
  - toc: {permalink: true}
  - pymdownx.superfences
"""
TINY = """# %% [markdown]
# # A tiny tutorial
#
# It draws *one* line, as the [chapter](../chapter.md) says. And more.
#
# !!! note "Look"
#     Here $a^2$ and `labkit.layers.Dense`.

# %%
from pathlib import Path

import labkit as keras
from IPython.display import SVG

# %% [markdown]
# ## The `boundary` of it

# %% label="boundary" alt="A line that rises." caption="It rises." values="accuracy"
accuracy = 0.97251
keras.layers.Dense(3)
print("the only line")
SVG('<svg xmlns="http://www.w3.org/2000/svg" width="90pt" height="45pt">'
    '<path d="M0 9L9 0" stroke="#0b6bcb"/></svg>')

# %% [markdown]
# ## Fails

# %% label="fails"
try:
    int("x")
except ValueError as error:
    print(error)

# %% label="answer" tags=["solution"]
assert 6 * 7 == 42
"""
CHAPTER = """---
title: The chapter
description: What it says.
---

# The chapter

## A line

{{ figure tiny#boundary }}

It is right in {{ tiny#accuracy:.1%}} of all cases: [see](tutorials/tiny.py#boundary).

```
{{ figure tiny#boundary }}
```
"""


class Site:
    """A small site in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("mkdocs.yml", CONFIG)
        self.write("docs/logo.svg", '<svg xmlns="http://www.w3.org/2000/svg"/>')
        self.write("docs/index.md", "# Home\n\nHello.\n")
        self.write("docs/chapter.md", CHAPTER)
        self.write("docs/api.md", "# API\n\n::: labkit.layers.Dense\n    handler: python\n")
        self.write("docs/tutorials/index.md", "# Tutorials\n\n{{ tutorials }}\n")
        self.write("labkit/__init__.py", "from . import layers\n")
        self.write("labkit/layers.py", 'class Dense(int):\n    """A dense layer."""\n')
        self.write("tutorials/tiny.py", TINY)

    def write(self, path: str, text: str) -> None:
        """Write a file, making its folders."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def read(self, path: str) -> str:
        """Return the text of a file, such as `site/index.html`."""
        return (self.root / path).read_text()

    def command(self, *arguments: str) -> list[str]:
        """Return MkDocs's command line; with `-m` it would import the site's labkit."""
        return [str(Path(sys.executable).with_name("mkdocs")), *arguments]

    def build(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Build the site; what it said is in `stderr`."""
        return subprocess.run(
            self.command("build", *arguments),
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )

    def refused(self, *arguments: str) -> str:
        """Build a site that is wrong; return what is said of it, which is no traceback."""
        done = self.build(*arguments)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        return done.stderr

    def sources(self) -> dict[str, bytes]:
        """Return every file of docs/ and tutorials/."""
        return {
            str(path): path.read_bytes()
            for folder in ("docs", "tutorials")
            for path in (self.root / folder).rglob("*")
            if path.is_file()
        }


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return a site that has been built strictly, for tests that only read it."""
    made = Site(tmp_path_factory.mktemp("site") / "book")
    before = made.sources()
    done = made.build("--strict")
    assert done.returncode == 0, done.stderr
    assert made.sources() == before
    return made


@pytest.fixture
def small(built: Site, tmp_path: Path) -> Site:
    """Return a copy of that site, with its cache, for tests that change it."""
    shutil.copytree(built.root, tmp_path / "book")
    copy = object.__new__(Site)
    copy.root = tmp_path / "book"
    return copy
