"""What is wrong on a page is reported with the line where it stands."""

from labkit.site.markdown.faults import Fault, lines_of, report


def test_the_line_of_something_written() -> None:
    """Code is passed over, and spaces do not count."""
    fenced = "```\n{{ a#b }}\n```\n  ~~~~\n{{ a#b }}\n~~~\n~~~~\n"
    text = f"---\ntitle: T\n---\n`{{{{ a#b }}}}`\n{fenced}so {{{{ a#b }}}}\n"
    assert lines_of(text, "{{a#b }}") == [12]
    assert lines_of(text, "{{ c#d }}") == []


def test_several_lines_in_a_quotation_or_a_script() -> None:
    """The marks in the margin are no part of what was written."""
    for margin in ("", "> ", "# ", "    "):
        text = "\n".join(margin + line for line in ("# Title", "", "$$", "a", "b", "$$"))
        assert lines_of(text, "$$\na\nb\n$$") == [3]


def test_things_written_alike_keep_their_own_lines() -> None:
    """The second of two equal faults is reported where the second is written."""
    text = "$\\x$\n\nand\n$\\x$\n"
    assert report("a.md", text, [("$\\x$", "no"), Fault("$\\x$", "no")]) == "a.md:1: no\na.md:4: no"


def test_faults_come_in_the_order_of_the_page() -> None:
    """Each has its line, which may be below where the thing begins."""
    text = "\n\n$$\na\nb\n$$\n\n{{ c }}"
    faults = [Fault("{{ c }}", "second"), Fault("$$\na\nb\n$$", "first", 2)]
    assert report("a.md", text, faults) == "a.md:5: first\na.md:8: second"


def test_what_the_file_does_not_hold_has_no_line() -> None:
    """A formula in a docstring is not said to be in the page's first line."""
    assert report("a.md", "text", [("$x$", "no")]) == "a.md: no"
