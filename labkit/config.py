"""The one setting that all of labkit shares: the float type of new layers."""

from typing import Literal, get_args

__all__ = ["Float", "floatx", "set_floatx"]

Float = Literal["float32", "float64"]
_floatx: Float = "float32"


def floatx() -> Float:
    """Return the dtype that layers and initializers use by default."""
    return _floatx


def set_floatx(value: Float) -> None:
    """Set the dtype that layers and initializers use by default.

    Args:
        value: `"float32"` (fast) or `"float64"` (for checks of gradients).

    Raises:
        ValueError: The value is neither.
    """
    global _floatx
    if value not in get_args(Float):
        raise ValueError(f"floatx is 'float32' or 'float64'. Received: {value!r}")
    _floatx = value
