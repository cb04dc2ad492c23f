"""What makes a tutorial run again, and what a cache survives; all with real runs."""

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from labkit.site.core import entries, kernel, versions
from labkit.site.core.cache import Cache, CacheError
from labkit.site.core.schedule import RunError, run
from labkit.site.core.tutorial import TutorialError

COMMAND = [sys.executable, "-m", "labkit.site", "run"]

LAZY_PACKAGE = """
from importlib import import_module


def __getattr__(name):
    if name in ("layers", "stats", "site"):
        return import_module(f"labkit.{name}")
    raise AttributeError(name)
"""


def test_prose_runs_nothing(repository: Any) -> None:
    """An edit of prose shows without a run, with the code's results and its new lines."""
    path = repository.tutorial("pond", '# %% label="legs" values="n"\nn = 2 * 2\nprint(n)')
    assert repository.run() == ["pond"]
    before = repository.cache.lookup(repository.find()["pond"])
    path.write_text("# %% [markdown]\n# A pond has frogs.\n\n" + path.read_text())
    assert repository.run() == []
    after = repository.cache.lookup(repository.find()["pond"])
    assert [cell.cell_type for cell in after.cells] == ["markdown", "code"]
    assert after.cells[0].source == "A pond has frogs."
    assert after.cells[1].outputs == before.cells[0].outputs
    assert after.cells[1].outputs[0].text == "4\n"
    assert after.cells[1].metadata["outcome"] == {"n": 4}
    assert after.cells[1].metadata["line"] == 5
    assert after.metadata["labkit"] == before.metadata["labkit"]
    assert repository.cache.lookup(repository.find()["pond"]) == after


def test_code_and_markers(repository: Any) -> None:
    """An edit of code runs that tutorial, and says why; so does one of what its marker asks for."""
    for name in ("frog", "newt"):
        repository.tutorial(name, "n = 1")
    assert repository.run() == ["frog", "newt"]
    assert repository.run() == []
    repository.tutorial("frog", "n = 2")
    assert repository.cache.reason(repository.find()["frog"]) == "its code has changed"
    assert repository.run() == ["frog"]
    repository.tutorial("frog", '# %% values="n"\nn = 2')
    assert repository.run() == ["frog"]


def test_captions_labels_and_alt_texts(repository: Any) -> None:
    """An edit of what is said about a cell shows without a run, in the notebook and its file."""
    repository.tutorial("pond", '# %% label="a" alt="Old." caption="Old."\nprint(1)')
    assert repository.run() == ["pond"]
    repository.tutorial("pond", '# %% label="b" alt="New." caption="New."\nprint(1)')
    cache, tutorial = repository.cache, repository.find()["pond"]
    assert cache.reason(tutorial) == ""
    assert repository.run() == []
    for notebook in (cache.lookup(tutorial), nbformat.read(cache.path(tutorial), as_version=4)):
        said = {key: notebook.cells[0].metadata[key] for key in ("label", "alt", "caption")}
        assert said == {"label": "b", "alt": "New.", "caption": "New."}
        assert notebook.cells[0].outputs[0].text == "1\n"
    assert len(list(cache.path(tutorial).parent.glob("*.run"))) == 1


def test_an_edit_that_is_undone(repository: Any) -> None:
    """The last few runs are kept: what is as it was before finds its run, in code and in data."""
    data = repository.write("data.txt", "0")

    def write(number: int) -> None:
        repository.tutorial("pond", f"print({number}, open('data.txt').read())")

    for number in range(entries.KEPT):
        write(number)
        assert repository.run() == ["pond"]
    write(0)
    assert repository.run() == []
    data.write_text("1")
    assert repository.run() == ["pond"]
    data.write_text("0")
    assert repository.run() == []
    output = repository.cache.lookup(repository.find()["pond"]).cells[0].outputs[0]
    assert output.text == "0 0\n"
    write(1)  # was the oldest, and has made room
    assert repository.run() == ["pond"]
    assert len(list((repository.root / ".cache").rglob("*.run"))) == entries.KEPT


