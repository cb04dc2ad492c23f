"""Weight files survive kills, go to Keras and back, and are read completely or not at all."""

import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import keras as theirs
import numpy as np
import pytest

import labkit as ours


def dense(keras: Any) -> Any:
    """Return a network of dense layers, which a file counts by class."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(4, activation="relu", name="a_name_of_its_own"),
            layers.Dropout(0.5),
            layers.Dense(3, use_bias=False),
            layers.Activation("tanh"),
            layers.Dense(2),
        ]
    )


def image(keras: Any) -> Any:
    """Return a network of layers for images."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(3, 3, padding="same"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Conv2D(4, 3),
            layers.LayerNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2),
        ]
    )


def sequence(keras: Any) -> Any:
    """Return a network of layers for sequences."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((7,)),
            layers.Embedding(11, 5),
            layers.Conv1D(6, 3),
            layers.LSTM(4, return_sequences=True),
            layers.GRU(3, return_sequences=True),
            layers.SimpleRNN(2),
        ]
    )


def attention(keras: Any) -> Any:
    """Return a network with self-attention, whose call differs in Keras."""
    layers = keras.layers
    if keras is ours:
        chain = [layers.Dense(6), layers.MultiHeadAttention(2, 3), layers.Dense(2)]
        return keras.Sequential([keras.Input((7, 5)), *chain])

    x = keras.Input((7, 5))
    h = layers.Dense(6)(x)
    return keras.Model(x, layers.Dense(2)(layers.MultiHeadAttention(2, 3)(h, h)))


def nested(keras: Any) -> Any:
    """Return a model with a model inside."""
    layers = keras.layers
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(3), layers.Dense(3)])
    return keras.Sequential([keras.Input((6,)), inner, layers.Dense(2)])


BUILDERS = [dense, image, sequence, attention, nested]


def scramble(model: Any) -> None:
    """Give a model random weights."""
    rng = np.random.default_rng(5)
    model.set_weights([rng.uniform(0.1, 1, w.shape) for w in model.get_weights()])


def assert_equal(first: list[Any], second: list[Any]) -> None:
    """Compare two lists of weights."""
    assert len(first) == len(second) > 0
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize("name", ["w.npz", "w.weights.h5"])
def test_saved_weights_load_into_a_new_model(build: Any, name: str, tmp_path: Path) -> None:
    """Both formats restore each weight exactly, also under other layer names."""
    model, other = build(ours), build(ours)
    (tmp_path / "plain").touch()  # others may read it, if they may read any new file
    scramble(model)
    model.save_weights(tmp_path / name)
    assert (tmp_path / name).stat().st_mode == (tmp_path / "plain").stat().st_mode
    (tmp_path / "plain").unlink()
    other.load_weights(str(tmp_path / name))
    assert_equal(other.get_weights(), model.get_weights())
    assert os.listdir(tmp_path) == [name]


# Keras 3.15 asks NumPy for its variables in a way that NumPy 2.4 warns of.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize("compiled", [False, True])
def test_labkit_and_keras_read_each_others_files(
    build: Any, compiled: bool, tmp_path: Path
) -> None:
    """Keras reads labkit's files and labkit reads Keras's, also with an optimizer's state."""
    mine, keras_one = build(ours), build(theirs)
    scramble(mine)
    mine.save_weights(tmp_path / "ours.weights.h5")
    keras_one.load_weights(tmp_path / "ours.weights.h5")
    assert_equal(mine.get_weights(), keras_one.get_weights())
    if compiled:
        keras_one.compile("adam", "mse")
        keras_one.optimizer.build(keras_one.trainable_variables)
    keras_one.set_weights([w + 1 for w in keras_one.get_weights()])
    keras_one.save_weights(tmp_path / "theirs.weights.h5")
    mine.load_weights(tmp_path / "theirs.weights.h5")
    assert_equal(mine.get_weights(), keras_one.get_weights())


def test_training_continues_from_loaded_weights(tmp_path: Path) -> None:
    """Loading writes into the arrays that the optimizer updates."""
    model = dense(ours)
    model.compile("sgd", "mse")
    x, y = np.ones((4, 6)), np.ones((4, 2))
    model.fit(x, y, verbose=0)
    model.save_weights(tmp_path / "w.npz")
    saved = model.get_weights()
    model.fit(x, y, verbose=0)
    model.load_weights(tmp_path / "w.npz")
    assert_equal(model.get_weights(), saved)
    model.fit(x, y, verbose=0)
    assert not np.array_equal(model.get_weights()[-1], saved[-1])


