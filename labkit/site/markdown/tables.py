"""Tables whose columns are aligned, which the site's Content-Security-Policy does not allow.

Python-Markdown writes `---:` as a style at each cell, or as the attribute `align`, which HTML no
longer has. The policy lets no style of a page take effect.
"""

from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.extensions.tables import TableProcessor

from .faults import Fault


class TableExtension(Extension):  # type: ignore[misc]  # Markdown is untyped
    """Python-Markdown extension that refuses to align columns; it comes after `tables`.

    Attributes:
        errors: What is wrong on the page, to be cleared before each.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.errors: list[Fault] = []

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802  # Python-Markdown's name
        """Take the place of the processor of tables, if the site has one."""
        if "table" in md.parser.blockprocessors:
            given = md.parser.blockprocessors["table"]
            table = _Table(md.parser, given.config, self.errors)
            md.parser.blockprocessors.register(table, "table", 75)  # as Python-Markdown does


class _Table(TableProcessor):  # type: ignore[misc]  # Markdown is untyped
    def __init__(self, parser: Any, config: dict[str, Any], errors: list[Fault]) -> None:
        super().__init__(parser, config)
        self.errors = errors

    def run(self, parent: Element, blocks: list[str]) -> None:
        line = blocks[0].split("\n")[1]  # below the header: nothing but "|", ":", "-" and spaces
        if ":" in line:
            why = (
                f"{line.strip()} aligns columns, for which Python-Markdown writes styles, and the "
                f"site's policy allows none. Write {line.strip().replace(':', '-')} instead."
            )
            self.errors.append(Fault(line, why))
        super().run(parent, blocks)


def makeExtension(**kwargs: Any) -> TableExtension:  # noqa: N802  # Python-Markdown's name
    """Return the extension, as Python-Markdown asks for it by its name."""
    return TableExtension(**kwargs)
