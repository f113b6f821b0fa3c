"""Input that cannot be read is refused with one sentence that names the file."""

import gzip
from datetime import date

import pytest

from spark_jobs.file_system import Unreadable
from spark_jobs.raw.copies import refuse_long_lines
from spark_jobs.raw.events import read_raw
from spark_jobs.raw.files import locate as locate_one
from spark_jobs.raw.inputs import PRODUCT_VIEWS, InputError
from spark_jobs.raw.listing import locate
from spark_jobs.raw.readers import MANY_FILES, group_files, open_files
from tests.conftest import ADS, DAY, VIEWS
from tests.spark.test_input_files import written_by_duckdb

ON = date.fromisoformat(DAY)


@pytest.fixture
def refusal(spark, raw):
    """A function that reads the raw folder and returns the sentence of its refusal."""

    def read():
        with pytest.raises((InputError, Unreadable)) as raised:
            read_raw(spark, locate(spark, raw.uri, [ON]), [ON])
        return str(raised.value)

    return read


def test_a_missing_input_is_named_with_the_accepted_names(raw, refusal):
    raw.fill()
    (raw.folder / "ads_views.csv").unlink()

    assert refusal().startswith(f"ads_views: expected one of {raw.uri}/ads_views.csv")


def test_an_input_under_two_names_is_refused(raw, refusal):
    raw.fill().put("ads_views/part.csv", "x")

    assert refusal().endswith(f"found both {raw.uri}/ads_views and {raw.uri}/ads_views.csv")


def test_a_file_without_a_needed_column_is_named_with_its_header(raw, refusal):
    raw.fill().put("product_views.csv", "advertiser_id,product,date\n")

    assert refusal() == (
        f"{raw.uri}/product_views.csv has no column 'product_id'; its header is: advertiser_id,product,date"
    )


def test_a_column_that_occurs_twice_is_refused(raw, refusal):
    raw.fill().put("product_views.csv", "advertiser_id,product_id,date,date\n")

    assert "has two columns 'date'" in refusal()


def test_an_input_with_only_empty_files_is_refused(raw, refusal):
    raw.fill().put("product_views.csv", "")

    assert "is empty: its first line must name the columns advertiser_id, product_id, date" in refusal()


def test_after_memory_ran_out_the_line_that_is_too_long_is_named(spark, raw):
    """A decompression bomb: 17 MB of one line in 17 kB of gzip. Only a line that exhausts the memory gets here."""
    raw.fill().put("product_views.csv.gz", f"{VIEWS}a,p,{DAY}\na,{'p' * 17 * 2**20},{DAY}\n")
    (raw.folder / "product_views.csv").unlink()
    located = next(each for each in locate(spark, raw.uri, [ON]).located if each.input == PRODUCT_VIEWS)

    with pytest.raises(InputError, match=r"product_views\.csv\.gz: line 3 is longer than 16 MiB"):
        refuse_long_lines(spark, open_files(spark, located, [ON]))


def test_loose_files_beside_date_folders_are_refused(raw, refusal):
    raw.fill()
    (raw.folder / "product_views.csv").unlink()
    raw.put(f"product_views/date={DAY}/part.csv", VIEWS).put("product_views/loose.csv", VIEWS)

    assert "holds both date= folders and" in refusal()


def test_names_and_contents_on_s3_are_read_like_those_on_disk(spark, put, prefix):
    put("advertiser_ids", "advertiser_id\na\n")
    put("ads_views/2026:11:20 +#%20[1].csv", f"{ADS}a,p,click,{DAY}\n")
    put("product_views/2026-11-20T00:15:00+00:00.csv", f"{VIEWS}a,p,{DAY}\n")
    put("product_views/ñandú 漢{1}.csv", f'{VIEWS.strip()},title\na,p,{DAY},"x\na,forged,{DAY},y"\n')
    put("product_views/a%2Fb.txt", gzip.compress(f"{VIEWS}a,p,{DAY}\na,p,{DAY}\n".encode()))
    put("product_views/_temporary/0/a.csv", f"{VIEWS}a,leftover,{DAY}\n")

    lines = read_raw(spark, locate(spark, f"{prefix}/raw", [ON]), [ON]).lines_of(ON)
    assert lines == {("product_views", None): 4, ("ads_views", None): 1}


@pytest.mark.parametrize(
    ("names", "refused"),
    [
        (("product_views.csv", "product_views.csv/a.csv"), "product_views.csv cannot be read: it is both a file and"),
        (("product_views/a", "product_views/a/b/c.csv"), "product_views/a cannot be read: it is both a file and"),
        ((f"product_views/date={DAY}", f"product_views/date={DAY}/a.csv"), f"date={DAY} cannot be read: it is both"),
        (("product_views/a.csv", "product_views//a.csv"), "product_views/a.csv is there twice"),
    ],
)
def test_two_objects_that_have_one_path_are_refused(spark, put, prefix, names, refused):
    for name in names:
        put(name, f"{VIEWS}a,p,{DAY}\n")

    with pytest.raises((InputError, Unreadable), match=refused):
        locate_one(spark, f"{prefix}/raw", PRODUCT_VIEWS, [ON])


def test_an_empty_object_may_stand_for_a_folder(spark, put, prefix):
    for name in ("product_views/", f"product_views/date={DAY}", f"product_views/date={DAY}/x"):
        put(name, "")
    put(f"product_views/date={DAY}/x/a.csv", "advertiser_id,product_id\na,p\n")

    located = locate_one(spark, f"{prefix}/raw", PRODUCT_VIEWS, [ON])
    assert [file.path for file in located.files if file.size] == [f"{prefix}/raw/product_views/date={DAY}/x/a.csv"]


def test_a_damaged_parquet_file_is_named_even_if_comet_reads_it(raw, refusal):
    raw.fill()
    (raw.folder / "product_views.csv").unlink()
    rows = f"select 'a' as advertiser_id, 'p' || n as product_id, '{DAY}' as date from range(1000) as rows(n)"
    raw.put("product_views/a.parquet", written_by_duckdb(rows, "format parquet"))
    content = written_by_duckdb(rows, "format parquet, compression uncompressed")
    raw.put("product_views/b.parquet", content[:4] + b"\xff" * 200 + content[204:])

    assert "product_views/b.parquet cannot be read" in refusal()


@pytest.fixture
def many_files(raw):
    """A folder with more files than Spark is asked to read one by one; each has one view."""
    raw.fill()
    (raw.folder / "product_views.csv").unlink()
    for n in range(MANY_FILES + 1):
        raw.put(f"product_views/{n % 3}/part-{n}.csv", VIEWS + f"a,p{n},{DAY}\n")
    return raw


def views_in(spark, inputs):
    raw = read_raw(spark, inputs, [ON])
    raw.events.unpersist()
    return raw.lines_of(ON)["product_views", None]


def test_many_files_of_a_folder_are_read_once_each(spark, many_files):
    inputs = locate(spark, many_files.uri, [ON])
    opened = open_files(spark, inputs.located[0], [ON])

    assert [source.folder for source in group_files(opened)] == [f"{many_files.uri}/product_views"]
    assert views_in(spark, inputs) == MANY_FILES + 1


def test_a_file_that_comes_after_the_listing_is_not_read(spark, many_files):
    inputs = locate(spark, many_files.uri, [ON])
    many_files.put("product_views/late.csv", VIEWS + f"a,late,{DAY}\n")

    assert views_in(spark, inputs) == MANY_FILES + 1
