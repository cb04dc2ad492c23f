"""Which steps of a sequence count."""

from typing import Any

import numpy as np

from labkit._common import Array
from labkit.layers.layer import Layer


class Masking(Layer):
    """Skip the steps all of whose numbers have one value, which fills up short sequences.

    The layers behind it that take a mask get the one that `compute_mask` returns; the skipped steps
    themselves become zeros.

    Args:
        mask_value: That value.
        **kwargs: As in `Layer`.
    """

    expects = "(batch, steps, ...)"

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `x` with zeros at the steps that are skipped."""
        self.saved = self.compute_mask(x)[..., None]
        return np.asarray(x * self.saved)

    def backward(self, dy: Array) -> Array:
        """Return `dy` with zeros at the steps that are skipped."""
        return np.asarray(dy * self.saved)

    def compute_mask(self, inputs: Array, mask: Array | None = None) -> Any:
        """Return which steps count, `(batch, steps)`.

        Args:
            inputs: `(batch, steps, features)`.
            mask: Not used: what was skipped before is zero by now.
        """
        return np.any(inputs != self.mask_value, axis=-1)
