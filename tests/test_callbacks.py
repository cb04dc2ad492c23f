"""Callbacks act when Keras's do and decide the same."""

from pathlib import Path
from typing import Any

import keras as theirs
import numpy as np
import pytest

import labkit as ours

X = np.zeros((4, 1))


class Puppet(ours.Sequential):
    """A model whose results are given, epoch by epoch."""

    def __init__(self, values: list[float], name: str = "val_loss") -> None:
        super().__init__([ours.Input((1,)), ours.layers.Dense(1, kernel_initializer="zeros")])
        self.compile("sgd", "mse", metrics=["mae"])
        self.values, self.key = values, name

    def play(self, *callbacks: Any) -> ours.callbacks.History:
        """Train; the weight after epoch n is n + 1, the result is as given."""

        def after(epoch: int, logs: Any) -> None:
            self.set_weights([np.full((1, 1), epoch + 1), np.zeros(1)])
            logs[self.key] = self.values[epoch]

        told = [ours.callbacks.LambdaCallback(on_epoch_end=after), *callbacks]
        return self.fit(X, X, epochs=len(self.values), verbose=0, callbacks=told)

    @property
    def weight(self) -> float:
        """The number of epochs trained, which is the model's only weight."""
        return float(self.get_weights()[0][0, 0])


VALUES = [5.0, 4.0, 4.5, 3.9, 4.2, 4.1, 4.0, 3.0]


def keras_epochs(args: dict[str, Any], values: list[float], name: str) -> tuple[int, int]:
    """Return how many epochs Keras's EarlyStopping allows, and the best one."""
    stopping = theirs.callbacks.EarlyStopping(**args)

    class Model:
        stop_training = False
        metrics = (
            theirs.metrics.MeanAbsoluteError(name="mae"),
            theirs.metrics.AUC(name="auc"),
        )

        def get_weights(self) -> list[Any]:
            return []

        def set_weights(self, weights: list[Any]) -> None:
            pass

    stopping.set_model(Model())
    stopping.on_train_begin()
    for epoch, value in enumerate(values):
        stopping.on_epoch_end(epoch, {name: value})
        if stopping.model.stop_training:
            break
    stopping.on_train_end()
    return epoch + 1, stopping.best_epoch


@pytest.mark.parametrize(
    ("args", "values", "name"),
    [
        ({}, VALUES, "val_loss"),
        ({"patience": 2}, VALUES, "val_loss"),
        ({"patience": 3}, VALUES, "val_loss"),
        ({"patience": 2, "min_delta": 0.2}, VALUES, "val_loss"),
        ({"patience": 2, "min_delta": -0.2}, VALUES, "val_loss"),
        ({"patience": 2, "mode": "max"}, VALUES, "val_loss"),
        ({"patience": 1, "monitor": "val_mae", "mode": "min"}, VALUES, "val_mae"),
        ({"monitor": "other", "mode": "max", "patience": 2}, VALUES[::-1], "other"),
    ],
)
def test_early_stopping_stops_where_keras_does(
    args: dict[str, Any], values: list[float], name: str
) -> None:
    """The number of epochs and the best epoch match Keras; its weights are restored."""
    args = {"restore_best_weights": True, **args}
    expected, best = keras_epochs(args, values, name)
    model = Puppet(values, name)
    stopping = ours.callbacks.EarlyStopping(**args)
    assert len(model.play(stopping).epoch) == expected
    assert stopping.best_epoch == best
    assert model.weight == best + 1


def test_early_stopping_keeps_the_last_weights_unless_asked() -> None:
    """Without restore_best_weights the model keeps the last epoch's weights."""
    model = Puppet(VALUES)
    stopping = ours.callbacks.EarlyStopping(patience=1)
    model.play(stopping)
    assert (model.weight, stopping.stopped_epoch, stopping.best) == (3, 2, 4.0)


def test_early_stopping_does_not_count_nan_as_an_improvement() -> None:
    """NaN is no improvement, and the best weights are restored."""
    model = Puppet([2.0, float("nan"), float("nan"), 1.0])
    model.play(ours.callbacks.EarlyStopping(patience=2, restore_best_weights=True))
    assert model.weight == 1


