"""Hidden products: what the API serves from the next request on, and how they are hidden and unhidden."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection

from tests.web.conftest import YESTERDAY, days_ago, hide, make_advertiser, make_list, make_publication, make_run
from webapp.curation.models import HiddenProduct
from webapp.rankings.models import TopCTR, TopProduct

pytestmark = pytest.mark.django_db
TODAY = YESTERDAY + timedelta(days=1)
PAGE = "/admin/rankings/advertiser/A/change/"


def shown(get_json, address="/recommendations/A/TopProduct"):
    return [(item["rank"], item["product_id"]) for item in get_json(address)["items"]]


def test_a_hidden_product_is_gone_and_the_ranks_have_no_gap(get_json):
    make_publication(products="p1 p2 p3")
    hide("A", "p2")

    assert shown(get_json) == [(1, "p1"), (2, "p3")]


def test_it_is_left_out_of_the_lists_of_every_model(get_json):
    make_list(make_publication(products="p1 p2"), "A", "p1 p2", TopCTR)
    hide("A", "p1")

    assert shown(get_json, "/recommendations/A/TopCTR") == [(1, "p2")]


def test_a_limit_counts_only_products_that_are_not_hidden(get_json):
    make_publication(products="p1 p2 p3")
    hide("A", "p1")

    assert shown(get_json, "/recommendations/A/TopProduct?limit=2") == [(1, "p2"), (2, "p3")]


def test_another_advertisers_product_of_the_same_id_stays(get_json):
    make_list(make_publication(products="p1"), make_advertiser("B").pk, "p1")
    hide("B", "p1")

    assert shown(get_json) == [(1, "p1")]


def test_history_leaves_it_out_on_every_day(get_json):
    make_publication(days_ago(1), products="p1 p2")
    make_publication(products="p2 p1")
    hide("A", "p1")
    days = get_json("/history/A?days=2")["days"]

    assert [[item["product_id"] for item in day["models"]["TopProduct"]] for day in days] == [["p2"], ["p2"]]


def test_hiding_adds_no_query(get_json, django_assert_num_queries):
    make_publication(products="p1 p2")
    hide("A", "p1")

    with django_assert_num_queries(2):
        get_json("/recommendations/A/TopProduct")


def test_when_all_is_hidden_there_is_nothing_to_recommend(get_problem):
    make_publication(products="p1")
    hide("A", "p1")

    assert get_problem("/recommendations/A/TopProduct")["type"] == "no-recommendations"


@pytest.mark.parametrize(("until", "products"), [(TODAY, ["p2"]), (YESTERDAY, ["p1", "p2"])])
def test_it_is_hidden_until_its_last_day_is_over(get_json, until, products):
    make_publication(products="p1 p2")
    hide("A", "p1", until=until)

    assert [product for _, product in shown(get_json)] == products


def test_an_unhidden_product_is_listed_again(get_json):
    make_publication(products="p1 p2")
    hide("A", "p1")
    HiddenProduct.objects.unhide(User.objects.get())

    assert shown(get_json) == [(1, "p1"), (2, "p2")]


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ({"product_id": ""}, "hidden_product_is_named"),
        ({"reason": ""}, "hidden_product_has_reason"),
        ({"unhidden_at": "2026-03-10T00:00Z"}, "hidden_product_undone_by_someone"),
    ],
)
def test_constraints_reject_inconsistent_rows(columns, constraint):
    make_advertiser()
    hidden = hide("A", "p1")

    with pytest.raises(IntegrityError, match=constraint):
        HiddenProduct.objects.filter(pk=hidden.pk).update(**columns)


def test_every_column_has_a_comment():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'hidden_product'::regclass AND attnum > 0"
            " AND col_description(attrelid, attnum) IS NULL"
        )
        undescribed = cursor.fetchall()

    assert undescribed == []


# On the advertiser's page


def fill_in(client, **fields):
    given = {"products": "p2", "reason": "Recalled", "until": str(TODAY), "hide": "", **fields}
    return client.post("/admin/rankings/advertiser/A/hide/", given)


def test_an_operator_hides_a_product_and_the_next_response_leaves_it_out(log_in, get_json):
    make_publication(products="p1 p2 p3")
    answer = fill_in(log_in("operator"))

    assert answer["Location"] == PAGE
    assert shown(get_json) == [(1, "p1"), (2, "p3")]


def test_who_hid_it_and_why_is_stored(log_in):
    make_publication()
    fill_in(log_in("operator"))
    hidden = HiddenProduct.objects.get()

    assert (hidden.hidden_by.username, hidden.reason, hidden.until) == ("operator", "Recalled", TODAY)
    assert hidden.hidden_at is not None


def test_an_operator_unhides_it(log_in, get_json):
    make_publication(products="p1 p2")
    hide("A", "p1")
    log_in("operator").post("/admin/rankings/advertiser/A/unhide/", {"product_id": "p1"})

    assert shown(get_json) == [(1, "p1"), (2, "p2")]
    assert HiddenProduct.objects.get(unhidden_by__username="operator").unhidden_at is not None


def test_unhiding_a_product_that_is_not_hidden_says_so(log_in):
    make_publication()
    answer = log_in("operator").post("/admin/rankings/advertiser/A/unhide/", {"product_id": "p1"}, follow=True)

    assert "Product p1 was not hidden." in answer.text


def test_the_preview_shows_the_lists_without_the_product_and_hides_nothing(log_in):
    make_publication(products="p1 p2 p3")
    answer = fill_in(log_in("operator"), preview="")
    rows = answer.context["previews"][0].rows

    assert [(row.rank, row.new_rank, row.product_id) for row in rows] == [
        (1, 1, "p1"),
        (2, None, "p2"),
        (3, 2, "p3"),
    ]
    assert not HiddenProduct.objects.exists()


def test_ten_pasted_products_are_hidden_at_once(log_in, get_json):
    products = [f"p{number}" for number in range(12)]
    make_publication(products=" ".join(products))
    pasted = "\r\n".join([*products[:10], "", products[0]])
    page = fill_in(log_in("operator"), products=pasted)

    assert page["Location"] == PAGE
    assert shown(get_json) == [(1, "p10"), (2, "p11")]
    assert set(HiddenProduct.objects.values_list("reason", "until")) == {("Recalled", TODAY)}
    assert HiddenProduct.objects.count() == 10


def test_the_preview_names_pasted_products_that_no_list_has(log_in):
    make_publication(products="p1 p2 p3")
    context = fill_in(log_in("operator"), products="p1\nP3\np3", preview="").context

    assert [row.new_rank for row in context["previews"][0].rows] == [None, 1, None]
    assert context["not_listed"] == ["P3"]


def test_nothing_is_hidden_if_one_line_is_wrong(log_in):
    make_publication(products="p1 p2")
    fill_in(log_in("operator"), products="p1\n" + "x" * 65)

    assert not HiddenProduct.objects.exists()


def test_the_link_beside_a_product_leads_to_its_preview(log_in):
    make_publication(products="p1 p2")
    client = log_in("operator")
    page = client.get(PAGE).text

    assert 'href="/admin/rankings/advertiser/A/hide/?product_id=p2"' in page
    assert client.get("/admin/rankings/advertiser/A/hide/?product_id=p2").context["previews"][0].changes


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"until": str(YESTERDAY)}, "is in the past"),
        ({"until": ""}, "required"),
        ({"reason": " "}, "required"),
        ({"products": ""}, "required"),
        ({"products": "p2\n" + "x" * 65}, "at most 64"),
        ({"products": "p2\np\u200b"}, "is not a valid id"),
        ({"products": "p2\r\np1"}, "“p1” is already hidden until 2026-04-08"),
    ],
)
def test_an_invalid_form_is_rejected_with_the_reason(log_in, fields, message):
    make_publication(products="p1 p2")
    hide("A", "p1")
    answer = fill_in(log_in("operator"), **fields)

    assert message in answer.text
    assert HiddenProduct.objects.count() == 1


def test_a_product_may_be_hidden_again_after_its_last_day(log_in):
    make_publication(products="p1 p2")
    hide("A", "p2", until=YESTERDAY)

    assert fill_in(log_in("operator")).status_code == 302


def test_the_page_shows_the_hidden_product_at_its_rank(log_in):
    make_publication(products="p1 p2 p3")
    hide("A", "p2")
    rows = log_in("viewer").get(PAGE).context["lists"][0].rows

    assert [(row.item.rank, bool(row.hidden)) for row in rows] == [(1, False), (2, True), (3, False)]


def test_hiding_does_not_change_the_published_rows():
    make_list(make_run(), make_advertiser().pk, "p1 p2")
    hide("A", "p1")

    assert TopProduct.objects.count() == 2
