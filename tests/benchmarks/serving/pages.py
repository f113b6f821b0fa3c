"""How long single pages take: cold, nothing kept of them yet, and warm."""

import http.client
import statistics
import time
from dataclasses import dataclass

from tests.benchmarks.serving.published import Visitor
from tests.benchmarks.serving.servers import Server

WARM_REQUESTS = 30


@dataclass(frozen=True)
class Page:
    """A page, and another that is asked before it, so that what is cold is the page and not the process."""

    name: str
    path: str
    before: str


PAGES = [
    Page("/stats", "/stats", "/runs"),
    Page("admin's home", "/admin/", "/admin/rankings/run/"),
]


def cold_and_warm(server: Server, page: Page, visitor: Visitor) -> tuple[float, float]:
    """Milliseconds of the first answer and the median of the later ones, of a server that has just started."""
    port = int(server.address.rpartition(":")[2])
    headers = {"Authorization": f"Api-Key {visitor.key}", "Cookie": f"sessionid={visitor.session}"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def milliseconds(path: str) -> float:
        began = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise AssertionError(f"{path} was answered with {answer.status}")
        return (time.perf_counter() - began) * 1000

    milliseconds(page.before)
    cold = milliseconds(page.path)
    return cold, statistics.median(milliseconds(page.path) for _ in range(WARM_REQUESTS))
