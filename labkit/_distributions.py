"""The two distributions behind the p-values of `labkit.stats`, beyond NumPy."""

from math import exp, lgamma, log, log1p

import numpy as np


def betainc(a: float, b: float, x: float) -> float:
    """Compute the regularized incomplete beta function I(x; a, b).

    The continued fraction <https://dlmf.nist.gov/8.17.E22>, by Lentz's method as modified
    by I. Thompson and A. Barnett (Journal of Computational Physics 64, 1986); it converges
    fast for x < (a + 1) / (a + b + 2), and I(x; a, b) = 1 - I(1 - x; b, a) serves the rest.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - betainc(b, a, 1 - x)
    front = exp(a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b)) / a
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, 10_000):
        change = 1.0
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            c, d = 1 + step / c, 1 / (1 + step * d)
            change *= c * d
        fraction *= change
        if abs(change - 1) < 1e-15:
            break
    return front * fraction


def inversions_at_most(few: int, n: int) -> float:
    """Find the share of the permutations of n things with at most `few` inversions.

    The i-th thing, put in among the others, adds 0 to i - 1 inversions, each as often.
    """
    share = np.zeros(few + 1)
    share[0] = 1.0
    for i in range(2, n + 1):
        share = np.convolve(share, np.full(min(i, few + 1), 1 / i))[: few + 1]
    return float(share.sum())
