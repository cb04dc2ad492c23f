"""Functions as layers, compared with Keras."""

import keras
import numpy as np
import pytest

from labkit import layers


def test_lambda_matches_keras(random: np.random.Generator) -> None:
    """Output and shape match Keras, with and without arguments and a shape that is given."""
    x = random.normal(size=(2, 3, 4)).astype(np.float32)
    plain = [
        p.Lambda(lambda x, power: x[:, 0] ** power, arguments={"power": 2})
        for p in (layers, keras.layers)
    ]
    given = [p.Lambda(lambda x: x[:, :2], output_shape=(2, 4)) for p in (layers, keras.layers)]
    for ours, theirs in (plain, given):
        np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-6)
        shape = ours.compute_output_shape((None, 3, 4))
        assert shape == tuple(theirs.compute_output_shape((None, 3, 4)))


def test_what_is_no_function_is_refused() -> None:
    """A layer needs something to call."""
    with pytest.raises(ValueError, match="Lambda expects a function"):
        layers.Lambda(3)  # type: ignore[arg-type]  # wrong on purpose
