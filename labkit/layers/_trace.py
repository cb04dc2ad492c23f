"""A layer without a `backward` of its own: its calls are written down, and walked back."""

from typing import TYPE_CHECKING, Any

import numpy as np

from labkit import activations
from labkit._common import Array
from labkit._graph import Function, Slopes, Tape
from labkit._tensor import KerasTensor, UntraceableError
from labkit._tree import flatten, map_structure
from labkit.layers import _calls

if TYPE_CHECKING:
    from labkit.layers.layer import Layer


class Trace:
    """A call that was written down.

    Args:
        tape: Where.
        inputs: The tensors of the inputs.
        outputs: What `call` returned.
        penalties: The tensors that it handed to `add_loss`.
    """

    def __init__(self, tape: Tape, inputs: Any, outputs: Any, penalties: list[Any]) -> None:
        self.tape, self.inputs, self.outputs, self.penalties = tape, inputs, outputs, penalties
        self.ends = [end for tensor in flatten(outputs) if (end := _end(tensor)) is not None]

    def backward(self, layer: "Layer", dy: Any) -> Any:
        """Fill the gradients of all weights that were used; return those of the inputs."""
        pairs = zip(flatten(self.outputs), flatten(dy), strict=True)
        slopes = [(t, slope) for t, slope in pairs if isinstance(t, KerasTensor)]
        slopes += [(t, np.ones_like(t.value)) for t in self.penalties if isinstance(t, KerasTensor)]
        inputs = flatten(self.inputs)
        unneeded = set() if layer.needs_input_gradient else {id(tensor) for tensor in inputs}
        for logits, end in self.ends:
            if end.dlogits is not None:
                slopes.append((logits, end.dlogits))
                end.dlogits = None
        for gradient in layer.gradients.values():
            gradient[...] = 0
        found = self.tape.backward(slopes, unneeded, _calls.is_fixed)
        for owner, name, tensor in self.tape.used_weights.values():
            slope = found.pop(tensor)
            if owner is layer:
                layer.gradients[name] = np.zeros_like(tensor.value) if slope is None else slope
            elif slope is not None:
                _calls.add_to_gradient(owner, name, slope)
        if not layer.needs_input_gradient:
            return None
        dx = map_structure(lambda tensor: _or_zeros(found, tensor), self.inputs)
        return dx[0] if len(dx) == 1 else dx


class Untraced:
    """A call that could not be written down: there is no way back through it.

    Args:
        error: Why.
    """

    def __init__(self, error: UntraceableError) -> None:
        self.error = error

    def backward(self, layer: "Layer", dy: Any) -> None:
        """Return nothing, if nobody needs a gradient.

        Raises:
            UntraceableError: A gradient is needed.
        """
        if layer.needs_input_gradient or any(part.gradients for part in layer.flatten_layers()):
            reason = f"{layer.name} has no backward, and its call cannot be traced"
            raise UntraceableError(f"{reason}: {self.error}")


def trace(layer: "Layer", *args: Any, **kwargs: Any) -> Any:
    """Return what `layer.call` does, and write down how.

    If it does something with a tensor that the way back cannot follow, it is called on arrays.
    """
    if layer.uses_weights and not layer._built_inside:
        layer._built_inside = True
        if not all(part.built for part in layer.flatten_layers()):
            _build_inside(layer, args, kwargs)
    tape = Tape(layer if layer.uses_weights else None)
    inputs = map_structure(tape.tensor, args)
    try:
        with tape.writing():
            outputs = layer.call(*inputs, **kwargs)
    except UntraceableError as error:
        layer._added = []
        result = layer.call(*args, **kwargs)
        layer.saved = Untraced(error)
        return result
    layer.saved = Trace(tape, inputs, outputs, layer._added)
    if (current := _calls.current_pass.get()) is not None:
        current.ends |= {id(end.output): end for _, end in layer.saved.ends}
    layer._added = [
        tensor.value if isinstance(tensor, KerasTensor) else tensor for tensor in layer._added
    ]
    return map_structure(_array, outputs)


def _build_inside(layer: "Layer", args: Any, kwargs: Any) -> None:
    """Let the layers inside make their weights, as the tape has to know them before the call."""
    options = kwargs | ({"training": False} if "training" in kwargs else {})
    token = _calls.current_pass.set(_calls.Pass())
    try:
        layer.call(*args, **options)
    finally:
        _calls.current_pass.reset(token)
    layer._added = []


def _end(tensor: Any) -> tuple[KerasTensor, _calls.Call] | None:
    """Return the logits, and a record of the call, if a softmax or sigmoid made an output."""
    node = tensor.node if isinstance(tensor, KerasTensor) else None
    if node is None or not isinstance(node.operation, Function):
        return None
    function, logits = getattr(activations, node.operation.name, None), node.args[0]
    if function not in (activations.softmax, activations.sigmoid):
        return None
    if {*node.args[1:], *node.kwargs.values()} - {-1}:  # along another axis
        return None
    return logits, _calls.Call(None, tensor.value, (function, logits.value), [])


def _array(leaf: Any) -> Any:
    return leaf.value if isinstance(leaf, KerasTensor) else np.asarray(leaf)


def _or_zeros(found: Slopes, tensor: KerasTensor) -> Array:
    slope = found.pop(tensor)
    return np.zeros_like(tensor.value) if slope is None else slope
