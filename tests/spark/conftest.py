"""Fixtures for the tests of the batch's own functions."""

import pytest

from spark_jobs.lake import read_counts
from spark_jobs.prepare import prepare


@pytest.fixture
def counts_in_lake(spark, tmp_path):
    """A function that counts a day of raw events into a lake: {(advertiser, product): (views, impressions, clicks)}."""

    def count(raw_events, day):
        lake_uri = (tmp_path / "lake").as_uri()
        prepare(raw_events, lake_uri, {day: 1})
        counts = read_counts(spark, lake_uri, {day: 1}).collect()
        return {(row.advertiser_id, row.product_id): (row.views, row.impressions, row.clicks) for row in counts}

    return count
