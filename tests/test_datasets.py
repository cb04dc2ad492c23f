"""Bundled data match their sources; downloads are checked or refused."""

import gzip
import hashlib
import http.server
import io
import pickle
import re
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labkit import datasets
from labkit.datasets import _download

# As the UCI Machine Learning Repository counts the classes.
UCI = {
    "load_digits": ((1797, 64), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]),
    "load_iris": ((150, 4), [50, 50, 50]),
    "load_wine": ((178, 13), [59, 71, 48]),
    "load_breast_cancer": ((569, 30), [212, 357]),
}


@pytest.mark.parametrize("name", UCI)
def test_shapes_and_class_counts_match_uci(name: str) -> None:
    """Shapes, names and class counts match what the repository publishes."""
    shape, counts = UCI[name]
    data = getattr(datasets, name)()
    assert data.data.shape == shape
    assert len(data.feature_names) == shape[1]
    assert len(data.target_names) == len(counts)
    assert np.bincount(data.target).tolist() == counts


def test_digits_are_images_in_the_documented_range() -> None:
    """The images are the rows as 8 by 8 pixels, from 0 to 16."""
    digits = datasets.load_digits()
    np.testing.assert_array_equal(digits.images.reshape(-1, 64), digits.data)
    assert (digits.data.min(), digits.data.max()) == (0, 16)


def sheets(digits: Any) -> np.ndarray:
    """Return the digits on sheets of 16 by 16 pixels, all in the same corner."""
    return np.pad(digits.images / 16, ((0, 0), (0, 8), (0, 8)))[..., None].astype("float32")


def cut_out(x: np.ndarray, y: np.ndarray) -> set[tuple[bytes, int]]:
    """Return what lies on each sheet, without the empty rows and columns around it."""
    parts = [sheet[np.ix_(sheet.any(axis=(1, 2)), sheet.any(axis=(0, 2)))] for sheet in x]
    return {(part.tobytes(), int(label)) for part, label in zip(parts, y, strict=True)}


def test_shifted_digits_are_digits_at_places_of_their_own() -> None:
    """Each sheet holds one whole digit, somewhere; none is there for training and testing."""
    digits = datasets.load_digits()
    (x_train, y_train), (x_test, y_test) = datasets.load_shifted_digits(copies=2, seed=1)
    assert x_train.shape == (2 * 1437, 16, 16, 1)
    assert x_train.dtype == np.float32
    assert len(x_test) == 2 * 360
    known, kept = cut_out(x_train, y_train), cut_out(x_test, y_test)
    assert known | kept == cut_out(sheets(digits), digits.target)
    assert not known & kept
    again, _ = datasets.load_shifted_digits(copies=2, seed=1)
    np.testing.assert_array_equal(again[0], x_train)
    rows = {int(np.flatnonzero(sheet.any(axis=(1, 2)))[0]) for sheet in x_train}
    assert rows >= set(range(9))


