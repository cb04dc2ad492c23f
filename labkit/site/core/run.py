"""Runs one tutorial in a kernel of its own: the conversation with that kernel.

A failure is told with the tutorial's own line numbers.
"""

import ast
import asyncio
import contextlib
import json
import math
import os
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbformat import NotebookNode

from . import kernel
from .outputs import OutputError, check
from .tutorial import Tutorial

if TYPE_CHECKING:  # they take a second, and are not needed where every tutorial is cached
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

TIMEOUT = 600.0  # seconds for one tutorial
PATIENCE = 300  # seconds that a kernel may take to start, or to hand over what it has
SOCKET_PATH = 90  # bytes; the system allows about 100, and the kernel appends a number
# What runs inside the kernel, as a package of its own: the kernel need not be able to import
# labkit. Each module comes after those that it imports.
INSIDE = ("stdout", "program", "kernel")
LOADER = """
import sys, types
package = types.ModuleType("labkit_kernel")
package.__path__ = []
sys.modules["labkit_kernel"] = package
for name, text in texts:
    module = types.ModuleType(f"labkit_kernel.{name}")
    module.__package__ = "labkit_kernel"
    sys.modules[module.__name__] = module
    setattr(package, name, module)
    exec(compile(text, module.__name__, "exec"), module.__dict__)
"""
KERNEL = '__import__("labkit_kernel").kernel'
MENDS = {
    "SystemExit": "The script ends here, before its end. Remove what ends it.",
    "MemoryError": "Run fewer at a time (--jobs 1), or make the tutorial need less.",
    "ModuleNotFoundError": (
        'Install what the tutorials need: `uv sync`, or `pip install "labkit[tutorials]"`.'
    ),
}


@dataclass(frozen=True)
class Failure:
    """Why one tutorial has no result.

    Attributes:
        tutorial: The tutorial.
        message: One line: file, line, what happened, and what to do.
        traceback: Python's traceback in the file's own line numbers, or an empty string.
    """

    tutorial: Tutorial
    message: str
    traceback: str = ""

    def __str__(self) -> str:
        return "\n    ".join([self.message, *self.traceback.splitlines()])


class RunFailedError(Exception):
    """A run has failed; the message begins with the file and the line."""

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback


