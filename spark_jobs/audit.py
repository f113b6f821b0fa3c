"""The audit: every rule that a day must meet before readers see it. Each finding is one clause of the run's message."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from spark_jobs.job import Options
from spark_jobs.ranking.registry import MODELS
from spark_jobs.settings import AuditThresholds
from spark_jobs.warehouse.comparisons import RowCheck


def audit(
    day: date,
    inputs: Mapping[str, Any],
    counts: Mapping[str, Any],
    row_checks: Mapping[str, RowCheck],
    options: Options,
) -> list[str]:
    """Return what is wrong with a run, given what it read, its counts, and by table what it appended."""
    findings = audit_input(day, inputs, counts, options.thresholds)
    if not (options.allow_drop and day in options.days):  # a drop is allowed for the requested days only
        findings += audit_volume(counts, options.thresholds)
    for table, check in row_checks.items():
        findings += audit_rows(table, check, counts[table], options.top)
    return findings


def audit_input(
    day: date, inputs: Mapping[str, Any], counts: Mapping[str, Any], thresholds: AuditThresholds
) -> list[str]:
    """Check the raw events, and that enough advertisers have a list."""
    findings = [f"{name} has no rows of {day}" for name, rows in counts["read"].items() if rows == 0]
    if not counts["active_advertisers"]:
        findings.append("the list of active advertisers is empty")
    too_many_rejected = [
        f"{share:.2%} of {name} is rejected, more than {thresholds.max_rejected_share:.2%}"
        for name, share in counts["rejected_share"].items()
        if share > thresholds.max_rejected_share
    ]
    if too_many_rejected:
        too_many_rejected.append(f"the most frequent reason is {describe_top_reason(counts)}")
    findings += too_many_rejected
    listed = counts["listed_advertisers"] / max(1, counts["active_advertisers"])
    if 0 < listed < thresholds.min_listed_share:
        findings.append(
            f"{counts['listed_advertisers']} of {counts['active_advertisers']} active advertisers have a list, "
            f"under {thresholds.min_listed_share:.0%}"
        )
    return findings + duplicate_files(inputs)


def describe_top_reason(counts: Mapping[str, Any]) -> str:
    """Return why most of the rejected rows were rejected, with an example."""
    reason = max(counts["rejected"], key=counts["rejected"].get)
    return f"{reason}, for example: {counts['rejected_examples'][reason]}"


def duplicate_files(inputs: Mapping[str, Any]) -> list[str]:
    """Return the files of one input that hold the same data: their events would count twice."""
    copies = [paths for read in inputs.values() for paths in read.get("same_data", [])]
    return [f"the same file is there {len(paths)} times: {' and '.join(paths)}" for paths in copies]


def audit_volume(counts: Mapping[str, Any], thresholds: AuditThresholds) -> list[str]:
    """Compare the number of events with the usual one, if there is one."""
    usual, events = counts["usual_events"], counts["events"]
    if usual is None or events >= thresholds.min_volume_share * usual:
        return []
    return [
        f"{events} events are under {thresholds.min_volume_share:.0%} of the usual {usual};"
        " if that is right, use --allow-drop"
    ]


def audit_rows(table: str, check: RowCheck, ranked: int, top: int) -> list[str]:
    """Check a run's rows in one table of lists, where `ranked` rows were appended."""
    may_be_empty = table in MODELS and not MODELS[table].is_lasting
    rules = {
        f"{table} has no rows": check.rows == 0 and not may_be_empty,
        f"{table} has {check.rows} rows but {ranked} were ranked": check.rows != ranked,
        f"{table} has {check.other_days} rows of another day": check.other_days > 0,
        f"{table} has {check.inactive} rows of inactive advertisers": check.inactive > 0,
        f"{table} has {check.broken_lists} lists whose ranks do not run from 1 to at most {top}": check.broken_lists
        > 0,
    }
    return [finding for finding, is_broken in rules.items() if is_broken]
