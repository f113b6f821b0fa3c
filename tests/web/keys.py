"""Keys and routes for the tests of authentication."""

from dataclasses import dataclass
from datetime import timedelta

from tests.web.conftest import YESTERDAY, make_advertiser, make_counts, make_list, make_run
from webapp.keys.models import ApiKey
from webapp.rankings.models import LASTING

BOTH = [f"{prefix}{{}}{slash}" for prefix in ("", "/api/v1") for slash in ("", "/")]


@dataclass(frozen=True)
class Route:
    """A URL of the API; `scope` is the key that it needs: for the `one` advertiser, `any` key, or for `all` advertisers."""

    path: str
    scope: str
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
    *(Route(form.format(route.path), route.scope, route.method, route.body) for route in ROUTES for form in BOTH),
    Route("/api/v1", "any"),
    Route("/api/v1/", "any"),
    Route("/metrics", "all"),
    Route("/metrics/", "all"),
]
OPEN = [
    *(form.format(path) for path in ("/health/live", "/health/ready", "/health/fresh") for form in BOTH),
    "/",
    "/api/v1/schema",
    "/api/v1/schema/",
    "/api/v1/docs",
    "/api/v1/docs/",
]


def make_key(advertiser_id=None, lifetime=timedelta(days=1)):
    """The text of a new key for one advertiser or for all."""
    owner = make_advertiser(advertiser_id) if advertiser_id else None
    return ApiKey.objects.issue("test", owner, lifetime).text


def make_lists_of(*advertiser_ids):
    """A published run with a list of each advertiser by each lasting model; each advertiser has its own product."""
    run = make_run()
    for advertiser_id in advertiser_ids:
        make_advertiser(advertiser_id)
        for model in LASTING.values():
            make_list(run, advertiser_id, f"product-of-{advertiser_id}", model)
        make_counts(run, advertiser_id, {f"product-of-{advertiser_id}": [5, 4, 1, 0, 2**20, 2**22]}, prior=(0.1, 20))
    return run


def call(client, route, key=None, scheme="Api-Key"):
    """The response to a request of the route, with the key if given."""
    headers = {"authorization": f"{scheme} {key}"} if key is not None else None
    kind = "application/json" if route.body else "application/octet-stream"
    return whole(client.generic(route.method, route.path, route.body, kind, headers=headers))


def whole(response):
    """The response; a stream is read to its end, so that it is closed."""
    if response.streaming:
        response.streaming_content = [response.getvalue()]
    return response
