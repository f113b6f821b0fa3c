"""A nightly run, a backfill and a prune over s3a on versitygw, the S3 server of compose.yaml.

Unlike moto, it is a real server: it checks signatures and keeps objects as files. Go builds it from the modules that
versitygw/go.sum pins; the first build takes a minute or two, later ones seconds.
"""

import os
import re
import secrets
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import boto3
import pytest
from django.core.management import call_command

from devstack.s3 import REGION
from devstack.state import ROOT, free_port
from tests.conftest import ADS, DAY, VIEWS
from tests.processes import Job
from webapp.rankings.models import Run, TopProduct

DAYS = ["2026-11-18", "2026-11-19", DAY, "2026-11-21"]
MODULE = Path(__file__).parent / "versitygw"
PACKAGE = "github.com/versity/versitygw"
BUCKET = "vitrina"


def test_the_server_has_the_version_of_compose_yaml():
    [of_compose] = re.findall(r"image: &s3 versity/versitygw@\S+  # (v\S+)", (ROOT / "compose.yaml").read_text())
    [built] = re.findall(rf"\t{PACKAGE} (v\S+)", (MODULE / "go.mod").read_text())

    assert built == of_compose


@pytest.fixture(scope="module")
def versitygw(tmp_path_factory):
    """The program, built with the Go on this machine."""
    go = shutil.which("go", path=f"{os.environ['PATH']}:/usr/local/go/bin")
    if not go:
        pytest.skip("Go is not installed; it builds versitygw, the S3 server of this test")
    program = tmp_path_factory.mktemp("versitygw") / "versitygw"
    # Not optimized and without debug information, the program is built in two thirds of the time.
    fast = ["-gcflags=all=-N -l -dwarf=false", "-ldflags=-s -w"]
    command = [go, "build", "-mod=readonly", *fast, "-o", program, f"{PACKAGE}/cmd/versitygw"]
    built = subprocess.run(command, cwd=MODULE, capture_output=True, text=True, timeout=900)
    assert built.returncode == 0, built.stderr
    return program


class Server:
    """A versitygw server with new keys and one bucket, stored below `folder`."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.bucket = folder / "data" / BUCKET
        self.bucket.mkdir(parents=True)
        self.log = folder / "versitygw.log"
        self.address = f"127.0.0.1:{free_port()}"
        self.key, self.secret = f"key{secrets.token_hex(8)}", secrets.token_hex(20)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [program, "--port", self.address, "--health", "/health", "posix", self.bucket.parent],
                env={"ROOT_ACCESS_KEY_ID": self.key, "ROOT_SECRET_ACCESS_KEY": self.secret},
                stdout=log,
                stderr=log,
            )

    def variables(self) -> dict[str, str]:
        """Return the job's variables for this server."""
        return {
            "RAW_URI": f"s3a://{BUCKET}/raw",
            "LAKE_URI": f"s3a://{BUCKET}/lake",
            "AWS_ENDPOINT_URL": f"http://{self.address}",
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
        }

    def is_ready(self) -> bool:
        with suppress(URLError), urlopen(f"http://{self.address}/health"):
            return True
        return False

    def put(self, name: str, text: str) -> None:
        """Upload one of the raw inputs."""
        client = boto3.client(
            "s3",
            endpoint_url=f"http://{self.address}",
            region_name=REGION,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
        )
        client.put_object(Bucket=BUCKET, Key=f"raw/{name}.csv", Body=text.encode())


@pytest.fixture
def server(versitygw, tmp_path):
    """A running server with the raw events of four days."""
    server = Server(versitygw, tmp_path)
    try:
        patience = time.monotonic() + 30
        while not server.is_ready():
            assert time.monotonic() < patience and server.process.poll() is None, server.log.read_text()
            time.sleep(0.1)
        server.put("advertiser_ids", "advertiser_id\na\n")
        server.put("product_views", VIEWS + "".join(f"a,p,{day}\na,q,{day}\n" for day in DAYS))
        server.put("ads_views", ADS + "".join(f"a,p,impression,{day}\na,p,click,{day}\n" for day in DAYS))
        yield server
    finally:
        server.process.terminate()
        server.process.wait(20)


@pytest.fixture
def nightly(server, url):
    """A function that runs nightly.py with spark-submit on that server."""
    jobs = []

    def run(*arguments, **environment):
        places = {"DATABASE_URL": url, **server.variables(), **environment}
        jobs.append(Job("spark_jobs/nightly.py", *arguments, environment=places))
        return jobs[-1].wait()

    yield run
    for job in jobs:
        job.kill()


def folders_of(server, day):
    """Return the runs of a day whose counts are in the lake."""
    return {folder.name.removeprefix("run=") for folder in server.bucket.glob(f"lake/counts/date={day}/run=*")}


@pytest.mark.long
def test_a_nightly_run_a_backfill_and_a_prune_on_a_real_s3_server(nightly, server):
    of_the_night = nightly("--day", DAY)
    assert (of_the_night.code, of_the_night.report["state"]) == (0, "published"), of_the_night.output

    backfill = nightly("--from", DAYS[0], "--to", DAY, "--force")
    assert backfill.code == 0, backfill.output
    assert [str(run.day) for run in Run.objects.published().order_by("day")] == DAYS[:3]

    replaced, published = Run.objects.filter(day=DAY).order_by("id")
    assert folders_of(server, DAY) == {str(replaced.pk), str(published.pk)}
    call_command("prune_runs", "--keep", "1")
    next_night = nightly("--day", DAYS[3])

    assert next_night.code == 0, next_night.output
    assert folders_of(server, DAY) == {str(published.pk)}
    lists = TopProduct.objects.published().order_by("date", "rank").values_list("product_id", flat=True)
    assert list(lists) == ["p", "q"] * len(DAYS)


@pytest.mark.long
def test_a_wrong_secret_fails_the_run_at_once(nightly):
    refused = nightly("--day", DAY, AWS_SECRET_ACCESS_KEY="wrong")

    assert refused.code == 1
    assert "403" in refused.output, refused.output
