"""Between which rates the truth probably lies, when clicks were counted."""

from functools import lru_cache
from math import sqrt

Z = 1.959963984540054  # 95 % of a normal distribution lie within so many standard deviations


@lru_cache(maxsize=4096)  # asked for each end, and most products have one of a few small counts
def wilson(clicks: int, impressions: int) -> tuple[float, float]:
    """The 95 % interval for a click rate, its lower and its upper end, from 0 to 1; there must be an impression.

    More clicks than impressions, of ads that were shown the day before, count as one for each: no rate is above 1.
    Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the American
    Statistical Association 22 (1927), 209-212.
    """
    clicks = min(clicks, impressions)
    middle = clicks + Z * Z / 2
    reach = Z * sqrt(clicks * (impressions - clicks) / impressions + Z * Z / 4)
    whole = impressions + Z * Z
    return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)
