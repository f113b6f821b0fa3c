"""/advertisers, /models, /runs and the API's root."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest

from tests.web.conftest import days_ago, make_advertiser, make_list, make_publication, make_run
from tests.web.keys import make_key, make_lists_of
from webapp.rankings.models import TopProductWindow

pytestmark = pytest.mark.django_db


def ids_of(answer):
    return [advertiser["advertiser_id"] for advertiser in answer["results"]]


def days_of(answer):
    return [run["day"] for run in answer["results"]]


@pytest.mark.parametrize("name", ["advertisers", "models", "runs"])
@pytest.mark.parametrize("prefix", ["", "/api/v1"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_both_prefixes_work_with_and_without_the_last_slash(get_json, prefix, name, slash):
    assert get_json(f"{prefix}/{name}{slash}").keys() == {"count", "next", "previous", "results"}


@pytest.mark.parametrize("address", ["/api/v1", "/api/v1/"])
def test_the_root_lists_every_endpoint(get_json, address):
    assert get_json(address) == {
        "models": "http://testserver/api/v1/models/",
        "advertisers": "http://testserver/api/v1/advertisers/",
        "runs": "http://testserver/api/v1/runs/",
        "stats": "http://testserver/api/v1/stats/",
        "health-live": "http://testserver/api/v1/health/live/",
        "health-ready": "http://testserver/api/v1/health/ready/",
        "health-fresh": "http://testserver/api/v1/health/fresh/",
        "schema": "http://testserver/api/v1/schema/",
        "docs": "http://testserver/api/v1/docs/",
        "recommendations": "/api/v1/recommendations/{advertiser_id}/{model}",
        "recommendations-batch": "/api/v1/recommendations/batch",
        "snapshots": "/api/v1/snapshots/{date}",
        "history": "/api/v1/history/{advertiser_id}",
        "explain": "/api/v1/explain/{advertiser_id}/{model}/{product_id}",
    }


# Models


def test_models_are_described_with_their_score_columns(get_json):
    models = get_json("/models")["results"]

    assert {model["name"]: model["scores"] for model in models} == {
        "TopProduct": ["views"],
        "TopCTR": ["clicks", "impressions", "ctr", "score"],
        "Trending": ["views", "usual", "score"],
        "ExpectedCTR": [
            "clicks",
            "impressions",
            "decayed_clicks",
            "decayed_impressions",
            "ctr",
            "score",
            "score_low",
            "score_high",
        ],
    }
    assert all(model["description"] for model in models)


# Advertisers


def test_an_advertiser_comes_with_links_to_their_lists(get_json):
    make_advertiser("a b")

    assert get_json("/advertisers")["results"] == [
        {
            "advertiser_id": "a b",
            "active": True,
            "last_active_on": None,
            "links": {
                "TopProduct": "http://testserver/api/v1/recommendations/a%20b/TopProduct/",
                "TopCTR": "http://testserver/api/v1/recommendations/a%20b/TopCTR/",
                "Trending": "http://testserver/api/v1/recommendations/a%20b/Trending/",
                "ExpectedCTR": "http://testserver/api/v1/recommendations/a%20b/ExpectedCTR/",
                "history": "http://testserver/api/v1/history/a%20b/",
            },
        }
    ]


@pytest.mark.parametrize("advertiser_id", ["a,b", 'say "x"', "Ünïcödé 店", "a/b", "/a", "a/", "50%", "a?b#c"])
def test_every_link_leads_to_its_advertiser(get_json, advertiser_id):
    make_publication(advertiser_id=advertiser_id)
    links = get_json("/advertisers")["results"][0]["links"]

    assert get_json(links["TopProduct"])["advertiser_id"] == advertiser_id
    assert get_json(links["history"])["advertiser_id"] == advertiser_id


def test_an_inactive_advertiser_has_a_link_to_their_history_only(get_json):
    make_advertiser(active=False)

    assert list(get_json("/advertisers")["results"][0]["links"]) == ["history"]


@pytest.mark.parametrize(("active", "ids"), [("true", ["A"]), ("True", ["A"]), ("false", ["B"]), ("", ["A", "B"])])
def test_advertisers_are_filtered_by_active(get_json, active, ids):
    make_advertiser("A")
    make_advertiser("B", active=False)

    assert ids_of(get_json(f"/advertisers?active={active}")) == ids


@pytest.mark.parametrize(("text", "ids"), [("hoe", ["Shoes"]), ("SHOE", ["Shoes"]), ("%25", ["50%"]), ("zzz", [])])
def test_advertisers_are_searched_by_a_part_of_their_id(get_json, text, ids):
    make_advertiser("Shoes")
    make_advertiser("50%")

    assert ids_of(get_json(f"/advertisers?search={text}")) == ids


def test_pages_follow_one_another(get_json):
    for advertiser_id in "ABC":
        make_advertiser(advertiser_id)
    first = get_json("/advertisers?page_size=2")
    second = get_json(first["next"])

    assert (first["count"], ids_of(first), ids_of(second)) == (3, ["A", "B"], ["C"])
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("active=maybe", "active"),
        ("search=%00", "search"),
        ("search=" + "x" * 65, "search"),
        ("page=0", "page"),
        ("page=2", "page"),
        ("page=last", "page"),
        ("page=１", "page"),
        ("page=" + "9" * 40, "page"),
        ("page_size=0", "page_size"),
        ("page_size=1001", "page_size"),
        ("page_size=", "page_size"),
        ("name=A", "name"),
        ("active=true&active=false", "active"),
    ],
)
def test_invalid_parameters_of_advertisers(get_problem, query, parameter):
    problem = get_problem(f"/advertisers?{query}")

    assert (problem["type"], problem["parameter"]) == ("invalid-parameter", parameter)


@pytest.mark.parametrize("number", [1, 20])
def test_two_queries_list_advertisers_however_many(get_json, django_assert_num_queries, number):
    for advertiser_id in range(number):
        make_advertiser(str(advertiser_id))

    with django_assert_num_queries(2):
        get_json("/advertisers")


# Runs


def test_a_run_is_shown_as_its_table_has_it(get_json):
    run = make_run(
        started_at=datetime(2026, 3, 10, 4, 59, tzinfo=UTC),
        finished_at=datetime(2026, 3, 10, 5, 1, tzinfo=UTC),
        code_version="1.0",
        spark_version="4.1.4",
        parameters={"top": 20},
        counts={"rejected": {"bad_date": 3}},
        message="all well",
    )

    assert get_json("/runs")["results"] == [
        {
            "id": run.pk,
            "day": "2026-03-09",
            "state": "published",
            "started_at": "2026-03-10T04:59:00Z",
            "finished_at": "2026-03-10T05:01:00Z",
            "published_at": "2026-03-10T05:00:00Z",
            "code_version": "1.0",
            "spark_version": "4.1.4",
            "parameters": {"top": 20},
            "counts": {"rejected": {"bad_date": 3}},
            "message": "all well",
            "final": False,
        }
    ]


def test_runs_say_nothing_about_hidden_products(client):
    """A run in steps hands over the pairs to hide, and every run counts them."""
    handed_over = {"prepared": {"active": ["A"], "hidden": [["A", "secret"]]}}
    make_run(state="running", inputs=handed_over, counts={"products": 6, "hidden_products": 1})
    page = client.get("/runs").text

    assert '"counts":{"products":6}' in page
    assert not any(word in page for word in ("hidden", "secret", "prepared"))


def test_the_run_started_last_comes_first(get_json):
    make_run()
    make_run(days_ago(1))

    assert days_of(get_json("/runs")) == ["2026-03-08", "2026-03-09"]


def test_runs_are_filtered_by_state(get_json):
    make_run()
    make_run(days_ago(1), state="failed")

    assert days_of(get_json("/runs?state=failed")) == ["2026-03-08"]


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("day=2026-03-08", ["2026-03-08"]),
        ("day_from=2026-03-08", ["2026-03-09", "2026-03-08"]),
        ("day_to=2026-03-08", ["2026-03-08", "2026-03-07"]),
        ("day_from=2026-03-08&day_to=2026-03-08", ["2026-03-08"]),
    ],
)
def test_runs_are_filtered_by_day(get_json, query, days):
    for number in (2, 1, 0):
        make_run(days_ago(number))

    assert days_of(get_json(f"/runs?{query}")) == days


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("state=perhaps", "state"),
        ("day=2026-3-8", "day"),
        ("day_from=x", "day_from"),
        ("day=100%25", "day"),
        ("day_to=２", "day_to"),
    ],
)
def test_invalid_parameters_of_runs(get_problem, query, parameter):
    problem = get_problem(f"/runs?{query}")

    assert (problem["type"], problem["parameter"]) == ("invalid-parameter", parameter)


def test_two_queries_list_runs(get_json, django_assert_num_queries):
    for number in range(5):
        make_run(days_ago(number))

    with django_assert_num_queries(2):
        get_json("/runs")


# The browsable API


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/recommendations/A/TopProduct/",
        "/history/A/",
        "/stats/",
        "/advertisers/",
        "/models/",
        "/runs/",
        "/health/live/",
        "/health/ready/",
        "/health/fresh/",
    ],
)
def test_a_browser_gets_the_browsable_api(client, address):
    make_publication()
    response = client.get(f"/api/v1{address}", headers={"accept": "text/html"})

    assert response.status_code == 200
    assert "– Vitrina</title>" in response.text


def test_the_browsable_api_has_a_table_of_parameters_and_links(client):
    make_publication()
    page = client.get("/api/v1/advertisers/", headers={"accept": "text/html"}).text

    assert '<th scope="row"><code>search</code></th><td>A part of the id, in any case.</td>' in page
    assert 'href="http://testserver/api/v1/history/A/"' in page


def test_the_table_of_parameters_has_their_defaults_and_the_values_of_the_request(client):
    page = client.get("/api/v1/models/?page_size=2", headers={"accept": "text/html"}).text

    assert (
        "<code>page_size</code></th><td>The number of results per page, 1 to 1000.</td><td>100</td><td>2</td>" in page
    )


LINKED = re.compile(r'<li><a href="http://testserver([^"]*)">')


@pytest.mark.parametrize("address", ["/api/v1/", "/api/v1/recommendations/A/TopCTR/", "/api/v1/history/A/"])
def test_every_link_of_the_browsable_api_finds_something(client, address):
    make_list(make_lists_of("A"), "A", "product-of-A", TopProductWindow, days=7)
    page = client.get(address, headers={"accept": "text/html"}).text
    linked = [unescape(link) for link in LINKED.findall(page)]

    assert len(linked) >= 4
    assert "/api/v1/recommendations/A/TopProduct/" in linked
    assert {link: client.get(link).status_code for link in linked} == dict.fromkeys(linked, 200)


def test_a_link_of_the_browsable_api_escapes_ids(client):
    make_lists_of("A/<b>&?")
    page = client.get("/api/v1/", headers={"accept": "text/html"}).text

    assert "TopProduct of A/&lt;b&gt;&amp;?" in page
    assert "/api/v1/recommendations/A/%3Cb%3E&%3F/TopProduct/" in [unescape(link) for link in LINKED.findall(page)]


def test_the_root_links_only_to_what_the_key_may_read(client, settings):
    settings.API_PUBLIC = False
    make_lists_of("A", "B")
    page = client.get("/api/v1/", headers={"accept": "text/html", "authorization": f"Api-Key {make_key('B')}"}).text

    assert "TopProduct of B" in page
    assert "TopProduct of A" not in page


def test_format_json_gives_a_browser_json(client):
    response = client.get("/models?format=json", headers={"accept": "text/html,*/*;q=0.8"})

    assert response["Content-Type"] == "application/json"
