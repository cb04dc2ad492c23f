"""Optimizers: how the gradient of the loss moves the weights.

The rules are Keras's, to the place of epsilon. Each works in place and on flat arrays, a
cache-sized piece at a time, so that a step reads every number from memory only once:
`labkit.Sequential` keeps all its weights in one vector, and all its gradients in another.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from labkit.optimizers import schedules
from labkit.optimizers.schedules import LearningRateSchedule

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "get", "schedules"]

Array = np.ndarray[Any, Any]
PIECE = 16384  # numbers per piece: weights, gradients, state and scratch fit into L2 cache


class Optimizer:
    """Base of all optimizers. A subclass sets `slots` and writes `update`.

    Args:
        learning_rate: Step size, or a schedule of it.
        clipnorm: If a weight array's gradient has a longer Euclidean norm, it is scaled down
            to this one.
        global_clipnorm: The same for the norm of all gradients together.
        name: Shown in messages.

    Raises:
        ValueError: If both kinds of clipping are asked for.
    """

    slots: int = 0
    """How many arrays of state each weight array needs; they begin at `initial_state`."""
    initial_state: float = 0.0

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule,
        clipnorm: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
    ) -> None:
        if clipnorm is not None and global_clipnorm is not None:
            raise ValueError("Set clipnorm or global_clipnorm, not both.")
        self._learning_rate = learning_rate
        self.clipnorm = clipnorm
        self.global_clipnorm = global_clipnorm
        self.name = name or type(self).__name__.lower()
        self.iterations = 0
        self.state: list[list[Array]] = []

    @property
    def learning_rate(self) -> float:
        """The current step size."""
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate(self.iterations)
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float | LearningRateSchedule) -> None:
        fixed = not isinstance(value, LearningRateSchedule)
        if fixed and isinstance(self._learning_rate, LearningRateSchedule):
            raise TypeError(
                "This optimizer follows a LearningRateSchedule. "
                "Construct it with a number to be able to set the learning rate."
            )
        self._learning_rate = float(value) if fixed else value

    def update(
        self,
        weight: Array,
        gradient: Array,
        state: list[Array],
        scratch: Array,
        rate: float,
    ) -> None:
        """Move a piece of the weights in place; all arrays have one shape, ``(numbers,)``.

        Args:
            weight: Changed in place.
            gradient: Not changed.
            state: One array for each of `slots`, changed in place.
            scratch: Two rows to compute in, ``(2, numbers)``.
            rate: The learning rate.
        """
        raise NotImplementedError(f"{type(self).__name__} must define update().")

    def apply(self, gradients: Sequence[Array], weights: Sequence[Array]) -> None:
        """Do one step: change ``weights`` in place.

        Args:
            gradients: One array for each weight array, of its shape.
            weights: Contiguous float arrays, the same ones at each call.

        Raises:
            ValueError: If gradients and weights do not fit, or weights changed their shapes.
        """
        if len(gradients) != len(weights):
            raise ValueError(f"{len(weights)} weights need as many gradients.")
        for g, w in zip(gradients, weights, strict=True):
            if g.shape != w.shape or not w.flags.c_contiguous or w.dtype.kind != "f":
                raise ValueError(
                    "Each weight must be a C-contiguous float array, and its gradient of the "
                    f"same shape. Received: {w.dtype} weight {w.shape}, gradient {g.shape}"
                )
        if not self.state:
            self.state = [
                [np.full(w.size, self.initial_state, w.dtype) for _ in range(self.slots)]
                for w in weights
            ]
        sizes = [state[0].size for state in self.state if state]
        if len(self.state) != len(weights) or sizes not in ([], [w.size for w in weights]):
            raise ValueError(
                f"This {self.name} has been used with other weights; construct a new one."
            )
        rate = self.learning_rate
        gradients = self._clipped(gradients)
        for g, w, state in zip(gradients, weights, self.state, strict=True):
            scratch = np.empty((2, min(w.size, PIECE)), w.dtype)
            for piece in _pieces(w.size):
                part = w.reshape(-1)[piece]
                self.update(
                    part,
                    g.reshape(-1)[piece],
                    [s[piece] for s in state],
                    scratch[:, : part.size],
                    rate,
                )
        self.iterations += 1

    def _clipped(self, gradients: Sequence[Array]) -> Sequence[Array]:
        if self.clipnorm is not None:
            return [g * _shrink(_norm(g), self.clipnorm) for g in gradients]
        if self.global_clipnorm is not None:
            norm = float(np.hypot.reduce([_norm(g) for g in gradients]))
            return [g * _shrink(norm, self.global_clipnorm) for g in gradients]
        return gradients


def _pieces(size: int) -> Iterator[slice]:
    for start in range(0, size, PIECE):
        yield slice(start, start + PIECE)


def _norm(gradient: Array) -> float:
    flat = gradient.reshape(-1)
    return float(np.sqrt(flat @ flat))


def _shrink(norm: float, limit: float) -> float:
    return limit / norm if norm > limit else 1.0


class SGD(Optimizer):
    """Gradient descent, ``w -= rate g``, optionally with momentum.

    With momentum, ``m = momentum m - rate g`` and ``w += m``; with Nesterov's variant
    ``w += momentum m - rate g`` (Sutskever et al. 2013,
    https://proceedings.mlr.press/v28/sutskever13.html).

    Args:
        learning_rate: Step size, or a schedule of it.
        momentum: From 0 (none) to less than 1.
        nesterov: Whether to use Nesterov's variant.
        clipnorm: See `Optimizer`.
        global_clipnorm: See `Optimizer`.
        name: Shown in messages.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        *,
        clipnorm: float | None = None,
        global_clipnorm: float | None = None,
        name: str = "SGD",
    ) -> None:
        super().__init__(learning_rate, clipnorm, global_clipnorm, name)
        if not 0 <= momentum <= 1:
            raise ValueError(f"momentum must lie between 0 and 1. Received: {momentum}")
        self.momentum = momentum
        self.nesterov = nesterov
        self.slots = 1 if momentum else 0

    def update(
        self,
        weight: Array,
        gradient: Array,
        state: list[Array],
        scratch: Array,
        rate: float,
    ) -> None:
        """See `Optimizer.update`."""
        step = np.multiply(gradient, rate, out=scratch[0])
        if not self.momentum:
            weight -= step
            return
        (m,) = state
        m *= self.momentum
        m -= step
        if self.nesterov:
            weight -= step
            weight += np.multiply(m, self.momentum, out=step)
        else:
            weight += m


