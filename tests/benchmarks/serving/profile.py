"""Where the time of one request goes: its queries, and the functions that it spends most time in.

    python -m tests.benchmarks.serving.profile [--conditional] [--path PATH] [--rows 40]

Asks the WSGI application in this process, on the database that the benchmark has filled.
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
from tests.benchmarks.serving.measure import lists_to_ask_for
from tests.benchmarks.serving.published import visitor

REPETITIONS = 300


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.serving.profile")
    parser.add_argument("--conditional", action="store_true", help="from somebody who has the answer")
    parser.add_argument("--path", help="instead of a list")
    parser.add_argument("--rows", type=int, default=40, help="of the profile")
    parser.add_argument("--order", default="cumulative")
    options = parser.parse_args()
    postgres = Postgres(state_folder() / "benchmark" / "postgres")
    postgres.start()
    try:
        os.environ |= {"ALLOWED_HOSTS": "127.0.0.1", "HTTPS_ONLY": "false", "REQUESTS_PER_KEY": "999999999"}
        os.environ |= {"LOG_LEVEL": "ERROR"}
        key = visitor(postgres).key
        os.environ["DATABASE_URL"] = postgres.url(role=WEB)
        profile(options, options.path or lists_to_ask_for(postgres, key)[0].path, key)
    finally:
        postgres.stop()
    return 0


def profile(options: argparse.Namespace, path: str, key: str) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from webapp.wsgi import application

    headers = {"HTTP_AUTHORIZATION": f"Api-Key {key}", "HTTP_HOST": "127.0.0.1"}
    ask = asker(application, path, headers)
    status, answered = ask()
    if options.conditional:
        headers["HTTP_IF_NONE_MATCH"] = dict(answered)["ETag"]
        status, _ = ask()
    with CaptureQueriesContext(connection) as queries:
        ask()
    asked = list(queries)  # the next request empties the log
    wall, cpu = zip(*(timed(ask) for _ in range(REPETITIONS)), strict=True)
    print(f"{path}: {status}, {median(wall):.2f} ms, of which this process computes {median(cpu):.2f}")
    for query in asked:
        print(f"  {' '.join(query['sql'].split())[:300]}")
    watched = cProfile.Profile()
    watched.enable()
    for _ in range(REPETITIONS):
        ask()
    watched.disable()
    pstats.Stats(watched).sort_stats(options.order).print_stats(options.rows)


def asker(application: Any, path: str, headers: dict[str, str]) -> Callable[[], tuple[str, list[tuple[str, str]]]]:
    path, _, query = path.partition("?")

    def ask() -> tuple[str, list[tuple[str, str]]]:
        environ: dict[str, Any] = {"PATH_INFO": path, "QUERY_STRING": query, **headers}
        setup_testing_defaults(environ)
        began: list[Any] = []
        answer = application(environ, lambda *given: began.append(given))
        b"".join(answer)
        answer.close()
        return began[0][0], began[0][1]

    return ask


def timed(ask: Callable[[], Any]) -> tuple[float, float]:
    """Milliseconds: by the clock, and of this thread's CPU."""
    began, computed = time.perf_counter(), time.thread_time()
    ask()
    return (time.perf_counter() - began) * 1000, (time.thread_time() - computed) * 1000


if __name__ == "__main__":
    sys.exit(main())
