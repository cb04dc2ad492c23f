"""What labkit leaves out of Keras is told in a sentence."""

import importlib
import subprocess
import sys

import pytest

import labkit
from labkit import _missing
from tests.test_public import KERAS_MODULES


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("", "saving"),
        (".layers", "ConvLSTM2D"),
        (".losses", "Dice"),
        (".optimizers", "Nadam"),
        (".optimizers.schedules", "InverseTimeDecay"),
        (".utils", "img_to_array"),
    ],
)
def test_names_of_keras_are_explained(module: str, name: str) -> None:
    """Asked for a name of Keras's, labkit says that it leaves it out and what to use."""
    message = f"labkit leaves out {name}, .* use keras{module}.{name} instead"
    with pytest.raises(AttributeError, match=message):
        getattr(importlib.import_module(f"labkit{module}"), name)


def test_other_names_get_pythons_error() -> None:
    """A name that Keras does not have either is missing as in any module."""
    for module in (labkit, labkit.layers):
        with pytest.raises(AttributeError, match="has no attribute 'Densest'") as caught:
            module.Densest  # noqa: B018  # it raises
        assert caught.value.name == "Densest"
        assert not hasattr(module, "__path_to_nowhere__")


def test_without_keras_the_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Keras is not installed, labkit cannot know its names, and says what it holds."""
    monkeypatch.setattr(_missing, "find_spec", lambda name: None)
    message = "only what the book uses of Keras: if Keras has it, use keras.layers.Foo"
    with pytest.raises(AttributeError, match=message):
        getattr(labkit.layers, "Foo")  # noqa: B009  # mypy knows that it is missing


@pytest.mark.parametrize("name", [m for m in KERAS_MODULES if not m.startswith("datasets.")])
def test_each_module_with_a_counterpart_explains(name: str) -> None:
    """Each module that follows one of Keras's has the explanation, but data sets."""
    assert hasattr(importlib.import_module(f"labkit.{name}"), "__getattr__")


def test_keras_is_not_imported() -> None:
    """The names are read from Keras's files, which takes milliseconds instead of seconds."""
    code = "import labkit.layers as m, sys; hasattr(m, 'ConvLSTM2D'); print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
