"""An author's marks in a browser: how they look and read, questions that answer, previews."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .helpers import tool

pytestmark = pytest.mark.slow
CHAPTER = "part/first/"
PAGES = ["", CHAPTER, "part/second/", "glossary/", "place/"]
MAP_SIZES = """() => [...document.querySelectorAll(".lab-map-box")].map(link =>
    parseFloat(getComputedStyle(link).fontSize) * link.parentElement.getScreenCTM().a)"""


@pytest.fixture(scope="module")
def server(marked_server: str) -> str:
    """Let `page` open the small book."""
    return marked_server


@pytest.fixture
def quiz(page: Page) -> Locator:
    """Open the chapter; return its questions."""
    page.goto(CHAPTER)
    return page.locator(".lab-quiz.lab-live")


@pytest.fixture
def scriptless(browser: Browser, server: str) -> Iterator[Page]:
    """Open the chapter with scripts off."""
    context = browser.new_context(java_script_enabled=False, base_url=server)
    page = context.new_page()
    page.goto(CHAPTER)
    yield page
    context.close()


def link(page: Page, name: str) -> Locator:
    """Return a link of the chapter's first sentences."""
    return page.locator("article > p").get_by_role("link", name=name, exact=True)


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_marks_shut_nobody_out(page: Page) -> None:
    """Axe finds nothing, nothing sticks out, also with answers, ticks and a preview open."""
    axe = tool("axe-core/axe.min.js").read_text("utf-8")
    for width in [390, 1280]:
        page.set_viewport_size({"width": width, "height": 900})
        for address in PAGES:
            page.goto(address)
            if address == CHAPTER:
                page.get_by_text("exclusive or").click()
                page.get_by_role("button", name="Mark as").click()
                link(page, "Figure 1.1").focus()
                page.keyboard.press("Shift+Tab")
                page.keyboard.press("Tab")
                expect(page.locator(".lab-preview")).to_be_visible()
            page.evaluate(axe)
            report = page.evaluate(
                "axe.run(document, {resultTypes: ['violations']})"
                ".then(({violations}) => ({violations}))"
            )
            found = [(rule["id"], rule["nodes"][0]["target"]) for rule in report["violations"]]
            assert not found, (address, width)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address


def test_a_chapter_is_called_by_its_heading(page: Page) -> None:
    """Where the front matter gives no title, the map has that of the text, not the file's name."""
    page.goto("")
    expect(page.locator(".lab-map-box[href*='part/other']")).to_contain_text("Another chapter")


