"""Fetch a file once, trust it only when its checksum matches, and say what to do offline."""

from pathlib import Path

import numpy as np

from labkit._common import extra

Split = tuple[np.ndarray, np.ndarray]

KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

# As Keras publishes them (SHA-256), or <https://github.com/zalandoresearch/fashion-mnist> (MD5
# only).
CHECKSUMS = {
    "mnist.npz": "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    "cifar-10-python.tar.gz": "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
}


def fetch(name: str, site: str, path: str | Path | None = None) -> Path:
    """Return a file whose checksum matches: a given one, a cached one or a new download.

    Args:
        name: One of `CHECKSUMS`.
        site: The address of the folder in which it is published.
        path: A file, or a folder that holds `name`. None: the user's cache folder.

    Raises:
        FileNotFoundError: `path` is given and the file is not there.
        ValueError: `path` is given and the file's bytes are not the published ones.
        ConnectionError: The file is not in the cache and cannot be downloaded.
    """
    pooch = extra("pooch", "data")
    file = Path(pooch.os_cache("labkit") / name if path is None else path).expanduser()
    file = file / name if file.is_dir() else file
    if path is None:
        loader = pooch.HTTPDownloader(progressbar=True, chunk_size=2**18)
        try:
            pooch.retrieve(site + name, CHECKSUMS[name], name, file.parent, downloader=loader)
        except (OSError, ValueError) as error:
            hint = f"Download it elsewhere and put it at {file}, or pass load_data(path=...)"
            raise ConnectionError(f"Could not download {site + name}: {error}\n{hint}") from error
    elif not file.is_file():
        raise FileNotFoundError(f"No file {file}. Expected {name} from {site + name}")
    elif not pooch.hashes.hash_matches(file, CHECKSUMS[name]):
        raise ValueError(f"{file} is damaged: its checksum is not that of {site + name}")
    return file
