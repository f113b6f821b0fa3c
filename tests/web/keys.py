"""Keys and routes for the tests of who may read what."""

from dataclasses import dataclass
from datetime import timedelta

from tests.web.conftest import YESTERDAY, make_advertiser, make_counts, make_list, make_run
from webapp.keys.models import ApiKey
from webapp.rankings.models import TopCTR, TopProduct

BOTH = [f"{prefix}{{}}{slash}" for prefix in ("", "/api/v1") for slash in ("", "/")]


@dataclass(frozen=True)
class Route:
    """An address of the API; `reach` is what a key needs for it: `one` advertiser's, `any`, or `all` advertisers'."""

    path: str
    reach: str
    method: str = "GET"
    body: str = ""

    def __str__(self):
        return self.path


ROUTES = [
    Route("/recommendations/A/TopProduct", "one"),
    Route("/recommendations/A/TopCTR", "one"),
    Route("/history/A", "one"),
    Route("/explain/A/TopProduct/product-of-A", "one"),
    Route("/recommendations/batch", "any", "POST", '{"advertiser_ids": ["A"]}'),
    Route(f"/snapshots/{YESTERDAY}", "any"),
    Route("/advertisers", "any"),
    Route("/models", "any"),
    Route("/stats", "all"),
    Route("/runs", "all"),
]
EVERYWHERE = [
    *(Route(form.format(route.path), route.reach, route.method, route.body) for route in ROUTES for form in BOTH),
    Route("/api/v1", "any"),
    Route("/api/v1/", "any"),
    Route("/metrics", "all"),
    Route("/metrics/", "all"),
]
OPEN = [
    *(form.format(path) for path in ("/health/live", "/health/ready") for form in BOTH),
    "/",
    "/api/v1/schema",
    "/api/v1/schema/",
    "/api/v1/docs",
    "/api/v1/docs/",
]


def make_key(advertiser_id=None, lifetime=timedelta(days=1)):
    """The text of a new key: of one advertiser, or of all."""
    owner = make_advertiser(advertiser_id) if advertiser_id else None
    return ApiKey.objects.issue("test", owner, lifetime).text


def make_lists_of(*advertiser_ids):
    """A published run with both lists of each; each has its own product."""
    run = make_run()
    for advertiser_id in advertiser_ids:
        make_advertiser(advertiser_id)
        for model in (TopProduct, TopCTR):
            make_list(run, advertiser_id, f"product-of-{advertiser_id}", model)
        make_counts(run, advertiser_id, {f"product-of-{advertiser_id}": [5, 4, 1, 0]})
    return run


def call(client, route, key=None, scheme="Api-Key"):
    """The response to the route's request, with the key if there is one."""
    headers = {"authorization": f"{scheme} {key}"} if key is not None else None
    kind = "application/json" if route.body else "application/octet-stream"
    return whole(client.generic(route.method, route.path, route.body, kind, headers=headers))


def whole(response):
    """The response, read to its end if it is a stream, so that nothing of it is left open."""
    if response.streaming:
        response.streaming_content = [response.getvalue()]
    return response
