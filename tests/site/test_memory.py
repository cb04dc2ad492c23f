"""Reference pages remembered between builds."""

from types import SimpleNamespace
from typing import Any

from labkit.site.memory import RENDERED, Memory, stamp


class Autorefs:
    """Notes the anchors that it is told of."""

    def __init__(self) -> None:
        self.anchors: list[tuple[Any, ...]] = []

    def register_anchor(self, page: Any, identifier: str, **options: Any) -> None:
        """Note an anchor."""
        self.anchors.append((page, identifier, options))


class Build:
    """One build of pages that count how often they are rendered."""

    rendered = 0

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.autorefs = Autorefs()
        memory.begin()

    def page(self, url: str, key: str) -> Any:
        """Render a page, and return it."""
        page = SimpleNamespace(url=url, **dict.fromkeys(RENDERED))

        def render(*_: Any) -> None:
            Build.rendered += 1
            page.content = f"{url} with {key}"
            self.autorefs.register_anchor(page, f"labkit.{url}", primary=False)

        page.render = render
        self.memory.use(page, key, self.autorefs)
        page.render("config", "files")
        return page


def test_a_page_is_rendered_once() -> None:
    """The second build has its content and tells of its anchors, for the page as it is now."""
    memory = Memory()
    first = Build(memory)
    first.page("a", "key"), first.page("b", "key")
    second = Build(memory)
    second.page("a", "key")
    before = Build.rendered
    page = second.page("b", "key")
    assert Build.rendered == before
    assert page.content == "b with key"
    assert second.autorefs.anchors[-1] == (page, "labkit.b", {"primary": False})
    assert len(second.autorefs.anchors) == len(first.autorefs.anchors)


def test_the_first_page_of_a_build_is_always_rendered() -> None:
    """Mkdocstrings sets itself up by it."""
    memory = Memory()
    Build(memory).page("a", "key")
    before = Build.rendered
    Build(memory).page("a", "key")
    assert Build.rendered == before + 1


def test_a_changed_page_is_rendered_anew() -> None:
    """Another key is another page."""
    memory = Memory()
    first = Build(memory)
    first.page("a", "key"), first.page("b", "key")
    second = Build(memory)
    second.page("a", "key")
    assert second.page("b", "new").content == "b with new"


def test_the_stamp_changes_with_the_source(tmp_path: Any) -> None:
    """An edit, and a new module, count; other files do not."""
    (tmp_path / "a.py").write_text("1")
    stamps = {stamp(tmp_path)}
    (tmp_path / "notes.txt").write_text("1")
    assert stamp(tmp_path) in stamps
    (tmp_path / "a.py").write_text("12")
    stamps.add(stamp(tmp_path))
    (tmp_path / "b.py").write_text("1")
    stamps.add(stamp(tmp_path))
    assert len(stamps) == 3
