"""Dockerfile.web, built and run: as its user, with files that can only be read, beside a real PostgreSQL."""

import re
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psycopg2
import pytest

from devstack.postgres import WEB
from devstack.state import free_port

pytestmark = pytest.mark.long
NEEDED = {"SECRET_KEY": "of-the-tests-" * 5, "ALLOWED_HOSTS": "localhost,127.0.0.1", "HTTPS_ONLY": "false"}


class Web:
    """The image's server, beside a database that had no tables before."""

    def __init__(self, image, log, variables):
        self.image, self.log = image, log
        self.variables = {**NEEDED, "PORT": str(free_port()), **variables}
        self.process = image.start(log=log, **self.variables)

    def ask(self, path):
        """Return status and body of the answer, once the server is up."""
        for _ in range(150):
            try:
                with urlopen(f"http://127.0.0.1:{self.variables['PORT']}{path}", timeout=10) as answer:
                    return answer.status, answer.read().decode()
            except HTTPError as refusal:
                return refusal.code, refusal.read().decode()
            except URLError:
                time.sleep(0.2)
        return pytest.fail(f"the server did not start: {self.log.read_text()}")

    def is_healthy(self):
        """Run the image's HEALTHCHECK."""
        kind, *command = self.image.config["Healthcheck"]["Test"]
        assert kind == "CMD"
        return self.image.run(*command, log=self.log, **self.variables).code == 0


@pytest.fixture(scope="module")
def web(web_image, stack, empty_database, tmp_path_factory):
    """The server with the least role there is for it, made by the image's own commands."""
    log = tmp_path_factory.mktemp("web image") / "log"
    owner = {**NEEDED, **stack.postgres.passwords(), "DATABASE_URL": stack.postgres.url(empty_database)}
    for command in (["migrate", "--no-input"], ["database_roles"]):
        code, said = web_image.run("python", "manage.py", *command, log=log, **owner)
        assert code == 0, said
    server = Web(web_image, log, {"DATABASE_URL": stack.postgres.url(empty_database, WEB)})
    yield server
    server.process.kill()
    server.process.wait(timeout=20)


def test_it_is_unready_until_a_day_is_published_and_ready_then(web, stack, empty_database):
    status, said = web.ask("/health/ready")
    unready = (status, "Every migration is applied." in said, "No day is published yet" in said, web.is_healthy())

    now = datetime.now(UTC)
    with closing(psycopg2.connect(stack.postgres.url(empty_database))) as owner, owner, owner.cursor() as cursor:
        cursor.execute(
            "INSERT INTO run (day, state, published_at, finished_at) VALUES (%s, 'published', %s, %s)",
            [now.date() - timedelta(days=1), now, now],
        )
    status, said = web.ask("/health/ready")

    assert unready == (503, True, True, False)
    assert (status, web.is_healthy()) == (200, True), said


def test_static_files_are_inside(web):
    status, page = web.ask("/")
    styles = re.findall(r'href="(/static/[^"]+\.css)"', page)

    assert status == 200
    assert styles
    assert {web.ask(style)[0] for style in styles} == {200}


def test_without_configuration_it_ends_with_one_sentence(web_image, tmp_path):
    code, said = web_image.run(log=tmp_path / "log", PORT=str(free_port()))

    assert code == 2
    assert "SECRET_KEY is not set" in said
    assert "Traceback" not in said
