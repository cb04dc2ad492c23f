"""Tensors that remember how they came about, so that what was computed can be walked back.

There are two kinds. A symbolic tensor has a shape and no numbers: `keras.Input` makes one, and
what is made of it by calling layers is the graph of a functional model. A traced tensor has
numbers as well: a layer without a `backward` of its own is called on such tensors, and a tape
writes down each layer and each function of `labkit.ops` that is called on them. Going through
the tape from its end gives the gradients.
"""

import functools
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from labkit._common import Array, rng
from labkit._tensor import KerasTensor, UntraceableError
from labkit._tree import flatten, map_structure, pack

# Sizes that stand in for an axis of any size. Where two results differ, the size depends on it.
_BATCHES, _STEPS = (2, 3), (50, 75)

_tape: ContextVar["Tape | None"] = ContextVar("tape", default=None)


class Node:
    """A call of a layer, or of a function of `labkit.ops`, on tensors.

    Args:
        operation: The layer or function.
        args: What it was called on: tensors and constants, also in lists, tuples and dicts.
        kwargs: What it was given by name.
        outputs: The tensors that it made.
    """

    def __init__(self, operation: Any, args: Any, kwargs: dict[str, Any], outputs: Any) -> None:
        self.operation, self.args, self.kwargs, self.outputs = operation, args, kwargs, outputs
        self.inputs = tensors_in((args, kwargs))
        for tensor in flatten(outputs):
            tensor.node = self


class Tape:
    """The calls on some traced tensors, in their order.

    Args:
        owner: The layer whose call is written down; the weights of it, and of all layers that
            it holds, become tensors where a function of `labkit.ops` meets them.
    """

    def __init__(self, owner: Any = None) -> None:
        self.nodes: list[Node] = []
        self.used_weights: dict[int, tuple[Any, str, KerasTensor]] = {}
        layers = [*owner.flatten_layers()] if owner is not None else []
        self._weights = {
            id(layer.named_weights[name]): (layer, name)
            for layer in layers
            for name in layer.gradients
        }
        # Where layers hold weights: the attributes, their key, what it is, and what stands there.
        self._places: list[tuple[dict[str, Any], str, Any, Any]] = []
        for layer in layers if self._weights else ():
            self._find_places(layer)

    def tensor(self, value: Any) -> KerasTensor:
        """Return a tensor with these numbers, whose calls are written down here."""
        made = KerasTensor(np.shape(value), getattr(value, "dtype", "float32"), "traced")
        made.value, made.tape = value, self
        return made

    def stand_in(self, value: Any) -> Any:
        """Return the tensor of an array that is a weight; anything else as it is."""
        if not isinstance(value, np.ndarray) or id(value) not in self._weights:
            return value
        if id(value) not in self.used_weights:
            self.used_weights[id(value)] = *self._weights[id(value)], self.tensor(value)
        return self.used_weights[id(value)][2]

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Let attributes that are weights be tensors, and functions of `labkit.ops` find them."""
        token = _tape.set(self)
        self._show_tensors()
        try:
            yield
        finally:
            self._show_arrays()
            _tape.reset(token)

    def _find_places(self, layer: Any) -> None:
        attributes, registries = vars(layer), (layer.named_weights, layer.gradients)
        for key, value in attributes.items():
            if not isinstance(value, np.ndarray | list | tuple | dict):
                continue
            if not any(value is registry for registry in registries):
                leaves = _leaves(value)
                if any(id(leaf) in self._weights for leaf in leaves):
                    tensors = map_structure(self.stand_in, value)
                    self._places.append((attributes, key, value, tensors))

    def _show_tensors(self) -> None:
        for attributes, key, value, tensors in self._places:
            if attributes.get(key) is value:
                attributes[key] = tensors

    def _show_arrays(self) -> None:
        for attributes, key, value, tensors in self._places:
            if attributes.get(key) is tensors:
                attributes[key] = value

    def record(self, operation: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """Call an operation on the tensors' numbers; return the tensors that it makes."""
        args_in, kwargs_in = map_structure(_value, args), map_structure(_value, kwargs)
        token = _tape.set(None)  # what a layer does inside is its own affair
        if isinstance(operation, Function):
            result = operation(*args_in, **kwargs_in)
            _tape.reset(token)
        else:
            self._show_arrays()
            try:
                result = operation(*args_in, **kwargs_in)
            finally:
                self._show_tensors()
                _tape.reset(token)
        outputs = map_structure(self.tensor, result)
        self.nodes.append(Node(operation, args, kwargs, outputs))
        return outputs

    def backward(
        self,
        slopes: list[tuple[KerasTensor, Array]],
        unneeded: set[int],
        fixed: Callable[[Any], bool] = lambda layer: False,
    ) -> "Slopes":
        """Return the gradients of all tensors that no call made.

        Args:
            slopes: Tensors, each with the loss's gradient with respect to it.
            unneeded: The `id` of tensors whose gradients nobody needs.
            fixed: Tells of a layer whether nobody needs the gradients of its weights.
        """
        found = Slopes()
        for tensor, slope in slopes:
            found.add(tensor, slope)
        for node in self.nodes:
            is_function = isinstance(node.operation, Function)
            in_vain = all(id(tensor) in unneeded for tensor in node.inputs)
            if in_vain and (is_function or fixed(node.operation)):
                unneeded |= {id(tensor) for tensor in flatten(node.outputs)}
        for node in reversed(self.nodes):
            dys = [found.pop(tensor) for tensor in flatten(node.outputs)]
            needed = [id(tensor) not in unneeded for tensor in node.inputs]
            if isinstance(node.operation, Function):
                if dys[0] is not None and any(needed):
                    node.operation.backward(node, dys[0], unneeded, found)
                continue
            outputs = flatten(node.outputs)
            if all(id(tensor) in unneeded for tensor in outputs):
                continue
            dys = [_zeros(t) if dy is None else dy for t, dy in zip(outputs, dys, strict=True)]
            layer = node.operation
            layer.needs_input_gradient = any(needed)
            try:
                dx = layer.backward(pack(node.outputs, dys))
            finally:
                layer.needs_input_gradient = True
            if any(needed):
                found.add_all(node.args, dx)
        return found