class Run:
    """One tutorial in its kernel.

    Args:
        tutorial: What to run.
        folder: An empty folder for the kernel's sockets, its log and its temporary files.
        mode: What the tutorial finds in `LABKIT_MODE`.
    """

    def __init__(self, tutorial: Tutorial, folder: Path, mode: str) -> None:
        self.tutorial = tutorial
        self.notebook = tutorial.notebook
        self.folder = folder
        self.mode = mode
        self.log = folder / "kernel.log"  # what the kernel's process itself says
        self.line = 0  # of the cell that runs

    async def execute(self, timeout: float) -> dict[str, Any]:
        """Execute the notebook in place; return what the kernel reports.

        Raises:
            RunFailedError: The run failed, whatever the reason.
        """
        from nbclient import NotebookClient
        from nbclient.exceptions import DeadKernelError

        manager = self._manager()
        client = NotebookClient(
            self.notebook,
            km=manager,
            coalesce_streams=True,
            record_timing=False,
            startup_timeout=PATIENCE,
            iopub_timeout=PATIENCE,
            raise_on_iopub_timeout=True,  # else a busy machine would lose outputs
            allow_errors=True,  # `_tidy` tells them
        )
        deadline = asyncio.timeout(timeout)
        try:
            async with deadline:
                return await self._execute(client)
        except (DeadKernelError, RuntimeError, TimeoutError) as error:
            # nbclient takes every cancellation for the kernel's death.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError from None
            if deadline.expired():
                raise self._failed(
                    f"the tutorial had not ended after {timeout:g} s: it was stopped in "
                    "the cell that starts here. Make it do less, or allow more (--timeout)."
                ) from None
            raise await self._died(manager, error) from None
        finally:
            await self._stop(client, manager)

    async def _execute(self, client: "NotebookClient") -> dict[str, Any]:
        with self.log.open("wb") as log:
            await client.async_start_new_kernel(
                cwd=str(self.tutorial.root), env=self._environment(), stdout=log, stderr=log
            )
        await client.async_start_new_kernel_client()
        await self._prepare(client)
        for index, cell in enumerate(self.notebook.cells):
            if cell.cell_type == "code":
                self.line = cell.metadata["line"]
                await client.async_execute_cell(cell, index)
                self._tidy(cell)
                if cell.metadata["values"]:
                    cell.metadata["outcome"] = {
                        name: await self._value(client, name) for name in cell.metadata["values"]
                    }
        report: dict[str, Any] = json.loads(await self._ask(client, f"{KERNEL}.report()"))
        return report

    def _manager(self) -> "AsyncKernelManager":
        from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
        from jupyter_client.manager import AsyncKernelManager

        class ThisPython(KernelSpecManager):
            """Starts kernels with this Python, whatever kernels the user has installed."""

            def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
                command = [
                    sys.executable,
                    "-m",
                    "ipykernel_launcher",
                    "-f",
                    "{connection_file}",
                ]
                return KernelSpec(
                    argv=[*command, *kernel.ARGUMENTS],
                    display_name="Python 3",
                    language="python",
                )

        base = self.folder / "kernel"
        manager = AsyncKernelManager(
            kernel_spec_manager=ThisPython(), connection_file=f"{base}.json"
        )
        # Sockets in a folder of their own: no two builds can take each other's ports.
        if os.name == "posix" and len(os.fsencode(base)) < SOCKET_PATH:
            manager.transport = "ipc"
            manager.ip = str(base)
        return manager

    def _environment(self) -> dict[str, str]:
        kept = {name: v for name, v in os.environ.items() if name not in kernel.REMOVED}
        own = {
            "IPYTHONDIR": str(self.folder / "ipython"),
            "LABKIT_MODE": self.mode,
            "TMPDIR": str(self.folder),
        }
        return kept | kernel.ENVIRONMENT | own

    async def _prepare(self, client: "NotebookClient") -> None:
        cells = [c for c in self.notebook.cells if c.cell_type == "code" and c.source.strip()]
        lines = {number: cell.metadata["line"] for number, cell in enumerate(cells, 1)}
        tutorial = self.tutorial
        arguments = (str(tutorial.root), tutorial.place, tutorial.text, lines)
        folder = Path(__file__).parent
        texts = [(name, (folder / f"{name}.py").read_text("utf-8")) for name in INSIDE]
        await self._ask(client, f"exec({LOADER!r}, {{'texts': {texts!r}}})")
        await self._ask(client, f"{KERNEL}.prepare(get_ipython(), *{arguments!r})")

    def _tidy(self, cell: NotebookNode) -> None:
        """Check that a cell raised what it should, and that a page can show what it gave."""
        errors = [output for output in cell.outputs if output.output_type == "error"]
        if errors and "raises-exception" not in cell.metadata["tags"]:
            last = errors[-1]
            raise self._cell_failed(last.ename, last.evalue, "\n".join(last.traceback))
        if "raises-exception" in cell.metadata["tags"] and not errors:
            raise self._failed(
                "the cell that starts here is tagged raises-exception, but raised nothing. "
                "Remove the tag, or mend the cell."
            )
        try:
            check(cell)
        except OutputError as error:
            raise self._failed(str(error)) from None

    async def _value(self, client: "NotebookClient", name: str) -> Any:
        try:
            kind, value = json.loads(await self._ask(client, f"{KERNEL}.plain({name})"))
        except NameError:
            raise self._failed(
                f"the cell that starts here publishes {name!r}, but there is no such name. "
                "Mend `values` in its marker, or the cell."
            ) from None
        if value is None:
            given = f"of type {kind}"
        elif isinstance(value, float) and not math.isfinite(value):
            given = str(value)
        else:
            return value
        raise self._failed(
            f"the cell that starts here publishes {name!r}, which is {given}. Expected a "
            "finite number, a str, a bool, an array of numbers, or a list or dict (str keys) "
            "of these: convert it in the cell."
        )

    async def _ask(self, client: "NotebookClient", expression: str) -> Any:
        """Evaluate an expression in the kernel; the tutorial's names stay as they are."""
        assert client.kc is not None
        message = client.kc.execute(
            "", silent=True, store_history=False, user_expressions={"answer": expression}
        )
        reply = await client.async_wait_for_reply(message)
        assert reply is not None  # it waits as long as it must: `execute` sets the limit
        answer = reply["content"]["user_expressions"]["answer"]
        if answer["status"] == "error":
            if answer["ename"] == "NameError":
                raise NameError(answer["evalue"])
            raise self._failed(f"{answer['ename']}: {answer['evalue']}")
        return ast.literal_eval(answer["data"]["text/plain"])

    def _failed(self, message: str, traceback: str = "", line: int | None = None) -> RunFailedError:
        return RunFailedError(
            f"{self.tutorial.place}:{line or self.line or 1}: {message}", traceback
        )

    def _cell_failed(self, name: str, message: str, traceback: str) -> RunFailedError:
        place = re.escape(self.tutorial.place)
        lines = re.findall(rf'{place}(?:", line |:)(\d+)', traceback)
        message = f"{name}: {message}".splitlines()[0]
        for kind, mend in MENDS.items():
            if name.endswith(kind):  # NumPy's is called _ArrayMemoryError
                message = f"{message}. {mend}"
        return self._failed(message, traceback, int(lines[-1]) if lines else None)

    async def _died(self, manager: "AsyncKernelManager", error: Exception) -> RunFailedError:
        status = await manager.provisioner.poll() if manager.provisioner else None
        said = self.log.read_text("utf-8", "replace")[-2000:] if self.log.exists() else ""
        when = "in the cell that starts here" if self.line else "before the first cell"
        if status == -signal.SIGKILL:
            return self._failed(
                f"the kernel was killed {when}, most likely because the machine ran out of "
                f"memory. {MENDS['MemoryError']}",
                said,
            )
        how = str(error) if status is None else f"exit status {status}"
        return self._failed(
            f"the kernel died {when} ({how}). Run the tutorial as a script to see why.",
            said,
        )

    async def _stop(self, client: "NotebookClient", manager: "AsyncKernelManager") -> None:
        from jupyter_core.utils import ensure_async

        if client.kc is not None:
            client.kc.stop_channels()
        if manager.has_kernel:
            group = getattr(manager.provisioner, "pgid", None)
            if group:  # the kernel leads a group: with it goes what it has started
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(group, signal.SIGKILL)
            await manager.shutdown_kernel(now=True)
        await ensure_async(manager.cleanup_resources())
