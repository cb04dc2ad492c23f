"""A small book with every mark of an author, on the real site's settings, theme and assets."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAV = """nav:
  - Home: index.md
  - Part: [part/first.md, part/second.md, part/other.md]
  - Glossary: [glossary.md]
  - Tutorials: [tutorials/index.md, tutorials/*.py]
"""
INDEX = """# Home

## The map

{{ map }}

{{ paths }}

[Your place](place.md)
"""
FIRST = r"""---
title: The first chapter
description: What comes first.
goals: ["draw *a line*"]
---

# The first chapter

It [overfits](term:overfitting), as [@glorot2010] say. {{ ref first#line }} and
{{ ref table first#sizes }} show it, {{ ref majority }} asks for it, $\eqref{eq:line}$ defines it.
The next is {{ ref second-look }}.

{{ figure first#line }}

{{ table first#sizes }}

$$
y = a x + b \label{eq:line}
$$

{{ code first#line }}

## Questions

/// quiz
Which of these can *one* neuron learn?

- [x] *and*
  A line parts the one point from the other three.
- [ ] exclusive or, with {{ first#weights }} [weights](term:weight)
  No line has the two ones on one side.
- [ ] $x^2$
  It is no line.
///

/// quiz
How many weights are there?

= {{ first#weights }} ± 0.5

Count them.
///

/// quiz
In which order does training go?

1. forward
2. loss
3. backward
4. step

Each needs what the one before computed.
///

## Exercises

/// exercise | majority
Find weights for a majority of three.

??? success "Solution"
    {{ code first#answer }}
///

## Sources

{{ sources }}
"""
SECOND = """---
title: The second chapter, which builds on it
description: What comes next.
needs: [first]
goals: [go on]
---

# The second chapter, which builds on it

Words.

/// exercise | second-look
Look twice.
///
"""
OTHER = """---
description: What comes beside it.
needs: [first]
goals: [go on]
---

# Another chapter

Words.
"""
TUTORIAL = """# %% [markdown]
# # The first tutorial
#
# It draws a line.

# %% label="line" alt="A line that rises." caption="It rises." values="weights"
from IPython.display import HTML, SVG
weights = 1234
SVG('<svg xmlns="http://www.w3.org/2000/svg" width="90pt" height="45pt">'
    '<path d="M0 9L9 0" stroke="#0b6bcb"/></svg>')

# %% label="sizes"
HTML("<table><thead><tr><th>n</th><th>k</th></tr></thead>"
     "<tbody><tr><td>1</td><td>2</td></tr></tbody></table>")

# %% label="answer" tags=["solution"]
assert 6 * 7 == 42
"""
SOURCES = """@article{glorot2010,
  author = {Glorot, Xavier and Bengio, Yoshua}, title = {On Training Deep Networks},
  journal = {A Journal}, year = {2010}, url = {https://example.org/glorot}}
"""
FILES = {
    "docs/index.md": INDEX,
    "docs/part/first.md": FIRST,
    "docs/part/second.md": SECOND,
    "docs/part/other.md": OTHER,
    "docs/glossary.md": "# Glossary\n\n{{ glossary }}\n",
    "docs/glossary.yml": 'overfitting: {meaning: "It repeats.", explained: part/first.md}\n'
    'weight: {meaning: "It multiplies.", explained: part/first.md}\n',
    "docs/paths.yml": "[{title: A path, why: It is short., chapters: [first, second]}]\n",
    "docs/references.bib": SOURCES,
    "docs/tutorials/index.md": "# Tutorials\n\n{{ tutorials }}\n",
    "tutorials/part/first.py": TUTORIAL,
}


def write(root: Path) -> None:
    """Write the book's sources into a folder."""
    for path, text in FILES.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    settings = (ROOT / "mkdocs.yml").read_text("utf-8")
    before, _, rest = settings.partition("nav:\n")
    theme = rest[rest.index("\ntheme:\n") :]
    (root / "mkdocs.yml").write_text(f"{before}{NAV}{theme}", "utf-8")
    for shared in ["labkit", "docs/assets", "docs/place.md"]:
        (root / shared).symlink_to(ROOT / shared)


def build(root: Path, name: str, **settings: str) -> Path:
    """Build the book strictly; return the site's folder."""
    command = [str(Path(sys.executable).with_name("mkdocs")), "build", "--strict", "-d", name]
    done = subprocess.run(
        command, cwd=root, env=os.environ | settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return root / name
