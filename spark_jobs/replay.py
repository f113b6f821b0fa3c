"""Replay: rank published days again with other parameters, from the lake, and print how the lists would change."""

import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import zip_longest

from pyspark.sql import DataFrame

from spark_jobs import lake
from spark_jobs.actions import cached
from spark_jobs.filters import literal_frame, mark_hidden
from spark_jobs.job import Job
from spark_jobs.ranking.registry import MODELS
from spark_jobs.ranking.windows import with_history
from spark_jobs.reports import Report
from spark_jobs.warehouse import comparisons, ledger, lists, publication

COLUMN_WIDTH = 48  # characters

Lists = Mapping[str, list[str]]
"""By advertiser, best first: a product and its numbers, as one text."""


class CannotReplay(Exception):
    """A day is not published, or the lake does not have its daily counts."""


def replay(job: Job) -> None:
    """Print for each day and model how many products would change, and the lists that would change most.

    Products that are hidden today are left out, as in the next nightly run. Nothing is stored.
    """
    for day in job.options.days:
        began = time.monotonic()
        run = ledger.read_published_runs(job.warehouse, day, day).get(day)
        if run is None:
            raise CannotReplay(f"{day} is not published, so there is nothing to compare a replay with")
        hidden = publication.read_hidden_products(job.warehouse)
        counts, active = read_daily_counts(job, day, run), read_active_advertisers(job, day, run)
        products = with_history(counts, {day: run}, active, job.options.ranking.half_life_days)
        with cached(mark_hidden(products, hidden).where("not hidden")) as rankable:
            changes = {model: replay_model(job, model, day, run, rankable) for model in MODELS}
        seconds = round(time.monotonic() - began, 1)
        job.reports.add(Report(day, run, "replayed", {"changes": changes}, seconds))


def read_daily_counts(job: Job, day: date, run: int) -> DataFrame:
    """Read the published run's daily counts, and those of its history that the lake still has."""
    lake_uri = job.storage.lake_uri
    found = lake.find_counts(job.spark, lake_uri, {**ledger.read_history(job.warehouse, run), day: run})
    if day not in found:
        raise CannotReplay(
            f"{lake_uri} has no counts of run {run}, the published run of {day}; is this the right lake?"
        )
    return lake.read_counts(job.spark, lake_uri, found)


def read_active_advertisers(job: Job, day: date, run: int) -> DataFrame:
    """Read which advertisers with anything to rank were active, as the published run saw it: (date, advertiser_id)."""
    pairs = [(str(day), advertiser) for advertiser in lists.read_counted_advertisers(job.warehouse, run)]
    return literal_frame(job.spark, ["date date", "advertiser_id string"], pairs)


def replay_model(job: Job, name: str, day: date, run: int, products: DataFrame) -> dict[str, int]:
    """Rank by one model, print how its lists would change, and return how many products enter, leave and move."""
    model = MODELS[name]
    ranked = model.rank(products, job.options.top, job.options.ranking)
    rows = ranked.select("advertiser_id", "rank", "product_id", *model.shown_columns).collect()
    published = comparisons.rows_of_run(name, run)
    replayed = comparisons.rows_in_memory([(row.advertiser_id, row.product_id, row["rank"]) for row in rows])
    changes = comparisons.count_changes(job.warehouse, published, replayed)
    most_changed = comparisons.most_changed_advertisers(job.warehouse, [(published, replayed)])
    show(f"{day} {name}, compared with run {run}: {', '.join(f'{n:,} {change}' for change, n in changes.items())}")
    old = lists_of(lists.read_lists(job.warehouse, name, run, model.shown_columns, list(most_changed)))
    new = lists_of(sorted(tuple(row) for row in rows if row.advertiser_id in most_changed))
    for advertiser, count in most_changed.items():
        show(f"  advertiser {advertiser}: {count:,} products")
        for line in in_two_columns(old.get(advertiser, []), new.get(advertiser, [])):
            show(line)
    return changes


def show(line: str) -> None:
    """Print a line for people. Standard output is for the reports."""
    print(line, file=sys.stderr)


def lists_of(rows: Iterable[tuple[object, ...]]) -> Lists:
    """Return the lists of rows (advertiser_id, rank, product_id, *numbers) that are in order."""
    found = defaultdict(list)
    for advertiser, _, product, *numbers in rows:
        as_text = [f"{number:.4f}" if isinstance(number, float) else f"{number:,}" for number in numbers]
        found[str(advertiser)].append(" ".join([str(product), *as_text]))
    return found


def in_two_columns(old: list[str], new: list[str]) -> Iterator[str]:
    """Yield the lines of a table of both lists."""
    yield f"    {'rank':>4}  {'published':<{COLUMN_WIDTH}}  replayed"
    for rank, (left, right) in enumerate(zip_longest(old, new, fillvalue=""), start=1):
        yield f"    {rank:>4}  {left:<{COLUMN_WIDTH}}  {right}".rstrip()
