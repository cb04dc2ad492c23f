"""Finds what a tutorial's result depends on, by reading its imports, not by running them.

The rule: importing a module runs it and the `__init__` of each package above it, so what
these import counts, and so on. A package may load submodules lazily, in a module-level
`__getattr__`. Such a submodule counts where it is named: imported, or reached as an
attribute (`import labkit as keras`, then `keras.layers.Dense`). Where a package is passed
on as a value, or is asked for a name that cannot be traced, all its lazy submodules count.
"""

import ast
import importlib.metadata
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

OWN = "labkit/site/"
DOTTED = re.compile(r"\.?[^\W\d]\w*(\.[^\W\d]\w*)*")
DELAYED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.GeneratorExp)


@dataclass(frozen=True)
class Source:
    """What one module's text says about imports.

    Attributes:
        references: Dotted names that it loads or uses; `package.*` where it passes one on.
        bound: Names that it binds at its top level.
        lazy: Dotted names that its `__getattr__` may load; None where it has none.
        providers: For a name that `__getattr__` serves, what a table says provides it.
    """

    references: frozenset[str]
    bound: frozenset[str] = frozenset()
    lazy: frozenset[str] | None = None
    providers: dict[str, set[str]] = field(default_factory=dict)


@lru_cache(maxsize=1024)  # a prose edit leaves each text as it was
def analyze(text: str, package: str = "") -> Source:
    """Read the imports of a module's text.

    Args:
        text: The module's source.
        package: The package that relative imports start from.
    """
    tree = ast.parse(text)
    lazy = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "__getattr__"]
    nodes = list(_walk(tree, lazy))
    imports = [item for node, _ in nodes for item in _imports(node, package)]
    references = {name for name, _ in imports} | set(_uses(tree, nodes, package))
    if not lazy:
        return Source(frozenset(references))
    strings = [_absolute(string, package) for string in _strings(tree)]
    loads = [name for node in ast.walk(lazy[0]) for name, _ in _imports(node, package)]
    return Source(
        frozenset(references),
        frozenset(name for node in tree.body for name in _bound(node)),
        frozenset([*strings, *loads]),
        _tables(tree, package),
    )


class Repository:
    """The Python modules of a repository, and what each loads, as it is when first asked.

    Args:
        root: The folder that holds the packages.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._files: dict[str, Path | None] = {}
        self._loaded: dict[str, dict[str, Source]] = {}

    def references(self, text: str) -> list[str]:
        """Return the dotted names of this repository's that a script uses, sorted."""
        return sorted(name for name in analyze(text).references if self._find(_top(name)))

    def modules(self, references: Iterable[str]) -> list[str]:
        """Return every file below the root that the references load, directly or not."""
        return sorted({file for name in references for file in self._load(name)})

    def packages(self, text: str) -> set[str]:
        """Return the top-level modules from elsewhere that a script itself imports."""
        tops = {_top(name) for name in analyze(text).references} - sys.stdlib_module_names
        return {top for top in tops if top and not self._find(top)}

    def _load(self, reference: str) -> dict[str, Source]:
        """Follow a reference to every file that it loads."""
        if reference in self._loaded:
            return self._loaded[reference]
        todo, seen = [reference], set[str]()
        files: dict[str, Source] = {}
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            for path, package, asked in self._chain(name):
                source = _source(path, package, path.stat().st_mtime_ns)
                file = path.relative_to(self.root).as_posix()
                if file not in files:
                    files[file] = source
                    todo.extend(source.references)
                todo.extend(self._lazy(source, package, asked))
        self._loaded[reference] = files
        return files

    def _find(self, dotted: str) -> Path | None:
        """Return the file of a module, or of a package's `__init__`, if it is here."""
        if dotted and dotted not in self._files:
            base = self.root.joinpath(*dotted.split("."))
            files = (base / "__init__.py", base.with_suffix(".py"))
            self._files[dotted] = next((path for path in files if path.is_file()), None)
        return self._files.get(dotted)

    def _chain(self, reference: str) -> Iterator[tuple[Path, str, str]]:
        """Yield each module that a dotted name passes: file, package, name asked for.

        The name is empty where the next part is a submodule.
        """
        parts = reference.split(".")
        for index in range(1, len(parts) + 1):
            dotted = ".".join(parts[:index])
            path = self._find(dotted)
            if path is None:
                return
            is_package = path.name == "__init__.py"
            package = dotted if is_package else dotted.rpartition(".")[0]
            rest = parts[index] if index < len(parts) else ""
            if rest and is_package and self._find(f"{dotted}.{rest}"):
                rest = ""
            yield path, package, rest

    def _lazy(self, source: Source, package: str, name: str) -> Iterator[str]:
        """Yield what asking a module for a name may load."""
        if source.lazy is None or not name or name in source.bound or name.startswith("__"):
            return
        named = [n for n in source.providers.get(name, ()) if self._find(n)]
        if named:
            yield from named
            return
        for candidate in source.lazy:
            path = candidate.startswith(f"{package}.") and self._find(candidate)
            if path and not path.relative_to(self.root).as_posix().startswith(OWN):
                yield candidate


