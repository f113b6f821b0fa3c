"""Files and folders as Hadoop sees them, on s3a or any other file system, through Spark's JVM."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from py4j.java_gateway import is_instance_of
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from spark_jobs.failures import root_cause


class Unreadable(Exception):
    """A file that cannot be read: its name, and why."""


@dataclass(frozen=True)
class File:
    """A file as a listing shows it, which is enough to tell whether it was written anew."""

    path: str
    """Its URI, in the words of the URI that was asked for."""
    size: int
    modified: str
    """UTC, ISO 8601."""
    etag: str | None
    """S3's own; None where the file system has none."""


@dataclass(frozen=True)
class ParquetSchema:
    """The columns of a Parquet file, as its footer has them."""

    fields: tuple[str, ...]
    """Each as Parquet writes it, with its type."""
    columns: tuple[str, ...]
    nested: tuple[str, ...]
    """Those of the columns that are lists, maps or structures."""

    def __str__(self) -> str:
        return ", ".join(self.fields)


class FileSystem:
    """The file system that `uri` is on."""

    def __init__(self, spark: SparkSession, uri: str) -> None:
        self.gateway: Any = spark.sparkContext._gateway
        self.jvm = cast(Any, spark._jvm)
        self.configuration: Any = spark._jsc.hadoopConfiguration()
        self.system: Any = self._path(uri).getFileSystem(self.configuration)
        self.codecs: Any = self.jvm.org.apache.hadoop.io.compress.CompressionCodecFactory(self.configuration)

    def exists(self, uri: str) -> bool:
        return self.system.exists(self._path(uri))

    def file(self, uri: str) -> File | None:
        """Return the file at `uri`; None where it is a folder."""
        status = self.system.getFileStatus(self._path(uri))
        return self._file(status, uri) if status.isFile() else None

    def children(self, uri: str) -> list[str]:
        """Return what is directly in a folder, hidden names left out."""
        return [
            f"{uri}/{name}"
            for name in sorted(status.getPath().getName() for status in self.system.listStatus(self._path(uri)))
            if not name.startswith(("_", "."))
        ]

    def files_below(self, uri: str) -> list[File]:
        """Return the files in a folder and its subfolders, hidden ones left out."""
        found, listing = [], self.system.listFiles(self._path(uri), True)
        in_full = self.system.makeQualified(self._path(uri)).toString()
        while listing.hasNext():
            status = listing.next()
            file = self._file(status, uri + status.getPath().toString().removeprefix(in_full))
            if not re.search(r"/[_.][^/]*$", file.path):
                found.append(file)
        return sorted(found, key=lambda file: file.path)

    def first_line(self, uri: str) -> str | None:
        """Return a file's first line without byte-order mark, None if it is empty; Unreadable if it cannot be read."""
        path = self._path(uri)
        codec = self.codecs.getCodec(path)
        stream = None
        try:
            stream = self.system.open(path)
            decoded = codec.createInputStream(stream) if codec else stream
            characters = self.jvm.java.io.InputStreamReader(decoded, "UTF-8")
            line = self.jvm.java.io.BufferedReader(characters).readLine()
        except Py4JJavaError as error:
            raise Unreadable(f"{uri} cannot be read: {root_cause(error)}") from error
        finally:
            if stream is not None:
                stream.close()
        return None if line is None else line.removeprefix("\ufeff")

    def parquet_schema(self, uri: str) -> ParquetSchema:
        """Return the schema of a Parquet file; Unreadable if it is none."""
        parquet = self.jvm.org.apache.parquet.hadoop
        try:
            file = parquet.util.HadoopInputFile.fromPath(self._path(uri), self.configuration)
            reader = parquet.ParquetFileReader.open(file)
            fields = list(reader.getFooter().getFileMetaData().getSchema().getFields())
            reader.close()
        except Py4JJavaError as error:
            raise Unreadable(f"{uri} cannot be read: {root_cause(error)}") from error
        return ParquetSchema(
            fields=tuple(str(field) for field in fields),
            columns=tuple(field.getName() for field in fields),
            nested=tuple(field.getName() for field in fields if not field.isPrimitive()),
        )

    def remove(self, uri: str) -> None:
        """Remove a file or a folder with all that is in it; nothing happens where there is none."""
        self.system.delete(self._path(uri), True)

    def _path(self, uri: str) -> Any:
        return self.jvm.org.apache.hadoop.fs.Path(uri)

    def _file(self, status: Any, uri: str) -> File:
        has_etag = is_instance_of(self.gateway, status, "org.apache.hadoop.fs.EtagSource")
        modified = datetime.fromtimestamp(status.getModificationTime() / 1000, UTC)
        return File(
            path=uri,
            size=status.getLen(),
            modified=f"{modified:%Y-%m-%dT%H:%M:%S}.{modified.microsecond // 1000:03d}Z",
            etag=status.getEtag() if has_etag else None,
        )
