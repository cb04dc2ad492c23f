"""The process of one kernel: started with this Python, watched, and ended with all it started."""

import asyncio
import contextlib
import os
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
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self.folder = folder
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
                command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
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

        provisioner = self.manager.provisioner
        assert provisioner is not None
        process = psutil.Process(provisioner.pid)  # type: ignore[attr-defined]
        while not self.exceeded:
            used = 0
            with contextlib.suppress(psutil.NoSuchProcess):
                for one in (process, *process.children(recursive=True)):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        used += one.memory_info().rss
            if used > limit:
                self.exceeded = used
                await provisioner.kill()
            await asyncio.sleep(INTERVAL)

    async def status(self) -> int | None:
        """Return its exit status; None if it runs."""
        provisioner = self.manager.provisioner
        return await provisioner.poll() if provisioner else None

    def said(self) -> str:
        """Return the end of what the process itself said."""
        return self.log.read_text("utf-8", "replace")[-2000:] if self.log.exists() else ""

    async def stop(self, client: "NotebookClient") -> None:
        """Leave nothing behind.

        Nothing in it waits for the event loop, so that no cancellation can cut it short.
        """
        if client.kc is not None:
            client.kc.stop_channels()
        provisioner = self.manager.provisioner
        if provisioner is not None and provisioner.has_process:
            await provisioner.kill()  # the group that the kernel leads: what it has started, too
            provisioner.process.wait()  # type: ignore[attr-defined]  # of local ones
            await provisioner.wait()
        await self.manager.cleanup_resources()

    def _environment(self) -> dict[str, str]:
        kept = {name: v for name, v in os.environ.items() if name not in kernel.REMOVED}
        own = {"IPYTHONDIR": str(self.folder / "ipython"), "TMPDIR": str(self.folder)}
        return kept | kernel.ENVIRONMENT | own
