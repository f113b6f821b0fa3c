"""The admin's home page, an advertiser's page and a run's page."""

import csv
import re
from io import StringIO
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.web.conftest import NOW, YESTERDAY, days_ago, hide, make_advertiser, make_list, make_publication, make_run
from webapp.backoffice.charts import bar_chart, rank_chart
from webapp.rankings.models import Advertiser, TopCTR, Trending

pytestmark = pytest.mark.django_db
PAGE = "/admin/rankings/advertiser/A/change/"


def home(log_in):
    return log_in("viewer").get("/admin/")


# The home page


def test_home_shows_when_last_nights_run_was_published(log_in):
    run = make_publication()
    page = home(log_in).text

    assert "Last night's lists are published" in page
    assert f">Run {run.pk}</a> was published on 10 March 2026, 05:00 UTC, 2 hours ago." in " ".join(page.split())


def test_home_warns_that_lists_are_overdue(log_in):
    make_publication(days_ago(1))

    assert "Newer lists are overdue" in home(log_in).text


def test_before_the_deadline_home_says_that_lists_are_not_due_yet(log_in, clock):
    make_publication(days_ago(1))
    clock(NOW.replace(hour=5))

    assert "not due yet" in home(log_in).text


def test_home_of_a_new_installation_says_that_nothing_is_published(log_in):
    assert "Nothing is published yet" in home(log_in).text


def month_on(page):
    """The rows of the table of the last 30 days, newest first: the day and its values."""
    rows = re.findall(r'<th scope="row">(2.*?)</th>(.*?)</tr>', page)
    return [(day, re.findall("<td>(.*?)</td>", cells)) for day, cells in rows]


def test_home_charts_events_rejects_and_click_rate_by_day(log_in):
    counts = {"read": {"product_views": 90, "ads_views": 110}, "rejected": {"bad date": 2}, "events": 198}
    make_run(counts={**counts, "clicks": 1, "impressions": 50})
    page = home(log_in).text
    month = month_on(page)

    assert page.count('<svg class="bars"') == 3
    assert month[0] == (str(YESTERDAY), ["198", "1.00%", "2.00%"])
    assert month[1] == (str(days_ago(1)), ["not published"] * 3)
    assert len(month) == 30


def test_home_charts_how_each_models_lists_performed(log_in):
    card = {"of_run": 1, "impressions": 200, "clicks": 10, "other_impressions": 100, "other_clicks": 1}
    for age, clicks in ((0, 10), (1, 4), (3, 8)):
        make_run(days_ago(age), counts={"scorecard_top_ctr": {**card, "clicks": clicks}})
    page = home(log_in).text
    chart = page.partition('<svg class="lines"')[2].partition("</svg>")[0]

    assert re.findall('<polyline class="line-1" points="([^"]*)"', chart) == [
        "76.9,20.0 76.9,20.0",  # a day alone
        "92.3,60.0 100.0,0.0",
    ]
    assert "listed products <strong>5.00%</strong>" in page
    assert "other products <strong>1.00%</strong>" in page
    assert "How yesterday&#x27;s lists performed" in page or "How yesterday's lists performed" in page
    assert month_on(page.partition("lists performed")[2])[0] == (
        str(YESTERDAY),
        ["5.00%", "1.00%", "90.91%", "66.67%"],
    )


def test_home_names_the_days_without_lists(log_in):
    make_publication(days_ago(4))
    make_run(days_ago(3), state="failed")
    make_run(days_ago(1), state="refused")
    make_publication()
    page = home(log_in).text

    assert f"No run has finished for {days_ago(3)}, {days_ago(2)}." in page
    assert f"<code>--from {days_ago(3)} --to {days_ago(2)}</code>" in page
    assert f'<a href="/admin/rankings/run/?day__exact={days_ago(1)}">' in page


def test_home_of_complete_days_names_no_gap(log_in):
    make_publication(days_ago(1))
    make_publication()

    assert "Days without lists" not in home(log_in).text


def test_home_handles_a_run_without_counts(log_in):
    make_publication()

    assert month_on(home(log_in).text)[0] == (str(YESTERDAY), ["not known"] * 3)


