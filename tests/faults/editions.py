"""Two versions of one day's raw events, and the lists of each: the old ones, then the new ones."""

from dataclasses import dataclass

from tests.conftest import ADS, DAY, VIEWS

ADVERTISERS = ("a", "b", "c")
WINDOWS = {"TopProduct": (1, 7, 28), "TopCTR": (1, 7, 28), "ExpectedCTR": (1,)}
"""The windows of each model in days. Without history, all lists of an advertiser are the same, and nothing trends."""


@dataclass(frozen=True)
class Edition:
    """A day on which each advertiser's list is name-0, name-1, ..., both by views and by clicks."""

    name: str
    length: int

    @property
    def products(self) -> tuple[str, ...]:
        return tuple(f"{self.name}-{n:03d}" for n in range(self.length))

    @property
    def rows(self) -> frozenset[tuple[str, int, str, int, str]]:
        """All rows that a client can see: (model, window, advertiser, rank, product)."""
        return frozenset(
            (model, window, advertiser, rank, product)
            for model, windows in WINDOWS.items()
            for window in windows
            for advertiser in ADVERTISERS
            for rank, product in enumerate(self.products[:20], start=1)
        )

    @property
    def files(self) -> dict[str, bytes]:
        """The raw files by name, without the ending."""
        views, ads = [VIEWS], [ADS]
        for advertiser in ADVERTISERS:
            for rank, product in enumerate(self.products):
                clicks = self.length - rank
                views += [f"{advertiser},{product},{DAY}\n"] * clicks
                ads += [f"{advertiser},{product},impression,{DAY}\n"] * self.length
                ads += [f"{advertiser},{product},click,{DAY}\n"] * clicks
        return {
            "advertiser_ids": "\n".join(("advertiser_id", *ADVERTISERS, "")).encode(),
            "product_views": "".join(views).encode(),
            "ads_views": "".join(ads).encode(),
        }


OLD, NEW = Edition("old", 5), Edition("new", 7)
