"""The type names that annotations share."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Shape = tuple[int | None, ...]
