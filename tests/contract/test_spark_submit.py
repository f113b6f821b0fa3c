"""The job as its users start it: a spark-submit process that reads and writes through s3a, and ends with an exit code."""

import gzip
import re
from contextlib import closing
from dataclasses import replace
from datetime import date

import pytest

from devstack.s3 import S3
from spark_jobs.warehouse import Warehouse
from tests.conftest import DAY
from tests.processes import complaints
from webapp.rankings.models import Run, TopCTR, TopProduct

ACTIVE = b"advertiser_id\na\n"
VIEWS = f"advertiser_id,product_id,date\na,p,{DAY}\na,q,{DAY}\n".encode()
ADS = f"advertiser_id,product_id,type,date\na,p,impression,{DAY}\na,p,click,{DAY}\n".encode()


def test_a_night_over_s3a_publishes_and_exits_0_and_a_half_day_after_it_exits_3(bucket, spark_submit):
    bucket(advertiser_ids=ACTIVE, product_views=VIEWS, ads_views=ADS)
    code, report, said = spark_submit()

    assert (code, report["state"], report["counts"]["events"]) == (0, "published", 4), said
    assert list(TopProduct.objects.published().values_list("product_id", "rank", "views")) == [("p", 1, 1), ("q", 2, 1)]
    assert TopCTR.objects.published().get().ctr == 1.0

    bucket(ads_views=ADS.splitlines(keepends=True)[0])
    code, report, said = spark_submit()

    assert (code, report["state"]) == (3, "refused")
    assert f"{DAY} is refused: ads_views has no rows of {DAY}" in said
    assert Run.objects.published().get().counts["events"] == 4


@pytest.mark.long  # two nights more; tests/contract/test_replay.py has the rest of it
def test_a_replay_over_s3a_shows_the_published_day_and_keeps_nothing(bucket, spark_submit):
    bucket(advertiser_ids=ACTIVE, product_views=VIEWS, ads_views=ADS)
    spark_submit()
    code, report, said = spark_submit("--replay", "--ctr-prior-weight", "20")

    assert (code, report["state"]) == (0, "replayed"), said
    assert report["counts"]["changes"]["top_ctr"] == {"entered": 0, "left": 0, "moved": 0}
    assert Run.objects.count() == 1


def test_what_a_night_prints_is_a_line_a_stage_and_none_of_spark(bucket, spark_submit):
    bucket(advertiser_ids=ACTIVE, product_views=VIEWS, ads_views=ADS)
    _, _, said = spark_submit()

    stages = ["read raw files", *(f"{DAY} {stage}" for stage in ("prepare", "rank and append", "audit", "publish"))]
    *lines, report, jvm_start = said.splitlines()
    assert [re.sub(r"\d+", "0", line) for line in lines] == [
        re.sub(r"\d+", "0", f"00:00:00 {stage}: {rows}0.0 s")
        for stage, rows in zip(stages, ["5 rows, ", "4 rows, ", "3 rows, ", "", ""], strict=True)
    ]
    assert report.startswith("{")
    assert jvm_start == "WARNING: Using incubator modules: jdk.incubator.vector"


@pytest.mark.parametrize(
    ("arguments", "environment", "complaint"),
    [
        (["--to", DAY], {}, "--day goes without --from and --to"),
        (["--top", "21"], {}, "'21' is not a number from 1 to 20"),
        ([], {"DATABASE_URL": ""}, "DATABASE_URL is not set; conf/env.example says what it is"),
        ([], {"RAW_URI": "raw"}, "RAW_URI is 'raw', which is no URI; write s3a://bucket/folder or file:///folder"),
    ],
)
def test_bad_arguments_and_configuration_exit_2_and_say_what(spark_submit, arguments, environment, complaint):
    code, report, said = spark_submit(*arguments, **environment)

    assert (code, report) == (2, None)
    assert complaint in said


