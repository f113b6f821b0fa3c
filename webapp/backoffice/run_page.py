"""What a run's page shows first: what it read, rejected and published, and how long it took, compared with usual."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db.models import Case, JSONField, When

from webapp.rankings.models import RANKINGS, Run

VERDICTS = {
    Run.State.PUBLISHED: "Passed. Readers see this run's lists.",
    Run.State.SUPERSEDED: "Passed. Readers saw these lists until another run of the day was published.",
    Run.State.REFUSED: "Refused. Readers keep the lists they had. The audit found:",
    Run.State.RUNNING: "Not audited yet. The run is still at work, or its process died.",
    Run.State.FAILED: "The run failed. Readers keep the lists they had:",
}

DAYS_COMPARED = 7  # as many as the audit compares the events with


@dataclass(frozen=True)
class Figure:
    """A number of the run, the usual one and the change, as text. The bar is in percent of the largest such number."""

    label: str
    value: str
    usual: str
    change: str
    bar: float = 0


def load_run(run_id: int) -> tuple[Run | None, list[Run]]:
    """The run, and the published runs of the days before that it is compared with; of those, `inputs` is not loaded."""
    own_inputs = Case(When(pk=run_id, then="inputs"), output_field=JSONField())
    runs = Run.objects.with_days_before(run_id, DAYS_COMPARED).defer("inputs").annotate(own_inputs=own_inputs)
    by_id = {run.pk: run for run in runs}
    run = by_id.pop(run_id, None)
    if run:
        run.inputs = run.own_inputs
    return run, list(by_id.values())


def run_figures(run: Run, others: Sequence[Run]) -> dict[str, Any]:
    """The counts as the run's page shows them, compared with other runs; None for a count that the run never reached.

    The bar of a reason for rejecting rows is in percent of the most frequent one.
    """
    counts = run.counts
    rejected = counts.get("rejected") or {}
    maximum = max(rejected.values(), default=0)
    most_frequent_first = sorted(rejected.items(), key=lambda each: -each[1])
    return {
        "read": counts.get("read") or {},
        "rejected": [
            {"reason": reason, "rows": rows, "bar": 100 * rows / maximum if maximum else 0}
            for reason, rows in most_frequent_first
        ],
        "dropped": counts.get("inactive"),
        "audited": audited_figures(counts),
        "verdict": VERDICTS[Run.State(run.state)],
        "summary": summary(run, others),
        "stages": stages(run, others),
        "compared_with": len(others),
        "findings": [finding for finding in run.message.split("; ") if finding],
    }


def audited_figures(counts: dict[str, Any]) -> list[tuple[str, str]]:
    """Labels and values of what the audit compares with its thresholds, as far as the run counted it."""
    shares = (counts.get("rejected_share") or {}).items()
    figures = [(f"{name}: rejected share", f"{share:.2%}") for name, share in shares]
    if counts.get("usual_events"):
        figures.append(("events, compared with usual", f"{counts.get('events') or 0:,} of {counts['usual_events']:,}"))
    if "listed_advertisers" in counts:
        listed = f"{counts['listed_advertisers']:,} of {counts.get('active_advertisers') or 0:,}"
        figures.append(("active advertisers with a list", listed))
    return figures


def summary(run: Run, others: Sequence[Run]) -> list[Figure]:
    done = "published" if run.state == Run.State.PUBLISHED else "ranked"
    numbers = {
        "Rows read": lambda each: total(each.counts.get("read")),
        "Rows rejected": lambda each: total(each.counts.get("rejected")),
        "Events counted": lambda each: each.counts.get("events"),
        **{f"{name} {done}": rows_in(ranking._meta.db_table) for name, ranking in RANKINGS.items()},
    }
    figures = [figure(label, number(run), map(number, others), "{:,.0f} rows") for label, number in numbers.items()]
    return [*figures, figure("Duration", seconds_of(run), map(seconds_of, others), "{:,.1f} s")]


def rows_in(table: str) -> Any:
    return lambda run: run.counts.get(table)


def total(counts: dict[str, int] | None) -> int | None:
    return None if counts is None else sum(counts.values())


def seconds_of(run: Run) -> float | None:
    return None if run.duration is None else run.duration.total_seconds()


def stages(run: Run, others: Sequence[Run]) -> list[Figure]:
    """The seconds of the run's stages, in order. A stage that ran twice, because an earlier day was refused, is added up."""
    seconds, usual = stage_seconds(run), [stage_seconds(each) for each in others]
    longest = max(seconds.values(), default=0) or 1
    return [
        figure(name, value, (each.get(name) for each in usual), "{:,.1f} s", bar=100 * value / longest)
        for name, value in seconds.items()
    ]


def stage_seconds(run: Run) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for each in run.stages:
        seconds[each["stage"]] = seconds.get(each["stage"], 0) + each["seconds"]
    return seconds


def figure(
    label: str, value: float | None, usual_values: Iterable[float | None], pattern: str, bar: float = 0
) -> Figure:
    known = [each for each in usual_values if each is not None]
    usual = median(known) if known else None
    change = f"{value / usual - 1:+.0%}" if value is not None and usual else "–"
    change = "same" if change in ("+0%", "-0%") else change
    as_text = ["–" if each is None else pattern.format(each) for each in (value, usual)]
    return Figure(label, as_text[0], as_text[1], change, bar)
