"""Optimizers: how the gradient of the loss moves the weights.

The rules are Keras's, to the place of epsilon. Each works in place and on flat arrays, a
cache-sized piece at a time, so that a step reads every number from memory only once:
`labkit.Sequential` keeps all its weights in one vector, and all its gradients in another.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from labkit.optimizers import schedules
from labkit.optimizers.schedules import LearningRateSchedule

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "get", "schedules"]

Array = np.ndarray[Any, Any]
Rate = float | LearningRateSchedule
PIECE = 2**16  # numbers per piece: with state and scratch 1.25 MiB, an L2 cache or so


class Optimizer:
    """Base of all optimizers. A subclass writes `update`, and sets `slots`.

    Args:
        learning_rate: Size of the steps, or a schedule of it.
        clipnorm: A gradient array with a longer Euclidean norm is scaled down to this one.
        global_clipnorm: The same for the norm of all gradient arrays together.
        name: Shown in messages.

    Attributes:
        iterations: Number of steps done.
        slots: How many numbers of state each weight has.
        initial_state: Where they begin.

    Raises:
        ValueError: Both kinds of clipping are asked for, or a limit is not positive.
    """

    slots = 0
    initial_state = 0.0

    def __init__(
        self,
        learning_rate: Rate,
        clipnorm: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
    ) -> None:
        limits = [limit for limit in (clipnorm, global_clipnorm) if limit is not None]
        if len(limits) > 1 or any(limit <= 0 for limit in limits):
            raise ValueError(
                "Set either clipnorm or global_clipnorm, to a positive number. "
                f"Received: clipnorm={clipnorm}, global_clipnorm={global_clipnorm}"
            )
        self._learning_rate = learning_rate
        self.clipnorm = clipnorm
        self.global_clipnorm = global_clipnorm
        self.name = name or type(self).__name__
        self.iterations = 0
        self._state: list[Array] = []  # for each weight array (slots, size)

    @property
    def learning_rate(self) -> float:
        """Size of the next step."""
        rate = self._learning_rate
        return rate(self.iterations) if isinstance(rate, LearningRateSchedule) else rate

    @learning_rate.setter
    def learning_rate(self, rate: Rate) -> None:
        if isinstance(rate, LearningRateSchedule):
            self._learning_rate = rate
        elif isinstance(self._learning_rate, LearningRateSchedule):
            raise TypeError(
                "This optimizer follows a LearningRateSchedule. "
                "Construct it with a number to be able to set its learning rate."
            )
        else:
            self._learning_rate = float(rate)

    def update(self, w: Array, g: Array, state: Array, scratch: Array, rate: float) -> None:
        """Move some weights in place.

        Args:
            w: Weights, `(size,)`.
            g: Their gradients, `(size,)`; not to be changed.
            state: What is remembered of earlier steps, `(slots, size)`; changed in place.
            scratch: Room to compute in, `(size,)`.
            rate: The learning rate.
        """
        raise NotImplementedError(f"{type(self).__name__} needs update().")

    def apply(self, grads: Sequence[Array], trainable_variables: Sequence[Array]) -> None:
        """Do one step: change the weights in place.

        Args:
            grads: For each weight array one of the same shape.
            trainable_variables: The weights: C-contiguous arrays of floats, the same ones
                at each call.

        Raises:
            ValueError: Gradients and weights do not fit, or weights changed their shapes.
        """
        weights = trainable_variables
        fits = len(grads) == len(weights) and all(
            g.shape == w.shape and w.flags.c_contiguous and w.dtype.kind == "f"
            for g, w in zip(grads, weights, strict=True)
        )
        if not fits:
            raise ValueError(
                "apply expects C-contiguous arrays of floats as weights, and for each a gradient "
                f"of its shape. Received: weights {[f'{w.dtype}{w.shape}' for w in weights]}, "
                f"gradients {[g.shape for g in grads]}"
            )
        if not self._state:
            self._state = [
                np.full((self.slots, w.size), self.initial_state, w.dtype) for w in weights
            ]
        if [s.shape[1] for s in self._state] != [w.size for w in weights]:
            raise ValueError(f"{self.name} belongs to other weights; construct a new one.")
        rate = self.learning_rate
        for g, w, state in zip(self._clipped(grads), weights, self._state, strict=True):
            flat_g, flat_w = g.reshape(-1), w.reshape(-1)
            scratch = np.empty(min(w.size, PIECE), w.dtype)
            for start in range(0, w.size, PIECE):
                piece = slice(start, min(start + PIECE, w.size))
                room = scratch[: piece.stop - start]
                self.update(flat_w[piece], flat_g[piece], state[:, piece], room, rate)
        self.iterations += 1

    def _clipped(self, gradients: Sequence[Array]) -> Sequence[Array]:
        if self.clipnorm is None and self.global_clipnorm is None:
            return gradients
        norms = [float(np.vdot(g, g)) ** 0.5 for g in gradients]
        if self.global_clipnorm is not None:
            norms = [math.hypot(*norms)] * len(norms)
        limit = self.clipnorm or self.global_clipnorm or math.inf
        return [
            g * (limit / norm) if norm > limit else g
            for g, norm in zip(gradients, norms, strict=True)
        ]


class SGD(Optimizer):
    """Gradient descent, `w -= rate g`, optionally with momentum.

    With momentum, `m = momentum m - rate g` and `w += m`; with Nesterov's variant
    `w += momentum m - rate g` (Sutskever et al. 2013,
    https://proceedings.mlr.press/v28/sutskever13.html).

    Args:
        learning_rate: Size of the steps, or a schedule of it.
        momentum: From 0 (none) to less than 1.
        nesterov: Whether to use Nesterov's variant.
        **kwargs: `clipnorm`, `global_clipnorm`, `name`, as in `Optimizer`.

    Raises:
        ValueError: The momentum is negative or above 1, or clipping is as in `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        if not 0 <= momentum <= 1:
            raise ValueError(f"momentum must lie between 0 and 1. Received: {momentum}")
        self.momentum = momentum
        self.nesterov = nesterov
        self.slots = 1 if momentum else 0

    def update(self, w: Array, g: Array, state: Array, scratch: Array, rate: float) -> None:
        """See `Optimizer.update`."""
        step = np.multiply(g, rate, out=scratch)
        if not self.momentum:
            w -= step
            return
        m = state[0]
        m *= self.momentum
        m -= step
        if self.nesterov:
            w -= step
            w += np.multiply(m, self.momentum, out=step)
        else:
            w += m


class RMSprop(Optimizer):
    """Steps divided by a running root mean square of the gradient.

    `v = rho v + (1 - rho) g²` and `w -= rate g / sqrt(v + epsilon)` (Tieleman and Hinton
    2012, lecture 6e of "Neural Networks for Machine Learning").

    Args:
        learning_rate: Size of the steps, or a schedule of it.
        rho: How much of the old mean square is kept.
        momentum: If not 0, steps are gathered in `m = momentum m + step` and `w -= m`.
        epsilon: Keeps the divisor from zero.
        **kwargs: `clipnorm`, `global_clipnorm`, `name`, as in `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.slots = 2 if momentum else 1

    def update(self, w: Array, g: Array, state: Array, scratch: Array, rate: float) -> None:
        """See `Optimizer.update`."""
        v, step = state[0], scratch
        np.multiply(g, g, out=step)
        step *= 1 - self.rho
        v *= self.rho
        v += step
        np.add(v, self.epsilon, out=step)
        np.sqrt(step, out=step)
        np.divide(g, step, out=step)
        step *= rate
        if self.momentum:
            m = state[1]
            m *= self.momentum
            m += step
            step = m
        w -= step


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients so far.

    `v += g²` and `w -= rate g / sqrt(v + epsilon)` (Duchi, Hazan and Singer 2011,
    https://jmlr.org/papers/v12/duchi11a.html).

    Args:
        learning_rate: Size of the steps, or a schedule of it.
        initial_accumulator_value: Where the sum begins.
        epsilon: Keeps the divisor from zero.
        **kwargs: `clipnorm`, `global_clipnorm`, `name`, as in `Optimizer`.
    """

    slots = 1

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.initial_state = self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def update(self, w: Array, g: Array, state: Array, scratch: Array, rate: float) -> None:
        """See `Optimizer.update`."""
        v, step = state[0], scratch
        np.multiply(g, g, out=step)
        v += step
        np.add(v, self.epsilon, out=step)
        np.sqrt(step, out=step)
        np.divide(g, step, out=step)
        step *= rate
        w -= step


class Adam(Optimizer):
    """Momentum over a running root mean square, both corrected for beginning at zero.

    `m += (1 - beta_1)(g - m)`, `v += (1 - beta_2)(g² - v)` and
    `w -= rate c m / (sqrt(v) + epsilon)`, with
    `c = sqrt(1 - beta_2^t) / (1 - beta_1^t)` at step `t` (Kingma and Ba 2014,
    https://arxiv.org/abs/1412.6980, the variant before section 2.1).

    Args:
        learning_rate: Size of the steps, or a schedule of it.
        beta_1: How much of the old mean is kept.
        beta_2: How much of the old mean square is kept.
        epsilon: Keeps the divisor from zero.
        **kwargs: `clipnorm`, `global_clipnorm`, `name`, as in `Optimizer`.
    """

    slots = 2

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def update(self, w: Array, g: Array, state: Array, scratch: Array, rate: float) -> None:
        """See `Optimizer.update`."""
        # The state holds m / (1 - beta_1) and v / (1 - beta_2), which saves two passes.
        (m, v), step, t = state, scratch, self.iterations + 1
        share_1, share_2 = 1 - self.beta_1, (1 - self.beta_2) ** 0.5
        correction = (1 - self.beta_2**t) ** 0.5 / (1 - self.beta_1**t)
        m *= self.beta_1
        m += g
        v *= self.beta_2
        np.multiply(g, g, out=step)
        v += step
        np.sqrt(v, out=step)
        step += self.epsilon / share_2
        np.divide(m, step, out=step)
        step *= rate * correction * share_1 / share_2
        w -= step


class AdamW(Adam):
    """`Adam`, after shrinking the weights by `w -= rate weight_decay w`.

    Loshchilov and Hutter 2017, https://arxiv.org/abs/1711.05101.

    Args:
        learning_rate: Size of the steps, or a schedule of it.
        weight_decay: Share of the weights that a step of rate 1 would take away.
        beta_1: See `Adam`.
        beta_2: See `Adam`.
        epsilon: See `Adam`.
        **kwargs: `clipnorm`, `global_clipnorm`, `name`, as in `Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.weight_decay = weight_decay

    def update(self, w: Array, g: Array, state: Array, scratch: Array, rate: float) -> None:
        """See `Optimizer.update`."""
        w *= 1 - rate * self.weight_decay
        super().update(w, g, state, scratch, rate)


def get(identifier: str | Optimizer) -> Optimizer:
    """Return a new optimizer of this name (`"adam"`), or the optimizer itself.

    Raises:
        ValueError: There is no such optimizer.
    """
    if isinstance(identifier, Optimizer):
        return identifier
    kinds = {kind.__name__.lower(): kind for kind in (SGD, RMSprop, Adagrad, Adam, AdamW)}
    if str(identifier).lower() not in kinds:
        raise ValueError(f"Unknown optimizer {identifier!r}. Known: {', '.join(kinds)}.")
    return kinds[identifier.lower()]()
