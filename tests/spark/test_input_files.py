"""Every row of the tables in docs/input-files.md, with the smallest input that shows it."""

import bz2
import gzip
import io
import logging
import re
import tarfile
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest

from devstack.state import ROOT
from spark_jobs.file_system import Unreadable
from spark_jobs.raw.events import read_raw
from spark_jobs.raw.files import locate
from spark_jobs.raw.inputs import ALL_INPUTS, PRODUCT_VIEWS, InputError
from spark_jobs.raw.listing import Inputs
from tests.conftest import ADS, DAY, VIEWS

ON = date.fromisoformat(DAY)
ROW = f"a,p,{DAY}\n"
ONE = f"{VIEWS}{ROW}".encode()
TWO = f"{VIEWS}a,q,{DAY}\na,r,{DAY}\n".encode()
FOLDER_ROW = b"advertiser_id,product_id\na,p\n"
BROKEN_TITLE = f'advertiser_id,product_id,date,title\na,p,{DAY},"Sale\nb,forged,{DAY},now\nx"\na,q,{DAY},"x"\n'
LINK_TO_NOWHERE = b"/nowhere"
"""Stands for a file that is a link."""
NAMES = ["2026-11-20T00:15:00+00:00", "a b", "a%20b", "a+b#c", "ñandú 漢", "a,b'c"]


@dataclass(frozen=True)
class Read:
    """The file is read: so many good rows, perhaps a warning, perhaps these product ids."""

    rows: int = 1
    warning: str = ""
    ids: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Rejected:
    """So many lines are rejected, and the other rows are read."""

    reason: str
    rows: int = 0
    lines: int = 1


@dataclass(frozen=True)
class Refused:
    """The run fails with a sentence that contains these words."""

    words: str


@dataclass(frozen=True)
class SameData:
    """The run records that this file and another hold the same data, for which the audit refuses the day."""

    name: str


def csv(*rows, header=VIEWS):
    return (header + "".join(f"{row}\n" for row in rows)).encode()


def parquet(product="'p'", day=f"date '{DAY}'", extra="", rows=1):
    """Return a Parquet file of product views."""
    query = f"select 'a' as advertiser_id, {product} as product_id, {day} as date{extra} from range({rows})"
    return written_by_duckdb(query, "format parquet")


def written_by_duckdb(query, options):
    with TemporaryDirectory() as folder:
        path = Path(folder, "file")
        duckdb.execute(f"copy ({query}) to '{path}' ({options})")
        return path.read_bytes()


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("product_views.csv", ONE)
    return file.getvalue()


def tarred():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("product_views.csv"))
    return file.getvalue()


def views(content, name=".csv"):
    return {f"product_views{name}": content}


def folder(contents):
    """Return files of one folder: they are read at once, which takes little longer than one of them."""
    return {f"product_views/{n}": content for n, content in enumerate(contents)}


ZSTD = written_by_duckdb(
    f"select 'a' as advertiser_id, 'p' as product_id, '{DAY}' as date", "format csv, header, compression zstd"
)
FOREIGN = {
    "a zip archive": zipped(),
    "a tar archive": tarred(),
    "an Avro file": b"Obj\x01\x04\x14avro.codec",
    "an ORC file": b"ORC\x08\x00\x00\x11",
    "compressed with xz": b"\xfd7zXZ\x00\x00",
    "compressed with lz4": b"\x04\x22\x4d\x18\x60",
    "compressed with snappy": b"\xff\x06\x00\x00sNaPpY",
    "an Excel workbook": b"\xd0\xcf\x11\xe0\xa1\xb1",
}
TERMINATORS = ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]
ENDED = [(length, end) for end in TERMINATORS for length in (1, 63, 64)]
ENDED_IN_PARQUET = [
    f"repeat('p', {length}) || chr({ord(end)})" for end in [*TERMINATORS, "\n", "\r"] for length in (1, 63, 64)
]
LONG = "é" * 32 + "漢" * 31 + "😀"
EXACT = ["41::float", "42::double", "43.000::decimal(9,3)", "44::decimal(38,0)"]
INEXACT = ["42.5::float", "16777218::float", "42.5::double", "1e20::double", "'nan'::double", "42.5::decimal(9,3)"]
WHOLE = ["utinyint", "usmallint", "uinteger", "ubigint", "tinyint", "smallint", "integer", "bigint"]
MOMENTS = [
    f"date '{DAY}'",
    f"'{DAY}'",
    f"'{DAY}T08:00:00Z'",
    f"timestamp_ms '{DAY} 23:59:59.999'",
    f"timestamp '{DAY} 23:59:59.999999'",
    f"timestamptz '{DAY} 23:59:59.999999+00'",
    f"timestamp_ns '{DAY} 23:59:59.999999999'",
]
OTHER_TYPES = [
    "uuid()",
    "timestamp_ns '2026-11-20 00:00:00'",
    "time '10:00'",
    "interval 1 day",
    "[1]",
    "{'x': 1}",
    "1::hugeint",
    "'x'::blob",
    "'1'::bit",
]

