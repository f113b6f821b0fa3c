"""The published days that the benchmark serves, an API key and an admin session. The data are kept between runs."""

import json
import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import psycopg2

from devstack.postgres import Postgres
from devstack.state import secret
from devstack.steps import step

ROWS = 20  # per list

# Ids look like the original's: 20 capitals and digits. The steps are coprime to 101, so that no list has a product twice.
# Half of a day's products were not in the list of the day before.
ADVERTISERS = """
    INSERT INTO advertiser (advertiser_id, last_active_on)
    SELECT 'A' || upper(substr(md5(number::text), 1, 19)), %s FROM generate_series(1, %s) AS number
"""
RUN = """
    INSERT INTO run (day, state, started_at, finished_at, published_at, counts)
    VALUES (%s, 'published', now(), now(), now(), %s) RETURNING id
"""
LISTS = """
    INSERT INTO {table} (run_id, date, advertiser_id, product_id, rank, {columns})
    SELECT %s, %s, advertiser_id, 'p' || (hashtext(advertiser_id) & 511) || '-' || (rank * {step} + %s) %% 101, rank, {values}
    FROM advertiser, generate_series(1, {rows}) AS rank
"""
SCORES = {
    "top_product": ("views", "1000 - rank", 37),
    "top_ctr": ("clicks, impressions, ctr", "21 - rank, 100, (21 - rank) / 100.0", 53),
}
# Hidden products, so that the table is not empty; every request reads it. None of them is in a list.
HIDDEN = """
    INSERT INTO hidden_product (advertiser_id, product_id, reason, until, hidden_at, hidden_by_id)
    SELECT advertiser_id, 'gone', 'sold out', %s, now(), %s FROM advertiser ORDER BY advertiser_id LIMIT %s
"""
COUNTS = {
    "events": 4_000_000,
    "views": 2_000_000,
    "impressions": 1_980_000,
    "clicks": 20_000,
    "read": {"product_views": 2_000_000, "ads_views": 2_000_000},
    "rejected": {"not a day": 40},
}


class Visitor(NamedTuple):
    """An API key for all advertisers, and the session cookie of a superuser."""

    key: str
    session: str


def fill(postgres: Postgres, advertisers: int, days: int) -> None:
    """Publish the last `days` up to yesterday (UTC) for that many advertisers, unless they already exist."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    with closing(psycopg2.connect(postgres.url())) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM advertiser), count(*), max(day) FROM run WHERE state = 'published'"
        )
        if cursor.fetchone() == (advertisers, days, yesterday):
            return
        with step(f"{days} published days of {advertisers} advertisers, {2 * ROWS} rows each"):
            cursor.execute("TRUNCATE run, advertiser, top_product, top_ctr, hidden_product, api_key, rollback CASCADE")
            cursor.execute(ADVERTISERS, [yesterday, advertisers])
            for age in range(days - 1, -1, -1):
                day = yesterday - timedelta(days=age)
                cursor.execute(RUN, [day, json.dumps(COUNTS)])
                [(run,)] = cursor.fetchall()
                for table, (columns, values, stride) in SCORES.items():
                    lists = LISTS.format(table=table, columns=columns, values=values, step=stride, rows=ROWS)
                    cursor.execute(lists, [run, day, 10 * age])
            hider = superuser_id(cursor)
            cursor.execute(HIDDEN, [yesterday + timedelta(days=90), hider, advertisers // 5])
            connection.commit()
            connection.autocommit = True
            cursor.execute("VACUUM ANALYZE")


def superuser_id(cursor: "psycopg2.extensions.cursor") -> int:
    cursor.execute(
        "INSERT INTO auth_user (username, password, is_superuser, is_staff, is_active, first_name, last_name, email,"
        " date_joined) VALUES ('bench', '!', true, true, true, '', '', '', now())"
        " ON CONFLICT (username) DO UPDATE SET is_active = true RETURNING id"
    )
    return cursor.fetchone()[0]


def visitor(postgres: Postgres) -> Visitor:
    """Create a key and log the superuser in, with Django in this process."""
    os.environ |= {
        "DATABASE_URL": postgres.url(),
        "SECRET_KEY": secret(postgres.folder, "SECRET_KEY"),
        "DJANGO_SETTINGS_MODULE": "webapp.settings",
    }
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.test import Client

    from webapp.keys.models import ApiKey

    ApiKey.objects.filter(name="bench").delete()
    key = ApiKey.objects.issue("bench", None)
    client = Client()
    client.force_login(User.objects.get(username="bench"), backend="django.contrib.auth.backends.ModelBackend")
    return Visitor(str(key.text), client.cookies["sessionid"].value)
