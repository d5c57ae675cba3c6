"""Quantiles of the normal distribution, and what a small number of batches makes of them."""

import math

NORMAL_QUANTILE = 1.959964
"""Of 95 % of a standard normal variable."""
POWER_QUANTILE = 0.841621
"""Standard normal quantile of 80 %."""
QUANTILE_WORTH_A_CAUSE = 2.807034
"""Standard normal quantile of 0.5 % in both tails: chance alone is then named in one run of a hundred at most, since
a run has two gaps."""


def student_quantile(normal: float, freedom: float) -> float:
    """Return the quantile of Student's t where the standard normal distribution has one.

    From 3 degrees of freedom on it is the Cornish–Fisher expansion (Abramowitz and Stegun 26.7.5), within 1.5 % up to a
    normal quantile of 2.81; for 1 and 2 it is exact, and in between that of the fewer.

    Args:
        normal: the standard normal quantile, at least 0.
        freedom: degrees of freedom, at least 1; may be infinite.
    """
    if not math.isfinite(freedom):
        return normal
    tail = math.erfc(normal / math.sqrt(2.0)) / 2.0
    if freedom < 2.0:
        return 1.0 / math.tan(math.pi * tail)
    if freedom < 3.0:
        share = 1.0 - 2.0 * tail
        return share * math.sqrt(2.0 / (1.0 - share**2))
    z, n = normal, freedom
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * n**4)
    )


def small_sample_inflation(batches: int, fitted: int) -> float:
    """Return what a bootstrap over few batches must be widened by: Student's t over normal, and n over n − fitted.

    The second is the jackknife's (CR3) scale, advised for few clusters (MacKinnon, Nielsen and Webb, Journal of
    Econometrics 232, 2023). The t quantile is the Cornish–Fisher expansion (Abramowitz and Stegun 26.7.5), within 1 %
    from 3 batches on.

    Args:
        batches: drawn from.
        fitted: the mean, and a slope where there is one.
    """
    freedom = max(1, batches - fitted)
    z = NORMAL_QUANTILE
    quantile = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    return float(quantile / z * batches / freedom)
