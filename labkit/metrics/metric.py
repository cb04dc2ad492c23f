"""The base of all metrics: sums over batches, and a score that follows from them."""

from typing import Any

import numpy as np

from labkit._common import Array, snake_case
from labkit.losses.loss import Weight, pair


class Metric:
    """Base of all metrics: sums over all samples, and a score that follows from the sums.

    A subclass defines `add`, and `score` unless the sums are the result; or, as in Keras,
    `update_state`, `result` and `reset_state`.

    Args:
        name: Shown in logs; `None` means the class's name, as in `"top_k_categorical_accuracy"`.

    Attributes:
        direction: 1 if higher is better, -1 if lower is, 0 if unknown; for callbacks.
        supports_masking: Whether the steps that an output's mask leaves out do not count.
        sparse: Whether targets are integer labels, which become one-hot rows; `None` if
            their shape tells.
        sums: What `add` has returned so far, summed; 0 at the beginning.
    """

    direction = 0
    supports_masking = False
    sparse: bool | None = False
    sums: Any = 0.0

    def __init__(self, *, name: str | None = None) -> None:
        self.name = name or snake_case(type(self).__name__)

    def add(self, y_true: Array, y_pred: Array, sample_weight: Weight) -> Any:
        """Return what a batch of samples, `(batch, ..., outputs)`, adds to the sums."""
        raise NotImplementedError(f"{type(self).__name__} needs add() or update_state().")

    def score(self, sums: Array) -> Any:
        """Return the metric, a float or an array, of these sums."""
        return sums.copy()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Weight = None) -> None:
        """Add a batch.

        Args:
            y_true: Targets, `(batch, ..., outputs)`; integer labels are `(batch, ...)`.
            y_pred: Predictions, `(batch, ..., outputs)`.
            sample_weight: One weight per sample, `(batch,)`, or value, `(batch, ...)`.

        Raises:
            TypeError: Something is not an array of numbers.
            ValueError: Shapes do not fit, or a target is impossible.
        """
        t, p = pair(self.name, y_true, y_pred, self.sparse)
        self.sums = self.sums + self.add(t, p, sample_weight)

    def result(self) -> Any:
        """Return the metric of all that has been added, a float or an array; 0 before that."""
        return self.score(self.sums) if np.ndim(self.sums) else 0.0

    def reset_state(self) -> None:
        """Forget everything that has been added."""
        self.sums = 0.0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch, as `update_state` does, and return the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()


def ratio(a: Any, b: Any) -> Any:
    """Return `a / b`, and 0 where `b` is 0."""
    return np.where(b == 0, 0, a / np.where(b == 0, 1, b))[()]
