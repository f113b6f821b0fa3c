"""The home page of the admin, an advertiser's page and a run's page."""

import csv
import re
from io import StringIO
from urllib.parse import quote

import pytest

from tests.web.conftest import NOW, YESTERDAY, days_ago, hide, make_advertiser, make_list, make_publication, make_run
from webapp.office.charts import bar_chart, rank_chart
from webapp.rankings.models import TopCTR, Trending

pytestmark = pytest.mark.django_db
PAGE = "/admin/rankings/advertiser/A/change/"


def home(log_in):
    return log_in("viewer").get("/admin/")


# The home page


def test_home_says_that_last_nights_run_is_published_and_when(log_in):
    run = make_publication()
    page = home(log_in).text

    assert "Last night's run is published" in page
    assert f"published 10 March 2026, 05:00 UTC, 2 hours ago, by run {run.pk}" in " ".join(page.split())


def test_home_says_that_lists_are_overdue(log_in):
    make_publication(days_ago(1))

    assert "Newer lists are overdue" in home(log_in).text


def test_home_says_until_when_lists_are_waited_for(log_in, clock):
    make_publication(days_ago(1))
    clock(NOW.replace(hour=5))

    assert "not due yet" in home(log_in).text


def test_home_of_a_new_installation_says_that_nothing_is_published(log_in):
    assert "Nothing is published yet" in home(log_in).text


def month_on(page):
    """The rows of the table of the last 30 days, newest first: the day and what is said of it."""
    rows = re.findall(r'<th scope="row" class="fixed">(.*?)</th>(.*?)</tr>', page)
    return [(day, re.findall(r'<td class="number">(.*?)</td>', cells)) for day, cells in rows]


def test_home_charts_events_rejects_and_click_rate_by_day(log_in):
    counts = {"read": {"product_views": 90, "ads_views": 110}, "rejected": {"bad date": 2}, "events": 198}
    make_run(counts={**counts, "clicks": 1, "impressions": 50})
    page = home(log_in).text
    month = month_on(page)

    assert page.count('<figure class="card chart">') == 3
    assert month[0] == (str(YESTERDAY), ["198", "1.00%", "2.00%"])
    assert month[1] == (str(days_ago(1)), ["not published"] * 3)
    assert len(month) == 30


def test_home_takes_a_run_that_kept_no_counts(log_in):
    make_publication()

    assert month_on(home(log_in).text)[0] == (str(YESTERDAY), ["not known"] * 3)


def test_home_shows_the_numbers_of_a_run_that_took_the_place_of_another(log_in):
    first, viewer = make_run(counts={"events": 198}), log_in("viewer")
    before = month_on(viewer.get("/admin/").text)
    first.state = "superseded"
    first.save()
    make_run(counts={"events": 7})
    after = month_on(viewer.get("/admin/").text)

    assert (before[0][1][0], after[0][1][0]) == ("198", "7")


def test_home_names_the_lists_that_changed_most(log_in):
    make_publication(days_ago(1), products="p1 p2")
    make_publication(products="p1 p3")

    assert [(row["advertiser_id"], row["changed"]) for row in home(log_in).context["most_changed"]] == [("A", 1)]


def test_home_names_active_advertisers_who_lack_a_list(log_in):
    run = make_publication()
    make_list(run, "A", "p1", TopCTR)
    make_list(run, make_advertiser("half").pk, "p1")
    make_advertiser("none")
    make_advertiser("gone", active=False)
    context = home(log_in).context

    assert [(row["advertiser_id"], row["TopProduct"]) for row in context["lacking"]] == [
        ("half", True),
        ("none", False),
    ]
    assert context["lacking_count"] == 2


def test_home_shows_the_last_runs_with_their_reasons(log_in):
    make_run(state="refused", message="ads_views has no rows")
    page = home(log_in).text

    assert '<span class="state refused">refused</span>' in page
    assert "ads_views has no rows" in page


# An advertiser's page


