"""Random changes of images: Keras's geometry and distributions, and exact gradients."""

from typing import Any

import keras
import numpy as np
import pytest

from labkit import layers, utils
from labkit.layers import augmentation

MODES = ["reflect", "wrap", "constant", "nearest"]


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("fill_mode", MODES)
@pytest.mark.parametrize("name", ["RandomTranslation", "RandomRotation"])
def test_moved_images_match_keras(
    random: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    fill_mode: str,
    interpolation: str,
) -> None:
    """With the distances and angles that Keras has drawn, the images are Keras's."""
    x = random.normal(size=(6, 5, 8, 2)).astype(np.float32)
    factors = (1.0, (-0.9, 0.4)) if name == "RandomTranslation" else (1.0,)
    options = {"fill_mode": fill_mode, "interpolation": interpolation, "fill_value": 0.75}
    ours = getattr(layers, name)(*factors, **options)
    # Without a seed, an angle may put a place so nearly between two pixels that float32 decides.
    theirs = getattr(keras.layers, name)(*factors, **options, seed=0)
    drawn = theirs.get_random_transformation(x)
    if name == "RandomTranslation":
        right, down = (v.reshape(-1, 1, 1) for v in drawn["translations"].numpy().T)
        sources = augmentation.moved(5, 8, down, right)
    else:
        angle = np.deg2rad(drawn["angle"].numpy().astype(float)).reshape(-1, 1, 1)
        sources = augmentation.turned(5, 8, angle)
    monkeypatch.setattr(ours, "sources", lambda *shape: sources)
    expected = theirs.transform_images(x, drawn).numpy()
    np.testing.assert_allclose(ours(x, training=True), expected, atol=2e-5)


@pytest.mark.parametrize("fill_mode", MODES)
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_gradients_are_those_of_a_linear_map(
    random: np.random.Generator, fill_mode: str, interpolation: str
) -> None:
    """`<y(x) - y(0), dy> = <x, dx>` holds exactly, as the output is linear in the pixels."""
    options: dict[str, Any] = {"fill_mode": fill_mode, "interpolation": interpolation}
    options |= {"dtype": "float64", "fill_value": 0.5}
    x, dy = random.normal(size=(2, 4, 5, 6, 2))
    for layer in (
        layers.RandomTranslation(0.5, 0.5, **options),
        layers.RandomRotation(0.5, **options),
        layers.RandomFlip(dtype="float64"),
    ):
        outputs = []
        for images in (x, 0 * x):
            utils.set_random_seed(3)
            outputs.append(layer(images, training=True))
        change = ((outputs[0] - outputs[1]) * dy).sum()
        assert (x * layer.backward(dy)).sum() == pytest.approx(change, rel=1e-12)


@pytest.mark.parametrize("mode", ["horizontal", "vertical", "horizontal_and_vertical"])
def test_flips_match_keras(mode: str) -> None:
    """Half of the images are flipped, along the same axes as in Keras."""
    image = np.arange(6.0).reshape(1, 2, 3, 1)
    x = np.repeat(image, 2000, 0).astype(np.float32)
    utils.set_random_seed(0)
    keras.utils.set_random_seed(0)
    shares = []
    for package in (layers, keras.layers):
        y = np.asarray(package.RandomFlip(mode)(x, training=True))
        found, counts = np.unique(y.reshape(2000, -1), axis=0, return_counts=True)
        shares.append((found.tolist(), counts[0] / 2000))
    assert shares[0][0] == shares[1][0]
    assert len(shares[0][0]) == 2
    assert shares[0][1] == pytest.approx(0.5, abs=0.05)


def test_distances_and_angles_are_drawn_from_keras_ranges() -> None:
    """A number means both directions, a pair its two ends; all values between are as likely."""
    utils.set_random_seed(0)
    translation = layers.RandomTranslation(0.5, (-0.2, 0.4))
    rows, columns = translation.sources(4000, 10, 20)
    down, right = -rows[:, 0, 0], -columns[:, 0, 0]
    for drawn, low, high in ((down, -5, 5), (right, -4, 8)):
        expected = np.linspace(low, high, 9)
        np.testing.assert_allclose(np.quantile(drawn, np.linspace(0, 1, 9)), expected, atol=0.35)
    rows, columns = layers.RandomRotation((0.0, 0.25)).sources(4000, 3, 3)
    angles = np.arctan2(rows[:, 1, 2] - 1, columns[:, 1, 2] - 1)
    np.testing.assert_allclose(
        np.quantile(angles, [0, 0.5, 1]), np.pi * np.array([0, 1, 2]) / 4, atol=0.05
    )


def test_without_training_images_stay(random: np.random.Generator) -> None:
    """Outside training the output is the input."""
    x = random.normal(size=(3, 4, 5, 1)).astype(np.float32)
    moves = layers.RandomFlip(), layers.RandomRotation(1.0), layers.RandomTranslation(1.0, 1.0)
    for layer in moves:
        np.testing.assert_array_equal(layer(x, training=False), x)
        np.testing.assert_array_equal(layer.backward(x), x)


def test_impossible_arguments_are_refused() -> None:
    """Unknown modes and factors beyond a whole image or turn raise an error."""
    with pytest.raises(ValueError, match="mode must be one of"):
        layers.RandomFlip("diagonal")
    with pytest.raises(ValueError, match="fill_mode must be one of"):
        layers.RandomRotation(0.1, fill_mode="mirror")
    with pytest.raises(ValueError, match="interpolation must be one of"):
        layers.RandomRotation(0.1, interpolation="cubic")
    with pytest.raises(ValueError, match="RandomRotation expects factor from -1 to 1"):
        layers.RandomRotation(1.5)
    with pytest.raises(ValueError, match="RandomTranslation expects width_factor from -1 to 1"):
        layers.RandomTranslation(0.1, (0.1, 0.2, 0.3))
