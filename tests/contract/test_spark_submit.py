"""The nightly job with spark-submit: it reads and writes S3 and ends with an exit code."""

import json
import os
import re
from contextlib import closing, suppress
from dataclasses import replace
from datetime import date

import pytest

from devstack.s3 import S3
from devstack.state import ROOT
from spark_jobs import nightly
from spark_jobs.warehouse import Warehouse, ledger, locks
from tests.conftest import DAY
from tests.faults.s3_proxy import BadS3
from tests.processes import error_messages
from webapp.rankings.models import Run, TopCTR, TopProduct

ACTIVE = b"advertiser_id\na\n"
VIEWS = f"advertiser_id,product_id,date\na,p,{DAY}\na,q,{DAY}\n".encode()
JOB = f"spark-submit {ROOT}/spark_jobs/nightly.py"
AGAIN = f"{JOB} --day {DAY}"
ADS = f"advertiser_id,product_id,type,date\na,p,impression,{DAY}\na,p,click,{DAY}\n".encode()


@pytest.fixture(scope="module")
def kept():
    """What the fixture below keeps from the first test for the others."""
    return []


@pytest.fixture
def complete_day(kept, bucket, spark_submit):
    """The result of a run over a complete day, and the products and click rate that it published."""
    if not kept:
        bucket(advertiser_ids=ACTIVE, product_views=VIEWS, ads_views=ADS)
        kept.append(spark_submit())
        kept.append(list(TopProduct.objects.published().values_list("product_id", "rank", "views")))
        kept.append(TopCTR.objects.published().get().ctr)
        kept.append(Run.objects.get().stages)
    return kept


def test_a_complete_day_on_s3_exits_0(complete_day):
    (code, report, said), products, rate, _ = complete_day

    assert (code, report["state"], report["counts"]["events"]) == (0, "published", 4), said
    assert products == [("p", 1, 1), ("q", 2, 1)]
    assert rate == 1.0


def test_a_run_records_the_stages_that_the_log_has(complete_day):
    said, stages = complete_day[0].output, complete_day[-1]
    logged = re.findall(rf"\S+ (?:{DAY} )?(.+?): (?:\d+ rows, )?([\d.]+) s\n", said)

    assert [(each["stage"], f"{each['seconds']:.1f}") for each in stages] == logged
    assert len(stages) == 5


@pytest.mark.long  # one more run
def test_an_incomplete_day_on_s3_exits_3_and_keeps_the_published_run(bucket, spark_submit, prefix):
    published = Run.objects.create(day=DAY, state="published", published_at=f"{DAY}T23:00Z", counts={"events": 4})
    bucket(advertiser_ids=ACTIVE, product_views=VIEWS, ads_views=ADS.splitlines(keepends=True)[0])
    result = spark_submit()
    code, report, said = result

    assert (code, report["state"]) == (3, "refused")
    assert result.next_steps() == [
        [
            f"{DAY}: when the rows have arrived, rank the day again:",
            f"aws s3 ls {prefix.replace('s3a', 's3')}/raw/",
            AGAIN,
        ]
    ]
    assert f"{DAY} is refused: ads_views has no rows of {DAY}" in said
    assert Run.objects.published().get() == published


@pytest.mark.long  # two more runs; tests/contract/test_replay.py has the details
def test_a_replay_on_s3_exits_0_and_stores_nothing(bucket, spark_submit):
    bucket(advertiser_ids=ACTIVE, product_views=VIEWS, ads_views=ADS)
    spark_submit()
    code, report, said = spark_submit("--replay", "--ctr-prior-weight", "20")

    assert (code, report["state"]) == (0, "replayed"), said
    assert report["counts"]["changes"]["top_ctr"] == {"entered": 0, "left": 0, "moved": 0}
    assert Run.objects.count() == 1


def test_the_log_has_one_line_a_stage_and_none_from_spark(complete_day):
    said = complete_day[0].output

    stages = ["read raw files", *(f"{DAY} {stage}" for stage in ("prepare", "rank and append", "audit", "publish"))]
    report, jvm_start, reader, *lines = said.splitlines()
    assert re.fullmatch(
        r"\S+ reading with (Comet: product_views, ads_views, advertiser_ids|Spark, without Comet)", reader
    )
    assert [re.sub(r"\d+", "0", line) for line in lines] == [
        re.sub(r"\d+", "0", f"00:00:00 {stage}: {rows}0.0 s")
        for stage, rows in zip(stages, ["5 rows, ", "4 rows, ", "3 rows, ", "", ""], strict=True)
    ]
    assert report.startswith("{")
    assert jvm_start == "WARNING: Using incubator modules: jdk.incubator.vector"


@pytest.mark.parametrize(
    ("arguments", "environment", "message", "what_to_do", "command"),
    [
        (
            ["--top", "21"],
            {},
            "'21' is not a number from 1 to 20",
            "see the options:",
            "spark-submit spark_jobs/nightly.py --help",
        ),
        (
            [],
            {"RAW_URI": "raw"},
            "RAW_URI is 'raw', which is not a URI; write s3a://bucket/folder or file:///folder",
            "correct this, then run the job:",
            AGAIN,
        ),
    ],
)
def test_bad_arguments_and_configuration_exit_2_and_are_named(
    spark_submit, arguments, environment, message, what_to_do, command
):
    result = spark_submit(*arguments, **environment)
    code, report, said = result

    assert (code, report) == (2, None)
    assert message in said
    assert result.next_steps() == [[what_to_do, command]]


def test_a_day_cannot_be_combined_with_a_range(capsys):
    with pytest.raises(SystemExit) as end:
        nightly.options_from(nightly.parser().parse_args(["--day", DAY, "--to", DAY]), {})

    assert end.value.code == 2
    assert "--day cannot be combined with --from or --to" in capsys.readouterr().err


