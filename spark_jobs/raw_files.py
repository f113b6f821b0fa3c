"""Find the raw files of one input, in any of the forms they come in, and read what their headers promise."""

import csv
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

from pyspark.sql import SparkSession

from spark_jobs.storage import File, FileSystem


class InputError(Exception):
    """Raw events that cannot be read as they are: one sentence that names the file and what is wrong with it."""


@dataclass(frozen=True)
class Input:
    """One of the three inputs: its name under RAW_URI and the columns it must have."""

    name: str
    columns: tuple[str, ...]


ADVERTISER_IDS = Input("advertiser_ids", ("advertiser_id",))
PRODUCT_VIEWS = Input("product_views", ("advertiser_id", "product_id", "date"))
ADS_VIEWS = Input("ads_views", ("advertiser_id", "product_id", "type", "date"))
EVENT_INPUTS = (PRODUCT_VIEWS, ADS_VIEWS)


@dataclass(frozen=True)
class Located:
    """The files of one input, as they were listed; none of them opened yet."""

    input: Input
    uri: str
    files: tuple[File, ...]
    dated_folder: str | None
    """The folder above the `date=YYYY-MM-DD` folders the files are in; None where a file holds many days."""

    def of(self, day: date) -> tuple[File, ...]:
        """Return the files that events of `day` may be in."""
        if self.dated_folder is None:
            return self.files
        return tuple(file for file in self.files if file.path.startswith(f"{self.dated_folder}/date={day}/"))


@dataclass(frozen=True)
class RawFiles:
    """Files of one input that share a header."""

    input: Input
    paths: tuple[str, ...]
    header: str
    columns: tuple[str, ...]
    """All the columns the header names, in its order."""
    dated_folder: str | None

    @property
    def origin(self) -> str:
        """The one file, or the folder that all of them are in."""
        if len(self.paths) == 1:
            return self.paths[0]
        folders = [path.split("/")[:-1] for path in self.paths]
        shared = [names[0] for names in zip(*folders, strict=False) if len(set(names)) == 1]
        return "/".join(shared)


def locate(spark: SparkSession, raw_uri: str, wanted: Input, days: Iterable[date]) -> Located:
    """List the files of `wanted` under `raw_uri` that may hold events of `days`.

    Looks for NAME.csv, NAME.csv.gz and NAME, each a file or a folder. A folder of `date=` folders is entered for the
    asked days alone. InputError where there is no such input, or two.
    """
    system = FileSystem(spark, raw_uri)
    candidates = [f"{raw_uri}/{wanted.name}{ending}" for ending in (".csv", ".csv.gz", "")]
    there = [uri for uri in candidates if system.exists(uri)]
    if len(there) != 1:
        found = " and ".join(there) if there else "none of them is there"
        raise InputError(f"{wanted.name}: expected one of {', '.join(candidates)}; {found}")
    [uri] = there
    if file := system.file(uri):
        return Located(wanted, uri, (file,), None)
    children = system.children(uri)
    dated = [child for child in children if child.rsplit("/", 1)[1].startswith("date=")]
    if not dated:
        return Located(wanted, uri, tuple(system.files_below(uri)), None)
    if len(dated) < len(children):
        odd_one = next(child for child in children if child not in dated)
        raise InputError(f"{uri} holds both date= folders and {odd_one}; move one of them away")
    asked = {f"{uri}/date={day}" for day in days}
    files = [file for folder in dated if folder in asked for file in system.files_below(folder)]
    return Located(wanted, uri, tuple(files), uri)


def by_header(spark: SparkSession, located: Located, days: Iterable[date]) -> list[RawFiles]:
    """Open the files of `days` for their first lines, and group them by it; none where `days` have no folder.

    InputError where a header lacks a needed column; Unreadable where a file cannot be opened.
    """
    paths = [file.path for file in dict.fromkeys(file for day in days for file in located.of(day))]
    wanted, system = located.input, FileSystem(spark, located.uri)
    with ThreadPoolExecutor(max_workers=16) as pool:  # S3 answers one request in tens of milliseconds
        headers = dict(zip(paths, pool.map(system.first_line, paths), strict=True))
    if paths and not any(headers.values()):
        raise InputError(f"{located.uri} is empty: its first line must name the columns {', '.join(wanted.columns)}")
    groups: dict[str, list[str]] = {}
    for path, header in headers.items():
        if header is not None:
            groups.setdefault(header, []).append(path)
    return [
        RawFiles(wanted, tuple(same), header, _columns(header, located, same[0]), located.dated_folder)
        for header, same in groups.items()
    ]


def _columns(header: str, located: Located, path: str) -> tuple[str, ...]:
    """Return the header's columns; InputError if it lacks one. Files in `date=` folders may leave `date` to them."""
    columns = tuple(name.strip() for name in next(csv.reader([header])))
    needed = [name for name in located.input.columns if not (name == "date" and located.dated_folder)]
    for name in needed:
        if columns.count(name) != 1:
            problem = "no column" if name not in columns else "two columns"
            raise InputError(f"{path} has {problem} '{name}'; its header is: {header[:200]}")
    return columns
