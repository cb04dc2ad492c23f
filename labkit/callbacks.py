"""Callbacks: what happens between the batches and epochs of `labkit.Sequential.fit`."""

import os
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.utils import Progbar

if TYPE_CHECKING:
    from labkit.models import Sequential

__all__ = [
    "Callback",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
]

Logs = dict[str, Any]


class Callback:
    """Base of all callbacks; a subclass overrides what it needs.

    Attributes:
        model: The model that is being trained.
        params: `{"epochs": …, "steps": …, "verbose": …}`, where `steps` is the number of
            batches in an epoch, or `None` if it is not known.
    """

    model: "Sequential"
    params: dict[str, Any]

    def set_model(self, model: "Sequential") -> None:
        """Tell the callback its model."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Tell the callback about the training."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Act before the training."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Act after the training; `logs` holds the results of its last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Act before an epoch; the first is 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Act after an epoch and its validation; `logs` holds the results of both."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Act before a training step; the first of an epoch is 0."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Act after a training step; `logs` holds the epoch's results so far."""


class History(Callback):
    """Keeps the results of each epoch; `fit` returns it.

    Attributes:
        epoch: The numbers of the epochs.
        history: For each result (`"loss"`, `"val_loss"`, …) its values, epoch by epoch.
    """

    def __init__(self) -> None:
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add the results of an epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class ProgbarLogger(Callback):
    """Shows the progress of each epoch; `fit` adds it unless `verbose=0`."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Begin a new line."""
        print(f"Epoch {epoch + 1}/{self.params['epochs']}")
        self.bar = Progbar(self.params["steps"], verbose=self.params["verbose"])

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move the bar."""
        self.steps = batch + 1
        self.bar.update(self.steps, logs, finalize=False)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Finish the line."""
        self.bar.update(self.steps, logs, finalize=True)


class LambdaCallback(Callback):
    """Functions instead of methods.

    Args:
        **kwargs: `on_epoch_end=function` and so on, for each of `Callback`'s methods, with
            its arguments.

    Raises:
        TypeError: There is no such method.
    """

    def __init__(self, **kwargs: Callable[..., Any] | None) -> None:
        for name, function in kwargs.items():
            if not (name.startswith("on_") and hasattr(Callback, name)):
                raise TypeError(f"Callback has no method {name!r} to replace.")
            if function is not None:
                setattr(self, name, function)


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch, and logs it as `learning_rate`.

    Args:
        schedule: Called as `schedule(epoch, learning_rate)`; returns the new rate.
        verbose: 1 to print the rate.
    """

    def __init__(self, schedule: Callable[[int, float], float], verbose: int = 0) -> None:
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the learning rate."""
        optimizer = self.model.optimizer
        rate = self.schedule(epoch, optimizer.learning_rate)
        if not isinstance(rate, float | np.floating):
            raise ValueError(f"The schedule must return a float. Received: {rate!r}")
        optimizer.learning_rate = float(rate)
        if self.verbose:
            print(f"Epoch {epoch + 1}: setting the learning rate to {rate:g}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Log the learning rate."""
        if logs is not None:
            logs["learning_rate"] = self.model.optimizer.learning_rate


class _Monitor(Callback):
    """Watches one result, and knows what makes it better."""

    def __init__(self, monitor: str, mode: str, best: float | None, verbose: int) -> None:
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"mode must be 'auto', 'min' or 'max'. Received: {mode!r}")
        self.monitor = monitor
        self.mode = mode
        self.best = best
        self.verbose = verbose

    def value(self, logs: Logs | None) -> float | None:
        """Return the watched result, or warn that there is none."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"{type(self).__name__} watches {self.monitor!r}, which is not there. "
                f"There are: {', '.join(logs or {})}.",
                stacklevel=3,
            )
        return value

    def better(self, value: float, than: float | None, by: float = 0.0) -> bool:
        """Return whether a value is better than another, by more than a little."""
        if than is None:
            return True
        mode, watched = self.mode, self.monitor.removeprefix("val_")
        if mode == "auto":
            directions = {metric.name: metric.direction for metric in self.model.metrics}
            mode = {"up": "max", "down": "min"}.get(directions.get(watched) or "", "")
        if not mode:
            raise ValueError(f"Is more {self.monitor} better? Pass mode='min' or 'max'.")
        return value - by > than if mode == "max" else value + by < than


class EarlyStopping(_Monitor):
    """Stops the training when a result has not become better for some epochs.

    Args:
        monitor: Name of the result.
        min_delta: By how much it must change to count as better.
        patience: For how many epochs to wait.
        verbose: 1 to print when it stops.
        mode: `"min"` if less is better, `"max"` if more is, `"auto"` to ask the metric.
        baseline: The result must also be better than this one.
        restore_best_weights: Whether to return to the weights of the best epoch.
        start_from_epoch: Do not watch before this epoch.

    Raises:
        ValueError: The mode is unknown.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, None, verbose)
        self.min_delta = abs(min_delta)
        self.patience = patience
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin anew."""
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = None
        self.best_weights: list[Any] | None = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the epoch with the best one."""
        value = self.value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights = self.model.get_weights()
            self.best_epoch = epoch
        self.wait += 1
        if self.better(value, self.best, self.min_delta):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.better(value, self.baseline, self.min_delta):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Return to the best weights."""
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: stopping early")
        if self.best_weights is not None:
            if self.verbose:
                print(f"Restoring the weights of epoch {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


class ModelCheckpoint(_Monitor):
    """Saves the weights after each epoch, or after each that is better.

    Args:
        filepath: Where to save, as in `labkit.Sequential.save_weights`; may hold `{epoch}`
            (from 1) and results, such as `{val_loss:.2f}`.
        monitor: Name of the result that says what is better.
        verbose: 1 to print what is saved.
        save_best_only: Whether to save only what is better than all before.
        save_weights_only: Must be `True`: labkit saves no architectures.
        mode: As in `EarlyStopping`.
        initial_value_threshold: Save only what is better than this.

    Raises:
        ValueError: The mode is unknown, or whole models shall be saved.
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        *,
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold, verbose)
        if not save_weights_only:
            raise ValueError("labkit saves weights only: pass save_weights_only=True.")
        self.filepath = os.fspath(filepath)
        self.save_best_only = save_best_only

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save, if the epoch is good enough."""
        if self.save_best_only:
            value = self.value(logs)
            if value is not None and not self.better(value, self.best):
                return
            self.best = value
        names = {"epoch": epoch + 1, **(logs or {})}
        try:
            path = self.filepath.format(**names)
        except KeyError as error:
            raise KeyError(f"{self.filepath} names {error}. There are: {list(names)}") from None
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        self.model.save_weights(path)
        if self.verbose:
            print(f"Epoch {epoch + 1}: saved the weights to {path}")


def tell(callbacks: Sequence[Callback], event: str, *args: Any) -> None:
    """Call a method of each callback."""
    for callback in callbacks:
        getattr(callback, event)(*args)
