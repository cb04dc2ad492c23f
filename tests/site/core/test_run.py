"""Running tutorials in kernels: results, failures, time-outs, cancellation."""

import asyncio
import base64
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labkit.site.core.process import Process
from labkit.site.core.run import Failure, Run
from labkit.site.core.schedule import RunError


def fail(repository: Any, **options: Any) -> list[Failure]:
    """Run what must fail, and return the failures."""
    with pytest.raises(RunError) as caught:
        repository.run(**options)
    return caught.value.failures


def outputs(repository: Any, name: str) -> list[Any]:
    """Run, and return the outputs of a tutorial's last cell."""
    repository.run()
    notebook = repository.cache.lookup(repository.find()[name])
    return list(notebook.cells[-1].outputs)


def test_values(repository: Any) -> None:
    """Values are read from the kernel when their cell has run, as plain scalars."""
    repository.tutorial(
        "pond",
        "import numpy as np",
        '# %% values="a b c d e f g"\na = 3\nb = 0.25\nc = "it\'s {a} \\n ü"\nd = True\n'
        "e = np.float32(0.5)\nf = np.array(7)\ng = np.bool_(False)",
        '# %% values="h"\na, h = 0, 10**30',
    )
    repository.run()
    cells = repository.cache.lookup(repository.find()["pond"]).cells
    assert cells[1].metadata["outcome"] == {
        "a": 3,
        "b": 0.25,
        "c": "it's {a} \n ü",
        "d": True,
        "e": 0.5,
        "f": 7,
        "g": False,
    }
    assert cells[2].metadata["outcome"] == {"h": 10**30}
    assert "outcome" not in cells[0].metadata


def test_data(repository: Any) -> None:
    """Arrays, and dicts and lists of them, are kept as the bytes that a script reads."""
    repository.tutorial(
        "pond",
        '# %% values="n"\nimport numpy as np\n'
        'n = {"a": [np.array([[0.5, -1]]), np.arange(3)], "b": np.array([True]), "c": "d"}',
    )
    repository.run()
    cell = repository.cache.lookup(repository.find()["pond"]).cells[0]
    kept = cell.metadata["outcome"]["n"]
    assert kept["c"] == "d"
    for given, dtype, expected in [
        (kept["a"][0], "float32", [[0.5, -1.0]]),
        (kept["a"][1], "int32", [0, 1, 2]),
        (kept["b"], "uint8", [1]),
    ]:
        assert given["dtype"] == dtype
        array = np.frombuffer(base64.b64decode(given["base64"]), dtype)
        assert array.reshape(given["shape"]).tolist() == expected


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("n = [1, {2}]", "'n', which is of type list"),
        ("n = {1: 2}", "'n', which is of type dict"),
        ("import numpy as np\nn = np.zeros(2, complex)", "'n', which is of type ndarray"),
        ("import numpy as np\nn = np.array([2**40])", "'n', which is of type ndarray"),
        ("n = float('nan')", "'n', which is nan"),
        ("m = 1", "'n', but there is no such name"),
    ],
)
def test_values_that_cannot_be_printed(repository: Any, code: str, words: str) -> None:
    """A published name must be there, and must be a finite number or a text."""
    repository.tutorial("pond", "pass", f'# %% values="n"\n{code}')
    (failure,) = fail(repository)
    assert failure.message.startswith("tutorials/pond.py:5: the cell that starts here")
    assert words in failure.message


def test_surroundings(repository: Any) -> None:
    """A tutorial runs in the repository's root, in one thread."""
    repository.write("beside.py", "here = True\n")
    repository.tutorial(
        "pond",
        "import os\nimport sys\n\nimport beside\n\nprint(os.getcwd())\n"
        "names = ('OMP_NUM_THREADS', 'TF_NUM_INTRAOP_THREADS',"
        " 'PYTHONHASHSEED', 'PYTHONDONTWRITEBYTECODE')\n"
        "print([os.environ.get(name) for name in names])\nprint(__debug__, sys.executable)",
    )
    assert outputs(repository, "pond")[0].text.splitlines() == [
        str(repository.root),
        "['1', '1', '0', None]",
        f"True {sys.executable}",
    ]


