"""The tutorials keep the book's promise: write `import keras`, and the script still runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "tutorials").glob("*/*.py"))
OURS = "import labkit as keras\n"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_order_is_numpy_first_then_keras(script: Path) -> None:
    """Each tutorial imports labkit as keras once, and Keras itself only after that."""
    text = script.read_text("utf-8")
    assert text.count(OURS) == 1
    if theirs := re.search(r"^import keras$", text, re.MULTILINE):
        assert theirs.start() > text.index(OURS)


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_numpy_half_runs_under_keras(script: Path, tmp_path: Path) -> None:
    """The part that runs on labkit runs on Keras too, with its assertions, from any folder."""
    half = re.split(r"^import keras$", script.read_text("utf-8"), flags=re.MULTILINE)[0]
    swapped = tmp_path / script.name
    swapped.write_text(half.replace(OURS, "import keras\n"), "utf-8")
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
