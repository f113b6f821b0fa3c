"""Past days ranked again by other parameters, from the lake's counts: shown beside what is published, and not kept."""

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import zip_longest

from pyspark.sql import DataFrame, SparkSession

from spark_jobs import lake
from spark_jobs.models import MODELS
from spark_jobs.options import Options
from spark_jobs.past import with_past
from spark_jobs.prepare import with_hidden
from spark_jobs.settings import Storage
from spark_jobs.warehouse import Warehouse

ADVERTISERS_TO_SHOW = 10
WIDTH = 48  # characters of one of two lists side by side

Lists = Mapping[str, list[tuple[str, str]]]
"""By advertiser, best first: product_id, and what is said of it."""


class CannotReplay(Exception):
    """A day has nothing to be replayed from, or to be compared with."""


def replay(spark: SparkSession, warehouse: Warehouse, storage: Storage, options: Options) -> None:
    """Print, for each day, how the lists would differ, and those of the advertisers that differ most; nothing is written.

    Products that people hide today are left out, as the next night would leave them out.
    """
    for day in options.days:
        began = time.monotonic()
        run = warehouse.published_run(day)
        if run is None:
            raise CannotReplay(f"{day} is not published; a replay is held against what is")
        counts = counts_of(spark, storage, day, run, warehouse.past_of(run))
        products = with_hidden(with_past(counts, [day]), warehouse.hidden_products()).where("not hidden").cache()
        changes = {}
        for table, model in MODELS.items():
            now = by_advertiser(warehouse.lists(table, run, model.scores))
            then = by_advertiser(rows_of(model.rank(products, options.top, options.evidence), model.scores))
            changes[table] = difference(now, then)
            numbers = ", ".join(f"{count:,} {what}" for what, count in changes[table].items())
            print(f"{day} {table}, against run {run}: {numbers}")
            for line in side_by_side(now, then):
                print(line)
        products.unpersist()
        seconds = round(time.monotonic() - began, 1)
        report = {"day": str(day), "run": run, "state": "replayed", "counts": {"changes": changes}, "seconds": seconds}
        print(json.dumps(report), flush=True)


def counts_of(spark: SparkSession, storage: Storage, day: date, run: int, past: Mapping[date, int]) -> DataFrame:
    """Return the day's counts, and those of its past that the lake still has."""
    kept = lake.kept(spark, storage.lake_uri, {**past, day: run})
    if day not in kept:
        raise CannotReplay(
            f"{storage.lake_uri} has no counts of run {run}, which {day} is published from; is it the lake?"
        )
    return lake.read_counts(spark, storage.lake_uri, kept)


def rows_of(ranked: DataFrame, scores: Sequence[str]) -> list[tuple[object, ...]]:
    columns = ranked.select("advertiser_id", "product_id", *scores, "rank")
    return [tuple(row)[:-1] for row in columns.orderBy("advertiser_id", "rank").collect()]


def by_advertiser(rows: list[tuple[object, ...]]) -> Lists:
    lists = defaultdict(list)
    for advertiser, product, *scores in rows:
        words = " ".join(f"{score:.4f}" if isinstance(score, float) else f"{score:,}" for score in scores)
        lists[str(advertiser)].append((str(product), words))
    return lists


def ranks(lists: Lists) -> dict[tuple[str, str], int]:
    return {(whose, product): n for whose, best in lists.items() for n, (product, _) in enumerate(best, start=1)}


def difference(now: Lists, then: Lists) -> dict[str, int]:
    """Return how many products would enter, leave and move."""
    before, after = ranks(now), ranks(then)
    return {
        "entered": len(after.keys() - before.keys()),
        "left": len(before.keys() - after.keys()),
        "moved": sum(before[product] != after[product] for product in before.keys() & after.keys()),
    }


def side_by_side(now: Lists, then: Lists) -> Iterator[str]:
    """Say line by line what the advertisers whose lists differ most have, and would have."""
    changed = {whose: differing(now.get(whose, []), then.get(whose, [])) for whose in now.keys() | then.keys()}
    most = sorted((whose for whose in changed if changed[whose]), key=lambda whose: (-changed[whose], whose))
    for whose in most[:ADVERTISERS_TO_SHOW]:
        yield f"  advertiser {whose}: {changed[whose]} of its places differ"
        yield f"    {'rank':>4}  {'published':<{WIDTH}}  replayed"
        places = zip_longest(now.get(whose, []), then.get(whose, []), fillvalue=("", ""))
        for rank, (left, right) in enumerate(places, start=1):
            yield f"    {rank:>4}  {' '.join(left):<{WIDTH}}  {' '.join(right)}".rstrip()


def differing(now: list[tuple[str, str]], then: list[tuple[str, str]]) -> int:
    """Count the places that another product would have."""
    return sum(left[0] != right[0] for left, right in zip_longest(now, then, fillvalue=("", "")))
