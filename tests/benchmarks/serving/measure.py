"""The measurements. Each round measures every server once, so that the servers alternate."""

import http.client
import random
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import psycopg2

from devstack.postgres import Postgres
from devstack.steps import step
from tests.benchmarks.serving import load
from tests.benchmarks.serving.load import Request
from tests.benchmarks.serving.pages import PAGES, cold_and_warm
from tests.benchmarks.serving.published import Visitor
from tests.benchmarks.serving.servers import Server, cpu_seconds

LISTS = 1000  # distinct lists to request
RATE = 200  # requests per second for the percentiles
UNCACHED = "first request for a list"

Figures = dict[tuple[str, str], list[float]]
"""One value per round, by server and measure."""


def list_requests(postgres: Postgres, key: str) -> list[Request]:
    with closing(psycopg2.connect(postgres.url())) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT advertiser_id FROM advertiser ORDER BY advertiser_id")
        advertisers = [advertiser for (advertiser,) in cursor]
    chosen = random.Random(1).choices(advertisers, k=LISTS)  # noqa: S311
    models = ("TopProduct", "TopCTR")
    return [Request(f"/recommendations/{each}/{models[n % 2]}", key) for n, each in enumerate(chosen)]


def with_etags(server: Server, requests: Sequence[Request]) -> list[Request]:
    """Return the requests with the ETags of their responses; check that the first one then gets a 304."""
    connection = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=20)

    def fetch_etag(request: Request) -> str:
        headers = {"Authorization": f"Api-Key {request.key}"}
        if request.etag:
            headers["If-None-Match"] = request.etag
        connection.request("GET", request.path, headers=headers)
        response = connection.getresponse()
        response.read()
        if response.status != (304 if request.etag else 200):
            raise AssertionError(f"the response to {request.path} has status {response.status}")
        return str(response.headers["ETag"])

    conditional = [Request(each.path, each.key, fetch_etag(each)) for each in requests]
    fetch_etag(conditional[0])
    return conditional


def uncached(requests: Sequence[Request], round_number: int) -> list[Request]:
    """Return 20 variants of each request, so that none is sent twice in this round or another."""
    return [
        Request(f"{each.path}?exclude=none-{round_number}-{variant}", each.key)
        for variant in range(20)
        for each in requests
    ]


def throughput(
    candidates: Sequence[Server],
    original: Server,
    postgres: Postgres,
    key: str,
    rounds: int,
    seconds: int,
    folder: Path,
) -> Figures:
    """Return requests per second, and CPU milliseconds of server and database per request, for lists and for 304s."""
    lists = list_requests(postgres, key)
    work = [(original, "list", [Request(each.path) for each in lists])]
    for server in candidates:
        work += [(server, "list", lists), (server, UNCACHED, lists), (server, "304", with_etags(server, lists))]
    database = int((postgres.data / "postmaster.pid").read_text().split()[0])
    figures: Figures = defaultdict(list)
    for server, _, requests in work:
        load.at_full_speed(server.address, requests, 2, folder)  # to warm up
    for number in range(rounds):
        with step(f"round {number + 1} of {rounds}"):
            for server, what, requests in work:
                to_send = uncached(requests, number) if what == UNCACHED else requests
                cpu_before = cpu_seconds(server.pid, database)
                found = load.at_full_speed(server.address, to_send, seconds, folder)
                cpu = cpu_seconds(server.pid, database) - cpu_before
                figures[server.name, f"{what}: requests/s"].append(found["requests"] * 1e6 / found["microseconds"])
                figures[server.name, f"{what}: CPU ms"].append(1000 * cpu / found["requests"])
    return figures


def percentiles(candidates: Sequence[Server], postgres: Postgres, key: str, rounds: int, folder: Path) -> Figures:
    """Return response times in milliseconds at RATE requests per second."""
    lists = list_requests(postgres, key)
    figures: Figures = defaultdict(list)
    for number in range(rounds):
        with step(f"{RATE} requests per second, round {number + 1} of {rounds}"):
            for server in candidates:
                for name, milliseconds in load.at_a_rate(server.address, lists, RATE, 10, folder).items():
                    figures[server.name, f"{name} at {RATE}/s, ms"].append(milliseconds)
    return figures


def page_times(servers: Sequence[Server], visitor: Visitor) -> Figures:
    """Return the pages' response times in milliseconds. Each server must be just started and have one worker."""
    figures: Figures = defaultdict(list)
    for server in servers:
        for page in PAGES:
            cold, warm = cold_and_warm(server, page, visitor)
            figures[server.name, f"{page.name}, cold, ms"].append(cold)
            figures[server.name, f"{page.name}, warm, ms"].append(warm)
    return figures