def test_a_day_that_is_held_exits_4_at_once_and_names_the_run(bucket, spark_submit, database):
    bucket(advertiser_ids=ACTIVE, product_views=VIEWS, ads_views=ADS)
    with closing(Warehouse(database)) as other:
        other.hold([date.fromisoformat(DAY)])
        [run] = other.open_runs([date.fromisoformat(DAY)], "test", "test", {}).values()
        code, _, said = spark_submit()

    assert code == 4
    [complaint] = complaints(said)
    assert complaint.startswith(f"another run holds {DAY} (run {run}, started ")


def test_a_missing_column_exits_1_and_names_file_and_column(bucket, spark_submit, prefix):
    bucket(advertiser_ids=ACTIVE, product_views=b"advertiser_id,date\n", ads_views=ADS)
    code, report, said = spark_submit()

    assert (code, report["state"]) == (1, "failed")
    assert complaints(said) == [
        f"{prefix}/raw/product_views.csv has no column 'product_id'; its header is: advertiser_id,date"
    ]


def test_a_truncated_gzip_exits_1_and_is_named_in_the_last_line(stack, bucket, spark_submit, prefix):
    bucket(advertiser_ids=ACTIVE, ads_views=ADS)
    whole = gzip.compress(VIEWS + b"".join(f"a,p{n},{DAY}\n".encode() for n in range(50_000)))
    key = f"{prefix.split('/', 3)[3]}/raw/product_views.csv.gz"
    stack.s3.client().put_object(Bucket=stack.s3.bucket, Key=key, Body=whole[: len(whole) // 2])
    code, report, said = spark_submit()

    assert (code, report["state"]) == (1, "failed")
    [complaint] = complaints(said)
    assert f"{prefix}/raw/product_views.csv.gz" in complaint
    assert "Unexpected end of input stream" in complaint


def test_a_missing_bucket_exits_1_and_is_named(bucket, spark_submit):
    code, _, said = spark_submit("--raw-uri", "s3a://no-such-bucket/raw")

    assert code == 1
    [complaint] = complaints(said)
    assert "no-such-bucket" in complaint


def test_an_unreachable_database_exits_1_and_says_where_it_was_looked_for(spark_submit, url):
    code, report, said = spark_submit(DATABASE_URL="postgres://vitrina:secret-word@127.0.0.1:1/vitrina")

    assert (code, report) == (1, None)
    [complaint] = complaints(said)
    assert 'connection to server at "127.0.0.1", port 1 failed: Connection refused' in complaint
    assert "secret-word" not in said


def test_a_wrong_database_password_exits_1_and_is_not_repeated(spark_submit, database):
    wrong = replace(database, password="wrong-word")
    url = f"postgres://{wrong.user}:{wrong.password}@{wrong.host}:{wrong.port}/{wrong.name}"
    code, _, said = spark_submit(DATABASE_URL=url)

    assert code == 1
    [complaint] = complaints(said)
    assert f'password authentication failed for user "{wrong.user}"' in complaint
    assert "wrong-word" not in said


def test_wrong_s3_credentials_exit_1_and_say_so(spark_submit, tmp_path):
    strict = S3(tmp_path / "strict", bucket="vitrina")
    try:
        endpoint = strict.start(INITIAL_NO_AUTH_ACTION_COUNT="1")  # moto asks for real keys after the bucket is made
        code, report, said = spark_submit(
            AWS_ENDPOINT_URL=endpoint, AWS_ACCESS_KEY_ID="AKIAWRONG", AWS_SECRET_ACCESS_KEY="wrong-secret"
        )
    finally:
        strict.stop()

    assert (code, report["state"]) == (1, "failed")
    [complaint] = complaints(said)
    assert "403" in complaint or "Forbidden" in complaint
    assert "wrong-secret" not in said


def test_a_database_without_tables_exits_1_and_names_the_command_that_makes_them(spark_submit, stack):
    code, _, said = spark_submit(DATABASE_URL=stack.postgres.url())

    assert code == 1
    assert complaints(said) == ["database vitrina has no table run; `python manage.py migrate` makes the tables"]