def damaged(path: Path, how: str) -> None:
    """Damage a file."""
    content = path.read_bytes()
    if how == "cut":
        path.write_bytes(content[: len(content) * 2 // 3])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "text":
        path.write_text("not weights")
    else:  # a changed byte in the first array
        data = io.BytesIO(content)
        middle = content.index(b"NUMPY") + 140 if path.suffix == ".npz" else len(content) // 2
        data.seek(middle)
        data.write(bytes([content[middle] ^ 0xFF]))
        path.write_bytes(data.getvalue())


@pytest.mark.parametrize(
    ("name", "how"),
    [
        *(("w.npz", how) for how in ("cut", "empty", "text", "flipped")),
        *(("w.weights.h5", how) for how in ("cut", "empty", "text")),
    ],
)
def test_a_damaged_file_changes_nothing(name: str, how: str, tmp_path: Path) -> None:
    """A truncated, empty, foreign or altered file is refused."""
    model = dense(ours)
    model.save_weights(tmp_path / name)
    before = model.get_weights()
    damaged(tmp_path / name, how)
    with pytest.raises(ValueError, match="is damaged, or not a weight file"):
        model.load_weights(tmp_path / name)
    assert_equal(model.get_weights(), before)


def test_pickles_are_never_read(tmp_path: Path) -> None:
    """An archive with pickled objects is refused, not loaded."""
    np.savez(tmp_path / "w.npz", **{"layers/dense/vars/0": np.array([print], dtype=object)})
    with pytest.raises(ValueError, match="is damaged, or not a weight file"):
        dense(ours).load_weights(tmp_path / "w.npz")


@pytest.mark.parametrize("name", ["w.npz", "w.weights.h5"])
def test_the_file_of_another_model_changes_nothing(name: str, tmp_path: Path) -> None:
    """A missing layer, a surplus layer and a wrong shape are named; the model is unchanged."""

    def chain(*units: int) -> Any:
        return ours.Sequential([ours.Input((3,)), *(ours.layers.Dense(n) for n in units)])

    chain(3, 3).save_weights(tmp_path / name)
    for units, message in (
        ((3,), r"Expected: \[\]. Received: \[\('layers/dense_1/vars/0', \(3, 3\)\), \('layers/"),
        ((3, 3, 3), r"Expected: \[\('layers/dense_2/vars/0', \(3, 3\)\), .*Received: \[\]"),
        ((3, 2), r"Expected: .*dense_1/vars/0', \(3, 2\).*Received: .*dense_1/vars/0', \(3, 3\)"),
    ):
        model = chain(*units)
        before = model.get_weights()
        with pytest.raises(ValueError, match=message):
            model.load_weights(tmp_path / name)
        assert_equal(model.get_weights(), before)


def test_text_instead_of_numbers_changes_nothing(tmp_path: Path) -> None:
    """An array of text is refused before the first weight is changed."""
    model = dense(ours)
    model.save_weights(tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz") as store:
        values = dict(store)
    values["layers/dense/vars/0"] += 1
    values["layers/dense_2/vars/1"] = np.array(["a", "b"])
    np.savez(tmp_path / "w.npz", **values)
    before = model.get_weights()
    with pytest.raises(ValueError, match="is damaged, or not a weight file"):
        model.load_weights(tmp_path / "w.npz")
    assert_equal(model.get_weights(), before)


def test_impossible_requests_are_refused(tmp_path: Path) -> None:
    """Wrong endings, missing files and folders, and unbuilt models are refused."""
    model = dense(ours)
    with pytest.raises(ValueError, match=r"ends in \.npz or \.weights\.h5"):
        model.save_weights(tmp_path / "w.h5")
    with pytest.raises(FileNotFoundError, match="no weight file"):
        model.load_weights(tmp_path / "w.npz")
    with pytest.raises(ValueError, match="not built"):
        ours.Sequential([ours.layers.Dense(2)]).save_weights(tmp_path / "w.npz")
    with pytest.raises(FileNotFoundError):
        model.save_weights(tmp_path / "no" / "w.npz")


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk is full, the old file stays and no temporary file is left."""
    model = dense(ours)
    path = tmp_path / "w.npz"
    model.save_weights(path)
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        model.save_weights(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["w.npz"]


WRITER = """
import sys
import numpy as np
import labkit as keras
model = keras.Sequential([keras.Input((400,)), keras.layers.Dense(400)])
number = 0
while True:
    model.set_weights([np.full(w.shape, number) for w in model.get_weights()])
    model.save_weights(sys.argv[1])
    number += 1
    print(number, flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("wait", [0.0, 0.003, 0.006])
def test_a_killed_write_leaves_a_complete_file(wait: float, tmp_path: Path) -> None:
    """Killed at any moment, the writer leaves a file that loads, with the weights of one save."""
    path = tmp_path / "w.npz"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        for _ in range(3):
            run.stdout.readline()
        time.sleep(wait)
        run.kill()
    model = ours.Sequential([ours.Input((400,)), ours.layers.Dense(400)])
    model.load_weights(path)
    values = np.unique(np.concatenate([w.ravel() for w in model.get_weights()]))
    assert len(values) == 1
    assert values[0] >= 2
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
