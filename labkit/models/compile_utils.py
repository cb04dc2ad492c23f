"""The losses and the metrics of a model: one for its output, or some for each of its outputs."""

import copy
import warnings
from collections import Counter
from typing import Any

import numpy as np

from labkit import activations, losses
from labkit._common import Array, expect
from labkit._graph import Tape
from labkit._tensor import KerasTensor
from labkit._tree import flatten, is_structure
from labkit.layers._calls import Pass
from labkit.losses import Loss
from labkit.losses.loss import spread
from labkit.metrics import Mean, Metric
from labkit.metrics import get as get_metric


class FunctionLoss(Loss):
    """A loss that is a function of tensors, differentiated by tracing it.

    Args:
        function: `function(y_true, y_pred)` returns one value for each sample, `(batch, ...)`.
    """

    def __init__(self, function: Any) -> None:
        super().__init__(reduction=getattr(function, "reduction", "sum_over_batch_size"))
        self.function = function
        self.name = str(getattr(function, "__name__", type(function).__name__))

    def value_and_gradient(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """See `Loss.value_and_gradient`."""
        tape, target = Tape(), np.asarray(y_true)
        if target.dtype.kind != "i":
            target = target.astype(y_pred.dtype)
        if (*target.shape, 1) == y_pred.shape:
            target = target[..., None]
        tensor = tape.tensor(y_pred)
        with tape.writing():
            values = self.function(target, tensor)
        traced = isinstance(values, KerasTensor)
        wanted = f"{self.name} should compute a loss from y_pred, with arithmetic and labkit.ops"
        expect(traced, wanted, type(values).__name__)
        weight = spread(sample_weight, values.value)
        if self.reduction == "sum_over_batch_size":
            weight = weight / max(values.value.size, 1)
        value = values.value * weight
        value = value if self.reduction in ("none", None) else float(value.sum())
        slope = tape.backward([(values, weight)], set()).pop(tensor)
        return value, np.zeros_like(y_pred) if slope is None else slope


def get_loss(identifier: Any) -> Loss:
    """Return the loss that a name, a function or an object stands for.

    Raises:
        ValueError: There is no such loss.
    """
    if isinstance(identifier, Loss):
        own = type(identifier).compare is Loss.compare and type(identifier).call is not Loss.call
        if own and type(identifier).value_and_gradient is Loss.value_and_gradient:
            made = FunctionLoss(identifier.call)
            made.reduction = identifier.reduction
            return made
        return identifier
    if callable(identifier) and not str(identifier.__module__).startswith("labkit.losses"):
        return FunctionLoss(identifier)
    return losses.get(identifier)


class CompiledLoss:
    """The losses of a model's outputs, each with its weight.

    Args:
        loss: One for all outputs, a list with one for each, or a dict by the outputs' names.
        loss_weights: Likewise; `None` means 1.
        output_names: The names of the outputs, if they are known.
    """

    def __init__(self, loss: Any, loss_weights: Any, output_names: list[str] | None) -> None:
        self._names, self._weights = output_names, loss_weights
        self._loss = _mapped(get_loss, loss)
        self._means: dict[str, Mean] = {}
        self._twins: dict[int, Any] = {}  # by a loss's id, the same loss of logits

    @property
    def means(self) -> list[Mean]:
        """The means of the single losses, if there are several."""
        return [*self._means.values()]

    def __call__(self, y: Any, y_pred: Any, weight: Any, current: Pass) -> tuple[Any, list[Array]]:
        """Return the total of the losses, and its gradient with respect to each output.

        Args:
            y: The targets, one for each output.
            y_pred: The outputs.
            weight: The weights of samples, for all outputs or one for each.
            current: The way forward that made the outputs.
        """
        if isinstance(y_pred, np.ndarray) and isinstance(self._loss, Loss) and not is_structure(y):
            scale = None if self._weights is None else by_output("", self._weights, [""])[0]
            found = self._value_and_gradient(self._loss, y, y_pred, weight, scale, current)
            return found[1], [found[2]]
        outputs = flatten(y_pred)
        names = output_names(y_pred, self._names)
        found = by_output("loss", self._loss, names)
        used = [loss is not None for loss in found]
        scales = by_output("loss_weights", self._weights, names, used)
        targets = by_output("y", y, names, used)
        weights = by_output("sample_weight", weight, names, used)
        if sum(used) > 1 and not self._means:
            counted = {name for name, counts in zip(names, used, strict=True) if counts}
            in_order = [*y_pred] if isinstance(y_pred, dict) else names  # as Keras lists them
            self._means = {n: Mean(name=f"{n}_loss") for n in in_order if n in counted}
        total, slopes = 0.0, []
        for i, loss in enumerate(found):
            if loss is None:
                slopes.append(np.zeros_like(outputs[i]))
                continue
            value, scaled, slope = self._value_and_gradient(
                loss, targets[i], outputs[i], weights[i], scales[i], current
            )
            if self._means:
                self._means[names[i]].update_state(value, len(outputs[i]))
            total = total + scaled
            slopes.append(slope)
        return total, slopes

    def _value_and_gradient(
        self, loss: Loss, y: Any, y_pred: Array, weight: Any, scale: float | None, current: Pass
    ) -> Any:
        """Return a loss, the loss times its scale, and the gradient of this by an output.

        The gradient of a cross-entropy behind a softmax is `softmax(z) - y` by the logits `z`,
        exact and never divided by zero; Keras on TensorFlow does the same behind the scenes. It
        is left with the call that made the output, and nothing is left to do for the output
        itself.
        """
        call, mask = current.ends.get(id(y_pred)), current.mask(y_pred)
        if mask is not None:  # the mean is that of the steps that count
            whole = loss.reduction == "sum_over_batch_size"
            weight = _masked(weight, mask / max(mask.mean(), 1e-9) if whole else mask)
        scale = 1 if scale is None else scale
        prefers = getattr(activations, loss.logits_of or "", None)
        if call is None or prefers is None or call.logits[0] is not prefers:
            value, slope = loss.value_and_gradient(y, y_pred, weight)
            return value, value * scale, slope if scale == 1 else slope * scale
        if getattr(loss, "from_logits", False):
            warnings.warn(f"from_logits=True skips the model's {loss.logits_of}.", stacklevel=6)
        by_logits: Any = self._twins.get(id(loss))
        if by_logits is None:
            by_logits = self._twins[id(loss)] = copy.copy(loss)
            by_logits.from_logits = True
        value, slope = by_logits.value_and_gradient(y, call.logits[1], weight)
        slope = slope if scale == 1 else slope * scale
        call.dlogits = slope if call.dlogits is None else call.dlogits + slope
        return value, value * scale, np.zeros_like(y_pred)


class CompiledMetrics:
    """The metrics of a model's outputs.

    Args:
        metrics: A list for the only output; a list or dict with one or several for each output.
        weighted_metrics: Likewise, of metrics to which sample weights apply.
        output_names: The names of the outputs, if they are known.

    Attributes:
        metrics: All of them.

    Raises:
        TypeError: Something is neither a list nor a dict.
        ValueError: A name is unknown.
    """

    def __init__(self, metrics: Any, weighted_metrics: Any, output_names: Any) -> None:
        for name, given in (("metrics", metrics), ("weighted_metrics", weighted_metrics)):
            if not isinstance(given, list | tuple | dict | None):
                raise TypeError(f"{name} is a list, such as ['accuracy']. Received: {given!r}")
        self._names = output_names
        self._given = [_mapped(get_metric, part or []) for part in (metrics, weighted_metrics)]
        self.metrics: list[Metric] = [m for m in flatten(self._given) if m is not None]
        self._by_output: list[tuple[int, str | None, Metric, bool]] | None = None

    def update_state(self, y: Any, y_pred: Any, weight: Any, current: Pass) -> None:
        """Add a batch; of an output with a mask, means are those of the steps that count."""
        if not self.metrics:
            return
        outputs, names = flatten(y_pred), output_names(y_pred, self._names)
        if self._by_output is None:
            self._by_output = [*self._assigned(names)]
        counts = [any(i == which for which, *_ in self._by_output) for i in range(len(outputs))]
        targets = by_output("y", y, names, counts)
        weights = by_output("sample_weight", weight, names, counts)
        for i, _, metric, weighted in self._by_output:
            used = weights[i] if weighted else None
            mask = current.mask(outputs[i]) if metric.supports_masking else None
            used = used if mask is None else _masked(used, mask)
            metric.update_state(targets[i], outputs[i], *(() if used is None else (used,)))

    def result(self) -> dict[str, Any]:
        """Return the results by name; of several metrics of one name, the later are numbered."""
        results, taken = dict[str, Any](), Counter[str]()
        for _, prefix, metric, weighted in self._by_output or ():
            name = f"{prefix}_{metric.name}" if prefix else metric.name
            if taken[name] and weighted:
                name = f"{prefix}_weighted_{metric.name}" if prefix else f"weighted_{metric.name}"
            taken[name] += 1
            results[name if taken[name] == 1 else f"{name}_{taken[name] - 1}"] = metric.result()
        if self._by_output is None:
            results = {metric.name: metric.result() for metric in self.metrics}
        return results

    def _assigned(self, names: list[str]) -> Any:
        """Yield each metric with the place and the name of its output."""
        for given, weighted in zip(self._given, (False, True), strict=True):
            if len(names) == 1:
                yield from ((0, None, metric, weighted) for metric in flatten(given) if metric)
                continue
            for i, group in enumerate(by_output("metrics", given or None, names)):
                metrics = flatten(group) if isinstance(group, list | tuple) else [group]
                yield from ((i, names[i], metric, weighted) for metric in metrics if metric)


def output_names(y_pred: Any, names: list[str] | None) -> list[str]:
    """Return the names of the outputs: the keys of a dict, or the model's, or numbers."""
    if isinstance(y_pred, dict):
        return sorted(y_pred)
    count = len(flatten(y_pred))
    return names if names and len(names) == count else [f"output_{i + 1}" for i in range(count)]


def by_output(what: str, given: Any, names: list[str], used: list[bool] | None = None) -> list[Any]:
    """Return what belongs to each output, `None` where nothing does.

    Args:
        what: Name of the argument, for messages.
        given: One thing for all outputs, a list or a dict.
        names: The names of the outputs.
        used: Which outputs count: a list may leave out the others.

    Raises:
        ValueError: There are too few or too many things, or a name is unknown.
    """
    count = len(names)
    if isinstance(given, dict):
        unknown = sorted(set(given) - set(names))
        expect(not unknown, f"{what} names outputs of {names}", unknown)
        return [given.get(name) for name in names]
    is_list = isinstance(given, list | tuple) and (what != "y" or count > 1 or is_structure(given))
    if what == "y" and not is_list:
        expect(count == 1 or given is None, f"y should hold targets for {names}", "one array")
        return [given] * count
    if what == "sample_weight" and is_list:
        is_list = is_structure(given)
    if not is_list:
        return [given] * count
    if used is not None and len(given) == sum(used) < count:
        items = iter(given)
        return [next(items) if counts else None for counts in used]
    expect(len(given) == count, f"{what} should hold one for each of {names}", f"{len(given)}")
    return list(given)


def _masked(weight: Any, mask: Array) -> Array:
    """Return a weight for each step, given one for each step or sample, or none."""
    if weight is None:
        return mask
    places = np.shape(weight) + (1,) * (mask.ndim - np.ndim(weight))
    more = (1,) * (len(places) - mask.ndim)
    return np.asarray(np.reshape(weight, places) * mask.reshape(mask.shape + more))


def _mapped(function: Any, given: Any) -> Any:
    """Return a list or dict, also in lists, with each thing but `None` made into another."""
    if isinstance(given, dict):
        return {key: _mapped(function, item) for key, item in given.items()}
    if isinstance(given, list | tuple):
        return [_mapped(function, item) for item in given]
    return None if given is None else function(given)
