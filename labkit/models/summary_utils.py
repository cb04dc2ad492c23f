"""The table that `summary` prints."""

from typing import TYPE_CHECKING, Any

from labkit._tree import flatten, map_structure

if TYPE_CHECKING:
    from labkit.models.model import Model


def print_summary(model: "Model") -> None:
    """Print a line for each layer of a model, and the totals."""
    graph = getattr(model, "nodes", None)
    columns = ["Layer (type)", "Output shape", "Params"] + (["Connected to"] if graph else [])
    form = "{:<34}  {:<22}  {:>10}" + ("  {}" if graph else "")
    header = form.format(*columns)
    print(f'Model: "{model.name}"', header, "─" * max(len(header), 70), sep="\n")
    for layer in model.layers:
        count = f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"
        row = [f"{layer.name} ({type(layer).__name__})", _shape(model, layer), count]
        if graph:
            row.append(", ".join(_sources(graph, layer)))
        print(form.format(*row).rstrip())
    weights, trained = model.weights, model.trainable_weights
    total, learned = (sum(weight.size for weight in part) for part in (weights, trained))
    print(f"Total params: {total:,} (trainable: {learned:,})")


def _shape(model: "Model", layer: Any) -> str:
    """Return the shape of the layer's output in this model."""
    for node in _nodes(model):
        if node.operation is layer:
            shapes = map_structure(lambda tensor: tensor.shape, node.outputs)
            return str(shapes)
    return "?"


def _nodes(model: Any) -> Any:
    """Return the calls of a graph or a chain, the last ones first."""
    if hasattr(model, "nodes"):
        return reversed(model.nodes)
    tensors, nodes = list(getattr(model, "outputs", None) or ()), []
    while tensors and (node := tensors.pop().node) is not None:
        nodes.append(node)
        tensors = node.inputs
    return nodes


def _sources(graph: Any, layer: Any) -> list[str]:
    """Return the names of what a layer is called on, call by call."""
    return [
        tensor.node.operation.name if tensor.node else tensor.name
        for node in graph
        if node.operation is layer
        for tensor in flatten(node.inputs)
    ]
