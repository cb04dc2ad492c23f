"""The tutorials keep the book's promise: write `import keras`, and the script still runs.

`.ci/run` executes each tutorial twice, for its page and as a script. The part that runs on
labkit is another program under Keras, and takes as long again: the nightly job runs it, and so
does whoever edits a tutorial (`pytest -m nightly -k NAME`). What can be told without running it,
the names and arguments that it asks Keras for, is checked each time.
"""

import ast
import functools
import importlib
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "tutorials").glob("*/*.py"))
OURS = "import labkit as keras\n"


def numpy_half(script: Path) -> str:
    """Return the part of a script that runs on labkit, which ends where Keras is imported."""
    return re.split(r"^import keras$", script.read_text("utf-8"), flags=re.MULTILINE)[0]


def misused(code: str) -> Iterator[str]:
    """Yield what code takes from `keras` that Keras does not have: names and arguments."""
    package = importlib.import_module("keras")
    calls = {node.func: node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)}
    for node in [*calls, *ast.walk(ast.parse(code))]:
        name = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
        if not re.fullmatch(r"keras(\.\w+)+", name):
            continue
        try:
            found = functools.reduce(getattr, name.split(".")[1:], package)
        except AttributeError:
            yield name
            continue
        if node in calls:
            given = [word.arg for word in calls[node].keywords if word.arg]
            try:
                inspect.signature(found).bind_partial(**dict.fromkeys(given))
            except TypeError as error:
                yield f"{name}: {error}"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_order_is_numpy_first_then_keras(script: Path) -> None:
    """Each imports labkit as keras once, and Keras only after that, unless Keras alone has it."""
    text = script.read_text("utf-8")
    theirs = re.search(r"^import keras$", text, re.MULTILINE)
    if OURS not in text:
        assert theirs
        assert "keras.applications" in text
        return
    assert text.count(OURS) == 1
    if theirs:
        assert theirs.start() > text.index(OURS)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_numpy_half_asks_for_what_keras_has(script: Path) -> None:
    """Names and arguments that a tutorial takes from labkit as keras exist in Keras."""
    assert list(misused(numpy_half(script))) == []


def test_names_and_arguments_that_keras_lacks_are_found() -> None:
    """The check above tells what exists from what does not."""
    assert list(misused("keras.layers.Dense(3, activation='relu')\nkeras.Input((3,))")) == []
    assert set(misused("keras.layers.Residual([])")) == {"keras.layers.Residual"}
    assert "path" in "".join(misused("keras.datasets.mnist.load_data(paths='x')"))


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_numpy_half_runs_under_keras(script: Path, tmp_path: Path) -> None:
    """The part that runs on labkit runs on Keras too, with its assertions, from any folder."""
    swapped = tmp_path / script.name
    swapped.write_text(numpy_half(script).replace(OURS, "import keras\n"), "utf-8")
    environment = os.environ | {"MPLBACKEND": "agg", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, swapped.name],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
