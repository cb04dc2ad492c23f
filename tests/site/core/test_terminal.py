"""Printed text as a terminal shows it."""

import pytest

from labkit.site.core.terminal import settled, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("1/3\r2/3\r3/3\n", "3/3\n"),
        ("100 %\r9", "900 %"),  # as much as is written over
        ("long line\r\x1b[Kshort", "short"),
        ("long line\r\x1b[2Kshort", "short"),
        ("ab\x1b[1K\x9bKc", "abc"),
        ("a\x08b", "b"),
        ("\x08\x08a", "a"),
        ("a < b & c\r\nd", "a < b & c\nd"),
        ("\x1b[1mbold\x1b[0m and \x1b[31mred", "bold and red"),
        ("\x1b[38:2::255:0:0mred\x1b[0m", "red"),
        ("\x1b(B\x1b[mreset", "reset"),
        ("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;a window's title\x07text", "text"),
        ("\x1b]0;no end\nnext", "\nnext"),
        ("\x9b31mred\x9b0m", "red"),
        ("nul\x00 bell\x07 \x7f", "nul bell "),
        ("\x02wzxhzdk:0\x03", "wzxhzdk:0"),  # Python-Markdown's placeholder
        ("<Dense object at 0x7f2a4c0d5e10>", "<Dense object>"),
        ("<bound method f of <A at 0x7F2A4C0D5E10>>", "<bound method f of <A>>"),
        ("look at 0x7f2a4c", "look at 0x7f2a4c"),
    ],
)  # fmt: skip
def test_text_as_a_terminal_leaves_it(text: str, shown: str) -> None:
    """Escapes and control characters are gone, and what was written over is, too."""
    assert settled(text) == shown


def test_a_control_character_in_code_is_shown() -> None:
    """Code is not what a terminal shows: nothing in it may vanish."""
    assert visible("a\x00\x0c\x7f\x9b\n\tb") == "a\u2400\u240c\u2421\ufffd\n\tb"
