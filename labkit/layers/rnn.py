"""Recurrent layers: they read a sequence step by step, with a state that remembers.

What depends on the input alone is one matrix product for all steps before the loop, and so
are all gradients of weights after it. Internally the steps come first: `(steps, batch, ...)`.

Where a mask is false, a step is skipped: the state stays as it was.
"""

from typing import Any, ClassVar

import numpy as np

from labkit import activations
from labkit._common import Array, Shape, expect
from labkit.activations import Identifier, vjp
from labkit.layers.core import KernelLayer, column_sums
from labkit.layers.layer import sizes


class _RNN(KernelLayer):
    """Base of the recurrent layers; a subclass goes through the steps.

    Args:
        units: Length of the state.
        return_sequences: Whether to return the states of all steps instead of the last.
        return_state: Whether to return the last state as well; an LSTM's is a pair.
        go_backwards: Whether to go from the last step to the first, and to return in that order.
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

    state_arrays = 1  # 2 for an LSTM, which also has a cell

    def __init__(
        self,
        units: int,
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        (self.units,) = sizes(self, "units", units)
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards = go_backwards
        self.zero_output_for_mask = False  # set by Bidirectional

    def build(self, input_shape: Shape, initial_state_shape: Any = None) -> None:
        """Make `kernel`, `recurrent_kernel` and `bias`."""
        columns = self.gates * self.units
        self.kernel = self.add_weight((self.fix_features(input_shape), columns), name="kernel")
        self.recurrent_kernel = self.add_weight((self.units, columns), name="recurrent_kernel")
        self.bias = self.add_bias((*self.biases, columns))

    def call(self, x: Array, initial_state: Any = None, mask: Array | None = None) -> Any:
        """Return the last state `(batch, units)`, or all `(batch, steps, units)`.

        Args:
            x: `(batch, steps, features)`.
            initial_state: The state before the first step, `(batch, units)`; a list of two for an
                LSTM. `None` means zeros.
            mask: `(batch, steps)`; a step where it is false is skipped.
        """
        way = slice(None, None, -1 if self.go_backwards else 1)
        steps = np.ascontiguousarray(x.swapaxes(0, 1)[way])  # (steps, batch, features)
        keep = None if mask is None else np.asarray(mask, bool).T[way, :, None]
        first = self._first_states(initial_state, x)
        states = np.empty((len(steps) + 1, len(x), self.units), x.dtype)
        states[0] = first[0]
        z = steps @ self.kernel
        if self.bias is not None:
            z += self.bias.reshape(-1, z.shape[-1])[0]
        last, details = self._forward_steps(z, states, keep, *first[1:])
        shown = None
        if keep is not None:  # until the first step that is not skipped, there is no output
            shown = keep if self.zero_output_for_mask else np.logical_or.accumulate(keep)
        self.saved = steps, states, keep, shown, details, (initial_state, mask)
        y = states[1:].copy() if shown is None else states[1:] * shown
        y = y.swapaxes(0, 1) if self.return_sequences else y[-1]
        return (y, states[-1].copy(), *last) if self.return_state else y

    def backward(self, dy: Any) -> Any:
        """Return the gradient with respect to `x`; with other arguments, a tuple for all of them.

        Args:
            dy: The gradient with respect to the output; with `return_state`, one for each array.
        """
        steps, states, keep, shown, details, given = self.saved
        dy, *dlast = dy if self.return_state else (dy,)
        dstates = np.zeros_like(states[1:])  # from outside, not from later steps
        dstates[... if self.return_sequences else -1] = dy.swapaxes(0, -2)
        if shown is not None:
            dstates *= shown
        if dlast:
            dstates[-1] += dlast[0]
        dz, drecurrent, *dfirst = self._backward_steps(dstates, states, keep, details, *dlast[1:])
        rows, recurrent_rows = (a.reshape(-1, a.shape[-1]) for a in (dz, drecurrent))
        before = states[:-1].reshape(-1, self.units)
        np.matmul(steps.reshape(len(rows), -1).T, rows, out=self.gradients["kernel"])
        np.matmul(before.T, recurrent_rows, out=self.gradients["recurrent_kernel"])
        if self.bias is not None:
            dbias = self.gradients["bias"].reshape(-1, rows.shape[-1])
            dbias[0], dbias[-1] = column_sums(rows), column_sums(recurrent_rows)
        dx = None
        if self.needs_input_gradient:
            way = slice(None, None, -1 if self.go_backwards else 1)
            dx = (dz @ self.kernel.T)[way].swapaxes(0, 1)
        initial_state, _ = given
        if initial_state is None:
            return dx
        return dx, _like(initial_state, dfirst), None

    def compute_output_shape(self, input_shape: Shape, initial_state_shape: Any = None) -> Any:
        """Return `(batch, units)` or `(batch, steps, units)`; with `return_state` several."""
        shape = (*input_shape[: 2 if self.return_sequences else 1], self.units)
        if not self.return_state:
            return shape
        return shape, *[(input_shape[0], self.units)] * self.state_arrays

    def compute_mask(self, inputs: Array, previous_mask: Any = None) -> Any:
        """Return the mask, if the output has the steps of the input."""
        return previous_mask if self.return_sequences and not self.return_state else None

    def _first_states(self, initial_state: Any, x: Array) -> list[Array]:
        """Return the arrays of the state before the first step."""
        if initial_state is None:
            return [np.zeros((len(x), self.units), x.dtype)] * self.state_arrays
        given = initial_state if isinstance(initial_state, list | tuple) else [initial_state]
        shapes = [np.shape(array) for array in given]
        wanted = [(len(x), self.units)] * self.state_arrays
        expect(shapes == wanted, f"{self.name} expects an initial_state of shapes {wanted}", shapes)
        return [np.asarray(array, x.dtype) for array in given]

    def _forward_steps(self, z: Array, states: Array, keep: Any, *first: Array) -> Any:
        """Fill `states[1:]`; return other arrays of the last state, and what the way back needs.

        Args:
            z: `x @ kernel + bias`, `(steps, batch, gates * units)`; may be overwritten.
            states: `(steps + 1, batch, units)`; the first is given.
            keep: `(steps, batch, 1)`: false where a step is skipped; `None` if none is.
            *first: Other arrays of the state before the first step.
        """
        raise NotImplementedError

    def _backward_steps(
        self, dstates: Array, states: Array, keep: Any, details: Any, *dlast: Array
    ) -> Any:
        """Return the gradients of `x @ kernel`, `state @ recurrent_kernel` and the first state."""
        raise NotImplementedError


def _hold(new: Array, old: Array, keep: Any, step: int) -> None:
    """Let the state stay as it was where a step is skipped."""
    if keep is not None:
        np.copyto(new, old, where=~keep[step])


def _divide(gradient: Array, keep: Any, step: int) -> Any:
    """Return the part of a state's gradient that goes through a step, and that which skips it."""
    return (gradient, 0) if keep is None else (gradient * keep[step], gradient * ~keep[step])


