"""Layers that make one array of several compared with Keras."""

from typing import Any

import numpy as np
import pytest

from labkit import layers

CASES: list[tuple[str, tuple[Any, ...], list[tuple[int, ...]]]] = [
    ("Multiply", (), [(3, 4), (3, 4)]),
    ("Multiply", (), [(3, 4, 2), (3, 1, 2), (3, 4, 1)]),
    ("Subtract", (), [(3, 4), (3, 4)]),
    ("Subtract", (), [(3, 1, 2), (3, 4, 2)]),
    ("Average", (), [(3, 4), (3, 4), (3, 4)]),
    ("Average", (), [(3, 4, 1), (3, 1, 2)]),
    ("Concatenate", (), [(3, 4), (3, 1), (3, 2)]),
    ("Concatenate", (1,), [(3, 4, 2), (3, 1, 2)]),
    ("Concatenate", (-2,), [(3, 4, 2), (3, 1, 2)]),
    ("Dot", (1,), [(3, 4), (3, 4)]),
    ("Dot", (1, True), [(3, 4), (3, 4)]),
    ("Dot", (2,), [(3, 4, 5), (3, 2, 5)]),
    ("Dot", (-1,), [(3, 4, 5), (3, 5)]),
    ("Dot", ((1, 2),), [(3, 5, 4), (3, 2, 5)]),
    ("Dot", ((2, 1), True), [(3, 4, 5), (3, 5, 2)]),
]


@pytest.mark.parametrize(("name", "arguments", "shapes"), CASES)
def test_outputs_and_gradients_match_keras(
    agree_on_all: Any,
    random: np.random.Generator,
    name: str,
    arguments: tuple[Any, ...],
    shapes: list[tuple[int, ...]],
) -> None:
    """The output, its shape and the gradient with respect to each input match Keras."""
    import keras

    ours, theirs = (
        getattr(package, name)(*arguments, dtype="float64") for package in (layers, keras.layers)
    )
    inputs = [random.normal(size=shape) for shape in shapes]
    agree_on_all(ours, theirs, inputs)
    unknown = [(None, *shape[1:]) for shape in shapes]
    assert ours.compute_output_shape(unknown) == theirs.compute_output_shape(unknown)


@pytest.mark.parametrize(
    ("layer", "shapes", "message"),
    [
        (layers.Multiply(), [(2, 3)], "Multiply expects a list of 2 arrays or more"),
        (layers.Average(), [(2, 3), (2, 4)], "Average expects arrays of one shape"),
        (layers.Average(), [(2, 3), (2, 1, 3)], "Average expects as many axes each"),
        (layers.Subtract(), [(2, 3)] * 3, "Subtract expects a list of 2 arrays of one batch"),
        (layers.Concatenate(), [(2, 3), (3, 3)], "Concatenate expects a list .* one batch size"),
        (layers.Concatenate(2), [(2, 3), (2, 3)], "differ along axis 2 alone"),
        (layers.Concatenate(1), [(2, 3, 4), (2, 3, 5)], "differ along axis 1 alone"),
        (layers.Dot(1), [(2, 3), (2, 4)], r"as many numbers along the axes \(1, 1\)"),
        (layers.Dot(2), [(2, 3), (2, 3)], r"arrays with the axes \(2, 2\)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    layer: Any, shapes: list[tuple[int, ...]], message: str
) -> None:
    """Too few or too many arrays, and shapes that cannot be merged, raise an error."""
    with pytest.raises(ValueError, match=message):
        layer([np.ones(shape) for shape in shapes])


def test_an_array_alone_is_no_list() -> None:
    """One array, whose first axis might be taken for the list, is refused."""
    with pytest.raises(ValueError, match="Multiply expects a list of 2 arrays or more"):
        layers.Multiply().call(np.ones((2, 3)))  # type: ignore[arg-type]  # wrong on purpose


def test_the_batch_cannot_be_merged() -> None:
    """No axis of a layer is that of the batch, and a dot product has two arrays."""
    with pytest.raises(ValueError, match="another axis than the batch's"):
        layers.Concatenate(0)
    for axes in (0, (1, 0), (1, 2, 3)):
        with pytest.raises(ValueError, match="Dot expects one or two axes"):
            layers.Dot(axes)  # type: ignore[arg-type]  # wrong on purpose
