"""Pages remembered between builds."""

import contextlib
import logging
import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mkdocs.structure.toc import AnchorLink, TableOfContents

from labkit.site.mkdocs import memory


class Autorefs:
    """Notes the anchors that it is told of."""

    def __init__(self) -> None:
        self.anchors: list[tuple[Any, ...]] = []

    def register_anchor(self, page: Any, identifier: str, **options: Any) -> None:
        """Note an anchor."""
        self.anchors.append((page, identifier, options))


class Chapter:
    """A file that pages link to."""

    src_uri = "chapter.md"


class Site:
    """Builds of a site with one source file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "source.py"
        self.source.write_text("1")
        self.snippet = folder / "snippet.md"
        self.snippet.write_text("one")
        self.store = memory.Folder(folder / "kept" / "pages")
        self.rendered: list[str] = []
        self.file = Chapter()
        self.faults: list[str] = []  # warned of by the next page that is rendered
        self.asks: set[str] = set()  # the tutorials for which a page asks
        self.facts = {"t": "1", "u": "1"}

    def render(self, page: Any, config: Any, files: Any) -> None:
        """Render a page, as MkDocs would."""
        self.rendered.append(page.file.src_uri)
        page.content = f"content of {page.markdown}"
        if "snippet" in page.markdown:
            page.content += self.snippet.read_text()
        self.asked |= self.asks
        page._title_from_render = "Title"
        link = AnchorLink("Title", "title", 1)
        link.children = [AnchorLink("Part", "part", 2)]
        page.toc = TableOfContents([link])
        page.present_anchor_ids = {"title", "part"}
        page.links_to_anchors = {self.file: {"a": "chapter.md#a"}}
        self.autorefs.register_anchor(page, f"labkit.{page.file.src_uri}", primary=False)
        while self.faults:
            logging.getLogger("mkdocs.structure.pages").warning(self.faults.pop())

    def build(self, **texts: str) -> list[Any]:
        """Build pages of these names and texts; return them, with what was rendered anew."""
        self.rendered, self.autorefs, self.asked = [], Autorefs(), set[str]()
        kept = memory.Memory(
            self.store,
            memory.digest([self.source], sorted(texts)),
            self.render,
            autorefs=self.autorefs,
            asked=self.asked,
            facts=self.facts.__getitem__,
        )
        files: Any = SimpleNamespace(get_file_from_path={"chapter.md": self.file}.get)
        pages = []
        for name, text in texts.items():
            page: Any = SimpleNamespace(file=SimpleNamespace(src_uri=name), markdown=text)
            kept.render(page, {}, files)
            pages.append(page)
        return pages


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a site whose pages are rendered by the fake above."""
    return Site(tmp_path)


def test_a_page_is_rendered_once(site: Site) -> None:
    """The next build has all that rendering sets, and tells of its anchors."""
    _, before = site.build(a="A", b="B")
    told = len(site.autorefs.anchors)
    _, after = site.build(a="A", b="B")
    assert site.rendered == []
    for name in ("content", "_title_from_render", "present_anchor_ids", "links_to_anchors"):
        assert getattr(after, name) == getattr(before, name)
    (link,) = after.toc
    assert (link.title, link.url, link.level) == ("Title", "#title", 1)
    assert [child.id for child in link.children] == ["part"]
    assert site.autorefs.anchors[-1] == (after, "labkit.b", {"primary": False})
    assert len(site.autorefs.anchors) == told


def test_a_site_without_autorefs(site: Site) -> None:
    """Nobody is told of anchors, and pages are remembered all the same."""
    site.autorefs, site.asked = Autorefs(), set[str]()
    for _ in range(2):
        page: Any = SimpleNamespace(file=SimpleNamespace(src_uri="a"), markdown="A")
        files: Any = SimpleNamespace(get_file_from_path=lambda path: None)
        memory.Memory(site.store, "base", site.render).render(page, {}, files)
        assert page.content == "content of A"
    assert site.rendered == ["a"]


def test_a_page_depends_on_what_was_read(site: Site) -> None:
    """An edit of an included file renders anew the pages that include it, and no other."""
    site.build(a="A", b="snippet: ")
    site.snippet.write_text("two")
    _, page = site.build(a="A", b="snippet: ")
    assert site.rendered == ["b"]
    assert page.content == "content of snippet: two"
    site.build(a="A", b="snippet: ")
    assert site.rendered == []


def test_a_page_depends_on_the_tutorials_that_it_asks_for(site: Site) -> None:
    """However they are named in its text; another tutorial's run changes nothing."""
    site.asks = {"t"}
    site.build(a="A")
    site.facts["u"] = "2"
    site.build(a="A")
    assert site.rendered == []
    assert site.asked == {"t"}  # for the server, which runs first what a reader has open
    site.facts["t"] = "2"
    site.build(a="A")
    assert site.rendered == ["a"]


def test_what_another_machine_answers_is_not_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may answer something else the next time."""

    def ask(page: Any, config: Any, files: Any) -> None:
        with contextlib.suppress(OSError), socket.socket() as asking:
            asking.connect(("127.0.0.1", 9))  # where nothing answers
        render(page, config, files)

    render = site.render
    monkeypatch.setattr(site, "render", ask)
    for _ in range(2):
        site.build(a="A")
        assert site.rendered == ["a"]


def test_another_text_is_another_page(site: Site) -> None:
    """An edit of the page is seen."""
    site.build(a="A", b="B")
    _, page = site.build(a="A", b="new")
    assert page.content == "content of new"


def test_another_set_of_pages_renders_all_anew(site: Site) -> None:
    """A link may lead to a page that is gone."""
    site.build(a="A", b="B")
    site.build(a="A")
    assert site.rendered == ["a"]


def test_what_was_warned_of_is_warned_of_again(site: Site) -> None:
    """A page with a dead link is not kept, or a strict build would not see the link."""
    site.faults = ["a dead link"]
    site.build(a="A")
    site.build(a="A")
    assert site.rendered == ["a"]
    site.build(a="A")
    assert site.rendered == []


@pytest.mark.parametrize("damage", [lambda p: p.unlink(), lambda p: p.write_text('{"key"')])
def test_what_is_damaged_is_rendered_anew(site: Site, damage: Callable[[Path], None]) -> None:
    """A file that is gone or cut short counts as none."""
    site.build(a="A", b="B")
    damage(site.folder / "kept" / "pages" / "b.json")
    site.build(a="A", b="B")
    assert site.rendered == ["b"]


def test_a_changed_source_renders_all_anew(site: Site) -> None:
    """What renders the pages is part of their key."""
    site.build(a="A", b="B")
    site.source.write_text("2")
    site.build(a="A", b="B")
    assert site.rendered == ["a", "b"]


def test_a_new_version_of_a_package_renders_all_anew(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What renders the pages is part of their key."""
    site.build(a="A", b="B")
    installed = tmp_path / "installed"
    (installed / "some_package-99.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(installed)
    site.build(a="A", b="B")
    assert site.rendered == ["a", "b"]


def test_a_folder_that_cannot_be_written_costs_only_time(site: Site) -> None:
    """The pages are made all the same."""
    (site.folder / "kept").write_text("a file where the folder should be")
    _, page = site.build(a="A", b="B")
    assert page.content == "content of B"
