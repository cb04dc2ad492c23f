"""The base of all layers: weights, gradients, and what all calls have in common.

A layer of your own subclasses `Layer` and defines up to four methods: `build` makes the
weights, `call` goes forward and keeps in `self.saved` what `backward` needs, `backward`
goes back, and `compute_output_shape` gives the shape without running. A `call` that does
the same in training and out of it may leave out `training`.

A layer may also leave out `backward`, if its `call` only uses other layers, arithmetic and
the functions of `labkit.ops`: its calls are traced, and what was written down is walked back.

A layer may be called several times on the way forward. Each call is kept, the last `backward`
belongs to the first call, and the gradients of all calls add up.
"""

import functools
import inspect
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from labkit import _graph, config, initializers, regularizers
from labkit._common import Array, Shape, Sizes, expect, numbers, snake_case
from labkit._tree import flatten, is_structure, map_structure, pack
from labkit.initializers import Initializer
from labkit.layers import _calls, _shapes
from labkit.layers._calls import Call, Gradients, Pass
from labkit.layers._trace import trace
from labkit.regularizers import Regularizer

_CHARS = {"float32": "f", "float64": "d"}  # NumPy's letters
_names: Counter[str] = Counter()


def numbered(name: str, taken: Counter[str]) -> str:
    """Return a name that is still free: `"conv2d"`, then `"conv2d_1"`, and so on."""
    taken[name] += 1
    return name if taken[name] == 1 else f"{name}_{taken[name] - 1}"


