"""Real data under one roof: what installed packages ship, and what must be downloaded.

The `load_…` functions need no network: scikit-learn, statsmodels and Python itself ship the
files. `mnist`, `fashion_mnist` and `cifar10` are modules with `load_data`, as in Keras;
they download once and check every byte against a published checksum.

Data from scikit-learn come as its `Bunch`, with the NumPy arrays `data` and `target`, the
column names `feature_names` and, for classes, `target_names`. Each function says where its
data come from, on what terms, and in what units.
"""

from typing import Any

import numpy as np

from labkit._common import extra
from labkit.datasets import cifar10, fashion_mnist, mnist

__all__ = ["cifar10", "fashion_mnist", "load_breast_cancer", "load_diabetes", "load_digits"]
__all__ += ["load_elnino", "load_iris", "load_photographs", "load_shifted_digits", "load_text"]
__all__ += ["load_wine", "mnist"]

Pair = tuple[np.ndarray, np.ndarray]


def load_digits() -> Any:
    """Load 1,797 handwritten digits of 8 × 8 pixels.

    Each pixel counts the inked dots in one 4 × 4 block of a 32 × 32 scan, so it goes from 0
    (paper) to 16. These are the 1,797 test samples of "Optical Recognition of Handwritten
    Digits" (E. Alpaydin and C. Kaynak, UCI, 1998, CC BY 4.0,
    <https://doi.org/10.24432/C50P49>), as scikit-learn ships them.

    Returns:
        `data` of shape (1797, 64), `images` of shape (1797, 8, 8), `target` 0 to 9.

    Raises:
        ImportError: scikit-learn is not installed.
    """
    return extra("sklearn.datasets", "data").load_digits()


def load_shifted_digits(*, copies: int = 4, seed: int = 0) -> tuple[Pair, Pair]:
    """Make sheets of 16 × 16 pixels, each with one digit of `load_digits` at a random place.

    A fifth of the digits, with the same share of each class, is kept for testing, so no digit is on
    sheets of both kinds.

    Args:
        copies: Number of sheets for each digit, each with a place of its own.
        seed: Of the split and of the places.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, as Keras's data sets come: `x` of shape
        (sheets, 16, 16, 1), float32 from 0 to 1; `y` of shape (sheets,), 0 to 9. With four copies
        5,748 sheets for training and 1,440 for testing.

    Raises:
        ImportError: scikit-learn is not installed.
    """
    split = extra("sklearn.model_selection", "data").train_test_split
    digits = load_digits()
    numbers = np.arange(len(digits.target))
    rng = np.random.default_rng(seed)

    def sheets(chosen: np.ndarray) -> Pair:
        repeated = np.repeat(chosen, copies)
        x = np.zeros((len(repeated), 16, 16, 1), "float32")
        for sheet, image in zip(x, digits.images[repeated], strict=True):
            row, column = rng.integers(0, 9, 2)
            sheet[row : row + 8, column : column + 8, 0] = image / 16
        return x, digits.target[repeated]

    train, test = split(numbers, test_size=0.2, stratify=digits.target, random_state=seed)
    return sheets(train), sheets(test)


def load_diabetes(*, scaled: bool = True) -> Any:
    """Load ten measurements of 442 people with diabetes and the disease's progress.

    The target is a quantitative measure of progress one year later (25 to 346, no unit
    given). From B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, "Least angle
    regression", Annals of Statistics 32 (2004),
    <https://doi.org/10.1214/009053604000000067>.

    Args:
        scaled: Center each column and divide it by its norm, as scikit-learn does. With
            False the columns are as published: age in years, bmi in kg/m², mean blood
            pressure bp and the serum values s1 to s6 without a stated unit.

    Returns:
        `data` of shape (442, 10), `target` of shape (442,).

    Raises:
        ImportError: scikit-learn is not installed.
    """
    return extra("sklearn.datasets", "data").load_diabetes(scaled=scaled)


def load_iris() -> Any:
    """Load four lengths in cm of 150 iris flowers of three species.

    R. A. Fisher, "The use of multiple measurements in taxonomic problems" (1936); UCI,
    CC BY 4.0, <https://doi.org/10.24432/C56C76>.

    Returns:
        `data` of shape (150, 4), `target` 0 to 2.

    Raises:
        ImportError: scikit-learn is not installed.
    """
    return extra("sklearn.datasets", "data").load_iris()


def load_wine() -> Any:
    """Load a chemical analysis of 178 wines of three grape varieties from one region of Italy.

    S. Aeberhard and M. Forina, "Wine", UCI (1992), CC BY 4.0,
    <https://doi.org/10.24432/C5PC7J>.

    Returns:
        `data` of shape (178, 13), `target` 0 to 2.

    Raises:
        ImportError: scikit-learn is not installed.
    """
    return extra("sklearn.datasets", "data").load_wine()


def load_breast_cancer() -> Any:
    """Load thirty measurements of cell nuclei in 569 images of breast tissue.

    W. Wolberg, O. Mangasarian, N. Street and W. Street, "Breast Cancer Wisconsin
    (Diagnostic)", UCI (1993), CC BY 4.0, <https://doi.org/10.24432/C5DW2B>.

    Returns:
        `data` of shape (569, 30), `target` 0 (malignant) or 1 (benign).

    Raises:
        ImportError: scikit-learn is not installed.
    """
    return extra("sklearn.datasets", "data").load_breast_cancer()


def load_photographs() -> dict[str, np.ndarray]:
    """Load the two photographs that scikit-learn ships: a Chinese temple and a flower.

    Both are CC BY 2.0, so name title, author, license and source wherever one is shown:
    "China" by danielbuechele, <https://www.flickr.com/photos/danielbuechele/6061409035/>,
    and "Flower" by vultilion, <https://www.flickr.com/photos/vultilion/6056698931/>.

    Returns:
        `"china"` and `"flower"`: uint8 pixels, 0 to 255, shape (427, 640, 3) each, red,
        green, blue.

    Raises:
        ImportError: scikit-learn or Pillow is not installed.
    """
    load = extra("sklearn.datasets", "data").load_sample_image
    return {name: load(f"{name}.jpg").copy() for name in ("china", "flower")}


def load_elnino() -> tuple[np.ndarray, np.ndarray]:
    """Load monthly sea-surface temperatures off Peru, 1950 to 2010.

    The mean in °C over 0 to 10° south, 90 to 80° west (region Niño 1+2). ERSST.V3B of the
    United States' National Oceanic and Atmospheric Administration, public domain,
    <https://www.cpc.ncep.noaa.gov/data/indices/>, as statsmodels ships it.

    Returns:
        The years, shape (61,), and the temperatures, shape (61, 12), January to December.

    Raises:
        ImportError: statsmodels is not installed.
    """
    table = extra("statsmodels.datasets.elnino", "data").load_pandas().data.to_numpy()  # (61, 13)
    return table[:, 0].astype(int), table[:, 1:]


def load_text() -> str:
    """Load the reference text of Python's own `help()`: plain English, some of it grammar.

    About 460,000 characters in Python 3.11, from the standard library's
    `pydoc_data.topics`; it changes a little with each Python version. Python Software
    Foundation license, <https://docs.python.org/3/license.html>.

    Returns:
        All topics in alphabetical order, joined by empty lines.
    """
    from pydoc_data.topics import topics  # here, as it is large

    return "\n\n".join(topics[name].strip() for name in sorted(topics))
