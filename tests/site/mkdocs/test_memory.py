"""Reference pages remembered between builds."""

import logging
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
        self.store = memory.Folder(folder / "kept")
        self.rendered: list[str] = []
        self.file = Chapter()
        self.faults: list[str] = []  # warned of by the next page that is rendered

    def render(self, page: Any, config: Any, files: Any) -> None:
        """Render a page, as MkDocs would."""
        self.rendered.append(page.file.src_uri)
        page.content = f"content of {page.markdown}"
        page._title_from_render = "Title"
        link = AnchorLink("Title", "title", 1)
        link.children = [AnchorLink("Part", "part", 2)]
        page.toc = TableOfContents([link])
        page.present_anchor_ids = {"title", "part"}
        page.links_to_anchors = {self.file: {"a": "chapter.md#a"}}
        self.autorefs.register_anchor(page, f"labkit.{page.file.src_uri}", primary=False)
        while self.faults:
            logging.getLogger("mkdocs.structure.pages").warning(self.faults.pop())

    def build(self, *, unready: bool = True, facts: str = "", **texts: str) -> list[Any]:
        """Build pages of these names and texts; return them, with what was rendered anew."""
        self.rendered, self.autorefs = [], Autorefs()
        base = memory.digest([self.source], sorted(texts))
        kept = memory.Memory(self.store, base, self.render, self.autorefs, unready=unready)
        files: Any = SimpleNamespace(get_file_from_path={"chapter.md": self.file}.get)
        pages = []
        for name, text in texts.items():
            page: Any = SimpleNamespace(file=SimpleNamespace(src_uri=name), markdown=text)
            kept.render(page, {}, files, facts)
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
    assert site.rendered == ["a"]  # the first page sets mkdocstrings up
    for name in ("content", "_title_from_render", "present_anchor_ids", "links_to_anchors"):
        assert getattr(after, name) == getattr(before, name)
    (link,) = after.toc
    assert (link.title, link.url, link.level) == ("Title", "#title", 1)
    assert [child.id for child in link.children] == ["part"]
    assert site.autorefs.anchors[-1] == (after, "labkit.b", {"primary": False})
    assert len(site.autorefs.anchors) == told
    site.build(a="A", b="B", unready=False)
    assert site.rendered == []


def test_a_site_without_autorefs(site: Site) -> None:
    """Nobody is told of anchors, and pages are remembered all the same."""
    site.autorefs = Autorefs()
    kept = memory.Folder(site.folder / "pages")
    for _ in range(2):
        page: Any = SimpleNamespace(file=SimpleNamespace(src_uri="a"), markdown="A")
        files: Any = SimpleNamespace(get_file_from_path=lambda path: None)
        memory.Memory(kept, "base", site.render, None).render(page, {}, files)
        assert page.content == "content of A"
    assert site.rendered == ["a"]


def test_another_text_is_another_page(site: Site) -> None:
    """An edit of the page is seen."""
    site.build(a="A", b="B")
    _, page = site.build(a="A", b="new")
    assert page.content == "content of new"


def test_another_fact_is_another_page(site: Site) -> None:
    """What a page shows of elsewhere is part of its key."""
    site.build(a="A", unready=False, facts="one")
    site.build(a="A", unready=False, facts="one")
    assert site.rendered == []
    site.build(a="A", unready=False, facts="two")
    assert site.rendered == ["a"]


def test_another_set_of_pages_renders_all_anew(site: Site) -> None:
    """A link may lead to a page that is gone."""
    site.build(a="A", b="B", unready=False)
    site.build(a="A", unready=False)
    assert site.rendered == ["a"]


def test_what_was_warned_of_is_warned_of_again(site: Site) -> None:
    """A page with a dead link is not kept, or a strict build would not see the link."""
    site.faults = ["a dead link"]
    site.build(a="A", unready=False)
    site.build(a="A", unready=False)
    assert site.rendered == ["a"]
    site.build(a="A", unready=False)
    assert site.rendered == []


@pytest.mark.parametrize("damage", [lambda p: p.unlink(), lambda p: p.write_text('{"key"')])
def test_what_is_damaged_is_rendered_anew(site: Site, damage: Callable[[Path], None]) -> None:
    """A file that is gone or cut short counts as none."""
    site.build(a="A", b="B")
    damage(site.folder / "kept" / "b.json")
    site.build(a="A", b="B")
    assert site.rendered == ["a", "b"]


def test_a_changed_source_renders_all_anew(site: Site) -> None:
    """What the pages document is part of their key."""
    site.build(a="A", b="B")
    site.source.write_text("2")
    site.build(a="A", b="B")
    assert site.rendered == ["a", "b"]


def test_a_new_version_of_a_package_renders_all_anew(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What renders the pages is part of their key."""
    site.build(a="A", b="B")
    monkeypatch.setattr(memory, "version", lambda name: "99")
    site.build(a="A", b="B")
    assert site.rendered == ["a", "b"]


def test_a_folder_that_cannot_be_written_costs_only_time(site: Site) -> None:
    """The pages are made all the same."""
    (site.folder / "kept").write_text("a file where the folder should be")
    _, page = site.build(a="A", b="B")
    assert page.content == "content of B"


class Index:
    """An index that takes a page's content for its entry."""

    def __init__(self) -> None:
        self.entries: list[str] = []
        self.read: list[str] = []

    def add_entry_from_context(self, page: Any) -> None:
        """Read a page."""
        self.read.append(page.url)
        self.entries.append(page.content)


def test_the_search_reads_what_has_changed(tmp_path: Path) -> None:
    """The index is whole at each build, and in the pages' order."""
    kept = memory.Folder(tmp_path / "search")
    both = ["a", "b"]
    builds = [
        ("1", "A", both),
        ("1", "A", []),
        ("1", "new", ["a"]),
        ("1", "new", []),
        ("2", "new", both),
    ]
    for base, content, read in builds:
        index = Index()
        memory.remember_search(index, kept, base)
        for url, text in (("a", content), ("b", "B")):
            file = SimpleNamespace(src_uri=f"{url}.md")
            page = SimpleNamespace(url=url, content=text, title=url, meta={}, file=file)
            index.add_entry_from_context(page)
        assert index.entries == [content, "B"]
        assert index.read == read
