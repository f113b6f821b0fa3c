"""The verbs in which hidden products are asked for: `HiddenProduct.objects.in_force().taken_out_of(rows)`."""

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from webapp.rankings.models import Advertiser

Rows = TypeVar("Rows", bound=QuerySet[Any])


class HiddenProductQuerySet(QuerySet[Any]):
    def in_force(self) -> Self:
        """Those that keep a product out of the lists now: nobody undid them, and their last day (UTC) is not over."""
        return self.filter(unhidden_at__isnull=True, until__gte=timezone.now().date())

    def for_advertiser(self, advertiser: "Advertiser | str") -> Self:
        return self.filter(advertiser=advertiser)

    def newest_first(self) -> Self:
        return self.order_by("-hidden_at", "-id")

    def taken_out_of(self, rows: Rows) -> Rows:
        """The ranking's rows without these products of theirs; part of the same query."""
        same = self.filter(advertiser=OuterRef("advertiser"), product_id=OuterRef("product_id"))
        return rows.filter(~Exists(same))

    def last_change(self) -> tuple[str, datetime | None]:
        """A text that is another one whenever other products are in force, and the moment it became so; None if never.

        A row never comes back into force and new ones have greater ids, so that their number and the greatest id tell
        one set of them from every other that there was.
        """
        today = timezone.now().date()
        undone, over = Q(unhidden_at__isnull=False), Q(until__lt=today)
        found = self.aggregate(
            number=Count("id", filter=~undone & ~over),
            newest=Max("id", filter=~undone & ~over),
            hidden=Max("hidden_at"),
            undone=Max("unhidden_at"),
            over=Max("until", filter=~undone & over),
        )
        ended = found["over"] and datetime.combine(found["over"] + timedelta(days=1), time(), UTC)
        moments = [moment for moment in (found["hidden"], found["undone"], ended) if moment]
        return f"{found['number']}-{found['newest'] or 0}", max(moments, default=None)

    def unhide(self, by: "User") -> int:
        """Undo those that are in force; return how many there were."""
        return self.in_force().update(unhidden_at=Now(), unhidden_by=by)