class Slopes:
    """Gradients of the loss, by tensor; those of several uses of a tensor add up."""

    def __init__(self) -> None:
        self._by_id: dict[int, Array] = {}

    def add(self, tensor: KerasTensor, slope: Array) -> None:
        """Add to the gradient of a tensor."""
        slope = _fitted(slope, np.shape(tensor.value))
        before = self._by_id.get(id(tensor))
        self._by_id[id(tensor)] = slope if before is None else before + slope

    def add_all(self, args: Any, dx: Any) -> None:
        """Add what a layer's `backward` returned for its arguments."""
        alone = not isinstance(dx, tuple) or (len(args) == 1 and isinstance(args[0], tuple))
        given = (dx,) if alone else dx
        for arg, slope in zip(args, given or (), strict=False):
            parts = flatten(slope) if isinstance(arg, list | tuple | dict) else [slope]
            for tensor, part in zip(flatten(arg), parts, strict=False):
                if isinstance(tensor, KerasTensor) and part is not None:
                    self.add(tensor, part)

    def pop(self, tensor: KerasTensor) -> Any:
        """Return and forget the gradient of a tensor; `None` if there is none."""
        return self._by_id.pop(id(tensor), None)


class Function:
    """A function of arrays with its derivatives, which also takes tensors.

    Args:
        function: The function.
        vjps: For each positional argument `vjp(dy, y, *args, **kwargs)`, the gradient with respect
            to it, before what was broadcast is summed up; `None` where there is none.
    """

    def __init__(self, function: Callable[..., Any], vjps: tuple[Any, ...]) -> None:
        self.function, self.vjps = function, vjps
        self.name = function.__name__
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute at once, or write down a call on tensors."""
        tape = _tape.get()
        if tape is not None:
            args = map_structure(tape.stand_in, args)
        if tensors_in((args, kwargs)):
            return record(self, args, kwargs)
        return self.function(*args, **kwargs)

    def backward(self, node: Node, dy: Array, unneeded: set[int], found: Slopes) -> None:
        """Add the gradients of the arguments."""
        args = map_structure(_value, node.args)
        kwargs, y = map_structure(_value, node.kwargs), node.outputs.value
        for arg, vjp in zip(node.args, self.vjps, strict=False):
            tensors = flatten(arg)
            if vjp is None or not any(_needed(tensor, unneeded) for tensor in tensors):
                continue
            slopes = vjp(dy, y, *args, **kwargs)
            for tensor, slope in zip(tensors, flatten(slopes), strict=True):
                if isinstance(tensor, KerasTensor):
                    found.add(tensor, slope)


def differentiable(*vjps: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a function of arrays also take tensors, see `Function`."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        operation = Function(function, vjps)

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return operation(*args, **kwargs)

        return wrapper

    return decorate


def record(operation: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Call a layer or a function on tensors, and return the tensors that it makes."""
    inputs = tensors_in((args, kwargs))
    tapes = [tensor.tape for tensor in inputs if tensor.tape is not None]
    if tapes:
        if any(tensor.tape is not tapes[0] for tensor in inputs):
            raise UntraceableError("Tensors of different calls cannot meet.")
        return tapes[0].record(operation, args, kwargs)
    if isinstance(operation, Function):
        outputs = _inferred(operation, args, kwargs)
    else:
        outputs = operation.symbolic_outputs(args, kwargs)
    node = Node(operation, args, kwargs, outputs)
    if not isinstance(operation, Function):
        operation._inbound_nodes.append(weakref.ref(node))
    return outputs


