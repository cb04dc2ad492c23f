"""What readers may rely on: names, signatures, documentation and light imports.

Keras's names, argument order and defaults are labkit's: fewer arguments, never different
ones. What is labkit's own stands in `LABKIT_ONLY` and `OWN_PARAMETERS`, each with its
reason.
"""

import ast
import importlib
import inspect
import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import griffe
import pytest

import labkit
from labkit.models.trainer import Trainer

KERAS_MODULES = (
    "activations",
    "callbacks",
    "config",
    "datasets.cifar10",
    "datasets.fashion_mnist",
    "datasets.mnist",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "optimizers.schedules",
    "random",
    "regularizers",
    "utils",
)
OWN_MODULES = (
    "cost",
    "datasets",
    "plot",
    "stats",
    "testing",
    "trials",
)
HEAVY = (
    "h5py",
    "IPython",
    "keras",
    "matplotlib",
    "mkdocs",
    "pandas",
    "pooch",
    "scipy",
    "seaborn",
    "sklearn",
    "statsmodels",
    "tensorflow",
)

# Public names in Keras's modules that Keras does not have.
LABKIT_ONLY = {
    "activations.vjp": "the table of derivative rules, which Keras leaves to TensorFlow",
    "layers.Residual": "x + f(x), which Keras writes with its functional interface",
    "metrics.ConfusionMatrix": "Keras has none, and chapters on imbalance need one",
}
# Parameters that Keras does not have at that place.
OWN_PARAMETERS = {
    "datasets.cifar10.load_data(path)": "for a file that was downloaded elsewhere",
    "datasets.fashion_mnist.load_data(path)": "for files that were downloaded elsewhere",
    "layers.MultiHeadAttention(use_causal_mask)": "an argument of Keras's call; a layer of "
    "labkit is called with its input alone",
    "metrics.Metric.update_state(y_true)": "Keras's base class takes *args",
    "metrics.Metric.update_state(y_pred)": "Keras's base class takes *args",
    "metrics.Metric.update_state(sample_weight)": "Keras's base class takes *args",
    "optimizers.Optimizer(learning_rate)": "Keras's class for TensorFlow takes **kwargs",
    "optimizers.Optimizer(weight_decay)": "Keras's class for TensorFlow takes **kwargs",
    "optimizers.Optimizer(clipnorm)": "Keras's class for TensorFlow takes **kwargs",
    "optimizers.Optimizer(clipvalue)": "Keras's class for TensorFlow takes **kwargs",
    "optimizers.Optimizer(global_clipnorm)": "Keras's class for TensorFlow takes **kwargs",
}
# Defaults that differ from Keras's.
OWN_DEFAULTS = {
    "datasets.mnist.load_data(path)": "None: labkit's cache; Keras's is a name in Keras's",
    "layers.AveragePooling1D(pool_size)": "MaxPooling1D's: both take the same arguments",
    "layers.AveragePooling2D(pool_size)": "MaxPooling2D's: both take the same arguments",
    "layers.Conv2D(dilation_rate)": "1 for both axes, which is Keras's (1, 1)",
    "layers.Conv2D(strides)": "1 for both axes, which is Keras's (1, 1)",
    "layers.MaxPooling2D(pool_size)": "2 for both axes, which is Keras's (2, 2)",
    "optimizers.Optimizer.apply(trainable_variables)": "optimizers here own no variables",
} | {
    f"metrics.{name}(name)": "None: the class's name, which gives Keras's"
    for name in (
        "BinaryCrossentropy",
        "CategoricalAccuracy",
        "CategoricalCrossentropy",
        "CosineSimilarity",
        "KLDivergence",
        "Mean",
        "MeanAbsoluteError",
        "MeanSquaredError",
        "R2Score",
        "RootMeanSquaredError",
        "SparseCategoricalAccuracy",
        "SparseCategoricalCrossentropy",
    )
}

# The layer protocol, told by `labkit.layers.Layer`: each layer takes `(x, training=False)`,
# where Keras's take what they need under their own names, and `build` needs a shape.
PROTOCOL = {"__call__", "backward", "build", "call", "compute_mask", "compute_output_shape"}


def module(name: str) -> ModuleType:
    """Import a module of labkit."""
    return importlib.import_module(f"labkit.{name}")


def names(*modules: str) -> list[str]:
    """List the public names of modules, dotted."""
    return [f"{part}.{name}" for part in modules for name in module(part).__all__]


def resolve(root: ModuleType, dotted: str) -> Any:
    """Follow a dotted name from a package; None where it ends."""
    value: Any = root
    for part in dotted.split("."):
        value = getattr(value, part, None)
    return value


def methods(cls: type) -> Iterator[str]:
    """Yield the names of a class's own public methods, and of its call."""
    for name, value in vars(cls).items():
        if inspect.isfunction(value) and (not name.startswith("_") or name == "__call__"):
            yield name


