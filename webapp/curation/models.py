"""The table of what people hid. The batch reads it by column name, and leaves these products out before it ranks."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from webapp.curation.querysets import HiddenProductQuerySet
from webapp.rankings.models import Advertiser


class HiddenProduct(models.Model):
    """A product that an advertiser's lists do without, until its last day is over or somebody undoes it.

    Rows are neither changed otherwise nor deleted: the table is its own history.
    """

    id = models.BigAutoField(primary_key=True, db_comment="Number of the row, counted upwards by the database")
    advertiser = models.ForeignKey(
        Advertiser,
        on_delete=models.PROTECT,
        db_index=False,  # the index below begins with it
        db_comment="Whose lists do without the product",
    )
    product_id = models.CharField("product", max_length=64, db_comment="The advertiser's product")
    reason = models.CharField(max_length=200, db_comment="Why it is hidden, in words")
    until = models.DateField("hidden until", db_comment="The last day (UTC) on which it is hidden")
    hidden_at = models.DateTimeField(db_default=Now(), editable=False, db_comment="When it was hidden")
    hidden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,  # an account is made inactive; who hid what stays known
        related_name="+",
        editable=False,
        db_comment="Who hid it",
    )
    unhidden_at = models.DateTimeField(
        null=True, blank=True, editable=False, db_comment="When somebody undid it before its last day was over"
    )
    unhidden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        editable=False,
        db_comment="Who undid it",
    )

    objects = HiddenProductQuerySet.as_manager()

    class Meta:
        db_table = "hidden_product"
        db_table_comment = "Products that people hid from an advertiser's lists; in force while not undone nor past"
        indexes = (
            # Every answer of the API asks it, once a product: is it hidden?
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
