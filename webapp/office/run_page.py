"""A run's figures, sorted into the steps that rows took: read, rejected, dropped, ranked, audited."""

from dataclasses import dataclass
from typing import Any

from webapp.rankings.models import RANKINGS, Run

VERDICTS = {
    Run.State.PUBLISHED: "Passed: readers see this run's lists.",
    Run.State.SUPERSEDED: "Passed, and readers saw its lists until another run of the day took its place.",
    Run.State.REFUSED: "Refused: readers keep what they had. The audit found:",
    Run.State.RUNNING: "Not yet: the run is under way, or its process died.",
    Run.State.FAILED: "The run failed, and nothing changed for readers:",
}


@dataclass(frozen=True)
class Rejected:
    """How many lines were rejected for one reason; `bar` compares it, in per cent, with the most frequent."""

    reason: str
    lines: int
    bar: float


@dataclass(frozen=True)
class Figures:
    """What a run's page shows before the columns of its row; a count that the run never got to know is None."""

    read: dict[str, Any]
    rejected: list[Rejected]
    dropped: int | None
    events: dict[str, int | None]
    ranked: dict[str, int | None]
    held: list[tuple[str, str]]
    verdict: str
    findings: list[str]


def figures(run: Run) -> Figures:
    counts = run.counts
    rejected = counts.get("rejected") or {}
    most = max(rejected.values(), default=0)
    return Figures(
        read=counts.get("read") or {},
        rejected=[
            Rejected(reason, lines, 100 * lines / most if most else 0)
            for reason, lines in sorted(rejected.items(), key=lambda each: -each[1])
        ],
        dropped=counts.get("inactive"),
        events={name: counts.get(name) for name in ("views", "impressions", "clicks")},
        ranked={name: counts.get(ranking._meta.db_table) for name, ranking in RANKINGS.items()},
        held=held_against_limits(counts),
        verdict=VERDICTS[Run.State(run.state)],
        findings=[finding for finding in run.message.split("; ") if finding],
    )


def held_against_limits(counts: dict[str, Any]) -> list[tuple[str, str]]:
    """What the audit compares with its limits, in words; nothing of what the run never got to know."""
    shares = (counts.get("rejected_share") or {}).items()
    held = [(f"of {name} rejected", f"{share:.2%}") for name, share in shares]
    if counts.get("usual_events"):
        held.append(("events, of the usual", f"{counts.get('events') or 0:,} of {counts['usual_events']:,}"))
    if "listed_advertisers" in counts:
        listed = f"{counts['listed_advertisers']:,} of {counts.get('active_advertisers') or 0:,}"
        held.append(("active advertisers with a list", listed))
    return held