class Layer:
    """A transformation of arrays, often with weights.

    Args:
        activity_regularizer: Penalty on the output, added to the loss; it is divided by
            the number of samples.
        trainable: Whether training changes the weights.
        dtype: `"float32"` or `"float64"`; `None` means `config.floatx()`.
        name: `None` means one made from the class's name.
        **kwargs: For each weight in `first_values`, `NAME_initializer` and
            `NAME_regularizer`. And on the first layer of a `Sequential`, in place of an `Input`,
            `input_shape`: that of an input without the batch axis.

    Raises:
        TypeError: An argument that the layer does not have.
        ValueError: Another dtype, or an unknown initializer or regularizer.

    Attributes:
        saved: What `call` keeps for `backward`.
        named_weights: The layer's own weights by name, without those of layers that it holds;
            trainable ones first. `add_weight` makes them, and they stay the same arrays.
        gradients: By the weight's name, the loss's gradient from the last `backward`.
        needs_input_gradient: `False` on a model's first layer, whose `backward` then
            returns `None` and saves the work.
    """

    first_values: ClassVar[dict[str, str]] = {}
    """The default initializer of each weight for which a reader may choose another."""

    expects = "(batch, ...)"
    """The axes of an input, for the check in `__call__`; `...` stands for any number."""

    keeps_integers = False
    """Whether integers stay integers, as the indices of an Embedding do."""

    supports_masking = False
    """Whether the steps that a mask leaves out of the input are left out of the output, too."""

    uses_weights = True
    """Whether a traced `call` may use weights itself, rather than through layers alone."""

    _axes: ClassVar[list[str]] = ["batch", "..."]

    # How many positional arguments these methods take, and more about `call`.
    _most_inputs = _build_shapes = _output_shapes = 1
    _takes_training, _makes_masks, _traced = True, False, False
    _mask_names: ClassVar[list[str]] = []

    def __init__(
        self,
        *,
        activity_regularizer: str | Regularizer | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        kinds = (None, "float32", "float64")
        expect(dtype in kinds, f"dtype must be one of {kinds}", repr(dtype))
        self._options: dict[str, tuple[Initializer, Regularizer | None]] = {}
        for weight, default in self.first_values.items():
            first = initializers.get(kwargs.pop(f"{weight}_initializer", default))
            penalty = regularizers.get(kwargs.pop(f"{weight}_regularizer", None))
            self._options[weight] = first, penalty
        input_shape = kwargs.pop("input_shape", None)
        if kwargs:
            raise TypeError(f"{type(self).__name__} has no argument {', '.join(sorted(kwargs))}.")
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.trainable = trainable
        self.dtype = dtype or config.floatx()
        self.name = name or numbered(snake_case(type(self).__name__), _names)
        self.input_shape: Shape | None = input_shape
        self.built = False
        self.needs_input_gradient = True
        self.saved: Any = None
        self.named_weights: dict[str, Array] = {}
        self.gradients = Gradients(self.name)
        self._calls: list[Call] = []
        self._inbound_nodes: list[Any] = []  # weak references to nodes of graphs
        self._added: list[Any] = []  # by add_loss in this call
        self._built_inside = False  # whether a traced call was made on arrays before
        self._logits: Any = None  # the activation at the end, and what it was applied to
        self._dlogits: Array | None = None
        self._penalties: dict[str, Regularizer] = {}
        self._last_pass: Pass | None = None
        self._reached: dict[int, int] = {}  # the layers of the last way back, by id
        self._features: int | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Look at the arguments of `call`, and wrap `build` and `backward`."""
        super().__init_subclass__(**kwargs)
        taken = [*inspect.signature(cls.call).parameters]
        cls._takes_training = "training" in taken
        cls._mask_names = _shapes.mask_names(taken)
        cls._axes = cls.expects.strip("()").split(", ")
        cls._makes_masks = cls.compute_mask is not Layer.compute_mask
        cls._most_inputs, cls._build_shapes = (
            _shapes.positional(cls.call),
            _shapes.positional(cls.build),
        )
        cls._output_shapes = _shapes.positional(cls.compute_output_shape)
        for name, wrap in (("build", _calls.built_once), ("backward", _calls.accumulating)):
            if name in vars(cls):
                setattr(cls, name, wrap(vars(cls)[name]))
        cls._traced = cls.backward is Layer.backward

    # What a subclass defines.

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of that shape, `(batch or None, ...)`."""
        self.built = True

    def call(self, x: Any, training: bool = False) -> Any:
        """Return the output for `x`, and keep in `self.saved` what `backward` needs.

        A layer with several inputs takes them as a list, or as several arguments.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a call(x, training).")

    @_calls.accumulating
    def backward(self, dy: Any) -> Any:
        """Fill `self.gradients` and return the gradient with respect to the input.

        Where `call` takes a list, it is a list; where `call` takes several arguments, a tuple.
        A layer that does not define it has its calls traced, and these are walked back.

        Args:
            dy: The loss's gradient with respect to the output of the last call.
        """
        return self.saved.backward(self, dy)

    def compute_output_shape(self, *input_shape: Any) -> Any:
        """Return the output's shape for an input's, `(batch or None, ...)`.

        Where it is not defined, it is the input's shape; that of a layer without a `backward`
        is found by calling it.
        """
        if not self._traced:
            return input_shape[0]
        tensors = [_shapes.tensors(shape, self.dtype) for shape in input_shape]
        return map_structure(lambda made: made.shape, _graph.probed(self, *tensors))

    # What a subclass inherits.

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Check the inputs, build at first use, and call.

        Args:
            *args: The arrays that `call` takes, in its order; or tensors, such as an `Input`,
                to make a graph.
            **kwargs: What else `call` takes. If `training` is not given, it is that of the
                enclosing call, and `False` where there is none.

        Raises:
            ValueError: An array has the wrong number of axes, no samples, or another size than
                before.
            TypeError: An array does not hold numbers, or there are more than `call` takes.
        """
        if len(args) > self._most_inputs:
            takes = f"{type(self).__name__} takes {self._most_inputs} positional argument(s)"
            raise TypeError(f"{takes}; pass training=... by its name. Received: {len(args)}")
        if len(args) == 1 and type(args[0]) is np.ndarray:  # the usual case, quickly
            args = (self._checked(args[0]),)
        else:
            args, kwargs = self._in_place(args, kwargs)
            if _graph.tensors_in((args, kwargs)):
                return _graph.record(self, args, kwargs)
            args = (self._checked(args[0]), *map(self._converted, args[1:])) if args else args
        if not self.built:
            self.build(*_shapes.of_all(args)[: self._build_shapes])
        current, token = _calls.current_pass.get(), None
        if current is None:
            token = _calls.current_pass.set(current := Pass())
        outer, training = current.training, kwargs.pop("training", None)
        current.training = outer if training is None else bool(training)
        if self._takes_training:
            kwargs["training"] = current.training
        try:
            return self._kept(current, args, kwargs)
        finally:
            current.training = outer
            if token is not None:
                _calls.current_pass.reset(token)

    def symbolic_outputs(self, args: Any, kwargs: Any) -> Any:
        """Build for symbolic tensors, and return those that a call of the layer makes.

        Raises:
            ValueError: A tensor has the wrong number of axes, or another size than before.
        """
        for tensor in _graph.tensors_in(args[:1]):
            self._check_shape(tensor.shape)
        if not self.built:
            self.build(*_shapes.of_all(args)[: self._build_shapes])
        if type(self).compute_output_shape is Layer.compute_output_shape and self._traced:
            return _graph.probed(functools.partial(_shapes.called, self), args, kwargs)
        shape = self.compute_output_shape(*_shapes.of_all(args)[: self._output_shapes])
        return _shapes.tensors(shape, self.dtype)

    def add_loss(self, loss: Any) -> None:
        """Add a number, such as a penalty on what `call` computes, to the loss.

        Args:
            loss: A tensor that is a single number, in a `call` that is traced; elsewhere a number,
                whose gradient the layer's `backward` has to add.
        """
        self._added.append(loss)

    def add_weight(
        self,
        shape: tuple[int, ...] | None = None,
        initializer: str | Initializer | None = None,
        dtype: str | None = None,
        trainable: bool = True,
        regularizer: str | Regularizer | None = None,
        name: str | None = None,
    ) -> Array:
        """Return a new weight that the layer keeps, and make room for its gradient.

        Args:
            shape: Its shape; `None` means a single number.
            initializer: Its first values; `None` means those that the layer was given as
                `NAME_initializer`, else `"glorot_uniform"`.
            dtype: `None` means the layer's.
            trainable: `False` for numbers that training does not learn by gradients.
            regularizer: Penalty on it, added to the loss; `None` likewise.
            name: Its key in `self.gradients`; `None` means `"weight_0"`, …

        Raises:
            ValueError: The layer has a weight of that name.
        """
        name = name or f"weight_{len(self.named_weights)}"
        expect(
            name not in self.named_weights, f"{self.name} needs a new name for a weight", repr(name)
        )
        # As in Keras, recurrent_kernel's options are recurrent_initializer and _regularizer.
        option = name if name in self._options else name.removesuffix("_kernel")
        first, penalty = self._options.get(option, ("glorot_uniform", None))
        first = initializers.get(initializer or first)
        weight = self.named_weights[name] = first(shape or (), dtype or self.dtype)
        if trainable:
            self.gradients.make_room(name, weight)
        if penalty := regularizers.get(regularizer) or penalty:
            self._penalties[name] = penalty
        ordered = sorted(self.named_weights, key=lambda name: name not in self.gradients)
        self.named_weights = {
            name: self.named_weights[name] for name in ordered
        }  # trainable ones first
        return weight

    def fix_features(self, input_shape: Shape) -> int:
        """Return the size of the last axis, which each input must have from now on.

        Raises:
            ValueError: It is not known.
        """
        expect(input_shape[-1], f"{self.name} needs a known last axis", input_shape)
        self._features = input_shape[-1] or 0
        return self._features

    def flatten_layers(self) -> "Iterator[Layer]":
        """Yield this layer and, in order and once, all layers that it holds as attributes.

        They may also stand in lists, tuples and dicts.
        """
        return _flattened(self, set())

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights, here and in all layers that it holds."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = value
        for layer in list(self.flatten_layers())[1:]:
            layer.trainable = value

    @property
    def weights(self) -> list[Array]:
        """All weights: of each layer the trainable ones, then the others."""
        return [_graph.stand_in(weight) for weight in self._arrays()]

    @property
    def trainable_weights(self) -> list[Array]:
        """The weights that training changes."""
        layers = [layer for layer in self.flatten_layers() if layer.trainable]
        pairs = [(layer, name) for layer in layers for name in layer.gradients]
        return [_graph.stand_in(layer.named_weights[name]) for layer, name in pairs]

    @property
    def losses(self) -> list[float]:
        """The penalties on trainable weights and, per sample, on outputs; and added losses."""
        penalties = []
        for layer in self.flatten_layers():
            on_weights = layer._penalties if layer.trainable else {}
            penalties += [p(layer.named_weights[name]) for name, p in on_weights.items()]
            for call in layer._calls if layer._last_pass is self._last_pass else ():
                if (penalty := layer.activity_regularizer) is not None:
                    penalties += [penalty(y) / len(y) for y in flatten(call.output)]
                penalties += map(float, call.penalties)
        return penalties

    @property
    def input(self) -> Any:
        """The tensor, or the structure of tensors, that the layer was called on in a graph."""
        args = self._only_node().args
        return args[0] if len(args) == 1 else list(args)

    @property
    def output(self) -> Any:
        """The tensor that the layer made in a graph: where a model of its own may end."""
        return self._only_node().outputs

    def get_weights(self) -> list[Array]:
        """Return copies of all weights."""
        return [weight.copy() for weight in self._arrays()]

    def set_weights(self, weights: list[Array]) -> None:
        """Copy values into all weights; if one does not fit, nothing changes.

        Raises:
            ValueError: The number of arrays or a shape differs.
        """
        arrays = [np.asarray(weight) for weight in weights]
        expected = [weight.shape for weight in self.weights]
        received = [array.shape for array in arrays]
        hint = "" if self.built else " (not built: call it on an array first)"
        expect(expected == received, f"{self.name}{hint} expects {expected}", received)
        for weight, array in zip(self.weights, arrays, strict=True):
            weight[...] = array

    def count_params(self) -> int:
        """Return how many numbers all weights hold together.

        Raises:
            ValueError: The layer is not built yet.
        """
        expect(self.built, f"{self.name} is not built yet: call it on an array first", "no shape")
        return sum(weight.size for weight in self.weights)

    def _arrays(self) -> list[Array]:
        return [w for layer in self.flatten_layers() for w in layer.named_weights.values()]

    def _only_node(self) -> Any:
        nodes = [node for reference in self._inbound_nodes if (node := reference()) is not None]
        wanted = f"{self.name} should have been called on one tensor, such as an Input"
        expect(len(nodes) == 1, wanted, f"{len(nodes)} such calls")
        return nodes[0]

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return which steps of the output count, `(batch, steps)`; `None` if all do.

        Args:
            inputs: The input.
            previous_mask: Which of its steps count, or `None`; for a list of inputs, a list.
        """
        return previous_mask if self.supports_masking else None

    def _kept(self, current: Pass, args: Any, kwargs: Any) -> Any:
        """Call, and keep a record of the call for `backward`."""
        mask = current.mask(args[0]) if current.masks and args else None
        for name, arg in zip(self._mask_names, args if current.masks else (), strict=False):
            if name and kwargs.get(name) is None and (found := current.mask(arg)) is not None:
                kwargs[name] = found
        if self._last_pass is not current:
            self._last_pass, self._calls = current, []
        self._logits, self._added = None, []
        y = trace(self, *args, **kwargs) if self._traced else self.call(*args, **kwargs)
        self._calls.append(call := Call(self.saved, y, self._logits, self._added))
        if mask is not None or self._makes_masks:
            mask = self.compute_mask(args[0], mask)
            if mask is not None:
                first = flatten(y)[0]
                current.masks.setdefault(id(first), (first, mask))
        if self._logits is not None:
            current.ends[id(y)] = call
        if self.activity_regularizer is not None or self._added:
            current.penalized = True
        return y

    def _in_place(self, args: Any, kwargs: dict[str, Any]) -> Any:
        """Move inputs that are given by name to their places among the positional ones."""
        if not _graph.tensors_in(kwargs):
            return args, kwargs
        names = [*inspect.signature(self.call).parameters]
        given = max(i for i, name in enumerate(names) if name in kwargs and name != "training")
        moved = [kwargs.pop(name, None) for name in names[len(args) : given + 1]]
        return (*args, *moved), kwargs

    def _checked(self, x: Any) -> Any:
        """Return `x` in the layer's dtype if it is what the layer expects."""
        if type(x) is np.ndarray and x.dtype.char == _CHARS[self.dtype]:  # mostly, so quickly
            self._check_shape(x.shape)
            return x
        if type(x) is not np.ndarray and is_structure(x):
            wanted = f"{type(self).__name__} expects one array {self.expects}"
            expect(type(self).expects == Layer.expects, wanted, f"{len(x)} arrays")
            return pack(x, [self._checked(part) for part in flatten(x)])
        x = numbers(f"{self.name}: x", x)
        self._check_shape(x.shape)
        if self.keeps_integers and x.dtype.kind in "iub":
            return x
        return np.asarray(x, self.dtype)

    def _converted(self, value: Any) -> Any:
        """Return floats in the layer's dtype, also in a list, and anything else as it is."""
        if is_structure(value):
            return pack(value, [self._converted(part) for part in flatten(value)])
        is_float = getattr(value, "dtype", np.dtype(bool)).kind == "f"
        return np.asarray(value, self.dtype) if is_float else value

    def _check_shape(self, shape: Shape) -> None:
        axes = self._axes
        fits = len(shape) >= len(axes) - 1 if axes[-1] == "..." else len(shape) == len(axes)
        if not fits or 0 in shape or self._features not in (None, shape[-1]):
            size = f" with {self._features} of the last" if self._features else ""
            wanted = f"{type(self).__name__} expects {self.expects}{size}"
            raise ValueError(f"{wanted}. Received: x.shape={shape}")

    def __getstate__(self) -> dict[str, Any]:
        """Leave out of copies what belongs to past calls."""
        past: dict[str, Any] = {"_calls": [], "_inbound_nodes": [], "_reached": {}}
        return vars(self) | past | {"saved": None, "_last_pass": None}


def sizes(layer: Layer, name: str, value: Any, axes: int = 1, least: int = 1) -> Sizes:
    """Return one integer for each axis, given a tuple or one integer for all.

    Raises:
        ValueError: There are too few or too many, or they are not integers or too small.
    """
    values = tuple(value) if isinstance(value, tuple | list) else (value,) * axes
    whole = all(isinstance(size, int | np.integer) and size >= least for size in values)
    wanted = "an integer" if axes == 1 else f"{axes} integers (or one)"
    wanted = f"{type(layer).__name__} expects {name} to be {wanted} >= {least}"
    expect(whole and len(values) == axes, wanted, repr(value))
    return values


def _flattened(layer: Layer, seen: set[int]) -> Iterator[Layer]:
    if id(layer) not in seen:
        seen.add(id(layer))
        yield layer
        for value in vars(layer).values():
            yield from _held(value, seen)


def _held(value: Any, seen: set[int]) -> Iterator[Layer]:
    if isinstance(value, Layer):
        yield from _flattened(value, seen)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _held(item, seen)
    elif type(value) is dict:
        for item in value.values():
            yield from _held(item, seen)