def test_the_metric_decides_what_is_better() -> None:
    """Accuracy improves when it rises; for an unknown result the mode must be given."""
    model = Puppet([0.5, 0.6, 0.4, 0.3], "val_accuracy")
    model.compile("sgd", "mse", metrics=["accuracy"])
    assert len(model.play(ours.callbacks.EarlyStopping("val_accuracy")).epoch) == 3
    with pytest.raises(ValueError, match="Is more strange better"):
        Puppet([1.0, 2.0], "strange").play(ours.callbacks.EarlyStopping("strange"))


def test_unknown_modes_are_refused_at_once(tmp_path: Path) -> None:
    """Both callbacks refuse an unknown mode before any training."""
    message = r"mode must be one of \('auto', 'min', 'max'\). Received: 'least'"
    with pytest.raises(ValueError, match=message):
        ours.callbacks.EarlyStopping(mode="least")
    with pytest.raises(ValueError, match=message):
        ours.callbacks.ModelCheckpoint(tmp_path, save_weights_only=True, mode="least")


def test_an_unknown_result_is_refused() -> None:
    """The error lists the results that exist."""
    model = Puppet([1.0, 2.0], "val_loss")
    with pytest.raises(ValueError, match=r"no 'val_los' to watch. Received: \['loss', 'mae'"):
        model.play(ours.callbacks.EarlyStopping("val_los"))


def test_checkpoints_are_written_after_each_epoch(tmp_path: Path) -> None:
    """The name may contain the epoch and results; each file holds that epoch's weights."""
    path = tmp_path / "new" / "{epoch:02d}-{val_loss:.1f}.npz"
    model = Puppet(VALUES[:3])
    model.play(ours.callbacks.ModelCheckpoint(path, save_weights_only=True))
    names = sorted(file.name for file in path.parent.iterdir())
    assert names == ["01-5.0.npz", "02-4.0.npz", "03-4.5.npz"]
    model.load_weights(path.parent / names[1])
    assert model.weight == 2


@pytest.mark.parametrize(("mode", "epoch"), [("auto", 8), ("min", 8), ("max", 1)])
def test_only_the_best_checkpoint_is_kept(mode: str, epoch: int, tmp_path: Path) -> None:
    """save_best_only keeps the file of the best epoch."""
    path = tmp_path / "best.npz"
    model = Puppet(VALUES)
    model.play(
        ours.callbacks.ModelCheckpoint(path, save_best_only=True, save_weights_only=True, mode=mode)
    )
    model.load_weights(path)
    assert model.weight == epoch


def test_impossible_checkpoints_are_refused(tmp_path: Path) -> None:
    """Whole models, other endings and unknown names raise errors."""
    make = ours.callbacks.ModelCheckpoint
    with pytest.raises(ValueError, match="pass save_weights_only=True"):
        make(tmp_path / "model.npz")
    with pytest.raises(ValueError, match=r"ends in \.npz or \.weights\.h5"):
        make("a.h5", save_weights_only=True)
    with pytest.raises(KeyError, match="names 'val_acc'"):
        Puppet([1.0]).play(make(tmp_path / "{val_acc}.npz", save_weights_only=True))


def test_the_scheduler_sets_and_logs_the_learning_rate() -> None:
    """Each epoch uses the schedule's rate, which the history records as in Keras."""
    model = Puppet([1.0, 1.0, 1.0])
    model.compile(ours.optimizers.SGD(0.8), "mse")
    scheduler = ours.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    history = model.play(scheduler).history
    assert history["learning_rate"] == [0.4, 0.2, 0.1]
    scheduler = ours.callbacks.LearningRateScheduler(lambda epoch: 0.5**epoch)
    assert model.play(scheduler).history["learning_rate"] == [1, 0.5, 0.25]
    with pytest.raises(ValueError, match="'fast'"):
        model.play(ours.callbacks.LearningRateScheduler(lambda epoch, rate: "fast"))
    model.optimizer.learning_rate = ours.optimizers.schedules.CosineDecay(0.8, 10)
    with pytest.raises(ValueError, match=r"should be a number. Received: CosineDecay"):
        model.play(scheduler)


