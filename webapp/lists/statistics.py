"""A day's lists in figures, counted by the database in a fixed number of queries."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, Exists, OuterRef, QuerySet, Value

from webapp.lists.inputs import Inputs
from webapp.lists.response_cache import cached_figures
from webapp.lists.scorecards import Scorecard, load_scorecards
from webapp.lists.selection import Selection, run_of
from webapp.rankings.models import LASTING, Advertiser, Ranking, Run
from webapp.rankings.querysets import ACTIVE_VERSION

VERSIONS = (ACTIVE_VERSION,)  # hidden products are counted as they were published
Rows = list[dict[str, Any]]

COMPARED = dict([*LASTING.items()][:2])
"""The two models whose lists are compared: the first two lasting ones."""
TABLE_A, TABLE_B = (ranking._meta.db_table for ranking in COMPARED.values())

# SQL, because the ORM has no full join. Per advertiser it counts |A|, |B| and |A and B|, each in the order of an index
# and without reading the tables; the rest is arithmetic: |A or B| = |A| + |B| - |A and B|.
COMPARE = f"""
    WITH a AS (SELECT advertiser_id, count(*) AS products FROM {TABLE_A} WHERE run_id = %(run)s GROUP BY advertiser_id),
         b AS (SELECT advertiser_id, count(*) AS products FROM {TABLE_B} WHERE run_id = %(run)s GROUP BY advertiser_id),
         common AS (
             SELECT advertiser_id, count(*) AS shared
             FROM {TABLE_A} JOIN {TABLE_B} USING (run_id, advertiser_id, product_id)
             WHERE run_id = %(run)s GROUP BY advertiser_id
         ),
         compared AS MATERIALIZED (
             SELECT advertiser_id,
                    coalesce(shared, 0) AS shared,
                    coalesce(a.products, 0) + coalesce(b.products, 0) - coalesce(shared, 0) AS products,
                    a.products > 0 AND b.products > 0 AS has_both
             FROM a FULL JOIN b USING (advertiser_id) LEFT JOIN common USING (advertiser_id)
         ),
         totals AS (
             SELECT count(*) AS listed,
                    coalesce(sum(products), 0)::bigint AS products,
                    avg(shared::float / products) FILTER (WHERE has_both) AS mean
             FROM compared
         ),
         least AS (
             SELECT advertiser_id, shared, shared::float / products AS overlap
             FROM compared WHERE has_both ORDER BY overlap, advertiser_id LIMIT %(limit)s
         )
    SELECT listed, totals.products, mean, advertiser_id, shared, overlap
    FROM totals LEFT JOIN least ON true ORDER BY overlap, advertiser_id
"""  # noqa: S608  # the tables of our own models
LEAST = ("advertiser_id", "shared", "overlap")


class Comparison(NamedTuple):
    """The lists of the two compared models in one run: advertisers in either, their products, and the overlap."""

    with_recommendations: int
    products: int
    mean_overlap: float | None
    least_overlapping: Rows


@dataclass(frozen=True)
class Statistics:
    """What /stats says about one run; a limit cuts `most_changed` and `least_overlapping`, nothing else.

    A product belongs to its advertiser: the same product id of two advertisers counts twice. The overlap of an
    advertiser with both lists is the Jaccard index |A and B| / |A or B|, from 0 (nothing shared) to 1 (the same
    products); the mean is None if no advertiser has both. Source: P. Jaccard, "The distribution of the flora in the
    alpine zone", New Phytologist 11 (1912), 37-50.
    """

    run: Run
    active: int
    comparison: Comparison
    scorecard: list[Scorecard]
    most_changed: Rows


@dataclass(frozen=True)
class StatisticsSelection(Selection):
    """The run and the one it is compared with."""

    run: Run
    previous: Run | None


def select_statistics(inputs: Inputs) -> StatisticsSelection:
    """The requested run, and the one before if the inputs have two."""
    run, previous = run_of(inputs), next(iter(inputs.runs[1:]), None)
    return StatisticsSelection(inputs.runs, None, inputs.versions, run, previous)


def load_statistics(selection: StatisticsSelection, limit: int) -> Statistics:
    run = selection.run
    return Statistics(
        run=run,
        active=Advertiser.objects.active().count(),
        comparison=load_comparison(run, limit),
        scorecard=cached_figures(("scorecard", run.pk), lambda: load_scorecards(run)),
        most_changed=load_most_changed(run, selection.previous, limit),
    )


def load_comparison(run: Run, limit: int = 0) -> Comparison:
    """The comparison of the run's lists, with up to `limit` advertisers whose lists overlap least."""

    def compare() -> Comparison:
        with connection.cursor() as cursor:
            cursor.execute(COMPARE, {"run": run.pk, "limit": limit})
            rows = cursor.fetchall()
        least = [dict(zip(LEAST, row[3:], strict=True)) for row in rows if row[3] is not None]
        listed, products, mean, *_ = rows[0]
        return Comparison(listed, products, mean, least)

    return cached_figures(("comparison", run.pk, run.published_at, limit), compare)


def load_most_changed(run: Run, previous: Run | None, limit: int) -> Rows:
    """The lists with the most products that were not in the previous published day's; none without such a day.

    Lists without new products are left out. Models that are not lasting are too, since their lists change every day, and
    those by which the previous day was not ranked.
    """
    if previous is None:
        return []
    first, *others = (count_new_products(ranking, run, previous) for ranking in LASTING.values())
    changed = first.union(*others, all=True).order_by("-changed", "advertiser_id", "model")[:limit]
    return cached_figures(("most changed", run.pk, previous.pk, run.published_at, limit), lambda: list(changed))


def count_new_products(ranking: type[Ranking], run: Run, previous: Run) -> QuerySet[Any, Any]:
    """Per advertiser, how many products of the run's list are not in the previous run's."""
    stayed = ranking.objects.of(previous).filter(advertiser=OuterRef("advertiser"), product_id=OuterRef("product_id"))
    ranked_before = Exists(ranking.objects.of(previous))
    gained = ranking.objects.of(run).filter(ranked_before, ~Exists(stayed)).values("advertiser_id")
    return gained.annotate(model=Value(ranking.__name__), changed=Count("*"))  # no column, so that an index is enough
