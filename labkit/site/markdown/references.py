"""Links between the text and the API reference, in both directions.

An API name in backticks, such as `labkit.layers.Dense`, becomes a reference that
mkdocs-autorefs resolves; so does each name that a tutorial's code uses. The API page lists
where it is used.
"""

import ast
import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from nbformat import NotebookNode

import labkit

_NAME = re.compile(r"(labkit(?:\.[A-Za-z_]\w*)+)(?:\(.*\))?")
_CONSTANT = re.compile(r"(\.[A-Z_]+)\..*")  # what a constant can do is not in the reference
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}


class ReferenceExtension(Extension):  # type: ignore[misc]  # Markdown is untyped
    """Python-Markdown extension that turns API names in backticks into references.

    Attributes:
        optional: Whether a name that the reference does not have stays as it is.
    """

    def __init__(self, **kwargs: Any) -> None:
        self.config = {"optional": [False, "Whether an unknown name stays as it is."]}
        super().__init__(**kwargs)
        self.optional = bool(self.getConfig("optional"))

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802  # Python-Markdown's name
        """Register after `toc`, which gives headings ids, and before autorefs."""
        references = _References(md)
        references.options = {"optional": ""} if self.optional else {}
        md.treeprocessors.register(references, "labkit-references", 3)


class _References(Treeprocessor):  # type: ignore[misc]  # Markdown is untyped
    options: dict[str, str]  # of every reference

    def run(self, root: Element) -> None:
        self.heading = ""
        self.cells: dict[str, str] = {}  # the heading above each cell
        self._visit(root)

    def _visit(self, parent: Element) -> None:
        for index, element in enumerate(parent):
            if element.tag in _HEADINGS:
                self.heading = element.get("id", "")
            elif element.tag == "code":
                if match := _NAME.fullmatch("".join(element.itertext())):
                    parent[index] = _reference(element, match[1], self.options)
            elif element.tag == "autoref" and "cell" in element.attrib:
                element.set("backlink-anchor", self.cells[element.attrib.pop("cell")])
            elif element.tag not in {"a", "pre", "autoref"}:
                if "lab-cell" in element.get("class", "").split():
                    self.cells[element.get("id", "")] = self.heading
                self._visit(element)


def _reference(code: Element, name: str, options: dict[str, str]) -> Element:
    reference = Element("autoref", {"identifier": _documented(name), **options})
    reference.append(code)
    reference.tail, code.tail = code.tail, None
    return reference


def _documented(name: str) -> str:
    """Return the name under which the reference has a member of a class that labkit itself offers.

    It stands with the class that defines it, such as `fit` with the models' common base.
    """
    _, first, *rest = name.split(".")
    found = getattr(labkit, first, None) if rest and first in labkit.__all__ else None
    if not isinstance(found, type):
        return name
    owner = next((base for base in found.__mro__ if rest[0] in vars(base)), found)
    return f"{owner.__module__}.{owner.__name__}.{'.'.join(rest)}"


def uses(notebook: NotebookNode) -> dict[str, int]:
    """Return the API names that a notebook's code uses, with the number of the first cell.

    Names are followed through imports: after `import labkit as keras`, the code
    `keras.layers.Dense(10)` uses `labkit.layers.Dense`, until `import keras`.
    """
    aliases: dict[str, str] = {}
    found: dict[str, int] = {}
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            for statement in ast.parse(cell.source).body:
                for name in _names(statement, aliases):
                    found.setdefault(name, number)
    return found


def _names(statement: ast.stmt, aliases: dict[str, str]) -> Iterator[str]:
    nodes: list[Any] = [statement]
    while nodes:
        node = nodes.pop(0)
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                aliases[bound] = alias.name if alias.asname else bound
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                if node.module != "labkit" and f"{node.module}".startswith("labkit"):
                    yield f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Attribute) and (chain := _chain(node)):
            first, _, rest = chain.partition(".")
            if (full := f"{aliases.get(first, '')}.{rest}").startswith("labkit."):
                yield _CONSTANT.sub(r"\1", full)
        else:
            nodes[:0] = ast.iter_child_nodes(node)


def _chain(node: ast.expr) -> str:
    """Return `a.b.c` for the attribute c of b of a; nothing where a call is inside."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (start := _chain(node.value)):
        return f"{start}.{node.attr}"
    return ""
