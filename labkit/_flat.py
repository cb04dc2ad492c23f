"""One vector for all weights of a model, and one for all their gradients.

An optimizer then updates a model in a few long operations instead of many short ones.
"""

import numpy as np

from labkit._typing import Array
from labkit.layers import Layer


class FlatWeights:
    """Makes the trainable weights of a layer, and their gradients, views of vectors.

    Args:
        layer: A built layer, such as a model.

    Attributes:
        arrays: The gradients and the weights, array by array.
        vectors: The gradients and the weights, one vector for each dtype.
    """

    def __init__(self, layer: Layer) -> None:
        self.arrays: tuple[list[Array], list[Array]] = ([], [])
        self.vectors: tuple[list[Array], list[Array]] = ([], [])
        self._homes: list[tuple[Layer, str, Array]] = []
        parts = [
            (part, name)
            for part in layer.flatten_layers()
            if part.trainable
            for name in part.gradients
        ]
        for dtype in {part.gradients[name].dtype for part, name in parts}:
            chosen = [(p, name) for p, name in parts if p.gradients[name].dtype == dtype]
            size = sum(part.gradients[name].size for part, name in chosen)
            gradients, weights = np.empty(size, dtype), np.empty(size, dtype)
            self.vectors[0].append(gradients)
            self.vectors[1].append(weights)
            start = 0
            for part, name in chosen:
                shape, count = part.gradients[name].shape, part.gradients[name].size
                g, w = (v[start : start + count].reshape(shape) for v in (gradients, weights))
                part.bind(name, w, g)
                self.arrays[0].append(g)
                self.arrays[1].append(w)
                self._homes.append((part, name, weights))
                start += count

    def hold(self) -> bool:
        """Return whether the layers still use these vectors, and not another model's."""
        return all(part._weights[name].base is vector for part, name, vector in self._homes)
