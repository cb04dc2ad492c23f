"""What the tutorials gave, asked for by name.

A chapter names a cell (`neuron#boundary`) or a value (`neuron#accuracy`). A name that does
not exist is an error that suggests the nearest.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from nbformat import NotebookNode, from_dict

from .colab import Colab
from .figures import Figure, figures
from .names import suggestion
from .thumbnails import Thumbnail, thumbnails
from .tutorial import Tutorial

State = Literal["done", "running", "failed"]
RECENT = 8  # notebooks kept in memory: a chapter asks for a few of them again and again


class EmbedError(ValueError):
    """A page asks for something that no tutorial gives.

    Attributes:
        written: How the page asks, where that is known.
    """

    def __init__(self, message: str, written: str = "") -> None:
        super().__init__(message)
        self.written = written


@dataclass(frozen=True)
class Cell:
    """One code cell of a tutorial.

    Attributes:
        tutorial: The tutorial's name.
        anchor: The cell's id on the tutorial's page: its label, or `cell_` and its number.
        node: The cell, with its outputs when the tutorial is done.
        state: The tutorial's state.
        place: The address of the tutorial's page.
    """

    tutorial: str
    anchor: str
    node: NotebookNode
    state: State = "done"
    place: str = ""

    @property
    def name(self) -> str:
        """The cell as chapters name it."""
        return f"{self.tutorial}#{self.anchor}"

    @property
    def where(self) -> str:
        """The cell's file and line, as messages name it."""
        return f"{self.place}.py:{self.node.metadata.get('line', '?')}"

    @cached_property
    def figures(self) -> list[Figure]:
        """The cell's drawings.

        Raises:
            EmbedError: The cell has a drawing but no alternative text, or one whose axes are
                written in a color that the dark page does not exchange.
        """
        drawings = list(figures(self.node, self.anchor))
        if drawings and not self.node.metadata.get("alt", "").strip():
            raise EmbedError(
                f"{self.where}: this cell draws a figure that has no alternative text. "
                'Add to its marker alt="…": what one sees, in a sentence.'
            )
        if foreign := next((drawing.foreign for drawing in drawings if drawing.foreign), ""):
            raise EmbedError(
                f"{self.where}: this cell draws a figure without the book's style: the text at its "
                f"axes is {foreign}, also on a dark page. Call labkit.plot.set_theme() before the "
                "first figure, and take colors from labkit.plot."
            )
        return drawings

    @property
    def is_solution(self) -> bool:
        """Whether the cell solves an exercise, and is shown folded."""
        return "solution" in self.node.metadata.get("tags", ())

    @property
    def is_silent(self) -> bool:
        """Whether the page shows only what the cell gave: its code draws, and explains nothing."""
        return "remove-input" in self.node.metadata.get("tags", ())


