"""The tables: the contract between the batch, which fills them by column name, and everything that reads them."""

from django.db import models

from webapp.rankings.models.counts import AdvertiserCounts
from webapp.rankings.models.ledger import Advertiser, Rollback, Run
from webapp.rankings.models.ranking import LONGEST_LIST, WINDOWS, Ranking, WindowRanking
from webapp.rankings.models.top_ctr import TopCTR, TopCTRWindow
from webapp.rankings.models.top_product import TopProduct, TopProductWindow
from webapp.rankings.models.trending import Trending

__all__ = [
    "LASTING",
    "LONGEST_LIST",
    "RANKINGS",
    "RUN_TABLES",
    "WINDOWED",
    "WINDOWS",
    "Advertiser",
    "AdvertiserCounts",
    "Ranking",
    "Rollback",
    "Run",
    "TopCTR",
    "TopCTRWindow",
    "TopProduct",
    "TopProductWindow",
    "Trending",
    "WindowRanking",
]

# A new ranking is added here, and in the web half nowhere else.
RANKINGS: dict[str, type[Ranking]] = {ranking.__name__: ranking for ranking in (TopProduct, TopCTR, Trending)}
"""The rankings by the name that the API gives them."""
WINDOWED: dict[str, type[WindowRanking]] = {"TopProduct": TopProductWindow, "TopCTR": TopCTRWindow}
"""Those that there are over several days, too: where those lists are."""
LASTING = {name: ranking for name, ranking in RANKINGS.items() if ranking.is_lasting}
RUN_TABLES: tuple[type[models.Model], ...] = (*RANKINGS.values(), *WINDOWED.values(), AdvertiserCounts)
"""Everything that a run has rows in."""