def test_home_shows_the_figures_of_a_run_that_superseded_another(log_in):
    first, viewer = make_run(counts={"events": 198}), log_in("viewer")
    before = month_on(viewer.get("/admin/").text)
    first.state = "superseded"
    first.save()
    make_run(counts={"events": 7})
    after = month_on(viewer.get("/admin/").text)

    assert (before[0][1][0], after[0][1][0]) == ("198", "7")


def test_home_shows_the_lists_that_changed_most(log_in):
    make_publication(days_ago(1), products="p1 p2")
    make_publication(products="p1 p3")

    assert [(row["advertiser_id"], row["changed"]) for row in home(log_in).context["most_changed"]] == [("A", 1)]


def test_home_lists_active_advertisers_with_a_list_missing(log_in):
    run = make_publication()
    make_list(run, "A", "p1", TopCTR)
    make_list(run, make_advertiser("half").pk, "p1")
    make_advertiser("none")
    make_advertiser("gone", active=False)
    context = home(log_in).context

    assert context["models"] == ["TopProduct", "TopCTR"]
    assert [(row["advertiser_id"], row["has_list"]) for row in context["incomplete"]] == [
        ("half", [True, False]),
        ("none", [False, False]),
    ]
    assert context["incomplete_count"] == 2


def test_home_shows_the_latest_runs_with_their_messages(log_in):
    make_run(state="refused", message="ads_views has no rows")
    page = home(log_in).text

    assert '<span class="state refused">refused</span>' in page
    assert "ads_views has no rows" in page


# An advertiser's page


def test_movement_since_the_day_before_is_shown(log_in):
    make_publication(days_ago(1), products="same falls rises leaves")
    make_publication(products="same rises falls comes")
    top = log_in("viewer").get(PAGE).context["lists"][0]

    assert [(row.item.product_id, row.movement, row.moved_by) for row in top.rows] == [
        ("same", "same", 0),
        ("rises", "up", 1),
        ("falls", "down", 1),
        ("comes", "new", 0),
    ]
    assert top.left == [("leaves", 4)]


def test_on_the_first_day_nothing_has_moved(log_in):
    make_publication(products="p1")
    page = log_in("viewer").get(PAGE)

    assert [row.movement for row in page.context["lists"][0].rows] == [""]
    assert "Compared with <strong>" not in page.text


def test_two_days_can_be_compared(log_in):
    make_publication(days_ago(9), products="p2 p1 p3")
    make_publication(days_ago(1), products="p1 p2")
    make_publication(products="p1 p2")
    page = log_in("viewer").get(f"{PAGE}?compare={days_ago(9)}")
    top = page.context["lists"][0]

    assert [(row.item.product_id, row.movement) for row in top.rows] == [("p1", "up"), ("p2", "down")]
    assert top.left == [("p3", 3)]
    assert [day for _, day in top.chart.days] == [days_ago(9), days_ago(1), YESTERDAY]
    assert "Compared with <strong>Saturday, 28 February 2026</strong>" in page.text


def test_a_comparison_with_an_unpublished_day_names_the_published_days(log_in):
    make_publication(days_ago(3))
    make_publication()
    page = log_in("viewer").get(f"{PAGE}?compare={days_ago(1)}").text

    assert "8 March 2026 is not published, so there is nothing to compare with." in page
    assert "Published days: 6 March 2026 to 9 March 2026." in page


def test_the_score_is_shown_only_where_it_differs_from_the_click_rate(log_in):
    make_list(make_publication(products="p1"), "A", "p2", TopCTR, score=0.25)
    page = log_in("viewer").get(PAGE).context["lists"][1]

    assert (page.labels, page.rows[0].scores) == (["Clicks", "Impressions", "CTR"], ["1", "4", "25.00%"])


@pytest.mark.parametrize(
    ("last_active_on", "reason"),
    [
        (days_ago(1), "the advertiser was not active on 9 March 2026"),
        (YESTERDAY, "TopCTR needs products with impressions"),
    ],
)
def test_an_empty_list_says_why(log_in, last_active_on, reason):
    make_publication()
    Advertiser.objects.update(last_active_on=last_active_on)

    assert reason in log_in("viewer").get(PAGE).text