def test_movement_since_the_day_before_is_shown(log_in):
    make_publication(days_ago(1), products="same falls rises leaves")
    make_publication(products="same rises falls comes")
    top = log_in("viewer").get(PAGE).context["lists"][0]

    assert [(place.row.product_id, place.movement, place.moved) for place in top.places] == [
        ("same", "same", 0),
        ("rises", "up", 1),
        ("falls", "down", 1),
        ("comes", "new", 0),
    ]
    assert top.out == [("leaves", 4)]


def test_on_the_first_day_nothing_has_moved(log_in):
    make_publication(products="p1")
    page = log_in("viewer").get(PAGE)

    assert [place.movement for place in page.context["lists"][0].places] == [""]
    assert "movement since" not in page.text


def test_both_lists_stand_side_by_side_with_their_counts(log_in):
    run = make_publication(products="p1")
    make_list(run, "A", "p2", TopCTR)
    make_list(run, "A", "p3", Trending)
    lists = log_in("viewer").get(PAGE).context["lists"]

    assert [(each.name, each.places[0].scores) for each in lists] == [
        ("TopProduct", ["5"]),
        ("TopCTR", ["1", "4", "25.00%", "20.00%"]),
        ("Trending", ["5", "2.50", "2.00"]),
    ]


def test_a_past_day_is_picked(log_in):
    make_publication(days_ago(3), products="old")
    make_publication(products="new")
    page = log_in("viewer").get(f"{PAGE}?day={days_ago(3)}")

    assert [place.row.product_id for place in page.context["lists"][0].places] == ["old"]


@pytest.mark.parametrize("day", [days_ago(1), days_ago(90), days_ago(-5)])
def test_a_day_that_is_not_published_is_told_the_days_that_are(log_in, day):
    make_publication(days_ago(3))
    make_publication()
    page = log_in("viewer").get(f"{PAGE}?day={day}").text

    assert "is not published. The published days lie from 6 March 2026 to 9 March 2026." in page


def test_a_day_that_is_none_is_not_found(log_in):
    make_publication()

    assert log_in("viewer").get(f"{PAGE}?day=2026-02-30").status_code == 404


def test_an_advertiser_without_a_publication_has_a_page(log_in):
    make_advertiser()

    assert "No day is published yet." in log_in("viewer").get(PAGE).text


@pytest.mark.parametrize("advertiser_id", ["nobody", "%00"])
def test_an_advertiser_who_never_was_is_not_found(log_in, advertiser_id):
    assert log_in("viewer").get(f"/admin/rankings/advertiser/{advertiser_id}/change/").status_code == 404


def test_the_rank_chart_follows_a_product_through_seven_published_days(log_in):
    for age in range(9):
        make_publication(days_ago(age), products="p1 p2" if age % 2 else "p2 p1")
    chart = log_in("viewer").get(PAGE).context["lists"][0].chart

    assert [day for _, day in chart.days] == [days_ago(age) for age in range(6, -1, -1)]
    assert [dot.y for dot in chart.lines[0].dots] == [75, 25, 75, 25, 75, 25, 75]


def test_a_list_is_exported_as_csv(log_in):
    make_list(make_publication(products="p1 p2"), "A", "p3", TopCTR)
    hide("A", "p2")
    answer = log_in("viewer").get("/admin/rankings/advertiser/A/TopProduct.csv")

    assert answer["Content-Disposition"] == 'attachment; filename="A TopProduct 2026-03-09.csv"'
    assert list(csv.reader(StringIO(answer.text))) == [
        ["advertiser_id", "model", "date", "rank", "product_id", "views", "hidden"],
        ["A", "TopProduct", "2026-03-09", "1", "p1", "5", "no"],
        ["A", "TopProduct", "2026-03-09", "2", "p2", "5", "yes"],
    ]


def test_a_spreadsheet_takes_no_id_for_a_formula(log_in):
    make_publication(products="=1+1")

    assert ",'=1+1," in log_in("viewer").get("/admin/rankings/advertiser/A/TopProduct.csv").text


@pytest.mark.parametrize("address", ["Nothing.csv", "TopProduct.csv?day=2026-03-01", "TopProduct.csv?day=x"])
def test_a_list_that_is_not_there_cannot_be_exported(log_in, address):
    make_publication()

    assert log_in("viewer").get(f"/admin/rankings/advertiser/A/{address}").status_code == 404


