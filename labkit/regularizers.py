"""Penalties on weights or on a layer's output, added to the loss.

L2 shrinks every number a little; L1 pulls each by the same step and so reaches exact zeros.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from labkit._common import Array, expect, named
from labkit._missing import left_out

__all__ = ["L1", "L1L2", "L2", "Regularizer", "get", "l1", "l1_l2", "l2"]

if not TYPE_CHECKING:
    __getattr__ = left_out(__name__)


class Regularizer:
    """A penalty: a number for an array, and that number's gradient."""

    def __call__(self, x: Array) -> float:
        """Return the penalty of `x`."""
        raise NotImplementedError

    def gradient(self, x: Array) -> Array:
        """Return the penalty's derivative with respect to each element of `x`."""
        raise NotImplementedError


@dataclass
class L1L2(Regularizer):
    r"""$l_1 \sum |x| + l_2 \sum x^2$.

    Args:
        l1: Weight of the sum of absolute values.
        l2: Weight of the sum of squares.

    Raises:
        ValueError: A weight is negative or not finite.
    """

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        expect(0 <= self.l1 < np.inf and 0 <= self.l2 < np.inf, "l1 and l2 must be >= 0", self)

    def __call__(self, x: Array) -> float:
        """Return the penalty of `x`."""
        return float(self.l1 * np.abs(x).sum() + self.l2 * np.square(x).sum())

    def gradient(self, x: Array) -> Array:
        """Return `l1 * sign(x) + 2 * l2 * x`."""
        return self.l1 * np.sign(x) + 2 * self.l2 * x


class L1(L1L2):
    r"""$l_1 \sum |x|$."""

    def __init__(self, l1: float = 0.01) -> None:
        super().__init__(l1=l1)


class L2(L1L2):
    r"""$l_2 \sum x^2$."""

    def __init__(self, l2: float = 0.01) -> None:
        super().__init__(l2=l2)


# As in Keras, each class may also be written as a function.
l1, l2, l1_l2 = L1, L2, L1L2


def get(identifier: str | Regularizer | None) -> Regularizer | None:
    """Return the regularizer that a name, an object or `None` stands for.

    Raises:
        ValueError: Unknown name, or not a regularizer.
    """
    return None if identifier is None else named(identifier, Regularizer, [L1, L2, L1L2])
