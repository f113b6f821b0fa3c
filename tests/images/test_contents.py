"""What each image is made of: its size, its user, what it says of itself, and no secret."""

import re
from typing import NamedTuple

import pytest

from tests.images.buildah import OFFICIAL_MEGABYTES

pytestmark = pytest.mark.long
SECRET = re.compile(
    r"(?i)secret|password|passwd|token|api_?key|access_?key|credential|database_url|[a-z]+://[^/\s]+:[^/\s]+@"
)


class Promise(NamedTuple):
    """What docs/images.md says of an image."""

    fixture: str
    megabytes: int
    user: str
    title: str
    files: set[str]


WEB_FILES = {"conf", "manage.py", "requirements-web.txt", "staticfiles", "webapp"}
JOB_FILES = {".venv", "conf", "requirements-spark.txt", "spark_jobs"}
PROMISES = [
    Promise("web_image", 250, "10001:10001", "Vitrina web", WEB_FILES),
    Promise("spark_image", 1200, "185:185", "Vitrina job", JOB_FILES),
]


@pytest.fixture(params=PROMISES, ids=lambda promise: promise.fixture)
def promised(request):
    """A promise, and the image that it is of."""
    return request.param, request.getfixturevalue(request.param.fixture)


def test_it_takes_no_more_than_it_should(promised):
    promise, image = promised

    assert image.added_megabytes + OFFICIAL_MEGABYTES < promise.megabytes


def test_it_runs_as_a_user_without_rights(promised):
    promise, image = promised

    assert image.config["User"] == promise.user


def test_it_says_what_it_is(promised):
    promise, image = promised

    assert image.config["Labels"]["org.opencontainers.image.title"] == promise.title


def test_no_secret_is_in_its_variables_or_history(promised):
    _, image = promised

    assert [line for line in [*image.config["Env"], *image.history] if SECRET.search(line)] == []


def test_of_the_checkout_only_its_own_half_is_inside(promised):
    promise, image = promised

    assert {path.name for path in (image.root / "app").iterdir()} == promise.files


def test_its_files_can_only_be_read(promised, tmp_path):
    _, image = promised
    code, said = image.run("touch", "/app/new", log=tmp_path / "log")

    assert code == 1
    assert "Read-only file system" in said
