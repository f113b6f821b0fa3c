"""What one application is to do. Standard library only."""

from dataclasses import dataclass, field
from datetime import date

from spark_jobs.settings import Evidence, Limits


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line and by the deployment."""

    days: tuple[date, ...]
    top: int = 20
    allow_drop: bool = False
    dry_run: bool = False
    replay: bool = False
    """Whether published days are ranked again from the lake, to be looked at and not kept."""
    force: bool = False
    """Whether a day of a range is done again although its input is what it was."""
    lookback: int = 0
    """How many days before the asked one are looked at again for late events."""
    step: str | None = None
    """The one step of a run that is to be done, of steps.STEPS; None for whole nights."""
    limits: Limits = field(default_factory=Limits)
    evidence: Evidence = field(default_factory=Evidence)
