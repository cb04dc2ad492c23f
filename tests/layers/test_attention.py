"""Self-attention, its mask, and the residual chain, compared with Keras."""

from typing import Any

import numpy as np
import pytest

from labkit import layers, testing


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(
    ("heads", "key_dim", "use_bias"), [(2, 4, True), (3, 1, True), (1, 16, False)]
)
def test_attention_matches_keras(
    random: np.random.Generator,
    heads: int,
    key_dim: int,
    use_bias: bool,
    causal: bool,
    dtype: str,
) -> None:
    """`attention(x)` is Keras's `attention(x, x, use_causal_mask=...)`.

    Keras rounds the factor 1 / sqrt(key_dim) to float32, which these sizes survive.
    """
    import keras

    class SelfAttention(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__(dtype=dtype)
            self.attention = keras.layers.MultiHeadAttention(
                heads, key_dim, use_bias=use_bias, dtype=dtype
            )

        def call(self, x: Any) -> Any:
            return self.attention(x, x, use_causal_mask=causal)

    ours = layers.MultiHeadAttention(
        heads,
        key_dim,
        use_bias=use_bias,
        use_causal_mask=causal,
        bias_initializer="random_normal",
        dtype=dtype,
    )
    x = random.normal(size=(3, 5, 4))
    testing.assert_matches_keras(ours, SelfAttention(), x)
    testing.check_gradients(ours, x)


def test_causal_mask_hides_the_future(random: np.random.Generator) -> None:
    """Later steps do not change the output of earlier ones."""
    layer = layers.MultiHeadAttention(2, 4, use_causal_mask=True)
    x = random.normal(size=(1, 6, 4))
    y = layer(x)
    x[:, 4:] = 9
    np.testing.assert_array_equal(layer(x)[:, :4], y[:, :4])


def test_every_kernel_and_bias_is_penalized(random: np.random.Generator) -> None:
    """Each of four kernels and biases adds a penalty, and the gradients contain it."""
    layer = layers.MultiHeadAttention(
        2, 3, kernel_regularizer="l2", bias_regularizer="l1", bias_initializer="ones"
    )
    testing.check_gradients(layer, random.normal(size=(2, 3, 4)))
    assert len(layer.losses) == 8


def test_residual_gradients(random: np.random.Generator) -> None:
    """The gradients of a chain with a shortcut are correct."""
    x = random.normal(size=(2, 5, 4))
    chain = [layers.LayerNormalization(), layers.Dense(8, "gelu"), layers.Dense(4)]
    layer = layers.Residual(chain)
    assert testing.check_gradients(layer, x) < 1e-6
    assert len(layer.trainable_weights) == 6


def test_residual_with_a_chain_of_zeros_is_the_identity(random: np.random.Generator) -> None:
    """A chain whose output is zero leaves the input unchanged."""
    x = random.normal(size=(2, 4)).astype(np.float32)
    layer = layers.Residual([layers.Dense(4, kernel_initializer="zeros")])
    np.testing.assert_array_equal(layer(x), x)


def test_bad_arguments_are_refused() -> None:
    """Sizes must be positive integers, and a residual chain must keep the shape."""
    with pytest.raises(ValueError, match="MultiHeadAttention expects num_heads"):
        layers.MultiHeadAttention(0, 4)
    with pytest.raises(ValueError, match="MultiHeadAttention expects key_dim"):
        layers.MultiHeadAttention(1, 2.5)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(ValueError, match=r"that keep the shape \(4,\). Received: \(3,\)"):
        layers.Residual([layers.Dense(3)])(np.ones((2, 4)))
