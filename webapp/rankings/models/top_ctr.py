from typing import Any, ClassVar, Self

from django.db import models

from webapp.rankings.intervals import wilson
from webapp.rankings.models.counts import Counted, Product
from webapp.rankings.models.ranking import Absence, Ranking, WindowRanking


class Rated(Ranking):
    scores = ("clicks", "impressions", "ctr", "score")
    derived: ClassVar[dict[str, str]] = {
        "ctr_low": "Lower end of the 95 % interval (Wilson's) in which the product's true click rate lies",
        "ctr_high": "Upper end of that interval, at most 1",
    }
    shares = ("ctr", "score", *derived)
    summary = (
        "The products with the highest score that day: clicks per impression, unless the run had a prior weight, which "
        "draws rates of few impressions towards the advertiser's own; equal scores by impressions, most first, then by "
        "product id. A product never shown, or less often than the run's minimum, is not ranked."
    )

    clicks = models.BigIntegerField(db_comment="Clicks on the product's ads that day")
    impressions = models.BigIntegerField(db_comment="Times the product's ads were shown that day; never 0")
    ctr = models.FloatField(
        db_comment="Click-through rate: clicks / impressions; above 1 when ads shown the day before are clicked"
    )
    score = models.FloatField(
        null=True,  # rows of batches that knew no score
        db_comment="What orders the list: ctr, or with a prior weight W of the run (clicks + W*p) / (impressions + W),"
        " p being the advertiser's own rate; null, which means ctr, in rows written before there were scores",
    )

    class Meta:
        abstract = True
        constraints = (
            models.CheckConstraint(
                condition=models.Q(clicks__gte=0, impressions__gt=0), name="%(class)s_counts_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(ctr__gte=0, ctr__lt=float("inf")), name="%(class)s_rate_is_a_number"
            ),
            models.CheckConstraint(
                condition=models.Q(score__gte=0, score__lt=float("inf")), name="%(class)s_score_is_a_number"
            ),
        )

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        """A row as it is stored; before there were scores, the ratio ordered."""
        row = super().from_db(*args, **kwargs)
        if "score" in vars(row) and row.score is None:
            row.score = row.ctr
        return row

    @classmethod
    def absence(cls, product: Product, counted: Counted) -> Absence | None:
        least = counted.parameters["min_impressions"]
        if not product.impressions:
            return Absence("never-shown", "No ad of it was shown that day, so that it has no rate.")
        if product.impressions < least:
            shown = f"Its ads were shown {product.impressions:,} times"
            return Absence("below-minimum", f"{shown}; the night ranked what was shown at least {least:,} times.")
        return None

    @classmethod
    def score_of(cls, product: Product, counted: Counted) -> float:
        weight = counted.parameters["ctr_prior_weight"]
        if not weight:
            return product.clicks / product.impressions
        clicks = float(product.clicks) * counted.impressions + weight * counted.clicks
        return clicks / ((product.impressions + weight) * counted.impressions)

    @classmethod
    def order_of(cls, product: Product, score: float) -> tuple[Any, ...]:
        return -score, -product.impressions, product.product_id

    @classmethod
    def working(cls, product: Product, counted: Counted) -> str:
        weight = counted.parameters["ctr_prior_weight"]
        plain = f"{product.clicks:,} clicks / {product.impressions:,} impressions"
        if not weight:
            return plain
        own = counted.clicks / counted.impressions
        return (
            f"({product.clicks:,} clicks + {weight:g} × {own:.6f}) / ({product.impressions:,} impressions + {weight:g}), "
            f"{own:.6f} being the advertiser's own rate: {counted.clicks:,} / {counted.impressions:,}"
        )

    @property
    def ctr_low(self) -> float:
        return wilson(self.clicks, self.impressions)[0]

    @property
    def ctr_high(self) -> float:
        return wilson(self.clicks, self.impressions)[1]


class TopCTR(Rated):
    class Meta(Ranking.Meta):
        db_table = "top_ctr"
        db_table_comment = "Each advertiser's products of a day with the highest click-through rate"
        verbose_name = "top CTR"
        verbose_name_plural = "top CTRs"
        constraints = (*Ranking.Meta.constraints, *Rated.Meta.constraints)


class TopCTRWindow(Rated, WindowRanking):
    class Meta(WindowRanking.Meta):
        db_table = "top_ctr_window"
        db_table_comment = "Each advertiser's products with the highest click-through rate of several days"
        verbose_name = "top CTR of several days"
        verbose_name_plural = "top CTRs of several days"
        constraints = (*WindowRanking.Meta.constraints, *Rated.Meta.constraints)