class RMSprop(Optimizer):
    """Steps divided by a running root mean square of the gradient.

    ``v = rho v + (1 - rho) g²`` and ``w -= rate g / sqrt(v + epsilon)`` (Tieleman and Hinton
    2012, lecture 6e of "Neural Networks for Machine Learning").

    Args:
        learning_rate: Step size, or a schedule of it.
        rho: How much of the old mean square is kept.
        momentum: If not 0, steps are gathered in ``m = momentum m + step`` and ``w -= m``.
        epsilon: Keeps the divisor from zero.
        clipnorm: See `Optimizer`.
        global_clipnorm: See `Optimizer`.
        name: Shown in messages.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        *,
        clipnorm: float | None = None,
        global_clipnorm: float | None = None,
        name: str = "rmsprop",
    ) -> None:
        super().__init__(learning_rate, clipnorm, global_clipnorm, name)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.slots = 2 if momentum else 1

    def update(
        self,
        weight: Array,
        gradient: Array,
        state: list[Array],
        scratch: Array,
        rate: float,
    ) -> None:
        """See `Optimizer.update`."""
        v, (step, root) = state[0], scratch
        np.multiply(gradient, gradient, out=step)
        step *= 1 - self.rho
        v *= self.rho
        v += step
        np.sqrt(np.add(v, self.epsilon, out=root), out=root)
        np.multiply(gradient, rate, out=step)
        step /= root
        if self.momentum:
            m = state[1]
            m *= self.momentum
            m += step
            step = m
        weight -= step


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients so far.

    ``v += g²`` and ``w -= rate g / sqrt(v + epsilon)`` (Duchi, Hazan and Singer 2011,
    https://jmlr.org/papers/v12/duchi11a.html).

    Args:
        learning_rate: Step size, or a schedule of it.
        initial_accumulator_value: Where the sum begins.
        epsilon: Keeps the divisor from zero.
        clipnorm: See `Optimizer`.
        global_clipnorm: See `Optimizer`.
        name: Shown in messages.
    """

    slots = 1

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        *,
        clipnorm: float | None = None,
        global_clipnorm: float | None = None,
        name: str = "adagrad",
    ) -> None:
        super().__init__(learning_rate, clipnorm, global_clipnorm, name)
        self.initial_state = self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def update(
        self,
        weight: Array,
        gradient: Array,
        state: list[Array],
        scratch: Array,
        rate: float,
    ) -> None:
        """See `Optimizer.update`."""
        v, (step, root) = state[0], scratch
        v += np.multiply(gradient, gradient, out=step)
        np.sqrt(np.add(v, self.epsilon, out=root), out=root)
        np.multiply(gradient, rate, out=step)
        step /= root
        weight -= step


