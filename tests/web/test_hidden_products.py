"""Hiding a product: what readers get from the next request on, and how it is undone."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection

from tests.web.conftest import NOW, YESTERDAY, days_ago, hide, make_advertiser, make_list, make_publication, make_run
from webapp.curation.models import HiddenProduct
from webapp.rankings.models import Advertiser, TopCTR, TopProduct

pytestmark = pytest.mark.django_db
TODAY = YESTERDAY + timedelta(days=1)
PAGE = "/admin/rankings/advertiser/A/change/"


def shown(ask, address="/recommendations/A/TopProduct"):
    return [(item["rank"], item["product_id"]) for item in ask(address)["items"]]


def test_a_hidden_product_is_gone_and_the_ranks_have_no_gap(ask):
    make_publication(products="p1 p2 p3")
    hide("A", "p2")

    assert shown(ask) == [(1, "p1"), (2, "p3")]


def test_every_ranking_does_without_it(ask):
    make_list(make_publication(products="p1 p2"), "A", "p1 p2", TopCTR)
    hide("A", "p1")

    assert shown(ask, "/recommendations/A/TopCTR") == [(1, "p2")]


def test_a_limit_counts_what_is_shown(ask):
    make_publication(products="p1 p2 p3")
    hide("A", "p1")

    assert shown(ask, "/recommendations/A/TopProduct?limit=2") == [(1, "p2"), (2, "p3")]


def test_another_advertisers_product_of_the_same_id_stays(ask):
    make_list(make_publication(products="p1"), make_advertiser("B").pk, "p1")
    hide("B", "p1")

    assert shown(ask) == [(1, "p1")]


def test_history_does_without_it_on_every_day(ask):
    make_publication(days_ago(1), products="p1 p2")
    make_publication(products="p2 p1")
    hide("A", "p1")
    days = ask("/history/A?days=2")["days"]

    assert [[item["product_id"] for item in day["models"]["TopProduct"]] for day in days] == [["p2"], ["p2"]]


def test_hiding_costs_no_query_more(ask, django_assert_num_queries):
    make_publication(products="p1 p2")
    hide("A", "p1")

    with django_assert_num_queries(4):
        ask("/recommendations/A/TopProduct")


def test_when_all_is_hidden_there_is_nothing_to_recommend(refused):
    make_publication(products="p1")
    hide("A", "p1")

    assert refused("/recommendations/A/TopProduct")["type"] == "no-recommendations"


@pytest.mark.parametrize(("until", "products"), [(TODAY, ["p2"]), (YESTERDAY, ["p1", "p2"])])
def test_it_lasts_until_its_last_day_is_over(ask, until, products):
    make_publication(products="p1 p2")
    hide("A", "p1", until=until)

    assert [product for _, product in shown(ask)] == products


def test_what_is_undone_is_shown_again(ask):
    make_publication(products="p1 p2")
    hide("A", "p1")
    HiddenProduct.objects.unhide(User.objects.get())

    assert shown(ask) == [(1, "p1"), (2, "p2")]


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ({"product_id": ""}, "hidden_product_is_named"),
        ({"reason": ""}, "hidden_product_has_reason"),
        ({"unhidden_at": "2026-03-10T00:00Z"}, "hidden_product_undone_by_someone"),
    ],
)
def test_the_table_refuses_what_makes_no_sense(columns, constraint):
    make_advertiser()
    hidden = hide("A", "p1")

    with pytest.raises(IntegrityError, match=constraint):
        HiddenProduct.objects.filter(pk=hidden.pk).update(**columns)


def test_every_column_is_described():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'hidden_product'::regclass AND attnum > 0"
            " AND col_description(attrelid, attnum) IS NULL"
        )
        undescribed = cursor.fetchall()

    assert undescribed == []


# For caches


def last_change():
    return HiddenProduct.objects.last_change(Advertiser(pk="A"))


def test_whatever_changes_what_is_hidden_changes_its_version(clock):
    make_publication(products="p1 p2 p3")
    versions = [last_change()]
    for product in ("p1", "p2"):
        hide("A", product)
        versions.append(last_change())
    HiddenProduct.objects.filter(product_id="p1").unhide(User.objects.get())
    versions.append(last_change())
    clock(NOW + timedelta(days=90))
    versions.append(last_change())

    assert len({version for version, _ in versions}) == 4
    assert versions[0] == ("0-0", None)
    assert versions[-1][0] == versions[0][0]  # nothing is hidden, as at first
    assert versions[-1][1] is not None


def test_the_end_of_a_hide_is_a_change_at_midnight(clock):
    make_publication()
    hidden = hide("A", "p1", until=TODAY)
    HiddenProduct.objects.filter(pk=hidden.pk).update(hidden_at=NOW)
    clock(NOW + timedelta(days=1))

    assert last_change() == ("0-0", datetime(2026, 3, 11, tzinfo=UTC))


def test_other_advertisers_hides_change_nothing():
    make_publication()
    before = last_change()
    hide(make_advertiser("B").pk, "p1")

    assert last_change() == before


# On the advertiser's page


def fill_in(client, **fields):
    given = {"product_id": "p2", "reason": "Recalled", "until": str(TODAY), "hide": "", **fields}
    return client.post("/admin/rankings/advertiser/A/hide/", given)


def test_an_operator_hides_and_the_next_answer_lacks_it(log_in, ask):
    make_publication(products="p1 p2 p3")
    answer = fill_in(log_in("operator"))

    assert answer["Location"] == PAGE
    assert shown(ask) == [(1, "p1"), (2, "p3")]


def test_who_and_why_are_kept(log_in):
    make_publication()
    fill_in(log_in("operator"))
    hidden = HiddenProduct.objects.get()

    assert (hidden.hidden_by.username, hidden.reason, hidden.until) == ("operator", "Recalled", TODAY)
    assert hidden.hidden_at is not None


def test_an_operator_undoes_it(log_in, ask):
    make_publication(products="p1 p2")
    hide("A", "p1")
    log_in("operator").post("/admin/rankings/advertiser/A/unhide/", {"product_id": "p1"})

    assert shown(ask) == [(1, "p1"), (2, "p2")]
    assert HiddenProduct.objects.get(unhidden_by__username="operator").unhidden_at is not None


def test_undoing_twice_says_that_nothing_was_hidden(log_in):
    make_publication()
    answer = log_in("operator").post("/admin/rankings/advertiser/A/unhide/", {"product_id": "p1"}, follow=True)

    assert "Product p1 was not hidden." in answer.text


def test_the_preview_shows_the_lists_without_the_product_and_hides_nothing(log_in):
    make_publication(products="p1 p2 p3")
    answer = fill_in(log_in("operator"), preview="")
    lines = answer.context["previews"][0].lines

    assert [(line.now, line.then, line.row.product_id) for line in lines] == [
        (1, 1, "p1"),
        (2, None, "p2"),
        (3, 2, "p3"),
    ]
    assert not HiddenProduct.objects.exists()


def test_the_link_beside_a_product_leads_to_its_preview(log_in):
    make_publication(products="p1 p2")
    client = log_in("operator")
    page = client.get(PAGE).text

    assert 'href="/admin/rankings/advertiser/A/hide/?product_id=p2"' in page
    assert client.get("/admin/rankings/advertiser/A/hide/?product_id=p2").context["previews"][0].changes


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"until": str(YESTERDAY)}, "is over"),
        ({"until": ""}, "required"),
        ({"reason": " "}, "required"),
        ({"product_id": ""}, "required"),
        ({"product_id": "x" * 65}, "at most 64"),
        ({"product_id": "p1"}, "is hidden already, until 2026-04-08"),
    ],
)
def test_a_form_that_makes_no_sense_is_refused_with_the_reason(log_in, fields, complaint):
    make_publication(products="p1 p2")
    hide("A", "p1")
    answer = fill_in(log_in("operator"), **fields)

    assert complaint in answer.text
    assert HiddenProduct.objects.count() == 1


def test_a_product_may_be_hidden_again_once_it_is_over(log_in):
    make_publication(products="p1 p2")
    hide("A", "p2", until=YESTERDAY)

    assert fill_in(log_in("operator")).status_code == 302


def test_the_page_shows_the_hidden_product_in_its_place(log_in):
    make_publication(products="p1 p2 p3")
    hide("A", "p2")
    places = log_in("viewer").get(PAGE).context["lists"][0].places

    assert [(place.row.rank, bool(place.hidden)) for place in places] == [(1, False), (2, True), (3, False)]


def test_hiding_leaves_the_published_rows_as_they_are():
    make_list(make_run(), make_advertiser().pk, "p1 p2")
    hide("A", "p1")

    assert TopProduct.objects.count() == 2
