"""Texts become Keras's integers, from the same vocabulary."""

from typing import Any

import keras
import numpy as np
import pytest

from labkit import layers

TEXTS = ["The cat sat, on the mat!", "A dog; the DOG", "", "Ünder the\tÜbung\u00a0x", "cat-cat's"]
NEW = ["the zebra sat", "dog cat dog", "...", "a b c d e f g"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_tokens": 5},
        {"standardize": None},
        {"standardize": "lower"},
        {"standardize": "strip_punctuation"},
        {"split": "character"},
        {"ngrams": 2},
        {"ngrams": (2, 3)},
        {"output_sequence_length": 3},
        {"output_sequence_length": 9, "max_tokens": 4},
        {"output_mode": "multi_hot"},
        {"output_mode": "count", "max_tokens": 6},
        {"output_mode": "tf_idf"},
        {"output_mode": "tf_idf", "max_tokens": 20, "pad_to_max_tokens": True, "ngrams": 2},
        {"output_mode": "multi_hot", "max_tokens": 20, "pad_to_max_tokens": True},
    ],
)
def test_adapted_layers_match_keras(options: dict[str, Any]) -> None:
    """The vocabulary and the numbers of known and new texts match Keras."""
    ours, theirs = (package.TextVectorization(**options) for package in (layers, keras.layers))
    ours.adapt(TEXTS)
    theirs.adapt(TEXTS)
    assert ours.get_vocabulary() == theirs.get_vocabulary()
    assert ours.get_vocabulary(False) == theirs.get_vocabulary(False)
    assert ours.vocabulary_size() == theirs.vocabulary_size()
    for texts in (TEXTS, NEW, np.array(NEW)[:, None]):
        numbers, expected = ours(texts), theirs(texts).numpy()
        np.testing.assert_allclose(numbers, expected, rtol=1e-6)
        assert numbers.dtype == expected.dtype
        length = ours.compute_output_shape((len(texts),))[1]
        assert length in (None, numbers.shape[1])


def test_a_known_vocabulary_matches_keras() -> None:
    """A vocabulary may be given, with its weights, and with or without the special tokens."""
    for options in ({}, {"output_mode": "tf_idf", "idf_weights": [1.0, 2.0, 0.5]}):
        vocabulary: dict[str, Any] = {"vocabulary": ["cat", "dog", "the"], **options}
        ours, theirs = (p.TextVectorization(**vocabulary) for p in (layers, keras.layers))
        np.testing.assert_allclose(ours(TEXTS), theirs(TEXTS).numpy(), rtol=1e-6)
    layer = layers.TextVectorization()
    layer.set_vocabulary(["", "[UNK]", "cat"])
    assert layer(["dog cat"]).tolist() == [[1, 2]]


def test_batches_of_texts_make_one_vocabulary() -> None:
    """Adapting to batches is adapting to all their texts."""
    whole, parts = (layers.TextVectorization(output_mode="tf_idf") for _ in range(2))
    whole.adapt(TEXTS)
    parts.adapt(batch for batch in (TEXTS[:2], TEXTS[2:]))
    assert whole.get_vocabulary() == parts.get_vocabulary()
    np.testing.assert_array_equal(whole(NEW), parts(NEW))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"standardize": "upper"}, "standardize must be one of"),
        ({"split": "sentences"}, "split must be one of"),
        ({"output_mode": "one"}, "output_mode must be one of"),
        ({"output_mode": "count", "output_sequence_length": 3}, "needs output_mode 'int'"),
        ({"vocabulary": ["a", "a"]}, "holds each token once"),
        ({"vocabulary": ["a", "b"], "max_tokens": 3}, r"room for 3 tokens\. Received: 4"),
        ({"vocabulary": ["a"], "output_mode": "tf_idf"}, "one idf weight for each token"),
        ({"vocabulary": ["a"], "idf_weights": [1.0]}, "one idf weight for each token"),
    ],
)
def test_impossible_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    """Unknown names, and arguments that do not fit each other, raise an error."""
    with pytest.raises(ValueError, match=message):
        layers.TextVectorization(**options)


def test_what_is_no_text_is_refused() -> None:
    """Numbers, tables of texts, texts without tokens, and a call before adapt are refused."""
    layer = layers.TextVectorization()
    with pytest.raises(ValueError, match="needs a vocabulary: call adapt first"):
        layer(TEXTS)
    with pytest.raises(ValueError, match="needs texts with tokens"):
        layer.adapt(["", "!"])
    with pytest.raises(TypeError, match=r"expects texts\. Received: dtype=int"):
        layer.adapt([1, 2])
    with pytest.raises(ValueError, match=r"expects \(texts,\). Received: shape=\(1, 2\)"):
        layer.adapt([["a", "b"]])