def test_every_failure_is_told(repository: Any) -> None:
    """All tutorials run, then one report tells each failure in the file's own lines."""
    repository.tutorial("good", "print('fine')")
    repository.write(
        "tutorials/deep.py",
        "# %% [markdown]\n# # Deep\n\n# %%\nimport math\n\n\ndef root(x):\n"
        "    return math.sqrt(x)\n\n\n# %%\nprint(root(4))\n\n"
        "# %%\n\nprint('now')\nroot(-1)\n",
    )
    repository.tutorial("claim", "x = 3\nassert x < 3, 'x is too large'")
    repository.tutorial("syntax", "x = (")
    with pytest.raises(RunError) as caught:
        repository.run(jobs=2)
    report = str(caught.value)
    assert report.startswith("3 of 4 tutorials failed.\n")
    failures = {failure.tutorial.name: failure for failure in caught.value.failures}
    assert failures["deep"].message == "tutorials/deep.py:9: ValueError: math domain error"
    lines = re.findall(r'"tutorials/deep\.py", line (\d+)', failures["deep"].traceback)
    assert lines == ["18", "9"]
    assert "root(-1)" in failures["deep"].traceback
    assert "return math.sqrt(x)" in failures["deep"].traceback
    assert failures["claim"].message == "tutorials/claim.py:3: AssertionError: x is too large"
    assert failures["syntax"].message.startswith("tutorials/syntax.py:2: '(' was never closed")
    assert all(failure.message in report for failure in failures.values())
    assert "\x1b" not in report
    assert "kernel" not in report
    files = {path.parent.name for path in (repository.root / ".cache").rglob("*.run")}
    assert files == {"good"}
    assert repository.cache.lookup(repository.find()["claim"]) is None


def test_a_failure_leaves_the_last_good_run(repository: Any) -> None:
    """A run that fails is not kept, and what it failed to replace is not used."""
    repository.tutorial("pond", "print(1)")
    repository.run()
    repository.tutorial("pond", "print(1)", "1 / 0")
    fail(repository)
    assert repository.cache.lookup(repository.find()["pond"]) is None
    repository.tutorial("pond", "print(1)")
    assert repository.run() == []


def test_time_out(
    repository: Any,
    tmp_path: Path,
    wait_for: Callable[..., None],
    is_alive: Callable[[int], bool],
) -> None:
    """A tutorial that takes too long is stopped, with all that it has started."""
    note, child = tmp_path / "process", tmp_path / "process-child"
    repository.tutorial(
        "slow",
        f"import os\nfrom pathlib import Path\n\nPath({str(note)!r}).write_text(str(os.getpid()))",
        "import subprocess\nimport sys\n\n"
        "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=-1)\n"
        f"Path({str(note)!r} + '-child').write_text(str(child.pid))\nchild.wait()",
    )
    (failure,) = fail(repository, timeout=4)
    assert failure.message.startswith("tutorials/slow.py:8: the tutorial had not ended after 4 s")
    assert not is_alive(int(note.read_text()))
    wait_for(lambda: not is_alive(int(child.read_text())), "what the kernel had started")


def test_seconds_in_the_header(repository: Any) -> None:
    """What a tutorial says that it takes replaces the limit for all, both ways."""
    sleep = "# %%\nimport time\ntime.sleep(2)\n"
    repository.write("tutorials/quick.py", f"# ---\n# labkit: {{seconds: 0.5}}\n# ---\n{sleep}")
    repository.write("tutorials/slow.py", f"# ---\n# labkit: {{seconds: 99}}\n# ---\n{sleep}")
    (failure,) = fail(repository, timeout=1)
    words = "tutorials/quick.py:5: the tutorial had not ended after 0.5 s"
    assert failure.message.startswith(words)


def test_memory_in_the_header(repository: Any) -> None:
    """A run that needs more memory than its tutorial says is stopped, children included."""
    header = "# ---\n# labkit: {memory: 500 MB}\n# ---\n# %%\nimport time\n\n# %%\n"
    grow = "x = b'x' * 1_000_000_000; time.sleep(60)"
    repository.write("tutorials/large.py", header + grow)
    child = f"subprocess.run([sys.executable, '-c', {'import time; ' + grow!r}])"
    repository.write("tutorials/parent.py", f"{header}import subprocess\nimport sys\n\n{child}")
    repository.write("tutorials/small.py", header + "time.sleep(1)")
    large, parent = sorted(fail(repository), key=lambda failure: failure.tutorial.name)
    words = r":8: the tutorial needed \d\.\d\d GB in the cell .* and its header says 0\.50 GB"
    assert re.match(f"tutorials/large.py{words}", large.message)
    assert re.match(f"tutorials/parent.py{words}", parent.message)


