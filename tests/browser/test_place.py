"""A reader's own place: kept in the browser, shown, taken along, erased, and never sent."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.slow
CHAPTER = "part/first/"
READ = "part/first"


@pytest.fixture(scope="module")
def server(marked_server: str) -> str:
    """Let `page` open the small book."""
    return marked_server


def kept(page: Page) -> dict[str, dict[str, object]]:
    """Return what the browser keeps."""
    return dict(json.loads(page.evaluate("localStorage.getItem('deep-learning-lab')") or "{}"))


def work(page: Page) -> None:
    """Read the first chapter, answer a question rightly, another wrongly, do an exercise."""
    page.goto(CHAPTER)
    page.locator(".lab-quiz summary", has_text="and").first.click()
    page.get_by_label("Your answer").fill("1")
    page.get_by_label("Your answer").press("Enter")
    page.get_by_label("Done: Exercise 1.1").check()
    page.get_by_role("button", name="Mark as read").click()


def cells(page: Page) -> list[str]:
    """Return the first chapter's line on the page "Your place"."""
    return page.locator(".lab-place tbody tr").first.locator("td").all_inner_texts()


def choose(page: Page, content: str, name: str = "place.json") -> None:
    """Import a file on the page "Your place"."""
    file = {"name": name, "mimeType": "application/json", "buffer": content.encode()}
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Import").click()
    chooser.value.set_files(file)  # type: ignore[arg-type]  # Playwright's own dict type


def test_what_was_done_is_remembered_and_shown(page: Page) -> None:
    """After a reload: at the chapter's end, in the navigation, on the map and on its page."""
    work(page)
    page.reload()
    expect(page.get_by_text("You have read this chapter.")).to_be_visible()
    expect(page.get_by_label("Done: Exercise 1.1")).to_be_checked()
    states = page.locator(".lab-quiz .lab-state")
    assert states.all_inner_texts() == ["✓ answered", "answered, not yet right"]
    links = page.locator(".md-sidebar--primary .lab-done")
    assert {text.strip() for text in links.all_inner_texts()} == {"The first chapter"}
    page.goto("place/")
    assert page.locator(".lab-map-box.lab-done").all_inner_texts() == ["The first chapter"]
    tick = "getComputedStyle(document.querySelector('.lab-map-box.lab-done'), '::after').content"
    assert "✓" in page.evaluate(tick)
    assert cells(page) == ["The first chapter", "read", "1 of 3", "1 of 1"]
    total = "You have read 1 of 3 chapters, answered 1 of 3 questions correctly, and done 1 of 2"
    expect(page.locator(".lab-total")).to_contain_text(total)
    page.goto(CHAPTER)
    page.get_by_role("button", name="Mark as unread").click()
    page.get_by_label("Done: Exercise 1.1").uncheck()
    page.goto("place/")
    assert cells(page) == ["The first chapter", "", "1 of 3", "0 of 1"]


def test_nothing_is_sent(page: Page) -> None:
    """Marking, answering, exporting and erasing cause no request at all."""
    page.goto(CHAPTER)
    page.wait_for_load_state("networkidle")
    sent: list[str] = []
    icon = "favicon.svg"  # for which the browser itself asks, now and then
    page.on("request", lambda request: icon in request.url or sent.append(request.url))
    page.get_by_role("button", name="Mark as read").click()
    page.locator(".lab-quiz summary", has_text="and").first.click()
    page.get_by_label("Done: Exercise 1.1").check()
    assert set(kept(page)) == {"format", "read", "answered", "done"}
    assert not sent
    page.goto("place/")
    page.wait_for_load_state("networkidle")
    sent.clear()
    with page.expect_download():
        page.get_by_role("button", name="Export").click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Erase").click()
    assert not [url for url in sent if not url.startswith("blob:")]


