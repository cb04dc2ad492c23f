"""How a tutorial's kernel is set up: everything here can change what a tutorial gives.

Its text is executed inside the kernel before the first cell, so it imports nothing but
Python's own modules; and it is part of the cache's key.
"""

import base64
import json
import os
from typing import Any

from . import record
from .program import Program

# One thread each: results repeat to the last digit, and as many tutorials run side by side
# as there are cores. A GPU would change digits, and the second kernel would find it taken.
ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    "LANGUAGE": "",
    "LC_ALL": "C.UTF-8",  # no result depends on the user's language
    "MATPLOTLIBRC": os.devnull,  # no figure depends on the user's own settings
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # whatever the user's is
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
}
# Without bytecode TensorFlow's import takes four times as long; with -O no assertion holds.
REMOVED = ("PYTHONDONTWRITEBYTECODE", "PYTHONOPTIMIZE", "PYTHONWARNINGS")
# What is executed inside the kernel, as a package of its own: the kernel need not be able to
# import labkit. Each module comes after those that it imports.
INSIDE = ("stdout", "program", "state", "places", "deeds", "record", "kernel")
ARGUMENTS = (
    "--InteractiveShell.autoawait=False",  # a script has no running event loop
    "--InteractiveShell.cache_size=0",  # nor results in `_` and `Out`
    "--IPKernelApp.capture_fd_output=False",  # what compiled code logs is not for readers
)
FIGURES = {
    "figure_formats": {"svg"},
    "print_figure_kwargs": {"bbox_inches": "tight", "metadata": {"Date": None}},
    "rc": {"svg.hashsalt": "labkit"},
}


def prepare(shell: Any, root: str, place: str, text: str, lines: dict[int, int]) -> None:
    """Set up the kernel's shell.

    Args:
        shell: The kernel's IPython shell.
        root: The repository's root.
        place: The tutorial's file below the root.
        text: Its text.
        lines: For each code cell that is not empty, by its number from 1, the line of its code.
    """
    shell.config.InlineBackend.update(FIGURES)
    Program(shell, root, place, text, lines)
    record.start(root)


def report() -> str:
    """Return what the run has done, as JSON; see `deeds`."""
    return json.dumps(record.report())


def plain(value: Any) -> str:
    """Return a value's type, and the value as JSON; null in place of what JSON cannot hold.

    Numbers and texts are for sentences. Arrays, and lists and dicts of all these, are data
    for a page's scripts: arrays are kept as float32, uint8 or int32, in base64.
    """
    return json.dumps([type(value).__name__, _plain(value)])


def _plain(value: Any) -> Any:
    if isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        items = [_plain(item) for item in value]
        return None if None in items else items
    if isinstance(value, dict):
        entries = {key: _plain(item) for key, item in value.items() if isinstance(key, str)}
        return None if len(entries) < len(value) or None in entries.values() else entries
    if not hasattr(value, "dtype") or not hasattr(value, "tobytes"):
        return None
    if value.shape == ():
        return _plain(value.item())
    kept = {"f": "float32", "b": "uint8", "u": "uint8", "i": "int32"}.get(value.dtype.kind)
    if kept is None:
        return None
    array = value.astype(kept)
    if kept != "float32" and (array != value).any():
        return None
    text = base64.b64encode(array.tobytes()).decode()
    return {"dtype": kept, "shape": list(value.shape), "base64": text}
