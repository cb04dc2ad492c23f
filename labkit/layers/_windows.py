"""Windows that slide over images and signals: sizes, padding, and where they lie.

Shared by convolution and pooling, for any number of axes between batch and channels.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from labkit._common import Array, Shape, Sizes, expect
from labkit.layers.layer import Layer


class Windows:
    """Windows of one size that slide over the middle axes of `(batch, ..., channels)`.

    Args:
        layer: The layer, for messages.
        size: Size of a window along each axis.
        strides: Steps from one window to the next along each axis.
        padding: `"valid"` for windows inside the input only; `"same"` for
            `ceil(input / stride)` of them, with the input in the middle (one more row of
            padding after than before if it is odd).
        dilation: Along each axis, steps from one place in a window to the next.

    Raises:
        ValueError: `padding` is neither of these.
    """

    def __init__(
        self, layer: Layer, size: Sizes, strides: Sizes, padding: str, dilation: Sizes = ()
    ) -> None:
        self.layer = type(layer).__name__
        known = isinstance(padding, str) and padding.lower() in ("valid", "same")
        expect(known, f"{self.layer} expects padding 'valid' or 'same'", repr(padding))
        self.size, self.strides, self.padding = size, strides, padding.lower()
        self.dilation = dilation or (1,) * len(size)
        # From the first place in a window to the last, along each axis.
        self.span = tuple(
            (taps - 1) * hop + 1 for taps, hop in zip(size, self.dilation, strict=True)
        )
        self.apart = all(
            length <= stride for length, stride in zip(self.span, strides, strict=True)
        )

    def counts(self, shape: Shape) -> tuple[Any, ...]:
        """Return the number of windows along each axis (`None` where the size is).

        Raises:
            ValueError: The input is smaller than a window.
        """
        same, axes = self.padding == "same", zip(shape[1:-1], self.span, self.strides, strict=True)
        counts = tuple(n and math.ceil((n if same else n - k + 1) / s) for n, k, s in axes)
        wanted = f"{self.layer} without padding expects inputs as large as {self.span}"
        expect(all(n is None or n >= 1 for n in counts), wanted, f"x.shape={shape}")
        return counts

    def pad(self, x: Array, value: float = 0.0) -> Array:
        """Return `x` with the padding that the windows need."""
        counts = self.counts(x.shape)
        if self.padding == "valid":
            return x
        axes = zip(counts, self.span, self.strides, x.shape[1:-1], strict=True)
        needed = [max((count - 1) * stride + size, n) for count, size, stride, n in axes]
        padded = np.full((len(x), *needed, x.shape[-1]), value, x.dtype)
        middle(padded, x.shape)[...] = x
        return padded

    def places(self, padded: Array) -> Iterator[Array]:
        """Yield for each place in a window a view of what lies there in all windows.

        The places come row by row, and each view is `(batch, windows..., channels)`.
        """
        for place in itertools.product(*map(range, self.size)):
            starts = [p * hop for p, hop in zip(place, self.dilation, strict=True)]
            axes = zip(starts, padded.shape[1:-1], self.span, self.strides, strict=True)
            index = [slice(p, n - span + p + 1, stride) for p, n, span, stride in axes]
            yield padded[(slice(None), *index)]


def middle(padded: Array, shape: Sizes) -> Array:
    """Return a view of the part of a padded array in which an input of that shape lies."""
    starts = [(p - n) // 2 for p, n in zip(padded.shape, shape, strict=True)]
    return padded[tuple(slice(a, a + n) for a, n in zip(starts, shape, strict=True))]
