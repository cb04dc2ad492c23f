"""Layers: each goes forward with `call` and back with `backward`, array for array."""

from labkit.layers.attention import MultiHeadAttention
from labkit.layers.chain import Residual
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

__all__ = ["Activation", "Add", "Dense", "Flatten", "Input", "Layer", "Reshape"]
__all__ += ["Conv1D", "Conv2D", "ZeroPadding2D"]
__all__ += ["AveragePooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D", "MaxPooling2D"]
__all__ += ["BatchNormalization", "Dropout", "LayerNormalization"]
__all__ += ["GRU", "LSTM", "Embedding", "MultiHeadAttention", "Residual", "SimpleRNN"]
