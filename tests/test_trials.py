"""Comparisons of networks: equal size, equal training, several seeds, in labkit and in Keras."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import labkit
from labkit import trials

DATA = np.random.default_rng(0).normal(size=(300, 6)).astype("float32")
CLASSES = (DATA[:, 0] > 0).astype(int)
SPLIT = ((DATA[:200], CLASSES[:200]), (DATA[200:], CLASSES[200:]))


def classifier(width: int, library: Any = labkit) -> Any:
    """Return a network with 9 · width + 2 parameters: one hidden layer between 6 and 2 numbers."""
    layers = library.layers
    hidden, output = layers.Dense(width, activation="relu"), layers.Dense(2, activation="softmax")
    return library.Sequential([library.Input((6,)), hidden, output])


def contestants(library: Any = labkit) -> dict[str, Callable[[], Any]]:
    """Return a narrow and a wide network."""
    return {"narrow": lambda: classifier(2, library), "wide": lambda: classifier(16, library)}


@settings(deadline=None)
@given(width=st.integers(1, 256), off=st.integers(-4, 4))
def test_the_closest_width_is_found(width: int, off: int) -> None:
    """A budget within half a step of a width's parameters leads back to that width."""
    assert trials.closest_width(classifier, 9 * width + 2 + off, tolerance=1) == width


def test_few_models_are_built() -> None:
    """The search halves the widths at each step, so that it costs little in Keras, too."""
    built = []

    def build(width: int) -> Any:
        built.append(width)
        return classifier(width)

    assert trials.closest_width(build, 1000) == 111
    assert len(built) == len(set(built)) < 10


def test_a_budget_out_of_reach_is_an_error() -> None:
    """Neither a budget beyond the widths, nor one between coarse widths, is met silently."""
    with pytest.raises(ValueError, match=r"within 5% of 10,000 parameters.*width 256.*2,306"):
        trials.closest_width(classifier, 10_000)
    with pytest.raises(ValueError, match=r"within 10% of 60 parameters.*width 10"):
        trials.closest_width(classifier, 60, tolerance=0.1, widths=[1, 10])
    with pytest.raises(ValueError, match="budget must be positive"):
        trials.closest_width(classifier, 0)
    with pytest.raises(ValueError, match="at least one width"):
        trials.closest_width(classifier, 60, widths=[])


@pytest.mark.parametrize("name", ["labkit", "keras"])
def test_each_contestant_is_trained_with_each_seed(name: str) -> None:
    """Counts, accuracies and models are those of the networks, in either library."""
    library = labkit if name == "labkit" else pytest.importorskip("keras")
    found = trials.compare(contestants(library), *SPLIT, seeds=(3, 4), epochs=2, batch_size=16)
    sizes = {name: (trial.parameters, trial.multiply_adds) for name, trial in found.items()}
    assert sizes == {"narrow": (9 * 2 + 2, 8 * 2), "wide": (9 * 16 + 2, 8 * 16)}
    for trial in found.values():
        assert len(trial.models) == len(trial.seconds) == len(trial.accuracies) == 2
        assert min(trial.seconds) > 0
        for model, accuracy in zip(trial.models, trial.accuracies, strict=True):
            answers = np.asarray(model(DATA[200:])).argmax(axis=1)
            assert np.mean(answers == CLASSES[200:]) == pytest.approx(accuracy)


def test_a_trial_says_how_far_its_accuracies_lie_apart() -> None:
    """Mean, lowest, highest and range are those of the seeds."""
    trial = trials.Trial(1, 1, [0.9, 0.96, 0.93])
    assert (trial.lowest, trial.highest) == (0.9, 0.96)
    assert (trial.mean, trial.spread) == pytest.approx((0.93, 0.06))


def test_the_rate_is_zero_after_the_last_step() -> None:
    """The cosine is as long as the training, whose epochs end in a smaller batch."""
    wide = {"wide": contestants()["wide"]}
    found = trials.compare(wide, *SPLIT, seeds=[0], epochs=2, batch_size=16, learning_rate=0.1)
    optimizer = found["wide"].models[0].optimizer
    assert optimizer.iterations == 2 * 13  # 200 inputs are 12 batches of 16, and one of 8
    assert optimizer.learning_rate(0) == pytest.approx(0.1)
    assert optimizer.learning_rate(2 * 13 - 1) > 0
    assert optimizer.learning_rate(2 * 13) == pytest.approx(0)


def test_networks_learn() -> None:
    """With steps enough, a network separates the classes of a simple task."""
    found = trials.compare(contestants(), *SPLIT, seeds=[0], epochs=20, learning_rate=0.05)
    assert found["wide"].lowest > 0.8


def test_a_seed_repeats_a_training_whatever_ran_before() -> None:
    """A network gets the same weights from the same seed, alone or beside others."""
    both = trials.compare(contestants(), *SPLIT, seeds=(0, 1))
    alone = trials.compare({"wide": contestants()["wide"]}, *SPLIT, seeds=(1,))
    pairs = [
        (both["wide"].models[1].get_weights(), alone["wide"].models[0].get_weights()),
        (both["wide"].models[0].get_weights(), alone["wide"].models[0].get_weights()),
    ]
    same, other = ([np.array_equal(*w) for w in zip(*pair, strict=True)] for pair in pairs)
    assert all(same)
    assert not all(other)


def test_contestants_take_turns() -> None:
    """All train with one seed before the next seed begins, so that load hits all alike."""
    order = []

    def named(name: str, width: int) -> Callable[[], Any]:
        def build() -> Any:
            order.append(name)
            return classifier(width)

        return build

    trials.compare({"a": named("a", 2), "b": named("b", 3)}, *SPLIT, seeds=(0, 1), epochs=1)
    assert "".join(order[2:]) == "abab"  # the first two were built to be counted


def test_the_summary_has_a_row_for_each_contestant() -> None:
    """Numbers are in thousands and percent, and times are relative to the reference."""
    plain = trials.Trial(20_140, 525_632, [0.93, 0.95, 0.94], [2.0, 1.0, 9.0])
    other = trials.Trial(19_870, 448_000, [0.9, 0.961, 0.9], [3.0, 4.0, 2.0])
    assert trials.summarize({"plain": plain, "other": other}, "plain") == {
        "size": {"plain": "20.1", "other": "19.9"},
        "cost": {"plain": "526", "other": "448"},
        "time": {"plain": "1.0", "other": "1.5"},
        "acc.": {"plain": "94.0", "other": "92.0"},
        "range": {"plain": "2.0", "other": "6.1"},
    }
    with pytest.raises(ValueError, match=r"one of \['plain'\].*Received: bare"):
        trials.summarize({"plain": plain}, "bare")


def test_what_cannot_be_compared_is_an_error() -> None:
    """No contestant, no seed, another library or two of them: each has one clear message."""
    with pytest.raises(ValueError, match="at least one contestant"):
        trials.compare({}, *SPLIT)
    with pytest.raises(ValueError, match="at least one seed"):
        trials.compare(contestants(), *SPLIT, seeds=())
    with pytest.raises(ValueError, match=r"model of labkit or Keras.*Received: object"):
        trials.compare({"nothing": object}, *SPLIT)


def test_libraries_are_not_mixed() -> None:
    """The time of a network in one library says nothing about one in the other."""
    keras = pytest.importorskip("keras")
    mixed = {"ours": contestants()["wide"], "theirs": contestants(keras)["wide"]}
    with pytest.raises(ValueError, match="one library, labkit or keras"):
        trials.compare(mixed, *SPLIT)
