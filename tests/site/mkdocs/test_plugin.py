"""The plugin, by real builds of a small site in a temporary folder."""

import io
import json
import py_compile
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator

import nbformat
import psutil
import pytest
from bs4 import BeautifulSoup
from mkdocstrings import Inventory

from .conftest import CHAPTER, CONFIG, TINY, Site


@pytest.mark.slow
def test_a_tutorial_is_a_page_of_the_theme(built: Site) -> None:
    """It has the theme's boxes, code blocks and permalinks, and no style of its own."""
    page = built.read("site/tutorials/tiny/index.html")
    assert '<div class="admonition note">' in page
    assert '<pre class="highlight" translate="no"><code>' in page
    assert "<math" in page
    assert '<a href="../../chapter/">chapter</a>' in page
    assert "<style" not in page
    assert 'style="' not in page
    assert "jp-" not in page


@pytest.mark.slow
def test_its_cells_show_what_they_gave(built: Site) -> None:
    """Figure, printed line, meant error and folded solution are all there."""
    page = built.read("site/tutorials/tiny/index.html")
    assert '<div class="lab-cell" id="boundary">' in page
    assert '<pre class="lab-output">the only line</pre>' in page
    assert "invalid literal" in page
    assert "\x1b" not in page
    assert '<details class="success lab-cell" id="answer">' in page
    assert "<figcaption>It rises.</figcaption>" in page


@pytest.mark.slow
def test_the_table_of_contents_keeps_code(built: Site) -> None:
    """Each heading is listed once, with the code in it, and its id is unique."""
    page = built.read("site/tutorials/tiny/index.html")
    contents = BeautifulSoup(page, "html.parser").select(".md-sidebar--secondary a")
    assert [entry.text.strip() for entry in contents[:2]] == ["The boundary of it", "Fails"]
    ids = Counter(tag["id"] for tag in BeautifulSoup(page, "html.parser").select("[id]"))
    assert max(ids.values()) == 1
    assert {"the-boundary-of-it", "fails", "fails_1"} <= set(ids)


@pytest.mark.slow
def test_figures_are_files_in_two_forms(built: Site) -> None:
    """Both exist, and the page has both with their size; the stylesheet shows one."""
    light = built.read("site/tutorials/tiny/boundary.svg")
    dark = built.read("site/tutorials/tiny/boundary.dark.svg")
    assert "#0b6bcb" in light
    assert "#0b6bcb" not in dark
    for page in ("site/tutorials/tiny/index.html", "site/chapter/index.html"):
        images = re.findall(r"<img [^>]*boundary[^>]*>", built.read(page))
        assert len(images) == 2
        assert all('width="120"' in image and 'height="60"' in image for image in images)


@pytest.mark.slow
def test_the_chapter_embeds_and_links_back(built: Site) -> None:
    """The figure and the value name their cell and lead to it; code is left alone."""
    page = built.read("site/chapter/index.html")
    assert '<figure class="lab-figure" data-tutorial="tiny#boundary">' in page
    assert 'data-tutorial="tiny#accuracy" href="../tutorials/tiny/#boundary">97.3%</a>' in page
    assert "<code>{{ figure tiny#boundary }}\n</code>" in page


