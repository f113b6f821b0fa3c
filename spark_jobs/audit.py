"""The last look before publishing: what a day must be for readers to see it."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from spark_jobs.models import LIST_TABLES
from spark_jobs.settings import Limits
from spark_jobs.warehouse import Warehouse


class Refused(Exception):
    """The day must not be published: one clause a finding."""


def audit_input(inputs: Mapping[str, Any], day: date, counts: Mapping[str, Any], limits: Limits) -> list[str]:
    """Hold what was read of the day against the limits; return a clause for each thing that is wrong.

    `inputs` is what the ledger keeps of it: by input, among others its `files`.
    """
    findings = [f"{name} has no rows of {day}" for name, rows in counts["read"].items() if rows == 0]
    if not counts["active_advertisers"]:
        findings.append("the list of active advertisers is empty")
    findings += [
        f"{share:.2%} of {name} is rejected, more than {limits.max_rejected_share:.2%}"
        for name, share in counts["rejected_share"].items()
        if share > limits.max_rejected_share
    ]
    listed = counts["listed_advertisers"] / max(1, counts["active_advertisers"])
    if 0 < listed < limits.min_listed_share:
        findings.append(
            f"{counts['listed_advertisers']} of {counts['active_advertisers']} active advertisers have a list, "
            f"under {limits.min_listed_share:.0%}"
        )
    return findings + _files_given_twice(inputs)


def audit_rows(
    warehouse: Warehouse, run: int, day: date, counts: Mapping[str, Any], active: list[str], top: int
) -> list[str]:
    """Hold the run's rows in PostgreSQL against what was ranked; return a clause for each thing that is wrong."""
    return [
        finding for table in LIST_TABLES for finding in warehouse.findings(table, run, day, counts[table], top, active)
    ]


def audit_volume(counts: Mapping[str, Any], limits: Limits) -> list[str]:
    """Hold the number of events against the usual one, where there is one."""
    usual, events = counts["usual_events"], counts["events"]
    if usual is None or events >= limits.min_volume_share * usual:
        return []
    return [
        f"{events} events are under {limits.min_volume_share:.0%} of the usual {usual}; if that is right, use --allow-drop"
    ]


def _files_given_twice(inputs: Mapping[str, Any]) -> list[str]:
    """Return a clause for each pair of files that S3 knows to be the same, byte for byte: every event counts twice."""
    findings = []
    for files in (read.get("files", []) for read in inputs.values()):
        copies = Counter((file["etag"], file["size"]) for file in files if file["etag"] and file["size"])
        for (etag, _), times in copies.items():
            if times > 1:
                same = " and ".join(file["path"] for file in files if file["etag"] == etag)
                findings.append(f"the same file is there {times} times: {same}")
    return findings
