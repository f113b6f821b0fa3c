"""Many lists in one call: /recommendations/batch, ?exclude=, ?fallback= and /snapshots/{date}."""

import csv
import gzip
import io
import json
import tracemalloc
import zlib

import pytest
from django.db import connection

from tests.web.conftest import YESTERDAY, days_ago, make_advertiser, make_list, make_publication, make_run, problem_of
from tests.web.keys import BOTH, make_lists_of
from webapp.rankings.models import LASTING, TopCTR, TopProduct
from webapp.rankings.wilson import wilson

pytestmark = pytest.mark.django_db
LIST = "/recommendations/A/TopProduct"


def products_of(answer):
    return [item["product_id"] for item in answer["items"]]


# Exclude


def test_excluded_products_are_left_out_and_the_others_keep_their_ranks(get_json):
    make_publication(products="p1 p2 p3 p4")
    answer = get_json(f"{LIST}?exclude=p1&exclude=p3")

    assert [(item["rank"], item["product_id"]) for item in answer["items"]] == [(2, "p2"), (4, "p4")]


def test_the_limit_counts_what_is_left(get_json):
    make_publication(products="p1 p2 p3")

    assert products_of(get_json(f"{LIST}?exclude=p1&limit=2")) == ["p2", "p3"]


def test_an_id_to_exclude_may_have_a_comma_and_may_be_of_no_product(get_json):
    run = make_publication(products="p1")
    row = TopProduct.objects.get(run=run)
    row.pk, row.rank, row.product_id = None, 2, "a,b"
    row.save()

    assert products_of(get_json(f"{LIST}?exclude=a,b&exclude=none")) == ["p1"]


def test_excluding_everything_leaves_no_recommendations(get_problem):
    make_publication(products="p1")

    assert get_problem(f"{LIST}?exclude=p1")["type"] == "no-recommendations"


@pytest.mark.parametrize("query", ["exclude=", "exclude=%00", "exclude=" + "x" * 65, "&".join(["exclude=x"] * 101)])
def test_invalid_ids_cannot_be_excluded(get_problem, query):
    problem = get_problem(f"{LIST}?{query}")

    assert (problem["type"], problem["parameter"]) == ("invalid-parameter", "exclude")


# Fallback


def test_without_a_list_the_fallback_is_used_and_named(get_json):
    make_publication(products="p1")
    answer = get_json("/recommendations/A/TopCTR?fallback=TopProduct")

    assert (answer["model"], answer["instead_of"], products_of(answer)) == ("TopProduct", "TopCTR", ["p1"])


def test_the_fallback_is_not_used_if_there_is_a_list(get_json):
    make_lists_of("A")
    answer = get_json("/recommendations/A/TopCTR?fallback=TopProduct")

    assert answer["model"] == "TopCTR"
    assert "instead_of" not in answer


def test_a_fully_excluded_list_falls_back(get_json):
    run = make_publication(products="p1", model=TopCTR)
    make_list(run, "A", "p2")

    assert products_of(get_json("/recommendations/A/TopCTR?fallback=TopProduct&exclude=p1")) == ["p2"]


def test_without_either_list_there_is_nothing_to_recommend(get_problem):
    make_publication()
    make_advertiser("B")
    problem = get_problem("/recommendations/B/TopCTR?fallback=TopProduct")

    assert problem["type"] == "no-recommendations"
    assert "TopCTR" in problem["detail"]


def test_a_model_may_be_its_own_fallback(get_problem):
    make_publication()

    assert get_problem("/recommendations/A/TopCTR?fallback=TopCTR")["type"] == "no-recommendations"


def test_an_unknown_fallback_is_an_invalid_parameter_that_names_the_models(get_problem):
    problem = get_problem(f"{LIST}?fallback=Best")

    assert (problem["type"], problem["parameter"]) == ("invalid-parameter", "fallback")
    assert "TopProduct, TopCTR, Trending or ExpectedCTR" in problem["detail"]


# Batch


@pytest.fixture
def batch(client):
    """A function that posts a batch and returns the JSON of a good answer."""

    def post(address="/recommendations/batch", **body):
        response = client.post(address, json.dumps(body), "application/json")
        assert response.status_code == 200, response.content
        return response.json()

    return post


