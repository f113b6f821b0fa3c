"""The Wilson score interval: the range in which a product's true click rate probably lies."""

from functools import lru_cache
from math import sqrt

Z = 1.959963984540054  # standard deviations from the mean that hold 95 % of a normal distribution


@lru_cache(maxsize=4096)  # each row needs it twice, and most products have one of a few small counts
def wilson(clicks: int, impressions: int) -> tuple[float, float]:
    """The lower and upper end of the 95 % interval for the click rate, from 0 to 1. There must be an impression.

    Clicks beyond the number of impressions (of ads shown the day before) are ignored, since no true rate exceeds 1.
    Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the American
    Statistical Association 22 (1927), 209-212.
    """
    clicks = min(clicks, impressions)
    center = clicks + Z * Z / 2
    margin = Z * sqrt(clicks * (impressions - clicks) / impressions + Z * Z / 4)
    total = impressions + Z * Z
    return max(0.0, (center - margin) / total), min(1.0, (center + margin) / total)
