"""Depthwise and separable convolutions compared with Keras."""

from typing import Any

import numpy as np
import pytest

from labkit import layers


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("multiplier", [1, 3])
@pytest.mark.parametrize(
    ("size", "strides", "dilation"), [(3, 1, 1), (2, 2, 1), ((3, 2), 1, (2, 3)), (1, 3, 1)]
)
def test_both_match_keras(
    agree: Any,
    random: np.random.Generator,
    size: Any,
    strides: int,
    dilation: Any,
    multiplier: int,
    padding: str,
) -> None:
    """Outputs and gradients match Keras for all windows, strides and dilations."""
    x = random.normal(size=(2, 7, 8, 2))
    options = {"depth_multiplier": multiplier, "dilation_rate": dilation}
    agree("DepthwiseConv2D", x, size, strides, padding, **options)
    agree("SeparableConv2D", x, 3, size, strides, padding, **options)


def test_options_match_keras(agree: Any, random: np.random.Generator) -> None:
    """Activation, bias and the penalties of each kernel match Keras."""
    x = random.normal(size=(2, 5, 6, 3))
    options = {"activation": "softplus", "bias_initializer": "ones", "bias_regularizer": "L2"}
    options["depthwise_regularizer"] = "L1"
    agree("DepthwiseConv2D", x, 3, activity_regularizer="L2", **options)
    agree("SeparableConv2D", x, 4, 3, pointwise_regularizer="L2", **options)
    agree("DepthwiseConv2D", x, 3, use_bias=False)
    agree("SeparableConv2D", x, 4, 3, use_bias=False)


def test_kernels_start_as_in_keras() -> None:
    """Each kernel has its own initializer, whose variance is Keras's."""
    import keras

    layer = layers.SeparableConv2D(
        4, 3, depthwise_initializer="ones", pointwise_initializer="zeros"
    )
    layer.build((None, 5, 5, 2))
    assert [float(w.mean()) for w in layer.get_weights()] == [1, 0, 0]
    spread = []
    for package in (layers, keras.layers):
        big = package.DepthwiseConv2D(3, depth_multiplier=8)
        big.build((None, 5, 5, 400))
        spread.append(float(np.std(np.asarray(big.get_weights()[0]))))
    assert spread[0] == pytest.approx(spread[1], rel=0.02)


def test_bad_arguments_are_refused() -> None:
    """Sizes that are no positive integers, and both strides and dilation, are refused."""
    with pytest.raises(ValueError, match="DepthwiseConv2D expects depth_multiplier to be an int"):
        layers.DepthwiseConv2D(3, depth_multiplier=0)
    with pytest.raises(ValueError, match="SeparableConv2D expects filters to be an integer"):
        layers.SeparableConv2D(0, 3)
    with pytest.raises(ValueError, match="SeparableConv2D expects strides or dilation_rate to be"):
        layers.SeparableConv2D(1, 3, 2, dilation_rate=2)
