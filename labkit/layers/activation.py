"""Activations that are layers because they have a setting of their own."""

from typing import Any

from labkit import activations
from labkit._common import Array, expect
from labkit.layers.layer import Layer


class ReLU(Layer):
    """The input where it is positive, else 0; or, with settings, a variant of that.

    It is `labkit.activations.relu` with these settings.

    Args:
        max_value: Largest value of the output; `None` for no limit.
        negative_slope: The output below the threshold is `negative_slope * (x - threshold)`.
        threshold: Where the function turns from one slope to the other.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: One of these is negative.
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        settings = max_value, negative_slope, threshold
        fits = min(0 if max_value is None else max_value, negative_slope, threshold) >= 0
        wanted = f"{type(self).__name__} expects max_value, negative_slope and threshold >= 0"
        expect(fits, wanted, settings)
        self.max_value, self.negative_slope, self.threshold = settings

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `relu(x)`."""
        y = activations.relu(x, self.negative_slope, self.max_value, self.threshold)
        self.saved = x, y
        return y

    def backward(self, dy: Array) -> Array:
        """Return the gradient with respect to `x`: `dy` times the slope there."""
        x, y = self.saved
        slope = activations.vjp[activations.relu]
        return slope(dy, x, y, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(ReLU):
    """The input where it is positive, else `negative_slope` times the input.

    Its slope is 0.3, where that of the function `labkit.activations.leaky_relu` is 0.2.

    Args:
        negative_slope: The slope below 0.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: The slope is negative.
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        super().__init__(negative_slope=negative_slope, **kwargs)