def parameters(value: Any) -> dict[str, inspect.Parameter]:
    """Return the parameters of a function, or of a class's constructor, without self."""
    function = value.__init__ if inspect.isclass(value) else value
    found = dict(inspect.signature(function).parameters)
    found.pop("self", None)
    return found


@cache
def keras() -> ModuleType:
    """Import Keras, once and only for the tests that compare with it."""
    return importlib.import_module("keras")


def shared() -> Iterator[str]:
    """Yield each callable that labkit and Keras both have: functions, classes, methods."""
    for dotted in [*names(*KERAS_MODULES), "Input", "Layer", "Model", "Sequential"]:
        ours, theirs = resolve(labkit, dotted), resolve(keras(), dotted)
        if not callable(ours) or theirs is None:
            continue
        yield dotted
        if inspect.isclass(ours):
            own = set(methods(ours)) - (
                PROTOCOL if issubclass(ours, labkit.layers.Layer) else set()
            )
            if ours is labkit.Model:
                own |= set(methods(Trainer))
            for name in sorted(own):
                if callable(getattr(theirs, name, None)):
                    yield f"{dotted}.{name}"


@pytest.mark.parametrize("name", [*KERAS_MODULES, *OWN_MODULES])
def test_all_names_exist(name: str) -> None:
    """`__all__` has no duplicates, and all its names exist."""
    public = module(name).__all__
    assert len(set(public)) == len(public)
    assert [part for part in public if not hasattr(module(name), part)] == []


