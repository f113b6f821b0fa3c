"""The original pipeline: pandas, and to_sql. Arguments: ACTIVE VIEWS ADS DAY RUN; environment: DATABASE_URL."""

import os
import sys
from datetime import date
from functools import partial

import pandas as pd
import sqlalchemy

TOP = 20


def best(products: pd.DataFrame, scores: list[str], day: str, run: int) -> pd.DataFrame:
    """Keep each advertiser's best products: highest scores first, then by product id."""
    order = ["advertiser_id", *scores, "product_id"]
    ascending = [True, *[False for _ in scores], True]
    ranked = products.sort_values(order, ascending=ascending)
    ranked["rank"] = ranked.groupby("advertiser_id").cumcount() + 1
    return ranked[ranked["rank"] <= TOP].assign(run_id=run, date=date.fromisoformat(day))


active_path, views_path, ads_path, day, run = sys.argv[1:]
active = pd.read_csv(active_path)["advertiser_id"]
is_parquet = views_path.endswith(".parquet")
read = pd.read_parquet if is_parquet else partial(pd.read_csv, engine="pyarrow")  # the fastest reader
wanted = date.fromisoformat(day)

views = read(views_path)
views = views[(views["date"] == wanted) & views["advertiser_id"].isin(active)]
top_product = views.groupby(["advertiser_id", "product_id"]).size().reset_index(name="views")

ads = read(ads_path)
ads = ads[(ads["date"] == wanted) & ads["advertiser_id"].isin(active)]
counts = ads.groupby(["advertiser_id", "product_id", "type"]).size().unstack(fill_value=0).reset_index()
shown = counts[counts["impression"] > 0].rename(columns={"click": "clicks", "impression": "impressions"})
shown["ctr"] = shown["score"] = shown["clicks"] / shown["impressions"]

engine = sqlalchemy.create_engine(os.environ["DATABASE_URL"].replace("postgres://", "postgresql+psycopg2://"))
for table, products, scores in (
    ("top_product", top_product, ["views"]),
    ("top_ctr", shown, ["ctr", "impressions"]),
):
    best(products, scores, day, int(run)).to_sql(table, engine, if_exists="append", index=False)
