"""Files and folders on s3a or any other Hadoop file system, through Spark's JVM."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any, cast

from py4j.java_gateway import is_instance_of
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from spark_jobs.failures import root_cause

LOCAL_FILES = {
    "fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    "fs.file.impl.disable.cache": "true",
}
"""Hadoop's usual local file system keeps a checksum file beside each file, and fails for names that contain a colon."""
NOT_IN_THIS_LOCALE = "Java cannot decode its name; rename it, or run the job with LC_ALL=C.UTF-8"
TABLE_FORMATS = {"_delta_log": "a Delta table", ".hoodie": "a Hudi table"}
"""Hidden folders that say which of the files beside them count. Reading all would count deleted and replaced rows."""
FILE_AND_FOLDER = "cannot be read: it is both a file and a folder; rename or remove one of them"
CODECS = {"gzip": "GzipCodec", "bzip2": "BZip2Codec"}
"""Those of Hadoop. Its codec for zstd needs a native library that Spark does not bring."""


class Unreadable(Exception):
    """A file cannot be read: its name, and why."""


@dataclass(frozen=True)
class File:
    """A file as the file system lists it. If it is rewritten, one of these values changes."""

    path: str
    """Its URI, beginning with the URI that was listed."""
    size: int
    modified: str
    """UTC, ISO 8601."""
    etag: str | None
    """The ETag on S3, None on other file systems."""


class FileSystem:
    """The file system of `uri`. Every method is a request to it."""

    def __init__(self, spark: SparkSession, uri: str) -> None:
        self.gateway: Any = spark.sparkContext._gateway
        self.jvm = cast(Any, spark._jvm)
        # By its full name: each part of a dotted one would be a search of all jars for a class, 3 ms for a path.
        self.new_path: Any = getattr(self.jvm, "org.apache.hadoop.fs.Path")
        self.shared_configuration: Any = spark._jsc.hadoopConfiguration()
        self.configuration: Any = self.jvm.org.apache.hadoop.conf.Configuration(self.shared_configuration)
        for name, value in local_options(uri).items():
            self.configuration.set(name, value)
        self.system: Any = self.path(uri).getFileSystem(self.configuration)
        self.is_local = bool(local_options(uri))
        self.has_etags: bool | None = None
        self.codecs: Any = self.jvm.org.apache.hadoop.io.compress.CompressionCodecFactory(self.configuration)

    def exists(self, uri: str) -> bool:
        return self.system.exists(self.path(uri))

    def file(self, uri: str) -> File | None:
        """Return the file at `uri`, or None if it is a folder."""
        status = self.system.getFileStatus(self.path(uri))
        return self._file(status, uri) if status.isFile() else None

    def children(self, uri: str) -> dict[str, bool]:
        """Return the names directly in a folder, without hidden ones, and whether each is a folder.

        A folder that does not exist has none.
        """
        try:
            statuses = list(self.system.listStatus(self.path(f"{uri}/")))
        except Py4JJavaError as error:
            if is_instance_of(self.gateway, error.java_exception, "java.io.FileNotFoundException"):
                return {}
            raise
        return {name: is_folder for name, is_folder in _names(uri, statuses).items() if not is_hidden(name)}

    def children_of_input(self, uri: str) -> dict[str, bool]:
        """Return the same of a folder that exists, with hidden names. Raises Unreadable as `files_below` does."""
        return _names(uri, self._list(uri))

    def files_below(self, uri: str) -> list[File]:
        """Return the files in a folder and its subfolders. Hidden files, and files in hidden folders, are left out.

        Raises Unreadable for a table, for what Hadoop leaves out, and for two objects of S3 with one path.
        """
        if self.is_local:  # Hadoop's recursive listing would run `ls` for each local file, 10 ms
            return sorted(self._local_files_below(uri), key=lambda file: file.path)
        found, in_full = [], self.system.makeQualified(self.path(uri)).toString()
        listing = self.system.listFiles(self.path(uri), True)
        while listing.hasNext():
            status = listing.next()
            below = status.getPath().toString().removeprefix(in_full)
            names = below.split("/")
            _refuse_tables(uri, names)
            if not any(map(is_hidden, names)):
                found.append(self._file(status, uri + below))
        found.sort(key=lambda file: file.path)
        _refuse_shared_paths(uri, found)
        return found

    def _local_files_below(self, uri: str) -> Iterator[File]:
        for status in self._list(uri):
            name = status.getPath().getName()
            if not is_hidden(name):
                child = f"{uri}/{name}"
                yield from self._local_files_below(child) if status.isDirectory() else (self._file(status, child),)

    def _list(self, uri: str) -> list[Any]:
        """Return what is directly in a folder. Raises Unreadable for a table, or a local name that Hadoop leaves out."""
        folder = self.path(f"{uri}/")
        local = Path(folder.toUri().getPath())
        entries = list(local.iterdir()) if self.is_local and local.is_dir() else []
        statuses = list(self.system.listStatus(folder))
        if len(entries) > len(statuses):
            listed = {status.getPath().getName() for status in statuses}
            for entry in entries:
                if entry.name not in listed and not is_hidden(entry.name):
                    why = NOT_IN_THIS_LOCALE if entry.exists() else "it is a link to nowhere, or was just removed"
                    raise Unreadable(f"{uri}/{entry.name} cannot be read: {why}")
        _refuse_tables(uri, [status.getPath().getName() for status in statuses])
        return statuses

    def compression_by_name(self, extension: str) -> str:
        """Return the compression that Spark expects of files with an extension: gzip, bzip2, another codec, or empty."""
        codec = self.codecs.getCodec(self.path(f"file{extension}"))
        return "" if codec is None else codec.getClass().getSimpleName().removesuffix("Codec").lower()

    def read_start(self, uri: str, length: int, compression: str = "") -> bytes:
        """Return the first bytes of a file, decompressed. Raises Unreadable if it cannot be read."""
        with self._open(uri, compression) as stream:
            return bytes(stream.readNBytes(length))

    def read_digest(self, uri: str, compression: str) -> str:
        """Read the whole file and return a digest of its decompressed content."""
        with self._open(uri, compression) as stream:
            return self.jvm.org.apache.commons.codec.digest.DigestUtils.sha256Hex(stream)

    def copy_to_local(self, uri: str, compression: str, path: str, most: int) -> bool:
        """Copy a file, decompressed, to a local path; return False if it has more than `most` bytes."""
        with self._open(uri, compression) as stream:
            out = self.jvm.java.io.FileOutputStream(path)
            try:
                return self.jvm.org.apache.commons.io.IOUtils.copyLarge(stream, out, 0, most + 1) <= most
            finally:
                out.close()

    def copy_from_local(self, path: str, uri: str, until_exit: str) -> None:
        """Copy a local file to `uri`. The folder `until_exit` is removed when this process ends."""
        # Only of file systems that it shares, Hadoop removes files at the end.
        shared = self.path(uri).getFileSystem(self.shared_configuration)
        source, target = self.jvm.java.io.FileInputStream(path), shared.create(self.path(uri))
        try:
            self.jvm.org.apache.commons.io.IOUtils.copyLarge(source, target)
        finally:
            source.close()
            target.close()
        shared.deleteOnExit(self.path(until_exit))

    def remove(self, uri: str) -> None:
        """Remove a file, or a folder with everything in it, if it exists."""
        self.system.delete(self.path(uri), True)

    @contextmanager
    def _open(self, uri: str, compression: str) -> Iterator[Any]:
        with self.naming(uri):
            stream = self.system.open(self.path(uri))
            try:
                yield self._decompress(stream, compression)
            finally:
                stream.close()

    @contextmanager
    def naming(self, uri: str) -> Iterator[None]:
        """Raise Unreadable, which names the file, if the block fails in Java."""
        try:
            yield
        except Py4JJavaError as error:
            raise Unreadable(f"{uri} cannot be read: {root_cause(error)}") from error

    def _decompress(self, stream: Any, compression: str) -> Any:
        if compression in CODECS:
            codec = self.codecs.getCodecByClassName(f"org.apache.hadoop.io.compress.{CODECS[compression]}")
            return codec.createInputStream(stream)
        return self.jvm.com.github.luben.zstd.ZstdInputStream(stream) if compression else stream

    def path(self, uri: str) -> Any:
        """Return Hadoop's Path, for its other classes."""
        return self.new_path(uri)

    def _file(self, status: Any, uri: str) -> File:
        if self.has_etags is None:  # checked once: each check searches all jars, for 10 ms
            self.has_etags = is_instance_of(self.gateway, status, "org.apache.hadoop.fs.EtagSource")
        modified = datetime.fromtimestamp(status.getModificationTime() / 1000, UTC)
        return File(
            path=uri,
            size=status.getLen(),
            modified=f"{modified:%Y-%m-%dT%H:%M:%S}.{modified.microsecond // 1000:03d}Z",
            etag=status.getEtag() if self.has_etags else None,
        )


