"""Response times of single pages, cold (nothing cached) and warm."""

import http.client
import statistics
import time
from dataclasses import dataclass

from tests.benchmarks.serving.published import Visitor
from tests.benchmarks.serving.servers import Server

WARM_REQUESTS = 30


@dataclass(frozen=True)
class Page:
    """A page, and another one to request first, so that the page is cold but the process is not."""

    name: str
    path: str
    warm_up_path: str


PAGES = [
    Page("/stats", "/stats", "/runs"),
    Page("admin's home", "/admin/", "/admin/rankings/run/"),
]


def cold_and_warm(server: Server, page: Page, visitor: Visitor) -> tuple[float, float]:
    """Return the milliseconds of a new server's first response, and the median of later ones."""
    port = int(server.address.rpartition(":")[2])
    headers = {"Authorization": f"Api-Key {visitor.key}", "Cookie": f"sessionid={visitor.session}"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def milliseconds(path: str) -> float:
        began = time.perf_counter()
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.read()
        if response.status != http.HTTPStatus.OK:
            raise AssertionError(f"the response to {path} has status {response.status}")
        return (time.perf_counter() - began) * 1000

    milliseconds(page.warm_up_path)
    cold = milliseconds(page.path)
    return cold, statistics.median(milliseconds(page.path) for _ in range(WARM_REQUESTS))
