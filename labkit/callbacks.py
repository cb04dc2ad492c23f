"""Callbacks: what happens between the epochs and batches of `labkit.Sequential.fit`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labkit.models import Sequential

__all__ = ["Callback", "History"]

Logs = dict[str, Any]


class Callback:
    """Base of all callbacks; a subclass overrides what it needs.

    Attributes:
        model: The model that is being trained.
        params: ``{"epochs": …, "steps": …, "verbose": …}``.
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
        """Called when `fit` begins."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called when `fit` ends."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called before an epoch; the first is 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called after an epoch and its validation, with all their results in ``logs``."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a training step; the first of an epoch is 0."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a training step, with the epoch's results so far."""


class History(Callback):
    """Keeps the results of each epoch; `fit` returns it.

    Attributes:
        epoch: Numbers of the epochs.
        history: For each result (``"loss"``, ``"val_loss"`` …) its values, epoch by epoch.
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget earlier epochs."""
        self.epoch = []
        self.history = {}

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add the results of an epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
