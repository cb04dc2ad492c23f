"""Normalization: to mean 0 and variance 1, then to a learned scale and shift."""

from typing import Any

import numpy as np

from labkit._typing import Array, Shape
from labkit.initializers import Initializer
from labkit.layers.core import column_sums, options
from labkit.layers.layer import Layer
from labkit.regularizers import Regularizer


class _Normalization(Layer):
    r"""$y = \gamma \hat x + \beta$, $\hat x = (x - \mu) / \sqrt{\sigma^2 + \epsilon}$."""

    expects = "(batch, features, ...)"

    def __init__(
        self,
        *,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: str | Initializer = "zeros",
        gamma_initializer: str | Initializer = "ones",
        beta_regularizer: str | Regularizer | None = None,
        gamma_regularizer: str | Regularizer | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not epsilon >= 0:
            raise ValueError(f"epsilon must be >= 0. Received: epsilon={epsilon}")
        self.epsilon, self.center, self.scale = epsilon, center, scale
        self._gamma_options = options(gamma_initializer, gamma_regularizer)
        self._beta_options = options(beta_initializer, beta_regularizer)

    def build(self, input_shape: Shape) -> None:
        """Make `gamma` and `beta`, one number for each feature."""
        shape = (self.fix_features(input_shape),)
        if self.scale:
            self.gamma = self.add_weight(shape, name="gamma", **self._gamma_options)
        if self.center:
            self.beta = self.add_weight(shape, name="beta", **self._beta_options)

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `gamma * normalized x + beta`."""
        rows = x.reshape(-1, x.shape[-1])
        mean, variance, fixed = self._moments(rows, training)
        deviation = np.sqrt(variance + self.epsilon)
        normalized = (rows - mean) / deviation
        self.saved = normalized, deviation, fixed
        y: Array = normalized * self.gamma if self.scale else normalized
        y = y + self.beta if self.center else y
        return y.reshape(x.shape)

    def backward(self, dy: Array) -> Array:
        r"""Return the gradient with respect to `x`.

        The moments depend on `x` as well; with $g$ for `dy * gamma`:
        $dx = (g - \overline g - \hat x \, \overline{g \hat x}) / \sigma$.
        """
        normalized, deviation, fixed = self.saved
        g = dy.reshape(normalized.shape)
        if self.center:
            self.gradients["beta"][...] = column_sums(g)
        if self.scale:
            np.einsum("rf,rf->f", g, normalized, out=self.gradients["gamma"])
            g = g * self.gamma
        if not fixed:
            g = g - self._mean(g) - normalized * self._mean(g * normalized)
        dx: Array = g / deviation
        return dx.reshape(dy.shape)

    def _mean(self, rows: Array) -> Array:
        """Return the mean over the axis that is normalized."""
        raise NotImplementedError

    def _moments(self, rows: Array, training: bool) -> tuple[Array, Array, bool]:
        """Return mean and variance, and whether these do not depend on `rows`."""
        mean = self._mean(rows)
        return mean, self._mean((rows - mean) ** 2), False


class BatchNormalization(_Normalization):
    """Normalize each feature over the batch (Ioffe and Szegedy, 2015).

    `x` is `(batch, ..., features)`. Training uses the mean and variance of the batch (and
    of all axes between), and keeps moving averages of both; these are used otherwise, and
    always when `trainable` is false.

    Args:
        momentum: Share of the old moving average that is kept at each step.
        moving_mean_initializer: First values of `moving_mean`.
        moving_variance_initializer: First values of `moving_variance`.
        **kwargs: As in `LayerNormalization`.

    Raises:
        ValueError: `momentum` outside [0, 1], or a negative `epsilon`.
    """

    def __init__(
        self,
        *,
        momentum: float = 0.99,
        moving_mean_initializer: str | Initializer = "zeros",
        moving_variance_initializer: str | Initializer = "ones",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not 0 <= momentum <= 1:
            raise ValueError(f"momentum must be from 0 to 1. Received: momentum={momentum}")
        self.momentum = momentum
        self._moving = moving_mean_initializer, moving_variance_initializer

    def build(self, input_shape: Shape) -> None:
        """Make `gamma`, `beta` and the moving averages, one number for each feature."""
        super().build(input_shape)
        shape, (mean, variance) = (self.fix_features(input_shape),), self._moving
        self.moving_mean = self.add_weight(shape, mean, trainable=False, name="moving_mean")
        self.moving_variance = self.add_weight(
            shape, variance, trainable=False, name="moving_variance"
        )

    def _mean(self, rows: Array) -> Array:
        return column_sums(rows) / len(rows)

    def _moments(self, rows: Array, training: bool) -> tuple[Array, Array, bool]:
        if not (training and self.trainable):
            return self.moving_mean, self.moving_variance, True
        mean, variance, _ = super()._moments(rows, training)
        self.moving_mean += (1 - self.momentum) * (mean - self.moving_mean)
        self.moving_variance += (1 - self.momentum) * (variance - self.moving_variance)
        return mean, variance, False


class LayerNormalization(_Normalization):
    """Normalize the features of each sample (Ba et al., 2016), always in the same way.

    `x` is `(batch, ..., features)`.

    Args:
        epsilon: Added to the variance.
        center: Whether to add `beta`.
        scale: Whether to multiply by `gamma`.
        beta_initializer: First values of `beta`.
        gamma_initializer: First values of `gamma`.
        beta_regularizer: Penalty on `beta`.
        gamma_regularizer: Penalty on `gamma`.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: A negative `epsilon`.
    """

    def _mean(self, rows: Array) -> Array:
        mean: Array = rows.mean(1, keepdims=True)
        return mean