def keras_rates(args: dict[str, Any]) -> list[float]:
    """Return the learning rates that Keras's ReduceLROnPlateau logs for the values."""

    class Model:
        metrics = ()
        optimizer = theirs.optimizers.SGD(1.0)

    plateau, rates = theirs.callbacks.ReduceLROnPlateau(**args), []
    plateau.set_model(Model())
    plateau.on_train_begin()
    for epoch, value in enumerate(VALUES):
        logs = {"val_loss": value}
        plateau.on_epoch_end(epoch, logs)
        rates.append(logs["learning_rate"])
    return rates


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # from within Keras
@pytest.mark.parametrize(
    "args",
    [
        {"patience": 1},
        {"patience": 2, "factor": 0.5},
        {"patience": 0, "mode": "max", "factor": 0.5},
        {"patience": 1, "mode": "max", "factor": 0.5, "cooldown": 2},
        {"patience": 1, "min_delta": 1.5, "factor": 0.5, "min_lr": 0.3},
    ],
)
def test_the_rate_is_lowered_where_keras_lowers_it(args: dict[str, Any]) -> None:
    """The learning rate of each epoch matches Keras's ReduceLROnPlateau."""
    model = Puppet(VALUES)
    model.compile(ours.optimizers.SGD(1.0), "mse")
    history = model.play(ours.callbacks.ReduceLROnPlateau(**args)).history
    np.testing.assert_allclose(history["learning_rate"], keras_rates(args), rtol=1e-6)


def test_a_plateau_prints_if_asked_and_refuses_what_is_impossible(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A change is printed; a factor of 1 and an optimizer with a schedule are refused."""
    plateau = ours.callbacks.ReduceLROnPlateau(patience=1, verbose=1)
    model = Puppet([1.0, 2.0])
    model.play(plateau)
    assert capsys.readouterr().out == "Epoch 2: the learning rate is now 0.001.\n"
    model.optimizer.learning_rate = ours.optimizers.schedules.CosineDecay(0.8, 10)
    with pytest.raises(ValueError, match=r"should be a number. Received: CosineDecay"):
        model.play(plateau)
    with pytest.raises(ValueError, match="factor must be between 0 and 1"):
        ours.callbacks.ReduceLROnPlateau(factor=1.0)


def test_callbacks_have_all_of_keras_methods() -> None:
    """Each event of Keras's exists; those of batches have a second name in training."""
    events = {name for name in dir(theirs.callbacks.Callback) if name.startswith("on_")}
    assert events == {name for name in dir(ours.callbacks.Callback) if name.startswith("on_")}
    heard: list[Any] = []
    callback = ours.callbacks.LambdaCallback(
        on_batch_begin=lambda *given: heard.append(given),
        on_batch_end=lambda *given: heard.append(given),
    )
    callback.on_train_batch_begin(3)
    callback.on_train_batch_end(3, {"loss": 1.0})
    assert heard == [(3, None), (3, {"loss": 1.0})]


def recorder(keras: Any) -> tuple[list[Any], Any]:
    """Return a list, and a callback that records all its calls in it."""
    calls: list[Any] = []
    names = ["on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end"]
    names += ["on_train_batch_begin", "on_train_batch_end"]

    def note(name: str) -> Any:
        def write(*args: Any, logs: Any = None) -> None:
            *numbers, results = args if logs is None else (*args, logs)
            calls.append((name, *numbers, sorted(results or {})))

        return write

    return calls, keras.callbacks.LambdaCallback(**{name: note(name) for name in names})


@pytest.mark.slow
def test_callbacks_are_called_as_in_keras() -> None:
    """The events, their order, numbers and results match Keras."""
    heard = []
    for keras in (ours, theirs):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse", metrics=["mae"])
        calls, callback = recorder(keras)
        model.fit(
            np.zeros((6, 1)),
            np.zeros((6, 1)),
            batch_size=4,
            epochs=3,
            validation_split=0.2,
            callbacks=[callback],
            verbose=0,
        )
        heard.append(calls)
    assert heard[0] == heard[1]


def test_lambda_callback_refuses_unknown_methods() -> None:
    """A misspelled event raises an error, instead of never being called."""
    with pytest.raises(TypeError, match=r"no methods \['on_epoch'\]"):
        ours.callbacks.LambdaCallback(on_epoch=print)


def test_a_custom_callback_can_stop_training() -> None:
    """A subclass has model and params, and can stop training within an epoch."""
    seen = []

    class Stop(ours.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append((batch, self.params["steps"], sorted(logs)))
            self.model.stop_training = batch == 1

    model = Puppet([1.0])
    history = model.fit(np.zeros(4), np.zeros(4), 1, 5, verbose=0, callbacks=[Stop()])
    assert seen == [(0, 4, ["loss", "mae"]), (1, 4, ["loss", "mae"])]
    assert history.epoch == [0]
