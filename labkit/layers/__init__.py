"""Layers: each goes forward with `call` and back with `backward`, array for array."""

from labkit.layers.convolutional import Conv1D, Conv2D, ZeroPadding2D
from labkit.layers.core import Activation, Add, Dense, Flatten, Input, Reshape
from labkit.layers.layer import Layer
from labkit.layers.pooling import (
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    MaxPooling2D,
)
from labkit.layers.regularization import Dropout

__all__ = [
    "Activation",
    "Add",
    "AveragePooling2D",
    "Conv1D",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "Input",
    "Layer",
    "MaxPooling2D",
    "Reshape",
    "ZeroPadding2D",
]
