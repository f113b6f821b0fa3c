"""One rule for ids (docs/input-files.md): what is one, and that nothing strips or normalises them."""

import csv
import json
from io import StringIO
from urllib.parse import quote

import pytest
from django.core.management import call_command

from tests.web.conftest import YESTERDAY, make_advertiser, make_counts, make_publication, make_run
from tests.web.keys import whole
from webapp.curation.models import HiddenProduct
from webapp.keys.models import ApiKey
from webapp.rankings.models import TopProduct
from webapp.rankings.values import is_id

pytestmark = pytest.mark.django_db
TERMINATORS = ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"]
ALIKE = ["p", " p", "p ", " p ", "p q", "p  q", " ", "P", "é", "e\N{COMBINING ACUTE ACCENT}", "ﬁ", "fi"]
"""Ids that become equal to another one if something strips, case-folds or normalises them."""


def make_alike():
    """A list of all these products, and advertisers and counts with the same ids."""
    run = make_run()
    make_advertiser("A")
    make_counts(run, "A", {product: [rank, 0, 0, 0] for rank, product in enumerate(ALIKE, start=1)})
    same = {"run": run, "date": run.day, "views": 5}
    for rank, id_ in enumerate(ALIKE, start=1):
        TopProduct.objects.create(**same, advertiser_id="A", product_id=id_, rank=rank)
        TopProduct.objects.create(**same, advertiser=make_advertiser(id_), product_id=id_, rank=1)
    return run


def explain(client, id_):
    return client.get(f"/explain/A/TopProduct/{quote(id_, safe='')}")


def exclude(client, id_):
    return client.get(f"/recommendations/A/TopProduct?exclude={quote(id_, safe='')}")


def batch(client, **members):
    return client.post("/recommendations/batch", json.dumps(members), "application/json")


def hide(client, id_, action="hide"):
    fields = {"product_id": id_, "products": id_, "reason": "Recalled", "until": str(YESTERDAY.replace(day=20))}
    return client.post(f"/admin/rankings/advertiser/A/{action}/", fields)


def products(response):
    return [item["product_id"] for item in response.json()["items"]]


def everything_but(id_):
    return [each for each in ALIKE if each != id_]


# What an id is


@pytest.mark.parametrize(
    "id_", ["x", "x" * 64, "漢" * 64, "😀", " ", "a b", "é", "-", "=1+1", "\N{COMBINING ACUTE ACCENT}"]
)
def test_1_to_64_printable_characters_are_an_id(id_):
    assert is_id(id_)


@pytest.mark.parametrize(
    "text", ["", "x" * 65, "a\0b", "a\tb", "\u200b", "\u00a0", "\u3000", "\ufeff", "\ue000", "\ufffd"]
)
def test_anything_else_is_none(text):
    assert not is_id(text)


@pytest.mark.parametrize("end", TERMINATORS, ids=ascii)
@pytest.mark.parametrize("length", [1, 63, 64])
def test_no_place_takes_an_id_with_a_line_terminator(log_in, length, end):
    make_publication(products="x")
    client = log_in("operator")
    for text in ("x" * length + end, end + "x" * length, "x" * (length - len(end)) + end):
        responses = {
            "explain": explain(client, text),
            "exclude": exclude(client, text),
            "batch": batch(client, advertiser_ids=[text]),
            "batch exclude": batch(client, advertiser_ids=["A"], exclude=[text]),
        }
        hide(client, text)

        # A path with a line feed matches no route.
        expected = dict.fromkeys(responses, 400) | {"explain": 404 if "\n" in text else 400}
        assert {place: response.status_code for place, response in responses.items()} == expected
    # The form that hides has one id per line, so the ends of lines are not in its ids. Any other terminator is, and refused.
    hidden = set(HiddenProduct.objects.values_list("product_id", flat=True))
    assert hidden <= ({"x" * length, "x" * (length - len(end))} if end in ("\n", "\r", "\r\n") else set())


