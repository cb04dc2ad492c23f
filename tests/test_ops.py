"""The functions of `labkit.ops`: their values and gradients are those of Keras."""

from typing import Any

import keras as theirs
import numpy as np
import pytest
import tensorflow as tf

import labkit as ours
from labkit import ops
from labkit._common import Array
from labkit._graph import Tape
from labkit._tensor import UntraceableError

RNG = np.random.default_rng(3)
A, B = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 3, 4))
P, ROW = RNG.uniform(0.5, 2, (2, 3, 4)), RNG.normal(size=(1, 4))
TIED = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 0.0]])

# The name of a function, its arrays, and what else it takes.
CASES: list[tuple[str, list[Array], dict[str, Any]]] = [
    *((name, [A, B], {}) for name in ("add", "subtract", "multiply", "maximum", "minimum")),
    *((name, [A, ROW], {}) for name in ("add", "subtract", "multiply", "maximum", "minimum")),
    *((name, [ROW, A], {}) for name in ("add", "subtract", "multiply")),
    ("divide", [A, P], {}),
    ("divide", [ROW, P], {}),
    ("power", [P, B], {}),
    *((name, [A], {}) for name in ("absolute", "negative", "exp", "square", "sin", "cos", "tanh")),
    *(
        (name, [A], {})
        for name in ("sigmoid", "relu", "softmax", "transpose", "sum", "mean", "max")
    ),
    *((name, [P], {}) for name in ("log", "log1p", "sqrt", "var", "min")),
    ("softmax", [A], {"axis": 1}),
    ("maximum", [TIED, TIED[:, ::-1]], {}),
    *((name, [A], {"axis": 1}) for name in ("sum", "mean", "max", "min", "var")),
    *((name, [A], {"axis": (0, 2), "keepdims": True}) for name in ("sum", "mean", "var", "max")),
    ("max", [TIED], {"axis": -1}),
    ("matmul", [A, B.swapaxes(1, 2)], {}),
    ("matmul", [A, RNG.normal(size=(4, 5))], {}),
    ("matmul", [A, RNG.normal(size=4)], {}),
    ("matmul", [RNG.normal(size=3), A], {}),
    ("matmul", [RNG.normal(size=3), RNG.normal(size=3)], {}),
    ("clip", [A], {"x_min": -0.5, "x_max": 0.5}),
    ("reshape", [A], {"newshape": (4, -1)}),
    ("transpose", [A], {"axes": (1, 2, 0)}),
    ("swapaxes", [A], {"axis1": 0, "axis2": 2}),
    ("expand_dims", [A], {"axis": 1}),
    ("squeeze", [ROW], {"axis": 0}),
    ("take", [A], {"indices": [0, 2, 2], "axis": 1}),
    ("stop_gradient", [A], {}),
]


def slopes(name: str, arrays: list[Array], options: dict[str, Any]) -> tuple[Array, list[Array]]:
    """Return the value of a function, and the gradients of its product with cosines."""
    tape = Tape()
    tensors = [tape.tensor(array) for array in arrays]
    y = getattr(ops, name)(*tensors, **options)
    found = tape.backward([(y, np.cos(np.arange(y.value.size)).reshape(y.shape))], set())
    given = [found.pop(tensor) for tensor in tensors]
    return y.value, [
        np.zeros(a.shape) if g is None else g for g, a in zip(given, arrays, strict=True)
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{len(case[1])}")
def test_values_and_gradients_match_keras(case: Any) -> None:
    """On arrays and in a trace, values are Keras's, and gradients those of TensorFlow."""
    name, arrays, options = case
    variables = [tf.constant(array) for array in arrays]
    with tf.GradientTape() as tape:
        tape.watch(variables)
        expected = getattr(theirs.ops, name)(*variables, **options)
        shown = np.cos(np.arange(np.size(expected))).reshape(expected.shape)
        product = tf.reduce_sum(expected * shown)
    wanted = tape.gradient(product, variables, unconnected_gradients="zero")
    np.testing.assert_allclose(getattr(ops, name)(*arrays, **options), expected, rtol=1e-6)
    value, found = slopes(name, arrays, options)
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, np.asarray(other), rtol=1e-6, atol=1e-9)


def test_joining_and_indexing_pass_gradients_on() -> None:
    """Each part gets its own gradient; a place that is read twice gets both."""
    tape = Tape()
    a, b = tape.tensor(A), tape.tensor(B)
    y = ops.concatenate([a, b], axis=1)[:, [0, 0, 4]] + ops.stack([a, b], axis=0)[0] * 2
    y += ops.where(a > b, a, 0.0)
    found = tape.backward([(y, np.ones(y.shape))], set())
    expected = 2 + (A > B).astype(float)
    expected[:, 0] += 2
    np.testing.assert_allclose(found.pop(a), expected)
    expected = np.zeros(B.shape)
    expected[:, 1] = 1
    np.testing.assert_allclose(found.pop(b), expected)


def test_arithmetic_takes_tensors_on_either_side() -> None:
    """An array or a number on the left leaves the work to the tensor."""
    tape = Tape()
    x = tape.tensor(P)
    for y, expected in (
        (A + x, A + P),
        (A - x, A - P),
        (2 * x, 2 * P),
        (1 / x, 1 / P),
        (x**2, P**2),
        (np.ones((5, 3)) @ x, np.ones((5, 3)) @ P),
        (-x, -P),
        (abs(x), P),
    ):
        np.testing.assert_allclose(y.value, expected)


def test_what_cannot_be_followed_is_refused() -> None:
    """Branches, loops, NumPy's functions and plain numbers are refused in a sentence."""
    x = Tape().tensor(A)
    with pytest.raises(UntraceableError, match=r"use labkit\.ops\.where"):
        bool(x)
    with pytest.raises(UntraceableError, match=r"use labkit\.ops\.exp"):
        np.exp(x)
    with pytest.raises(UntraceableError, match=r"a function of labkit\.ops"):
        np.asarray(x)
    with pytest.raises(UntraceableError, match="cannot loop"):
        list(x)
    with pytest.raises(UntraceableError, match="no single number"):
        float(x)
    with pytest.raises(UntraceableError, match="different calls cannot meet"):
        x + ours.Input((3, 4))


def test_graphs_know_the_shapes_of_functions() -> None:
    """On an `Input`, a function gives a tensor of its shape, in which `None` stays `None`."""
    x = ours.Input((None, 4))
    assert ops.matmul(x, np.ones((4, 2))).shape == (None, None, 2)
    assert ops.mean(x, axis=1).shape == (None, 4)
    assert x[:, 0, 1:].shape == (None, 3)
    assert ops.shape(x) == (None, None, 4)
    assert (x > 0).dtype == "bool"
