"""A day's lists in figures. The database counts; the number of queries depends on neither advertisers nor products."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, OuterRef, QuerySet, Value

from webapp.rankings import lists
from webapp.rankings.models import RANKINGS, Advertiser, Ranking, Run

Rows = list[dict[str, Any]]

# SQL, because the ORM knows no full join: it puts each product of either list on one row, and reads each list once.
OVERLAPS = """
    WITH viewed AS (SELECT advertiser_id, product_id, rank FROM top_product WHERE run_id = %(run)s),
         clicked AS (SELECT advertiser_id, product_id, rank FROM top_ctr WHERE run_id = %(run)s),
         compared AS (
             SELECT advertiser_id,
                    count(viewed.rank + clicked.rank) AS shared,
                    count(viewed.rank + clicked.rank)::float / count(*) AS overlap
             FROM viewed FULL JOIN clicked USING (advertiser_id, product_id)
             GROUP BY advertiser_id
             HAVING count(viewed.rank) > 0 AND count(clicked.rank) > 0
         )
    SELECT advertiser_id, shared, overlap, avg(overlap) OVER () AS mean
    FROM compared
    ORDER BY overlap, advertiser_id
    LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Statistics:
    """What /stats says about one run; the two lists are cut to a limit, `mean_overlap` is not."""

    run: Run
    active: int
    with_recommendations: int
    products: int
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
    mean_overlap, least_overlapping = overlaps(run, limit)
    return Statistics(
        run=run,
        active=Advertiser.objects.active().count(),
        with_recommendations=listed(run, "advertiser_id"),
        products=listed(run, "advertiser_id", "product_id"),
        most_changed=most_changed(run, source.previous, limit),
        mean_overlap=mean_overlap,
        least_overlapping=least_overlapping,
    )


def listed(run: Run, *columns: str) -> int:
    """How many different values the columns have in the run's lists, of all rankings together.

    A product is its advertiser's: the same product id at two advertisers is two products.
    """
    first, *others = (ranking.objects.of(run).values(*columns) for ranking in RANKINGS.values())
    return first.union(*others).count()


def most_changed(run: Run, previous: Run | None, limit: int) -> Rows:
    """The lists with the most products that the last published day before did not have; none if there was no such day.

    Lists that gained nothing are left out; a list that did not exist the day before is new in all its products.
    """
    if previous is None:
        return []
    first, *others = (newcomers(ranking, run, previous) for ranking in RANKINGS.values())
    changed = first.union(*others, all=True)
    return list(changed.order_by("-changed", "advertiser_id", "model")[:limit])


def newcomers(ranking: type[Ranking], run: Run, previous: Run) -> QuerySet[Any, Any]:
    """Per advertiser: how many products of the run's list the previous run's did not have."""
    stayed = ranking.objects.of(previous).filter(advertiser=OuterRef("advertiser"), product_id=OuterRef("product_id"))
    gained = ranking.objects.of(run).filter(~Exists(stayed)).values("advertiser_id")
    return gained.annotate(model=Value(ranking.__name__), changed=Count("id"))


def overlaps(run: Run, limit: int) -> tuple[float | None, Rows]:
    """The mean overlap of the advertisers with both lists, None if nobody has, and the advertisers who overlap least.

    The overlap is the Jaccard index |A and B| / |A or B|, from 0 (nothing shared) to 1 (the same products).
    Source: P. Jaccard, "The distribution of the flora in the alpine zone", New Phytologist 11 (1912), 37-50.
    """
    with connection.cursor() as cursor:
        cursor.execute(OVERLAPS, {"run": run.pk, "limit": limit})
        rows = cursor.fetchall()
    mean = rows[0][-1] if rows else None
    return mean, [{"advertiser_id": who, "shared": shared, "overlap": overlap} for who, shared, overlap, _ in rows]
