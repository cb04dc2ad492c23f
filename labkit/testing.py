"""Two proofs that a layer or model is right: finite differences, and Keras.

Both reduce an output `y` to one number, its product with a random array `r` of its shape,
plus the penalties: `L = sum(r * y) + sum(losses)`. So `dL/dy = r`, and `backward(r)` must
yield the gradient of `L` with respect to the input and all weights.
"""

import copy
from typing import Any

import numpy as np

from labkit._common import Array, extra
from labkit._tree import flatten, is_structure, map_structure, pack
from labkit.layers import Layer

__all__ = ["assert_matches_keras", "check_gradients"]

_SEED = 20_171_206  # unlikely to be an input's seed too, which would make both equal


def check_gradients(layer: Layer, x: Any, *, training: bool = False, rtol: float = 1e-6) -> float:
    r"""Check `backward` against finite differences along random directions, in float64.

    For the input and each trainable weight $w$, its gradient $g$ and a random direction $v$:

    $$
    g \cdot v \approx (L(w + h v) - L(w - h v)) / 2 h .
    $$

    The layer itself is not changed, only a copy of it.

    Args:
        layer: A layer or a model.
        x: An input, `(batch, ...)`; a list of inputs; or a tuple, for a layer that takes several
            arguments. Integers (as for an Embedding) are not varied.
        training: Whether to call it as in training. A layer that draws random numbers, such
            as Dropout, has no finite differences then.
        rtol: Largest difference allowed, as a share of the gradient's length.

    Returns:
        The largest difference found, as a share of the gradient's length.

    Raises:
        AssertionError: A gradient is wrong; the message names it. (Or the input lies at a
            kink, as 0 does for relu, where no derivative exists.)
        ValueError: There is nothing to check: integers as input, and no weight that is trained.
    """
    layer = _in_float64(layer, x)
    x = map_structure(lambda a: np.array(a, None if _is_integer(a) else np.float64), _arrays(x))
    random = np.random.default_rng(_SEED)
    r = map_structure(lambda y: random.normal(size=y.shape), _called(layer, x, training))

    def loss(values: Array, moved: Array) -> float:
        values[...] = moved
        y = _called(layer, x, training)
        pairs = zip(flatten(r), flatten(y), strict=True)
        return float(sum((part * output).sum() for part, output in pairs)) + sum(layer.losses)

    worst, step = 0.0, 5e-6
    gradients = _gradients(layer, x, r)
    if not gradients:
        raise ValueError(
            "Expected an input of floating-point numbers or a weight that is trained, whose "
            f"gradient can be checked. Received: {_dtypes(x)}, and {layer.name} has no such "
            "weight."
        )
    for name, (values, gradient) in gradients.items():
        start, v = values.copy(), random.normal(size=values.shape)
        # The third call restores the values.
        above, below, _ = (loss(values, start + h * v) for h in (step, -step, 0))
        slope, size = (above - below) / (2 * step), float(np.linalg.norm(gradient))
        along = f"{name} along a random direction"
        worst = max(worst, _difference(along, (gradient * v).sum(), slope, rtol, size))
    return worst


