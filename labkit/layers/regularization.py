"""Layers that disturb training so that a network does not lean on single units."""

from typing import Any

import numpy as np

from labkit._common import Array, expect, rng
from labkit.layers.layer import Layer


class Dropout(Layer):
    """In training, zeroes each number with some probability and scales up the others.

    The scale `1 / (1 - rate)` keeps the expected sum; otherwise the layer does nothing
    (Srivastava et al., 2014).

    Args:
        rate: Probability of a zero, from 0 to 1.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: `rate` is outside [0, 1].
    """

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        expect(0 <= rate <= 1, "Dropout expects 0 <= rate <= 1", f"rate={rate}")
        self.rate = rate

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `x` with numbers zeroed, or `x` itself outside training."""
        self.saved = None
        if not training or self.rate == 0:
            return x
        keep = rng.random(x.shape, np.float32) >= self.rate
        self.saved = keep.astype(x.dtype) / max(1 - self.rate, 1e-9)  # of rate 1 none is kept
        return np.asarray(x * self.saved)

    def backward(self, dy: Array) -> Array:
        """Return `dy`, with the same numbers zeroed and scaled."""
        return dy if self.saved is None else dy * self.saved
