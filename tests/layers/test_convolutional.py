"""Convolutions compared with Keras, over paddings, strides and odd sizes."""

from typing import Any

import numpy as np
import pytest

from labkit import layers, testing
from labkit.layers import convolutional


@pytest.fixture(autouse=True, params=[1, 1000], ids=["wide", "plain"])
def rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test with wide kernels, as used for many windows, and with plain ones."""
    monkeypatch.setattr(convolutional, "_ROWS", request.param)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("size", "strides"),
    [(3, 1), (1, 1), (2, 2), ((3, 2), (2, 1)), ((1, 3), (3, 2)), (1, 3), (5, 4)],
)
@pytest.mark.parametrize("shape", [(3, 7, 6, 2), (2, 5, 13, 1)])
def test_conv2d_matches_keras(
    agree: Any,
    random: np.random.Generator,
    shape: tuple[int, ...],
    size: Any,
    strides: Any,
    padding: str,
) -> None:
    """Outputs and gradients match Keras for all windows, those at the edges included."""
    agree("Conv2D", random.normal(size=shape), 3, size, strides, padding)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "strides"), [(3, 1), (4, 3), (1, 2), (6, 2)])
def test_conv1d_matches_keras(
    agree: Any, random: np.random.Generator, size: int, strides: int, padding: str
) -> None:
    """Outputs and gradients match Keras along the steps of a signal."""
    agree("Conv1D", random.normal(size=(3, 7, 4)), 5, size, strides, padding)


@pytest.mark.parametrize("padding", ["valid", "same", "SAME"])
@pytest.mark.parametrize("dilation", [2, (1, 3), (3, 1), (2, 4)])
def test_dilated_conv2d_matches_keras(
    agree: Any, random: np.random.Generator, dilation: Any, padding: str
) -> None:
    """Outputs and gradients match Keras where the taps of a window lie apart."""
    x = random.normal(size=(3, 9, 10, 2))
    agree("Conv2D", x, 3, (3, 2), padding=padding, dilation_rate=dilation)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("dilation", [2, 5])
def test_dilated_conv1d_matches_keras(
    agree: Any, random: np.random.Generator, dilation: int, padding: str
) -> None:
    """Outputs and gradients match Keras along the steps of a signal."""
    agree("Conv1D", random.normal(size=(3, 12, 4)), 5, 3, 1, padding, dilation_rate=dilation)


def test_options_match_keras(agree: Any, random: np.random.Generator) -> None:
    """Activation, bias and all penalties match Keras."""
    agree(
        "Conv2D",
        random.normal(size=(3, 5, 5, 2)),
        4,
        3,
        activation="softplus",
        bias_initializer="ones",
        kernel_regularizer="L2",
        bias_regularizer="L2",
        activity_regularizer="L1",
    )
    agree("Conv1D", random.normal(size=(3, 5, 2)), 4, 3, use_bias=False)


def test_large_batches_are_computed_in_parts(
    agree: Any, random: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results are right when the matrix of windows holds one or two samples at a time."""
    monkeypatch.setattr(convolutional, "_NUMBERS", 400)
    agree("Conv2D", random.normal(size=(5, 6, 5, 2)), 3, 3, padding="same")
    agree("Conv2D", random.normal(size=(5, 3, 20, 1)), 3, 3, padding="same")


def test_backward_repeats_and_takes_other_batch_sizes(random: np.random.Generator) -> None:
    """Nothing from an earlier call remains in the reused buffer."""
    layer = layers.Conv2D(2, 3, dtype="float64")
    x = random.normal(size=(4, 5, 5, 2))
    y = layer(x)
    first = layer.backward(y)
    np.testing.assert_array_equal(layer.backward(y), first)
    np.testing.assert_allclose(layer(x[:1]), y[:1], rtol=1e-12)
    np.testing.assert_allclose(layer.backward(y[:1]), first[:1], rtol=1e-12)


def test_changing_the_input_leads_to_no_stale_result(random: np.random.Generator) -> None:
    """The matrix kept for backward is not reused by the next call."""
    layer = layers.Conv2D(2, 3, dtype="float64")
    x = random.normal(size=(4, 5, 5, 2))
    layer(x)
    x *= 2
    y = layer(x)
    np.testing.assert_allclose(y, layers.Conv2D.call(layer, x.copy()), rtol=1e-12)
    np.testing.assert_allclose(layer.backward(y), layer.backward(y), rtol=1e-12)
    testing.check_gradients(layer, x)


def test_an_edge_filter_finds_the_edge() -> None:
    """A kernel of differences finds the one edge of an image, and is not flipped."""
    layer = layers.Conv2D(1, (1, 2), use_bias=False)
    layer.build((None, 1, 5, 1))
    layer.kernel[0, :, 0, 0] = [-1, 1]
    image = np.array([0, 0, 0, 2, 2]).reshape(1, 1, 5, 1)
    np.testing.assert_array_equal(layer(image).ravel(), [0, 0, 2, 0])


def test_bad_arguments_are_refused() -> None:
    """Sizes, padding and inputs that do not fit are refused."""
    with pytest.raises(ValueError, match="Conv2D expects filters to be an integer >= 1"):
        layers.Conv2D(0, 3)
    with pytest.raises(ValueError, match="Conv2D expects kernel_size to be 2 integers"):
        layers.Conv2D(1, (3, 3, 3))
    with pytest.raises(ValueError, match="Conv2D expects strides or dilation_rate to be 1"):
        layers.Conv2D(1, 3, 2, dilation_rate=2)
    with pytest.raises(ValueError, match="Conv1D expects strides to be an integer >= 1"):
        layers.Conv1D(1, 3, 0)
    with pytest.raises(ValueError, match="Conv2D expects padding 'valid' or 'same'"):
        layers.Conv2D(1, 3, padding="full")
    with pytest.raises(ValueError, match=r"\(batch, height, width, channels\). Received: x.sh"):
        layers.Conv2D(1, 3)(np.ones((28, 28)))
    with pytest.raises(ValueError, match="expects inputs as large as"):
        layers.Conv2D(1, 3)(np.ones((1, 2, 5, 1)))