@pytest.fixture
def refused_batch(client):
    """A function that posts a body and returns the problem it is refused with."""

    def post(body, kind="application/json"):
        text = body if isinstance(body, bytes | str) else json.dumps(body)
        return problem_of(client.post("/recommendations/batch", text, kind))

    return post


@pytest.mark.parametrize("form", BOTH)
def test_a_batch_is_answered_at_both_prefixes_with_and_without_the_last_slash(batch, form):
    make_lists_of("A")

    assert len(batch(form.format("/recommendations/batch"), advertiser_ids=["A"])["results"]) == 3


def test_a_result_equals_the_response_for_its_list_alone(get_json, batch):
    run = make_lists_of("A")
    answer = batch(advertiser_ids=["A"])

    assert (answer["date"], answer["run"]) == ("2026-03-09", run.pk)
    assert answer["results"] == [
        {"advertiser_id": "A", "model": name, "status": 200, "answer": get_json(f"/recommendations/A/{name}")}
        for name in LASTING
    ]


def test_each_result_has_its_own_status_and_problem(batch):
    make_publication()
    make_advertiser("gone", active=False)
    make_advertiser("quiet")
    results = batch(advertiser_ids=["A", "gone", "quiet", "nobody"], models=["TopProduct"])["results"]

    assert [(each["status"], each.get("problem", {}).get("type")) for each in results] == [
        (200, None),
        (404, "inactive-advertiser"),
        (404, "no-recommendations"),
        (404, "unknown-advertiser"),
    ]


def test_results_come_in_the_requested_order(batch):
    make_lists_of("A", "B")
    results = batch(advertiser_ids=["B", "A"], models=["TopCTR", "TopProduct"])["results"]

    assert [(each["advertiser_id"], each["model"]) for each in results] == [
        ("B", "TopCTR"),
        ("B", "TopProduct"),
        ("A", "TopCTR"),
        ("A", "TopProduct"),
    ]


def test_date_limit_exclude_and_fallback_count_for_all(batch):
    make_publication(days_ago(1), products="p1 p2 p3 p4")
    make_publication(products="new")
    answer = batch(
        advertiser_ids=["A"], models=["TopCTR"], date=str(days_ago(1)), limit=2, exclude=["p2"], fallback="TopProduct"
    )
    [result] = answer["results"]

    assert answer["date"] == "2026-03-08"
    assert products_of(result["answer"]) == ["p1", "p3"]
    assert result["model"] == "TopCTR"
    assert (result["answer"]["model"], result["answer"]["instead_of"]) == ("TopProduct", "TopCTR")


@pytest.mark.parametrize("number", [1, 100])
def test_five_queries_make_a_batch_however_many_advertisers(batch, django_assert_num_queries, number):
    ids = [f"A{each}" for each in range(number)]
    make_lists_of(*ids)

    with django_assert_num_queries(5):
        batch(advertiser_ids=ids)


