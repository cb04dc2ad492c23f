"""`python -m labkit.site`."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from labkit.site.__main__ import main


def call(repository: Any, *arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Call the command line in a process of its own, after some code."""
    program = (
        f"import sys\n{before}\nfrom labkit.site.__main__ import main\n"
        f"sys.exit(main({list(arguments)!r}))"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=repository.root,
        capture_output=True,
        text=True,
        check=False,
    )


def test_run_list_clean(
    repository: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The three commands run, tell the state of each tutorial, and clear the cache."""
    monkeypatch.chdir(repository.root)
    repository.tutorial("frog", "pass")
    repository.tutorial("newt", "x = (")

    def listed() -> list[str]:
        capsys.readouterr()
        assert main(["list"]) == 0
        return capsys.readouterr().out.splitlines()

    assert [line.split()[0] for line in listed()] == ["frog", "newt"]
    assert listed()[0].endswith("0.0 s  it has not run yet")
    assert main(["run", "frog"]) == 0
    frog, newt = listed()
    assert frog.endswith("cached")
    assert "0.0 s" not in frog
    assert "tutorials/newt.py:2: '(' was never closed" in newt
    assert main(["run"]) == 1
    assert "1 of 2 tutorials failed" in capsys.readouterr().err
    repository.tutorial("newt", "pass")
    assert main(["run"]) == 0
    repository.tutorial("newt", "x = (")
    assert "tutorials/newt.py:2: '(' was never closed" in listed()[1]
    assert main(["clean"]) == 0
    assert listed()[0].endswith("it has not run yet")


def test_folders(repository: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folders can be named; by default the cache is in the repository."""
    monkeypatch.chdir(tmp_path)
    repository.tutorial("frog", "pass")
    folder = str(repository.root / "tutorials")
    assert main(["run", "--tutorials", folder]) == 0
    assert list(repository.root.glob(".cache/tutorials/runs/frog/*.run"))
    kept = tmp_path / "kept"
    assert main(["run", "--tutorials", folder, "--cache", str(kept)]) == 0
    assert list(kept.glob("runs/frog/*.run"))


def test_mistakes(
    repository: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong name, a wrong folder and an unwritable cache each give one message."""
    monkeypatch.chdir(repository.root)
    repository.tutorial("frog", "pass")
    blocked = repository.write("blocked", "")
    for arguments, words in (
        (["run", "elk"], "elk: no tutorial has this name. There are: frog."),
        (["run", "fog"], "fog: no tutorial has this name. Did you mean 'frog'?"),
        (["list", "--tutorials", "nowhere"], "nowhere: expected a folder of tutorials"),
        (
            ["run", "--cache", str(blocked)],
            "cannot be written: Not a directory. Make it",
        ),
    ):
        assert main(arguments) == 1
        said = capsys.readouterr()
        assert words in said.err
        assert said.out == ""
        assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--jobs", "-1"], "--jobs: expected 1 or more. Received: '-1'"),
        (["run", "--jobs", "0"], "--jobs: expected 1 or more"),
        (["run", "--jobs", "two"], "--jobs: expected 1 or more"),
        (["run", "--timeout", "nan"], "--timeout: expected a positive number"),
        (["run", "--timeout", "-3"], "--timeout: expected a positive number"),
    ],
)
def test_wrong_arguments(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A number or a name that cannot be is refused before anything is read."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert words in capsys.readouterr().err


def test_a_broken_file_among_others(
    repository: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unreadable file is named in the list, and the others still run."""
    monkeypatch.chdir(repository.root)
    repository.tutorial("frog", "pass")
    repository.tutorial("newt", "pass").write_bytes(b"\xff")
    assert main(["run", "frog"]) == 0
    assert main(["list"]) == 0
    frog, newt = capsys.readouterr().out.splitlines()
    assert frog.endswith("cached")
    assert "tutorials/newt.py:1: expected UTF-8 text" in newt


def test_without_mkdocs(repository: Any) -> None:
    """Tutorials run where MkDocs is not installed."""
    repository.tutorial("frog", "pass")
    block = (
        "for name in ('mkdocs', 'mkdocs_jupyter', 'material', 'nbconvert'):\n"
        "    sys.modules[name] = None"
    )
    done = call(repository, "run", before=block)
    assert (done.returncode, done.stderr.count("frog ran")) == (0, 1), done.stderr


@pytest.mark.parametrize("package", ["nbformat", "nbclient", "jupyter_client"])
def test_a_missing_extra(repository: Any, package: str) -> None:
    """Without a package that running needs, the message says how to get it."""
    repository.tutorial("frog", "pass")
    done = call(repository, "run", before=f"sys.modules[{package!r}] = None")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"labkit.site needs the package {package}. Install it")


def test_a_missing_kernel(repository: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ipykernel the message says so, before any kernel is tried."""
    repository.tutorial("frog", "pass")
    hide = (
        "import importlib.util as util\nfind = util.find_spec\n"
        "util.find_spec = lambda name: None if name == 'ipykernel' else find(name)"
    )
    done = call(repository, "run", before=hide)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("labkit.site needs the package ipykernel.")
