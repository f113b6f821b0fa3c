"""List the input files of some days, and summarise them for the ledger."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from pyspark.sql import SparkSession

from spark_jobs.failures import clean_text
from spark_jobs.file_system import File
from spark_jobs.raw import files
from spark_jobs.raw.inputs import ADVERTISER_IDS, ALL_INPUTS

FILES_IN_LEDGER = 100
"""Files of each input that the ledger names, of a day."""


@dataclass(frozen=True)
class Inputs:
    """The files of all three inputs for some days, as listed."""

    located: tuple[files.Located, ...]

    def listing_of(self, day: date) -> dict[str, dict[str, Any]]:
        """Return a summary of the files listed for `day` by input: the first ones, and number, bytes and digest of all.

        Each file has its path, size, time and ETag. The digest changes if any of these does.
        """
        return {each.input.name: _summary(each.of(day)) for each in self.located}

    def of_one_day(self) -> list[str]:
        """Return the inputs that differ by day: the events, and the active advertisers if each day has its own list."""
        return [each.input.name for each in self.located if each.input.name != ADVERTISER_IDS.name or each.dated_folder]


def locate(spark: SparkSession, raw_uri: str, days: Sequence[date]) -> Inputs:
    """List the files of the three inputs for `days`. Raises InputError if an input is missing."""
    return Inputs(tuple(files.locate(spark, raw_uri, each, days) for each in ALL_INPUTS))


def _summary(listed: Sequence[File]) -> dict[str, Any]:
    files = [asdict(file) | {"path": clean_text(file.path)} for file in listed]
    digest = hashlib.sha256(json.dumps(files).encode()).hexdigest()
    return {
        "files": files[:FILES_IN_LEDGER],
        "file_count": len(files),
        "bytes": sum(file.size for file in listed),
        "listing": digest[:16],
    }
