"""The credible interval of a click rate in SQL: quantiles of a beta distribution."""

from webapp.rankings.wilson import Z

# An expression over the columns a and b, the parameters of the distribution: positive, with a sum of 2 at least.
QUANTILE = """(
    SELECT CASE WHEN b < a THEN 1 - x ELSE x END
    FROM (
        SELECT
            least(a, b) AS p, greatest(a, b) AS q, 1 / (9 * least(a, b)) AS u, 1 / (9 * greatest(a, b)) AS v,
            CASE WHEN b < a THEN -({z}) ELSE {z} END AS z
    ) AS ordered,
    LATERAL (
        SELECT greatest(0, (
            (1 - u) * (1 - v) + z * sqrt(greatest(0, (1 - v) ^ 2 * u + (1 - u) ^ 2 * v - z ^ 2 * u * v))
        ) / ((1 - v) ^ 2 - z ^ 2 * v)) AS root
    ) AS approximated,
    LATERAL (SELECT p * root ^ 3 / (q + p * root ^ 3) AS x) AS quantile
)"""
LOWER, UPPER = QUANTILE.format(z=f"(-{Z})"), QUANTILE.format(z=Z)
"""The ends of the 95 % interval by Paulson's approximation of the beta distribution; 0 for the lower end if a is small.

The larger parameter is made the second one, since the approximation needs that, and 1 - x has a and b exchanged. Source:
E. Paulson, "An Approximate Normalization of the Analysis of Variance Distribution", Annals of Mathematical Statistics 13
(1942), 233-235.
"""
