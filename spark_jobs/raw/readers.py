"""Choose a reader for each input file by its content, and group the files that can be read together."""

import csv
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date

from pyspark.sql import Column, DataFrame, DataFrameReader, SparkSession
from pyspark.sql import functions as F

from spark_jobs.failures import clean_text
from spark_jobs.file_system import FileSystem, local_options
from spark_jobs.raw.content import Content, read_content
from spark_jobs.raw.duplicates import find_copies
from spark_jobs.raw.files import Located
from spark_jobs.raw.inputs import Input, InputError
from spark_jobs.raw.parquet_footers import ParquetFooter
from spark_jobs.raw.parquet_types import type_of
from spark_jobs.raw.records import OPENING

OPENED_AT_ONCE = 32  # S3 takes tens of milliseconds for each request
MANY_FILES = 32
"""With more, Spark lists a folder faster than it asks for each file."""
COMET_ENABLED = "spark.comet.enabled"
EXACTLY_THESE_FILES = {
    "__globPaths__": "false",
    "ignoreCorruptFiles": "false",
    "ignoreMissingFiles": "false",
}
"""Options that make Spark read the paths it is given: no patterns, and no file left out."""


@dataclass(frozen=True)
class RawFiles:
    """Files of one input that are read together: CSV with one header, or Parquet with one type for each needed column."""

    input: Input
    paths: tuple[str, ...]
    header: str
    columns: tuple[str, ...]
    """All columns of a CSV file in its order, in lower case; of a Parquet file, the needed ones."""
    types: tuple[tuple[str, str, str], ...] = ()
    """Of Parquet: the needed column, its name in the files, and its Spark type with the logical type that it stands for."""
    dated_folder: str | None = None
    is_compact: bool = False
    """Whether the `date=` folders are written without hyphens."""
    by_comet: bool = False
    """Whether Comet reads the lines of CSV, not Spark."""
    has_crlf: bool = False
    """Of files that Comet reads: whether lines end with CR and LF."""
    day: date | None = None
    """The day of their `date=` folder, if Spark does not read it from the path: it does only for CSV without Comet."""
    folder: str | None = None
    """The folder that holds many files, these and no others."""
    are_copies: bool = False
    originals: tuple[str, ...] = ()
    """The input files. `paths` may be copies of them."""

    @property
    def is_parquet(self) -> bool:
        return bool(self.types)

    @property
    def needed_columns(self) -> tuple[str, ...]:
        """The columns to read. `date` is not among them if only the `date=` folder has it."""
        return tuple(name for name in self.input.columns if name in self.columns)

    @property
    def origin(self) -> str:
        """The input file, or the folder that all of the files are in."""
        if len(self.originals) == 1:
            return self.originals[0]
        folders = [path.split("/")[:-1] for path in self.originals]
        shared = [names[0] for names in zip(*folders, strict=False) if len(set(names)) == 1]
        return "/".join(shared)

    @property
    def folder_day(self) -> Column:
        """The day of the `date=` folder that a row is in, or null."""
        if self._has_one_folder_day:
            day = F.lit(self.day).cast("date")
        elif self.is_compact:
            day = F.to_date(F.col("date").cast("string"), "yyyyMMdd")
        else:
            day = F.col("date").cast("date")
        return day.alias("folder_day")

    @property
    def _has_one_folder_day(self) -> bool:
        return self.dated_folder is None or self.day is not None

    def count_by(self, rows: DataFrame, *columns: str) -> DataFrame:
        """Count the rows that are equal in some columns and in `folder_day`: those, and `lines`."""
        lines = F.count("*").alias("lines")
        if self._has_one_folder_day:  # one key less, which is faster
            return rows.groupBy(*columns).agg(lines).withColumn("folder_day", self.folder_day)
        return rows.groupBy(*columns, "folder_day").agg(lines)

    def load(self, reader: DataFrameReader, file_format: str) -> DataFrame:
        """Read the files in Spark's format, with the options and the schema of the reader."""
        reader = reader.format(file_format)
        if self.folder:
            frame = reader.option("recursiveFileLookup", "true").load(self.folder)
            if len(frame._jdf.inputFiles()) == len(self.paths):  # no file has come or gone since we listed them
                return frame
        return reader.load([*self.paths])

    def reader(self, spark: SparkSession) -> DataFrameReader:
        """Return a reader. Spark's takes `date` from the `date=` folders, if there are any."""
        reader = spark.read.options(**EXACTLY_THESE_FILES, **local_options(self.paths[0]))
        if self._has_one_folder_day:
            return reader
        return reader.option("basePath", self.dated_folder)


@dataclass(frozen=True)
class OpenedInput:
    """The files of one input that are read, by path, and the copies that are read instead of some of them."""

    located: Located
    contents: Mapping[str, Content]
    copies: Mapping[str, str]
    same_data: tuple[tuple[str, ...], ...]
    """Files of one day that hold the same data."""
    by_comet: bool
    """Whether Comet reads the CSV files that it can read; if not, Spark reads all."""


