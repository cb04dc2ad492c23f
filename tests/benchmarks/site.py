"""Time and memory of building and serving the site, as ratios and medians.

Run it with `python tests/benchmarks/site.py PART...`; `--help` lists the parts. It knows the
command line alone, as an author does. Builds that are compared take turns, so that whatever
else the machine does hits them alike. Generated tutorials run once: with `--folder` they are
kept, with their runs, for the next time.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BOOK = ("docs", "labkit", "tutorials", "mkdocs.yml")
PART_SIZE = 10  # tutorials in a part of a generated book
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
  - mkdocs-jupyter: {include: ["*.ipynb"], ignore: ["*.md"], ignore_h1_titles: true, cache: false}
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
CELLS, DRAWINGS = 24, (3, 13)
PATH = "9 8L" * 3000
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="518pt" height="220pt">'
    f'<path d="M{PATH}9 8"/></svg>'
)
SHOWN = f"""from IPython.display import SVG
SVG({SVG.replace(PATH, "{}")!r}.format({PATH[:4]!r} * {len(PATH) // 4}))"""


@dataclass
class Build:
    """What one command took: seconds by the clock, and bytes at the peak."""

    seconds: float
    memory: int


def timed(folder: Path, *command: str) -> Build:
    """Run a command of Python in a folder."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", *command], cwd=folder, stderr=subprocess.PIPE)
    assert process.stderr is not None  # a pipe, as asked for
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        raise SystemExit(f"{' '.join(command)} in {folder} failed:\n{said}")
    return Build(seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def build(folder: Path) -> Build:
    """Build the site in a folder."""
    return timed(folder, "mkdocs", "build", "--quiet")


def in_turns(folders: dict[str, Path], rounds: int) -> dict[str, list[Build]]:
    """Build each site once in vain, and then all of them in turns."""
    for folder in folders.values():
        build(folder)
    found: dict[str, list[Build]] = {name: [] for name in folders}
    for _ in range(rounds):
        for name, folder in folders.items():
            found[name].append(build(folder))
    return found


def site(folder: Path, config: str) -> None:
    """Make a site that has a home page alone, in place of an earlier one."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "docs").mkdir(parents=True)
    (folder / "docs" / "index.md").write_text("# Home\n", "utf-8")
    (folder / "mkdocs.yml").write_text(config, "utf-8")


def book(folder: Path, *, runs: bool) -> Path:
    """Copy the real book, with the runs that its cache holds or without."""
    for name in (*BOOK, *([".cache"] if runs else [])):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True)
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, folder / name)
    return folder


def cold(folder: Path, options: argparse.Namespace) -> None:
    """Compare a first build of the book's tutorials with mkdocs-jupyter's."""
    tutorials = sorted((ROOT / "tutorials").glob("*/*.py"))
    ratios = []
    for number in range(options.rounds):
        for name, config, pages in (("ours", OURS, "tutorials"), ("theirs", THEIRS, "docs")):
            site(folder / f"{number}-{name}", config)
            for path in tutorials:
                target = folder / f"{number}-{name}" / pages / path.relative_to(ROOT / "tutorials")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
        ours, theirs = (build(folder / f"{number}-{name}") for name in ("ours", "theirs"))
        print(f"  labkit.site {ours.seconds:6.1f} s   mkdocs-jupyter {theirs.seconds:6.1f} s")
        ratios.append(ours.seconds / theirs.seconds)
    print(f"cold build of {len(tutorials)} tutorials, {os.cpu_count()} cores:")
    compare("  ratio to mkdocs-jupyter's", statistics.median(ratios), 0.5)


def warm(folder: Path, options: argparse.Namespace) -> None:
    """Time the real site's build with every tutorial cached."""
    builds = in_turns({"book": book(folder / "book", runs=True)}, options.rounds)["book"]
    print(f"warm build of the real site, {count_pages(folder / 'book')} pages:")
    compare("  seconds", statistics.median(each.seconds for each in builds), 3)


def many(folder: Path, options: argparse.Namespace) -> None:
    """Compare cached tutorials with plain Markdown pages, as they become more."""
    print(f"generated tutorials of {CELLS} cells and two figures, against plain pages:")
    for count in options.counts:
        place = generate(folder / f"many-{count}", count)
        first = timed(place / "ours", "labkit.site", "run")
        builds = in_turns({name: place / name for name in ("ours", "plain")}, options.rounds)
        ours, plain = (statistics.median(b.seconds for b in each) for each in builds.values())
        memory = [max(b.memory for b in each) / 1e6 for each in builds.values()]
        print(f"  {count} tutorials, of which the missing ones ran in {first.seconds:.0f} s:")
        print(f"       warm {ours:.2f} s, plain {plain:.2f} s; ", end="")
        print(f"peak {memory[0]:.0f} and {memory[1]:.0f} MB")
        compare("       ratio", ours / plain, 1.3)


def serve(folder: Path, options: argparse.Namespace) -> None:
    """Time `mkdocs serve` of the real site: the first page, and an edit of prose."""
    for runs in (True, False):
        place = book(folder / f"serve-{runs}", runs=runs)
        pages, edits = [], []
        for number in range(options.rounds):
            started = time.perf_counter()
            with serving(place) as address:
                fetch_until(address + "index.html", lambda text: "</html>" in text)
                pages.append(time.perf_counter() - started)
                if runs:
                    edits += [edit(place, address, f"word{number}{turn}") for turn in range(3)]
        print(f"mkdocs serve of the real site, {'warm' if runs else 'cold'}:")
        compare("  seconds to the first page", statistics.median(pages), 5)
        if edits:
            compare("  seconds for an edit of prose", statistics.median(edits), 1.5)


def edit(folder: Path, address: str, word: str) -> float:
    """Add a word to a chapter; return how long it takes to be served."""
    chapter = folder / "docs" / "foundations" / "neurons.md"
    fetch_until(address + "foundations/neurons/", lambda text: "</html>" in text)
    time.sleep(2)  # for the watcher to be at rest, as while an author writes
    started = time.perf_counter()
    chapter.write_text(chapter.read_text("utf-8") + f"\n{word}\n", "utf-8")
    fetch_until(address + "foundations/neurons/", lambda text: word in text)
    return time.perf_counter() - started


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a site; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [sys.executable, "-m", "mkdocs", "serve", "--quiet", "--dev-addr", place]
    process = subprocess.Popen(command, cwd=folder, start_new_session=True)
    try:
        yield f"http://{place}/"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def fetch_until(address: str, holds: Callable[[str], bool]) -> None:
    """Fetch a page until it is as expected."""
    deadline = time.perf_counter() + 300
    while time.perf_counter() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:
                if holds(answer.read().decode()):
                    return
        except OSError:  # it does not listen yet, or builds
            pass
        time.sleep(0.02)
    raise SystemExit(f"{address} was not served as expected within five minutes")


def start(folder: Path, options: argparse.Namespace) -> None:
    """Time what a tutorial costs that does nothing: its kernel, beside a bare Python."""
    place = folder / "start"
    site(place, OURS)
    tutorials = place / "tutorials" / "part"
    tutorials.mkdir(parents=True)
    for number in range(PART_SIZE):
        (tutorials / f"t{number}.py").write_text(f"# %%\nprint({number})\n", "utf-8")
    found: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        for name, command in {
            "one tutorial at a time": ("labkit.site", "run", "--jobs", "1"),
            "two at a time": ("labkit.site", "run", "--jobs", "2"),
            "nothing, all cached": ("labkit.site", "run"),
        }.items():
            if "cached" not in name:
                timed(place, "labkit.site", "clean")
            found.setdefault(name, []).append(timed(place, *command).seconds)
    print(f"{PART_SIZE} tutorials that print a number:")
    for name, seconds in found.items():
        print(f"  {name:24} {statistics.median(seconds):6.2f} s")


def tutorial(number: int) -> str:
    """Return a generated tutorial."""
    parts = [f"# %% [markdown]\n# # Tutorial {number}\n#\n# A page among many."]
    for cell in range(CELLS):
        text = "\n".join(f"# {line}" if line else "#" for line in prose(number, cell))
        alt = ' alt="A zigzag line."' if cell in DRAWINGS else ""
        parts.append(f"# %% [markdown]\n{text}")
        parts.append(f'# %% label="step-{cell}"{alt}\n{code(number, cell)}')
    return "\n\n".join(parts) + "\n"


def twin(number: int) -> str:
    """Return the page that an author without labkit.site would write of a tutorial."""
    parts = [f"# Tutorial {number}\n\nA page among many."]
    for cell in range(CELLS):
        parts.append("\n".join(prose(number, cell)))
        parts.append(f"```python\n{code(number, cell)}\n```")
        parts.append(f"```\nstep {cell} {cell + number + 1}\n```")
        if cell in DRAWINGS:
            size = "{ width=518 height=220 loading=lazy }"
            parts.append(f"![A zigzag line.](t{number}-{cell}.svg){size}")
    return "\n\n".join(parts) + "\n"


def prose(number: int, cell: int) -> list[str]:
    """Return the lines of text before a cell."""
    return [
        f"## Step {cell}",
        "",
        f"What step {cell} does, said in *one* sentence or two, with `code` and a "
        f"[link](../../index.md), number {number}.",
    ]


def code(number: int, cell: int) -> str:
    """Return the code of a cell."""
    lines = [f"x{line} = [{cell} + {number}, 'text']  # a comment" for line in range(4)]
    lines.append(f'print("step {cell}", sum([x0[0], 1]))')
    return "\n".join([*lines, *([SHOWN] if cell in DRAWINGS else [])])


def generate(folder: Path, count: int) -> Path:
    """Make the same pages twice, in parts: as tutorials and as plain Markdown."""
    if folder.exists():  # kept from an earlier time, with its runs
        return folder
    groups = [range(count)[first : first + PART_SIZE] for first in range(0, count, PART_SIZE)]
    for name, config, place, ending in (
        ("ours", OURS, "tutorials", "py"),
        ("plain", PLAIN, "docs/tutorials", "md"),
    ):
        nav = "nav:\n  - index.md\n"
        for part, numbers in enumerate(groups):
            pages = ", ".join(f"tutorials/part{part}/t{number}.{ending}" for number in numbers)
            nav += f"  - Part {part}: [{pages}]\n"
        site(folder / name, config + nav)
        for part, numbers in enumerate(groups):
            target = folder / name / place / f"part{part}"
            target.mkdir(parents=True)
            for number in numbers:
                text = tutorial(number) if ending == "py" else twin(number)
                (target / f"t{number}.{ending}").write_text(text, "utf-8")
                for cell in DRAWINGS if ending == "md" else ():
                    (target / f"t{number}-{cell}.svg").write_text(SVG, "utf-8")
    return folder


def count_pages(folder: Path) -> int:
    """Count the pages of a built site."""
    return len(list((folder / "site").rglob("*.html")))


def compare(what: str, value: float, target: float) -> None:
    """Print a value beside its target."""
    met = "met" if value <= target else "not met"
    print(f"{what:32} {value:6.2f}  (target {target:g}: {met})", flush=True)


PARTS: dict[str, Callable[[Path, argparse.Namespace], None]] = {
    "warm": warm,
    "many": many,
    "cold": cold,
    "serve": serve,
    "start": start,
}


def main(arguments: list[str] | None = None) -> None:
    """Measure what the command line asks for."""
    told = "\n".join(f"  {name:6} {part.__doc__}" for name, part in PARTS.items())
    parser = argparse.ArgumentParser(
        description=f"{__doc__}\nThe parts:\n{told}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; or all")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each build")
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 100, 500])
    parser.add_argument("--folder", type=Path, help="where to keep what is generated and run")
    options = parser.parse_args(arguments)
    if unknown := [part for part in options.parts if part not in PARTS]:
        parser.error(f"expected parts among {', '.join(PARTS)}; received {', '.join(unknown)}")
    with contextlib.ExitStack() as stack:
        scratch = tempfile.TemporaryDirectory(prefix="labkit-benchmark-")
        folder = options.folder or Path(stack.enter_context(scratch))
        folder.mkdir(parents=True, exist_ok=True)
        for part in options.parts or PARTS:
            PARTS[part](folder.resolve(), options)


if __name__ == "__main__":
    main()
