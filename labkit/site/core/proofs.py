"""What the tutorials prove: their assertions that say, as a message, which claim stands on them.

    assert accuracy > 0.9, "A small CNN reads nine of ten shifted digits."

Such a message is a sentence for readers. One that is computed, or that stands inside a function or
a class, speaks to whoever runs the code, and is no claim.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .book import Book, Cell, EmbedError


@dataclass(frozen=True)
class Proof:
    """A claim, and the assertion that stops the build where it does not hold.

    Attributes:
        claim: The claim, in a sentence.
        test: What is asserted, as Python.
        names: The published values of which it is asserted.
        cell: The cell that asserts it.
    """

    claim: str
    test: str
    names: tuple[str, ...]
    cell: Cell


def proofs(book: Book, tutorial: str) -> list[Proof]:
    """Return what a tutorial proves, in its order.

    Raises:
        EmbedError: There is no such tutorial, or a claim stands on no value that readers can see.
    """
    cells = book.cells(tutorial)
    published: dict[str, Any] = {}
    for cell in cells:
        outcome = cell.node.metadata.get("outcome", {})
        published |= {name: outcome.get(name) for name in cell.node.metadata.get("values", ())}
    shown = [name for name, value in published.items() if not isinstance(value, dict | list)]
    found = []
    for cell in cells:
        for statement in _claims(ast.parse(cell.node.source).body):
            claim, test = _claim(statement), statement.test
            named = dict.fromkeys(node.id for node in ast.walk(test) if isinstance(node, ast.Name))
            names = tuple(name for name in named if name in shown)
            if not names:
                raise EmbedError(
                    f"{cell.where}: the claim {claim!r} stands on no number that a page can show. "
                    "Name one in its assertion, and publish it: values=… in a cell's marker."
                )
            found.append(Proof(claim, ast.unparse(test), names, cell))
    return found


def _claims(body: list[ast.stmt]) -> Iterator[ast.Assert]:
    """Yield the assertions with a sentence, in loops and branches, too."""
    for statement in body:
        if isinstance(statement, ast.Assert) and _claim(statement):
            yield statement
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = ast.iter_child_nodes(statement)
            yield from _claims([child for child in inner if isinstance(child, ast.stmt)])


def _claim(statement: ast.Assert) -> str:
    said = statement.msg.value if isinstance(statement.msg, ast.Constant) else None
    return said if isinstance(said, str) else ""
