"""?explore= of /recommendations: some of the last places go to products that few impressions leave uncertain."""

import time

import pytest

from tests.web.conftest import days_ago, hide, make_advertiser, make_counts, make_list, make_run
from tests.web.keys import make_key
from webapp.lists import response_cache
from webapp.rankings.models import ExpectedCTR, TopCTR

pytestmark = pytest.mark.django_db
UNIT = 2**20
PRIOR = (0.01, 20)
SURE = [f"sure{number}" for number in range(5)]  # in the list, with the scores below
SCORES = [0.05, 0.04, 0.03, 0.02, 0.015]
OPEN = [f"open{number}" for number in range(8)]
"""With less than two impressions each: they score nearly 0.01, and their intervals reach to 0.06 and more."""
DULL = "dull"  # with many impressions: its interval ends at 0.0065, below every score of the list


def decayed(clicks, impressions):
    """The numbers of a product without events on the day."""
    return [0, 0, 0, 0, round(clicks * UNIT), round(impressions * UNIT)]


def publish(run=None, advertiser="A", more=None):
    """A published list of SURE, and the counts of those and of the other products."""
    run = run or make_run()
    rows = make_list(run, make_advertiser(advertiser).pk, " ".join(SURE), ExpectedCTR)
    for row, score in zip(rows, SCORES, strict=True):
        row.score = score
        row.save()
    counts = {product: decayed(10_000 * score, 10_000) for product, score in zip(SURE, SCORES, strict=True)}
    counts |= {product: decayed(0, 0.2 * place + 0.2) for place, product in enumerate(OPEN)}
    counts |= {DULL: decayed(50, 10_000), "never shown": [9, 0, 0, 0, 0, 0]}
    make_counts(run, advertiser, counts | (more or {}), prior=PRIOR)
    return run


@pytest.fixture
def items(get_json):
    """A function that requests the items of advertiser A's list with these parameters."""
    return lambda query="": get_json(f"/recommendations/A/ExpectedCTR?{query}")["items"]


def products_of(items):
    return [item["product_id"] for item in items]


def explored_of(items):
    return [item["product_id"] for item in items if "explore" in item]


def test_the_last_places_go_to_uncertain_products(items):
    publish()
    best, explored = items("limit=5"), items("limit=5&explore=2")

    assert explored[:3] == best[:3]
    assert set(products_of(explored[3:])) < set(OPEN)
    assert [item.get("explore", "absent") for item in explored] == ["absent"] * 3 + [True] * 2


def test_an_explored_item_has_its_rank_among_all_products_and_its_own_counts(items):
    publish()
    hide("A", "sure4")
    *_, item = items("limit=4&explore=1")
    place = OPEN.index(item["product_id"])
    impressions = round((0.2 * place + 0.2) * UNIT) / UNIT

    assert item == {
        "rank": 5 + place,  # after the four that are not hidden
        "product_id": OPEN[place],
        "clicks": 0,
        "impressions": 0,
        "decayed_clicks": 0,
        "decayed_impressions": impressions,
        "ctr": 0,
        "score": 0.2 / (20 + impressions),
        "score_low": 0,
        "score_high": pytest.approx(0.066, abs=0.003),
        "explore": True,
    }


def test_the_draw_is_the_same_all_day_and_differs_between_days_and_advertisers(get_json):
    for age in range(4):
        run = make_run(days_ago(age))
        for advertiser in "AB":
            publish(run, advertiser)

    def drawn(age, advertiser):
        return explored_of(
            get_json(f"/recommendations/{advertiser}/ExpectedCTR?limit=5&explore=3&date={days_ago(age)}")["items"]
        )

    draws = {(age, advertiser): tuple(drawn(age, advertiser)) for age in range(4) for advertiser in "AB"}

    assert drawn(0, "A") == list(draws[0, "A"])
    assert len({*draws.values()}) > 4


def test_a_rerun_of_the_day_draws_the_same_products(items):
    run = publish()
    before = explored_of(items("explore=3"))
    run.state = "superseded"
    run.save()
    publish()

    assert explored_of(items("explore=3")) == before


def test_without_enough_candidates_the_best_products_keep_their_places(items):
    publish()
    for product in OPEN[1:]:
        hide("A", product)

    assert products_of(items("limit=5&explore=3")) == [*SURE[:4], OPEN[0]]


