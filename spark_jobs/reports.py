"""How the runs of an application ended: one line of JSON for each, or a table at a terminal."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

COLUMNS = ("day", "run", "state", "events", "rejected", "lists", "seconds")


@dataclass(frozen=True)
class Report:
    """How a run, or a step of it, ended."""

    day: date
    run: int
    state: str
    counts: Mapping[str, Any]
    seconds: float
    reason: str = ""
    """Why the run was refused or failed."""

    def as_json(self) -> str:
        members = {"day": str(self.day), "run": self.run, "state": self.state, "counts": self.counts}
        return json.dumps(members | {"seconds": self.seconds})

    def as_row(self) -> tuple[str, ...]:
        """Return the texts of COLUMNS; what a run that ended early did not count is empty."""
        counts = self.counts
        numbers = (
            counts.get("events"),
            sum(counts["rejected"].values()) if "rejected" in counts else None,
            counts.get("lists"),
        )
        as_text = ("" if number is None else f"{number:,}" for number in numbers)
        return (str(self.day), str(self.run), self.state, *as_text, f"{self.seconds:.1f}")


class Reports:
    """The reports of an application, in the order in which its runs ended."""

    def __init__(self, as_json: bool = True) -> None:
        self.as_json = as_json
        self.ended: list[Report] = []

    def add(self, report: Report) -> None:
        """Keep the report; print it now if reports are JSON."""
        self.ended.append(report)
        if self.as_json:
            with suppress(BrokenPipeError):  # spark-submit, which reads this, may have been killed
                print(report.as_json(), flush=True)

    def print_table(self) -> None:
        """Print the table, unless the reports were printed as JSON."""
        if self.ended and not self.as_json:
            rows = [COLUMNS, *(report.as_row() for report in self.ended)]
            widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
            for row in rows:
                cells = [text.ljust(width) for text, width in zip(row[:3], widths, strict=False)]
                cells += [text.rjust(width) for text, width in zip(row[3:], widths[3:], strict=True)]
                print("  ".join(cells))
