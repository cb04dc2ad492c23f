"""How models are trained, evaluated and asked for predictions."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from labkit import optimizers, utils
from labkit._batches import Batch, Batches, checked, refuse_nan, split, weighted_by_class, whole
from labkit._common import Array, expect
from labkit._threads import one_blas_thread
from labkit._tree import flatten, pack
from labkit.callbacks import Callback, History, tell
from labkit.layers import Layer, _calls
from labkit.metrics import Mean, Metric
from labkit.models.compile_utils import CompiledLoss, CompiledMetrics


class Plan:
    """What the first step settles: which weights are trained, and whether any are penalized.

    It also knows the layers that are trained, or hold one that is, by their `id`.

    Args:
        model: The model.
    """

    def __init__(self, model: "Trainer") -> None:
        parts = [part for part in model.flatten_layers() if part.trainable]
        self.slots = [(part, name) for part in parts for name in part.gradients]
        self.penalized = bool(model.losses)
        holders = {id(part) for part, _ in self.slots}
        self.trained = frozenset(
            id(part)
            for part in model.flatten_layers()
            if any(id(inner) in holders for inner in part.flatten_layers())
        )


class Trainer(Layer):
    """The half of a model that trains it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.loss: Any = None
        self.stop_training = False
        self._compiled: tuple[CompiledLoss, CompiledMetrics, Mean] | None = None
        self._plan: Plan | None = None

    def compile(
        self,
        optimizer: str | optimizers.Optimizer = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
    ) -> None:
        """Configure training. Which weights it changes is settled by its first step.

        Args:
            optimizer: An optimizer or its name.
            loss: A loss, its name, or a function `loss(y_true, y_pred)` that computes with
                `labkit.ops`; of a model with several outputs also a list with one for each, or a
                dict by their names.
            loss_weights: What each of several losses is multiplied by, as a list or dict.
            metrics: A list of metrics or their names; of a model with several outputs a list of
                such lists, or a dict. Sample weights do not apply to them.
            weighted_metrics: Metrics to which sample weights apply.

        Raises:
            TypeError: The metrics are no list.
            ValueError: A name is unknown.
        """
        names = getattr(self, "output_names", None)
        self.optimizer = optimizers.get(optimizer)
        self.loss, self._plan, self._compiled = loss, None, None
        compiled = CompiledMetrics(metrics, weighted_metrics, names)
        if loss is not None:
            self._compiled = CompiledLoss(loss, loss_weights, names), compiled, Mean(name="loss")

    @property
    def metrics(self) -> list[Metric]:
        """The mean loss, the metrics given to `compile`, and the mean of each of several losses."""
        if self._compiled is None:
            return []
        losses, metrics, mean = self._compiled
        return [mean, *metrics.metrics, *losses.means]

    @one_blas_thread
    def fit(  # noqa: PLR0913  # Keras's arguments, and the loop that they steer
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Sequence[Callback] | Callback | None = None,
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
            x: Inputs, `(samples, ...)`; of a model with several inputs, a list or dict of
                them; or an iterable of `(x, y)` or `(x, y, sample_weight)` batches.
            y: Targets, `(samples, ...)`, likewise.
            batch_size: Rows per step; 32 by default.
            epochs: Number of passes through the data.
            verbose: 0: silent. 1 or `"auto"`: a progress bar. 2: a line per epoch.
            callbacks: Called during training: one, or a list.
            validation_split: This share of the samples, the last ones, is not trained on
                but evaluated after each epoch.
            validation_data: `(x, y)`, `(x, y, sample_weight)` or an iterable of batches, to
                evaluate after each epoch.
            shuffle: Whether to shuffle arrays anew in each epoch.
            class_weight: Weight of each class in the loss, by its integer label; 1 for
                labels that are not listed.
            sample_weight: Weight of each sample in the loss.
            initial_epoch: The epoch to begin with, to go on with a training.
            steps_per_epoch: Batches in an epoch; needed for an endless iterable. The next epoch
                goes on where this one ended.
            validation_steps: Batches in an evaluation.
            validation_batch_size: Rows per batch of an evaluation; `None` means `batch_size`.

        Returns:
            The results of each epoch.

        Raises:
            RuntimeError: The model is not compiled.
            TypeError: Something is not an array of numbers, or of another type.
            ValueError: The data do not fit each other or the model, or are not finite.
        """
        whole("epochs", epochs)
        whole("initial_epoch", initial_epoch, 0)
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split((x, y, sample_weight), validation_split)
        if class_weight is not None and not isinstance(class_weight, dict):
            wanted = "class_weight is a dict, such as {0: 1.0, 1: 2.5}"
            raise TypeError(f"{wanted}. Received: {class_weight!r}")
        several = self._several()
        train = Batches(x, y, sample_weight, batch_size, shuffle, steps_per_epoch, several)
        size = validation_batch_size or batch_size
        held_out = self._held_out(validation_data, size, validation_steps)
        history, logs = History(), dict[str, Any]()
        given = [callbacks] if isinstance(callbacks, Callback) else [*(callbacks or ())]
        told = self._told([*given, history], epochs=epochs, steps=train.steps, verbose=verbose)
        self.stop_training = False
        tell(told, "on_train_begin", None)
        for epoch in range(initial_epoch, epochs):
            self.reset_metrics()
            tell(told, "on_epoch_begin", epoch, None)
            if verbose:
                print(f"Epoch {epoch + 1}/{epochs}")
            bar = utils.Progbar(train.steps, verbose=verbose)
            for step, batch in enumerate(train):
                tell(told, "on_train_batch_begin", step, None)
                batch = weighted_by_class(batch, class_weight) if class_weight else batch
                self._step(batch, training=True)
                if verbose or given:
                    logs = self._results()
                    tell(told, "on_train_batch_end", step, logs)
                    bar.update(step + 1, logs, finalize=False)
                if self.stop_training:
                    break
            logs = self._results()
            if held_out is not None:
                logs |= {f"val_{name}": n for name, n in self._test(held_out, 0, told).items()}
            tell(told, "on_epoch_end", epoch, logs)
            bar.update(step + 1, logs, finalize=True)
            if self.stop_training:
                break
        tell(told, "on_train_end", logs)
        return history

    @one_blas_thread
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Sequence[Callback] | Callback | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Return the loss and the metrics on some data, without training.

        Args:
            x: As in `fit`.
            y: As in `fit`.
            batch_size: Rows per batch; 32 by default.
            verbose: As in `fit`.
            sample_weight: As in `fit`.
            steps: Number of batches; `None` for all.
            callbacks: Called during evaluation.
            return_dict: Whether to return the results by name.

        Returns:
            The loss; with metrics, a list that starts with the loss.

        Raises:
            RuntimeError: The model is not compiled.
            TypeError: Something is not an array of numbers.
            ValueError: The data do not fit each other or the model, or are not finite.
        """
        batches = Batches(x, y, sample_weight, batch_size, False, steps, self._several())
        given = [callbacks] if isinstance(callbacks, Callback) else [*(callbacks or ())]
        self._test(batches, verbose, self._told(given, steps=batches.steps, verbose=verbose))
        return self._results() if return_dict else self._values()

    @one_blas_thread
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Sequence[Callback] | Callback | None = None,
    ) -> Any:
        """Return the outputs for `x`, computed batch by batch.

        Args:
            x: Inputs, as in `fit`, or an iterable of batches.
            batch_size: Rows per batch; 32 by default.
            verbose: As in `fit`.
            steps: Number of batches; `None` for all.
            callbacks: Called during the predictions.

        Returns:
            `(samples, ...)`; of a model with several outputs, their structure.

        Raises:
            TypeError: `x` is not an array of numbers.
            ValueError: `x` does not fit the model, or is not finite.
        """
        parts: list[list[Array]] = []
        batches = Batches(x, batch_size=batch_size, steps=steps, several=self._several())
        given = [callbacks] if isinstance(callbacks, Callback) else [*(callbacks or ())]
        told = self._told(given, steps=batches.steps, verbose=verbose)
        tell(told, "on_predict_begin", None)
        for step, (inputs, *_) in _shown(batches, verbose, dict):
            tell(told, "on_predict_batch_begin", step, None)
            outputs = self.predict_on_batch(inputs)
            parts.append(flatten(outputs))
            tell(told, "on_predict_batch_end", step, {"outputs": outputs})
        tell(told, "on_predict_end", None)
        return pack(outputs, [np.concatenate(column) for column in zip(*parts, strict=True)])

    @one_blas_thread
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
            x: Inputs, `(batch, ...)`, in the structure that the model takes.
            y: Targets, `(batch, ...)`.
            sample_weight: Weight of each sample in the loss.
            class_weight: Weight of each class, as in `fit`.
            return_dict: Whether to return the results by name.

        Raises:
            RuntimeError: The model is not compiled.
            TypeError: Something is not an array of numbers.
            ValueError: The data do not fit each other or the model, or are not finite.
        """
        batch = checked(x, y, sample_weight, several=self._several())
        batch = weighted_by_class(batch, class_weight) if class_weight else batch
        self.reset_metrics()
        self._step(batch, training=True)
        return self._results() if return_dict else self._values()

    @one_blas_thread
    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Return the loss and the metrics on a batch.

        Args:
            x: As in `train_on_batch`.
            y: As in `train_on_batch`.
            sample_weight: Weight of each sample in the loss.
            return_dict: Whether to return the results by name.

        Raises:
            RuntimeError: The model is not compiled.
            TypeError: Something is not an array of numbers.
            ValueError: The data do not fit each other or the model, or are not finite.
        """
        self.reset_metrics()
        self._step(checked(x, y, sample_weight, several=self._several()), training=False)
        return self._results() if return_dict else self._values()

    @one_blas_thread
    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for a batch.

        Raises:
            TypeError: `x` is not an array of numbers.
            ValueError: `x` does not fit the model, or is not finite.
        """
        outputs = self(x)
        if any(np.isnan(output.sum()) for output in flatten(outputs)):
            refuse_nan(x=x)
        return outputs

    def reset_metrics(self) -> None:
        """Reset the loss and the metrics.

        Raises:
            RuntimeError: The model is not compiled.
        """
        if self._compiled is None:
            raise RuntimeError("Call compile(optimizer, loss) before training or evaluating.")
        for metric in self.metrics:
            metric.reset_state()

    def _several(self) -> tuple[bool | None, bool | None]:
        """Return whether the model takes, and returns, several arrays; `None`: not known."""
        inputs, outputs = (getattr(self, name, None) for name in ("inputs", "outputs"))
        return tuple(None if part is None else len(part) > 1 for part in (inputs, outputs))  # type: ignore[return-value]

    def _held_out(self, data: Any, batch_size: int | None, steps: int | None) -> Batches | None:
        """Return the batches to evaluate after each epoch."""
        if data is None:
            return None
        if not isinstance(data, tuple | list):
            return Batches(data, steps=steps)
        wanted = "validation_data is (x, y) or (x, y, sample_weight), or an iterable of batches"
        expect(len(data) in (2, 3), wanted, f"{len(data)} parts")
        x, y, weight = (*data, None)[:3]
        return Batches(x, y, weight, batch_size, False, steps, self._several())

    def _told(self, callbacks: list[Callback], **params: Any) -> list[Callback]:
        """Return the callbacks, which now know the model."""
        for callback in callbacks:
            callback.model = self  # type: ignore[assignment]  # a Trainer is half of a model
            callback.params = params
        return callbacks

    def _step(self, batch: Batch, training: bool) -> None:
        """Add a batch to the mean loss and the metrics; in training, update the weights."""
        x, y, weight = batch
        losses, metrics, mean = self._compiled  # type: ignore[misc]  # reset_metrics has checked
        self.needs_input_gradient = False
        try:
            y_pred = self(x, training=training)
            current: Any = self._last_pass
            if self._plan is None:
                self._plan = Plan(self)
            loss, slopes = losses(y, y_pred, weight, current)
            if not np.isfinite(loss).all():
                refuse_nan(x=x, y=y, sample_weight=weight)
            if self._plan.penalized or current.penalized:
                loss = loss + sum(self.losses)
            mean.update_state(loss, len(flatten(y_pred)[0]))
            metrics.update_state(y, y_pred, weight, current)
            if training:
                token = _calls.trained.set(self._plan.trained)
                try:
                    self.backward(pack(y_pred, slopes))
                finally:
                    _calls.trained.reset(token)
                self._update()
            else:  # a backward by hand is not to find them
                for call in current.ends.values():
                    call.dlogits = None
        finally:
            self.needs_input_gradient = True

    def _update(self) -> None:
        """Let the optimizer do a step."""
        slots = self._plan.slots if self._plan else ()
        if not slots:
            warnings.warn(f"{self.name} has no weights that are trained.", stacklevel=4)
            return
        for part, name in slots:
            if id(part) not in self._reached:  # it had no part in this output
                part.gradients[name][...] = 0
        gradients = [part.gradients[name] for part, name in slots]
        self.optimizer.apply(gradients, [part.named_weights[name] for part, name in slots])

    def _test(self, batches: Batches, verbose: str | int, told: list[Callback]) -> dict[str, Any]:
        """Return the loss and the metrics of some batches."""
        self.reset_metrics()
        tell(told, "on_test_begin", None)
        for step, batch in _shown(batches, verbose, self._results):
            tell(told, "on_test_batch_begin", step, None)
            self._step(batch, training=False)
            tell(told, "on_test_batch_end", step, self._results())
        results = self._results()
        tell(told, "on_test_end", results)
        return results

    def _results(self) -> dict[str, Any]:
        """Return all results, by name as Keras orders them."""
        losses, metrics, mean = self._compiled  # type: ignore[misc]  # reset_metrics has checked
        found = {part.name: part.result() for part in (mean, *losses.means)} | metrics.result()
        return dict(sorted(found.items()))

    def _values(self) -> Any:
        """Return all results in Keras's order: the loss first, and prefixed names last."""
        found = self._results()
        names = [metric.name for metric in self.metrics if metric.name in found]
        names = list(dict.fromkeys(names)) + [name for name in found if name not in names]
        return [found[name] for name in names] if len(names) > 1 else found[names[0]]


def _shown(
    batches: Batches, verbose: str | int, results: Callable[[], Any]
) -> Iterator[tuple[int, Batch]]:
    """Yield batches with their numbers, and show progress and results after each."""
    bar = utils.Progbar(batches.steps, verbose=verbose)
    for step, batch in enumerate(batches):
        yield step, batch
        bar.update(step + 1, results() if verbose else None, finalize=False)
    bar.update(step + 1, results(), finalize=True)
