"""Colab, which opens the tutorials' notebooks from a branch of a GitHub repository."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Colab:
    """Where Colab finds the tutorials: in the branch of a GitHub repository that has the site.

    Attributes:
        repository: OWNER/NAME, or nothing if the repository is elsewhere; then all is false.
        branch: The branch.
    """

    repository: str = ""
    branch: str = ""

    def __bool__(self) -> bool:
        return bool(self.repository)

    def address(self, tutorial: str) -> str:
        """Return the address that opens a tutorial in Colab, given its page's address."""
        name = tutorial.rpartition("/")[2]
        path = f"{self.repository}/blob/{self.branch}/{tutorial}/{name}.ipynb"
        return f"https://colab.research.google.com/github/{path}"

    @property
    def setup(self) -> str:
        """The code that installs labkit where it is missing."""
        package = f"labkit[data,plot] @ git+https://github.com/{self.repository}"
        return (
            "import importlib.util\n\n"
            'if not importlib.util.find_spec("labkit"):  # on Colab\n'
            f'    %pip install --quiet "{package}"'
        )


def github(repository: str | None) -> str:
    """Return the OWNER/NAME of a repository's address; nothing if it is not on GitHub."""
    match = re.fullmatch(r"https://github\.com/([^/]+/[^/]+?)(?:\.git)?/?", repository or "")
    return match[1] if match else ""
