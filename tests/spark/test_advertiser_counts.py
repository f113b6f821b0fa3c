"""The table advertiser_counts, from which the web app explains ranks."""

import json

import pytest
from pyspark.sql import Window
from pyspark.sql import functions as F

from spark_jobs import advertiser_counts as module
from spark_jobs.advertiser_counts import advertiser_counts

PRODUCTS = (
    "advertiser_id string, product_id string, views bigint, impressions bigint, clicks bigint, past_views bigint, "
    "past_days bigint, hidden boolean, decayed_clicks bigint, decayed_impressions bigint"
)
REJECTS = "advertiser_id string, product_id string, reason string, lines bigint"


@pytest.fixture
def counted(spark):
    """A function that returns the rows. A product given without decayed counts has none."""
    on = F.lit("2026-11-20").cast("date")

    def of_run(rows, columns):
        named = spark.createDataFrame(rows, columns).withColumns({"date": on, "run_id": F.lit(1)})
        return named.withColumn("products_to_keep", F.count("*").over(Window.partitionBy("advertiser_id")))

    def count(products, rejects=None):
        rejected = None if rejects is None else of_run(rejects, REJECTS)
        with_decayed = of_run([(*row, 0, 0)[:10] for row in products], PRODUCTS)
        with_prior = with_decayed.withColumns({"prior_mean": F.lit(0.25), "prior_weight": F.lit(20.0)})
        return advertiser_counts(with_prior, rejected).collect()

    return count


@pytest.fixture
def kept(counted):
    """A function that returns the rows by advertiser and part: (past_days, products, hidden, rejected)."""

    def keep(products, rejects=None):
        return {
            (row.advertiser_id, row.part): (
                row.past_days,
                *(json.loads(row[name]) for name in ("products", "hidden", "rejected")),
            )
            for row in counted(products, rejects)
        }

    return keep


def test_every_product_with_events_has_its_numbers(kept):
    products = [
        ("a", 'p"1', 1, 2, 3, 4, 7, False),
        ("a", "past", 0, 0, 0, 9, 7, False),
        ("b", "p", 0, 0, 1, 0, 0, False),
    ]

    assert kept(products) == {
        ("a", 0): (7, {'p"1': [1, 2, 3, 4, 0, 0]}, [], {}),
        ("b", 0): (0, {"p": [0, 0, 1, 0, 0, 0]}, [], {}),
    }


def test_hidden_products_have_their_numbers_and_are_named(kept):
    assert kept([("a", "p", 1, 0, 0, 0, 0, True)])["a", 0] == (0, {"p": [1, 0, 0, 0, 0, 0]}, ["p"], {})


def test_a_product_without_events_on_the_day_is_kept_if_it_was_shown_lately(kept):
    assert kept([("a", "p", 0, 0, 0, 0, 0, False, 5, 2**20)]) == {("a", 0): (0, {"p": [0, 0, 0, 0, 5, 2**20]}, [], {})}


def test_rejected_lines_that_name_a_product_are_counted_by_reason(kept):
    rejects = [
        ("a", "p", "bad_type", 2),
        ("a", "p", "bad_type", 1),
        ("a", "p", "other_day", 5),
        ("a", "", "bad_product_id", 9),
        ("a", "p\0", "bad_product_id", 9),
    ]

    assert kept([("a", "p", 1, 0, 0, 0, 0, False)], rejects)["a", 0][3] == {"p": {"bad_type": 3, "other_day": 5}}


def test_an_advertiser_with_only_rejected_lines_has_a_row(kept):
    assert kept([], [("b", "p", "bad_type", 1)]) == {("b", 0): (0, {}, [], {"p": {"bad_type": 1}})}


def test_the_prior_is_in_each_row_that_has_products(counted):
    rows = counted([("a", "p", 1, 0, 0, 0, 0, False)], [("a", "p", "bad_type", 1), ("b", "p", "bad_type", 1)])

    assert {row.advertiser_id: (row.prior_mean, row.prior_weight) for row in rows} == {
        "a": (0.25, 20),
        "b": (None, None),
    }


def test_many_products_are_spread_over_rows_that_hold_each_of_them_once(kept, monkeypatch):
    monkeypatch.setattr(module, "PRODUCTS_PER_ROW", 50)
    ids = [f"p{n}" for n in range(150)]
    products = [("a", product, 1, 0, 0, 0, 2, product == "p7") for product in ids]
    rows = kept(products, [("a", product, "bad_type", 1) for product in ids[:51]])

    assert sorted(rows) == [("a", 0), ("a", 1), ("a", 2)]
    assert {past_days for past_days, *_ in rows.values()} == {2}
    assert sorted(product for _, counted, _, _ in rows.values() for product in counted) == sorted(ids)
    assert [product for _, _, hidden, _ in rows.values() for product in hidden] == ["p7"]
    assert sorted(product for *_, rejected in rows.values() for product in rejected) == sorted(ids[:51])
