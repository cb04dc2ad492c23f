"""Callbacks: what happens between the batches and epochs of `labkit.Sequential.fit`."""

import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import labkit
from labkit._common import expect
from labkit._missing import left_out

__all__ = ["Callback", "EarlyStopping", "History", "LambdaCallback", "LearningRateScheduler"]
__all__ += ["ModelCheckpoint", "ReduceLROnPlateau"]

if not TYPE_CHECKING:
    __getattr__ = left_out(__name__)

Logs = dict[str, Any]


class Callback:
    """Base of all callbacks; a subclass overrides the methods that it needs.

    Attributes:
        model: The model that is being trained.
        params: `{"epochs": …, "steps": …, "verbose": …}`, where `steps` is the number of
            batches in an epoch, or `None` if it is not known.
    """

    model: "labkit.Sequential"
    params: dict[str, Any]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called before training."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called after training; `logs` holds the results of the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called before an epoch; the first is 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called after an epoch and its validation; `logs` holds the results of both."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a training step; the first of an epoch is 0."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a training step; `logs` holds the epoch's results so far."""
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of `on_train_batch_begin`, which calls it."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of `on_train_batch_end`, which calls it."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called before an evaluation, also before the validation of an epoch."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called after an evaluation; `logs` holds its results."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a batch is evaluated; the first is 0."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a batch is evaluated; `logs` holds the results so far."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called before predictions."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called after predictions."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before the predictions for a batch; the first is 0."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after the predictions for a batch; `logs` holds them as `"outputs"`."""


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


class LambdaCallback(Callback):
    """A callback made of functions.

    Args:
        **kwargs: `on_epoch_end=function` and so on, for each of `Callback`'s methods, with
            its arguments.

    Raises:
        TypeError: There is no such method.
    """

    def __init__(self, **kwargs: Callable[..., Any]) -> None:
        if unknown := kwargs.keys() - vars(Callback).keys():
            raise TypeError(f"Callback has no methods {sorted(unknown)} to replace.")
        vars(self).update(kwargs)


@dataclass(eq=False)
class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch, and logs it as `learning_rate`.

    Args:
        schedule: Called as `schedule(epoch, learning_rate)`, or as `schedule(epoch)` where it
            takes nothing else; returns the new rate.

    Raises:
        ValueError: The optimizer follows a schedule already.
    """

    schedule: Callable[..., float]

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the learning rate."""
        rate = fixed_rate(self.model.optimizer)
        try:
            given = inspect.signature(self.schedule).bind(epoch, rate).args
        except TypeError:
            given = (epoch,)
        self.model.optimizer.learning_rate = float(self.schedule(*given))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Log the learning rate."""
        if logs is not None:
            logs["learning_rate"] = self.model.optimizer.learning_rate


class _Monitor(Callback):
    """Watches the result that the field `monitor` of a subclass names, and keeps the best."""

    monitor: str
    mode: str
    best: float | None = None

    def __post_init__(self) -> None:
        known = ("auto", "min", "max")
        expect(self.mode in known, f"mode must be one of {known}", repr(self.mode))

    def improved(self, logs: Logs | None, by: float = 0.0) -> bool:
        """Return whether the result beats the best so far, and if so keep it as the best."""
        results = logs or {}
        expect(self.monitor in results, f"There is no {self.monitor!r} to watch", [*results])
        value = results[self.monitor]
        directions = {metric.name: metric.direction for metric in self.model.metrics}
        auto = directions.get(self.monitor.removeprefix("val_"), 0)
        sign = {"min": -1, "max": 1}.get(self.mode, auto)
        expect(sign, f"Is more {self.monitor} better? Pass mode='min' or mode='max'", self.mode)
        better = self.best is None or sign * value - by > sign * self.best
        if better:
            self.best = value
        return better


@dataclass(eq=False)
class EarlyStopping(_Monitor):
    """Stops training when a result has not improved for some epochs.

    Args:
        monitor: Name of the result.
        min_delta: Smallest change that counts as an improvement.
        patience: How many epochs to wait for an improvement.
        mode: `"min"` if lower is better, `"max"` if higher is, `"auto"` to ask the metric.
        restore_best_weights: Whether to return to the weights of the best epoch.

    Raises:
        ValueError: The mode is unknown; or, in training, there is no such result.

    Attributes:
        best: The best result.
        best_epoch: The epoch that reached it; the first is 0.
        stopped_epoch: The epoch after which training stopped; 0 if it did not.
    """

    monitor: str = "val_loss"
    min_delta: float = 0
    patience: int = 0
    _: KW_ONLY
    mode: str = "auto"
    restore_best_weights: bool = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the previous training."""
        self.best, self.wait, self.best_epoch, self.stopped_epoch = None, 0, 0, 0
        self.best_weights: list[Any] = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the epoch's result with the best."""
        self.wait += 1
        if self.improved(logs, by=abs(self.min_delta)):
            self.wait, self.best_epoch = 0, epoch
            self.best_weights = self.model.get_weights() if self.restore_best_weights else []
        elif self.wait >= self.patience:
            self.stopped_epoch, self.model.stop_training = epoch, True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Restore the best weights."""
        if self.best_weights:
            self.model.set_weights(self.best_weights)


@dataclass(eq=False)
class ModelCheckpoint(_Monitor):
    """Saves the weights after each epoch, or after each improvement.

    Args:
        filepath: Where to save, as in `labkit.Sequential.save_weights`; may hold `{epoch}`
            (from 1) and results, such as `{val_loss:.2f}`.
        monitor: Name of the result to compare.
        save_best_only: Whether to save only when the result improves.
        save_weights_only: Must be `True`: labkit saves no architectures.
        mode: As in `EarlyStopping`.

    Raises:
        ValueError: `save_weights_only` is false, the file name has another ending than those of
            weight files, or the mode is unknown; or, in training, there is no such result.
    """

    filepath: str | os.PathLike[str]
    monitor: str = "val_loss"
    _: KW_ONLY
    save_best_only: bool = False
    save_weights_only: bool = False
    mode: str = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(self.save_weights_only, "labkit saves weights: pass save_weights_only=True", False)
        known = os.fspath(self.filepath).endswith((".npz", ".weights.h5"))
        expect(known, "A weight file ends in .npz or .weights.h5", self.filepath)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save the weights, if this epoch is to be saved."""
        if self.save_best_only and not self.improved(logs):
            return
        names = {"epoch": epoch + 1, **(logs or {})}
        try:
            path = os.fspath(self.filepath).format(**names)
        except KeyError as error:
            raise KeyError(f"{self.filepath} names {error}. There are: {list(names)}") from None
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        self.model.save_weights(path)


