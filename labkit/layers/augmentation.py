"""Random changes of images that leave what they show: more data without new pictures.

They happen in training only. A moved pixel rarely lands on a pixel: each pixel of the output
asks where it comes from, and mixes the four pixels around that place.
"""

import itertools
from typing import Any

import numpy as np

from labkit._common import Array, expect, rng
from labkit.layers.layer import Layer


class RandomFlip(Layer):
    """Flips each image with probability 1/2.

    Args:
        mode: `"horizontal"` exchanges left and right, `"vertical"` top and bottom, and
            `"horizontal_and_vertical"` does both to the same images.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: The mode is unknown.
    """

    expects = "(batch, height, width, channels)"

    def __init__(self, mode: str = "horizontal_and_vertical", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        axes = {"horizontal": (2,), "vertical": (1,), "horizontal_and_vertical": (1, 2)}
        expect(mode in axes, f"mode must be one of {[*axes]}", repr(mode))
        self.axes = axes[mode]

    def call(self, x: Array, training: bool = True) -> Array:
        """Return `x` with some images flipped, or `x` itself outside training."""
        self.saved = rng.random(len(x)) <= 0.5 if training else np.zeros(len(x), bool)
        return self._flipped(x)

    def backward(self, dy: Array) -> Array:
        """Return `dy`, flipped in the same way."""
        return self._flipped(dy)

    def _flipped(self, x: Array) -> Array:
        return np.where(self.saved[:, None, None, None], np.flip(x, self.axes), x)


class _RandomMove(Layer):
    """Base of the layers whose pixels come from elsewhere; a subclass says from where.

    Args:
        fill_mode: What lies beyond the edges: `"reflect"` the mirrored image, `"wrap"` the
            image again, `"nearest"` its last row or column, `"constant"` the `fill_value`.
        interpolation: `"bilinear"` mixes the four pixels around a place, `"nearest"` takes the
            nearest one.
        fill_value: See `fill_mode`.
        **kwargs: As in `Layer`.
    """

    expects = "(batch, height, width, channels)"

    def __init__(
        self,
        *,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        modes, kinds = ("reflect", "wrap", "constant", "nearest"), ("nearest", "bilinear")
        expect(fill_mode in modes, f"fill_mode must be one of {modes}", repr(fill_mode))
        expect(interpolation in kinds, f"interpolation must be one of {kinds}", interpolation)
        self.fill_mode, self.interpolation = fill_mode, interpolation
        self.fill_value = fill_value

    def sources(self, samples: int, height: int, width: int) -> tuple[Array, Array]:
        """Draw where the pixels come from: rows and columns, `(samples, height, width)` each."""
        raise NotImplementedError

    def call(self, x: Array, training: bool = True) -> Array:
        """Return the moved images, or `x` itself outside training."""
        self.saved = None
        if not training:
            return x
        corners = list(self._corners(*self.sources(*x.shape[:3]), x.dtype))
        flat = x.reshape(len(x), -1, x.shape[-1])  # (batch, pixels, channels)
        y: Any = sum(weight * np.take_along_axis(flat, i, 1) for i, weight in corners)
        y += self.fill_value * (1 - sum(weight for _, weight in corners))
        self.saved = corners
        return np.asarray(y, x.dtype).reshape(x.shape)

    def backward(self, dy: Array) -> Array:
        """Return `dy`, brought back to where the pixels came from."""
        if self.saved is None:
            return dy
        flat = dy.reshape(len(dy), -1, dy.shape[-1])
        dx, samples = np.zeros_like(flat), np.arange(len(dy))[:, None]
        for i, weight in self.saved:
            np.add.at(dx, (samples, i[..., 0]), weight * flat)
        return dx.reshape(dy.shape)

    def _corners(self, rows: Array, columns: Array, dtype: Any) -> Any:
        """Yield the pixels around each place and their weights, `(batch, pixels, 1)` each."""
        height, width = rows.shape[1:]
        rows, columns = self._inside(rows, height), self._inside(columns, width)
        if self.interpolation == "nearest":
            rows, columns = (np.trunc(v + np.copysign(0.5, v)) for v in (rows, columns))
        top, left = np.floor(rows), np.floor(columns)
        for down, right in itertools.product((0, 1), repeat=2):
            row, column = top + down, left + right
            weight = (1 - abs(rows - row)) * (1 - abs(columns - column))
            weight *= (row >= 0) & (row < height) & (column >= 0) & (column < width)
            i = np.clip(row, 0, height - 1) * width + np.clip(column, 0, width - 1)
            shape = (len(i), -1, 1)
            yield i.reshape(shape).astype(np.intp), weight.reshape(shape).astype(dtype)

    def _inside(self, places: Array, length: int) -> Array:
        """Return the places of an axis, those beyond its ends brought back, as TensorFlow does."""
        if self.fill_mode == "constant":
            return places
        last = max(length - 1, 1)
        if self.fill_mode == "reflect":  # d c b a | a b c d | d c b a
            places = places % (2 * length)
            places = np.where(places < length, places, 2 * length - 1 - places)
        elif self.fill_mode == "wrap":  # a b c d | a b c d | a b c d
            before = places + length * (np.floor(-places / last) + 1)
            after = places - length * np.floor(places / last)
            places = np.where(places < 0, before, np.where(places > length - 1, after, places))
        return np.clip(places, 0, length - 1)


class RandomTranslation(_RandomMove):
    """Moves each image by a random distance.

    Args:
        height_factor: The largest distance down or up, as a share of the height; or the two
            ends, negative for up, from which it is drawn.
        width_factor: The largest distance to the right or left, as a share of the width; or the
            two ends, negative for left.
        **kwargs: `fill_mode`, `interpolation`, `fill_value`, and those of `Layer`.

    Raises:
        ValueError: A factor is not from -1 to 1, or a mode is unknown.
    """

    def __init__(
        self,
        height_factor: float | tuple[float, float],
        width_factor: float | tuple[float, float],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.height_factor = _ends(self, "height_factor", height_factor)
        self.width_factor = _ends(self, "width_factor", width_factor)

    def sources(self, samples: int, height: int, width: int) -> tuple[Array, Array]:
        """See `_RandomMove.sources`."""
        down = height * rng.uniform(*self.height_factor, (samples, 1, 1))
        right = width * rng.uniform(*self.width_factor, (samples, 1, 1))
        return moved(height, width, down, right)


class RandomRotation(_RandomMove):
    """Turns each image around its center by a random angle.

    Args:
        factor: The largest angle to either side, as a share of a full turn; or the two ends from
            which it is drawn, positive for counterclockwise.
        **kwargs: `fill_mode`, `interpolation`, `fill_value`, and those of `Layer`.

    Raises:
        ValueError: The factor is not from -1 to 1, or a mode is unknown.
    """

    def __init__(self, factor: float | tuple[float, float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = _ends(self, "factor", factor)

    def sources(self, samples: int, height: int, width: int) -> tuple[Array, Array]:
        """See `_RandomMove.sources`."""
        return turned(height, width, 2 * np.pi * rng.uniform(*self.factor, (samples, 1, 1)))


def moved(height: int, width: int, down: Array, right: Array) -> tuple[Array, Array]:
    """Return where pixels come from if images move by these distances, `(samples, 1, 1)` each."""
    rows, columns = np.indices((height, width))
    return rows - down + 0 * right, columns - right + 0 * down


def turned(height: int, width: int, angle: Array) -> tuple[Array, Array]:
    """Return where pixels come from if images turn by an angle in radians, `(samples, 1, 1)`."""
    rows, columns = np.indices((height, width))
    middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
    y, x = rows - middle_row, columns - middle_column
    # Rows count downward, so that this turns counterclockwise.
    from_x = np.cos(angle) * x - np.sin(angle) * y
    from_y = np.sin(angle) * x + np.cos(angle) * y
    return from_y + middle_row, from_x + middle_column


def _ends(layer: Layer, name: str, factor: Any) -> tuple[float, float]:
    """Return the two ends of a range, given as such or as the largest distance from 0."""
    ends = sorted(factor) if isinstance(factor, tuple | list) else [-abs(factor), abs(factor)]
    fits = len(ends) == 2 and -1 <= ends[0] <= ends[1] <= 1
    expect(fits, f"{type(layer).__name__} expects {name} from -1 to 1", factor)
    return ends[0], ends[1]