def open_files(spark: SparkSession, located: Located, days: Iterable[date]) -> OpenedInput:
    """Open the files that may hold events of `days`, each once, and recognise what they hold. Empty files are left out.

    Raises InputError or Unreadable for a file that cannot be read.
    """
    files = list(dict.fromkeys(file for day in days for file in located.of(day)))
    system = FileSystem(spark, located.uri)
    with ThreadPoolExecutor(OPENED_AT_ONCE) as pool:
        contents = dict(zip(files, pool.map(lambda file: read_content(system, file.path), files), strict=True))
    is_empty = {file: content.header is None and content.footer is None for file, content in contents.items()}
    if files and all(is_empty.values()):
        needed = ", ".join(located.input.columns)
        raise InputError(f"{located.uri} is empty: its first line must name the columns {needed}")
    same_data = find_copies(system, contents, {file: located.day_of(file.path) for file in files})
    not_empty = {file.path: contents[file] for file in files if not is_empty[file]}
    return OpenedInput(located, not_empty, {}, same_data, has_comet(spark))


def has_comet(spark: SparkSession) -> bool:
    """Return whether Spark is to use the plugin Comet (conf/comet.conf), whose CSV scan runs in native code."""
    needed = (COMET_ENABLED, "spark.comet.scan.csv.v2.enabled")
    has_plugin = "CometPlugin" in str(spark.conf.get("spark.plugins", ""))
    return has_plugin and all(spark.conf.get(name, "true") == "true" for name in needed)


def group_files(opened: OpenedInput) -> list[RawFiles]:
    """Group the files by how they are read. Raises InputError if a needed column is missing."""
    located, copies = opened.located, opened.copies
    groups: dict[tuple[RawFiles, str | None], list[str]] = {}
    for path, content in opened.contents.items():
        files = RawFiles(located.input, (), "", (), (), located.dated_folder, located.is_compact(path))
        if content.footer:
            types = _parquet_types(content.footer, located, path)
            # With the day known, Spark reads no folder names: one called `advertiser_id=b` would replace the column.
            names = tuple(name for name, _, _ in types)
            files = replace(files, columns=names, types=types, day=located.day_of(path))
        else:
            header = content.header or ""
            files = replace(files, header=header, columns=_csv_columns(header, located, path))
            if opened.by_comet and (path in copies or not (content.compression or content.line_break == "\r")):
                has_crlf = content.line_break == "\r\n" and path not in copies
                files = replace(files, by_comet=True, has_crlf=has_crlf, day=located.day_of(path))
            elif located.has_more_partitions(path):
                files = replace(files, day=located.day_of(path))
        if path in copies:  # each in a folder of its own
            folder = copies[path].rsplit("/date=", 1)[0]
            files = replace(files, dated_folder=located.dated_folder and folder, is_compact=False, are_copies=True)
        alone = path if looks_like_pattern(copies.get(path, path)) else None
        groups.setdefault((files, alone), []).append(path)
    sources = [
        replace(files, paths=tuple(copies.get(path, path) for path in paths), originals=tuple(paths))
        for (files, _), paths in groups.items()
    ]
    return [replace(source, folder=_folder_of_all(source, located)) for source in sources]


def _folder_of_all(source: RawFiles, located: Located) -> str | None:
    """Return the folder of a source's many files, or None if it holds other files too, or if they are few.

    A folder is read as a whole, so Spark then knows no day from the name of a `date=` folder.
    """
    needs_names = source.dated_folder is not None and source.day is None
    if len(source.paths) <= MANY_FILES or source.are_copies or needs_names:
        return None
    in_folder = [file for file in located.files if file.path.startswith(f"{source.origin}/")]
    return source.origin if len(in_folder) == len(source.paths) else None


def looks_like_pattern(path: str) -> bool:
    """Return whether Spark takes a path for a pattern.

    Even with __globPaths__ off, Spark reads every path of a list once more for each other one that looks like a pattern
    (DataSource.checkAndGlobPathIfNecessary).
    """
    return any(character in path for character in "{}[]*?\\")


def _csv_columns(header: str, located: Located, path: str) -> tuple[str, ...]:
    """Return the columns of a header: letter case, quotes and spaces around a name do not count."""
    if OPENING.match(header):
        raise InputError(f"{path}: a quote in its header is not closed; the names of the columns must be on one line")
    columns = tuple(name.strip().strip('"').strip().lower() for name in next(csv.reader([header]), []))
    _check_columns(columns, located, path, f"header is: {clean_text(header, 200)}")
    return columns


def _parquet_types(footer: ParquetFooter, located: Located, path: str) -> tuple[tuple[str, str, str], ...]:
    """Return the needed columns with their names in the file and their types. InputError if a type does not fit."""
    names = tuple(column.name.strip().lower() for column in footer.columns)
    schema = ", ".join(f"{column.name} {column.type}" for column in footer.columns)
    if located.dated_folder and "date" in names:
        raise InputError(f"{path} is in a date= folder and also has a column 'date'; remove one of the two")
    _check_columns(names, located, path, f"schema is: {clean_text(schema, 200)}")
    types = []
    for name in located.input.columns:
        if name in names:
            column = footer.columns[names.index(name)]
            if not column.physical:
                raise InputError(f"{path} has a column '{name}' with more than one value in a row")
            if type_of(column, name) is None:
                raise InputError(f"{path} has a column '{name}' of type {column.type}; write it as text")
            types.append((name, column.name, f"{column.physical} {column.logical}"))
    return tuple(types)


def _check_columns(columns: tuple[str, ...], located: Located, path: str, what_it_has: str) -> None:
    for name in located.input.columns:
        is_optional = name == "date" and located.dated_folder is not None
        if columns.count(name) > 1 or (name not in columns and not is_optional):
            problem = "no column" if name not in columns else "two columns"
            hint = "" if name != "date" else "; a folder can give the day if it is called date=YYYY-MM-DD"
            raise InputError(f"{path} has {problem} '{name}'; its {what_it_has}{hint}")