def assert_matches_keras(
    ours: Layer, theirs: Any, x: Any, *, training: bool = False, rtol: float | None = None
) -> float:
    """Assert that a layer or model agrees with one of Keras, forward and backward.

    Copies the weights from ours to theirs, calls both, and compares outputs, penalties, the
    gradients of the input and all weights, and the weights after the call.

    Args:
        ours: A layer or model of labkit's kind.
        theirs: A layer or model of Keras, with TensorFlow as its backend.
        x: An input, `(batch, ...)`.
        training: Whether to call both as in training.
        rtol: Largest difference allowed, as a share of the largest number in each array;
            `None` means 1e-9 in float64 and 1e-4 in float32.

    Returns:
        The largest difference found, as a share of the largest number in its array.

    Raises:
        AssertionError: Something differs; the message names it.
        ImportError: TensorFlow is not installed.
    """
    tf = extra("tensorflow", "tutorials")
    x = map_structure(lambda a: np.asarray(a, None if _is_integer(a) else ours.dtype), _arrays(x))
    tensors = map_structure(tf.constant, x)
    _called(ours, x, training), _called(theirs, tensors)  # builds them
    shapes, their_shapes = ([tuple(w.shape) for w in m.weights] for m in (ours, theirs))
    np.testing.assert_equal(shapes, their_shapes, f"The weights should have shapes {their_shapes}")
    theirs.set_weights(ours.get_weights())

    y = _called(ours, x, training)
    random = np.random.default_rng(_SEED)
    r = map_structure(lambda part: random.normal(size=part.shape).astype(part.dtype), y)
    gradients = _gradients(ours, x, r)
    sources = [t for t in flatten(tensors) if t.dtype.is_floating]
    mode = training if getattr(theirs, "_call_has_training_arg", True) else None
    with tf.GradientTape() as tape:
        tape.watch(sources)
        their_y = _called(theirs, tensors, mode)
        outputs = zip(flatten(their_y), flatten(r), strict=True)
        their_loss = sum(tf.reduce_sum(output * part) for output, part in outputs)
        their_loss += sum(theirs.losses)
    if not any("input" in name for name in gradients):
        sources = []  # a layer of integers, which has no gradient of its input
    sources += [variable.value for variable in theirs.trainable_weights]
    slopes = tape.gradient(their_loss, sources, unconnected_gradients="zero")

    pairs: dict[str, Any] = {"sum of penalties": (sum(ours.losses), sum(theirs.losses))}
    for i, both in enumerate(zip(flatten(y), flatten(their_y), strict=True)):
        pairs["output" if len(flatten(y)) == 1 else f"output {i}"] = both
    for (name, (_, gradient)), slope in zip(gradients.items(), slopes, strict=True):
        pairs[name] = gradient, tf.convert_to_tensor(slope)
    for i, both in enumerate(zip(ours.weights, theirs.get_weights(), strict=True)):
        pairs[f"weight {i} after the call"] = both
    tolerance = rtol or (1e-9 if ours.dtype == "float64" else 1e-4)
    return max(_difference(name, a, np.asarray(b), tolerance) for name, (a, b) in pairs.items())


def _is_integer(x: Any) -> bool:
    return np.asarray(x).dtype.kind in "iub"


def _gradients(layer: Layer, x: Any, r: Any) -> dict[str, tuple[Array, Array]]:
    """Run backward through a called layer; return each array of L with its gradient, by name."""
    dx = layer.backward(r)
    inputs, slopes = flatten(x), flatten(dx)
    found = {}
    if dx is not None:
        for i, (array, slope) in enumerate(zip(inputs, slopes, strict=True)):
            if not _is_integer(array):
                which = "the input" if len(inputs) == 1 else f"input {i}"
                found[f"gradient of {which}"] = array, slope
    for part in layer.flatten_layers():
        for name, gradient in part.gradients.items() if part.trainable else ():
            weight = part.named_weights[name]
            found[f"gradient of {name} of {part.name}"] = weight, gradient.copy()
    for name, (values, gradient) in found.items():
        wanted = f"The {name} should have shape {values.shape}"
        np.testing.assert_equal(gradient.shape, values.shape, wanted)
    return found


def _arrays(x: Any) -> Any:
    """Return the inputs as arrays; a list of numbers is one of them."""
    if is_structure(x):
        return pack(x, [np.asarray(array) for array in flatten(x)])
    return np.asarray(x)


def _called(layer: Any, x: Any, training: bool | None = None) -> Any:
    """Call a layer on its input, or on a tuple of inputs."""
    mode = {} if training is None else {"training": training}
    return layer(*x, **mode) if isinstance(x, tuple) else layer(x, **mode)


def _dtypes(x: Any) -> str:
    dtypes = [str(array.dtype) for array in flatten(x)]
    return f"x.dtype={dtypes[0] if len(dtypes) == 1 else dtypes}"


def _in_float64(layer: Layer, x: Any) -> Layer:
    """Return a copy of a layer or model that computes in float64."""
    _called(layer, _arrays(x))  # builds it, if it is not built yet
    # Where the copy would copy a weight or a gradient, it takes one of float64 instead.
    parts = [*layer.flatten_layers()]
    arrays = [a for part in parts for a in (*part.named_weights.values(), *part.gradients.values())]
    copied = {id(a): a.astype(np.float64) for a in arrays}
    layer = copy.deepcopy(layer, copied)
    for part in layer.flatten_layers():
        part.dtype = "float64"
    for tensor in getattr(layer, "inputs", None) or ():
        tensor.dtype = "float64" if tensor.dtype.startswith("float") else tensor.dtype
    return layer


def _difference(name: str, received: Any, expected: Any, rtol: float, size: float = 0) -> float:
    """Return how far two arrays differ, as a share of their size or largest expected number."""
    size = max(size, float(np.abs(expected).max(initial=0)), 1e-2)
    wanted = f"The {name} should be within {rtol:g} of its size"
    np.testing.assert_allclose(received, expected, 0, rtol * size, equal_nan=False, err_msg=wanted)
    return float(np.abs(received - expected).max(initial=0)) / size
