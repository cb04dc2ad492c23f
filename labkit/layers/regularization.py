"""Noise that training has to cope with, so that the model relies on no single number."""

from typing import Any

from labkit._common import Array, expect, rng
from labkit.layers.layer import Layer


class GaussianNoise(Layer):
    """In training, adds normal numbers of mean 0; otherwise the layer does nothing.

    Args:
        stddev: Standard deviation of the noise.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: `stddev` is not from 0 to 1, as in Keras.
    """

    def __init__(self, stddev: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        expect(0 <= stddev <= 1, "GaussianNoise expects stddev from 0 to 1", stddev)
        self.stddev = stddev

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `x` with noise, or `x` itself outside training."""
        if not training or self.stddev == 0:
            return x
        return x + (self.stddev * rng.standard_normal(x.shape)).astype(x.dtype)

    def backward(self, dy: Array) -> Array:
        """Return `dy`: the noise does not depend on `x`."""
        return dy
