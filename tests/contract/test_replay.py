"""Published days ranked by other parameters from the lake, shown beside what is published."""

import json
from contextlib import closing

import pytest

from spark_jobs import nightly
from spark_jobs.replay import CannotReplay, replay
from spark_jobs.settings import Storage
from spark_jobs.warehouse import Warehouse
from tests.conftest import DAY
from webapp.rankings.models import Run, TopCTR

RATES = {"dull": (0, 100), "lucky": (1, 1), "proven": (9, 10)}


@pytest.fixture
def published(night, raw):
    """A published day: by plain ratios the lucky product comes before the proven one."""
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
    """A function that replays days with these arguments and returns the lines that were printed."""

    def run(*arguments):
        options = nightly.options_from(
            nightly.parser().parse_args(["--replay", "--from", DAY, "--to", DAY, *arguments]), {}
        )
        capsys.readouterr()
        with closing(Warehouse(database)) as warehouse:
            replay(spark, warehouse, Storage(raw.uri, (tmp_path / "lake").as_uri()), options)
        return capsys.readouterr().out.splitlines()

    return run


def test_other_parameters_are_shown_beside_the_published_lists(published, replayed):
    said = replayed("--ctr-prior-weight", "20")

    run = published[0]["run_id"]
    assert said[:-2] == [
        f"{DAY} top_product, against run {run}: 0 entered, 0 left, 0 moved",
        f"{DAY} top_ctr, against run {run}: 0 entered, 0 left, 2 moved",
        "  advertiser a: 2 of its places differ",
        f"    rank  {'published':<48}  replayed",
        f"       1  {'lucky 1 1 1.0000':<48}  proven 9 10 0.3601",
        f"       2  {'proven 9 10 0.9000':<48}  lucky 1 1 0.1334",
        f"       3  {'dull 0 100 0.0000':<48}  dull 0 100 0.0150",
    ]
    report = json.loads(said[-1])
    assert (report["day"], report["run"], report["state"]) == (DAY, run, "replayed")
    assert report["counts"]["changes"]["top_ctr"] == {"entered": 0, "left": 0, "moved": 2}


def test_a_replay_changes_nothing(published, replayed, tmp_path):
    lake = sorted(tmp_path.joinpath("lake").rglob("*"))
    replayed("--ctr-prior-weight", "20")

    assert list(TopCTR.objects.order_by("rank").values()) == published
    assert Run.objects.count() == 1
    assert sorted(tmp_path.joinpath("lake").rglob("*")) == lake


def test_the_same_parameters_give_the_published_lists(published, replayed):
    assert [line.partition(": ")[2] for line in replayed()[:-1]] == ["0 entered, 0 left, 0 moved"] * 3


def test_what_a_minimum_takes_away_leaves_an_empty_place(published, replayed):
    said = replayed("--min-impressions", "10")

    assert "top_ctr, against run" in said[1] and said[1].endswith("0 entered, 1 left, 2 moved")
    assert said[-3] == "       3  dull 0 100 0.0000"


def test_a_day_that_is_not_published_is_told_so(replayed):
    with pytest.raises(CannotReplay, match=f"{DAY} is not published; a replay is held against what is"):
        replayed()


def test_a_lake_without_the_runs_counts_is_told_so(published, replayed, tmp_path):
    tmp_path.joinpath("lake").rename(tmp_path / "elsewhere")

    with pytest.raises(CannotReplay, match=r"lake has no counts of run \d+, which 2026-11-20 is published from"):
        replayed()


@pytest.mark.parametrize("option", ["--dry-run", "--force"])
def test_a_replay_goes_without_what_is_for_publishing(option, capsys):
    with pytest.raises(SystemExit) as end:
        nightly.options_from(nightly.parser().parse_args(["--replay", "--day", DAY, option]), {})

    assert end.value.code == 2
    assert "--replay keeps nothing in any case" in capsys.readouterr().err