def test_a_kernel_that_dies(repository: Any) -> None:
    """A kernel that is killed or crashes is told by its cell, and the others go on."""
    repository.tutorial("good", "pass")
    repository.tutorial("killed", "import os", "os.kill(os.getpid(), 9)")
    repository.tutorial(
        "crashed",
        "import ctypes\nimport faulthandler\nfaulthandler.disable()",
        "import os\n\nos.write(2, b'the last words')\nos._exit(3)",
    )
    failures = {failure.tutorial.name: failure for failure in fail(repository)}
    assert set(failures) == {"killed", "crashed"}
    assert failures["killed"].message.startswith("tutorials/killed.py:5: the kernel was killed")
    assert "ran out of memory" in failures["killed"].message
    assert failures["crashed"].message.startswith("tutorials/crashed.py:7: the kernel died")
    assert "exit status 3" in failures["crashed"].message
    assert "the last words" in failures["crashed"].traceback


def test_a_run_that_is_stopped(
    repository: Any, tmp_path: Path, is_alive: Callable[[int], bool]
) -> None:
    """However often it is cancelled while its kernel starts, no process and no socket is left."""
    repository.tutorial("pond", "pass")

    async def stop() -> Process:
        run = Run(repository.find()["pond"], tmp_path)
        task = asyncio.create_task(run.execute(60))
        while not run.process.manager.has_kernel:
            await asyncio.sleep(0)
        while not task.done():
            task.cancel()
            await asyncio.sleep(0)
        return run.process

    manager = asyncio.run(stop()).manager
    assert not manager.has_kernel
    assert not is_alive(manager.provisioner.pid)
    assert manager.context.closed


