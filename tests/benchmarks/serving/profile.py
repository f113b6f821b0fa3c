"""Profile one request: its queries, and the functions that take most time.

    python -m tests.benchmarks.serving.profile [--conditional] [--path PATH] [--rows 40]

Calls the WSGI application in this process, with the benchmark's database.
"""

import argparse
import cProfile
import os
import pstats
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any
from wsgiref.util import setup_testing_defaults

from devstack.postgres import WEB, Postgres
from devstack.state import state_folder
from tests.benchmarks.serving.measure import list_requests
from tests.benchmarks.serving.published import visitor

REPETITIONS = 300


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.serving.profile")
    parser.add_argument("--conditional", action="store_true", help="send If-None-Match with the current ETag")
    parser.add_argument("--path", help="request this path instead of a list")
    parser.add_argument("--rows", type=int, default=40, help="lines of the profile")
    parser.add_argument("--order", default="cumulative")
    options = parser.parse_args()
    postgres = Postgres(state_folder() / "benchmark" / "postgres")
    postgres.start()
    try:
        os.environ |= {"ALLOWED_HOSTS": "127.0.0.1", "HTTPS_ONLY": "false", "REQUESTS_PER_KEY": "999999999"}
        os.environ |= {"LOG_LEVEL": "ERROR"}
        key = visitor(postgres).key
        os.environ["DATABASE_URL"] = postgres.url(role=WEB)
        profile(options, options.path or list_requests(postgres, key)[0].path, key)
    finally:
        postgres.stop()
    return 0


def profile(options: argparse.Namespace, path: str, key: str) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from webapp.wsgi import application

    headers = {"HTTP_AUTHORIZATION": f"Api-Key {key}", "HTTP_HOST": "127.0.0.1"}
    send = request_sender(application, path, headers)
    status, response_headers = send()
    if options.conditional:
        headers["HTTP_IF_NONE_MATCH"] = dict(response_headers)["ETag"]
        status, _ = send()
    with CaptureQueriesContext(connection) as captured:
        send()
    queries = list(captured)  # the next request empties the log
    wall, cpu = zip(*(timed(send) for _ in range(REPETITIONS)), strict=True)
    print(f"{path}: {status}, {median(wall):.2f} ms, of which {median(cpu):.2f} ms CPU in this process")
    for query in queries:
        print(f"  {' '.join(query['sql'].split())[:300]}")
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(REPETITIONS):
        send()
    profiler.disable()
    pstats.Stats(profiler).sort_stats(options.order).print_stats(options.rows)


def request_sender(
    application: Any, path: str, headers: dict[str, str]
) -> Callable[[], tuple[str, list[tuple[str, str]]]]:
    """Return a function that sends the request and returns the status and headers of the response."""
    path, _, query = path.partition("?")

    def send() -> tuple[str, list[tuple[str, str]]]:
        environ: dict[str, Any] = {"PATH_INFO": path, "QUERY_STRING": query, **headers}
        setup_testing_defaults(environ)
        started: list[Any] = []
        response = application(environ, lambda *arguments: started.append(arguments))
        b"".join(response)
        response.close()
        return started[0][0], started[0][1]

    return send


def timed(send: Callable[[], Any]) -> tuple[float, float]:
    """Return the milliseconds of a call, elapsed and of this thread's CPU."""
    began, cpu_began = time.perf_counter(), time.thread_time()
    send()
    return (time.perf_counter() - began) * 1000, (time.thread_time() - cpu_began) * 1000


if __name__ == "__main__":
    sys.exit(main())
