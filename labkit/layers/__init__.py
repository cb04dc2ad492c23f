"""Layers: each goes forward with `call` and back with `backward`, array for array."""

from labkit.layers.attention import MultiHeadAttention, Residual
from labkit.layers.convolutional import Conv1D, Conv2D, ZeroPadding2D
from labkit.layers.core import Activation, Add, Dense, Flatten, Input, Reshape
from labkit.layers.embedding import Embedding
from labkit.layers.layer import Layer
from labkit.layers.normalization import BatchNormalization, LayerNormalization
from labkit.layers.pooling import (
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    MaxPooling2D,
)
from labkit.layers.regularization import Dropout
from labkit.layers.rnn import GRU, LSTM, SimpleRNN

__all__ = [
    "GRU",
    "LSTM",
    "Activation",
    "Add",
    "AveragePooling2D",
    "BatchNormalization",
    "Conv1D",
    "Conv2D",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "Input",
    "Layer",
    "LayerNormalization",
    "MaxPooling2D",
    "MultiHeadAttention",
    "Reshape",
    "Residual",
    "SimpleRNN",
    "ZeroPadding2D",
]
