"""The process of one kernel: started with this Python, watched, and ended with all it started."""

import asyncio
import contextlib
import os
import signal
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from . import kernel

if TYPE_CHECKING:  # they take a second, and are not needed where every tutorial is cached
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

SOCKET_PATH = 90  # bytes; the system allows about 100, and the kernel appends a number
INTERVAL = 0.2  # seconds from one look at the memory to the next


class Process:
    """A kernel's process.

    Args:
        root: Where it runs.
        folder: An empty folder for its sockets, its log and its temporary files.
        mode: What the tutorial finds in `LABKIT_MODE`.
    """

    def __init__(self, root: Path, folder: Path, mode: str) -> None:
        self.root = root
        self.folder = folder
        self.mode = mode
        self.log = folder / "kernel.log"  # what the process itself says
        self.exceeded = 0  # bytes in use when it was ended, because they were too many

    @cached_property
    def manager(self) -> "AsyncKernelManager":
        """What starts the process."""
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

    async def start(self, client: "NotebookClient") -> None:
        """Start the process, and wait until it answers."""
        with self.log.open("wb") as log:
            await client.async_start_new_kernel(
                cwd=str(self.root), env=self._environment(), stdout=log, stderr=log
            )
        await client.async_start_new_kernel_client()

    async def watch(self, limit: int) -> None:
        """End the process when it, with all that it has started, needs more memory.

        Args:
            limit: Bytes.
        """
        import psutil

        process = psutil.Process(self.manager.provisioner.pid)  # type: ignore[union-attr]
        while not self.exceeded:
            used = 0
            with contextlib.suppress(psutil.NoSuchProcess):
                for one in (process, *process.children(recursive=True)):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        used += one.memory_info().rss
            if used > limit:
                self.exceeded = used
                self.kill()
            await asyncio.sleep(INTERVAL)

    async def status(self) -> int | None:
        """Return its exit status; None if it runs."""
        provisioner = self.manager.provisioner
        return await provisioner.poll() if provisioner else None

    def said(self) -> str:
        """Return the end of what the process itself said."""
        return self.log.read_text("utf-8", "replace")[-2000:] if self.log.exists() else ""

    def kill(self) -> None:
        """End it, and what it has started: the kernel leads a group."""
        group = getattr(self.manager.provisioner, "pgid", None)
        if group:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)

    async def stop(self, client: "NotebookClient") -> None:
        """Leave nothing behind."""
        from jupyter_core.utils import ensure_async

        if client.kc is not None:
            client.kc.stop_channels()
        if self.manager.has_kernel:
            self.kill()
            await self.manager.shutdown_kernel(now=True)
        await ensure_async(self.manager.cleanup_resources())

    def _environment(self) -> dict[str, str]:
        kept = {name: v for name, v in os.environ.items() if name not in kernel.REMOVED}
        own = {
            "IPYTHONDIR": str(self.folder / "ipython"),
            "LABKIT_MODE": self.mode,
            "TMPDIR": str(self.folder),
        }
        return kept | kernel.ENVIRONMENT | own
