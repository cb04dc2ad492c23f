"""Where Colab finds the tutorials."""

import pytest

from labkit.site.core.colab import Colab, github


@pytest.mark.parametrize(
    ("address", "repository"),
    [
        ("https://github.com/a/b", "a/b"),
        ("https://github.com/a/b.git", "a/b"),
        ("https://gitlab.com/a/b", ""),
        (None, ""),
    ],
)
def test_colab_opens_what_github_has(address: str | None, repository: str) -> None:
    """Other hosts have no link to Colab."""
    assert github(address) == repository
    assert bool(Colab(github(address), "main")) == bool(repository)
