"""Questions with an answer at once: a choice, a number or an order.

    /// quiz
    Which of these can one neuron learn?

    - [x] *and*
      A line parts the one point from the other three.
    - [ ] exclusive or
      No line has the two ones on one side.
    ///

A list with boxes is a choice; each option's next lines say why it is right or wrong. A line that
begins with `=` is a number, which must be a tutorial's value (`= {{ layers#parameters }}`), so that
no wrong key can stay; the text below it gives the reason. A numbered list is an order, written in
the right one. Everything is folded, so it works without JavaScript; quiz.js adds the rest.

An option is a button, in which nothing else can be clicked: links in it, such as those of values
and terms, become plain text. A question's id comes from its words, so that a reader's answer stays
with it when others are written above.
"""

import re
from string import ascii_uppercase
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.extensions.toc import slugify, unique
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString
from pymdownx.blocks import BlocksExtension
from pymdownx.blocks.block import Block

from .faults import Fault, outside_code

_OPTION = re.compile(r"\[([ xX])\] +([^\n]+)(?:\n(.+))?", re.DOTALL)
_NUMBER = re.compile(r"= *(\{\{[^{}]*\}\})(?: *± *([\d.]+))? *")
_BLOCK = re.compile(r"^ {0,3}/{3,} *quiz *$")
_EMBED = re.compile(r"\{\{[^{}]*\}\}")
_LONGEST = 60  # characters of a question's words in its id
_LINKS = {"a", "autoref"}
_FORMS = (
    "Expected a list with boxes (`- [x] …`), a line `= {{ TUTORIAL#VALUE }}`, or a numbered list."
)


class QuizExtension(BlocksExtension):  # type: ignore[misc]  # untyped
    """Python-Markdown extension for `/// quiz` … `///`.

    Attributes:
        errors: What is wrong on the page.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.errors: list[Fault] = []

    def extendMarkdownBlocks(self, md: Markdown, block_mgr: Any) -> None:  # noqa: N802  # its name
        """Register the block."""
        block_mgr.register(_Quiz, {"errors": self.errors})
        md.treeprocessors.register(_Plain(md), "labkit-quiz", 2)  # when every link is there


class _Quiz(Block):  # type: ignore[misc]  # untyped
    NAME = "quiz"
    ARGUMENT = None

    def on_create(self, parent: Element) -> Element:
        number = self.tracker["questions"] = self.tracker.get("questions", 0) + 1
        section = SubElement(parent, "section", {"class": "lab-quiz"})
        title = SubElement(section, "p", {"class": "lab-number"})
        title.text = AtomicString(f"Question {number}")
        return section

    def on_end(self, block: Element) -> None:
        parts = list(block)[1:]  # below the number
        question = (parts[0].text or "") if parts else ""
        name = slugify(_EMBED.sub("", question), "-")[:_LONGEST].strip("-")
        block.set("id", unique(f"question-{name}", self.tracker.setdefault("ids", set())))
        try:
            if len(parts) < 2 or parts[0].tag != "p":
                raise ValueError(f"a quiz begins with its question. {_FORMS}")
            self._fold(block, parts[1], parts[2:])
        except ValueError as error:
            written = question.partition("\n")[0] or "/// quiz"
            self.config["errors"].append(Fault(written, str(error)))

    def _fold(self, block: Element, answer: Element, reasons: list[Element]) -> None:
        if answer.tag == "ul":
            block.set("data-kind", "choice")
            _choice(answer)
        elif answer.tag == "ol":
            block.set("data-kind", "order")
            _order(block, answer, reasons)
        elif number := _NUMBER.match(answer.text or ""):
            block.set("data-kind", "number")
            block.set("data-tolerance", number[2] or "0")
            reason = (answer.text or "")[number.end() :].strip()
            if not (reason or reasons):
                raise ValueError("say below the number why it is the answer.")
            answer.text = number[1]
            answer.set("class", "lab-answer")
            if reason:
                reasons.insert(0, _paragraph(reason))
            _answer(block, [answer, *reasons])
        else:
            raise ValueError(f"the answer cannot be read. {_FORMS}")


class _Plain(Treeprocessor):  # type: ignore[misc]  # Markdown is untyped
    """Makes links in options plain text."""

    def run(self, root: Element) -> None:
        for section in root.iter("section"):
            if section.get("class") == "lab-quiz":
                links = [e for s in section.iter("summary") for e in s.iter() if e.tag in _LINKS]
                for link in links:
                    link.tag = "span"
                    link.attrib.clear()


def _choice(options: Element) -> None:
    """Fold the reason of each option below it."""
    options.set("class", "lab-options")
    letters = iter(ascii_uppercase)
    right = 0
    for item in options:
        paragraph = item[0] if len(item) and item[0].tag == "p" else item
        option = _OPTION.fullmatch((paragraph.text or "").strip())
        if option is None:
            raise ValueError(f"expected an option `- [ ] …` or `- [x] …`. Received: {item.text!r}")
        if option[3] is None:
            raise ValueError(f"say in the line below why the option {option[2]!r} is right or not.")
        is_right = option[1] != " "
        right += is_right
        rest = [element for element in item if element is not paragraph]
        item.text = None
        item[:] = []
        details = SubElement(item, "details", {"class": "lab-right" if is_right else "lab-wrong"})
        letter = SubElement(SubElement(details, "summary"), "span", {"class": "lab-letter"})
        letter.text = AtomicString(next(letters))
        letter.tail = f" {option[2]}"
        verdict = SubElement(details, "p")
        SubElement(verdict, "strong").text = "Right." if is_right else "No."
        verdict[0].tail = f" {option[3]}"
        details.extend(rest)
    if not right:
        raise ValueError("no option is marked as right (`- [x] …`).")


def _order(block: Element, answer: Element, reasons: list[Element]) -> None:
    """Show the steps in another order, and fold the right one."""
    if len(answer) < 3:
        raise ValueError("an order needs three steps or more.")
    if not reasons:
        raise ValueError("say below the steps why this is their order.")
    shuffled = Element("ul", {"class": "lab-steps"})
    # The odd places, then the even ones: never the right order, and the same at each build.
    for place in [*range(1, len(answer), 2), *range(0, len(answer), 2)]:
        step = SubElement(shuffled, "li", {"data-place": str(place)})
        step.text = answer[place].text
    block.insert(2, shuffled)  # below the number and the question
    _answer(block, [answer, *reasons])


def _answer(block: Element, parts: list[Element]) -> None:
    details = Element("details", {"class": "lab-right"})
    SubElement(details, "summary").text = "Answer"
    details.extend(parts)
    for part in parts:
        if part in list(block):
            block.remove(part)
    block.append(details)


def _paragraph(text: str) -> Element:
    paragraph = Element("p")
    paragraph.text = text
    return paragraph


def count(text: str) -> int:
    """Return how many questions a page's Markdown asks."""
    return sum(_BLOCK.match(line) is not None for _, line in outside_code(text))


def makeExtension(**kwargs: Any) -> QuizExtension:  # noqa: N802  # Python-Markdown's name
    """Return the extension, as Python-Markdown asks for it by its name."""
    return QuizExtension(**kwargs)
