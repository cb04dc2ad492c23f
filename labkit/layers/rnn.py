"""Recurrent layers: they read a sequence step by step, with a state that remembers.

What depends on the input alone is one matrix product for all steps before the loop, and so
are all gradients of weights after it. Internally the steps come first: `(steps, batch, ...)`.
"""

from typing import Any, ClassVar

import numpy as np

from labkit import activations
from labkit._common import Array, Shape
from labkit.activations import Identifier, vjp
from labkit.layers.core import KernelLayer, column_sums
from labkit.layers.layer import sizes


class _RNN(KernelLayer):
    """Base of the recurrent layers; a subclass goes through the steps.

    Args:
        units: Length of the state.
        return_sequences: Whether to return the states of all steps instead of the last.
        **kwargs: `recurrent_initializer`, `recurrent_regularizer`, `use_bias`,
            `kernel_initializer`, `bias_initializer`, `kernel_regularizer`,
            `bias_regularizer`, and those of `Layer`.

    Raises:
        ValueError: `units` is not a positive integer.
    """

    expects = "(batch, steps, features)"
    first_values: ClassVar = {**KernelLayer.first_values, "recurrent": "orthogonal"}
    gates = 1
    biases: tuple[int, ...] = ()  # (2,) where state @ recurrent_kernel has its own

    def __init__(self, units: int, *, return_sequences: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        (self.units,) = sizes(self, "units", units)
        self.return_sequences = return_sequences

    def build(self, input_shape: Shape) -> None:
        """Make `kernel`, `recurrent_kernel` and `bias`."""
        columns = self.gates * self.units
        self.kernel = self.add_weight((self.fix_features(input_shape), columns), name="kernel")
        self.recurrent_kernel = self.add_weight((self.units, columns), name="recurrent_kernel")
        self.bias = self.add_bias((*self.biases, columns))

    def call(self, x: Array, training: bool = False) -> Array:
        """Return the last state `(batch, units)`, or all `(batch, steps, units)`."""
        steps = np.ascontiguousarray(x.swapaxes(0, 1))  # (steps, batch, features)
        states = np.zeros((len(steps) + 1, len(x), self.units), x.dtype)
        z = steps @ self.kernel
        if self.bias is not None:
            z += self.bias.reshape(-1, z.shape[-1])[0]
        details = self._forward_steps(z, states)
        self.saved = steps, states, details
        return states[1:].swapaxes(0, 1).copy() if self.return_sequences else states[-1].copy()

    def backward(self, dy: Array) -> Array | None:
        """Return the gradient with respect to `x`."""
        steps, states, details = self.saved
        dstates = np.zeros_like(states[1:])  # from outside, not from later steps
        dstates[... if self.return_sequences else -1] = dy.swapaxes(0, -2)
        dz, drecurrent = self._backward_steps(dstates, states, details)
        rows, recurrent_rows = (a.reshape(-1, a.shape[-1]) for a in (dz, drecurrent))
        before = states[:-1].reshape(-1, self.units)
        np.matmul(steps.reshape(len(rows), -1).T, rows, out=self.gradients["kernel"])
        np.matmul(before.T, recurrent_rows, out=self.gradients["recurrent_kernel"])
        if self.bias is not None:
            dbias = self.gradients["bias"].reshape(-1, rows.shape[-1])
            dbias[0], dbias[-1] = column_sums(rows), column_sums(recurrent_rows)
        return (dz @ self.kernel.T).swapaxes(0, 1) if self.needs_input_gradient else None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, units)` or `(batch, steps, units)`."""
        return (*input_shape[: 2 if self.return_sequences else 1], self.units)

    def _forward_steps(self, z: Array, states: Array) -> Any:
        """Fill `states[1:]`; return what `_backward_steps` needs.

        Args:
            z: `x @ kernel + bias`, `(steps, batch, gates * units)`; may be overwritten.
            states: `(steps + 1, batch, units)`; the first are zero.
        """
        raise NotImplementedError

    def _backward_steps(self, dstates: Array, states: Array, details: Any) -> tuple[Array, Array]:
        """Return the gradients of `x @ kernel` and of `state @ recurrent_kernel`."""
        raise NotImplementedError


class SimpleRNN(_RNN):
    r"""A state that sees the input and itself: $h_t = f(x_t W + h_{t-1} U + b)$.

    (Elman, 1990.) `x` is `(batch, steps, features)`, `kernel` $W$ is `(features, units)`,
    `recurrent_kernel` $U$ is `(units, units)`.

    Args:
        units: Length of the state.
        activation: $f$: a name, a function, or `None` for none.
        **kwargs: `return_sequences`, `recurrent_initializer`, `recurrent_regularizer`,
            `use_bias`, and those of `Dense`.

    Raises:
        ValueError: `units` is not a positive integer.
    """

    def __init__(self, units: int, activation: Identifier = "tanh", **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.activation = activations.get(activation)

    def _forward_steps(self, z: Array, states: Array) -> Array:
        for step, z_step in enumerate(z):
            z_step += states[step] @ self.recurrent_kernel
            states[step + 1] = self.activation(z_step)
        return z

    def _backward_steps(self, dstates: Array, states: Array, details: Any) -> tuple[Array, Array]:
        z, dz = details, np.empty_like(details)
        dstate = np.zeros_like(states[0])
        rule = vjp[self.activation]
        for step in reversed(range(len(z))):
            dstate += dstates[step]
            dz[step] = rule(dstate, z[step], states[step + 1])
            dstate = dz[step] @ self.recurrent_kernel.T
        return dz, dz


class LSTM(_RNN):
    r"""Long short-term memory: gates decide what a cell takes in, keeps and shows.

    $c_t = f_t c_{t-1} + i_t g_t$ and $h_t = o_t \tanh c_t$, where the gates $i, f, o$ are
    sigmoids, and the candidate $g$ is a tanh, of $x_t W + h_{t-1} U + b$
    (Hochreiter and Schmidhuber, 1997; Gers et al., 2000). `x` is
    `(batch, steps, features)`; `kernel` $W$, `recurrent_kernel` $U$ and `bias` $b$ have
    `4 * units` columns, in the order i, f, g, o.

    Args:
        units: Length of the state and of the cell.
        **kwargs: `return_sequences`, `recurrent_initializer`, `recurrent_regularizer`,
            `use_bias`, and those of `Dense`.

    Raises:
        ValueError: `units` is not a positive integer.
    """

    gates = 4

    def build(self, input_shape: Shape) -> None:
        """Make the weights; the forget gate starts open, so that the cell keeps its memory."""
        super().build(input_shape)
        if self.bias is not None:
            self.bias[self.units : 2 * self.units] = 1

    def _forward_steps(self, z: Array, states: Array) -> Any:
        # sigmoid(z) = tanh(z / 2) / 2 + 1/2, so that one tanh serves all four: halve the
        # arguments of the sigmoids before, and their results after.
        half = np.repeat(np.array([0.5, 0.5, 1, 0.5], z.dtype), self.units)
        shift = np.where(half == 1, 0, half)
        z *= half
        recurrent_kernel = self.recurrent_kernel * half
        cells = np.zeros_like(states)
        shown = np.empty_like(states[1:])  # tanh of the cells
        for step, gates in enumerate(z):
            gates += states[step] @ recurrent_kernel
            np.tanh(gates, out=gates)
            gates *= half
            gates += shift
            i, f, g, o = gates.reshape(-1, 4, self.units).swapaxes(0, 1)
            np.multiply(f, cells[step], out=cells[step + 1])
            cells[step + 1] += i * g
            np.tanh(cells[step + 1], out=shown[step])
            np.multiply(o, shown[step], out=states[step + 1])
        return z, cells, shown

    def _backward_steps(self, dstates: Array, states: Array, details: Any) -> tuple[Array, Array]:
        gates, cells, shown = details
        i, f, g, o = np.split(gates, 4, axis=-1)
        # What does not depend on later steps, for all steps at once: the slopes of the
        # sigmoids and the tanh, times what each gate multiplies.
        dcells = o * (1 - shown * shown)
        rows = gates * (1 - gates)
        dz = rows.reshape(*i.shape[:2], 4, self.units)
        dz[:, :, 2] = 1 - g * g
        for gate, partner in enumerate((g, cells[:-1], i, shown)):
            dz[:, :, gate] *= partner
        dstate, dcell = np.zeros_like(states[0]), np.zeros_like(states[0])
        for step in reversed(range(len(gates))):
            dstate += dstates[step]
            dcell += dstate * dcells[step]
            dz[step, :, :3] *= dcell[:, None]
            dz[step, :, 3] *= dstate
            dcell *= f[step]
            dstate = rows[step] @ self.recurrent_kernel.T
        return rows, rows


class GRU(_RNN):
    r"""Gated recurrent unit: like an LSTM, with two gates and no separate cell.

    $$
    h_t = z_t h_{t-1} + (1 - z_t) g_t, \quad
    g_t = \tanh(x_t W_g + b_g + r_t (h_{t-1} U_g + b'_g)) ,
    $$

    where the gates $z, r$ are sigmoids of $x_t W + b + h_{t-1} U + b'$ (Cho et al., 2014,
    with $r_t$ after the product).
    `x` is `(batch, steps, features)`; `kernel` $W$ and `recurrent_kernel` $U$ have
    `3 * units` columns, in the order z, r, g, and `bias` has two rows, $b$ and $b'$.

    Args:
        units: Length of the state.
        recurrent_initializer: First values of `recurrent_kernel`.
        recurrent_regularizer: Penalty on `recurrent_kernel`.
        return_sequences: Whether to return the states of all steps instead of the last.
        **kwargs: `use_bias`, and those of `Dense`.

    Raises:
        ValueError: `units` is not a positive integer.
    """

    gates = 3
    biases = (2,)

    def _forward_steps(self, z: Array, states: Array) -> Any:
        both = 2 * self.units  # columns of the two sigmoids
        recurrent = np.empty_like(z)
        for step, gates in enumerate(z):
            np.matmul(states[step], self.recurrent_kernel, out=recurrent[step])
            if self.bias is not None:
                recurrent[step] += self.bias[1]
            gates[:, :both] += recurrent[step, :, :both]
            gates[:, :both] = activations.sigmoid(gates[:, :both])
            keep, reset, candidate = gates.reshape(-1, 3, self.units).swapaxes(0, 1)
            candidate += reset * recurrent[step, :, both:]
            np.tanh(candidate, out=candidate)
            states[step + 1] = candidate + keep * (states[step] - candidate)
        return z, recurrent

    def _backward_steps(self, dstates: Array, states: Array, details: Any) -> tuple[Array, Array]:
        gates, recurrent = details
        z, r, g = np.split(gates, 3, axis=-1)
        # What does not depend on later steps, for all steps at once.
        dkeep, dcandidate = (states[:-1] - g) * z * (1 - z), (1 - z) * (1 - g * g)
        dreset = recurrent[..., 2 * self.units :] * r * (1 - r)
        dz = np.stack([dkeep, dreset, dcandidate], axis=2)  # (steps, batch, 3, units)
        drecurrent = np.empty_like(dz)
        rows = drecurrent.reshape(gates.shape)
        dstate = np.zeros_like(states[0])
        for step in reversed(range(len(gates))):
            dstate += dstates[step]
            dz[step, :, ::2] *= dstate[:, None]
            dz[step, :, 1] *= dz[step, :, 2]
            drecurrent[step] = dz[step]
            drecurrent[step, :, 2] *= r[step]
            dstate = dstate * z[step] + rows[step] @ self.recurrent_kernel.T
        return dz.reshape(gates.shape), rows
