"""Compare networks fairly: at equal size, trained alike, each with several seeds.

One training of one network says little, because another seed gives another accuracy. Here networks
get the same number of parameters, the same data, steps and optimizer, and several seeds. They are
models of labkit or of Keras.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labkit._common import expect
from labkit.cost import multiply_adds

Pair = tuple[NDArray[Any], NDArray[Any]]

__all__ = ["Trial", "closest_width", "compare", "summarize"]


@dataclass
class Trial:
    """What became of one network.

    Attributes:
        parameters: Number of its parameters, those that are not trained among them.
        multiply_adds: Number of its multiply-adds for one input.
        accuracies: Share of the test data that it classifies correctly, from 0 to 1, for each seed.
        seconds: Wall time of each training.
        models: The trained models, one for each seed.
    """

    parameters: int
    multiply_adds: int
    accuracies: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    models: list[Any] = field(default_factory=list)

    @property
    def mean(self) -> float:
        """Mean of the accuracies."""
        return float(np.mean(self.accuracies))

    @property
    def lowest(self) -> float:
        """Lowest of the accuracies."""
        return min(self.accuracies)

    @property
    def highest(self) -> float:
        """Highest of the accuracies."""
        return max(self.accuracies)

    @property
    def spread(self) -> float:
        """Range of the accuracies: the highest minus the lowest."""
        return self.highest - self.lowest


def closest_width(
    build: Callable[[int], Any],
    budget: int,
    *,
    tolerance: float = 0.05,
    widths: Sequence[int] = range(1, 257),
) -> int:
    """Find the width with which a network comes closest to a number of parameters.

    Args:
        build: Returns the built model of a given width. A wider one must not have fewer parameters.
        budget: Number of parameters that the model should have.
        tolerance: Largest difference allowed, as a share of the budget.
        widths: Widths to choose from, in ascending order.

    Returns:
        One of the widths.

    Raises:
        ValueError: No width comes so close.
    """
    expect(budget > 0, "budget must be positive", budget)
    expect(len(widths) > 0, "widths must hold at least one width", widths)
    count = cache(lambda width: int(build(width).count_params()))
    place = bisect_left(widths, budget, key=count)  # the first that reaches the budget
    width = min(widths[max(place - 1, 0) : place + 1], key=lambda width: abs(count(width) - budget))
    expect(
        abs(count(width) - budget) <= tolerance * budget,
        f"A width must come within {tolerance:.0%} of {budget:,d} parameters",
        f"width {width}, which is the closest, with {count(width):,d}",
    )
    return width


def compare(
    contestants: Mapping[str, Callable[[], Any]],
    train: Pair,
    test: Pair,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    epochs: int = 4,
    batch_size: int = 64,
    learning_rate: float = 0.005,
) -> dict[str, Trial]:
    """Train classifiers alike, each with several seeds, and measure what they are worth.

    All learn by Adam on the cross-entropy, with a learning rate that falls to zero along a cosine.
    They take turns, so that a busy minute of the machine slows down all of them.

    Args:
        contestants: For each name, a function that returns a new, built model, whose output is
            probabilities, `(batch, classes)`.
        train: What to train on: inputs, `(batch, ...)`, and their classes, integers, `(batch,)`.
        test: What to test on, of the same kind.
        seeds: One training with each of them; a seed sets first weights and order of the data.
        epochs: Number of passes through the training data.
        batch_size: Number of inputs for each step.
        learning_rate: The rate of the first step.

    Returns:
        For each name, its trial.

    Raises:
        ValueError: There is no contestant or no seed, or the contestants are not all models of one
            library, labkit or Keras.
    """
    expect(contestants, "There must be at least one contestant", dict(contestants))
    expect(len(seeds) > 0, "There must be at least one seed", seeds)
    models = {name: build() for name, build in contestants.items()}
    libraries = {_library(model) for model in models.values()}
    expect(len(libraries) == 1, "All models must be of one library, labkit or keras", libraries)
    library = import_module(libraries.pop())
    trials = {name: Trial(m.count_params(), multiply_adds(m)) for name, m in models.items()}
    steps = epochs * -(-len(train[0]) // batch_size)
    for seed in seeds:
        for name, trial in trials.items():
            library.utils.set_random_seed(seed)
            model = contestants[name]()
            schedule = library.optimizers.schedules.CosineDecay(learning_rate, steps)
            optimizer = library.optimizers.Adam(schedule)
            model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
            began = time.perf_counter()
            model.fit(*train, batch_size=batch_size, epochs=epochs, verbose=0)
            trial.seconds.append(time.perf_counter() - began)
            _, accuracy = model.evaluate(*test, batch_size=batch_size, verbose=0)
            trial.accuracies.append(float(accuracy))
            trial.models.append(model)
    return trials


def summarize(trials: Mapping[str, Trial], reference: str) -> dict[str, dict[str, str]]:
    """Write trials as the columns of a table, such as `pandas.DataFrame` takes.

    Args:
        trials: What `compare` returned.
        reference: Name of the contestant whose time counts as 1.

    Returns:
        For each heading, the texts of all contestants: parameters and multiply-adds for one input,
        in thousands; the median time of training, as a multiple of that of the reference; the mean
        of the accuracies, in percent, and their range, in points. It is narrow enough for a phone.

    Raises:
        ValueError: The reference is none of the contestants.
    """
    expect(reference in trials, f"reference must be one of {list(trials)}", reference)
    unit = np.median(trials[reference].seconds)

    def column(text: Callable[[Trial], str]) -> dict[str, str]:
        return {name: text(trial) for name, trial in trials.items()}

    return {
        "size": column(lambda trial: f"{trial.parameters / 1000:.1f}"),
        "cost": column(lambda trial: f"{trial.multiply_adds / 1000:.0f}"),
        "time": column(lambda trial: f"{np.median(trial.seconds) / unit:.1f}"),
        "acc.": column(lambda trial: f"{100 * trial.mean:.1f}"),
        "range": column(lambda trial: f"{100 * trial.spread:.1f}"),
    }


def _library(model: Any) -> str:
    """Return the name of the library whose model this is, or derives from."""
    packages = [kind.__module__.partition(".")[0] for kind in type(model).__mro__]
    found = [package for package in packages if package in ("labkit", "keras")]
    expect(found, "A contestant must build a model of labkit or Keras", type(model).__name__)
    return found[0]
