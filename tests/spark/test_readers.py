"""Comet and Spark read the same from every unusual file: lines, rejects, reasons and fingerprints."""

import codecs
import gzip
import sys
import unicodedata
from datetime import date, timedelta

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from spark_jobs.failures import in_one_line
from spark_jobs.raw.events import read_raw
from spark_jobs.raw.lines import count_lines
from spark_jobs.raw.listing import locate
from spark_jobs.raw.readers import group_files, has_comet, open_files
from tests.conftest import DAY, VIEWS

ON = date.fromisoformat(DAY)
BEFORE = str(ON - timedelta(days=1))
GOOD = f"a,p,{DAY}\n"
NEW_CHARACTERS = "\u0870\U0001fae8\U00011f00\U0001e4d0"
"""Letters and symbols of Unicode 14 to 16. Java 17 knows Unicode 13, and a later library would accept more ids."""


def some_of_each_category() -> str:
    """Return lines whose ids contain the first and last characters of each general category."""
    by_category: dict[str, list[str]] = {}
    for number in range(0x20, sys.maxunicode):
        by_category.setdefault(unicodedata.category(chr(number)), []).append(chr(number))
    del by_category["Cs"]  # surrogates
    chosen = [each for found in by_category.values() for each in found[:3] + found[-3:]]
    return "".join(f"a,p{character}q,{DAY}\n" for character in [*chosen, *NEW_CHARACTERS, "\ufffd"])


LINES: dict[str, str | bytes] = {
    "plain": GOOD * 3 + f"b,q,{BEFORE}\n" * 2,
    "CRLF": f"{VIEWS}{GOOD}a,p,{BEFORE}\n".replace("\n", "\r\n"),
    "CRLF without the last": f"{VIEWS}{GOOD}{GOOD}".replace("\n", "\r\n").rstrip(),
    "CRLF after a header with LF": f"{GOOD}a,p,{DAY}\r\n",
    "LF after a header with CRLF": f"{VIEWS.strip()}\r\n{GOOD}a,p,{BEFORE}\n",
    "CR": f"{VIEWS}{GOOD}{GOOD}a,q,{BEFORE}\n".replace("\n", "\r"),
    "CR in a line of the day": f"a,p,{DAY}\ra,q,{DAY}\n",
    "CR in a line of another day": f"a,p,{DAY}\ra,q,{BEFORE}\n",
    "two CRs": f"{GOOD.strip()}\r\r\n{GOOD}",
    "empty lines": f"\n\n{GOOD}\n \n{GOOD}",
    "no last LF": GOOD + GOOD.strip(),
    "the byte 0x01": f"a\x01b,p,{DAY}\n{GOOD}",
    "the byte 0x02": f"\x02a,p,{DAY}\x02\n\x02{GOOD}{GOOD}a,\x02p,{DAY}\n",
    "NUL bytes": f"a,p\0,{DAY}\n\0{GOOD}{GOOD}",
    "bytes that are not UTF-8": f"a,p,{DAY}\na,ñ,{DAY}\n".encode("latin-1"),
    "a byte-order mark": codecs.BOM_UTF8 + f"{VIEWS}{GOOD}".encode(),
    "a header in the middle": f"{GOOD}{VIEWS}{GOOD}",
    "quotes": f'"a","p","{DAY}"\n"a","p, or q","{DAY}"\na,"p ""x""",{DAY}\n',
    "stray quotes": f'a,p"q,{DAY}\na,"p"q,{DAY}\n{GOOD}',
    "a quote that is not closed": f'a,"p,{DAY}\n{GOOD}{GOOD}',
    "a quote of another day that is not closed": f'a,"p,{BEFORE}\n{GOOD}{GOOD}',
    "a record over two lines": f'a,"p\nq",{DAY}\n{GOOD}a,"p\nq",{BEFORE}\n',
    "characters beyond ASCII": f"a,señal,{DAY}\na,日本,{DAY}\na,🙂,{DAY}\na,e\u0301,{DAY}\n",
    "characters of each category": some_of_each_category(),
    "line terminators of Unicode": "".join(f"a,p{end},{DAY}\na{end},p,{DAY}\n" for end in "\v\f\x85\u2028\u2029"),
    "spaces": f" a,p ,{DAY}\na, ,{DAY}\n\ta,p,{DAY}\na,p, {DAY}\na,p,{DAY} \n",
    "too few and too many columns": f"a,{DAY}\na,p,{DAY},x\n,,\n,,{DAY}\na\n{DAY}\n",
    "long ids": "".join(f"{letter * length},p,{DAY}\n" for letter in "añ日🙂" for length in (63, 64, 65)),
    "a long line": f"a,{'p' * 100_000},{DAY}\n{GOOD}",
    "dates": "".join(
        f"a,p,{day}\n" for day in (f"{DAY}T10:00", f"{DAY} 10:00", f"{DAY}x", "2026-02-30", "2026-1-1", "")
    ),
    "a column after the date": "advertiser_id,product_id,date,ordered\n"
    + "".join(
        f"{line},{BEFORE}\n{line},{DAY}\n"
        for day in (DAY, BEFORE, "20.11.2026", "", f'"{BEFORE}"', '"20.11.2026"')
        for line in (f"a,p,{day}", f'"a","p, ""q""",{day}', f'ñ,5" p,{day}', f'a,"p,{day}', f"a,{day}")
    ),
    "3,000 columns": f"{VIEWS.strip()},{','.join(f'c{n}' for n in range(2997))}\n"
    + "".join(f"a,p,{day}{',' * 2997}{BEFORE}\n" for day in (DAY, BEFORE, "20.11.2026")),
    "doubtful ids": f"1.0,2.0,{DAY}\n3,4,{DAY}\n\\N,NULL,{DAY}\nNULLA,\\NN,{DAY}\n",
}
"""The lines of product_views.csv, after its header unless they have one."""


