"""Questions: what a reader without JavaScript sees, and what is refused."""

from xml.etree import ElementTree

import pytest
from markdown import Markdown

from labkit.site.markdown.quiz import QuizExtension, count

CHOICE = """
/// quiz
Which of these can *one* neuron learn?

- [x] *and*
  A line parts the one point from
  the other three.
- [ ] exclusive or
  No line has the two ones on one side.
///
"""
NUMBER = """
/// quiz
How many weights?

= {{ layers#weights }} ± 0.5

Count them.
///
"""
ORDER = """
/// quiz
In which order?

1. forward
2. loss
3. backward
4. step

Each needs what the one before computed.
///
"""


def convert(text: str) -> tuple[ElementTree.Element, list[str]]:
    """Convert a page; return its tree, and what was wrong."""
    extension = QuizExtension()
    html = Markdown(extensions=[extension]).convert(text)
    return ElementTree.fromstring(f"<div>{html}</div>"), [fault.why for fault in extension.errors]


def words(element: ElementTree.Element) -> str:
    """Return an element's text in one line."""
    return " ".join("".join(element.itertext()).split())


def test_each_option_folds_its_reason() -> None:
    """A choice is a list of folded, lettered options, each marked right or wrong, in Markdown."""
    page, errors = convert(CHOICE)
    assert not errors
    section = page.find("section")
    assert section is not None
    assert (section.get("data-kind"), section.get("id")) == (
        "choice",
        "question-which-of-these-can-one-neuron-learn",
    )
    found = {words(d[0]): (d.get("class"), words(d[1])) for d in section.iter("details")}
    assert found == {
        "A and": ("lab-right", "Right. A line parts the one point from the other three."),
        "B exclusive or": ("lab-wrong", "No. No line has the two ones on one side."),
    }
    assert section.find(".//summary/em") is not None


def test_a_number_is_a_value() -> None:
    """The embed of a value stays for the embed extension, folded with its reason."""
    page, errors = convert(NUMBER)
    assert not errors
    section = page.find("section")
    assert section is not None
    assert (section.get("data-kind"), section.get("data-tolerance")) == ("number", "0.5")
    details = section.find("details")
    assert details is not None
    assert words(details) == "Answer {{ layers#weights }} Count them."
    assert details.find("p[@class='lab-answer']") is not None


def test_an_order_is_shown_in_another() -> None:
    """The steps stand shuffled with their right places; the right order is folded."""
    page, errors = convert(ORDER)
    assert not errors
    steps = page.findall(".//ul[@class='lab-steps']/li")
    assert [words(step) for step in steps] == ["loss", "step", "forward", "backward"]
    by_place = sorted(steps, key=lambda step: int(step.get("data-place", "")))
    right = [words(step) for step in page.findall(".//details/ol/li")]
    assert [words(step) for step in by_place] == right == ["forward", "loss", "backward", "step"]


def ids(page: ElementTree.Element) -> list[str]:
    """Return the ids of a page's questions."""
    return [section.get("id", "") for section in page.iter("section")]


def test_questions_are_numbered_on_each_page() -> None:
    """Numbers count from one on every page that one converter converts."""
    md = Markdown(extensions=[QuizExtension()])
    for _ in range(2):
        html = md.reset().convert(CHOICE + NUMBER)
        assert '<p class="lab-number">Question 2</p>' in html
        assert "Question 3" not in html
        assert 'id="question-how-many-weights"' in html


def test_a_question_keeps_its_id_when_others_come() -> None:
    """It is made of the question's words, and is told from that of the same question."""
    (alone,) = ids(convert(NUMBER)[0])
    assert ids(convert(ORDER + CHOICE + NUMBER)[0])[-1] == alone
    first, second = ids(convert(NUMBER + NUMBER)[0])
    assert first == alone != second
    long = NUMBER.replace("How many", "How many {{ layers#weights }} " + "very " * 30)
    (cut,) = ids(convert(long)[0])
    assert "layers" not in cut
    assert len(cut) < 80


def test_an_option_holds_no_link() -> None:
    """An option is a button, so what would be a link in it is plain text; its reason has links."""
    text = CHOICE.replace("*and*", "[*and*](a.md)").replace("A line", "[A line](b.md)")
    page, errors = convert(text)
    assert not errors
    summary = next(page.iter("summary"))
    assert words(summary) == "A and"
    assert summary.find(".//a") is None
    assert [link.get("href") for link in page.iter("a")] == ["b.md"]


def test_questions_are_counted_outside_code() -> None:
    """As often as a page asks; an example in a block of code is no question."""
    assert count(CHOICE + NUMBER + f"\n```\n{ORDER}\n```\n") == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- [x] a\n  Why.", "begins with its question"),
        ("Q?\n\nMaybe.", "cannot be read"),
        ("Q?\n\n= 42\n\nSo.", "cannot be read"),
        ("Q?\n\n= {{ a#b }}", "why it is the answer"),
        ("Q?\n\n- [x] a\n- [ ] b\n  Why.", "why the option 'a'"),
        ("Q?\n\n- [ ] a\n  Why.", "no option is marked"),
        ("Q?\n\n- a\n- b", "expected an option"),
        ("Q?\n\n1. a\n2. b\n\nSo.", "three steps"),
        ("Q?\n\n1. a\n2. b\n3. c", "why this is their order"),
    ],
)
def test_what_cannot_be_a_question_is_an_error(text: str, reason: str) -> None:
    """A number that is typed, an option without reason, a choice without answer: each is said."""
    _, errors = convert(f"/// quiz\n{text}\n///\n")
    assert len(errors) == 1
    assert reason in errors[0]
