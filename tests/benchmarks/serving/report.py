"""Write the results as a page of Markdown."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median

from tests.benchmarks.serving.measure import Figures

PACKAGES = ("django", "djangorestframework", "gunicorn", "psycopg2-binary")

HEAD = """# Benchmarks of the web app

Written by `make bench-serving` on {when}: {cores} cores, {memory:.0f} GiB, {system}, Python {python},
{packages}.
{advertisers:,} advertisers, {days} published days of 20 rows and 2 models; two workers each. wrk keeps 16 connections busy,
vegeta sends requests at a steady rate, and both share the cores with server and database. Medians of {rounds} alternating
rounds, with the lowest and highest in brackets. Only ratios within one such run are meaningful.

| | {names} |
|---|{rules}
"""


def report(figures: Figures, advertisers: int, days: int, rounds: int) -> str:
    """Return the page: one row per measure, one column per server, and the ratios to the original's throughput."""
    names = list(dict.fromkeys(name for name, _ in figures))
    measures = list(dict.fromkeys(measure for _, measure in figures))
    head = HEAD.format(
        when=datetime.now(UTC).date(),
        cores=os.cpu_count(),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        packages=", ".join(f"{package} {version(package)}" for package in PACKAGES),
        advertisers=advertisers,
        days=days,
        rounds=rounds,
        names=" | ".join(names),
        rules="---|" * len(names),
    )
    rows = [[measure, *(cell(figures.get((name, measure))) for name in names)] for measure in measures]
    baseline = median(figures["original", "list: requests/s"])
    for measure in ("list: requests/s", "304: requests/s"):
        ratios = [
            f"{median(figures[name, measure]) / baseline:.2f}" if (name, measure) in figures else "" for name in names
        ]
        rows.append([f"{measure}, ratio to the original's lists", *ratios])
    return head + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def cell(values: list[float] | None) -> str:
    if not values:
        return ""
    digits = 0 if max(values) >= 100 else 1 if max(values) >= 10 else 2
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"