def test_the_users_language(
    repository: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No result depends on it, and a run holds in any; nor on folders without modules in use."""
    repository.tutorial(
        "pond",
        "import locale\nimport subprocess\n\nprint(locale.setlocale(locale.LC_ALL, ''))\n"
        "subprocess.run('echo $LC_ALL $LANGUAGE', shell=True)",
    )
    shown = outputs(repository, "pond")[0].text
    assert shown == "C.UTF-8\nC.UTF-8\n"
    for name in ("LANG", "LANGUAGE", "LC_ALL", "LC_TIME"):
        monkeypatch.setenv(name, "de_DE.UTF-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    assert repository.run() == []
    repository.tutorial("pond", repository.find()["pond"].text + "# Anew.\npass")
    assert outputs(repository, "pond")[0].text == shown


def test_memory(repository: Any) -> None:
    """Memory that cannot be had is told with what to do."""
    repository.tutorial("pond", "import numpy as np", "np.zeros(2**57)")
    repository.tutorial("lake", "x = bytearray(2**62)")
    for failure in fail(repository):
        assert "MemoryError" in failure.message
        assert "--jobs 1" in failure.message


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import no_such_package", 'ModuleNotFoundError: .*pip install "\\.\\[tutorials\\]'),
        ("import sys\nsys.exit(3)", "SystemExit: 3. The script ends here"),
        ("import sys\nsys.exit('no')", "SystemExit: no. The script ends here"),
        ("input('name? ')", "StdinNotImplementedError"),
        ("display(1)", "NameError: name 'display' is not defined"),
        ("get_ipython()", "NameError: name 'get_ipython' is not defined"),
    ],
)
def test_mends(repository: Any, code: str, words: str) -> None:
    """The usual mistakes are told with what to do."""
    repository.tutorial("pond", code)
    (failure,) = fail(repository)
    assert re.match(rf"tutorials/pond\.py:[23]: {words}", failure.message)


def test_leaving_early(repository: Any) -> None:
    """A script that ends itself must end in its last cell: what stands below would never run."""
    repository.tutorial("pond", "pass", "print(1)\nexit()\nprint(2)", "print(3)")
    (failure,) = fail(repository)
    assert failure.message.startswith("tutorials/pond.py:6: SystemExit: None. The script ends here")
    repository.tutorial("pond", "pass", "print(1)\nexit()\nprint(2)", "# %% [markdown]\n# End.")
    repository.run()
    cells = repository.cache.lookup(repository.find()["pond"]).cells
    assert [output.text for output in cells[1].outputs] == ["1\n"]


@pytest.mark.parametrize(
    "code",
    [
        "def f(n):\n    return f(n + 1)\n\n\nf(0)",
        "def f(n):\n    return g(n + 1)\n\n\ndef g(n):\n    return f(n)\n\n\nf(0)",
    ],
)
def test_recursion(repository: Any, code: str) -> None:
    """An endless recursion is told in a few lines: the call, and where it ended."""
    repository.tutorial("pond", code)
    (failure,) = fail(repository)
    assert "RecursionError: maximum recursion depth exceeded" in failure.message
    assert len(str(failure).splitlines()) < 25
    assert "f(0)" in failure.traceback


def test_a_drawing_that_fails(repository: Any) -> None:
    """An error while a figure is drawn, after its cell, fails the cell."""
    code = "import matplotlib.pyplot as plt\n\nplt.plot([1])\nplt.title(r'$\\frac{1$')"
    repository.tutorial("pond", code)
    (failure,) = fail(repository)
    assert failure.message.startswith("tutorials/pond.py:2: ValueError")


def test_a_kernel_that_cannot_start(
    repository: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel that does not start is told with what its process said."""
    (tmp_path / "ipykernel_launcher.py").write_text("raise SystemExit('it is broken')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    repository.tutorial("pond", "pass")
    (failure,) = fail(repository)
    assert failure.message.startswith("tutorials/pond.py:1: the kernel died before")
    assert "it is broken" in failure.traceback


def test_the_users_own_kernels(
    repository: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel or a start-up file that the user has installed changes nothing."""
    home = tmp_path / "home"
    spec = home / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text('{"argv": ["false"], "display_name": "Mine", "language": "python"}')
    start = home / "ipython" / "profile_default" / "startup" / "mine.py"
    start.parent.mkdir(parents=True)
    start.write_text("mine = True\n")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(home))
    monkeypatch.setenv("IPYTHONDIR", str(home / "ipython"))
    repository.tutorial("pond", "print('mine' in dir())")
    assert outputs(repository, "pond")[0].text == "False\n"


def test_figures(repository: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A figure is one SVG, the same for all, and what plotting returns is not shown."""
    settings = tmp_path / "matplotlibrc"
    settings.write_text("lines.linewidth: 9\n")
    code = "import matplotlib.pyplot as plt\n\nfig, ax = plt.subplots()\nax.plot([1, 3, 2])"
    repository.tutorial("frog", code)
    repository.run()
    monkeypatch.setenv("MATPLOTLIBRC", str(settings))
    repository.tutorial("newt", code)
    (frog,), (newt,) = (outputs(repository, name) for name in ("frog", "newt"))
    assert frog.output_type == "display_data"
    assert set(frog.data) == {"image/svg+xml", "text/plain"}
    assert frog.data["image/svg+xml"] == newt.data["image/svg+xml"]
    assert "dc:date" not in frog.data["image/svg+xml"]


@pytest.mark.parametrize("backend", ["agg", "Qt5Agg", ""])
def test_the_users_own_backend(
    repository: Any, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    """Figures are drawn whatever backend the environment names, as those of test machines do."""
    monkeypatch.setenv("MPLBACKEND", backend)
    repository.tutorial("pond", "import matplotlib.pyplot as plt\n\nplt.plot([1, 3, 2])")
    assert any("image/svg+xml" in output.data for output in outputs(repository, "pond"))


def test_last_expressions(repository: Any) -> None:
    """A cell's last expression is shown, without the address of an object."""
    repository.tutorial("pond", "object()", "'frogs'")
    repository.run()
    cells = repository.cache.lookup(repository.find()["pond"]).cells
    assert cells[0].outputs[0].data == {"text/plain": "<object>"}
    assert cells[1].outputs[0].data == {"text/plain": "'frogs'"}


def test_warnings_and_source(repository: Any) -> None:
    """A warning and a function's source name the tutorial's file and its own lines."""
    repository.tutorial(
        "pond",
        "import inspect\nimport warnings\n\n\ndef frog():\n    warnings.warn('croak')",
        "frog()\nprint(inspect.getsource(frog), end='')",
    )
    shown = {output.name: output.text for output in outputs(repository, "pond")}
    assert "tutorials/pond.py:7: UserWarning: croak" in shown["stderr"]
    assert shown["stdout"] == "def frog():\n    warnings.warn('croak')\n"
