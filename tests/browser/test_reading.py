"""What readers do on a page: tab through it, search, print, enlarge, read it from a folder."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from .helpers import CHAPTER, TUTORIAL, settle

pytestmark = pytest.mark.slow
both_schemes = pytest.mark.parametrize("page", ["light", "dark"], indirect=True)


def test_keyboard_reaches_and_leaves_everything(page: Page) -> None:
    """Tab goes through a chapter, each stop shows its focus, the first is the skip link."""
    page.goto(CHAPTER)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.md-skip')")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") != ""
    seen: list[str] = []
    hidden: list[str] = []
    for _ in range(400):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            """() => {
                let at = document.activeElement;
                while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
                if (at === document.body) return null;
                const style = getComputedStyle(at);
                const own = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
                const marked = at.matches("svg g, .md-search__input") || style.boxShadow !== "none";
                return [at.outerHTML.slice(0, 80), own || marked];
            }"""
        )
        if stop is None:
            break
        seen.append(stop[0])
        if not stop[1]:
            hidden.append(stop[0])
    else:
        pytest.fail(f"Tab never left the page; last stops: {seen[-3:]}")
    assert len(seen) > 20
    assert not hidden


def test_page_reads_without_javascript(browser: Browser, server: str) -> None:
    """With scripts off, a chapter shows its text, figures, formulas and fallback numbers."""
    context = browser.new_context(java_script_enabled=False, base_url=server)
    page = context.new_page()
    page.goto(CHAPTER)
    assert page.locator("article math").count() > 2
    assert page.locator("article figure img").first.is_visible()
    fallback = page.locator("lab-neuron").first
    assert fallback.is_visible()
    assert any(letter.isdigit() for letter in fallback.inner_text())
    context.close()


@pytest.mark.parametrize(
    ("query", "address"),
    [
        ("Spearman", "data/correlation/"),
        ("vanishing gradient", "foundations/layers/"),
        ("Conv2D", "reference/layers/"),
        ("overfitting", "foundations/generalization/"),
        ("backpropagation", "foundations/gradients/"),
        ("momentum", "foundations/optimizers/"),
    ],
)
def test_search_finds_the_right_page_first(
    page: Page, server: str, query: str, address: str
) -> None:
    """The search box puts the page that explains a term first."""
    page.goto("")
    page.locator(".md-search__input").fill(query)
    first = page.locator(".md-search-result__link").first
    first.wait_for()
    assert str(first.get_attribute("href")).removeprefix(server).startswith(address)


def test_missing_page_offers_the_search(browser: Browser, server: str) -> None:
    """An address that does not exist shows the site's own page, with a search box."""
    page = browser.new_page()
    answer = page.goto(f"{server}no/such/page/")
    assert answer is not None
    assert answer.status == 404
    assert page.locator(".md-search__input").count() == 1
    assert page.locator("article h1").is_visible()
    page.close()


@both_schemes
def test_chapter_prints(page: Page, tmp_path: Path) -> None:
    """On white paper, without the site's frame, with light figures and every solution."""
    page.goto(CHAPTER)
    settle(page)
    page.emulate_media(media="print")
    for frame in [".md-header", ".md-tabs", ".md-sidebar", ".md-footer"]:
        parts = page.locator(frame).all()
        assert parts, frame
        assert not [part for part in parts if part.is_visible()], frame
    paper = page.evaluate(
        "() => { const style = getComputedStyle(document.body);"
        " return [style.colorScheme, style.backgroundColor]; }"
    )
    assert paper == ["light", "rgb(255, 255, 255)"]
    for solution in page.locator("details > .lab-code").all():
        box = solution.bounding_box()
        assert box is not None
        assert box["height"] > 50
    assert page.locator("details > .lab-code").count() > 2
    content = page.pdf(path=tmp_path / "chapter.pdf", format="A4")
    figures = page.evaluate(
        "[...document.querySelectorAll('article img')].filter(i => i.checkVisibility())"
        ".map(i => [i.className, i.complete && i.naturalWidth > 0])"
    )
    assert len(figures) > 4
    assert {tuple(figure) for figure in figures} == {("lab-drawing lab-light", True)}
    assert content.startswith(b"%PDF")
    words = page.locator("article").inner_text().split()
    # Beside its figures; a book that leaves half of its pages empty has less.
    assert len(words) / content.count(b"/Type /Page\n") > 200


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make the zip of the offline site and unpack it."""
    folder = tmp_path_factory.mktemp("offline")
    archive = folder / "book.zip"
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "labkit.site", "zip", str(archive)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.unpack_archive(archive, folder)
    yield folder / "book"
    shutil.rmtree(folder)


def test_offline_site_works_from_a_folder(browser: Browser, offline: Path) -> None:
    """From file://, pages, figures, the interactive figures and the search all work."""
    faults: list[str] = []
    page = browser.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request",
        lambda sent: (
            None
            if sent.url.startswith((offline.as_uri(), "data:", "blob:"))
            else faults.append(sent.url)
        ),
    )
    page.goto((offline / "index.html").as_uri())
    page.get_by_role("link", name="A single neuron").first.click()
    page.locator("lab-neuron").first.wait_for()
    assert page.locator("lab-neuron").first.evaluate("element => element.state.z") is not None
    page.locator(".md-search__input").press_sequentially("Spearman", delay=50)
    page.locator(".md-search-result__link").first.wait_for()
    page.close()
    assert not faults


