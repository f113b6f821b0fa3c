"""Each image is built once; a database of its own waits for the image's migrations."""

import uuid
from contextlib import closing

import psycopg2
import pytest

from tests.images.buildah import build, install_tools


@pytest.fixture(scope="session")
def web_image():
    """The image of Dockerfile.web."""
    yield from built("Dockerfile.web")


@pytest.fixture(scope="session")
def spark_image():
    """The image of Dockerfile.spark."""
    yield from built("Dockerfile.spark")


def built(dockerfile):
    """Yield the image of a Dockerfile, which is gone afterwards."""
    install_tools()
    image = build(dockerfile)
    yield image
    image.remove()


@pytest.fixture(scope="session")
def empty_database(stack):
    """The name of a database without tables, which belongs to the owner's role; it goes with the tests' server."""
    name = f"images_{uuid.uuid4().hex}"
    with closing(psycopg2.connect(stack.postgres.url())) as owner, owner.cursor() as cursor:
        owner.autocommit = True
        cursor.execute(f"CREATE DATABASE {name}")
    return name
