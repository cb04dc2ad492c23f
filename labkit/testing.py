"""Two proofs that a layer or model is right: finite differences, and Keras.

Both reduce an output `y` to one number, its product with a random array `r` of its shape,
plus the penalties: `L = sum(r * y) + sum(losses)`. So `dL/dy = r`, and `backward(r)` must
yield the gradient of `L` with respect to the input and all weights.
"""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from labkit._typing import Array
from labkit.layers import Layer

__all__ = ["assert_matches_keras", "check_gradients"]


def check_gradients(
    layer: Layer, x: Any, *, training: bool = False, rtol: float = 1e-6, seed: int = 0
) -> float:
    r"""Check `backward` against finite differences along random directions, in float64.

    For the input and each weight $w$ with its gradient $g$, and a random direction $v$:

    $$
    g \cdot v \approx (L(w + h v) - L(w - h v)) / 2 h .
    $$

    The layer itself is not changed, only a copy of it.

    Args:
        layer: A layer or a model.
        x: An input, `(batch, ...)`. Integers (as for an Embedding) are not varied.
        training: Whether to call it as in training. A layer that draws random numbers, such
            as Dropout, has no finite differences then.
        rtol: Largest difference allowed, as a share of the gradient's length.
        seed: For the random arrays.

    Returns:
        The largest difference found, as a share of the gradient's length.

    Raises:
        AssertionError: A gradient is wrong; the message names it. (Or the input lies at a
            kink, as 0 does for relu, where no derivative exists.)
    """
    random = _random(seed)
    layer = _in_float64(layer, x)
    integer = np.asarray(x).dtype.kind in "iub"
    x = np.array(x) if integer else np.array(x, np.float64)
    r = random.normal(size=layer(x, training).shape)
    dx = layer.backward(r)
    points = {"the input": (x, dx)} if dx is not None and not integer else {}
    for part in layer.flatten_layers():
        for name, gradient in part.gradients.items():
            points[f"{name} of {part.name}"] = part._weights[name], gradient.copy()

    def loss() -> float:
        return float((r * layer(x, training)).sum()) + sum(layer.losses)

    worst = 0.0
    for name, (values, gradient) in points.items():
        _same_shape(f"gradient of {name}", gradient, values)
        direction = random.normal(size=values.shape)
        expected = _slope(loss, values, direction)
        received = float((gradient * direction).sum())
        error = abs(expected - received) / max(float(np.linalg.norm(gradient)), abs(expected), 1e-2)
        if not error <= rtol:
            raise AssertionError(
                f"The gradient of {name} along a random direction should be "
                f"{expected:.9g} by finite differences. Received: {received:.9g}"
            )
        worst = max(worst, error)
    return worst


def assert_matches_keras(
    ours: Layer,
    theirs: Any,
    x: Any,
    *,
    training: bool = False,
    rtol: float | None = None,
    seed: int = 0,
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
        seed: For the random arrays.

    Returns:
        The largest difference found, as a share of the largest number in its array.

    Raises:
        AssertionError: Something differs; the message names it.
        ImportError: TensorFlow is not installed.
    """
    try:
        import tensorflow as tf
    except ImportError as error:
        hint = "pip install 'labkit[tutorials]'"
        raise ImportError(f"assert_matches_keras needs TensorFlow: {hint}") from error
    floating = np.asarray(x).dtype.kind == "f"
    x = np.asarray(x, ours.dtype if floating else None)
    tensor = tf.constant(x)
    ours(x, training), theirs(tensor)  # builds them
    shapes, their_shapes = ([tuple(w.shape) for w in m.weights] for m in (ours, theirs))
    if shapes != their_shapes:
        raise AssertionError(f"The weights should have shapes {their_shapes}. Received: {shapes}")
    theirs.set_weights(ours.get_weights())

    y = ours(x, training)
    r = _random(seed).normal(size=y.shape).astype(y.dtype)
    dx = ours.backward(r)
    mode = {"training": training} if getattr(theirs, "_call_has_training_arg", True) else {}
    with tf.GradientTape() as tape:
        if floating:
            tape.watch(tensor)
        their_y = theirs(tensor, **mode)
        their_loss = tf.reduce_sum(their_y * r) + sum(theirs.losses)
    wanted = [tensor, *(v.value for v in theirs.trainable_weights)]
    their_dx, *slopes = tape.gradient(their_loss, wanted, unconnected_gradients="zero")

    pairs = [("output", y, their_y), ("sum of penalties", sum(ours.losses), sum(theirs.losses))]
    if floating and dx is not None:
        pairs.append(("gradient of the input", dx, their_dx))
    parts = [part for part in ours.flatten_layers() if part.trainable]
    named = [(f"{key} of {p.name}", value) for p in parts for key, value in p.gradients.items()]
    for (name, gradient), slope in zip(named, slopes, strict=True):
        pairs.append((f"gradient of {name}", gradient, tf.convert_to_tensor(slope)))
    for index, values in enumerate(zip(ours.weights, theirs.get_weights(), strict=True)):
        pairs.append((f"weight {index} after the call", *values))
    tolerance = rtol or (1e-9 if ours.dtype == "float64" else 1e-4)
    return max(_difference(name, a, np.asarray(b), tolerance) for name, a, b in pairs)


def _random(seed: int) -> np.random.Generator:
    """Return a stream that does not repeat an input drawn with the same seed."""
    return np.random.default_rng(seed).spawn(1)[0]


def _same_shape(name: str, received: Any, expected: Array) -> None:
    if np.shape(received) != expected.shape:
        raise AssertionError(
            f"The {name} should have the shape {expected.shape}. Received: {np.shape(received)}"
        )


def _difference(name: str, received: Any, expected: Array, rtol: float) -> float:
    """Return how far two arrays differ, as a share of the largest expected number."""
    _same_shape(name, received, expected)
    scale = max(float(np.abs(expected).max(initial=0)), 1e-2)
    error = float(np.abs(received - expected).max(initial=0)) / scale
    if not error <= rtol:
        raise AssertionError(
            f"The {name} should equal Keras's to {rtol:g} of its largest number. "
            f"Received: a difference of {error:.3g}"
        )
    return error


def _in_float64(layer: Layer, x: Any) -> Layer:
    """Return a copy of a layer or model that computes in float64."""
    layer(x)  # builds it, if it is not built yet
    layer = copy.deepcopy(layer)
    for part in layer.flatten_layers():
        part.dtype = "float64"
        for name, weight in list(part._weights.items()):
            gradient = part.gradients.get(name)
            double = None if gradient is None else gradient.astype(np.float64)
            part.bind(name, weight.astype(np.float64), double)
    return layer


def _slope(loss: Callable[[], float], values: Array, direction: Array) -> float:
    """Return the derivative of `loss()` as `values` moves along a direction."""
    step = 5e-6
    start = values.copy()
    values += step * direction
    above = loss()
    values[...] = start - step * direction
    below = loss()
    values[...] = start
    return (above - below) / (2 * step)