def local_options(uri: str) -> dict[str, str]:
    """Return the Hadoop options with which files at `uri` are read, whatever their names."""
    return LOCAL_FILES if uri.startswith("file:") else {}


def is_hidden(name: str) -> bool:
    """Return whether Spark leaves out a file or a folder because of its name."""
    return name.startswith(".") or name.endswith("._COPYING_") or (name.startswith("_") and "=" not in name)


def _refuse_tables(uri: str, names: Iterable[str]) -> None:
    """Raise Unreadable if one of the names in the folder `uri` belongs to a Delta or Hudi table."""
    for name in TABLE_FORMATS.keys() & set(names):
        what = TABLE_FORMATS[name]
        raise Unreadable(f"{uri} is {what}, whose files also hold rows that were deleted; export it as CSV or Parquet")


def _refuse_shared_paths(uri: str, files: Sequence[File]) -> None:
    """Raise Unreadable if two objects below `uri` have one path: Hadoop would read only one of them, perhaps twice."""
    for file, following in pairwise(files):
        if file.path == following.path:
            raise Unreadable(f"{file.path} is there twice, once with // in its key; remove one of them")
    folders = {str(folder) for file in files for folder in PurePosixPath(file.path.removeprefix(uri)).parents}
    for file in files:
        if file.size and file.path.removeprefix(uri) in folders:
            raise Unreadable(f"{file.path} {FILE_AND_FOLDER}")


def _names(uri: str, statuses: list[Any]) -> dict[str, bool]:
    """Return the names and whether each is a folder. Raises Unreadable for a name that is both, which S3 allows.

    Hadoop would then read only one of the two. An empty object may only stand for the folder.
    """
    files = {status.getPath().getName(): status.getLen() for status in statuses if not status.isDirectory()}
    folders = {status.getPath().getName() for status in statuses if status.isDirectory()}
    for name in sorted(folders & files.keys()):
        if files[name]:
            raise Unreadable(f"{uri}/{name} {FILE_AND_FOLDER}")
    return {name: name in folders for name in sorted(folders | files.keys())}
