"""Between `migrate` and the new image the older one serves: the code before the newest schema, on that schema."""

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
    """The web app as it was before the newest migration was written."""
    if git("rev-parse", "--is-shallow-repository").strip() == b"true":
        pytest.skip("this clone has no history to take the older code from: `git fetch --unshallow` brings it")
    written = git("log", "-1", "--diff-filter=A", "--format=%H", "--", MIGRATIONS).decode().strip()
    with tarfile.open(fileobj=io.BytesIO(git("archive", f"{written}^", *SERVED))) as archive:
        archive.extractall(tmp_path / "older", filter="data")
    return tmp_path / "older"


@pytest.fixture
def older_answers(older_checkout, stack, tmp_path, transactional_db):
    """A function that asks the older app, which is connected to the database as it is now: status and JSON."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    make_list(make_publication(yesterday, products="p1 p2 p3"), "A", "p3 p1", TopCTR)
    url = stack.postgres.url(connection.settings_dict["NAME"], WEB)
    with server(tmp_path, older_checkout, DATABASE_URL=url) as running:
        fetch(f"{running.address}/health/live")

        def ask(path):
            status, _, body = running.ask(path)
            return status, json.loads(body)

        yield ask


def test_the_older_code_is_of_an_older_schema(older_checkout):
    older, now = (sorted(path.name for path in root.glob(MIGRATIONS)) for root in (older_checkout, ROOT))

    assert older == [name for name in now if name in older]
    assert len(older) < len(now)


def test_the_older_app_is_ready_and_serves_the_lists_of_the_newer_schema(older_answers):
    assert older_answers("/health/ready")[0] == 200
    for model, products in {"TopProduct": ["p1", "p2", "p3"], "TopCTR": ["p3", "p1"]}.items():
        status, answer = older_answers(f"/recommendations/A/{model}")

        assert (status, [item["product_id"] for item in answer["items"]]) == (200, products)


def test_the_older_app_answers_what_else_its_clients_ask(older_answers):
    asked = ["/history/A", "/stats", "/advertisers", "/models", "/runs", "/api/v1/"]

    assert {path: older_answers(path)[0] for path in asked} == dict.fromkeys(asked, 200)
