"""Whether there are more copies across two sets than samples give that are merely alike by nature."""

import math

CLEAR_P_VALUE = 1e-4
"""Below it copies count as beyond chance."""


def copies_p_value(copies: int, across: float, repeats: int, within: float) -> float:
    """Return the probability of as many copies across the sets if pairs are alike as often as within each set.

    Given the total of equal pairs, those across the sets are then binomial; their probability is the fraction of the
    compared pairs that lie across the sets: the exact test of two Poisson rates (Przyborowski and Wilenski, Biometrika
    31, 1940).

    Args:
        copies: found across the sets.
        across: pairs compared across the sets.
        repeats: equal pairs found within the sets.
        within: pairs compared there.
    """
    if not copies or across + within <= 0:
        return 1.0
    total, share = copies + repeats, across / (across + within)
    if share >= 1.0:
        return 1.0
    return min(1.0, sum(_binomial(total, k, share) for k in range(copies, total + 1)))


def _binomial(total: int, count: int, share: float) -> float:
    ways = math.lgamma(total + 1) - math.lgamma(count + 1) - math.lgamma(total - count + 1)
    return math.exp(ways + count * math.log(share) + (total - count) * math.log1p(-share))
