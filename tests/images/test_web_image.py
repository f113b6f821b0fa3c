"""The image of Dockerfile.web serves requests from a read-only file system, with a real PostgreSQL."""

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
from tests.images.contents import Contents, Expected

pytestmark = pytest.mark.long
NEEDED = {"SECRET_KEY": "of-the-tests-" * 5, "ALLOWED_HOSTS": "localhost,127.0.0.1", "HTTPS_ONLY": "false"}


@pytest.fixture
def image(web_image):
    return web_image


class TestContents(Contents):
    expected = Expected(
        250, "10001:10001", "Vitrina web", {"conf", "manage.py", "requirements-web.txt", "staticfiles", "webapp"}
    )


class Web:
    """The image's web server."""

    def __init__(self, image, log, variables):
        self.image, self.log = image, log
        self.variables = {**NEEDED, "PORT": str(free_port()), **variables}
        self.process = image.start(log=log, **self.variables)

    def get(self, path):
        """Wait until the server is up and return the status and body of the response."""
        for _ in range(150):
            try:
                with urlopen(f"http://127.0.0.1:{self.variables['PORT']}{path}", timeout=10) as response:
                    return response.status, response.read().decode()
            except HTTPError as error:
                return error.code, error.read().decode()
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
    """The server with the database role vitrina_web, after the image's own commands have created tables and roles."""
    log = tmp_path_factory.mktemp("web image") / "log"
    owner = {**NEEDED, **stack.postgres.passwords(), "DATABASE_URL": stack.postgres.url(empty_database)}
    for command in (["migrate", "--no-input"], ["database_roles"]):
        code, output = web_image.run("python", "manage.py", *command, log=log, **owner)
        assert code == 0, output
    server = Web(web_image, log, {"DATABASE_URL": stack.postgres.url(empty_database, WEB)})
    yield server
    server.process.kill()
    server.process.wait(timeout=20)


def test_it_is_healthy_before_a_day_is_published_and_fresh_after_it(web, stack, empty_database):
    status, body = web.get("/health/ready")
    assert (status, "All migrations are applied." in body, web.is_healthy()) == (200, True, True)

    status, body = web.get("/health/fresh")
    assert (status, "No day is published yet" in body) == (503, True)

    now = datetime.now(UTC)
    with closing(psycopg2.connect(stack.postgres.url(empty_database))) as owner, owner, owner.cursor() as cursor:
        cursor.execute(
            "INSERT INTO run (day, state, published_at, finished_at) VALUES (%s, 'published', %s, %s)",
            [now.date() - timedelta(days=1), now, now],
        )
    status, body = web.get("/health/fresh")

    assert status == 200, body


def test_it_contains_the_static_files(web):
    status, page = web.get("/")
    styles = re.findall(r'href="(/static/[^"]+\.css)"', page)

    assert status == 200
    assert styles
    assert {web.get(style)[0] for style in styles} == {200}


def test_without_configuration_it_stops_with_one_sentence(web_image, tmp_path):
    code, output = web_image.run(log=tmp_path / "log", PORT=str(free_port()))

    assert code == 2
    assert "SECRET_KEY is not set" in output
    assert "Traceback" not in output
