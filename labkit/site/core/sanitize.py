"""HTML that a cell gave, made safe for a page that allows neither scripts nor styles in it.

The site's policy forbids both, and classes and ids would meet those of the page. What is left is
text with its structure: headings, lists, links and tables, always well formed.
"""

import nh3
from bs4 import BeautifulSoup, Tag

# What shows nothing, or something else, once scripts and styles are gone.
_ACTIVE = {
    "applet", "audio", "base", "button", "canvas", "dialog", "embed", "form", "frame", "iframe",
    "img", "input", "link", "math", "meta", "object", "picture", "script", "select", "svg",
    "textarea", "video",
}  # fmt: skip
_TAGS = nh3.ALLOWED_TAGS - _ACTIVE | {"tfoot"}
_ATTRIBUTES = {
    "*": {"dir", "lang", "title"},
    "a": {"href"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"reversed", "start"},
    "td": {"colspan", "rowspan"},
    "th": {"abbr", "colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
_SCHEMES = {"http", "https", "mailto"}


class UnsafeError(ValueError):
    """The markup cannot be shown without what a page does not allow."""


def sanitize(markup: str) -> str:
    """Return markup without scripts, styles, classes and ids.

    Raises:
        UnsafeError: Without these, it would show nothing, or something else.
    """
    soup = BeautifulSoup(markup, "html.parser")
    _check(soup)
    # Whatever else it has is of no use to a reader: classes, comments, a page's own head.
    clean = nh3.clean(
        markup,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        clean_content_tags={"style", "title"},
        link_rel=None,
        url_schemes=_SCHEMES,
    )
    soup = BeautifulSoup(clean, "html.parser")
    if not soup.get_text(strip=True):
        raise UnsafeError("HTML without text")
    for header in soup.find_all("th"):
        if not header.get_text(strip=True):  # which names nothing
            header.name = "td"
    return str(soup)


def _check(soup: BeautifulSoup) -> None:
    for element in soup.find_all(True):
        if element.name in _ACTIVE:
            raise UnsafeError(f"HTML with <{element.name}>")
        for name in element.attrs:
            if name.lower().startswith("on"):
                raise UnsafeError(f"HTML with {name}=")
        target = str(element.get("href", ""))
        if target and target.partition(":")[0].lower() not in _SCHEMES:
            raise UnsafeError(f"HTML with a link to {target!r}, which no one can check")
    if soup.find("style") and not soup.find("table"):  # a table can be read without
        raise UnsafeError("HTML with <style>")


def tables(markup: str) -> list[str]:
    """Return the tables of sanitized markup, each with those inside it."""
    soup = BeautifulSoup(markup, "html.parser")
    return [str(table) for table in soup.find_all("table") if not table.find_parent("table")]


def is_tables(markup: str) -> bool:
    """Say whether sanitized markup is tables and nothing else, apart from what holds them."""
    soup = BeautifulSoup(markup, "html.parser")
    found = soup.find_all("table")
    for table in found:
        table.extract()
    return bool(found) and not soup.get_text(strip=True)


def framed(markup: str, frame: str) -> str:
    """Return sanitized markup with each table in a `div` of a class of its own.

    Args:
        markup: What `sanitize` returned.
        frame: The class.
    """
    soup = BeautifulSoup(markup, "html.parser")
    for table in soup.find_all("table"):
        if isinstance(table, Tag) and not table.find_parent("table"):
            table.wrap(soup.new_tag("div", attrs={"class": frame}))
    return str(soup)
