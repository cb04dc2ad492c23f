"""What a tutorial depends on, by its imports."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labkit.site.core import dependencies

LAZY = """
from importlib import import_module

_MODULES = ("layers", "models", "plot", "stats", "site")
_NAMES = {"Sequential": "models", "Input": "layers"}
__version__ = "1"


def __getattr__(name):
    if name in _MODULES:
        return import_module(f"labkit.{name}")
    return getattr(import_module(f"labkit.{_NAMES[name]}"), name)
"""
PACKAGE = {
    "__init__": LAZY,
    "layers/__init__": "from labkit.layers.core import Dense\nfrom .pooling import Pool\n",
    "layers/core": "import numpy as np\n\nfrom .. import _random\n",
    "layers/pooling": "from . import core\n",
    "_random": "",
    "models": "from labkit import layers\n\nlayers.Dense\n",
    "plot": "import matplotlib.pyplot as plt\n",
    "stats": "",
    "site/__init__": "",
}
LAYERS = {"__init__", "layers/__init__", "layers/core", "layers/pooling", "_random"}
EVERYTHING = LAYERS | {"models", "plot", "stats"}


@pytest.fixture
def modules(repository: Any) -> Callable[[str], set[str]]:
    """Return the modules of a lazy package that a script loads, named without folder."""
    for name, text in PACKAGE.items():
        repository.write(f"labkit/{name}.py", text)
    known = dependencies.Repository(repository.root)

    def find(script: str) -> set[str]:
        files = known.modules(known.references(script))
        return {file.removeprefix("labkit/").removesuffix(".py") for file in files}

    return find


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("import numpy", set()),
        ("import labkit", {"__init__"}),
        ("import labkit as keras\nkeras.__version__", {"__init__"}),
        ("from labkit import stats", {"__init__", "stats"}),
        ("import labkit.stats", {"__init__", "stats"}),
        ("from labkit.layers.core import Dense", LAYERS),
        ("import labkit as keras\nkeras.layers.Dense(3)", LAYERS),
        ("import labkit as keras\ndef build():\n    return keras.Input((3,))", LAYERS),
        ("import labkit as keras\nkeras.Sequential([])", LAYERS | {"models"}),
        ("import labkit\nmine = labkit.layers\nmine.Dense(3)", LAYERS),
        ("import labkit as keras\ntrain(keras)", EVERYTHING),
        ("import labkit as keras\nkeras.unknown", EVERYTHING),
        ("from labkit import *", EVERYTHING),
        ("if True:\n    from labkit import plot", {"__init__", "plot"}),
        ("import labkit.site", {"__init__", "site/__init__"}),
    ],
)
def test_modules(modules: Callable[[str], set[str]], script: str, expected: set[str]) -> None:
    """A script depends on what it imports or names, and on what that imports."""
    assert modules(script) == expected


def test_a_name_that_is_bound_again(modules: Callable[[str], set[str]]) -> None:
    """After `import keras` the name is Keras's; a function above may mean either."""
    above = "import labkit as keras\nkeras.layers.Dense\n"
    below = "import keras\nkeras.applications\nkeras.stats\n"
    assert modules(above + below) == LAYERS
    function = "def build():\n    return keras.stats\n"
    assert modules(above + function + "import keras\n") == LAYERS | {"stats"}
    assert modules(above + "import keras\n" + function) == LAYERS


def test_imports_for_type_checks(repository: Any) -> None:
    """What is imported for a type checker alone is not a dependency."""
    repository.write(
        "pond/__init__.py",
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from pond import frog\n"
        "else:\n    from pond import newt\n",
    )
    repository.write("pond/frog.py", "")
    repository.write("pond/newt.py", "")
    known = dependencies.Repository(repository.root)
    assert known.modules(["pond"]) == ["pond/__init__.py", "pond/newt.py"]


@pytest.mark.parametrize(
    "table", ['{"Frog": "frog"}', '{"frog": ["Frog"]}', '{"Frog": ("pond.frog", "Frog")}']
)
def test_tables_of_lazy_names(repository: Any, table: str) -> None:
    """A lazy name is traced through the usual kinds of table, and brings nothing else."""
    repository.write(
        "pond/__init__.py",
        f'TABLE = {table}\nOTHER = ["newt"]\n\n\ndef __getattr__(name):\n    ...\n',
    )
    repository.write("pond/frog.py", "")
    repository.write("pond/newt.py", "")
    known = dependencies.Repository(repository.root)
    assert known.modules(["pond.Frog.*"]) == ["pond/__init__.py", "pond/frog.py"]


def test_circular_imports(repository: Any) -> None:
    """Modules that import each other are each found once."""
    repository.write("pond/__init__.py", "")
    repository.write("pond/frog.py", "from . import newt")
    repository.write("pond/newt.py", "from . import frog")
    known = dependencies.Repository(repository.root)
    assert known.modules(["pond.frog"]) == [
        "pond/__init__.py",
        "pond/frog.py",
        "pond/newt.py",
    ]


def test_packages_from_elsewhere(repository: Any) -> None:
    """A script's packages are neither Python's own modules nor the repository's."""
    repository.write("labkit/__init__.py", "import matplotlib\n")
    known = dependencies.Repository(repository.root)
    script = "import os.path\nimport labkit as keras\nfrom sklearn.svm import SVC\nimport keras"
    assert known.packages(script) == {"sklearn", "keras"}


def test_versions() -> None:
    """A module's package and its version are found by name, and absence is not an error."""
    assert dependencies.distributions(["sklearn", "numpy", "no_such_module"]) == [
        "numpy",
        "scikit-learn",
    ]
    import numpy as np

    assert dependencies.version("numpy") == np.__version__
    assert dependencies.version("no-such-package") is None


def test_labkit_itself() -> None:
    """In this repository a tutorial on statistics does not depend on the layers."""
    known = dependencies.Repository(Path(__file__).parents[3])
    script = "import labkit as keras\nfrom labkit import stats\nstats.pearsonr([1], [2])\n"
    files = known.modules(known.references(script))
    assert {"labkit/__init__.py", "labkit/stats.py"} <= set(files)
    assert not [file for file in files if file.startswith(("labkit/layers", "labkit/site"))]
    network = known.modules(known.references("import labkit as keras\nkeras.Sequential()"))
    assert {"labkit/models.py", "labkit/layers/layer.py"} <= set(network)
