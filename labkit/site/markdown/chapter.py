"""Where a reader is: the box at a chapter's head, the map of the book, and the learning paths.

The box comes from the chapter's front matter. A page shows the map with `{{ map }}` and the paths
with `{{ paths }}`, each on a line of its own; both say the same as a list, for readers who hear it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

from labkit.site.core.chapters import Chapter, LearningPath

from .layout import HEIGHT, WIDTH, layout

_BLOCK = re.compile(r"^ {0,3}\{\{ *(map|paths) *\}\}[ \t]*$")


@dataclass
class Place:
    """What the extension knows of the book and of the page that is being converted.

    Attributes:
        chapters: Every chapter, in the order of the book.
        paths: The learning paths.
        link: Gives the path from the page's source to another source file of the site.
        seconds: How long each tutorial ran, by its name.
        tasks: How many questions and how many exercises each chapter has, by its name.
        here: The chapter that the page is, if it is one.
        page: The page that shows what a reader has read, if the site has one.
    """

    chapters: Sequence[Chapter] = ()
    paths: Sequence[LearningPath] = ()
    link: Callable[[str], str] = str
    seconds: Mapping[str, float] = field(default_factory=dict)
    tasks: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    here: Chapter | None = None
    page: str = ""


class ChapterExtension(Extension):  # type: ignore[misc]  # Markdown is untyped
    """Python-Markdown extension for a chapter's head, the map and the paths.

    Attributes:
        place: Set before each page.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.place = Place()

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802  # Python-Markdown's name
        """Register the blocks, the box below the title, and the line at the end."""
        md.parser.blockprocessors.register(_Block(md.parser, self), "labkit-map", 78)
        md.treeprocessors.register(_Head(md, self), "labkit-chapter", 22)  # before inline text


class _Block(BlockProcessor):  # type: ignore[misc]  # Markdown is untyped
    def __init__(self, parser: Any, extension: ChapterExtension) -> None:
        super().__init__(parser)
        self.extension = extension

    def test(self, parent: Element, block: str) -> bool:
        return _BLOCK.match(block) is not None

    def run(self, parent: Element, blocks: list[str]) -> None:
        match = _BLOCK.match(blocks.pop(0))
        assert match is not None  # test has said so
        place = self.extension.place
        parent.append(book_map(place) if match[1] == "map" else path_list(place))


class _Head(Treeprocessor):  # type: ignore[misc]  # Markdown is untyped
    def __init__(self, md: Markdown, extension: ChapterExtension) -> None:
        super().__init__(md)
        self.extension = extension

    def run(self, root: Element) -> None:
        place = self.extension.place
        if place.here is None:
            return
        title = next((index for index, child in enumerate(root) if child.tag == "h1"), None)
        if title is not None and (place.here.needs or place.here.goals):
            root.insert(title + 1, head(place, place.here))
        if place.page:
            root.append(_foot(place))


def head(place: Place, chapter: Chapter) -> Element:
    """Return the box at a chapter's head: what it needs, what it gives, and how long it takes."""
    by_name = {other.name: other for other in place.chapters}
    box = Element("div", {"class": "lab-head"})
    if chapter.needs:
        line = SubElement(box, "p")
        SubElement(line, "strong").text = "You need "
        _joined(line, [_link(place, by_name[name]) for name in chapter.needs])
    if chapter.goals:
        SubElement(SubElement(box, "p"), "strong").text = "You will be able to"
        goals = SubElement(box, "ul")
        for goal in chapter.goals:
            SubElement(goals, "li").text = goal  # the author's Markdown
    minutes = chapter.minutes
    times = [f"{minutes} minute{'s' if minutes > 1 else ''} to read"]
    if chapter.name in place.seconds:
        times.append(f"{_time(place.seconds[chapter.name])} to run")
    facts = SubElement(box, "p", {"class": "lab-facts"})
    facts.text = AtomicString(" · ".join(times))
    return box


def _foot(place: Place) -> Element:
    """Return the line at a chapter's end, which place.js shows with a button "Mark as read"."""
    line = Element("p", {"class": "lab-read", "hidden": ""})
    SubElement(line, "a", {"href": place.link(place.page)}).text = "Your place in the book"
    return line


def book_map(place: Place) -> Element:
    """Return the map: a drawing whose boxes are links, and a list that says the same."""
    by_name = {chapter.name: chapter for chapter in place.chapters}
    drawing = layout(place.chapters)
    width, height = drawing.size
    element = Element("div", {"class": "lab-map"})
    svg = SubElement(
        element,
        "svg",
        {"viewBox": f"0 0 {width} {height}", "width": f"{width}", "height": f"{height}",
         "role": "group", "aria-label": "Map of the book: each chapter below those that it needs"},
    )  # fmt: skip
    for chapter in place.chapters:  # a box and the lines to it, which its link makes bold
        group = SubElement(svg, "g")
        for line in drawing.lines[chapter.name]:
            SubElement(group, "path", {"class": "lab-map-edge", "d": line})
        _box(group, place, chapter, *drawing.places[chapter.name])
    details = SubElement(element, "details")
    SubElement(details, "summary").text = "The map as a list"
    items = SubElement(details, "ul")
    for chapter in place.chapters:
        questions, exercises = place.tasks.get(chapter.name, (0, 0))  # for the page "Your place"
        counts = {"data-questions": str(questions), "data-exercises": str(exercises)}
        item = SubElement(items, "li", counts)
        item.append(_link(place, chapter))
        if chapter.needs:
            item[-1].tail = " needs "
            _joined(item, [_link(place, by_name[name]) for name in chapter.needs])
    return element


def path_list(place: Place) -> Element:
    """Return the learning paths, each with its chapters in order."""
    by_name = {chapter.name: chapter for chapter in place.chapters}
    element = Element("div", {"class": "lab-paths"})
    for path in place.paths:
        section = SubElement(element, "section")
        SubElement(section, "h3").text = path.title
        SubElement(section, "p").text = path.why
        steps = SubElement(section, "ol")
        for name in path.chapters:
            SubElement(steps, "li").append(_link(place, by_name[name]))
    return element


def _box(parent: Element, place: Place, chapter: Chapter, x: float, y: float) -> None:
    """Add a chapter's box: a link of HTML, since the theme's script knows no links of SVG."""
    size = {"width": str(WIDTH), "height": str(HEIGHT)}
    box = SubElement(parent, "foreignObject", {"x": f"{x - WIDTH / 2:g}", "y": f"{y:g}", **size})
    box.append(_link(place, chapter))
    box[0].set("class", f"lab-map-box lab-part-{chapter.part}")


def _link(place: Place, chapter: Chapter) -> Element:
    link = Element("a", {"href": place.link(chapter.path), "data-chapter": chapter.name})
    link.text = AtomicString(chapter.title)
    return link


def _joined(parent: Element, links: Iterable[Element]) -> None:
    """Append links with commas and an "and" between them."""
    chosen = list(links)
    for number, link in enumerate(chosen):
        left = len(chosen) - number - 1
        link.tail = " and " if left == 1 else ", " if left else "."
        parent.append(link)


def _time(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 90 else f"{seconds / 60:.0f} minutes"


def makeExtension(**kwargs: Any) -> ChapterExtension:  # noqa: N802  # Python-Markdown's name
    """Return the extension, as Python-Markdown asks for it by its name."""
    return ChapterExtension(**kwargs)
