"""Layers: each goes forward with `call` and back with `backward`, array for array."""

from labkit.layers.core import Activation, Add, Dense, Flatten, Input, Reshape
from labkit.layers.layer import Layer
from labkit.layers.regularization import Dropout

__all__ = ["Activation", "Add", "Dense", "Dropout", "Flatten", "Input", "Layer", "Reshape"]
