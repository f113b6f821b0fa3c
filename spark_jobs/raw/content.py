"""Recognise what an input file holds from its first bytes: compression, format, encoding, header. Never from its name."""

import codecs
import hashlib
import re
import zlib
from dataclasses import dataclass

from spark_jobs.file_system import FileSystem
from spark_jobs.raw.inputs import InputError
from spark_jobs.raw.parquet_footers import ParquetFooter, read_footer

START = 8 * 1024
"""Bytes that are read of each file before Spark reads it."""
GZIP_HEADERS = 1024
"""More bytes that are read, because a gzip file of text that cannot be compressed is longer than the text."""
LONGEST_HEADER = 64 * 1024
COMPRESSIONS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd"}
PARQUET_MAGIC = b"PAR1"
UNREADABLE_FORMATS = {
    b"PARE": "an encrypted Parquet file",
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"PK\x05\x06": "an empty zip archive",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"ARROW1": "an Arrow file",
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "an SQLite database",
    b"SEQ": "a Hadoop sequence file",
    b"%PDF": "a PDF document",
    b"\xfd7zXZ": "compressed with xz",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"\x04\x22\x4d\x18": "compressed with lz4",
    b"\x02\x21\x4c\x18": "compressed with lz4",
    b"\x89LZO": "compressed with lzop",
    b"\xff\x06\x00\x00sNaPpY": "compressed with snappy",
    b"\x1f\x9d": "compressed with compress",
    b"x\x01": "compressed with zlib",
    b"x\x9c": "compressed with zlib",
    b"x\xda": "compressed with zlib",
}
TAR_MAGIC, TAR_MAGIC_AT = b"ustar", 257
TEXT_MAGICS = (b"ORC", b"SEQ", b"ARROW1")
"""Signatures that may also begin a line of text."""
UTF_16 = "utf-16"
LINE_BREAK = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class Content:
    """What the start of a file tells."""

    compression: str
    encoding: str
    """utf-8 or utf-16; empty for Parquet."""
    header: str | None
    """The first line without a byte-order mark, or None if the file is empty or Parquet."""
    line_break: str
    """What ends the first line: LF, CR, both, or nothing."""
    footer: ParquetFooter | None
    start_digest: str
    is_complete: bool
    """Whether the start is the whole file."""
    has_rows: bool
    """Whether there are rows. True if the start does not tell."""


def read_content(system: FileSystem, path: str) -> Content:
    """Open a file once and recognise it. Raises InputError for what the job cannot read, naming it for what it is."""
    compression, start, is_complete = _read_start(system, path, START)
    if not (is_complete or start.startswith(PARQUET_MAGIC) or LINE_BREAK.search(start)):
        compression, start, is_complete = _read_start(system, path, LONGEST_HEADER)
    digest = hashlib.sha256(start).hexdigest()
    if start.startswith(PARQUET_MAGIC):
        if compression:
            raise InputError(f"{path} is a Parquet file compressed with {compression}; decompress it")
        footer = read_footer(system, path)
        return Content("", "", None, "", footer, digest, is_complete, footer.rows > 0)
    if compression and any(start.startswith(magic) for magic in COMPRESSIONS):
        raise InputError(f"{path} is compressed twice; decompress it once")
    _refuse_unreadable(path, start)
    encoding = _encoding(path, start)
    if encoding == UTF_16:
        start = codecs.getincrementaldecoder(UTF_16)("replace").decode(start, is_complete).encode()
    header = _header(path, start, is_complete)
    line_break = LINE_BREAK.search(start)
    has_rows = not is_complete or len([line for line in LINE_BREAK.split(start) if line]) > 1
    ending = line_break[0].decode() if line_break else ""
    return Content(compression, encoding, header, ending, None, digest, is_complete, has_rows)


def _read_start(system: FileSystem, path: str, length: int) -> tuple[str, bytes, bool]:
    """Return the compression of a file, its first bytes, decompressed, and whether they are all."""
    start = system.read_start(path, length + GZIP_HEADERS)
    compression = next((name for magic, name in COMPRESSIONS.items() if start.startswith(magic)), "")
    if compression == "gzip":
        return compression, *_gunzip(path, start, length, len(start) < length + GZIP_HEADERS)
    start = system.read_start(path, length, compression) if compression else start[:length]
    return compression, start, len(start) < length


def _gunzip(path: str, start: bytes, length: int, is_all: bool) -> tuple[bytes, bool]:
    text, decompressor = b"", zlib.decompressobj(wbits=31)
    try:
        text = decompressor.decompress(start, length)
        while decompressor.eof and decompressor.unused_data and len(text) < length:  # a file may be several in a row
            start, decompressor = decompressor.unused_data, zlib.decompressobj(wbits=31)
            text += decompressor.decompress(start, length - len(text))
    except zlib.error as error:
        raise InputError(f"{path} cannot be read: the gzip data is damaged ({error}); upload it again") from error
    return text, is_all and decompressor.eof and not decompressor.unused_data


def _refuse_unreadable(path: str, start: bytes) -> None:
    for magic, name in UNREADABLE_FORMATS.items():
        is_text = magic in TEXT_MAGICS and b"\0" not in start[:200]
        if start.startswith(magic) and not is_text:
            raise InputError(f"{path} is {name}, which the job cannot read; write CSV or Parquet")
    if start.startswith(TAR_MAGIC, TAR_MAGIC_AT):
        raise InputError(f"{path} is a tar archive, which the job cannot read; unpack it")


def _encoding(path: str, start: bytes) -> str:
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise InputError(f"{path} is encoded in UTF-32; save it as UTF-8")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return UTF_16
    if b"\0" in LINE_BREAK.split(start, maxsplit=1)[0]:
        raise InputError(f"{path} has NUL bytes in its header, like UTF-16 without a byte-order mark; save it as UTF-8")
    return "utf-8"


def _header(path: str, start: bytes, is_complete: bool) -> str | None:
    start = start.removeprefix(codecs.BOM_UTF8)
    lines = LINE_BREAK.split(start, maxsplit=1)
    if len(lines) == 1 and not is_complete:
        raise InputError(
            f"{path}: its first line is longer than {LONGEST_HEADER // 1024} KiB; it must name the columns"
        )
    return lines[0].decode(errors="surrogateescape") if start else None
