"""Layers: each goes forward with `call` and back with `backward`, array for array."""

from typing import TYPE_CHECKING

from labkit._missing import left_out
from labkit.layers.activation import LeakyReLU, ReLU
from labkit.layers.attention import MultiHeadAttention
from labkit.layers.augmentation import RandomFlip, RandomRotation, RandomTranslation
from labkit.layers.bidirectional import Bidirectional
from labkit.layers.chain import Residual
from labkit.layers.convolutional import Conv1D, Conv2D
from labkit.layers.core import (
    Activation,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    InputLayer,
    Reshape,
)
from labkit.layers.depthwise import DepthwiseConv2D, SeparableConv2D
from labkit.layers.function import Lambda
from labkit.layers.layer import Layer
from labkit.layers.masking import Masking
from labkit.layers.merging import Add, Average, Concatenate, Dot, Multiply, Subtract
from labkit.layers.normalization import BatchNormalization, GroupNormalization, LayerNormalization
from labkit.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
)
from labkit.layers.preprocessing import Normalization, Rescaling
from labkit.layers.regularization import GaussianNoise
from labkit.layers.reshaping import Cropping2D, ZeroPadding2D
from labkit.layers.rnn import GRU, LSTM, SimpleRNN
from labkit.layers.text import TextVectorization
from labkit.layers.transposed import Conv2DTranspose, UpSampling2D

__all__ = ["Activation", "Dense", "Embedding", "Flatten", "Input", "InputLayer", "Layer", "Reshape"]
__all__ += ["Add", "Average", "Concatenate", "Dot", "Multiply", "Subtract"]
__all__ += ["BatchNormalization", "Conv1D", "Conv2D", "Dropout", "LayerNormalization"]
__all__ += ["AveragePooling1D", "AveragePooling2D", "MaxPooling1D", "MaxPooling2D"]
__all__ += ["GlobalAveragePooling1D", "GlobalAveragePooling2D"]
__all__ += ["GlobalMaxPooling1D", "GlobalMaxPooling2D"]
__all__ += ["Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D", "UpSampling2D"]
__all__ += ["GRU", "LSTM", "MultiHeadAttention", "Residual", "SimpleRNN"]
__all__ += ["Cropping2D", "ZeroPadding2D"]
__all__ += ["GaussianNoise", "GroupNormalization", "LeakyReLU", "ReLU"]
__all__ += ["RandomFlip", "RandomRotation", "RandomTranslation"]
__all__ += ["Normalization", "Rescaling", "TextVectorization"]
__all__ += ["Bidirectional", "Lambda", "Masking"]

if not TYPE_CHECKING:
    __getattr__ = left_out(__name__)
