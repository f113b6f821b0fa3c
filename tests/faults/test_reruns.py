"""Repeated publishing while clients of the API read without a pause."""

import json
from itertools import cycle, islice
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from devstack.postgres import WEB
from tests.faults.editions import NEW, OLD
from tests.faults.reader import NoAnswer
from tests.web.test_server import fetch, server
from webapp.rankings.models import RANKINGS, Run

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def read_list(stack, transactional_db, tmp_path):
    """Read a list over HTTP from the production server."""
    from django.db import connection

    url = stack.postgres.url(connection.settings_dict["NAME"], WEB)
    with server(tmp_path, DATABASE_URL=url, REQUESTS_PER_ADDRESS="1000000") as running:
        fetch(f"{running.address}/health/live")

        def products(which):
            model, window, advertiser = which
            address = f"{running.address}/api/v1/recommendations/{advertiser}/{model}?window={window}"
            try:
                with urlopen(address, timeout=10) as answer:  # noqa: S310
                    return [item["product_id"] for item in json.load(answer)["items"]]
            except HTTPError as error:
                if error.code == 503:
                    raise NoAnswer from error
                return [error.read().decode()]

        yield products


def test_clients_of_the_api_see_only_complete_lists_through_six_publishes(night, raw, reader, counted):
    for edition in islice(cycle([NEW, OLD]), 6):
        for name, content in edition.files.items():
            raw.put(f"{name}.csv", content)
        assert night()
        counted.faults += 1
        reader.read_on(times=2)

    assert reader.saw == ["old", *["new", "old"] * 3]
    assert Run.objects.published().count() == 1
    assert Run.objects.filter(state="superseded").count() == 6


def test_three_reruns_give_the_same_rows_and_one_published_run(night, reader, counted):
    for _ in range(3):
        assert night()
        counted.faults += 1

    assert reader.saw == ["old"]
    for ranking in RANKINGS.values():
        columns = ("date", "advertiser_id", "rank", "product_id", *ranking.scores)
        rows = [sorted(ranking.objects.of(run).values_list(*columns)) for run in Run.objects.all()]
        assert len(rows) == 4
        assert all(each == rows[0] for each in rows)
    assert Run.objects.published().get() == Run.objects.latest("id")
