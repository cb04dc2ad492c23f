"""What happens around a layer's `call` and `backward`: what each call keeps, and how calls add up.

A pass is one way forward: the call of a model, and all calls of layers inside it. Each layer
keeps a record of each of its calls in the pass. On the way back the last call comes first.
"""

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit._common import Array, Shape
from labkit._tree import flatten, pack

if TYPE_CHECKING:
    from labkit.layers.layer import Layer

current_pass: ContextVar["Pass | None"] = ContextVar("current_pass", default=None)
# The layers of which a training step changes some weights, by id; None outside of a step.
trained: ContextVar[frozenset[int] | None] = ContextVar("trained", default=None)
_way_back: ContextVar[dict[int, int] | None] = ContextVar("way_back", default=None)


class Call:
    """What one call of a layer keeps for its `backward`.

    Args:
        saved: What the layer put into `self.saved`.
        output: What it returned.
        logits: The softmax or sigmoid at its end, and what it was applied to; or `None`.
        penalties: What it handed to `add_loss`.

    Attributes:
        dlogits: The gradient with respect to the logits, if the loss is computed from these.
    """

    def __init__(self, saved: Any, output: Any, logits: Any, penalties: list[Any]) -> None:
        self.saved, self.output, self.logits, self.penalties = saved, output, logits, penalties
        self.dlogits: Array | None = None


class Pass:
    """One way forward.

    Attributes:
        training: Whether the call that is being made is one in training.
        ends: By the `id` of an output, the call whose softmax or sigmoid made it.
        masks: By the `id` of an output, the output and which of its steps count.
        penalized: Whether a penalty on an output, or an added loss, belongs to the loss.
    """

    def __init__(self) -> None:
        self.training = False
        self.ends: dict[int, Call] = {}
        self.masks: dict[int, tuple[Array, Array]] = {}
        self.penalized = False

    def mask(self, x: Any) -> Any:
        """Return which steps of a layer's output count; `None` if all do.

        Of a list or tuple of outputs, it is a list with the mask of each.
        """
        if isinstance(x, list | tuple):
            masks = [self.mask(part) for part in x]
            return None if all(mask is None for mask in masks) else masks
        return self.masks.get(id(x), (None, None))[1]


class Gradients(dict[str, Array]):
    """The gradients of a layer's weights by name: assigning one copies it into its array.

    Args:
        owner: Name of the layer, for messages.
    """

    def __init__(self, owner: str) -> None:
        super().__init__()
        self.owner = owner

    def make_room(self, name: str, weight: Array) -> None:
        """Add the gradient of a new weight: zeros."""
        super().__setitem__(name, np.zeros_like(weight))

    def __setitem__(self, name: str, value: Any) -> None:
        array = self.get(name)
        if array is None:
            wanted = f"{self.owner} has the trainable weights {[*self]}, which add_weight makes"
            raise ValueError(f"{wanted}. Received a gradient of {name!r}.")
        if value is array:
            return
        if np.shape(value) != array.shape:
            wanted = f"The gradient of {name} of {self.owner} has the weight's shape {array.shape}"
            raise ValueError(f"{wanted}. Received: {np.shape(value)}")
        array[...] = value

    def __reduce__(self) -> Any:
        return _gradients, (self.owner, dict(self))


def _gradients(owner: str, arrays: dict[str, Array]) -> Gradients:
    made = Gradients(owner)
    dict.update(made, arrays)
    return made


def built_once(build: Callable[..., None]) -> Callable[..., None]:
    """Return `build` so that only its first call does anything."""

    @functools.wraps(build)
    def wrapper(self: "Layer", *input_shapes: Shape, **named: Shape) -> None:
        if not self.built:
            build(self, *input_shapes, **named)
            self.built = True

    return wrapper


def accumulating(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Return `backward` for the call whose turn it is.

    The first time on a way back, the gradients of weights are new, with those of the penalties;
    each further time, they add up.
    """

    @functools.wraps(backward)
    def wrapper(self: "Layer", dy: Any) -> Any:
        if type(self).backward is not wrapper:
            return backward(self, dy)  # called by a subclass's backward
        done, token = _way_back.get(), None
        if done is None:
            token = _way_back.set(done := {})
        try:
            dx = _one_call_back(self, backward, dy, done)
        finally:
            if token is not None:
                _way_back.reset(token)
        if token is not None:
            self._reached = done
        return dx

    return wrapper


def _one_call_back(layer: "Layer", backward: Any, dy: Any, done: dict[int, int]) -> Any:
    times = done.get(id(layer), 0)
    if times >= len(layer._calls):
        often = "before its backward" if not layer._calls else f"{times + 1} times"
        raise RuntimeError(f"Call {layer.name} on an array {often}, as its backward expects.")
    call = layer._calls[-1 - times]
    layer.saved, layer._dlogits = call.saved, call.dlogits
    dy = _checked_slopes(layer, dy, call.output)
    kept = {name: g.copy() for name, g in layer.gradients.items()} if id(layer) in done else None
    dx = backward(layer, dy)
    call.dlogits = layer._dlogits = None
    done[id(layer)] = times + 1
    if kept is None:
        add_penalties(layer)
    else:
        for name, gradient in kept.items():
            layer.gradients[name] += gradient
    return dx


def is_fixed(layer: "Layer") -> bool:
    """Return whether the way back may leave out a layer before all that are trained.

    Of a layer that was called twice it may not: the calls are sent back one by one.
    """
    some = trained.get()
    if some is None or id(layer) in some:
        return False
    return all(len(part._calls) == 1 for part in layer.flatten_layers())


def add_to_gradient(layer: "Layer", name: str, slope: Array | None) -> None:
    """Add to the gradient of a weight that another layer used by itself."""
    done = _way_back.get()
    if done is not None and id(layer) not in done:
        done[id(layer)] = 0
        for gradient in layer.gradients.values():
            gradient[...] = 0
        add_penalties(layer)
    if slope is not None:
        layer.gradients[name] += slope


def add_penalties(layer: "Layer") -> None:
    """Add the gradients of the penalties on a layer's own weights."""
    for name, regularizer in layer._penalties.items():
        if name in layer.gradients:
            layer.gradients[name] += regularizer.gradient(layer.named_weights[name])


def _checked_slopes(layer: "Layer", dy: Any, output: Any) -> Any:
    """Return `dy` in the output's shape, with the gradient of a penalty on the output."""
    if isinstance(output, np.ndarray):
        return _checked_slope(layer, dy, output)
    outputs, slopes = flatten(output), flatten(dy)
    if len(outputs) != len(slopes):
        raise ValueError(
            f"{layer.name}.backward expects {len(outputs)} gradients, not {len(slopes)}."
        )
    pairs = zip(outputs, slopes, strict=True)
    return pack(output, [_checked_slope(layer, slope, y) for y, slope in pairs])


def _checked_slope(layer: "Layer", dy: Any, y: Array) -> Array:
    dy = np.asarray(dy, y.dtype if y.dtype.kind == "f" else layer.dtype)
    if dy.shape != y.shape:
        wanted = f"{layer.name}.backward expects the output's shape {y.shape}"
        raise ValueError(f"{wanted}. Received: dy.shape={dy.shape}")
    if layer.activity_regularizer is not None:
        dy = dy + layer.activity_regularizer.gradient(y) / len(y)
    return np.asarray(dy)
