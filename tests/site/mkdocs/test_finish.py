"""Finished pages: nothing stands twice, and nothing that counts is lost."""

import json

from labkit.site.mkdocs.finish import finish


def test_a_page_loses_white_space_only_between_its_lines() -> None:
    """Code, scripts and text areas keep theirs."""
    page = (
        "\n\n<p>a\n   b</p>\n\n\n  <pre>x\n\n    y</pre>\n  <script>1\n\n  2</script>\n<p>c  d</p>"
    )
    assert finish(page) == ("<p>a\nb</p><pre>x\n\n    y</pre><script>1\n\n  2</script><p>c  d</p>")


def test_a_page_says_nothing_twice() -> None:
    """The table of contents stands once, nested parts included; tags lose needless quotes."""
    contents = '<nav class="md-nav md-nav--secondary"><a href="#a">A</a><nav>B</nav></nav>'
    page = f'<div class="a b" id="c">{contents}</div>{contents}<article id="d">x</article>'
    left = contents.replace('"#a"', "#a")
    assert finish(page) == f'<div class="a b" id=c></div>{left}<article id="d">x</article>'


def test_the_themes_script_gets_the_settings_that_it_reads() -> None:
    """Features of the templates, and settings without a value, are left out."""
    start, end = '<script id="__config" type="application/json">', "</script>"
    given = {"base": "..", "features": ["navigation.tabs", "navigation.instant"], "tags": None}
    page = finish(f"{start}{json.dumps(given)}{end}")
    assert page == f'{start}{{"base":"..","features":["navigation.instant"]}}{end}'


def test_scripts_for_tabs_stand_where_tabs_are() -> None:
    """A page without them does without the theme's two scripts."""
    scripts = '<script>var tabs=__md_get("__tabs")</script><script>var target=1</script>'
    assert finish(f"<p>a</p>{scripts}") == "<p>a</p>"
    assert finish(tabs := f'<div class="tabbed-set x"></div>{scripts}') == tabs


def test_the_references_style_is_on_its_pages() -> None:
    """Only what mkdocstrings wrote needs its stylesheet."""
    style = '<link rel="stylesheet" href="../assets/_mkdocstrings.css">'
    assert finish(f"{style}<p>a</p>") == "<p>a</p>"
    documented = f'{style}<h2 class="doc doc-heading">a</h2>'
    assert finish(documented) == documented