def test_a_place_can_be_taken_along(
    page: Page, browser: Browser, server: str, tmp_path: Path
) -> None:
    """What one browser exports another imports, and what that one had already stays."""
    work(page)
    page.goto("place/")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    download.value.save_as(tmp_path / "mine.json")
    other = browser.new_page(base_url=server)
    other.goto("part/second/")
    other.get_by_role("button", name="Mark as read").click()
    other.goto("place/")
    choose(other, (tmp_path / "mine.json").read_text("utf-8"))
    expect(other.locator(".lab-place").get_by_role("status")).to_contain_text("has been added")
    assert cells(other) == ["The first chapter", "read", "1 of 3", "1 of 1"]
    assert kept(other)["read"] == {READ: True, "part/second": True}
    other.close()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("not JSON", "it is not JSON"),
        ("[]", "it is no export of this page"),
        ("null", "it is no export of this page"),
        ('{"format": "another"}', "it is no export of this page"),
        (
            '{"format": "deep-learning-lab-place-1", "read": {"a": "<b>"}}',
            'in "read", the entry "a"',
        ),
        (
            '{"format": "deep-learning-lab-place-1", "answered": {"a": 1}}',
            'in "answered", the entry "a"',
        ),
        (" " * 1_000_001, "it is larger than any export"),
    ],
)
def test_a_bad_file_is_refused(page: Page, content: str, why: str) -> None:
    """The sentence names the file and the fault, and nothing is lost."""
    work(page)
    before = kept(page)
    page.goto("place/")
    choose(page, content, "bad.json")
    said = page.locator(".lab-place").get_by_role("status")
    expect(said).to_contain_text("bad.json was refused, and nothing has changed: ")
    expect(said).to_contain_text(why)
    assert kept(page) == before


def test_one_click_erases_after_a_question(page: Page) -> None:
    """Whoever says no keeps all; whoever says yes leaves nothing in the browser."""
    work(page)
    page.goto("place/")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Erase").click()
    assert kept(page)["read"] == {READ: True}
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Erase").click()
    expect(page.locator(".lab-place").get_by_role("status")).to_contain_text("has been erased")
    assert page.evaluate("localStorage.getItem('deep-learning-lab')") is None
    assert cells(page) == ["The first chapter", "", "0 of 3", "0 of 1"]
    assert page.locator(".lab-done").count() == 0


def test_without_storage_the_pages_are_as_without_the_script(page: Page) -> None:
    """No button that could keep nothing, no error, questions still answer; the page says why."""
    page.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('no', 'SecurityError'); };"
    )
    page.goto(CHAPTER)
    page.locator(".lab-quiz summary", has_text="and").first.click()
    expect(page.locator(".lab-quiz").first.get_by_role("status")).to_contain_text("Right.")
    expect(page.locator(".lab-read")).to_be_hidden()
    assert page.locator(".lab-exercise input").count() == 0
    page.goto("place/")
    expect(page.locator(".lab-place")).to_contain_text("needs JavaScript, and a browser that lets")


def test_a_place_holds_where_links_change_the_page_in_place(page: Page) -> None:
    """Each page that came without a load keeps its own name, and shows its own ticks."""
    page.goto("")
    page.evaluate("window.stayed = true")
    page.locator(".lab-map-box").first.click()
    page.locator("h1", has_text="The first chapter").wait_for()
    page.get_by_role("button", name="Mark as read").click()
    page.locator(".md-footer__link--next").click()
    page.locator("h1", has_text="The second chapter").wait_for()
    expect(page.get_by_role("button", name="Mark as read")).to_be_visible()
    assert kept(page)["read"] == {READ: True}
    for _ in range(2):
        page.get_by_role("link", name="Your place").click()
        expect(page.locator(".lab-place tbody tr")).to_have_count(3)
        assert cells(page) == ["The first chapter", "read", "0 of 3", "0 of 1"]
        page.go_back()
        page.locator("h1", has_text="The second chapter").wait_for()
    assert page.evaluate("window.stayed")


def test_a_place_is_kept_for_a_folder_too(browser: Browser, marked_folder: str) -> None:
    """From file://, what is marked stands on the map and at its chapter."""
    page = browser.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{marked_folder}part/first.html")
    page.get_by_role("button", name="Mark as read").click()
    assert kept(page)["read"] == {READ: True}
    page.goto(f"{marked_folder}index.html")
    expect(page.locator(".lab-map-box.lab-done")).to_have_count(1)
    page.close()
    assert not faults
