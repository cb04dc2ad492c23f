"""Optimizers: how the gradient of the loss moves the weights.

The rules are Keras's, down to where epsilon is added, given as formulas. They work on flat
arrays, a cache-sized piece at a time, so that a step reads every number from memory only
once: a piece is a part of a large weight, or several small ones joined.

One difference from Keras is wanted. A row of an Embedding that a batch uses several times gets
several gradients, whose sum is the row's gradient. Optimizers here square that sum, as their
formulas say, and so does Keras on JAX and PyTorch. Keras on TensorFlow gets the gradients one by
one and adds up their squares instead, and clips them apart, so that Adam, RMSprop and Adagrad
take other steps there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import numpy as np

from labkit._common import Array, Sizes, expect, named
from labkit._missing import left_out
from labkit.optimizers import schedules

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "get", "schedules"]

if not TYPE_CHECKING:
    __getattr__ = left_out(__name__)

PIECE = 2**16  # numbers per piece: with state and intermediate results, about one L2 cache
Piece = tuple[list[tuple[int, slice]], Array]  # parts of weights, and their state (slots, size)


@dataclass(eq=False)
class Optimizer:
    """Base of all optimizers. A subclass defines `update`, and sets `slots`.

    Args:
        learning_rate: Size of the steps, or a schedule of it.
        weight_decay: Before a step, the weights shrink by `w -= rate weight_decay w`.
        clipnorm: A gradient array with a larger Euclidean norm is scaled down to this one.
        clipvalue: Numbers of the gradient beyond this size are cut to it.
        global_clipnorm: The same as `clipnorm` for the norm of all gradient arrays together.

    Attributes:
        iterations: Number of steps done.
        slots: How many numbers of state each weight has; they start at zero.

    Raises:
        ValueError: The learning rate is negative, several kinds of clipping are asked for, or a
            limit is not positive.
    """

    learning_rate: float | schedules.LearningRateSchedule = 0.001
    _: KW_ONLY
    weight_decay: float | None = None
    clipnorm: float | None = None
    clipvalue: float | None = None
    global_clipnorm: float | None = None

    slots = 1

    def __post_init__(self) -> None:
        rate = self.learning_rate
        fits = callable(rate) or (np.isreal(rate) and 0 <= rate < np.inf)
        expect(fits, "The learning rate must be a number >= 0, or a schedule", repr(rate))
        given = self.clipnorm, self.clipvalue, self.global_clipnorm
        limits = [limit for limit in given if limit is not None]
        wanted = "Give one of clipnorm, clipvalue and global_clipnorm, and a positive number"
        expect(len(limits) < 2 and min(limits, default=1) > 0, wanted, limits)
        self.iterations = 0
        self._pieces: list[Piece] = []
        self._shapes: list[Sizes] = []

    def update(self, w: Array, g: Array, state: Array, rate: float) -> None:
        """Move some weights in place.

        Args:
            w: Weights, `(size,)`.
            g: Their gradients, `(size,)`; not to be changed.
            state: What is kept from earlier steps, `(slots, size)`; changed in place.
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
            ValueError: Gradients do not fit the weights, or the weights changed their shapes.
        """
        weights = trainable_variables
        shapes, expected = [g.shape for g in grads], [w.shape for w in weights]
        expect(shapes == expected, f"apply expects gradients of shapes {expected}", shapes)
        usable = [w.flags.c_contiguous and w.dtype.kind == "f" for w in weights]
        expect(all(usable), "apply expects weights that are C-contiguous arrays of floats", usable)
        if not self._pieces:
            self._shapes, self._pieces = expected, [*self._divided(weights)]
        expect(
            self._shapes == expected, f"This optimizer belongs to weights {self._shapes}", expected
        )
        rate = self.learning_rate
        rate = float(rate(self.iterations) if callable(rate) else rate)
        vectors = [w.reshape(-1) for w in weights]  # views, as the weights are C-contiguous
        slopes = self._clipped(grads)
        for places, state in self._pieces:
            if len(places) == 1:  # a large weight, or a part of one
                ((i, part),) = places
                self._move(vectors[i][part], slopes[i][part], state, rate)
            else:
                small = [vectors[i] for i, _ in places]
                joined = np.concatenate(small)
                self._move(joined, np.concatenate([slopes[i] for i, _ in places]), state, rate)
                start = 0
                for w in small:
                    w[...] = joined[start : start + w.size]
                    start += w.size
            # Where gradients stay zero, the state decays, and with numbers below 1e-38
            # processors are many times slower. TensorFlow takes them for zero, too.
            if self.iterations % 100 == 0:
                state[abs(state) < 1e-30] = 0
        self.iterations += 1

    def _move(self, w: Array, g: Array, state: Array, rate: float) -> None:
        if self.weight_decay:
            w *= 1 - rate * self.weight_decay
        self.update(w, g, state, rate)

    def _divided(self, weights: Sequence[Array]) -> Iterator[Piece]:
        """Yield pieces of about one size: parts of large arrays, and several small arrays.

        Numbers of different dtypes stay apart.
        """
        for dtype in dict.fromkeys(w.dtype for w in weights):
            small: list[tuple[int, slice]] = []
            sizes = 0
            for i, w in enumerate(weights):
                if w.dtype != dtype:
                    continue
                if w.size >= PIECE // 4:
                    for start in range(0, w.size, PIECE):
                        part = slice(start, min(start + PIECE, w.size))
                        state = np.zeros((self.slots, part.stop - start), dtype)
                        yield [(i, part)], state
                    continue
                if sizes + w.size > PIECE:
                    yield small, np.zeros((self.slots, sizes), dtype)
                    small, sizes = [], 0
                small.append((i, slice(0, w.size)))
                sizes += w.size
            if small:
                yield small, np.zeros((self.slots, sizes), dtype)

    def _clipped(self, grads: Sequence[Array]) -> list[Array]:
        """Return the gradients as vectors, none of them (or all together) too long."""
        vectors, limit = [g.reshape(-1) for g in grads], self.clipnorm or self.global_clipnorm
        if self.clipvalue is not None:
            return [np.clip(g, -self.clipvalue, self.clipvalue) for g in vectors]
        if limit is None:
            return vectors
        norms = [float(np.linalg.norm(g)) for g in vectors]
        if self.global_clipnorm:
            norms = [float(np.linalg.norm(norms))] * len(norms)
        return [g * (limit / n) if n > limit else g for g, n in zip(vectors, norms, strict=True)]


@dataclass(eq=False)
class SGD(Optimizer):
    """Gradient descent, `w -= rate g`, optionally with momentum.

    With momentum, `m = momentum m - rate g` and `w += m`; with Nesterov's variant
    `w += momentum m - rate g` (Bengio et al. 2012, https://arxiv.org/abs/1212.0901): the weights
    that are kept are those ahead, at which the slope is taken.

    Args:
        learning_rate: Size of the steps, or a schedule of it.
        momentum: From 0 (none) to less than 1.
        nesterov: Whether to use Nesterov's variant.
        weight_decay: See `Optimizer`.
        clipnorm: See `Optimizer`.
        clipvalue: See `Optimizer`.
        global_clipnorm: See `Optimizer`.

    Raises:
        ValueError: Momentum is not from 0 to 1, or clipping is impossible, see `Optimizer`.
    """

    learning_rate: float | schedules.LearningRateSchedule = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(0 <= self.momentum <= 1, "momentum must be from 0 to 1", self.momentum)

    def update(self, w: Array, g: Array, state: Array, rate: float) -> None:
        """See `Optimizer.update`."""
        if not self.momentum:
            w -= rate * g
            return
        (m,) = state
        m *= self.momentum
        m -= rate * g
        w += self.momentum * m - rate * g if self.nesterov else m


@dataclass(eq=False)
class RMSprop(Optimizer):
    """Steps divided by a running root mean square of the gradient, optionally with momentum.

    `v += (1 - rho)(g² - v)` and `w -= rate g / sqrt(v + epsilon)` (Tieleman and Hinton 2012,
    lecture 6e of "Neural Networks for Machine Learning"). With momentum, `m = momentum m + step`
    for that step, and `w -= m`.

    Args:
        learning_rate: Size of the steps, or a schedule of it.
        rho: How much of the old mean square is kept.
        momentum: From 0 (none) to less than 1.
        epsilon: Keeps the divisor from zero.
        weight_decay: See `Optimizer`.
        clipnorm: See `Optimizer`.
        clipvalue: See `Optimizer`.
        global_clipnorm: See `Optimizer`.

    Raises:
        ValueError: `rho` or `momentum` is not from 0 to 1, `epsilon` is negative, or clipping is
            impossible, see `Optimizer`.
    """

    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        super().__post_init__()
        shares = 0 <= self.rho <= 1 and 0 <= self.momentum <= 1
        expect(shares and self.epsilon >= 0, "rho and momentum are from 0 to 1, epsilon >= 0", self)
        self.slots = 2 if self.momentum else 1

    def update(self, w: Array, g: Array, state: Array, rate: float) -> None:
        """See `Optimizer.update`."""
        v, *rest = state
        v += (1 - self.rho) * (g * g - v)
        step = rate * g / np.sqrt(v + self.epsilon)
        for m in rest:
            m *= self.momentum
            m += step
            step = m
        w -= step


@dataclass(eq=False)
class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients so far.

    `v += g²` and `w -= rate g / sqrt(v + epsilon)`
    (Duchi, Hazan and Singer 2011, https://jmlr.org/papers/v12/duchi11a.html).

    Args:
        learning_rate: Size of the steps, or a schedule of it.
        initial_accumulator_value: Where the sum `v` starts.
        epsilon: Keeps the divisor from zero.
        weight_decay: See `Optimizer`.
        clipnorm: See `Optimizer`.
        clipvalue: See `Optimizer`.
        global_clipnorm: See `Optimizer`.

    Raises:
        ValueError: `initial_accumulator_value` or `epsilon` is negative, or clipping is
            impossible, see `Optimizer`.
    """

    initial_accumulator_value: float = 0.1
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        super().__post_init__()
        fits = self.initial_accumulator_value >= 0 and self.epsilon >= 0
        expect(fits, "initial_accumulator_value and epsilon are >= 0", self)

    def update(self, w: Array, g: Array, state: Array, rate: float) -> None:
        """See `Optimizer.update`."""
        (v,) = state
        v += g * g
        # The state starts at 0, and the initial value is added where it is used.
        w -= rate * g / np.sqrt(v + (self.initial_accumulator_value + self.epsilon))


@dataclass(eq=False)
class Adam(Optimizer):
    """Momentum over a running root mean square, both corrected for starting at zero.

    `m += (1 - beta_1)(g - m)`, `v += (1 - beta_2)(g² - v)` and
    `w -= rate c m / (sqrt(v) + epsilon)`, with
    `c = sqrt(1 - beta_2^t) / (1 - beta_1^t)` at step `t` (Kingma and Ba 2014,
    https://arxiv.org/abs/1412.6980, the variant before section 2.1).

    Args:
        learning_rate: Size of the steps, or a schedule of it.
        beta_1: How much of the old mean is kept.
        beta_2: How much of the old mean square is kept.
        epsilon: Keeps the divisor from zero.
        weight_decay: See `Optimizer`.
        clipnorm: See `Optimizer`.
        clipvalue: See `Optimizer`.
        global_clipnorm: See `Optimizer`.

    Raises:
        ValueError: A share is not from 0 to less than 1, `epsilon` is negative, or clipping is
            impossible, see `Optimizer`.
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    slots = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        # With a share of 1 nothing new would ever count, and the correction divides by zero.
        shares = 0 <= self.beta_1 < 1 and 0 <= self.beta_2 < 1
        wanted = "beta_1 and beta_2 are from 0 to less than 1, epsilon >= 0"
        expect(shares and self.epsilon >= 0, wanted, self)

    def update(self, w: Array, g: Array, state: Array, rate: float) -> None:
        """See `Optimizer.update`."""
        (m, v), t = state, self.iterations + 1
        share_1, share_2 = 1 - self.beta_1, (1 - self.beta_2) ** 0.5
        # The state holds m / (1 - beta_1) and v / (1 - beta_2), which saves two passes.
        m *= self.beta_1
        m += g
        v *= self.beta_2
        v += g * g
        correction = (1 - self.beta_2**t) ** 0.5 / (1 - self.beta_1**t)
        w -= rate * correction * share_1 / share_2 * m / (np.sqrt(v) + self.epsilon / share_2)


@dataclass(eq=False)
class AdamW(Adam):
    """`Adam` with weight decay by default, and as the second argument.

    Loshchilov and Hutter 2017, https://arxiv.org/abs/1711.05101.

    Args:
        learning_rate: Size of the steps, or a schedule of it.
        weight_decay: See `Optimizer`.
        beta_1: See `Adam`.
        beta_2: See `Adam`.
        epsilon: See `Adam`.
        clipnorm: See `Optimizer`.
        clipvalue: See `Optimizer`.
        global_clipnorm: See `Optimizer`.
    """

    weight_decay: float | None = 0.004


def get(identifier: str | Optimizer) -> Optimizer:
    """Return a new optimizer of this name (`"adam"`), or the optimizer itself.

    Raises:
        ValueError: There is no such optimizer.
    """
    return named(identifier, Optimizer, [SGD, RMSprop, Adagrad, Adam, AdamW])
