"""Normalization: to mean 0 and variance 1, then to a learned scale and shift."""

from typing import Any

import numpy as np

from labkit._typing import Array, Shape
from labkit.initializers import Initializer
from labkit.layers.core import known
from labkit.layers.layer import Layer
from labkit.regularizers import Regularizer

__all__ = ["BatchNormalization", "LayerNormalization"]


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
            raise ValueError(
                f"{type(self).__name__} expects epsilon >= 0. Received: epsilon={epsilon}"
            )
        self.epsilon, self.center, self.scale = epsilon, center, scale
        self.beta_initializer, self.beta_regularizer = beta_initializer, beta_regularizer
        self.gamma_initializer, self.gamma_regularizer = (
            gamma_initializer,
            gamma_regularizer,
        )

    def build(self, input_shape: Shape) -> None:
        """Make `gamma` and `beta`, one number for each feature."""
        features = self._features = known(type(self).__name__, input_shape, -1)
        if self.scale:
            self.gamma = self.add_weight(
                (features,),
                self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                name="gamma",
            )
        if self.center:
            self.beta = self.add_weight(
                (features,),
                self.beta_initializer,
                regularizer=self.beta_regularizer,
                name="beta",
            )

    def _scale_and_shift(self, normalized: Array) -> Array:
        y = normalized * self.gamma if self.scale else normalized
        return y + self.beta if self.center else y

    def _backward_of_scale_and_shift(self, dy: Array, normalized: Array) -> Array:
        """Fill the gradients and return the one with respect to `normalized`."""
        rows = dy.reshape(-1, dy.shape[-1])
        if self.center:
            rows.sum(0, out=self.gradients["beta"])
        if self.scale:
            dgamma = np.einsum("nf,nf->f", rows, normalized.reshape(rows.shape))
            self.gradients["gamma"][...] = dgamma
            return dy * self.gamma
        return dy

    def _backward_of_moments(
        self, dn: Array, normalized: Array, deviation: Array, axes: tuple[int, ...]
    ) -> Array:
        r"""Return the gradient with respect to `x`, whose moments depend on `x` as well.

        With $\hat x$ for `normalized`:
        $dx = (dn - \overline{dn} - \hat x \, \overline{dn \, \hat x}) / \sigma$.
        """
        centered: Array = dn - dn.mean(axes, keepdims=True)
        centered -= normalized * (dn * normalized).mean(axes, keepdims=True)
        centered /= deviation
        return centered


class BatchNormalization(_Normalization):
    """Normalize each feature over the batch (Ioffe and Szegedy, 2015).

    `x` is `(batch, ..., features)`. Training uses the mean and variance of the batch (and
    of all axes between), and keeps moving averages of both; these are used otherwise, and
    always when `trainable` is false.

    Args:
        momentum: Share of the old moving average that is kept at each step.
        epsilon: Added to the variance.
        center: Whether to add `beta`.
        scale: Whether to multiply by `gamma`.
        beta_initializer: First values of `beta`.
        gamma_initializer: First values of `gamma`.
        moving_mean_initializer: First values of `moving_mean`.
        moving_variance_initializer: First values of `moving_variance`.
        beta_regularizer: Penalty on `beta`.
        gamma_regularizer: Penalty on `gamma`.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: `momentum` outside [0, 1], or a negative `epsilon`.
    """

    def __init__(
        self,
        *,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: str | Initializer = "zeros",
        gamma_initializer: str | Initializer = "ones",
        moving_mean_initializer: str | Initializer = "zeros",
        moving_variance_initializer: str | Initializer = "ones",
        beta_regularizer: str | Regularizer | None = None,
        gamma_regularizer: str | Regularizer | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            epsilon=epsilon,
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            **kwargs,
        )
        if not 0 <= momentum <= 1:
            raise ValueError(
                f"BatchNormalization expects 0 <= momentum <= 1. Received: {momentum}"
            )
        self.momentum = momentum
        self.moving_mean_initializer = moving_mean_initializer
        self.moving_variance_initializer = moving_variance_initializer

    def build(self, input_shape: Shape) -> None:
        """Make `gamma`, `beta` and the moving averages, one number for each feature."""
        super().build(input_shape)
        shape = (known("BatchNormalization", input_shape, -1),)
        self.moving_mean = self.add_weight(
            shape, self.moving_mean_initializer, trainable=False, name="moving_mean"
        )
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `gamma * normalized x + beta`."""
        axes = tuple(range(x.ndim - 1))
        from_batch = training and self.trainable
        mean, variance = self.moving_mean, self.moving_variance
        if from_batch:
            mean, variance = x.mean(axes), x.var(axes)
            for moving, value in (
                (self.moving_mean, mean),
                (self.moving_variance, variance),
            ):
                moving += (1 - self.momentum) * (value - moving)
        deviation = np.sqrt(variance + self.epsilon)
        normalized = (x - mean) / deviation
        self.saved = normalized, deviation, axes if from_batch else None
        return self._scale_and_shift(normalized)

    def backward(self, dy: Array) -> Array:
        """Return the gradient with respect to `x`."""
        normalized, deviation, axes = self.saved
        dn = self._backward_of_scale_and_shift(dy, normalized)
        if axes is not None:
            return self._backward_of_moments(dn, normalized, deviation, axes)
        dx: Array = dn / deviation
        return dx


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

    def call(self, x: Array, training: bool = False) -> Array:
        """Return `gamma * normalized x + beta`."""
        deviation = np.sqrt(x.var(-1, keepdims=True) + self.epsilon)
        normalized = (x - x.mean(-1, keepdims=True)) / deviation
        self.saved = normalized, deviation
        return self._scale_and_shift(normalized)

    def backward(self, dy: Array) -> Array:
        """Return the gradient with respect to `x`."""
        normalized, deviation = self.saved
        dn = self._backward_of_scale_and_shift(dy, normalized)
        return self._backward_of_moments(dn, normalized, deviation, (-1,))
