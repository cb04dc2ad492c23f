"""Each layer in a model: a weight file that Keras reads, and a training step like Keras's."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import labkit

IMAGE, SIGNAL = (6, 5, 4), (6, 3)
CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = [
    ("AveragePooling1D", (2,), {}, SIGNAL),
    ("Bidirectional", ("LSTM",), {"merge_mode": "ave"}, SIGNAL),
    ("Conv1D", (4, 2), {"dilation_rate": 3}, SIGNAL),
    ("Conv2D", (3, 2), {"dilation_rate": (1, 2), "activation": "tanh"}, IMAGE),
    ("Conv2DTranspose", (3, 3, 2), {"activation": "selu"}, IMAGE),
    ("DepthwiseConv2D", (3,), {"depth_multiplier": 2, "activation": "swish"}, IMAGE),
    ("GlobalMaxPooling1D", (), {}, SIGNAL),
    ("GlobalMaxPooling2D", (), {}, IMAGE),
    ("GroupNormalization", (2,), {}, IMAGE),
    ("GRU", (3,), {"go_backwards": True, "return_sequences": True}, SIGNAL),
    ("LeakyReLU", (0.25,), {}, IMAGE),
    ("MaxPooling1D", (2,), {}, SIGNAL),
    ("Normalization", (), {}, SIGNAL),
    ("ReLU", (1.0, 0.25), {}, IMAGE),
    ("Rescaling", (0.5, 1.0), {}, IMAGE),
    ("SeparableConv2D", (3, 2), {"activation": "relu6"}, IMAGE),
    ("UpSampling2D", (2,), {}, IMAGE),
]


def model(package: Any, name: str, args: Any, options: Any, shape: Any) -> Any:
    """Return a model with the layer between two others that have weights."""
    if name == "Bidirectional":
        args = (getattr(package.layers, args[0])(3, return_sequences=True),)
    layer = getattr(package.layers, name)(*args, **options)
    first, last = package.layers.Dense(shape[-1]), package.layers.Dense(2)
    return package.Sequential([package.Input(shape), first, layer, package.layers.Flatten(), last])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's
@pytest.mark.parametrize(("name", "args", "options", "shape"), CASES)
def test_a_training_step_matches_keras(
    tmp_path: Path, name: str, args: Any, options: Any, shape: tuple[int, ...]
) -> None:
    """From weights that went through a file, a step of training leads to the same weights."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(8, *shape)), random.normal(size=(8, 2))
    ours, theirs = (model(package, name, args, options, shape) for package in (labkit, keras))
    path = tmp_path / "model.weights.h5"
    ours.save_weights(path)
    theirs.load_weights(path)
    for package, made in ((labkit, ours), (keras, theirs)):
        optimizer = package.optimizers.RMSprop(0.01, momentum=0.5, clipvalue=0.5)
        made.compile(optimizer, "mse", metrics=["mae"])
    for _ in range(2):
        results = ours.train_on_batch(x, y), theirs.train_on_batch(x, y)
        np.testing.assert_allclose(*results, rtol=1e-4)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-4)
    theirs.save_weights(path)
    ours.load_weights(path)
