"""Raw events for the benchmarks, generated in seconds and always the same, in every form.

Eight days, sorted by day like a log: a week of history, and the ranked day. Each advertiser has the same number of events;
the n-th most popular of its products has a share proportional to 1/n (Zipf). With the default shape, 40 million events
contain 2.5 million views a day, with about 190,000 distinct lines.
"""

from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb

DAYS = 8
FIRST_DAY = date(2025, 6, 1)
RANKED_DAY = FIRST_DAY + timedelta(days=DAYS - 1)
FORMS = ("flat", "date", "gzip", "parquet")
ENDINGS = {"flat": ".csv", "gzip": ".csv.gz", "parquet": ".parquet"}
COPY_OPTIONS = {"gzip": "format csv, header, compression gzip", "parquet": "format parquet"}
BYTES_PER_ROW = 48

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
    """The number of events, half of them views, and of advertisers and products."""

    rows: int
    active: int = 20
    inactive: int = 5
    products: int = 8000
    """Products per advertiser."""

    @property
    def bytes(self) -> int:
        return self.rows * BYTES_PER_ROW


class Files(NamedTuple):
    """The files that a peer reads for one day."""

    active: str
    views: str
    ads: str


def files_of(raw_uri: str, form: str, day: date) -> Files:
    """Return the files for `day`; with `date=` folders, only those of the day, as Vitrina reads them."""
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
    """Return the files of one input, each with its range of row numbers (the end is exclusive)."""
    if form != "date":
        return [(path.with_name(path.name + ENDINGS[form]), 0, rows)]
    starts = [-(-rows * n // DAYS) for n in range(DAYS + 1)]
    days = [FIRST_DAY + timedelta(days=n) for n in range(DAYS)]
    return [(path / f"date={day}" / "events.csv", starts[n], starts[n + 1]) for n, day in enumerate(days)]


def _random(number: str, salt: int) -> str:
    """Return SQL for a pseudo-random number from 0 to 1 that only depends on `number`, whichever thread computes it."""
    return f"(hash(({number}) * 8 + {salt}) / 18446744073709551616.0)"
