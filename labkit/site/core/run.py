"""Runs one tutorial in a kernel of its own: the conversation with that kernel.

A failure is told with the tutorial's own line numbers.
"""

import ast
import asyncio
import contextlib
import json
import math
import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbformat import NotebookNode

from . import kernel
from .outputs import OutputError, check
from .process import Process
from .tutorial import Tutorial

if TYPE_CHECKING:  # they take a second, and are not needed where every tutorial is cached
    from nbclient import NotebookClient

TIMEOUT = 600.0  # seconds for one tutorial
PATIENCE = 300  # seconds that a kernel may take to start, or to hand over what it has
HEADER = "`# labkit: {{{}}}` between two lines `# ---` above the first cell."
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
        'Install what the tutorials need: `uv sync`, or `pip install ".[tutorials]"`.'
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
    """A run has failed; the message begins with the file and the line.

    Attributes:
        traceback: Python's, or an empty string.
        report: What the run had done until then, or nothing if its kernel could not say.
    """

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback
        self.report: dict[str, Any] = {}


class Run:
    """One tutorial in its kernel.

    Args:
        tutorial: What to run.
        folder: An empty folder for the kernel's sockets, its log and its temporary files.
    """

    def __init__(self, tutorial: Tutorial, folder: Path) -> None:
        self.tutorial = tutorial
        self.notebook = tutorial.notebook
        self.process = Process(tutorial.root, folder)
        self.line = 0  # of the cell that runs

    async def execute(self, timeout: float) -> dict[str, Any]:
        """Execute the notebook in place; return what the kernel reports.

        Args:
            timeout: Seconds that the cells may take, unless the tutorial's header says it.

        Raises:
            RunFailedError: The run failed, whatever the reason.
        """
        from nbclient import NotebookClient
        from nbclient.exceptions import DeadKernelError

        client = NotebookClient(
            self.notebook,
            km=self.process.manager,
            coalesce_streams=True,
            record_timing=False,
            startup_timeout=PATIENCE,
            iopub_timeout=PATIENCE,
            raise_on_iopub_timeout=True,  # else a busy machine would lose outputs
            allow_errors=True,  # `_tidy` tells them
        )
        needs = self.tutorial.needs
        limit = needs.seconds or timeout
        watch = None
        deadline = asyncio.timeout(PATIENCE)
        try:
            async with deadline:
                await self.process.start(client)
                await self._prepare(client)
                if needs.memory:
                    watch = asyncio.create_task(self.process.watch(needs.memory))
                deadline.reschedule(asyncio.get_running_loop().time() + limit)
                return await self._execute(client)
        except (DeadKernelError, RuntimeError, TimeoutError) as error:
            # nbclient takes every cancellation for the kernel's death.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError from None
            if deadline.expired():
                raise self._late(limit) from None
            raise await self._died(error) from None
        finally:
            if watch is not None:
                watch.cancel()
            await self.process.stop(client)

    async def _execute(self, client: "NotebookClient") -> dict[str, Any]:
        try:
            await self._execute_cells(client)
            report = await self._report(client)
            if report["refused"]:  # where the cell went on nevertheless
                raise self._failed(report["refused"])
        except RunFailedError as error:
            with contextlib.suppress(RunFailedError):  # the first failure is the one to tell
                error.report = await self._report(client)
            raise
        return report

    async def _execute_cells(self, client: "NotebookClient") -> None:
        for index, cell in enumerate(self.notebook.cells):
            if cell.cell_type == "code":
                self.line = cell.metadata["line"]
                await client.async_execute_cell(cell, index)
                self._tidy(cell)
                if cell.metadata["values"]:
                    cell.metadata["outcome"] = {
                        name: await self._value(client, name) for name in cell.metadata["values"]
                    }

    async def _report(self, client: "NotebookClient") -> dict[str, Any]:
        report: dict[str, Any] = json.loads(await self._ask(client, f"{KERNEL}.report()"))
        return report

    async def _prepare(self, client: "NotebookClient") -> None:
        cells = [c for c in self.notebook.cells if c.cell_type == "code" and c.source.strip()]
        lines = {number: cell.metadata["line"] for number, cell in enumerate(cells, 1)}
        tutorial = self.tutorial
        arguments = (str(tutorial.root), tutorial.place, tutorial.text, lines)
        folder = Path(kernel.__file__).parent
        texts = [(name, (folder / f"{name}.py").read_text("utf-8")) for name in kernel.INSIDE]
        await self._ask(client, f"exec({LOADER!r}, {{'texts': {texts!r}}})")
        await self._ask(client, f"{KERNEL}.prepare(get_ipython(), *{arguments!r})")

    def _tidy(self, cell: NotebookNode) -> None:
        """Check that a cell raised nothing, and that a page can show what it gave."""
        errors = [output for output in cell.outputs if output.output_type == "error"]
        if errors:
            last = errors[-1]
            raise self._cell_failed(last.ename, last.evalue, "\n".join(last.traceback))
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
        lines = re.findall(rf'"{place}", line (\d+)', traceback)
        message = f"{name}: {message}".splitlines()[0]
        for kind, mend in MENDS.items():
            if name.endswith(kind):  # NumPy's is called _ArrayMemoryError
                message = f"{message}. {mend}"
        return self._failed(message, traceback, int(lines[-1]) if lines else None)

    def _late(self, limit: float) -> RunFailedError:
        if not self.line:
            return self._failed(f"the kernel had not started after {PATIENCE} s.")
        return self._failed(
            f"the tutorial had not ended after {limit:g} s: it was stopped in the cell that starts "
            f"here. Run it again when the machine is less busy, make it do less, or allow more: "
            f"{HEADER.format('seconds: …')}"
        )

    async def _died(self, error: Exception) -> RunFailedError:
        when = "in the cell that starts here" if self.line else "before the first cell"
        if self.process.exceeded:
            allowed, used = (self.tutorial.needs.memory or 0) / 1e9, self.process.exceeded / 1e9
            return self._failed(
                f"the tutorial needed {used:.2f} GB {when}, and its header says {allowed:.2f} GB: "
                f"it was stopped. Make it need less, or allow more: {HEADER.format('memory: …')}"
            )
        status = await self.process.status()
        if status == -signal.SIGKILL:
            return self._failed(
                f"the kernel was killed {when}, most likely because the machine ran out of "
                f"memory. {MENDS['MemoryError']}",
                self.process.said(),
            )
        how = str(error) if status is None else f"exit status {status}"
        return self._failed(
            f"the kernel died {when} ({how}). Run the tutorial as a script to see why.",
            self.process.said(),
        )
