"""Which days to rank: the requested ones, unless they are unchanged, and earlier ones that are missing or got late events."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from spark_jobs.job import Options
from spark_jobs.ranking.windows import WINDOWS
from spark_jobs.raw.events import EVENT_NAMES, RawEvents
from spark_jobs.raw.listing import Inputs
from spark_jobs.settings import RankingParameters
from spark_jobs.warehouse import Warehouse, ledger, locks
from spark_jobs.warehouse.ledger import PreviousRun

log = logging.getLogger("nightly")


def lock_requested_days(warehouse: Warehouse, options: Options) -> None:
    """Lock the requested days; DayIsHeld if another process has one of them.

    A prepared run of a day is abandoned, except by a dry run, which must leave it alone: the day then counts as held.
    """
    for day in options.days:
        locks.lock_day(warehouse, day)
        if options.dry_run and ledger.read_prepared_run(warehouse, day):
            raise locks.day_is_held(warehouse, day)


def lock_free_days(warehouse: Warehouse, days: Sequence[date]) -> list[date]:
    """Lock those of the days that no other run holds and that have no prepared run; return them."""
    locked = []
    for day in days:
        if locks.try_to_lock_day(warehouse, day):
            if ledger.read_prepared_run(warehouse, day):
                locks.unlock_day(warehouse, day)
            else:
                locked.append(day)
    return locked


@dataclass(frozen=True)
class DaySelection:
    """The requested and the earlier days, their input files as listed now, and what their previous runs read."""

    options: Options
    earlier: Sequence[date]
    """Days to check for late events, oldest first."""
    missing: Sequence[date]
    """Earlier days without a finished run, oldest first."""
    previous_runs: Mapping[date, PreviousRun]
    inputs: Inputs
    lost: Collection[date] = ()
    """Days of a range whose daily counts are gone from the lake; they are ranked again, to write the counts again."""

    def requested_to_read(self) -> list[date]:
        return [day for day in self.options.days if self._must_be_read(day)]

    def earlier_to_read(self) -> list[date]:
        return sorted([*self.missing, *(day for day in self.earlier if self._must_be_read(day))])

    def late_days(self, raw: RawEvents) -> list[date]:
        """Return the earlier days whose events have changed since their previous run, oldest first.

        A day that `raw` has no events of, because they are gone or could not be read, stays as it is.
        """
        late = []
        for day in self.earlier:
            lines = raw.lines_of(day)
            if any((name, None) in lines for name in EVENT_NAMES) and not self.is_unchanged(day, raw):
                log.info("%s has changed since run %s read it", day, self.previous_runs[day].run)
                late.append(day)
        return late

    def is_unchanged(self, day: date, raw: RawEvents) -> bool:
        """Return whether a run of the day would read only what its previous run read."""
        return self._may_be_skipped(day) and (self._has_same_files(day) or self._has_same_events(day, raw))

    def _must_be_read(self, day: date) -> bool:
        return not (self._may_be_skipped(day) and self._has_same_files(day))

    def _may_be_skipped(self, day: date) -> bool:
        """Return whether the day has a previous run that can stand if its input is unchanged.

        A single requested day is always ranked; in a range, so is a day that was refused, that was ranked with other
        parameters, or whose counts are lost.
        """
        previous = self.previous_runs.get(day)
        if previous is None or previous.state == "failed" or day in self.lost:
            return False
        if day < self.options.days[0]:
            return True
        is_plain_range = len(self.options.days) > 1 and not (self.options.force or self.options.dry_run)
        # Runs of older versions do not record ranking parameters; they ranked with the defaults.
        then = asdict(RankingParameters()) | previous.parameters
        now = {"top": self.options.top, "windows": [*WINDOWS], **asdict(self.options.ranking)}
        return is_plain_range and previous.state != "refused" and all(then.get(name) == now[name] for name in now)

    def _has_same_files(self, day: date) -> bool:
        now, then = self.inputs.listing_of(day), self.previous_runs[day].inputs
        return all(now[name]["listing"] == then.get(name, {}).get("listing") for name in self.inputs.of_one_day())

    def _has_same_events(self, day: date, raw: RawEvents) -> bool:
        now, then = raw.fingerprints(day), self.previous_runs[day].inputs
        return all(now[name] == then.get(name, {}).get("fingerprint") for name in self.inputs.of_one_day())
