"""A tutorial's page shows what `python tutorials/NAME.py` prints, and ends as that does."""

import os
import subprocess
import sys
from typing import Any

import pytest

from labkit.site.core import kernel
from labkit.site.core.schedule import RunError

SURROUNDINGS = r"""
# %%
from __future__ import annotations
print(sorted(dir()), __name__, __doc__, __file__, __spec__)
# %%
print(sorted(dir()), __loader__.name, __loader__.path)
1
# %%
import builtins, os, sys
print(sorted(name for name in dir(builtins) if name != "_"))
print(sys.argv, sys.path, sys.flags, sys.executable, os.getcwd(), open.__module__, exit)
print(vars(sys.modules["__main__"]) is globals(), "_" in globals())
# %% a sibling
import sibling
print(sibling.frogs)
# %% what was imported from __future__ above
def f(x: no):
    return "\u2028"
print(f.__annotations__)
# %% its source
import inspect
print(inspect.getsource(f))
# %% a class of the script's own
import pickle
class A: pass
print(type(pickle.loads(pickle.dumps(A()))) is A)
# %% recursion
def down(n):
    return down(n + 1)
try:
    down(0)
except RecursionError as error:
    print(error)
"""
TEXT = """
# %% characters that end no line
x = '''one
\ftwo'''
print(ascii(x))
x = "a\u2028b\u2029c\x85d\x1ce"
print(ascii(x))
# %% what looks like a magic
x = "\u2028!ls\u2028%pwd"
print(x)
"""
EVENTS = """
# %%
import asyncio
async def main():
    print("a")
    await asyncio.sleep(0)
    return "b"
# %%
print(asyncio.run(main()))
print(asyncio.run(main()))
# %%
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
# %%
print(loop.run_until_complete(asyncio.sleep(0, "c")), asyncio.get_event_loop() is loop)
loop.close()
# %%
import threading, time
def late():
    time.sleep(0.3)
    print("late")
threading.Thread(target=late).start()
print("early")
"""
EXECUTORS = """
# %%
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
threads = ThreadPoolExecutor(2)
print(list(threads.map(len, ["one", "three"])))
def late():
    time.sleep(0.3)
    print("late")
# %% neither is shut down
processes = ProcessPoolExecutor(1)
print(list(processes.map(len, ["one", "three"])))
threads.submit(late)
print("early")
"""
CHILDREN = """
# %%
import multiprocessing as mp
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
print("before", flush=True)
subprocess.run(["echo", "hello"])
print("after", flush=True)
# %% one that writes more than its parent reads at once
subprocess.run([sys.executable, "-c", "print('grün' * 15_000)"])
# %%
subprocess.run(["echo", "a"], stdout=sys.stdout)
os.system("echo b")
os.write(1, b"c\\n")
# %% bytes
print("a", end="")
sys.stdout.buffer.write(b"b\\n")
print(sys.stdout.encoding, sys.stdout.isatty(), flush=True)
# %% started by copying this process
def greet(name):
    print("hello from", name)
if __name__ == "__main__":
    process = mp.get_context("fork").Process(target=greet, args=("a copy",))
    process.start()
    process.join()
# %% started anew
def square(x):
    return x * x
if __name__ == "__main__":
    with ProcessPoolExecutor(1, mp_context=mp.get_context("spawn")) as pool:
        print(list(pool.map(square, [2, 3])))
"""
PROGRAMS = {
    "surroundings": SURROUNDINGS,
    "text": TEXT,
    "events": EVENTS,
    "executors": EXECUTORS,
    "children": CHILDREN,
    "exit": "# %%\nprint(1)\n# %%\nexit()\nprint(2)",
    "sys.exit": "# %%\nprint(1)\nif True:\n    import sys\n    sys.exit(0)",
    "status": "# %%\nprint(1)\nimport sys\nsys.exit(2)",
    "message": "# %%\nimport sys\nsys.exit('enough')",
    "error": "# %%\nprint(1)\n# %%\n1 / 0",
    "display": "# %%\ndisplay(1)",
    "ipython": "# %%\nprint(1)\n# %%\nget_ipython()",
    "underscore": "# %%\n1\n# %%\n_",
    "await": "# %%\nimport asyncio\nawait asyncio.sleep(0)",
    "magic": "# %%\n%matplotlib inline",
    "loop": "# %%\nimport asyncio\nasyncio.get_running_loop()",
    "surrogate": "# %%\nprint('\\ud800')",
    "text-with-code": "# %% [markdown]\n# Text.\nanswer = 42\nassert answer == 43\n",
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("name", PROGRAMS)
def test_page_and_script(repository: Any, name: str) -> None:
    """Both print the same, and both end well or both fail."""
    path = repository.write("tutorials/part/pond.py", f"{PROGRAMS[name].strip()}\n")
    repository.write("tutorials/part/sibling.py", "# %%\nfrogs = 3\nprint('sibling')\n")
    environment = {k: v for k, v in os.environ.items() if k not in kernel.REMOVED}
    script = subprocess.run(
        [sys.executable, path.relative_to(repository.root)],
        cwd=repository.root,
        env=environment | kernel.ENVIRONMENT,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if script.returncode:
        with pytest.raises(RunError) as caught:
            repository.run()
        assert [failure.tutorial.name for failure in caught.value.failures] == ["pond"]
        assert "tutorials/part/pond.py:" in str(caught.value)
        return
    repository.run()
    cells = repository.cache.lookup(repository.find()["pond"]).cells
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    printed = "".join(output.text for output in outputs if output.get("name") == "stdout")
    assert printed == script.stdout.decode()
