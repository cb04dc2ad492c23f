"""Figures on a phone: their text can be read, and who moves a control sees the picture."""

import io
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure
from playwright.sync_api import Browser, Page

from labkit import plot

PHONE = {"width": 390, "height": 844}
SMALLEST = 9.0  # CSS pixels
# matplotlib writes letters as outlines of a font 100 units high, in groups named text_1, text_2 …
SIZES = """() => [...document.querySelectorAll("svg text, svg g[id^=text_] use")].map(letter => {
    const { a, b } = letter.getScreenCTM();
    const size = letter.tagName === "text" ? parseFloat(getComputedStyle(letter).fontSize) : 100;
    return size * Math.hypot(a, b);
})"""
DRAWINGS = """() => [...document.querySelectorAll(".lab-figure img[src$='.svg']")]
    .map(image => [image.src, image.getBoundingClientRect().width])
    .filter(([, width]) => width > 0)"""


@pytest.fixture
def phone(browser: Browser) -> Page:
    """Open a page as wide as a phone's."""
    return browser.new_page(viewport=PHONE)


def letters(page: Page, svg: str, width: float) -> list[float]:
    """Return the size in CSS pixels of each letter of a drawing that is shown `width` wide."""
    page.set_content(f'<div style="width: {width}px">{svg[svg.index("<svg") :]}</div>')
    page.add_style_tag(content="svg { width: 100%; height: auto }")
    return page.evaluate(SIZES)


def drawing(size: float) -> str:
    """Draw 5 inches with text along both axes, of one size in points, and an exponent."""
    with mpl.rc_context():
        plot.set_theme()
        figure = Figure()
        figure.text(0.1, 0.5, "across", size=size)
        figure.text(0.5, 0.1, "upwards", size=size, rotation=90)
        figure.text(0.5, 0.5, "$10^{-3}$", size=size)
        file = io.StringIO()
        figure.savefig(file, format="svg")
    return file.getvalue()


def test_letters_are_measured(phone: Page) -> None:
    """12 points are 16 pixels at full size and 8 at half; exponents are smaller, and counted."""
    for width, size in [(480, 16), (240, 8)]:
        sizes = letters(phone, drawing(12), width)
        assert len(sizes) == len("acrossupwards10−3")
        assert max(sizes) == pytest.approx(size, rel=0.01)
        assert min(sizes) == pytest.approx(0.7 * size, rel=0.01)
    plain = '<svg viewBox="0 0 200 50"><text y="40" font-size="20">plain</text></svg>'
    assert letters(phone, plain, 100) == pytest.approx([10])


def test_text_in_figures_can_be_read_on_a_phone(phone: Page, site: Path, server: str) -> None:
    """No letter of any page's figures is below 9 CSS pixels where the page is 390 wide."""
    shown: dict[str, float] = {}
    for path in site.rglob("*.html"):
        if "lab-figure" in path.read_text("utf-8"):
            phone.goto(server + path.relative_to(site).as_posix())
            for source, width in phone.evaluate(DRAWINGS):
                name = source.removeprefix(server)
                shown[name] = min(width, shown.get(name, width))
    phone.goto("about:blank")  # the policy of the site's pages allows no style for measuring
    small, texts = [], 0
    for name, width in shown.items():
        if sizes := letters(phone, (site / name).read_text("utf-8"), width):
            texts += 1
            if min(sizes) < SMALLEST:
                small.append(f"{name}: {min(sizes):.1f} px, shown {width:.0f} px wide")
    assert len(shown) > 40
    assert texts > 35
    assert not small, "Draw narrower (5 inches at most) or write larger:\n" + "\n".join(small)


INTERACTIVE = {
    "foundations/neurons/": ["lab-neuron?w1=-1.25&f=tanh"],
    "foundations/layers/": ["lab-layers?data=XOR&run=20x0.1"],
    "foundations/loss/": ["lab-loss?loss=Huber&run=30x0.02x0.5"],
    "foundations/gradients/": ["lab-gradients?w=-1.25&explain=z"],
    "foundations/optimizers/": ["lab-descent?surface=Rosenbrock&steps=50"],
    "foundations/generalization/": ["lab-fit?degree=9"],
    "data/correlation/": ["lab-correlation?shape=curved"],
    "data/tools/": ["lab-shapes?a=3&b=3x1"],
    "keras/vgg-resnet/": ["lab-blocks?block=inception&channels=128"],
    "architectures/cnn/": ["lab-convolution?kernel=blur", "lab-digit?sheet=2"],
}
LINKS = [f"{page}#{link}" for page, links in INTERACTIVE.items() for link in links]
# How far the figure's first row of controls ends below the window's top, and the picture begins.
READY = """async element => {
    const pause = (time) => new Promise(done => setTimeout(done, time));
    while (!element.state) await pause(20);
    for (let top, before; before === undefined || top !== before; await pause(300)) {
        [before, top] = [top, element.getBoundingClientRect().top]; // until the page is at rest
    }
}"""
# The page's address, as soon as it holds a part, or after two seconds.
ADDRESS = """async part => {
    for (let turn = 0; turn < 100 && !location.hash.includes(part); turn++) {
        await new Promise(done => setTimeout(done, 20));
    }
    return location.hash;
}"""
SEEN = """element => [".views", ".row", ".sliders"].map(name => {
    const box = element.shadowRoot.querySelector(name)?.getBoundingClientRect();
    return box && (name === ".views" ? box.top : box.bottom);
})"""


@pytest.mark.slow
@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
@pytest.mark.parametrize("link", LINKS)
def test_a_link_shows_a_figure_and_its_controls_on_one_screen(page: Page, link: str) -> None:
    """A phone that opens a link shows the picture and the controls, below the site's header."""
    page.set_viewport_size(PHONE)
    page.goto(link)
    figure = page.locator(link.partition("#")[2].partition("?")[0]).first
    figure.evaluate(READY)  # not wait_for_function, which the site's policy forbids
    top, *bottoms = figure.evaluate(SEEN)
    assert top > 48  # the header
    assert max(bottom for bottom in bottoms if bottom) < PHONE["height"]
    assert figure.get_by_role("alert").is_hidden()
    figure.get_by_role("button", name="Copy link").click()
    for part in link.partition("?")[2].split("&"):
        assert part in page.evaluate(ADDRESS, part)


def test_a_link_works_from_a_folder(browser: Browser, site: Path) -> None:
    """Opened from file://, a link shows the figure's state, and a change stands in the address."""
    faults: list[str] = []
    page = browser.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{(site / 'foundations/neurons/index.html').as_uri()}#lab-neuron?b=2&f=relu")
    figure = page.locator("lab-neuron")
    assert figure.evaluate("element => [element.state.b, element.state.activation]") == [2, "relu"]
    figure.get_by_label("input x₁").press("ArrowRight")
    page.wait_for_function("location.hash.includes('x1=1.05')")
    page.close()
    # The search has its index as a script in the offline zip alone.
    assert not [fault for fault in faults if "search_index" not in fault]
