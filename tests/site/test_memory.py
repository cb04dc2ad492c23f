"""Reference pages remembered between builds."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mkdocs.structure.toc import AnchorLink, TableOfContents

from labkit.site import memory


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
    """Builds of a site with two pages and one source file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "source.py"
        self.source.write_text("1")
        self.rendered: list[str] = []
        self.file = Chapter()

    def render(self, page: Any, config: Any, files: Any) -> None:
        """Render a page, as MkDocs would."""
        self.rendered.append(page.file.name)
        page.content = f"content of {page.markdown}"
        page._title_from_render = "Title"
        link = AnchorLink("Title", "title", 1)
        link.children = [AnchorLink("Part", "part", 2)]
        page.toc = TableOfContents([link])
        page.present_anchor_ids = {"title", "part"}
        page.links_to_anchors = {self.file: {"a": "chapter.md#a"}}
        self.autorefs.register_anchor(page, f"labkit.{page.file.name}", primary=False)

    def build(self, **texts: str) -> list[Any]:
        """Build pages of these names and texts; return them, with what was rendered anew."""
        self.rendered, self.autorefs = [], Autorefs()
        kept = memory.Memory(self.folder / "kept", [self.source])
        files = SimpleNamespace(get_file_from_path={"chapter.md": self.file}.get)
        pages = []
        for name, text in texts.items():
            page: Any = SimpleNamespace(file=SimpleNamespace(name=name), markdown=text)
            kept.use(page, self.autorefs)
            page.render({}, files)
            pages.append(page)
        return pages


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return a site whose pages are rendered by the fake above."""
    made = Site(tmp_path)
    monkeypatch.setattr(memory.Page, "render", lambda *a: made.render(*a))
    return made


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


def test_another_text_is_another_page(site: Site) -> None:
    """An edit of the page is seen."""
    site.build(a="A", b="B")
    _, page = site.build(a="A", b="new")
    assert page.content == "content of new"


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
