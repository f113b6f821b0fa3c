"""What a day must keep to be published, and what the ledger says where it does not."""

import pytest

from tests.conftest import ADS, DAY, VIEWS, a_day_of_events
from webapp.rankings.models import Run

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
    assert message_of_the_refusal() == "1.01% of product_views is rejected, more than 1.00%"
    assert Run.objects.get().counts["rejected_share"]["product_views"] == 0.010101


def test_lines_without_a_date_are_held_against_all_lines_of_their_file(night, raw):
    raw.fill(views=[GOOD] * 5 + [("a", "p", "2026-11-01")] * 94 + [("a", "p", "")], ads=a_day_of_events()["ads"])

    assert night()
    assert Run.objects.get().counts["rejected_share"]["product_views"] == 0.01


def test_a_list_of_advertisers_that_is_mostly_broken_is_refused(night, raw):
    raw.fill(active=["a", "x" * 65, "y" * 65], **a_day_of_events())

    assert not night()
    assert message_of_the_refusal() == "66.67% of advertiser_ids is rejected, more than 1.00%"


def test_too_few_active_advertisers_with_a_list_are_refused(night, raw):
    raw.fill(active=["a", "b", "c"], **a_day_of_events())

    assert not night()
    assert message_of_the_refusal() == "1 of 3 active advertisers have a list, under 50%"


@pytest.mark.parametrize(
    ("variable", "value"), [("MAX_REJECTED_SHARE", "0.5"), ("MIN_LISTED_SHARE", "0.3"), ("MIN_VOLUME_SHARE", "0.1")]
)
def test_a_deployment_chooses_its_limits(night, raw, variable, value):
    raw.fill(active=["a"], views=[("a", "p", "2026-11-10")] * 10, ads=[("a", "p", "impression", "2026-11-10")] * 10)
    night("--from", "2026-11-10", "--to", "2026-11-10")
    others = {"MAX_REJECTED_SHARE": "1", "MIN_LISTED_SHARE": "0", "MIN_VOLUME_SHARE": "0"}
    raw.fill(active=["a", "b", "c"], views=[GOOD, BAD], ads=a_day_of_events()["ads"])

    assert night(**{**others, variable: value})
    assert Run.objects.latest("id").parameters[variable.lower()] == float(value)


def test_the_same_file_twice_is_refused_on_s3(night_on_s3, put):
    put("advertiser_ids.csv", "advertiser_id\na\n")
    put("ads_views.csv", f"{ADS}a,p,impression,{DAY}\n")
    for name in ("one", "copy"):
        put(f"product_views/{name}.csv", f"{VIEWS}a,p,{DAY}\n")

    assert not night_on_s3()
    assert "the same file is there 2 times: " in message_of_the_refusal()
    assert "/product_views/copy.csv and " in message_of_the_refusal()


def test_rejects_say_which_file_they_came_from_and_the_log_has_an_example(night, raw, spark, tmp_path, caplog):
    raw.fill(views=[GOOD] + [BAD] * 2, ads=a_day_of_events()["ads"])
    night(MAX_REJECTED_SHARE="1")

    [row] = spark.read.json(f"file://{tmp_path}/lake/rejects/date={DAY}").collect()
    assert (row.file, row.reason, row.lines) == (f"{raw.uri}/product_views.csv", "bad_product_id", 2)
    assert f"{DAY} rejected 2 lines, bad_product_id, such as 'a,,{DAY}'" in caplog.messages
