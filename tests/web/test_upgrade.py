"""Between `migrate` and the new image, the old code serves from the new schema."""

import io
import json
import subprocess
import tarfile
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from devstack.postgres import WEB
from devstack.state import ROOT
from tests.web.conftest import make_list, make_publication
from tests.web.server import fetch, server
from webapp.rankings.models import TopCTR

MIGRATIONS = "webapp/*/migrations/0*.py"
SERVED = ["webapp", "conf", "manage.py"]


def git(*arguments):
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.fixture
def older_checkout(tmp_path):
    """The web app as of the commit before the newest migration."""
    if git("rev-parse", "--is-shallow-repository").strip() == b"true":
        pytest.skip("this clone has no history to take the older code from: `git fetch --unshallow` brings it")
    written = git("log", "-1", "--diff-filter=A", "--format=%H", "--", MIGRATIONS).decode().strip()
    with tarfile.open(fileobj=io.BytesIO(git("archive", f"{written}^", *SERVED))) as archive:
        archive.extractall(tmp_path / "older", filter="data")
    return tmp_path / "older"


@pytest.fixture
def get_from_older(older_checkout, stack, tmp_path, transactional_db):
    """A function that sends a request to the older app on the current schema and returns status and JSON."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    make_list(make_publication(yesterday, products="p1 p2 p3"), "A", "p3 p1", TopCTR)
    url = stack.postgres.url(connection.settings_dict["NAME"], WEB)
    with server(tmp_path, older_checkout, DATABASE_URL=url) as running:
        fetch(f"{running.address}/health/live")

        def get_json(path):
            status, _, body = running.request(path)
            return status, json.loads(body)

        yield get_json


def test_the_older_code_lacks_the_newest_migration(older_checkout):
    older, now = (sorted(path.name for path in root.glob(MIGRATIONS)) for root in (older_checkout, ROOT))

    assert older == [name for name in now if name in older]
    assert len(older) < len(now)


def test_the_older_app_is_ready_and_serves_lists(get_from_older):
    assert get_from_older("/health/ready")[0] == 200
    for model, products in {"TopProduct": ["p1", "p2", "p3"], "TopCTR": ["p3", "p1"]}.items():
        status, response = get_from_older(f"/recommendations/A/{model}")

        assert (status, [item["product_id"] for item in response["items"]]) == (200, products)


def test_the_older_app_serves_the_other_endpoints(get_from_older):
    paths = ["/history/A", "/stats", "/advertisers", "/models", "/runs", "/api/v1/"]

    assert {path: get_from_older(path)[0] for path in paths} == dict.fromkeys(paths, 200)