def test_each_way_to_depend_on_something(repository: Any) -> None:
    """A module without a package, one on sys.path, a glob, a missing file: each counts."""
    repository.write("helpers/util.py", "f = 1\n")
    repository.write("lib/mylib.py", "g = 1\n")
    repository.write("data/a.csv", "")
    repository.write("pond.py", "h = 1\n")
    repository.tutorial(
        "stale",
        "import importlib\nimport os\nimport sqlite3\nimport sys\nfrom pathlib import Path\n\n"
        "from helpers.util import f\n\nsys.path.insert(0, 'lib')\nfrom mylib import g\n\n"
        "h = importlib.import_module('po' + 'nd').h\nprint(sorted(Path('data').glob('*.csv')))\n"
        "try:\n    print(open('settings.txt').read())\n"
        "except FileNotFoundError:\n    print('default')",
        "rows = sqlite3.connect(Path('frogs').with_suffix('.db')).execute('select * from t')\n"
        "print(rows.fetchall(), os.environ.get('POND_DEPTH'))",
    )
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import sqlite3\nsqlite3.connect('frogs.db').execute('create table t(x)')",
        ],
        cwd=repository.root,
        check=True,
    )
    assert repository.run() == ["stale"]

    def reason() -> str:
        return str(repository.cache.reason(repository.find()["stale"]))

    assert reason() == ""
    for path in ("helpers/util.py", "lib/mylib.py", "pond.py", "frogs.db"):
        file = repository.root / path
        before = file.read_bytes()
        file.write_bytes(before + b"more = 1\n")
        assert reason() == f"{path} has changed"
        file.write_bytes(before)
    for path, why in (
        ("data/b.csv", "data/ has new or missing files"),
        ("settings.txt", "settings.txt now exists"),
        ("helpers/__init__.py", "helpers/__init__.py now exists"),
        ("lib/pond.py", "lib/pond.py now exists"),
    ):
        repository.write(path, "")
        assert reason() == why
        (repository.root / path).unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POND_DEPTH", "3")
        assert reason() == "the environment's variable POND_DEPTH has changed"
    assert reason() == ""


def test_a_counter(repository: Any) -> None:
    """A tutorial that changes what it has read is refused, with its line and the file's name."""
    count = repository.write("count.txt", "0")
    path = repository.tutorial(
        "counter",
        "from pathlib import Path\np = Path('count.txt')\nn = int(p.read_text())\n"
        "p.write_text(str(n + 1))\nprint(n)",
    )
    refused = r"tutorials/counter\.py:5: ChangedInputError: count\.txt: the tutorial changes what"
    with pytest.raises(RunError, match=refused):
        repository.run()
    assert count.read_text() == "0"
    path.write_text(
        "# %%\nimport sqlite3\nc = sqlite3.connect('frogs.db')\n"
        "c.execute('create table if not exists t(x)')\nc.execute('insert into t values (1)')\n"
        "c.commit()\n"
    )
    assert repository.run() == ["counter"]
    path.write_text(path.read_text() + "c.close()\n")
    with pytest.raises(RunError, match=r"tutorials/counter\.py:2: frogs\.db: .*Write to another"):
        repository.run()


def test_modules(repository: Any) -> None:
    """An edit in a module runs what imports it, directly or not, and nothing else."""
    repository.write("labkit/__init__.py", LAZY_PACKAGE)
    repository.write("labkit/_base.py", "ONE = 1\n")
    repository.write("labkit/layers/__init__.py", "from labkit.layers.core import units\n")
    repository.write("labkit/layers/core.py", "from .._base import ONE as units\n")
    repository.write("labkit/stats.py", "mean = 0\n")
    repository.write("labkit/site/__init__.py", "")
    repository.tutorial("direct", "from labkit import _base\nprint(_base.ONE)")
    repository.tutorial("lazy", "import labkit as keras\nprint(keras.layers.units)")
    repository.tutorial("other", "from labkit import stats\nprint(stats.mean)")
    repository.tutorial("none", "print(0)")
    assert repository.run() == ["direct", "lazy", "none", "other"]
    assert repository.run() == []

    def output(name: str) -> str:
        notebook = repository.cache.lookup(repository.find()[name])
        return str(notebook.cells[0].outputs[0].text)

    assert output("lazy") == "1\n"
    repository.write("labkit/_base.py", "ONE = 11\n")
    assert repository.cache.reason(repository.find()["lazy"]) == "labkit/_base.py has changed"
    assert repository.run() == ["direct", "lazy"]
    assert output("lazy") == "11\n"
    repository.write("labkit/stats.py", "mean = 3\n")
    assert repository.run() == ["other"]
    repository.write("labkit/site/__init__.py", "'''Another renderer.'''\n")
    repository.write("labkit/unused.py", "")
    assert repository.run() == []
    repository.write("labkit/__init__.py", LAZY_PACKAGE + "# A comment.\n")
    assert repository.run() == []
    repository.write("labkit/__init__.py", LAZY_PACKAGE + "new = 1\n")
    assert repository.run() == ["direct", "lazy", "other"]