def test_the_list_of_each_model_has_its_scores(log_in):
    run = make_publication(products="p1")
    make_list(run, "A", "p2", TopCTR)
    make_list(run, "A", "p3", Trending)
    lists = log_in("viewer").get(PAGE).context["lists"]

    assert [(each.name, each.rows[0].scores) for each in lists] == [
        ("TopProduct", ["5"]),
        ("TopCTR", ["1", "4", "25.00%", "20.00%"]),
        ("Trending", ["5", "2.50", "2.00"]),
    ]


def test_a_past_day_can_be_chosen(log_in):
    make_publication(days_ago(3), products="old")
    make_publication(products="new")
    page = log_in("viewer").get(f"{PAGE}?day={days_ago(3)}")

    assert [row.item.product_id for row in page.context["lists"][0].rows] == ["old"]


@pytest.mark.parametrize("day", [days_ago(1), days_ago(90), days_ago(-5)])
def test_the_page_of_an_unpublished_day_names_the_published_days(log_in, day):
    make_publication(days_ago(3))
    make_publication()
    page = log_in("viewer").get(f"{PAGE}?day={day}").text

    assert "is not published. Published days: 6 March 2026 to 9 March 2026." in page


def test_a_day_that_does_not_exist_is_not_found(log_in):
    make_publication()

    assert log_in("viewer").get(f"{PAGE}?day=2026-02-30").status_code == 404


def test_an_advertiser_has_a_page_before_any_day_is_published(log_in):
    make_advertiser()

    assert "No day is published yet." in log_in("viewer").get(PAGE).text


@pytest.mark.parametrize("advertiser_id", ["nobody", "%00"])
def test_an_unknown_advertiser_is_not_found(log_in, advertiser_id):
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


def test_an_id_in_a_csv_file_is_never_a_formula(log_in):
    make_publication(products="=1+1")

    assert ",'=1+1," in log_in("viewer").get("/admin/rankings/advertiser/A/TopProduct.csv").text


@pytest.mark.parametrize("address", ["Nothing.csv", "TopProduct.csv?day=2026-03-01", "TopProduct.csv?day=x"])
def test_a_list_that_does_not_exist_cannot_be_exported(log_in, address):
    make_publication()

    assert log_in("viewer").get(f"/admin/rankings/advertiser/A/{address}").status_code == 404


@pytest.mark.parametrize("advertiser_id", ["a/b", 'x "y" & <z>', "店", "=1"])
def test_links_work_for_any_id(log_in, advertiser_id):
    make_publication(advertiser_id=advertiser_id, products="a/&b")
    client = log_in("operator")
    page = client.get(f"/admin/rankings/advertiser/{quote(advertiser_id.replace('/', '_2F'))}/change/")
    links = {link for link in page.text.split('"') if "/hide/?" in link or ".csv?" in link}

    assert len(links) == 2
    assert {client.get(link.replace("&amp;", "&")).status_code for link in links} == {200}


# A run's page


def test_a_runs_page_shows_what_was_read_rejected_and_dropped(log_in):
    counts = {"read": {"ads_views": 1000}, "rejected": {"bad date": 7}, "inactive": 21, "top_ctr": 40}
    inputs = {"ads_views": {"files": [{"name": "ads_views.csv", "size": 12345}]}}
    run = make_run(counts=counts, inputs=inputs)
    page = log_in("viewer").get(f"/admin/rankings/run/{run.pk}/change/").text

    for words in ("1,000 rows of the day", "7 rows", "21 rows", "40 rows", "ads_views.csv", "12,345", "Passed"):
        assert words in page


def test_a_runs_page_shows_what_the_audit_compared(log_in):
    counts = {"rejected_share": {"ads_views": 0.004}, "usual_events": 2000, "events": 1900}
    run = make_run(counts={**counts, "listed_advertisers": 18, "active_advertisers": 20})
    page = log_in("viewer").get(f"/admin/rankings/run/{run.pk}/change/").text

    for words in ("ads_views: rejected share</dt><dd>0.40%", "<dd>1,900 of 2,000</dd>", "<dd>18 of 20</dd>"):
        assert words in page


