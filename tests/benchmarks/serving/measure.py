"""What is measured, alternating between the servers: one round of one after the other, again and again."""

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
from tests.benchmarks.serving.load import Question
from tests.benchmarks.serving.pages import PAGES, cold_and_warm
from tests.benchmarks.serving.published import Visitor
from tests.benchmarks.serving.servers import Server, seconds_of_cpu

LISTS = 1000  # different ones that are asked for
RATE = 200  # requests a second for the percentiles
NEW = "list never asked for before"

Figures = dict[tuple[str, str], list[float]]
"""One value a round, by server and by what was measured."""


def lists_to_ask_for(postgres: Postgres, key: str) -> list[Question]:
    with closing(psycopg2.connect(postgres.url())) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT advertiser_id FROM advertiser ORDER BY advertiser_id")
        advertisers = [advertiser for (advertiser,) in cursor]
    chosen = random.Random(1).choices(advertisers, k=LISTS)  # noqa: S311
    models = ("TopProduct", "TopCTR")
    return [Question(f"/recommendations/{each}/{models[n % 2]}", key) for n, each in enumerate(chosen)]


def with_etags(server: Server, questions: Sequence[Question]) -> list[Question]:
    """The same questions from somebody who has the answers."""
    connection = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=20)

    def etag(question: Question, held: str = "") -> str:
        headers = {"Authorization": f"Api-Key {question.key}", **({"If-None-Match": held} if held else {})}
        connection.request("GET", question.path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != (304 if held else 200):
            raise AssertionError(f"{question.path} was answered with {answer.status}")
        return str(answer.headers["ETag"])

    asked = [Question(each.path, each.key, etag(each)) for each in questions]
    etag(asked[0], held=asked[0].etag)
    return asked


def never_asked(questions: Sequence[Question], number: int) -> list[Question]:
    """The same questions in so many variants that none is asked twice, in this round or another."""
    return [
        Question(f"{each.path}?exclude=none-{number}-{variant}", each.key)
        for variant in range(20)
        for each in questions
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
    """Requests a second, and CPU milliseconds that server and database spend on one, of lists and of 304s."""
    asked = lists_to_ask_for(postgres, key)
    work = [(original, "list", [Question(each.path) for each in asked])]
    for server in candidates:
        work += [(server, "list", asked), (server, NEW, asked), (server, "304", with_etags(server, asked))]
    database = int((postgres.data / "postmaster.pid").read_text().split()[0])
    figures: Figures = defaultdict(list)
    for server, _, questions in work:
        load.as_many_as_it_takes(server.address, questions, 2, folder)  # to warm up
    for number in range(rounds):
        with step(f"round {number + 1} of {rounds}"):
            for server, what, repeated in work:
                questions = never_asked(repeated, number) if what == NEW else repeated
                spent = seconds_of_cpu(server.pid, database)
                found = load.as_many_as_it_takes(server.address, questions, seconds, folder)
                spent = seconds_of_cpu(server.pid, database) - spent
                figures[server.name, f"{what}: requests/s"].append(found["requests"] * 1e6 / found["microseconds"])
                figures[server.name, f"{what}: CPU ms"].append(1000 * spent / found["requests"])
    return figures


def percentiles(candidates: Sequence[Server], postgres: Postgres, key: str, rounds: int, folder: Path) -> Figures:
    """Milliseconds until an answer at RATE requests a second."""
    asked = lists_to_ask_for(postgres, key)
    figures: Figures = defaultdict(list)
    for number in range(rounds):
        with step(f"{RATE} requests a second, round {number + 1} of {rounds}"):
            for server in candidates:
                for name, milliseconds in load.at_a_rate(server.address, asked, RATE, 10, folder).items():
                    figures[server.name, f"{name} at {RATE}/s, ms"].append(milliseconds)
    return figures


def page_times(servers: Sequence[Server], visitor: Visitor) -> Figures:
    """Milliseconds of the pages, by servers of one worker each that were started for this."""
    figures: Figures = defaultdict(list)
    for server in servers:
        for page in PAGES:
            cold, warm = cold_and_warm(server, page, visitor)
            figures[server.name, f"{page.name}, cold, ms"].append(cold)
            figures[server.name, f"{page.name}, warm, ms"].append(warm)
    return figures
