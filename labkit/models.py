"""Sequential: a chain of layers, and how it is trained.

All trainable weights lie in one flat vector, and all their gradients in another; the arrays
of the layers are views into them, so that an optimizer's step is a few operations.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from labkit import activations, layers, losses, metrics, optimizers
from labkit._batches import Array, Batches
from labkit.callbacks import Callback, History
from labkit.layers import Layer
from labkit.layers.layer import Shape
from labkit.losses import Loss
from labkit.metrics import Mean, Metric
from labkit.optimizers import Optimizer
from labkit.utils import Progbar

__all__ = ["Sequential"]


class Sequential(Layer):
    """A chain of layers, each working on the output of the one before.

    Args:
        layers: The layers; an `Input` first lets the model be built at once.
        trainable: Whether training changes the weights.
        name: Shown by `summary`.
    """

    def __init__(
        self,
        layers: Iterable[Layer] | None = None,
        trainable: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(trainable=trainable, name=name)
        self.layers: list[Layer] = []
        self.input_shape: Shape | None = None
        self.optimizer: Optimizer | None = None
        self.loss: Loss | None = None
        self._metrics: list[str | Metric] = []
        self._weighted: list[str | Metric] = []
        self._loss_mean = Mean("loss")
        self._flat: tuple[list[Array], list[Array]] | None = None
        for layer in layers or ():
            self.add(layer)

    def add(self, layer: Layer) -> None:
        """Append a layer.

        Raises:
            TypeError: If it is not a layer.
            ValueError: If it is an `Input` and not the first.
        """
        if not isinstance(layer, Layer):
            raise TypeError(f"Sequential.add expects a layer. Received: {layer!r}")
        if isinstance(layer, layers.Input):
            if self.layers or self.input_shape:
                raise ValueError("An Input can only be the first layer of a model.")
            self.input_shape = layer.shape
            return
        self.layers.append(layer)
        self.built = False
        self._flat = None
        if self.input_shape:
            self.build(self.input_shape)

    def build(self, input_shape: Shape) -> None:
        """Make the weights of all layers for inputs ``(batch or None, ...)``."""
        self.input_shape = shape = (None, *input_shape[1:])
        for layer in self.layers:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the last layer's output."""
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    @property
    def output_shape(self) -> Shape:
        """Shape of the output, ``(None, ...)``."""
        return self.compute_output_shape(self._built_shape())

    def call(self, x: Array, training: bool = False) -> Array:
        """Return the last layer's output."""
        for layer in self.layers:
            x = layer(x, training)
        return x

    def backward(self, dy: Array) -> Array | None:
        """Fill all gradients; return the gradient of the input."""
        self.layers[0].needs_input_gradient = self.needs_input_gradient
        dx: Array | None = dy
        for layer in reversed(self.layers):
            dx = layer.backward(dx)  # type: ignore[arg-type]  # None only at the first layer
        return dx

    def compile(
        self,
        optimizer: str | Optimizer = "rmsprop",
        loss: str | Loss | None = None,
        *,
        metrics: Sequence[Any] | None = None,
        weighted_metrics: Sequence[Any] | None = None,
    ) -> None:
        """Say how to train.

        Args:
            optimizer: An optimizer or its name.
            loss: A loss or its name.
            metrics: Metrics, names or functions, computed without sample weights.
            weighted_metrics: The same, computed with sample weights.
        """
        self.optimizer = optimizers.get(optimizer)
        self.loss = None if loss is None else losses.get(loss)
        self._metrics = [_metric(m) for m in metrics or ()]
        self._weighted = [_metric(m) for m in weighted_metrics or ()]
        self._flat = None

    @property
    def metrics(self) -> list[Metric]:
        """The mean loss, and the compiled metrics as far as they are known."""
        known = [m for m in (*self._metrics, *self._weighted) if isinstance(m, Metric)]
        return [self._loss_mean, *known]

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Sequence[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
    ) -> History:
        """Train for a number of epochs.

        Args:
            x: Inputs, ``(samples, ...)``, or an iterable of ``(x, y)`` or
                ``(x, y, sample_weight)`` batches.
            y: Targets, ``(samples, ...)``.
            batch_size: Rows per step; 32 by default.
            epochs: Number of the last epoch (see ``initial_epoch``).
            verbose: 0: silent. 1 or ``"auto"``: a progress bar. 2: a line per epoch.
            callbacks: Called as training goes on.
            validation_split: This share of the samples, taken from the end before any
                shuffling, is not trained on but evaluated after each epoch.
            validation_data: ``(x, y)`` or ``(x, y, sample_weight)``, or an iterable of
                batches, to evaluate after each epoch.
            shuffle: Whether the samples get a new order in each epoch.
            class_weight: Weight of each integer label; 1 for a label that is not in it.
            sample_weight: Weight of each sample in the loss.
            initial_epoch: Number of the first epoch.
            steps_per_epoch: Batches per epoch; needed for an endless iterable.
            validation_steps: The same for the validation.
            validation_batch_size: Rows per validation batch.

        Returns:
            The results of each epoch.

        Raises:
            RuntimeError: If the model has not been compiled.
            TypeError: If something is not an array of numbers.
            ValueError: If the data do not fit each other or the model, or are not finite.
        """
        optimizer, _ = self._compiled()
        if validation_split and validation_data is None:
            x, y, sample_weight, validation_data = _split(
                x, y, sample_weight, validation_split
            )
        batches = Batches(
            x,
            y,
            sample_weight,
            batch_size=batch_size,
            shuffle=shuffle,
            steps=steps_per_epoch,
            class_weight=class_weight,
        )
        held_out = None
        if validation_data is not None:
            data = (
                validation_data
                if isinstance(validation_data, tuple)
                else (validation_data,)
            )
            size = None if len(data) == 1 else validation_batch_size or batch_size
            held_out = Batches(*data, batch_size=size, steps=validation_steps)
        verbose = 1 if verbose == "auto" else int(verbose)
        history = History()
        called = [*(callbacks or ()), history]
        for callback in called:
            callback.set_model(self)
            callback.set_params(
                {"epochs": epochs, "steps": batches.steps, "verbose": verbose}
            )
        self.stop_training = False
        for callback in called:
            callback.on_train_begin()
        logs: dict[str, Any] = {}
        for epoch in range(initial_epoch, epochs):
            for callback in called:
                callback.on_epoch_begin(epoch)
            if verbose:
                print(f"Epoch {epoch + 1}/{epochs}")
            bar = Progbar(batches.steps, verbose=verbose)
            self.reset_metrics()
            step = -1
            for step, batch in enumerate(batches):
                for callback in called:
                    callback.on_train_batch_begin(step)
                self._train_step(*batch)
                logs = self._results()
                for callback in called:
                    callback.on_train_batch_end(step, logs)
                bar.update(step + 1, logs)
                if self.stop_training:
                    break
            if held_out is not None:
                logs.update({f"val_{k}": v for k, v in self._test(held_out).items()})
            bar.update(step + 1, logs, finalize=True)
            for callback in called:
                callback.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        for callback in called:
            callback.on_train_end(logs)
        return history

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        *,
        return_dict: bool = False,
    ) -> Any:
        """Return the loss and metrics on data, without training.

        Args:
            x: As in `fit`.
            y: As in `fit`.
            batch_size: Rows per batch; 32 by default.
            verbose: As in `fit`.
            sample_weight: As in `fit`.
            steps: Number of batches; ``None`` for all.
            return_dict: Whether to return the results by name.

        Returns:
            The loss; with metrics a list that begins with the loss; or a dict.

        Raises:
            RuntimeError: If the model has not been compiled.
            TypeError: If something is not an array of numbers.
            ValueError: If the data do not fit each other or the model.
        """
        self._compiled()
        batches = Batches(x, y, sample_weight, batch_size=batch_size, steps=steps)
        bar = Progbar(batches.steps, verbose=1 if verbose == "auto" else int(verbose))
        results = self._test(batches, bar)
        return results if return_dict else self._in_order(results)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
    ) -> Array:
        """Return the outputs for ``x``, computed batch by batch.

        Args:
            x: Inputs, ``(samples, ...)``, or an iterable of batches.
            batch_size: Rows per batch; 32 by default.
            verbose: As in `fit`.
            steps: Number of batches; ``None`` for all.

        Returns:
            ``(samples, ...)``.
        """
        batches = Batches(x, batch_size=batch_size, steps=steps)
        bar = Progbar(batches.steps, verbose=1 if verbose == "auto" else int(verbose))
        outputs = []
        for inputs, _, _ in batches:
            outputs.append(self(inputs))
            bar.update(len(outputs))
        bar.update(len(outputs), finalize=True)
        return np.concatenate(outputs)

    def train_on_batch(
        self,
        x: ArrayLike,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Do one training step, and return the loss and metrics so far, as `evaluate` does."""
        self._compiled()
        rows = len(np.asarray(x))
        for batch in Batches(
            x, y, sample_weight, batch_size=rows, class_weight=class_weight
        ):
            self._train_step(*batch)
        results = self._results()
        return results if return_dict else self._in_order(results)

    def reset_metrics(self) -> None:
        """Begin to gather the loss and metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    def _train_step(self, x: Array, y: Array | None, weight: Array | None) -> None:
        """Forward, backward, update."""
        optimizer, loss = self._compiled()
        with _Logits(self.layers[-1], loss) as (last, loss):
            z = self(x, training=True)
            value, slope = loss.value_and_gradient(y, z, weight)
            self.needs_input_gradient = False
            try:
                self.backward(slope)
            finally:
                self.needs_input_gradient = True
            y_pred = last(z)
        if self._flat is None:
            self._flat = self._flatten()
        self._add(x, y, y_pred, weight, value)
        optimizer.apply(*self._flat)

    def _test(self, batches: Batches, bar: Progbar | None = None) -> dict[str, Any]:
        _, loss = self._compiled()
        self.reset_metrics()
        step = 0
        for step, (x, y, weight) in enumerate(batches, start=1):
            with _Logits(self.layers[-1], loss) as (last, logit_loss):
                z = self(x)
                value = logit_loss(y, z, weight)  # type: ignore[arg-type]  # checked there
                y_pred = last(z)
            self._add(x, y, y_pred, weight, value)
            if bar:
                bar.update(step, self._results())
        results = self._results()
        if bar:
            bar.update(step, results, finalize=True)
        return results

    def _add(
        self, x: Array, y: Any, y_pred: Array, weight: Array | None, loss: float
    ) -> None:
        """Add a batch to the mean loss and the metrics."""
        self._loss_mean.update_state([loss + sum(self.losses)], [len(x)])
        for gathered, w in ((self._metrics, None), (self._weighted, weight)):
            for i, metric in enumerate(gathered):
                if isinstance(metric, str):
                    metric = gathered[i] = metrics.accuracy_for(y, y_pred)
                metric.update_state(y, y_pred, w)

    def _results(self) -> dict[str, Any]:
        return {metric.name: metric.result() for metric in self.metrics}

    def _in_order(self, results: dict[str, Any]) -> Any:
        values = list(results.values())
        return values if len(values) > 1 else values[0]

    def _compiled(self) -> tuple[Optimizer, Loss]:
        if self.optimizer is None or self.loss is None:
            raise RuntimeError(
                "Call compile(optimizer, loss) before training or evaluating."
            )
        return self.optimizer, self.loss

    def _built_shape(self) -> Shape:
        if not self.built or self.input_shape is None:
            raise ValueError(
                "The model is not built. Call build(input_shape), or begin with Input."
            )
        return self.input_shape

    def _flatten(self) -> tuple[list[Array], list[Array]]:
        """Rebind all trainable weights and gradients to views of two flat vectors."""
        entries = [
            (layer, name)
            for layer in self.flatten_layers()
            if layer.trainable
            for name in layer.gradients
        ]
        size = sum(layer.gradients[name].size for layer, name in entries)
        dtype = np.result_type(*(layer.gradients[name].dtype for layer, name in entries))
        weights, gradients = np.empty(size, dtype), np.empty(size, dtype)
        start = 0
        views: tuple[list[Array], list[Array]] = ([], [])
        for layer, name in entries:
            shape = layer.gradients[name].shape
            stop = start + layer.gradients[name].size
            w, g = weights[start:stop].reshape(shape), gradients[start:stop].reshape(shape)
            layer.bind(name, w, g)
            views[0].append(g)
            views[1].append(w)
            start = stop
        optimizer, _ = self._compiled()
        per_array = optimizer.clipnorm is not None
        return views if per_array else ([gradients], [weights])

    def summary(self) -> None:
        """Print the layers, their output shapes and numbers of weights."""
        shape = self._built_shape()
        rows = [("Layer (type)", "Output shape", "Param #")]
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
            label = f"{layer.name} ({type(layer).__name__})"
            rows.append((label, str(shape), f"{layer.count_params():,}"))
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        print(f'Model: "{self.name}"')
        for i, (label, out, count) in enumerate(rows):
            print(f"{label:<{widths[0]}}  {out:<{widths[1]}}  {count:>{widths[2]}}")
            if i == 0:
                print("─" * (sum(widths) + 4))
        trainable = sum(w.size for w in self.trainable_weights)
        total = self.count_params()
        print(f"Total params: {total:,}")
        print(f"Trainable params: {trainable:,}")
        print(f"Non-trainable params: {total - trainable:,}")


class _Logits:
    """While it lasts, the last layer yields what its softmax or sigmoid would work on.

    Cross-entropies have a simple and safe gradient there: ``softmax(z) - y``. Keras on
    TensorFlow does the same behind the scenes.
    """

    def __init__(self, layer: Layer, loss: Loss) -> None:
        self.layer, self.loss = layer, loss
        self.activation = getattr(layer, "activation", None)
        name = loss.logits_of
        self.applies = (
            name is not None
            and self.activation is getattr(activations, name)
            and isinstance(layer, layers.Dense | layers.Activation)
            and layer.activity_regularizer is None
            and not getattr(loss, "from_logits", False)
        )

    def __enter__(self) -> tuple[Any, Loss]:
        if not self.applies:
            return activations.linear, self.loss
        self.layer.activation = activations.linear  # type: ignore[attr-defined]
        return self.activation, self.loss.with_logits()

    def __exit__(self, *_: object) -> None:
        if self.applies:
            self.layer.activation = self.activation  # type: ignore[attr-defined]


def _metric(identifier: Any) -> str | Metric:
    """Return a metric, or ``"accuracy"``, whose meaning depends on the data."""
    if identifier in ("accuracy", "acc"):
        return "accuracy"
    return metrics.get(identifier)


def _split(x: Any, y: Any, weight: Any, share: float) -> tuple[Any, Any, Any, Any]:
    """Cut the last ``share`` of the samples off, for validation."""
    if not 0 < share < 1 or not hasattr(x, "__len__"):
        raise ValueError(
            "validation_split must lie between 0 and 1, and needs arrays. "
            f"Received: validation_split={share}, x of type {type(x).__name__}"
        )
    at = int(len(x) * (1 - share))
    if not 0 < at < len(x):
        raise ValueError(
            f"validation_split={share} leaves no samples on one side of {len(x)}."
        )
    parts = [(None, None) if a is None else (a[:at], a[at:]) for a in (x, y, weight)]
    (x, val_x), (y, val_y), (weight, val_weight) = parts
    return x, y, weight, (val_x, val_y, val_weight)
