"""The box at a chapter's head, the map and the paths."""

import itertools
import re
from xml.etree import ElementTree

from markdown import Markdown

from labkit.site.core.chapters import Chapter, LearningPath
from labkit.site.markdown.chapter import ChapterExtension, Place
from labkit.site.markdown.layout import WIDTH, layout

NEURONS = Chapter("foundations/neurons.md", "A single neuron", words=1000)
LAYERS = Chapter("foundations/layers.md", "Layers & networks", ("neurons",), ("count *weights*",))
LOSS = Chapter("foundations/loss.md", "Loss", ("neurons", "layers"))
PATH = LearningPath("From zero", "In order.", ("neurons", "layers"))


def convert(text: str, here: Chapter | None = None) -> ElementTree.Element:
    """Convert a page of the small book and parse what came out."""
    extension = ChapterExtension()
    extension.place = Place(
        [NEURONS, LAYERS, LOSS],
        [PATH],
        link=lambda path: f"../{path}",
        seconds={"layers": 25.2},
        tasks={"layers": (4, 3)},
        here=here,
    )
    html = Markdown(extensions=[extension]).convert(text)
    return ElementTree.fromstring(f"<div>{html}</div>")


def words(element: ElementTree.Element | None) -> str:
    """Return an element's text in one line."""
    assert element is not None
    return " ".join("".join(element.itertext()).split())


def test_a_chapter_says_what_it_needs_and_gives() -> None:
    """The box stands below the title: needs as links, goals with their Markdown, both times."""
    page = convert("# Layers\n\nText.", LAYERS)
    assert [child.tag for child in page] == ["h1", "div", "p"]
    box = page[1]
    assert words(box).startswith("You need A single neuron. You will be able to count weights")
    assert box.find(".//li/em") is not None
    assert [link.get("href") for link in box.iter("a")] == ["../foundations/neurons.md"]
    assert words(box.find("p[@class='lab-facts']")) == "1 minute to read · 25 seconds to run"


def test_other_pages_have_no_box() -> None:
    """A page that is no chapter, and a chapter without needs and goals, begin with their text."""
    assert [child.tag for child in convert("# Home\n\nText.")] == ["h1", "p"]
    assert [child.tag for child in convert("# A neuron\n\nText.", NEURONS)] == ["h1", "p"]


def test_a_chapter_ends_with_the_way_to_the_readers_place() -> None:
    """Where the site has such a page, its link waits at the end of chapters, for the script."""
    extension = ChapterExtension()
    for here, count in [(NEURONS, 1), (None, 0)]:
        extension.place = Place([NEURONS], here=here, page="place.md", link="../{}".format)
        html = Markdown(extensions=[extension]).convert("# A neuron\n\nText.")
        page = ElementTree.fromstring(f"<div>{html}</div>")
        lines = page.findall("p[@hidden]/a[@href='../place.md']")
        assert len(lines) == count


def test_the_map_draws_each_chapter_below_what_it_needs() -> None:
    """Each box is a link with its title, and each direct need a line from above."""
    page = convert("{{ map }}")
    boxes = page.findall(".//svg//foreignObject")
    links = {box[0].get("data-chapter"): box[0] for box in boxes}
    assert {name: link.get("href") for name, link in links.items()} == {
        "neurons": "../foundations/neurons.md",
        "layers": "../foundations/layers.md",
        "loss": "../foundations/loss.md",
    }
    assert words(links["layers"]) == "Layers & networks"
    tops = [float(box.get("y", "")) for box in boxes]
    assert tops == sorted(set(tops))
    assert len(page.findall(".//svg//path")) == 2


def test_the_map_is_also_a_list() -> None:
    """The list says of each chapter what it needs."""
    items = [words(item) for item in convert("{{ map }}").findall(".//details/ul/li")]
    assert items == [
        "A single neuron",
        "Layers & networks needs A single neuron.",
        "Loss needs A single neuron and Layers & networks.",
    ]


def test_paths_list_their_chapters() -> None:
    """A path has its title, its reason and its chapters as links in order."""
    page = convert("{{ paths }}")
    assert words(page) == "From zero In order. A single neuron Layers & networks"
    assert len(page.findall(".//ol/li/a")) == 2


def test_the_maps_list_says_how_much_there_is_to_do() -> None:
    """For the page "Your place": how many questions and exercises each chapter has."""
    items = convert("{{ map }}").findall(".//details/ul/li")
    counts = [(item.get("data-questions"), item.get("data-exercises")) for item in items]
    assert counts == [("0", "0"), ("4", "3"), ("0", "0")]


def test_the_map_of_a_whole_book_is_as_wide_as_its_text() -> None:
    """Of forty chapters, many as far from the beginning as others, no two boxes overlap."""
    first = [Chapter("a/c0.md", "The first")]
    chapters = first + [
        Chapter(f"a/c{n}.md", f"Chapter {n}", (f"c{n // 9}",)) for n in range(1, 40)
    ]
    extension = ChapterExtension()
    extension.place = Place(chapters)
    page = ElementTree.fromstring(Markdown(extensions=[extension]).convert("{{ map }}"))
    svg = page.find("svg")
    assert svg is not None
    boxes = [
        tuple(float(box.get(side, "")) for side in ("x", "y", "width", "height"))
        for box in page.iter("foreignObject")
    ]
    assert len(boxes) == 40
    assert float(svg.get("width", "")) < 700
    for (x, y, width, height), (x2, y2, _, _) in itertools.combinations(boxes, 2):
        assert abs(x - x2) >= width or abs(y - y2) >= height
    by_name = {c.name: box for c, box in zip(chapters, boxes, strict=True)}
    assert all(by_name[c.name][1] > by_name[need][1] for c in chapters for need in c.needs)


def test_no_line_of_the_map_runs_behind_a_box() -> None:
    """Where a line passes a row, it goes straight down, between its boxes."""
    chapters = [
        Chapter(f"a/c{n}.md", f"Chapter {n}", tuple({f"c{n // 3}", f"c{n // 7}"} - {f"c{n}"}))
        for n in range(40)
    ]
    drawn = layout(chapters)
    downs = []
    for line in itertools.chain(*drawn.lines.values()):
        numbers = [float(number) for number in re.findall(r"[-\d.]+", line)]
        assert numbers[-1] > numbers[1]  # downwards
        downs += [(float(x), float(y)) for x, y in re.findall(r" ([-\d.]+) ([-\d.]+)V", line)]
    assert len(downs) > 20
    for x, y in downs:
        row = [place for place in drawn.places.values() if place[1] == y]
        assert all(abs(x - middle) > WIDTH / 2 for middle, _ in row)
