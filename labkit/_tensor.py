"""The tensor of which graphs are made, with the operators of arrays."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import labkit
from labkit._common import Shape

# What NumPy calls for the operators of arrays.
_OPERATORS = {"add", "subtract", "multiply", "divide", "power", "matmul", "equal"}
_OPERATORS |= {"greater", "greater_equal", "less", "less_equal"}
_names: Counter[str] = Counter()


class KerasTensor:
    """A tensor of which a graph is made: it has a shape, and knows what made it.

    Args:
        shape: `None` stands for an axis of any size.
        dtype: Its type of numbers.
        name: Its name; `None` means a numbered one.

    Attributes:
        node: The call that made it, or `None`.
        value: The array, if there is one.
        tape: What writes down the calls on it, if there is an array.
    """

    def __init__(self, shape: Shape, dtype: Any = "float32", name: str | None = None) -> None:
        self.shape, self.dtype = tuple(shape), str(dtype)
        if name is None:
            name = f"keras_tensor_{_names['keras_tensor']}"
            _names["keras_tensor"] += 1
        self.name = name
        self.node: Any = None
        self.value: Any = None
        self.tape: Any = None

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def T(self) -> Any:  # noqa: N802  # NumPy's name
        """The transpose."""
        return labkit.ops.transpose(self)

    def __getattr__(self, name: str) -> Any:
        use = f": use labkit.ops.{name}" if name in labkit.ops.__all__ else ""
        raise AttributeError(f"A tensor has no {name!r}{use}.", name=name, obj=self)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    def __add__(self, other: Any) -> Any:
        return labkit.ops.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return labkit.ops.add(other, self)

    def __sub__(self, other: Any) -> Any:
        return labkit.ops.subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return labkit.ops.subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return labkit.ops.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return labkit.ops.multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        return labkit.ops.divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return labkit.ops.divide(other, self)

    def __pow__(self, other: Any) -> Any:
        return labkit.ops.power(self, other)

    def __matmul__(self, other: Any) -> Any:
        return labkit.ops.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return labkit.ops.matmul(other, self)

    def __neg__(self) -> Any:
        return labkit.ops.negative(self)

    def __abs__(self) -> Any:
        return labkit.ops.absolute(self)

    def __getitem__(self, index: Any) -> Any:
        return labkit.ops.get_item(self, index)

    def __gt__(self, other: Any) -> Any:
        return labkit.ops.greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return labkit.ops.greater_equal(self, other)

    def __lt__(self, other: Any) -> Any:
        return labkit.ops.less(self, other)

    def __le__(self, other: Any) -> Any:
        return labkit.ops.less_equal(self, other)

    def __bool__(self) -> bool:
        raise UntraceableError("Python cannot branch on a tensor's numbers: use labkit.ops.where.")

    def __iter__(self) -> Iterator[Any]:
        raise UntraceableError("Python cannot loop over a tensor: use its indices, as in x[:, 0].")

    def __float__(self) -> float:
        raise UntraceableError("A tensor has no single number while it is traced.")

    __int__ = __index__ = __float__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Do arithmetic between an array and a tensor, such as `array + tensor`."""
        name = ufunc.__name__
        if name in _OPERATORS and method == "__call__" and not kwargs:
            return getattr(labkit.ops, name)(*inputs)
        use = f"labkit.ops.{name}" if hasattr(labkit.ops, name) else "a function of labkit.ops"
        raise UntraceableError(f"NumPy's {name} cannot compute with a tensor: use {use}.")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise UntraceableError("NumPy cannot compute with a tensor: use a function of labkit.ops.")


class UntraceableError(TypeError):
    """A call does something with a tensor that the way back cannot follow."""
