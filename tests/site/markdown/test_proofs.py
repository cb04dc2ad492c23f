"""The table of claims."""

import re

from labkit.site.core.book import Book
from labkit.site.markdown.parts import MINUS

from ..pages import code, convert, notebook, prose

PROVED = 'assert gap < 1e-6 < most, "Both agree & more."'


def book(state: str = "done") -> Book:
    """Return a book with three tutorials, of which two prove something."""
    values = {"gap": -1.234567e-9, "most": 12}
    proved = notebook(
        prose("# Ponds"), code(PROVED, label="end", values=list(values), outcome=values)
    )
    return Book(
        {"pond": proved, "bare": notebook(prose("# Bare"), code("assert 1")), "lake": proved},
        states={"lake": state},  # type: ignore[dict-item]
        places={name: f"tutorials/water/{name}" for name in ("pond", "bare", "lake")},
        chapters={"pond": "water/pond.md"},
    )


def test_each_claim_has_its_values_and_its_assertion() -> None:
    """By chapter, or by tutorial where there is none; a value links to the cell that gave it."""
    page, context, _ = convert("# All\n\n{{ proofs }}", book(), page="proofs.md")
    assert not context.errors
    assert re.findall(r'<h2 id="[^"]*"><a href="(.*?)">(.*?)</a></h2>', page) == [
        ("water/pond.md", "Ponds"),
        ("tutorials/water/lake.py", "Ponds"),
    ]
    row = page[page.index("<tbody>") : page.index("</tbody>")]
    assert "<td>Both agree &amp; more.</td>" in row
    values = r'<code>(\w+)</code> <a [^>]*href="tutorials/water/pond.py#end"[^>]*>(.*?)</a>'
    assert re.findall(values, row) == [("gap", f"{MINUS}1.23e{MINUS}09"), ("most", "12")]
    assert "<td><code>gap &lt; 1e-06 &lt; most</code></td>" in row


def test_a_claim_waits_for_its_tutorial() -> None:
    """While a tutorial runs, its values are left open."""
    page, context, _ = convert("{{ proofs }}", book("running"), page="proofs.md")
    assert not context.errors
    assert page.count("…") == 2


def test_a_page_can_show_the_claims_of_one_part() -> None:
    """A part has its own table, and a part that proves nothing is an error."""
    whole = book()
    whole.places["lake"] = "tutorials/land/lake"
    page, context, _ = convert("{{ proofs land }}", whole, page="proofs.md")
    assert not context.errors
    assert re.findall(r'<h2 id="[^"]*"><a href="(.*?)">', page) == ["tutorials/land/lake.py"]
    _, context, _ = convert("{{ proofs lend }}", whole, page="proofs.md")
    assert "Did you mean 'land'" in context.errors[0][1]
