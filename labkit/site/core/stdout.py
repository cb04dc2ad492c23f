"""Collects, inside the kernel, what a tutorial prints: itself, its children and what it calls."""

import codecs
import io
import os
import sys
import tempfile
import threading
from typing import Any


class Output(io.TextIOBase):
    """The standard output of a program in a kernel.

    What is written to the file descriptor goes into a file; before this program prints, the
    page is given what that file has gained, so that the order is that of a script's output.

    Args:
        stream: The kernel's own, which sends to the page what is written to it.
    """

    encoding = "utf-8"
    errors = "strict"

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.process = os.getpid()
        self.file = tempfile.TemporaryFile()  # noqa: SIM115  # as long as the program runs
        os.dup2(self.file.fileno(), 1)
        self.buffer = os.fdopen(1, "wb", closefd=False)
        self.position = 0
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.lock = threading.RLock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)  # the kernel says through it which cell runs

    def fileno(self) -> int:
        """Return the descriptor that children inherit."""
        return 1

    def writable(self) -> bool:
        """Say so."""
        return True

    def write(self, text: str) -> int:
        """Print a text after all that was printed before it."""
        encoded = text.encode(self.encoding, self.errors)
        if os.getpid() != self.process:  # a fork has no connection to the page
            self.buffer.write(encoded)
            self.buffer.flush()
        else:
            with self.lock:
                self.forward()
                self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Send what was printed."""
        if os.getpid() == self.process:
            self.forward()
            self.stream.flush()

    def forward(self) -> None:
        """Print what the file has gained."""
        with self.lock:
            self.buffer.flush()
            if sys.__stdout__ is not None:
                sys.__stdout__.flush()
            while gained := os.pread(self.file.fileno(), 1 << 16, self.position):
                self.position += len(gained)
                self.stream.write(self.decoder.decode(gained))
