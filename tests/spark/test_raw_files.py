"""Input that cannot be read says which file it is and what is wrong, before anything is computed."""

from datetime import date

import pytest

from spark_jobs.raw_events import locate, read_raw
from spark_jobs.raw_files import InputError
from spark_jobs.storage import Unreadable
from tests.conftest import DAY, VIEWS

ON = date.fromisoformat(DAY)


@pytest.fixture
def complaint(spark, raw):
    """A function that reads the raw folder and returns the one sentence it is refused with."""

    def read():
        with pytest.raises((InputError, Unreadable)) as refusal:
            read_raw(spark, locate(spark, raw.uri, [ON]), [ON])
        return str(refusal.value)

    return read


def test_a_missing_input_is_named_with_what_was_looked_for(raw, complaint):
    raw.fill()
    (raw.folder / "ads_views.csv").unlink()

    assert complaint().startswith(f"ads_views: expected one of {raw.uri}/ads_views.csv")


def test_an_input_that_is_there_twice_is_refused(raw, complaint):
    raw.fill().put("ads_views/part.csv", "x")

    assert complaint().endswith(f"{raw.uri}/ads_views.csv and {raw.uri}/ads_views")


def test_a_file_without_a_needed_column_is_named_with_its_header(raw, complaint):
    raw.fill().put("product_views.csv", "advertiser_id,product,date\n")

    assert complaint() == (
        f"{raw.uri}/product_views.csv has no column 'product_id'; its header is: advertiser_id,product,date"
    )


def test_a_column_that_is_there_twice_is_refused(raw, complaint):
    raw.fill().put("product_views.csv", "advertiser_id,product_id,date,date\n")

    assert "has two columns 'date'" in complaint()


def test_an_input_of_nothing_but_empty_files_is_refused(raw, complaint):
    raw.fill().put("product_views.csv", "")

    assert "is empty: its first line must name the columns advertiser_id, product_id, date" in complaint()


def test_a_gzip_that_is_none_is_named(raw, complaint):
    raw.fill()
    (raw.folder / "product_views.csv").rename(raw.folder / "product_views.csv.gz")

    assert complaint().endswith("product_views.csv.gz cannot be read: not a gzip file")


def test_loose_files_beside_date_folders_are_refused(raw, complaint):
    raw.fill()
    (raw.folder / "product_views.csv").unlink()
    raw.put(f"product_views/date={DAY}/part.csv", VIEWS).put("product_views/loose.csv", VIEWS)

    assert "holds both date= folders and" in complaint()
