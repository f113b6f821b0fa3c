"""A product's counts and its place among the advertiser's, from the rows of advertiser_counts.

PostgreSQL reads the rows' JSON and ranks: for 100,000 products that takes a fraction of the time that Python takes, and
none of it in the web server.
"""

from typing import Any, NamedTuple

from django.db import connection

from webapp.rankings.models import AdvertiserCounts, Ranking

NUMBERS = ", ".join(
    f"(numbers ->> {place})::bigint AS {name}" for place, name in enumerate(AdvertiserCounts.PRODUCT_NUMBERS)
)
RANKABLE = f"""
    parts AS (
        SELECT * FROM advertiser_counts WHERE run_id = %(run)s AND advertiser_id = %(advertiser)s
    ), counted AS MATERIALIZED (
        SELECT each.product_id COLLATE "C" AS product_id, {NUMBERS}
        FROM parts, json_each(products::json) AS each (product_id, numbers)
    ), hidden_ids AS (
        SELECT json_array_elements_text(hidden::json) AS product_id FROM parts
    ), rankable AS (
        SELECT counted.* FROM counted LEFT JOIN hidden_ids USING (product_id) WHERE hidden_ids.product_id IS NULL
    ), prior AS (
        SELECT max(prior_mean) AS prior_mean, max(prior_weight) AS prior_weight FROM parts
    )
"""  # noqa: S608  # the names of our own columns
"""The counts of the products that the run did not leave out as hidden, and the prior, the same in all parts that have one."""
FIND_PLACE = """
    WITH {rankable}, totals AS (
        SELECT coalesce(sum(impressions), 0)::float8 AS all_impressions, coalesce(sum(clicks), 0)::float8 AS all_clicks
        FROM rankable
    ), ranked AS MATERIALIZED (
        SELECT product_id, {score} AS score, {tie} AS tie FROM rankable, totals, prior WHERE {ranked}
    ), place AS (
        SELECT count(*) + 1 AS rank FROM ranked
        WHERE (-score, -tie, product_id) < (SELECT -score, -tie, product_id FROM ranked WHERE product_id = %(product)s)
    )
    SELECT
        (SELECT to_json(counted) FROM counted WHERE product_id = %(product)s) AS product,
        (SELECT rejected::json -> %(product)s::text FROM parts WHERE rejected::jsonb ? %(product)s) AS rejected,
        (SELECT count(*) > 0 FROM hidden_ids WHERE product_id = %(product)s) AS hidden,
        all_impressions::bigint, all_clicks::bigint, prior_mean, prior_weight,
        (SELECT count(*) FROM ranked) AS ranked, rank,
        (SELECT score FROM ranked WHERE product_id = %(product)s) AS score,
        (
            SELECT json_build_array(product_id, score)
            FROM ranked ORDER BY score DESC, tie DESC, product_id LIMIT 1 OFFSET %(top)s - 1
        ) AS cut
    FROM totals, prior, place
"""


class Place(NamedTuple):
    """The columns of FIND_PLACE. `rank` and `score` are the product's if it is ranked; the cut is the last one listed."""

    product: dict[str, Any] | None
    rejected: dict[str, int] | None
    hidden: bool
    impressions: int
    clicks: int
    prior_mean: float | None
    prior_weight: float | None
    ranked: int
    rank: int
    score: float | None
    cut: tuple[str, float] | None  # product id and score


def load_place(row: AdvertiserCounts, ranking: type[Ranking], product_id: str) -> Place:
    """The product's place in the order in which the run ranked the advertiser's products."""
    sql = FIND_PLACE.format(
        rankable=RANKABLE, score=ranking.score_sql, tie=ranking.tie_breaker, ranked=ranking.ranked_sql
    )
    values = {
        **row.run.parameters,
        "past_days": row.past_days,
        "run": row.run_id,
        "advertiser": row.advertiser_id,
        "product": product_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return Place(*cursor.fetchone())
