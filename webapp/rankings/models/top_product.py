from django.db import models

from webapp.rankings.models.counts import AdvertiserDay, ProductCounts
from webapp.rankings.models.ranking import Absence, Ranking, WindowRanking


class ViewRanking(Ranking):
    """The most visited products."""

    scores = ("views",)
    ordering_score = "views"
    tie_breaker = "views"
    needs = "products with visits"
    absence_reasons = ("not-viewed",)
    ranked_sql, score_sql = "views > 0", "views"
    summary = "The products whose pages had the most visits that day; equal ones by product id."

    views = models.BigIntegerField(db_comment="Visits to the product's page")

    class Meta:
        abstract = True
        constraints = (models.CheckConstraint(condition=models.Q(views__gte=0), name="%(class)s_views_not_negative"),)

    @classmethod
    def absence(cls, product: ProductCounts, day: AdvertiserDay) -> Absence | None:
        return None if product.views else Absence("not-viewed", "Its page had no visits that day.")

    @classmethod
    def working(cls, product: ProductCounts, day: AdvertiserDay) -> str:
        return f"{product.views:,} visits"


class TopProduct(ViewRanking):
    class Meta(Ranking.Meta):
        db_table = "top_product"
        db_table_comment = "Each advertiser's most viewed products of a day"
        verbose_name = "top product"
        constraints = (*Ranking.Meta.constraints, *ViewRanking.Meta.constraints)


class TopProductWindow(ViewRanking, WindowRanking):
    class Meta(WindowRanking.Meta):
        db_table = "top_product_window"
        db_table_comment = "Each advertiser's most viewed products over several days"
        verbose_name = "top product over several days"
        verbose_name_plural = "top products over several days"
        constraints = (*WindowRanking.Meta.constraints, *ViewRanking.Meta.constraints)
