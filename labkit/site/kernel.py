"""How a tutorial's kernel is set up: everything here can change what a tutorial gives.

Its text is executed inside the kernel before the first cell, so it imports nothing but Python's
own modules, and it is part of the cache's key.
"""

import ast
import hashlib
import json
import linecache
import os
import sys
from typing import Any

# One thread each: the same digits on every machine with the same processor, and as many tutorials
# side by side as there are cores. A GPU would change digits, and run out of memory at the second
# kernel.
ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
}
# Without bytecode TensorFlow's import takes four times as long; with -O no assertion would hold.
REMOVED = ("PYTHONDONTWRITEBYTECODE", "PYTHONOPTIMIZE", "PYTHONSTARTUP", "PYTHONWARNINGS")
ARGUMENTS = (
    "--InteractiveShell.xmode=Plain",
    "--InteractiveShell.colors=nocolor",
    "--IPKernelApp.exec_files=[]",
)
FIGURES = {
    "figure_formats": {"svg"},
    "print_figure_kwargs": {"bbox_inches": "tight", "metadata": {"Date": None}},
    "rc": {"svg.hashsalt": "labkit"},
}

_reads: dict[
    str, str
] = {}  # file below the root, as a posix path: SHA-256 of what was read
_before: set[str] = set()  # modules that the kernel itself has loaded


def prepare(shell: Any, root: str, place: str, text: str, lines: dict[int, int]) -> None:
    """Set up the kernel's shell.

    Args:
        shell: The kernel's IPython shell.
        root: The repository's root.
        place: The tutorial's file below the root.
        text: Its text.
        lines: For each code cell, by its number from 1, the line of the file where it starts.
    """
    shell.config.InlineBackend.update(FIGURES)
    _number_lines(shell, place, text, lines)
    _before.update(name.partition(".")[0] for name in sys.modules)
    _watch(root)


def report() -> str:
    """Return what the tutorial has loaded and read so far, as JSON."""
    loaded = {name.partition(".")[0] for name in list(sys.modules)} - _before
    return json.dumps({"modules": sorted(loaded), "files": _reads})


def _number_lines(shell: Any, place: str, text: str, lines: dict[int, int]) -> None:
    """Let warnings and tracebacks name the tutorial's file, with its own line numbers."""
    offset = 0

    class Shift(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return ast.increment_lineno(node, offset)

    original = shell.compile.cache

    def cache(code: str, number: int = 0, raw_code: str | None = None) -> str:
        nonlocal offset
        offset = lines.get(number, 1) - 1
        if number in lines:
            return place
        return str(original(code, number, raw_code))

    source = text.splitlines(keepends=True)
    linecache.cache[place] = (len(text), None, source, place)
    shell.compile.cache = cache
    shell.ast_transformers.append(Shift())


def _watch(root: str) -> None:
    """Note each file below the root that Python code opens to read, as it was then."""
    root = os.path.realpath(root) + os.sep
    busy = False
    written: set[str] = set()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal busy
        if (
            event != "open"
            or busy
            or not isinstance(arguments[0], (str, bytes, os.PathLike))
        ):
            return
        path = os.path.realpath(os.fsdecode(arguments[0]))
        name = path[len(root) :].replace(os.sep, "/")
        if not path.startswith(root) or name in _reads or _is_code(name):
            return
        if arguments[2] & (os.O_WRONLY | os.O_RDWR):
            written.add(name)
        elif name not in written:
            busy = True
            try:
                with open(path, "rb") as file:
                    _reads[name] = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError:
                pass  # the tutorial's own open is about to say so
            finally:
                busy = False

    sys.addaudithook(hook)


def _is_code(name: str) -> bool:
    """Say whether a file is Python code, or lies in a hidden folder such as .venv or .git."""
    return name.endswith((".py", ".pyc", ".so")) or name.startswith(".") or "/." in name
