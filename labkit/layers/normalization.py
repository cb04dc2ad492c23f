"""Normalization: to mean 0 and variance 1, then to a learned scale and shift."""

from functools import partial
from typing import Any, ClassVar

import numpy as np

from labkit._common import Array, Shape, expect
from labkit.layers.core import column_sums
from labkit.layers.layer import Layer


class _Normalization(Layer):
    r"""$y = \gamma \hat x + \beta$, $\hat x = (x - \mu) / \sqrt{\sigma^2 + \epsilon}$."""

    supports_masking = True
    expects = "(batch, features, ...)"
    first_values: ClassVar = {"gamma": "ones", "beta": "zeros"}

    def __init__(
        self, *, epsilon: float = 0.001, center: bool = True, scale: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        expect(epsilon >= 0, "epsilon must be >= 0", f"epsilon={epsilon}")
        self.epsilon, self.center, self.scale = epsilon, center, scale

    def build(self, input_shape: Shape) -> None:
        """Make `gamma` and `beta`, one number for each feature."""
        shape = (self.fix_features(input_shape),)
        self.gamma = self.add_weight(shape, name="gamma") if self.scale else None
        self.beta = self.add_weight(shape, name="beta") if self.center else None

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `gamma * normalized x + beta`."""
        rows = x.reshape(-1, x.shape[-1])
        mean, variance, fixed = self._moments(rows, training)
        deviation = np.sqrt(variance + self.epsilon)
        normalized = (rows - mean) / deviation
        self.saved = normalized, deviation, fixed
        y = normalized if self.gamma is None else normalized * self.gamma
        return np.reshape(y if self.beta is None else y + self.beta, x.shape)

    def backward(self, dy: Array) -> Array:
        r"""Return the gradient with respect to `x`.

        The moments depend on `x` as well; with $g$ for `dy * gamma`:
        $dx = (g - \overline g - \hat x \, \overline{g \hat x}) / \sigma$.
        """
        normalized, deviation, fixed = self.saved
        rows = dy.reshape(normalized.shape)
        if self.beta is not None:
            self.gradients["beta"][...] = column_sums(rows)
        g = rows
        if self.gamma is not None:
            np.einsum("rf,rf->f", rows, normalized, out=self.gradients["gamma"])
            g = rows * self.gamma
        if not fixed:
            g = g - self._mean_slope(g) - normalized * self._mean_slope(g * normalized)
        return np.reshape(g / deviation, dy.shape)

    def _mean(self, rows: Array) -> Array:
        """Return the mean over the axis that is normalized."""
        raise NotImplementedError

    def _mean_slope(self, rows: Array) -> Array:
        """Return for each row what the mean's gradient is made of."""
        return self._mean(rows)

    def _moments(self, rows: Array, training: bool) -> tuple[Array, Array, bool]:
        """Return mean and variance, and whether these do not depend on `rows`."""
        mean = self._mean(rows)
        return mean, self._mean((rows - mean) ** 2), False


class BatchNormalization(_Normalization):
    """Normalize each feature over the batch (Ioffe and Szegedy, 2015).

    `x` is `(batch, ..., features)`. Training uses the mean and variance of the batch (and
    of all axes between), and keeps moving averages of both; these are used otherwise, and
    always when `trainable` is false. Where the input has a mask, `(batch, steps)`, only the steps
    that count enter the mean and variance.

    Args:
        momentum: Share of the old moving average that is kept at each step.
        **kwargs: As in `LayerNormalization`.

    Raises:
        ValueError: `momentum` is outside [0, 1], or `epsilon` is negative.
    """

    def __init__(self, *, momentum: float = 0.99, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        expect(0 <= momentum <= 1, "momentum must be from 0 to 1", f"momentum={momentum}")
        self.momentum = momentum

    def build(self, input_shape: Shape) -> None:
        """Make `gamma`, `beta` and the moving averages, one number for each feature."""
        super().build(input_shape)
        average = partial(self.add_weight, (self.fix_features(input_shape),), trainable=False)
        self.moving_mean = average("zeros", name="moving_mean")
        self.moving_variance = average("ones", name="moving_variance")

    def call(self, x: Array, training: bool = False, mask: Array | None = None) -> Array:
        """Return `gamma * normalized x + beta`."""
        self._counts = None if mask is None else mask.reshape(-1, 1).astype(x.dtype)
        y = super().call(x, training)
        self.saved = *self.saved, self._counts
        return y

    def backward(self, dy: Array) -> Array:
        """See `LayerNormalization.backward`; only rows that count had a part in the moments."""
        *self.saved, self._counts = self.saved
        return super().backward(dy)

    def _mean(self, rows: Array) -> Array:
        if self._counts is None:
            return column_sums(rows) / len(rows)
        return np.asarray(column_sums(rows * self._counts) / max(self._counts.sum(), 1))

    def _mean_slope(self, rows: Array) -> Array:
        if self._counts is None:
            return self._mean(rows)
        return np.asarray(self._counts * column_sums(rows) / max(self._counts.sum(), 1))

    def _moments(self, rows: Array, training: bool) -> tuple[Array, Array, bool]:
        if not (training and self.trainable):
            return self.moving_mean, self.moving_variance, True
        mean, variance, _ = super()._moments(rows, training)
        self.moving_mean += (1 - self.momentum) * (mean - self.moving_mean)
        self.moving_variance += (1 - self.momentum) * (variance - self.moving_variance)
        return mean, variance, False


class LayerNormalization(_Normalization):
    """Normalize the features of each sample, in training and otherwise (Ba et al., 2016).

    `x` is `(batch, ..., features)`.

    Args:
        epsilon: Added to the variance.
        center: Whether to learn a shift, `beta`.
        scale: Whether to learn a scale, `gamma`.
        **kwargs: `gamma_initializer`, `beta_initializer`, `gamma_regularizer`,
            `beta_regularizer`, and those of `Layer`.

    Raises:
        ValueError: `epsilon` is negative.
    """

    def _mean(self, rows: Array) -> Array:
        return np.asarray(rows.mean(1, keepdims=True))


class GroupNormalization(_Normalization):
    """Normalize groups of the features of each sample, over all places (Wu and He, 2018).

    `x` is `(batch, ..., features)`. With one group it is normalized over all but the batch; with
    as many groups as features, each feature for itself over the places. Unlike
    `BatchNormalization`, a sample's result does not depend on the others.

    Args:
        groups: Number of groups, each of as many neighboring features; -1 means one a feature.
        **kwargs: As in `LayerNormalization`.

    Raises:
        ValueError: The groups do not divide the features evenly, or `epsilon` is negative.
    """

    def __init__(self, groups: int = 32, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        fits = isinstance(groups, int | np.integer) and (groups == -1 or groups >= 1)
        expect(fits, "GroupNormalization expects groups to be an integer >= 1, or -1", groups)
        self.groups = groups

    def build(self, input_shape: Shape) -> None:
        """Make `gamma` and `beta`, one number for each feature."""
        features = self.fix_features(input_shape)
        self.groups = features if self.groups == -1 else self.groups
        wanted = f"GroupNormalization expects {features} features in groups of one size"
        expect(features % self.groups == 0, wanted, f"{self.groups} groups")
        super().build(input_shape)

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `gamma * normalized x + beta`."""
        self._samples = len(x)
        return super().call(x, training)

    def backward(self, dy: Array) -> Array:
        """Return the gradient with respect to `x`."""
        self._samples = len(dy)
        return super().backward(dy)

    def _mean(self, rows: Array) -> Array:
        size = rows.shape[1] // self.groups
        parts = rows.reshape(self._samples, -1, self.groups, size)
        means = parts.mean((1, 3), keepdims=True)
        return np.broadcast_to(means, parts.shape).reshape(rows.shape)
