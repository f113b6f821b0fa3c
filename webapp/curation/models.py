"""Hidden products. The nightly job reads this table by column name and leaves the products out before it ranks."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from webapp.curation.querysets import HiddenProductQuerySet
from webapp.rankings.models import Advertiser


class HiddenProduct(models.Model):
    """A product that is left out of an advertiser's lists until its last day is over or somebody unhides it.

    Unhiding is the only change to a row, and rows are never deleted: the table is its own history.
    """

    id = models.BigAutoField(primary_key=True, db_comment="Number of the row, given by the database")
    advertiser = models.ForeignKey(
        Advertiser,
        on_delete=models.PROTECT,
        db_index=False,  # the indexes below begin with it
        db_comment="Advertiser whose lists leave the product out",
    )
    product_id = models.CharField("product", max_length=64, db_comment="The advertiser's product")
    reason = models.CharField(max_length=200, db_comment="Why it is hidden")
    until = models.DateField("hidden until", db_comment="The last day (UTC) on which it is hidden")
    hidden_at = models.DateTimeField(db_default=Now(), editable=False, db_comment="When it was hidden")
    hidden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,  # deactivate an account instead, so that the history stays
        related_name="+",
        editable=False,
        db_comment="Who hid it",
    )
    unhidden_at = models.DateTimeField(
        null=True, blank=True, editable=False, db_comment="When somebody unhid it before its last day was over"
    )
    unhidden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        editable=False,
        db_comment="Who unhid it",
    )

    objects = HiddenProductQuerySet.as_manager()

    class Meta:
        db_table = "hidden_product"
        db_table_comment = "Products hidden from an advertiser's lists; in force until unhidden or past the last day"
        indexes = (
            # Serves the check in every API request: which products of the list are hidden?
            models.Index(
                fields=["advertiser", "product_id"],
                condition=models.Q(unhidden_at=None),
                name="hidden_product_not_undone",
            ),
            models.Index("advertiser", models.F("hidden_at").desc(), name="hidden_product_history"),
        )
        constraints = (
            models.CheckConstraint(condition=~models.Q(product_id=""), name="hidden_product_is_named"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="hidden_product_has_reason"),
            models.CheckConstraint(
                condition=models.Q(unhidden_at=None, unhidden_by=None)
                | models.Q(unhidden_at__isnull=False, unhidden_by__isnull=False),
                name="hidden_product_undone_by_someone",
            ),
        )

    def __str__(self) -> str:
        return f"{self.product_id} of {self.advertiser_id}, until {self.until}"