def test_a_batch_of_a_day_that_is_not_published_is_told_the_days_there_are(refused_batch):
    make_publication()
    problem = refused_batch({"advertiser_ids": ["A"], "date": "2001-01-01"})

    assert (problem["type"], problem["last_day"]) == ("day-not-published", "2026-03-09")


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({}, "advertiser_ids"),
        ({"advertiser_ids": []}, "advertiser_ids"),
        ({"advertiser_ids": "A"}, "advertiser_ids"),
        ({"advertiser_ids": [1]}, "advertiser_ids"),
        ({"advertiser_ids": ["A", "\0"]}, "advertiser_ids"),
        ({"advertiser_ids": ["x" * 65]}, "advertiser_ids"),
        ({"advertiser_ids": [{"a": 1}]}, "advertiser_ids"),
        ({"advertiser_ids": ["A"] * 101}, "advertiser_ids"),
        ({"advertiser_ids": ["A"], "models": []}, "models"),
        ({"advertiser_ids": ["A"], "models": ["Best"]}, "models"),
        ({"advertiser_ids": ["A"], "models": None}, "models"),
        ({"advertiser_ids": ["A"], "date": "yesterday"}, "date"),
        ({"advertiser_ids": ["A"], "date": 20260309}, "date"),
        ({"advertiser_ids": ["A"], "limit": "5"}, "limit"),
        ({"advertiser_ids": ["A"], "limit": True}, "limit"),
        ({"advertiser_ids": ["A"], "limit": 21}, "limit"),
        ({"advertiser_ids": ["A"], "limit": 10**400}, "limit"),
        ({"advertiser_ids": ["A"], "exclude": "p1"}, "exclude"),
        ({"advertiser_ids": ["A"], "fallback": "Best"}, "fallback"),
        ({"advertiser_ids": ["A"], "days": 7}, "days"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_invalid_members_of_a_batch(refused_batch, body, parameter):
    problem = refused_batch(body)

    assert (problem["status"], problem["type"], problem["parameter"]) == (400, "invalid-parameter", parameter)


@pytest.mark.parametrize("body", ["{", "[]", '"A"', "null", b"\xff", r'{"\ud800": 1}', "[" * 60_000, '{"a":' * 10_000])
def test_a_body_that_is_no_json_object_is_invalid(refused_batch, body):
    problem = refused_batch(body)

    assert (problem["status"], problem["type"]) == (400, "invalid-body")


def test_a_body_larger_than_any_batch_is_not_read(refused_batch):
    problem = refused_batch(" " * 70_000)

    assert (problem["status"], problem["type"]) == (413, "body-too-large")


def test_the_largest_batch_is_small_enough(batch):
    make_publication()
    ids = ["店" * 60 + f"{number:04}" for number in range(100)]
    body = json.dumps({"advertiser_ids": ids, "exclude": ids}, ensure_ascii=False).encode()

    assert len(body) < 65_536
    assert len(batch(advertiser_ids=ids)["results"]) == 300


def test_a_body_of_another_kind_is_an_unsupported_media_type(refused_batch):
    assert refused_batch("advertiser_ids=A", "application/x-www-form-urlencoded")["status"] == 415


def test_a_batch_is_posted(client):
    response = client.get("/recommendations/batch")

    assert (response.status_code, response["Allow"]) == (405, "POST, OPTIONS")


def test_an_advertiser_may_be_called_batch(get_json):
    make_publication(advertiser_id="batch")

    assert get_json("/recommendations/batch/TopProduct")["advertiser_id"] == "batch"


# Snapshots


@pytest.fixture
def lines(client):
    """A function that gets a snapshot and returns its lists."""

    def get(address=f"/snapshots/{YESTERDAY}"):
        response = client.get(address)
        assert (response.status_code, response["Content-Encoding"]) == (200, "gzip")
        return [json.loads(line) for line in gzip.decompress(response.getvalue()).decode().splitlines()]

    return get


@pytest.mark.parametrize("form", BOTH)
def test_a_snapshot_is_answered_at_both_prefixes_with_and_without_the_last_slash(lines, form):
    make_lists_of("A")

    assert len(lines(form.format(f"/snapshots/{YESTERDAY}"))) == 3


def test_a_line_of_a_snapshot_says_what_the_list_alone_does(get_json, lines):
    make_lists_of("A", 'é,"b"')
    lists = lines()
    alone = [
        get_json(f"/recommendations/{advertiser}/{name}") for name in LASTING for advertiser in ("A", "%C3%A9,%22b%22")
    ]

    assert lists == [{name: value for name, value in each.items() if name in lists[0]} for each in alone]
    assert [*lists[0]] == ["advertiser_id", "model", "date", "run", "items"]


def test_a_snapshot_in_csv_has_a_row_a_product(client):
    run = make_publication(products="p1", advertiser_id="a,b")
    make_list(run, "a,b", "p2", TopCTR)
    response = client.get(f"/snapshots/{YESTERDAY}?format=csv")
    rows = [*csv.DictReader(io.StringIO(gzip.decompress(response.getvalue()).decode(), newline=""))]

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert rows == [
        dict(
            zip(
                [
                    "date",
                    "run",
                    "advertiser_id",
                    "model",
                    "rank",
                    "product_id",
                    "views",
                    "clicks",
                    "impressions",
                    "ctr",
                    "score",
                    "ctr_low",
                    "ctr_high",
                    "usual",
                    "decayed_clicks",
                    "decayed_impressions",
                    "score_low",
                    "score_high",
                ],
                values,
                strict=True,
            )
        )
        for values in (
            ["2026-03-09", str(run.pk), "a,b", "TopProduct", "1", "p1", "5", *[""] * 11],
            [
                "2026-03-09",
                str(run.pk),
                "a,b",
                "TopCTR",
                "1",
                "p2",
                "",
                "1",
                "4",
                "0.25",
                "0.2",
                *map(str, wilson(1, 4)),
                *[""] * 5,
            ],
        )
    ]


def test_the_format_is_negotiated_too(client):
    make_lists_of("A")

    assert client.get(f"/snapshots/{YESTERDAY}", headers={"accept": "text/csv"})["Content-Type"].startswith("text/csv")


def test_only_the_model_asked_for_is_in_the_snapshot(lines):
    make_lists_of("A")

    assert [each["model"] for each in lines(f"/snapshots/{YESTERDAY}?model=TopCTR")] == ["TopCTR"]


def test_a_snapshot_has_only_active_advertisers_and_published_lists(lines):
    run = make_lists_of("A")
    make_list(run, make_advertiser("gone", active=False).pk, "p1")
    make_list(make_run(state="superseded"), "A", "old")

    assert {each["advertiser_id"] for each in lines()} == {"A"}


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip", "gzip"),
        ("br, *", "gzip"),
        ("gzip;q=0.5", "gzip"),
        ("identity", None),
        ("gzip;q=0, *", None),
        ("gzip; q=0.0", None),
        ("", None),
    ],
)
def test_gzip_is_used_only_if_accepted(client, accepted, encoding):
    make_lists_of("A")
    response = client.get(f"/snapshots/{YESTERDAY}", headers={"accept-encoding": accepted})

    assert response.headers.get("Content-Encoding") == encoding
    assert (b"product-of-A" in response.getvalue()) is (encoding is None)


