"""A run's counts: lines read and rejected, events, products and list lengths, as the ledger keeps them."""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.job import Options
from spark_jobs.ranking.registry import MODELS, WINDOW_TABLES
from spark_jobs.ranking.windows import KINDS, WINDOWS, by_window
from spark_jobs.raw.events import EVENT_NAMES, RawEvents


def read_run_counts(
    raw: RawEvents, products: DataFrame, runs: Mapping[date, int], options: Options
) -> dict[date, dict[str, Any]]:
    """Return the counts of each day's run.

    `products` are those of the days with their history, and whether each is `hidden`.
    """
    names, rows = _sums_by_window(products, options)
    sums = {(row.date, row.days): {name: row[name] for name in names} for row in rows}
    none = dict.fromkeys(names, 0)
    counts = {}
    for day in runs:
        of_day = sums.get((day, 1), none)
        of_windows = {
            table: sum(sums.get((day, days), none)[model] for days in WINDOWS) for table, model in WINDOW_TABLES.items()
        }
        of_windows["lists"] = sum(sums.get((day, days), none)["lists"] for days in (1, *WINDOWS))
        counts[day] = _line_counts(raw, day, of_day) | of_day | of_windows
    return counts


def _sums_by_window(products: DataFrame, options: Options) -> tuple[list[str], list[Any]]:
    """Return the names of the sums, and a row of them for each day and window: what is counted, and what each list holds."""
    has_events = reduce(Column.__add__, [F.col(kind) for kind in KINDS]) > 0
    sums = {"products": F.count_if(has_events), "hidden_products": F.count_if(has_events & F.col("hidden"))}
    sums |= {kind: F.sum(kind) for kind in KINDS}
    listed = {
        table: F.least(F.count_if(~F.col("hidden") & model.is_eligible(options.ranking)), F.lit(options.top))
        for table, model in MODELS.items()
    }
    by_list = (
        by_window(products, (1, *WINDOWS))
        .groupBy("date", "days", "advertiser_id")
        .agg(*[column.alias(name) for name, column in (sums | listed).items()])
    )
    lists = number_of_lists(MODELS)
    by_day = by_list.groupBy("date", "days").agg(
        *[F.sum(name).alias(name) for name in (*sums, *listed)],
        F.count_if((lists > 0) & (F.col("products") > 0)).alias("listed_advertisers"),  # not by earlier days alone
        F.sum(F.when(F.col("days") == 1, lists).otherwise(number_of_lists(WINDOW_TABLES.values()))).alias("lists"),
    )
    return [*sums, *listed, "listed_advertisers", "lists"], by_day.collect()


def number_of_lists(models: Iterable[str]) -> Column:
    """Return how many of the models have a list, given the length of each."""
    return reduce(Column.__add__, [(F.col(model) > 0).cast("int") for model in models])


def _line_counts(raw: RawEvents, day: date, of_day: Mapping[str, int]) -> dict[str, Any]:
    """Return what became of the day's lines: read, rejected by reason, of inactive advertisers, counted as events."""
    events = sum(of_day[kind] for kind in KINDS)
    lines = raw.lines_of(day)
    good = sum(lines.get((name, None), 0) for name in EVENT_NAMES)
    reasons = sorted({reason for _, reason in lines if reason})
    return {
        "read": {name: sum(n for (input_, _), n in lines.items() if input_ == name) for name in EVENT_NAMES},
        "rejected": {reason: sum(n for (_, each), n in lines.items() if each == reason) for reason in reasons},
        "rejected_share": raw.rejected_shares(day),
        "inactive": good - events,
        "active_advertisers": len(raw.active_on(day)),
        "events": events,
    }