def probed(function: Callable[..., Any], *shapes: Any) -> Any:
    """Return the shapes of what a function returns, by calling it on arrays of ones.

    Args:
        function: Called twice on arrays, with two sizes for each axis of any size.
        *shapes: Shapes of the arrays, or structures of tensors that have them.
    """

    def ones(tensor: Any, which: int) -> Any:
        if not isinstance(tensor, KerasTensor):
            return tensor
        shape = [_STEPS[which] if n is None else n for n in tensor.shape]
        if tensor.shape and tensor.shape[0] is None:
            shape[0] = _BATCHES[which]
        return np.full(shape, tensor.dtype.startswith("float"), tensor.dtype)

    state = rng.bit_generator.state  # a layer that draws numbers must not do so in secret
    with np.errstate(all="ignore"):
        results = [
            function(*map_structure(lambda t, n=n: ones(t, n), shapes))  # type: ignore[misc]
            for n in (0, 1)
        ]
    rng.bit_generator.state = state
    first, second = (flatten(result) for result in results)
    made = [
        KerasTensor(
            tuple(m if m == n else None for m, n in zip(a.shape, b.shape, strict=True)), a.dtype
        )
        for a, b in zip(map(np.asarray, first), map(np.asarray, second), strict=True)
    ]
    return pack(results[0], made)


def tensors_in(values: Any) -> list[KerasTensor]:
    """Return the tensors in a structure."""
    return [leaf for leaf in flatten(values) if isinstance(leaf, KerasTensor)]


def in_order(outputs: Any, inputs: Any) -> tuple[list[Node], dict[int, int]]:
    """Return the calls between symbolic tensors, each after those that it needs.

    Args:
        outputs: Where the calls lead to.
        inputs: Where they begin.

    Returns:
        The calls, and the order in which their operations are met on the way back from the
        outputs, by the operation's `id`.
    """
    given = {id(tensor) for tensor in flatten(inputs)}
    done, order, met = set[int](), list[Node](), dict[int, int]()
    waiting = [(tensor, False) for tensor in reversed(flatten(outputs))]
    while waiting:  # a loop, as a deep network would exceed Python's recursion
        tensor, sources_done = waiting.pop()
        node = tensor.node
        if node is None or id(node) in done or (node.inputs and id(tensor) in given):
            continue
        if sources_done:
            done.add(id(node))
            order.append(node)
            continue
        met.setdefault(id(node.operation), len(met))
        waiting.append((tensor, True))
        waiting += [(source, False) for source in reversed(node.inputs)]
    return order, met


def _inferred(operation: Function, args: Any, kwargs: dict[str, Any]) -> Any:
    return probed(lambda a, k: operation(*a, **k), args, kwargs)


def stand_in(value: Any) -> Any:
    """Return the tensor that stands for a weight while a call is traced; else the value."""
    tape = _tape.get()
    return value if tape is None else tape.stand_in(value)


def _leaves(value: Any) -> list[Any]:
    try:
        return flatten(value)
    except TypeError:  # a dict whose keys cannot be sorted is none of weights
        return []


def _value(leaf: Any) -> Any:
    return leaf.value if isinstance(leaf, KerasTensor) else leaf


def _needed(leaf: Any, unneeded: set[int]) -> bool:
    return isinstance(leaf, KerasTensor) and id(leaf) not in unneeded


def _zeros(tensor: KerasTensor) -> Array:
    return np.zeros_like(tensor.value)


def _fitted(slope: Array, shape: Any) -> Array:
    """Sum a gradient over the axes along which the array of that shape was broadcast."""
    slope = np.asarray(slope)
    if slope.shape == shape:
        return slope
    slope = slope.sum(axis=tuple(range(slope.ndim - len(shape))))
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and slope.shape[i] != 1)
    return np.asarray(slope.sum(axis=axes, keepdims=True))
