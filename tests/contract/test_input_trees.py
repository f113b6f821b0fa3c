"""Random input trees are counted and ranked like plain Python does with their records; copies and damage are found."""

import bz2
import csv
import gzip
import io
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from shutil import rmtree
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from spark_jobs.raw.events import read_raw
from spark_jobs.raw.listing import locate
from spark_jobs.runs import Failed
from tests.conftest import DAY
from tests.contract.oracle import rankings
from tests.contract.test_oracle import published
from webapp.rankings.models import Run

pytestmark = pytest.mark.long

ON, OTHER = date.fromisoformat(DAY), "2026-11-19"
GOOD_IDS, BAD_IDS = ["7", "42", "a,b", ' "x', "ñ"], ["", "p\nq", "p" * 65]
NUMBERS = ["7", "42", "2.5"]
titles = st.text('ab",\r\n ') | st.sampled_from(
    [f"x\na,forged,{DAY},y\nz", f'5" x\r\n"\na,forged,{DAY}', f"{OTHER}\n", f'"{OTHER}']
)
rows = st.lists(st.tuples(st.sampled_from(GOOD_IDS + BAD_IDS), st.sampled_from([DAY, OTHER]), titles), max_size=6)
numeric_rows = st.lists(st.tuples(st.sampled_from(NUMBERS), st.sampled_from([DAY, OTHER]), st.just("")), max_size=6)
NAMES = ["part {n}.csv", "2026:{n}.csv", "x/y/{n}.CSV", "[{n}]%20+#", "dt={n}/part.txt"]
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    "as gzip, without .gz": gzip.compress,
}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16"]
UNREADABLE = {
    "a zip archive": b"PK\x03\x04...",
    "UTF-32": "advertiser_id\n".encode("utf-32"),
    "damaged": gzip.compress(b"a")[:5] + b"\xff" * 40,
    "no column": b"advertiser_id\na\n",
}
"""Words that the message of the refusal contains, and the file that causes it."""
LEFTOVERS = ["_temporary/0/{n}.csv", "x/.hidden/{n}.csv", ".{n}.csv", "{n}.csv._COPYING_"]


def event_type(title):
    return "click" if title.startswith("a") else "impression"


def text_file(number, rows, quoting, line_end, encoding, compression):
    """Return a CSV file with the rows."""
    header = ["title", "product_id", "advertiser_id", "date", "file", "type"]
    records = [header, *[(title, product, "a", day, number, event_type(title)) for product, day, title in rows]]
    text = "".join(record_text(record, quoting) + line_end for record in records)
    return COMPRESSIONS[compression](text.encode(encoding))


def record_text(record, quoting):
    """Return a record without its end. csv leaves a CR unquoted unless the line terminator contains one."""
    text = io.StringIO()
    csv.writer(text, quoting=quoting, lineterminator="\r\n").writerow(record)
    return text.getvalue().removesuffix("\r\n")


def write_parquet(path, number, rows, type_):
    with duckdb.connect() as database:
        database.execute("create table rows (product_id varchar, date varchar, title varchar)")
        for row in rows:
            database.execute("insert into rows values (?, ?, ?)", row)
        product = "product_id" if type_ == "text" else "product_id::double"
        type_column = "case when starts_with(title, 'a') then 'click' else 'impression' end as type"
        query = (
            f"select 'a' as advertiser_id, {product} as product_id, date, {type_column}, {number} as file, uuid() as id "
            "from rows"
        )
        database.execute(f"copy ({query}) to '{path}' (format parquet)")


@st.composite
def trees(draw, copies=(None, None, "copy", "gzip"), first_rows=()):
    """Return the files of one input by name, each as arguments of text_file or write_parquet, leftovers, and a copy or None.

    The first file has `first_rows` as well.
    """
    files: dict[str, tuple[Any, ...]] = {}
    for number in range(draw(st.integers(1, 4))):
        more = [] if files else [*first_rows]
        if draw(st.integers(0, 3)) == 0:
            type_ = draw(st.sampled_from(["text", "double"]))
            files[f"{number}.parq"] = (draw(rows if type_ == "text" else numeric_rows) + more, type_)
        else:
            compression = draw(st.sampled_from(list(COMPRESSIONS)))
            name = draw(st.sampled_from(NAMES)).format(n=number) + (compression if compression.startswith(".") else "")
            quoting, line_end = (
                draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])),
                draw(st.sampled_from(["\n", "\r\n"])),
            )
            files[name] = (draw(rows) + more, quoting, line_end, draw(st.sampled_from(ENCODINGS)), compression)
    return (
        files,
        draw(st.lists(st.sampled_from(LEFTOVERS), max_size=2)),
        draw(st.sampled_from(copies)),
    )


