from math import inf
from typing import Any, ClassVar, Self

from django.db import models

from webapp.rankings.models.counts import AdvertiserDay, ProductCounts
from webapp.rankings.models.ranking import Absence, Ranking, WindowRanking
from webapp.rankings.wilson import wilson


class ClickRateRanking(Ranking):
    """The products with the most clicks per impression."""

    scores = ("clicks", "impressions", "ctr", "score")
    ordering_score = "score"
    tie_breaker = "impressions"
    derived: ClassVar[dict[str, str]] = {
        "ctr_low": "Lower end of the 95 % Wilson interval for the product's true click rate",
        "ctr_high": "Upper end of that interval, at most 1",
    }
    shares = ("ctr", "score", *derived)
    needs = "products with impressions, at least as many as the run's minimum"
    absence_reasons = ("never-shown", "below-minimum")
    ranked_sql = "impressions > 0 AND impressions >= %(min_impressions)s"
    score_sql = """
        CASE WHEN %(ctr_prior_weight)s = 0 THEN clicks::float8 / impressions
        ELSE (clicks::float8 * all_impressions + %(ctr_prior_weight)s::float8 * all_clicks)
            / ((impressions + %(ctr_prior_weight)s::float8) * all_impressions)
        END
    """
    summary = (
        "The products with the highest score that day; equal scores by impressions, most first, then by product id. The "
        "score is clicks per impression, or, if the run had a prior weight, that rate drawn towards the advertiser's own "
        "the fewer impressions there were. Products with fewer impressions than the run's minimum are not ranked."
    )

    clicks = models.BigIntegerField(db_comment="Clicks on the product's ads")
    impressions = models.BigIntegerField(db_comment="Impressions of the product's ads; never 0")
    ctr = models.FloatField(
        db_comment="Click-through rate, clicks / impressions; above 1 if ads shown the day before are clicked"
    )
    score = models.FloatField(
        null=True,  # in rows written before the column existed
        db_comment="Orders the list: ctr, or (clicks + W*p) / (impressions + W) if the run had a prior weight W, where p"
        " is the advertiser's own rate; null in rows older than the column, which are ordered by ctr",
    )

    class Meta:
        abstract = True
        constraints = (
            models.CheckConstraint(
                condition=models.Q(clicks__gte=0, impressions__gt=0), name="%(class)s_counts_not_negative"
            ),
            models.CheckConstraint(condition=models.Q(ctr__gte=0, ctr__lt=inf), name="%(class)s_rate_is_a_number"),
            models.CheckConstraint(condition=models.Q(score__gte=0, score__lt=inf), name="%(class)s_score_is_a_number"),
        )

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        """Give rows that are older than the score column the score that ordered them, the ratio."""
        row = super().from_db(*args, **kwargs)
        if "score" in vars(row) and row.score is None:
            row.score = row.ctr
        return row

    @classmethod
    def absence(cls, product: ProductCounts, day: AdvertiserDay) -> Absence | None:
        minimum = day.parameters["min_impressions"]
        if not product.impressions:
            return Absence("never-shown", "Its ads had no impressions that day, so it has no click rate.")
        if product.impressions < minimum:
            shown = f"Its ads had {product.impressions:,} impressions"
            return Absence("below-minimum", f"{shown}; the run ranked only products with at least {minimum:,}.")
        return None

    @classmethod
    def working(cls, product: ProductCounts, day: AdvertiserDay) -> str:
        weight = day.parameters["ctr_prior_weight"]
        if not weight:
            return f"{product.clicks:,} clicks / {product.impressions:,} impressions"
        rate = day.clicks / day.impressions
        return (
            f"({product.clicks:,} clicks + {weight:g} × {rate:.6f}) / ({product.impressions:,} impressions + {weight:g}), "
            f"where {rate:.6f} is the advertiser's own rate, {day.clicks:,} / {day.impressions:,}"
        )

    @property
    def ctr_low(self) -> float:
        return wilson(self.clicks, self.impressions)[0]

    @property
    def ctr_high(self) -> float:
        return wilson(self.clicks, self.impressions)[1]


class TopCTR(ClickRateRanking):
    class Meta(Ranking.Meta):
        db_table = "top_ctr"
        db_table_comment = "Each advertiser's products with the highest click-through rate of a day"
        verbose_name = "top CTR"
        verbose_name_plural = "top CTRs"
        constraints = (*Ranking.Meta.constraints, *ClickRateRanking.Meta.constraints)


class TopCTRWindow(ClickRateRanking, WindowRanking):
    class Meta(WindowRanking.Meta):
        db_table = "top_ctr_window"
        db_table_comment = "Each advertiser's products with the highest click-through rate over several days"
        verbose_name = "top CTR over several days"
        verbose_name_plural = "top CTRs over several days"
        constraints = (*WindowRanking.Meta.constraints, *ClickRateRanking.Meta.constraints)