CASES: list[tuple[str, dict[str, bytes], Read | Rejected | Refused | SameData]] = [
    # Names and folders
    ("`NAME.csv`, a file", views(ONE), Read()),
    ("`NAME`, a file without extension", views(ONE, ""), Read()),
    ("`NAME.CSV`, an extension in upper case", views(ONE, ".CSV"), Read()),
    ("`NAME/` with files in nested folders", views(ONE, "/2026/11/a.csv") | views(TWO, "/b.csv"), Read(3)),
    (
        "a file in a folder that begins with `_` or `.`, at any level",
        views(ONE, "/a.csv")
        | views(TWO, "/_temporary/0/b.csv")
        | views(TWO, "/x/.ipynb_checkpoints/y/b.csv")
        | views(TWO, "/_SUCCESS/b.csv"),
        Read(),
    ),
    (
        "a file that begins with `_` or `.`, or ends with `._COPYING_`",
        views(ONE, "/a.csv") | views(TWO, "/_b.csv") | views(TWO, "/x/.b.csv") | views(TWO, "/b.csv._COPYING_"),
        Read(),
    ),
    *[
        (
            "names with colons, spaces, `%`, `+`, `#`, brackets and other scripts",
            {f"product_views/{name}.csv": text.replace("a,p", f"a,{n}").encode() for n, name in enumerate(names)},
            Read(len(names) * rows, ids=frozenset([*map(str, range(len(names))), *others])),
        )
        for text, rows, others in [(ONE.decode(), 1, ""), (BROKEN_TITLE, 2, "q")]
        for names in (NAMES, ["x[1]{2}"], [*NAMES, "x[1]{2}"])
    ],
    (
        "names with colons, spaces, `%`, `+`, `#`, brackets and other scripts",
        views(gzip.compress(ONE), "/[1].csv.gz") | views(gzip.compress(TWO), "/[2].csv.gz"),
        Read(3),
    ),
    ("`date=2026-11-20/` without a column `date`", views(FOLDER_ROW, f"/date={DAY}/a.csv"), Read()),
    *[
        (
            "`date=2026-11-20/` without a column `date`",
            views(gzip.compress(FOLDER_ROW), f"/date={DAY}/a.csv.gz")
            | views(gzip.compress(FOLDER_ROW + b"a,q\n"), f"/date={DAY}/{nested}/a.csv.gz"),
            Read(3, ids=frozenset("pq")),
        )
        for nested in ("hour=03", "value=7", "date=2026-11-19", "x=")
    ],
    (
        "`date=2026-11-20/` without a column `date`",
        views(
            written_by_duckdb("select 'a' as advertiser_id, 'p' as product_id", "format parquet"),
            f"/date={DAY}/product_id=q/advertiser_id=b/a.parquet",
        ),
        Read(ids=frozenset("p")),
    ),
    *[
        ("`date=20261120/`", views(FOLDER_ROW, "/date=20261120/a.csv") | more, Read(rows))
        for more, rows in [({}, 1), (views(FOLDER_ROW + b"a,q\n", f"/date={DAY}/a.csv"), 3)]
    ],
    ("`dt=2026-11-20/` with a column `date`", views(ONE, f"/dt={DAY}/a.csv"), Read()),
    ("`dt=2026-11-20/` without a column `date`", views(FOLDER_ROW, f"/dt={DAY}/a.csv"), Refused("no column 'date'")),
    (
        "a `date=` folder that is not a day, beside others",
        views(FOLDER_ROW, f"/date={DAY}/a.csv") | views(FOLDER_ROW, "/date=latest/a.csv"),
        Read(1, "product_views/date=latest is ignored"),
    ),
    (
        "loose files beside `date=` folders",
        views(FOLDER_ROW, f"/date={DAY}/a.csv") | views(ONE, "/loose.csv"),
        Refused("holds both date= folders and"),
    ),
    *[
        (
            "`NAME.csv.bak`, `NAME (1).csv`, `NAME-2/` or `Name/` beside `NAME.csv`",
            views(ONE) | {other: TWO},
            Read(1, f"{other.split('/')[0]} is ignored"),
        )
        for other in ("product_views.csv.bak", "product_views (1).csv", "product_views-2/a.csv", "Product_Views/a.csv")
    ],
    ("`NAME.csv` beside `NAME/`", views(ONE) | views(TWO, "/b.csv"), Refused("found both")),
    ("no `NAME`", {}, Refused("none of them exists")),
    *[
        ("a Delta or Hudi table", views(parquet(), "/a.parquet") | views(b"{}", log), Refused(words))
        for log, words in [
            ("/_delta_log/0.json", "is a Delta table"),
            ("/.hoodie/0.commit", "is a Hudi table"),
            ("/x/_delta_log/0.json", "is a Delta table"),
        ]
    ],
    *[
        (
            "on disk, a name that is not in the locale's encoding, or a link to nowhere",
            views(ONE, "/a.csv") | views(content, name),
            Refused(words),
        )
        for name, content, words in [
            ("/b\udcf1.csv", TWO, "Java cannot decode its name"),
            ("/b\udcf1/b.csv", TWO, "Java cannot decode its name"),
            ("/x/b.csv", LINK_TO_NOWHERE, "a link to nowhere"),
        ]
    ],
    ("a copy of a file", views(ONE, "/a.csv") | views(ONE, "/copy.csv"), SameData("/copy.csv")),
    (
        "a copy of a file",
        views(csv(*[ROW[:-1]] * 9000), "/a.csv") | views(csv(*[ROW[:-1]] * 9000), "/b.csv"),
        SameData("/b.csv"),
    ),
    ("a copy of a file", views(parquet(), "/a.parquet") | views(parquet(), "/b.parquet"), SameData("/b.parquet")),
    (
        "`a.csv` beside `a.csv.gz` with the same content",
        views(csv(*[ROW[:-1]] * 9000), "/a.csv") | views(gzip.compress(csv(*[ROW[:-1]] * 9000)), "/a.csv.gz"),
        SameData("/a.csv.gz"),
    ),
    (
        "`a.csv` beside `a.csv.gz` with the same content",
        views(csv(*[ROW[:-1]] * 900), "/a.csv") | views(gzip.compress(csv(*[ROW[:-1]] * 900), 0), "/a.csv.gz"),
        SameData("/a.csv.gz"),
    ),
    ("two files with only a header", views(ONE, "/a.csv") | views(csv(), "/b.csv") | views(csv(), "/c.csv"), Read()),
    (
        "two empty Parquet files",
        views(ONE, "/a.csv") | views(parquet(rows=0), "/b.parquet") | views(parquet(rows=0), "/c.parquet"),
        Read(),
    ),
    # Compression and format
    ("gzip, `.csv.gz`", views(gzip.compress(ONE), ".csv.gz"), Read()),
    ("gzip, `.csv.gz`", views(gzip.compress(ONE), "/a.GZ"), Read()),
    *[
        ("gzip, without `.gz`", views(gzip.compress(ONE), name), Read(1, "is read from a copy"))
        for name in (".csv", "", "/a.csv")
    ],
    ("gzip, without `.gz`", views(gzip.compress(ONE) + gzip.compress(ROW.encode())), Read(2, "is read from a copy")),
    *[
        ("gzip of several members", views(gzip.compress(ONE) + gzip.compress(ROW.encode()), name), Read(2))
        for name in (".csv.gz", "/a.gz")
    ],
    ("not compressed, named `.gz`", views(ONE, ".csv.gz"), Read(1, "is read from a copy")),
    ("bzip2, `.bz2`", views(bz2.compress(ONE), ".csv.bz2"), Read()),
    ("bzip2, `.bz2`", views(bz2.compress(ONE) + bz2.compress(ROW.encode()), "/a.bz2"), Read(2)),
    ("zstd, `.zst`", views(ZSTD, ".csv.zst"), Read(1, "is read from a copy")),
    *[
        ("Parquet, `.parquet`, `.parq` or without extension", views(parquet(rows=2), name), Read(2))
        for name in (".parquet", ".PARQ", "", "/a")
    ],
    ("CSV, named `.parquet`", views(ONE, ".parquet"), Read()),
    ("a Parquet file that was cut off", views(parquet()[:-4]), Refused("product_views.csv cannot be read")),
    ("Parquet inside gzip", views(gzip.compress(parquet()), ".csv.gz"), Refused("a Parquet file compressed with gzip")),
    (
        "a gzip file that was cut off",
        views(gzip.compress(csv(*map(str, range(9999))))[:5000], ".csv.gz"),
        Refused("product_views.csv.gz"),
    ),
    (
        "a gzip file that was cut off",
        views(gzip.compress(csv(*map(str, range(9999))))[:5000]),
        Refused("product_views.csv cannot be read"),
    ),
    ("compressed twice", views(gzip.compress(bz2.compress(ONE)), ".csv.gz"), Refused("is compressed twice")),
    *[
        ("zip, tar, Avro, ORC, xz, lz4, snappy, Excel", views(start), Refused(f"is {name}"))
        for name, start in FOREIGN.items()
    ],
    (
        "zip, tar, Avro, ORC, xz, lz4, snappy, Excel",
        views(gzip.compress(FOREIGN["a tar archive"]), "/a.tar.gz"),
        Refused("is a tar archive"),
    ),
    ("an empty file beside others", views(ONE, "/a.csv") | views(b"", "/b.csv"), Read()),
    ("only empty files", views(b""), Refused("is empty: its first line must name the columns")),
    # Encoding and records of CSV
    ("UTF-8, with a byte-order mark", views(b"\xef\xbb\xbf" + ONE), Read()),
    *[
        ("UTF-16, with a byte-order mark", views(content, name), Read(1, "utf-16"))
        for content, name in [
            (b"\xff\xfe" + ONE.decode().replace("\n", "\r\n").encode("utf-16-le"), ".csv"),
            (b"\xfe\xff" + ONE.decode().encode("utf-16-be"), "/date=2026-11-20/a.csv"),
            (gzip.compress(ONE.decode().encode("utf-16")), ".csv.gz"),
        ]
    ],
    ("UTF-16 without a byte-order mark", views(ONE.decode().encode("utf-16-le")), Refused("NUL bytes in its header")),
    ("UTF-32", views(ONE.decode().encode("utf-32")), Refused("UTF-32")),
    (
        "bytes that are not UTF-8, in an id",
        views(VIEWS.encode() + b"a,p\xff," + DAY.encode()),
        Rejected("bad_product_id"),
    ),
    (
        "bytes that are not UTF-8, in another column or the header",
        views(b"t\xe9,advertiser_id,product_id,date\nt\xe9,a,p," + DAY.encode() + b"\n"),
        Read(),
    ),
    (
        "lines that end with LF, CRLF or CR",
        folder(
            csv(f"a,p{n},{DAY}", f"a,q{n},{DAY}").replace(b"\n", end) for n, end in enumerate((b"\n", b"\r\n", b"\r"))
        ),
        Read(6, ids=frozenset(["p0", "q0", "p1", "q1", "p2", "q2"])),
    ),
    *[
        ("a line break between quotes", views(content), Read(2, "is read from a copy", ids=frozenset("pq")))
        for content in (gzip.compress(BROKEN_TITLE.encode()), BROKEN_TITLE.encode("utf-16"))
    ],
    *[
        ("a line break between quotes", views(content, name), Read(2, ids=frozenset("pq")))
        for content, name in [
            (BROKEN_TITLE.encode(), ".csv"),
            (BROKEN_TITLE.replace("\n", "\r\n").encode(), "/a.csv"),
            (gzip.compress(BROKEN_TITLE.encode()), ".csv.gz"),
            (BROKEN_TITLE.encode(), f"/date={DAY}/a.csv"),
            (BROKEN_TITLE.replace("Sale", "5, 2026-11-19").encode(), ".csv"),
            (f'{VIEWS}a,"x,2026-11-19\nb,forged,{DAY}\n",2026-11-19\na,p,{DAY}\na,q,{DAY}\n'.encode(), ".csv"),
            (
                f'date,advertiser_id,product_id\n2026-11-19,a,"x\n{DAY},b,forged\n"\n{DAY},a,p\n{DAY},a,q\n'.encode(),
                ".csv",
            ),
            (
                f'title,advertiser_id,product_id,date\n"x\nb,b,forged,{DAY}\n",a,p,{DAY}\n"",a,q,{DAY}\n'.encode(),
                ".csv",
            ),
            (
                f'x,advertiser_id,product_id,date\n"z,2026-11-19\nb,b,f,{DAY}\n",a,p,{DAY}\n"",a,q,{DAY}\n'.encode(),
                ".csv",
            ),
        ]
    ],
    ("a line break between quotes, in an id", views(csv(f'a,"p\nq",{DAY}')), Rejected("bad_product_id")),
    *[
        (
            "a line break between quotes that only holds if backslashes escape quotes",
            views(f'{VIEWS.strip()},title\na,p,{DAY},"x {title}\nb,forged,{DAY},y"\n'.encode(), name),
            Refused("line 2 has a quote after a backslash"),
        )
        for title, name in [('\\" y', ".csv"), ('\\",', "/a.csv")]
    ],
    *[
        ("a stray quote", views(csv(f'a,"p,{DAY}', *[ROW[:-1]] * 3, *more)), Rejected("bad_columns", rows))
        for more, rows in [((), 3), ((f'a,"",{DAY}x', f'a,"p",{DAY}'), 4)]
        if not more
    ],
    ("a quote inside a field without quotes", views(csv(f'a,5" screen,{DAY}')), Read(ids=frozenset(['5" screen']))),
    ("a header with an open quote", views(b'advertiser_id,product_id,date,"a\nb"\n'), Refused("a quote in its header")),
    (
        "columns in any order, and other columns",
        views(csv(f"x,{DAY},p,a", header="z,date,product_id,advertiser_id\n")),
        Read(),
    ),
    (
        "column names in other case, with spaces or in quotes",
        folder(
            [
                csv(f"a,p,{DAY}", header="Advertiser_ID,PRODUCT_ID,Date\n"),
                csv(f"a,q,{DAY}", header='"advertiser_id","product_id","date"\n'),
                csv(f"a,r,{DAY}", header='advertiser_id, product_id , "date"\n'),
            ]
        ),
        Read(3, ids=frozenset("pqr")),
    ),
    *[
        ("a needed column missing, or there twice", views(csv(ROW[:-1], header=f"{header}\n")), Refused(words))
        for header, words in [
            ("advertiser_id,product,date", "has no column 'product_id'; its header is: advertiser_id,product,date"),
            ("advertiser_id,product_id,date,Date", "has two columns 'date'"),
        ]
    ],
    ("semicolons instead of commas", views(ONE.replace(b",", b";")), Refused("advertiser_id;product_id;date")),
    ("a first line of more than 64 KiB", views(b"x" * 70_000), Refused("longer than 64 KiB")),
    (
        "a record of more than 1 MiB over several lines",
        views(csv(f'a,"{"x" * 2**20}\n",{DAY}')),
        Refused("longer than 1 MiB"),
    ),
    ("a line of 10 MB", views(csv(f"a,{'x' * 10_000_000},{DAY}")), Rejected("bad_product_id")),
    # Values
    (
        "an id of 64 characters of any script, or with spaces around it",
        views(csv(f"a,{LONG},{DAY}", f"a, p ,{DAY}")),
        Read(2, ids=frozenset([LONG, " p "])),
    ),
    (
        "an id of 65 characters, empty, or with control characters",
        views(csv(*[f"a,{id_},{DAY}" for id_ in ("p" * 65, "", "p\x00", "p\tq", "p\u200bq")])),
        Rejected("bad_product_id", lines=5),
    ),
    (
        "an id that ends with a line terminator",
        views(csv(*[f"a,{'p' * length}{end},{DAY}" for length, end in ENDED])),
        Rejected("bad_product_id", lines=len(ENDED)),
    ),
    (
        "an id that ends with a line terminator",
        views(parquet(f"unnest([{', '.join(ENDED_IN_PARQUET)}])")),
        Rejected("bad_product_id", lines=len(ENDED_IN_PARQUET)),
    ),
    (
        "an id such as `20459871.0`, `2.0459871E7` or `\\N` in CSV or a text column",
        views(csv(f"a,\\N,{DAY}", f"a,NULL,{DAY}", f"a,NULLA,{DAY}")),
        Read(3, "2 lines with an id like 20459871.0 or NULL", frozenset(["\\N", "NULL", "NULLA"])),
    ),
    (
        "an id such as `20459871.0`, `2.0459871E7` or `\\N` in CSV or a text column",
        folder(
            [
                csv(f"a,20459871.0,{DAY}", f"a,20464916.000000000,{DAY}", f"a,2.0459871E7,{DAY}", f"a,v1.0,{DAY}"),
                parquet("'20459872.0'"),
            ]
        ),
        Read(
            5,
            "4 lines with an id like 20459871.0",
            frozenset(["20459871.0", "20464916.000000000", "2.0459871E7", "v1.0", "20459872.0"]),
        ),
    ),
    (
        "`Click` or ` click` as type",
        views(ONE) | {"ads_views.csv": csv(f"a,p,Click,{DAY}", f"a,p, click,{DAY}", header=ADS)},
        Rejected("bad_type", 1, lines=2),
    ),
    (
        "a date with spaces around it",
        views(csv(f"a,p, {DAY}", f"a,p,{DAY}\u2028")),
        Rejected("bad_date", lines=2),
    ),
    (
        "a timestamp that begins with the day",
        views(csv(f"a,p,{DAY}T23:59:59Z", f"a,p,{DAY} 00:00:00.1+02")),
        Read(2),
    ),
    (
        "another day than that of the `date=` folder",
        views(csv("a,p,2026-11-19"), f"/date={DAY}/a.csv"),
        Rejected("other_day"),
    ),
    ("too few or too many columns", views(csv(f"a,{DAY}", f"{ROW[:-1]},x")), Rejected("bad_columns", lines=2)),
    ("no date", views(csv("a,p,", "a,p,2026/11/20", "a,p,2026-13-20")), Rejected("no_date", lines=3)),
    (
        "no date",
        views(
            csv(
                "2026-11-19,20.11.2026,p,a",
                '"2026-11-19","","p, q","a"',
                f"2026-11-19,{DAY},p,a",
                header="ordered,date,product_id,advertiser_id\n",
            )
        ),
        Rejected("no_date", 1, lines=2),
    ),
    # Types of Parquet columns
    (
        "id: text, dictionary, or bytes",
        folder(map(parquet, ("'p'", "'q'::blob", "'r'::enum('r')"))),
        Read(3, ids=frozenset("pqr")),
    ),
    (
        "id: whole number, signed or not",
        folder(map(parquet, ["18446744073709551615::ubigint", *(f"{n}::{type_}" for n, type_ in enumerate(WHOLE))])),
        Read(9, ids=frozenset(["18446744073709551615", *map(str, range(8))])),
    ),
    (
        "id: float, double or decimal, whole and exact",
        folder(map(parquet, EXACT)),
        Read(4, ids=frozenset(["41", "42", "43", "44"])),
    ),
    (
        "id: float, double or decimal, not whole or beyond 2^24 or 2^53",
        folder(map(parquet, INEXACT)),
        Rejected("bad_product_id", lines=len(INEXACT)),
    ),
    (
        "id: UUID",
        views(parquet("uuid '123E4567-E89B-12D3-A456-426614174000'")),
        Read(ids=frozenset(["123e4567-e89b-12d3-a456-426614174000"])),
    ),
    *[
        ("id: boolean, date or list", views(parquet(id_)), Refused("column 'product_id'"))
        for id_ in ("true", f"date '{DAY}'", "['p']")
    ],
    (
        "date: date, text, or timestamp in milliseconds, microseconds or nanoseconds, with zone or without",
        folder(parquet(f"'p{n}'", day=moment) for n, moment in enumerate(MOMENTS)),
        Read(7, ids=frozenset(f"p{n}" for n in range(7))),
    ),
    *[
        ("date: number or time", views(parquet(day=value)), Refused("column 'date' of type"))
        for value in ("20261120", "time '10:00'")
    ],
    (
        "another column of any type",
        views(parquet(extra="".join(f", {value} as x{n}" for n, value in enumerate(OTHER_TYPES)))),
        Read(),
    ),
    ("null in an id", views(parquet("null::double")), Rejected("bad_product_id")),
]


