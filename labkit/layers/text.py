"""From texts to the integers that an embedding takes."""

import string
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labkit import config
from labkit._common import Shape, expect
from labkit.layers.layer import Layer

_MASK, _UNKNOWN = "", "[UNK]"  # where a text has ended; a token that is not in the vocabulary
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


class TextVectorization(Layer):
    """Cut texts into tokens, and look each up in a vocabulary.

    `adapt` makes the vocabulary: the tokens of some texts, the most frequent first, and of
    equally frequent ones the last in the alphabet. In the output 0 fills up short texts, 1 is a
    token that is not in the vocabulary, and its first token is 2. As in TensorFlow, only the
    letters from A to Z are made small.

    Unlike other layers it is called with texts, and cannot be a part of a model: what it returns
    is the input of one.

    Args:
        max_tokens: Largest size of the vocabulary, special tokens among them.
        standardize: `"lower"`, `"strip_punctuation"`, `"lower_and_strip_punctuation"`, or `None`.
        split: Tokens are words, `"whitespace"`, or letters, `"character"`.
        ngrams: With 2, pairs of neighboring tokens are tokens as well, and so on; or a tuple of
            lengths, such as `(2,)` for pairs alone.
        output_mode: `"int"`: the number of each token. Otherwise a number for each entry of the
            vocabulary: `"multi_hot"`, 1 where it occurs; `"count"`, how often; `"tf_idf"`, that
            times `log(1 + texts / (1 + texts with the token))`. These have no 0 for padding.
        output_sequence_length: Texts are filled up or cut to this length; `None` means that of
            the longest. Only for `"int"`.
        pad_to_max_tokens: Whether the output has `max_tokens` columns even if the vocabulary is
            smaller. Not for `"int"`.
        vocabulary: The vocabulary, if it is known, without the special tokens.
        idf_weights: With `"tf_idf"` and a vocabulary: the logarithm for each entry.
        **kwargs: `name`, as in `Layer`.

    Raises:
        ValueError: An argument is unknown, or does not fit the others.
    """

    def __init__(  # noqa: PLR0913  # Keras's arguments
        self,
        max_tokens: int | None = None,
        standardize: str | None = "lower_and_strip_punctuation",
        split: str = "whitespace",
        *,
        ngrams: int | tuple[int, ...] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Sequence[str] | None = None,
        idf_weights: ArrayLike | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        known = {
            "standardize": (None, "lower", "strip_punctuation", "lower_and_strip_punctuation"),
            "split": ("whitespace", "character"),
            "output_mode": ("int", "multi_hot", "count", "tf_idf"),
        }
        for name, value in zip(known, (standardize, split, output_mode), strict=True):
            expect(value in known[name], f"{name} must be one of {known[name]}", repr(value))
        whole = output_mode == "int" or output_sequence_length is None
        expect(whole, "output_sequence_length needs output_mode 'int'", repr(output_mode))
        self.max_tokens, self.standardize, self.split = max_tokens, standardize, split
        self.widths = (*range(1, ngrams + 1),) if isinstance(ngrams, int) else ngrams
        self.output_mode, self.output_sequence_length = output_mode, output_sequence_length
        self.pad_to_max_tokens = pad_to_max_tokens
        self.special = [_MASK, _UNKNOWN] if output_mode == "int" else [_UNKNOWN]
        self._numbers: dict[str, int] = {}
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def adapt(self, data: Any) -> None:
        """Make the vocabulary from some texts.

        Args:
            data: Texts, `(texts,)` or `(texts, 1)`, or an iterable of batches of them.

        Raises:
            TypeError: Something is not a text.
            ValueError: The texts have another shape, or hold no token.
        """
        batches = [data] if isinstance(data, list | tuple | np.ndarray) else data
        texts = [self._tokens(text) for batch in batches for text in _texts(batch)]
        counts = Counter(token for tokens in texts for token in tokens)
        for token in (_MASK, _UNKNOWN):
            counts.pop(token, None)
        expect(counts, "TextVectorization.adapt needs texts with tokens", f"{len(texts)} texts")
        order = sorted(counts, key=lambda token: (counts[token], token), reverse=True)
        most = None if self.max_tokens is None else self.max_tokens - len(self.special)
        kept = order[:most]
        found = Counter(token for tokens in texts for token in set(tokens))
        weights = [np.log(1 + len(texts) / (1 + found[token])) for token in kept]
        self.set_vocabulary(kept, weights if self.output_mode == "tf_idf" else None)

    def set_vocabulary(
        self, vocabulary: Sequence[str], idf_weights: ArrayLike | None = None
    ) -> None:
        """Use a vocabulary that is known.

        Args:
            vocabulary: Its tokens, each once; the special ones may come first.
            idf_weights: For each of the other tokens its weight; for `"tf_idf"` alone.

        Raises:
            ValueError: A token occurs twice, there are too many, or the weights do not fit.
        """
        tokens = [str(token) for token in vocabulary]
        if tokens[: len(self.special)] == self.special:
            tokens = tokens[len(self.special) :]
        entries = [*self.special, *tokens]
        expect(len(set(entries)) == len(entries), "A vocabulary holds each token once", vocabulary)
        most = self.max_tokens or len(entries)
        expect(len(entries) <= most, f"This vocabulary has room for {most} tokens", len(entries))
        wanted = "tf_idf needs one idf weight for each token, and no other output_mode has any"
        weights = None if idf_weights is None else np.asarray(idf_weights, float)
        length = None if weights is None else weights.shape
        expect(length == ((len(tokens),) if self.output_mode == "tf_idf" else None), wanted, length)
        self._numbers = {token: number for number, token in enumerate(entries)}
        # As in Keras, what is not in the vocabulary weighs as much as its tokens on average.
        self._idf = np.ones(len(entries)) if weights is None else np.r_[weights.mean(), weights]

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Return the tokens, each at its number; or without the special ones, which come first."""
        return [*self._numbers][0 if include_special_tokens else len(self.special) :]

    def vocabulary_size(self) -> int:
        """Return the number of tokens, special ones among them."""
        return len(self._numbers)

    def __call__(self, x: Any) -> NDArray[Any]:
        """Return the numbers of the tokens of each text.

        Args:
            x: Texts, `(texts,)` or `(texts, 1)`.

        Returns:
            `(texts, tokens)` of integers; or, in another mode than `"int"`, `(texts, entries)`.

        Raises:
            TypeError: Something is not a text.
            ValueError: The texts have another shape, or there is no vocabulary yet.
        """
        expect(self._numbers, "TextVectorization needs a vocabulary: call adapt first", "none")
        return self.call(_texts(x))

    def call(self, x: Any, training: bool = False) -> NDArray[Any]:
        """See `__call__`."""
        unknown = self._numbers[_UNKNOWN]
        rows = [[self._numbers.get(token, unknown) for token in self._tokens(text)] for text in x]
        if self.output_mode == "int":
            longest = max(map(len, rows))
            length = longest if self.output_sequence_length is None else self.output_sequence_length
            numbers = np.zeros((len(rows), length), np.int64)
            for out, row in zip(numbers, rows, strict=True):
                out[: len(row)] = row[:length]
            return numbers
        width = self.max_tokens if self.pad_to_max_tokens else self.vocabulary_size()
        counts = np.array([np.bincount(row, minlength=width or 0) for row in rows])
        if self.output_mode != "tf_idf":
            return np.minimum(counts, 1) if self.output_mode == "multi_hot" else counts
        weights = np.zeros(counts.shape[1])
        weights[: self.vocabulary_size()] = self._idf
        return (counts * weights).astype(config.floatx())

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(texts, tokens)`, or `(texts, entries of the vocabulary)`."""
        width = self.max_tokens if self.pad_to_max_tokens else self.vocabulary_size()
        is_int = self.output_mode == "int"
        return input_shape[0], self.output_sequence_length if is_int else width

    def _tokens(self, text: str) -> list[str]:
        """Return the tokens of a text."""
        how = self.standardize or ""
        if "lower" in how:
            text = text.encode().lower().decode()  # of bytes, only A to Z
        if "punctuation" in how:
            text = text.translate(_NO_PUNCTUATION)
        # Of bytes, only ASCII's white space separates, as in TensorFlow.
        words = [word.decode() for word in text.encode().split()]
        tokens = words if self.split == "whitespace" else [*text]
        if self.widths is None:
            return tokens
        return [
            " ".join(tokens[start : start + width])
            for width in self.widths
            for start in range(len(tokens) - width + 1)
        ]


def _texts(x: Iterable[Any] | str) -> list[str]:
    """Return a list of texts."""
    array = np.asarray(x)
    shape = array.shape
    expect(shape and shape[1:] in ((), (1,)), "TextVectorization expects (texts,)", f"{shape=}")
    texts = array.ravel().tolist()
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"TextVectorization expects texts. Received: dtype={array.dtype}")
    return texts