def test_diabetes_comes_scaled_or_in_units() -> None:
    """Scaled columns have mean 0 and norm 1; unscaled ones have the documented units."""
    scaled, raw = datasets.load_diabetes(), datasets.load_diabetes(scaled=False)
    np.testing.assert_allclose(scaled.data.mean(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(np.linalg.norm(scaled.data, axis=0), 1)
    age, bmi = raw.data[:, 0], raw.data[:, 2]
    assert (age.min(), age.max()) == (19, 79)
    assert (bmi.min(), bmi.max()) == (18, 42.2)
    assert (raw.target.min(), raw.target.max()) == (25, 346)


def test_photographs_are_in_color_and_writable() -> None:
    """Both photographs have their documented shape and range, and can be changed."""
    photographs = datasets.load_photographs()
    assert list(photographs) == ["china", "flower"]
    for pixels in photographs.values():
        assert (pixels.shape, pixels.dtype) == ((427, 640, 3), np.uint8)
        assert (pixels.min(), pixels.max()) == (0, 255)
        assert pixels.flags.writeable


def test_elnino_covers_sixty_one_years() -> None:
    """Years and months have the documented shape and plausible temperatures in °C."""
    years, temperatures = datasets.load_elnino()
    assert years.tolist() == list(range(1950, 2011))
    assert temperatures.shape == (61, 12)
    assert 18 < temperatures.min() < temperatures.max() < 30


def test_text_is_long_and_the_same_each_time() -> None:
    """The text has over 300,000 characters and is the same at each call."""
    text = datasets.load_text()
    assert len(text) > 300_000
    assert text == datasets.load_text()


def test_loading_twice_gives_separate_arrays() -> None:
    """A change to one copy does not reach the next caller."""
    datasets.load_digits().data[:] = -1
    assert datasets.load_digits().data.min() == 0


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without scikit-learn the error says what to install."""
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"sklearn.*pip install '\.\[data\]'"):
        datasets.load_digits()


def packed(arrays: dict[str, np.ndarray]) -> bytes:
    """Pack arrays into the bytes of an .npz file."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def small_digits() -> dict[str, np.ndarray]:
    """Make a data set in MNIST's layout with three training and two test images."""
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (3, 28, 28), np.uint8),
        "y_train": np.array([1, 2, 3], np.uint8),
        "x_test": rng.integers(0, 256, (2, 28, 28), np.uint8),
        "y_test": np.array([4, 5], np.uint8),
    }


def publish(monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, site: str = "") -> None:
    """Make some bytes the published content of a file, and `site` its address."""
    algorithm = "md5" if _download.CHECKSUMS[name].startswith("md5:") else "sha256"
    checksum = f"{algorithm}:{hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()}"
    monkeypatch.setitem(_download.CHECKSUMS, name, checksum)
    monkeypatch.setattr(datasets.mnist, "KERAS", site)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable]:
    """Serve files locally in place of the published ones, with an empty cache."""
    content: dict[str, bytes] = {}
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = content[self.path.strip("/")]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))

    def serve(name: str, body: bytes) -> tuple[str, list[str]]:
        content[name] = body
        return f"http://127.0.0.1:{server.server_port}/", asked

    yield serve
    server.shutdown()
    thread.join()
    server.server_close()


