"""Windows that slide over images and signals: sizes, padding, and where they lie.

Shared by convolution and pooling, for any number of axes between batch and channels.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from labkit._typing import Array, Shape


def per_axis(layer: str, name: str, value: Any, rank: int) -> tuple[int, ...]:
    """Return one positive integer per axis, from such a tuple or one integer for all."""
    sizes = tuple(value) if isinstance(value, tuple | list) else (value,) * rank
    whole = all(isinstance(size, int | np.integer) and size > 0 for size in sizes)
    if not whole or len(sizes) != rank:
        raise ValueError(
            f"{layer} expects {name} to be {rank} integers >= 1, or one for all axes. "
            f"Received: {name}={value!r}"
        )
    return tuple(int(size) for size in sizes)


class Windows:
    """Windows of one size that slide over the middle axes of `(batch, ..., channels)`.

    Args:
        layer: The layer's name, for messages.
        size: Size of a window along each axis.
        strides: Steps from one window to the next along each axis.
        padding: `"valid"` for windows inside the input only; `"same"` for
            `ceil(input / stride)` of them, with the input in the middle (one more row of
            padding after than before if it is odd).

    Raises:
        ValueError: Another padding.
    """

    def __init__(
        self, layer: str, size: tuple[int, ...], strides: tuple[int, ...], padding: str
    ) -> None:
        if padding not in ("valid", "same"):
            raise ValueError(
                f"{layer} expects padding 'valid' or 'same'. Received: padding={padding!r}"
            )
        self.layer, self.size, self.strides, self.padding = layer, size, strides, padding

    def counts(self, shape: Shape) -> tuple[Any, ...]:
        """Return the number of windows along each axis (`None` where the size is).

        Raises:
            ValueError: The input is smaller than a window.
        """
        if self.padding == "same":
            outside = [0] * len(self.size)
        else:
            outside = [size - 1 for size in self.size]
        counts = tuple(
            None if inputs is None else -(-(inputs - less) // stride)
            for inputs, less, stride in zip(shape[1:-1], outside, self.strides, strict=True)
        )
        if any(count is not None and count < 1 for count in counts):
            raise ValueError(
                f"{self.layer} with windows of {self.size} and padding='valid' expects "
                f"inputs as large as a window. Received: x.shape={shape}"
            )
        return counts

    def pad(self, x: Array, value: float = 0.0) -> Array:
        """Return `x` with the padding that the windows need."""
        axes = zip(
            self.counts(x.shape), self.size, self.strides, x.shape[1:-1], strict=True
        )
        totals = [
            max((count - 1) * stride + size - inputs, 0)
            for count, size, stride, inputs in axes
        ]
        return pad(x, [(total // 2, total - total // 2) for total in totals], value)

    def crop(self, padded: Array, shape: tuple[int, ...]) -> Array:
        """Return the part of a padded array that came from an input of that shape."""
        starts = [(p - s) // 2 for p, s in zip(padded.shape, shape, strict=True)]
        inside = [slice(a, a + size) for a, size in zip(starts, shape, strict=True)]
        return padded[tuple(inside)]

    def places(self, padded: Array) -> Iterator[Array]:
        """Yield for each place in a window a view of what lies there in all windows.

        The places come row by row, and each view is `(batch, windows..., channels)`.
        """
        for place in np.ndindex(*self.size):
            axes = zip(place, padded.shape[1:-1], self.size, self.strides, strict=True)
            index = [
                slice(first, inputs - size + first + 1, stride)
                for first, inputs, size, stride in axes
            ]
            yield padded[(slice(None), *index)]


def pad(x: Array, before_after: list[tuple[int, int]], value: float = 0.0) -> Array:
    """Return `x` with padding before and after along each middle axis."""
    if not any(map(any, before_after)):
        return x
    axes = list(zip(x.shape[1:-1], before_after, strict=True))
    sizes = [before + size + after for size, (before, after) in axes]
    inside = [slice(before, before + size) for size, (before, _) in axes]
    padded = np.full((len(x), *sizes, x.shape[-1]), value, x.dtype)
    padded[(slice(None), *inside)] = x
    return padded
