"""Drawings as the EPUB standard wants them."""

from xml.etree import ElementTree

from labkit.site.paper.write import strict

SVG = (
    '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://w3.org/x.dtd">'
    '<svg xmlns="http://www.w3.org/2000/svg"><defs><path id="blank"/><path id="a" d="M1 1"/></defs>'
    '<image id="i"/><image id="i"/></svg>'
)


def test_a_drawing_becomes_strict() -> None:
    """No document type and no path without an outline is left, and each id exists once."""
    made = strict(SVG)
    assert "DOCTYPE" not in made
    tree = ElementTree.fromstring(made)
    assert [path.get("d") for path in tree.iter("{http://www.w3.org/2000/svg}path")] == [
        "M0 0", "M1 1",
    ]  # fmt: skip
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert ids == ["blank", "a", "i"]
