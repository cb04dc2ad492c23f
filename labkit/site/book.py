"""What the tutorials gave, asked for by name.

A chapter names a cell (`neuron#boundary`) or a value (`neuron#accuracy`). A name that does not
exist is an error that lists the names that do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode

from labkit.site.figures import Figure, figures


class EmbedError(ValueError):
    """A page asks for something that no tutorial gives."""


@dataclass(frozen=True)
class Cell:
    """One code cell of a tutorial.

    Attributes:
        tutorial: The tutorial's name.
        anchor: The cell's id on the tutorial's page: its label, or `cell-` and its number.
        node: The cell with its outputs.
        state: "done", "running" (has no outputs yet) or "failed".
    """

    tutorial: str
    anchor: str
    node: NotebookNode
    state: str = "done"

    @property
    def name(self) -> str:
        """The cell as chapters name it."""
        return f"{self.tutorial}#{self.anchor}"

    @property
    def figures(self) -> list[Figure]:
        """The cell's drawings.

        Raises:
            EmbedError: The cell has a drawing but no alternative text.
        """
        drawings = list(figures(self.node, self.anchor))
        if drawings and not self.node.metadata.get("alt", "").strip():
            raise EmbedError(
                f"the figure of {self.name} (tutorials/{self.tutorial}.py:"
                f"{self.node.metadata.get('line', '?')}) has no alternative text. "
                'Add alt="…" to the marker of its cell: what one sees, in a sentence.'
            )
        return drawings

    @property
    def solution(self) -> bool:
        """Whether the cell solves an exercise, and is shown folded."""
        return "solution" in self.node.metadata.get("tags", ())


@dataclass(frozen=True)
class Book:
    """The tutorials by name, run or still running.

    Attributes:
        notebooks: Notebook of each tutorial; executed, unless `states` says otherwise.
        states: "running" or "failed" for each tutorial that has no outputs to show.
        messages: Why a tutorial failed.
    """

    notebooks: Mapping[str, NotebookNode]
    states: Mapping[str, str] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)

    def state(self, tutorial: str) -> str:
        """Return "done", "running" or "failed"."""
        return self.states.get(tutorial, "done")

    def cells(self, tutorial: str) -> Iterator[Cell]:
        """Yield the code cells of a tutorial, in order."""
        for number, node in enumerate(self._notebook(tutorial).cells):
            if node.cell_type == "code":
                anchor = node.metadata.get("label") or f"cell-{number}"
                yield Cell(tutorial, anchor, node, self.state(tutorial))

    def cell(self, name: str) -> Cell:
        """Return the cell called TUTORIAL#LABEL.

        Raises:
            EmbedError: There is none.
        """
        tutorial, label = _split(name)
        cells = {cell.anchor: cell for cell in self.cells(tutorial)}
        if label not in cells:
            labels = [
                anchor for anchor, cell in cells.items() if "label" in cell.node.metadata
            ]
            raise EmbedError(
                f"the tutorial {tutorial!r} has no cell labelled {label!r}. "
                f"{_hint(label, labels, 'Its labels are')}"
            )
        return cells[label]

    def value(self, name: str) -> tuple[Cell, Any]:
        """Return the value called TUTORIAL#NAME with its cell; None while the tutorial runs.

        Raises:
            EmbedError: There is none.
        """
        tutorial, wanted = _split(name)
        values: list[str] = []
        for cell in self.cells(tutorial):
            values += cell.node.metadata.get("values", ())
            if wanted in cell.node.metadata.get("values", ()):
                if cell.state != "done":
                    return cell, None
                return cell, cell.node.metadata["outcome"][wanted]
        raise EmbedError(
            f"the tutorial {tutorial!r} publishes no value {wanted!r}. "
            f"{_hint(wanted, values, 'Its values are')}"
        )

    def _notebook(self, tutorial: str) -> NotebookNode:
        if tutorial not in self.notebooks:
            raise EmbedError(
                f"there is no tutorial {tutorial!r}. "
                f"{_hint(tutorial, self.notebooks, 'The tutorials are')}"
            )
        return self.notebooks[tutorial]


def _split(name: str) -> tuple[str, str]:
    tutorial, mark, rest = name.partition("#")
    if not (tutorial and mark and rest):
        raise EmbedError(f"expected TUTORIAL#NAME. Received: {name!r}")
    return tutorial, rest


def _hint(wanted: str, names: Iterable[str], introduction: str) -> str:
    names = sorted(names)
    if near := difflib.get_close_matches(wanted, names, n=1):
        return f"Did you mean {near[0]!r}?"
    return f"{introduction}: {', '.join(names) or 'none'}."
