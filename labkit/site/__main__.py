"""`python -m labkit.site`: run, list and clear the executed tutorials, without MkDocs.

Only `zip`, `pdf` and `epub` need MkDocs: they build the whole site.
"""

import argparse
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # they take a moment, and a wrong argument is told at once
    from .core.cache import Cache
    from .core.tutorial import Tutorial


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the process's exit status."""
    options = _parser().parse_args(arguments)
    # So that `kill` ends the kernels in the same way as Ctrl-C.
    terminate = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _command(options)
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        print(
            f"labkit.site needs the package {package}. Install it with the others: "
            '`uv sync`, or `pip install ".[docs]"`.',
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("Stopped. What had finished is cached.", file=sys.stderr)
        return 130
    finally:
        signal.signal(signal.SIGTERM, terminate)


def _parser() -> argparse.ArgumentParser:
    places = argparse.ArgumentParser(add_help=False)
    places.add_argument(
        "--tutorials",
        type=Path,
        default=Path("tutorials"),
        metavar="FOLDER",
        help="their folder, in the repository's root",
    )
    places.add_argument(
        "--cache",
        type=Path,
        metavar="FOLDER",
        help="where results are kept; .cache/tutorials in the root if none is named",
    )
    parser = argparse.ArgumentParser(prog="python -m labkit.site", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", parents=[places], help="run what is not cached")
    run.add_argument("names", nargs="*", metavar="NAME", help="all if none is named")
    run.add_argument("--jobs", type=_count, metavar="N", help="how many at a time, at most")
    run.add_argument(
        "--timeout",
        type=_seconds,
        default=600,
        metavar="SECONDS",
        help="for each tutorial that does not say itself how long it takes",
    )
    commands.add_parser(
        "list", parents=[places], help="name, seconds, and whether it is cached or why not"
    )
    commands.add_parser("clean", parents=[places], help="remove every cached result and page")
    zipped = commands.add_parser("zip", help="build the site for reading from a folder, zipped")
    zipped.add_argument("target", type=_target(".zip"), metavar="FILE.zip")
    pdf = commands.add_parser("pdf", help="print the whole book; needs Chromium")
    pdf.add_argument("target", type=_target(".pdf"), metavar="FILE.pdf")
    epub = commands.add_parser("epub", help="make the whole book for readers of e-books")
    epub.add_argument("target", type=_target(".epub"), metavar="FILE.epub")
    figures = commands.add_parser(
        "figures", parents=[places], help="write every figure as SVG and PNG, zipped"
    )
    figures.add_argument("target", type=_target(".zip"), metavar="FILE.zip")
    return parser


def _target(suffix: str) -> Callable[[str], Path]:
    """Return a function that reads the name of a file to be written."""

    def read(text: str) -> Path:
        path = Path(text)
        if path.suffix != suffix or not path.parent.is_dir():
            raise argparse.ArgumentTypeError(
                f"expected FILE{suffix} in a folder that exists. Received: {text!r}"
            )
        return path

    return read


def _count(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"expected 1 or more. Received: {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"expected a positive number. Received: {text!r}")
    return seconds


def _zip(archive: Path) -> int:
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".zip-") as folder:
        site = Path(folder, archive.stem)
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
        if status := subprocess.run(command, env=os.environ | {"OFFLINE": "true"}).returncode:
            return status
        made = shutil.make_archive(str(site), "zip", folder, site.name)
        os.replace(made, archive)
    return 0


def _paper(command: str, target: Path) -> int:
    from .mkdocs.collect import built
    from .paper import write

    try:
        with built(Path("mkdocs.yml")) as (about, pages, site):
            make = write.pdf if command == "pdf" else write.epub
            make(about, pages, site, target)
    except write.PaperError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _command(options: argparse.Namespace) -> int:
    if options.command == "zip":
        return _zip(options.target)
    if options.command in ("pdf", "epub"):
        return _paper(options.command, options.target)
    from .core.cache import Cache, CacheError
    from .core.names import suggestion
    from .core.schedule import RunError, run
    from .core.tutorial import TutorialError, find

    root = options.tutorials.absolute().parent
    cache = Cache(options.cache or root / ".cache" / "tutorials")
    try:
        if options.command == "clean":
            cache.clean()
            return 0
        tutorials = {tutorial.name: tutorial for tutorial in find(options.tutorials)}
        if options.command == "list":
            _list(tutorials.values(), cache)
            return 0
        if options.command == "figures":
            _figures(tutorials.values(), cache, options.target)
            return 0
        for name in options.names:
            if name not in tutorials:
                hint = suggestion(name, tutorials)
                raise TutorialError(f"{name}: no tutorial has this name. {hint}")
        chosen = [tutorials[name] for name in options.names or tutorials]
        run(chosen, cache, jobs=options.jobs, timeout=options.timeout, progress=sys.stderr)
        return 0
    except (TutorialError, CacheError, RunError) as error:
        print(error, file=sys.stderr)
        return 1


def _figures(tutorials: "Iterable[Tutorial]", cache: "Cache", target: Path) -> None:
    from .core import slides
    from .core.schedule import run

    chosen = list(tutorials)
    executed = run(chosen, cache, progress=sys.stderr)
    count = slides.write({tutorial: executed[tutorial.name] for tutorial in chosen}, target)
    print(f"{target}: {count} figures")


def _list(tutorials: "Iterable[Tutorial]", cache: "Cache") -> None:
    from .core.tutorial import TutorialError

    for tutorial in tutorials:
        try:
            state = cache.reason(tutorial) or "cached"
            _ = tutorial.notebook  # it may be broken before it has run
        except TutorialError as error:
            state = str(error)
        print(f"{tutorial.name:20} {cache.seconds(tutorial) or 0:7.1f} s  {state}")


if __name__ == "__main__":
    sys.exit(main())