def test_files_are_downloaded_once_with_a_progress_bar(
    served: Callable, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first call downloads and shows progress; the second reads the cache."""
    arrays = small_digits()
    site, asked = served("mnist.npz", packed(arrays))
    publish(monkeypatch, "mnist.npz", packed(arrays), site)
    (x_train, y_train), (x_test, y_test) = datasets.mnist.load_data()
    assert "100%" in capsys.readouterr().err
    again = datasets.mnist.load_data()
    assert len(asked) == 1
    np.testing.assert_array_equal(x_train, arrays["x_train"])
    np.testing.assert_array_equal(y_train, arrays["y_train"])
    np.testing.assert_array_equal(x_test, arrays["x_test"])
    np.testing.assert_array_equal(again[1][1], y_test)


def test_a_damaged_download_is_never_used(
    served: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A download that differs from what is published raises an error and leaves no file."""
    good = packed(small_digits())
    site, _ = served("mnist.npz", good[:-7])
    publish(monkeypatch, "mnist.npz", good, site)
    with pytest.raises(ConnectionError, match="put it at"):
        datasets.mnist.load_data()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_damaged_cached_file_is_downloaded_again(
    served: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A truncated file in the cache is replaced, not read."""
    good = packed(small_digits())
    site, asked = served("mnist.npz", good)
    publish(monkeypatch, "mnist.npz", good, site)
    datasets.mnist.load_data()
    (cached,) = tmp_path.rglob("mnist.npz")
    cached.write_bytes(good[:100])
    assert datasets.mnist.load_data()[0][1].tolist() == [1, 2, 3]
    assert len(asked) == 2


def test_without_a_network_the_message_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With no network the error names the address, the place for the file, and path=."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(datasets.mnist, "KERAS", "http://127.0.0.1:9/")
    with pytest.raises(ConnectionError) as caught:
        datasets.mnist.load_data()
    message = str(caught.value)
    assert "http://127.0.0.1:9/mnist.npz" in message
    assert re.search(r"put it at \S+mnist\.npz", message)
    assert "load_data(path=...)" in message


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_a_missing_path_is_named(name: str, tmp_path: Path) -> None:
    """The error names the path, and where the file is published; nothing is downloaded."""
    with pytest.raises(FileNotFoundError, match=r"nowhere.*Expected .* from https://"):
        getattr(datasets, name).load_data(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["mnist.npz", "cifar-10-python.tar.gz"])
def test_a_damaged_file_is_refused_and_left_alone(name: str, tmp_path: Path) -> None:
    """A given file that differs from what is published is refused and not changed."""
    (tmp_path / name).write_bytes(b"not it")
    module = datasets.mnist if name.startswith("mnist") else datasets.cifar10
    for path in (tmp_path, tmp_path / name, str(tmp_path)):
        with pytest.raises(ValueError, match=rf"{name} is damaged: its checksum is not"):
            module.load_data(path)
    assert (tmp_path / name).read_bytes() == b"not it"


def test_mnist_reads_a_given_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A given file with the published bytes is read in place."""
    content = packed(small_digits())
    (tmp_path / "mnist.npz").write_bytes(content)
    publish(monkeypatch, "mnist.npz", content)
    for path in (tmp_path, tmp_path / "mnist.npz"):
        assert datasets.mnist.load_data(path)[1][1].tolist() == [4, 5]


def test_fashion_mnist_reads_idx_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The four IDX files give back the packed arrays, writable, in Keras's order."""
    arrays = small_digits()
    for name, part in (
        ("train-images-idx3-ubyte.gz", "x_train"),
        ("train-labels-idx1-ubyte.gz", "y_train"),
        ("t10k-images-idx3-ubyte.gz", "x_test"),
        ("t10k-labels-idx1-ubyte.gz", "y_test"),
    ):
        array = arrays[part]
        head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
        content = gzip.compress(head + array.tobytes(), mtime=0)
        (tmp_path / name).write_bytes(content)
        publish(monkeypatch, name, content)
    (x_train, y_train), (x_test, y_test) = datasets.fashion_mnist.load_data(tmp_path)
    for array, part in zip((x_train, y_train, x_test, y_test), arrays, strict=True):
        np.testing.assert_array_equal(array, arrays[part])
        assert array.flags.writeable


def test_cifar10_reads_the_published_pickles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five training batches and one test batch, channel by channel, become NHWC arrays."""
    rng = np.random.default_rng(1)
    file = tmp_path / "cifar-10-python.tar.gz"
    batches = {}
    with tarfile.open(file, "w:gz") as archive:
        for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
            batches[name] = rng.integers(0, 256, (2, 3072), np.uint8), [3, 9]
            content = pickle.dumps({b"data": batches[name][0], b"labels": batches[name][1]})
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    publish(monkeypatch, file.name, file.read_bytes())
    (x_train, y_train), (x_test, y_test) = datasets.cifar10.load_data(file)
    assert (x_train.shape, y_train.shape) == ((10, 32, 32, 3), (10, 1))
    assert (x_test.shape, y_test.dtype) == ((2, 32, 32, 3), np.uint8)
    flat = batches["data_batch_2"][0][0]
    assert x_train[2, 5, 7].tolist() == [flat[c * 1024 + 5 * 32 + 7] for c in range(3)]


def test_checksums_match_keras() -> None:
    """The checksums are those in Keras's source."""
    import keras

    folder = Path(keras.__file__).parent / "src" / "datasets"
    for module, name in (("mnist", "mnist.npz"), ("cifar10", "cifar-10-python.tar.gz")):
        source = (folder / f"{module}.py").read_text()
        assert _download.CHECKSUMS[name] in source
        assert name in source


def test_missing_pooch_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pooch the error says what to install."""
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=r"pooch.*pip install '\.\[data\]'"):
        _download.fetch("mnist.npz", "http://127.0.0.1:9/")
