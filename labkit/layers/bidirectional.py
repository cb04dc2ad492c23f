"""Two recurrent layers that read a sequence from both ends."""

import copy
from typing import Any

import numpy as np

from labkit._common import Array, Shape, expect
from labkit.layers.layer import Layer
from labkit.layers.rnn import GRU, LSTM, SimpleRNN


class Bidirectional(Layer):
    """A recurrent layer, and a second one of its kind that reads from the last step to the first.

    What one step is, in speech or text, often shows only later (Schuster and Paliwal, 1997).

    Args:
        layer: The recurrent layer, not used before; it is copied.
        merge_mode: How the two outputs become one: `"concat"` side by side, `"sum"`, `"mul"`,
            `"ave"`; or `None`, which returns both.
        backward_layer: The second layer, if it is to differ; it goes backwards.
        **kwargs: As in `Layer`.

    Raises:
        TypeError: `layer` or `backward_layer` is no recurrent layer.
        ValueError: The two do not fit each other, or `merge_mode` is unknown.
    """

    expects = "(batch, steps, features)"

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        *,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        for given in (layer, backward_layer or layer):
            if not isinstance(given, SimpleRNN | LSTM | GRU):
                raise TypeError(f"Bidirectional expects a recurrent layer. Received: {given!r}")
        modes = ("concat", "sum", "mul", "ave", None)
        expect(merge_mode in modes, f"merge_mode must be one of {modes}", repr(merge_mode))
        expect(
            not layer.built, "Bidirectional expects a layer that was not used before", layer.name
        )
        self.merge_mode = merge_mode
        self._divisor = 2 if merge_mode == "ave" else 1
        self.forward_layer: Any = copy.deepcopy(layer)
        self.backward_layer: Any = backward_layer or copy.deepcopy(layer)
        if backward_layer is None:
            self.backward_layer.go_backwards = True
        pair: list[Any] = [self.forward_layer, self.backward_layer]
        expect(
            pair[0].go_backwards != pair[1].go_backwards, "One of two layers goes backwards", pair
        )
        settings = [(part.return_sequences, part.return_state) for part in pair]
        wanted = "Both layers need the same return_sequences and return_state"
        expect(settings[0] == settings[1], wanted, settings)
        self.return_sequences, self.return_state = settings[0]
        for part, prefix in zip(pair, ("forward", "backward"), strict=True):
            part.name = f"{prefix}_{layer.name}"
            part.zero_output_for_mask = self.return_sequences  # as in Keras

    def build(self, input_shape: Shape, initial_state_shape: Any = None) -> None:
        """Make the weights of both layers."""
        self.forward_layer.build(input_shape)
        self.backward_layer.build(input_shape)

    def call(self, x: Array, initial_state: Any = None, mask: Array | None = None) -> Any:
        """Return both layers' outputs, merged; with `return_state` also their last states.

        Args:
            x: `(batch, steps, features)`.
            initial_state: A list of the first layer's and then of the second layer's arrays.
            mask: `(batch, steps)`; a step where it is false is skipped.
        """
        half = None if initial_state is None else len(initial_state) // 2
        starts = (None, None) if half is None else (initial_state[:half], initial_state[half:])
        results = []
        for layer, start in zip((self.forward_layer, self.backward_layer), starts, strict=True):
            given = {"initial_state": start, "mask": mask}
            result = layer(x, **{name: value for name, value in given.items() if value is not None})
            results.append(result if self.return_state else (result,))
        (y, *states), (other, *other_states) = results
        other = self._turned(other)
        self.saved = y, other, initial_state is not None, mask is not None
        merged = self._merged(y, other)
        if not self.return_state:
            return merged
        return (*(merged if isinstance(merged, tuple) else (merged,)), *states, *other_states)

    def backward(self, dy: Any) -> Any:
        """Return the gradient with respect to `x`; with other arguments, a tuple for all."""
        y, other, started, _ = self.saved
        count = 2 if self.merge_mode is None else 1
        parts = list(dy) if self.return_state or self.merge_mode is None else [dy]
        dy, dstates = parts[:count], parts[count:]
        half = len(dstates) // 2
        slopes = self._backward_merged(dy, y, other)
        dx: Any = None
        dfirst: list[Array] = []
        for layer, slope, dlast in zip(
            (self.forward_layer, self.backward_layer),
            (slopes[0], self._turned(slopes[1])),
            (dstates[:half], dstates[half:]),
            strict=True,
        ):
            layer.needs_input_gradient = self.needs_input_gradient
            share = layer.backward((slope, *dlast) if self.return_state else slope)
            if isinstance(share, tuple):
                share, first, _ = share
                dfirst += first if isinstance(first, list) else []
            if share is not None:
                dx = share if dx is None else dx + share
        return (dx, dfirst, None) if started else dx

    def compute_output_shape(self, input_shape: Shape, initial_state_shape: Any = None) -> Any:
        """Return the shape of the output; with several arrays, a tuple of shapes."""
        shape = self.forward_layer.compute_output_shape(input_shape)
        shape, *states = shape if self.return_state else (shape,)
        if self.merge_mode == "concat":
            shape = (*shape[:-1], 2 * shape[-1])
        outputs = [shape] * (2 if self.merge_mode is None else 1) + states * 2
        return tuple(outputs) if len(outputs) > 1 else shape

    def compute_mask(self, inputs: Array, previous_mask: Any = None) -> Any:
        """Return the mask, if the output has the steps of the input."""
        return previous_mask if self.return_sequences and self.merge_mode is not None else None

    def _turned(self, x: Array) -> Array:
        """Return the steps in the opposite order, if there are steps."""
        return np.flip(x, 1) if self.return_sequences else x

    def _merged(self, y: Array, other: Array) -> Any:
        """Return the output for both layers' outputs."""
        if self.merge_mode == "concat":
            return np.concatenate([y, other], -1)
        if self.merge_mode == "mul":
            return y * other
        if self.merge_mode is None:
            return y, other
        return (y + other) / self._divisor

    def _backward_merged(self, dy: list[Array], y: Array, other: Array) -> Any:
        """Return the gradients with respect to both layers' outputs."""
        if self.merge_mode == "concat":
            return np.split(dy[0], 2, -1)
        if self.merge_mode == "mul":
            return dy[0] * other, dy[0] * y
        return dy if self.merge_mode is None else [dy[0] / self._divisor] * 2
