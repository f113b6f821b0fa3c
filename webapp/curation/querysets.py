"""Queries on hidden products, such as `HiddenProduct.objects.in_force().taken_out_of(rows)`."""

from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from webapp.rankings.models import Advertiser

HIDDEN_VERSION = """
    SELECT concat_ws('-', count(*), count(unhidden_at), count(*) FILTER (WHERE until < %(today)s))
    FROM hidden_product WHERE {whose}
"""
"""A version of the hidden products; `whose` is a condition on the advertiser.

It never recurs: hiding, unhiding and the end of a last day each raise one of its numbers, and nothing lowers one, since
rows are never deleted.
"""

Rows = TypeVar("Rows", bound=QuerySet[Any])


class HiddenProductQuerySet(QuerySet[Any]):
    def in_force(self) -> Self:
        """Rows that hide a product now: not unhidden, and the last day (UTC) is not over."""
        return self.filter(unhidden_at__isnull=True, until__gte=timezone.now().date())

    def for_advertiser(self, advertiser: "Advertiser | str") -> Self:
        return self.filter(advertiser=advertiser)

    def newest_first(self) -> Self:
        return self.order_by("-hidden_at", "-id")

    def taken_out_of(self, rows: Rows) -> Rows:
        """The rows of a ranking without the products hidden for their advertiser; still one query."""
        same = self.filter(advertiser=OuterRef("advertiser"), product_id=OuterRef("product_id"))
        return rows.filter(~Exists(same))

    def unhide(self, by: "User") -> int:
        """Unhide the rows in force; return how many there were."""
        return self.in_force().update(unhidden_at=Now(), unhidden_by=by)
