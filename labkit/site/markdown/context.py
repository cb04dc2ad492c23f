"""What the parts of a page need to know of the page that is being converted."""

import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field

from labkit.site.core.book import Book


@dataclass
class Context:
    """One page.

    Attributes:
        book: The tutorials.
        link: Gives the path from the page's source to another source file of the site.
        tutorial: The tutorial whose own page it is, if it is one's.
        exists: Says whether the site has a source file; by default it has all.
        errors: What is wrong: what was written, and the reason.
        inside: The cell whose Markdown is being converted, if any.
    """

    book: Book
    link: Callable[[str], str]
    tutorial: str = ""
    exists: Callable[[str], bool] = lambda path: True
    errors: list[tuple[str, str]] = field(default_factory=list)
    inside: str = ""

    def source(self, tutorial: str) -> str:
        """Return the path from the page's source to a tutorial's script."""
        return self.link(f"{self.book.place(tutorial)}.py")

    def file(self, tutorial: str, name: str) -> str:
        """Return the path from the page's source to a file that a tutorial gives."""
        return self.link(f"{self.book.place(tutorial)}/{name}")

    def moved(self, target: str, tutorial: str) -> tuple[str, str]:
        """Return a link of a tutorial as this page must have it, and the file that it names.

        Args:
            target: The link as the tutorial has it, relative to its script.
            tutorial: The tutorial.
        """
        path, mark, rest = target.partition("#")
        script = f"{self.book.place(tutorial)}.py"
        file = posixpath.normpath(posixpath.join(posixpath.dirname(script), path))
        file = file if path else script
        return f"{self.link(file)}{mark}{rest}", file


def for_page(book: Book, page: str, tutorial: str = "") -> Context:
    """Return the context of a page at a path among the site's sources, such as `a/b.md`."""
    folder = posixpath.dirname(page)
    return Context(book, lambda path: posixpath.relpath(path, folder or "."), tutorial)