@pytest.fixture
def read(spark, raw, caplog):
    """A function that reads the given files: product views, and other inputs only if the files belong to them."""

    def read(files):
        for name, content in files.items():
            raw.put(name, content)
            if content == LINK_TO_NOWHERE:
                (raw.folder / name).unlink()
                (raw.folder / name).symlink_to(content.decode())
        inputs = [
            each for each in ALL_INPUTS if each == PRODUCT_VIEWS or any(name.startswith(each.name) for name in files)
        ]
        located = Inputs(tuple(locate(spark, raw.uri, each, [ON]) for each in inputs))
        with caplog.at_level(logging.WARNING, "nightly"):
            return read_raw(spark, located, [ON])

    return read


@pytest.mark.parametrize(("row", "files", "outcome"), CASES, ids=[f"{n} {case[0]}" for n, case in enumerate(CASES)])
def test_an_input_has_the_outcome_that_the_docs_say(read, caplog, row, files, outcome):
    if isinstance(outcome, Refused):
        with pytest.raises((InputError, Unreadable), match=re.escape(outcome.words)):
            read(files)
        return
    raw_events = read(files)
    same_data = raw_events.read_of(ON)["product_views"].get("same_data", [])
    assert len(same_data) == isinstance(outcome, SameData)
    if isinstance(outcome, SameData):
        assert any(path.endswith(outcome.name) for path in same_data[0])
        return
    lines = raw_events.lines_of(ON)
    rejected = {reason: count for (_, reason), count in lines.items() if reason}

    assert lines.get(("product_views", None), 0) == outcome.rows
    assert rejected == ({outcome.reason: outcome.lines} if isinstance(outcome, Rejected) else {})
    if isinstance(outcome, Read):
        assert outcome.warning in caplog.text
        assert bool(outcome.warning) == bool(caplog.text)
        if outcome.ids:
            good = raw_events.events.where("input = 'product_views' and reason is null and day is not null")
            assert {row.product_id for row in good.collect()} == outcome.ids
    raw_events.events.unpersist()


def test_the_tables_of_the_docs_have_the_same_rows():
    text = (ROOT / "docs" / "input-files.md").read_text()
    rows = [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line.startswith("| ")]
    headings = {"What is there", "Content", "Value", "Column"}

    assert [row for row in rows if row not in headings] == list(dict.fromkeys(row for row, _, _ in CASES))