def test_options_of_a_snapshot(client):
    response = client.options(f"/snapshots/{YESTERDAY}")

    assert (response.status_code, response["Allow"]) == (204, "GET, HEAD, OPTIONS")


def test_head_of_a_snapshot_reads_no_more_than_the_first_list(client):
    make_lists_of("A")
    response = client.head(f"/snapshots/{YESTERDAY}")

    assert (response.status_code, response.getvalue()) == (200, b"")


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("/snapshots/2001-01-01", "day-not-published"),
        ("/snapshots/yesterday", "invalid-parameter"),
        ("/snapshots/2026-02-30", "invalid-parameter"),
        (f"/snapshots/{YESTERDAY}?model=Best", "invalid-parameter"),
        (f"/snapshots/{YESTERDAY}?format=xml", "invalid-parameter"),
        (f"/snapshots/{YESTERDAY}?date=2026-03-09", "invalid-parameter"),
    ],
)
def test_problems_of_snapshots(get_problem, address, kind):
    make_publication()

    assert get_problem(address)["type"] == kind


def test_a_day_without_a_list_is_no_empty_snapshot(get_problem):
    make_run()

    assert get_problem(f"/snapshots/{YESTERDAY}")["type"] == "no-recommendations"


def cursors():
    """How many cursors are open on the server."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_cursors WHERE name LIKE '_django_curs%%'")
        return cursor.fetchone()[0]


def fill(lists):
    """A published run of that many lists of 20 products."""
    run = make_run()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO advertiser (advertiser_id) SELECT 'A' || n FROM generate_series(1, %s) n ON CONFLICT DO NOTHING",
            [lists],
        )
        cursor.execute(
            "INSERT INTO top_product (run_id, date, advertiser_id, product_id, rank, views)"
            " SELECT %s, %s, 'A' || n, md5(n::text || rank), rank, 1"
            " FROM generate_series(1, %s) n, generate_series(1, 20) rank",
            [run.pk, run.day, lists],
        )


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_is_streamed_in_memory_that_does_not_grow_with_it(client):
    fill(600)
    address = f"/snapshots/{YESTERDAY}"
    client.get(address).getvalue()  # what is imported and cached at the first time is not the stream's

    response = client.get(address)
    unpacked, most = zlib.decompressobj(31), 0
    tracemalloc.start()
    for piece in response.streaming_content:
        most += len(unpacked.decompress(piece))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most > 800_000
    assert peak < 4_000_000
    assert unpacked.eof


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_uses_a_server_side_cursor_that_closes_when_the_client_leaves(client):
    fill(300)
    response = client.get(f"/snapshots/{YESTERDAY}")
    pieces = iter(response.streaming_content)
    next(pieces)
    open_then = cursors()
    del pieces
    response.close()

    assert (open_then, cursors()) == (1, 0)