@pytest.mark.parametrize("advertiser_id", ["a/b", 'x "y" & <z>', "店", "=1"])
def test_pages_of_any_id_link_to_one_another(log_in, advertiser_id):
    make_publication(advertiser_id=advertiser_id, products="a/&b")
    client = log_in("operator")
    page = client.get(f"/admin/rankings/advertiser/{quote(advertiser_id.replace('/', '_2F'))}/change/")
    links = {link for link in page.text.split('"') if "/hide/?" in link or ".csv?" in link}

    assert len(links) == 2
    assert {client.get(link.replace("&amp;", "&")).status_code for link in links} == {200}


# A run's page


def test_a_runs_page_says_what_it_read_rejected_and_dropped(log_in):
    counts = {"read": {"ads_views": 1000}, "rejected": {"bad date": 7}, "inactive": 21, "top_ctr": 40}
    inputs = {"ads_views": {"files": [{"name": "ads_views.csv", "size": 12345}]}}
    run = make_run(counts=counts, inputs=inputs)
    page = log_in("viewer").get(f"/admin/rankings/run/{run.pk}/change/").text

    for words in ("1,000 lines of the day", "7 lines", "21 lines", "40 rows", "ads_views.csv", "12,345", "Passed"):
        assert words in page


def test_a_runs_page_says_what_the_audit_held_against_its_limits(log_in):
    counts = {"rejected_share": {"ads_views": 0.004}, "usual_events": 2000, "events": 1900}
    run = make_run(counts={**counts, "listed_advertisers": 18, "active_advertisers": 20})
    page = log_in("viewer").get(f"/admin/rankings/run/{run.pk}/change/").text

    for words in ("of ads_views rejected</dt><dd>0.40%", "<dd>1,900 of 2,000</dd>", "<dd>18 of 20</dd>"):
        assert words in page


def test_a_refused_runs_page_lists_the_findings(log_in):
    run = make_run(state="refused", message="ads_views has no rows; 3 events where 900 are usual")
    page = log_in("viewer").get(f"/admin/rankings/run/{run.pk}/change/").text

    assert "<li>ads_views has no rows</li><li>3 events where 900 are usual</li>" in page


@pytest.mark.parametrize("state", ["running", "published", "superseded", "refused", "failed"])
def test_a_run_of_any_state_that_kept_no_counts_has_a_page(log_in, state):
    run = make_run(state=state)

    assert log_in("viewer").get(f"/admin/rankings/run/{run.pk}/change/").status_code == 200


@pytest.mark.parametrize(
    ("role", "state", "offered"),
    [
        ("operator", "superseded", True),
        ("viewer", "superseded", False),
        ("operator", "published", False),
    ],
)
def test_an_operator_is_offered_to_go_back_to_a_run_that_was_superseded(log_in, role, state, offered):
    make_publication()
    run = make_run(days_ago(1), state=state)
    page = log_in(role).get(f"/admin/rankings/run/{run.pk}/change/").text

    assert ("Go back to this run" in page) is offered


def test_the_button_on_a_runs_page_leads_to_what_would_change(log_in):
    run = make_run(state="superseded")
    make_list(run, make_advertiser().pk, "p1")
    make_publication()
    address = "/admin/rankings/run/"
    answer = log_in("operator").post(address, {"action": "go_back", "_selected_action": run.pk, "index": 0})

    assert "Go back on" in answer.text
    assert answer.status_code == 200


# The charts' geometry


def test_the_highest_bar_fills_the_chart_and_the_others_compare_with_it():
    bars = bar_chart("x", {YESTERDAY: 4, days_ago(1): 1}, YESTERDAY, 2, "{:,}").bars

    assert [(bar.y, bar.height, bar.words) for bar in bars] == [(75, 25, "1"), (0, 100, "4")]


def test_a_day_without_the_product_leaves_a_gap_in_its_line():
    lists = [(days_ago(2), ["p"]), (days_ago(1), ["q"]), (YESTERDAY, ["p"])]
    (line,) = rank_chart(lists).lines

    assert (len(line.dots), len(line.segments)) == (2, 0)
