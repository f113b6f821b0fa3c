"""Copies of input files that Spark cannot read as they are: UTF-8, not compressed, each record on one line.

The copies are under LAKE_URI/scratch, in a folder called DAY_ID, until this process ends. If it is killed, a later nightly
run removes them.
"""

import logging
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from urllib.parse import unquote
from uuid import uuid4

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from spark_jobs.failures import clean_text
from spark_jobs.file_system import FileSystem
from spark_jobs.raw.content import UTF_16
from spark_jobs.raw.inputs import InputError
from spark_jobs.raw.lines import opens_quote
from spark_jobs.raw.readers import OpenedInput, RawFiles, group_files
from spark_jobs.raw.records import find_records_in, write_records
from spark_jobs.session import SCRATCH

log = logging.getLogger("nightly")

LARGEST = 16 * 2**30
COPIED_AT_ONCE = 4
LONGEST_RUN = timedelta(days=2)
"""Older copies are no longer read."""


def copy_unreadable(spark: SparkSession, opened: OpenedInput) -> OpenedInput:
    """Copy the text files that Spark would read wrongly: by their names, or because they are not UTF-8."""
    system = FileSystem(spark, opened.located.uri)
    compression_by_name = cache(system.compression_by_name)
    wrong = []
    for path, content in opened.contents.items():
        is_named_right = content.compression == compression_by_name(PurePosixPath(path).suffix)
        if content.footer is None and not (is_named_right and content.encoding != UTF_16):
            unexpected = f"{content.compression or 'text without compression'} under this name"
            what = content.encoding if content.encoding == UTF_16 else unexpected
            log.warning("%s is read from a copy, because Spark does not expect %s", clean_text(path), what)
            wrong.append(path)
    return _copy_all(spark, opened, wrong, only_records=False)


def copy_records(spark: SparkSession, opened: OpenedInput) -> OpenedInput:
    """Copy the files that have records over several lines. Those with only stray quotes are left alone."""
    rest = {
        path: content for path, content in opened.contents.items() if not content.footer and path not in opened.copies
    }
    found = find_files_with_open_quotes(spark, group_files(replace(opened, contents=rest, copies={}, by_comet=False)))
    return _copy_all(spark, opened, found, only_records=True)


def remove_old_copies(spark: SparkSession) -> None:
    """Remove the copies that killed processes have left."""
    scratch = str(spark.conf.get(SCRATCH))
    system = FileSystem(spark, scratch)
    for name in system.children(scratch):
        if name < str(today() - LONGEST_RUN):
            system.remove(f"{scratch}/{name}")


def today() -> date:
    return datetime.now(UTC).date()


def refuse_long_lines(spark: SparkSession, opened: OpenedInput) -> None:
    """Raise InputError if a line is too long to be an event. Reads every text file on the driver, so only after a failure."""
    source = FileSystem(spark, opened.located.uri)
    for path, content in opened.contents.items():
        if content.footer is None and path not in opened.copies:
            with TemporaryDirectory() as local:
                original = Path(local, "original")
                source.copy_to_local(path, content.compression, str(original), LARGEST)
                find_records_in(original, content.encoding, path)


def _copy_all(spark: SparkSession, opened: OpenedInput, paths: Sequence[str], only_records: bool) -> OpenedInput:
    if not paths:
        return opened
    source = FileSystem(spark, opened.located.uri)
    folder = f"{spark.conf.get(SCRATCH)}/{today()}_{uuid4().hex}"
    target = FileSystem(spark, folder)

    def copy(path: str) -> str | None:
        content, day = opened.contents[path], opened.located.day_of(path)
        with TemporaryDirectory() as local:
            original, copied = Path(local, "original"), Path(local, "copy.csv")
            if not source.copy_to_local(path, content.compression, str(original), LARGEST):
                raise InputError(f"{path} has more than {LARGEST // 2**30} GiB of text; split it")
            records = find_records_in(original, content.encoding, path)
            if only_records and not records:
                return None
            write_records(original, copied, content.encoding, records, path)
            uri = f"{folder}/{f'date={day}/' if day else ''}{uuid4().hex}.csv"
            target.copy_from_local(str(copied), uri, until_exit=folder)
            return uri

    with ThreadPoolExecutor(COPIED_AT_ONCE) as pool:
        copies = {path: uri for path, uri in zip(paths, pool.map(copy, paths), strict=True) if uri}
    return replace(opened, copies={**opened.copies, **copies})


def find_files_with_open_quotes(spark: SparkSession, sources: Iterable[RawFiles]) -> list[str]:
    """Return the files that have a line with an open quote at its end. Reads the lines of these sources again."""
    found: list[str] = []
    for source in sources:
        if len(source.paths) == 1:
            found += source.paths
            continue
        lines = source.load(source.reader(spark), "text").select("value", "_metadata.file_path")
        by_uri = {_plain(path): path for path in source.paths}
        files = lines.where(opens_quote(F.col("value"))).select("file_path").distinct().collect()
        uris = [_plain(unquote(row.file_path)) for row in files]
        found += [by_uri[uri] for uri in uris] if set(uris) <= by_uri.keys() else source.paths
    return found


def _plain(uri: str) -> str:
    return re.sub("^file:/+", "file:/", uri)
