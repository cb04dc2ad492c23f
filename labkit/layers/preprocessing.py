"""Layers that bring raw numbers to the size that training likes.

As parts of a model they travel with it: what was learned from the training data, by `adapt`,
is done to new data in the same way.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from labkit._batches import is_array
from labkit._common import Array, Shape, expect, numbers
from labkit.layers.layer import Layer


class Rescaling(Layer):
    """`x * scale + offset`: with `Rescaling(1 / 255)`, bytes become numbers from 0 to 1.

    Args:
        scale: A number, or one for each feature.
        offset: A number, or one for each feature.
        **kwargs: As in `Layer`.
    """

    def __init__(self, scale: ArrayLike, offset: ArrayLike = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale, self.offset = (np.asarray(value, self.dtype) for value in (scale, offset))

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `x * scale + offset`."""
        return np.asarray(x * self.scale + self.offset)

    def backward(self, dy: Array) -> Array:
        """Return `dy * scale`."""
        return np.asarray(dy * self.scale)


class Normalization(Layer):
    """Shift and scale features to mean 0 and variance 1, as measured once on some data.

    The output is `(x - mean) / sqrt(variance)`. `adapt` measures both; they are weights that
    training does not change.

    Args:
        axis: The axis, or axes, of which each place has a mean of its own; `None` for a
            single one.
        mean: The mean, if it is known; a number, or one for each place.
        variance: The variance, if it is known.
        invert: Whether to do the opposite: `x * sqrt(variance) + mean`.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: One of `mean` and `variance` is missing, or their shapes do not fit.
    """

    def __init__(
        self,
        axis: int | tuple[int, ...] | None = -1,
        mean: ArrayLike | None = None,
        variance: ArrayLike | None = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = () if axis is None else tuple(np.atleast_1d(axis).tolist())
        shapes = [None if value is None else np.shape(value) for value in (mean, variance)]
        fits = shapes[0] == shapes[1] and (shapes[0] is None or len(shapes[0]) <= len(self.axis))
        wanted = "Normalization expects mean and variance of one shape, with no more axes than axis"
        expect(fits, wanted, shapes)
        self.known = None if mean is None else (mean, variance)
        self.invert = invert

    def build(self, input_shape: Shape) -> None:
        """Make `mean` and `variance`, unless they are known."""
        inside = all(-len(input_shape) <= axis < len(input_shape) for axis in self.axis)
        expect(
            inside, f"Normalization over axis={self.axis} needs an input that has it", input_shape
        )
        kept = sorted({axis % len(input_shape) for axis in self.axis})
        self.pooled = tuple(axis for axis in range(len(input_shape)) if axis not in kept)
        shape: Any = tuple(input_shape[axis] for axis in kept)
        expect(None not in shape, "Normalization needs known sizes along its axes", input_shape)
        if len(input_shape) - 1 in kept:
            self.fix_features(input_shape)
        # Beside the other axes, the places lie along axes of their own.
        self.beside: Any = [input_shape[a] if a in kept else 1 for a in range(len(input_shape))]
        if self.known is None:
            self.mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
            self.variance = self.add_weight(shape, "ones", trainable=False, name="variance")
            # Always 0. Keras keeps it for old files, and files should fit both.
            self.add_weight((), "zeros", trainable=False, name="count")
        else:
            self.mean, self.variance = (
                np.broadcast_to(np.asarray(value, self.dtype), shape) for value in self.known
            )

    def adapt(self, data: Any) -> None:
        """Measure mean and variance.

        Args:
            data: Array `(samples, ...)`, or an iterable of batches `(batch, ...)`.

        Raises:
            TypeError: The data are not numbers.
            ValueError: There are none, the shapes differ, or mean and variance are known.
        """
        expect(self.known is None, "Normalization knows mean and variance already", self.known)
        count, mean, square = 0, np.zeros(()), np.zeros(())
        for batch in [data] if is_array(data) else data:
            x = numbers("data", batch).astype(np.float64)
            expect(x.ndim and x.size, "Normalization.adapt needs samples", x.shape)
            self.build(x.shape)
            # Two parts' means and sums of squares make those of both (Chan et al. 1979).
            size = x.size // max(1, self.mean.size)
            there = x.mean(self.pooled)
            expect(
                there.shape == self.mean.shape, f"{self.name} expects {self.mean.shape}", x.shape
            )
            distance, count = there - mean, count + size
            square = (
                square + x.var(self.pooled) * size + distance**2 * size * (count - size) / count
            )
            mean = mean + distance * size / count
        expect(count, "Normalization.adapt needs samples", "none")
        self.mean[...], self.variance[...] = mean, square / count

    def call(self, x: Array, training: bool = False) -> Array:
        """Return the normalized `x`."""
        mean = self.mean.reshape(self.beside)
        deviation = np.maximum(np.sqrt(self.variance), 1e-7).reshape(self.beside)
        self.saved = deviation if self.invert else 1 / deviation
        return np.asarray(x * deviation + mean if self.invert else (x - mean) / deviation)

    def backward(self, dy: Array) -> Array:
        """Return the gradient with respect to `x`."""
        return np.asarray(dy * self.saved)
