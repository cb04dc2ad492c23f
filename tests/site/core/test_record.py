"""What a run did is what it depends on; programs are recorded as in a kernel, without one."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labkit.site.core.present import Present

OWN = "tutorials/pond.py"
PROGRAM = """
import json, sys
from labkit.site.core import record

code = compile(sys.argv[1], sys.argv[2], "exec")
record.start(".")
exec(code)
print(json.dumps(record.report()))
"""


class Run:
    """A program that has run in a folder: what it did, and what has changed since."""

    def __init__(self, root: Path, code: str, **variables: str) -> None:
        self.root = root
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, code, OWN],
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **variables},
            capture_output=True,
            text=True,
        )
        *self.printed, last = done.stdout.splitlines() or [""]
        self.report: dict[str, Any] = {} if done.returncode else json.loads(last)
        self.error = done.stderr.strip().rpartition("\n")[2] or self.report["refused"]
        self.record = Present(root).remember(self.report) if self.report else {}

    @property
    def changes(self) -> list[str]:
        """What is now other than it was, in words."""
        assert not self.error
        return list(Present(self.root).changes(self.record))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with something of each kind."""
    files = {
        "data/a.csv": "1\n",
        "helpers/util.py": "def f():\n    return 1\n",
        "lib/mylib.py": "g = 1\n",
        "frog/__init__.py": "from frog import legs\n",
        "frog/legs.py": "# A comment.\nlegs = 4\n",
        OWN: "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def run(root: Path) -> Callable[..., Run]:
    """Run a program in the repository."""

    def start(code: str, **variables: str) -> Run:
        return Run(root, code, **variables)

    return start


Start = Callable[..., Run]


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("import frog", "frog/legs.py"),
        ("from helpers.util import f", "helpers/util.py"),
        ("import sys\nsys.path.insert(0, 'lib')\nimport mylib", "lib/mylib.py"),
        ("import importlib\nimportlib.import_module('fro' + 'g.legs')", "frog/legs.py"),
        (
            "import importlib.util as u\ns = u.spec_from_file_location('x', 'lib/mylib.py')\n"
            "s.loader.exec_module(u.module_from_spec(s))",
            "lib/mylib.py",
        ),
        ("import runpy\nrunpy.run_path('lib/mylib.py')", "lib/mylib.py"),
        ("import os\nos.chdir('data')\nopen('../data/a.csv')", "data/a.csv"),
        ("import os\nos.open('data/a.csv', os.O_RDONLY)", "data/a.csv"),
        ("import numpy\nnumpy.loadtxt('data/a.csv')", "data/a.csv"),
        ("import subprocess\nsubprocess.run(['cat', 'data/a.csv'])", "data/a.csv"),
        ("import subprocess\nsubprocess.run('cat a.csv|wc', shell=True, cwd='data')", "data/a.csv"),
        ("import os\nos.system('cat data/a.csv')", "data/a.csv"),
    ],
)
def test_what_is_read(run: Start, root: Path, code: str, path: str) -> None:
    """A file of the repository counts, whichever way it was read or imported."""
    done = run(code)
    assert done.changes == []
    (root / path).write_text((root / path).read_text() + "more = 1\n")
    assert done.changes == [f"{path} has changed"]
    (root / path).unlink()
    assert f"{path} is missing" in done.changes


def test_the_bytecode_of_a_module(run: Start, root: Path) -> None:
    """A module that is loaded from its bytecode counts as its source."""
    run("import frog")
    assert list(root.glob("frog/__pycache__/legs*.pyc"))
    done = run("import frog")
    (root / "frog/legs.py").write_text("legs = 44\n")
    assert done.changes == ["frog/legs.py has changed"]


