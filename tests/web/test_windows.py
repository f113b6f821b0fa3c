"""`?window=`: lists over several days."""

import csv
import gzip
import io
import json

import pytest

from tests.web.conftest import YESTERDAY, days_ago, hide, make_advertiser, make_list, make_publication, make_run
from webapp.rankings.models import TopCTRWindow, TopProductWindow

pytestmark = pytest.mark.django_db
SEEN = {
    str(days_ago(age)): 1 for age in (1, 2, 3, 5, 6)
}  # of the week up to yesterday the fourth day before is missing


@pytest.fixture
def run():
    """A run with lists of advertiser A over 1, 7 and 28 days."""
    run = make_publication(products="p1")
    run.inputs = {"lake": SEEN}
    run.save()
    make_list(run, "A", "p7 p1", TopProductWindow, days=7)
    make_list(run, "A", "p28", TopProductWindow, days=28)
    make_list(run, "A", "c7", TopCTRWindow, days=7)
    return run


def products(answer):
    return [item["product_id"] for item in answer["items"]]


def test_a_list_is_of_the_day_alone_unless_asked_otherwise(get_json, run):
    answer = get_json("/recommendations/A/TopProduct")

    assert products(answer) == ["p1"]
    assert "window" not in answer and "absent_days" not in answer


@pytest.mark.parametrize(("window", "there"), [(1, ["p1"]), (7, ["p7", "p1"]), (28, ["p28"])])
def test_a_window_picks_the_list_over_so_many_days(get_json, run, window, there):
    assert products(get_json(f"/recommendations/A/TopProduct?window={window}")) == there


def test_days_that_a_list_lacks_are_said(get_json, run):
    answer = get_json("/recommendations/A/TopCTR?window=7")

    assert (answer["window"], answer["absent_days"]) == (7, [str(days_ago(4))])


def test_hidden_products_are_out_of_every_window(get_json, run):
    hide("A", "p7")

    assert products(get_json("/recommendations/A/TopProduct?window=7")) == ["p1"]


@pytest.mark.parametrize("window", ["0", "2", "seven", "", "1.0"])
def test_a_window_that_there_is_not_is_an_invalid_parameter(get_problem, run, window):
    problem = get_problem(f"/recommendations/A/TopProduct?window={window}")

    assert (problem["type"], problem["parameter"]) == ("invalid-parameter", "window")


@pytest.mark.parametrize(
    "address",
    [
        "/recommendations/A/Trending?window=7",
        "/recommendations/A/TopCTR?window=28&fallback=Trending",
        "/history/A?model=Trending&window=7",
        f"/snapshots/{YESTERDAY}?model=Trending&window=7",
    ],
)
def test_trending_has_no_windows(get_problem, run, address):
    assert get_problem(address)["type"] == "no-recommendations"


def test_history_has_the_windows_of_each_day(get_json, run):
    make_list(make_run(days_ago(1)), "A", "old", TopProductWindow, days=7)
    answer = get_json("/history/A?window=7&days=2")

    assert answer["window"] == 7
    assert [day["models"]["TopProduct"][0]["product_id"] for day in answer["days"]] == ["p7", "old"]
    assert [len(day["absent_days"]) for day in answer["days"]] == [1, 6]
    assert [*answer["days"][0]["models"]] == ["TopProduct", "TopCTR"]


def test_a_batch_has_the_windows_of_every_model_that_has_them(client, run):
    make_advertiser("B")
    body = {"advertiser_ids": ["A", "B"], "window": 7}
    results = client.post("/recommendations/batch", body, content_type="application/json").json()["results"]

    assert [each["status"] for each in results] == [200, 200, 404, 404]
    assert [products(each["answer"]) for each in results[:2]] == [["p7", "p1"], ["c7"]]
    assert results[0]["answer"]["absent_days"] == [str(days_ago(4))]


def test_a_snapshot_says_of_each_list_which_days_it_lacks(client, run):
    response = client.get(f"/snapshots/{YESTERDAY}?window=7")
    lists = [json.loads(line) for line in gzip.decompress(response.getvalue()).splitlines()]

    assert [(each["model"], each["window"], products(each)) for each in lists] == [
        ("TopProduct", 7, ["p7", "p1"]),
        ("TopCTR", 7, ["c7"]),
    ]
    assert lists[0]["absent_days"] == [str(days_ago(4))]


def test_a_snapshot_in_csv_says_so_in_columns_of_its_own(client, run):
    response = client.get(f"/snapshots/{YESTERDAY}?window=28&format=csv")
    [row] = csv.DictReader(io.StringIO(gzip.decompress(response.getvalue()).decode(), newline=""))

    assert (row["product_id"], row["window"]) == ("p28", "28")
    assert len(row["absent_days"].split(" ")) == 22


def test_an_advertiser_whose_list_is_missing_is_told_so(get_problem, run):
    make_advertiser("B")

    assert get_problem("/recommendations/B/TopProduct?window=7")["type"] == "no-recommendations"
