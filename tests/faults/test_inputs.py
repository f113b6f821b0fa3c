"""Damaged raw events, while clients read the lists without a pause. Each run happens in this process."""

import gzip

import pytest

from spark_jobs.runs import Failed
from tests.conftest import DAY, VIEWS
from tests.faults.editions import NEW
from webapp.rankings.models import Run

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

DAY_BEFORE = "2026-11-19"
TIMES = 33
"""How often each line of NEW is repeated: 2,772 views and 7,623 ad events, 99 % of the rows with 1 % garbage."""


@pytest.fixture
def put_new(raw, counted):
    """A function that replaces the old raw events with new ones, some of them damaged, and counts the fault."""

    def put(**changed):
        for name, content in {**many_of_new(), **changed}.items():
            raw.put(f"{name}.csv", content)
        counted.faults += 1

    return put


def many_of_new():
    """The raw files of NEW with each line repeated TIMES, which leaves the lists the same."""
    files = dict(NEW.files)
    for name in ("product_views", "ads_views"):
        header, *lines = files[name].splitlines(keepends=True)
        files[name] = header + b"".join(lines) * TIMES
    return files


def with_garbage(share):
    """The two event files with invalid lines added, `share` of all lines."""
    files = many_of_new()
    broken = {"product_views": f"a,,{DAY}\n".encode(), "ads_views": f"a,p,purchase,{DAY}\n".encode()}
    return {
        name: files[name] + line * round((files[name].count(b"\n") - 1) * share / (1 - share))
        for name, line in broken.items()
    }


def gzip_cut_in_half(name):
    whole = gzip.compress(many_of_new()[name] + b"".join(f"a,p{n},{DAY}\n".encode() for n in range(50_000)))
    return whole[: len(whole) // 2]


def refuses(night):
    """Return whether the run ends without publishing: refused (exit code 3) or failed (exit code 1)."""
    try:
        return not night()
    except Failed:
        return True


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ads_views": b""}, "ads_views.csv is empty"),
        ({"product_views": VIEWS.encode()}, f"product_views has no rows of {DAY}"),
        ({"advertiser_ids": b"advertiser_id\n"}, "the list of active advertisers is empty"),
        ({"product_views": b"advertiser_id,product,date\n" + b"a,p,2026-11-20\n" * 9}, "has no column 'product_id'"),
        ({"ads_views": b"PK\x03\x04"}, "ads_views.csv is a zip archive"),
        ({"product_views": b"a\0d\0"}, "product_views.csv has NUL bytes in its header"),
        ({"advertiser_ids": "advertiser_id\n".encode("utf-32")}, "advertiser_ids.csv is encoded in UTF-32"),
        (with_garbage(0.012), "rejected"),
        (with_garbage(0.30), "rejected"),
    ],
    ids=[
        *("an empty file", "no rows", "no advertisers", "wrong columns", "a zip archive", "NUL bytes", "UTF-32"),
        *("1.2 % garbage", "30 % garbage"),
    ],
)
def test_clients_keep_the_old_lists_if_the_input_has(changed, reason, put_new, night, reader, nothing_is_left):
    put_new(**changed)
    assert refuses(night)
    reader.read_on()

    assert reader.saw == ["old"]
    assert reason in Run.objects.latest("id").message
    assert Run.objects.latest("id").state in ("refused", "failed")


def test_half_of_the_usual_events_are_refused_and_the_complete_file_is_published(put_new, night, reader):
    usual = sum(many_of_new()[name].count(b"\n") - 1 for name in ("product_views", "ads_views"))
    Run.objects.create(day=DAY_BEFORE, state="published", published_at=f"{DAY}T05:00Z", counts={"events": usual})
    files = many_of_new()
    put_new(**{name: half(files[name]) for name in ("product_views", "ads_views")})
    assert refuses(night)
    reader.read_on()

    assert reader.saw == ["old"]
    assert f"of the usual {usual}" in Run.objects.latest("id").message

    put_new()
    assert night()
    reader.read_on()
    assert reader.saw == ["old", "new"]


def half(content):
    """A little less than half of a file, cut after a line."""
    lines = content.splitlines(keepends=True)
    return b"".join(lines[: len(lines) * 49 // 100])


def test_a_truncated_gzip_fails_the_run_and_the_complete_file_is_published(put_new, raw, night, reader):
    put_new()
    (raw.folder / "product_views.csv").unlink()
    raw.put("product_views.csv.gz", gzip_cut_in_half("product_views"))
    assert refuses(night)
    reader.read_on()

    assert reader.saw == ["old"]
    assert "product_views.csv.gz" in Run.objects.latest("id").message

    (raw.folder / "product_views.csv.gz").unlink()
    put_new()
    assert night()
    reader.read_on()
    assert reader.saw == ["old", "new"]


@pytest.mark.parametrize(
    "changed",
    [
        with_garbage(0.01),
        {"product_views": many_of_new()["product_views"] + b"a," + b"x" * 10_000_000 + f",{DAY}\n".encode()},
        {"product_views": many_of_new()["product_views"] + f"a,p\0q,{DAY}\n\0\0\0\n".encode()},
        {"ads_views": many_of_new()["ads_views"] + f"a\0,p,click,{DAY}\n".encode()},
    ],
    ids=["1 % garbage", "a line of 10 MB", "NUL bytes in views", "NUL bytes in ads"],
)
def test_rejected_lines_are_counted_and_the_new_lists_do_without_them_if_the_input_has(changed, put_new, night, reader):
    put_new(**changed)
    assert night()
    reader.read_on()

    assert reader.saw == ["old", "new"]
    assert sum(Run.objects.published().get().counts["rejected"].values()) >= 1


def test_the_same_file_under_two_names_is_refused_and_both_are_named(put, night_on_s3, reader, counted):
    for name, content in NEW.files.items():
        put(f"{name}/part-1.csv", content.decode())
    put("product_views/part-2.csv", NEW.files["product_views"].decode())
    counted.faults += 1
    assert refuses(night_on_s3)
    reader.read_on()

    assert reader.saw == ["old"]
    message = Run.objects.latest("id").message
    assert "product_views/part-1.csv" in message
    assert "product_views/part-2.csv" in message


def test_a_day_in_the_future_exits_2_before_a_run_is_opened(night, reader, capsys, counted):
    counted.faults += 1
    with pytest.raises(SystemExit) as ended:
        night("--day", "2999-01-01")

    assert ended.value.code == 2
    assert "2999-01-01 is not over yet" in capsys.readouterr().err
    assert Run.objects.count() == 1
