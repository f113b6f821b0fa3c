from typing import Any

from django.db import models

from webapp.rankings.models.counts import Counted, Product
from webapp.rankings.models.ranking import Absence, Ranking, WindowRanking


class Visited(Ranking):
    scores = ("views",)
    summary = "The products whose pages were visited most that day; equal ones by product id."

    views = models.BigIntegerField(db_comment="Visits to the product's page that day")

    class Meta:
        abstract = True
        constraints = (models.CheckConstraint(condition=models.Q(views__gte=0), name="%(class)s_views_not_negative"),)

    @classmethod
    def absence(cls, product: Product, counted: Counted) -> Absence | None:
        return None if product.views else Absence("not-viewed", "Nobody visited its page that day.")

    @classmethod
    def score_of(cls, product: Product, counted: Counted) -> float:
        return product.views

    @classmethod
    def order_of(cls, product: Product, score: float) -> tuple[Any, ...]:
        return -score, product.product_id

    @classmethod
    def working(cls, product: Product, counted: Counted) -> str:
        return f"{product.views:,} visits"


class TopProduct(Visited):
    class Meta(Ranking.Meta):
        db_table = "top_product"
        db_table_comment = "Each advertiser's most viewed products of a day"
        verbose_name = "top product"
        constraints = (*Ranking.Meta.constraints, *Visited.Meta.constraints)


class TopProductWindow(Visited, WindowRanking):
    class Meta(WindowRanking.Meta):
        db_table = "top_product_window"
        db_table_comment = "Each advertiser's most viewed products of several days"
        verbose_name = "top product of several days"
        verbose_name_plural = "top products of several days"
        constraints = (*WindowRanking.Meta.constraints, *Visited.Meta.constraints)