def test_site_works_under_a_sub_path(browser: Browser, below: str) -> None:
    """Below a host's root, as on GitHub Pages, every link and file is still found."""
    page = browser.new_page()
    missing: list[str] = []
    page.on("response", lambda got: missing.append(got.url) if got.status >= 400 else None)
    page.goto(below)
    page.get_by_role("link", name="A single neuron").first.click()
    settle(page)
    page.close()
    assert not missing


@both_schemes
def test_drawings_have_the_colors_of_the_page(page: Page) -> None:
    """Each is light or dark as its page, no twin is fetched in vain, and paper has light ones."""
    fetched: list[str] = []
    page.on("request", lambda sent: fetched.append(sent.url.rpartition("/")[2]))
    page.goto(TUTORIAL)
    settle(page)
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    drawn = [name for name in fetched if name.endswith(".svg") and name != "favicon.svg"]
    assert len(drawn) > 4
    assert len(set(drawn)) == len(drawn)
    assert {name.endswith(".dark.svg") for name in drawn} == {dark}

    def shown() -> set[str | None]:
        images = page.locator("img.lab-drawing")
        return {image.get_attribute("class") for image in images.all() if image.is_visible()}

    light = {"lab-drawing lab-light"}
    page.emulate_media(media="print")
    assert shown() == light
    page.emulate_media(media="screen")
    page.locator("label[for=__palette_1]").click()
    assert shown() == light
    page.locator("label[for=__palette_2]").click()
    assert shown() == {"lab-drawing lab-dark"}


def test_a_drawing_opens_large(page: Page) -> None:
    """By click and by keyboard; Escape, the button and a click close it, the focus returns."""
    for width in [390, 1280]:
        page.set_viewport_size({"width": width, "height": 844})
        page.goto(CHAPTER)
        link = page.locator(".lab-large").nth(1)
        link.scroll_into_view_if_needed()
        small = link.locator("img:visible").bounding_box()
        dialog = page.get_by_role("dialog", name="Figure, enlarged")
        for close in ["Escape", "Enter", "click"]:
            link.focus()
            page.keyboard.press("Enter")
            image = dialog.locator("img:visible")
            large = image.bounding_box()
            assert small is not None
            assert large is not None
            assert large["width"] >= min(small["width"], width - 60)
            assert large["height"] > small["height"]
            if close == "click":
                image.click()
            else:
                page.keyboard.press(close)
            dialog.wait_for(state="detached")
            assert page.evaluate("document.activeElement.matches('.lab-large')")


def test_code_has_its_colors_without_scripts(browser: Browser, server: str, site: Path) -> None:
    """Keywords, strings and comments differ from names; each cell is in the script as it stands."""
    context = browser.new_context(java_script_enabled=False, base_url=server)
    page = context.new_page()
    page.goto(TUTORIAL)
    script = (site / TUTORIAL / "neurons.py").read_text("utf-8")
    code = page.locator(".lab-cell > pre > code")
    cells = code.all_text_contents()
    assert len(cells) > 10
    assert not [cell for cell in cells if cell not in script]
    marks = [code.first, *(code.locator(kind).first for kind in [".k", ".s", ".c"])]
    colors = {mark.evaluate("mark => getComputedStyle(mark).color") for mark in marks}
    assert len(colors) == len(marks)
    context.close()


def test_the_phones_menu_has_the_contents(page: Page) -> None:
    """What stands beside the text on a desk stands in the menu on a phone."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(TUTORIAL)
    page.locator("label[for=__drawer].md-icon").click()
    page.locator(".md-nav--primary label.md-nav__link[for=__toc]").click()
    link = page.locator(".md-nav--primary .md-nav--secondary a").last
    link.wait_for(state="visible")
    link.click()
    assert page.evaluate("location.hash").startswith("#")
    heading = page.locator(f"{page.evaluate('location.hash')} > .headerlink")
    assert heading.count() == 1


def test_the_references_source_has_each_number_at_its_line(page: Page) -> None:
    """Opened, the source of a function stands beside its own line numbers."""
    page.goto("reference/losses/")
    page.locator("details.mkdocstrings-source summary").first.click()
    numbers, tokens = page.evaluate(
        """() => {
            const source = document.querySelector("details.mkdocstrings-source");
            const ends = (selector) => {
                const all = [...source.querySelectorAll(selector)];
                return [all.at(0), all.at(-1)].map(node => node.getBoundingClientRect().bottom);
            };
            return [ends(".linenodiv .normal"), ends("td.code code > span:not(.w)")];
        }"""
    )
    assert numbers[1] - numbers[0] > 100
    assert numbers == pytest.approx(tokens, abs=2)
