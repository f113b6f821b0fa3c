"""The admin's read-only tables."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from tests.web.conftest import days_ago, make_advertiser, make_list, make_publication, make_run
from webapp.rankings.models import Advertiser, Rollback, Run, TopCTR, TopProduct

pytestmark = pytest.mark.django_db
TABLES = {"advertiser": Advertiser, "run": Run, "topproduct": TopProduct, "topctr": TopCTR, "rollback": Rollback}


def page_of(client, address):
    response = client.get(f"/admin/rankings/{address}")
    assert response.status_code == 200, response
    return response.text


def make_one_of_each():
    run = make_publication()
    make_list(run, "A", "p1", TopCTR)
    Rollback.objects.create(day=run.day, withdrawn=run, restored=run, author="boss")
    return run


@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_a_list_page(admin_client, table):
    make_one_of_each()

    assert "<title>Select" in page_of(admin_client, f"{table}/")


@pytest.mark.parametrize(("table", "model"), TABLES.items())
def test_every_row_has_a_page(admin_client, table, model):
    make_one_of_each()

    assert "<title>" in page_of(admin_client, f"{table}/{model.objects.get().pk}/change/")


@pytest.mark.parametrize("advertiser_id", ["a/b", 'x "y" & <z>', "店", "a_5Fb"])
def test_an_advertiser_of_any_id_has_a_page(admin_client, advertiser_id):
    make_publication(advertiser_id=advertiser_id)
    links = re.findall('href="/admin/rankings/(advertiser/.+?/change/)"', page_of(admin_client, "topproduct/"))

    assert escape(advertiser_id) in page_of(admin_client, unescape(links[0]))


@pytest.mark.parametrize(("table", "model"), TABLES.items())
def test_nobody_can_add_change_or_delete(admin_client, table, model):
    make_one_of_each()
    row = model.objects.get().pk
    answers = [
        admin_client.get(f"/admin/rankings/{table}/add/"),
        admin_client.post(f"/admin/rankings/{table}/add/", {}),
        admin_client.post(f"/admin/rankings/{table}/{row}/change/", {}),
        admin_client.get(f"/admin/rankings/{table}/{row}/delete/"),
        admin_client.post(f"/admin/rankings/{table}/{row}/delete/", {"post": "yes"}),
    ]

    assert {answer.status_code for answer in answers} == {403}


@pytest.mark.parametrize("table", sorted(TABLES.keys() - {"run"}))
def test_no_action_is_offered(admin_client, table):
    make_one_of_each()

    assert 'name="action"' not in page_of(admin_client, f"{table}/")


def test_a_visitor_is_sent_to_the_login(client):
    assert client.get("/admin/rankings/run/")["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("table", TABLES)
def test_the_number_of_queries_does_not_grow_with_rows(admin_client, table):
    make_one_of_each()
    with CaptureQueriesContext(connection) as few:
        page_of(admin_client, f"{table}/")
    for number in range(1, 6):
        run = make_run(days_ago(number))
        for model in (TopProduct, TopCTR):
            make_list(run, make_advertiser(f"A{number}").pk, "p1 p2 p3", model)
    with CaptureQueriesContext(connection) as many:
        page_of(admin_client, f"{table}/")

    assert len(many) == len(few) <= 10


@pytest.mark.parametrize(
    ("address", "shown", "hidden"),
    [
        ("advertiser/?q=sho", "Shoes", "Hats"),
        ("advertiser/?active__exact=0", "Hats", "Shoes"),
        ("run/?state__exact=failed", "bad file", "all well"),
        ("run/?q=bad", "bad file", "all well"),
        ("run/?final__exact=1", "all well", "bad file"),
        ("run/?day__year=2026&day__month=3&day__day=8", "bad file", "all well"),
        ("topproduct/?q=Shoes", "red", "blue"),
        ("topproduct/?q=blue&run__state=failed", "blue", "red"),
        ("topproduct/?run__state__exact=published", "red", "blue"),
        ("topproduct/?date__year=2026&date__month=3&date__day=9", "red", "blue"),
    ],
)
def test_lists_can_be_searched_and_filtered(admin_client, address, shown, hidden):
    make_advertiser("Hats", active=False)
    make_list(make_run(message="all well", final=True), make_advertiser("Shoes").pk, "red")
    make_list(make_run(days_ago(1), state="failed", message="bad file"), "Hats", "blue")
    results = page_of(admin_client, address).partition("<tbody>")[2].partition("</tbody>")[0]

    assert shown in results
    assert hidden not in results


def products_on(page):
    return re.findall(r'field-product_id"><a href="[^"]*">([^<]*)<', page)


def make_rerun_day():
    """A day that was published twice, and the day before; the superseded run."""
    make_publication(days_ago(1), products="earlier")
    superseded = make_run(state="superseded")
    make_list(superseded, "A", "first")
    make_list(make_run(), "A", "second third")
    return superseded


@pytest.mark.parametrize(
    ("table", "lookup"),
    [
        ("rankings/run", "day__year=99999999999"),
        ("rankings/run", "day__year=9999"),
        ("rankings/run", "day__year=9999&day__month=12&day__day=31"),
        ("rankings/run", "id__range=1"),
        ("rankings/run", "state__regex=("),
        ("rankings/run", "q=" + "a+" * 101),
        ("rankings/topctr", "date__exact=2026-02-30"),
        ("auth/user", "date_joined__year=99999"),
        ("auth/group", "id__range=1"),
        ("axes/accessattempt", "id__regex=("),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_a_filter_that_cannot_be_evaluated_is_left_out(admin_client, table, lookup):
    response = admin_client.get(f"/admin/{table}/?{lookup}")

    assert (response.status_code, response["Location"]) == (302, f"/admin/{table}/?e=1")


@pytest.mark.parametrize(
    ("table", "action"),
    [("rankings/run", "roll_back"), ("keys/apikey", "revoke"), ("auth/user", "delete_selected")],
)
@pytest.mark.parametrize("chosen", ["x", "", "1\0", "9" * 5000])
def test_an_action_for_what_is_no_key_of_a_row_is_a_bad_request(admin_client, table, action, chosen):
    response = admin_client.post(f"/admin/{table}/", {"action": action, "_selected_action": chosen})

    assert response.status_code == 400


def test_a_row_list_shows_the_published_rows_of_the_newest_day(admin_client):
    make_rerun_day()

    assert products_on(page_of(admin_client, "topproduct/")) == ["second", "third"]


@pytest.mark.parametrize(
    ("query", "products"),
    [
        (f"date__exact={days_ago(1)}", ["earlier"]),
        ("run__state=superseded", ["first"]),
        ("run__state__exact=superseded", ["first"]),
        ("run__state=all", ["first", "second", "third"]),
        ("run__id__exact={superseded}", ["first"]),
        ("advertiser__advertiser_id__exact=A", ["second", "third", "earlier"]),
        ("date__exact=x", ["second", "third"]),  # Django ignores parameters that mean nothing
    ],
)
def test_a_row_list_can_show_another_day_state_or_run(admin_client, query, products):
    superseded = make_rerun_day()
    page = admin_client.get(f"/admin/rankings/topproduct/?{query.format(superseded=superseded.pk)}", follow=True)

    assert sorted(products_on(page.text)) == sorted(products)


def test_a_row_list_has_the_identifying_columns_first(admin_client):
    make_list(make_run(), make_advertiser().pk, "p1", TopCTR)
    columns = re.findall(r'class="(?:[a-z]+ )*column-(\w+)', page_of(admin_client, "topctr/"))

    assert columns == [
        *("day", "advertiser_link", "rank", "product_id"),
        *("clicks", "impressions", "ctr", "score", "ctr_low", "ctr_high", "run_link"),
    ]


def test_a_row_list_names_the_advertiser_once_for_each_list(admin_client):
    run = make_publication(products="p1 p2 p3")
    make_list(run, make_advertiser("B").pk, "p1 p2")
    page = page_of(admin_client, "topproduct/")

    assert re.findall(r'field-advertiser_link"><a [^>]*>(\w)<', page) == ["A", "B"]


def test_the_day_form_keeps_the_other_filters(admin_client):
    make_rerun_day()
    page = page_of(admin_client, "topproduct/?run__state=all&q=A")

    assert '<input type="hidden" name="run__state" value="all"><input type="hidden" name="q" value="A">' in page
    assert f'name="date__exact" value="{days_ago(0)}"' in page


def test_a_click_rate_is_shown_with_its_score_and_interval(admin_client):
    make_list(make_run(), make_advertiser().pk, "p1", TopCTR)
    page = page_of(admin_client, "topctr/")

    assert re.findall(r'field-(ctr|score|ctr_low|ctr_high)">([^<]*)<', page) == [
        ("ctr", "0.2500"),
        ("score", "0.2000"),
        ("ctr_low", "0.0456"),
        ("ctr_high", "0.6994"),
    ]


def test_a_runs_counts_are_shown_as_a_table(admin_client):
    run = make_run(
        counts={"views_read": 1234567, "rejected": {"bad_date": 3}}, parameters={"top": 20, "dry_run": False}
    )
    page = page_of(admin_client, f"run/{run.pk}/change/")

    assert '<tr><th scope="row">views_read</th><td>1,234,567</td></tr>' in page
    assert (
        '<th scope="row">rejected</th><td><table><tr><th scope="row">bad_date</th><td>3</td></tr></table></td>' in page
    )
    assert '<tr><th scope="row">dry_run</th><td>no</td></tr>' in page


def test_a_runs_inputs_are_shown_as_a_table_with_a_row_for_each_file(admin_client):
    run = make_run(inputs={"ads_views": {"files": [{"path": "a.csv", "size": 1234}, {"path": "b.csv", "size": 5}]}})

    assert (
        '<tr><th scope="col">path</th><th scope="col">size</th></tr>'
        "<tr><td>a.csv</td><td>1,234</td></tr><tr><td>b.csv</td><td>5</td></tr>"
    ) in page_of(admin_client, f"run/{run.pk}/change/")


def test_text_from_the_nightly_job_is_escaped(admin_client):
    run = make_run(counts={"<b>": "<i>"})

    assert "&lt;b&gt;</th><td>&lt;i&gt;" in page_of(admin_client, f"run/{run.pk}/change/")


def test_a_run_links_to_its_rows(admin_client):
    run = make_one_of_each()
    make_publication(days_ago(1), products="earlier")
    page = page_of(admin_client, f"run/{run.pk}/change/")

    assert f"/admin/rankings/topproduct/?run__id__exact={run.pk}" in page
    assert "earlier" not in page_of(admin_client, f"topproduct/?run__id__exact={run.pk}")


def test_an_advertiser_links_to_their_rows(admin_client):
    make_publication()
    make_list(make_run(days_ago(1)), "B", "theirs")
    page = page_of(admin_client, "advertiser/A/change/")

    assert "/admin/rankings/topproduct/?advertiser__advertiser_id__exact=A" in page
    assert "theirs" not in page_of(admin_client, "topproduct/?advertiser__advertiser_id__exact=A")


def test_rows_of_an_advertiser_that_does_not_exist_yet_are_shown(admin_client):
    make_list(make_run(state="running"), "nobody yet", "p1")

    assert "nobody yet" in page_of(admin_client, "topproduct/?run__state=running")
    assert "nobody yet" in page_of(admin_client, f"topproduct/{TopProduct.objects.get().pk}/change/")


def test_a_run_does_not_show_what_its_steps_hand_over(admin_client):
    handed_over = {"active": ["handed over"], "hidden": [["A", "handed over"]]}
    run = make_run(state="running", inputs={"ads_views": {"fingerprint": "f1"}, "prepared": handed_over})
    page = page_of(admin_client, f"run/{run.pk}/change/")

    assert "f1" in page
    assert "handed over" not in page