def test_a_refused_runs_page_lists_the_audits_findings(log_in):
    run = make_run(state="refused", message="ads_views has no rows; 3 events where 900 are usual")
    page = log_in("viewer").get(f"/admin/rankings/run/{run.pk}/change/").text

    assert "<li>ads_views has no rows</li><li>3 events where 900 are usual</li>" in page


def stage(name, seconds):
    return {"stage": name, "seconds": seconds}


def test_a_runs_page_compares_its_figures_and_stages_with_the_median_of_the_days_before(log_in):
    for age, read in ((1, 100), (2, 300), (3, 200)):
        make_run(days_ago(age), counts={"read": {"ads_views": read}}, stages=[stage("prepare", read / 10)])
    stages = [stage("read raw files", 4), stage("prepare", 6), stage("prepare", 9)]  # the second after a refused day
    run = make_run(counts={"read": {"ads_views": 150, "product_views": 60}}, stages=stages)
    figures = log_in("viewer").get(f"/admin/rankings/run/{run.pk}/change/").context["figures"]
    rows_read = figures["summary"][0]

    assert (rows_read.label, rows_read.value, rows_read.usual, rows_read.change) == (
        *("Rows read", "210 rows", "200 rows", "+5%"),
    )
    assert [(each.label, each.value, each.usual, each.change) for each in figures["stages"]] == [
        ("read raw files", "4.0 s", "–", "–"),
        ("prepare", "15.0 s", "20.0 s", "-25%"),
    ]


def test_a_runs_page_takes_three_queries_with_the_days_before(admin_client):
    for age in range(1, 10):
        make_run(days_ago(age), inputs={"ads_views": {"files": []}})
    run = make_run(inputs={"ads_views": {"files": [{"name": "ads_views.csv"}]}})
    with CaptureQueriesContext(connection) as queries:
        page = admin_client.get(f"/admin/rankings/run/{run.pk}/change/")

    assert len(queries) == 3  # the session, the user, and the runs
    assert page.context["figures"]["compared_with"] == 7
    assert "ads_views.csv" in page.text


@pytest.mark.parametrize("run_id", ["999", "x", "99999999999999999999"])
def test_there_is_no_page_of_an_unknown_run(log_in, run_id):
    make_run()
    page = log_in("viewer").get(f"/admin/rankings/run/{run_id}/change/")

    assert page["Location"] == "/admin/"


def test_a_runs_raw_columns_are_collapsed(log_in):
    run = make_run(counts={"views": 1})
    page = log_in("viewer").get(f"/admin/rankings/run/{run.pk}/change/").text

    assert re.findall(r"<summary>\s*<h2[^>]*>(.*?)</h2>", page) == ["All counts", "All inputs"]


@pytest.mark.parametrize("state", ["running", "published", "superseded", "refused", "failed"])
def test_a_run_without_counts_has_a_page_in_every_state(log_in, state):
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
def test_only_an_operator_is_offered_a_rollback_and_only_to_a_superseded_run(log_in, role, state, offered):
    make_publication()
    run = make_run(days_ago(1), state=state)
    page = log_in(role).get(f"/admin/rankings/run/{run.pk}/change/").text

    assert ("Roll back to this run" in page) is offered


def test_the_button_on_a_runs_page_leads_to_the_confirmation(log_in):
    run = make_run(state="superseded")
    make_list(run, make_advertiser().pk, "p1")
    make_publication()
    address = "/admin/rankings/run/"
    answer = log_in("operator").post(address, {"action": "roll_back", "_selected_action": run.pk, "index": 0})

    assert "Roll back 2026-03-09" in answer.text
    assert answer.status_code == 200


# Chart geometry


def test_bars_are_relative_to_the_highest():
    bars = bar_chart("x", {YESTERDAY: 4, days_ago(1): 1}, YESTERDAY, 2, "{:,}").bars

    assert [(bar.y, bar.height, bar.text) for bar in bars] == [(75, 25, "1"), (0, 100, "4")]


def test_a_day_without_the_product_leaves_a_gap_in_its_line():
    lists = [(days_ago(2), ["p"]), (days_ago(1), ["q"]), (YESTERDAY, ["p"])]
    (line,) = rank_chart(lists).lines

    assert (len(line.dots), len(line.segments)) == (2, 0)
