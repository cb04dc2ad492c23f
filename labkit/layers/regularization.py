"""Layers that disturb training so that a network does not lean on single units."""

from typing import Any

import numpy as np

from labkit import _random
from labkit._typing import Array
from labkit.layers.layer import Layer


class Dropout(Layer):
    """In training, zeroes each number with some probability and scales up the others.

    The scale `1 / (1 - rate)` keeps the expected sum; otherwise the layer does nothing
    (Srivastava et al., 2014).

    Args:
        rate: Probability of a zero, from 0 to 1.
        seed: A stream of its own; `None` means the shared stream.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: `rate` is outside [0, 1].
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate <= 1:
            raise ValueError(f"Dropout expects 0 <= rate <= 1. Received: rate={rate}")
        self.rate = rate
        self._random = None if seed is None else np.random.default_rng(seed)

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `x` with numbers zeroed, or `x` itself outside training."""
        self.saved = None
        if not training or self.rate == 0:
            return x
        random = self._random or _random.generator()
        keep = random.random(x.shape, np.float32) >= self.rate
        scale = 1 / (1 - self.rate) if self.rate < 1 else 0.0
        mask: Array = keep.astype(x.dtype) * scale
        self.saved = mask
        return x * mask

    def backward(self, dy: Array) -> Array:
        """Return `dy`, with the same numbers zeroed and scaled."""
        return dy if self.saved is None else dy * self.saved
