"""Exploration: some places of a list go to products that may be better than their few impressions can show.

A product is a candidate if its credible interval reaches above the last listed score. Which candidates are drawn depends
on the day, the advertiser and their ids alone, so that responses can be cached and repeated.
"""

from collections.abc import Collection, Sequence

from django.db import connection

from webapp.curation.models import HiddenProduct
from webapp.lists.places import RANKABLE
from webapp.rankings.models import Advertiser, ExpectedCTR, Ranking, Run
from webapp.rankings.models.expected_ctr import CLICKS_SQL, IMPRESSIONS_SQL
from webapp.rankings.paulson import LOWER, UPPER

MOST_EXPLORED = 5  # products in one response

DRAW = f"""
    WITH {RANKABLE}, scored AS MATERIALIZED (
        SELECT
            product_id, clicks, impressions,
            {CLICKS_SQL} AS decayed_clicks, {IMPRESSIONS_SQL} AS decayed_impressions,
            {ExpectedCTR.score_sql} AS score,
            prior_weight * prior_mean + {CLICKS_SQL} AS a,
            prior_weight * (1 - prior_mean) + ({IMPRESSIONS_SQL} - {CLICKS_SQL}) AS b
        FROM rankable, prior
        WHERE {ExpectedCTR.ranked_sql} AND product_id NOT IN (SELECT unnest(%(hidden)s::text[]))
    ), ranked AS (
        SELECT *, row_number() OVER (ORDER BY score DESC, {ExpectedCTR.tie_breaker} DESC, product_id) AS rank FROM scored
    ), candidates AS (
        SELECT *, {UPPER} AS score_high FROM ranked
        WHERE product_id NOT IN (SELECT unnest(%(left_out)s::text[])) AND {UPPER} > %(score)s::float8
    ), drawn AS (
        SELECT * FROM candidates
        ORDER BY md5(concat_ws('/', %(day)s, %(advertiser)s, product_id)) LIMIT %(places)s
    )
    SELECT
        product_id, rank, clicks, impressions, decayed_clicks, decayed_impressions,
        decayed_clicks / decayed_impressions AS ctr, score, {LOWER} AS score_low, score_high
    FROM drawn ORDER BY rank
"""  # noqa: S608  # our own expressions


def explore(
    best: Sequence[Ranking], advertiser: Advertiser, run: Run, *, places: int, limit: int, exclude: Collection[str]
) -> list[Ranking]:
    """The best products of an ExpectedCTR list with some candidates in the last of `limit` places, by rank.

    There may be fewer candidates than places for them. The rank of each is the one that it has among all products.
    """
    drawn = load_drawn(best, advertiser, run, min(places, limit), exclude)
    return [*best[: limit - len(drawn)], *drawn]


def load_drawn(
    best: Sequence[Ranking], advertiser: Advertiser, run: Run, places: int, exclude: Collection[str]
) -> list[ExpectedCTR]:
    """The drawn candidates: neither hidden nor excluded, and not among the best ones, whose last score they may exceed."""
    hidden = HiddenProduct.objects.in_force().for_advertiser(advertiser)
    values = {
        "run": run.pk,
        "advertiser": advertiser.pk,
        "day": str(run.day),
        "hidden": list(hidden.values_list("product_id", flat=True)),
        "left_out": [*exclude, *(item.product_id for item in best)],
        "score": getattr(best[-1], ExpectedCTR.ordering_score),
        "places": places,
    }
    with connection.cursor() as cursor:
        cursor.execute(DRAW, values)
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    drawn = [ExpectedCTR(run=run, date=run.day, advertiser=advertiser, **row) for row in rows]
    for item in drawn:
        item.is_explored = True
    return drawn
