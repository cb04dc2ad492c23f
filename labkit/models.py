"""Sequential: a chain of layers, and how it is trained."""

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from labkit import activations, layers, losses, optimizers
from labkit._batches import Batches, refuse_nan, split
from labkit._flat import FlatWeights
from labkit._typing import Array, Shape
from labkit.callbacks import Callback, History, tell
from labkit.layers import Layer
from labkit.layers.chain import Chain
from labkit.losses import Loss, numbers
from labkit.metrics import Mean, Metric
from labkit.metrics import get as get_metric
from labkit.optimizers import Optimizer
from labkit.utils import Progbar

__all__ = ["Sequential"]


class Sequential(Chain):
    """A chain of layers, each working on the output of the one before.

    Args:
        layers: The layers; with an `Input` first the model is built at once.
        trainable: Whether training changes the weights.
        name: Shown by `summary`.

    Attributes:
        layers: The layers, without the `Input`.
        optimizer: As given to `compile`, as is `loss`.
        stop_training: A callback sets it to end the training.
    """

    def __init__(
        self, layers: Iterable[Layer] | None = None, trainable: bool = True, name: str | None = None
    ) -> None:
        super().__init__((), trainable=trainable, name=name)
        self.optimizer: Any = None
        self.stop_training = False
        self._shape: Shape | None = None
        self.loss: Any = None
        self._logit_loss: Any = None
        self._mean_loss = Mean("loss")
        self._mean_loss.direction = "down"
        self._metrics: list[Metric] = []
        self._weighted_metrics: list[Metric] = []
        self._flat: FlatWeights | None = None
        self._penalized = False
        for layer in layers or ():
            self.add(layer)

    def add(self, layer: Layer) -> None:
        """Append a layer.

        Raises:
            TypeError: It is not a layer.
            ValueError: It is an `Input`, and not the first.
        """
        if not isinstance(layer, Layer):
            raise TypeError(f"Sequential.add expects a layer. Received: {layer!r}")
        if isinstance(layer, layers.Input):
            if self.layers or self._shape:
                raise ValueError("An Input can only be the first layer of a model.")
            self._shape = layer.shape
            return
        self.layers.append(layer)
        self.built = False
        if self._shape:
            self.build(self._shape)

    def build(self, input_shape: Shape) -> None:
        """Make the weights of all layers, for inputs `(batch or None, ...)`."""
        self._shape = (None, *input_shape[1:])
        super().build(self._shape)
        parts = list(self.flatten_layers())
        self._penalized = any(p.activity_regularizer or p._regularizers for p in parts)

    @property
    def input_shape(self) -> Shape:
        """Shape of the input, `(None, ...)`."""
        if not self._shape:
            raise ValueError(f"{self.name} has no shape yet: begin with Input, or build it.")
        return self._shape

    @property
    def output_shape(self) -> Shape:
        """Shape of the output, `(None, ...)`."""
        return self.compute_output_shape(self.input_shape)

    @property
    def metrics(self) -> list[Metric]:
        """The mean loss and the compiled metrics."""
        return [self._mean_loss, *self._metrics, *self._weighted_metrics]

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
            metrics: Metrics, names or functions; sample weights do not count for them.
            weighted_metrics: The same; sample weights count.

        Raises:
            ValueError: A name is unknown.
        """
        self.optimizer = optimizers.get(optimizer)
        self.loss = None if loss is None else losses.get(loss)
        if self.loss and self.loss.logits_of:
            self._logit_loss = replace(self.loss, from_logits=True)
        self._metrics = [get_metric(m) for m in metrics or ()]
        self._weighted_metrics = [get_metric(m) for m in weighted_metrics or ()]
        self._flat = None

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
            x: Inputs, `(samples, ...)`, or an iterable of `(x, y)` or
                `(x, y, sample_weight)` batches.
            y: Targets, `(samples, ...)`.
            batch_size: Rows per step; 32 by default.
            epochs: Number of the last epoch.
            verbose: 0: silent. 1 or `"auto"`: a bar that moves. 2: a line per epoch.
            callbacks: Told what happens.
            validation_split: This share of the samples, the last ones, is not trained on
                but evaluated after each epoch.
            validation_data: `(x, y)`, `(x, y, sample_weight)` or an iterable of batches, to
                evaluate after each epoch.
            shuffle: Whether arrays get a new order in each epoch.
            class_weight: Weight of each integer label in the loss; 1 if it is not named.
            sample_weight: Weight of each sample in the loss.
            initial_epoch: Number of epochs done before.
            steps_per_epoch: Batches in an epoch; needed for an endless iterable.
            validation_steps: The same for the validation.
            validation_batch_size: Rows per validation batch.

        Returns:
            The results of each epoch.

        Raises:
            RuntimeError: The model is not compiled.
            TypeError: Something is not an array of numbers.
            ValueError: The data do not fit each other or the model, or hold NaN.
        """
        self._check_compiled()
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split((x, y, sample_weight), validation_split)
        train = Batches(
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
            pair = isinstance(validation_data, tuple | list)
            data = validation_data if pair else (validation_data,)
            size = None if len(data) == 1 else validation_batch_size or batch_size
            held_out = Batches(*data, batch_size=size, steps=validation_steps)
        history, logs = History(), dict[str, Any]()
        told = [*(callbacks or ()), history]
        for callback in told:
            callback.model = self
            callback.params = {"epochs": epochs, "steps": train.steps, "verbose": verbose}
        self.stop_training = False
        tell(told, "on_train_begin", None)
        for epoch in range(initial_epoch, epochs):
            self.reset_metrics()
            tell(told, "on_epoch_begin", epoch, None)
            if verbose:
                print(f"Epoch {epoch + 1}/{epochs}")
            bar = Progbar(train.steps, verbose=verbose)
            for step, batch in enumerate(train):
                tell(told, "on_train_batch_begin", step, None)
                self._train_step(*batch)
                logs = self._results()
                tell(told, "on_train_batch_end", step, logs)
                bar.update(step + 1, logs, finalize=False)
                if self.stop_training:
                    break
            if held_out is not None:
                logs |= {f"val_{name}": value for name, value in self._test(held_out).items()}
            tell(told, "on_epoch_end", epoch, logs)
            bar.update(step + 1, logs, finalize=True)
            if self.stop_training:
                break
        tell(told, "on_train_end", logs)
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
        """Return the loss and the metrics of data, without training.

        Args:
            x: As in `fit`.
            y: As in `fit`.
            batch_size: Rows per batch; 32 by default.
            verbose: As in `fit`.
            sample_weight: As in `fit`.
            steps: Number of batches; `None` for all.
            return_dict: Whether to return the results by name.

        Returns:
            The loss; with metrics a list that begins with the loss; or a dict.

        Raises:
            RuntimeError: The model is not compiled.
            TypeError: Something is not an array of numbers.
            ValueError: The data do not fit each other or the model, or hold NaN.
        """
        self._check_compiled()
        batches = Batches(x, y, sample_weight, batch_size=batch_size, steps=steps)
        return self._told(self._test(batches, Progbar(batches.steps, verbose=verbose)), return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
    ) -> Array:
        """Return the outputs for `x`, computed batch by batch.

        Args:
            x: Inputs, `(samples, ...)`, or an iterable of batches.
            batch_size: Rows per batch; 32 by default.
            verbose: As in `fit`.
            steps: Number of batches; `None` for all.

        Returns:
            `(samples, ...)`.

        Raises:
            TypeError: `x` is not an array of numbers.
            ValueError: `x` does not fit the model, or holds NaN.
        """
        batches = Batches(x, batch_size=batch_size, steps=steps)
        bar = Progbar(batches.steps, verbose=verbose)
        outputs: list[Array] = []
        for inputs, *_ in batches:
            outputs.append(self(inputs))
            if np.isnan(outputs[-1].sum()):
                refuse_nan(x=inputs)
            bar.update(len(outputs), finalize=False)
        bar.update(len(outputs), finalize=True)
        return np.concatenate(outputs)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Do one training step, and return what `evaluate` would have returned before it.

        Args:
            x: As in `fit`.
            y: As in `fit`.
            sample_weight: As in `fit`.
            class_weight: As in `fit`.
            return_dict: As in `evaluate`.
        """
        self._check_compiled()
        self.reset_metrics()
        rows = max(1, len(x)) if hasattr(x, "__len__") else 1
        for batch in Batches(x, y, sample_weight, batch_size=rows, class_weight=class_weight):
            self._train_step(*batch)
        return self._told(self._results(), return_dict)

    def reset_metrics(self) -> None:
        """Begin to gather the loss and the metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Save all weights; a file of that name is replaced only by a complete one.

        Args:
            filepath: Ends in `.npz`, or in `.weights.h5` for a file that Keras reads, too
                (needs the extra `labkit[weights]`).
            overwrite: Whether a file of that name may be replaced.

        Raises:
            FileExistsError: It may not.
            ValueError: The model is not built, or the name has another ending.
        """
        from labkit import _weights  # here, as its imports take long

        _weights.save(self, filepath, overwrite)

    def load_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Load all weights; if that fails, the model stays as it was.

        Args:
            filepath: A file that `save_weights` wrote, here or (`.weights.h5`) in Keras.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The model is not built, the file is damaged, or it holds other
                layers or shapes.
        """
        from labkit import _weights

        _weights.load(self, filepath)

    def summary(self) -> None:
        """Print the layers, the shapes of their outputs, and how many weights they have."""
        shape, rows = self.input_shape, [("Layer (type)", "Output shape", "Params")]
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
            kind = f"{layer.name} ({type(layer).__name__})"
            rows.append((kind, str(shape), f"{layer.count_params():,}"))
        left, middle, right = (max(map(len, column)) for column in zip(*rows, strict=True))
        lines = [f"{a:<{left}}  {b:<{middle}}  {c:>{right}}" for a, b, c in rows]
        trained = sum(weight.size for weight in self.trainable_weights)
        print(f'Model: "{self.name}"', lines[0], "─" * len(lines[0]), *lines[1:], sep="\n")
        print(f"Total params: {self.count_params():,} (trainable: {trained:,})")

    def _checked(self, x: Any) -> Array:
        """Return `x` with the rank of the model's input, as Keras does."""
        x, shape = numbers("x", x), self._shape
        if shape and x.ndim == len(shape) - 1 and shape[-1] == 1:
            x = x[..., None]
        elif shape and x.ndim == len(shape) + 1 and x.shape[-1] == 1:
            x = x[..., 0]
        sizes = zip(x.shape[1:], (shape or x.shape)[1:], strict=False)
        if shape and (x.ndim != len(shape) or any(s not in (None, n) for n, s in sizes)):
            raise ValueError(f"{self.name} expects {shape}. Received: x.shape={x.shape}")
        return np.asarray(x)

    def _train_step(self, x: Array, y: Any, weight: Any) -> None:
        """Go forward and backward, then update."""
        x = self._checked(x)
        self.build(x.shape)
        if self._flat is None or not self._flat.hold():
            self._flat = FlatWeights(self)
        with self._until_logits() as (loss, activation):
            z = self(x, training=True)
            value, slope = loss.value_and_gradient(y, z, weight)
            self._add(x, y, z, activation, weight, value)
            self.backward(np.asarray(slope))
        by_array = self.optimizer.clipnorm is not None
        self.optimizer.apply(*(self._flat.arrays if by_array else self._flat.vectors))

    def _test(self, batches: Batches, bar: Progbar | None = None) -> dict[str, Any]:
        """Return the loss and the metrics of some batches."""
        self.reset_metrics()
        step, bar = 0, bar or Progbar(None, verbose=0)
        x: Any
        y: Any
        for step, (x, y, weight) in enumerate(batches, start=1):
            with self._until_logits() as (loss, activation):
                z = self(x)
                self._add(x, y, z, activation, weight, loss(y, z, weight))
            bar.update(step, self._results(), finalize=False)
        bar.update(step, self._results(), finalize=True)
        return self._results()

    def _add(self, x: Array, y: Any, z: Array, activation: Any, weight: Any, loss: float) -> None:
        """Add a batch to the mean loss and the metrics."""
        if np.isnan(loss):
            refuse_nan(x=x, y=y, sample_weight=weight)
        penalty = sum(self.losses) if self._penalized else 0.0
        self._mean_loss.update_state(loss + penalty, len(x))
        y_pred = activation(z) if self._metrics or self._weighted_metrics else z
        for compiled, w in ((self._metrics, None), (self._weighted_metrics, weight)):
            for metric in compiled:
                metric.update_state(y, y_pred, w)

    def _results(self) -> dict[str, Any]:
        """Return all results, by name as Keras orders them."""
        return dict(sorted((metric.name, metric.result()) for metric in self.metrics))

    def _told(self, results: dict[str, Any], return_dict: bool) -> Any:
        values = [results[metric.name] for metric in self.metrics]
        return results if return_dict else values if len(values) > 1 else values[0]

    def _check_compiled(self) -> None:
        if self.optimizer is None or self.loss is None:
            raise RuntimeError("Call compile(optimizer, loss) before training or evaluating.")

    @contextmanager
    def _until_logits(self) -> Iterator[tuple[Loss, Any]]:
        """Let the last layer stop before a softmax or sigmoid that the loss can take over.

        The gradient of a cross-entropy there is `softmax(z) - y`, exact and never divided
        by zero; Keras on TensorFlow does the same behind the scenes. Yields the loss to use
        and the activation that is left to do.
        """
        last: Any = self.layers[-1]
        loss: Any = self.loss
        left: Any = activations.linear
        activation = getattr(last, "activation", None)
        usual = isinstance(last, layers.Dense | layers.Activation)
        taken = usual and loss.logits_of and activation is getattr(activations, loss.logits_of)
        if taken and loss.from_logits:
            text = f"{loss.name} got from_logits=True, but {last.name} ends in {loss.logits_of}"
            warnings.warn(f"{text}: what went into it is taken as the logits.", stacklevel=5)
        try:
            self.needs_input_gradient = False
            if taken and last.activity_regularizer is None:
                last.activation, left, loss = left, activation, self._logit_loss
            yield loss, left
        finally:
            self.needs_input_gradient = True
            if usual:
                last.activation = activation
