"""Which packages hold a module, and in which version."""

import platform

import numpy as np

from labkit.site.core import versions


def test_versions() -> None:
    """A package's version is the one that is installed; one that is not says so."""
    assert versions.version("numpy") == np.__version__
    assert versions.version("no-such-package") == versions.MISSING


def test_distributions() -> None:
    """Modules lead to the packages that hold them, whatever those are called."""
    modules = ["sklearn", "numpy", "no_such_module"]
    assert versions.distributions(modules) == ["numpy", "scikit-learn"]


def test_importable() -> None:
    """A module can be imported or not, and is not imported to find out."""
    assert versions.importable("sklearn")
    assert not versions.importable("no_such_module")


def test_what_a_reader_is_shown() -> None:
    """Shown is what the tutorial imports itself, and TensorFlow, which Keras brings along."""
    report = {"imported": ["numpy"], "loaded": ["numpy", "pandas", "tensorflow"]}
    assert versions.shown(report) == {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "tensorflow": versions.version("tensorflow"),
    }