def write_tree(folder, files, leftovers, copy):
    """Write the tree; return whether it holds the same data twice."""
    for number, (name, (of_file, *form)) in enumerate(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if len(form) == 1:
            write_parquet(path, number, of_file, *form)
        else:
            path.write_bytes(text_file(number, of_file, *form))
    first, (of_first, *form) = next(iter(files.items()))
    content = (folder / first).read_bytes()
    for number, name in enumerate(leftovers):
        path = folder / name.format(n=number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if copy is None or (copy == "gzip" and len(form) == 1):
        return False
    (folder / "copy").write_bytes(gzip.compress(content) if copy == "gzip" and form[-1] == "" else content)
    return bool(of_first)


def valid_rows(files):
    """Return the rows that are not rejected."""
    return [
        (product, day, title)
        for of_file, *form in files.values()
        for product, day, title in of_file
        if product in (["7", "42"] if form[0] == "double" else GOOD_IDS + NUMBERS)
    ]


def expected(files):
    """Return the good rows of the day by product, and how many rows of the day are rejected."""
    good = Counter(product for product, day, _ in valid_rows(files) if day == DAY)
    rows_of_day = sum(day == DAY for of_file, *_ in files.values() for _, day, _ in of_file)
    return good, rows_of_day - good.total()


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(tree=trees())
def test_a_random_tree_is_counted_like_its_records(spark, raw, tree):
    raw.fill(ads=[("a", "p", "click", DAY)])
    (raw.folder / "product_views.csv").unlink(missing_ok=True)
    folder = Path(raw.folder, "product_views")
    rmtree(folder, ignore_errors=True)
    folder.mkdir()
    files, leftovers, copy = tree
    has_copies = write_tree(folder, files, leftovers, copy)
    event(f"copies: {has_copies}")

    read = read_raw(spark, locate(spark, raw.uri, [ON]), [ON])
    assert ("same_data" in read.read_of(ON)["product_views"]) == has_copies
    good = read.events.where(f"input = 'product_views' and reason is null and day = '{DAY}'")
    counted = dict(map(tuple, good.groupBy("product_id").agg({"lines": "sum"}).collect()))
    lines = read.lines_of(ON)
    rejected = sum(count for (name, reason), count in lines.items() if reason and name == "product_views")
    read.events.unpersist()

    if not has_copies:  # the audit refuses the day
        assert (Counter(counted), rejected) == expected(files)


@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    views=trees([None, None, None, "copy"], [("7", DAY, "")]),
    ads=trees([None], [("7", DAY, "")]),
    unreadable=st.sampled_from([None] * 8 + [*UNREADABLE]),
)
def test_a_random_tree_is_published_like_its_records_or_refused_by_the_rules(night, raw, views, ads, unreadable):
    Run.objects.all().delete()
    raw.put("advertiser_ids.csv", "advertiser_id\na\n")
    has_copies = False
    for name, tree in (("product_views", views), ("ads_views", ads)):
        rmtree(raw.folder / name, ignore_errors=True)
        (raw.folder / name).mkdir()
        has_copies |= write_tree(raw.folder / name, *tree)
    if unreadable:
        (raw.folder / "ads_views" / "last").write_bytes(UNREADABLE[unreadable])
    of_views, of_ads = [[row for row in valid_rows(files) if row[1] == DAY] for files, *_ in (views, ads)]
    visits = [("a", product, day) for product, day, _ in of_views]
    shown = [("a", product, event_type(title), day) for product, day, title in of_ads]
    top_product, top_ctr = rankings(["a"], visits, shown, DAY)

    try:
        passed = night("--allow-drop", MAX_REJECTED_SHARE="1")
    except Failed:
        passed = False

    run = Run.objects.latest("id")
    event(run.state)
    if unreadable:
        assert (run.state, unreadable in run.message, "ads_views/last" in run.message) == ("failed", True, True)
    elif has_copies:
        assert (run.state, "the same file is there" in run.message) == ("refused", True)
    else:
        assert (published(), run.counts["events"]) == ((top_product, top_ctr), len(visits) + len(shown))
    assert passed == (run.state == "published")
