"""Claims that tutorials prove."""

import pytest

from labkit.site.core.book import Book, EmbedError
from labkit.site.core.proofs import proofs

from ..pages import code, notebook, prose

PROVED = """
assert accuracy > 0.9, "It reads nine of ten."
for seed in seeds:
    if accuracy:
        assert 0 < seeds[0] < errors + accuracy, "In each draw."
assert accuracy < 1
assert accuracy < 1, f"{accuracy} is too good"
def check(accuracy):
    assert accuracy, "Expected an accuracy."
"""


def book(source: str = PROVED, **values: object) -> Book:
    """Return a book with a tutorial that publishes values, and one that asserts something."""
    published = code("", values=list(values), outcome=values)
    return Book({"pond": notebook(prose("# A pond"), published, code(source, label="end"))})


def test_a_message_is_a_claim() -> None:
    """One that is computed, or speaks to the caller of a function, is none."""
    found = proofs(book(accuracy=0.95, errors=3), "pond")
    assert [(proof.claim, proof.test, proof.names) for proof in found] == [
        ("It reads nine of ten.", "accuracy > 0.9", ("accuracy",)),
        ("In each draw.", "0 < seeds[0] < errors + accuracy", ("errors", "accuracy")),
    ]
    assert {proof.cell.name for proof in found} == {"pond#end"}


def test_a_claim_stands_on_what_readers_see() -> None:
    """One about numbers that no page can show is an error that says so."""
    for values in {}, {"accuracy": [0.9, 0.8]}:
        with pytest.raises(EmbedError, match=r"'It reads nine of ten\.' stands on no number"):
            proofs(book(**values), "pond")