@pytest.mark.slow
def test_downloads(built: Site) -> None:
    """The script is the script, and the notebook is valid, executed and clean."""
    assert built.read("site/tutorials/tiny/tiny.py") == TINY
    notebook = nbformat.read(built.root / "site/tutorials/tiny/tiny.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert "the only line" in json.dumps(notebook)
    assert "outcome" not in json.dumps(notebook)
    assert "git+https://github.com/someone/something" in notebook.cells[1].source
    page = built.read("site/tutorials/tiny/index.html")
    for name in ("tiny.py", "tiny.ipynb"):
        assert f'<a download="{name}" href="{name}">{name}</a>' in page
    colab = "https://colab.research.google.com/github/someone/something/blob/gh-pages"
    assert f'href="{colab}/tutorials/tiny/tiny.ipynb"' in page


@pytest.mark.slow
def test_the_page_says_how_it_ran(built: Site) -> None:
    """Run time, date and versions stand on the page."""
    page = built.read("site/tutorials/tiny/index.html")
    assert re.search(r"Runs in [\d.]+ s · ", page)
    assert re.search(r"Ran in [\d.]+ s on \d+ \w+ 20\d\d with Python 3\.\d+\.\d+ and i", page)


@pytest.mark.slow
def test_edit_links_lead_to_the_sources(built: Site) -> None:
    """A tutorial's leads to its script, a chapter's to its Markdown."""
    base = "https://github.com/someone/something/edit/main/"
    assert f'href="{base}tutorials/tiny.py"' in built.read("site/tutorials/tiny/index.html")
    assert f'href="{base}docs/chapter.md"' in built.read("site/chapter/index.html")


@pytest.mark.slow
def test_api_names_are_linked_both_ways(built: Site) -> None:
    """Text and code lead to the reference, and the reference lists where."""
    page = built.read("site/tutorials/tiny/index.html")
    links = re.findall(r'<a [^>]*href="../../api/#labkit.layers.Dense"', page)
    assert len(links) == 2
    reference = built.read("site/api/index.html")
    assert 'href="../tutorials/tiny/#a-tiny-tutorial"' in reference
    assert 'href="../tutorials/tiny/#the-boundary-of-it"' in reference


@pytest.mark.slow
def test_the_search_finds_each_text_once(built: Site) -> None:
    """A tutorial's prose stands once in the index; its code and facts about the run do not."""
    index = json.loads(built.read("site/search/search_index.json"))
    text = json.dumps([entry for entry in index["docs"] if "tiny" in entry["location"]])
    assert text.count("It draws") == 1
    assert text.count("It rises.") == 1
    assert "keras.layers.Dense(3)" not in text
    assert "Copied" not in text
    assert "Ran in" not in text


@pytest.mark.slow
def test_the_list_of_tutorials(built: Site) -> None:
    """It shows each with a picture, its first sentence as plain text, and its run time."""
    page = built.read("site/tutorials/index.html")
    assert '<a href="tiny/">' in page
    assert re.search(r'<img [^>]*src="tiny/[^"]+"', page)
    assert "<p>It draws one line, as the chapter says.</p>" in page
    assert re.search(r"tiny\.py · runs in [\d.]+ s", page)


@pytest.mark.slow
def test_a_second_build_runs_nothing_and_gives_the_same(small: Site) -> None:
    """Without a change no kernel starts; without an address there is no instant loading."""
    pages = ["tutorials/tiny/index.html", "chapter/index.html", "api/index.html"]
    pages += ["tutorials/index.html", "search/search_index.json"]
    before = {page: small.read(f"site/{page}") for page in pages}
    assert "navigation.instant" not in before["chapter/index.html"]
    done = small.build("--strict")
    assert done.returncode == 0, done.stderr
    assert " ran in " not in done.stderr
    assert {page: small.read(f"site/{page}") for page in pages} == before
    small.write("mkdocs.yml", CONFIG + "site_url: https://example.org/\n")
    assert small.build().returncode == 0
    assert "navigation.instant" in small.read("site/tutorials/tiny/index.html")


@pytest.mark.slow
def test_the_terminal_speaks_of_the_book_alone(small: Site) -> None:
    """Material's notice of its end and mkdocs-jupyter's conversions are none of the author's."""
    small.write("tutorials/tiny.py", TINY.replace("It draws", "It still draws"))
    said = re.sub(r"[\d.]+ seconds", "N seconds", small.build().stderr)
    assert said.splitlines() == [
        "INFO    -  Cleaning site directory",
        f"INFO    -  Building documentation to directory: {small.root / 'site'}",
        "INFO    -  Documentation built in N seconds",
    ]


@pytest.mark.slow
def test_what_the_environment_sets_is_seen(small: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A remembered page that names the repository is made anew for another."""
    place = "https://github.com/someone/something"
    small.write("mkdocs.yml", CONFIG.replace(place, f'!ENV [PLACE, "{place}"]'))
    for name in ("someone/something", "else/where"):
        assert small.build().returncode == 0
        assert f"github/{name}/blob" in small.read("site/tutorials/tiny/index.html")
        monkeypatch.setenv("PLACE", "https://github.com/else/where")


def kept(site: Site) -> dict[str, int]:
    """Return when each remembered page was written; a page that is rendered is written anew."""
    folder = site.root / ".cache" / "tutorials" / "site" / "pages"
    pages = folder.rglob("*.json")
    return {page.relative_to(folder).as_posix(): page.stat().st_mtime_ns for page in pages}


@pytest.mark.slow
def test_a_page_follows_all_that_it_shows(small: Site) -> None:
    """A snippet, a gallery without blanks, an inherited setting, a second package's page."""
    config = CONFIG.replace("nav: [", "nav: [other.md, ").replace(
        "  - pymdownx.superfences", "  - pymdownx.snippets: {base_path: [inc]}"
    )
    small.write("base.yml", config)
    small.write("mkdocs.yml", "INHERIT: base.yml\n")
    small.write("inc/part.md", "It is {{ tiny#accuracy }}.\n")
    small.write("docs/chapter.md", '# The chapter\n\n## A line\n\n--8<-- "part.md"\n')
    small.write("docs/tutorials/index.md", "# Tutorials\n\n{{tutorials}}\n")
    small.write("docs/other.md", "# Other\n\n::: other.Thing\n")
    small.write("other/__init__.py", 'class Thing:\n    """What it was."""\n')
    assert small.build("--strict").returncode == 0
    rendered = kept(small)

    def anew(*arguments: str) -> set[str]:
        """Build, and return the names of the pages that were rendered."""
        done = small.build(*arguments)
        assert done.returncode == 0, done.stderr
        before = dict(rendered)
        rendered.update(kept(small))
        return {name for name, time in rendered.items() if time != before.get(name)}

    assert anew("--strict") == set()
    small.write("inc/part.md", "It was {{ tiny#accuracy }}.\n")
    assert anew("--strict") == {"chapter.md.json"}
    assert "It was" in small.read("site/chapter/index.html")
    small.write("tutorials/tiny.py", TINY.replace("0.97251", "0.5").replace("*one*", "a"))
    assert anew() == {"chapter.md.json", "tutorials/index.md.json", "tutorials/tiny.py.json"}
    assert ">0.5</a>" in small.read("site/chapter/index.html")
    assert "It draws a line" in small.read("site/tutorials/index.html")
    small.write("other/__init__.py", 'class Thing:\n    """What it is."""\n')
    assert anew("--strict") == {"other.md.json"}
    assert "What it is." in small.read("site/other/index.html")
    small.write("base.yml", config.replace("permalink: true", "permalink: link"))
    assert len(anew("--strict")) > 5
    assert "link</a></h1>" in small.read("site/chapter/index.html")


@pytest.mark.slow
def test_the_inventory_lists_remembered_pages(small: Site) -> None:
    """Other sites link to labkit through `objects.inv`, whichever pages were rendered anew."""
    before = (small.root / "site" / "objects.inv").read_bytes()
    names = Inventory.parse_sphinx(io.BytesIO(before))
    assert names["labkit.layers.Dense"].uri == "api/#labkit.layers.Dense"
    assert small.build().returncode == 0
    assert (small.root / "site" / "objects.inv").read_bytes() == before


@pytest.mark.slow
def test_a_wrong_name_stops_the_build_with_its_line(small: Site) -> None:
    """All of a page's errors are listed, in order, formulas included."""
    small.write("docs/chapter.md", CHAPTER + "\n{{ figure tiny#x }}\n\nA {{ tiny#y }} $\\z$\n")
    said = small.refused()
    lines = [line for line in said.splitlines() if "docs/chapter.md:" in line]
    assert len(lines) == 3, said
    assert "docs/chapter.md:18: the tutorial 'tiny' has no cell labeled 'x'" in lines[0]
    assert "docs/chapter.md:20: " in lines[1]
    assert "docs/chapter.md:20: " in lines[2]


@pytest.mark.slow
def test_a_page_at_a_tutorials_address_stops_the_build(small: Site) -> None:
    """Neither replaces the other; the message names both."""
    small.write("docs/tutorials/tiny.md", "# My own page\n")
    said = small.refused()
    assert "tutorials/tiny.md in " in said
    assert " and tutorials/tiny.py would both be the page tutorials/tiny/" in said


@pytest.mark.slow
def test_stray_files(small: Site) -> None:
    """An editor's locks are no modules; a page that is not UTF-8 is named with its line."""
    (small.root / "labkit" / ".#layers.py").symlink_to("me@host.123:456")
    (small.root / "tutorials" / ".#tiny.py").symlink_to("me@host.123:456")
    (small.root / "tutorials" / "._tiny.py").write_bytes(b"\0\5\26\7\377")
    assert small.build("--strict").returncode == 0
    (small.root / "docs" / "old.html").write_bytes(b"<html>\ncaf\xe9</html>")
    done = small.build()
    assert done.returncode != 0
    assert "docs/old.html: line 2: expected UTF-8" in done.stderr
    (small.root / "docs" / "chapter.md").write_bytes(b"# A\n\ncaf\xe9\n")
    done = small.build()
    assert "chapter.md: line 3: expected UTF-8, found the byte 0xe9" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_front_matter_that_cannot_be_read_stops_the_build(small: Site) -> None:
    """MkDocs would show it as text; a description with a colon needs quotes."""
    small.write("docs/chapter.md", "---\ntitle: A\ndescription: B: c\n---\n\n# A\n")
    said = small.refused()
    assert "docs/chapter.md:3: the front matter cannot be read: mapping values" in said


@pytest.mark.slow
def test_an_extensions_error_names_the_page(small: Site) -> None:
    """Whatever it raises; and a snippet that is missing is an error, not a gap."""
    small.write("docs/chapter.md", '# A\n\n--8<-- "missing.md"\n')
    small.write("mkdocs.yml", CONFIG + "  - pymdownx.snippets\n")
    said = small.refused()
    assert "docs/chapter.md: SnippetMissingError: " in said


@pytest.mark.slow
def test_a_figure_without_text_stops_the_build(small: Site) -> None:
    """The message names the tutorial's own line."""
    small.write("tutorials/tiny.py", TINY.replace(' alt="A line that rises."', ""))
    said = small.refused()
    line = TINY[: TINY.index("accuracy = ")].count("\n") + 1
    assert f"tutorials/tiny.py:{line}: this cell draws a figure" in said


@pytest.mark.slow
def test_a_tutorial_that_fails_stops_the_build(small: Site) -> None:
    """The message names file and line."""
    small.write("tutorials/tiny.py", TINY.replace("== 42", "== 43"))
    done = small.build()
    assert done.returncode != 0
    line = TINY[: TINY.index("assert 6 * 7")].count("\n") + 1
    assert f"tutorials/tiny.py:{line}: " in done.stderr


@pytest.mark.slow
def test_a_dead_link_in_a_tutorial_fails_a_strict_build(small: Site) -> None:
    """Links in tutorials are checked as those in chapters are."""
    small.write("tutorials/tiny.py", TINY.replace("../chapter.md", "../chpter.md"))
    said = small.refused("--strict")
    assert "'tutorials/tiny.py' contains a link '../chpter.md'" in said


@pytest.fixture
def serve(
    small: Site,
) -> Iterator[tuple[Site, subprocess.Popen[bytes], Callable[[str], str]]]:
    """Serve the small site on a fresh clone; yield it, the process, and a page's reader."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    shutil.rmtree(small.root / ".cache")
    with (small.root / "log").open("wb") as log:
        process = subprocess.Popen(
            small.command("serve", "--dev-addr", address),
            cwd=small.root,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def read(path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://{address}/{path}") as answer:
                return str(answer.read().decode())
        except urllib.error.URLError:
            return ""

    try:
        yield small, process, read
    finally:
        process.kill()
        process.wait()


def build(page: str) -> str:
    """Return the number of the build that a served page comes from, if it says so."""
    found = re.search(r"livereload\((\d+)", page)
    return found[1] if found else ""


def stays(value: Callable[[], str]) -> bool:
    """Return whether a value is there and still the same after two seconds."""
    before = value()
    time.sleep(2)
    return before == value() != ""


@pytest.mark.slow
def test_serve(
    serve: tuple[Site, subprocess.Popen[bytes], Callable[[str], str]],
    wait_for: Callable[..., None],
    is_alive: Callable[[int], bool],
) -> None:
    """Pages come first and results follow; edits show; nothing outlives Ctrl-C."""
    small, process, read = serve
    waits = "import time; time.sleep(2)\n"
    small.write("tutorials/slow.py", f"# %%\n{waits}print('slept')\n")
    sources = small.sources()

    page = "tutorials/slow/"
    wait_for(lambda: "This tutorial is running" in read(page), "the first page")
    assert "livereload(" in read(page)
    assert "This page is being written" in read("api/")
    assert "WARNING -" not in small.read("log")
    wait_for(lambda: "slept</pre>" in read(page), "the first result")
    wait_for(lambda: "97.3%" in read("chapter/"), "the chapter's value")
    assert {line[:11] for line in small.read("log").splitlines()} == {"INFO    -  "}
    assert "A dense layer" in read("api/")
    assert 'href="../../api/#labkit.layers.Dense"' in read("tutorials/tiny/")
    assert small.sources() == sources
    wait_for(lambda: stays(lambda: build(read(page))), "the last of the first builds")
    last = build(read(page))
    py_compile.compile(str(small.root / "labkit/layers.py"))
    time.sleep(2)  # neither bytecode nor what the tutorials left makes the server build again
    assert build(read(page)) == last

    small.write("tutorials/tiny.py", TINY.replace("*one* line", "*one* curve"))
    wait_for(lambda: "<em>one</em> curve" in read("tutorials/tiny/"), "the edited prose")
    assert "This tutorial is running" not in read("tutorials/tiny/")

    small.write("tutorials/slow.py", f"# %%\n{waits}print('slept well')\n")
    wait_for(lambda: "slept well</pre>" in read(page), "the edited code's result")

    small.write("tutorials/slow.py", "# %%\n1 / 0\n")
    wait_for(lambda: "This tutorial failed" in read(page), "the failure")
    assert "tutorials/slow.py:2: " in read(page)
    assert re.search("ERROR +- .*tutorials/slow.py:2: ", small.read("log"))

    small.write("tutorials/slow.py", "# %%\nimport time\ntime.sleep(600)\n")
    wait_for(lambda: kernels(process.pid), "a kernel")
    running = kernels(process.pid)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    wait_for(lambda: not any(map(is_alive, running)), "the kernels to end")


@pytest.mark.slow
def test_serve_shows_errors_and_goes_on(
    serve: tuple[Site, subprocess.Popen[bytes], Callable[[str], str]],
    wait_for: Callable[..., None],
) -> None:
    """A page's own error stands in that page, any other in all; both go when mended."""
    small, _, read = serve
    wait_for(lambda: "97.3%" in read("chapter/"), "the chapter's value")
    small.write("docs/chapter.md", CHAPTER + "\n{{ figure tiny#x }}\n")
    wait_for(lambda: "This page could not be made" in read("chapter/"), "the page's error")
    assert "docs/chapter.md:18: the tutorial 'tiny' has no cell" in read("chapter/")
    assert "<em>one</em> line" in read("tutorials/tiny/")
    small.write("docs/tutorials/tiny.md", "# My own page\n")
    wait_for(lambda: "The site could not be built" in read("tutorials/"), "the build's error")
    (small.root / "docs/tutorials/tiny.md").unlink()
    small.write("docs/chapter.md", CHAPTER)
    wait_for(lambda: "97.3%" in read("chapter/"), "the mended page")


def kernels(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    return [child.pid for child in psutil.Process(parent).children(recursive=True)]
