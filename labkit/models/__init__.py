"""Models: layers put together, trained, evaluated and saved.

`Sequential` puts them one after the other; `Model(inputs, outputs)` is the graph that leads from
some inputs to some outputs; and a subclass of `Model` has a `call` of its own.
"""

from typing import TYPE_CHECKING

from labkit._missing import left_out
from labkit.models.model import Model
from labkit.models.sequential import Sequential

__all__ = ["Model", "Sequential"]

if not TYPE_CHECKING:
    __getattr__ = left_out(__name__)
