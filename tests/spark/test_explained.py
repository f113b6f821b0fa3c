"""What a run keeps of each advertiser for explanations."""

import json

import pytest
from pyspark.sql import functions as F

from spark_jobs.explained import advertiser_counts

PRODUCTS = (
    "advertiser_id string, product_id string, views bigint, impressions bigint, clicks bigint, past_views bigint, "
    "past_days bigint, hidden boolean"
)
REJECTS = "advertiser_id string, product_id string, reason string, lines bigint"


@pytest.fixture
def kept(spark):
    """A function that returns by advertiser what is kept of products and rejected lines of a day."""
    on = F.lit("2026-11-20").cast("date")

    def keep(products, rejects=None):
        rejected = None if rejects is None else spark.createDataFrame(rejects, REJECTS).withColumn("date", on)
        rows = advertiser_counts(spark.createDataFrame(products, PRODUCTS).withColumn("date", on), rejected).collect()
        return {
            row.advertiser_id: (row.past_days, *(json.loads(row[name]) for name in ("products", "hidden", "rejected")))
            for row in rows
        }

    return keep


def test_every_product_with_events_is_kept_with_its_numbers(kept):
    products = [
        ("a", 'p"1', 1, 2, 3, 4, 7, False),
        ("a", "past", 0, 0, 0, 9, 7, False),
        ("b", "p", 0, 0, 1, 0, 0, False),
    ]

    assert kept(products) == {"a": (7, {'p"1': [1, 2, 3, 4]}, [], {}), "b": (0, {"p": [0, 0, 1, 0]}, [], {})}


def test_hidden_products_are_kept_and_named(kept):
    assert kept([("a", "p", 1, 0, 0, 0, 0, True)])["a"] == (0, {"p": [1, 0, 0, 0]}, ["p"], {})


def test_rejected_lines_that_name_a_product_are_counted_by_reason(kept):
    rejects = [
        ("a", "p", "bad_type", 2),
        ("a", "p", "bad_type", 1),
        ("a", "p", "other_day", 5),
        ("a", "", "bad_product_id", 9),
    ]

    assert kept([("a", "p", 1, 0, 0, 0, 0, False)], rejects)["a"][3] == {"p": {"bad_type": 3, "other_day": 5}}


def test_an_advertiser_of_rejected_lines_alone_has_a_row(kept):
    assert kept([], [("b", "p", "bad_type", 1)]) == {"b": (0, {}, [], {"p": {"bad_type": 1}})}
