"""The API that Vitrina replaces: FastAPI, with a psycopg2 connection per request.

It runs with `uvicorn --workers 2` in a separate virtual environment. URL and rows are those of the old API, and an index
serves its query; it has no keys, hidden products, ETags or rollbacks.
"""

import os
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg2
import psycopg2.extras
from fastapi import FastAPI, HTTPException

TABLES = {"TopProduct": "top_product", "TopCTR": "top_ctr"}
COLUMNS = {"TopProduct": "rank, product_id, views", "TopCTR": "rank, product_id, clicks, impressions, ctr"}

app = FastAPI()


def yesterday() -> date:
    return datetime.now(UTC).date() - timedelta(days=1)


@app.get("/recommendations/{advertiser}/{model}")
def recommendations(advertiser: str, model: str) -> dict[str, Any]:
    if model not in TABLES:
        raise HTTPException(404, "no such model")
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    try:
        cursor = connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor)
        cursor.execute(
            f"SELECT {COLUMNS[model]} FROM {TABLES[model]} WHERE date = %s AND advertiser_id = %s ORDER BY rank",
            [yesterday(), advertiser],
        )
        items = cursor.fetchall()
    finally:
        connection.close()
    if not items:
        raise HTTPException(404, "no recommendations")
    return {"advertiser_id": advertiser, "model": model, "date": yesterday(), "items": items}
