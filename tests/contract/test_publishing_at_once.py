"""Transactions that publish at once take their locks in one order: none ends in a deadlock, and the newest day decides."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, timedelta

import psycopg2
import pytest
from django.db import connection

from spark_jobs.warehouse import Warehouse, ledger, publication
from tests.web.conftest import make_advertiser, make_list, make_run
from webapp.operations.rollbacks import roll_back
from webapp.rankings.models import Advertiser, Run

OLDER, NEWER = date(2026, 3, 8), date(2026, 3, 9)


@pytest.fixture
def warehouses(database):
    """The sessions of two jobs."""
    with closing(Warehouse(database)) as one, closing(Warehouse(database)) as other:
        yield one, other


def wait_for_blocked(sessions):
    """Wait until so many sessions wait for a lock."""
    patience = time.monotonic() + 30
    blocked = -1
    while blocked != sessions:
        assert time.monotonic() < patience, f"{blocked} sessions wait for a lock"
        with connection.cursor() as cursor:
            cursor.execute("select count(distinct pid) from pg_locks where not granted")
            (blocked,) = cursor.fetchone()
        time.sleep(0.02)


def at_once(database, first, second):
    """Run two transactions at once: `first` stops at advertiser `m`, then `second` runs as far as it can; then both end."""
    with ThreadPoolExecutor() as pool, closing(psycopg2.connect(**database.libpq_parameters)) as holder:
        holder.cursor().execute("select from advertiser where advertiser_id = 'm' for update")
        both = [pool.submit(first)]
        wait_for_blocked(1)
        both.append(pool.submit(second))
        wait_for_blocked(2)
        holder.rollback()
        for each in both:
            each.result(timeout=60)


def active():
    return set(Advertiser.objects.active().values_list("pk", flat=True))


def test_two_days_published_at_once_do_not_deadlock_and_the_newer_one_decides_who_is_active(database, warehouses):
    for name in "amz":
        make_advertiser(name)
    older, newer = (make_run(day, "running").pk for day in (OLDER, NEWER))
    at_once(
        database,
        lambda: publication.publish(warehouses[0], older, OLDER, {}, ["a", "m"]),  # deactivates z
        lambda: publication.publish(warehouses[1], newer, NEWER, {}, ["z", "a"]),
    )

    assert set(Run.objects.published().values_list("pk", flat=True)) == {older, newer}
    assert active() == {"a", "z"}


def test_a_rollback_and_a_publish_at_once_do_not_deadlock(database, warehouses):
    for name in "amz":
        make_advertiser(name, active=False)
    restored = make_run(NEWER, "superseded")
    make_run(NEWER)
    for name in "az":
        make_list(restored, name, "p")
    newer = make_run(NEWER + timedelta(days=1), "running").pk

    def rolled_back():
        try:
            roll_back(NEWER, "boss", to=restored.pk)
        finally:
            connection.close()

    at_once(
        database,
        lambda: publication.publish(warehouses[0], newer, NEWER + timedelta(days=1), {}, ["z", "m", "a"]),
        rolled_back,
    )

    assert active() == {"a", "m", "z"}
    assert Run.objects.get(pk=restored.pk).state == "published"


def test_a_day_is_marked_as_final_after_the_transaction_that_publishes(database, warehouses):
    make_advertiser("m")
    published = make_run(OLDER)
    running = make_run(NEWER, "running").pk
    at_once(
        database,
        lambda: publication.publish(warehouses[0], running, NEWER, {}, ["m"]),
        lambda: ledger.mark_final(warehouses[1], OLDER),
    )

    assert Run.objects.get(pk=published.pk).final
