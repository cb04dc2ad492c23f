"""Real data under one roof: what installed packages ship, and what must be downloaded.

The `load_…` functions need no network: scikit-learn, statsmodels and Python itself ship the
files. `mnist`, `fashion_mnist` and `cifar10` are modules with `load_data`, as in Keras;
they download once and check every byte against a published checksum.
"""

from labkit.datasets import cifar10, fashion_mnist, mnist
from labkit.datasets._bundled import (
    Dataset,
    Photograph,
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_elnino,
    load_iris,
    load_photographs,
    load_text,
    load_wine,
)

__all__ = [
    "Dataset",
    "Photograph",
    "cifar10",
    "fashion_mnist",
    "load_breast_cancer",
    "load_diabetes",
    "load_digits",
    "load_elnino",
    "load_iris",
    "load_photographs",
    "load_text",
    "load_wine",
    "mnist",
]
