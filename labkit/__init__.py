"""Keras's names and Keras's numbers in NumPy that can be read in one sitting.

`import labkit as keras` gives the part of Keras's public interface that the book needs;
with `import keras` in its place the same script runs on TensorFlow. Six modules have no
counterpart in Keras: `cost`, `trials`, `stats`, `datasets`, `plot` and `testing`.

A module is loaded when it is first used, so that `import labkit` takes no time and a script
loads no more than it needs; `__init__.pyi` tells type checkers the same names.
"""

import os
from importlib import import_module

# The book's scripts compare labkit with Keras. TensorFlow, on which Keras runs, begins its log with
# some lines about graphics cards and processors, among them "failed call to cuInit", which are no
# fault. What fails is raised as an exception all the same.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_MODULES = [
    "activations",
    "callbacks",
    "config",
    "cost",
    "datasets",
    "initializers",
    "layers",
    "losses",
]
_MODULES += ["metrics", "models", "ops", "optimizers", "plot", "random", "regularizers", "stats"]
_MODULES += ["testing", "trials", "utils"]
_NAMES = {"Input": "layers", "KerasTensor": "_tensor", "Layer": "layers"}
_NAMES |= {"Model": "models", "Sequential": "models"}

__all__ = [*_NAMES, *_MODULES]


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return import_module(f"labkit.{name}")
    if name in _NAMES:
        return getattr(import_module(f"labkit.{_NAMES[name]}"), name)
    from labkit._missing import left_out  # here, as its imports take time

    return left_out("labkit")(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
