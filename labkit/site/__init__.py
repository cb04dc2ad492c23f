"""Runs the tutorials and turns them into pages.

`tutorial` reads them, `execute` runs them in kernels, `cache` keeps what they gave, and
`python -m labkit.site` does all three without MkDocs. The rest renders: it never runs
anything.
"""