def test_comments_in_modules(run: Start, root: Path) -> None:
    """A comment or a blank line in a module changes nothing, unless its text is read."""
    imports = run("import frog")
    reads = run("import frog, inspect\nprint(inspect.getsource(frog.legs))")
    module = root / "frog/legs.py"
    module.write_text("# Another comment.\n\n\nlegs = 4\n")
    assert imports.changes == []
    assert reads.changes == ["frog/legs.py has changed"]
    module.write_text("legs = 5\n")
    assert imports.changes == ["frog/legs.py has changed"]
    module.write_text("legs = \n")
    assert imports.changes == ["frog/legs.py has changed"]


@pytest.mark.parametrize(
    "code",
    [
        "from pathlib import Path\nprint(sorted(Path('data').glob('*.csv')))",
        "from pathlib import Path\nprint(list(Path('data').iterdir()))",
        "import glob\nprint(glob.glob('data/*.csv'))",
        "import os\nprint(os.listdir('data'))",
        "import os\nprint(os.listdir(b'data'))",
        "import os\nprint(list(os.walk('data')))",
        "import os\nos.chdir('data')\nprint(os.listdir())",
        "import shutil, tempfile\nshutil.copytree('data', tempfile.mkdtemp() + '/x')",
    ],
)
def test_folders_listed(run: Start, root: Path, code: str) -> None:
    """A folder that was listed counts: a new file in it, or one that is gone."""
    done = run(code)
    (root / "data/.hidden").touch()
    assert done.changes == []
    (root / "data/b.csv").touch()
    assert done.changes == ["data/ has new or missing files"]


def test_the_folders_of_python_s_path(run: Start, root: Path) -> None:
    """Python's own listings, for an import or for a package's version, do not count."""
    done = run("import frog, importlib.metadata\nprint(importlib.metadata.version('numpy'))")
    (root / "new.txt").touch()
    (root / "frog/new.py").touch()
    assert done.report["folders"] == {}
    assert done.changes == []


@pytest.mark.parametrize(
    "question",
    [
        "open('settings.txt')",
        "__import__('os').stat('settings.txt')",
        "__import__('os').path.exists('settings.txt')",
        "__import__('os').access('settings.txt', 4)",
        "__import__('pathlib').Path('settings.txt').exists()",
        "__import__('pathlib').Path('settings.txt').is_symlink()",
        "__import__('glob').glob('settings.txt')",
    ],
)
def test_what_was_not_there(run: Start, root: Path, question: str) -> None:
    """A file that was looked for in vain counts once it exists."""
    done = run(f"try:\n    print({question})\nexcept FileNotFoundError:\n    print('default')")
    assert done.changes == []
    (root / "settings.txt").touch()
    assert done.changes == ["settings.txt now exists"]


def test_what_was_there(run: Start, root: Path) -> None:
    """A file that was only asked for counts while it exists, whatever it holds."""
    done = run("import os\nprint(os.path.isdir('data'), os.path.exists('data/a.csv'))")
    (root / "data/a.csv").write_text("other")
    assert done.changes == []
    (root / "data/a.csv").unlink()
    assert done.changes == ["data/a.csv is missing"]
    (root / "data/a.csv").mkdir()
    assert done.changes == ["data/a.csv has changed"]


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("try:\n    import newt\nexcept ImportError:\n    pass", "newt.py"),
        ("try:\n    import newt\nexcept ImportError:\n    pass", "newt/__init__.py"),
        ("try:\n    from frog import arms\nexcept ImportError:\n    pass", "frog/arms.py"),
        ("import importlib.util\nprint(importlib.util.find_spec('newt'))", "newt.py"),
        ("import frog", "frog/legs/__init__.py"),
        ("import helpers.util", "helpers/__init__.py"),
        ("import helpers.util", "helpers.py"),
        ("import csv", "csv.py"),
    ],
)
def test_modules_not_there(run: Start, root: Path, code: str, path: str) -> None:
    """A new file that an import would find counts, be it missing now or another's shadow."""
    done = run(code)
    assert done.changes == []
    (root / path).parent.mkdir(exist_ok=True)
    (root / path).touch()
    assert done.changes == [f"{path} now exists"] or done.changes == [f"{path} is now another"]


