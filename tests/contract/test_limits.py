"""The thresholds of the audit, and the reasons it gives."""

import pytest

from tests.conftest import DAY, a_day_of_events
from webapp.rankings.models import Run

pytestmark = pytest.mark.long

GOOD, BAD = ("a", "p", DAY), ("a", "", DAY)


def message_of_the_refusal():
    run = Run.objects.get()
    assert run.state == "refused"
    return run.message


def test_one_rejected_line_in_a_hundred_is_published(night, raw):
    raw.fill(views=[GOOD] * 99 + [BAD], ads=a_day_of_events()["ads"])

    assert night()


def test_more_than_one_rejected_line_in_a_hundred_is_refused(night, raw):
    raw.fill(views=[GOOD] * 98 + [BAD], ads=a_day_of_events()["ads"])

    assert not night()
    assert message_of_the_refusal() == (
        "1.01% of product_views is rejected, more than 1.00%; "
        f"the most frequent reason is bad_product_id, for example: a,,{DAY}"
    )
    assert Run.objects.get().counts["rejected_share"]["product_views"] == 0.010101


def test_lines_without_a_date_are_a_share_of_all_lines_of_their_file(night, raw):
    raw.fill(views=[GOOD] * 5 + [("a", "p", "2026-11-01")] * 94 + [("a", "p", "")], ads=a_day_of_events()["ads"])

    assert night()
    assert Run.objects.get().counts["rejected_share"]["product_views"] == 0.01


def test_a_mostly_invalid_list_of_advertisers_is_refused(night, raw):
    raw.fill(active=["a", "x" * 65, "y" * 65], **a_day_of_events())

    assert not night()
    assert message_of_the_refusal() == (
        "66.67% of advertiser_ids is rejected, more than 1.00%; "
        f"the most frequent reason is bad_advertiser_id, for example: {'x' * 65}"
    )


def test_a_day_with_lists_for_too_few_active_advertisers_is_refused(night, raw):
    raw.fill(active=["a", "b", "c"], **a_day_of_events())

    assert not night()
    assert message_of_the_refusal() == "1 of 3 active advertisers have a list, under 50%"


def test_a_list_of_events_of_earlier_days_alone_is_not_enough(night, raw):
    """All three have a list of ExpectedCTR."""
    earlier = [(advertiser, "p", kind, "2026-11-19") for advertiser in "abc" for kind in ("impression", "click")]
    raw.fill(active=["a", "b", "c"], views=[GOOD, ("a", "p", "2026-11-19")], ads=[*earlier, *a_day_of_events()["ads"]])
    assert night("--day", "2026-11-19")

    assert not night("--no-lookback", "--allow-drop")
    assert "1 of 3 active advertisers have a list, under 50%" in Run.objects.latest("id").message


def test_variables_set_the_thresholds(night, raw):
    """Half of the views are rejected, a third of the advertisers have a list, and there are 3 of the usual 20 events."""
    Run.objects.create(day="2026-11-19", state="published", published_at=f"{DAY}T05:00Z", counts={"events": 20})
    thresholds = {"MAX_REJECTED_SHARE": "0.5", "MIN_LISTED_SHARE": "0.3", "MIN_VOLUME_SHARE": "0.1"}
    raw.fill(active=["a", "b", "c"], views=[GOOD, BAD], ads=a_day_of_events()["ads"])

    assert night(**thresholds)
    parameters = Run.objects.latest("id").parameters
    assert {name: parameters[name.lower()] for name in thresholds} == {n: float(v) for n, v in thresholds.items()}


def test_rejected_rows_name_their_file_and_the_log_has_an_example(night, raw, spark, tmp_path, caplog):
    raw.fill(views=[GOOD] + [BAD] * 2, ads=a_day_of_events()["ads"])
    night(MAX_REJECTED_SHARE="1")

    [row] = spark.read.json(f"file://{tmp_path}/lake/rejects/date={DAY}").collect()
    assert (row.file, row.reason, row.lines) == (f"{raw.uri}/product_views.csv", "bad_product_id", 2)
    assert f"{DAY} rejected 2 lines, bad_product_id, such as 'a,,{DAY}'" in caplog.messages
