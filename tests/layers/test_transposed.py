"""Layers that enlarge images compared with Keras."""

from typing import Any

import numpy as np
import pytest

from labkit import layers, testing


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("size", "strides"), [(3, 1), (3, 2), (2, 2), (4, 2), ((3, 2), (2, 1)), (1, 3), (2, 3), (5, 4)]
)
def test_transposed_convolution_matches_keras(
    agree: Any, random: np.random.Generator, size: Any, strides: Any, padding: str
) -> None:
    """Sizes, outputs and gradients match Keras, also where windows leave gaps."""
    agree("Conv2DTranspose", random.normal(size=(2, 4, 3, 2)), 3, size, strides, padding)


def test_options_match_keras(agree: Any, random: np.random.Generator) -> None:
    """Activation, bias and all penalties match Keras."""
    agree(
        "Conv2DTranspose",
        random.normal(size=(2, 4, 3, 2)),
        3,
        3,
        2,
        activation="tanh",
        bias_initializer="ones",
        kernel_regularizer="L2",
        bias_regularizer="L2",
        activity_regularizer="L2",
    )
    agree("Conv2DTranspose", random.normal(size=(2, 4, 3, 2)), 3, 3, use_bias=False)


def test_it_is_the_transpose_of_a_convolution(random: np.random.Generator) -> None:
    """With one kernel, `<conv(x), y> = <x, transposed(y)>` for all x and y."""
    options: dict[str, Any] = {"padding": "same", "use_bias": False, "dtype": "float64"}
    conv, transposed = layers.Conv2D(3, 4, 2, **options), layers.Conv2DTranspose(2, 4, 2, **options)
    x, y = random.normal(size=(1, 6, 8, 2)), random.normal(size=(1, 3, 4, 3))
    conv(x), transposed(y)
    transposed.set_weights(conv.get_weights())
    assert (conv(x) * y).sum() == pytest.approx((x * transposed(y)).sum(), rel=1e-12)


@pytest.mark.parametrize("size", [1, 2, (2, 3), (4, 1)])
def test_upsampling_matches_keras(agree: Any, random: np.random.Generator, size: Any) -> None:
    """Outputs and gradients of both kinds match Keras, along either axis."""
    import keras

    x = random.normal(size=(2, 4, 3, 2))
    agree("UpSampling2D", x, size)
    ours, theirs = (
        package.UpSampling2D(size, interpolation="bilinear") for package in (layers, keras.layers)
    )
    testing.assert_matches_keras(ours, theirs, x, rtol=1e-5)  # TensorFlow's is always float32
    testing.check_gradients(ours, x)


def test_bad_arguments_are_refused() -> None:
    """Sizes, padding and other kinds of interpolation are refused."""
    with pytest.raises(ValueError, match="Conv2DTranspose expects strides to be 2 integers"):
        layers.Conv2DTranspose(1, 3, 0)
    with pytest.raises(ValueError, match="Conv2DTranspose expects padding 'valid' or 'same'"):
        layers.Conv2DTranspose(1, 3, padding="full")
    with pytest.raises(ValueError, match="UpSampling2D expects size to be 2 integers"):
        layers.UpSampling2D(0)
    with pytest.raises(ValueError, match=r"interpolation must be one of .* Received: bicubic"):
        layers.UpSampling2D(interpolation="bicubic")
