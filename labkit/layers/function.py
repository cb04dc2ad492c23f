"""A function as a layer."""

from collections.abc import Callable
from typing import Any

import numpy as np

from labkit._common import Array, Shape, expect
from labkit.layers.layer import Layer


class Lambda(Layer):
    """Any function of arrays, without weights, as a layer: `Lambda(lambda x: x**2)`.

    With arithmetic and functions of `labkit.ops`, it may stand anywhere. With NumPy's functions,
    which are not differentiated, it stands before all layers that have weights; Keras takes no
    NumPy. Keras's `mask` is left out: a mask ends here, as it does there without this argument.

    Args:
        function: Called as `function(x, **arguments)`.
        output_shape: The shape of a sample's output; `None` to find it out.
        arguments: Further arguments of the function, by name.
        **kwargs: As in `Layer`.

    Raises:
        ValueError: `function` cannot be called.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: tuple[int, ...] | None = None,
        *,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        expect(callable(function), "Lambda expects a function", repr(function))
        self.function, self.arguments = function, arguments or {}
        self.output_shape = output_shape

    def call(self, x: Array, training: bool = False) -> Any:
        """Return `function(x, **arguments)`."""
        return self.function(x, **self.arguments)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the output's shape, found by a call on ones if it is not known."""
        if self.output_shape is not None:
            return input_shape[0], *self.output_shape
        sample = np.ones([1 if n is None else n for n in input_shape], self.dtype)
        return input_shape[0], *np.shape(self.call(sample))[1:]
