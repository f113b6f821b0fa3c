"""The endpoints that send an ETag, and lists for each of them; for the tests of what their tags cover."""

from typing import Any

from django.urls import resolve

from tests.web.conftest import YESTERDAY, days_ago, make_advertiser, make_counts, make_list, make_run
from tests.web.keys import whole
from webapp.rankings.models import RANKINGS, WINDOWED, Advertiser

EARLIER = days_ago(2)  # a day between it and YESTERDAY is not published at first
LIST, HISTORY, EXPLANATION, STATISTICS, SNAPSHOT = ENDPOINTS = (
    "/recommendations/A/TopProduct",
    "/history/A",
    "/explain/A/TopProduct/p1",
    "/stats",
    f"/snapshots/{YESTERDAY}",
)
EXPLORED = "/recommendations/A/ExpectedCTR?explore=1"  # which depends on all products of the advertiser


def view_of(address) -> Any:
    return resolve(address.partition("?")[0]).func.cls  # type: ignore[attr-defined]


VIEWS = {address: view_of(address) for address in ENDPOINTS}


def make_every_list():
    """Two published days. A and B have every list of both; C was never active. Only p3 can be explored."""
    for day in (EARLIER, YESTERDAY):
        run = make_run(day)
        for advertiser in ("A", "B"):
            make_advertiser(advertiser)
            for ranking in RANKINGS.values():
                make_list(run, advertiser, "p1 p2 é", ranking)
            for ranking in WINDOWED.values():
                make_list(run, advertiser, "p1 p2", ranking, days=7)
            counts = {"p1": [5, 4, 1, 0, 2**20, 2**22], "p2": [3, 4, 1, 0, 2**20, 2**22], "p3": [0, 0, 0, 0, 0, 2**18]}
            make_counts(run, advertiser, counts, prior=(0.1, 20))
    make_advertiser("C", active=False)


def get(client, address, **headers):
    return whole(client.get(address, headers={name.replace("_", "-"): value for name, value in headers.items()}))


def etag(client, address, **headers):
    response = get(client, address, **headers)
    assert response.status_code == 200, response.content
    return response["ETag"]


def activate(*advertisers):
    Advertiser.objects.update(active=False)
    Advertiser.objects.filter(pk__in=advertisers).update(active=True)