def test_a_day_that_is_held_exits_4_at_once_and_names_the_run(bucket, spark_submit, database):
    bucket(advertiser_ids=ACTIVE, product_views=VIEWS, ads_views=ADS)
    with closing(Warehouse(database)) as other:
        locks.lock_day(other, date.fromisoformat(DAY))
        [run] = ledger.open_runs(other, [date.fromisoformat(DAY)], "test", "test", {}).values()
        result = spark_submit()
    code, _, said = result

    assert code == 4
    assert result.next_steps() == [["when that run has ended, or after you stop it, run the job:", AGAIN]]
    [message] = error_messages(said)
    assert message.startswith(f"another run holds {DAY} (run {run}, started ")


def test_a_missing_column_exits_1_and_names_file_and_column(bucket, spark_submit, prefix):
    bucket(advertiser_ids=ACTIVE, product_views=b"advertiser_id,date\n", ads_views=ADS)
    code, report, said = spark_submit()

    assert (code, report["state"]) == (1, "failed")
    assert error_messages(said) == [
        f"{prefix}/raw/product_views.csv has no column 'product_id'; its header is: advertiser_id,date"
    ]


def test_a_missing_bucket_exits_1_and_is_named(bucket, spark_submit):
    result = spark_submit("--raw-uri", "s3a://no-such-bucket/raw")
    code, _, said = result

    assert code == 1
    assert result.next_steps() == [
        [
            "when the job can read the files, run it again:",
            "aws s3 ls s3://no-such-bucket/raw/",
            f"{JOB} --raw-uri s3a://no-such-bucket/raw --day {DAY}",
        ]
    ]
    [message] = error_messages(said)
    assert "no-such-bucket" in message


def test_an_unreachable_database_exits_1_and_its_address_is_printed(spark_submit, url):
    result = spark_submit(DATABASE_URL="postgres://vitrina:secret-word@127.0.0.1:1/vitrina")
    code, report, said = result

    assert result.next_steps() == [
        ["when the database responds, run the job:", 'psql "$DATABASE_URL" --command "select now()"', AGAIN]
    ]
    assert (code, report) == (1, None)
    [message] = error_messages(said)
    assert 'connection to server at "127.0.0.1", port 1 failed: Connection refused' in message
    assert "secret-word" not in said


def test_a_wrong_database_password_exits_1_and_is_not_repeated(spark_submit, database):
    wrong = replace(database, password="wrong-word")
    url = f"postgres://{wrong.user}:{wrong.password}@{wrong.host}:{wrong.port}/{wrong.name}"
    code, _, said = spark_submit(DATABASE_URL=url)

    assert code == 1
    [message] = error_messages(said)
    assert f'password authentication failed for user "{wrong.user}"' in message
    assert "wrong-word" not in said


def test_wrong_s3_credentials_exit_1_and_are_reported(spark_submit, tmp_path):
    strict = S3(tmp_path / "strict", bucket="vitrina")
    try:
        endpoint = strict.start(INITIAL_NO_AUTH_ACTION_COUNT="1")  # moto checks keys once the bucket exists
        code, report, said = spark_submit(
            AWS_ENDPOINT_URL=endpoint, AWS_ACCESS_KEY_ID="AKIAWRONG", AWS_SECRET_ACCESS_KEY="wrong-secret"
        )
    finally:
        strict.stop()

    assert (code, report["state"]) == (1, "failed")
    [message] = error_messages(said)
    assert "403" in message or "Forbidden" in message
    assert "wrong-secret" not in said


def test_a_database_without_tables_exits_1_and_names_the_command_that_creates_them(spark_submit, stack):
    result = spark_submit(DATABASE_URL=stack.postgres.url())
    code, _, said = result

    assert code == 1
    assert result.next_steps() == [["create the tables, then run the job:", "python manage.py migrate", AGAIN]]
    assert error_messages(said) == ["database vitrina has no table run; run `python manage.py migrate` to create it"]


@pytest.fixture
def at_a_terminal(start_job):
    """A function that runs the job at a terminal of 80 columns, and returns what it shows."""

    def run(*arguments, **environment):
        ours, its = os.openpty()
        job = start_job(*arguments, terminal=its, **environment)
        os.close(its)
        shown = b""
        with suppress(OSError):  # the other end is closed
            while part := os.read(ours, 65536):
                shown += part
        os.close(ours)
        assert job.process.wait() == 0
        return shown.decode()

    return run


@pytest.mark.long  # one more run
def test_at_a_terminal_it_shows_progress_and_a_table(bucket, at_a_terminal, stack):
    bucket(advertiser_ids=ACTIVE, product_views=VIEWS, ads_views=ADS)
    with BadS3(stack.s3.endpoint(), ["wait"], reads_of_views) as s3:
        shown = at_a_terminal(AWS_ENDPOINT_URL=s3.endpoint)

    heading, row = shown.split("\r\n")[-3:-1]
    assert heading.split() == ["day", "run", "state", "events", "rejected", "lists", "seconds"]
    assert row.split()[:1] + row.split()[2:6] == [DAY, "published", "4", "0", "7"]
    assert "[Stage " in shown  # Spark shows stages that take longer than half a second
    assert '"state"' not in shown


def reads_of_views(method, path):
    return method == "GET" and path.endswith("/raw/product_views.csv")


@pytest.mark.long  # one more run
def test_at_a_terminal_it_shows_json_if_asked(bucket, at_a_terminal):
    bucket(advertiser_ids=ACTIVE, product_views=VIEWS, ads_views=ADS)

    assert json.loads(at_a_terminal("--json").split("\r\n")[-2])["state"] == "published"