def _like(given: Any, gradients: list[Array]) -> Any:
    """Return gradients in the form in which the arrays were given."""
    if given is None:
        return None
    return gradients if isinstance(given, list | tuple) else gradients[0]


class SimpleRNN(_RNN):
    r"""A state that sees the input and itself: $h_t = f(x_t W + h_{t-1} U + b)$.

    (Elman, 1990.) `x` is `(batch, steps, features)`, `kernel` $W$ is `(features, units)`,
    `recurrent_kernel` $U$ is `(units, units)`.

    Args:
        units: Length of the state.
        activation: $f$: a name, a function, or `None` for none.
        **kwargs: `return_sequences`, `return_state`, `go_backwards`, `recurrent_initializer`,
            `recurrent_regularizer`, `use_bias`, and those of `Dense`.

    Raises:
        ValueError: `units` is not a positive integer.
    """

    def __init__(self, units: int, activation: Identifier = "tanh", **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.activation = activations.get(activation)

    def _forward_steps(self, z: Array, states: Array, keep: Any, *first: Array) -> Any:
        for step, z_step in enumerate(z):
            z_step += states[step] @ self.recurrent_kernel
            states[step + 1] = self.activation(z_step)
            _hold(states[step + 1], states[step], keep, step)
        return (), z

    def _backward_steps(
        self, dstates: Array, states: Array, keep: Any, details: Any, *dlast: Array
    ) -> Any:
        z, dz = details, np.empty_like(details)
        dstate = np.zeros_like(states[0])
        rule = vjp[self.activation]
        for step in reversed(range(len(z))):
            dstate, skipping = _divide(dstate + dstates[step], keep, step)
            dz[step] = rule(dstate, z[step], states[step + 1])
            dstate = dz[step] @ self.recurrent_kernel.T + skipping
        return dz, dz, dstate


class LSTM(_RNN):
    r"""Long short-term memory: gates decide what a cell takes in, keeps and shows.

    $c_t = f_t c_{t-1} + i_t g_t$ and $h_t = o_t \tanh c_t$, where the gates $i, f, o$ are
    sigmoids, and the candidate $g$ is a tanh, of $x_t W + h_{t-1} U + b$
    (Hochreiter and Schmidhuber, 1997; Gers et al., 2000). `x` is
    `(batch, steps, features)`; `kernel` $W$, `recurrent_kernel` $U$ and `bias` $b$ have
    `4 * units` columns, in the order i, f, g, o.

    Args:
        units: Length of the state and of the cell.
        **kwargs: `return_sequences`, `return_state`, `go_backwards`, `recurrent_initializer`,
            `recurrent_regularizer`, `use_bias`, and those of `Dense`.

    Raises:
        ValueError: `units` is not a positive integer.
    """

    gates = 4
    state_arrays = 2

    def build(self, input_shape: Shape, initial_state_shape: Any = None) -> None:
        """Make the weights; the forget gate starts open, so that the cell keeps its memory."""
        super().build(input_shape)
        if self.bias is not None:
            self.bias[self.units : 2 * self.units] = 1

    def _forward_steps(self, z: Array, states: Array, keep: Any, *first: Array) -> Any:
        # sigmoid(z) = tanh(z / 2) / 2 + 1/2, so that one tanh serves all four: halve the
        # arguments of the sigmoids before, and their results after.
        half = np.repeat(np.array([0.5, 0.5, 1, 0.5], z.dtype), self.units)
        shift = np.where(half == 1, 0, half)
        z *= half
        recurrent_kernel = self.recurrent_kernel * half
        cells = np.empty_like(states)
        (cells[0],) = first
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
            _hold(states[step + 1], states[step], keep, step)
            _hold(cells[step + 1], cells[step], keep, step)
        return (cells[-1].copy(),), (z, cells, shown)

    def _backward_steps(
        self, dstates: Array, states: Array, keep: Any, details: Any, *dlast: Array
    ) -> Any:
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
        if dlast:
            dcell += dlast[0]
        for step in reversed(range(len(gates))):
            dstate, skipping = _divide(dstate + dstates[step], keep, step)
            dcell, cell_skipping = _divide(dcell, keep, step)
            dcell += dstate * dcells[step]
            dz[step, :, :3] *= dcell[:, None]
            dz[step, :, 3] *= dstate
            dcell *= f[step]
            dcell += cell_skipping
            dstate = rows[step] @ self.recurrent_kernel.T + skipping
        return rows, rows, dstate, dcell


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
        return_state: Whether to return the last state as well.
        go_backwards: Whether to go from the last step to the first, and to return in that order.
        **kwargs: `use_bias`, and those of `Dense`.

    Raises:
        ValueError: `units` is not a positive integer.
    """

    gates = 3
    biases = (2,)

    def _forward_steps(self, z: Array, states: Array, keep: Any, *first: Array) -> Any:
        both = 2 * self.units  # columns of the two sigmoids
        recurrent = np.empty_like(z)
        for step, gates in enumerate(z):
            np.matmul(states[step], self.recurrent_kernel, out=recurrent[step])
            if self.bias is not None:
                recurrent[step] += self.bias[1]
            gates[:, :both] += recurrent[step, :, :both]
            gates[:, :both] = activations.sigmoid(gates[:, :both])
            update, reset, candidate = gates.reshape(-1, 3, self.units).swapaxes(0, 1)
            candidate += reset * recurrent[step, :, both:]
            np.tanh(candidate, out=candidate)
            states[step + 1] = candidate + update * (states[step] - candidate)
            _hold(states[step + 1], states[step], keep, step)
        return (), (z, recurrent)

    def _backward_steps(
        self, dstates: Array, states: Array, keep: Any, details: Any, *dlast: Array
    ) -> Any:
        gates, recurrent = details
        z, r, g = np.split(gates, 3, axis=-1)
        # What does not depend on later steps, for all steps at once.
        dupdate, dcandidate = (states[:-1] - g) * z * (1 - z), (1 - z) * (1 - g * g)
        dreset = recurrent[..., 2 * self.units :] * r * (1 - r)
        dz = np.stack([dupdate, dreset, dcandidate], axis=2)  # (steps, batch, 3, units)
        drecurrent = np.empty_like(dz)
        rows = drecurrent.reshape(gates.shape)
        dstate = np.zeros_like(states[0])
        for step in reversed(range(len(gates))):
            dstate, skipping = _divide(dstate + dstates[step], keep, step)
            dz[step, :, ::2] *= dstate[:, None]
            dz[step, :, 1] *= dz[step, :, 2]
            drecurrent[step] = dz[step]
            drecurrent[step, :, 2] *= r[step]
            dstate = dstate * z[step] + rows[step] @ self.recurrent_kernel.T + skipping
        return dz.reshape(gates.shape), rows, dstate
