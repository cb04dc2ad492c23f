"""Functional models: the graph of layers that leads from some tensors to others."""

from collections import defaultdict
from typing import Any

from labkit._common import expect, numbers
from labkit._graph import Function, Node, in_order
from labkit._tensor import KerasTensor
from labkit._tree import flatten, map_structure, pack
from labkit.layers import InputLayer, Layer
from labkit.models.model import Model
from labkit.models.sequential import with_rank


class Functional(Model):
    """The graph of layers that leads from some tensors to others: `Model(inputs, outputs)`.

    Args:
        inputs: A tensor, or a list, tuple or dict of tensors.
        outputs: Likewise.
        **kwargs: `trainable` and `name`, as in `Layer`.

    Raises:
        TypeError: An input or output is not a tensor.
        ValueError: The outputs need other inputs, or two layers have one name.
    """

    uses_weights = False

    def __init__(self, inputs: Any, outputs: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for tensor in flatten((inputs, outputs)):
            if not isinstance(tensor, KerasTensor):
                wanted = "Model expects tensors, made by Input and by calling layers on them"
                raise TypeError(f"{wanted}. Received: {type(tensor).__name__}")
        self._nodes, self._layers = _nodes_and_layers(inputs, outputs)
        self._entry, self._exit = inputs, outputs
        self._check_connected()
        self._check_names()
        if not self.trainable:
            self.trainable = False  # and so are its layers
        self.built = True

    @property
    def inputs(self) -> list[KerasTensor]:
        """The tensors with which the graph begins."""
        return flatten(self._entry)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The tensors with which it ends."""
        return flatten(self._exit)

    @property
    def nodes(self) -> list[Node]:
        """The calls of which it consists, each after those that it needs."""
        return self._nodes

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return [tensor.name for tensor in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that make the outputs; in a dict of outputs, its keys."""
        if isinstance(self._exit, dict):
            return sorted(self._exit)
        return [
            tensor.node.operation.name if tensor.node else tensor.name for tensor in self.outputs
        ]

    def call(self, inputs: Any) -> Any:  # type: ignore[override]  # the same in training
        """Return the outputs, by making each call of the graph anew."""
        values = {id(t): x for t, x in zip(self.inputs, flatten(inputs), strict=True)}

        def value(leaf: Any) -> Any:
            return values.get(id(leaf), leaf)

        for node in self._nodes:
            if not node.inputs:
                continue  # an Input
            args, kwargs = map_structure(value, node.args), map_structure(value, node.kwargs)
            made = flatten(node.operation(*args, **kwargs))
            for tensor, result in zip(flatten(node.outputs), made, strict=True):
                _check_shape(node, tensor.shape, result.shape)
                values[id(tensor)] = result
        return map_structure(value, self._exit)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shapes of the outputs."""
        return map_structure(lambda tensor: tensor.shape, self._exit)

    def _checked(self, x: Any) -> Any:
        """Return the inputs in the structure and with the ranks that the model expects."""
        arrays = self._arranged(x)
        checked = []
        for tensor, array in zip(self.inputs, arrays, strict=True):
            array = with_rank(self, numbers(tensor.name, array), tensor.shape)
            kept = array.dtype.kind in "iub" and not tensor.dtype.startswith("float")
            checked.append(array if kept else array.astype(tensor.dtype, copy=False))
        return pack(self._entry, checked)

    def _arranged(self, x: Any) -> list[Any]:
        """Return one array, or tensor, for each input."""
        names, count = self.input_names, len(self.inputs)
        if isinstance(x, dict):
            keys = sorted(self._entry) if isinstance(self._entry, dict) else names
            missing = [key for key in keys if key not in x]
            expect(not missing, f"{self.name} expects the inputs {keys}", [*x])
            return [x[key] for key in keys]
        several = isinstance(self._entry, list | tuple | dict)
        alone = hasattr(x, "shape") or (count == 1 and not (several and len(x) == 1))
        arrays = [x] if alone else list(x)
        expect(len(arrays) == count, f"{self.name} expects {count} inputs, {names}", len(arrays))
        return arrays

    def _check_connected(self) -> None:
        known = {id(tensor) for tensor in self.inputs}
        for node in self._nodes:
            missing = [tensor.name for tensor in node.inputs if id(tensor) not in known]
            is_input = not node.inputs and id(node.outputs) not in known
            missing += [node.outputs.name] if is_input else []
            wanted = f"The outputs should follow from the inputs {self.input_names}"
            expect(not missing, wanted, f"{node.operation.name} also needs {missing}")
            known |= {id(tensor) for tensor in flatten(node.outputs)}
        missing = [tensor.name for tensor in self.outputs if id(tensor) not in known]
        expect(
            not missing, f"The outputs should follow from the inputs {self.input_names}", missing
        )

    def _check_names(self) -> None:
        names = [layer.name for layer in self.layers]
        twice = sorted({name for name in names if names.count(name) > 1})
        expect(
            not twice, "Each layer of a model needs a name of its own", f"two layers named {twice}"
        )


def _nodes_and_layers(inputs: Any, outputs: Any) -> tuple[list[Node], list[Layer]]:
    """Return the calls of a graph, and its layers, both in Keras's order.

    The order of the layers is that of the weights in files and lists. First come those that are
    farthest from the outputs, of which a layer that is called several times counts as far as its
    farthest call; and among equals that one which the way back from the outputs meets first.
    """
    nodes, met = in_order(outputs, inputs)
    depths, farthest = dict[int, int](), dict[int, int]()
    for node in reversed(nodes):
        depth = max(depths.get(id(node), 0), farthest.get(id(node.operation), 0))
        farthest[id(node.operation)] = depths[id(node)] = depth
        for tensor in node.inputs:
            if tensor.node is not None:
                before = depths.get(id(tensor.node), 0)
                depths[id(tensor.node)] = max(depth + 1, before)
    by_depth = defaultdict[int, list[Any]](list)
    operations = {id(node.operation): node.operation for node in nodes}
    for tensor in flatten(inputs):  # also those that nothing needs
        if tensor.node is not None and isinstance(source := tensor.node.operation, InputLayer):
            operations.setdefault(id(source), source)
    for key, operation in operations.items():
        if not isinstance(operation, Function):
            by_depth[farthest.get(key, 0)].append(operation)
    layers = []
    for depth in sorted(by_depth, reverse=True):
        layers += sorted(by_depth[depth], key=lambda layer: met.get(id(layer), -1))
    return nodes, layers


def _check_shape(node: Node, told: Any, came: Any) -> None:
    """Refuse an output whose shape differs from what the graph was made for."""
    fits = len(told) == len(came) and all(m in (None, n) for m, n in zip(told, came, strict=True))
    wanted = f"{node.operation.name} should return {told}, as its compute_output_shape says"
    expect(fits, wanted, f"an array of {came}")
