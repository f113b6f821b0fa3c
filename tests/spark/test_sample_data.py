"""The sample data: reproducible rows, realistic popularity, clicks at the true rates, and some broken rows."""

import csv
import os
import re
import subprocess
from collections import Counter
from math import log, sqrt
from pathlib import Path

import pytest

from devstack.state import ROOT
from spark_jobs import sample_data
from tests.conftest import DAY

INPUTS = ("advertiser_ids", "product_views", "ads_views", "true_click_rates")
SMALL = ("--until", DAY, "--days", "2", "--advertisers", "5", "--products", "8", "--events-per-day", "3000")


class Sample:
    """The rows of each input that one call wrote, as dictionaries without an order."""

    def __init__(self, folder):
        for name in INPUTS:
            setattr(self, name, list(rows_of(folder / name)))

    def __eq__(self, other):
        return all(in_order(getattr(self, name)) == in_order(getattr(other, name)) for name in INPUTS)

    __hash__ = None  # type: ignore[assignment]


def rows_of(folder: Path):
    for part in sorted(folder.glob("part-*")):
        with part.open(newline="") as lines:
            yield from csv.DictReader(lines)


def in_order(rows):
    return sorted(tuple(row.items()) for row in rows)


@pytest.fixture(scope="module")
def written(spark, tmp_path_factory):
    """A function that writes sample data with these options and number of partitions, and returns the Sample."""

    def write(*options, partitions=2):
        folder = tmp_path_factory.mktemp("sample")
        spark.conf.set("spark.sql.leafNodeDefaultParallelism", partitions)
        try:
            sample_data.write(spark, folder.as_uri(), sample_data.parse_arguments([*SMALL, *options]))
        finally:
            spark.conf.unset("spark.sql.leafNodeDefaultParallelism")
        return Sample(folder)

    return write


@pytest.fixture(scope="module")
def sample(written):
    """Four hundred thousand events of one day: 20 active advertisers with 100 products each."""
    return written("--days", "1", "--advertisers", "20", "--products", "100", "--events-per-day", "400000")


@pytest.fixture(scope="module")
def small(written):
    return written()


def frequencies(values):
    """Return how often each value occurs, the most frequent first."""
    return [count for _, count in Counter(values).most_common()]


def by_zipf(total, count):
    """Return how often each of the numbers 1 to `count` occurs among `total` by Zipf's law."""
    return [total * log((k + 1) / k) / log(count + 1) for k in range(1, count + 1)]


def impressions_and_clicks(ads):
    """Return {(advertiser, product): (impressions, clicks)}."""
    counts = Counter((row["advertiser_id"], row["product_id"], row["type"]) for row in ads)
    return {(a, p): (counts[a, p, "impression"], counts[a, p, "click"]) for a, p, _ in counts}


def click_rates(sample):
    return {(row["advertiser_id"], row["product_id"]): float(row["click_rate"]) for row in sample.true_click_rates}


@pytest.mark.parametrize("partitions", [1, 7])
def test_the_same_options_give_the_same_rows_on_any_number_of_partitions(written, small, partitions):
    assert written(partitions=partitions) == small


def test_another_seed_gives_other_advertisers_products_and_events(written, small):
    other = written("--seed", "2")

    for name, column in [("advertiser_ids", "advertiser_id"), ("true_click_rates", "product_id")]:
        assert not {row[column] for row in getattr(small, name)} & {row[column] for row in getattr(other, name)}
    assert frequencies(row["date"] for row in other.ads_views) != frequencies(row["date"] for row in small.ads_views)


@pytest.mark.parametrize("options", [("--days", "1"), ("--days", "4"), ("--days", "3", "--until", "2026-11-21")])
def test_the_events_of_a_day_do_not_depend_on_the_other_requested_days(written, small, options):
    def of_the_day(rows):
        return in_order(row for row in rows if row["date"].replace("/", "-") == DAY)

    other = written(*options)

    assert of_the_day(other.product_views) == of_the_day(small.product_views)
    assert of_the_day(other.ads_views) == of_the_day(small.ads_views)


def test_the_days_end_with_the_given_one(small):
    assert {row["date"].replace("/", "-") for row in small.product_views} == {"2026-11-19", DAY}


def test_half_of_the_requested_events_of_a_day_are_visits_and_half_impressions(small):
    views = Counter(row["date"].replace("/", "-") for row in small.product_views)
    impressions = Counter(row["date"].replace("/", "-") for row in small.ads_views if row["type"] == "impression")

    assert set(views.values()) == set(impressions.values()) == {1500}


def test_writing_again_replaces_the_files(spark, tmp_path):
    options = sample_data.parse_arguments([*SMALL])
    sample_data.write(spark, tmp_path.as_uri(), options)
    once = Sample(tmp_path)
    sample_data.write(spark, tmp_path.as_uri(), options)

    assert Sample(tmp_path) == once


def test_the_popularity_of_advertisers_follows_zipfs_law(sample):
    seen = frequencies(row["advertiser_id"].strip() for row in sample.product_views)

    assert seen == [pytest.approx(expected, rel=0.05) for expected in by_zipf(200_000, 24)]


