from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from django.db import models

from webapp.rankings.models.ledger import Advertiser, Run

DECAYED_UNITS = 2**20  # in one click or impression


class ProductCounts(NamedTuple):
    """One product's events on the day, its visits in the week before, and its decayed counts of 28 days.

    The fields are in the order of the JSON arrays. Decayed counts are in units of 1/1,048,576; runs from before
    ExpectedCTR have none.
    """

    product_id: str
    views: int
    impressions: int
    clicks: int
    past_views: int
    decayed_clicks: int | None = None
    decayed_impressions: int | None = None

    @property
    def has_events(self) -> bool:
        """Whether the product had events on the day."""
        return bool(self.views or self.impressions or self.clicks)

    @property
    def decayed(self) -> tuple[float, float] | None:
        """The decayed clicks and impressions."""
        if self.decayed_clicks is None or self.decayed_impressions is None:
            return None
        return self.decayed_clicks / DECAYED_UNITS, self.decayed_impressions / DECAYED_UNITS


@dataclass(frozen=True)
class AdvertiserDay:
    """A run's impressions and clicks of an advertiser's products, hidden ones excepted, and what it ranked them by.

    That is the run's parameters and the advertiser's prior, which is None if no product was shown in 28 days.
    """

    impressions: int
    clicks: int
    past_days: int
    parameters: dict[str, Any]
    prior_mean: float | None = None
    prior_weight: float | None = None


class AdvertiserCounts(models.Model):
    """What a run counted for an advertiser, from which the web app explains each product's rank.

    An advertiser with more than about 5,000 products has several rows, which differ in `part`.
    """

    PRODUCT_NUMBERS: ClassVar = ProductCounts._fields[1:]
    """What the numbers in `products` are, in their order."""

    id = models.BigAutoField(primary_key=True, db_comment="Row number, assigned by the database")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, db_index=False, db_comment="The run that counted")
    date = models.DateField(db_comment="The run's day (UTC)")
    advertiser = models.ForeignKey(
        Advertiser,
        on_delete=models.DO_NOTHING,
        db_constraint=False,  # like the rankings, rows are appended before the advertiser may exist
        db_index=False,
        db_comment="The advertiser whose products were counted",
    )
    part = models.SmallIntegerField(
        default=0, db_default=0, db_comment="Number of the row, from 0, by the products' hash"
    )
    past_days = models.SmallIntegerField(
        db_comment="Number of days in the week before on which the run found events of the advertiser"
    )
    products = models.TextField(
        db_comment="JSON: [views, impressions, clicks, views in the week before, decayed clicks, decayed impressions] of each"
        " product with events on the day or impressions in 28 days; decayed counts in units of 1/1048576, absent in rows"
        " older than the table expected_ctr"
    )
    hidden = models.TextField(db_comment="JSON: ids of the products that were hidden when the run ranked")
    rejected = models.TextField(db_comment="JSON: number of rejected rows by product, then by reason")
    prior_mean = models.FloatField(
        null=True,  # also in rows written before the column existed
        db_comment="Mean of the prior by which ExpectedCTR scored the advertiser's products; null if none was shown in 28"
        " days",
    )
    prior_weight = models.FloatField(
        null=True, db_comment="Weight of that prior, in impressions; null if none was shown in 28 days"
    )

    class Meta:
        db_table = "advertiser_counts"
        db_table_comment = (
            "Per run and advertiser, the counts of all its products, for explanations; one row for 5,000 products"
        )
        verbose_name_plural = "advertiser counts"
        constraints: ClassVar[tuple[models.BaseConstraint, ...]] = (
            models.UniqueConstraint(fields=["run", "advertiser", "part"], name="advertisercounts_one_row_a_part"),
        )

    def __str__(self) -> str:
        return f"{self.advertiser_id} in run {self.run_id}"
