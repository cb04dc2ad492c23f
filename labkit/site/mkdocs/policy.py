"""The Content-Security-Policy under which every page works.

Everything comes from the site's own host. The theme writes a few short scripts into its pages;
the policy names each by its hash, so that no other script in a page can run.
"""

import base64
import hashlib
import re
from collections.abc import Iterable

_INLINE = re.compile(r"<script>(.+?)</script>", re.DOTALL)


def policy(pages: Iterable[str]) -> str:
    """Return the policy for a site, from the HTML of all its pages.

    `data:` is allowed for images because the theme's stylesheet holds its icons that way.
    """
    inline = {script for page in pages for script in _INLINE.findall(page)}
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


def headers(pages: Iterable[str]) -> str:
    """Return the policy as the file `_headers` that Netlify and Cloudflare Pages read."""
    return f"/*\n  Content-Security-Policy: {policy(pages)}\n"