def test_the_popularity_of_an_advertisers_products_follows_zipfs_law(sample):
    (busiest, total), *_ = Counter(row["advertiser_id"] for row in sample.product_views).most_common(1)
    seen = frequencies(row["product_id"] for row in sample.product_views if row["advertiser_id"] == busiest)

    assert seen[:20] == [pytest.approx(expected, rel=0.05) for expected in by_zipf(total, 100)[:20]]


def test_one_advertiser_in_six_has_events_and_is_not_active(sample):
    active = {row["advertiser_id"] for row in sample.advertiser_ids}
    with_events = {row["advertiser_id"].strip() for row in sample.product_views + sample.ads_views}

    assert len(active) == 20
    assert active < with_events
    assert len(with_events - active) == 4


def test_ids_look_like_those_of_an_ad_platform(sample):
    advertisers = {row["advertiser_id"] for row in sample.true_click_rates}
    products = [row["product_id"] for row in sample.true_click_rates]

    assert all(re.fullmatch("[A-Z0-9]{20}", each) for each in advertisers)
    assert all(re.fullmatch("[a-z0-9]{6}", each) for each in products)


def test_ids_are_unique(sample):
    rated = frequencies(row["advertiser_id"] for row in sample.true_click_rates)

    assert rated == [100] * 24
    assert len(click_rates(sample)) == 2400


BROKEN = {
    "an empty product": lambda row: row["product_id"] == "",
    "a product that is too long": lambda row: len(row["product_id"]) > 64,
    "a date in another format": lambda row: re.fullmatch(r"\d{4}/\d{2}/\d{2}", row["date"]),
    "a tab in the advertiser": lambda row: "\t" in row["advertiser_id"],
}


@pytest.mark.parametrize("name", ["product_views", "ads_views"])
def test_one_row_in_five_hundred_is_broken_in_each_way_equally_often(sample, name):
    rows = getattr(sample, name)
    found = {way: sum(1 for row in rows if is_broken(row)) / len(rows) for way, is_broken in BROKEN.items()}

    assert found == {way: pytest.approx(1 / 2000, rel=0.25) for way in BROKEN}


def test_every_product_with_events_has_one_true_click_rate(sample):
    shown = {
        pair
        for row in sample.ads_views
        if not any(is_broken(row) for is_broken in BROKEN.values())
        for pair in [(row["advertiser_id"], row["product_id"])]
    }

    assert shown <= set(click_rates(sample))
    assert len(sample.true_click_rates) == len(click_rates(sample))


def test_few_true_click_rates_are_high_and_most_are_low(sample):
    rates = sorted(click_rates(sample).values())

    assert 0.002 <= rates[0] < 0.0021
    assert 0.09 < rates[-1] <= 0.1
    assert rates[len(rates) // 2] < 0.005


def test_products_are_clicked_at_their_true_rates(sample):
    rates = click_rates(sample)
    shown_often = {
        pair: counts
        for pair, counts in impressions_and_clicks(sample.ads_views).items()
        if counts[0] >= 1000 and pair in rates
    }
    errors = [
        (clicks - impressions * rates[pair]) / sqrt(impressions * rates[pair] * (1 - rates[pair]))
        for pair, (impressions, clicks) in shown_often.items()
    ]

    assert len(errors) > 20
    assert max(map(abs, errors)) < 3.5  # standard deviations
    assert abs(sum(errors) / len(errors)) < 3 / sqrt(len(errors))


def test_a_product_has_no_more_clicks_than_impressions(sample):
    is_good = {
        pair: clicks <= impressions for pair, (impressions, clicks) in impressions_and_clicks(sample.ads_views).items()
    }
    pairs = click_rates(sample)

    assert all(is_good[pair] for pair in is_good if pair in pairs)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        *((f"--{name}", "0", "'0' is not a number of at least 1") for name in ("days", "advertisers", "products")),
        ("--events-per-day", "1", "'1' is not a number of at least 2"),
        ("--events-per-day", "-5", "'-5' is not a number of at least 2"),
        ("--days", "1.5", "'1.5' is not a number of at least 1"),
        ("--days", "٣", "'٣' is not a number of at least 1"),
        ("--until", "yesterday", "'yesterday' is not a day of the form YYYY-MM-DD"),
        ("--until", "2026-02-30", "'2026-02-30' is not a day of the form YYYY-MM-DD"),
        ("--days", "4000000", "there is no day 4000000 days before"),
        ("--seed", "one", "invalid int value: 'one'"),
    ],
)
def test_a_bad_option_exits_2_and_says_what_is_valid(capsys, option, value, message):
    with pytest.raises(SystemExit) as end:
        sample_data.parse_arguments([f"{option}={value}"])

    assert end.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("raw_uri", "code", "message"),
    [
        ("", 2, "RAW_URI is not set; conf/env.example says what it is"),
        ("s3a://no-such-bucket/raw", 1, "no-such-bucket"),
    ],
)
def test_spark_submit_reports_an_error_in_one_line_and_with_an_exit_code(raw_uri, code, message):
    ended = subprocess.run(
        ["spark-submit", "spark_jobs/sample_data.py", *SMALL],
        cwd=ROOT,
        env={**os.environ, "RAW_URI": raw_uri},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    [said] = re.findall("sample_data.py: (.*)", ended.stdout + ended.stderr)
    assert ended.returncode == code
    assert message in said
    assert "Traceback" not in ended.stdout + ended.stderr
