"""A day's lists in figures. The database counts; the number of queries depends on neither advertisers nor products."""

from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, Exists, OuterRef, QuerySet, Value

from webapp.rankings import lists
from webapp.rankings.memory import kept_figures
from webapp.rankings.models import LASTING, Advertiser, Ranking, Run
from webapp.rankings.scorecards import Scorecard, scorecards

Rows = list[dict[str, Any]]

# SQL, because the ORM knows no full join. It counts per advertiser |A|, |B| and |A and B|, each in the order of an index
# and without a look at the tables; the rest is arithmetic: |A or B| = |A| + |B| - |A and B|.
COMPARED = """
    WITH viewed AS (
             SELECT advertiser_id, count(*) AS products FROM top_product WHERE run_id = %(run)s GROUP BY advertiser_id
         ),
         clicked AS (
             SELECT advertiser_id, count(*) AS products FROM top_ctr WHERE run_id = %(run)s GROUP BY advertiser_id
         ),
         common AS (
             SELECT advertiser_id, count(*) AS shared
             FROM top_product JOIN top_ctr USING (run_id, advertiser_id, product_id)
             WHERE run_id = %(run)s GROUP BY advertiser_id
         ),
         compared AS MATERIALIZED (
             SELECT advertiser_id,
                    coalesce(shared, 0) AS shared,
                    coalesce(viewed.products, 0) + coalesce(clicked.products, 0) - coalesce(shared, 0) AS products,
                    viewed.products > 0 AND clicked.products > 0 AS has_both
             FROM viewed FULL JOIN clicked USING (advertiser_id) LEFT JOIN common USING (advertiser_id)
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
"""
LEAST = ("advertiser_id", "shared", "overlap")


class Compared(NamedTuple):
    """Of one run's lists: the advertisers in either, their products, and how much both lists of one are alike."""

    with_recommendations: int
    products: int
    mean_overlap: float | None
    least_overlapping: Rows


@dataclass(frozen=True)
class Statistics:
    """What /stats says about one run; the two lists are cut to a limit, the other figures are not.

    A product is its advertiser's: the same product id at two advertisers is two products. The overlap of an advertiser
    with both lists is the Jaccard index |A and B| / |A or B|, from 0 (nothing shared) to 1 (the same products); its mean
    is None if nobody has both. Source: P. Jaccard, "The distribution of the flora in the alpine zone", New Phytologist
    11 (1912), 37-50.
    """

    run: Run
    active: int
    with_recommendations: int
    products: int
    scorecard: list[Scorecard]
    most_changed: Rows
    mean_overlap: float | None
    least_overlapping: Rows


@dataclass(frozen=True)
class StatisticsSource(lists.Source):
    """Of the run, what it is compared with, and the newest, with which the number of active advertisers changes."""

    run: Run
    previous: Run | None


def find_statistics(day: date | None) -> StatisticsSource:
    run = lists.find_run(day)
    newest = run if day is None else lists.find_run(None)
    previous = Run.objects.published().before(run.day).newest()
    runs = [each for each in dict.fromkeys([newest, run, previous]) if each is not None]
    return StatisticsSource(runs, None, run, previous)


def statistics(source: StatisticsSource, limit: int) -> Statistics:
    run = source.run
    return Statistics(
        run=run,
        active=Advertiser.objects.active().count(),
        scorecard=kept_figures(("scorecard", run.pk), lambda: scorecards(run)),
        most_changed=most_changed(run, source.previous, limit),
        **compared(run, limit)._asdict(),
    )


def compared(run: Run, limit: int = 0) -> Compared:
    """The run's lists side by side: how many there are of what, and those that overlap least."""

    def ask() -> Compared:
        with connection.cursor() as cursor:
            cursor.execute(COMPARED, {"run": run.pk, "limit": limit})
            rows = cursor.fetchall()
        least = [dict(zip(LEAST, row[3:], strict=True)) for row in rows if row[3] is not None]
        listed, products, mean, *_ = rows[0]
        return Compared(listed, products, mean, least)

    return kept_figures(("compared", run.pk, run.published_at, limit), ask)


def most_changed(run: Run, previous: Run | None, limit: int) -> Rows:
    """The lists with the most products that the last published day before did not have; none if there was no such day.

    Lists that gained nothing are left out; a list that did not exist the day before is new in all its products. Of
    Trending, where every day brings others, change says nothing.
    """
    if previous is None:
        return []
    first, *others = (newcomers(ranking, run, previous) for ranking in LASTING.values())
    changed = first.union(*others, all=True).order_by("-changed", "advertiser_id", "model")[:limit]
    return kept_figures(("most changed", run.pk, previous.pk, run.published_at, limit), lambda: list(changed))


def newcomers(ranking: type[Ranking], run: Run, previous: Run) -> QuerySet[Any, Any]:
    """Per advertiser: how many products of the run's list the previous run's did not have."""
    stayed = ranking.objects.of(previous).filter(advertiser=OuterRef("advertiser"), product_id=OuterRef("product_id"))
    gained = ranking.objects.of(run).filter(~Exists(stayed)).values("advertiser_id")
    return gained.annotate(model=Value(ranking.__name__), changed=Count("*"))  # no column, so that an index is enough
