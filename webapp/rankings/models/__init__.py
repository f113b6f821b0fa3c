"""The database tables: the contract between the batch, which fills them by column name, and the web app, which reads them."""

from django.db import models

from webapp.rankings.models.counts import AdvertiserCounts
from webapp.rankings.models.expected_ctr import ExpectedCTR
from webapp.rankings.models.ledger import Advertiser, Rollback, Run  # noqa: F401  # for those who import them from here
from webapp.rankings.models.ranking import LONGEST_LIST, WINDOWS, Ranking, WindowRanking  # noqa: F401
from webapp.rankings.models.top_ctr import TopCTR, TopCTRWindow
from webapp.rankings.models.top_product import TopProduct, TopProductWindow
from webapp.rankings.models.trending import Trending

# The registry: a new model is added here, and nowhere else in the web app.
RANKINGS: dict[str, type[Ranking]] = {
    ranking.__name__: ranking for ranking in (TopProduct, TopCTR, Trending, ExpectedCTR)
}
"""The models that rank products, by the name that the API gives them."""
WINDOWED: dict[str, type[WindowRanking]] = {"TopProduct": TopProductWindow, "TopCTR": TopCTRWindow}
"""The tables of lists over several days, by model. A model without one ranks single days only."""

FIRST = ExpectedCTR.__name__
"""The model that pages and examples show first."""
LASTING = {name: ranking for name, ranking in RANKINGS.items() if ranking.is_lasting}
RUN_TABLES: tuple[type[models.Model], ...] = (*RANKINGS.values(), *WINDOWED.values(), AdvertiserCounts)
"""Every table that holds rows of a run."""
