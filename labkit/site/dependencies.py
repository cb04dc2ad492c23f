"""Finds what a tutorial's result depends on, by reading its imports, without running anything.

The rule: importing a module runs it and the `__init__` of each package above it, so everything that
these import counts, and so on. A package may load submodules lazily, in a module-level `__getattr__`;
such a submodule counts where it is named: imported, or reached as an attribute
(`import labkit as keras` … `keras.layers.Dense`). Where a package is passed on as a value, or asked
for a name that cannot be traced, all its lazy submodules count.
"""

import ast
import hashlib
import importlib.metadata
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

OWN = (
    "labkit/site/"  # runs tutorials, and is not what they pass on when they pass on labkit
)


@dataclass(frozen=True)
class Source:
    """What one module's text says about imports.

    Attributes:
        references: Dotted names that it loads or uses; `package.*` where a package is passed on.
        bound: Names that it binds at its top level.
        lazy: Dotted names that its `__getattr__` may load; None where it has no `__getattr__`.
        providers: For an attribute that `__getattr__` serves, the names that a table gives for it.
    """

    references: frozenset[str]
    bound: frozenset[str] = frozenset()
    lazy: frozenset[str] | None = None
    providers: dict[str, set[str]] = field(default_factory=dict)


def analyze(text: str, package: str = "") -> Source:
    """Read the imports of a module's text.

    Args:
        text: The module's source.
        package: The package that relative imports start from.
    """
    tree = ast.parse(text)
    getattr_body = next(
        (
            n
            for n in tree.body
            if isinstance(n, ast.FunctionDef) and n.name == "__getattr__"
        ),
        None,
    )
    skip = () if getattr_body is None else (getattr_body,)
    names: dict[str, set[str]] = {}
    references = set(_imports(_walk(tree, skip), package, names)) | set(
        _uses(_walk(tree, skip), names)
    )
    if getattr_body is None:
        return Source(frozenset(references))
    bound = {name for node in tree.body for name in _bound(node)}
    strings = {
        _absolute(node.value, package)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    lazy = strings | set(_imports(ast.walk(getattr_body), package, {}))
    return Source(
        frozenset(references), frozenset(bound), frozenset(lazy), _tables(tree, package)
    )


class Repository:
    """The Python modules of a repository, and what each loads.

    Args:
        root: The folder that holds the packages.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._sources: dict[Path, tuple[tuple[int, int], Source]] = {}

    def references(self, text: str) -> list[str]:
        """Return the dotted names of this repository's modules that a script uses, sorted."""
        return sorted(
            name for name in analyze(text).references if self._find(name.partition(".")[0])
        )

    def modules(self, references: Iterable[str]) -> list[Path]:
        """Return every file that the references load, directly or through another, sorted."""
        todo, seen = list(references), set[str]()
        files = set[Path]()
        while todo:
            reference = todo.pop()
            if reference in seen:
                continue
            seen.add(reference)
            for path, package, rest in self._chain(reference):
                source = self._source(path, package)
                if path not in files:
                    files.add(path)
                    todo.extend(source.references)
                todo.extend(self._lazy(source, package, rest))
        return sorted(files)

    def _find(self, dotted: str) -> Path | None:
        """Return the file of a module, or of a package's `__init__`, if it is in the repository."""
        base = self.root.joinpath(*dotted.split("."))
        return next(
            (p for p in (base / "__init__.py", base.with_suffix(".py")) if p.is_file()),
            None,
        )

    def _chain(self, reference: str) -> Iterator[tuple[Path, str, str]]:
        """Yield each module that a dotted name passes through: file, package, attribute asked for.

        The attribute is empty where the next part is a submodule.
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
        if source.lazy is None or not name or name in source.bound:
            return
        named = [n for n in source.providers.get(name, ()) if self._find(n)]
        if named:
            yield from named
            return
        for candidate in source.lazy:
            path = candidate.startswith(f"{package}.") and self._find(candidate)
            if path and not path.relative_to(self.root).as_posix().startswith(OWN):
                yield candidate

    def _source(self, path: Path, package: str) -> Source:
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        known = self._sources.get(path)
        if known is None or known[0] != stamp:
            known = stamp, analyze(path.read_text("utf-8"), package)
            self._sources[path] = known
        return known[1]


class Digests:
    """SHA-256 of files, read again only when a file's size or time has changed."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, int], str]] = {}

    def __call__(self, path: Path) -> str:
        """Return a file's SHA-256, or `missing`."""
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            known = self._known.get(path)
            if known is None or known[0] != stamp:
                with path.open("rb") as file:
                    known = stamp, hashlib.file_digest(file, "sha256").hexdigest()
                self._known[path] = known
        except OSError:
            return "missing"
        return known[1]


@cache
def version(distribution: str) -> str:
    """Return the version of an installed package, or `missing`."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())


def distributions(modules: Iterable[str]) -> list[str]:
    """Return the names of the installed packages that hold these top-level modules, sorted."""
    found = set[str]()
    for module in modules:
        if module not in sys.stdlib_module_names:
            found.update(_distributions().get(module, []))
    return sorted(found)


def _walk(node: ast.AST, skip: tuple[ast.AST, ...]) -> Iterator[ast.AST]:
    """Walk a tree, parents first, without type checks, which never run, and the nodes to skip."""
    todo = [node]
    while todo:
        node = todo.pop()
        if node in skip:
            continue
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            todo.extend(node.orelse)
        else:
            todo.extend(ast.iter_child_nodes(node))


def _imports(
    nodes: Iterable[ast.AST], package: str, names: dict[str, set[str]]
) -> Iterator[str]:
    """Yield the dotted names that imports load, and note in `names` what each binds."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
                bound = alias.name if alias.asname else alias.name.partition(".")[0]
                names.setdefault(alias.asname or bound, set()).add(bound)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            yield base
            for alias in node.names:
                yield f"{base}.{alias.name}"
                names.setdefault(alias.asname or alias.name, set()).add(
                    f"{base}.{alias.name}"
                )


def _uses(nodes: Iterable[ast.AST], names: dict[str, set[str]]) -> Iterator[str]:
    """Yield the dotted names that attributes of imported names spell, such as `labkit.layers.Dense`."""
    inner = set[int]()  # nodes that are part of a longer dotted name
    for node in nodes:
        attributes = list[str]()
        base = node
        while isinstance(base, ast.Attribute):
            attributes.insert(0, base.attr)
            base = base.value
            inner.add(id(base))
        if isinstance(base, ast.Name) and id(node) not in inner:
            if not attributes and not isinstance(base.ctx, ast.Load):
                continue
            for dotted in names.get(base.id, ()):
                yield ".".join([dotted, *attributes, "*"])


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            yield from (n.id for n in ast.walk(target) if isinstance(n, ast.Name))


def _absolute(name: str, package: str) -> str:
    """Spell a module's name in a string (`.models`, `models`, `labkit.models`) from the top."""
    if name == package or name.startswith(f"{package}."):
        return name
    return f"{package}.{name.lstrip('.')}"


def _tables(tree: ast.AST, package: str) -> dict[str, set[str]]:
    """Read dictionaries such as `{"Dense": "layers"}` or `{"layers": ["Dense"]}` both ways."""
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
    return [
        n.value
        for n in ast.walk(node)
        if isinstance(n, ast.Constant) and isinstance(n.value, str)
    ]
