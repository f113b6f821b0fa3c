"""Which days an application ranks: those asked for, and those before them whose events came late."""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from functools import cached_property

from pyspark.sql import SparkSession

from spark_jobs.failures import in_one_line
from spark_jobs.options import Options
from spark_jobs.past import WINDOWS
from spark_jobs.raw_events import EVENT_NAMES, Inputs, RawEvents, locate, read_raw
from spark_jobs.settings import Evidence
from spark_jobs.stages import stage
from spark_jobs.warehouse import Look, Warehouse

log = logging.getLogger("nightly")


class Days:
    """The asked days and the ones looked back at, with what was read of them now and at the last look."""

    def __init__(self, spark: SparkSession, warehouse: Warehouse, raw_uri: str, options: Options) -> None:
        self.spark = spark
        self.warehouse = warehouse
        self.raw_uri = raw_uri
        self.options = options

    @cached_property
    def looks(self) -> dict[date, Look]:
        """The last look at each asked or earlier day that has had one."""
        first, last = self.options.days[0], self.options.days[-1]
        return self.warehouse.last_looks(first - timedelta(days=self.options.lookback), last)

    @cached_property
    def before(self) -> list[date]:
        """The days to look back at, oldest first: none that another run holds."""
        if self.options.dry_run:
            return []
        return [day for day in sorted(self.looks) if day < self.options.days[0] and self.warehouse.try_hold(day)]

    @cached_property
    def inputs(self) -> Inputs:
        """The raw files of all of these days, listed when the first day needs them."""
        return locate(self.spark, self.raw_uri, [*self.before, *self.options.days])

    @cached_property
    def raw(self) -> RawEvents:
        """The raw events of the days that are worth reading, read when the first day needs them.

        A file of an earlier day that cannot be read must not keep the asked days from being published.
        """
        asked, before = (
            [day for day in days if not (self._may_be_left(day) and self._has_the_same_files(day))]
            for days in (self.options.days, self.before)
        )
        if before:
            try:
                return self._read([*before, *asked])
            except Exception as error:
                log.warning("not looking back at %s: %s", ", ".join(map(str, before)), in_one_line(error))
                self.before = []
        return self._read(asked)

    def late(self) -> list[date]:
        """Return the earlier days whose events are not what they were at the last look, oldest first."""
        changed = [day for day in self.before if not self.is_unchanged(day)]
        with_events = [day for day in changed if any((name, None) in self.raw.lines_of(day) for name in EVENT_NAMES)]
        for day in with_events:
            log.info("%s has changed since run %s read it", day, self.looks[day].run)
        return with_events

    def is_unchanged(self, day: date) -> bool:
        """Tell whether the day may be left as it is: all that a run of it would read was read before."""
        return self._may_be_left(day) and (self._has_the_same_files(day) or self._has_the_same_events(day))

    def newest_final(self) -> date:
        """Return the newest day that no later night looks back at."""
        return self.options.days[-1] - timedelta(days=self.options.lookback)

    def forget(self) -> None:
        """Let go of the memory that the raw events take."""
        if "raw" in vars(self):
            self.raw.events.unpersist()

    def _may_be_left(self, day: date) -> bool:
        """Tell whether there is a last look at the day, and one to rely on.

        A single asked day is always done; of a range, also what was refused or ranked by other parameters.
        """
        look = self.looks.get(day)
        if look is None or look.state == "failed":
            return False
        if day < self.options.days[0]:
            return True
        is_one_of_many = len(self.options.days) > 1 and not (self.options.force or self.options.dry_run)
        then = asdict(Evidence()) | look.parameters  # runs of older code ranked by plain ratios and do not say so
        now = {"top": self.options.top, "windows": [*WINDOWS], **asdict(self.options.evidence)}
        return is_one_of_many and look.state != "refused" and all(then.get(name) == now[name] for name in now)

    def _has_the_same_files(self, day: date) -> bool:
        now, then = self.inputs.files_of(day), self.looks[day].inputs
        return all(now[name] == then.get(name, {}).get("files") for name in self.inputs.of_one_day())

    def _has_the_same_events(self, day: date) -> bool:
        now, then = self.raw.fingerprints(day), self.looks[day].inputs
        return all(now[name] == then.get(name, {}).get("fingerprint") for name in self.inputs.of_one_day())

    def _read(self, days: Sequence[date]) -> RawEvents:
        with stage("read raw files") as rows:
            raw = read_raw(self.spark, self.inputs, days)
            rows.append(sum(tally.lines for tally in raw.tallies))
        return raw