def test_sqlite(run: Start, root: Path) -> None:
    """A database counts, by whatever path or URI it was opened; one in memory does not."""
    run("import sqlite3\nc = sqlite3.connect('data/b.db')\nc.execute('create table t(x)')")
    for name in ("'data/' + 'b.db'", "'file:data/b.db?mode=ro', uri=True"):
        done = run(f"import sqlite3\nc = sqlite3.connect({name})\nc.execute('select * from t')")
        assert list(done.report["files"]) == ["data/b.db"]
    memory = run(
        "import sqlite3\nsqlite3.connect(':memory:')\n"
        "sqlite3.connect('file:x?mode=memory&cache=shared', uri=True)"
    )
    assert (memory.report["exists"], memory.report["made"]) == ({}, [])
    (root / "data/b.db").write_bytes(b"")
    assert done.changes == ["data/b.db has changed"]


def test_hdf5(run: Start, root: Path) -> None:
    """A file of HDF5's counts, although compiled code opens it."""
    run("import h5py\nh5py.File('data/w.h5', 'w').close()")
    done = run("import h5py\nprint(list(h5py.File('data/w.h5', 'r')))")
    assert list(done.report["files"]) == ["data/w.h5"]
    writes = run("import h5py\nh5py.File('data/w.h5', 'a')['x'] = 1")
    assert writes.error.startswith("data/w.h5: the tutorial changes what it has read")


def test_what_a_run_makes(run: Start, root: Path) -> None:
    """What a run writes and reads back, or makes and removes, is no dependency."""
    done = run(
        "import os\nfrom pathlib import Path\n\n"
        "os.makedirs('out/deep', exist_ok=True)\n"
        "Path('out/deep/x.txt').write_text('x')\n"
        "os.replace('out/deep/x.txt', 'out/y.txt')\n"
        "print(Path('out/y.txt').read_text(), os.listdir('out'), os.listdir())\n"
        "Path('gone.txt').touch()\nos.remove('gone.txt')\n"
        "Path('module.py').write_text('x = 1')\nimport module"
    )
    assert done.changes == []
    (root / "out/y.txt").unlink()
    (root / "module.py").unlink()
    assert done.changes == []


def test_what_a_run_makes_where_it_is_missing(run: Start, root: Path) -> None:
    """A file that is made only where it is missing may be there, as it was left, or not."""
    done = run(
        "from pathlib import Path\n\npath = Path('data/made.txt')\n"
        "if not path.exists():\n    path.write_text('1')\nprint(path.read_text())"
    )
    assert done.changes == []
    (root / "data/made.txt").write_text("2")
    assert done.changes == ["data/made.txt has changed"]
    (root / "data/made.txt").unlink()
    assert done.changes == []


@pytest.mark.parametrize(
    "change",
    [
        "path.write_text('2')",
        "path.open('a')",
        "path.open('r+')",
        "path.unlink()",
        "path.rename('data/b.csv')",
        "path.with_name('c.csv').write_text('3'); path.with_name('c.csv').replace(path)",
        "os.truncate(path, 0)",
        "shutil.move(path, 'data/b.csv')",
        "shutil.copy('other.txt', path)",
        "shutil.rmtree('data')",
    ],
)
def test_changing_what_was_read(run: Start, root: Path, change: str) -> None:
    """A run that changes what it has read stops there; the message names the file."""
    (root / "other.txt").touch()
    before = "import os, shutil\nfrom pathlib import Path\npath = Path('data/a.csv')\n"
    done = run(f"{before}path.read_text()\n{change}")
    assert "ChangedInputError: data" in done.error
    assert (root / "data/a.csv").read_text() == "1\n"
    hidden = run(f"{before}path.read_text()\ntry:\n    {change}\nexcept Exception:\n    pass")
    assert hidden.error.startswith("data")
    assert "the tutorial changes what it has read" in hidden.error