class Adam(Optimizer):
    """Momentum, divided by a running root mean square, both corrected for their start at 0.

    ``m += (1 - beta_1)(g - m)``, ``v += (1 - beta_2)(g² - v)`` and
    ``w -= rate c m / (sqrt(v) + epsilon)``, with
    ``c = sqrt(1 - beta_2^t) / (1 - beta_1^t)`` at step ``t`` (Kingma and Ba 2014,
    https://arxiv.org/abs/1412.6980, the variant before section 2.1).

    Args:
        learning_rate: Step size, or a schedule of it.
        beta_1: How much of the old mean is kept.
        beta_2: How much of the old mean square is kept.
        epsilon: Keeps the divisor from zero.
        clipnorm: See `Optimizer`.
        global_clipnorm: See `Optimizer`.
        name: Shown in messages.
    """

    slots = 2

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        *,
        clipnorm: float | None = None,
        global_clipnorm: float | None = None,
        name: str = "adam",
    ) -> None:
        super().__init__(learning_rate, clipnorm, global_clipnorm, name)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def update(
        self,
        weight: Array,
        gradient: Array,
        state: list[Array],
        scratch: Array,
        rate: float,
    ) -> None:
        """See `Optimizer.update`."""
        (m, v), (step, root), t = state, scratch, self.iterations + 1
        correction = (1 - self.beta_2**t) ** 0.5 / (1 - self.beta_1**t)
        np.subtract(gradient, m, out=step)
        step *= 1 - self.beta_1
        m += step
        np.multiply(gradient, gradient, out=step)
        step -= v
        step *= 1 - self.beta_2
        v += step
        np.sqrt(v, out=root)
        root += self.epsilon
        np.multiply(m, rate * correction, out=step)
        step /= root
        weight -= step


class AdamW(Adam):
    """`Adam`, after shrinking the weights by ``w -= rate weight_decay w``.

    Loshchilov and Hutter 2017, https://arxiv.org/abs/1711.05101.

    Args:
        learning_rate: Step size, or a schedule of it.
        weight_decay: Share of the weights that a step of rate 1 would take away.
        beta_1: See `Adam`.
        beta_2: See `Adam`.
        epsilon: See `Adam`.
        clipnorm: See `Optimizer`.
        global_clipnorm: See `Optimizer`.
        name: Shown in messages.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        *,
        clipnorm: float | None = None,
        global_clipnorm: float | None = None,
        name: str = "adamw",
    ) -> None:
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            clipnorm=clipnorm,
            global_clipnorm=global_clipnorm,
            name=name,
        )
        self.weight_decay = weight_decay

    def update(
        self,
        weight: Array,
        gradient: Array,
        state: list[Array],
        scratch: Array,
        rate: float,
    ) -> None:
        """See `Optimizer.update`."""
        weight *= 1 - rate * self.weight_decay
        super().update(weight, gradient, state, scratch, rate)


OPTIMIZERS: dict[str, Callable[[], Optimizer]] = {
    "sgd": SGD,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
    "adam": Adam,
    "adamw": AdamW,
}


def get(identifier: str | Optimizer) -> Optimizer:
    """Return a new optimizer of this name (``"adam"``), or the optimizer itself.

    Raises:
        ValueError: If there is no such optimizer.
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, str) and identifier.lower() in OPTIMIZERS:
        return OPTIMIZERS[identifier.lower()]()
    raise ValueError(f"Unknown optimizer {identifier!r}. Known: {', '.join(OPTIMIZERS)}.")
