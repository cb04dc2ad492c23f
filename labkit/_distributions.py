"""The two distributions behind the p-values of `labkit.stats`, beyond NumPy."""

from math import exp, lgamma, log, log1p, sqrt

import numpy as np


def betainc(a: float, b: float, x: float) -> float:
    """Compute the regularized incomplete beta function I(x; a, b).

    The continued fraction <https://dlmf.nist.gov/8.17.E22>, from its far end back to the
    front; it converges fast for x < (a + 1) / (a + b + 2), in some sqrt(max(a, b)) steps,
    and I(x; a, b) = 1 - I(1 - x; b, a) serves the rest.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - betainc(b, a, 1 - x)
    fraction = 0.0
    for m in reversed(range(60 + int(5 * sqrt(max(a, b))))):
        even = (m + 1) * (b - m - 1) * x / ((a + 2 * m + 1) * (a + 2 * m + 2))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        fraction = odd / (1 + even / (1 + fraction))
    front = exp(a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b)) / a
    return front / (1 + fraction)


def inversions_at_most(few: int, n: int) -> float:
    """Find the share of the permutations of n things with at most `few` inversions.

    The i-th thing, put in among the others, adds 0 to i - 1 inversions, each as often.
    """
    share = np.ones(1)
    for i in range(2, n + 1):
        share = np.convolve(share, np.full(min(i, few + 1), 1 / i))[: few + 1]
    return float(share.sum())
