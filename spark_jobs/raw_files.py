"""Find the raw files of one input, in any of the forms they come in, and read what their headers promise."""

import csv
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from spark_jobs.failures import root_cause


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


@dataclass(frozen=True)
class RawFiles:
    """Files of one input that share a header."""

    input: Input
    paths: tuple[str, ...]
    header: str
    columns: tuple[str, ...]
    """All the columns the header names, in its order."""
    dated_folder: str | None
    """The folder above the `date=YYYY-MM-DD` folders the files are in; None where the file holds many days."""


def find(spark: SparkSession, raw_uri: str, wanted: Input, days: Iterable[date]) -> list[RawFiles]:
    """Return the files of `wanted` under `raw_uri`, grouped by header; none where `days` have no folder.

    Looks for NAME.csv, NAME.csv.gz and NAME, each a file or a folder. A folder of `date=` folders is entered for the
    asked days alone. InputError where there is no such input, or two, or a header lacks a needed column.
    """
    storage = _Storage(spark, raw_uri)
    candidates = [f"{raw_uri}/{wanted.name}{ending}" for ending in (".csv", ".csv.gz", "")]
    there = [uri for uri in candidates if storage.exists(uri)]
    if len(there) != 1:
        found = " and ".join(there) if there else "none of them is there"
        raise InputError(f"{wanted.name}: expected one of {', '.join(candidates)}; {found}")
    dated_folder, paths = _list(storage, there[0], days)
    with ThreadPoolExecutor(max_workers=16) as pool:  # S3 answers one request in tens of milliseconds
        headers = dict(zip(paths, pool.map(storage.first_line, paths), strict=True))
    if paths and not any(headers.values()):
        raise InputError(f"{there[0]} is empty: its first line must name the columns {', '.join(wanted.columns)}")
    by_header: dict[str, list[str]] = {}
    for path, header in headers.items():
        if header is not None:
            by_header.setdefault(header, []).append(path)
    return [
        RawFiles(wanted, tuple(paths), header, _columns(header, wanted, paths[0], dated_folder), dated_folder)
        for header, paths in by_header.items()
    ]


def _list(storage: "_Storage", uri: str, days: Iterable[date]) -> tuple[str | None, list[str]]:
    """Return the folder of `date=` folders, if `uri` is one, and the files to read."""
    if storage.is_file(uri):
        return None, [uri]
    children = storage.children(uri)
    dated = [child for child in children if child.rsplit("/", 1)[1].startswith("date=")]
    if not dated:
        return None, storage.files_below(uri)
    if len(dated) < len(children):
        odd_one = next(child for child in children if child not in dated)
        raise InputError(f"{uri} holds both date= folders and {odd_one}; move one of them away")
    asked = {f"{uri}/date={day}" for day in days}
    return uri, [path for folder in dated if folder in asked for path in storage.files_below(folder)]


def _columns(header: str, wanted: Input, path: str, dated_folder: str | None) -> tuple[str, ...]:
    """Return the header's columns; InputError if it lacks one. Files in `date=` folders may leave `date` to them."""
    columns = tuple(name.strip() for name in next(csv.reader([header])))
    needed = [name for name in wanted.columns if not (name == "date" and dated_folder)]
    for name in needed:
        if columns.count(name) != 1:
            problem = "no column" if name not in columns else "two columns"
            raise InputError(f"{path} has {problem} '{name}'; its header is: {header[:200]}")
    return columns


class _Storage:
    """Hadoop's view of a file system, s3a or another, through Spark's JVM."""

    def __init__(self, spark: SparkSession, uri: str) -> None:
        self.jvm = cast(Any, spark._jvm)
        self.configuration: Any = spark._jsc.hadoopConfiguration()
        self.system: Any = self._path(uri).getFileSystem(self.configuration)
        self.codecs: Any = self.jvm.org.apache.hadoop.io.compress.CompressionCodecFactory(self.configuration)

    def exists(self, uri: str) -> bool:
        return self.system.exists(self._path(uri))

    def is_file(self, uri: str) -> bool:
        return self.system.getFileStatus(self._path(uri)).isFile()

    def children(self, uri: str) -> list[str]:
        """Return what is directly in a folder, hidden names left out."""
        return [
            f"{uri}/{name}"
            for name in sorted(status.getPath().getName() for status in self.system.listStatus(self._path(uri)))
            if not name.startswith(("_", "."))
        ]

    def files_below(self, uri: str) -> list[str]:
        """Return the files in a folder and its subfolders, hidden ones left out."""
        found, listing = [], self.system.listFiles(self._path(uri), True)
        while listing.hasNext():
            path = listing.next().getPath().toString()
            if not re.search(r"/[_.][^/]*$", path):
                found.append(path)
        return sorted(found)

    def first_line(self, uri: str) -> str | None:
        """Return a file's first line without byte-order mark, None if it is empty; InputError if it is unreadable."""
        path = self._path(uri)
        codec = self.codecs.getCodec(path)
        stream = None
        try:
            stream = self.system.open(path)
            decoded = codec.createInputStream(stream) if codec else stream
            characters = self.jvm.java.io.InputStreamReader(decoded, "UTF-8")
            line = self.jvm.java.io.BufferedReader(characters).readLine()
        except Py4JJavaError as error:
            raise InputError(f"{uri} cannot be read: {root_cause(error)}") from error
        finally:
            if stream is not None:
                stream.close()
        return None if line is None else line.removeprefix("\ufeff")

    def _path(self, uri: str) -> Any:
        return self.jvm.org.apache.hadoop.fs.Path(uri)