def test_labkit_lists_its_lazy_names() -> None:
    """Each name of labkit can be accessed, dir() shows it, and the stub declares it."""
    for name in labkit.__all__:
        assert getattr(labkit, name) is not None
        assert name in dir(labkit)
    stub = ast.parse(Path(labkit.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    declared = [
        alias.asname
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    assert sorted(declared) == sorted(labkit.__all__)


def test_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name raises AttributeError, as on any module."""
    with pytest.raises(AttributeError, match="'labkit' has no attribute 'layer'"):
        labkit.layer  # noqa: B018  # the access is what is tested


def test_import_is_light() -> None:
    """`import labkit` and all modules for models load nothing heavier than NumPy."""
    code = f"""
        import json, sys
        import labkit
        first = sorted(set({HEAVY!r}) & sys.modules.keys())
        for name in {[*KERAS_MODULES, "cost", "stats", "datasets", "testing", "trials"]!r}:
            __import__("labkit." + name)
        print(json.dumps([first, sorted(set({HEAVY!r}) & sys.modules.keys())]))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [[], []]


def test_tensorflow_is_told_to_start_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless whoever runs a script wants its log."""
    asking = "import os, labkit; print(os.environ['TF_CPP_MIN_LOG_LEVEL'])"
    for given, level in (None, "3"), ("0", "0"):
        monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
        if given:
            monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", given)
        assert subprocess.check_output([sys.executable, "-c", asking], text=True).strip() == level


def test_typed_package_is_marked() -> None:
    """The package contains the marker that makes type checkers use its annotations."""
    assert (Path(labkit.__file__).parent / "py.typed").is_file()


def test_the_reference_describes_every_public_module_and_layer() -> None:
    """The reference describes every public module and every layer, once, and nothing else."""
    pages = (Path(__file__).parent.parent / "docs" / "reference").rglob("*.md")
    described = [
        line.removeprefix("::: labkit.")
        for page in pages
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith(":::")
    ]
    # `Layer` stands on the page of its module, and what all models inherit beside the models.
    layers = [name for name in names("layers") if name != "layers.Layer"]
    expected = [*KERAS_MODULES, *OWN_MODULES, *layers, "models.trainer.Trainer"]
    assert sorted(described) == sorted(expected)


@pytest.mark.parametrize("name", KERAS_MODULES)
def test_names_exist_in_keras(name: str) -> None:
    """Each public name exists in Keras at the same place, or is listed with a reason."""
    unknown = {part for part in names(name) if resolve(keras(), part) is None}
    listed = {part for part in LABKIT_ONLY if part.rpartition(".")[0] == name}
    assert unknown == listed


def test_signatures_are_subsets_of_keras() -> None:
    """Each parameter has Keras's name, place and default, or is listed with a reason."""
    checked = {*shared()}
    assert {"Model.fit", "Model.compile", "Model.train_on_batch"} <= checked
    base = parameters(keras().layers.Layer)
    strange, moved, changed = set(), set(), set()
    for dotted in shared():
        ours = parameters(resolve(labkit, dotted))
        theirs = parameters(resolve(keras(), dotted))
        if any(p.kind is p.VAR_KEYWORD for p in theirs.values()):
            theirs |= {k: p for k, p in base.items() if k not in theirs}
        for name, parameter in ours.items():
            if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                continue
            if name not in theirs:
                strange.add(f"{dotted}({name})")
            elif parameter.default != theirs[name].default:
                changed.add(f"{dotted}({name})")
        common = [name for name in ours if name in theirs and name != "kwargs"]
        if common != [name for name in theirs if name in common]:
            moved.add(dotted)
        # What can be passed without its name has Keras's place, unless Keras takes *args there.
        places, positions = (
            [name for name, p in side.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
            for side in (theirs, ours)
        )
        if places and positions != places[: len(positions)]:
            moved.add(dotted)
    assert strange == set(OWN_PARAMETERS)
    assert changed == set(OWN_DEFAULTS)
    assert moved == set()


def sections(value: Any) -> dict[str, list[Any]]:
    """Parse a Google-style docstring into its sections."""
    parsed = griffe.Docstring(inspect.getdoc(value) or "").parse("google", warnings=False)
    return {section.kind.value: section.value for section in parsed}


def raised(function: Any, owner: type | None = None, seen: tuple[Any, ...] = ()) -> set[str]:
    """Find the exceptions that a function of labkit raises, itself or through another one.

    Calls of `self` are followed into the class `owner`. NotImplementedError is left out: it
    tells an author what a subclass lacks.
    """
    ours = inspect.isfunction(function) and function.__module__.startswith("labkit.")
    if not ours or function in seen:
        return set()
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except OSError:  # written by dataclass or by NamedTuple
        return set()
    names = {**function.__globals__, "self": owner}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            found.add(ast.unparse(node.exc.func))
        elif isinstance(node, ast.Call):
            start, *path = ast.unparse(node.func).split(".")
            called = names.get(start)
            for name in path:
                called = getattr(called, name, None)
            found |= raised(called, owner, (*seen, function))
    return found - {"NotImplementedError"}


def test_exceptions_are_found_through_calls() -> None:
    """The helper sees `expect`, functions that call it, and methods called on `self`."""
    assert raised(labkit.config.set_floatx) == {"ValueError"}
    assert raised(labkit.activations.relu) == {"TypeError"}
    assert raised(labkit.Sequential.train_on_batch, labkit.Sequential) >= {"RuntimeError"}
    assert raised(labkit.config.floatx) == set()


def documented() -> list[str]:
    """List all public functions, classes and methods, dotted."""
    found = []
    for dotted in names(*KERAS_MODULES, *OWN_MODULES):
        value = resolve(labkit, dotted)
        if inspect.isfunction(value) or inspect.isclass(value):
            found.append(dotted)
        if inspect.isclass(value):
            found += [f"{dotted}.{name}" for name in methods(value) if name != "__call__"]
    return found


def said(sections: dict[str, list[Any]]) -> set[str]:
    """Return the exceptions that a docstring names."""
    return {str(item.annotation) for item in sections.get("raises", [])}


@pytest.mark.parametrize("dotted", documented())
def test_docstring_is_complete(dotted: str) -> None:
    """A summary line; each parameter named; `Returns:` and `Raises:` where they apply.

    A class may leave parameters to its bases, and a method may leave them out. A method that
    overrides another is described there. A single parameter may be told by the summary.
    """
    value = resolve(labkit, dotted)
    text = inspect.getdoc(value) or ""
    assert text.partition("\n")[0].rstrip().endswith((".", "?", "`", ":")), "no summary line"
    found = sections(value)
    listed = [item.name.lstrip("*") for item in found.get("parameters", [])]
    takes = []
    if inspect.isfunction(value) or inspect.isfunction(value.__init__):
        takes = list(parameters(value))
        known = [name for name in listed if name in takes]
        assert known == [name for name in takes if name in listed], "parameters in another order"
        assert known == listed or "kwargs" in takes, "parameters that do not exist"
    prefix, _, name = dotted.rpartition(".")
    owner = resolve(labkit, prefix)
    if inspect.isclass(owner):
        if not any(hasattr(base, name) for base in owner.__mro__[1:]):
            assert raised(value, owner) <= said(found), "raises without saying so"
        return
    if inspect.isclass(value):
        bases = [base for base in value.__mro__ if base.__module__.startswith("labkit")]
        text = "\n".join(inspect.getdoc(base) or "" for base in bases)
    elif inspect.signature(value).return_annotation not in (None, "None"):
        assert "returns" in found or text.startswith(("Return", "Yield")), "no Returns:"
    unnamed = [name for name in takes if not re.search(rf"\b{name}\b", text)]
    assert len(takes) == 1 or unnamed == [], "parameters that the text does not name"
    functions = [value]
    if inspect.isclass(value):
        functions = [vars(value).get(name) for name in ("__init__", "__post_init__")]
    errors = set().union(*(raised(function, value) for function in functions))
    assert errors <= said(found), "raises without saying so"
