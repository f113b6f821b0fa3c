"""Every column of every list agrees with an independent computation over the same raw events."""

import csv
import io
import random

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.conftest import DAY
from tests.contract.oracle import expected_ctr, rankings, trending
from webapp.rankings.models import ExpectedCTR, Run, TopCTR, TopCTRWindow, TopProduct, TopProductWindow, Trending

BEFORE = "2026-11-19"
DAYS = [BEFORE, DAY, f"{DAY} 23:59:59", f"{DAY}T00:00:00Z"]
VISITED, RATED = ("views",), ("clicks", "impressions", "ctr", "score")
EXPECTED = ("clicks", "impressions", "decayed_clicks", "decayed_impressions", *ExpectedCTR.shares)
# Ids that break careless use of CSV, SQL, globs, JSON or joins.
TRICKY = [
    "a",
    "A",
    "a,b",
    'say "hi"',
    "'; drop table run; --",
    " padded ",
    "ñandú",
    "漢字",
    "😀",
    "%_\\",
    "{x}*?",
    "null",
    "0",
]
ids = st.sampled_from(TRICKY) | st.text(
    st.characters(categories=["Lu", "Ll", "Lo", "Nd", "Po", "Sm"], max_codepoint=0x24F),
    min_size=1,
    max_size=64,
)


def as_csv(header, rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def write_raw(raw, active, views, ads):
    raw.put("advertiser_ids.csv", as_csv(["advertiser_id"], [[each] for each in active]))
    raw.put("product_views.csv", as_csv(["advertiser_id", "product_id", "date"], views))
    raw.put("ads_views.csv", as_csv(["advertiser_id", "product_id", "type", "date"], ads))


def rows_in(model, columns, **of):
    """Return the rows of the day's published run in the oracle's form."""
    rows = model.objects.published().filter(date=DAY, **of)
    found = rows.values_list("advertiser_id", "rank", "date", "product_id", *columns)
    return sorted((*row[:2], f"{row[2]:%Y-%m-%d}", *row[3:]) for row in found)


def published():
    """Return the day's lists of TopProduct and of TopCTR."""
    return rows_in(TopProduct, VISITED), rows_in(TopCTR, RATED)


def published_over(days):
    """Return the same over several days."""
    return rows_in(TopProductWindow, VISITED, days=days), rows_in(TopCTRWindow, RATED, days=days)


def assert_same_rates(rows, expected):
    """Compare rows of expected_ctr; only the ends of an interval, the last columns, may differ by rounding."""
    assert [row[:-2] for row in rows] == [row[:-2] for row in expected]
    ends, expected_ends = ([end for row in each for end in row[-2:]] for each in (rows, expected))
    assert ends == pytest.approx(expected_ends, rel=1e-9, abs=1e-12)


@st.composite
def raw_rows(draw):
    """A few advertisers and products with many events: many ties, products never shown, clicks without impressions.

    Both days have a product with two impressions, because the audit refuses a day without any list of TopCTR.
    """
    advertisers = draw(st.lists(ids, min_size=2, max_size=4, unique=True))
    products = draw(st.lists(ids, min_size=1, max_size=30, unique=True))
    pick = random.Random(draw(st.integers(0, 2**32)))  # noqa: S311  # hypothesis shrinks the seed, not 200 rows
    events = [(pick.choice(advertisers), pick.choice(products), pick.choice(DAYS)) for _ in range(200)]
    views = [*events[:100], (advertisers[0], products[0], DAY)]
    ads = [(a, p, pick.choice(["impression", "impression", "click"]), day) for a, p, day in events[100:]]
    shown = [(advertisers[0], products[0], "impression", day) for day in (BEFORE, DAY)]
    return advertisers[:-1], views, [*ads, *shown * 2]


# Each example is a run of some seconds, so failing ones are not shrunk.
@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    rows=raw_rows(),
    prior_weight=st.sampled_from(["0", "20", "0.5"]),
    min_impressions=st.sampled_from(["1", "2"]),
    trend_weight=st.sampled_from(["1", "20"]),
    half_life=st.sampled_from(["0.5", "7", "365"]),
)
def test_generated_events_are_ranked_as_in_plain_python(
    night, raw, rows, prior_weight, min_impressions, trend_weight, half_life
):
    """Every model and window, on a day and the day before it."""
    active, views, ads = rows
    write_raw(raw, active, views, ads)
    evidence = ["--ctr-prior-weight", prior_weight, "--min-impressions", min_impressions, "--half-life-days", half_life]
    # hypothesis generates days with few events, too
    night("--allow-drop", "--from", BEFORE, "--to", DAY, *evidence, "--trend-prior-weight", trend_weight)

    ranked_by = {"prior_weight": float(prior_weight), "min_impressions": int(min_impressions)}
    assert published() == rankings(active, views, ads, DAY, **ranked_by)
    both_days = rankings(active, views, ads, DAY, **ranked_by, days=[BEFORE, DAY])
    assert published_over(7) == published_over(28) == both_days
    trends = trending(active, views, ads, DAY, [BEFORE], prior_weight=float(trend_weight))
    assert rows_in(Trending, ("views", "usual", "score")) == trends
    expected = expected_ctr(active, ads, DAY, [BEFORE], half_life=float(half_life))
    assert_same_rates(rows_in(ExpectedCTR, EXPECTED), expected)


@pytest.fixture
def sample(stack, spark, raw):
    """Sample data, with its invalid rows, in the local folder."""
    from spark_jobs import sample_data

    options = sample_data.parse_arguments(
        ["--days", "2", "--until", DAY, "--advertisers", "6", "--products", "60", "--events-per-day", "20000"]
    )
    sample_data.write(spark, raw.uri, options)
    return raw


def test_sample_events_are_ranked_as_in_duckdb_and_each_line_is_counted_rejected_or_inactive(night, sample):
    """A day of 20,000 events, with invalid rows, against SQL over the same files."""
    assert night()

    rows_of = {
        name: f"read_csv('{sample.folder}/{name}/*.csv', all_varchar = true)"
        for name in ("advertiser_ids", "product_views", "ads_views")
    }
    good = f"advertiser_id in (from {rows_of['advertiser_ids']}) and len(product_id) <= 64 and date = '{DAY}'"
    place = "row_number() over (partition by advertiser_id order by {}) as rank"
    top_product = duckdb.execute(f"""
        with counted as (
            select advertiser_id, date, product_id, count(*) as views
            from {rows_of["product_views"]} where {good} group by all
        )
        select advertiser_id, {place.format("views desc, product_id")}, date, product_id, views
        from counted qualify rank <= 20 order by all
    """).fetchall()
    top_ctr = duckdb.execute(f"""
        with counted as (
            select advertiser_id, date, product_id,
                count(*) filter (type = 'click') as clicks, count(*) filter (type = 'impression') as impressions
            from {rows_of["ads_views"]} where {good} group by all
        )
        select advertiser_id, {place.format("clicks / impressions desc, impressions desc, product_id")}, date, product_id,
            clicks, impressions, clicks / impressions as ctr, ctr as score
        from counted where impressions > 0 qualify rank <= 20 order by all
    """).fetchall()

    counts = Run.objects.get().counts
    lines = counts["events"] + counts["inactive"] + sum(counts["rejected"].values())
    assert published() == (top_product, top_ctr)
    assert sum(counts["read"].values()) == lines, counts
    assert len(top_product) == len(top_ctr) == 6 * 20
