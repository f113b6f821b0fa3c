"""The table advertiser_counts: what the web app needs to explain why a product has its rank, or none."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from spark_jobs.ranking.windows import KINDS, is_kept

PRODUCT_NUMBERS = (*KINDS, "past_views", "decayed_clicks", "decayed_impressions")
"""The numbers of each product, in the order of the JSON array that holds them."""
ADVERTISER_KEY = ["run_id", "date", "advertiser_id"]
ROW_KEY = [*ADVERTISER_KEY, "part"]
PRODUCTS_PER_ROW = 5_000
"""About how many products a row holds: at most, since ids have up to 64 characters, 2 MB of JSON, and usually 0.3 MB."""


def advertiser_counts(products: DataFrame, rejects: DataFrame | None) -> DataFrame:
    """Return what each run counted by advertiser: ROW_KEY, past_days, prior_mean, prior_weight, products, hidden, rejected.

    The last three are JSON. `products` has by product_id the array of PRODUCT_NUMBERS, for each product with events on
    the day or decayed impressions, which are in 1 / UNITS; `hidden` the ids of hidden products; `rejected` by product_id how
    many of its lines were rejected, by reason. A row that has only rejected lines has no prior.
    A row for each product would make the append large, so most advertisers have one row, part 0. Those with more than
    PRODUCTS_PER_ROW products have several: no task and no row has to hold a million products.
    """
    numbers = F.struct("product_id", F.array(*PRODUCT_NUMBERS))
    kept = products.where(is_kept()).withColumn("part", part_of_product("products_to_keep"))
    counted = kept.groupBy(*ROW_KEY).agg(
        F.max("past_days").cast("smallint").alias("past_days"),
        *[F.max(name).alias(name) for name in ("prior_mean", "prior_weight")],
        F.to_json(F.map_from_entries(F.collect_list(numbers))).alias("products"),
        F.to_json(F.collect_list(F.when(F.col("hidden"), F.col("product_id")))).alias("hidden"),
    )
    if rejects is None:
        return counted.withColumn("rejected", F.lit("{}"))
    return counted.join(rejected_lines(rejects), ROW_KEY, how="full").fillna(
        {"past_days": 0, "products": "{}", "hidden": "[]", "rejected": "{}"}
    )


def part_of_product(products: str) -> Column:
    """Return the number of the row that holds a product, from 0; `products` counts the advertiser's products.

    It depends on the id's hash alone, so a rerun gives the same rows.
    """
    return F.expr(f"abs(hash(product_id) % (1 + (int({products}) - 1) div {PRODUCTS_PER_ROW}))").cast("smallint")


def rejected_lines(rejects: DataFrame) -> DataFrame:
    """Return (run_id, date, advertiser_id, part, rejected): how many lines were rejected, by product and reason.

    A product id with a NUL is left out: PostgreSQL cannot read JSON that contains one, so the web app could explain no
    product of the row.
    """
    with_product = rejects.where(F.length("product_id").between(1, 64) & ~F.col("product_id").contains("\0"))
    by_reason = with_product.groupBy(*ADVERTISER_KEY, "product_id", "reason").agg(F.sum("lines").alias("lines"))
    reasons = F.map_from_entries(F.collect_list(F.struct("reason", "lines"))).alias("reasons")
    by_product = by_reason.groupBy(*ADVERTISER_KEY, "product_id").agg(reasons)
    counted = by_product.withColumn("rejected_products", F.count("*").over(Window.partitionBy(*ADVERTISER_KEY)))
    in_parts = counted.withColumn("part", part_of_product("rejected_products"))
    products = F.map_from_entries(F.collect_list(F.struct("product_id", "reasons")))
    return in_parts.groupBy(*ROW_KEY).agg(F.to_json(products).alias("rejected"))