@dataclass(frozen=True)
class Book:
    """The tutorials by name, run or still running.

    Attributes:
        notebooks: The notebook of each tutorial, executed if its state is "done", in the book's
            order.
        states: The state of each tutorial that is not done.
        messages: Why a tutorial failed.
        colab: Where the notebooks can be opened.
        places: The address of each tutorial's page: `tutorials/foundations/neurons`.
        asked: The tutorials of which something was asked; who wants to know clears it.
        parts: The title of a part of the book by its folder, where it has one.
        chapters: The source of a tutorial's chapter, `foundations/neurons.md`, where it has one.
    """

    notebooks: Mapping[str, NotebookNode]
    states: Mapping[str, State] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)
    colab: Colab = field(default_factory=Colab)
    places: Mapping[str, str] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set, repr=False)
    parts: Mapping[str, str] = field(default_factory=dict)
    chapters: Mapping[str, str] = field(default_factory=dict)
    _recent: dict[str, NotebookNode] = field(default_factory=dict, repr=False)

    def state(self, tutorial: str) -> State:
        """Say whether a tutorial is done."""
        self.asked.add(tutorial)
        return self.states.get(tutorial, "done")

    def place(self, tutorial: str) -> str:
        """Return the address of a tutorial's page, which is its file's path without `.py`."""
        return self.places.get(tutorial, f"tutorials/{tutorial}")

    def by_part(self) -> dict[str, list[str]]:
        """Return the tutorials' names by the title of their part, in the order of `notebooks`."""
        found: dict[str, list[str]] = {}
        for name in self.notebooks:
            part = "/".join(self.place(name).split("/")[1:-1])
            found.setdefault(self.parts.get(part, part.capitalize()), []).append(name)
        return found

    def thumbnails(self, tutorial: str) -> list[Thumbnail]:
        """Return the small pictures of a tutorial: for the light page and the dark one."""
        return list(thumbnails(self.notebook(tutorial)))

    def facts(self, tutorial: str, digest: str) -> str:
        """Return a text that is another when anything that pages show of a tutorial is.

        Args:
            tutorial: Its name.
            digest: The digest of its source.
        """
        finished = self.notebook(tutorial).metadata.get("labkit", {}).get("finished")
        message = self.messages.get(tutorial, "")
        return f"{tutorial} {digest} {self.state(tutorial)} {finished} {message}"

    def notebook(self, tutorial: str) -> NotebookNode:
        """Return a tutorial's notebook.

        Raises:
            EmbedError: There is no such tutorial.
        """
        self.asked.add(tutorial)
        if tutorial not in self._recent:
            names = list(self.notebooks)  # to look one up in the mapping is to read its run
            if tutorial not in names:
                raise EmbedError(
                    f"there is no tutorial {tutorial!r}. {suggestion(tutorial, names)}"
                )
            if len(self._recent) == RECENT:
                del self._recent[next(iter(self._recent))]
            self._recent[tutorial] = self.notebooks[tutorial]
        return self._recent[tutorial]

    def cells(self, tutorial: str) -> list[Cell]:
        """Return the code cells of a tutorial, in order.

        Raises:
            EmbedError: There is no such tutorial.
        """
        return [
            Cell(tutorial, anchor(node, number), node, self.state(tutorial), self.place(tutorial))
            for number, node in enumerate(self.notebook(tutorial).cells)
            if node.cell_type == "code"
        ]

    def cell(self, name: str) -> Cell:
        """Return the cell called TUTORIAL#LABEL.

        Raises:
            EmbedError: There is none.
        """
        tutorial, label = _split(name)
        cells = {cell.anchor: cell for cell in self.cells(tutorial)}
        if label in cells:
            return cells[label]
        if self.state(tutorial) == "failed":  # perhaps it cannot even be read
            return Cell(tutorial, label, empty(), "failed")
        labels = [label for label, cell in cells.items() if "label" in cell.node.metadata]
        raise EmbedError(
            f"the tutorial {tutorial!r} has no cell labeled {label!r}. " + suggestion(label, labels)
        )

    def value(self, name: str) -> tuple[Cell, Any]:
        """Return the value called TUTORIAL#NAME with its cell; None if it is not there yet.

        Raises:
            EmbedError: There is none.
        """
        tutorial, wanted = _split(name)
        values: list[str] = []
        for cell in self.cells(tutorial):
            published = cell.node.metadata.get("values", ())
            if wanted in published:
                done = cell.state == "done"
                return cell, cell.node.metadata["outcome"][wanted] if done else None
            values += published
        if self.state(tutorial) == "failed":
            return Cell(tutorial, "", empty(), "failed"), None
        raise EmbedError(
            f"the tutorial {tutorial!r} publishes no value {wanted!r}. "
            + suggestion(wanted, values)
        )


def places(tutorials: Iterable[Tutorial]) -> dict[str, str]:
    """Return the address of each tutorial's page by its name."""
    return {tutorial.name: tutorial.place.removesuffix(".py") for tutorial in tutorials}


def anchor(cell: NotebookNode, number: int) -> str:
    """Return the id that a cell has on its page; no label has an underscore."""
    return str(cell.metadata.get("label", f"cell_{number}"))


def empty() -> Any:
    """Return a cell that stands in for one of a tutorial that cannot be read."""
    return from_dict(  # type: ignore[no-untyped-call]  # of nbformat
        {"cell_type": "code", "metadata": {}, "source": "", "outputs": []}
    )


def _split(name: str) -> tuple[str, str]:
    tutorial, _, rest = name.partition("#")
    if not (tutorial and rest):
        raise EmbedError(f"expected TUTORIAL#NAME. Received: {name!r}")
    return tutorial, rest
