"""Quantiles of the normal distribution, and what a small number of batches makes of them."""

NORMAL_QUANTILE = 1.959964
"""Of 95 % of a standard normal variable."""
POWER_QUANTILE = 0.841621
"""Standard normal quantile of 80 %."""
QUANTILE_WORTH_A_CAUSE = 2.807034
"""Standard normal quantile of 0.5 % in both tails: chance alone is then named in one run of a hundred at most, since
a run has two gaps."""


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
