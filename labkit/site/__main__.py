"""`python -m labkit.site`: run, list and clear the executed tutorials, without MkDocs."""

import argparse
import signal
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m labkit.site", description=__doc__)
    parser.add_argument(
        "--tutorials", type=Path, default=Path("tutorials"), metavar="FOLDER"
    )
    parser.add_argument(
        "--cache", type=Path, metavar="FOLDER", help="where results are kept"
    )
    parser.add_argument(
        "--mode", default="full", help="a name that tutorials find in LABKIT_MODE"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run what is not cached")
    run.add_argument(
        "names", nargs="*", metavar="NAME", help="tutorials; all if none is named"
    )
    run.add_argument("--jobs", type=int, help="how many at a time")
    run.add_argument("--timeout", type=float, default=600, help="seconds for each tutorial")
    commands.add_parser("list", help="name, seconds, and whether it is cached or why not")
    commands.add_parser("clean", help="remove every cached result")
    options = parser.parse_args(arguments)
    try:
        return _run(options)
    except ModuleNotFoundError as error:
        print(
            f"labkit.site needs the package {error.name}. Install it with the others: "
            '`uv sync`, or `pip install "labkit[docs]"`.',
            file=sys.stderr,
        )
    return 1


def _run(options: argparse.Namespace) -> int:
    from .cache import Cache, CacheError
    from .execute import RunError, run
    from .tutorial import TutorialError, find

    cache = Cache(
        options.cache or options.tutorials.absolute().parent / ".cache" / "tutorials",
        options.mode,
    )
    try:
        if options.command == "clean":
            cache.clean()
            return 0
        tutorials = find(options.tutorials)
        if options.command == "list":
            for tutorial in tutorials:
                seconds = cache.seconds(tutorial)
                shown = "" if seconds is None else f"{seconds:.1f} s"
                print(
                    f"{tutorial.name:20} {shown:>8}  {cache.reason(tutorial) or 'cached'}"
                )
            return 0
        known = {tutorial.name: tutorial for tutorial in tutorials}
        for name in options.names:
            if name not in known:
                raise TutorialError(f"no tutorial {name!r}. Known: {', '.join(known)}.")
        chosen = [known[name] for name in options.names] or tutorials
        signal.signal(
            signal.SIGTERM, signal.default_int_handler
        )  # ends the kernels, as Ctrl-C does
        run(chosen, cache, jobs=options.jobs, timeout=options.timeout, progress=sys.stderr)
        return 0
    except (TutorialError, CacheError, RunError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. What had finished is cached.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