@pytest.fixture
def read(spark, raw):
    """A function that reads the day with or without Comet, and returns all that RawEvents tells of it."""
    if not has_comet(spark):
        pytest.skip("Comet is not installed here")

    def tell(with_comet):
        spark.conf.set("spark.comet.enabled", str(with_comet).lower())
        try:
            events = read_raw(spark, locate(spark, raw.uri, [ON]), [ON])
            columns = ("input", "day", "reason", "note", "advertiser_id", "product_id", "type", "lines", "line")
            rows = sorted(map(repr, events.events.select(*columns).collect()))
            events.events.unpersist()
        finally:
            spark.conf.unset("spark.comet.enabled")
        return rows, events.fingerprints(ON), events.lines_of(ON), events.rejected_shares(ON), events.warnings()

    return tell


def test_comet_has_started(spark, raw, read):
    """Without its library, Spark would read the files, and the tests below would compare Spark with Spark."""
    [source] = group_files(open_files(spark, locate(spark, raw.fill().uri, [ON]).located[0], [ON]))

    assert "CometCsvNativeScan" in count_lines(spark, source)._jdf.queryExecution().executedPlan().toString()


@pytest.mark.parametrize("name", LINES)
def test_comet_reads_what_spark_reads(raw, read, name):
    written = LINES[name]
    lines = written if isinstance(written, bytes) else written.encode()
    has_header = lines.removeprefix(codecs.BOM_UTF8).startswith(VIEWS.strip().encode())
    raw.fill().put("product_views.csv", lines if has_header else VIEWS.encode() + lines)

    assert read(with_comet=True) == read(with_comet=False)


def test_comet_and_spark_read_files_in_every_place_alike(raw, read):
    raw.fill()
    (raw.folder / "product_views.csv").unlink()
    raw.put(f"product_views/date={DAY}/one, [of] 20% ñ {{a}}.csv", f"advertiser_id,product_id\na,p\nb,{BEFORE}\n")
    raw.put(f"product_views/date={DAY.replace('-', '')}/two.csv", "advertiser_id,product_id,date\na,p," + DAY + "\n")
    raw.put(f"product_views/date={DAY}/three.csv.gz", gzip.compress(b"advertiser_id,product_id\na,q\n"))
    raw.put(f"product_views/date={DAY}/four.csv", "advertiser_id,product_id\na,q\n".encode("utf-16"))

    rows = read(with_comet=True)

    assert rows == read(with_comet=False)
    assert rows[2]["product_views", None] == 5


def test_the_message_about_a_damaged_file_names_it(spark, tmp_path):
    (tmp_path / "damaged.parquet").write_bytes(b"damaged")
    with pytest.raises((Py4JJavaError, PySparkException)) as error:
        spark.read.schema("id bigint").parquet(tmp_path.as_uri()).groupBy("id").count().collect()
    said = in_one_line(error.value)

    assert "damaged.parquet" in said
    assert "FAILED_READ_FILE" not in said


def test_the_message_about_a_file_that_is_gone_names_it(spark, tmp_path):
    path = tmp_path / "a b.csv"
    path.write_text("x")
    lines = spark.read.text(f"file://{path}")
    path.unlink()
    with pytest.raises((Py4JJavaError, PySparkException)) as error:
        lines.collect()

    assert in_one_line(error.value).startswith(f"file://{path} cannot be read: ")


@pytest.mark.parametrize("message", [" ", "\n", "[FAILED_READ_FILE] while reading file ."])
def test_an_error_whose_message_says_nothing_is_described_by_its_class(spark, message):
    error = Py4JJavaError("", spark._jvm.java.lang.IllegalStateException(message))

    assert in_one_line(error) == "IllegalStateException"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("a  b\xa0c\u2028.csv is damaged", r"a  b\xa0c\u2028.csv is damaged"),
        ("connection failed:\n\tIs the server running?\n", "connection failed: Is the server running?"),
    ],
)
def test_lines_are_joined_but_names_of_files_keep_their_spaces(message, said):
    assert in_one_line(ValueError(message)) == said
