"""Attention, its masks, and the residual chain, compared with Keras."""

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


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"value_dim": 5, "use_bias": False},
        {"output_shape": 6, "bias_initializer": "random_normal"},
        {"output_shape": (3, 2), "value_dim": 1},
    ],
)
@pytest.mark.parametrize("count", [2, 3])
def test_attention_to_other_arrays_matches_keras(
    agree_on_all: Any, random: np.random.Generator, count: int, options: dict[str, Any]
) -> None:
    """With values and keys of their own, outputs, weights and all gradients match Keras."""
    inputs = [random.normal(size=(2, *shape)) for shape in ((4, 3), (5, 7), (5, 2))][:count]
    ours, theirs = both(2, 4, **options)
    agree_on_all(ours, theirs, *inputs)
    ours, theirs = both(2, 4, **options)
    agree_on_all(ours, theirs, *inputs, return_attention_scores=True)


def both(*arguments: Any, **options: Any) -> list[Any]:
    """Return labkit's and Keras's layer."""
    import keras

    kinds = layers.MultiHeadAttention, keras.layers.MultiHeadAttention
    return [kind(*arguments, dtype="float64", **options) for kind in kinds]


@pytest.mark.parametrize("shape", [(2, 4, 5), (1, 4, 5), (2, 3, 4, 5)])
@pytest.mark.parametrize("causal", [False, True])
def test_masks_match_keras(
    agree_on_all: Any, random: np.random.Generator, causal: bool, shape: tuple[int, ...]
) -> None:
    """Masks of pairs, of values and of keys, and the causal mask, match Keras together."""
    query, value = random.normal(size=(2, 4, 3)), random.normal(size=(2, 5, 3))
    masks: dict[str, Any] = {"use_causal_mask": causal}
    masks["attention_mask"] = random.random(shape) < 0.7
    masks["attention_mask"][..., 0] = True  # each step sees the first source
    if len(shape) == 3:  # Keras joins no other masks with one for each head
        masks["value_mask"] = np.arange(5) < [[5], [3]]
    agree_on_all(*both(3, 4), query, value, **masks)
    if len(shape) == 3:
        masks["key_mask"] = masks.pop("value_mask")
    agree_on_all(*both(3, 4), query, value, query[:, [0, 1, 2, 3, 0]], **masks)


def test_masked_queries_and_sources_have_no_influence(random: np.random.Generator) -> None:
    """No gradient reaches a source that is not seen; a masked step sees all sources alike."""
    query, value = random.normal(size=(2, 4, 3)), random.normal(size=(2, 5, 3))
    layer, _ = both(2, 4)
    value_mask, query_mask = np.arange(5) < [[3], [5]], np.arange(4) < [[4], [2]]
    y, weights = layer(
        query,
        value,
        value_mask=value_mask,
        query_mask=query_mask,
        return_attention_scores=True,
    )
    np.testing.assert_allclose(weights[1, :, 2:], 1 / 5)
    assert (weights[0, :, :, 3:] == 0).all()
    dquery, dvalue = layer.backward((np.ones_like(y), 0 * weights))
    assert (dvalue[0, 3:] == 0).all()
    assert (dquery[1, 2:] == 0).all()


def test_dropout_of_weights_keeps_their_mean(
    random: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In training some weights are zeroed and the others scaled up; otherwise none is."""
    layer = layers.MultiHeadAttention(1, 2, dropout=0.5, dtype="float64")
    x = random.normal(size=(200, 8, 3))
    y = layer(x)
    np.testing.assert_array_equal(layer(x), y)
    dropout = layer.dropout_layer.call
    monkeypatch.setattr(layer.dropout_layer, "call", lambda x, training=True: dropout(x, True))
    again, dy = layer(x), random.normal(size=y.shape)
    keep = layer.dropout_layer.saved
    assert set(np.unique(keep)) == {0, 2}
    assert keep.mean() == pytest.approx(1, abs=0.02)
    # With the same weights zeroed, the output is linear in the values' kernel.
    layer.backward(dy)
    slope = (layer.gradients["value_kernel"] * layer.value_kernel).sum()
    slope += (layer.gradients["value_bias"] * layer.value_bias).sum()
    assert slope == pytest.approx(((again - layer.output_bias) * dy).sum(), rel=1e-9)


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
