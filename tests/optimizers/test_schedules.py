"""Schedules match Keras, step by step."""

from typing import Any

import keras as theirs
import numpy as np
import pytest

from labkit.optimizers import schedules as ours

CASES: list[tuple[str, dict[str, Any]]] = [
    (
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.8},
    ),
    (
        "PiecewiseConstantDecay",
        {"boundaries": [3, 10, 11], "values": [1.0, 0.5, 0.1, 0.01]},
    ),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 20}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 20, "alpha": 0.3}),
    (
        "CosineDecay",
        {
            "initial_learning_rate": 0.01,
            "decay_steps": 20,
            "alpha": 0.2,
            "warmup_target": 0.1,
            "warmup_steps": 8,
        },
    ),
]


@pytest.mark.parametrize(("name", "args"), CASES)
def test_rates_match_keras(name: str, args: dict[str, Any]) -> None:
    """Each step from 0 to beyond the end has Keras's learning rate."""
    mine, keras_one = (
        getattr(ours, name)(**args),
        getattr(theirs.optimizers.schedules, name)(**args),
    )
    rates = [mine(step) for step in range(40)]
    assert all(isinstance(rate, float) for rate in rates)
    expected = [float(keras_one(np.int64(step))) for step in range(40)]
    np.testing.assert_allclose(rates, expected, rtol=2e-6, atol=1e-9)


def test_exact_values_follow_the_formulas() -> None:
    """In double precision the schedules give exactly what their formulas say."""
    assert ours.ExponentialDecay(1.0, 10, 0.5)(20) == 0.25
    assert ours.PiecewiseConstantDecay([5], [1.0, 0.1])(5) == 1.0
    assert ours.PiecewiseConstantDecay([5], [1.0, 0.1])(6) == 0.1
    assert ours.CosineDecay(2.0, 10)(5) == pytest.approx(1.0, rel=1e-15)
    assert ours.CosineDecay(2.0, 10, alpha=0.5)(10) == 1.0


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("ExponentialDecay", (0.1, 0, 0.5), "decay_steps must be positive"),
        ("CosineDecay", (0.1, -1), "decay_steps must be positive"),
        (
            "PiecewiseConstantDecay",
            ([1, 2], [0.1, 0.2]),
            r"one more than boundaries.*values=\[0.1, 0.2\]",
        ),
        ("PiecewiseConstantDecay", ([2, 2], [0.1, 0.2, 0.3]), r"must increase. Received: \[2, 2\]"),
    ],
)
def test_impossible_schedules_are_refused(name: str, args: Any, message: str) -> None:
    """Steps that are not positive and lists that do not fit are refused at once."""
    with pytest.raises(ValueError, match=message):
        getattr(ours, name)(*args)
    with pytest.raises(ValueError, match="A warm-up needs warmup_target and a positive warmup"):
        ours.CosineDecay(0.1, 10, warmup_steps=5)


def test_a_custom_schedule_must_define_call() -> None:
    """The base class says what is missing."""
    with pytest.raises(NotImplementedError, match="must define __call__"):
        ours.LearningRateSchedule()(0)
