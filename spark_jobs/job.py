"""What an application is to do, and what every stage of it needs."""

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from pyspark.sql import SparkSession

from spark_jobs.ranking.model import LONGEST_LIST
from spark_jobs.ranking.windows import WINDOWS
from spark_jobs.reports import Reports
from spark_jobs.settings import AuditThresholds, RankingParameters, Storage
from spark_jobs.warehouse import Warehouse


@dataclass(frozen=True)
class Options:
    """The choices of the command line and of the deployment."""

    days: tuple[date, ...]
    """The requested days, oldest first."""
    top: int = LONGEST_LIST
    allow_drop: bool = False
    dry_run: bool = False
    replay: bool = False
    """Rank published days again from the lake, and only show the result."""
    force: bool = False
    """Rank a day of a range again even if its input is unchanged."""
    lookback: int = 0
    """How many days before the requested one to check for missing runs and late events."""
    step: str | None = None
    """The one step of steps.STEPS to do; None to do all of them."""
    thresholds: AuditThresholds = field(default_factory=AuditThresholds)
    ranking: RankingParameters = field(default_factory=RankingParameters)


@dataclass(frozen=True)
class Job:
    """The application: its Spark session, its connection to PostgreSQL, its files, what it is to do, and its reports."""

    spark: SparkSession
    warehouse: Warehouse
    storage: Storage
    options: Options
    reports: Reports = field(default_factory=Reports)

    @property
    def parameters(self) -> dict[str, Any]:
        """What the ledger records of the options and settings of a run."""
        options = self.options
        chosen = {"raw_uri": self.storage.raw_uri, "top": options.top, "allow_drop": options.allow_drop}
        return chosen | asdict(options.thresholds) | asdict(options.ranking) | {"windows": list(WINDOWS)}
