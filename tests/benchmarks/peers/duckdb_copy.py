"""DuckDB: SQL on the input files, and COPY with psycopg2. Arguments: ACTIVE VIEWS ADS DAY RUN; environment: DATABASE_URL.

COPY, because no package registry has DuckDB's postgres extension for this version.
"""

import io
import os
import sys
from contextlib import closing

import duckdb
import psycopg2

OF_THE_DAY = """
    from '{events}'
    where date = cast($day as date) and advertiser_id in (select advertiser_id from '{active}')
    group by advertiser_id, product_id
"""
TOP_PRODUCT = f"""
    select advertiser_id, product_id, count(*) as views,
        row_number() over (partition by advertiser_id order by count(*) desc, product_id) as rank
    {OF_THE_DAY} qualify rank <= 20
"""
TOP_CTR = f"""
    select advertiser_id, product_id, clicks, impressions, clicks / impressions as ctr, ctr as score,
        row_number() over (partition by advertiser_id order by ctr desc, impressions desc, product_id) as rank
    from (
        select advertiser_id, product_id, count(*) filter (where type = 'click') as clicks,
            count(*) filter (where type = 'impression') as impressions
        {OF_THE_DAY}
    ) where impressions > 0 qualify rank <= 20
"""

active, views, ads, day, run = sys.argv[1:]
with closing(psycopg2.connect(os.environ["DATABASE_URL"])) as connection, connection, connection.cursor() as cursor:
    for table, ranking, events in (("top_product", TOP_PRODUCT, views), ("top_ctr", TOP_CTR, ads)):
        rows = duckdb.execute(ranking.format(events=events, active=active), {"day": day})
        columns = ["run_id", "date", *[name for name, *_ in rows.description]]
        lines = ("\t".join(map(str, (run, day, *row))) for row in rows.fetchall())
        cursor.copy_expert(f"copy {table} ({', '.join(columns)}) from stdin", io.StringIO("\n".join(lines)))
