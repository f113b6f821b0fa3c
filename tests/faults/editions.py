"""Two states of one day's raw events, and the lists that readers must see of each: old ones, then new ones."""

from dataclasses import dataclass

from tests.conftest import ADS, DAY, VIEWS

ADVERTISERS = ("a", "b", "c")
MODELS = ("TopProduct", "TopCTR")  # against no past, nothing trends
WINDOWS = (1, 7, 28)  # days; with no days before, one list over all of them


@dataclass(frozen=True)
class Edition:
    """A day on which each advertiser's products are name-0, name-1, ... in this order, by views and by clicks alike."""

    name: str
    length: int

    @property
    def products(self) -> tuple[str, ...]:
        return tuple(f"{self.name}-{n:03d}" for n in range(self.length))

    @property
    def rows(self) -> frozenset[tuple[str, int, str, int, str]]:
        """All that a reader sees of it: (model, window, advertiser, rank, product)."""
        return frozenset(
            (model, window, advertiser, rank, product)
            for model in MODELS
            for window in WINDOWS
            for advertiser in ADVERTISERS
            for rank, product in enumerate(self.products[:20], start=1)
        )

    @property
    def files(self) -> dict[str, bytes]:
        """The raw files by their names, without the ending."""
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