def test_the_map_can_be_read_and_walked(page: Page) -> None:
    """On a phone its words have 9 pixels or more; Tab reaches a chapter, Enter opens it."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("")
    sizes = page.evaluate(MAP_SIZES)
    assert len(sizes) == 3
    assert min(sizes) >= 9
    page.locator(".lab-map-box").first.focus()
    page.keyboard.press("Tab")
    expect(page.locator(".lab-map-box").nth(1)).to_be_focused()
    outline = "getComputedStyle(document.activeElement).outlineWidth"
    assert page.evaluate(outline) == "2px"
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("The second chapter")


def test_questions_are_folded_answers_without_javascript(scriptless: Page) -> None:
    """Nothing asks for input; each option and each answer opens by itself."""
    assert scriptless.locator(".lab-quiz :is(button, input)").count() == 0
    reason = scriptless.get_by_text("No line has the two ones on one side.")
    expect(reason).to_be_hidden()
    scriptless.get_by_text("exclusive or").click()
    expect(reason).to_be_visible()
    expect(scriptless.get_by_text("Count them.")).to_be_hidden()
    scriptless.get_by_text("Answer", exact=True).first.click()
    expect(scriptless.get_by_text("Count them.")).to_be_visible()


@pytest.mark.parametrize(("option", "verdict"), [("and", "Right."), ("exclusive or", "No.")])
def test_a_choice_is_judged_at_once(quiz: Locator, option: str, verdict: str) -> None:
    """By keyboard, too: the verdict is read out, and every option gives its reason."""
    choice = quiz.nth(0)
    summary = choice.locator("summary", has_text=option)
    summary.focus()
    summary.press("Enter")
    expect(choice.get_by_role("status")).to_contain_text(verdict)
    for reason in ["A line parts", "No line has", "It is no line"]:
        expect(choice.get_by_text(reason)).to_be_visible()
    expect(summary).to_be_focused()
    expect(choice.locator(".lab-chosen")).to_have_count(1)
    summary.press("Enter")  # now it folds this reason alone
    expect(choice.locator("details[open]")).to_have_count(2)


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ("1234", "Right."),
        ("1,234", "Right."),
        ("1 234", "Right."),
        ("1234,4", "Right."),
        ("1233.5", "Right."),
        ("1235", "No."),
        ("−1234", "No."),
        ("many", "Write a number"),
        ("", "Write a number"),
    ],
)
def test_a_number_is_judged_within_its_tolerance(quiz: Locator, given: str, verdict: str) -> None:
    """However people write it; what is right opens the reason, what is no number is asked again."""
    number = quiz.nth(1)
    number.get_by_label("Your answer").fill(given)
    number.get_by_label("Your answer").press("Enter")
    expect(number.get_by_role("status")).to_contain_text(verdict)
    expect(number.get_by_text("Count them.")).to_be_visible(visible=verdict == "Right.")


def test_steps_are_ordered_by_keyboard(quiz: Locator) -> None:
    """Buttons move a step and keep the focus; a wrong order may be tried again."""
    order = quiz.nth(2)
    status, check = order.get_by_role("status"), order.get_by_role("button", name="Check")
    check.press("Enter")
    expect(status).to_have_text("No. 0 of 4 steps are where they belong. Try again.")
    up = order.get_by_role("button", name="Move up: forward")
    up.press("Enter")
    expect(up).to_be_focused()
    expect(status).to_have_text("“forward” is now step 2 of 4.")
    up.press("Enter")
    up.press("Enter")  # it is the first already
    expect(up).to_have_attribute("aria-disabled", "true")
    order.get_by_role("button", name="Move down: step").press("Enter")
    check.press("Enter")
    expect(status).to_have_text("Right.")
    expect(order.get_by_text("Each needs what")).to_be_visible()


PREVIEWS = [
    ("overfits", "It repeats."),
    ("Glorot and Bengio (2010)", "On training deep networks"),
    ("Figure 1.1", "It rises."),
    ("Table 1.1", "Table 1.1"),
    ("Exercise 1.1", "Find weights for a majority"),
    ("(1.1)", "(1.1)"),
]


@pytest.mark.parametrize(("name", "text"), PREVIEWS)
def test_a_reference_shows_its_target(page: Page, name: str, text: str) -> None:
    """On hover and on focus, with nothing in it to click or to focus, and no id twice."""
    page.goto(CHAPTER)
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url))
    preview = page.locator(".lab-preview")
    link(page, name).hover()
    expect(preview).to_contain_text(text)
    assert preview.locator("a, button, input, [id], [tabindex]").count() == 0
    page.mouse.move(0, 0)
    expect(preview).to_have_count(0)
    page.keyboard.press("Tab")  # what a script focuses after a key counts as the keyboard's
    link(page, name).focus()
    expect(preview).to_contain_text(text)
    expect(link(page, name)).to_have_attribute("aria-describedby", "lab-preview")
    page.keyboard.press("Tab")
    expect(preview.get_by_text(text)).to_have_count(0)
    assert not [url for url in asked if not url.endswith(".svg")]


def test_a_preview_can_be_dismissed_and_hovered(page: Page) -> None:
    """Escape closes it where the mouse is; the mouse may move onto it, and it stays (WCAG)."""
    page.goto(CHAPTER)
    preview = page.locator(".lab-preview")
    link(page, "Exercise 1.1").hover()
    expect(preview).to_be_visible()
    page.keyboard.press("Escape")
    expect(preview).to_have_count(0)
    page.mouse.move(0, 0)
    link(page, "Exercise 1.1").hover()
    preview.hover()
    page.wait_for_timeout(800)
    expect(preview).to_be_visible()
    page.mouse.move(0, 0)
    expect(preview).to_have_count(0)


def test_a_preview_stays_on_the_screen(page: Page) -> None:
    """At the lower edge it stands above its link, and at the right one it moves left."""
    page.set_viewport_size({"width": 390, "height": 500})
    page.goto(CHAPTER)
    for name in ["Table 1.1", "Glorot and Bengio (2010)"]:
        place = "link => scrollBy(0, link.getBoundingClientRect().bottom - innerHeight + 4)"
        link(page, name).evaluate(place)
        link(page, name).hover()
        box = page.locator(".lab-preview").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["y"] + box["height"] <= 500


def test_a_finger_follows_the_link(browser: Browser, server: str) -> None:
    """A tap on a reference shows no preview but goes there."""
    context = browser.new_context(has_touch=True, is_mobile=True, base_url=server)
    page = context.new_page()
    page.goto(CHAPTER)
    link(page, "Exercise 1.1").tap()
    page.wait_for_url("**#exercise-majority")
    page.wait_for_timeout(400)
    assert page.locator(".lab-preview").count() == 0
    context.close()


def test_what_stands_on_another_page_is_no_preview(page: Page) -> None:
    """A link to another chapter's exercise is a link."""
    page.goto(CHAPTER)
    link(page, "Exercise 2.1").hover()
    page.wait_for_timeout(400)
    assert page.locator(".lab-preview").count() == 0


def test_marks_work_where_links_change_the_page_in_place(page: Page) -> None:
    """Questions answer and previews show on a page that came without a load, and came twice."""
    page.goto("")
    page.evaluate("window.stayed = true")
    for _ in range(2):
        page.locator(".lab-map-box").first.click()
        page.locator("h1", has_text="The first chapter").wait_for()
        page.get_by_text("exclusive or").click()
        expect(page.locator(".lab-quiz").first.get_by_role("status")).to_contain_text("No.")
        assert page.locator(".lab-quiz").nth(2).get_by_role("button").count() == 9
        link(page, "overfits").hover()
        expect(page.locator(".lab-preview")).to_have_text("It repeats.")
        page.locator(".md-tabs__link", has_text="Home").click()
        page.locator("h1", has_text="Home").wait_for()
    assert page.evaluate("window.stayed")


def test_marks_work_from_a_folder(browser: Browser, marked_folder: str) -> None:
    """From file://, questions answer and previews show."""
    page = browser.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{marked_folder}part/first.html")
    page.get_by_text("exclusive or").click()
    expect(page.locator(".lab-quiz").first.get_by_role("status")).to_contain_text("No.")
    link(page, "overfits").hover()
    expect(page.locator(".lab-preview")).to_have_text("It repeats.")
    page.close()
    assert not faults


def test_marks_print(page: Page) -> None:
    """Paper has every answer, and nothing to press."""
    page.goto(CHAPTER)
    page.get_by_role("button", name="Mark as read").wait_for()
    page.emulate_media(media="print")
    for text in ["No line has", "Count them.", "Each needs what", "6 * 7", "On training"]:
        box = page.locator("article").get_by_text(text).first.bounding_box()
        assert box is not None
        assert box["height"] > 5
    pressed = page.locator("article :is(button, input, .lab-read)").all()
    assert len(pressed) > 10
    assert not [element for element in pressed if element.is_visible()]
