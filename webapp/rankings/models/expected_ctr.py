from math import inf
from typing import Any

from django.db import models

from webapp.rankings.models.counts import DECAYED_UNITS, AdvertiserDay, ProductCounts
from webapp.rankings.models.ranking import Absence, Ranking

CLICKS_SQL, IMPRESSIONS_SQL = (f"decayed_{kind}::float8 / {DECAYED_UNITS}" for kind in ("clicks", "impressions"))
"""The decayed counts of advertiser_counts in clicks and impressions."""


class ExpectedCTR(Ranking):
    """The products with the highest expected click rate, given the decayed counts of 28 days and the advertiser's prior."""

    scores = (
        "clicks",
        "impressions",
        "decayed_clicks",
        "decayed_impressions",
        "ctr",
        "score",
        "score_low",
        "score_high",
    )
    columns_of_page = ("decayed_clicks", "decayed_impressions", "ctr", "score")
    ordering_score = "score"
    tie_breaker = "decayed_impressions"
    shares = ("ctr", "score", "score_low", "score_high")
    needs = "products with impressions in the last 28 days"
    absence_reasons = ("no-list", "never-shown")
    ranked_sql = "decayed_impressions > 0"
    score_sql = f"(prior_weight * prior_mean + {CLICKS_SQL}) / (prior_weight + {IMPRESSIONS_SQL})"
    summary = (
        "The products with the highest expected click rate; equal ones by decayed impressions, most first, then by product "
        "id. The clicks and impressions of 28 days count less the older they are: half as much after each half-life of the "
        "run. The rate that they give is drawn towards the advertiser's own the fewer impressions there were, as strongly "
        "as the differences between its products suggest. Products without impressions in 28 days are not ranked."
    )
    uses_decayed_counts = True
    can_explore = True
    is_explored = False
    """Whether the item was drawn to explore it, instead of being listed for its score (lists/exploration.py)."""

    clicks = models.BigIntegerField(db_comment="Clicks on the product's ads that day")
    impressions = models.BigIntegerField(db_comment="Impressions of the product's ads that day; may be 0")
    decayed_clicks = models.FloatField(
        db_comment="Clicks of 28 days, each halved for every half-life of its age; at most decayed_impressions"
    )
    decayed_impressions = models.FloatField(
        db_comment="Impressions of 28 days, each halved for every half-life of its age; never 0"
    )
    ctr = models.FloatField(db_comment="Decayed click-through rate, decayed_clicks / decayed_impressions")
    score = models.FloatField(
        db_comment="Orders the list: the expected click rate, (W*p + decayed_clicks) / (W + decayed_impressions), where p and"
        " W are the mean and weight of the advertiser's prior"
    )
    score_low = models.FloatField(
        db_comment="Lower end of the credible interval that holds the true click rate with a probability of 0.95"
    )
    score_high = models.FloatField(
        db_comment="Upper end of that interval; below the score if nearly no click is expected"
    )

    class Meta(Ranking.Meta):
        db_table = "expected_ctr"
        db_table_comment = "Each advertiser's products with the highest expected click-through rate"
        verbose_name = "expected CTR"
        verbose_name_plural = "expected CTRs"
        constraints = (
            *Ranking.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(clicks__gte=0, impressions__gte=0), name="expectedctr_counts_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    decayed_clicks__gte=0,
                    decayed_clicks__lte=models.F("decayed_impressions"),
                    decayed_impressions__gt=0,
                    decayed_impressions__lt=inf,
                ),
                name="expectedctr_decayed_counts_make_a_rate",
            ),
            models.CheckConstraint(
                condition=models.Q(ctr__gte=0, ctr__lte=1, score__gte=0, score__lte=1),
                name="expectedctr_rates_are_shares",
            ),
            models.CheckConstraint(
                condition=models.Q(score_low__gte=0, score_low__lte=models.F("score_high"), score_high__lte=1),
                name="expectedctr_interval_in_order",
            ),
        )

    @classmethod
    def absence_of_lists(cls, parameters: dict[str, Any]) -> Absence | None:
        if "half_life_days" in parameters:
            return None
        return Absence("no-list", "The run is older than this model, so it has no such list.")

    @classmethod
    def absence(cls, product: ProductCounts, day: AdvertiserDay) -> Absence | None:
        if product.decayed_impressions:
            return None
        return Absence("never-shown", "Its ads had no impressions in the 28 days up to that day.")

    @classmethod
    def working(cls, product: ProductCounts, day: AdvertiserDay) -> str:
        weight, mean = f"{day.prior_weight:,g}", f"{day.prior_mean:.6f}"
        clicks, impressions = product.decayed or (0, 0)
        return (
            f"({weight} × {mean} + {clicks:,.3f} clicks) / ({weight} + {impressions:,.3f} impressions), where {mean} and "
            f"{weight} are the mean and weight of the advertiser's prior; of the decayed counts, {product.clicks:,} clicks "
            f"and {product.impressions:,} impressions are those of the day itself"
        )

    def as_item(self) -> dict[str, Any]:
        return super().as_item() | ({"explore": True} if self.is_explored else {})
