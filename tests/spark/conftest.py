"""Fixtures for tests of the batch's functions."""

import pytest

from spark_jobs.counts import write_daily_counts
from spark_jobs.lake import read_counts


@pytest.fixture
def counts_in_lake(spark, tmp_path):
    """A function that counts a day of raw events into a lake: {(advertiser, product): (views, impressions, clicks)}."""

    def count(raw_events, day):
        lake_uri = (tmp_path / "lake").as_uri()
        write_daily_counts(raw_events, lake_uri, {day: 1})
        counts = read_counts(spark, lake_uri, {day: 1}).collect()
        return {(row.advertiser_id, row.product_id): (row.views, row.impressions, row.clicks) for row in counts}

    return count
