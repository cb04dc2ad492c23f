"""Embedding: a learned vector for each word, letter or other number of a vocabulary."""

from typing import Any, ClassVar

import numpy as np

from labkit._common import Array, Shape, expect
from labkit.layers.layer import Layer, sizes


class Embedding(Layer):
    """Row `i` of a table for each integer `i`.

    `x` is `(batch, ...)` with integers from 0 to `input_dim - 1`, `embeddings` is
    `(input_dim, output_dim)`, and the output is `(batch, ..., output_dim)`.

    Args:
        input_dim: Number of rows: the size of the vocabulary.
        output_dim: Length of each row.
        **kwargs: `embeddings_initializer`, `embeddings_regularizer`, and those of `Layer`.

    Raises:
        ValueError: A size that is not a positive integer.
    """

    first_values: ClassVar = {"embeddings": "uniform"}

    def __init__(self, input_dim: int, output_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        (self.input_dim,) = sizes(self, "input_dim", input_dim)
        (self.output_dim,) = sizes(self, "output_dim", output_dim)

    def build(self, input_shape: Shape) -> None:
        """Make `embeddings`."""
        self.embeddings = self.add_weight((self.input_dim, self.output_dim), name="embeddings")

    def call(self, x: Array, training: bool = False) -> Array:
        """Return the rows of `embeddings` that `x` names."""
        inside = x.min() >= 0 and x.max() < self.input_dim  # false for NaN, too
        wanted = f"Embedding expects integers from 0 to {self.input_dim - 1}"
        expect(inside and not (x % 1).any(), wanted, f"x from {x.min():g} to {x.max():g}")
        self.saved = rows = x.astype(np.intp)
        return self.embeddings[rows]

    def backward(self, dy: Array) -> None:
        """Fill the gradient: each row's is the sum over the places that named it."""
        self.gradients["embeddings"][...] = 0
        np.add.at(self.gradients["embeddings"], self.saved, dy)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, ..., output_dim)`."""
        return *input_shape, self.output_dim