@dataclass(eq=False)
class ReduceLROnPlateau(_Monitor):
    """Lowers the learning rate when a result has not improved for some epochs, and logs it.

    Args:
        monitor: Name of the result.
        factor: What the learning rate is multiplied by, below 1.
        patience: How many epochs to wait for an improvement.
        verbose: Whether to print each change.
        mode: As in `EarlyStopping`.
        min_delta: Smallest change that counts as an improvement.
        cooldown: How many epochs after a change do not count as waiting.
        min_lr: The learning rate stays at least as high.

    Raises:
        ValueError: The factor is not between 0 and 1, or the mode is unknown; or, in training,
            there is no such result, or the optimizer follows a schedule.
    """

    monitor: str = "val_loss"
    factor: float = 0.1
    patience: int = 10
    verbose: int = 0
    mode: str = "auto"
    min_delta: float = 0.0001
    cooldown: int = 0
    min_lr: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(0 < self.factor < 1, "factor must be between 0 and 1", self.factor)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the previous training."""
        self.best, self.wait, self.cooling = None, 0, 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the epoch's result with the best, and lower the rate if it is time."""
        rate = fixed_rate(self.model.optimizer)
        if logs is not None:
            logs["learning_rate"] = rate
        better = self.improved(logs, by=abs(self.min_delta))
        self.cooling = max(0, self.cooling - 1)
        self.wait = 0 if better or self.cooling else self.wait + 1
        if self.wait >= max(self.patience, 1) and rate > self.min_lr:
            lowered = max(rate * self.factor, self.min_lr)
            self.model.optimizer.learning_rate = lowered
            self.wait, self.cooling = 0, self.cooldown
            if self.verbose:
                print(f"Epoch {epoch + 1}: the learning rate is now {lowered:g}.")


def fixed_rate(optimizer: Any) -> Any:
    """Return the learning rate of an optimizer that follows no schedule."""
    rate = optimizer.learning_rate
    expect(not callable(rate), "This optimizer's learning rate should be a number", rate)
    return rate


def tell(callbacks: Sequence[Callback], event: str, *args: Any) -> None:
    """Call a method of each callback."""
    for callback in callbacks:
        getattr(callback, event)(*args)
