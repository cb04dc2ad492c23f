"""Time and memory of building the site, as ratios, and the size of its pages.

Run it with `python tests/benchmarks/site.py`; `--help` shows the parts. Builds that are
compared take turns, so that whatever else the machine does hits them alike, and the ratios
are those of the medians.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from labkit.site.core import figures
from labkit.site.core.cache import Cache
from labkit.site.core.schedule import run
from labkit.site.core.tutorial import find, read

ROOT = Path(__file__).resolve().parents[2]
MKDOCS = str(Path(sys.executable).with_name("mkdocs"))
THEME = """
site_name: Benchmark
theme: {name: material, font: false, features: [navigation.prune]}
markdown_extensions: [admonition, attr_list, pymdownx.superfences]
"""
OURS = (
    THEME
    + """
plugins:
  - search
  - labkit
  - mkdocs-jupyter: {include: ["tutorials/*/*.py"], ignore: ["*.md"], cache: false}
"""
)
# The defaults of mkdocs-jupyter, but that it executes, and that an error is an error.
THEIRS = (
    THEME
    + """
plugins:
  - search
  - mkdocs-jupyter: {include: ["*.py"], execute: true, allow_errors: false, cache: false}
"""
)
PLAIN = THEME + "plugins: [search]\n"
# Some 200 lines, as a tutorial of the book has, with two figures, and quick to run.
CELLS = 24
DRAWING = (
    """'<svg xmlns="http://www.w3.org/2000/svg" width="518pt" height="220pt">'"""
    """ + '<path d="M' + "9 8L" * 3000 + '9 8"/></svg>'"""
)


@dataclass
class Build:
    """What one build took: seconds by the clock, and bytes at the peak."""

    seconds: float
    memory: int


def build(folder: Path, *arguments: str) -> Build:
    """Build the site in a folder."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [MKDOCS, "build", "--quiet", *arguments], cwd=folder, stderr=subprocess.PIPE
    )
    assert process.stderr is not None  # a pipe, as asked for
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        raise SystemExit(f"the build in {folder} failed:\n{said}")
    return Build(seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def site(folder: Path, config: str, pages: str = "docs") -> Path:
    """Make an empty site; return the folder for its pages."""
    (folder / "docs").mkdir(parents=True)
    (folder / "docs" / "index.md").write_text("# Home\n")
    (folder / "mkdocs.yml").write_text(config)
    (folder / pages).mkdir(exist_ok=True)
    return folder / pages


def cold(folder: Path) -> None:
    """Compare a first build of the book's tutorials with mkdocs-jupyter's."""
    tutorials = sorted((ROOT / "tutorials").glob("*/*.py"))
    for name, config, pages in (("ours", OURS, "tutorials"), ("theirs", THEIRS, "docs")):
        target = site(folder / name, config, pages)
        for path in tutorials:
            shutil.copy(path, target)
    ours, theirs = build(folder / "ours"), build(folder / "theirs")
    print(f"cold build of {len(tutorials)} tutorials, {os.cpu_count()} cores:")
    print(f"  labkit.site                  {ours.seconds:6.1f} s")
    print(f"  mkdocs-jupyter, execute: true {theirs.seconds:5.1f} s")
    compare("  ratio", ours.seconds / theirs.seconds, 0.5)


def warm(folder: Path, rounds: int) -> None:
    """Time the whole site's build with every tutorial cached, and weigh its pages."""
    target = folder / "site"
    arguments = ("--config-file", str(ROOT / "mkdocs.yml"), "--site-dir", str(target))
    build(ROOT, *arguments)
    builds = [build(ROOT, *arguments) for _ in range(rounds)]
    seconds = statistics.median(each.seconds for each in builds)
    print(f"warm build of the whole site, {len(list(target.rglob('*.html')))} pages:")
    compare("  seconds, with Python's start", seconds, 3)
    print("KB of HTML of the tutorial pages:")
    for page in sorted(target.glob("tutorials/*/index.html")):
        size = page.stat().st_size / 1024
        compare(f"  {page.parent.name:12}", size, 40)


def script(number: int) -> str:
    """Return a generated tutorial."""
    parts = [f"# %% [markdown]\n# # Tutorial {number}\n#\n# A page among many."]
    for cell in range(CELLS):
        parts.append(
            f"# %% [markdown]\n# ## Step {cell}\n#\n# What this step does, said in *one* "
            f"sentence or two, with `code` and a [link](../index.md), number {cell}."
        )
        alt = ' alt="A zigzag line."' if cell in (3, 13) else ""
        lines = [f"x{line} = [{cell} + {number}, 'text']  # a comment" for line in range(4)]
        marker = f'# %% label="step-{cell}"{alt}'
        parts.append("\n".join([marker, *lines, f'print("step {cell}", sum([x0[0], 1]))']))
        if alt:
            parts[-1] += f"\nfrom IPython.display import SVG\nSVG({DRAWING})"
    return "\n\n".join(parts) + "\n"


def twin(name: str, book_folder: Path, docs: Path) -> None:
    """Write the page that an author without labkit.site would write of a tutorial."""
    tutorial = read(book_folder / "tutorials" / f"{name}.py")
    notebook = Cache(book_folder / ".cache" / "tutorials").lookup(tutorial)
    assert notebook is not None  # it has been stored
    parts = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for output in cell.outputs:
            if output.output_type == "stream":
                parts.append(f"```\n{output.text}```")
        for drawing in figures.figures(cell, f"{name}-{number}"):
            size = f"{{ width={drawing.width} height={drawing.height} loading=lazy }}"
            parts.append(f"![A zigzag line.]({drawing.name}.svg){size}")
            (docs / f"{drawing.name}.svg").write_text(drawing.svg)
    (docs / f"{name}.md").write_text("\n\n".join(parts))


def many(folder: Path, counts: Iterable[int], rounds: int) -> None:
    """Compare cached tutorials with plain Markdown pages, as they become more."""
    ours: dict[int, list[Build]] = {}
    plain: dict[int, list[Build]] = {}
    sizes = [0, *counts]
    for count in sizes:
        _generate(folder / str(count), count)
        ours[count], plain[count] = [], []
    for _ in range(rounds):
        for count in sizes:
            ours[count].append(build(folder / str(count) / "ours"))
            plain[count].append(build(folder / str(count) / "plain"))
    print(f"a cached tutorial against a plain page, {CELLS} cells and two figures:")
    print("  pages   ms a page: cached  plain  ratio     KB of memory a page: cached  plain")
    for count in sizes[1:]:
        times = [_each(builds, count, lambda b: b.seconds * 1e3) for builds in (ours, plain)]
        bytes_ = [_each(builds, count, lambda b: b.memory / 1e3) for builds in (ours, plain)]
        ratio = times[0] / times[1]
        print(
            f"  {count:5} {times[0]:18.1f} {times[1]:6.1f} {ratio:6.2f} "
            f"{bytes_[0]:31.0f} {bytes_[1]:6.0f}  ({verdict(ratio, 1.3)})"
        )


def _each(builds: dict[int, list[Build]], count: int, part: Callable[[Build], float]) -> float:
    """Return what one page adds: the difference to the site without any."""
    many, none = (statistics.median(map(part, builds[n])) for n in (count, 0))
    return (many - none) / count


def _generate(folder: Path, count: int) -> None:
    """Make the same pages twice: tutorials with their runs in the cache, and plain ones."""
    names = [f"t{number}" for number in range(count)]
    # In groups of ten: a theme that lists every page on every page takes quadratic time.
    groups = [names[start : start + 10] for start in range(0, count, 10)]

    def nav(place: str) -> str:
        lists = [
            f"  - G{number}: [{', '.join(place.format(name) for name in group)}]\n"
            for number, group in enumerate(groups)
        ]
        return "nav:\n  - index.md\n" + "".join(lists)

    tutorials = site(folder / "ours", OURS + nav("tutorials/{}.py"), "tutorials")
    plain = site(folder / "plain", PLAIN + nav("{}.md"))
    for number, name in enumerate(names):
        (tutorials / f"{name}.py").write_text(script(number))
    if not names:
        (tutorials / "only.py").write_text("# %%\n")
    cache = Cache(folder / "ours" / ".cache" / "tutorials")
    first, *others = find(tutorials)
    notebook = run([first], cache)[first.name]
    for tutorial in others:  # one runs for all: their code differs in a number
        executed = tutorial.notebook
        executed.metadata["labkit"] = notebook.metadata["labkit"]
        for cell, ran in zip(executed.cells, notebook.cells, strict=True):
            if cell.cell_type == "code":
                cell.outputs = ran.outputs
        cache.store(tutorial, executed, cache.key(tutorial), ["IPython"], {})
    for name in names:
        twin(name, folder / "ours", plain)


def verdict(value: float, target: float) -> str:
    """Say whether a target is met."""
    return f"target {target:g}: {'met' if value <= target else 'not met'}"


def compare(what: str, value: float, target: float) -> None:
    """Print a value beside its target."""
    print(f"{what:30} {value:6.2f}  ({verdict(value, target)})")


def main(arguments: Iterable[str] | None = None) -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=["warm", "many", "cold"])
    parser.add_argument("--rounds", type=int, default=3, help="turns of each build")
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 100, 500])
    options = parser.parse_args(list(arguments) if arguments is not None else None)
    with tempfile.TemporaryDirectory(prefix="labkit-benchmark-") as name:
        folder = Path(name)
        for part in options.parts:
            if part == "warm":
                warm(folder / part, options.rounds)
            elif part == "many":
                many(folder / part, options.counts, options.rounds)
            else:
                cold(folder / part)


if __name__ == "__main__":
    main()