def test_hidden_and_excluded_products_are_not_explored(items):
    publish()
    hide("A", OPEN[0])
    excluded = "&".join(f"exclude={product}" for product in OPEN[1:7])

    assert products_of(items(f"limit=5&explore=5&{excluded}")) == [*SURE[:4], OPEN[7]]


def test_products_that_were_hidden_when_the_run_ranked_are_not_explored(items):
    run = publish()
    make_counts(run, "A", {}, hidden=OPEN, part=1)

    assert explored_of(items("explore=5")) == []


def test_free_places_are_filled_before_a_listed_product_loses_its_place(items):
    publish()

    assert products_of(items("limit=20&explore=2"))[:5] == SURE


def test_the_only_place_may_be_explored(items):
    publish()
    [item] = items("limit=1&explore=5")

    assert item["product_id"] in OPEN


def test_an_advertiser_whose_counts_are_in_several_rows_is_explored_as_a_whole(items):
    run = publish()
    make_counts(run, "A", {"another": decayed(0, 0.1)}, part=1, prior=PRIOR)
    make_counts(run, "A", {}, rejected={"q": {"bad date": 1}}, part=2)
    drawn = {product for limit in range(1, 6) for product in explored_of(items(f"limit={limit}&explore=5"))}
    for product in drawn:
        hide("A", product)

    assert drawn | {*explored_of(items("explore=5"))} == {*OPEN, "another"}


def test_the_fallbacks_list_is_not_explored(get_json):
    run = make_run()
    make_list(run, make_advertiser().pk, "p1 p2", TopCTR)
    make_counts(run, "A", {"p3": decayed(0, 1)}, prior=PRIOR)
    answer = get_json("/recommendations/A/ExpectedCTR?explore=2&fallback=TopCTR")

    assert (answer["instead_of"], products_of(answer["items"])) == ("ExpectedCTR", ["p1", "p2"])


def test_a_run_older_than_the_decayed_counts_has_nothing_to_explore(items):
    run = make_run()
    make_list(run, make_advertiser().pk, "p1 p2", ExpectedCTR)
    make_counts(run, "A", {"p3": [1, 1, 0, 0]})

    assert products_of(items("explore=2")) == ["p1", "p2"]


def test_another_model_does_not_explore(get_problem):
    make_list(make_run(), make_advertiser().pk, "p1", TopCTR)
    problem = get_problem("/recommendations/A/TopCTR?explore=1&fallback=ExpectedCTR")

    assert (problem["status"], problem["type"]) == (404, "no-recommendations")
    assert problem["detail"] == "TopCTR has no lists that explore; only ExpectedCTR has."


@pytest.mark.parametrize("number", ["6", "-1", "x", ""])
def test_the_number_is_from_0_to_5(get_problem, number):
    problem = get_problem(f"/recommendations/A/ExpectedCTR?explore={number}")

    assert (problem["type"], problem["parameter"]) == ("invalid-parameter", "explore")


def test_exploration_takes_two_more_queries_and_none_without_it(get_json, django_assert_num_queries):
    publish()

    for query, queries in [("explore=0", 2), ("explore=2", 4)]:
        with django_assert_num_queries(queries):
            get_json(f"/recommendations/A/ExpectedCTR?{query}")


def test_hiding_a_product_changes_the_etag_and_a_repeated_request_does_not(client):
    publish()
    address = "/recommendations/A/ExpectedCTR?explore=5&limit=5"
    first = client.get(address)
    hide("A", first.json()["items"][-1]["product_id"])
    second = client.get(address, headers={"if-none-match": first["ETag"]})

    assert (second.status_code, first.content == second.content) == (200, False)
    assert client.get(address, headers={"if-none-match": second["ETag"]}).status_code == 304


def test_the_key_of_another_advertiser_explores_nothing(client, settings):
    publish()
    settings.API_PUBLIC = False
    headers = {"authorization": f"Api-Key {make_key('B')}"}

    assert client.get("/recommendations/A/ExpectedCTR?explore=2", headers=headers).status_code == 404


def test_an_advertiser_with_5000_products_takes_well_under_100_ms(items):
    publish(more={f"p{number}": decayed(number % 3 / 10, number % 50 + 0.5) for number in range(5_000)})
    seconds = []
    for number in range(5):
        response_cache.clear()
        began = time.monotonic()
        assert len(explored_of(items(f"explore=5&exclude=x{number}"))) == 5
        seconds.append(time.monotonic() - began)

    print(f"{min(seconds) * 1000:.0f} ms")
    assert min(seconds) < 0.1
