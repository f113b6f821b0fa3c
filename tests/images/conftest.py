"""Build each image once, and create an empty database for the web image's migrations."""

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
    """Build the image of a Dockerfile, yield it and remove it."""
    install_tools()
    image = build(dockerfile)
    yield image
    image.remove()


@pytest.fixture(scope="session")
def empty_database(stack):
    """The name of a database without tables, which the owner's role owns."""
    name = f"images_{uuid.uuid4().hex}"
    with closing(psycopg2.connect(stack.postgres.url())) as owner, owner.cursor() as cursor:
        owner.autocommit = True
        cursor.execute(f"CREATE DATABASE {name}")
    return name
