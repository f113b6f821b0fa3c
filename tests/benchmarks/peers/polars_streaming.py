"""Polars: lazy, streaming, written over ADBC. Arguments: ACTIVE VIEWS ADS DAY RUN; environment: DATABASE_URL."""

import os
import sys
from datetime import date

import polars as pl

TOP = 20


def best(products: pl.LazyFrame, scores: list[str], day: str, run: int) -> pl.LazyFrame:
    """Keep each advertiser's best products: highest scores first, then by product id."""
    descending = [False, *[True for _ in scores], False]
    rank = pl.int_range(1, pl.len() + 1, dtype=pl.Int16).over("advertiser_id").alias("rank")
    ranked = products.sort(["advertiser_id", *scores, "product_id"], descending=descending).with_columns(rank)
    stamps = {"run_id": pl.lit(run, pl.Int64), "date": pl.lit(date.fromisoformat(day))}
    return ranked.filter(pl.col("rank") <= TOP).with_columns(**stamps)


active_path, views_path, ads_path, day, run = sys.argv[1:]
active = pl.read_csv(active_path)["advertiser_id"]
is_parquet = views_path.endswith(".parquet")
scan = pl.scan_parquet if is_parquet else pl.scan_csv
wanted = date.fromisoformat(day) if is_parquet else day
of_the_day = (pl.col("date") == wanted) & pl.col("advertiser_id").is_in(active.to_list())
product = ["advertiser_id", "product_id"]

views = scan(views_path).filter(of_the_day)
top_product = views.group_by(product).agg(pl.len().cast(pl.Int64).alias("views"))

ads = scan(ads_path).filter(of_the_day)
counts = ads.group_by(product).agg(
    (pl.col("type") == "click").sum().cast(pl.Int64).alias("clicks"),
    (pl.col("type") == "impression").sum().cast(pl.Int64).alias("impressions"),
)
shown = counts.filter(pl.col("impressions") > 0).with_columns(
    ctr=pl.col("clicks") / pl.col("impressions"), score=pl.col("clicks") / pl.col("impressions")
)

rankings = [best(top_product, ["views"], day, int(run)), best(shown, ["ctr", "impressions"], day, int(run))]
for table, rows in zip(("top_product", "top_ctr"), pl.collect_all(rankings, engine="streaming"), strict=True):
    rows.write_database(
        table,
        os.environ["DATABASE_URL"].replace("postgres://", "postgresql://"),
        if_table_exists="append",
        engine="adbc",
    )
