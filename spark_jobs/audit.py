"""The last look before publishing: what a day must be for readers to see it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from spark_jobs.warehouse import RANKING_TABLES, Warehouse

LEAST_VOLUME = 0.5
"""The share of the usual number of events under which a day is taken for half-written."""


class Refused(Exception):
    """The day must not be published: one clause a finding."""


def audit(
    warehouse: Warehouse, run: int, day: date, counts: Mapping[str, Any], active: list[str], top: int, allow_drop: bool
) -> None:
    """Hold the run's numbers and its rows in PostgreSQL against what they must be; Refused, with every finding."""
    findings = [f"{name} has no rows of {day}" for name, rows in counts["read"].items() if rows == 0]
    if not active:
        findings.append("the list of active advertisers is empty")
    usual = warehouse.usual_events(day)
    if usual and counts["events"] < LEAST_VOLUME * usual and not allow_drop:
        findings.append(
            f"{counts['events']} events are under half of the usual {usual}; if that is right, use --allow-drop"
        )
    for table in RANKING_TABLES:
        findings += warehouse.findings(table, run, day, counts[table], top, active)
    if findings:
        raise Refused("; ".join(findings))
