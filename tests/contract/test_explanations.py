"""Explanations agree with the batch about every product of a day."""

import csv

import pytest

from spark_jobs import sample_data
from tests.conftest import DAY
from tests.contract.oracle import counted, expected_ctr, rankings, trending
from tests.contract.test_oracle import BEFORE
from tests.web.conftest import make_user
from webapp.curation.models import HiddenProduct
from webapp.lists.explanations import load_explanation, select_explanation
from webapp.lists.inputs import Lookup, load_inputs
from webapp.rankings.models import RANKINGS, Advertiser

pytestmark = pytest.mark.long

PARAMETERS = {"prior_weight": 20.0, "min_impressions": 5}


def rows_of(folder):
    """Return the rows of a folder of CSV files as tuples."""
    return [tuple(row) for path in folder.glob("*.csv") for row in list(csv.reader(path.open(newline="")))[1:]]


@pytest.fixture
def published(night, raw, spark):
    """Two days of sample events with invalid rows and a hidden product, ranked with a prior weight and a minimum."""
    small = ["--days", "2", "--until", DAY, "--advertisers", "4", "--products", "60", "--events-per-day", "8000"]
    sample_data.write(spark, raw.uri, sample_data.parse_arguments(small))
    views = rows_of(raw.folder / "product_views")
    active = [row[0] for row in rows_of(raw.folder / "advertiser_ids")]
    hidden = next(row[:2] for row in views if row[0] in active and row[2] == DAY)
    Advertiser.objects.create(advertiser_id=hidden[0])
    HiddenProduct.objects.create(
        advertiser_id=hidden[0],
        product_id=hidden[1],
        reason="because",
        until="2999-01-01",
        hidden_by=make_user("hider"),
    )
    assert night("--from", BEFORE, "--to", DAY, "--ctr-prior-weight", "20", "--min-impressions", "5")
    return active, hidden, views, rows_of(raw.folder / "ads_views")


def test_every_explanation_of_a_day_agrees_with_the_tables_and_the_oracle(published):
    active, hidden, views, ads = published
    seen = {key for counts in counted(active, views, ads, [BEFORE, DAY]) for key in counts}
    not_hidden = {
        "views": [row for row in views if row[:2] != hidden],
        "ads": [row for row in ads if row[:2] != hidden],
    }
    everything = {"top": 10**6, "active": active, "day": DAY, **not_hidden}
    ranked = dict(zip(("TopProduct", "TopCTR"), rankings(**everything, **PARAMETERS), strict=True))
    ranked["Trending"] = trending(**everything, past=[BEFORE])
    ranked["ExpectedCTR"] = expected_ctr(active, ads, DAY, [BEFORE], top=10**6, hidden=[hidden])
    problems = []
    for model, rows in ranked.items():
        score = RANKINGS[model].ordering_score
        place = RANKINGS[model].scores.index(score)
        places = {(advertiser, product): (rank, scores[place]) for advertiser, rank, _, product, *scores in rows}
        listed = {
            (row.advertiser_id, row.product_id): (row.rank, getattr(row, score))
            for row in RANKINGS[model].objects.published().filter(date=DAY)
        }
        for advertiser, product in sorted(seen):
            why = load_explanation(select_explanation(load_inputs(Lookup(advertiser)), model, product))
            expected = places.get((advertiser, product), (None, None))
            if (why.rank, why.score) != expected or why.listed != ((advertiser, product) in listed):
                problems.append((model, advertiser, product, why, expected))
            if why.listed and listed[advertiser, product] != (why.rank, why.score):
                problems.append((model, advertiser, product, why, listed[advertiser, product]))

    assert problems == []
    assert len(seen) > 200 and hidden in seen
    assert all(len(rows) > 80 for rows in ranked.values())