@pytest.mark.parametrize("mode", ["w", "a"])
def test_changing_what_was_not_read(run: Start, root: Path, mode: str) -> None:
    """An old output may be written anew or longer, as long as it is not read."""
    code = f"with open('data/a.csv', {mode!r}) as file:\n    file.write('2')\n"
    assert run(code).changes == []
    reads = run(code + "print(open('data/a.csv').read())")
    assert reads.error.startswith("labkit.site.core.deeds.ChangedInputError: data/a.csv: ") == (
        mode == "a"
    )


@pytest.mark.parametrize("log", ["", "c.execute('pragma journal_mode=wal')\n"])
def test_a_database_that_grows(run: Start, log: str) -> None:
    """A run that adds to a database that existed is refused, wherever SQLite keeps the rows."""
    code = (
        f"import sqlite3\nc = sqlite3.connect('data/b.db')\n{log}"
        "c.execute('create table if not exists t(x)')\nc.execute('insert into t values (1)')\n"
        "c.commit()"
    )
    assert run(code).error == ""
    assert run(code).error.startswith("data/b.db: the tutorial changes what it has read")


def test_variables(run: Start, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that the repository's code asks for counts; one that is only copied does not."""
    (root / "lib/mylib.py").write_text("import os\n\ng = os.getenv('POND_DEPTH')\n")
    done = run(
        "import os, sys\n\nsys.path.insert(0, 'lib')\nimport mylib\n"
        "copies = dict(os.environ), {**os.environ}, os.environ.copy(), os.environ | {}\n"
        "copies = [item for item in os.environ.items()]\n"
        "os.environ['POND_OWN'] = '1'\nprint(os.environ['POND_OWN'], 'POND_FROGS' in os.environ)"
    )
    assert done.report["variables"] == ["POND_DEPTH", "POND_FROGS"]
    monkeypatch.setenv("POND_OTHER", "1")
    assert done.changes == []
    monkeypatch.setenv("POND_DEPTH", "2")
    monkeypatch.setenv("MKL_CBWR", "AVX2")
    assert done.changes == [
        "the environment's variable MKL_CBWR has changed",
        "the environment's variable POND_DEPTH has changed",
    ]


def test_hidden_and_installed_files(run: Start, root: Path) -> None:
    """What lies in hidden folders, is installed, or is elsewhere does not count."""
    (root / ".git").mkdir()
    (root / ".git/config").write_text("x")
    done = run(
        "import os, numpy, tempfile\nfrom pathlib import Path\n\n"
        "Path('.git/config').read_text()\nos.listdir('.git')\nos.path.exists('.nothing')\n"
        "Path(numpy.__file__).read_text()\nPath(tempfile.mkdtemp(), 'x').write_text('x')"
    )
    parts = ("files", "modules", "exists", "folders", "made", "left")
    assert [part for part in parts if done.report[part]] == []


def test_links(run: Start, root: Path) -> None:
    """A link counts as what it leads to, and a root may itself be reached by a link."""
    (root / "link.csv").symlink_to("data/a.csv")
    outside = root.with_name("outside")
    outside.symlink_to(root)
    for path in ("link.csv", f"{outside}/data/a.csv"):
        assert list(run(f"open({path!r})").report["files"]) == ["data/a.csv"]


def test_the_own_text(run: Start, root: Path) -> None:
    """What a program imports and names is told, first of all what is installed."""
    done = run(
        "import sys\nfrom numpy import zeros\nimport frog, yaml as y\nfrom pathlib import Path\n"
        "try:\n    import no_such_module\nexcept ImportError:\n    pass\n"
    )
    assert done.report["imported"] == ["numpy", "yaml"]
    assert {"numpy", "yaml"} <= set(done.report["loaded"])
    assert done.report["absent"] == ["no_such_module"]
