"""The policy under which pages work."""

import base64
import hashlib
from pathlib import Path

import pytest
from mkdocs.exceptions import PluginError

from labkit.site.mkdocs.policy import policy, write_headers


def test_scripts_in_pages_are_named_by_their_hash() -> None:
    """Each once, whatever stands in it; a file's script is the site's own."""
    inline = 'a="<b>"&&c</d>\n'
    page = f'<p>&lt;script></p><script>{inline}</script><script src="x.js"></script>'
    named = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    found = policy([page, f"<script>{inline}</script>"])
    assert f"script-src 'self' 'sha256-{named}';" in found
    assert found.count("sha256") == 1


def test_a_page_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    """With its line, and what to do."""
    (tmp_path / "old.html").write_bytes(b"<html>\ncaf\xe9</html>")
    with pytest.raises(PluginError, match=r"docs/old\.html: line 2: expected UTF-8.*0xe9"):
        write_headers(tmp_path)