@pytest.mark.parametrize("end", TERMINATORS, ids=ascii)
def test_a_line_terminator_after_an_advertisers_id_names_no_advertiser(client, end):
    make_publication()

    for address in (f"/history/A{quote(end)}", f"/recommendations/A{quote(end)}/TopProduct"):
        assert client.get(address).status_code == 404
        assert client.get(f"{address}/").status_code == 404


# Ids are exact


@pytest.mark.parametrize("id_", ALIKE)
def test_excluding_a_product_excludes_no_other(client, id_):
    make_alike()

    assert products(exclude(client, id_)) == everything_but(id_)
    [result] = batch(client, advertiser_ids=["A"], models=["TopProduct"], exclude=[id_]).json()["results"]
    assert [item["product_id"] for item in result["answer"]["items"]] == everything_but(id_)


@pytest.mark.parametrize("id_", ALIKE)
def test_hiding_and_unhiding_concern_this_product_only(log_in, id_):
    make_alike()
    client = log_in("operator")
    for other in everything_but(id_):
        hide(client, other)
    assert products(client.get("/recommendations/A/TopProduct")) == [id_]

    hide(client, id_)
    hide(client, id_, "unhide")
    assert products(client.get("/recommendations/A/TopProduct")) == [id_]


@pytest.mark.parametrize("id_", ALIKE)
def test_every_path_finds_this_id_only(client, id_):
    make_alike()
    explained = explain(client, id_).json()
    own = client.get(f"/recommendations/{quote(id_, safe='')}/TopProduct").json()
    history = client.get(f"/history/{quote(id_, safe='')}").json()
    [result] = batch(client, advertiser_ids=[id_], models=["TopProduct"]).json()["results"]

    assert (explained["product_id"], explained["counts"]["views"]) == (id_, ALIKE.index(id_) + 1)
    assert (own["advertiser_id"], own["items"][0]["product_id"]) == (id_, id_)
    assert history["advertiser_id"] == result["answer"]["advertiser_id"] == id_


@pytest.mark.parametrize("id_", ALIKE)
@pytest.mark.parametrize("table", ["rankings/topproduct", "curation/hiddenproduct"])
def test_the_admins_search_finds_this_id_only(log_in, id_, table):
    make_alike()
    client = log_in("administrator")
    for each in ALIKE:
        hide(client, each)
    found = client.get(f"/admin/{table}/", {"q": id_}).context["cl"].queryset

    assert {row.product_id for row in found if row.advertiser_id == "A"} == {id_}


def test_a_part_of_an_id_is_searched_as_it_was_typed(log_in, get_json):
    make_alike()
    found = log_in("viewer").get("/admin/rankings/advertiser/", {"q": " p"}).context["cl"].queryset
    listed = get_json("/advertisers?search=%20p")["results"]

    assert {row.pk for row in found} == {each["advertiser_id"] for each in listed} == {" p", " p "}


@pytest.mark.parametrize("id_", ALIKE)
def test_a_key_is_for_this_advertiser_only(capsys, id_):
    make_alike()
    call_command("create_api_key", "ad server", "--advertiser", id_)

    assert ApiKey.objects.get().advertiser_id == id_


def test_the_api_exports_ids_exactly(client):
    TopProduct.objects.create(
        run=make_alike(), date=YESTERDAY, advertiser_id="A", product_id="=1+1", rank=len(ALIKE) + 1, views=5
    )
    own = {"headers": {"accept-encoding": "identity"}}
    rows = csv.DictReader(StringIO(whole(client.get(f"/snapshots/{YESTERDAY}?format=csv", **own)).getvalue().decode()))
    lines = whole(client.get(f"/snapshots/{YESTERDAY}?model=TopProduct", **own)).getvalue().splitlines()
    [items] = [line["items"] for line in map(json.loads, lines) if line["advertiser_id"] == "A"]

    assert [row["product_id"] for row in rows if row["advertiser_id"] == "A"] == [*ALIKE, "=1+1"]
    assert [item["product_id"] for item in items] == [*ALIKE, "=1+1"]
