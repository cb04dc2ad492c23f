"""Models: layers put together, trained, evaluated and saved.

`Sequential` puts them one after the other; `Model(inputs, outputs)` is the graph that leads from
some inputs to some outputs; and a subclass of `Model` has a `call` of its own.
"""

from labkit.models.model import Model
from labkit.models.sequential import Sequential

__all__ = ["Model", "Sequential"]
