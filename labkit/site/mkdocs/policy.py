"""The Content-Security-Policy under which every page works.

Everything comes from the site's own host. The theme writes a few short scripts into its pages;
the policy names each by its hash, so that no other script in a page can run.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from mkdocs.exceptions import PluginError


def scripts(page: str) -> Iterator[str]:
    """Yield the scripts that stand in a page; to parse all else would take too long."""
    while "<script>" in page:
        script, _, page = page.partition("<script>")[2].partition("</script>")
        yield script


def policy(pages: Iterable[str]) -> str:
    """Return the policy for a site, from the HTML of all its pages.

    `data:` is allowed for images because the theme's stylesheet holds its icons that way.
    """
    inline = {script for page in pages for script in scripts(page)}
    digests = (hashlib.sha256(script.encode()).digest() for script in inline)
    hashes = sorted(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return "; ".join(
        [
            "default-src 'self'",
            " ".join(["script-src 'self'", *hashes]),
            "img-src 'self' data:",
            "object-src 'none'",
            "base-uri 'self'",
            "frame-ancestors 'self'",
        ]
    )


def write_headers(site: Path) -> None:
    """Write the policy as the file `_headers` that Netlify and Cloudflare Pages read.

    Raises:
        PluginError: A page is not UTF-8.
    """
    pages = (_read(path, site) for path in sorted(site.rglob("*.html")))
    (site / "_headers").write_text(f"/*\n  Content-Security-Policy: {policy(pages)}\n", "utf-8")


def undecodable(error: UnicodeDecodeError) -> str:
    """Return in words where a file is not UTF-8."""
    line = error.object.count(b"\n", 0, error.start) + 1
    return (
        f"line {line}: expected UTF-8, found the byte 0x{error.object[error.start]:02x}. "
        "Save the file as UTF-8."
    )


def _read(path: Path, site: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        place = path.relative_to(site).as_posix()
        raise PluginError(f"docs/{place}: {undecodable(error)}") from None
