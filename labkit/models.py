"""Sequential: a chain of layers, and how it is trained."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from labkit import activations, losses, optimizers, utils
from labkit._batches import Batch, Batches, checked, refuse_nan, split, weighted_by_class
from labkit._common import Array, Shape, expect, numbers
from labkit.callbacks import Callback, History, tell
from labkit.layers import Activation, Dense, Input, Layer
from labkit.layers.layer import Chain
from labkit.metrics import Mean, Metric
from labkit.metrics import get as get_metric

__all__ = ["Sequential"]


class Sequential(Chain):
    """A chain of layers, each working on the output of the one before.

    Args:
        layers: The layers; with an `Input` first the model is built at once.
        **kwargs: `trainable` and `name`, as in `Layer`.

    Attributes:
        layers: The layers, without the `Input`.
        optimizer: As given to `compile`, as is `loss`.
        metrics: The mean loss, then the metrics given to `compile`.
        stop_training: A callback sets it to stop training.

    Raises:
        TypeError: Something in `layers` is not a layer.
        ValueError: An `Input` is not the first, or the layers' shapes do not fit.
    """

    def __init__(self, layers: Iterable[Layer] | None = None, **kwargs: Any) -> None:
        super().__init__((), **kwargs)
        self.loss: Any = None
        self._shape: Any = None
        self._vectors: Array | None = None
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
        if isinstance(layer, Input):
            expect(not (self.layers or self._shape), "An Input can only be the first layer", layer)
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
        parts = self.flatten_layers()
        self._penalized = any(p.activity_regularizer or p._regularizers for p in parts)

    def summary(self) -> None:
        """Print the layers, the shapes of their outputs, and how many weights they have.

        Raises:
            ValueError: The model is not built.
        """
        params, trained = self.count_params(), sum(w.size for w in self.trainable_weights)
        shape, row = self._shape, "{:<34}  {:<22}  {:>10}".format
        header = row("Layer (type)", "Output shape", "Params")
        print(f'Model: "{self.name}"', header, "─" * len(header), sep="\n")
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
            kind = f"{layer.name} ({type(layer).__name__})"
            print(row(kind, str(shape), f"{layer.count_params():,}"))
        print(f"Total params: {params:,} (trainable: {trained:,})")

    def compile(
        self,
        optimizer: str | optimizers.Optimizer = "rmsprop",
        loss: str | losses.Loss | None = None,
        *,
        metrics: Sequence[Any] | None = None,
    ) -> None:
        """Configure training.

        Args:
            optimizer: An optimizer or its name.
            loss: A loss or its name.
            metrics: Metrics or their names; sample weights do not apply to them.

        Raises:
            ValueError: A name is unknown.
        """
        self.optimizer = optimizers.get(optimizer)
        self.loss = None if loss is None else losses.get(loss)
        self.metrics: list[Metric] = [Mean(name="loss"), *map(get_metric, metrics or ())]
        self._vectors = None

    def fit(  # noqa: C901, PLR0913  # Keras's arguments, and the loop that they steer
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
        *,
        steps_per_epoch: int | None = None,
    ) -> History:
        """Train for a number of epochs.

        Args:
            x: Inputs, `(samples, ...)`, or an iterable of `(x, y)` or
                `(x, y, sample_weight)` batches.
            y: Targets, `(samples, ...)`.
            batch_size: Rows per step; 32 by default.
            epochs: Number of passes through the data.
            verbose: 0: silent. 1 or `"auto"`: a progress bar. 2: a line per epoch.
            callbacks: Called during training.
            validation_split: This share of the samples, the last ones, is not trained on
                but evaluated after each epoch.
            validation_data: `(x, y)`, `(x, y, sample_weight)` or an iterable of batches, to
                evaluate after each epoch.
            shuffle: Whether to shuffle arrays anew in each epoch.
            class_weight: Weight of each class in the loss, by its integer label; 1 for
                labels that are not listed.
            sample_weight: Weight of each sample in the loss.
            steps_per_epoch: Batches in an epoch; needed for an endless iterable.

        Returns:
            The results of each epoch.

        Raises:
            RuntimeError: The model is not compiled.
            TypeError: Something is not an array of numbers.
            ValueError: The data do not fit each other or the model, or hold NaN.
        """
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split((x, y, sample_weight), validation_split)
        train = Batches(x, y, sample_weight, batch_size, shuffle, steps_per_epoch)
        held_out = None
        if isinstance(validation_data, tuple | list):
            held_out = Batches(*validation_data, batch_size=batch_size)  # type: ignore[misc]
        elif validation_data is not None:
            held_out = Batches(validation_data)
        history, logs = History(), dict[str, Any]()
        told = [*(callbacks or ()), history]
        for callback in told:
            callback.model = self
            callback.params = {"epochs": epochs, "steps": train.steps, "verbose": verbose}
        self.stop_training = False
        tell(told, "on_train_begin", None)
        for epoch in range(epochs):
            self.reset_metrics()
            tell(told, "on_epoch_begin", epoch, None)
            if verbose:
                print(f"Epoch {epoch + 1}/{epochs}")
            bar = utils.Progbar(train.steps, verbose=verbose)
            for step, batch in enumerate(train):
                tell(told, "on_train_batch_begin", step, None)
                batch = weighted_by_class(batch, class_weight) if class_weight else batch
                self._step(batch, training=True)
                if verbose or callbacks:
                    logs = self._results()
                    tell(told, "on_train_batch_end", step, logs)
                    bar.update(step + 1, logs, finalize=False)
                if self.stop_training:
                    break
            logs = self._results()
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
    ) -> Any:
        """Return the loss and the metrics on some data, without training.

        Args:
            x: As in `fit`.
            y: As in `fit`.
            batch_size: Rows per batch; 32 by default.
            verbose: As in `fit`.
            sample_weight: As in `fit`.

        Returns:
            The loss; with metrics, a list that starts with the loss.

        Raises:
            RuntimeError: The model is not compiled.
            TypeError: Something is not an array of numbers.
            ValueError: The data do not fit each other or the model, or hold NaN.
        """
        self._test(Batches(x, y, sample_weight, batch_size), verbose)
        return self._values()

    def predict(self, x: Any, batch_size: int | None = None, verbose: str | int = "auto") -> Array:
        """Return the outputs for `x`, computed batch by batch.

        Args:
            x: Inputs, `(samples, ...)`, or an iterable of batches.
            batch_size: Rows per batch; 32 by default.
            verbose: As in `fit`.

        Returns:
            `(samples, ...)`.

        Raises:
            TypeError: `x` is not an array of numbers.
            ValueError: `x` does not fit the model, or holds NaN.
        """
        outputs: list[Array] = []
        for inputs, *_ in _shown(Batches(x, batch_size=batch_size), verbose, dict):
            outputs.append(self(inputs))
            if np.isnan(outputs[-1].sum()):
                refuse_nan(x=inputs)
        return np.concatenate(outputs)

    def train_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Do one training step, and return what `evaluate` would have returned before it.

        Args:
            x: Inputs, `(batch, ...)`.
            y: Targets, `(batch, ...)`.
            sample_weight: Weight of each sample in the loss.

        Raises:
            RuntimeError: The model is not compiled.
            TypeError: Something is not an array of numbers.
            ValueError: The data do not fit each other or the model, or hold NaN.
        """
        self.reset_metrics()
        self._step(checked(x, y, sample_weight), training=True)
        return self._values()

    def reset_metrics(self) -> None:
        """Reset the loss and the metrics.

        Raises:
            RuntimeError: The model is not compiled.
        """
        if self.loss is None:
            raise RuntimeError("Call compile(optimizer, loss) before training or evaluating.")
        for metric in self.metrics:
            metric.reset_state()

    def save_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Save all weights; a file of that name is replaced, but only by a complete one.

        Args:
            filepath: Ends in `.npz`, or in `.weights.h5` for a file that Keras reads, too
                (needs the extra `labkit[weights]`).

        Raises:
            ValueError: The model is not built, or the name has another ending.
        """
        from labkit import _weights  # here, as its imports take long

        _weights.save(self, filepath)

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

    def _checked(self, x: Any) -> Array:
        """Return `x` with the rank of the model's input, as Keras does."""
        array = numbers("x", x)
        shape = self._shape or array.shape
        if array.ndim == len(shape) - 1 and shape[-1] == 1:
            array = array[..., None]
        elif array.ndim == len(shape) + 1 and array.shape[-1] == 1:
            array = array[..., 0]
        sizes = zip(array.shape[1:], shape[1:], strict=False)
        if array.ndim != len(shape) or any(size not in (None, n) for n, size in sizes):
            raise ValueError(f"{self.name} expects {shape}. Received: x.shape={array.shape}")
        return array

    def _step(self, batch: Batch, training: bool) -> None:
        """Add a batch to the mean loss and the metrics; in training, update the weights."""
        x, y, weight = batch
        with self._until_logits() as activation:
            z = self(x, training)
            loss, slope = self.loss.value_and_gradient(y, z, weight)
            if np.isnan(loss).any():
                refuse_nan(x=x, y=y, sample_weight=weight)
            mean_loss, *compiled = self.metrics
            mean_loss.update_state(loss + sum(self.losses) if self._penalized else loss, len(x))
            y_pred = activation(z) if compiled else z
            for metric in compiled:
                metric.update_state(y, y_pred)
            if training:
                self.backward(slope)
                self._update()

    def _update(self) -> None:
        """Let the optimizer do a step, on the flat vectors unless it has to tell arrays apart."""
        vectors = self._vectors
        if vectors is None or any(p._weights[name].base is not vectors for p, name in self._slots):
            vectors = self._flatten()  # first, and whenever another model has taken a layer
        if vectors is not None and self.optimizer.clipnorm is None:
            self.optimizer.apply([vectors[1]], [vectors[0]])
        else:
            gradients = [part.gradients[name] for part, name in self._slots]
            self.optimizer.apply(gradients, [part._weights[name] for part, name in self._slots])

    def _flatten(self) -> Array | None:
        """Make the trainable weights views of one vector, and their gradients of another.

        An optimizer then updates them in a few long operations instead of many short ones.
        Weights of different dtypes stay apart.
        """
        self._vectors = None
        parts = [part for part in self.flatten_layers() if part.trainable]
        self._slots = [(part, name) for part in parts for name in part.gradients]
        old = [part.gradients[name] for part, name in self._slots]
        if len({gradient.dtype for gradient in old}) == 1:
            ends = np.cumsum([gradient.size for gradient in old])
            self._vectors = np.empty((2, ends[-1]), old[0].dtype)  # weights and gradients
            views = np.split(self._vectors, ends[:-1], axis=1)
            for (part, name), gradient, view in zip(self._slots, old, views, strict=True):
                part.bind(name, *view.reshape(2, *gradient.shape))
        return self._vectors

    def _test(self, batches: Batches, verbose: str | int = 0) -> dict[str, Any]:
        """Return the loss and the metrics of some batches."""
        self.reset_metrics()
        for batch in _shown(batches, verbose, self._results):
            self._step(batch, training=False)
        return self._results()

    def _results(self) -> dict[str, Any]:
        """Return all results, by name as Keras orders them."""
        return dict(sorted((metric.name, metric.result()) for metric in self.metrics))

    def _values(self) -> Any:
        values = [metric.result() for metric in self.metrics]
        return values if len(values) > 1 else values[0]

    @contextmanager
    def _until_logits(self) -> Iterator[Any]:
        """Let the last layer stop before a softmax or sigmoid that the loss can take over.

        The gradient of a cross-entropy there is `softmax(z) - y`, exact and never divided
        by zero; Keras on TensorFlow does the same behind the scenes. Yields the activation
        that is left to do.
        """
        last: Any = self.layers[-1]
        loss, activation = self.loss, getattr(last, "activation", None)
        taken = isinstance(last, Dense | Activation) and last.activity_regularizer is None
        taken = taken and activation is getattr(activations, loss.logits_of or "", None)
        if taken and (from_logits := loss.from_logits):
            warnings.warn(f"from_logits=True skips the model's {loss.logits_of}.", stacklevel=5)
        self.needs_input_gradient = False
        try:
            if taken:
                last.activation, loss.from_logits = activations.linear, True
            yield activation if taken else activations.linear
        finally:
            self.needs_input_gradient = True
            if taken:
                last.activation, loss.from_logits = activation, from_logits


def _shown(batches: Batches, verbose: str | int, results: Callable[[], Any]) -> Iterator[Batch]:
    """Yield batches, and show progress and results after each."""
    bar = utils.Progbar(batches.steps, verbose=verbose)
    for step, batch in enumerate(batches, start=1):
        yield batch
        bar.update(step, results(), finalize=False)
    bar.update(step, results(), finalize=True)
