"""Runs cells inside the kernel as Python runs a script, so that the page is what the script is.

IPython runs a cell as a session at its prompt: with names, a syntax and an event loop of its own,
with other places to import from, and without a file. Of IPython only the displays are used.
Like `kernel`, this imports nothing but Python's own modules and what each kernel has loaded.
"""

import __future__

import ast
import asyncio
import builtins
import contextlib
import functools
import gc
import importlib.machinery
import linecache
import operator
import os
import sys
import threading
import traceback
import types
from collections.abc import Iterator
from typing import Any

from .stdout import Output

FUTURES = functools.reduce(
    operator.or_,
    (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names),
)
NO_BUILTINS = ("__IPYTHON__", "display", "execfile", "runfile")  # IPython's and its debugger's
HEAD, TAIL = 6, 14  # lines of a long traceback that are kept at its two ends


class Program:
    """A tutorial that runs cell by cell.

    Args:
        shell: The kernel's IPython shell, whose way of running a cell is replaced.
        root: The repository's root.
        place: The tutorial's file below the root.
        text: Its text.
        lines: For each code cell that is not empty, by its number from 1, the line of its code.
    """

    def __init__(self, shell: Any, root: str, place: str, text: str, lines: dict[int, int]) -> None:
        self.shell = shell
        self.place = place
        self.lines = lines
        self.flags = 0  # what the script has imported from __future__
        self.policy: Any = asyncio.DefaultEventLoopPolicy()  # type: ignore[attr-defined, unused-ignore]
        self.threads = set(threading.enumerate())
        path = os.path.join(root, place)
        module = types.ModuleType("__main__")
        self.names = vars(module)
        self.names.update(
            __annotations__={},
            __builtins__=builtins,
            __cached__=None,
            __file__=path,
            __loader__=importlib.machinery.SourceFileLoader("__main__", path),
        )
        sys.modules["__main__"] = shell.user_module = module
        shell.user_ns = self.names
        shell.run_cell = self.run_cell
        shell.showtraceback = self.show
        sys.argv = [place]
        sys.path[:] = [os.path.dirname(os.path.realpath(path)), *filter(None, sys.path)]
        for name in NO_BUILTINS:
            vars(builtins).pop(name, None)
        lines_of_text = [line + "\n" for line in text.split("\n")]
        linecache.cache[place] = (len(text), None, lines_of_text, place)
        self.output = sys.stdout = Output(sys.stdout)

    def run_cell(
        self, raw_cell: str, store_history: bool = False, silent: bool = False, **_: Any
    ) -> Any:
        """Take the place of the shell's method of this name, for the kernel that calls it."""
        from IPython.core import interactiveshell as ipython

        shell = self.shell
        info = ipython.ExecutionInfo(raw_cell, store_history, silent, False, None)  # type: ignore[no-untyped-call]
        result = ipython.ExecutionResult(info)  # type: ignore[no-untyped-call]
        if not store_history:  # no cell, but a question of `run`
            return result
        result.execution_count = number = shell.execution_count
        shell.history_manager.input_hist_parsed.append(raw_cell)  # a last `;` hides the result
        shell.events.trigger("pre_execute")
        try:
            with self.own_loop():
                self.execute(raw_cell, self.lines[number])
                if number == len(self.lines):
                    self.wait()
        except BaseException as error:
            if self.is_failure(error, number):
                result.error_in_exec = error
                self.show()
        self.output.forward()
        shell.events.trigger("post_execute")  # which draws the figures
        shell.execution_count += 1
        return result

    def execute(self, code: str, line: int) -> None:
        """Run code whose first line stands in a line of the file; display its last expression."""
        body = ast.parse("\n" * (line - 1) + code, self.place).body
        last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
        exec(self.compile(ast.Module(body, []), "exec"), self.names)
        if isinstance(last, ast.Expr):
            value = eval(self.compile(ast.Expression(last.value), "eval"), self.names)
            self.shell.displayhook(value)

    def compile(self, tree: ast.Module | ast.Expression, mode: str) -> types.CodeType:
        """Compile in the file's name, with what the script has imported from __future__."""
        code: types.CodeType = compile(tree, self.place, mode, self.flags, dont_inherit=True)
        self.flags |= code.co_flags & FUTURES
        return code

    def is_failure(self, error: BaseException, number: int) -> bool:
        """Say whether an exception is one for the script, too, or keeps cells from running."""
        is_end = isinstance(error, SystemExit) and not error.code
        return not (is_end and number == len(self.lines))

    def wait(self) -> None:
        """Wait for what Python waits for at a script's end.

        There it also ends the executors that the script has left open, whose threads and processes
        would otherwise wait for work for ever.
        """
        if futures := sys.modules.get("concurrent.futures"):
            for known in gc.get_objects():
                if issubclass(type(known), futures.Executor):
                    known.shutdown()
        for thread in set(threading.enumerate()) - self.threads:
            if not thread.daemon:
                thread.join()

    @contextlib.contextmanager
    def own_loop(self) -> Iterator[None]:
        """Hide the kernel's event loop: a script has none until it starts one."""
        loop, policy = asyncio._get_running_loop(), asyncio.get_event_loop_policy()
        asyncio._set_running_loop(None)
        asyncio.set_event_loop_policy(self.policy)
        try:
            yield
        finally:
            self.policy = asyncio.get_event_loop_policy()
            asyncio.set_event_loop_policy(policy)
            asyncio._set_running_loop(loop)

    def show(self, *_: Any, **__: Any) -> None:
        """Send the exception that is being handled, from the tutorial's first line on."""
        kind, error, trace = sys.exc_info()
        assert kind is not None
        assert error is not None
        start = trace
        while start is not None and start.tb_frame.f_code.co_filename != self.place:
            start = start.tb_next
        told = traceback.TracebackException(kind, error, start or trace, compact=True)
        lines = "".join(told.format()).splitlines()
        if len(lines) > HEAD + TAIL:
            cut = f"  … {len(lines) - HEAD - TAIL} lines …"
            lines = [*lines[:HEAD], cut, *lines[-TAIL:]]
        self.shell._showtraceback(kind, error, lines)
