from typing import Any

from django.db import models

from webapp.rankings.models.counts import Counted, Product
from webapp.rankings.models.ranking import Absence, Ranking


class Trending(Ranking):
    scores = ("views", "usual", "score")
    summary = (
        "The products whose visits rose most that day above what was usual in the week before, the highest score first; "
        "equal scores by visits, most first, then by product id. A weight of the run is added to both sides, so that few "
        "visits are no trend. An advertiser without a day in that week has no list."
    )
    is_lasting = False

    views = models.BigIntegerField(db_comment="Visits to the product's page that day; more than usual")
    usual = models.FloatField(
        db_comment="Visits a day in the week before, over those of its days on which the advertiser had any events"
    )
    score = models.FloatField(db_comment="What orders the list: (views + W) / (usual + W), W being the run's weight")

    class Meta(Ranking.Meta):
        db_table = "trending"
        db_table_comment = "Each advertiser's products that rise above what was usual for them"
        verbose_name = "trending product"
        constraints = (
            *Ranking.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(views__gt=0, usual__gte=0, usual__lt=float("inf")),
                name="trending_counts_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(score__gte=1, score__lt=float("inf")), name="trending_score_is_a_rise"
            ),
        )

    @classmethod
    def absence(cls, product: Product, counted: Counted) -> Absence | None:
        if not counted.past_days:
            return Absence("no-past", "No day of the week before was published with events of the advertiser.")
        if product.views * counted.past_days > product.past_views:
            return None
        usual = product.past_views / counted.past_days
        return Absence("not-rising", f"It had {product.views:,} visits, and {usual:,.2f} a day in the week before.")

    @classmethod
    def score_of(cls, product: Product, counted: Counted) -> float:
        weight, days = counted.parameters["trend_prior_weight"], counted.past_days
        return (product.views + weight) * days / (product.past_views + weight * days)

    @classmethod
    def order_of(cls, product: Product, score: float) -> tuple[Any, ...]:
        return -score, -product.views, product.product_id

    @classmethod
    def working(cls, product: Product, counted: Counted) -> str:
        weight = counted.parameters["trend_prior_weight"]
        usual = f"{product.past_views:,} visits / {counted.past_days} days"
        return f"({product.views:,} visits + {weight:g}) / ({usual} + {weight:g})"
