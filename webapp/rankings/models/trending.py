from math import inf

from django.db import models

from webapp.rankings.models.counts import AdvertiserDay, ProductCounts
from webapp.rankings.models.ranking import Absence, Ranking


class Trending(Ranking):
    scores = ("views", "usual", "score")
    ordering_score = "score"
    tie_breaker = "views"
    needs = "products with more visits than usual, and events in the week before"
    absence_reasons = ("no-past", "not-rising")
    ranked_sql = "views * %(past_days)s > past_views"
    score_sql = """
        (views + %(trend_prior_weight)s::float8) * %(past_days)s
            / (past_views + %(trend_prior_weight)s::float8 * %(past_days)s)
    """
    summary = (
        "The products whose visits rose most that day above their usual number, the daily mean of the week before. Highest "
        "score first; equal scores by visits, most first, then by product id. The run's weight is added to both numbers, so "
        "that a few visits are not a trend. Advertisers without events in that week have no list."
    )
    is_lasting = False

    views = models.BigIntegerField(db_comment="Visits to the product's page that day; more than usual")
    usual = models.FloatField(
        db_comment="Mean visits a day in the week before, over its days with events of the advertiser"
    )
    score = models.FloatField(db_comment="Orders the list: (views + W) / (usual + W), where W is the run's weight")

    class Meta(Ranking.Meta):
        db_table = "trending"
        db_table_comment = "Each advertiser's products with more visits than usual"
        verbose_name = "trending product"
        constraints = (
            *Ranking.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(views__gt=0, usual__gte=0, usual__lt=inf),
                name="trending_counts_not_negative",
            ),
            models.CheckConstraint(condition=models.Q(score__gte=1, score__lt=inf), name="trending_score_is_a_rise"),
        )

    @classmethod
    def absence(cls, product: ProductCounts, day: AdvertiserDay) -> Absence | None:
        if not day.past_days:
            return Absence("no-past", "No published day of the week before has events of the advertiser.")
        if product.views * day.past_days > product.past_views:
            return None
        usual = product.past_views / day.past_days
        return Absence("not-rising", f"It had {product.views:,} visits; in the week before, {usual:,.2f} a day.")

    @classmethod
    def working(cls, product: ProductCounts, day: AdvertiserDay) -> str:
        weight = day.parameters["trend_prior_weight"]
        usual = f"{product.past_views:,} visits / {day.past_days} days"
        return f"({product.views:,} visits + {weight:g}) / ({usual} + {weight:g})"
