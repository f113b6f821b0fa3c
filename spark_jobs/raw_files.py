"""Find the raw files of one input, in any of the forms they come in, and read what their headers promise."""

import csv
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

from pyspark.sql import SparkSession

from spark_jobs.storage import File, FileSystem, ParquetSchema


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
PARQUET = ".parquet"
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
    """Files of one input that share a header, or Parquet's schema."""

    input: Input
    paths: tuple[str, ...]
    header: str
    columns: tuple[str, ...]
    """All the columns the header or the schema names, in its order."""
    dated_folder: str | None

    @property
    def is_parquet(self) -> bool:
        return self.paths[0].endswith(PARQUET)

    @property
    def needed_columns(self) -> tuple[str, ...]:
        """The columns that the input must have and these files do have: `date` may be left to their folder."""
        return tuple(name for name in self.input.columns if name in self.columns)

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

    Looks for NAME.csv, NAME.csv.gz, NAME.parquet and NAME, each a file or a folder. A folder of `date=` folders is
    entered for the asked days alone. InputError where there is no such input, or two.
    """
    system = FileSystem(spark, raw_uri)
    candidates = [f"{raw_uri}/{wanted.name}{ending}" for ending in (".csv", ".csv.gz", PARQUET, "")]
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
    """Open the files of `days` for their first lines or schemas, and group them by it; none where `days` have no folder.

    InputError where a needed column is lacking; Unreadable where a file cannot be opened.
    """
    paths = [file.path for file in dict.fromkeys(file for day in days for file in located.of(day))]
    wanted, system = located.input, FileSystem(spark, located.uri)

    def header_of(path: str) -> str | ParquetSchema | None:
        return system.parquet_schema(path) if path.endswith(PARQUET) else system.first_line(path)

    with ThreadPoolExecutor(max_workers=16) as pool:  # S3 answers one request in tens of milliseconds
        headers = dict(zip(paths, pool.map(header_of, paths), strict=True))
    if paths and not any(headers.values()):
        raise InputError(f"{located.uri} is empty: its first line must name the columns {', '.join(wanted.columns)}")
    groups: dict[str | ParquetSchema, list[str]] = {}
    for path, header in headers.items():
        if header is not None:
            groups.setdefault(header, []).append(path)
    return [
        RawFiles(wanted, tuple(same), str(header), _columns(header, located, same[0]), located.dated_folder)
        for header, same in groups.items()
    ]


def _columns(header: str | ParquetSchema, located: Located, path: str) -> tuple[str, ...]:
    """Return the columns; InputError where they will not do. In a `date=` folder CSV may leave `date` to it, Parquet must."""
    if isinstance(header, ParquetSchema):
        columns, kind = header.columns, "schema"
        if located.dated_folder and "date" in columns:
            raise InputError(
                f"{path} has a column 'date' and is in a date= folder, which would hide it; leave one of them out"
            )
        for name in set(header.nested) & set(located.input.columns):
            raise InputError(f"{path} holds more than one value in a row of column '{name}'")
    else:
        columns, kind = tuple(name.strip() for name in next(csv.reader([header]))), "header"
    needed = [name for name in located.input.columns if not (name == "date" and located.dated_folder)]
    for name in needed:
        if columns.count(name) != 1:
            problem = "no column" if name not in columns else "two columns"
            raise InputError(f"{path} has {problem} '{name}'; its {kind} is: {str(header)[:200]}")
    return columns
