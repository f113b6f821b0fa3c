"""Find the input files, in every form an input may have: one file, a folder of files, or a folder of `date=` folders."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pyspark.sql import SparkSession

from spark_jobs.file_system import File, FileSystem, is_hidden
from spark_jobs.raw.inputs import Input, InputError

ENDING = re.compile(
    r"(\.(csv|txt|parquet|parq|pq|avro|orc|json|tsv|xlsx?))?"
    r"(\.(gz|gzip|bz2|zst|zstd|zip|xz|lz4|snappy|deflate|7z|z))?",
    re.IGNORECASE,
)
"""What may follow the name of an input. The content of a file decides how it is read, or why it cannot be."""
DAY_FOLDER = re.compile(r"date=(\d{4})(-?)(\d{2})\2(\d{2})")


@dataclass(frozen=True)
class Located:
    """The files of one input as the file system lists them. None of them has been opened."""

    input: Input
    uri: str
    files: tuple[File, ...]
    dated_folder: str | None
    """The folder that holds the `date=` folders, or None if one file may hold several days."""
    ignored: tuple[str, ...] = ()
    """Folders and files that look like part of the input and match no rule. The run reports them."""

    def of(self, day: date) -> tuple[File, ...]:
        """Return the files that may hold events of `day`."""
        if self.dated_folder is None:
            return self.files
        return tuple(file for file in self.files if self.day_of(file.path) == day)

    def day_of(self, path: str) -> date | None:
        """Return the day of the `date=` folder that a file is in, if there is one."""
        if self.dated_folder is None:
            return None
        return day_of_folder(path.removeprefix(f"{self.dated_folder}/").split("/")[0])

    def is_compact(self, path: str) -> bool:
        """Return whether the `date=` folder of a file is written without hyphens."""
        return self.dated_folder is not None and "-" not in path.removeprefix(f"{self.dated_folder}/").split("/")[0]

    def has_more_partitions(self, path: str) -> bool:
        """Return whether a file in a `date=` folder is also in one like `hour=03`. Spark fails if not all files are."""
        return self.dated_folder is not None and "=" in path.removeprefix(f"{self.dated_folder}/").partition("/")[2]


def day_of_folder(name: str) -> date | None:
    """Return the day of a folder that is called date=2026-11-20 or date=20261120, and None for other names."""
    found = DAY_FOLDER.fullmatch(name)
    try:
        return date(int(found[1]), int(found[3]), int(found[4])) if found else None
    except ValueError:
        return None


def locate(spark: SparkSession, raw_uri: str, wanted: Input, days: Iterable[date]) -> Located:
    """List the files of `wanted` under `raw_uri` that may hold events of `days`.

    The input is NAME or NAME with a known extension, and may be a file or a folder. Of a folder of `date=` folders, only
    those of `days` are listed. Raises InputError if the input is missing or there twice.
    """
    system = FileSystem(spark, raw_uri)
    named = [name for name in system.children(raw_uri) if name.lower().startswith(wanted.name)]
    follow = [name for name in named if name.startswith(wanted.name) and ENDING.fullmatch(name, len(wanted.name))]
    found = [f"{raw_uri}/{name}" for name in follow]
    ignored = tuple(f"{raw_uri}/{name}" for name in named if name not in follow)
    if len(found) != 1:
        expected = ", ".join(f"{raw_uri}/{wanted.name}{ending}" for ending in (".csv", ".csv.gz", ".parquet", ""))
        problem = f"found both {' and '.join(found)}" if found else "none of them exists"
        raise InputError(f"{wanted.name}: expected one of {expected}; {problem}")
    [uri] = found
    if file := system.file(uri):
        return Located(wanted, uri, (file,), None, ignored)
    names = system.children_of_input(uri)
    children = {name: is_folder for name, is_folder in names.items() if not is_hidden(name)}
    dated = [name for name, is_folder in children.items() if is_folder and name.startswith("date=")]
    if not dated:
        return Located(wanted, uri, tuple(system.files_below(uri)), None, ignored)
    if len(dated) < len(children):
        other = next(name for name in children if name not in dated)
        raise InputError(f"{uri} holds both date= folders and {uri}/{other}; move one of them away")
    ignored += tuple(f"{uri}/{name}" for name in dated if day_of_folder(name) is None)
    requested = set(days)
    files = [file for name in dated if day_of_folder(name) in requested for file in system.files_below(f"{uri}/{name}")]
    return Located(wanted, uri, tuple(files), uri, ignored)