@cache
def version(distribution: str) -> str | None:
    """Return the version of an installed package, or None."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())


def distributions(modules: Iterable[str]) -> list[str]:
    """Return the installed packages that hold these top-level modules, sorted."""
    return sorted({name for module in modules for name in _distributions().get(module, ())})


@cache
def _source(path: Path, package: str, modified: int) -> Source:
    """Analyze a file, again only when it was modified."""
    return analyze(path.read_text("utf-8"), package)


def _top(dotted: str) -> str:
    return dotted.partition(".")[0]


def _walk(tree: ast.AST, skip: Sequence[ast.AST]) -> Iterator[tuple[ast.AST, bool]]:
    """Walk a tree, parents first; say of each node whether it runs later than it is read.

    Leaves out what never runs (imports for type checks) and the nodes to skip.
    """
    todo = [(tree, False)]
    while todo:
        node, later = todo.pop()
        if node in skip:
            continue
        yield node, later
        children = ast.iter_child_nodes(node)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            children = iter(node.orelse)
        later = later or isinstance(node, DELAYED)
        todo.extend((child, later) for child in children)


def _imports(node: ast.AST, package: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield what an import loads, the name that it binds, and what that name stands for."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            name = alias.name if alias.asname else _top(alias.name)
            yield alias.name, (alias.asname or name, name)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parts = package.split(".")
            above = parts[: len(parts) - node.level + 1]
            base = ".".join([*above, *([base] if base else [])])
        for alias in node.names:
            name = f"{base}.{alias.name}"
            yield name, (alias.asname or alias.name, name)


def _uses(tree: ast.Module, nodes: Iterable[tuple[ast.AST, bool]], package: str) -> Iterator[str]:
    """Yield the dotted names that the code spells, such as `labkit.layers.Dense.*`."""
    bindings: dict[str, list[tuple[int, str]]] = {}  # name: lines and what it stands for
    top = {id(node): node.lineno for node in tree.body}
    for node, _ in nodes:
        line = top.get(id(node), 0)
        for _, (name, target) in _imports(node, package):
            bindings.setdefault(name, []).append((line, target))
    inner = set[int]()  # nodes that are part of a longer dotted name
    for node, later in nodes:
        attributes = list[str]()
        base = node
        while isinstance(base, ast.Attribute):
            attributes.insert(0, base.attr)
            base = base.value
            inner.add(id(base))
        if not isinstance(base, ast.Name) or id(node) in inner:
            continue
        if attributes or isinstance(base.ctx, ast.Load):
            for target in _targets(bindings.get(base.id, []), base.lineno, later):
                yield ".".join([target, *attributes, "*"])


def _targets(bindings: list[tuple[int, str]], line: int, later: bool) -> set[str]:
    """Return what a name may stand for in a line, where a script binds it more than once.

    Bindings at the script's top level take effect in their order; line 0 is any other, and
    may take effect at any time. Code that runs later also sees what is bound after it.
    """
    before = [at for at, _ in bindings if 0 < at <= line]
    if not before:
        return {target for _, target in bindings}
    return {target for at, target in bindings if at in (0, max(before)) or (later and at > line)}


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or _top(alias.name) for alias in node.names)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            yield from (n.id for n in ast.walk(target) if isinstance(n, ast.Name))


def _absolute(name: str, package: str) -> str:
    """Spell a module's name (`.models`, `models`, `labkit.models`) from the top."""
    if name == package or name.startswith(f"{package}."):
        return name
    return f"{package}.{name.lstrip('.')}"


def _tables(tree: ast.AST, package: str) -> dict[str, set[str]]:
    """Read tables such as `{"Dense": "layers"}` or `{"layers": ["Dense"]}`, both ways."""
    providers: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                keys = _strings(key) if key else []
                for one in keys:
                    for other in _strings(value):
                        providers.setdefault(one, set()).add(_absolute(other, package))
                        providers.setdefault(other, set()).add(_absolute(one, package))
    return providers


def _strings(node: ast.AST) -> list[str]:
    """Return the strings in a tree that may be names of modules or attributes."""
    return [
        n.value
        for n in ast.walk(node)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and DOTTED.fullmatch(n.value)
    ]
