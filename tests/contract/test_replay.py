"""Replay: published days ranked again with other parameters, from the lake."""

import json
from contextlib import closing

import pytest

from spark_jobs import nightly
from spark_jobs.job import Job
from spark_jobs.ranking.registry import MODELS
from spark_jobs.replay import CannotReplay, replay
from spark_jobs.settings import Storage
from spark_jobs.warehouse import Warehouse
from tests.conftest import DAY
from tests.contract.test_oracle import BEFORE
from webapp.rankings.models import ExpectedCTR, Run, TopCTR

pytestmark = pytest.mark.long

RATES = {"dull": (0, 100), "lucky": (1, 1), "proven": (9, 10)}


@pytest.fixture
def published(night, raw):
    """A published day on which, by plain ratios, the lucky product comes before the proven one."""
    events = [
        ("a", product, kind, DAY)
        for product, times in RATES.items()
        for kind, n in zip(("click", "impression"), times, strict=True)
        for _ in range(n)
    ]
    raw.fill(views=[("a", "dull", DAY)], ads=events)
    assert night()
    return list(TopCTR.objects.order_by("rank").values())


@pytest.fixture
def replayed(spark, database, tmp_path, raw, capsys):
    """A function that replays the day with these arguments and returns the printed lines."""

    def run(*arguments):
        options = nightly.options_from(
            nightly.parser().parse_args(["--replay", "--from", DAY, "--to", DAY, *arguments]), {}
        )
        capsys.readouterr()
        with closing(Warehouse(database)) as warehouse:
            replay(Job(spark, warehouse, Storage(raw.uri, (tmp_path / "lake").as_uri()), options))
        printed = capsys.readouterr()
        return [*printed.err.splitlines(), *printed.out.splitlines()]

    return run


def test_a_replay_prints_changes_and_both_lists_and_stores_nothing(published, replayed, tmp_path):
    lake = sorted(tmp_path.joinpath("lake").rglob("*"))
    said = replayed("--ctr-prior-weight", "20")

    run = published[0]["run_id"]
    assert said[:-3] == [
        f"{DAY} top_product, compared with run {run}: 0 entered, 0 left, 0 moved",
        f"{DAY} top_ctr, compared with run {run}: 0 entered, 0 left, 2 moved",
        "  advertiser a: 2 products",
        f"    rank  {'published':<48}  replayed",
        f"       1  {'lucky 1 1 1.0000':<48}  proven 9 10 0.3601",
        f"       2  {'proven 9 10 0.9000':<48}  lucky 1 1 0.1334",
        f"       3  {'dull 0 100 0.0000':<48}  dull 0 100 0.0150",
    ]
    report = json.loads(said[-1])
    assert (report["day"], report["run"], report["state"]) == (DAY, run, "replayed")
    assert report["counts"]["changes"]["top_ctr"] == {"entered": 0, "left": 0, "moved": 2}
    assert list(TopCTR.objects.order_by("rank").values()) == published
    assert Run.objects.count() == 1
    assert sorted(tmp_path.joinpath("lake").rglob("*")) == lake


def test_the_same_parameters_give_the_published_lists_and_a_product_below_a_minimum_leaves_its_list(
    published, replayed
):
    same, said = replayed(), replayed("--min-impressions", "10")

    assert [line.partition(": ")[2] for line in same[:-1]] == ["0 entered, 0 left, 0 moved"] * len(MODELS)
    assert "top_ctr, compared with run" in said[1] and said[1].endswith("0 entered, 1 left, 2 moved")
    assert "       3  dull 0 100 0.0000" in said


def test_a_replay_with_another_half_life_ranks_the_active_advertisers_of_the_published_run(night, raw, replayed):
    """With a short half-life, only the clicks of the day itself count; `quits` was active the day before."""
    shown = [("a", product, "impression", day) for product in ("early", "late") for day in (BEFORE, DAY)]
    clicked = [("a", "early", "click", BEFORE)] * 4 + [("a", "late", "click", DAY)] * 3
    ads = [*shown * 10, *clicked, ("quits", "p", "impression", BEFORE)]
    raw.fill(active=["a", "quits"], views=[("a", "late", BEFORE), ("a", "late", DAY)], ads=ads)
    assert night("--from", BEFORE, "--to", BEFORE)
    raw.put("advertiser_ids.csv", "advertiser_id\na\n")
    assert night("--no-lookback", "--half-life-days", "365")
    order = list(ExpectedCTR.objects.filter(date=DAY).order_by("rank").values_list("advertiser_id", "product_id"))
    said = replayed("--half-life-days", "0.5")

    assert order == [("a", "early"), ("a", "late")]
    assert [line.partition(": ")[2] for line in said if "expected_ctr," in line] == ["0 entered, 0 left, 2 moved"]


def test_a_day_that_is_not_published_cannot_be_replayed(replayed):
    with pytest.raises(CannotReplay, match=f"{DAY} is not published, so there is nothing to compare a replay with"):
        replayed()


def test_a_run_without_counts_in_the_lake_cannot_be_replayed(replayed):
    Run.objects.create(day=DAY, state="published", published_at=f"{DAY}T23:00Z")

    with pytest.raises(CannotReplay, match=r"lake has no counts of run \d+, the published run of 2026-11-20"):
        replayed()


@pytest.mark.parametrize("option", ["--dry-run", "--force"])
def test_a_replay_cannot_be_combined_with_options_for_publishing(option, capsys):
    with pytest.raises(SystemExit) as end:
        nightly.options_from(nightly.parser().parse_args(["--replay", "--day", DAY, option]), {})

    assert end.value.code == 2
    assert "--replay never stores anything" in capsys.readouterr().err