def test_a_change_during_a_run(repository: Any, tmp_path: Path) -> None:
    """What changes while a tutorial runs makes it run again, but not in the same build."""
    module = repository.write("pond.py", "frogs = 1\n")
    done = tmp_path / "done"
    edit = f"echo 'frogs = 22' > {module}; touch {done}"
    repository.tutorial(
        "waits",
        "import subprocess\n\nimport pond\n\nprint(pond.frogs)\n"
        f"subprocess.run({edit!r}, shell=True, check=True)",
    )
    cache = repository.cache
    assert repository.run(cache) == ["waits"]
    assert done.exists()
    assert cache.lookup(repository.find()["waits"]).cells[0].outputs[0].text == "1\n"
    assert repository.cache.reason(repository.find()["waits"]) == "pond.py has changed"
    assert repository.run() == ["waits"]
    assert repository.run() == []


def test_packages(repository: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new version of a package, or its arrival, runs what imports it."""
    packages = tmp_path / "packages"
    (packages / "_lily").mkdir(parents=True)
    (packages / "_lily/__init__.py").write_text("")
    (packages / "lily.py").write_text("import _lily\n")

    def install(distribution: str, module: str, version: str) -> None:
        stem = distribution.replace("-", "_")
        for old in packages.glob(f"{stem}-*"):
            for file in old.iterdir():
                file.unlink()
            old.rmdir()
        info = packages / f"{stem}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {distribution}\nVersion: {version}\n")
        (info / "top_level.txt").write_text(f"{module}\n")
        versions._distributions.cache_clear()

    monkeypatch.setenv("PYTHONPATH", str(packages))
    monkeypatch.syspath_prepend(packages)
    install("Water-Lily", "lily", "1.0")
    install("lily-core", "_lily", "1.0")
    repository.tutorial("imports", "import lily")
    repository.tutorial("tries", "try:\n    import newt\nexcept ImportError:\n    print('no')")
    repository.tutorial("none", "pass")
    assert repository.run() == ["imports", "none", "tries"]
    assert repository.run() == []
    install("Water-Lily", "lily", "1.1")
    reason = repository.cache.reason(repository.find()["imports"])
    assert reason == "Water-Lily 1.0 is now 1.1"
    assert repository.run() == ["imports"]
    install("lily-core", "_lily", "2.0")  # imported by what the tutorial imports
    assert repository.run() == ["imports"]
    (packages / "newt.py").write_text("")
    install("newt", "newt", "0.1")
    assert repository.run() == ["tries"]
    assert repository.run() == []


def test_many_reasons(repository: Any) -> None:
    """Of many changes the first are told, and how many more there are."""
    for number in range(6):
        repository.write(f"pond/frog{number}.py", "")
    repository.write("pond/__init__.py", "from . import frog0, frog1, frog2, frog3, frog4, frog5")
    repository.tutorial("pool", "import pond")
    repository.run()
    for number in range(6):
        repository.write(f"pond/frog{number}.py", "legs = 4\n")
    assert repository.cache.reason(repository.find()["pool"]) == (
        "pond/frog0.py has changed, pond/frog1.py has changed, pond/frog2.py has changed, "
        "3 more changes"
    )


def test_versions_for_the_reader(repository: Any) -> None:
    """A run tells Python's version and those of the packages that the code names."""
    repository.tutorial("pond", "import numpy as np\n\nprint(np.zeros(1))")
    repository.run()
    noted = repository.cache.lookup(repository.find()["pond"]).metadata["labkit"]
    assert noted["versions"] == {
        "python": platform.python_version(),
        "numpy": versions.version("numpy"),
    }
    assert noted["name"] == "pond"
    assert noted["seconds"] > 0
    assert noted["finished"].endswith("+00:00")


def test_python_and_kernel(
    repository: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another Python, or another way to run tutorials, runs everything."""
    repository.tutorial("pond", "pass")
    assert repository.run() == ["pond"]
    with monkeypatch.context() as patch:
        patch.setattr(platform, "python_version", lambda: "3.99.0")
        reason = repository.cache.reason(repository.find()["pond"])
        assert reason.endswith(" is now 3.99.0")
    shutil.copytree(Path(kernel.__file__).parent, tmp_path / "core")
    with (tmp_path / "core/record.py").open("a") as file:
        file.write("\n")
    monkeypatch.setattr(kernel, "__file__", str(tmp_path / "core/kernel.py"))
    reason = repository.cache.reason(repository.find()["pond"])
    assert reason == "tutorials are now run in another way"
    assert repository.run() == ["pond"]
    assert repository.run() == []


@pytest.mark.parametrize("suffix", ["run", "ipynb"])
@pytest.mark.parametrize("damage", ["truncated", "changed", "empty", "text", "missing"])
def test_damage(repository: Any, damage: str, suffix: str) -> None:
    """A damaged run is never used, but an older one that holds is; else the tutorial runs."""
    repository.tutorial("pond", "print('four legs')")
    repository.run()
    (entry,) = (repository.root / ".cache").rglob(f"*.{suffix}")
    content = entry.read_bytes()
    damaged = {
        "truncated": content[: len(content) // 2],
        "changed": content.replace(b"pond", b"pool").replace(b'"python":', b'"pythom":'),
        "empty": b"",
        "text": b"not\xffan entry",
    }
    if damage == "missing":
        entry.unlink()
    else:
        assert damaged[damage] != content
        entry.write_bytes(damaged[damage])
    cache, tutorial = repository.cache, repository.find()["pond"]
    assert cache.lookup(tutorial) is None
    assert cache.reason(tutorial).partition(":")[0] in ("its run is damaged", "it has not run yet")
    assert cache.seconds(tutorial) is None
    assert repository.run() == ["pond"]
    output = repository.cache.lookup(tutorial).cells[0].outputs[0]
    assert output.text == "four legs\n"


def test_an_unwritable_folder(repository: Any) -> None:
    """Where results cannot be kept nothing runs, and the message names the folder."""
    repository.tutorial("pond", "pass")
    folder = repository.write("cache", "a file where the folder should be")
    with pytest.raises(CacheError, match=r"cache: the folder .* cannot be written: .*Make it"):
        repository.run(Cache(folder))
    assert folder.read_text() == "a file where the folder should be"
    with pytest.raises(CacheError):
        Cache(folder / "deep").prepare()


def test_a_full_disk(repository: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result that cannot be kept is a failure with its reason; the others are kept."""
    for name in ("frog", "newt"):
        repository.tutorial(name, "pass")
    replace = os.replace

    def full(source: str, target: Path) -> None:
        if "frog" in str(target) and target.suffix == ".run":
            raise OSError(28, "No space left on device")
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(RunError, match=r"tutorials/frog\.py: its run is lost.*No space"):
            repository.run()
    assert not list((repository.root / ".cache" / "tutorials").rglob(".*"))
    assert repository.run() == ["frog"]


def test_a_read_only_cache(repository: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all is cached nothing need be written, even if prose has changed."""
    path = repository.tutorial("pond", "print(1)")
    repository.run()
    path.write_text("# %% [markdown]\n# New.\n\n" + path.read_text())

    def refuse(*arguments: Any, **options: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(entries, "whole", refuse)
    assert repository.run() == []
    cache, tutorial = repository.cache, repository.find()["pond"]
    notebook = cache.lookup(tutorial)
    assert (notebook.cells[0].source, notebook.cells[1].outputs[0].text) == ("New.", "1\n")
    with pytest.raises(CacheError, match="cannot be written"):
        cache.path(tutorial)


def test_results_on_demand(repository: Any) -> None:
    """What `run` returns reads a result when it is asked for, and says when it is gone."""
    repository.tutorial("pond", "print(1)")
    results = run(list(repository.find().values()), repository.cache)
    assert list(results) == ["pond"]
    assert len(results) == 1
    assert results["pond"].cells[0].outputs[0].text == "1\n"
    assert results["pond"] is not results["pond"]
    repository.cache.clean()
    with pytest.raises(TutorialError, match="out of date: it has not run"):
        _ = results["pond"]


def test_clean(repository: Any) -> None:
    """Cleaning removes runs and remembered pages, those of earlier versions too, and no more."""
    repository.tutorial("pond", "pass")
    repository.run()
    for path in ("site/pages/pond.json", "full/pond.run", "pages/pond.json"):
        repository.write(f".cache/tutorials/{path}", "{}")
    other = repository.write(".cache/notes.txt", "mine")
    repository.cache.clean()
    files = [p for p in (repository.root / ".cache").rglob("*") if p.is_file()]
    assert files == [other]
    Cache(repository.root / "never").clean()


def test_leftovers(repository: Any) -> None:
    """Half-written files are cleared away once no build can still be writing them."""
    repository.tutorial("pond", "pass")
    folder = ".cache/tutorials/runs/pond"
    files = [
        repository.write(f"{folder}/{name}", "half") for name in (".a.run-1", "b.ipynb", ".c.run-1")
    ]
    for old in files[:2]:
        os.utime(old, (0, 0))
    repository.run()
    assert [file.exists() for file in files] == [False, False, True]


def test_killed_half_way(
    repository: Any,
    tmp_path: Path,
    wait_for: Callable[..., None],
    is_alive: Callable[[int], bool],
) -> None:
    """After SIGKILL no kernel stays, and the next build runs what had not finished."""
    note, go = tmp_path / "process", tmp_path / "go"
    repository.tutorial("a_done", "print('done')")
    repository.tutorial(
        "b_caught",
        "import os, time\nfrom pathlib import Path\n\n"
        f"Path({str(note)!r}).write_text(str(os.getpid()))\n"
        f"while not Path({str(go)!r}).exists():\n    time.sleep(0.1)\nprint('late')",
    )
    build = subprocess.Popen(
        [*COMMAND, "--jobs", "1"],
        cwd=repository.root,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    wait_for(lambda: note.exists() and note.read_text(), "the second tutorial")
    build.send_signal(signal.SIGKILL)
    assert build.wait() == -signal.SIGKILL
    wait_for(lambda: not is_alive(int(note.read_text())), "the kernel to end")
    assert repository.cache.lookup(repository.find()["b_caught"]) is None
    go.touch()
    assert repository.run() == ["b_caught"]
    assert repository.run() == []


def test_two_builds_at_once(repository: Any) -> None:
    """Two builds of one folder both succeed, and leave a cache that holds."""
    for name in ("frog", "newt"):
        repository.tutorial(name, f"import time\ntime.sleep(0.5)\nprint({name!r})")
    builds = [
        subprocess.Popen(COMMAND, cwd=repository.root, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for build in builds:
        _, said = build.communicate()
        assert (build.returncode, said.count("ran in")) == (0, 2), said
    assert repository.run() == []
    for name, tutorial in repository.find().items():
        assert repository.cache.lookup(tutorial).cells[0].outputs[0].text == f"{name}\n"
    assert not list((repository.root / ".cache" / "tutorials").rglob(".*"))


def test_a_warm_cache_loads_nothing_heavy(repository: Any) -> None:
    """Where everything is cached, what runs kernels or parses notebooks is not imported."""
    repository.tutorial("pond", "pass")
    repository.run()
    program = (
        "import json, sys\n\nfrom labkit.site.__main__ import main\n\nmain(['run'])\n"
        "print(json.dumps([name for name in ('nbclient', 'jupyter_client', 'jupytext', "
        "'IPython', 'numpy', 'mkdocs') if name in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=repository.root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == []
