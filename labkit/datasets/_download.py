"""Fetch a file once, believe it only after its checksum, and say what to do offline."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

Split = tuple[np.ndarray, np.ndarray]


def extra(module: str) -> Any:
    """Import a module of an optional package, or say which extra brings it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"This data set needs {module.partition('.')[0]}, which is not installed. "
            "Install it: pip install 'labkit[data]'",
            name=error.name,
        ) from error


def fetch(name: str, url: str, checksum: str, path: str | Path | None = None) -> Path:
    """Return a file whose checksum is right: a given one, a cached one or a new download.

    Args:
        name: File name in the cache folder, or in `path` if that is a folder.
        url: Where the file is published.
        checksum: Published checksum, `"sha256:…"` or `"md5:…"`.
        path: A file, or a folder that holds `name`. None: the user's cache folder.

    Raises:
        FileNotFoundError: `path` is given and the file is not there.
        ValueError: The file's bytes are not the published ones.
        ConnectionError: The file is not in the cache and cannot be downloaded.
    """
    pooch = extra("pooch")
    if path is None:
        file = Path(pooch.os_cache("labkit")) / name
    else:
        file = Path(path).expanduser()
        file = file / name if file.is_dir() else file
        if not file.is_file():
            raise FileNotFoundError(f"No file {file}. Expected {name} from {url}")
    if file.is_file() and _matches(pooch, file, checksum):
        return file
    if path is not None:
        raise ValueError(f"{file} is damaged: expected {checksum}. Download it again: {url}")
    loader = pooch.HTTPDownloader(progressbar=_Bar(name), chunk_size=2**18)
    try:
        pooch.retrieve(url, checksum, fname=name, path=file.parent, downloader=loader)
    except (OSError, ValueError) as error:
        raise ConnectionError(
            f"Could not download {url}: {error}\n"
            f"Download it on another machine and put it at {file}, "
            f"or pass its place: load_data(path=...)"
        ) from error
    return file


class _Bar:
    """One line on stderr; pooch sets `total` in bytes and calls the methods."""

    total = 0

    def __init__(self, name: str):
        self.name, self.done = name, 0

    def reset(self) -> None:
        self.done = 0

    def update(self, size: int) -> None:
        self.done += size
        share = f"{self.done / 1e6:.1f} of {self.total / 1e6:.1f} MB"
        print(f"\r{self.name} {share}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        print(file=sys.stderr)


def _matches(pooch: Any, file: Path, checksum: str) -> bool:
    algorithm, _, expected = checksum.partition(":")
    return bool(pooch.file_hash(str(file), alg=algorithm) == expected)
