"""The front page."""

import re
from html import unescape

import pytest

from tests.web.conftest import NOW, days_ago, make_advertiser, make_list, make_publication, make_run
from webapp.rankings.models import TopCTR


@pytest.fixture
def words(client):
    """A function that gets the front page and returns its text in one line, without inline tags."""

    def get():
        response = client.get("/")
        assert response.status_code == 200
        return re.sub(r"\s+", " ", re.sub("</?(time|code|a)\\b[^>]*>", "", response.text).replace("<", " <"))

    return get


def make_both_lists(advertiser_id):
    """A published run with both lists of an active advertiser."""
    run = make_publication(advertiser_id=advertiser_id)
    make_list(run, advertiser_id, "p2", TopCTR)
    return run


@pytest.mark.django_db
def test_before_the_first_published_day_the_page_says_what_to_do(words):
    text = words()

    assert "Nothing is published yet" in text
    assert "make job" in text
    assert "The nightly job has not run yet" in text


@pytest.mark.django_db
def test_the_page_says_that_lists_are_fresh(words):
    run = make_publication()
    text = words()

    assert "Fresh: the newest published day is 9 March 2026, yesterday" in text
    assert f"Published 10 March 2026, 05:00 UTC, 2 hours ago, by run {run.pk}." in text


@pytest.mark.django_db
def test_the_page_says_that_lists_are_overdue_and_which_command_publishes_them(words):
    make_publication(days_ago(2))
    text = words()

    assert "Stale: the newest published day is 7 March 2026, 3 days ago" in text
    assert "make job DAY=2026-03-09" in text


@pytest.mark.django_db
def test_before_the_deadline_stale_lists_are_not_overdue(words, clock):
    clock(NOW.replace(hour=5))
    make_publication(days_ago(1))
    text = words()

    assert "The lists of 9 March 2026 are due by 06:00 UTC." in text
    assert "overdue" not in text


@pytest.mark.parametrize(
    ("age", "hour", "sentence"),
    [
        (1, 5, "The lists of 9 March 2026 are due by 06:00 UTC."),
        (2, 7, "Newer lists are overdue: a day's lists are due by 06:00 UTC on the next day."),
    ],
)
@pytest.mark.django_db
def test_if_the_api_requires_a_key_the_page_says_when_newer_lists_are_due_but_shows_no_runs(
    words, settings, clock, age, hour, sentence
):
    settings.API_PUBLIC = False
    clock(NOW.replace(hour=hour))
    make_publication(days_ago(age))
    text = words()

    assert f"<p>{sentence}</p>" in text.replace(" </p>", "</p>")
    assert "make job" not in text
    assert "Latest runs" not in text


@pytest.mark.django_db
def test_advertisers_and_products_are_counted(words):
    make_publication(products="p1 p2")
    make_advertiser("B")
    text = words()

    assert "active advertisers </dt> <dd>2 " in text
    assert "with lists </dt> <dd>1 " in text
    assert "products listed </dt> <dd>2 " in text


@pytest.mark.django_db
def test_the_latest_runs_are_shown_with_state_and_message(words):
    make_run(state="refused", message="half the advertisers are missing")

    assert re.search("2026-03-09 .*refused .*half the advertisers are missing", words())


@pytest.mark.parametrize("advertiser_id", ["A", "a/b", 'x "y" & <z>', "店"])
@pytest.mark.django_db
def test_every_link_of_the_page_leads_somewhere(client, advertiser_id):
    make_both_lists(advertiser_id)
    links = {unescape(link) for link in re.findall('<a href="(/[^"]*)"', client.get("/").text)}

    assert len(links) >= 10
    assert {client.get(link).status_code for link in links} <= {200, 302}


@pytest.mark.django_db
def test_examples_are_active_advertisers_with_every_list(client):
    run = make_both_lists("both")
    make_list(run, make_advertiser("one").pk, "p1")
    for model_list in [{}, {"model": TopCTR}]:
        make_list(run, make_advertiser("gone", active=False).pk, "p1", **model_list)
    page = client.get("/").text

    assert re.findall("/history/([^/]+)/", page) == ["both"]


@pytest.mark.django_db
def test_the_page_has_no_script_and_loads_nothing_from_other_hosts(client):
    response = client.get("/")

    assert "<script" not in response.text
    assert not re.search('(src|href)="(https?:)?//', response.text)
    assert "default-src 'none'" in response["Content-Security-Policy"]


@pytest.mark.django_db
def test_the_page_takes_five_queries(client, django_assert_num_queries):
    for advertiser_id in "ABC":
        make_advertiser(advertiser_id)
    make_both_lists("A")

    with django_assert_num_queries(5):
        client.get("/")


@pytest.mark.usefixtures("database_down")
def test_without_a_database_the_page_says_so(client):
    response = client.get("/")

    assert (response.status_code, response["Retry-After"]) == (503, "30")
    assert "The database is not responding" in response.text


@pytest.mark.usefixtures("database_empty")
def test_without_tables_the_page_names_the_command(client):
    response = client.get("/")

    assert response.status_code == 503
    assert "python manage.py migrate" in response.text
