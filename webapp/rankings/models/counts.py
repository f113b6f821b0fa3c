import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from django.db import models

from webapp.rankings.models.ledger import Advertiser, Run


class Product(NamedTuple):
    """What a run counted of one product; the views of the week before are those of `past_days` days."""

    product_id: str
    views: int
    impressions: int
    clicks: int
    past_views: int


@dataclass(frozen=True)
class Counted:
    """What a run counted of an advertiser's products, and by which parameters it ranked them."""

    products: dict[str, Product]
    hidden: frozenset[str]
    rejected: dict[str, dict[str, int]]
    past_days: int
    parameters: dict[str, Any]

    @cached_property
    def rankable(self) -> list[Product]:
        return [product for product in self.products.values() if product.product_id not in self.hidden]

    @cached_property
    def impressions(self) -> int:
        return sum(product.impressions for product in self.rankable)

    @cached_property
    def clicks(self) -> int:
        return sum(product.clicks for product in self.rankable)


class AdvertiserCounts(models.Model):
    """What a run counted of an advertiser: enough to say why each product has its place, or none."""

    id = models.BigAutoField(primary_key=True, db_comment="Number of the row, given by the database")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, db_index=False, db_comment="The run that counted")
    date = models.DateField(db_comment="The run's day (UTC)")
    advertiser = models.ForeignKey(
        Advertiser,
        on_delete=models.DO_NOTHING,
        db_constraint=False,  # as of the rankings: rows come before their advertiser
        db_index=False,
        db_comment="Whose products they are",
    )
    past_days = models.SmallIntegerField(
        db_comment="On how many days of the week before the advertiser had any events that the run could look up"
    )
    products = models.TextField(
        db_comment="JSON: by product id, [views, impressions, clicks, views of the week before], of those seen that day"
    )
    hidden = models.TextField(db_comment="JSON: the ids of those that were hidden when the run ranked")
    rejected = models.TextField(db_comment="JSON: by product id, how many lines of it were rejected, by reason")

    class Meta:
        db_table = "advertiser_counts"
        db_table_comment = "One row a run and advertiser: the counts of all its products, for explanations"
        verbose_name_plural = "advertiser counts"
        constraints: ClassVar[tuple[models.BaseConstraint, ...]] = (
            models.UniqueConstraint(fields=["run", "advertiser"], name="advertisercounts_one_row_a_run"),
        )

    def __str__(self) -> str:
        return f"{self.advertiser_id} in run {self.run_id}"

    def read(self) -> Counted:
        """The columns of JSON as what they say."""
        products = {name: Product(name, *numbers) for name, numbers in json.loads(self.products).items()}
        hidden = frozenset(json.loads(self.hidden))
        return Counted(products, hidden, json.loads(self.rejected), self.past_days, self.run.parameters)
