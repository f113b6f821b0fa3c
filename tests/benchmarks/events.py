"""Raw events for the benchmarks: as many as asked for, in seconds, the same ones every time and in every form.

Seven days, sorted by day as a log is. Every advertiser has as many events as any other; of his products few are popular:
the n-th has a share of 1/n (Zipf). With the default shape 40 million events hold 2.9 million views a day, of which about
190,000 lines differ.
"""

from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb

DAYS = 7
FIRST_DAY = date(2025, 6, 1)
RANKED_DAY = FIRST_DAY + timedelta(days=DAYS - 1)
FORMS = ("flat", "date", "gzip", "parquet")
ENDINGS = {"flat": ".csv", "gzip": ".csv.gz", "parquet": ".parquet"}
COPY_OPTIONS = {"gzip": "format csv, header, compression gzip", "parquet": "format parquet"}
BYTES_A_ROW = 48

PRODUCTS = """
    create table product as
    select advertiser, product, upper(md5('advertiser ' || advertiser)[:20]) as advertiser_id,
        upper(md5(advertiser || ' product ' || product)[:10]) as product_id, {chance} as chance_of_a_click
    from range({advertisers}) as one(advertiser), range({products}) as other(product)
"""
EVENTS = """
    select {columns} from (
        select i, cast(floor({by_advertiser} * {advertisers}) as bigint) as advertiser,
            cast(floor(exp({by_product} * ln({products} + 1))) as bigint) - 1 as product,
            date '{first_day}' + cast(i * {days} // {rows} as integer) as date
        from range({first}, {end}) as rows(i)
    ) join product using (advertiser, product)
"""
VIEW = "advertiser_id, product_id, date"
AD_EVENT = (
    "advertiser_id, product_id, case when {luck} < chance_of_a_click then 'click' else 'impression' end as type, date"
)


@dataclass(frozen=True)
class Shape:
    """How many events there are, half of them views, and whose."""

    rows: int
    active: int = 20
    inactive: int = 5
    products: int = 8000
    """Products of each advertiser."""

    @property
    def bytes(self) -> int:
        return self.rows * BYTES_A_ROW


class Files(NamedTuple):
    """What a peer reads of one day: the active advertisers, the views and the ad events, each one file."""

    active: str
    views: str
    ads: str


def files_of(raw_uri: str, form: str, day: date) -> Files:
    """Return the files that a peer needs for `day`: like Vitrina, of `date=` folders only the day's own."""
    ending = f"/date={day}/events.csv" if form == "date" else ENDINGS[form]
    names = (f"{name}{ending}" for name in ("product_views", "ads_views"))
    return Files(f"{raw_uri}/advertiser_ids.csv", *(f"{raw_uri}/{name}" for name in names))


def write_events(folder: Path, shape: Shape, form: str) -> None:
    """Write the three inputs into `folder` in one of FORMS."""
    folder.mkdir(parents=True, exist_ok=True)
    with closing(duckdb.connect()) as database:
        advertisers = shape.active + shape.inactive
        chance = f"0.005 + 0.1 * power({_random('product * 1000003 + advertiser', 4)}, 3)"
        database.execute(PRODUCTS.format(advertisers=advertisers, products=shape.products, chance=chance))
        active = f"select distinct advertiser_id from product where advertiser < {shape.active} order by all"
        database.execute(f"copy ({active}) to '{folder}/advertiser_ids.csv' (header)")
        columns_of = {"product_views": VIEW, "ads_views": AD_EVENT.format(luck=_random("i", 7))}
        for salt, (name, columns) in enumerate(columns_of.items()):
            for path, first, end in _pieces(folder / name, shape.rows // 2, form):
                events = EVENTS.format(
                    columns=columns,
                    advertisers=advertisers,
                    products=shape.products,
                    by_advertiser=_random("i", 2 * salt),
                    by_product=_random("i", 2 * salt + 1),
                    first_day=FIRST_DAY,
                    days=DAYS,
                    rows=shape.rows // 2,
                    first=first,
                    end=end,
                )
                path.parent.mkdir(parents=True, exist_ok=True)
                database.execute(f"copy ({events}) to '{path}' ({COPY_OPTIONS.get(form, 'format csv, header')})")


def _pieces(path: Path, rows: int, form: str) -> list[tuple[Path, int, int]]:
    """Return the files of one input, each with its first row and the one after its last."""
    if form != "date":
        return [(path.with_name(path.name + ENDINGS[form]), 0, rows)]
    starts = [-(-rows * n // DAYS) for n in range(DAYS + 1)]
    days = [FIRST_DAY + timedelta(days=n) for n in range(DAYS)]
    return [(path / f"date={day}" / "events.csv", starts[n], starts[n + 1]) for n, day in enumerate(days)]


def _random(number: str, salt: int) -> str:
    """Return SQL for a number from 0 to 1 that only depends on `number`, so that threads do not matter."""
    return f"(hash(({number}) * 8 + {salt}) / 18446744073709551616.0)"
