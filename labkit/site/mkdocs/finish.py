"""Pages as Material's templates write them become valid HTML, and as small as they can be.

The shell around each text is the same on all pages, and weighs more than many a text. What of
it no reader sees is left out, and site.js makes what would stand there twice.
"""

import json
import re

_BREAK = re.compile(r"\s*\n\s*")
_BLOCK = (
    "html|head|body|meta|link|title|script|header|nav|main|article|footer|div|p|h[1-6]|ul|ol|li|"
    "dl|dt|dd|figure|figcaption|table|thead|tbody|tr|th|td|pre|details|summary|form|label|input|"
    "button|svg|hr|blockquote"
)
# A line's end beside a block, or in a tag's own text: no browser shows it. (Between a span and a
# block it stays: a screen reader takes it for the blank between two words.)
_AFTER = re.compile(rf"(</?(?!label|input|button|svg)(?:{_BLOCK})\b[^<>]*>)\n")
_BLANK = re.compile(
    rf"(?<=>)(?<!</span>)\n(?=</?(?:{_BLOCK})\b)|(?<=[^>])\n(?=</(?:{_BLOCK}|span)>)"
    rf"|(?<=</span>)\n(?=<span|</a>|</label>)|(?<=md-ellipsis>)\n"
)
_THEME_FAULTS = [  # what Material writes, and what HTML and screen readers ask for
    ('role="dialog">', 'role="dialog" aria-label="Search">'),
    (' type="checkbox" id="__drawer" autocomplete="off">', ' type="checkbox" id="__drawer">'),
    (' type="checkbox" id="__search" autocomplete="off">', ' type="checkbox" id="__search">'),
    (' tabindex="">', ' tabindex="0">'),
    (" tabindex>", ' tabindex="0">'),
    (' data-md-component="source"', ""),  # it would ask a third party how popular the book is
    (' xmlns="http://www.w3.org/2000/svg"', ""),  # HTML knows
    (' class="autorefs autorefs-internal"', ""),
    (' alt="logo">', ' alt="" width="24" height="24">'),  # the link around it has the name
]
# A link's text is one item of its row; it needs a wrapper only where marks split it.
_LABEL = re.compile(r"(class=md-nav__link>)\n?<span class=md-ellipsis>([^<]*)</span></a>")
_NEEDLESS = re.compile(r'\s*<meta name="generator"[^>]*>| title="[^"]*"(?= class="md-\S+ md-logo")')
_CONFIG = re.compile(r'(?<=<script id="__config" type="application/json">).*?(?=</script>)')
# Features that only the templates ask for, as "navigation.footer": the script needs no word of it.
_TEMPLATES = re.compile(
    r"content\.action\.\w+|navigation\.(?:expand|footer|indexes|path|prune|sections|tabs|top)"
)
_TAG = re.compile(r"<(?!script)[a-z][^<>]*>")
_QUOTED = re.compile(r'(\s[a-z-]+=)"([^\s"\'=<>`]+)"')
_REFERENCE_STYLE = re.compile(r'<link rel="stylesheet" href="[^"]*_mkdocstrings\.css">')
_TABS = re.compile(r"<script>var (?:tabs|target)=.*?</script>")
_CONTENTS = '<nav class="md-nav md-nav--secondary"'
_NAV = re.compile("<(/?)nav")
# Icons that site.css draws, by how their paths begin.
_ICONS = {
    "m14.3 16": "auto",
    "M12 7a5": "sun",
    "m17.75 4": "moon",
    "M9.5 3A": "search",
    "M2.6 10": "git",
    "M3 6h18v": "menu",
    "M20 11v2": "left",
    "M19 6.41": "close",
    "M4 11v2h": "right",
    "M13 20h-": "up",
    "M20.71 7": "pencil",
}
_ICON = re.compile(f'<svg viewBox="0 0 24 24"><path d="({"|".join(_ICONS)})[^"]*"/></svg>')
_BESIDE = re.compile(r"\n(?=<pre\b)|(?<=</pre>)\n|(?<=</script>)\n")
_VERBATIM = re.compile(r"(<(pre|script|style|textarea)\b.*?</\2>)", re.DOTALL)


def finish(page: str) -> str:
    """Return a page as valid HTML, without what no reader sees."""
    for fault, mended in _THEME_FAULTS:
        page = page.replace(fault, mended)
    page = _NEEDLESS.sub("", page)
    page = _CONFIG.sub(_configured, page)
    page = _ICON.sub(lambda icon: f'<svg class="lab-{_ICONS[icon[1]]}"></svg>', page)
    if 'class="doc ' not in page:
        page = _REFERENCE_STYLE.sub("", page)
    if 'class="tabbed-set' not in page:
        page = _TABS.sub("", page)
    if page.count(_CONTENTS) > 1:  # site.js copies the second into the phone's menu
        page = _without(page, page.index(_CONTENTS))
    start, end = page.find("<article"), page.rfind("</article>")
    if start >= 0:  # around the text
        page = _bare(page[:start]) + page[start:end] + _bare(page[end:])
    parts = _VERBATIM.split(page)  # outside, inside, the inside's tag, outside …
    parts[::3] = [_narrow(part) for part in parts[::3]]
    del parts[2::3]
    return _BESIDE.sub("", "".join(parts).lstrip())


def _configured(settings: re.Match[str]) -> str:
    """Return the settings of the theme's script, as short as it understands them."""
    given = {name: value for name, value in json.loads(settings[0]).items() if value is not None}
    given["features"] = [name for name in given["features"] if not _TEMPLATES.fullmatch(name)]
    return json.dumps(given, separators=(",", ":"))


def _narrow(markup: str) -> str:
    """Return markup without the blanks that no browser shows."""
    markup = _AFTER.sub(r"\1", _BLANK.sub("", _BREAK.sub("\n", markup)))
    return _LABEL.sub(r"\1\2</a>", markup)


def _bare(markup: str) -> str:
    """Return tags without the quotes that HTML does not ask for."""
    return _TAG.sub(lambda tag: _QUOTED.sub(r"\1\2", tag[0]), markup)


def _without(page: str, start: int) -> str:
    """Return a page without the `<nav>` that starts at a place."""
    depth = 0
    for tag in _NAV.finditer(page, start):
        depth += -1 if tag[1] else 1
        if not depth:
            return page[:start] + page[tag.end() + 1 :]
    return page
