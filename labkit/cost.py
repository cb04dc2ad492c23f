"""What a network costs, and how far it sees: counts that follow from its layers alone.

Two architectures can only be compared at the same cost, and a count says it without a clock. The
functions ask layers for their weights and shapes under the names that labkit and Keras share, so
they take models of both.
"""

import math
from typing import Any

from labkit._common import expect
from labkit._tree import flatten

__all__ = ["longest_path", "multiply_adds", "receptive_field"]

_KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")
# Their weights scale and shift, which can be merged into a kernel beside them.
_SCALES = {"BatchNormalization", "GroupNormalization", "LayerNormalization", "Normalization"}
# Their outputs are no windows of the image, or lie between those of their input.
_ELSEWHERE = {"Conv2DTranspose", "Flatten", "Reshape", "UpSampling2D"}


def multiply_adds(model: Any) -> int:
    """Count a model's products of a number and a weight for one input, each with its addition.

    A kernel of `weights` numbers that is applied at `places` costs their product. As in the papers
    that report this number, biases, normalization, activations and pooling do not count. Some of
    these papers call it FLOPs; where additions count for themselves, it is half of them.

    Args:
        model: A built model of labkit or Keras, whose layers are called once: dense layers,
            convolutions (depthwise, separable and transposed ones, too), layers without
            kernels, and models of such layers.

    Returns:
        The number for one input.

    Raises:
        ValueError: The model is not built, has an axis of unknown size, or has a layer whose
            products are not known, such as a recurrent one.
    """
    return sum(map(_layer_cost, _layers(model)))


def longest_path(model: Any) -> int:
    """Count the layers with a kernel along the longest path from input to output: the depth.

    Args:
        model: A built model of labkit or Keras of such layers as in `multiply_adds`, without models
            inside.

    Returns:
        The number of layers; a separable convolution is one.

    Raises:
        ValueError: The model is not of this kind.
    """
    lengths = {id(tensor): 0 for tensor in _inputs(model)}
    for layer in model.layers:
        if type(layer).__name__ != "InputLayer":
            before = max(_found(layer, lengths))
            lengths[id(layer.output)] = before + bool(_kernels(layer))
    return max(lengths.values())


def receptive_field(model: Any) -> tuple[int, int]:
    """Compute how large a part of the image one place of the output depends on.

    Where one step to the next place is $j$ pixels wide, a window of $k$ places adds $(k - 1) j$
    pixels to what the layer before saw; $j$ is the product of the strides so far (Araujo and
    others 2019, https://doi.org/10.23915/distill.00021). Where branches meet, the widest one
    counts. Places beyond the border count as well, so the field may be larger than the image.

    Args:
        model: A built model of labkit or Keras, without models inside, whose layers are called
            once: convolutions, pooling, and layers that treat each place for itself, from
            `(batch, height, width, channels)`.

    Returns:
        Height and width, in pixels.

    Raises:
        ValueError: The model is not of this kind. `Flatten` and global pooling see everything.
    """
    return _field(model, 0), _field(model, 1)


def _field(model: Any, axis: int) -> int:
    """Return how far one place of the output sees along the rows (0) or columns (1)."""
    seen = {id(tensor): (1, 1) for tensor in _inputs(model)}  # pixels seen; from place to place
    for layer in model.layers:
        if type(layer).__name__ != "InputLayer":
            before = _found(layer, seen)
            widest, step = max(field for field, _ in before), before[0][1]
            span, stride = _window(layer, axis)
            seen[id(layer.output)] = widest + (span - 1) * step, step * stride
    return seen[id(model.outputs[0])][0]


def _inputs(model: Any) -> list[Any]:
    """Return the tensors with which a model begins."""
    expect(model.built and model.inputs, "A model to be counted must begin with Input", model.name)
    return list(model.inputs)


def _found(layer: Any, values: dict[int, Any]) -> list[Any]:
    """Return what is known of each input of a layer."""
    found = [values.get(id(tensor)) for tensor in flatten(layer.input)]
    wanted = "Paths can be followed through layers that are called once, without models inside"
    expect(None not in found and not hasattr(layer, "layers"), wanted, layer.name)
    return found


def _layers(model: Any) -> list[Any]:
    """Return a model's layers, each after those before it, without its inputs."""
    expect(model.built, "A model to be counted must be built", model.name)
    layers: list[Any] = []
    for layer in model.layers:
        if hasattr(layer, "layers"):
            layers += _layers(layer)
        elif type(layer).__name__ != "InputLayer":
            layers.append(layer)
    return layers


def _kernels(layer: Any) -> list[Any]:
    """Return the weights of a layer that multiply its input."""
    held = [getattr(layer, name, None) for name in _KERNELS]
    kernels = [kernel for kernel in held if kernel is not None]
    others = len(layer.weights) - len(kernels) - (getattr(layer, "bias", None) is not None)
    kind = type(layer).__name__
    wanted = "Costs are known of dense layers, convolutions and layers without kernels"
    expect(others == 0 or kind in _SCALES, wanted, f"{layer.name}, a {kind}")
    return kernels


def _layer_cost(layer: Any) -> int:
    kernels = _kernels(layer)
    if not kernels:
        return 0
    backwards = "Transpose" in type(layer).__name__  # applied at each place of its input
    shape = (layer.input if backwards else layer.output).shape
    wanted = "multiply_adds needs the size of each axis, as from Input((32, 32, 3))"
    expect(None not in shape[1:], wanted, f"{layer.name} with the shape {shape}")
    places = math.prod(shape[1:-1])
    return sum(places * math.prod(kernel.shape) for kernel in kernels)


def _window(layer: Any, axis: int) -> tuple[int, int]:
    """Return how many places a layer looks at along an axis of images, and its stride."""
    kind = type(layer).__name__
    local = kind not in _ELSEWHERE and not kind.startswith("Global")
    expect(local, "receptive_field follows convolutions and pooling", f"{layer.name}, a {kind}")
    size = getattr(layer, "kernel_size", getattr(layer, "pool_size", 1))
    stride, dilation = getattr(layer, "strides", 1), getattr(layer, "dilation_rate", 1)
    size, stride, dilation = (
        n[axis] if isinstance(n, tuple | list) else n for n in (size, stride, dilation)
    )
    return (size - 1) * dilation + 1, stride
