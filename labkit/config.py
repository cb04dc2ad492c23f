"""The one setting that all of labkit shares: the float type of new layers."""

from typing import TYPE_CHECKING

from labkit._common import expect
from labkit._missing import left_out

__all__ = ["floatx", "set_floatx"]

if not TYPE_CHECKING:
    __getattr__ = left_out(__name__)

_floatx = "float32"


def floatx() -> str:
    """Return the dtype that layers and initializers use by default."""
    return _floatx


def set_floatx(value: str) -> None:
    """Set the dtype that layers and initializers use by default.

    Args:
        value: `"float32"` (fast) or `"float64"` (for checks of gradients).

    Raises:
        ValueError: The value is neither.
    """
    global _floatx
    expect(value in ("float32", "float64"), "floatx is 'float32' or 'float64'", repr(value))
    _floatx = value
