"""Embedding against Keras, and what is no row of the table."""

from typing import Any

import numpy as np
import pytest

from labkit import layers


@pytest.mark.parametrize("shape", [(4,), (3, 5), (2, 3, 4)])
def test_embedding(agree: Any, random: np.random.Generator, shape: tuple[int, ...]) -> None:
    """Rows named more than once gather their gradients."""
    x = random.integers(0, 7, shape)
    agree("Embedding", x, 7, 3)
    agree("Embedding", x, 7, 2, embeddings_regularizer="L2", activity_regularizer="L1")


def test_rows_that_nobody_named_have_no_gradient() -> None:
    """Gradients of an earlier batch do not stay."""
    layer = layers.Embedding(4, 2)
    for rows in ([[0, 1]], [[3, 3]]):
        y = layer(np.array(rows))
        layer.backward(np.ones(y.shape))
    np.testing.assert_array_equal(layer.gradients["embeddings"], [[0, 0], [0, 0], [0, 0], [2, 2]])


@pytest.mark.parametrize("x", [[[-1]], [[4]], [[0.5]], [[float("nan")]]])
def test_other_numbers_are_refused(x: Any) -> None:
    """Only whole numbers from 0 to the table's end name a row."""
    with pytest.raises(ValueError, match="Embedding expects integers from 0 to 3"):
        layers.Embedding(4, 2)(np.array(x))


def test_bad_arguments() -> None:
    """Sizes are positive integers."""
    with pytest.raises(ValueError, match="Embedding expects input_dim to be an integer"):
        layers.Embedding(0, 2)
    with pytest.raises(ValueError, match="Embedding expects output_dim to be an integer"):
        layers.Embedding(2, -1)
